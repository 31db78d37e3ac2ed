"""Live events (`GET /live`): which tiles changed and which records did, for the layers that the caller may see.

Each record event carries a position of the change log as its id. Who comes back with the last one it saw
(`Last-Event-ID`) is sent exactly what it missed; tile events may come twice: to ask for a tile twice does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs

import sqlalchemy as sa
from starlette.responses import JSONResponse

from api.door import KNOWN_S, NOBODY
from api.errors import PROBLEM, NotListening, refusal, unavailable
from api.follow import Batch, Follower
from api.news import News, event, news
from api.service import Service
from api.tiles import Receive, Scope, Send, disconnected
from layers.ask.touched import touched
from layers.errors import LayersError
from layers.loop.audiences import meant
from layers.loop.inbox import Fresh
from layers.people.access import Actor, may
from layers.people.holders import Presented
from layers.people.scope import slice_of
from layers.spec import Layer
from layers.store import changes
from layers.store.changes import Position
from layers.store.engine import engine_for

MOST_WAITING = 64  # batches for a client that does not read; then it has to come back
MOST_STREAMS = 2_000
MOST_MISSED = 5_000  # changes that a returning client is told one by one
_PING_S = 15.0


@dataclass(eq=False)
class Stream:
    """One client: who it is, which layers it wants (None: all that it may see), and what waits for it."""

    actor: Actor
    names: frozenset[str] | None
    presented: Presented | None = None  # what tells who it is; of anyone nothing
    known: tuple[str, ...] = ()  # snapshots of the database whose changes it was told of
    waiting: asyncio.Queue[News | bytes | None] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))
    left_behind: bool = False

    def wants(self, name: str, layers: Mapping[str, Layer]) -> bool:
        """May it be told of this layer, and does it want to be?"""
        named = self.names is None or name in self.names
        return named and name in layers and bool(may(self.actor, "view", layers[name]))


class Live:
    """The ASGI function of `/live`, and the hub that gives every stream what the follower read."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._engine = engine_for(service.url, "reader", pool_size=0)
        self._streams: set[Stream] = set()
        self._catching_up = asyncio.Semaphore(1)
        self.follower: Follower | None = None

    def __len__(self) -> int:
        return len(self._streams)

    def publish(self, batch: Batch) -> None:
        """Give a batch to every stream; who has not read for long is left behind."""
        if not self._streams:
            return
        said = news(batch)
        for stream in self._streams:
            _give(stream, said)

    def ring(self, notices: Sequence[Fresh]) -> None:
        """Call everybody to the notices that are meant for them; what they say is read at `/notices`."""
        for stream in self._streams:
            ours = [one for one in notices if meant(stream.actor, one)]
            if ours:
                _give(stream, b"".join(event("notice", _called(one)) for one in ours))

    def bye(self) -> None:
        """End every stream: the server stops."""
        for stream in self._streams:
            _end(stream)

    async def watch_the_door(self) -> None:
        """End, until cancelled, the streams of those whose session or rights have ended; who may come back does so."""
        while True:
            await asyncio.sleep(KNOWN_S)
            await self._look_again()

    async def _look_again(self) -> None:
        streams = [stream for stream in self._streams if stream.presented is not None]
        presented = {stream.presented for stream in streams if stream.presented is not None}
        if not presented:
            return
        try:
            held = await asyncio.to_thread(self._service.door.look, presented)
        except sa.exc.SQLAlchemyError:
            return  # nothing reaches the streams either while the database is away
        for stream in streams:
            holder = None if stream.presented is None else held.get(stream.presented)
            if holder is None or not holder.same(stream.actor):
                _end(stream)

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
        # Without an await between: what the follower reads from here on waits in the stream's queue.
        upto = self.follower.position if self.follower else None
        self._streams.add(stream)
        left = asyncio.create_task(disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
            if upto is not None:
                await self._catch_up(stream, since, upto, send)
                await self._serve(stream, left, send)
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
        """Say hello and tell a client that comes back what it missed."""
        if since is None:
            await _write(send, event("hello", {}, upto))
            return
        await _write(send, event("hello", {}))
        goal = upto.reading or upto.seen
        async with self._catching_up:
            missed = await asyncio.to_thread(self._missed, stream, since, goal)
        for part in missed:
            await _write(send, part)

    async def _serve(self, stream: Stream, left: asyncio.Task[None], send: Send) -> None:
        while not stream.left_behind:
            said = await _next(stream, left)
            if said is None:
                return
            text = said if isinstance(said, bytes) else heard(said, stream, known=stream.known)
            if text:
                await _write(send, text)

    def _missed(self, stream: Stream, since: Position, goal: str) -> list[bytes]:
        """What was committed between a position and a snapshot, as events; one `reset` when that is too much."""
        parts: list[bytes] = []
        count = 0
        layers = self._service.registry.all()
        with self._engine.connect() as connection:
            if changes.ahead(connection, since):  # of another database, or of this one before it was restored
                stream.known = (goal,)
                return [event("reset", {}, Position(goal))]
            stream.known = (since.reading or since.seen, goal)
            for start in _stretches(since, goal):
                page = changes.Changes([], start, more=True)
                while page.more:
                    before, page = page.position, changes.since(connection, page.position)
                    batch = Batch(before, page.position, page.rows, touched(page.rows, layers), layers)
                    if text := heard(news(batch), stream, known=()):
                        parts.append(text)
                    count += len(page.rows)
                    if count > MOST_MISSED:
                        return [event("reset", {}, Position(goal))]
        return parts


_PING: Final = b":\n\n"
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def _give(stream: Stream, said: News | bytes) -> None:
    try:
        stream.waiting.put_nowait(said)
    except asyncio.QueueFull:
        stream.left_behind = True


def _called(notice: Fresh) -> dict[str, Any]:
    return {"id": notice.id, "kind": notice.kind, "incident": notice.incident}


def _end(stream: Stream) -> None:
    stream.left_behind = True
    if not stream.waiting.full():
        stream.waiting.put_nowait(None)


def _stretches(since: Position, goal: str) -> Iterator[Position]:
    """The rest of the batch in which the client broke off, then all from its end to the goal."""
    if since.reading is not None:
        yield since
    yield Position(since.reading or since.seen, goal)


async def _next(stream: Stream, left: asyncio.Task[None]) -> Any:
    """What comes next; `_PING` when nothing came for a while; None when the stream is to end."""
    getting = asyncio.ensure_future(stream.waiting.get())
    done, _ = await asyncio.wait({getting, left}, timeout=_PING_S, return_when=asyncio.FIRST_COMPLETED)
    if getting in done:
        return getting.result()
    getting.cancel()
    return None if left in done else _PING


def heard(said: News, stream: Stream, *, known: tuple[str, ...]) -> bytes:
    """What of the news is for one client, but for the records whose changes the snapshots `known` saw."""
    wanted = {name for name in said.names if stream.wants(name, said.layers)}
    return b"".join(
        told.text
        for told in said.to(slice_of(stream.actor))
        if told.layer in wanted
        and (told.xid is None or not any(changes.visible(told.xid, snapshot) for snapshot in known))
    )


async def _write(send: Send, part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})
