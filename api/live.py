"""Live events (`GET /live`): which tiles changed and which records did, for the layers that the caller may see.

Each record event carries a position of the change log as its id. Who comes back with the last one it saw
(`Last-Event-ID`) is sent exactly what it missed; tile events may come twice: to ask for a tile twice does no harm.
What comes in quick succession goes out together (`api.editions`): at most one message in a fifth of a second.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Final
from urllib.parse import parse_qs

import sqlalchemy as sa
from starlette.responses import JSONResponse

from api.door import NOBODY
from api.editions import PACE_S, Edition, Press
from api.errors import PROBLEM, NotListening, refusal, unavailable
from api.follow import Batch, Follower
from api.news import Ear, News, event, joined, news
from api.service import Service
from api.tiles import Receive, Scope, Send, disconnected
from layers.ask.touched import touched
from layers.errors import LayersError
from layers.loop.inbox import Fresh
from layers.people.access import Actor
from layers.people.holders import Holder, Presented
from layers.store import changes
from layers.store.changes import Position
from layers.store.engine import engine_for

MOST_WAITING = 50_000  # changes for a client that does not read; then it has to come back
MOST_EDITIONS = 300
MOST_STREAMS = 2_000
MOST_MISSED = 5_000  # changes that a returning client is told one by one
_PING_S = 15.0
_LOOK_S: Final = 1.0
"""So long may a stream go on whose session was revoked."""


@dataclass(eq=False)
class Stream:
    """One client: who it is, which layers it wants (None: all that it may see), and what waits for it."""

    actor: Actor
    names: frozenset[str] | None
    presented: Presented | None = None  # what tells who it is; of anyone nothing
    version: str | None = ""  # of what it presented, when that was last looked up; None: it opened nothing
    known: tuple[str, ...] = ()  # snapshots of the database whose changes it was told of
    start: int = 0  # the number of the first news that it is told
    missed: list[bytes] = field(default_factory=list)  # what it is told before all that waits
    waiting: deque[Edition] = field(default_factory=deque)
    behind: int = 0
    ended: bool = False
    sent_at: float = float("-inf")
    pinged: bool = False
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    @cached_property
    def ear(self) -> Ear:
        """What it hears."""
        return _the_one(Ear.of(self.actor, self.names))

    def give(self, edition: Edition) -> None:
        """Let an edition wait for it; who has not read for long is left behind."""
        self.behind += edition.changes
        if self.behind > MOST_WAITING or len(self.waiting) >= MOST_EDITIONS:
            self.end()
            return
        self.waiting.append(edition)
        self.bell.set()

    def take(self) -> bytes:
        """All that waits, as one message; of nothing a ping where one is due."""
        parts, self.missed = self.missed, []
        while self.waiting:
            edition = self.waiting.popleft()
            parts.append(edition.heard(self.ear, start=self.start, known=self.known))
            parts.append(edition.calls(self.actor))
        quiet, self.pinged, self.behind = self.pinged, False, 0
        self.bell.clear()
        return b"".join(parts) or (_PING if quiet else b"")

    def ping(self) -> None:
        """Let it hear that the server is there."""
        self.pinged = True
        self.bell.set()

    def end(self) -> None:
        """It gets nothing more, and ends as soon as it can."""
        self.ended = True
        self.waiting.clear()
        self.bell.set()


class Live:
    """The ASGI function of `/live`, and the hub that gives every stream what the follower read."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._engine = engine_for(service.url, "reader", pool_size=0)
        self._streams: set[Stream] = set()
        self._catching_up = asyncio.Semaphore(1)
        self._press = Press(self._deliver, screens=self.__len__)
        self.follower: Follower | None = None

    def __len__(self) -> int:
        return len(self._streams)

    def publish(self, batch: Batch) -> None:
        """Take a batch for the next edition."""
        if self._streams:
            self._press.add(news(batch))

    def ring(self, notices: Sequence[Fresh]) -> None:
        """Call everybody to the notices that are meant for them; what they say is read at `/notices`."""
        if self._streams:
            self._press.call(notices)

    def _deliver(self, edition: Edition) -> None:
        for stream in self._streams:
            stream.give(edition)

    def bye(self) -> None:
        """End every stream: the server stops."""
        for stream in self._streams:
            stream.end()

    async def watch(self) -> None:
        """Until cancelled: end the streams of those whose session or rights have ended, and ping those long quiet."""
        while True:
            await asyncio.sleep(_LOOK_S)
            self._ping_the_quiet()
            await self._look_again()

    def _ping_the_quiet(self) -> None:
        """One clock for all: a timer of its own for each message of each stream costs as much as the message."""
        before = asyncio.get_running_loop().time() - _PING_S
        for stream in self._streams:
            if stream.sent_at < before:
                stream.ping()

    async def _look_again(self) -> None:
        presented = {stream: stream.presented for stream in self._streams if stream.presented is not None}
        if not presented:
            return
        try:
            held = await asyncio.to_thread(self._changed, presented)
        except sa.exc.SQLAlchemyError:
            return  # nothing reaches the streams either while the database is away
        for stream, holder in held.items():
            if holder is None or not holder.same(stream.actor):
                stream.end()

    def _changed(self, presented: Mapping[Stream, Presented]) -> dict[Stream, Holder | None]:
        """Who holds now what a stream presented, of those where that may be another than at the last look."""
        door = self._service.door
        versions = door.versions(set(presented.values()))
        other = {stream: one for stream, one in presented.items() if versions.get(one) != stream.version}
        held = door.look(set(other.values())) if other else {}
        for stream, one in other.items():
            stream.version = versions.get(one)
        return {stream: held.get(one) for stream, one in other.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one stream until the client leaves, falls behind, or the server stops."""
        try:
            stream, since = await self._open(scope)
        except LayersError as error:
            status, body, extra = refusal(error)
            await JSONResponse(body, status, extra, PROBLEM)(scope, receive, send)
            return
        except (sa.exc.OperationalError, sa.exc.TimeoutError) as error:
            await unavailable(error)(scope, receive, send)
            return
        # Without an await between: what the follower reads from here on waits for the stream.
        upto = self.follower.position if self.follower else None
        stream.start = self._press.count
        self._streams.add(stream)
        left = asyncio.create_task(disconnected(receive))
        left.add_done_callback(lambda _: stream.end())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
            if upto is not None:
                await self._catch_up(stream, since, upto, send)
                await self._serve(stream, send)
            await send({"type": "http.response.body", "body": b""})
        except (OSError, sa.exc.SQLAlchemyError):
            pass  # the client or the database left in the middle of a message; the client comes back
        finally:
            self._streams.discard(stream)
            left.cancel()

    async def _open(self, scope: Scope) -> tuple[Stream, Position | None]:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        names = frozenset(n for text in asked.get("layers", []) for n in text.split(",")) if "layers" in asked else None
        last = headers.get(b"last-event-id") or asked.get("lastEventId", [""])[-1]
        since = Position.parse(last) if last else None
        if len(self._streams) >= MOST_STREAMS:
            raise NotListening("too many streams are open; ask again later")
        if self.follower is None or self.follower.position is None:
            raise NotListening("the change log is not being followed yet; ask again later")

        door = self._service.door

        def look() -> Actor:
            actor = door.actor(scope)
            for name in names or ():
                self._service.registry.find(name, actor)
            return actor

        actor = await asyncio.to_thread(look)
        return Stream(actor, names, None if actor == NOBODY.actor else door.presented(scope)), since

    async def _catch_up(self, stream: Stream, since: Position | None, upto: Position, send: Send) -> None:
        """Say hello, and find what a client that comes back missed."""
        await _write(stream, send, event("hello", {}, upto if since is None else None))
        if since is None:
            return
        async with self._catching_up:
            stream.missed = await asyncio.to_thread(self._missed, stream, since, upto.reading or upto.seen)
        stream.bell.set()

    async def _serve(self, stream: Stream, send: Send) -> None:
        """Tell a stream what waits for it, with a pause after each message, until it ends."""
        loop = asyncio.get_running_loop()
        while True:
            await stream.bell.wait()
            if not stream.ended and (pause_s := stream.sent_at + PACE_S - loop.time()) > 0:
                await asyncio.sleep(pause_s)
            if stream.ended:
                return
            if text := stream.take():
                await _write(stream, send, text)

    def _missed(self, stream: Stream, since: Position, goal: str) -> list[bytes]:
        """What was committed between a position and a snapshot, as events; one `reset` when that is too much."""
        parts: list[bytes] = []
        count = 0
        layers = self._service.registry.all()
        with self._engine.connect() as connection:
            here = changes.now(connection).database
            reset = [event("reset", {}, Position(goal, database=here))]
            if changes.ahead(connection, since):  # of another database, or of this one before it was restored
                stream.known = (goal,)
                return reset
            stream.known = (since.reading or since.seen, goal)
            for start in _stretches(replace(since, database=here), goal):
                page = changes.Changes([], start, more=True)
                while page.more:
                    before, page = page.position, changes.since(connection, page.position)
                    batch = Batch(before, page.position, page.rows, touched(page.rows, layers), layers)
                    if text := heard(news(batch), stream, known=()):
                        parts.append(text)
                    count += len(page.rows)
                    if count > MOST_MISSED:
                        return reset
        return parts


_PING: Final = b":\n\n"
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def _stretches(since: Position, goal: str) -> Iterator[Position]:
    """The rest of the batch in which the client broke off, then all from its end to the goal."""
    if since.reading is not None:
        yield since
    yield replace(since, seen=since.reading or since.seen, reading=goal, seq=0)


@lru_cache(maxsize=MOST_STREAMS)
def _the_one(ear: Ear) -> Ear:
    """The same one for equal ears: what it hears is then found without comparing all its rights again."""
    return ear


def heard(said: News, stream: Stream, *, known: tuple[str, ...]) -> bytes:
    """What of the news is for one client, but for the records whose changes the snapshots `known` saw."""
    return joined([said], stream.ear, known=known)


async def _write(stream: Stream, send: Send, part: bytes) -> None:
    stream.sent_at = asyncio.get_running_loop().time()
    await send({"type": "http.response.body", "body": part, "more_body": True})
