"""GeoParquet 1.1, written one row group a batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq

from layers.export.arrow import GEOMETRY, arrow_batches, schema
from layers.export.sheet import Sheet
from layers.export.values import facts


def write(sheet: Sheet, path: Path) -> None:
    """One file in OGC:CRS84; types and bounds of the geometries stand in its foot, known once all are written.

    What the file says of itself is the JSON under the key `chengtu`; a sheet without geometry is plain Parquet.
    """
    types: set[str] = set()
    bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
    with pq.ParquetWriter(path, schema(sheet), compression="zstd") as writer:
        for batch, drawn in arrow_batches(sheet):
            writer.write_batch(batch)
            types |= _types(drawn)
            west, south, east, north = drawn.total_bounds
            bounds[:2] = np.fmin(bounds[:2], (west, south))  # fmin, fmax: a batch without geometries is NaN
            bounds[2:] = np.fmax(bounds[2:], (east, north))
        foot = {"chengtu": json.dumps(facts(sheet), ensure_ascii=False)}
        if sheet.spatial:
            foot["geo"] = json.dumps(_geo(types, bounds))
        writer.add_key_value_metadata(foot)


def _types(drawn: gpd.GeoSeries) -> set[str]:
    return {"LineString" if kind == "LinearRing" else kind for kind in drawn.geom_type.dropna().unique()}


def _geo(types: set[str], bounds: np.ndarray[Any, Any]) -> dict[str, Any]:
    # Without `crs` the specification means OGC:CRS84: degrees, longitude first.
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": sorted(types), "orientation": "counterclockwise"}
    if np.isfinite(bounds).all():
        column["bbox"] = bounds.tolist()
    return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
