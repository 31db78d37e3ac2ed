"""A rolling period: of the records, those whose date lies in the last days, today and the days before it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import sqlalchemy as sa

from layers.ask.clauses import Range
from layers.ask.indicator.measure import Measure
from layers.ask.period import CITY_TIME
from layers.spec import Layer


def today() -> dt.date:
    """The day that it is in the city."""
    return dt.datetime.now(CITY_TIME).date()


@dataclass(frozen=True)
class Rolling:
    """The last `days` days of a column of dates or times, of which today is one."""

    column: str
    days: int

    def since(self, day: dt.date) -> dt.date:
        """The first day of the period whose last one is `day`."""
        return day - dt.timedelta(days=self.days - 1)

    def narrowed(self, measure: Measure, layer: Layer, day: dt.date) -> Measure:
        """The measure of those of its records that the period holds which ends with `day`."""
        first, last = self.since(day), day
        if isinstance(layer.table.c[self.column].type, sa.Date):
            clause = Range(first.isoformat(), last.isoformat())
        else:
            clause = Range(*times_of(first, last))
        return replace(measure, clauses=tuple(sorted([*measure.clauses, (self.column, clause)])))


def times_of(first: dt.date, last: dt.date) -> tuple[str, str]:
    """The first and the last moment of some days of the city, as RFC 3339 writes them."""
    ends = (dt.datetime.combine(first, dt.time.min, CITY_TIME), dt.datetime.combine(last, dt.time.max, CITY_TIME))
    return ends[0].isoformat(), ends[1].isoformat()
