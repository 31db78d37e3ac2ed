"""Tile arithmetic of Web Mercator: which tile holds a place, what a tile covers, its number in a PMTiles archive."""

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gis.errors import BadBox, BadCoordinate, BadTile

# The largest zoom whose tile ids fit a signed 64-bit integer.
MAX_ZOOM = 30
# The latitude at which Web Mercator is as high as it is wide.
MAX_LAT = math.degrees(math.atan(math.sinh(math.pi)))
_HALF_M = math.pi * 6378137.0


class Tile(NamedTuple):
    """A tile address; y counts from the north."""

    z: int
    x: int
    y: int


class Box(NamedTuple):
    """A box in degrees (lon, lat) or, where a name says 3857, in Web Mercator metres."""

    west: float
    south: float
    east: float
    north: float


def check_lonlat(lon: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places as arrays of their common shape, or raise BadCoordinate for the first that is not on the globe."""
    lons, lats = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    good = (np.abs(lons) <= 180.0) & (np.abs(lats) <= 90.0)
    if not good.all():
        i = int(np.flatnonzero(~good)[0])
        raise BadCoordinate(i, (float(lons.flat[i]), float(lats.flat[i])))
    return lons, lats


def check_tile(z: int, x: int, y: int) -> Tile:
    """Return the tile of an address, or raise BadTile if the grid has none there."""
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z):
        raise BadTile((z, x, y), MAX_ZOOM)
    return Tile(z, x, y)


def tile_of(lon: float, lat: float, z: int) -> Tile:
    """Return the tile that holds a place; latitudes beyond MAX_LAT fall in the outermost row."""
    x, y = tiles_at(lon, lat, z=z)
    return Tile(z, int(x), int(y))


def tiles_at(lon: ArrayLike, lat: ArrayLike, *, z: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the tile columns x and rows y of many places, in the common shape; raise BadCoordinate or BadTile."""
    check_tile(z, 0, 0)
    x, y = _unit(*check_lonlat(lon, lat))
    last = (1 << z) - 1
    # clip: lon 180 and the pole would be one past the last tile.
    columns, rows = (np.clip(np.floor(at * (1 << z)), 0, last).astype(np.int64) for at in (x, y))
    return columns, rows


def bounds_3857(tile: Tile) -> Box:
    """Return the box of a tile in Web Mercator metres."""
    side = 2.0 * _HALF_M / (1 << tile.z)
    west, north = tile.x * side - _HALF_M, _HALF_M - tile.y * side
    return Box(west, north - side, west + side, north)


def bounds_lonlat(tile: Tile) -> Box:
    """Return the box of a tile in degrees."""
    n = 1 << tile.z
    return Box(
        tile.x / n * 360.0 - 180.0,
        _latitude((tile.y + 1) / n),
        (tile.x + 1) / n * 360.0 - 180.0,
        _latitude(tile.y / n),
    )


def tiles_of_box(box: Box, zooms: Iterable[int], *, margin: float = 64 / 4096) -> Iterator[Tile]:
    """Yield, zoom by zoom, every tile on which something in a lon, lat box may be drawn.

    `margin` is the buffer drawn around a tile as a fraction of its side. A box with west > east crosses the
    antimeridian. Raises BadBox or BadTile before the first tile.
    """
    sane = abs(box.west) <= 180.0 and abs(box.east) <= 180.0 and -90.0 <= box.south <= box.north <= 90.0
    if not sane:
        raise BadBox(box)
    levels = [check_tile(z, 0, 0).z for z in zooms]
    return (tile for z in levels for tile in _tiles_at_zoom(box, z, margin))


def parent(tile: Tile) -> Tile:
    """Return the tile one zoom up that holds a tile; raise BadTile for the world tile, which has none."""
    return check_tile(tile.z - 1, tile.x >> 1, tile.y >> 1)


def children(tile: Tile) -> tuple[Tile, Tile, Tile, Tile]:
    """Return the four tiles one zoom down (north-west, north-east, south-west, south-east); raise BadTile."""
    z, x, y = check_tile(tile.z + 1, tile.x * 2, tile.y * 2)
    return Tile(z, x, y), Tile(z, x + 1, y), Tile(z, x, y + 1), Tile(z, x + 1, y + 1)


@lru_cache(maxsize=1 << 16)
def tile_id(z: int, x: int, y: int) -> int:
    """Return the number of a tile in a PMTiles v3 archive: all lower zooms, then along the Hilbert curve.

    https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md
    """
    check_tile(z, x, y)
    along = 0
    for bit in reversed(range(z)):
        right, down = x >> bit & 1, y >> bit & 1
        along = along << 2 | (3 * right ^ down)
        if not down:
            x, y = _turn(x, y, flip=bool(right), bits=bit)
    return _first_id(z) + along


def tile_from_id(number: int) -> Tile:
    """Return the tile that a PMTiles v3 number stands for, or raise BadTile."""
    if not 0 <= number < _first_id(MAX_ZOOM + 1):
        raise BadTile(number, MAX_ZOOM)
    z = ((3 * number + 1).bit_length() - 1) // 2
    along, x, y = number - _first_id(z), 0, 0
    for bit in range(z):
        right = along >> 1 & 1
        down = (along & 1) ^ right
        if not down:
            x, y = _turn(x, y, flip=bool(right), bits=bit)
        x, y, along = x | right << bit, y | down << bit, along >> 2
    return Tile(z, x, y)


def _first_id(z: int) -> int:
    return ((1 << 2 * z) - 1) // 3


def _turn(x: int, y: int, *, flip: bool, bits: int) -> tuple[int, int]:
    """Swap x and y inside a square of 2^bits, mirrored if asked: the two turns of the Hilbert curve."""
    last = (1 << bits) - 1
    x, y = x & last, y & last
    return (last - y, last - x) if flip else (y, x)


def _unit(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Web Mercator from 0 to 1, from the west and from the north."""
    height = np.arctanh(np.sin(np.radians(np.clip(lat, -MAX_LAT, MAX_LAT))))
    return lon / 360.0 + 0.5, 0.5 - height / (2.0 * math.pi)


def _latitude(down: float) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * down))))


def _tiles_at_zoom(box: Box, z: int, margin: float) -> Iterator[Tile]:
    n = 1 << z
    x, y = _unit(np.array([box.west, box.east]), np.array([box.north, box.south]))
    west, east = (float(edge) for edge in x)
    top, bottom = max(0, math.floor(y[0] * n - margin)), min(n - 1, math.floor(y[1] * n + margin))
    first, last = math.floor(west * n - margin), math.floor((east + (box.west > box.east)) * n + margin)
    # A margin may reach over the antimeridian: columns wrap, and none is told twice.
    for column in range(first, min(last, first + n - 1) + 1):
        for row in range(top, bottom + 1):
            yield Tile(z, column % n, row)
