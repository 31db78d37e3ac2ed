"""Follows the change log: what changed leaves the caches and goes to whoever watches.

A bell in the database (`NOTIFY change`) only says that there is something to read; what there is stands in the log,
which is read on from a position. So a bell that was lost, or a connection that was, delays and never loses.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa

from api.shelf import Shelf, Shelved
from layers.ask.touched import Touched, touched
from layers.loop.inbox import Fresh, fresh, snapshot
from layers.registry import Registry
from layers.spec import Layer
from layers.store import archives, changes
from layers.store.changes import Position
from layers.store.engine import engine_for, libpq_url, session_options

log = logging.getLogger("chengtu.follow")
CHANGED, BAKED, BYE = "change", archives.BELL, "bye"
_POLL_S = 2.0  # without any bell
_READINGS, _WITHIN_S = 4, 0.2  # no more: of fifty changes a second several are read together, a few at once
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


@dataclass(frozen=True)
class Batch:
    """Changes that became visible together, after `before` and up to `after`, and what they touched."""

    before: Position
    after: Position
    rows: Sequence[Mapping[Any, Any]]
    touched: Mapping[str, Touched]
    layers: Mapping[str, Layer]


class Elsewhere(Exception):
    """Behind the same address another database answers: one that was restored, or a replica that took over."""


class Follower:
    """One task of a server process.

    `follow` is given every batch, in order, as soon as it is read, and `ring` every notice; `forget` is called when
    something may be missed.
    """

    def __init__(
        self,
        url: str,
        registry: Registry,
        shelf: Shelf,
        *,
        follow: Callable[[Batch], None],
        ring: Callable[[Sequence[Fresh]], None],
        forget: Callable[[], None],
        bye: Callable[[], None],
    ) -> None:
        self._url, self._registry, self._shelf = url, registry, shelf
        self._follow, self._ring, self._forget, self._bye = follow, ring, forget, bye
        self._pause, self._reading = _FIRST_PAUSE_S, threading.Lock()
        self._engine = engine_for(url, "reader", pool_size=1)
        self.position: Position | None = None
        self._called: str | None = None  # the snapshot up to which notices were called out

    async def run(self) -> None:
        """Follow until cancelled; connect anew, less and less often, when the connection is lost.

        After any other failure everything kept is forgotten and following begins anew: no server is silently stale.
        """
        while True:
            (failure,) = await asyncio.gather(self._connected(), return_exceptions=True)
            expected = isinstance(failure, psycopg.Error | sa.exc.SQLAlchemyError | OSError)
            if not expected:
                self.position = self._called = None
                self._forget()
            log.warning(
                "the change log cannot be followed: %s; trying again in %.1f s",
                *(_line(failure), self._pause),
                exc_info=None if expected else failure,
            )
            await asyncio.sleep(self._pause)
            self._pause = min(_LONGEST_PAUSE_S, self._pause * 2)

    def close(self) -> None:
        """Give the connection back, when the thread that is reading has done with it."""
        with self._reading:
            self._engine.dispose()

    async def _connected(self) -> None:
        async with await self._connect() as connection:
            await self._listen(connection)

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(
            libpq_url(self._url), autocommit=True, options=session_options("reader"), application_name="chengtu follow"
        )

    async def _listen(self, connection: psycopg.AsyncConnection[Any]) -> None:
        for bell in (CHANGED, BAKED, BYE):
            await connection.execute(f"listen {bell}")  # before the first look, or what comes between would be missed
        baked, clock = True, asyncio.get_running_loop().time
        begun = deque([float("-inf")] * _READINGS, maxlen=_READINGS)
        while True:
            begun.append(clock())
            await self.catch_up()
            if baked:
                self._shelf.put(await asyncio.to_thread(self._fetch))
            self._pause = _FIRST_PAUSE_S
            baked = False
            async for heard in connection.notifies(timeout=_POLL_S, stop_after=1):  # more, when they came together
                baked = baked or heard.channel == BAKED
                if heard.channel == BYE and heard.payload == server_name(os.getppid()):
                    self._bye()
            await asyncio.sleep(max(0.0, begun[0] + _WITHIN_S - clock()))

    async def catch_up(self) -> None:
        """Read on to what is committed now."""
        if self._called is None:
            # Before the first position: nobody listens before that is known, so no notice falls in between.
            _, self._called = await asyncio.to_thread(self._notices, None)
        more = True
        while more:
            batch, position, more = await asyncio.to_thread(self._read, self.position)
            # Together, without an await between: who reads the position has missed nothing and is told nothing twice.
            self.position = position
            if batch is not None:
                self._shelf.mark(batch.touched)
                self._follow(batch)
        came, self._called = await asyncio.to_thread(self._notices, self._called)
        if came:
            self._ring(came)

    def _read(self, position: Position | None) -> tuple[Batch | None, Position, bool]:
        with self._reading, self._engine.connect() as connection:
            # Streams tell positions to their clients, who come back with them after whatever happened to the database.
            if position is None:
                here = changes.now(connection)
                changes.settle(connection)
                return None, here, False
            if changes.ahead(connection, position):
                raise Elsewhere("another database answers here now")
            page = changes.since(connection, position)
            changes.settle(connection)
        if not page.rows:
            return None, page.position, False
        layers = self._registry.all(having={row["layer"] for row in page.rows})
        batch = Batch(position, page.position, page.rows, touched(page.rows, layers), layers)
        return batch, page.position, page.more

    def _notices(self, called: str | None) -> tuple[Sequence[Fresh], str]:
        with self._reading, self._engine.connect() as connection:
            found = ([], snapshot(connection)) if called is None else fresh(connection, called)
            changes.settle(connection)
            return found

    def _fetch(self) -> dict[str, Shelved | None]:
        with self._reading, self._engine.connect() as connection:
            return self._shelf.fetch(connection, self._registry.all())


def server_name(pid: int) -> str:
    """The server with this main process: its farewell ends the streams of its own workers, not those of others."""
    return f"{socket.gethostname()}:{pid}"


def _line(error: BaseException | None) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
