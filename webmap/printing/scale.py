"""How much of the ground goes on the paper: scales, zooms and scale bars of a map in Web Mercator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

# WGS-84: the map's sphere has its semi-major axis.
A_M: Final = 6_378_137.0
E2: Final = 0.00669437999014
TILE_PX: Final = 512
MOST_LAT: Final = 85.0
LARGEST, SMALLEST = 100, 10_000_000  # denominators
# A pixel of the map on paper: text of 12 pixels is 5 to 10 points.
_FINEST_MM, _COARSEST_MM = 0.15, 0.30
_LARGEST_MM = 2.0  # of a small screen on large paper
_LAST: Final = 0.99  # of the way to the next whole zoom
_MOST_ZOOM: Final = 22.0
_NICE: Final = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.5, 8.0, 10.0)


@dataclass(frozen=True)
class Frame:
    """A map on paper: the middle (degrees), 1:`scale` there, at which zoom it is drawn and how large a pixel is."""

    lon: float
    lat: float
    scale: float
    zoom: float
    pixel_mm: float


def ground_m(lat: float, zoom: float) -> float:
    """Metres from west to east on the ellipsoid in one pixel of the map."""
    radians = math.radians(lat)
    parallel_m = 2 * math.pi * A_M * math.cos(radians) / math.sqrt(1 - E2 * math.sin(radians) ** 2)
    return parallel_m / (TILE_PX * 2**zoom)


def framed(lon: float, lat: float, *, scale: float, seen_at: float) -> Frame:
    """The frame of a scale, drawn as near to the zoom at which someone saw the map as stays readable."""
    seen_mm = ground_m(lat, seen_at) * 1000 / scale
    return _at(lon, lat, scale, min(max(seen_mm, _FINEST_MM), _COARSEST_MM))


def fitted(bounds: tuple[float, float, float, float], *, width_mm: float, height_mm: float, seen_at: float) -> Frame:
    """The frame that shows the bounds (west, south, east, north in degrees) at a round scale.

    Whether cells or records are drawn depends on the whole number of the zoom, and stays as it was seen: what was seen
    on a very large screen therefore is cut at its edges rather than printed too small to read.
    """
    west, south, east, north = bounds
    low, high = mercator(south), mercator(north)
    lat = math.degrees(math.atan(math.sinh((low + high) / 2)))
    per_radian_m = ground_m(lat, 0) * TILE_PX / (2 * math.pi)
    across, up = math.radians(east - west) * per_radian_m, (high - low) * per_radian_m
    wanted = max(across * 1000 / width_mm, up * 1000 / height_mm, LARGEST)
    smallest = max(ground_m(lat, math.floor(seen_at)) * 1000 / _FINEST_MM, LARGEST)
    scale = min(rounded_up(wanted), rounded_down(smallest), SMALLEST)
    frame = framed((west + east) / 2, lat, scale=scale, seen_at=seen_at)
    if frame.zoom < math.floor(seen_at) + 1:
        return frame
    # Seen on a small screen: its pixels become larger ones.
    return _at(frame.lon, lat, scale, min(ground_m(lat, math.floor(seen_at) + _LAST) * 1000 / scale, _LARGEST_MM))


def _at(lon: float, lat: float, scale: float, pixel_mm: float) -> Frame:
    zoom = math.log2(ground_m(lat, 0) * 1000 / (scale * pixel_mm))
    if zoom > _MOST_ZOOM:
        return Frame(lon, lat, scale, _MOST_ZOOM, ground_m(lat, _MOST_ZOOM) * 1000 / scale)
    return Frame(lon, lat, scale, zoom, pixel_mm)


def mercator(lat: float) -> float:
    """The northing of a latitude on the unit sphere's map."""
    return math.asinh(math.tan(math.radians(max(-MOST_LAT, min(MOST_LAT, lat)))))


def rounded_up(scale: float) -> float:
    """The next denominator that people are used to: 1:25,000 rather than 1:23,841."""
    unit = 10 ** math.floor(math.log10(scale))
    return float(next(nice * unit for nice in _NICE if nice * unit >= scale * (1 - 1e-9)))


def rounded_down(scale: float) -> float:
    """The last such denominator that is not larger."""
    unit = 10 ** math.floor(math.log10(scale))
    return float(max(nice * unit for nice in _NICE if nice * unit <= scale * (1 + 1e-9)))


def bar(scale: float, *, most_mm: float) -> tuple[float, float]:
    """The longest scale bar of 1, 2 or 5 times a power of ten metres that has room: its metres and millimetres."""
    most_m = most_mm * scale / 1000
    unit = 10 ** math.floor(math.log10(most_m))
    metres = max(nice * unit for nice in (1, 2, 5) if nice * unit <= most_m * (1 + 1e-9))
    return metres, metres * 1000 / scale


def bar_text(metres: float) -> str:
    """`500 m`, `2 km`."""
    return f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
