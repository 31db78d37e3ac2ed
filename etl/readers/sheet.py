"""Spreadsheets (.xlsx, .xls): the first row with headers is found below titles, and numbers stay what they were."""

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from etl.errors import ChoiceNeeded, CorruptFile, EmptyFile, TooLarge, UnreadableFile
from etl.findings import Finding
from etl.readers.archive import check_archive
from etl.readers.table import HEARD_EVERY, Limits, Progress, Table, unheard, unique_headers
from etl.readers.text import NULLS

_OLE = b"\xd0\xcf\x11\xe0"
_TITLE_ROWS = 10
# A sheet of Excel has no more. A file may claim any number for a row, and those before it are gone through one by one.
_MOST_ROWS = 1 << 20
_DIGITS = re.compile(r"\d{16,}")

Row = tuple[Any, ...]
Sheets = Mapping[str, Callable[[], Iterator[Row]]]


def read_sheet(path: Path, *, sheet: str | None, limits: Limits, progress: Progress = unheard) -> Table:
    """The rows of one sheet; a workbook with several filled sheets needs the name of one.

    The content counts, not the suffix: a new workbook is often called .xls, and an old one .xlsx.
    """
    with path.open("rb") as file:
        old = file.read(4) == _OLE
    if old:
        return _read_old(path, sheet, limits, progress)
    check_archive(path, limits)
    try:
        with path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            try:
                said = {ws.title: ws.max_row for ws in book.worksheets}
                rows = {ws.title: partial(_rows, ws) for ws in book.worksheets}
                return _read(path, rows, sheet, limits, lambda done, name: progress(done, _at_least(said[name], done)))
            finally:
                book.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, SyntaxError, EOFError) as error:
        raise CorruptFile(path, f"the workbook cannot be read ({error})").because("sheet_broken") from error


def _read_old(path: Path, sheet: str | None, limits: Limits, progress: Progress) -> Table:
    """The rows of a workbook as Excel wrote them until 2003; of a protected one only that it is protected."""
    try:
        with path.open("rb") as file:
            book = CalamineWorkbook.from_filelike(file)
            sheets = {name: partial(_old_rows, book, name) for name in book.sheet_names}
            return _read(path, sheets, sheet, limits, lambda done, _: progress(done, None))
    except PasswordError as error:
        raise UnreadableFile(path, "the workbook has a password; save it without one").because(
            "sheet_password"
        ) from error
    except CalamineError as error:
        told = f"the old workbook cannot be read ({error}); if it has a password, save it as .xlsx without one"
        raise CorruptFile(path, told).because("sheet_old_broken") from error


def _old_rows(book: CalamineWorkbook, name: str) -> Iterator[Row]:
    return (tuple(row) for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False))


def _at_least(said: int | None, done: int) -> int | None:
    """The rows that a sheet says it has; None where it says nothing, or fewer than there are."""
    return said if said is not None and said >= done else None


def _read(path: Path, sheets: Sheets, sheet: str | None, limits: Limits, told: Callable[[int, str], None]) -> Table:
    rows, name = _chosen(path, sheets, sheet)
    top = list(islice(rows, _TITLE_ROWS))
    at = _header_row(top)
    header = top[at]
    width = max((i + 1 for i, cell in enumerate(header) if _filled(cell)), default=0)
    if width > limits.columns:
        raise TooLarge(path, "columns", found=width, limit=limits.columns)
    headers = unique_headers([_text(cell) for cell in header[:width]])
    numbers, cells = _filled_rows(
        path, chain(top[at + 1 :], rows), width, first=at + 2, limits=limits, told=lambda n: told(n, name)
    )
    if not cells:
        raise EmptyFile(path, f"sheet {name!r} has no rows")
    frame = pd.DataFrame({h: _column([row[i] for row in cells]) for i, h in enumerate(headers)})
    above = Finding("title_rows", f"the headers are in row {at + 1}; the rows above it were left out")
    findings = [above] if at else []
    return Table(path, name, frame, np.array(numbers, dtype=np.int64), findings=tuple(findings))


def _chosen(path: Path, sheets: Sheets, sheet: str | None) -> tuple[Iterator[Row], str]:
    if sheet is not None:
        if sheet not in sheets:
            missed = ChoiceNeeded(path, f"sheets but none called {sheet}", option="--sheet", choices=list(sheets))
            raise missed.because("table_gone", table=sheet)
        return sheets[sheet](), sheet
    filled = [name for name, rows in sheets.items() if any(any(map(_filled, row)) for row in islice(rows(), 50))]
    if not filled:
        raise EmptyFile(path, "no sheet has any rows")
    if len(filled) > 1:
        raise ChoiceNeeded(path, "sheets", option="--sheet", choices=filled).because("choose_sheet")
    return sheets[filled[0]](), filled[0]


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
    path: Path, rows: Iterator[Row], width: int, *, first: int, limits: Limits, told: Callable[[int], None]
) -> tuple[list[int], list[list[Any]]]:
    numbers: list[int] = []
    cells: list[list[Any]] = []
    for number, row in enumerate(rows, start=first):
        if number > _MOST_ROWS:
            raise TooLarge(path, "rows of a sheet", found=number, limit=_MOST_ROWS)
        if number % HEARD_EVERY == 0:
            told(number)
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
