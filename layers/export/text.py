"""CSV that spreadsheets open right and programs read without guessing."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import shapely

from layers.export.sheet import Sheet
from layers.export.values import Row, Value, about, rows, shapes

# What a spreadsheet may take for a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write(sheet: Sheet, path: Path) -> None:
    """A table with machine names in its first row: UTF-8 with a mark, so that Excel on a Chinese Windows reads it.

    Points have `lon` and `lat`, every geometry its `wkt`. The column `about` says in the first record what the table
    answers. Texts that a spreadsheet might run as a formula are led by an apostrophe.
    """
    names = [column.name for column in sheet.columns]
    places = [free(name, names) for name in ("lon", "lat", "wkt")] if sheet.spatial else []
    # The utf-8-sig codec writes the mark once.
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        table = csv.writer(out)
        table.writerow([*names, *places, free("about", names)])
        said = " / ".join(about(sheet))
        for batch in sheet.batches():
            for row, place in zip(rows(batch, sheet.columns), _places(sheet, batch), strict=True):
                table.writerow([*map(cell, row), *place, said])
                said = ""


def free(name: str, taken: list[str]) -> str:
    """The name, with as many underscores behind it as it needs to be unlike those that are taken."""
    while name in taken:
        name += "_"
    return name


def _places(sheet: Sheet, batch: gpd.GeoDataFrame) -> Iterator[Row]:
    if not sheet.spatial:
        yield from [()] * len(batch)
        return
    found = shapes(batch)
    texts = shapely.to_wkt(found, rounding_precision=-1)
    for lon, lat, text in zip(shapely.get_x(found), shapely.get_y(found), texts, strict=True):
        yield (lon, lat, text) if lon == lon else (None, None, text)  # NaN for all but points


def cell(value: Value | None) -> str | int | float | None:
    """A value as a cell of a CSV; a text that a spreadsheet might run as a formula is led by an apostrophe."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
