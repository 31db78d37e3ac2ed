"""What stands around a point, layer by layer, nearest first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from gis.frames import distance_m
from layers.ask.records import here_3857
from layers.people.scope import seen_by
from layers.spec import Layer

MOST_LAYERS: Final = 20
MOST_EACH: Final = 20
MOST_RADIUS_M: Final = 2_000.0
# A sphere's scale differs from the ellipsoid's by less: candidates are cut by their true distance afterwards.
_MARGIN: Final = 1.01


@dataclass(frozen=True)
class Near:
    """A record near a point: the point of it that is nearest, `distance_m` metres away on the ellipsoid."""

    id: str
    distance_m: float
    lon: float
    lat: float
    properties: dict[str, Any]


@dataclass(frozen=True)
class Around:
    """The nearest records of one layer, and whether there are more within the radius."""

    layer: Layer
    records: tuple[Near, ...]
    truncated: bool


def around(
    connection: sa.Connection, lon: float, lat: float, *, layers: Sequence[Layer], radius_m: float, limit: int
) -> list[Around]:
    """For each layer that has any, its records at most `radius_m` away from a lon, lat point, nearest first.

    `properties` holds what names and classes a record.
    """
    found = [_around(connection, lon, lat, layer=layer, radius_m=radius_m, limit=limit) for layer in layers]
    return [each for each in found if each.records]


def _around(connection: sa.Connection, lon: float, lat: float, *, layer: Layer, radius_m: float, limit: int) -> Around:
    table, here = layer.table, here_3857()
    # Web Mercator stretches lengths by 1/cos(latitude).
    reach = _MARGIN * radius_m / math.cos(math.radians(lat))
    closest: Any = sa.func.st_transform(sa.func.st_closestpoint(table.c.geom3857, here), 4326)
    telling = [name for name in dict.fromkeys((*layer.labels("en"), layer.classes)) if name is not None]
    statement = (
        sa.select(table.c.id, *(table.c[name] for name in telling))
        .add_columns(sa.func.st_x(closest).label("near_lon"), sa.func.st_y(closest).label("near_lat"))
        .where(sa.func.st_dwithin(table.c.geom3857, here, reach), *seen_by(connection, [layer]))
        .order_by(table.c.geom3857.op("<->")(here), table.c.id)
        .limit(limit + 1)
    )
    rows = connection.execute(statement, {"lon": lon, "lat": lat}).mappings().all()
    if not rows:
        return Around(layer, (), truncated=False)
    lons, lats = (np.array([row[name] for row in rows], dtype=float) for name in ("near_lon", "near_lat"))
    away = distance_m(np.full(lons.size, lon), np.full(lons.size, lat), lons, lats)
    near = [
        Near(
            row["id"], round(float(metres), 1), row["near_lon"], row["near_lat"], {name: row[name] for name in telling}
        )
        for row, metres in zip(rows, away, strict=True)
        if metres <= radius_m
    ]
    return Around(layer, tuple(near[:limit]), truncated=len(near) > limit)
