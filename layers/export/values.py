"""The cells of a sheet as plain values, one Python type a kind, and what every file says of itself."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.codes.books import Language
from layers.export.sheet import Sheet, SheetColumn
from layers.spec import FieldKind, Title
from layers.words import book_of

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
DIGITS: Final = 7  # a centimetre on the ground

Value = str | int | float | bool | dt.date | dt.datetime
Row = tuple[Value | None, ...]


def _whole(value: Any) -> int | None:
    number = _finite(value)
    return None if number is None else int(value)


def _finite(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _day(value: Any) -> dt.date:
    if isinstance(value, str):
        return dt.date.fromisoformat(value)
    return value.date() if isinstance(value, dt.datetime) else value


def _moment(value: Any) -> dt.datetime:
    moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else pd.Timestamp(value).to_pydatetime()
    return moment.astimezone(SHANGHAI) if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


_READ: Final[dict[FieldKind, Callable[[Any], Value | None]]] = {
    "text": str, "code": str, "integer": _whole, "number": _finite, "date": _day, "time": _moment, "boolean": bool,
}  # fmt: skip


def values(batch: gpd.GeoDataFrame, column: SheetColumn) -> list[Value | None]:
    """The values of one column by its kind: times in Asia/Shanghai, None for whatever is missing or not finite."""
    read = _READ[column.kind]
    series = batch[column.name]
    return [None if gone else read(value) for value, gone in zip(series, series.isna(), strict=True)]


def rows(batch: gpd.GeoDataFrame, columns: tuple[SheetColumn, ...]) -> list[Row]:
    """The rows of a batch, each with the values of these columns."""
    if not columns:
        return [()] * len(batch)
    return list(zip(*(values(batch, column) for column in columns), strict=True))


def shapes(batch: gpd.GeoDataFrame) -> np.ndarray[Any, Any]:
    """The geometries of a batch in lon, lat to the centimetre, rings as RFC 7946 wants them, None where there is none.

    Coordinates are rounded as they stand: a precision grid would drop what is smaller than its cell.
    """
    found = batch.geometry.to_numpy()
    rounded = shapely.transform(found, lambda lonlat: np.round(lonlat, DIGITS))
    turned = shapely.orient_polygons(rounded)
    turned[shapely.is_missing(turned) | shapely.is_empty(turned)] = None
    return np.asarray(turned, dtype=object)


def word(column: SheetColumn, code: Value | None, lang: Language = "zh") -> str | None:
    """The word of a code in the column's book; None without a book, for no code, and for one that the book lacks."""
    if column.book is None or code is None:
        return None
    return _words(column.book, lang).get(str(code))


@cache
def _words(book: str, lang: Language) -> dict[str, str]:
    return {entry.code: entry.zh if lang == "zh" else entry.en for entry in book_of(book).entries}


def heading(column: SheetColumn, lang: Language = "zh") -> str:
    """The column's title with its unit."""
    text = column.title.zh if lang == "zh" else column.title.en
    if column.unit is None:
        return text
    return f"{text}（{column.unit}）" if lang == "zh" else f"{text} ({column.unit})"


def made_at(sheet: Sheet) -> str:
    """When the answer was made, RFC 3339 at +08:00."""
    return sheet.made_at.astimezone(SHANGHAI).isoformat(timespec="seconds")


def about(sheet: Sheet) -> Title:
    """One paragraph for formats that have one place for words: what, when, whether all of it, whether invented."""
    zh = [sheet.statement.zh, f"生成于 {made_at(sheet)}", f"共 {sheet.rows:,} 行"]
    en = [sheet.statement.en, f"made at {made_at(sheet)}", f"{sheet.rows:,} rows"]
    if sheet.truncated:
        zh.append("结果已截断，并非全部")
        en.append("cut off: there is more")
    if sheet.synthetic:
        zh.append("合成演示数据，并非真实记录")
        en.append("synthetic demo data, not real records")
    if sheet.attribution is not None:
        zh.append(f"来源：{sheet.attribution.zh}")
        en.append(f"source: {sheet.attribution.en}")
    return Title(" · ".join(zh), " · ".join(en))


def facts(sheet: Sheet) -> dict[str, Any]:
    """What a file says of itself, as JSON members."""
    said: dict[str, Any] = {
        "timeStamp": made_at(sheet),
        "title": sheet.title._asdict(),
        "statement": sheet.statement._asdict(),
        "truncated": sheet.truncated,
        "synthetic": sheet.synthetic,
    }
    if sheet.attribution is not None:
        said["attribution"] = sheet.attribution._asdict()
    return said
