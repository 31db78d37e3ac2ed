"""Excel for people: Chinese titles, codes beside their words, dates as dates, and a page that says what this is."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import shapely
import xlsxwriter
from xlsxwriter.format import Format as CellFormat
from xlsxwriter.worksheet import Worksheet

from layers.export.sheet import Sheet, SheetColumn
from layers.export.values import SHANGHAI, Row, Value, heading, rows, shapes, word
from layers.spec import FieldKind

MOST_ROWS: Final = 1_048_575  # what a worksheet holds beneath its heading
_MOST_CHARACTERS: Final = 32_767
_MOST_EXACT: Final = 10**15  # Excel keeps 15 digits of a number
_FIRST_DAY: Final = dt.date(1900, 3, 1)  # Excel's calendar has a 29 February 1900
_WIDTHS: Final[dict[FieldKind, int]] = {
    "text": 22, "code": 12, "integer": 12, "number": 14, "date": 12, "time": 20, "boolean": 8,
}  # fmt: skip


@dataclass(frozen=True)
class _Book:
    """The worksheet of the records and the looks of its cells."""

    page: Worksheet
    day: CellFormat
    moment: CellFormat
    head: CellFormat


def write(sheet: Sheet, path: Path) -> None:
    """Two worksheets, the records and 说明; rows are flushed as they are written.

    Ids and codes stay text. A place is its point or, for lines and areas, a point on it. Rows beyond what a worksheet
    holds are left out, and 说明 says so.
    """
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as workbook:
        workbook.set_properties({"title": sheet.title.zh, "comments": sheet.statement.zh})
        book = _Book(
            page=workbook.add_worksheet(_page_name(sheet.title.zh)),
            day=workbook.add_format({"num_format": "yyyy-mm-dd"}),
            moment=workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            head=workbook.add_format({"bold": True, "bottom": 1, "bg_color": "#DEECF1"}),
        )
        written, left_out = _fill(book, sheet)
        notes = workbook.add_worksheet("说明")
        _explain(notes, _explanations(sheet, written, left_out=left_out), workbook.add_format({"bold": True}))


def _page_name(title: str) -> str:
    """A name that Excel takes: at most 31 characters, none of its own, and not that of the other page."""
    name = re.sub(r"[\[\]:*?/\\\x00-\x1f']", " ", title).strip()[:28]
    return name if name and name.lower() not in ("说明", "history") else "结果"


def _headings(sheet: Sheet) -> list[tuple[str, int]]:
    """The heads of the columns and their widths; a coded column has two, its word and its code."""
    heads: list[tuple[str, int]] = []
    for column in sheet.columns:
        if column.book is not None:
            heads.append((heading(column), _WIDTHS["text"]))
            heads.append((f"{heading(column)}代码", _WIDTHS["code"]))
        else:
            heads.append((heading(column), _WIDTHS[column.kind]))
    return [*heads, ("经度", 14), ("纬度", 14)] if sheet.spatial else heads


def _fill(book: _Book, sheet: Sheet) -> tuple[int, bool]:
    """Write the records; how many there are on the page, and whether some found no room."""
    headings = _headings(sheet)
    book.page.freeze_panes(1, 0)
    for index, (text, width) in enumerate(headings):
        book.page.set_column(index, index, width)
        book.page.write_string(0, index, text, book.head)
    everything = _rows(sheet)
    written = 0
    for cells in islice(everything, MOST_ROWS):
        written += 1
        for index, value in enumerate(cells):
            _cell(book, written, index, value)
    if headings:
        book.page.autofilter(0, 0, written, len(headings) - 1)
    return written, next(everything, None) is not None


def _rows(sheet: Sheet) -> Iterator[Row]:
    for batch in sheet.batches():
        for row, place in zip(rows(batch, sheet.columns), _places(sheet, batch), strict=True):
            yield (*_worded(sheet.columns, row), *place)


def _worded(columns: tuple[SheetColumn, ...], row: Row) -> Iterator[Value | None]:
    for column, value in zip(columns, row, strict=True):
        if column.book is not None:
            yield word(column, value)
        yield value


def _places(sheet: Sheet, batch: gpd.GeoDataFrame) -> Iterator[Row]:
    if not sheet.spatial:
        yield from [()] * len(batch)
        return
    for x, y in shapely.get_coordinates(_on_surface(shapes(batch))).tolist():
        yield (None, None) if x != x else (x, y)


def _on_surface(found: Any) -> Any:
    points = shapely.point_on_surface(found)
    points[shapely.is_missing(points) | shapely.is_empty(points)] = shapely.Point(float("nan"), float("nan"))
    return points


def _cell(book: _Book, row: int, column: int, value: Value | None) -> None:
    page = book.page
    match value:
        case None:
            return
        case bool():
            page.write_string(row, column, "是" if value else "否")
        case dt.datetime() if value.date() >= _FIRST_DAY:
            page.write_datetime(row, column, value.astimezone(SHANGHAI).replace(tzinfo=None), book.moment)
        case dt.date() if not isinstance(value, dt.datetime) and value >= _FIRST_DAY:
            page.write_datetime(row, column, value, book.day)
        case int() if abs(value) < _MOST_EXACT:
            page.write_number(row, column, value)
        case float():
            page.write_number(row, column, value)
        case dt.date():
            page.write_string(row, column, value.isoformat())
        case _:
            page.write_string(row, column, str(value)[:_MOST_CHARACTERS])


def _explain(page: Worksheet, lines: list[tuple[str, str]], bold: CellFormat) -> None:
    page.set_column(0, 0, 16)
    page.set_column(1, 1, 100)
    for row, (name, text) in enumerate(lines):
        page.write_string(row, 0, name, bold)
        page.write_string(row, 1, text[:_MOST_CHARACTERS])


def _explanations(sheet: Sheet, written: int, *, left_out: bool) -> list[tuple[str, str]]:
    """What was asked, when, from whom, and whether this is all of it."""
    lines = [
        ("内容", f"{sheet.title.zh} / {sheet.title.en}"),
        ("问题", sheet.statement.zh),
        ("Question", sheet.statement.en),
        ("生成时间", sheet.made_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S（北京时间）")),
        ("行数", f"{written:,}"),
        ("是否完整", "已截断，并非全部 / cut off, there is more" if sheet.truncated else "全部 / complete"),
    ]
    if left_out:
        lines.append(("未写入", f"工作表最多 {MOST_ROWS:,} 行，其余未写入 / the rest does not fit into a worksheet"))
    if sheet.synthetic:
        lines.append(("数据性质", "合成演示数据，并非真实记录 / synthetic demo data, not real records"))
    if sheet.attribution is not None:
        lines.append(("数据来源", f"{sheet.attribution.zh} / {sheet.attribution.en}"))
    if sheet.spatial:
        lines.append(("坐标", "经纬度（WGS 84）；线、面为其上一点 / WGS 84; for lines and areas a point on them"))
    lines.append(("制作", "城图 Chengtu"))
    return lines
