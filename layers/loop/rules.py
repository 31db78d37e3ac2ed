"""What a city lays down about its loop, in tables of its data folder: departments, limits, the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from layers.loop.departments import Departments, departments_in


@dataclass(frozen=True)
class Rules:
    """All tables of the loop, read once."""

    departments: Departments


def rules_in(data: Path | None = None) -> Rules:
    """The rules of a data folder; what it does not lay down is as it ships. BadDeclaration names file and line."""
    return Rules(departments_in(data))
