"""How long each stage of an incident may take: by its matter and its urgency, from a table that a city may replace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

from layers.codes.books import NATIONAL, Books, shipped_books
from layers.codes.tables import Line
from layers.errors import BadDeclaration
from layers.loop.clocks import UNITS, Limit, Unit
from layers.loop.reading import path_of, rows_of

Stage = Literal["verify", "accept", "register", "dispatch", "sign", "safe", "dispose", "check"]
STAGES: Final[tuple[Stage, ...]] = ("verify", "accept", "register", "dispatch", "sign", "safe", "dispose", "check")
"""What an incident waits for; `safe` runs beside `dispose` where a danger must be fenced off before it is mended."""
ANY: Final = "*"
_LEVEL_BOOK: Final = "incident_level"
_FILE: Final = "limits.csv"
_COLUMNS: Final = ("matter", "level", "stage", "amount", "unit", "source")
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Granted:
    """A limit with the line that grants it: its matter (class, major class or `*`), its urgency, and its source."""

    limit: Limit
    matter: str
    level: str
    stage: Stage
    source: str


@dataclass(frozen=True)
class Limits:
    """All limits; the urgency counts before the matter, and the class before the major class."""

    by_key: Mapping[Key, Granted]

    def find(self, *, matter: str, level: str, stage: Stage) -> Limit:
        """The limit of a stage. Only `safe` may have none: ask `safe` for it."""
        found = self.granted(matter=matter, level=level, stage=stage)
        if found is None:
            raise LookupError(f"no limit for the stage {stage!r}")
        return found.limit

    def safe(self, *, matter: str, level: str) -> Limit | None:
        """How soon a danger of this matter must be made safe; None where nothing is laid down."""
        found = self.granted(matter=matter, level=level, stage="safe")
        return None if found is None else found.limit

    def granted(self, *, matter: str, level: str, stage: Stage) -> Granted | None:
        """The line that decides."""
        keys = ((m, urgency, stage) for urgency in (level, ANY) for m in (matter, matter[:2], ANY))
        return next((self.by_key[key] for key in keys if key in self.by_key), None)


def limits_in(data: Path | None = None, *, books: Books | None = None) -> Limits:
    """The limits of a data folder (`limits.csv`); BadDeclaration names the line that cannot be used.

    Every stage but `safe` needs a line for any matter of any urgency.
    """
    path, known = path_of(_FILE, data), books or shipped_books()
    found: dict[Key, Granted] = {}

    def add(line: Line) -> None:
        one = _granted(line, known)
        key = (one.matter, one.level, one.stage)
        if key in found:
            raise line.error(f"{' '.join(key)} is there already")
        found[key] = one

    rows_of(path, _COLUMNS, add)
    for stage in STAGES:
        if stage != "safe" and (ANY, ANY, stage) not in found:
            raise BadDeclaration(path, None, f"the stage {stage!r} has no line for any matter of any urgency")
    return Limits(found)


def _granted(line: Line, books: Books) -> Granted:
    matter, level = line.required("matter"), line.required("level")
    if matter != ANY and not any(matter in books.book(name, standard=NATIONAL) for name in ("matter", "matter_major")):
        raise line.error(f"{matter!r} is no matter, no major class of them, and not '*'")
    if level != ANY and level not in books.book(_LEVEL_BOOK):
        raise line.error(f"level {level!r} is not in the book {_LEVEL_BOOK!r}, and not '*'")
    stage = cast(Stage, line.one_of("stage", STAGES))
    unit = cast(Unit, line.one_of("unit", UNITS))
    try:
        limit = Limit(float(line.required("amount")), unit)
    except ValueError:
        raise line.error(f"amount {line['amount']!r} is no number between 0 and 10,000") from None
    return Granted(limit, matter, level, stage, line["source"])
