"""What people ask for while they browse: screens of tiles, from the whole city down to a place, of several layers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import sqlalchemy as sa

from api.settings import City
from gis.tilegrid import Box, Tile, bounds_3857, bounds_lonlat, tile_of
from layers.ask.tile import Statement, making
from layers.catalog import built_in
from layers.spec import Layer

LAYERS = ("component", "video", "building", "road", "grid")
# A screen of 1920 by 1080 pixels shows so many tiles of 512.
_COLUMNS, _ROWS = 4, 3
_MOST_SCREENS = 500
_Z = 14
_SIDE_M = bounds_3857(Tile(_Z, 0, 0)).east - bounds_3857(Tile(_Z, 0, 0)).west


@dataclass(frozen=True)
class Asked:
    """One tile of one layer that somebody asks for."""

    layer: str
    z: int
    x: int
    y: int

    @property
    def path(self) -> str:
        return f"/tiles/{self.layer}/{self.z}/{self.x}/{self.y}.mvt"

    @property
    def declared(self) -> Layer:
        """The layer itself."""
        return built_in()[self.layer]

    @property
    def statement(self) -> Statement:
        """The very statement that the server prepares, with its values."""
        return next(making(self.declared, self.z, self.x, self.y))

    @property
    def of_records(self) -> bool:
        """Does the tile show records, and not cells that count them?"""
        return self.z >= self.declared.minzoom


def browsing(
    connection: sa.Connection, total: int, *, zooms: Sequence[int], layers: Sequence[str] = LAYERS
) -> list[Asked]:
    """About `total` requests in mixed order: visitors who zoom in on places where components are."""
    visits = (asked for spot in _spots(connection) for asked in _visit(spot, zooms, layers))
    # Whole visits: half of one would weigh its first zooms twice.
    each = sum(1 for _ in _visit(next(_spots(connection)), zooms, layers))
    chosen = list(islice(visits, max(each, total // each * each)))
    random.Random(1).shuffle(chosen)
    return chosen


def small_tiles(connection: sa.Connection, total: int, *, layer: str = "video") -> list[Asked]:
    """Tiles of z14 that hold between one and fifty records, in an order of chance."""
    found = sa.text(f"select x, y from ({_counted(layer)}) t where n between 1 and 50 order by md5(id) limit :total")
    return [Asked(layer, _Z, x, y) for x, y in connection.execute(found, {"total": total})]


def tiles_by_count(connection: sa.Connection, total: int, *, layer: str, near: int | None = None) -> list[Asked]:
    """Tiles of z14: those whose number of records is nearest to `near`, else those that hold most."""
    order = "-n" if near is None else "abs(n - :near)"
    found = sa.text(f"select x, y from ({_counted(layer)}) t order by {order}, id limit :total")
    return [Asked(layer, _Z, x, y) for x, y in connection.execute(found, {"total": total, "near": near})]


def _counted(layer: str) -> str:
    column, row = (
        f"floor((20037508.342789244 {sign} st_{axis}(geom3857)) / {_SIDE_M})::int" for sign, axis in ("+x", "-y")
    )
    return f"select {column} x, {row} y, count(*) n, min(id) id from city.{layer} group by 1, 2"


def _spots(connection: sa.Connection) -> Iterator[tuple[float, float]]:
    found = sa.text("select st_x(geom), st_y(geom) from city.component order by md5(id) limit :most")
    yield from ((lon, lat) for lon, lat in connection.execute(found, {"most": _MOST_SCREENS}))


def _visit(spot: tuple[float, float], zooms: Sequence[int], layers: Sequence[str]) -> Iterator[Asked]:
    for z in zooms:
        _, x, y = tile_of(*spot, z)
        for tile in _screen(Tile(z, x, y)):
            yield from (Asked(layer, *tile) for layer in layers)


def _screen(middle: Tile) -> Iterator[Tile]:
    """The tiles of a screen that lie in the city: maps do not ask for others."""
    z, x, y = middle
    for column in range(x - _COLUMNS // 2, x - _COLUMNS // 2 + _COLUMNS):
        for row in range(y - _ROWS // 2, y - _ROWS // 2 + _ROWS):
            tile = Tile(z, column, row)
            if _touch(bounds_lonlat(tile), Box(*City().bounds)):
                yield tile


def _touch(one: Box, other: Box) -> bool:
    return one.west <= other.east and other.west <= one.east and one.south <= other.north and other.south <= one.north
