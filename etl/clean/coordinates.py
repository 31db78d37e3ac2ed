"""From what a file says about places to lon, lat: shapes, columns of any frame, WKT; swapped and absent ones told."""

import re
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from etl.clean.extent import Extent, near_towns
from etl.clean.values import numbers_of, plain_text
from etl.errors import BadOption, Refused
from etl.findings import Finding, Rows
from etl.mapping import Mapping
from etl.readers.table import Table
from gis.errors import UnknownFrame
from gis.frames import area_of_use, convert, convert_geometries, parse_frame, within_use

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

_SAMPLE = 2_000
_METRE_FRAMES = ("EPSG:4549", "EPSG:4550", "EPSG:4528", "EPSG:4529", "EPSG:3857")
_DEGREE_FRAMES = ("EPSG:4326", "EPSG:4490", "GCJ-02", "BD-09")
_PAIR = r"([-+]?\d+(?:\.\d+)?)\s*[,，;\s]\s*([-+]?\d+(?:\.\d+)?)"
_DMS = (
    r"^\s*(?:北纬|南纬|东经|西经|[NSEWnsew])?\s*(\d{1,3})\s*[°度]\s*(?:(\d{1,2}(?:\.\d+)?)\s*['′’分])?"
    r"\s*(?:(\d{1,2}(?:\.\d+)?)\s*(?:[\"″”秒]|['′’]{2}))?\s*(?:[NSEWnsew])?\s*$"
)
_DECIMALS = re.compile(r"\.(\d+)\s*$")


@dataclass(frozen=True)
class Found:
    """Geometries in EPSG:4326, None where a row has none; `why` holds for those rows the code of the reason.

    `exchanged` tells which rows would lie in the area with their two coordinates in each other's place, and do not
    as they are.
    """

    geometry: Shapes
    why: NDArray[np.object_]
    frame: str
    precision: str
    findings: tuple[Finding, ...] = ()
    exchanged: Mask | None = None


def find_places(table: Table, mapping: Mapping, *, extent: Extent, frame: str | None, swap: bool) -> Found:
    """The place of every row that the file itself gives.

    `frame` (of the person or the recipe) outdoes what headers and file declare. Raises Refused for swapped coordinates
    without `swap`, and for metres in a frame that cannot be told.
    """
    declared = frame or mapping.frame or table.frame
    if table.geometry is not None:
        return _from_shapes(table.geometry, declared, extent, swap=swap, sure=frame is not None)
    if "wkt" in mapping.roles:
        shapes, bad = _parse_shapes(plain_text(table.columns[mapping.roles["wkt"]]))
        found = _from_shapes(shapes, declared, extent, swap=swap, sure=frame is not None)
        return replace(found, why=np.where(bad, "bad_coordinate", found.why))
    columns = _columns(table, mapping)
    if columns is None:
        nothing = np.full(len(table), None, dtype=object)
        return Found(nothing, np.full(len(table), "no_place", dtype=object), "EPSG:4326", "A")
    return _from_columns(*columns, declared, extent, swap=swap, sure=frame is not None)


def written_places(table: Table, mapping: Mapping, rows: Rows) -> "pd.Series[Any]":
    """What the file says about the place of some rows, as it is written (`32.0, 120.9`, WKT); null for nothing."""
    if table.geometry is not None:
        return pd.Series(shapely.to_wkt(table.geometry[rows], rounding_precision=8), dtype=object)
    one = mapping.roles.get("wkt") or mapping.roles.get("pair")
    if one is not None:
        return plain_text(table.columns[one].iloc[rows]).reset_index(drop=True).astype(object)
    for x, y in (("lon", "lat"), ("x", "y")):
        if x in mapping.roles and y in mapping.roles:
            pair = [table.columns[mapping.roles[role]].iloc[rows].reset_index(drop=True) for role in (x, y)]
            texts = [column.astype("str").where(column.notna(), "") for column in pair]
            return (texts[0] + ", " + texts[1]).where(pair[0].notna() | pair[1].notna(), None).astype(object)
    return pd.Series([None] * len(rows), dtype=object)


def known_frame(text: str) -> str:
    """The frame that an option or a recipe names: one of `gis.frames`, or the WKT of any system that PROJ knows."""
    try:
        return parse_frame(text)
    except UnknownFrame as error:
        try:
            return str(pyproj.CRS.from_user_input(text).to_wkt())
        except pyproj.exceptions.CRSError:
            raise BadOption("--frame", text, str(error)).because("unknown_frame", frame=text) from None


def _columns(table: Table, mapping: Mapping) -> "tuple[pd.Series[Any], pd.Series[Any]] | None":
    """The two columns of coordinates, x or lon first."""
    for x, y in (("lon", "lat"), ("x", "y")):
        if x in mapping.roles and y in mapping.roles:
            return table.columns[mapping.roles[x]], table.columns[mapping.roles[y]]
    if "pair" in mapping.roles:
        pair = plain_text(table.columns[mapping.roles["pair"]]).str.normalize("NFKC").str.extract(_PAIR)
        return pair[0], pair[1]
    return None


def _from_columns(
    first: "pd.Series[Any]", second: "pd.Series[Any]", declared: str | None, extent: Extent, *, swap: bool, sure: bool
) -> Found:
    x, y = _degrees_or_numbers(first), _degrees_or_numbers(second)
    given = first.notna().to_numpy() | second.notna().to_numpy()
    why = np.where(given, "bad_coordinate", "no_place").astype(object)
    if swap:
        x, y = y, x
    null_island = (np.abs(x) < 1e-6) & (np.abs(y) < 1e-6)
    why[null_island] = "null_island"
    x, y = np.where(null_island, np.nan, x), np.where(null_island, np.nan, y)
    frame, turned, findings = _frame(x, y, declared, extent, sure=sure)
    if turned:
        x, y = y, x
    if frame in _DEGREE_FRAMES:
        _refuse_swapped(x, y, frame, extent, swapped_already=swap)
    findings += _beyond_use(x, y, frame)
    lon, lat = _lonlat(x, y, frame)
    usable = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    geometry: Shapes = np.full(len(x), None, dtype=object)
    geometry[usable] = shapely.points(lon[usable], lat[usable])
    why[usable] = None
    findings += _null_islands(int(null_island.sum()))
    precision = _precision(first) if frame in _DEGREE_FRAMES else "A"
    exchanged = _fits_exchanged(x, y, frame, extent)
    return Found(geometry, why, frame, _worse(precision, frame), tuple(findings), exchanged)


def _degrees_or_numbers(column: "pd.Series[Any]") -> Numbers:
    """Numbers of a column; where its text is degrees, minutes and seconds, decimal degrees."""
    numbers = numbers_of(column).to_numpy(dtype=np.float64, copy=True)
    left = np.flatnonzero(np.isnan(numbers) & column.notna().to_numpy())
    if left.size:
        text = plain_text(column.iloc[left]).str.normalize("NFKC")
        parts = text.str.extract(_DMS).astype("float64")
        degrees = parts[0] + parts[1].fillna(0) / 60 + parts[2].fillna(0) / 3600
        south = text.str.contains(r"[SWsw]|南纬|西经", regex=True).fillna(False)
        numbers[left] = degrees.where(~south, -degrees).to_numpy()
    return numbers


def _from_shapes(shapes: Shapes, declared: str | None, extent: Extent, *, swap: bool, sure: bool) -> Found:
    why: NDArray[np.object_] = np.full(len(shapes), None, dtype=object)
    why[shapely.is_missing(shapes) | shapely.is_empty(shapes)] = "no_place"
    given = shapely.transform(shapes, lambda at: at[:, ::-1]) if swap else shapes.copy()
    null_island = (np.abs(shapely.get_x(given)) < 1e-6) & (np.abs(shapely.get_y(given)) < 1e-6)
    why[null_island] = "null_island"
    given[null_island] = None
    at = shapely.get_coordinates(given)
    at = at[np.isfinite(at).all(axis=1)]
    frame, turned, findings = _frame(at[:, 0], at[:, 1], declared, extent, sure=sure)
    if turned:
        given = shapely.transform(given, lambda points: points[:, ::-1])
    if frame in _DEGREE_FRAMES and len(at):
        _refuse_swapped(at[:, 0], at[:, 1], frame, extent, swapped_already=swap)
    findings += _beyond_use(*((at[:, 1], at[:, 0]) if turned else (at[:, 0], at[:, 1])), frame)
    if frame in (*_METRE_FRAMES, *_DEGREE_FRAMES):
        moved = given if frame in ("EPSG:4326", "EPSG:4490") else convert_geometries(given, source=frame)
    else:
        moved = shapely.transform(given, lambda points: np.column_stack(_lonlat(points[:, 0], points[:, 1], frame)))
    findings += _null_islands(int(null_island.sum()))
    exchanged = _fits_exchanged(shapely.get_x(given), shapely.get_y(given), frame, extent)
    return Found(moved, why, frame, _worse("A", frame), tuple(findings), exchanged)


def _parse_shapes(text: "pd.Series[Any]") -> tuple[Shapes, Mask]:
    """Shapes of WKT, EWKT, hexadecimal WKB or GeoJSON, and where a text is none of these."""
    plain = text.str.replace(r"^SRID=\d+;", "", regex=True).to_numpy(dtype=object, copy=True)
    plain[np.asarray(pd.isna(plain))] = None
    first = next((str(t).lstrip()[:1] for t in plain if t is not None), "P")
    parse = shapely.from_geojson if first == "{" else shapely.from_wkb if first in "01" else shapely.from_wkt
    shapes: Shapes = parse(plain, on_invalid="ignore")
    return shapes, np.asarray(shapely.is_missing(shapes) & (plain != None))  # noqa: E711  (element by element)


def _frame(
    x: Numbers, y: Numbers, declared: str | None, extent: Extent, *, sure: bool
) -> tuple[str, bool, list[Finding]]:
    """The frame of the numbers, whether x and y stand the other way round, and what there is to say."""
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    metres = bool(known.size and np.median(np.maximum(np.abs(x[known]), np.abs(y[known]))) > 400)
    if declared is not None and (sure or not metres or declared not in _DEGREE_FRAMES):
        if not metres or declared in _DEGREE_FRAMES:
            return declared, False, []
        return declared, _turned(x[known], y[known], declared, extent), []
    if not metres:
        return declared or "EPSG:4326", False, []
    sample = known[np.unique(np.linspace(0, known.size - 1, _SAMPLE).astype(np.intp))]
    x, y = x[sample], y[sample]
    frame, turned = max(product(_METRE_FRAMES, (False, True)), key=lambda pick: _share(x, y, extent, *pick))
    if _share(x, y, extent, frame, turned) < 0.5:
        told = "the coordinates are in metres of a frame that cannot be told"
        raise Refused(told, hint="name it with --frame").because("metres_unknown")
    text = f"the coordinates fit {frame}" + (", x being the northing as surveyors write it" if turned else "")
    if declared is not None:
        text = f"the file says {declared}, but {text}"
    return frame, turned, [Finding("frame_told", text, "warning")]


def _turned(x: Numbers, y: Numbers, frame: str, extent: Extent) -> bool:
    """Tell whether metres of a frame lie in the area only with x and y exchanged, as surveyors write them."""
    if frame not in _METRE_FRAMES:
        return False
    sample = np.unique(np.linspace(0, len(x) - 1, _SAMPLE).astype(np.intp))
    x, y = x[sample], y[sample]
    return _share(x, y, extent, frame, True) > 0.5 > _share(x, y, extent, frame, False)


def _share(x: Numbers, y: Numbers, extent: Extent, frame: str, turned: bool) -> float:
    lon, lat = _lonlat(y, x, frame) if turned else _lonlat(x, y, frame)
    return float(extent.holds(lon, lat).mean())


def _refuse_swapped(x: Numbers, y: Numbers, frame: str, extent: Extent, *, swapped_already: bool) -> None:
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if known.size == 0:
        return
    sample = known[np.unique(np.linspace(0, known.size - 1, _SAMPLE).astype(np.intp))]
    x, y = x[sample], y[sample]
    right, wrong = extent.holds(*_lonlat(x, y, frame)).mean(), extent.holds(*_lonlat(y, x, frame)).mean()
    where = f"in {extent.name}"
    if extent.name == "world" or max(right, wrong) < 0.1:
        # In no way does the file lie in the area: at least it should lie where people live.
        right, wrong = near_towns(*_lonlat(x, y, frame)), near_towns(*_lonlat(y, x, frame))
        where = "near towns"
    if right < 0.1 and wrong > 0.5:
        share = f"{wrong:.0%} of the points lie {where} with latitude and longitude swapped, {right:.0%} as they are"
        hint = "leave out --swap" if swapped_already else "load with --swap to swap them"
        cause = "swapped_twice" if swapped_already else "swapped"
        raise Refused(f"latitude and longitude are swapped: {share}", hint=hint).because(cause, share=f"{wrong:.0%}")


def _fits_exchanged(x: Numbers, y: Numbers, frame: str, extent: Extent) -> Mask | None:
    """Which rows lie in the area only with latitude and longitude in each other's place; None where none can."""
    if frame not in _DEGREE_FRAMES:
        return None
    exchanged = extent.holds(*_lonlat(y, x, frame))
    at = np.flatnonzero(exchanged)
    exchanged[at] = ~extent.holds(*_lonlat(x[at], y[at], frame))
    return exchanged


def _lonlat(x: Numbers, y: Numbers, frame: str) -> tuple[Numbers, Numbers]:
    if frame in ("EPSG:4326", "EPSG:4490"):
        return x, y
    if frame in (*_METRE_FRAMES, *_DEGREE_FRAMES):
        return convert(x, y, source=frame)
    system = pyproj.Transformer.from_crs(frame, "EPSG:4326", always_xy=True)
    lon, lat = system.transform(x, y)
    lost = ~(np.isfinite(lon) & np.isfinite(lat))
    return np.where(lost, np.nan, lon), np.where(lost, np.nan, lat)


def _beyond_use(x: Numbers, y: Numbers, frame: str) -> list[Finding]:
    """Say how many points a metre frame was not made for: it measures badly far from its meridian."""
    if frame not in _METRE_FRAMES:
        return []
    count = int((np.isfinite(x) & np.isfinite(y) & ~within_use(x, y, frame=frame)).sum())
    if not count:
        return []
    area = area_of_use(frame)
    text = f"{count:,} points lie outside {area.west:g}°-{area.east:g}°, where {frame} is meant to be used"
    return [Finding("beyond_use", text, "warning", count=count)]


def _null_islands(count: int) -> list[Finding]:
    if not count:
        return []
    text = f"{count:,} records stand at (0, 0), which counts as absent"
    return [Finding("null_island", text, "warning", count=count)]


def _precision(column: "pd.Series[Any]") -> str:
    """The precision class that the number of decimals of degrees allows: 5 are about a metre, 4 about ten."""
    sample = column.dropna().head(_SAMPLE).astype("str")
    decimals = [len(found[1]) for text in sample.tolist() if (found := _DECIMALS.search(text))]
    most = max(decimals, default=0)
    return "A" if most >= 5 else "B" if most == 4 else "C"


def _worse(precision: str, frame: str) -> str:
    # The public formulas of the shifted frames stand within 1-2 m of the secret ones.
    return max(precision, "B") if frame in ("GCJ-02", "BD-09") else precision
