"""An answer as a value: what was asked, in words and as JSON, and a sheet of rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import shapely
import sqlalchemy as sa

from layers.ask.catalogue import SYNTHETIC
from layers.export.sheet import Sheet, SheetColumn
from layers.spec import Field, Layer, Title
from layers.store.core import DELIVERY

BATCH: Final = 2_000
ID: Final = SheetColumn("id", Title("标识码", "Identifier"), "text")
DISTANCE: Final = SheetColumn("distance_m", Title("距离", "Distance"), "number", unit="m")


@dataclass(frozen=True)
class Answer:
    """A finished answer; `layers` are the names of all layers that it tells of, `asked` is the canonical question."""

    sheet: Sheet
    asked: dict[str, Any]
    layers: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """The rows of an answer before it is told: values in the order of the columns, shapes in lon, lat."""

    columns: tuple[SheetColumn, ...]
    rows: Sequence[Sequence[Any]]
    shapes: Sequence[shapely.Geometry | None] | None = None
    truncated: bool = False


def column_of(field: Field) -> SheetColumn:
    """A declared field as a column of a sheet."""
    return SheetColumn(field.name, field.title, field.kind, unit=field.unit, book=field.book)


def shapes_of(geometries: Iterable[bytes | memoryview | None]) -> list[shapely.Geometry | None]:
    """Shapes of WKB as the database sends it."""
    return list(shapely.from_wkb([None if wkb is None else bytes(wkb) for wkb in geometries]))


def sheet_of(found: Found, *, title: Title, statement: Title, synthetic: bool) -> Sheet:
    """The rows as a sheet, made now."""
    columns = {
        column.name: pd.Series([row[i] for row in found.rows], dtype=object) for i, column in enumerate(found.columns)
    }
    frame = gpd.GeoDataFrame(columns)
    if found.shapes is not None:
        frame = frame.set_geometry(gpd.GeoSeries(list(found.shapes), index=frame.index, crs="EPSG:4326"))
        frame = frame.rename_geometry("geometry") if frame.geometry.name != "geometry" else frame

    def batches() -> Iterator[gpd.GeoDataFrame]:
        for start in range(0, len(frame), BATCH):
            yield frame.iloc[start : start + BATCH]

    return Sheet(
        title=title,
        statement=statement,
        columns=found.columns,
        spatial=found.shapes is not None,
        rows=len(found.rows),
        truncated=found.truncated,
        synthetic=synthetic,
        made_at=dt.datetime.now(dt.UTC),
        batches=batches,
    )


def is_synthetic(connection: sa.Connection, layers: Iterable[Layer]) -> bool:
    """Whether any of the layers holds a delivery of synthetic records."""
    names = sorted({layer.name for layer in layers})
    delivered = sa.exists().where(
        DELIVERY.c.layer.in_(names), DELIVERY.c.source == SYNTHETIC, DELIVERY.c.undone_at.is_(None)
    )
    return bool(connection.scalar(sa.select(delivered)))
