"""GeoJSON (RFC 7946), written record by record."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely

from layers.export.sheet import Sheet
from layers.export.values import facts, rows, shapes


def write(sheet: Sheet, path: Path) -> None:
    """One FeatureCollection in lon, lat; what the file says of itself stands beside the features as foreign members.

    A record that has an `id` bears it as the feature's id too; without geometry it is null, as the RFC has it.
    """
    with path.open("w", encoding="utf-8", newline="\n") as out:
        head = {"type": "FeatureCollection", **facts(sheet)}
        out.write(f'{_json(head)[:-1]},"features":[')
        written = 0
        for batch in sheet.batches():
            for feature in _features(sheet, batch):
                out.write(f"{',' if written else ''}\n{feature}")
                written += 1
        out.write(f'\n],"numberReturned":{written}}}\n')


def _features(sheet: Sheet, batch: gpd.GeoDataFrame) -> list[str]:
    names = [column.name for column in sheet.columns]
    records = [dict(zip(names, row, strict=True)) for row in rows(batch, sheet.columns)]
    drawn = shapely.to_geojson(shapes(batch)) if sheet.spatial else [None] * len(records)
    return [
        f'{{"type":"Feature",{_id(record)}"geometry":{geometry or "null"},"properties":{_json(record)}}}'
        for geometry, record in zip(drawn, records, strict=True)
    ]


def _id(record: dict[str, Any]) -> str:
    return f'"id":{_json(str(record["id"]))},' if record.get("id") is not None else ""


def _json(value: dict[str, Any] | str) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_time, allow_nan=False)


def _time(value: dt.date) -> str:
    return value.isoformat()
