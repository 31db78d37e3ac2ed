"""Keeps the figures fresh: counts when someone asks and something has changed since, and every minute as a job."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import procrastinate
import psycopg
import sqlalchemy as sa

from layers.ask.indicator.counting import count, counted_at
from layers.ask.indicator.indicator import Indicator
from layers.ask.indicator.past import remember
from layers.ask.indicator.plan import Plan, plans, there
from layers.errors import LayersError
from layers.people.scope import REALITY
from layers.spec import Layer
from layers.store.core import FIGURE_LAYER
from layers.store.engine import begin, engine_for, set_local
from layers.store.jobs import QUEUE
from layers.store.row_security import EVERYWHERE

log = logging.getLogger("chengtu.figures")
WAIT_S: Final = 4.0
COUNT_TIMEOUT_MS: Final = 15_000
LOCK_TIMEOUT_MS: Final = 3_000
STALE_AFTER: Final = dt.timedelta(seconds=60)
_LONGEST_PAUSE_S: Final = 1.0


class NotCounted(LayersError):
    """The figures are being counted for the first time."""


@dataclass
class Counter:
    """Counts for those who ask: one at a time in a process, and at most half of the time."""

    writer: sa.Engine
    indicators: Mapping[str, Indicator]
    _counting: threading.Lock = field(default_factory=threading.Lock)
    _rested_at: float = 0.0

    def fresh(self, connection: sa.Connection, indicator: Indicator, layers: Mapping[str, Layer]) -> dt.datetime:
        """The time of which the sums of an indicator are, after counting what changed; `layers` are all there are.

        What cannot be counted in time is told as it was; NotCounted when it never was.
        """
        wanted = self._wanted(indicator, layers)
        if _due(connection, wanted):
            self._count(connection, wanted)
        held = sa.select(sa.func.min(FIGURE_LAYER.c.at), sa.func.count())
        names = [plan.layer.name for plan in wanted]
        at, number = connection.execute(held.where(FIGURE_LAYER.c.layer.in_(names))).one()
        if number < len(names):
            raise NotCounted("the figures are being counted for the first time; try again shortly")
        return at  # type: ignore[no-any-return]

    def _wanted(self, indicator: Indicator, layers: Mapping[str, Layer]) -> list[Plan]:
        every = plans(there(self.indicators.values(), layers), layers)
        return [every[name] for name in sorted({measure.layer for measure in indicator.measures})]

    def _count(self, connection: sa.Connection, wanted: Sequence[Plan]) -> None:
        if not self._counting.acquire(timeout=WAIT_S):
            return
        started = time.monotonic()
        try:
            time.sleep(min(max(0.0, self._rested_at - started), _LONGEST_PAUSE_S))
            started = time.monotonic()
            due = _due(connection, wanted)
            with _counting_all(self.writer, actor="figures") as writing:
                set_local(writing, "statement_timeout", str(COUNT_TIMEOUT_MS))
                set_local(writing, "lock_timeout", str(LOCK_TIMEOUT_MS))
                count(writing, due)
        except sa.exc.OperationalError as error:
            if not isinstance(error.orig, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable):
                raise
            log.warning("figures could not be counted in time: %s", str(error.orig).splitlines()[0])
        finally:
            done = time.monotonic()
            self._rested_at = done + (done - started)
            self._counting.release()


@contextmanager
def _counting_all(engine: sa.Engine, *, actor: str) -> Iterator[sa.Connection]:
    """A transaction that sees all that really happens, and nothing of any exercise."""
    with begin(engine, actor=actor) as connection:
        for name, value in {EVERYWHERE: "off", **REALITY.settings, "chengtu.actor": actor}.items():
            set_local(connection, name, value)
        yield connection


def _due(connection: sa.Connection, wanted: Sequence[Plan]) -> list[Plan]:
    """The layers whose sums are not those of now, or of which no one has seen for a minute that they are."""
    at = counted_at(connection, wanted)
    oldest = dt.datetime.now(dt.UTC) - STALE_AFTER
    return [plan for plan in wanted if (at.get(plan.layer.name) or dt.datetime.min.replace(tzinfo=dt.UTC)) < oldest]


def count_all(
    engine: sa.Engine,
    indicators: Collection[Indicator],
    layers: Mapping[str, Layer],
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> set[str]:
    """Bring the sums of every layer up to now, and remember today's figures; returns the layers that had changed."""
    fit = there(indicators, layers)
    changed: set[str] = set()
    for plan in plans(fit, layers).values():  # each in its own transaction: who asks waits for one layer only
        if stopped():
            return changed
        with _counting_all(engine, actor="job") as connection:
            changed |= count(connection, [plan])
    with _counting_all(engine, actor="job") as connection:
        remember(connection, fit, layers)
    return changed


def counting(
    url: str, layers: Callable[[], list[Layer]], indicators: Mapping[str, Indicator]
) -> Callable[[procrastinate.App], None]:
    """Adds the job to a queue: every minute, what changed."""
    engine = engine_for(url, "writer", pool_size=0)

    def add(app: procrastinate.App) -> None:
        @app.periodic(cron="* * * * *")
        @app.task(queue=QUEUE, name="chengtu.count_figures", queueing_lock="count_figures", lock="count_figures")
        async def count_figures(timestamp: int) -> None:  # noqa: ARG001 - every periodic job is given it
            stop = threading.Event()
            by_name = {layer.name: layer for layer in layers()}
            try:
                await asyncio.to_thread(count_all, engine, indicators.values(), by_name, stopped=stop.is_set)
            finally:
                stop.set()  # a thread is not cancelled with the job: it must be told

    return add
