"""Which matter a call of a dispatch system is, how urgent, and who answered: a table that a city may replace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layers.codes.books import NATIONAL, shipped_books
from layers.codes.tables import Line
from layers.errors import BadDeclaration
from layers.loop.departments import Departments
from layers.loop.reading import path_of, rows_of

ANY: Final = "*"
_FILE: Final = "call_types.csv"
_COLUMNS: Final = ("call_type", "matter", "level", "lead", "note")


@dataclass(frozen=True)
class CallType:
    """What a kind of call is in the national book (the nearest class, where it has none), and who answered."""

    matter: str
    level: str
    lead: str


def call_types_in(data: Path | None, departments: Departments) -> Mapping[str, CallType]:
    """The lines of a data folder (`call_types.csv`) by kind of call, `*` for any other; BadDeclaration names a line."""
    path, found = path_of(_FILE, data), dict[str, CallType]()

    def add(line: Line) -> None:
        kind = line.required("call_type")
        if kind in found:
            raise line.error(f"{kind!r} is there already")
        books = shipped_books()
        if line["matter"] not in books.book("matter", standard=NATIONAL):
            raise line.error(f"{line['matter']!r} is no class of matters")
        level = line.one_of("level", books.book("incident_level").codes)
        if line["lead"] not in departments:
            raise line.error(f"there is no department {line['lead']!r}")
        found[kind] = CallType(line["matter"], level, line["lead"])

    rows_of(path, _COLUMNS, add)
    if ANY not in found:
        raise BadDeclaration(path, None, f"there is no line for any other call ({ANY})")
    return found
