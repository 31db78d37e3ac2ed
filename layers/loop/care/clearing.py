"""The job that clears needs and visits: some days after, nothing tells any more who asked, and in which words."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Final

import procrastinate
import sqlalchemy as sa

from layers.loop.care.needs import clear_needs
from layers.loop.care.visits import clear_visits
from layers.store.engine import begin, engine_for
from layers.store.jobs import QUEUE

DAYS: Final = 90
LEAST_DAYS: Final = 1
MOST_DAYS: Final = 3_650
_JOB: Final = "chengtu.clear_needs"
_MOST_ROUNDS: Final = 200


def clear_all(engine: sa.Engine, *, days: int, now: dt.datetime) -> int:
    """Clear what was over `days` ago, a bounded number to a transaction; how many needs and visits."""
    before, cleared = now - dt.timedelta(days=days), 0
    for clear in (clear_needs, clear_visits):
        for _ in range(_MOST_ROUNDS):
            with begin(engine, actor="job") as connection:
                some = clear(connection, before=before, now=now)
            cleared += some
            if not some:
                break
    return cleared


def clearing(url: str, *, days: int) -> Callable[[procrastinate.App], None]:
    """Adds the job to a queue: every night. ValueError for days out of bounds."""
    if not LEAST_DAYS <= days <= MOST_DAYS:
        raise ValueError(f"CHENGTU_NEED_DAYS lies between {LEAST_DAYS} and {MOST_DAYS:,}")
    engine = engine_for(url, "writer", pool_size=0)

    def add(app: procrastinate.App) -> None:
        @app.periodic(cron="37 3 * * *")
        @app.task(queue=QUEUE, name=_JOB, queueing_lock=_JOB, lock=_JOB)
        async def clear_over(timestamp: int) -> None:  # noqa: ARG001 - every periodic job is given it
            await asyncio.to_thread(clear_all, engine, days=days, now=dt.datetime.now(dt.UTC))

    return add
