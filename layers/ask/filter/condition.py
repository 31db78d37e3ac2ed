"""A filter over a layer as a SQLAlchemy condition: declared columns, bound values, a short list of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from layers.ask.filter import shapes, times, values
from layers.ask.filter.grammar import Tree
from layers.ask.filter.parse import Filter, placed
from layers.ask.filter.queryables import queryables
from layers.ask.filter.shapes import Reference, Shape
from layers.ask.filter.times import Interval
from layers.ask.filter.values import Value
from layers.errors import BadFilter
from layers.spec import Layer

Part = Value | Interval | Shape

FUNCTIONS: Final[tuple[str, ...]] = ("near_m",)
"""Functions of our own, beside what CQL2 defines."""

_KINDS: Final[dict[str, values.Kind]] = {
    "text": "text", "code": "text", "integer": "number", "number": "number",
    "date": "date", "time": "time", "boolean": "boolean",
}  # fmt: skip


def condition(layer: Layer, filter: Filter, *, srid: int = 4326, axes_swapped: bool = False) -> sa.ColumnElement[bool]:
    """Whether a record of the layer passes the filter, for a WHERE over the layer's table.

    The filter's coordinates are in EPSG `srid` (4326, 4490, 4549 or 3857), as lon, lat or easting, northing unless
    `axes_swapped`. Raises BadFilter naming the property, the operator or the function that is not offered.
    """
    try:
        return _Compiler(layer, Reference(srid, axes_swapped)).truth(filter.tree)
    except BadFilter as refused:
        raise placed(refused, filter.source) from None


class _Compiler:
    """Turns parts of a filter's tree into expressions over one layer."""

    def __init__(self, layer: Layer, reference: Reference) -> None:
        self._layer = layer
        self._queryables = queryables(layer)
        self._reference = reference

    def truth(self, tree: Tree) -> sa.ColumnElement[bool]:
        """A part that is true, false or unknown."""
        part = self._part(tree)
        if not isinstance(part, Value) or part.kind != "boolean":
            raise BadFilter(f"{_called(part)} is neither true nor false", about=_called(part))
        return part.sql

    def _part(self, tree: Tree) -> Part:
        if tree is None:
            raise BadFilter("NULL equals nothing: ask with IS NULL", about="null")
        if isinstance(tree, bool | int | float | str):
            return values.literal(tree)
        if isinstance(tree, list):
            raise BadFilter("lists can only stand behind IN: there are no array fields")
        [key] = {"op", "property", "date", "timestamp", "interval", "bbox", "type"} & tree.keys()
        return self._readers()[key](tree)

    def _readers(self) -> dict[str, Callable[[dict[str, Any]], Part]]:
        return {
            "op": self._operation,
            "property": lambda tree: self._property(tree["property"]),
            "date": lambda tree: times.date(tree["date"]),
            "timestamp": lambda tree: times.timestamp(tree["timestamp"]),
            "interval": lambda tree: times.interval(*(self._moment(end) for end in tree["interval"])),
            "bbox": lambda tree: shapes.bbox(tree["bbox"], self._reference),
            "type": lambda tree: shapes.geometry(tree, self._reference),
        }

    def _property(self, name: str) -> Part:
        queryable = self._queryables.get(name)
        if queryable is None:
            told = f"layer {self._layer.name!r} has no property {name!r} to filter by"
            raise BadFilter(told, about=name).because("filter_property")
        if queryable.kind == "geometry":
            return Shape(queryable.column)
        return Value(_KINDS[queryable.kind], queryable.column, name)

    def _moment(self, end: Tree) -> Value | None:
        return times.moment(end) if isinstance(end, str) else self._value(end)

    def _value(self, tree: Tree) -> Value:
        part = self._part(tree)
        if not isinstance(part, Value):
            raise BadFilter(f"{_called(part)} cannot be compared or calculated with", about=_called(part))
        return part

    def _operation(self, tree: dict[str, Any]) -> Value:
        op, args = tree["op"], tree["args"]
        for known, length, read in self._operators():
            if op in known:
                if length is not None and len(args) != length:
                    raise BadFilter(f"{op.upper()} takes {length} arguments, not {len(args)}", about=op)
                found = read(op, args)
                return found if isinstance(found, Value) else Value("boolean", found, op.upper())
        if op.startswith("a_"):
            raise BadFilter(f"array operator {op!r} is not offered: no layer has array fields", about=op)
        raise BadFilter(f"function {op!r} is not offered", about=op).because("filter_function")

    def _operators(self) -> list[tuple[Any, int | None, Callable[[str, list[Tree]], Any]]]:
        """Names, number of arguments (None: that is up to the reader), and who reads them."""
        return [
            (("and", "or"), None, self._junction),
            (("not",), 1, lambda _, args: sa.not_(self.truth(args[0]))),
            (values.COMPARISONS, 2, lambda op, args: self._compare(op, *args)),
            (("isNull",), 1, lambda _, args: self._is_null(args[0])),
            (("between",), 3, self._between),
            (("in",), 2, self._among),
            (("like",), 2, lambda _, args: values.like(*map(self._value, args))),
            (("casei",), 1, lambda _, args: values.without_case(self._value(args[0]))),
            (("accenti",), 1, lambda _, args: values.without_accents(self._value(args[0]))),
            (values.ARITHMETIC, 2, lambda op, args: values.arithmetic(op, [self._value(arg) for arg in args])),
            (times.RELATIONS, 2, self._in_time),
            (shapes.RELATIONS, 2, self._in_space),
            (FUNCTIONS, 3, self._near),
        ]

    def _junction(self, op: str, args: list[Tree]) -> sa.ColumnElement[bool]:
        parts = [self.truth(arg) for arg in args]
        return sa.and_(*parts) if op == "and" else sa.or_(*parts)

    def _compare(self, op: str, left: Tree, right: Tree) -> sa.ColumnElement[bool]:
        return values.compare(op, *times.in_common(self._value(left), self._value(right)))

    def _is_null(self, tree: Tree) -> sa.ColumnElement[bool]:
        part = self._part(tree)
        if isinstance(part, Interval):
            raise BadFilter("IS NULL cannot be asked of an interval", about="interval")
        return part.sql.is_(None)

    def _between(self, _: str, args: list[Tree]) -> sa.ColumnElement[bool]:
        value, low, high = args
        return sa.and_(self._compare(">=", value, low), self._compare("<=", value, high))

    def _among(self, _: str, args: list[Tree]) -> sa.ColumnElement[bool]:
        if not isinstance(args[1], list):
            raise BadFilter("IN takes a list in parentheses", about="in")
        pairs = [times.in_common(self._value(args[0]), self._value(other)) for other in args[1]]
        if any(mine.kind != "text" and mine.kind != "number" for mine, _ in pairs):
            return sa.or_(*(values.compare("=", mine, other) for mine, other in pairs))
        return values.among(self._value(args[0]), [other for _, other in pairs])

    def _in_time(self, op: str, args: list[Tree]) -> sa.ColumnElement[bool]:
        left, right = (self._part(arg) for arg in args)
        if isinstance(left, Shape) or isinstance(right, Shape):
            raise BadFilter(f"{op.upper()} takes times and intervals, not geometries", about=op)
        return times.relation(op, left, right)

    def _in_space(self, op: str, args: list[Tree]) -> sa.ColumnElement[bool]:
        left, right = (self._shape(op, arg) for arg in args)
        return shapes.relation(op, left, right, index=self._layer.table.c.geom3857)

    def _near(self, op: str, args: list[Tree]) -> sa.ColumnElement[bool]:
        here, there = (self._shape(op, arg) for arg in args[:2])
        return shapes.near(here, there, args[2], index=self._layer.table.c.geom3857)

    def _shape(self, op: str, tree: Tree) -> Shape:
        part = self._part(tree)
        if not isinstance(part, Shape):
            raise BadFilter(f"{op.upper()} takes geometries, not {_called(part)}", about=op)
        return part


def _called(part: Part) -> str:
    if isinstance(part, Value):
        return part.name
    return "an interval" if isinstance(part, Interval) else "a geometry"
