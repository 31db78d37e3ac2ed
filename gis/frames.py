"""Coordinate frames: what a city's files are measured in, converted to and from lon, lat, and metres on the ellipsoid.

CGCS2000 (EPSG:4490) counts as equal to WGS-84 (EPSG:4326): they differ by less than 1 m, growing by about 3 cm a year.
GCJ-02 and BD-09 are the public reverse-engineered formulas; they stand within 1-2 m of the true, secret shift.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, cast, get_args

import numpy as np
import pyproj
import shapely
from numpy.typing import ArrayLike, NDArray

from gis.errors import OutsideFrame, UnknownFrame
from gis.tilegrid import Box

Frame = Literal[
    "EPSG:4326",
    "EPSG:4490",
    "EPSG:4549",
    "EPSG:4550",
    "EPSG:4528",
    "EPSG:4529",
    "EPSG:3857",
    "GCJ-02",
    "BD-09",
]
FRAMES: tuple[str, ...] = get_args(Frame)

# Outside this box the Chinese shifts are not applied at all.
SHIFTED = Box(72.004, 0.8293, 137.8347, 55.8271)

Array = NDArray[np.float64]
Pair = tuple[Array, Array]

_DEGREES = frozenset({"EPSG:4326", "EPSG:4490"})
# Spellings, after folding (see _fold), that the EPSG number alone does not tell.
_SPELLINGS: dict[str, Frame] = {
    **dict.fromkeys(("WGS84", "GPS", "CRS84", "OGCCRS84", "WORLDGEODETICSYSTEM1984", "GCSWGS1984"), "EPSG:4326"),
    **dict.fromkeys(("CGCS2000", "国家2000", "2000国家大地坐标系", "国家大地2000", "大地2000"), "EPSG:4490"),
    **dict.fromkeys(("CHINAGEODETICCOORDINATESYSTEM2000", "GCSCHINAGEODETICCOORDINATESYSTEM2000"), "EPSG:4490"),
    **dict.fromkeys(("CGCS20003DEGREEGAUSSKRUGERCM120E", "CGCS20003DEGREEGKCM120E"), "EPSG:4549"),
    **dict.fromkeys(("CGCS20003DEGREEGAUSSKRUGERCM123E", "CGCS20003DEGREEGKCM123E"), "EPSG:4550"),
    **dict.fromkeys(("CGCS20003DEGREEGAUSSKRUGERZONE40", "CGCS20003DEGREEGKZONE40"), "EPSG:4528"),
    **dict.fromkeys(("CGCS20003DEGREEGAUSSKRUGERZONE41", "CGCS20003DEGREEGKZONE41"), "EPSG:4529"),
    **dict.fromkeys(
        ("WEBMERCATOR", "WGS84PSEUDOMERCATOR", "WEB墨卡托", "WGS1984WEBMERCATORAUXILIARYSPHERE"), "EPSG:3857"
    ),
    **dict.fromkeys(("GOOGLEMERCATOR", "EPSG900913", "EPSG102100"), "EPSG:3857"),
    **dict.fromkeys(("GCJ02", "GCJ", "GCJ2", "火星坐标", "火星坐标系", "火星", "国测局", "国测局坐标"), "GCJ-02"),
    **dict.fromkeys(("高德", "高德坐标", "AMAP", "GAODE", "腾讯", "腾讯坐标", "TENCENT"), "GCJ-02"),
    **dict.fromkeys(("BD09", "BD9", "BD09LL", "BAIDU", "百度", "百度坐标", "百度坐标系"), "BD-09"),
}
# The way in which OGC services write a name: urn:ogc:def:crs:EPSG::4490, http://www.opengis.net/def/crs/EPSG/0/4490.
_LONG_NAME = re.compile(r"(?:urn:|https?://).*[:/]", re.IGNORECASE)
_NUMBER = re.compile(r"(?:(?:EPSG|ESRI)[\s:/]*)?(\d{4,6})", re.IGNORECASE)

# Small enough that the dozen work arrays of the shift formulas stay in the processor's cache.
_CHUNK = 16_384
_EARTH = pyproj.Geod(ellps="WGS84")


def _fold(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).upper()


def parse_frame(text: str) -> Frame:
    """Return the frame that a usual spelling means ("4490", "CGCS2000", "gcj02", "百度"), or raise UnknownFrame."""
    name = _LONG_NAME.sub("", unicodedata.normalize("NFKC", text).strip())
    if number := _NUMBER.fullmatch(name):
        name = f"EPSG:{number[1]}"
    if name in FRAMES:
        return cast(Frame, name)
    try:
        return _SPELLINGS[_fold(name)]
    except KeyError:
        raise UnknownFrame(text, FRAMES) from None


def convert(x: ArrayLike, y: ArrayLike, *, source: str, target: str = "EPSG:4326") -> Pair:
    """Return x (lon or easting) and y (lat or northing) in the target frame, in the common shape of the input.

    A pair with a NaN, or one that the target cannot express, becomes NaN, NaN. GCJ-02 and BD-09 are left
    alone outside the box SHIFTED; their inverses are exact to well under 1e-6 m. Raises UnknownFrame.
    """
    source_frame, target_frame = parse_frame(source), parse_frame(target)
    given_x, given_y = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
    flat_x, flat_y = given_x.ravel(), given_y.ravel()
    out_x, out_y = np.full(flat_x.shape, np.nan), np.full(flat_x.shape, np.nan)
    whole = np.flatnonzero(np.isfinite(flat_x) & np.isfinite(flat_y))
    for start in range(0, whole.size, _CHUNK):
        some = whole[start : start + _CHUNK]
        out_x[some], out_y[some] = _convert_whole(flat_x[some], flat_y[some], source_frame, target_frame)
    return out_x.reshape(given_x.shape), out_y.reshape(given_x.shape)


def convert_geometries(geoms: NDArray[np.object_], *, source: str, target: str = "EPSG:4326") -> NDArray[np.object_]:
    """Return shapely geometries in the target frame, without heights; None stays None."""

    def move(points: Array) -> Array:
        return np.column_stack(convert(points[:, 0], points[:, 1], source=source, target=target))

    # An array of one dimension at least: for a bare geometry shapely would hand back a bare geometry.
    moved: NDArray[np.object_] = shapely.transform(np.atleast_1d(np.asarray(geoms, dtype=object)), move)
    return moved


def area_of_use(frame: str) -> Box:
    """Return the lon, lat box in which to use a frame: the EPSG register's, or SHIFTED for GCJ-02 and BD-09."""
    return _area_of_use(parse_frame(frame))


def within_use(x: ArrayLike, y: ArrayLike, *, frame: str) -> NDArray[np.bool_]:
    """Tell which coordinates, given in the frame itself, lie in its area of use; NaN does not.

    A 3-degree zone measures badly far from its meridian: Qidong's east (lon > 121.5) is not in EPSG:4549.
    """
    lon, lat = convert(x, y, source=frame)
    area = area_of_use(frame)
    return np.asarray((lon >= area.west) & (lon <= area.east) & (lat >= area.south) & (lat <= area.north))


def metre_frame(lon: float) -> Frame:
    """Return the 3-degree zone (EPSG:4549 or 4550) whose area of use holds a longitude, or raise OutsideFrame."""
    zones: tuple[Frame, ...] = ("EPSG:4549", "EPSG:4550")
    for zone in zones:
        area = area_of_use(zone)
        if area.west <= lon <= area.east:
            return zone
    raise OutsideFrame(lon, zones)


def distance_m(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> NDArray[np.float64]:
    """Return the geodesic distances in metres, in the common shape of the input; NaN where a coordinate is NaN."""
    sides = np.broadcast_arrays(*(np.asarray(side, dtype=np.float64) for side in (lon1, lat1, lon2, lat2)))
    flat = np.stack([side.ravel() for side in sides])
    whole = np.isfinite(flat).all(axis=0)
    metres = np.full(whole.shape, np.nan)
    metres[whole] = _EARTH.inv(*flat[:, whole])[2]
    return metres.reshape(sides[0].shape)


def length_m(geoms: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the geodesic length in metres of each line (perimeter, holes included, of each polygon); NaN for None."""
    geoms = np.atleast_1d(np.asarray(geoms, dtype=object))
    chains, owner = _chains(geoms)
    points, chain = shapely.get_coordinates(chains, return_index=True)
    joined = chain[1:] == chain[:-1]
    start, end = points[:-1][joined], points[1:][joined]
    steps = distance_m(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    metres = np.bincount(owner[chain[1:][joined]], weights=steps, minlength=geoms.size)
    return np.where(shapely.is_missing(geoms), np.nan, metres)


def area_m2(geoms: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the geodesic area in square metres of each polygon, however its rings turn; 0 for others, NaN for None."""
    geoms = np.atleast_1d(np.asarray(geoms, dtype=object))
    parts, owner = shapely.get_parts(geoms, return_index=True)
    areal = shapely.get_dimensions(parts) == 2
    parts, owner = parts[areal], owner[areal]
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    bounds = np.searchsorted(ring, np.arange(rings.size + 1))
    lon, lat = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
    sizes = np.empty(rings.size)
    for i, (a, b) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
        sizes[i] = abs(_EARTH.polygon_area_perimeter(lon[a:b], lat[a:b])[0])
    # The first ring of a part is its shell, the rest are holes.
    hole = np.r_[False, part[1:] == part[:-1]][: rings.size]
    metres2 = np.bincount(owner[part], weights=np.where(hole, -sizes, sizes), minlength=geoms.size)
    return np.where(shapely.is_missing(geoms), np.nan, metres2)


@lru_cache(maxsize=len(FRAMES))
def _area_of_use(frame: Frame) -> Box:
    area = pyproj.CRS(frame).area_of_use if frame.startswith("EPSG:") else None
    return Box(area.west, area.south, area.east, area.north) if area else SHIFTED


@lru_cache(maxsize=len(FRAMES))
def _projection(frame: Frame) -> pyproj.Transformer:
    # From the frame's own datum, so that PROJ has no reason to look for a datum shift.
    base = "EPSG:4326" if frame == "EPSG:3857" else "EPSG:4490"
    return pyproj.Transformer.from_crs(base, frame, always_xy=True)


def _convert_whole(x: Array, y: Array, source: Frame, target: Frame) -> Pair:
    if source == target:
        return x, y
    return _from_degrees(*_to_degrees(x, y, source), target)


def _to_degrees(x: Array, y: Array, source: Frame) -> Pair:
    if source in _DEGREES:
        return x, y
    if source == "GCJ-02":
        return _where_shifted(_undo_gcj, x, y)
    if source == "BD-09":
        return _where_shifted(_undo_gcj, *_where_shifted(_undo_bd, x, y))
    return _project(x, y, source, "INVERSE")


def _from_degrees(lon: Array, lat: Array, target: Frame) -> Pair:
    if target in _DEGREES:
        return lon, lat
    if target == "GCJ-02":
        return _where_shifted(_gcj_of, lon, lat)
    if target == "BD-09":
        return _where_shifted(_bd_of, *_where_shifted(_gcj_of, lon, lat))
    return _project(lon, lat, target, "FORWARD")


def _project(x: Array, y: Array, frame: Frame, direction: Literal["FORWARD", "INVERSE"]) -> Pair:
    out_x, out_y = _projection(frame).transform(x, y, direction=direction)
    lost = ~(np.isfinite(out_x) & np.isfinite(out_y))
    return np.where(lost, np.nan, out_x), np.where(lost, np.nan, out_y)


def _where_shifted(step: Callable[[Array, Array], Pair], x: Array, y: Array) -> Pair:
    inside = (x >= SHIFTED.west) & (x <= SHIFTED.east) & (y >= SHIFTED.south) & (y <= SHIFTED.north)
    if inside.all():
        return step(x, y)
    out_x, out_y = x.copy(), y.copy()
    out_x[inside], out_y[inside] = step(x[inside], y[inside])
    return out_x, out_y


def _gcj_of(lon: Array, lat: Array) -> Pair:
    """Return GCJ-02 of WGS-84 by the public formula: a wavy offset in metres over the Krasovsky ellipsoid."""
    axis, ee, pi = 6378245.0, 0.00669342162296594323, np.pi
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    shared = 20.0 * np.sin(6.0 * pi * x) + 20.0 * np.sin(2.0 * pi * x)
    wave_y = shared + 20.0 * np.sin(pi * y) + 40.0 * np.sin(pi * y / 3.0)
    wave_y += 160.0 * np.sin(pi * y / 12.0) + 320.0 * np.sin(pi * y / 30.0)
    wave_x = shared + 20.0 * np.sin(pi * x) + 40.0 * np.sin(pi * x / 3.0)
    wave_x += 150.0 * np.sin(pi * x / 12.0) + 300.0 * np.sin(pi * x / 30.0)
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave_y * (2.0 / 3.0)
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave_x * (2.0 / 3.0)
    phi = np.radians(lat)
    m = 1.0 - ee * np.sin(phi) ** 2
    d_lat = np.degrees(north_m * m * np.sqrt(m) / (axis * (1.0 - ee)))
    d_lon = np.degrees(east_m * np.sqrt(m) / (axis * np.cos(phi)))
    return lon + d_lon, lat + d_lat


def _bd_of(lon: Array, lat: Array) -> Pair:
    """Return BD-09 of GCJ-02; the factor is 3000π/180 (a variant with π stands 2-10 m off)."""
    k = np.pi * 3000.0 / 180.0
    z = np.hypot(lon, lat) + 2e-5 * np.sin(lat * k)
    theta = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * k)
    return z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006


def _undo_gcj(lon: Array, lat: Array) -> Pair:
    return _undo(_gcj_of, lon, lat)


def _undo_bd(lon: Array, lat: Array) -> Pair:
    return _undo(_bd_of, lon, lat)


def _undo(shift: Callable[[Array, Array], Pair], lon: Array, lat: Array) -> Pair:
    """Return what `shift` moves to lon, lat, by fixed point: each round shrinks the error at least fiftyfold."""
    near_lon, near_lat = lon, lat
    # The bound is for lon = 105, where the formula's square root has a vertical tangent (the error there is < 1e-7 m).
    for _ in range(12):
        there_lon, there_lat = shift(near_lon, near_lat)
        left_lon, left_lat = lon - there_lon, lat - there_lat
        near_lon, near_lat = near_lon + left_lon, near_lat + left_lat
        if max(np.abs(left_lon).max(initial=0.0), np.abs(left_lat).max(initial=0.0)) < 1e-11:
            break
    return near_lon, near_lat


def _chains(geoms: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Return the single lines and rings of the geometries, and the position of the geometry that each belongs to."""
    parts, owner = shapely.get_parts(geoms, return_index=True)
    linear = shapely.get_dimensions(parts) == 1
    rings, part = shapely.get_rings(parts, return_index=True)
    chains = np.concatenate([parts[linear], rings])
    owners = np.concatenate([owner[linear], owner[part]])
    return chains, owners
