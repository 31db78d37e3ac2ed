"""What a city lays down about its loop, in tables of its data folder: departments, lines, clocks, indicators, needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from layers.loop.answered import RateRules, rate_rules_in
from layers.loop.calendar import Calendar, calendar_in
from layers.loop.care.book import Kind, kinds_in
from layers.loop.departments import Departments, departments_in
from layers.loop.hotline.lines import Lines, lines_in
from layers.loop.limits import Limits, limits_in
from layers.loop.measures import Measure, measures_in


@dataclass(frozen=True)
class Rules:
    """All tables of the loop, read once."""

    departments: Departments
    lines: Lines
    limits: Limits
    calendar: Calendar
    measures: Mapping[str, Measure]
    rates: RateRules
    needs: Mapping[str, Kind]


def rules_in(data: Path | None = None) -> Rules:
    """The rules of a data folder; what it does not lay down is as it ships. BadDeclaration names file and line."""
    departments, limits = departments_in(data), limits_in(data)
    calendar, measures = calendar_in(data), measures_in(data)
    lines = lines_in(data, departments=departments)
    return Rules(departments, lines, limits, calendar, measures, rate_rules_in(data), kinds_in(data))


@cache
def shipped_rules() -> Rules:
    """The rules that come with the program, read once."""
    return rules_in()
