"""The drawing plane of the demo city: metres east and north of 121°E, 32.2°N.

An affine map keeps straight lines straight, so that areas cut in the plane still meet without gaps in degrees; lengths
are true within 0.7 % inside the city, which is enough to draw with. What is published is measured by `gis.measure`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Shapes = NDArray[np.object_]
Texts = NDArray[np.object_]

GRAIN_M = 0.001
"""All areas are cut on a lattice of this size, so that neighbours compute the very same corners."""

_LON, _LAT = 121.0, 32.2
# Length of a degree on the WGS-84 ellipsoid at 32.2°N: by the meridian's and the parallel's radius of curvature.
_E2 = 0.00669437999014
_W = float(np.sqrt(1.0 - _E2 * np.sin(np.radians(_LAT)) ** 2))
_NORTH_M = float(np.radians(1.0)) * 6378137.0 * (1.0 - _E2) / _W**3
_EAST_M = float(np.radians(1.0) * np.cos(np.radians(_LAT))) * 6378137.0 / _W


def on_plane(lon: ArrayLike, lat: ArrayLike) -> Array:
    """Return (n, 2) metres east and north of the origin."""
    east = (np.atleast_1d(np.asarray(lon, dtype=np.float64)) - _LON) * _EAST_M
    north = (np.atleast_1d(np.asarray(lat, dtype=np.float64)) - _LAT) * _NORTH_M
    return np.column_stack([east, north])


def lon_lat(points: Array) -> Array:
    """Return (n, 2) lon, lat of points in the plane."""
    return np.column_stack([points[:, 0] / _EAST_M + _LON, points[:, 1] / _NORTH_M + _LAT])


def shapes_on_plane(shapes: Shapes) -> Shapes:
    """Return geometries in lon, lat drawn in the plane."""
    moved: Shapes = shapely.transform(np.atleast_1d(shapes), lambda p: on_plane(p[:, 0], p[:, 1]))
    return moved


def shapes_lon_lat(shapes: Shapes) -> Shapes:
    """Return geometries of the plane in lon, lat."""
    moved: Shapes = shapely.transform(np.atleast_1d(shapes), lon_lat)
    return moved


def points_lon_lat(points: Array) -> Shapes:
    """Return points of the plane as geometries in lon, lat, rounded to 1e-7 degrees (1 cm)."""
    made: Shapes = shapely.points(np.round(lon_lat(points), 7))
    return made


def shape_array(shapes: list[Any]) -> Shapes:
    """Return a one-dimensional array of geometries."""
    out = np.empty(len(shapes), dtype=object)
    out[:] = shapes
    return out


def owner_of(points: Array, areas: Shapes) -> Numbers:
    """Return the position of the first area that covers each (n, 2) point, -1 where none does."""
    return owner_in(points, shapely.STRtree(areas))


def owner_in(points: Array, areas: shapely.STRtree) -> Numbers:
    """The same for areas that are asked again and again: in their tree."""
    owner = np.full(len(points), -1, dtype=np.int64)
    point, area = areas.query(shapely.points(points), predicate="intersects")
    # Later writes win: go backwards, so that the first area of a point on a border stays.
    order = np.lexsort((-area, point))
    owner[point[order]] = area[order]
    return owner


def nearest_of(points: Array, seeds: Array) -> Numbers:
    """Return the position of the nearest of the (m, 2) seeds to each (n, 2) point."""
    found: Numbers = shapely.STRtree(shapely.points(seeds)).nearest(shapely.points(points)).astype(np.int64)
    return found
