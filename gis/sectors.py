"""Sectors of view: which way a place lies from a camera, how far, and whether a field of view holds it.

Azimuths are degrees clockwise from true north on the ellipsoid, from 0 up to 360; distances are geodesics in metres.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyproj
from numpy.typing import ArrayLike, NDArray

_GEOD: Final = pyproj.Geod(ellps="WGS84")
ALL_AROUND_DEG: Final = 360.0

Array = NDArray[np.float64]


def bearing_and_distance(
    from_lon: ArrayLike, from_lat: ArrayLike, lon: ArrayLike, lat: ArrayLike
) -> tuple[Array, Array]:
    """Azimuths and distances of places from other places; the azimuth from a place to itself is NaN."""
    places = np.stack(np.broadcast_arrays(*(np.asarray(each, dtype=float) for each in (from_lon, from_lat, lon, lat))))
    azimuth, _, away = _GEOD.inv(places[0], places[1], places[2], places[3])
    away = np.asarray(away, dtype=float)
    return np.where(away == 0.0, np.nan, np.mod(azimuth, 360.0)), away


def turned_deg(azimuth_deg: ArrayLike, heading_deg: ArrayLike) -> Array:
    """How far right of the heading a direction lies: from -180 (left) up to, but not including, 180."""
    difference = np.asarray(azimuth_deg, dtype=float) - np.asarray(heading_deg, dtype=float)
    return np.asarray(np.mod(difference + 180.0, 360.0) - 180.0)


def holds(
    *, azimuth_deg: ArrayLike, distance_m: ArrayLike, heading_deg: ArrayLike, hfov_deg: ArrayLike, range_m: ArrayLike
) -> NDArray[np.bool_]:
    """Whether sectors hold what lies in these directions so far away; both edges belong to them.

    What stands at the foot of a camera (its azimuth is NaN) is held; a sector of 360° needs no heading.
    """
    azimuth, hfov = np.asarray(azimuth_deg, dtype=float), np.asarray(hfov_deg, dtype=float)
    around = hfov >= ALL_AROUND_DEG
    known = around | ~(np.isnan(np.asarray(heading_deg, dtype=float)) | np.isnan(hfov))
    turned = np.abs(turned_deg(azimuth, heading_deg))
    near = np.asarray(distance_m, dtype=float) <= np.asarray(range_m, dtype=float)
    return np.asarray(near & known & (around | np.isnan(azimuth) | (turned <= hfov / 2.0)))
