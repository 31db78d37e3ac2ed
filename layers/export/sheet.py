"""What an export writes: rows of declared columns in batches, and the words that say what they answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import geopandas as gpd

from layers.spec import FieldKind, Title


@dataclass(frozen=True)
class SheetColumn:
    """One column: `name` in machine formats, `title` in tables for people; `book` turns its codes into words."""

    name: str
    title: Title
    kind: FieldKind
    unit: str | None = None
    book: str | None = None


@dataclass(frozen=True)
class Sheet:
    """A finished answer to be written down.

    `batches()` yields GeoDataFrames of at most a few thousand rows with exactly the named columns and, where `spatial`,
    a last column `geometry` in EPSG:4326 (lon, lat; may hold None). It can be called again for another pass.
    """

    title: Title
    statement: Title
    columns: tuple[SheetColumn, ...]
    spatial: bool
    rows: int
    truncated: bool
    synthetic: bool
    made_at: dt.datetime
    batches: Callable[[], Iterator[gpd.GeoDataFrame]]
    attribution: Title | None = None
    colour_by: str | None = None


def of_exercise(sheet: Sheet, scenario: str | None) -> Sheet:
    """The same sheet, which says in its title and its statement of which exercise it is; None is reality."""
    if scenario is None:
        return sheet
    zh, en = f"【演练 {scenario}】", f"[Exercise {scenario}] "
    title = Title(zh + sheet.title.zh, en + sheet.title.en)
    return replace(sheet, title=title, statement=Title(zh + sheet.statement.zh, en + sheet.statement.en))
