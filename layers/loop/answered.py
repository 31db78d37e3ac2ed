"""Which call-backs count, as the city lays it down in `rates.csv`: one place for the three rates and the indicators.

Left out are appeals outside of the remit, repeat calls of one number on one matter, and callers whom nobody reached:
each under the first reason that holds. What callers of a merged case answer counts for the case that it went into.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from layers.codes.tables import Line
from layers.errors import BadDeclaration
from layers.loop.reading import path_of, rows_of

LeftOut = Literal["unreachable", "outside_remit", "repeats"]
LEFT_OUT: Final[tuple[LeftOut, ...]] = get_args(LeftOut)
Fate = Literal["counted", "pending"] | LeftOut
_FILE: Final = "rates.csv"
_SWITCHES: Final = ("exclude_unreachable", "exclude_outside_remit", "exclude_repeats")
_NUMBERS: Final[Mapping[str, tuple[float, float]]] = {
    "contact_hours": (1, 720), "attempts": (1, 20), "repeat_days": (1, 365), "floor": (0, 1)
}  # fmt: skip


@dataclass(frozen=True)
class RateRules:
    """What counts, as the city lays it down."""

    contact_hours: float
    attempts: int
    repeat_days: int
    floor: float
    exclude_unreachable: bool
    exclude_outside_remit: bool
    exclude_repeats: bool


def rate_rules_in(data: Path | None = None) -> RateRules:
    """The rules of `rates.csv`; BadDeclaration names the line that cannot be used, or the rule that is missing."""
    path = path_of(_FILE, data)
    found: dict[str, Any] = {}

    def add(line: Line) -> None:
        name = line.one_of("name", (*_NUMBERS, *_SWITCHES))
        if name in found:
            raise line.error(f"{name} is there already")
        found[name] = line.one_of("value", ("yes", "no")) == "yes" if name in _SWITCHES else _number(line, name)

    rows_of(path, ("name", "value"), add)
    if missing := sorted({*_NUMBERS, *_SWITCHES} - found.keys()):
        raise BadDeclaration(path, None, f"there is no line for {missing[0]}")
    return RateRules(**found)


def _number(line: Line, name: str) -> float | int:
    least, most = _NUMBERS[name]
    try:
        value = float(line["value"])
    except ValueError:
        raise line.error(f"{name} {line['value']!r} is no number") from None
    if not least <= value <= most:
        raise line.error(f"{name} {line['value']} does not lie between {least:g} and {most:g}")
    return int(value) if name in ("attempts", "repeat_days") else value


def fate_of(rules: RateRules, *, outside: bool, repeat: bool, reached: bool, tries: int) -> Fate:
    """What becomes of a caller: left out for the first reason that holds, still to be tried, or counted."""
    if outside and rules.exclude_outside_remit:
        return "outside_remit"
    if repeat and rules.exclude_repeats:
        return "repeats"
    if not reached and tries < rules.attempts:
        return "pending"
    return "unreachable" if not reached and rules.exclude_unreachable else "counted"


REPEATED: Final = """(
      c.phone_mark is not null and exists (
        select from core.caller e join city.incident ei on ei.id = e.incident
        where e.phone_mark = c.phone_mark and e.id <> c.id and e.scenario is not distinct from c.scenario
          and ei.matter = i.matter and e.at < c.at and e.at >= c.at - make_interval(days => :repeat_days)
      ))"""
"""Whether the caller `c` of the case `i` called before on the same matter, within `:repeat_days`; in the same exercise
where it was in one."""
FINAL_CASE: Final = """lateral (
      with recursive up as (
        select o.id, o.merged_into from city.incident o where o.id = c.incident
        union
        select n.id, n.merged_into from up join city.incident n on n.id = up.merged_into
      )
      select up.id from up where up.merged_into is null
    )"""
"""The case that the one of the caller `c` went into, or is."""
