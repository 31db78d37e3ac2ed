"""How far things are from each other on the ground, as SQL that an index on places in Web Mercator can answer."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

EARTH_RADIUS_M: Final = 6_378_137.0
# Web Mercator stretches by the secant of the latitude, by up to 0.7 % more along the meridian, and by a little more at
# the far side of the largest radius: what is left over only makes the search of the index a little wider.
_SPARE: Final = 1.05


def within_m(
    one: sa.ColumnElement[Any], other: sa.ColumnElement[Any], metres: float | sa.ColumnElement[Any]
) -> sa.ColumnElement[bool]:
    """Whether two lon, lat geometries are at most so far apart on the ellipsoid."""
    limit = sa.literal(metres, sa.Double) if isinstance(metres, float | int) else metres
    return sa.func.st_dwithin(sa.func.geography(one), sa.func.geography(other), limit, type_=sa.Boolean)


def boxed(geom3857: sa.ColumnElement[Any], metres: float | sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The box around a geometry in Web Mercator, wider on every side by at least so many metres on the ground."""
    north = sa.func.greatest(sa.func.abs(sa.func.st_ymax(geom3857)), sa.func.abs(sa.func.st_ymin(geom3857)))
    stretch = sa.func.cosh(north / sa.literal(EARTH_RADIUS_M, sa.Double))
    spare = sa.literal(_SPARE, sa.Double)
    wide = sa.literal(metres, sa.Double) if isinstance(metres, float | int) else metres
    return sa.func.st_expand(geom3857, stretch * spare * wide)


def near_each_other(table: sa.FromClause, other: sa.FromClause, metres: float) -> sa.ColumnElement[bool]:
    """Whether a record of each are at most so far apart on the ellipsoid; the index of `other` answers it."""
    close = other.c.geom3857.op("&&", is_comparison=True)(boxed(table.c.geom3857, metres))
    return sa.and_(close, within_m(table.c.geom, other.c.geom, metres))
