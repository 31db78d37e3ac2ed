"""Opening hours: the part of OpenStreetMap's `opening_hours` that offices write on their doors.

`Mo-Fr 08:30-11:30,14:00-17:30; Sa 09:00-12:00`, or `24/7`. Holidays are not told: who calls there on one asks before.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final, NamedTuple

from layers.ask.period import CITY_TIME

DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
MOST: Final = 200
_DAY_MIN: Final = 24 * 60
_RULE: Final = re.compile(r"(?P<days>[A-Za-z,-]+) (?P<times>[0-9:,-]+)")
_TIME: Final = re.compile(r"([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])")


class Span(NamedTuple):
    """From one minute of a weekday (0 is Monday) to another of the same."""

    day: int
    from_min: int
    to_min: int


def weekly(text: str) -> tuple[Span, ...] | None:
    """The spans of a week in their order; None where the hours are not known, ValueError for what cannot be read."""
    if not text:
        return None
    if text == "24/7":
        return tuple(Span(day, 0, _DAY_MIN) for day in range(7))
    if len(text) > MOST:
        raise ValueError(f"opening hours have at most {MOST} characters")
    spans = [span for rule in text.split(";") for span in _rule(rule.strip())]
    return tuple(sorted(set(spans)))


def is_open(spans: tuple[Span, ...], at: dt.datetime) -> bool:
    """Whether it is open then, by the city's time."""
    local = at.astimezone(CITY_TIME)
    minute = local.hour * 60 + local.minute
    return any(span.day == local.weekday() and span.from_min <= minute < span.to_min for span in spans)


def _rule(text: str) -> list[Span]:
    found = _RULE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not like 'Mo-Fr 08:00-17:30'")
    times = [_times(part) for part in found["times"].split(",")]
    return [Span(day, *time) for day in _days(found["days"]) for time in times]


def _days(text: str) -> list[int]:
    days: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError(f"{part!r} is none of {', '.join(DAYS)}, nor from one to another")
        start, end = DAYS.index(first), DAYS.index(last or first)
        days += [day % 7 for day in range(start, (end if end >= start else end + 7) + 1)]
    return days


def _times(text: str) -> tuple[int, int]:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not like 08:00-17:30")
    hours = [int(part) for part in found.groups()]
    start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if not start < end <= _DAY_MIN:
        raise ValueError(f"{text!r} does not end after it begins, on the same day")
    return start, end
