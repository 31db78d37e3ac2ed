"""Which cameras see a place, nearest first, and what may stand between: for people who look for a picture of it.

A building in the way is told from its footprint, and where the camera's mounting height and the building's height (or
its storeys) are recorded, from the line of sight over flat ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from gis.sectors import bearing_and_distance
from layers.ask.reach import boxed, within_m
from layers.ask.records import here_3857
from layers.ask.sight import COLUMNS, farthest_m, may_see, sees
from layers.spec import Layer

MOST_CAMERAS: Final = 100
UNKNOWN_RANGE_M: Final = 100.0
"""How far around a place a camera counts as near whose range nobody recorded."""
STOREY_M: Final = 3.0
# A camera that hangs on a wall does not look through that building.
_ON_WALL_3857: Final = 2.0

How = Literal["height", "plan"]


@dataclass(frozen=True)
class Obstacle:
    """A building that the line of sight crosses; told by heights, or by the footprint alone where these are unknown."""

    id: str
    name: str | None
    how: How


@dataclass(frozen=True)
class Camera:
    """A camera at `lon`, `lat`; `bearing_deg` is the way from it to the place, None at its foot."""

    id: str
    name: str | None
    status: str | None
    lon: float
    lat: float
    heading_deg: float | None
    hfov_deg: float | None
    range_m: float | None
    distance_m: float
    bearing_deg: float | None
    # None: nobody knows, since no buildings are recorded or the camera's direction is not.
    blocked: bool | None
    obstacle: Obstacle | None


@dataclass(frozen=True)
class Seen:
    """The cameras whose sector holds a place, those near it that do not say which way they look, and what was cut."""

    cameras: tuple[Camera, ...]
    unknown: tuple[Camera, ...]
    truncated: bool


def seen(
    connection: sa.Connection, lon: float, lat: float, *, cameras: Layer, buildings: Layer | None, limit: int
) -> Seen:
    """The cameras of a layer that see a lon, lat place, and as many nearby ones without a known direction.

    Without `buildings` (or when none is recorded) it is not known whether the sight is blocked.
    """
    where = {"lon": lon, "lat": lat}
    looking = _nearest(cameras, looking=True, limit=limit)
    blind = _nearest(cameras, looking=False, limit=limit)
    rows = [connection.execute(each, where).mappings().all() for each in (looking, blind)]
    told, dark = (each[:limit] for each in rows)
    recorded = buildings is not None and connection.scalar(sa.select(sa.exists(sa.select(buildings.table.c.id))))
    in_the_way = {}
    if buildings is not None and recorded and told:
        ids = [row["id"] for row in told]
        found = connection.execute(_obstacles(cameras, buildings), {**where, "ids": ids})
        in_the_way = {row.camera: Obstacle(row.id, row.name, row.how) for row in found}
    return Seen(
        tuple(_camera(row, lon, lat, bool(recorded), in_the_way.get(row["id"])) for row in told),
        tuple(_camera(row, lon, lat, False, None) for row in dark),
        truncated=any(len(each) > limit for each in rows),
    )


def _place() -> sa.ColumnElement[Any]:
    lon, lat = (sa.bindparam(name, type_=sa.Double) for name in ("lon", "lat"))
    return sa.func.st_setsrid(sa.func.st_point(lon, lat), 4326)


def _nearest(layer: Layer, *, looking: bool, limit: int) -> sa.Select[Any]:
    """One more than `limit`: those whose sector holds the place, or those near it of which nobody knows the sector."""
    table, place = layer.table, _place()
    if looking:
        wanted = sa.and_(may_see(table, here_3857(), farthest_m=farthest_m(layer)), sees(table, place))
    else:
        reach = sa.func.coalesce(table.c.range_m, UNKNOWN_RANGE_M)
        known = sa.and_(
            table.c.range_m.is_not(None),
            sa.or_(table.c.hfov_deg >= 360.0, (table.c.heading_deg + table.c.hfov_deg).is_not(None)),
        )
        farthest = sa.func.greatest(farthest_m(layer), UNKNOWN_RANGE_M)
        near = table.c.geom3857.op("&&", is_comparison=True)(boxed(here_3857(), farthest))
        wanted = sa.and_(near, sa.func.coalesce(known, False).is_(False), within_m(table.c.geom, place, reach))
    away = sa.func.st_distance(sa.func.geography(table.c.geom), sa.func.geography(place))
    return (
        sa.select(*(table.c[name] for name in ("id", "name", "status", *COLUMNS)))
        .add_columns(sa.func.st_x(table.c.geom).label("x"), sa.func.st_y(table.c.geom).label("y"))
        .where(wanted)
        .order_by(away, table.c.id)
        .limit(limit + 1)
    )


def _obstacles(cameras: Layer, buildings: Layer) -> sa.Select[Any]:
    """For each camera of `ids`, the building nearest to it that stands in its way to the place, if there is one.

    Neither the building on which the camera hangs nor the one in which the place lies is in the way.
    """
    camera, building, here = cameras.table, buildings.table, here_3857()
    line = sa.func.st_makeline(camera.c.geom3857, here)
    crossed = sa.func.st_intersection(building.c.geom3857, line)
    # The sight goes down towards the place, so it is lowest over the far end of what it crosses.
    share = sa.func.st_maxdistance(camera.c.geom3857, crossed) / sa.func.nullif(sa.func.st_length(line), 0.0)
    tall = sa.func.coalesce(building.c.height_m, building.c.floors * STOREY_M, type_=sa.Double)
    over = camera.c.mount_height_m * (1.0 - share)
    how = sa.case((sa.or_(over.is_(None), tall.is_(None)), "plan"), else_="height")
    first = (
        sa.select(building.c.id, building.c.name, how.label("how"))
        .where(
            sa.func.st_intersects(building.c.geom3857, line),
            ~sa.func.st_dwithin(building.c.geom3857, camera.c.geom3857, _ON_WALL_3857),
            ~sa.func.st_intersects(building.c.geom3857, here),
            sa.func.coalesce(over < tall, True),
        )
        .order_by(share, building.c.id)
        .limit(1)
        .correlate(camera)
        .lateral("first")
    )
    ids = sa.bindparam("ids", type_=sa.ARRAY(sa.Text))
    statement = sa.select(camera.c.id.label("camera"), first.c.id, first.c.name, first.c.how)
    return statement.select_from(camera.join(first, sa.true())).where(camera.c.id == sa.any_(ids))


def _camera(row: sa.RowMapping, lon: float, lat: float, known: bool, obstacle: Obstacle | None) -> Camera:
    bearing, away = bearing_and_distance(row["x"], row["y"], lon, lat)
    return Camera(
        **{name: row[name] for name in ("id", "name", "status", *COLUMNS)},
        lon=row["x"],
        lat=row["y"],
        distance_m=round(float(away), 1),
        bearing_deg=None if away == 0.0 else round(float(bearing), 1) % 360.0,
        blocked=(obstacle is not None) if known else None,
        obstacle=obstacle,
    )
