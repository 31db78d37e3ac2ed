"""The formats that an answer can be written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from layers.export import excel, geojson, geopackage, geoparquet, text
from layers.export.sheet import Sheet


@dataclass(frozen=True)
class Format:
    """One format: its name in URLs, the end of its files' names, its media type, and who writes it.

    `write` makes the whole file at a path that ends in `suffix` and does not exist yet; it holds one batch in memory.
    """

    name: str
    suffix: str
    media_type: str
    write: Callable[[Sheet, Path], None]


_ALL: Final = (
    Format("geojson", ".geojson", "application/geo+json", geojson.write),
    Format("gpkg", ".gpkg", "application/geopackage+sqlite3", geopackage.write),
    Format("csv", ".csv", "text/csv; charset=utf-8", text.write),
    Format("xlsx", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", excel.write),
    Format("parquet", ".parquet", "application/vnd.apache.parquet", geoparquet.write),
)

FORMATS: Final[Mapping[str, Format]] = MappingProxyType({known.name: known for known in _ALL})
