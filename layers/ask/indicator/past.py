"""What indicators were: one entry a day, by city, county, town and the values of columns, kept when it changed last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from layers.ask.clauses import Clause, Range
from layers.ask.indicator.amounts import parts
from layers.ask.indicator.indicator import CITY, Indicator
from layers.ask.indicator.rolling import times_of, today
from layers.ask.period import CITY_TIME
from layers.spec import Layer
from layers.store.core import FIGURE_DAY, FIGURE_LAYER

MOST_DAYS: Final = 366
KEPT_DAYS: Final = 1_100
MOST_KEYS: Final = 200
"""Of a column with more values than these, the largest are remembered."""
# Sums are stamped just before they are committed: what was remembered in between is remembered once more.
_COMMITS_WITHIN: Final = dt.timedelta(minutes=1)
Entry = tuple[str | None, float, float | None]


@dataclass(frozen=True)
class Point:
    """What an indicator was on a day, when that was counted, and whether it was made up with the demo city.

    Which records were counted on a day that has passed is not known any more: `door` then holds the conditions of those
    that were last changed on that day.
    """

    at: dt.datetime
    value: float | None
    numerator: float
    denominator: float | None
    synthetic: bool
    door: Mapping[str, Clause] | None


def remembered(indicator: Indicator) -> list[str]:
    """By what an indicator is remembered: grids are too many and too small."""
    return [CITY, *(by for by in indicator.by if by != "grid")]


def entries(
    connection: sa.Connection, indicator: Indicator, layers: Mapping[str, Layer], *, by: str, day: dt.date | None = None
) -> list[Entry]:
    """The parts of an indicator as they are remembered of a day (today)."""
    found = parts(connection, indicator, layers, by=by, area=None, day=day or today())
    keys = sorted({*found.top, *(found.bottom or ())}, key=lambda key: (-found.top.get(key, 0.0), key or ""))
    if by == CITY:
        keys = [None]
    bottom = found.bottom
    return [
        (key, found.top.get(key, 0.0), None if bottom is None else bottom.get(key, 0.0)) for key in keys[:MOST_KEYS]
    ]


def remember(connection: sa.Connection, indicators: Collection[Indicator], layers: Mapping[str, Layer]) -> int:
    """Keep today's figures of the indicators whose sums changed since, or of which today has none; returns how many."""
    day, kept = today(), 0
    of_day = sa.select(FIGURE_DAY.c.indicator, sa.func.min(FIGURE_DAY.c.at)).where(FIGURE_DAY.c.day == day)
    held = {row[0]: row[1] for row in connection.execute(of_day.group_by(FIGURE_DAY.c.indicator))}
    rows = connection.execute(sa.select(FIGURE_LAYER.c.layer, FIGURE_LAYER.c.changed_at))
    changed = {row[0]: row[1] for row in rows}
    for indicator in indicators:
        last = max((changed[m.layer] for m in indicator.measures if m.layer in changed), default=None)
        if indicator.name in held and (last is None or last + _COMMITS_WITHIN < held[indicator.name]):
            continue
        for by in remembered(indicator):
            told = [list(entry) for entry in entries(connection, indicator, layers, by=by, day=day)]
            keep(connection, [_row(indicator.name, by, day, told, synthetic=False, at=dt.datetime.now(CITY_TIME))])
        kept += 1
    connection.execute(sa.delete(FIGURE_DAY).where(FIGURE_DAY.c.day < day - dt.timedelta(days=KEPT_DAYS)))
    return kept


def _row(
    indicator: str, by: str, day: dt.date, told: Sequence[Any], *, synthetic: bool, at: dt.datetime
) -> dict[str, Any]:
    return {"indicator": indicator, "by": by, "day": day, "at": at, "synthetic": synthetic, "figures": told}


def keep(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write entries; what was kept for the same day gives way."""
    statement = postgresql.insert(FIGURE_DAY)
    new = {name: statement.excluded[name] for name in ("at", "synthetic", "figures")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["indicator", "by", "day"], set_=new),
        [dict(row) for row in rows],
    )


def past(connection: sa.Connection, indicator: Indicator, *, by: str, key: str | None, days: int) -> list[Point]:
    """What one key of an indicator was on the days before today, oldest first; days without a figure are left out."""
    first = today() - dt.timedelta(days=min(days, MOST_DAYS) - 1)
    kept = (
        sa.select(FIGURE_DAY.c.day, FIGURE_DAY.c.at, FIGURE_DAY.c.synthetic, FIGURE_DAY.c.figures)
        .where(FIGURE_DAY.c.indicator == indicator.name, FIGURE_DAY.c.by == by)
        .where(FIGURE_DAY.c.day >= first, FIGURE_DAY.c.day < today())
        .order_by(FIGURE_DAY.c.day)
        .limit(MOST_DAYS)
    )
    points = []
    for day, at, synthetic, figures in connection.execute(kept):
        for each, top, bottom in figures:
            if each == key:
                points.append(Point(at, indicator.value(top, bottom), top, bottom, synthetic, _changed_on(day)))
    return points


def _changed_on(day: dt.date) -> dict[str, Clause]:
    return {"changed_at": Range(*times_of(day, day))}
