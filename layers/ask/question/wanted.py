"""Records of a layer as a question wants them: the layer found, the filter read, and all conditions as SQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from layers.ask.filter import Filter, condition, parse
from layers.ask.question.asked import Condition, Expression, Records
from layers.ask.question.drawn import Drawn, drawn
from layers.spec import Layer

Find = Callable[[str], Layer]
"""The layer of a name, as far as the asker may know of it; UnknownLayer when there is none."""

EARTH_RADIUS_M: Final = 6_378_137.0
# Web Mercator stretches by the secant of the latitude, by up to 0.7 % more along the meridian, and by a little more at
# the far side of the largest radius: what is left over only makes the search of the index a little wider.
_SPARE: Final = 1.05


@dataclass(frozen=True)
class Towards:
    """A condition made ready: the relation to something drawn, or to records of a layer."""

    asked: Condition
    area: Drawn | None = None
    of: Wanted | None = None

    def sql(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """The condition on a layer's table."""
        if self.area is not None:
            return self._to_area(table, self.area)
        assert self.of is not None
        others = self.of.places()
        meets = self._to_record(table, others)
        if self.of.layer.table.name == table.name:
            meets = sa.and_(meets, others.c.id != table.c.id)
        found = sa.exists().select_from(others).where(meets).correlate(table)
        return ~found if self.asked.relation == "not_near" else found

    def _to_area(self, table: sa.FromClause, area: Drawn) -> sa.ColumnElement[bool]:
        relation, distance_m = self.asked.relation, self.asked.distance_m or 0.0
        close = table.c.geom3857.op("&&", is_comparison=True)(area.box(margin_m=distance_m))
        if relation == "within":
            return sa.and_(close, sa.func.st_coveredby(table.c.geom, area.sql()))
        if relation == "crossing":
            return sa.and_(close, sa.func.st_intersects(table.c.geom, area.sql()))
        near = sa.and_(close, within_m(table.c.geom, area.for_distances().sql(), distance_m))
        return ~near if relation == "not_near" else near

    def _to_record(self, table: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
        touch = other.c.geom3857.op("&&", is_comparison=True)
        if self.asked.relation == "within":
            return sa.and_(touch(table.c.geom3857), sa.func.st_coveredby(table.c.geom, other.c.geom))
        if self.asked.relation == "crossing":
            return sa.and_(touch(table.c.geom3857), sa.func.st_intersects(table.c.geom, other.c.geom))
        return near_each_other(table, other, self.asked.distance_m or 0.0)


@dataclass(frozen=True)
class Wanted:
    """The records of a layer that a filter takes and that meet all conditions."""

    layer: Layer
    filter: Filter | None = None
    towards: tuple[Towards, ...] = ()

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """All conditions on the layer's table; BadFilter when the filter does not fit the layer."""
        filtered = [] if self.filter is None else [condition(self.layer, self.filter)]
        return [*filtered, *(towards.sql(self.layer.table) for towards in self.towards)]

    def layers(self) -> Iterator[Layer]:
        """Every layer that is asked about."""
        yield self.layer
        for towards in self.towards:
            if towards.of is not None:
                yield towards.of.layer

    def places(self) -> sa.Subquery:
        """The ids and shapes of these records."""
        table = self.layer.table
        return sa.select(table.c.id, table.c.geom, table.c.geom3857).where(*self.conditions()).subquery("other")


def wanted(records: Records, find: Find) -> Wanted:
    """The records made ready: UnknownLayer, BadFilter or BadField when that cannot be."""
    layer = find(records.layer)
    return Wanted(layer, _filter(records.filter), tuple(_towards(one, find) for one in records.where))


def within_m(one: sa.ColumnElement[Any], other: sa.ColumnElement[Any], metres: float) -> sa.ColumnElement[bool]:
    """Whether two lon, lat geometries are at most so far apart on the ellipsoid."""
    limit = sa.literal(metres, sa.Double)
    return sa.func.st_dwithin(sa.func.geography(one), sa.func.geography(other), limit, type_=sa.Boolean)


def near_each_other(table: sa.FromClause, other: sa.FromClause, metres: float) -> sa.ColumnElement[bool]:
    """Whether a record of each are at most so far apart on the ellipsoid; the index of `other` answers it."""
    north = sa.func.greatest(
        sa.func.abs(sa.func.st_ymax(table.c.geom3857)), sa.func.abs(sa.func.st_ymin(table.c.geom3857))
    )
    stretch = sa.func.cosh(north / sa.literal(EARTH_RADIUS_M, sa.Double))
    around = sa.func.st_expand(table.c.geom3857, stretch * sa.literal(metres * _SPARE, sa.Double))
    close = other.c.geom3857.op("&&", is_comparison=True)(around)
    return sa.and_(close, within_m(table.c.geom, other.c.geom, metres))


def _filter(expression: Expression | None) -> Filter | None:
    if expression is None:
        return None
    return parse(expression) if isinstance(expression, str) else parse(json.dumps(expression), "cql2-json")


def _towards(asked: Condition, find: Find) -> Towards:
    if asked.geometry is not None:
        return Towards(asked, area=drawn(asked.geometry))
    assert asked.layer is not None
    return Towards(asked, of=Wanted(find(asked.layer), _filter(asked.filter)))
