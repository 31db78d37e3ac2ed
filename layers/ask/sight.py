"""What cameras see: whether a place lies in the sector of a camera's heading, field of view and range.

The sector is flat: what stands between is not known. A camera that does not say which way it looks, how wide or how
far sees nothing; one that looks all around needs no heading.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from layers.ask.reach import boxed, within_m
from layers.spec import Layer

COLUMNS: Final = ("heading_deg", "hfov_deg", "range_m")


def has_sight(layer: Layer) -> bool:
    """Whether records of the layer say which way they look, how wide and how far."""
    return layer.geometry == "Point" and all(layer.field(name) is not None for name in COLUMNS)


def sees(camera: sa.FromClause, place: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether a camera's sector holds a lon, lat place: the point, or a point on the line or area.

    Distance and azimuth are those of the ellipsoid; both edges of the sector belong to it. `camera` has the columns
    `geom`, `heading_deg`, `hfov_deg` and `range_m`. No index answers this: `may_see` or `may_be_seen` say where to
    look.
    """
    point = sa.func.st_pointonsurface(place)
    here, there = sa.func.geography(camera.c.geom), sa.func.geography(point)
    azimuth = sa.func.degrees(sa.func.st_azimuth(here, there), type_=sa.Double)
    off = sa.func.abs(azimuth - camera.c.heading_deg, type_=sa.Double)
    turned = sa.func.least(off, 360.0 - off, type_=sa.Double)
    inside = sa.func.coalesce(
        sa.or_(
            camera.c.hfov_deg >= 360.0,
            turned <= camera.c.hfov_deg / 2.0,
            # There is no azimuth from a place to itself: what stands at the foot of a camera is seen.
            sa.and_(azimuth.is_(None), (camera.c.heading_deg + camera.c.hfov_deg).is_not(None)),
        ),
        False,
    )
    return sa.and_(sa.func.coalesce(within_m(camera.c.geom, point, camera.c.range_m), False), inside)


def may_see(
    camera: sa.FromClause, place3857: sa.ColumnElement[Any], *, farthest_m: sa.ColumnElement[Any]
) -> sa.ColumnElement[bool]:
    """Whether a place in Web Mercator is near enough to be seen by the camera of the farthest range.

    The index of the cameras answers it. The place must be a point, or the box of a line or area.
    """
    return camera.c.geom3857.op("&&", is_comparison=True)(boxed(place3857, farthest_m))


def may_be_seen(camera: sa.FromClause, place3857: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """The same with each camera's own range: the index of the places answers it."""
    return place3857.op("&&", is_comparison=True)(boxed(camera.c.geom3857, camera.c.range_m))


def farthest_m(layer: Layer) -> sa.ColumnElement[Any]:
    """The farthest range of a layer's cameras, asked for once in a statement; 0 without cameras."""
    cameras = layer.table.alias("cameras")
    return sa.select(sa.func.coalesce(sa.func.max(cameras.c.range_m), 0.0)).scalar_subquery()
