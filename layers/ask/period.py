"""When: the `datetime` parameter of OGC API – Features, as a condition on a layer's time.

The time of a layer is its first declared date or time field that may be filtered by, else when a record was last
changed. A date is a whole day of the city, and a time without an offset is the city's.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from layers.errors import BadParameter
from layers.spec import Layer

CITY_TIME = ZoneInfo("Asia/Shanghai")
_OPEN = ("", "..")
# GDAL's driver writes a date as 2024-01-01T.
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt](\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)?)?)?")


@dataclass(frozen=True)
class Period:
    """From `since` to `until`, both included; None where the period is open."""

    since: dt.datetime | None
    until: dt.datetime | None


def period(text: str) -> Period:
    """The period that an instant (`2024-05-01`), or two with a slash between, one of them maybe `..`, stands for."""
    start, slash, end = text.partition("/")
    if not slash:
        end = start
    if start in _OPEN and end in _OPEN:
        raise BadParameter("datetime", "must be a date or a time, or two separated by a slash, of which one may be ..")
    since = None if start in _OPEN else _instant(start)[0]
    until = None if end in _OPEN else _instant(end)[1]
    if since is not None and until is not None and since > until:
        raise BadParameter("datetime", "the interval ends before it begins")
    return Period(since, until)


def _instant(text: str) -> tuple[dt.datetime, dt.datetime]:
    """The first and the last moment of what is named."""
    found = _INSTANT.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)
        if found[2] is None:
            day = dt.date.fromisoformat(found[1])
            return dt.datetime.combine(day, dt.time.min, CITY_TIME), dt.datetime.combine(day, dt.time.max, CITY_TIME)
        moment = in_city_time(dt.datetime.fromisoformat(f"{found[1]}T{found[2].upper()}"))
    except (ValueError, OverflowError):
        raise BadParameter("datetime", f"{text[:40]!r} is no date or time (RFC 3339)") from None
    return moment, moment


def in_city_time(moment: dt.datetime) -> dt.datetime:
    """A moment in the city's time, which it is taken for when it says nothing; OverflowError beyond the calendar."""
    return moment.replace(tzinfo=CITY_TIME) if moment.tzinfo is None else moment.astimezone(CITY_TIME)


def time_column(layer: Layer) -> sa.Column[dt.date] | sa.Column[dt.datetime]:
    """The column that says when a record happened."""
    declared = (layer.table.c[f.name] for f in layer.fields if f.kind in ("date", "time") and f.filter)
    return next(declared, layer.table.c.changed_at)


def during(layer: Layer, when: Period) -> sa.ColumnElement[bool]:
    """The condition that a record's time lies in a period; a record without a time lies in none."""
    column = time_column(layer)
    since, until = when.since, when.until
    ends = [None if end is None else end.date() if isinstance(column.type, sa.Date) else end for end in (since, until)]
    conditions = []
    if ends[0] is not None:
        conditions.append(column >= ends[0])
    if ends[1] is not None:
        conditions.append(column <= ends[1])
    return sa.and_(*conditions)
