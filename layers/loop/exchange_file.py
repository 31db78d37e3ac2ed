"""Lines of a file of another system, CSV (UTF-8 or GBK) or Excel: bounded, and read without running anything."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from python_calamine import CalamineError, CalamineWorkbook

from layers.codes.tables import folded
from layers.errors import BadParameter
from layers.loop.exchange_columns import COLUMNS, FORMULA

MOST_BYTES: Final = 2_000_000
MOST_LINES: Final = 1_000
_MOST_UNPACKED: Final = 50_000_000
_ZIP: Final = b"PK\x03\x04"


@dataclass(frozen=True)
class Line:
    """A line with what it has in which column; `row` is its number as an editor shows it."""

    row: int
    cells: dict[str, str]

    def get(self, name: str) -> str | None:
        """The cell, None where it is empty or not there."""
        return self.cells.get(name) or None


def lines_of(content: bytes) -> list[Line]:
    """The lines of a file; BadParameter for one that is too large, is no such file, or has a strange column."""
    if len(content) > MOST_BYTES:
        raise BadParameter("file", f"has more than {MOST_BYTES:,} bytes")
    rows = iter(_workbook(content) if content.startswith(_ZIP) else _csv(content))
    names = _names(next(rows, []))
    found: list[Line] = []
    for number, cells in enumerate(rows, start=2):
        if not any(cells):
            continue
        if len(found) == MOST_LINES:
            raise BadParameter("file", f"has more than {MOST_LINES:,} lines")
        if len(cells) > len(names):
            raise BadParameter("file", f"line {number} has {len(cells)} cells, the header {len(names)}")
        told = {name: _plain(cell) for name, cell in zip(names, cells, strict=False) if name is not None}
        found.append(Line(number, told))
    return found


def _names(header: list[str]) -> list[str | None]:
    """What each column is, by its name in the program or in either language; `about` is what our own exports add."""
    known = {folded(word): name for name, title in COLUMNS.items() for word in (name, title.zh, title.en)}
    names = [known.get(folded(cell)) for cell in header]
    strange = [c for c, name in zip(header, names, strict=True) if name is None and folded(c) not in ("about", "")]
    if strange:
        raise BadParameter("file", f"there is no column {strange[0][:40]!r}; there are {', '.join(COLUMNS)}")
    if "step" not in names or not {"number", "case_id"} & set(names):
        raise BadParameter("file", "needs the columns step, and number or case_id")
    if len(set(names) - {None}) != sum(name is not None for name in names):
        raise BadParameter("file", "has a column twice")
    return names


def _csv(content: bytes) -> Iterable[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error as error:
            raise BadParameter("file", f"is no CSV ({error})") from None
    raise BadParameter("file", "is neither UTF-8 nor GBK")


def _workbook(content: bytes) -> Iterable[list[str]]:
    """The first sheet; a workbook that unpacks to more than 50 MB is not opened."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > _MOST_UNPACKED:
                raise BadParameter("file", f"unpacks to more than {_MOST_UNPACKED:,} bytes")
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return [[_text(cell) for cell in row] for row in book.get_sheet_by_index(0).to_python()]
    except (CalamineError, zipfile.BadZipFile, IndexError) as error:
        raise BadParameter("file", "is no workbook that can be read") from error


def _text(cell: Any) -> str:
    """A cell of a workbook as it would stand in a CSV: whole numbers without a point, times as ISO 8601."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, dt.datetime | dt.date) else str(cell)


def _plain(cell: str) -> str:
    """A cell without the apostrophe that keeps spreadsheets from running it."""
    text = cell.strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
