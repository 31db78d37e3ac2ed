"""The days of the demo city's cases, made by other processes while this one loads what they stand on."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd

from etl.demo.ground import Ground
from etl.demo.incidents import Happenings, Lead, happenings
from layers.loop.rules import Rules

MOST_PROCESSES: Final = 4
_AHEAD: Final = 90
"""So many days lie ready at most: some two megabytes each."""


@dataclass(frozen=True)
class Year:
    """What the days are made of; see `happenings`. `lead_for` is asked in other processes, so it asks no database."""

    ground: Ground
    components: gpd.GeoDataFrame
    rules: Rules
    lead_for: Lead
    how: dict[str, Any]


@contextmanager
def made_ahead(year: Year, *, days: int, processes: int | None = None) -> Iterator[Iterator[Happenings]]:
    """The same days as `happenings` makes, in the same order, by as many processes as there are CPUs."""
    count = min(MOST_PROCESSES, processes or len(os.sched_getaffinity(0)))
    # Forked, they share the ground and the components as they lie in memory.
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(count, mp_context=fork, initializer=_begin, initargs=(year,)) as pool:
        coming = deque(pool.submit(_day, ago) for ago in range(days - 1, max(-1, days - 1 - _AHEAD), -1))
        try:
            yield _taken(pool, coming, days - 1 - len(coming))
        finally:
            pool.shutdown(cancel_futures=True)


def _taken(pool: ProcessPoolExecutor, coming: deque[Future[bytes]], ago: int) -> Iterator[Happenings]:
    while coming:
        day: Happenings = pickle.loads(coming.popleft().result())
        if ago >= 0:
            coming.append(pool.submit(_day, ago))
            ago -= 1
        yield day


_year: Year | None = None


def _begin(year: Year) -> None:
    """What a process works on; signals from the keyboard are for the one that loads."""
    global _year
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _year = year


def _day(ago: int) -> bytes:
    """A day as bytes: they take a tenth of the room that its rows would while they wait."""
    assert _year is not None
    made = happenings(
        _year.ground, _year.components, _year.rules, lead_for=_year.lead_for, days=1, ago=ago, **_year.how
    )
    return pickle.dumps(next(made))
