"""The past of the demo city's figures: sixty synthetic days that lead to what the city is today, marked as made up.

What is in place grows a little from day to day; what comes and goes (states that people edit) wanders. Towns add up to
counties, counties to the city, and the values of a column to what the city was.
"""

from __future__ import annotations

import datetime as dt
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import sqlalchemy as sa
from numpy.typing import NDArray

from layers.ask.indicator.amounts import DIGITS
from layers.ask.indicator.counter import count_all
from layers.ask.indicator.indicator import CITY, Indicator
from layers.ask.indicator.past import Entry, entries, remembered
from layers.ask.indicator.plan import there
from layers.ask.indicator.reading import SHIPPED, indicators_in
from layers.ask.indicator.rolling import today
from layers.ask.period import CITY_TIME
from layers.spec import Layer
from layers.store.copying import copy_frame
from layers.store.core import FIGURE_DAY
from layers.store.engine import begin

DAYS: Final = 60
_MOST_VALUES: Final = 30  # of a column; longer lists of units have no past
_GROWTH_A_DAY: Final = 0.0005
_WANDER: Final = 0.025
_STAYS: Final = 0.9
_OWN_WAY: Final = 0.06  # by how much a town wanders from the city
_STILL: Final = ("area", "base")

Days = NDArray[np.float64]  # (days,) or (days, keys), the oldest day first


@dataclass(frozen=True)
class _Sums:
    """Both parts on every day, one column a key."""

    keys: list[str | None]
    top: Days
    bottom: Days | None


def make_past(engine: sa.Engine, layers: Mapping[str, Layer], *, seed: int) -> int:
    """Count the city's figures and give them a past where they have none; returns how many days were written."""
    known = indicators_in([SHIPPED], layers)
    count_all(engine, known.values(), layers)
    with begin(engine, actor="etl demo") as connection:
        if connection.scalar(sa.select(sa.exists().where(FIGURE_DAY.c.synthetic))):
            return 0
        # What a worker kept of the days before was of a city without records.
        connection.execute(sa.delete(FIGURE_DAY).where(FIGURE_DAY.c.day < today()))
        rows = [row for each in there(known.values(), layers) for row in _rows(connection, each, layers, seed=seed)]
        copy_frame(connection, FIGURE_DAY.fullname, pd.DataFrame(rows))
    return len(rows)


def _rows(
    connection: sa.Connection, indicator: Indicator, layers: Mapping[str, Layer], *, seed: int
) -> list[dict[str, object]]:
    rng = np.random.default_rng([seed, zlib.crc32(indicator.name.encode())])
    now = {by: entries(connection, indicator, layers, by=by) for by in remembered(indicator)}
    finest = next(by for by in ("town", "county", CITY) if by in now)
    if not now[finest]:
        return []
    base = _lived(indicator, now[finest], layers, rng)
    city = _added(base, CITY)
    told: dict[str, _Sums] = {finest: base, CITY: city}
    for by, held in now.items():
        if by in DIGITS and by != finest:
            told[by] = _added(base, by)
        elif by not in told and len(held) <= _MOST_VALUES:
            told[by] = _shared_out(city, held, whole=indicator.kind != "rate")
    return [row for by, sums in told.items() for row in _days(indicator.name, by, sums)]


def _lived(indicator: Indicator, held: list[Entry], layers: Mapping[str, Layer], rng: np.random.Generator) -> _Sums:
    """What the keys were on each day."""
    top = np.array([entry[1] for entry in held])
    bottom = None if any(entry[2] is None for entry in held) else np.array([entry[2] for entry in held], dtype=float)
    own = layers[indicator.layer]
    grown = _grown(own)[:, None]
    wandered = _wandered(rng)[:, None] * (1 + rng.normal(0, _OWN_WAY, (DAYS, len(held))))
    edited = {f.name for f in own.fields if f.edit and f.kind == "code"}
    wanders = bool(edited & {*indicator.top.conditions}) or indicator.holding is not None
    wanders = wanders or indicator.period is not None
    keys = [entry[0] for entry in held]
    if bottom is None:
        return _Sums(keys, _as_now(top, top * (wandered if wanders else grown)), None)
    if indicator.kind == "share" and wanders:  # what is wrong wanders, and the rest follows
        whole = _as_now(bottom, bottom * grown)
        return _Sums(keys, np.maximum(0, whole - _as_now(bottom, (bottom - top) * wandered)), whole)
    over = layers[indicator.bottom.layer] if indicator.bottom is not None else None
    still = np.ones((DAYS, 1)) if over is None else _grown(over)[:, None]
    return _Sums(keys, _as_now(top, top * (wandered if wanders else grown)), _as_now(bottom, bottom * still))


def _grown(layer: Layer) -> Days:
    """How large a layer was, by day, where today is 1; areas, roads and buildings stay what they are."""
    ago = np.arange(DAYS, 0, -1)
    return np.ones(DAYS) if layer.group in _STILL else np.asarray(1 - _GROWTH_A_DAY * ago)


def _wandered(rng: np.random.Generator) -> Days:
    """A walk that ends near 1 today and comes from up to a fifth above or below."""
    steps = rng.normal(0, _WANDER, DAYS)
    from_here, drift = np.zeros(DAYS + 1), rng.uniform(-0.1, 0.2)
    for i in range(DAYS):
        from_here[i + 1] = _STAYS * from_here[i] + steps[i]
    return np.asarray(np.exp(from_here[1:] + drift * np.arange(1, DAYS + 1) / DAYS)[::-1])


def _as_now(now: Days, was: Days) -> Days:
    """Whole numbers where they are whole today."""
    whole = bool(np.all(now == np.round(now)))
    return np.asarray(np.round(was, 0 if whole else 3))


def _added(base: _Sums, by: str) -> _Sums:
    """Towns added up to counties or to the city."""
    digits = DIGITS.get(by, 0)
    of = [key[:digits] if key is not None and digits and len(key) >= digits else None for key in base.keys]
    keys: list[str | None] = list(dict.fromkeys(of))
    chosen = [[i for i, key in enumerate(of) if key == wanted] for wanted in keys]

    def summed(days: Days) -> Days:
        return np.array([days[:, some].sum(axis=1) for some in chosen], dtype=np.float64).T

    return _Sums(keys, summed(base.top), None if base.bottom is None else summed(base.bottom))


def _shared_out(city: _Sums, held: list[Entry], *, whole: bool) -> _Sums:
    """What the city was, shared out to values in the proportions of today; a rate is over the same for each of them."""
    top = _apportioned(city.top[:, 0], np.array([entry[1] for entry in held]))
    if city.bottom is None:
        return _Sums([entry[0] for entry in held], top, None)
    if not whole:
        bottom = np.repeat(city.bottom[:, :1], len(held), axis=1)
    else:
        bottom = _apportioned(city.bottom[:, 0], np.array([entry[2] or 0.0 for entry in held]))
        top = np.minimum(top, bottom)
    return _Sums([entry[0] for entry in held], top, bottom)


def _apportioned(totals: Days, weights: Days) -> Days:
    """Each total in parts that add up to it, whole ones where it is whole (the largest remainders get the rest)."""
    if weights.sum() == 0:
        return np.zeros((totals.size, weights.size))
    exact = totals[:, None] * (weights / weights.sum())[None, :]
    if not np.all(totals == np.round(totals)):
        return np.asarray(np.round(exact, 3))
    parts = np.floor(exact)
    left = np.round(totals - parts.sum(axis=1)).astype(int)
    order = np.argsort(-(exact - parts), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    return np.asarray(parts + (rank < left[:, None]))


def _days(indicator: str, by: str, sums: _Sums) -> list[dict[str, object]]:
    """The entries of each day, counted at the end of it."""
    last = today()
    rows = []
    for i in range(DAYS):
        day = last - dt.timedelta(days=DAYS - i)
        bottoms = [None] * len(sums.keys) if sums.bottom is None else sums.bottom[i].tolist()
        figures = [list(entry) for entry in zip(sums.keys, sums.top[i].tolist(), bottoms, strict=True)]
        at = dt.datetime.combine(day, dt.time(23, 59), tzinfo=CITY_TIME)
        rows.append(
            {
                "indicator": indicator,
                "by": by,
                "day": day,
                "at": at.isoformat(),
                "synthetic": True,
                "figures": json.dumps(figures, ensure_ascii=False, separators=(",", ":")),
            }
        )
    return rows
