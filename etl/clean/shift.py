"""Is the declared frame the true one? Borders that a delivery repeats stand where they should only in the true frame.

Data of Chinese map services in GCJ-02 that are labelled WGS-84 stand about half a kilometre to the south-east; BD-09
about 1.2 km. Such a shift is the same everywhere, so it shows against known lines.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.frames import convert, distance_m

Numbers = NDArray[np.float64]
Texts = NDArray[np.object_]
Shapes = NDArray[np.object_]

_SAMPLE = 3_000
_NEAR_M = 1_800.0
_LEAST = 40
_M_PER_DEG = 111_320.0
SUSPECTS = ("GCJ-02", "BD-09")


@dataclass(frozen=True)
class Shift:
    """How far and in which direction data stand off when read as declared, and the frame in which they fit."""

    frame: str
    distance_m: float
    azimuth_deg: float
    before_m: float
    after_m: float
    points: int


def shift_of_lines(geometries: NDArray[np.object_], borders: shapely.Geometry) -> Shift | None:
    """The shift of boundaries read as lon, lat of WGS-84 against known borders; None where they fit or tell nothing.

    Found when most vertices lie near a known border, and their typical distance to it halves at least in another frame.
    """
    points = shapely.get_coordinates(geometries)
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < _LEAST:
        return None
    points = points[np.unique(np.linspace(0, len(points) - 1, _SAMPLE).astype(np.intp))]
    squeeze = float(np.cos(np.radians(np.median(points[:, 1]))))
    flat = shapely.transform(borders, lambda at: at * (squeeze * _M_PER_DEG, _M_PER_DEG))
    shapely.prepare(flat)
    given = _distances(points[:, 0], points[:, 1], flat, squeeze)
    near = given < _NEAR_M
    if near.mean() < 0.5 or near.sum() < _LEAST or np.median(given[near]) < 60.0:
        return None
    return _best(points[near, 0], points[near, 1], lambda x, y: _distances(x, y, flat, squeeze))


def shift_of_pairs(lon: Numbers, lat: Numbers, true_lon: Numbers, true_lat: Numbers) -> Shift | None:
    """The shift of points read as WGS-84 against the same things' known places; None where they fit or disagree."""
    known = np.isfinite(lon) & np.isfinite(true_lon)
    if known.sum() < _LEAST:
        return None
    there_x, there_y = true_lon[known], true_lat[known]
    given = distance_m(lon[known], lat[known], there_x, there_y)
    typical = float(np.median(given))
    # Things that moved go everywhere; a shift is the same for nearly all.
    if typical < 60.0 or float(np.mean(np.abs(given - typical) < 0.25 * typical)) < 0.7:
        return None
    return _best(lon[known], lat[known], lambda x, y: distance_m(x, y, there_x, there_y))


@dataclass(frozen=True)
class GridShift:
    """The frame in which points stand in the grids that the file names; the shares that do as declared, and in it."""

    frame: str
    before: float
    after: float


def shift_of_grids(lon: Numbers, lat: Numbers, named: Texts, grids: Callable[[Shapes], Texts]) -> GridShift | None:
    """The frame in which points agree much better with the grids that the file names than read as WGS-84, else None.

    `grids` tells in which grid each point stands. Points that fit in no frame tell nothing.
    """
    if len(lon) < _LEAST:
        return None
    before = float(np.mean(grids(shapely.points(lon, lat)) == named))
    best: GridShift | None = None
    for frame in SUSPECTS:
        after = float(np.mean(grids(shapely.points(*convert(lon, lat, source=frame))) == named))
        if after > 0.6 and after > before + 0.3 and (best is None or after > best.after):
            best = GridShift(frame, before, after)
    return best


def _best(lon: Numbers, lat: Numbers, distances: Callable[[Numbers, Numbers], Numbers]) -> Shift | None:
    before = float(np.median(distances(lon, lat)))
    found: Shift | None = None
    for frame in SUSPECTS:
        x, y = convert(lon, lat, source=frame)
        after = float(np.median(distances(x, y)))
        if after < before / 2 and (found is None or after < found.after_m):
            off, azimuth = _vector(x, y, lon, lat)
            found = Shift(frame, off, azimuth, before, after, len(lon))
    return found


def _vector(x: Numbers, y: Numbers, lon: Numbers, lat: Numbers) -> tuple[float, float]:
    """Typical distance in metres and azimuth in degrees from the true places to the given ones."""
    east = np.median((lon - x) * np.cos(np.radians(lat))) * _M_PER_DEG
    north = np.median(lat - y) * _M_PER_DEG
    return float(np.hypot(east, north)), float(np.degrees(np.arctan2(east, north)) % 360)


def _distances(lon: Numbers, lat: Numbers, flat: shapely.Geometry, squeeze: float) -> Numbers:
    at = shapely.points(lon * squeeze * _M_PER_DEG, lat * _M_PER_DEG)
    return np.asarray(shapely.distance(flat, at))
