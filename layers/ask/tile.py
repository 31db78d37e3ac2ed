"""A vector tile of one layer: the records from `minzoom` on, H3 cells that count them below it.

The statements are built once from the layer's table; z, x and y are bound. Making a tile is a dialogue without
input or output of its own: `making` yields statements and is sent rows, so that a server, a bake and a test make the
very same tile by whatever connection they have. A tile that would hold too much leaves out what ranks lowest and says
how much that was, in `Made.cut` and in a layer `NAME_cut`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, Protocol

import cramjam
import sqlalchemy as sa

from gis.cells import resolution_for_zoom
from gis.mvt import count_features
from layers.ask.filter import Filter, condition
from layers.ask.tile_cells import cells_sql, counted_cells
from layers.ask.tile_sql import (
    BUFFER,
    EXTENT,
    GEOMETRY,
    Built,
    as_mvt,
    clipped,
    compiled,
    envelope,
    mvt,
    number,
    quoted,
    with_values,
)
from layers.people.scope import Slice
from layers.spec import Layer

MOST_RECORDS = 20_000
MOST_BYTES = 500_000  # gzipped, with some left for the layer that tells what is not there
MIN_ZOOM = 6
DEEPEST = 14  # archives end here and maps stretch its tiles: nothing is shown from a deeper zoom only
MAX_ZOOM = 16


@dataclass(frozen=True)
class Statement:
    """SQL as psycopg takes it, with its values; it yields one row."""

    sql: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Made:
    """One layer's part of a tile, uncompressed, and how many records were left out of it."""

    data: bytes
    cut: int = 0


@dataclass(frozen=True)
class Budget:
    """How many records a layer may have in a tile, and how many bytes once it is gzipped."""

    records: int = MOST_RECORDS
    gzipped: int = MOST_BYTES - 500

    def weigh(self, data: bytes | None) -> int:
        """The size as gzip at its quickest makes it; what is small anyway is not pressed."""
        if data is None or len(data) <= self.gzipped:
            return 0
        return len(cramjam.gzip.compress(data, level=1))

    def exceeded_by(self, data: bytes) -> bool:
        """Is this too much for a whole tile?"""
        # A record takes more than ten bytes: what is small needs no counting.
        many = len(data) > 10 * self.records and count_features(data) > self.records
        return many or self.weigh(data) > self.gzipped

    def shared(self, sizes: Sequence[int]) -> list[Budget]:
        """This budget for layers that want a tile together: a quarter divided evenly, the rest by what they brought."""
        total, evenly = max(1, sum(sizes)), 4 * len(sizes)
        parts = [1 / evenly + 0.75 * size / total for size in sizes]
        return [Budget(int(self.records * part), int(self.gzipped * part)) for part in parts]


WHOLE = Budget()
Making = Generator[Statement, Sequence[Any], Made]


class Cursor(Protocol):
    """What `run` needs of a cursor of psycopg."""

    def execute(self, query: Any, params: Any, *, binary: bool) -> Any:
        """Run a statement."""

    def fetchone(self) -> Any:
        """The next row."""


def run(cursor: Cursor, tile: Making) -> Made:
    """Make a tile by a cursor of psycopg."""
    try:
        statement = next(tile)
        while True:
            cursor.execute(statement.sql, statement.parameters, binary=True)
            statement = tile.send(cursor.fetchone())
    except StopIteration as end:
        made: Made = end.value
        return made


def making(
    layer: Layer,
    z: int,
    x: int,
    y: int,
    *,
    filter: Filter | None = None,
    seen: Slice | None = None,
    budget: Budget | None = None,
) -> Making:
    """The dialogue that makes one tile of one layer; BadFilter when the filter does not fit the layer.

    Of a scoped layer it holds what of it is `seen`: nothing when that is not said.
    """
    place = {"z": z, "x": x, "y": y}
    asked = _asked(layer, filter, seen)
    if z < layer.minzoom:
        place["res"] = resolution_for_zoom(z)
        sql, values = (cells_sql(layer), {}) if not asked else counted_cells(layer, asked)
        data, _ = yield Statement(sql, {**place, **values})
        return Made(data or b"")
    budget = budget or WHOLE
    wanted = _Wanted(layer, _classes_shown(layer, z), asked)
    sql, values = wanted.sql()
    data, found = yield Statement(sql, {**place, **values, "most": budget.records + 1})
    size = budget.weigh(data)
    if found <= budget.records and size <= budget.gzipped:
        return Made(data or b"")
    total = found if found <= budget.records else None
    return (yield from _cut(wanted, place, total=total, size=size, budget=budget))


def _asked(layer: Layer, filter: Filter | None, seen: Slice | None) -> list[sa.ColumnElement[bool]]:
    """What a record must meet, wherever it lies."""
    asked = [] if filter is None else [condition(layer, filter)]
    if layer.scoped:
        asked.append((seen or Slice()).condition(layer))
    return asked


def fingerprint(layer: Layer) -> str:
    """A digest of all that decides what the layer's tiles hold, beside the records: an archive of another is stale."""
    zooms = {_classes_shown(layer, z) for z in range(layer.minzoom, DEEPEST + 1)}
    records = [_records_sql(layer, classes, ranked) for classes in _sorted(zooms) for ranked in (False, True)]
    cells = [(z, resolution_for_zoom(z)) for z in range(MIN_ZOOM, layer.minzoom)]
    told = repr((cells_sql(layer), cells, layer.classes, records, layer.shown_from, MOST_RECORDS, MOST_BYTES))
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def _sorted(classes: set[tuple[str, ...] | None]) -> list[tuple[str, ...] | None]:
    return sorted(classes, key=lambda c: (c is None, c or ()))


def _classes_shown(layer: Layer, z: int) -> tuple[str, ...] | None:
    """Which classes are in the tile at this zoom; None when all are."""
    shown = tuple(value for value, zoom in layer.shown_from if zoom <= z or z >= DEEPEST)
    return None if len(shown) == len(layer.shown_from) else shown


def _cut(wanted: _Wanted, place: dict[str, int], *, total: int | None, size: int, budget: Budget) -> Making:
    """The tile of what ranks highest and fits, with a layer that says how much does not."""
    if total is None:
        sql, values = wanted.count()
        (total,) = yield Statement(sql, {**place, **values})
    most = min(total, budget.records)
    sql, values = wanted.sql(ranked=True)
    for turn in count(1):
        if size > budget.gzipped:
            # A little less than in proportion, and from turn to turn less still: what ranks high is often big.
            most = max(1, int(most * min(0.9, 0.95 * budget.gzipped / size) / turn))
        data, kept = yield Statement(sql, {**place, **values, "most": most})
        size = budget.weigh(data)
        if size <= budget.gzipped or most == 1:
            break
    (told,) = yield Statement(_told_sql(wanted.layer.name), {"cut": total - kept})
    return Made((data or b"") + told, total - kept)


class _Wanted:
    """The records that belong into a tile of one layer at one zoom."""

    def __init__(self, layer: Layer, classes: tuple[str, ...] | None, asked: Sequence[sa.ColumnElement[bool]]) -> None:
        self.layer, self._classes, self._asked = layer, classes, asked

    def sql(self, *, ranked: bool = False) -> Built:
        """The statement that yields the tile and how many records it looked at; `most` is bound."""
        if not self._asked:
            return _records_sql(self.layer, self._classes, ranked), {}
        return with_values(_records(self.layer, self._conditions(), ranked=ranked))

    def count(self) -> Built:
        """The statement that yields how many there are."""
        return with_values(sa.select(sa.func.count()).select_from(self.layer.table).where(*self._conditions()))

    def _conditions(self) -> list[sa.ColumnElement[bool]]:
        return [*_in_tile(self.layer, self._classes), *self._asked]


@cache
def _records_sql(layer: Layer, classes: tuple[str, ...] | None, ranked: bool) -> str:
    return compiled(_records(layer, _in_tile(layer, classes), ranked=ranked))


def _in_tile(layer: Layer, classes: tuple[str, ...] | None) -> list[sa.ColumnElement[bool]]:
    table = layer.table
    near = table.c.geom3857.op("&&")(envelope(BUFFER / EXTENT))
    if classes is None or layer.classes is None:
        return [near]
    return [near, table.c[layer.classes].in_([sa.literal_column(quoted(c)) for c in classes])]


def _records(layer: Layer, conditions: list[sa.ColumnElement[bool]], *, ranked: bool) -> sa.Select[Any]:
    table = layer.table
    columns = [table.c[f.name] for f in layer.fields if f.tile]
    # By id alone when all fit: it only makes equal tiles equal bytes. The rank costs more and is for those that do not.
    order = [*_rank(layer), table.c.id] if ranked else [table.c.id]
    rows = (
        sa.select(table.c.id, *columns, clipped(table.c.geom3857).label("geom"))
        .where(*conditions)
        .order_by(*order)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .subquery("m")
    )
    tile = mvt(rows, layer.name).filter(rows.c.geom.is_not(None))
    if layer.geometry == "MultiPolygon" and layer.look.label_from is not None:
        tile = tile.op("||")(_labels(layer, conditions).scalar_subquery())
    return sa.select(tile, sa.func.count()).select_from(rows)


def _rank(layer: Layer) -> list[sa.ColumnElement[Any]]:
    """What stays when a tile must leave things out: classes shown early, `kept` values, names that win, big things."""
    table = layer.table
    order: list[sa.ColumnElement[Any]] = []
    if layer.classes is not None and layer.shown_from:
        zooms = [(table.c[layer.classes] == sa.literal_column(quoted(c)), number(zoom)) for c, zoom in layer.shown_from]
        order.append(sa.case(*zooms, else_=number(99)))
    for name, values in layer.kept:
        order.append(table.c[name].in_([sa.literal_column(quoted(value)) for value in values]).desc().nulls_last())
    if layer.look.label_first is not None:
        order.append(table.c[layer.look.label_first].desc().nulls_last())
    if layer.geometry == "MultiPolygon":
        order.append(sa.func.st_area(table.c.geom3857).desc())
    if layer.geometry == "MultiLineString":
        order.append(sa.func.st_length(table.c.geom3857).desc())
    return order


@cache
def _told_sql(name: str) -> str:
    """The layer that tells how much a tile leaves out, at the middle of the tile."""
    cut = sa.bindparam("cut", type_=sa.Integer).label("n")
    rows = sa.select(cut, sa.func.st_point(number(EXTENT // 2), number(EXTENT // 2)).label("geom")).subquery("c")
    return compiled(sa.select(mvt(rows, f"{name}_cut")))


def _labels(layer: Layer, condition: list[sa.ColumnElement[bool]]) -> sa.Select[tuple[bytes]]:
    """The names of areas, each at a point inside its area, in the one tile where that point lies."""
    table = layer.table
    inside = sa.func.st_pointonsurface(table.c.geom3857, type_=GEOMETRY)
    columns = [table.c[name] for name in label_columns(layer)]
    rows = (
        sa.select(table.c.id, *columns, clipped(inside, buffer=0).label("geom"))
        .where(*condition)
        .order_by(table.c.id)
        .subquery("l")
    )
    return sa.select(as_mvt(rows, f"{layer.name}_label"))


def label_columns(layer: Layer) -> tuple[str, ...]:
    """What the point that names an area carries beside its id: the name, and what decides which names win."""
    first = layer.look.label_first
    return (*layer.labels("en"), *(() if first is None else (first,)))
