"""Which days are worked, with the weekends that are swapped around holidays, and which hours of a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import chinese_calendar

from layers.ask.period import CITY_TIME
from layers.codes.tables import Line
from layers.errors import BadDeclaration
from layers.loop.reading import path_of, rows_of

Span = tuple[datetime, datetime]
_DAYS: Final = "calendar.csv"
_HOURS: Final = "working_hours.csv"
_KINDS: Final = ("work", "rest")
_SATURDAY: Final = 5


@dataclass(frozen=True)
class Calendar:
    """`hours` are the working hours of a day in their order; `days` says of single days whether they are worked.

    Every other day is as the State Council arranged its year; of a year that it has not announced yet, weekends only.
    """

    hours: tuple[tuple[time, time], ...]
    days: Mapping[date, bool] = field(default_factory=dict)
    _spans: dict[date, tuple[Span, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)

    @property
    def day(self) -> timedelta:
        """How long a working day is."""
        midnight = datetime.min
        return sum(
            (datetime.combine(midnight, ends) - datetime.combine(midnight, begins) for begins, ends in self.hours),
            timedelta(),
        )

    def works(self, day: date) -> bool:
        """Whether the day is a working day."""
        own = self.days.get(day)
        if own is not None:
            return own
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            return day.weekday() < _SATURDAY

    def announced(self, year: int) -> bool:
        """Whether the working days of a year are laid down: by the State Council, or in the city's own table."""
        if any(day.year == year for day in self.days):
            return True
        try:
            chinese_calendar.is_workday(date(year, 7, 1))
        except NotImplementedError:
            return False
        return True

    def spans(self, day: date) -> tuple[Span, ...]:
        """The working hours of a day, in the city's time; none on a day of rest."""
        found = self._spans.get(day)
        if found is None:
            found = tuple(
                (datetime.combine(day, begins, CITY_TIME), datetime.combine(day, ends, CITY_TIME))
                for begins, ends in (self.hours if self.works(day) else ())
            )
            self._spans[day] = found
        return found


def calendar_in(data: Path | None = None) -> Calendar:
    """The calendar of a data folder (`calendar.csv`, `working_hours.csv`); BadDeclaration names the line."""
    path = path_of(_HOURS, data)
    hours: list[tuple[time, time]] = []

    def add(line: Line) -> None:
        span = _time(line, "begins"), _time(line, "ends")
        if span[0] >= span[1]:
            raise line.error("the hours end before they begin")
        if hours and hours[-1][1] > span[0]:
            raise line.error("the hours begin before the earlier ones end")
        hours.append(span)

    rows_of(path, ("begins", "ends"), add)
    if not hours:
        raise BadDeclaration(path, None, "there are no working hours")
    return Calendar(tuple(hours), _days(path_of(_DAYS, data)))


def _days(path: Path) -> dict[date, bool]:
    days: dict[date, bool] = {}

    def add(line: Line) -> None:
        day = line.day("day")
        if day is None or day in days:
            raise line.error("the day is missing, or there already")
        days[day] = line.one_of("kind", _KINDS) == "work"

    rows_of(path, ("day", "kind", "name", "source"), add)
    return days


def _time(line: Line, column: str) -> time:
    try:
        return datetime.strptime(line.required(column), "%H:%M").time()
    except ValueError:
        raise line.error(f"{column} {line[column]!r} is no time like 08:30") from None
