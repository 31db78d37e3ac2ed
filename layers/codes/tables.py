"""Reads a CSV of codes line by line and says exactly which line cannot be used."""

import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from layers.codes.errors import BadBook

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Line:
    """One line of a table: its number as an editor shows it, and its cells without surrounding space."""

    path: Path
    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def error(self, reason: str) -> BadBook:
        """The error to raise about this line."""
        return BadBook(self.path, self.number, reason)

    def required(self, column: str) -> str:
        """The cell, which must not be empty."""
        if not self.cells[column]:
            raise self.error(f"column {column!r} is empty")
        return self.cells[column]

    def one_of(self, column: str, allowed: tuple[str, ...]) -> str:
        """The cell, which must be one of the allowed words."""
        if self.cells[column] not in allowed:
            raise self.error(f"{column} {self.cells[column]!r} is none of: {', '.join(allowed)}")
        return self.cells[column]

    def day(self, column: str) -> date | None:
        """The cell as a date (YYYY-MM-DD), None when it is empty."""
        if not self.cells[column]:
            return None
        try:
            return date.fromisoformat(self.cells[column])
        except ValueError:
            raise self.error(f"{column} {self.cells[column]!r} is not a date like 2026-07-01") from None

    def period(self) -> tuple[date | None, date | None]:
        """The first and last day of validity, None where it is open."""
        start, end = self.day("valid_from"), self.day("valid_to")
        if start and end and end < start:
            raise self.error(f"valid_to {end} lies before valid_from {start}")
        return start, end


def read_table(path: Path, columns: tuple[str, ...]) -> Iterator[Line]:
    """The lines of a UTF-8 CSV (with or without byte order mark) that has at least these columns; BadBook otherwise."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadBook(path, None, "the file is missing") from None
    except UnicodeDecodeError:
        raise BadBook(path, None, "the file is not UTF-8; save it as 'CSV UTF-8'") from None
    yield from parse_table(path, text, columns)


def parse_table(path: Path, text: str, columns: tuple[str, ...]) -> Iterator[Line]:
    """The lines of a CSV that came in otherwise; `path` is what a refusal calls it. BadBook as `read_table`."""
    rows = _rows(path, text)
    header = [name.strip() for name in next(rows, (1, []))[1]]
    missing = [name for name in columns if name not in header]
    if missing:
        raise BadBook(path, 1, f"missing column {', '.join(missing)}")
    for number, cells in rows:
        if not any(cells):
            continue
        if len(cells) != len(header):
            raise BadBook(path, number, f"{len(cells)} cells, the header has {len(header)}")
        yield Line(path, number, dict(zip(header, (cell.strip() for cell in cells), strict=True)))


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise BadBook(path, reader.line_num, f"not a CSV line ({error})") from None


def folded(text: str) -> str:
    """The text as it is compared: full-width forms made plain, no surrounding space, no difference of case."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def within(on: date | None, valid_from: date | None, valid_to: date | None) -> bool:
    """True when the day lies in the period; both ends belong to it, and no day asked means any day."""
    return on is None or ((valid_from is None or valid_from <= on) and (valid_to is None or on <= valid_to))
