"""What stands before a camera: buildings and named things within its sector, by direction and distance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
import sqlalchemy as sa

from gis.sectors import bearing_and_distance, holds, turned_deg
from layers.ask.nearby import around
from layers.ask.reach import boxed
from layers.ask.seen import STOREY_M
from layers.ask.sight import COLUMNS
from layers.errors import UnknownItem
from layers.spec import Layer

FARTHEST_M: Final = 500.0
_MOST_BUILDINGS: Final = 60
_MOST_NAMED: Final = 8


@dataclass(frozen=True)
class Block:
    """A building between two directions (degrees right of the heading); `height_m` is None where nobody recorded it."""

    left_deg: float
    right_deg: float
    distance_m: float
    height_m: float | None


@dataclass(frozen=True)
class Thing:
    """Something with a name in one direction, in degrees right of the heading."""

    name: str
    turned_deg: float
    distance_m: float


@dataclass(frozen=True)
class View:
    """A camera and what stands in its sector, farthest first; nothing where its direction is not known."""

    id: str
    name: str | None
    status: str | None
    source: str
    heading_deg: float | None
    hfov_deg: float | None
    mount_height_m: float | None
    blocks: tuple[Block, ...]
    things: tuple[Thing, ...]


def in_view(
    connection: sa.Connection, id: str, *, cameras: Layer, buildings: Layer | None, named: Sequence[Layer]
) -> View:
    """What stands before the camera with this id, up to FARTHEST_M; UnknownItem when there is none."""
    table = cameras.table.c
    wanted = [table[name] for name in ("id", "name", "status", "source", "mount_height_m", *COLUMNS)]
    place = (sa.func.st_x(table.geom).label("lon"), sa.func.st_y(table.geom).label("lat"))
    row = connection.execute(sa.select(*wanted, *place).where(table.id == id)).mappings().one_or_none()
    if row is None:
        raise UnknownItem(cameras.name, id)
    blocks: list[Block] = []
    things: list[Thing] = []
    if row["heading_deg"] is not None and row["hfov_deg"] is not None and row["range_m"] is not None:
        blocks = _blocks(connection, row, buildings) if buildings is not None else []
        things = _things(connection, row, named)
    return View(
        **{name: row[name] for name in ("id", "name", "status", "source", "heading_deg", "hfov_deg")},
        mount_height_m=row["mount_height_m"],
        blocks=tuple(sorted(blocks, key=lambda block: -block.distance_m)),
        things=tuple(things),
    )


def _blocks(connection: sa.Connection, camera: sa.RowMapping, buildings: Layer) -> list[Block]:
    table = buildings.table
    here = sa.func.st_setsrid(sa.func.st_point(camera["lon"], camera["lat"]), 4326)
    here3857 = sa.func.st_transform(here, 3857)
    reach = min(camera["range_m"], FARTHEST_M)
    tall = sa.func.coalesce(table.c.height_m, table.c.floors * STOREY_M, type_=sa.Double)
    near = (
        sa.select(sa.func.st_asbinary(table.c.geom), tall)
        .where(table.c.geom3857.op("&&", is_comparison=True)(boxed(here3857, reach)))
        .order_by(table.c.geom3857.op("<->")(here3857), table.c.id)
        .limit(_MOST_BUILDINGS)
    )
    found = [_block(camera, shapely.from_wkb(bytes(shape)), height) for shape, height in connection.execute(near)]
    return [block for block in found if block is not None]


def _block(camera: sa.RowMapping, shape: Any, height_m: float | None) -> Block | None:
    """None for a building outside the sector, and for one that goes around the camera."""
    corners = shapely.get_coordinates(shape)
    bearing, away = bearing_and_distance(camera["lon"], camera["lat"], corners[:, 0], corners[:, 1])
    turned = turned_deg(bearing, camera["heading_deg"])
    left, right, nearest = float(np.nanmin(turned)), float(np.nanmax(turned)), float(away.min())
    half = camera["hfov_deg"] / 2.0
    # Seen across the direction behind the camera, left and right would change places.
    if right - left >= 180.0 or right < -half or left > half or nearest > min(camera["range_m"], FARTHEST_M):
        return None
    return Block(max(left, -half), min(right, half), nearest, height_m)


def _things(connection: sa.Connection, camera: sa.RowMapping, named: Sequence[Layer]) -> list[Thing]:
    lon, lat, reach = camera["lon"], camera["lat"], min(camera["range_m"], FARTHEST_M)
    found = around(connection, lon, lat, layers=named, radius_m=reach, limit=20)
    things = []
    for each in found:
        for near in each.records:
            name = near.properties.get(each.layer.label)
            bearing, away = bearing_and_distance(lon, lat, near.lon, near.lat)
            told = {key: camera[key] for key in COLUMNS}
            if name and not math.isnan(float(bearing)) and holds(azimuth_deg=bearing, distance_m=away, **told):
                things.append(Thing(str(name), float(turned_deg(bearing, camera["heading_deg"])), float(away)))
    return sorted(things, key=lambda thing: thing.distance_m)[:_MOST_NAMED]
