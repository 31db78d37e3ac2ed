"""Files with shapes, read by GDAL: GeoJSON, GeoPackage, Shapefile, FileGDB, OSM extracts, and (Geo)Parquet."""

import json
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyproj
import shapely
from pyogrio._ogr import _register_drivers
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, GeometryError

from etl.errors import BadOption, ChoiceNeeded, CorruptFile, EmptyFile, TooLarge, UnknownFormat
from etl.findings import Finding
from etl.readers.shapefile import examine
from etl.readers.table import Limits, Progress, Table, unheard, unique_headers
from gis.errors import UnknownFrame
from gis.frames import parse_frame

Shape = Literal["Point", "MultiLineString", "MultiPolygon"]
GDAL_ERRORS = (DataSourceError, DataLayerError, FeatureError, GeometryError)

_DRIVERS = {
    **dict.fromkeys((".geojson", ".json", ".geojsonl", ".ndjson"), ("GeoJSON", "GeoJSONSeq", "ESRIJSON", "TopoJSON")),
    ".gpkg": ("GPKG",),
    ".shp": ("ESRI Shapefile",),
    ".gdb": ("OpenFileGDB",),
    **dict.fromkeys((".osm", ".pbf"), ("OSM",)),
    ".fgb": ("FlatGeobuf",),
}
SUFFIXES = (*_DRIVERS, ".parquet", ".geoparquet")
# GDAL tells formats by content, whatever a file is called, and some of them (VRT, GDALG, WFS) name other files, servers
# or commands, which are asked already when the file is opened. So GDAL forgets all but those that are read here, and a
# few that this program uses elsewhere and that hold nothing but themselves.
_HARMLESS = {"MEM", "MVT", "PMTiles"} | {driver for drivers in _DRIVERS.values() for driver in drivers}
pyogrio.set_gdal_config_options({"GDAL_SKIP": ",".join(sorted(set(pyogrio.list_drivers()) - _HARMLESS))})
_register_drivers()

_BROKEN = {".gpkg": "gpkg_broken", ".shp": "shp_broken", **dict.fromkeys((".geojson", ".json"), "geojson_broken")}
_OSM = (".osm", ".pbf")
_OSM_TABLES = {"Point": "points", "MultiLineString": "lines", "MultiPolygon": "multipolygons"}
# GDAL's fast index of nodes takes only files whose nodes are sorted; it says so with the name of this option.
_SLOW_INDEX = {"USE_CUSTOM_INDEXING": "NO"}
_OSM_TAG = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')


def read_vector(
    path: Path,
    *,
    table: str | None,
    shape: Shape | None,
    encoding: str | None,
    scratch: Path,
    limits: Limits,
    progress: Progress = unheard,
) -> Table:
    """One table of a file of shapes; `shape` tells which table of an OSM extract is meant."""
    suffix = path.suffix.lower()
    findings: tuple[Finding, ...] = ()
    options: dict[str, Any] = {}
    opened = path
    if suffix == ".shp":
        whole = examine(path, scratch, encoding=encoding)
        opened, findings, options = whole.path, whole.findings, {"encoding": whole.encoding}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GDAL's remarks; what matters is a finding or an error
        try:
            if suffix in _OSM:
                return _read_osm(path, table, shape, limits, progress)
            read = _read(path, opened, _chosen(path, opened, table), options, limits, progress)
        except UnicodeDecodeError as error:
            told = BadOption("--encoding", encoding or "", f"the texts of {path.name} are not in it")
            raise told.because("wrong_encoding", encoding=encoding or "UTF-8") from error
        except GDAL_ERRORS as error:
            cause = _BROKEN.get(suffix, "shapes_broken")
            raise CorruptFile(path, f"the file cannot be read ({error})").because(cause) from error
    return read.noting(*findings)


def read_parquet(path: Path, *, limits: Limits, progress: Progress = unheard) -> Table:
    """The rows of a Parquet file, with shapes where it is a GeoParquet."""
    try:
        schema = pq.ParquetFile(path)
        _check_size(path, schema.metadata.num_rows, len(schema.schema_arrow), limits)
        progress(0, schema.metadata.num_rows)
        if b"geo" in (schema.schema_arrow.metadata or {}):
            return _table(path, path.stem, gpd.read_parquet(path))
        frame = schema.read().to_pandas()
    except (pa.ArrowException, OSError, ValueError, KeyError, json.JSONDecodeError) as error:
        raise CorruptFile(path, f"the Parquet file cannot be read ({error})").because("parquet_broken") from error
    return _table(path, path.stem, frame)


def declared_frame(crs: Any) -> str | None:
    """The name of `gis.frames` for what a file declares, the WKT of another reference system, or None."""
    if crs is None:
        return None
    system = pyproj.CRS.from_user_input(crs)
    code = system.to_epsg(min_confidence=25)
    for text in (f"EPSG:{code}" if code else "", system.name):
        try:
            return parse_frame(text)
        except UnknownFrame:
            continue
    return str(system.to_wkt())


def _chosen(path: Path, opened: Path, table: str | None) -> str:
    listed = [(str(name), kind) for name, kind in pyogrio.list_layers(opened).tolist()]
    names = [name for name, _ in listed]
    if table is not None:
        if table not in names:
            missed = ChoiceNeeded(path, f"tables but none called {table}", option="--table", choices=names)
            raise missed.because("table_gone", table=table)
        return table
    shaped = [name for name, kind in listed if kind is not None] or names
    if not shaped:
        raise EmptyFile(path)
    if len(shaped) > 1:
        raise ChoiceNeeded(path, "tables", option="--table", choices=shaped).because("choose_table")
    return shaped[0]


def _read_osm(path: Path, table: str | None, shape: Shape | None, limits: Limits, progress: Progress) -> Table:
    """The table of an extract that is asked for or has the shape of the layer; what it leaves unread is told."""
    names = [str(name) for name, _ in pyogrio.list_layers(path).tolist()]
    options: dict[str, Any] = {}
    try:
        filled = [name for name in names if _has_rows(path, name, options)]
    except FeatureError as error:
        if "CUSTOM_INDEXING" not in str(error):
            raise
        options = _SLOW_INDEX
        filled = [name for name in names if _has_rows(path, name, options)]
    name = table or (_OSM_TABLES[shape] if shape else None)
    if name is None and len(filled) > 1:
        raise ChoiceNeeded(path, "tables", option="--table", choices=filled).because("choose_table")
    if name is not None and name not in names:
        missed = ChoiceNeeded(path, f"tables but none called {name}", option="--table", choices=filled)
        raise missed.because("table_gone", table=name)
    chosen = name or next(iter(filled), None)
    others = [other for other in filled if other != chosen]
    if chosen not in filled:
        there = f"; it has {', '.join(others)} (--table)" if others else ""
        told = f"the extract has no {chosen or 'shapes'}{there}"
        raise EmptyFile(path, told).because("osm_lacks", others="、".join(others))
    read = _with_tags(_read(path, path, chosen, options, limits, progress))
    if not others:
        return read
    text = f"only the table {chosen} was read; the extract also has {', '.join(others)}"
    return read.noting(Finding("tables_not_read", text, "warning", hint=f"--table {others[0]}"))


def _has_rows(path: Path, name: str, options: dict[str, Any]) -> bool:
    return len(pyogrio.read_dataframe(path, layer=name, max_features=1, **options)) > 0


def _read(path: Path, opened: Path, name: str, options: dict[str, Any], limits: Limits, progress: Progress) -> Table:
    info = pyogrio.read_info(opened, layer=name, **options)
    allowed = _DRIVERS[path.suffix.lower()]
    if info["driver"] not in allowed:
        told = f"its content is {info['driver']}, its name says {allowed[0]}"
        raise UnknownFormat(path, told).because("mismatch", ending=path.suffix.lower())
    _check_size(path, max(int(info["features"]), 0), len(info["fields"]), limits)
    count = int(info["features"])
    progress(0, count if count > 0 else None)
    arrow = path.suffix.lower() in (".gpkg", ".fgb", ".gdb")
    frame = pyogrio.read_dataframe(opened, layer=name, use_arrow=arrow, **options)
    if len(frame) == 0:
        raise EmptyFile(path)
    progress(len(frame), len(frame))
    return _table(path, name, frame)


def _check_size(path: Path, rows: int, columns: int, limits: Limits) -> None:
    if rows > limits.rows:
        raise TooLarge(path, "rows", found=rows, limit=limits.rows)
    if columns > limits.columns:
        raise TooLarge(path, "columns", found=columns, limit=limits.columns)


def _table(path: Path, name: str, frame: pd.DataFrame) -> Table:
    if len(frame) == 0:
        raise EmptyFile(path)
    rows = np.arange(1, len(frame) + 1, dtype=np.int64)
    geometry, declared = None, None
    columns: pd.DataFrame = frame
    if isinstance(frame, gpd.GeoDataFrame):
        geometry = np.asarray(frame.geometry.values, dtype=object)
        declared = declared_frame(frame.crs)
        columns = pd.DataFrame(frame.drop(columns=frame.geometry.name))
        if shapely.is_missing(geometry).all():
            geometry = None
    columns = columns.reset_index(drop=True)
    columns.columns = pd.Index(unique_headers([str(header) for header in columns.columns]))
    return Table(path, name, columns, rows, geometry=geometry, frame=declared)


def _with_tags(table: Table) -> Table:
    """The tags of an OSM extract that have no column of their own, as columns; rare ones together in one."""
    if "other_tags" not in table.columns:
        return table
    columns = table.columns.drop(columns="other_tags")
    tags: dict[str, dict[int, str]] = {}
    for position, text in enumerate(table.columns["other_tags"].tolist()):
        for key, value in _OSM_TAG.findall(text) if isinstance(text, str) else ():
            tags.setdefault(_plain(key), {})[position] = _plain(value)
    common = {key for key, values in tags.items() if key not in columns and len(values) * 1000 >= len(table)}
    further = {key: tags[key] for key in tags if key in common}
    rare: dict[int, list[str]] = {}
    for key in (key for key in tags if key not in common):
        for position, value in tags[key].items():
            rare.setdefault(position, []).append(f"{key}={value}")
    if rare:
        further["other_tags"] = {position: "; ".join(texts) for position, texts in rare.items()}
    made = {key: pd.Series(values, dtype="str").reindex(range(len(table))) for key, values in further.items()}
    joined = pd.concat([columns, pd.DataFrame(made, index=columns.index)], axis=1)
    return replace(table, columns=joined)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
