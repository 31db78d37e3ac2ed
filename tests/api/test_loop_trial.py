"""The loop on trial: the server is killed, then the database; no case is lost, none doubled, timers fire once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from layers.catalog.incident import TABLE
from layers.loop.routing_tables import NOTICE, TIMER
from layers.loop.tables import STEP
from layers.store.engine import begin
from tests.api.people import key_of
from tests.api.streams import Event, listening
from tests.api.test_run import Run, folder, processes_of
from tests.conftest import Database, Server

__all__ = ["folder"]
PATIENCE_S = 90
_SPOT = {"lon": 120.86, "lat": 32.01}
_pause = threading.Event()


def until(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as it is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not so after {PATIENCE_S} s: {what}"
        _pause.wait(0.05)


class Client(threading.Thread):
    """Reports case after case and takes each one step further; what is not answered is asked again by the same key."""

    def __init__(self, url: str, heads: dict[str, str], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.client = httpx.Client(base_url=url, headers=heads, timeout=10)
        self.enough = threading.Event()
        self.reported: dict[str, str] = {}
        self.asked_again = 0

    def run(self) -> None:
        number = 0
        while not self.enough.is_set():
            number += 1
            key = f"{self.name}-{number}"
            told = {"channel": "hotline", "matter": "01001", "line": "12345", "description": key, **_SPOT}
            receipt = self.ask("/incidents", told, key)["receipt"]
            step = {"step": "accept", "expected": receipt["step"]}
            taken = self.ask(f"/incidents/{receipt['incident']}/steps", step, f"{key}-accept")
            assert taken["receipt"]["state"] == "accepted"
            self.reported[key] = receipt["incident"]

    def ask(self, path: str, body: dict[str, Any], key: str) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            assert time.monotonic() < deadline, f"{path} was not answered for {PATIENCE_S} s"
            with suppress(httpx.TransportError):
                answer = self.client.post(path, json=body, headers={"Idempotency-Key": key})
                if answer.status_code < 300:
                    return answer.json()
                assert answer.status_code >= 500, answer.text
            self.asked_again += 1
            _pause.wait(0.05)


class Screen(threading.Thread):
    """Follows the live events and comes back, whatever happens, with the last position that it saw."""

    def __init__(self, url: str, heads: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.url, self.heads = f"{url}/live?layers=incident", heads
        self.greeted, self.enough = threading.Event(), threading.Event()
        self.told: Counter[str] = Counter()
        self.last: str | None = None
        self.opened = 0

    def run(self) -> None:
        while not self.enough.is_set():
            with suppress(httpx.TransportError, EOFError), listening(self.url, last=self.last, **self.heads) as events:
                if events.response.status_code == 200:
                    self.opened += 1
                    while not self.enough.is_set():
                        self.hear(events.next())
            _pause.wait(0.05)

    def hear(self, event: Event) -> None:
        assert event.kind != "reset"
        self.last = event.id or self.last
        if event.kind == "record" and event.data["op"] == "insert":
            self.told[event.data["id"]] += 1
        self.greeted.set()


@contextmanager
def city(folder: Path) -> Iterator[tuple[Run, Server]]:
    """The whole program on an empty city, and its database for those who look at it from beside."""
    run = Run(folder, demo_scale="0")
    token = run.await_line(r"token, shown only this once: (\S+)")[1]
    run.await_line(r"ready: ")
    environ = Path(f"/proc/{serving(folder)[0]}/environ").read_bytes().split(b"\0")
    urls = [part.partition(b"=")[2].decode() for part in environ if part.startswith(b"CHENGTU_DATABASE_URL=")]
    server = Server(run.url, token, Database(urls[0]), folder)
    yield run, server
    server.database.close()
    run.stop()


def serving(folder: Path) -> list[int]:
    """The processes of the server: the one that watches, then those that answer."""
    parents: dict[int, list[int]] = defaultdict(list)
    watching = []
    for pid in processes_of(folder):
        with suppress(OSError):
            parents[int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])].append(pid)
            if b"api.serve" in Path(f"/proc/{pid}/cmdline").read_bytes():
                watching.append(pid)
    return watching + [child for pid in watching for child in parents[pid] if child not in watching]


def due_soon(server: Server, *, seconds: int) -> list[int]:
    """Let some clocks warn in so many seconds; the numbers of their timers."""
    open_ones = (TIMER.c.kind == "warn", TIMER.c.fired_at.is_(None), TIMER.c.cancelled_at.is_(None))
    chosen = sa.select(TIMER.c.id).where(*open_ones, TIMER.c.stage == "register").order_by(TIMER.c.id.desc()).limit(4)
    soon = sa.func.clock_timestamp() + sa.text(f"interval '{seconds} seconds'")
    with begin(server.database.engine, actor="test") as connection:
        changed = sa.update(TIMER).where(TIMER.c.id.in_(chosen)).values(at=soon).returning(TIMER.c.id)
        return list(connection.scalars(changed))


@pytest.fixture
def played(folder: Path) -> Iterator[tuple[Server, list[Client], Screen, list[int]]]:
    """All that happens: two clients and a screen, the server killed, the database killed, and everything come back."""
    with city(folder) as (run, server), ExitStack() as ending:
        clients = [Client(server.url, key_of(server, "dispatcher"), name) for name in ("east", "west")]
        screen = Screen(server.url, key_of(server, "dispatcher"))
        screen.start()
        ending.callback(screen.enough.set)
        assert screen.greeted.wait(PATIENCE_S)
        for client in clients:
            client.start()
            ending.callback(client.enough.set)

        def more(count: int) -> None:
            wanted = [len(client.reported) + count for client in clients]
            until(
                lambda: all(len(c.reported) >= w for c, w in zip(clients, wanted, strict=True)), f"{count} more cases"
            )

        more(4)
        timers = due_soon(server, seconds=1)
        for pid in serving(folder):
            os.kill(pid, signal.SIGKILL)
        more(4)
        timers += due_soon(server, seconds=0)
        postmaster = int((folder / "pg" / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(postmaster, signal.SIGKILL)
        run.await_line(r"the database was killed; starting it again")
        more(4)
        for client in clients:
            client.enough.set()
            client.join(PATIENCE_S)
            assert not client.is_alive()
            client.client.close()
        yield server, clients, screen, timers


def test_killing_the_server_and_the_database_loses_no_case_and_doubles_none(
    played: tuple[Server, list[Client], Screen, list[int]],
) -> None:
    server, clients, screen, timers = played
    reported = {key: id for client in clients for key, id in client.reported.items()}
    assert all(client.asked_again for client in clients), "nobody noticed that anything was killed"
    until(lambda: set(reported.values()) <= screen.told.keys(), "the screen was told of all")
    until(lambda: fired(server, timers) == len(timers), "all timers that were due have fired")
    with server.database.reader.connect() as connection:
        kept = {row.description: row for row in connection.execute(sa.select(TABLE))}
        steps = sa.select(STEP.c.incident, STEP.c.step, STEP.c.before, STEP.c.after).order_by(STEP.c.id)
        chains = defaultdict(list)
        for incident, *step in connection.execute(steps):
            chains[incident].append(tuple(step))
        assert connection.scalar(sa.select(sa.func.count()).select_from(TABLE)) == len(kept), "a key made two cases"
        told = sa.select(NOTICE.c.carries["timer"].as_integer()).where(NOTICE.c.kind == "warn")
        warned = Counter(connection.scalars(told))
    assert {key: row.id for key, row in kept.items()} == reported
    assert {row.state for row in kept.values()} == {"accepted"}
    whole = [("report", None, "reported"), ("accept", "reported", "accepted")]
    assert chains == dict.fromkeys(reported.values(), whole)
    assert len(timers) == 8
    assert [warned[timer] for timer in timers] == [1] * 8, "a timer that was due meanwhile fires once"
    assert screen.opened >= 2
    assert screen.told == Counter(reported.values()), "each case is told to a screen once"


def fired(server: Server, timers: list[int]) -> int:
    with server.database.engine.connect() as connection:
        done = sa.select(sa.func.count()).where(TIMER.c.id.in_(timers), TIMER.c.fired_at.is_not(None))
        return connection.scalar(done) or 0
