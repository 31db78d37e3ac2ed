"""Spreadsheets (.xlsx): the first row with headers is found below titles, and numbers stay what they were."""

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException

from etl.errors import ChoiceNeeded, CorruptFile, EmptyFile, TooLarge, UnreadableFile
from etl.findings import Finding
from etl.readers.archive import check_archive
from etl.readers.table import Limits, Table, unique_headers
from etl.readers.text import NULLS

_OLE = b"\xd0\xcf\x11\xe0"
_TITLE_ROWS = 10
_DIGITS = re.compile(r"\d{16,}")

Row = tuple[Any, ...]


def read_sheet(path: Path, *, sheet: str | None, limits: Limits) -> Table:
    """The rows of one sheet; a workbook with several filled sheets needs the name of one."""
    with path.open("rb") as file:
        if file.read(4) == _OLE:
            raise UnreadableFile(
                path, "this is an old or password-protected Excel file; save it as .xlsx without a password"
            )
    check_archive(path, limits)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            return _read(path, book, sheet, limits)
        finally:
            book.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, SyntaxError, EOFError) as error:
        raise CorruptFile(path, f"the workbook cannot be read ({error})") from error


def _read(path: Path, book: Any, sheet: str | None, limits: Limits) -> Table:
    rows, name = _chosen(path, book, sheet)
    top = list(islice(rows, _TITLE_ROWS))
    at = _header_row(top)
    header = top[at]
    width = max((i + 1 for i, cell in enumerate(header) if _filled(cell)), default=0)
    if width > limits.columns:
        raise TooLarge(path, "columns", found=width, limit=limits.columns)
    headers = unique_headers([_text(cell) for cell in header[:width]])
    numbers, cells = _filled_rows(path, chain(top[at + 1 :], rows), width, first=at + 2, limits=limits)
    if not cells:
        raise EmptyFile(path, f"sheet {name!r} has no rows")
    frame = pd.DataFrame({h: _column([row[i] for row in cells]) for i, h in enumerate(headers)})
    above = Finding("title_rows", f"the headers are in row {at + 1}; the rows above it were left out")
    findings = [above] if at else []
    return Table(path, name, frame, np.array(numbers, dtype=np.int64), findings=tuple(findings))


def _chosen(path: Path, book: Any, sheet: str | None) -> tuple[Iterator[Row], str]:
    names = [ws.title for ws in book.worksheets]
    if sheet is not None:
        if sheet not in names:
            raise ChoiceNeeded(path, f"sheets but none called {sheet}", option="--sheet", choices=names)
        return _rows(book[sheet]), sheet
    filled = [name for name in names if any(any(map(_filled, row)) for row in islice(_rows(book[name]), 50))]
    if not filled:
        raise EmptyFile(path, "no sheet has any rows")
    if len(filled) > 1:
        raise ChoiceNeeded(path, "sheets", option="--sheet", choices=filled)
    return _rows(book[filled[0]]), filled[0]


def _rows(sheet: Any) -> Iterator[Row]:
    # Some programs write a wrong extent into the file; without this only that part would be read.
    sheet.reset_dimensions()
    return iter(sheet.iter_rows(values_only=True))


def _header_row(top: list[Row]) -> int:
    """The first of the upper rows in which most columns have a text: a title above it stands alone in its row."""
    counts = [sum(1 for cell in row if isinstance(cell, str) and cell.strip()) for row in top]
    most = max(counts, default=0)
    return next((i for i, count in enumerate(counts) if most and count * 2 > most), 0)


def _filled_rows(
    path: Path, rows: Iterator[Row], width: int, *, first: int, limits: Limits
) -> tuple[list[int], list[list[Any]]]:
    numbers: list[int] = []
    cells: list[list[Any]] = []
    for number, row in enumerate(rows, start=first):
        kept = [*row[:width], *[None] * (width - len(row))]
        if any(map(_filled, kept)):
            numbers.append(number)
            cells.append(kept)
            if len(cells) > limits.rows:
                raise TooLarge(path, "rows", found=len(cells), limit=limits.rows)
    return numbers, cells


def _filled(cell: Any) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


def _column(cells: list[Any]) -> "pd.Series[Any]":
    """A column of dates where all are dates, of numbers where all are numbers, else of texts."""
    found = {type(cell) for cell in cells if _filled(cell)}
    if found and found <= {datetime, date}:
        return pd.Series([pd.Timestamp(cell) if _filled(cell) else pd.NaT for cell in cells], dtype="datetime64[us]")
    if found and found <= {int, float}:
        return pd.Series([float(cell) if _filled(cell) else np.nan for cell in cells], dtype="float64")
    texts = pd.Series([_text(cell) if _filled(cell) else None for cell in cells], dtype="str")
    return texts.mask(texts.isin(NULLS))


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and not _DIGITS.fullmatch(f"{cell:.0f}"):
        return f"{cell:.0f}"
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ") if cell.time() != time(0) else cell.date().isoformat()
    return str(cell)
