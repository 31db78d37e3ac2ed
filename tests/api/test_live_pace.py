"""What goes out together: a message in a fifth of a second, and every change once, however a client comes and goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.editions import BEAT_S, PACE_S
from api.follow import Batch
from api.live import MOST_EDITIONS, Live
from api.service import Service
from api.settings import Settings
from layers.ask.touched import touched
from layers.catalog import built_in
from layers.store import changes
from layers.store.engine import begin
from tests.api.passing import passing
from tests.api.streams import Event
from tests.conftest import Database

LAYERS = built_in()
_SLACK_S = 1e-6  # of sums of decimal fractions


class Following:
    """Reads the change log on when it is told to, and says where it stands, as the follower of a server does."""

    def __init__(self, database: Database, service: Service) -> None:
        self.database, self.service, self.live = database, service, Live(service)
        self.live.follower = self  # type: ignore[assignment]
        with database.reader.connect() as connection:
            self.position = changes.now(connection)

    def read(self, *, limit: int = 1000) -> None:
        """Read one batch."""
        with self.database.reader.connect() as connection:
            page = changes.since(connection, self.position, limit=limit)
        before, self.position = self.position, page.position
        if page.rows:
            self.live.publish(Batch(before, page.position, page.rows, touched(page.rows, LAYERS), LAYERS))


@dataclass
class Client:
    """One connection to `/live`, as an ASGI server would hold it: its messages, and when each of them came."""

    live: Live
    query: str = "layers=pollution,video"
    last: str | None = None
    messages: list[tuple[float, bytes]] = field(default_factory=list)
    reads: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.reads.set()
        self._gone = asyncio.Event()
        headers = [] if self.last is None else [(b"last-event-id", self.last.encode())]
        scope = {"type": "http", "method": "GET", "query_string": self.query.encode(), "headers": headers}
        self.task = asyncio.create_task(self.live(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message.get("body"):
            self.messages.append((asyncio.get_running_loop().time(), message["body"]))
        await self.reads.wait()

    async def leave(self) -> list[Event]:
        """Hang up; returns all that came."""
        self._gone.set()
        await self.task
        return self.events

    @property
    def events(self) -> list[Event]:
        return list(_events(b"".join(body for _, body in self.messages)))

    @property
    def pauses(self) -> list[float]:
        moments = [moment for moment, _ in self.messages]
        return [later - one for one, later in zip(moments, moments[1:], strict=False)]


def _events(text: bytes) -> Iterator[Event]:
    for block in text.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":") and line)
        if fields:
            yield Event(fields["event"], fields.get("id"), json.loads(fields["data"]))


def records(events: list[Event]) -> list[str]:
    return [event.data["id"] for event in events if event.kind == "record"]


@pytest.fixture
def following(own_city: Database, tmp_path: Path) -> Iterator[Following]:
    service = Service.open(Settings(data_dir=tmp_path, database_url=own_city.url), own_city.url)
    yield Following(own_city, service)
    service.close()


def rename(database: Database, place: int, *, layer: str = "pollution", count: int = 1) -> list[str]:
    """Change so many records, all in one transaction."""
    chosen = f"(select id from city.{layer} order by id offset {place} limit {count})"
    with begin(database.engine, actor="test") as connection:
        statement = sa.text(
            f"update city.{layer} set name = coalesce(name, '') || 'x' where id in {chosen} returning id"
        )
        return list(connection.scalars(statement))


def test_the_first_news_after_a_quiet_time_go_out_at_once(following: Following) -> None:
    async def story() -> None:
        client, loop = Client(following.live), asyncio.get_running_loop()
        for turn in range(3):
            await asyncio.sleep(5)
            rename(following.database, turn)
            following.read()
            await asyncio.sleep(0)
            at = loop.time()
            await asyncio.sleep(1)
            assert client.messages[-1][0] == pytest.approx(at, abs=_SLACK_S)
        assert len(records(await client.leave())) == 3

    passing(story())


def test_what_comes_in_quick_succession_goes_out_together(following: Following) -> None:
    async def story() -> None:
        client = Client(following.live)
        await asyncio.sleep(1)
        ids = []
        for turn in range(30):
            ids += rename(following.database, turn)
            following.read()
            await asyncio.sleep(0.02)
        await asyncio.sleep(1)
        events = await client.leave()
        assert records(events) == ids
        assert min(client.pauses) >= PACE_S - _SLACK_S
        assert len(client.messages) == 2 + 3, "hello, the first at once, and three for the rest of 0.6 s"
        for _, message in client.messages[1:]:
            told = list(_events(message))
            assert [event.kind for event in told].count("tiles") == 1, "the tiles of all are named once"
            assert told[0].kind == "tiles"
            assert len(set(told[0].data["tiles"])) == len(told[0].data["tiles"])

    passing(story())


def test_who_opens_a_stream_between_two_beats_is_told_nothing_from_before(following: Following) -> None:
    async def story() -> None:
        first = Client(following.live)
        await asyncio.sleep(1)
        old = rename(following.database, 1)
        following.read()
        await asyncio.sleep(0.05)
        old += rename(following.database, 2)
        following.read()  # waits for the next beat
        late = Client(following.live)
        await asyncio.sleep(0.05)
        new = rename(following.database, 3)
        following.read()
        await asyncio.sleep(1)
        assert records(await late.leave()) == new
        assert records(await first.leave()) == old + new

    passing(story())


def test_the_more_screens_there_are_the_slower_is_the_beat(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.editions.MOST_A_SECOND", 4)

    async def story() -> None:
        clients = [Client(following.live) for _ in range(4)]
        await asyncio.sleep(2)
        ids = []
        for turn in range(30):
            ids += rename(following.database, turn)
            following.read()
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        for client in clients:
            assert records(await client.leave()) == ids
            assert all(pause == pytest.approx(1.0, abs=_SLACK_S) for pause in client.pauses[1:])

    passing(story())


def test_a_screen_that_hears_nothing_for_long_is_pinged_and_no_other(following: Following) -> None:
    async def story() -> None:
        watching = asyncio.create_task(following.live.watch())
        quiet, busy = Client(following.live, query="layers=video"), Client(following.live, query="layers=pollution")
        for turn in range(12):
            await asyncio.sleep(5)
            rename(following.database, turn)
            following.read()
        watching.cancel()
        assert await quiet.leave() == quiet.events[:1], "hello alone"
        assert [body for _, body in quiet.messages[1:]] == [b":\n\n"] * 3
        assert all(15 <= pause <= 17 for pause in quiet.pauses)
        assert b":\n\n" not in [body for _, body in busy.messages]
        assert len(records(await busy.leave())) == 12

    passing(story())


def test_too_many_tiles_of_several_batches_are_the_whole_layer(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.news.MOST_TILES", 400)

    async def story() -> None:
        client = Client(following.live, query="layers=component")
        await asyncio.sleep(1)
        with begin(following.database.engine, actor="test") as connection:
            chosen = "(select id from city.component order by id limit 1800)"
            connection.execute(sa.text(f"update city.component set note = 'x' where id in {chosen}"))
        following.read(limit=100)
        await asyncio.sleep(0.01)
        for _ in range(17):
            following.read(limit=100)
        await asyncio.sleep(1)
        told = await client.leave()
        assert len(set(records(told))) == 1800
        assert [event.data.get("all") for event in told if event.kind == "tiles"] == [None, True]

    passing(story())


def test_a_client_that_does_not_read_is_let_go(following: Following) -> None:
    async def story() -> None:
        deaf, hearing = Client(following.live), Client(following.live)
        await asyncio.sleep(1)
        deaf.reads.clear()
        for turn in range(MOST_EDITIONS + 2):
            rename(following.database, turn % 9)
            following.read()
            await asyncio.sleep(BEAT_S)
        deaf.reads.set()
        await asyncio.wait_for(deaf.task, 1)
        assert len(records(await hearing.leave())) == MOST_EDITIONS + 2
        assert len(records(deaf.events)) == 1
        back = Client(following.live, last=deaf.events[-1].id)
        await asyncio.sleep(1)
        assert len(records(await back.leave())) == MOST_EDITIONS + 1

    passing(story())


COMMIT = st.tuples(st.just("commit"), st.integers(0, 60), st.integers(1, 5), st.sampled_from(["pollution", "video"]))
READ = st.tuples(st.just("read"), st.sampled_from([1, 2, 3, 1000]))
PAUSE = st.tuples(st.just("pause"), st.sampled_from([0.0, 0.001, 0.03, 0.1, 0.19, 0.2, 0.21, 0.5, 16.0]))
BREAK = st.tuples(st.just("break"), st.floats(0, 1))
SLOW = st.tuples(st.just("slow"), st.sampled_from([0.05, 0.25, 1.0]))
STORIES = st.lists(st.one_of(COMMIT, COMMIT, READ, READ, PAUSE, PAUSE, BREAK, SLOW), max_size=40)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=STORIES)
def test_every_change_is_told_once_however_a_client_comes_and_goes(
    story: list[tuple[Any, ...]], following: Following
) -> None:
    passing(_play(story, Following(following.database, following.service)))


async def _play(story: list[tuple[Any, ...]], following: Following) -> None:
    committed: list[str] = []
    told: list[str] = []
    client = Client(following.live)
    await asyncio.sleep(1)
    for what, *of in story:
        if what == "commit":
            committed += rename(following.database, of[0], layer=of[2], count=of[1])
        elif what == "read":
            following.read(limit=of[0])
        elif what == "pause":
            await asyncio.sleep(of[0])
        elif what == "slow":
            client.reads.clear()
            await asyncio.sleep(of[0])
            client.reads.set()
        else:
            kept, last = await _broken(client, share=of[0])
            told += kept
            client = Client(following.live, last=last)
            await asyncio.sleep(0)
    for _ in range(len(committed) + 2):
        following.read(limit=2)
    await asyncio.sleep(1)
    told += records(await client.leave())
    assert sorted(told) == sorted(committed)
    assert all(pause >= PACE_S - _SLACK_S for pause in client.pauses)


async def _broken(client: Client, *, share: float) -> tuple[list[str], str | None]:
    """Break off somewhere behind hello, be it in the middle of a message: the records until there, and the last id."""
    await client.leave()
    assert all(pause >= PACE_S - _SLACK_S for pause in client.pauses)
    text = b"".join(body for _, body in client.messages)
    hello = text.index(b"\n\n") + 2
    whole = text[: hello + int(len(text[hello:]) * share)].rpartition(b"\n\n")[0]
    arrived = list(_events(whole))
    ids = [event.id for event in arrived if event.id is not None]
    return records(arrived), ids[-1] if ids else client.last
