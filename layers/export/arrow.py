"""A sheet as a stream of Arrow batches with WKB geometries: what GeoParquet and GeoPackage are written from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import geopandas as gpd
import pyarrow as pa
import shapely

from layers.export.sheet import Sheet, SheetColumn
from layers.export.values import shapes, values
from layers.spec import FieldKind

GEOMETRY: Final = "geometry"

_TYPES: Final[dict[FieldKind, pa.DataType]] = {
    "text": pa.string(), "code": pa.string(), "integer": pa.int64(), "number": pa.float64(),
    "date": pa.date32(), "time": pa.timestamp("ms", tz="Asia/Shanghai"), "boolean": pa.bool_(),
}  # fmt: skip


def schema(sheet: Sheet) -> pa.Schema:
    """The columns by their kinds, with titles and units as metadata, then the geometry where there is one."""
    fields = [pa.field(column.name, _TYPES[column.kind], metadata=_described(column)) for column in sheet.columns]
    if sheet.spatial:
        fields.append(pa.field(GEOMETRY, pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"}))
    return pa.schema(fields)


def _described(column: SheetColumn) -> dict[str, str]:
    said = {"title_zh": column.title.zh, "title_en": column.title.en}
    return said if column.unit is None else {**said, "unit": column.unit}


def arrow_batches(sheet: Sheet) -> Iterator[tuple[pa.RecordBatch, gpd.GeoSeries]]:
    """Every batch as Arrow, with its geometries beside it (an empty series where the sheet has none)."""
    described = schema(sheet)
    for batch in sheet.batches():
        arrays = [
            pa.array(values(batch, column), type=_TYPES[column.kind], from_pandas=False) for column in sheet.columns
        ]
        drawn = gpd.GeoSeries(shapes(batch) if sheet.spatial else [], crs=4326)
        if sheet.spatial:
            arrays.append(pa.array(shapely.to_wkb(drawn.to_numpy()), type=pa.binary()))
        yield pa.RecordBatch.from_arrays(arrays, schema=described), drawn
