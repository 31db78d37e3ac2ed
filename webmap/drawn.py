"""What of an answer a page has room for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.codes.books import Language
from layers.export.sheet import Sheet, SheetColumn
from layers.export.values import Value, rows, shapes, word

MOST_FEATURES: Final = 20_000
MOST_VERTICES: Final = 500_000
MOST_LISTED: Final = 5_000
_FINEST: Final = 1e-5  # degrees: about a metre
_COARSEST: Final = 0.05
_YES_NO: Final = {"zh": ("是", "否"), "en": ("yes", "no")}


@dataclass(frozen=True)
class Drawn:
    """The first records of an answer: values for colours, texts for cards, places where they have them.

    `unseen` records found no room, `nowhere` have no place to be drawn at.
    """

    table: pd.DataFrame
    cells: list[list[str | None]]
    shapes: np.ndarray[Any, Any]
    unseen: int
    nowhere: int
    simplified: bool

    @property
    def shown(self) -> int:
        """How many records are on the page."""
        return len(self.cells)


def drawn(sheet: Sheet, *, lang: Language) -> Drawn:
    """The records that the page has room for: 20,000 on a map, 5,000 in a table."""
    room = MOST_FEATURES if sheet.spatial else MOST_LISTED
    kept: list[pd.DataFrame] = []
    cells: list[list[str | None]] = []
    places: list[np.ndarray[Any, Any]] = []
    nowhere = 0
    for batch in sheet.batches():
        placed = _placed(batch) if sheet.spatial else batch
        some = placed.head(room - len(cells))
        nowhere += len(batch) - len(placed)
        kept.append(pd.DataFrame(some[[column.name for column in sheet.columns]]))
        cells += _texts(sheet.columns, some, lang)
        if sheet.spatial:
            places.append(shapes(some))
        if len(cells) == room:
            break
    geometries, simplified = light(np.concatenate(places) if places else np.array([], dtype=object))
    return Drawn(
        table=pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(),
        cells=cells,
        shapes=geometries,
        unseen=max(sheet.rows - len(cells) - nowhere, 0),
        nowhere=nowhere,
        simplified=simplified,
    )


def _placed(batch: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return batch[~(batch.geometry.isna() | batch.geometry.is_empty)]


def light(geometries: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], bool]:
    """The geometries with no more vertices than a page bears, and whether that took simplifying them."""
    tolerance = _FINEST
    found = geometries
    while shapely.get_num_coordinates(found).sum() > MOST_VERTICES and tolerance < _COARSEST:
        found = shapely.simplify(geometries, tolerance)
        tolerance *= 2
    return found, found is not geometries


def _texts(columns: tuple[SheetColumn, ...], batch: gpd.GeoDataFrame, lang: Language) -> list[list[str | None]]:
    return [
        [_text(column, value, lang) for column, value in zip(columns, row, strict=True)] for row in rows(batch, columns)
    ]


def _text(column: SheetColumn, value: Value | None, lang: Language) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return _YES_NO[lang][0 if value else 1]
        case float():
            return number_text(value)
        case dt.datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case dt.date():
            return value.isoformat()
        case _:
            meaning = word(column, value, lang)
            return str(value) if meaning is None else f"{meaning} {value}"


def number_text(number: float) -> str:
    """A number as people write it: whole ones without a point, others with at most three decimals."""
    return f"{number:.3f}".rstrip("0").rstrip(".")
