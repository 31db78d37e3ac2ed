"""Records of a layer as a question wants them: the layer found, the filter read, and all conditions as SQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import sqlalchemy as sa

from layers.ask.filter import Filter, condition, parse
from layers.ask.question.asked import Condition, Expression, Records
from layers.ask.question.drawn import Drawn, drawn
from layers.ask.question.errors import UnknownResult
from layers.ask.reach import near_each_other, within_m
from layers.ask.sight import COLUMNS, farthest_m, has_sight, may_be_seen, may_see, sees
from layers.errors import BadField
from layers.spec import Layer, Title

Find = Callable[[str], Layer]
"""The layer of a name, as far as the asker may know of it; UnknownLayer when there is none."""

NEGATED: Final[Mapping[str, str]] = MappingProxyType({"not_near": "near", "not_sees": "sees", "not_seen_by": "seen_by"})
"""Relations that hold where another one holds to nothing."""


@dataclass(frozen=True)
class Earlier:
    """What an earlier result found: the records of a layer, by their ids, or else the area or lines that it drew.

    `layers` are the names of all layers that it tells of.
    """

    title: Title
    layers: tuple[str, ...]
    layer: str | None = None
    ids: tuple[str, ...] = ()
    area: Drawn | None = None


FindResult = Callable[[str], Earlier]
"""What the result of an id found, as far as the asker may know of it; UnknownResult when there is none."""


def no_results(id: str) -> Earlier:
    """Where nothing is kept there is no result."""
    raise UnknownResult(id)


@dataclass(frozen=True)
class Towards:
    """A condition made ready: the relation to something drawn, or to records of a layer.

    `earlier` is the title of the result that gave either, `beside` are the layers that it tells of.
    """

    asked: Condition
    area: Drawn | None = None
    of: Wanted | None = None
    earlier: Title | None = None
    beside: tuple[Layer, ...] = ()

    def sql(self, layer: Layer) -> sa.ColumnElement[bool]:
        """The condition on a layer's table; BadField when records of that layer cannot be so related."""
        self._check(layer)
        meets = self._to_area(layer, self.area) if self.area is not None else self._to_records(layer)
        return ~meets if self.asked.relation in NEGATED else meets

    @property
    def relation(self) -> str:
        """The relation that holds, or that holds to nothing."""
        return NEGATED.get(self.asked.relation, self.asked.relation)

    def _check(self, layer: Layer) -> None:
        cameras = {"sees": layer, "seen_by": None if self.of is None else self.of.layer}.get(self.relation, layer)
        if self.relation in ("sees", "seen_by") and (cameras is None or not has_sight(cameras)):
            told = f"{self.asked.relation!r} needs a layer of cameras that look somewhere"
            raise BadField({"where": told}).because("not_cameras")

    def _to_records(self, layer: Layer) -> sa.ColumnElement[bool]:
        assert self.of is not None
        table, others = layer.table, self.of.places()
        meets = self._to_record(table, others)
        if self.of.layer.table.name == table.name:
            meets = sa.and_(meets, others.c.id != table.c.id)
        return sa.exists().select_from(others).where(meets).correlate(table)

    def _to_area(self, layer: Layer, area: Drawn) -> sa.ColumnElement[bool]:
        table, distance_m = layer.table, self.asked.distance_m or 0.0
        if self.relation == "sees":
            point = sa.func.st_pointonsurface(area.sql())
            on_map = sa.func.st_transform(point, sa.literal(3857, sa.Integer))
            return sa.and_(may_see(table, on_map, farthest_m=farthest_m(layer)), sees(table, point))
        close = table.c.geom3857.op("&&", is_comparison=True)(area.box(margin_m=distance_m))
        if self.relation == "within":
            return sa.and_(close, sa.func.st_coveredby(table.c.geom, area.sql()))
        if self.relation == "crossing":
            return sa.and_(close, sa.func.st_intersects(table.c.geom, area.sql()))
        return sa.and_(close, within_m(table.c.geom, area.for_distances().sql(), distance_m))

    def _to_record(self, table: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
        assert self.of is not None
        touch = other.c.geom3857.op("&&", is_comparison=True)
        match self.relation:
            case "within":
                return sa.and_(touch(table.c.geom3857), sa.func.st_coveredby(table.c.geom, other.c.geom))
            case "crossing":
                return sa.and_(touch(table.c.geom3857), sa.func.st_intersects(table.c.geom, other.c.geom))
            case "sees":
                return sa.and_(may_be_seen(table, other.c.geom3857), sees(table, other.c.geom))
            case "seen_by":
                far = farthest_m(self.of.layer)
                return sa.and_(may_see(other, table.c.geom3857, farthest_m=far), sees(other, table.c.geom))
            case _:
                return near_each_other(table, other, self.asked.distance_m or 0.0)


@dataclass(frozen=True)
class Wanted:
    """The records of a layer that a filter takes and that meet all conditions; with `ids` only these."""

    layer: Layer
    filter: Filter | None = None
    towards: tuple[Towards, ...] = ()
    ids: tuple[str, ...] | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """All conditions on the layer's table; BadFilter when the filter does not fit the layer."""
        filtered = [] if self.filter is None else [condition(self.layer, self.filter)]
        if self.ids is not None:
            filtered.append(self.layer.table.c.id == sa.any_(sa.literal(list(self.ids), sa.ARRAY(sa.Text))))
        return [*filtered, *(towards.sql(self.layer) for towards in self.towards)]

    def layers(self) -> Iterator[Layer]:
        """Every layer that is asked about."""
        yield self.layer
        for towards in self.towards:
            if towards.of is not None:
                yield towards.of.layer
            yield from towards.beside

    def places(self) -> sa.Subquery:
        """The ids and shapes of these records, and of cameras how they look."""
        table = self.layer.table
        looking = [table.c[name] for name in COLUMNS] if has_sight(self.layer) else []
        shapes = sa.select(table.c.id, table.c.geom, table.c.geom3857, *looking)
        return shapes.where(*self.conditions()).subquery("other")


def wanted(records: Records, find: Find, results: FindResult = no_results) -> Wanted:
    """The records made ready: UnknownLayer, UnknownResult, BadFilter or BadField when that cannot be."""
    layer = find(records.layer)
    return Wanted(layer, _filter(records.filter), tuple(_towards(one, find, results) for one in records.where))


def _filter(expression: Expression | None) -> Filter | None:
    if expression is None:
        return None
    return parse(expression) if isinstance(expression, str) else parse(json.dumps(expression), "cql2-json")


def _towards(asked: Condition, find: Find, results: FindResult) -> Towards:
    if asked.geometry is not None:
        return Towards(asked, area=drawn(asked.geometry))
    if asked.layer is not None:
        return Towards(asked, of=Wanted(find(asked.layer), _filter(asked.filter)))
    assert asked.result is not None
    earlier = results(asked.result)
    of = None if earlier.layer is None else Wanted(find(earlier.layer), ids=earlier.ids)
    beside = tuple(find(name) for name in earlier.layers)
    return Towards(asked, area=earlier.area, of=of, earlier=earlier.title, beside=beside)
