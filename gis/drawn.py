"""On which tiles a geometry is drawn: exactly, at every zoom, so that a change touches those tiles and no other.

Tiles are numbers here (`pack`), since sets of a hundred thousand of them are kept and compared. Where a geometry lies
on very many tiles of a zoom, the tiles above them are named instead, together with all that lies under them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.tilegrid import MAX_LAT, Tile

MOST_TILES = 2_000
_POINTS_AT_ONCE = 4_096
# On the very edge of a tile's buffer the last bit of a coordinate decides: it is counted in.
_EDGE = 1e-9
_Int = NDArray[np.int64]


@dataclass
class Drawn:
    """Packed tiles, and packed tiles that stand for themselves and everything under them."""

    keys: set[int] = field(default_factory=set)
    under: set[int] = field(default_factory=set)

    def __contains__(self, key: int) -> bool:
        return key in self.keys or (bool(self.under) and any(up in self.under for up in _upwards(key)))

    def __len__(self) -> int:
        return len(self.keys) + len(self.under)

    def update(self, other: Drawn) -> None:
        """Add all of another."""
        self.keys |= other.keys
        self.under |= other.under


def pack(z: int, x: int, y: int) -> int:
    """One number for a tile (z < 24)."""
    return z << 48 | x << 24 | y


def unpack(key: int) -> Tile:
    """The tile of a number."""
    return Tile(key >> 48, key >> 24 & 0xFFFFFF, key & 0xFFFFFF)


def _upwards(key: int) -> Iterable[int]:
    z, x, y = unpack(key)
    return (pack(z - up, x >> up, y >> up) for up in range(z + 1))


def drawn(shapes: NDArray[np.object_], zooms: range, *, margin: float) -> Drawn:
    """The tiles on which lon, lat geometries are drawn at each zoom; `margin` is a tile's buffer in sides of a tile.

    Edges are straight in Web Mercator, as they are drawn. None and empty geometries are drawn nowhere.
    """
    found = Drawn()
    if not zooms:
        return found
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    flat = shapely.transform(shapes, _unit)
    points = shapely.get_type_id(flat) == shapely.GeometryType.POINT
    if points.any():
        found.keys |= _of_points(shapely.get_coordinates(flat[points]), zooms, margin + _EDGE)
    for shape in flat[~points]:
        found.update(_of_shape(shape, zooms, margin + _EDGE))
    return found


def _unit(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Web Mercator from 0 to 1, from the west and from the north."""
    height = np.arctanh(np.sin(np.radians(np.clip(lonlat[:, 1], -MAX_LAT, MAX_LAT))))
    return np.column_stack([lonlat[:, 0] / 360.0 + 0.5, 0.5 - height / (2.0 * math.pi)])


def _of_points(xy: NDArray[np.float64], zooms: range, margin: float) -> set[int]:
    keys: set[int] = set()
    z = np.arange(zooms.start, zooms.stop, dtype=np.int64)[:, None, None]
    n = np.int64(1) << z
    # All zooms and all corners of the buffer at once: changes mostly come one by one, and each array costs its time.
    dx, dy = (np.array(side)[None, :, None] * margin for side in ((-1, -1, 1, 1), (-1, 1, -1, 1)))
    for start in range(0, len(xy), _POINTS_AT_ONCE):
        some = xy[start : start + _POINTS_AT_ONCE]
        x, y = np.floor(some[:, 0] * n + dx).astype(np.int64), np.floor(some[:, 1] * n + dy).astype(np.int64)
        inside = (x >= 0) & (x < n) & (y >= 0) & (y < n)
        keys.update((z << 48 | x << 24 | y)[inside].tolist())
    return keys


def _of_shape(shape: shapely.Geometry, zooms: range, margin: float) -> Drawn:
    """Down from the few tiles of its box: what a tile does not show, none under it shows."""
    found = Drawn()
    shapely.prepare(shape)
    first = zooms.start
    while first and _width(shape.bounds, first) > MOST_TILES:
        first -= 1
    x, y = _of_box(shape.bounds, first, margin)
    for z in range(first, zooms.stop):
        n = 1 << z
        boxes = shapely.box((x - margin) / n, (y - margin) / n, (x + 1 + margin) / n, (y + 1 + margin) / n)
        touched = shapely.intersects(shape, boxes)
        x, y = x[touched], y[touched]
        if len(x) * 4 > MOST_TILES and z < zooms.stop - 1:
            found.under.update(_packed(z, x, y))
            return found
        if z in zooms:
            found.keys.update(_packed(z, x, y))
        x = np.concatenate([x * 2, x * 2 + 1, x * 2, x * 2 + 1])
        y = np.concatenate([y * 2, y * 2, y * 2 + 1, y * 2 + 1])
    return found


def _width(box: tuple[float, float, float, float], z: int) -> float:
    """About how many tiles of a zoom a box of Web Mercator from 0 to 1 lies on."""
    west, north, east, south = box
    return ((east - west) * (1 << z) + 1) * ((south - north) * (1 << z) + 1)


def _of_box(box: tuple[float, float, float, float], z: int, margin: float) -> tuple[_Int, _Int]:
    n = 1 << z
    west, north, east, south = (
        math.floor(edge * n + side * margin) for edge, side in zip(box, (-1, -1, 1, 1), strict=True)
    )
    columns, rows = np.arange(max(0, west), min(n - 1, east) + 1), np.arange(max(0, north), min(n - 1, south) + 1)
    x, y = np.meshgrid(columns, rows)
    return x.ravel().astype(np.int64), y.ravel().astype(np.int64)


def _packed(z: int, x: _Int, y: _Int) -> list[int]:
    packed: list[int] = (z << 48 | x << 24 | y).tolist()
    return packed
