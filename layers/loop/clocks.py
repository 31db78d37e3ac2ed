"""The three clocks of the loop: round the clock, in working hours, and in working days.

A clock runs in some spans of time and stands still between them; a limit is used up when it ran that long. Time that an
incident is suspended (挂账) is taken out of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from layers.ask.period import CITY_TIME
from layers.loop.calendar import Calendar, Span

Unit = Literal["hours24", "work_hours", "work_days"]
UNITS: Final[tuple[Unit, ...]] = ("hours24", "work_hours", "work_days")
_FAR: Final = datetime(9990, 1, 1, tzinfo=CITY_TIME)


@dataclass(frozen=True)
class Limit:
    """So many hours (紧急工作时, 工作时) or working days (工作日)."""

    amount: float
    unit: Unit

    def __post_init__(self) -> None:
        if not 0 < self.amount <= 10_000:
            raise ValueError(f"a limit of {self.amount} {self.unit}")


def due(limit: Limit, begun: datetime, calendar: Calendar, *, pauses: Iterable[Span] = ()) -> datetime:
    """When the limit is used up, in the city's time.

    Working days are counted as the law counts periods of days (Civil Code, articles 201 and 203): the day on which it
    began does not count, and the last one ends when business does.
    """
    left = length(limit, calendar)
    for start, end in _running(limit.unit, begun, calendar, tuple(pauses)):
        if left <= end - start:
            return start + left
        left -= end - start
    raise AssertionError("the spans of a clock never end")


def elapsed(unit: Unit, begun: datetime, at: datetime, calendar: Calendar, *, pauses: Iterable[Span] = ()) -> timedelta:
    """How long the clock ran between two moments; of a limit's own clock, up to when it is due, exactly its length."""
    until, total = _local(at), timedelta()
    for start, end in _running(unit, begun, calendar, tuple(pauses)):
        if start >= until:
            break
        total += min(end, until) - start
    return total


def length(limit: Limit, calendar: Calendar) -> timedelta:
    """How long the limit's clock must run, to the second."""
    hour = timedelta(hours=1) if limit.unit != "work_days" else calendar.day
    return timedelta(seconds=round(hour.total_seconds() * limit.amount))


def unannounced(unit: Unit, begun: datetime, at: datetime, calendar: Calendar) -> tuple[int, ...]:
    """The years between two moments whose holidays are not announced yet, so that only weekends were left out."""
    if unit == "hours24":
        return ()
    years = range(_local(begun).year, _local(at).year + 1)
    return tuple(year for year in years if not calendar.announced(year))


def _local(at: datetime) -> datetime:
    return at.replace(tzinfo=CITY_TIME) if at.tzinfo is None else at.astimezone(CITY_TIME)


def _running(unit: Unit, begun: datetime, calendar: Calendar, pauses: Sequence[Span]) -> Iterator[Span]:
    """The spans in which the clock runs, from when it began, in their order, without end."""
    start = _local(begun)
    if unit == "hours24":
        spans: Iterable[Span] = [(start, _FAR)]
    else:
        first = start.date() + timedelta(days=1) if unit == "work_days" else start.date()
        spans = ((max(a, start), b) for day in _days(first) for a, b in calendar.spans(day) if b > start)
    if not pauses:
        yield from spans
        return
    for span in spans:
        yield from _without(span, [(_local(a), _local(b)) for a, b in pauses])


def _without(span: Span, pauses: Sequence[Span]) -> Iterator[Span]:
    """What is left of a span when the pauses are taken out."""
    start, end = span
    for a, b in sorted(pauses):
        if b <= start or a >= end:
            continue
        if a > start:
            yield start, a
        start = b
        if start >= end:
            return
    yield start, end


def _days(first: date) -> Iterator[date]:
    while True:
        yield first
        first += timedelta(days=1)
