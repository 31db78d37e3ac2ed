"""Days and instants of a filter, and the relations between them that CQL2 knows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from layers.ask.filter.values import Value
from layers.errors import BadFilter

CITY_ZONE: Final = ZoneInfo("Asia/Shanghai")

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6}[0-9]*)?)?([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


@dataclass(frozen=True)
class Interval:
    """From one day or instant to another, both included; an end that is None is open."""

    start: Value | None
    end: Value | None


def date(text: str) -> Value:
    """A day, YYYY-MM-DD."""
    try:
        day = dt.date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise BadFilter(f"{text!r} is no date (YYYY-MM-DD)", about=text).because("filter_day")
    return Value("date", sa.literal(day, sa.Date), f"DATE({text!r})", day)


def timestamp(text: str) -> Value:
    """An instant, as RFC 3339 writes it; without an offset in the time of the city."""
    try:
        instant = dt.datetime.fromisoformat(text.upper()) if _TIME.fullmatch(text) else None
        if instant is not None:
            instant = (instant if instant.tzinfo else instant.replace(tzinfo=CITY_ZONE)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        instant = None
    if instant is None:
        raise BadFilter(f"{text!r} is no time (YYYY-MM-DDThh:mm:ssZ)", about=text).because("filter_time")
    return Value("time", sa.literal(instant, sa.DateTime(timezone=True)), f"TIMESTAMP({text!r})", instant)


def moment(text: str) -> Value | None:
    """The end of an interval as a text: a date, a timestamp, or ".." for none."""
    if text == "..":
        return None
    return date(text) if _DATE.fullmatch(text) else timestamp(text)


def written(value: Value) -> str:
    """A constant moment as text, the same for the same moment: a date, or a time in UTC."""
    text: str = value.constant.isoformat()
    return text.replace("+00:00", "Z")


def interval(start: Value | None, end: Value | None) -> Interval:
    """The interval between two moments; BadFilter when it ends before it starts."""
    for one in (start, end):
        if one is not None and one.kind not in ("date", "time"):
            raise BadFilter(f"an end of an interval is a date or a time, not {one.name}", about=one.name)
    if start and end and start.constant and end.constant and start.kind == end.kind and start.constant > end.constant:
        raise BadFilter("an interval ends before it starts", about="interval")
    return Interval(start, end)


def in_common(left: Value, right: Value) -> tuple[Value, Value]:
    """A day and an instant as two days, in the time of the city; others as they are."""
    if {left.kind, right.kind} == {"date", "time"}:
        return _as_day(left), _as_day(right)
    return left, right


def _as_day(value: Value) -> Value:
    if value.kind == "date":
        return value
    local = sa.func.timezone(sa.literal(CITY_ZONE.key, sa.Text), value.sql)
    return Value("date", sa.cast(local, sa.Date), value.name, value.constant)


class _Ends(NamedTuple):
    start: sa.ColumnElement[Any]
    end: sa.ColumnElement[Any]


_Relation = Callable[[_Ends, _Ends], sa.ColumnElement[bool]]

# OGC 21-065r2, 7.7: the relations of Allen's algebra and their unions.
RELATIONS: Final[dict[str, _Relation]] = {
    "t_after": lambda a, b: a.start > b.end,
    "t_before": lambda a, b: a.end < b.start,
    "t_contains": lambda a, b: sa.and_(a.start < b.start, a.end > b.end),
    "t_disjoint": lambda a, b: sa.or_(a.start > b.end, a.end < b.start),
    "t_during": lambda a, b: sa.and_(a.start > b.start, a.end < b.end),
    "t_equals": lambda a, b: sa.and_(a.start == b.start, a.end == b.end),
    "t_finishedBy": lambda a, b: sa.and_(a.start < b.start, a.end == b.end),
    "t_finishes": lambda a, b: sa.and_(a.start > b.start, a.end == b.end),
    "t_intersects": lambda a, b: sa.and_(a.start <= b.end, a.end >= b.start),
    "t_meets": lambda a, b: a.end == b.start,
    "t_metBy": lambda a, b: a.start == b.end,
    "t_overlappedBy": lambda a, b: sa.and_(a.start > b.start, a.start < b.end, a.end > b.end),
    "t_overlaps": lambda a, b: sa.and_(a.start < b.start, a.end > b.start, a.end < b.end),
    "t_startedBy": lambda a, b: sa.and_(a.start == b.start, a.end > b.end),
    "t_starts": lambda a, b: sa.and_(a.start == b.start, a.end < b.end),
}


def relation(op: str, left: Value | Interval, right: Value | Interval) -> sa.ColumnElement[bool]:
    """One of RELATIONS between two moments or intervals; as days when a day is among them."""
    a, b = (side if isinstance(side, Interval) else interval(side, side) for side in (left, right))
    moments = [one for one in (a.start, a.end, b.start, b.end) if one is not None]
    kind: Literal["date", "time"] = "date" if any(one.kind == "date" for one in moments) else "time"
    return RELATIONS[op](_ends(a, kind), _ends(b, kind))


def _ends(of: Interval, kind: Literal["date", "time"]) -> _Ends:
    type_ = "date" if kind == "date" else "timestamptz"

    def end(value: Value | None, otherwise: str) -> sa.ColumnElement[Any]:
        if value is None:
            return sa.literal_column(f"'{otherwise}'::{type_}")
        return _as_day(value).sql if kind == "date" else value.sql

    return _Ends(end(of.start, "-infinity"), end(of.end, "infinity"))
