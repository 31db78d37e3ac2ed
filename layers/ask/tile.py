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
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

from gis.cells import resolution_for_zoom
from gis.mvt import count_features
from layers.ask.filter import Filter, condition
from layers.spec import Layer
from layers.store.core import CELL, CELL_COUNT
from layers.store.schema import class_expression

EXTENT = 4096
BUFFER = 64
MOST_RECORDS = 20_000
MOST_BYTES = 500_000  # gzipped, with some left for the layer that tells what is not there
MIN_ZOOM = 6
DEEPEST = 14  # archives end here and maps stretch its tiles: nothing is shown from a deeper zoom only
MAX_ZOOM = 16
_geometry = Geometry(srid=3857)


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
    layer: Layer, z: int, x: int, y: int, *, filter: Filter | None = None, budget: Budget | None = None
) -> Making:
    """The dialogue that makes one tile of one layer; BadFilter when the filter does not fit the layer."""
    place = {"z": z, "x": x, "y": y}
    if z < layer.minzoom:
        place["res"] = resolution_for_zoom(z)
        sql, values = (_cells_sql(layer), {}) if filter is None else _filtered_cells(layer, filter)
        data, _ = yield Statement(sql, {**place, **values})
        return Made(data or b"")
    budget = budget or WHOLE
    wanted = _Wanted(layer, _classes_shown(layer, z), filter)
    sql, values = wanted.sql()
    data, found = yield Statement(sql, {**place, **values, "most": budget.records + 1})
    size = budget.weigh(data)
    if found <= budget.records and size <= budget.gzipped:
        return Made(data or b"")
    total = found if found <= budget.records else None
    return (yield from _cut(wanted, place, total=total, size=size, budget=budget))


def fingerprint(layer: Layer) -> str:
    """A digest of all that decides what the layer's tiles hold, beside the records: an archive of another is stale."""
    zooms = {_classes_shown(layer, z) for z in range(layer.minzoom, DEEPEST + 1)}
    records = [_records_sql(layer, classes, ranked) for classes in _sorted(zooms) for ranked in (False, True)]
    cells = [(z, resolution_for_zoom(z)) for z in range(MIN_ZOOM, layer.minzoom)]
    told = repr((_cells_sql(layer), cells, layer.classes, records, layer.shown_from, MOST_RECORDS, MOST_BYTES))
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


def _compiled(statement: sa.Executable) -> str:
    dialect = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": False}))  # type: ignore[attr-defined]


Built = tuple[str, dict[str, Any]]


def _with_values(statement: sa.Executable) -> Built:
    """The text of a statement and the values bound in it, as the driver takes them."""
    compiled: Any = statement.compile(  # type: ignore[attr-defined]
        dialect=postgresql.psycopg.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"render_postcompile": True},
    )
    own = {"z", "x", "y", "res", "most"}
    return str(compiled), {name: value for name, value in compiled.params.items() if name not in own}


def _envelope(margin: float = 0.0) -> sa.ColumnElement[object]:
    z, x, y = (sa.bindparam(name, type_=sa.Integer) for name in "zxy")
    if not margin:
        return sa.func.st_tileenvelope(z, x, y, type_=_geometry)
    world = sa.func.st_tileenvelope(_number(0), _number(0), _number(0))
    return sa.func.st_tileenvelope(z, x, y, world, _number(margin), type_=_geometry)


def _clipped(geometry: sa.ColumnElement[object], *, buffer: int = BUFFER) -> sa.ColumnElement[object]:
    # Binary passes through untouched: no ST_AsEWKB may be wrapped around what ST_AsMVT reads.
    box = sa.func.st_tileenvelope(*(sa.bindparam(name, type_=sa.Integer) for name in "zxy"))
    return sa.func.st_asmvtgeom(geometry, box, _number(EXTENT), _number(buffer), sa.true(), type_=sa.LargeBinary)


class _Wanted:
    """The records that belong into a tile of one layer at one zoom."""

    def __init__(self, layer: Layer, classes: tuple[str, ...] | None, filter: Filter | None) -> None:
        self.layer, self._classes, self._filter = layer, classes, filter

    def sql(self, *, ranked: bool = False) -> Built:
        """The statement that yields the tile and how many records it looked at; `most` is bound."""
        if self._filter is None:
            return _records_sql(self.layer, self._classes, ranked), {}
        return _with_values(_records(self.layer, self._conditions(), ranked=ranked))

    def count(self) -> Built:
        """The statement that yields how many there are."""
        return _with_values(sa.select(sa.func.count()).select_from(self.layer.table).where(*self._conditions()))

    def _conditions(self) -> list[sa.ColumnElement[bool]]:
        asked = [] if self._filter is None else [condition(self.layer, self._filter)]
        return [*_in_tile(self.layer, self._classes), *asked]


@cache
def _records_sql(layer: Layer, classes: tuple[str, ...] | None, ranked: bool) -> str:
    return _compiled(_records(layer, _in_tile(layer, classes), ranked=ranked))


def _in_tile(layer: Layer, classes: tuple[str, ...] | None) -> list[sa.ColumnElement[bool]]:
    table = layer.table
    near = table.c.geom3857.op("&&")(_envelope(BUFFER / EXTENT))
    if classes is None or layer.classes is None:
        return [near]
    return [near, table.c[layer.classes].in_([sa.literal_column(_quoted(c)) for c in classes])]


def _records(layer: Layer, conditions: list[sa.ColumnElement[bool]], *, ranked: bool) -> sa.Select[Any]:
    table = layer.table
    columns = [table.c[f.name] for f in layer.fields if f.tile]
    # By id alone when all fit: it only makes equal tiles equal bytes. The rank costs more and is for those that do not.
    order = [*_rank(layer), table.c.id] if ranked else [table.c.id]
    rows = (
        sa.select(table.c.id, *columns, _clipped(table.c.geom3857).label("geom"))
        .where(*conditions)
        .order_by(*order)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .subquery("m")
    )
    tile = _mvt(rows, layer.name).filter(rows.c.geom.is_not(None))
    if layer.geometry == "MultiPolygon" and layer.look.label_from is not None:
        tile = tile.op("||")(_labels(layer, conditions).scalar_subquery())
    return sa.select(tile, sa.func.count()).select_from(rows)


def _rank(layer: Layer) -> list[sa.ColumnElement[Any]]:
    """What stays when a tile must leave things out: classes shown early, `kept` values, names that win, big things."""
    table = layer.table
    order: list[sa.ColumnElement[Any]] = []
    if layer.classes is not None and layer.shown_from:
        zooms = [
            (table.c[layer.classes] == sa.literal_column(_quoted(c)), _number(zoom)) for c, zoom in layer.shown_from
        ]
        order.append(sa.case(*zooms, else_=_number(99)))
    for name, values in layer.kept:
        order.append(table.c[name].in_([sa.literal_column(_quoted(value)) for value in values]).desc().nulls_last())
    if layer.look.label_first is not None:
        order.append(table.c[layer.look.label_first].desc().nulls_last())
    if layer.geometry == "MultiPolygon":
        order.append(sa.func.st_area(table.c.geom3857).desc())
    if layer.geometry == "MultiLineString":
        order.append(sa.func.st_length(table.c.geom3857).desc())
    return order


def _mvt(rows: sa.Subquery, name: str) -> Any:
    return sa.func.st_asmvt(
        rows.table_valued(), sa.literal_column(_quoted(name)), _number(EXTENT), sa.literal_column("'geom'")
    )


def _as_mvt(rows: sa.Subquery, name: str) -> sa.ScalarSelect[Any]:
    return sa.select(_mvt(rows, name)).where(rows.c.geom.is_not(None)).scalar_subquery()


@cache
def _told_sql(name: str) -> str:
    """The layer that tells how much a tile leaves out, at the middle of the tile."""
    cut = sa.bindparam("cut", type_=sa.Integer).label("n")
    rows = sa.select(cut, sa.func.st_point(_number(EXTENT // 2), _number(EXTENT // 2)).label("geom")).subquery("c")
    return _compiled(sa.select(_mvt(rows, f"{name}_cut")))


def _labels(layer: Layer, condition: list[sa.ColumnElement[bool]]) -> sa.Select[tuple[bytes]]:
    """The names of areas, each at a point inside its area, in the one tile where that point lies."""
    table = layer.table
    inside = sa.func.st_pointonsurface(table.c.geom3857, type_=_geometry)
    columns = [table.c[name] for name in label_columns(layer)]
    rows = (
        sa.select(table.c.id, *columns, _clipped(inside, buffer=0).label("geom"))
        .where(*condition)
        .order_by(table.c.id)
        .subquery("l")
    )
    return sa.select(_as_mvt(rows, f"{layer.name}_label"))


def label_columns(layer: Layer) -> tuple[str, ...]:
    """What the point that names an area carries beside its id: the name, and what decides which names win."""
    first = layer.look.label_first
    return (*layer.labels("en"), *(() if first is None else (first,)))


@cache
def _cells_sql(layer: Layer) -> str:
    # Cell by cell, so that the plan does not hang on estimates: with a bound tile PostgreSQL expects one cell.
    res = sa.bindparam("res", type_=sa.Integer)
    of_class = (
        sa.select(CELL_COUNT.c["class"], sa.func.sum(CELL_COUNT.c.n).label("n"))
        .where(
            CELL_COUNT.c.layer == sa.literal_column(_quoted(layer.name)),
            CELL_COUNT.c.res == res,
            CELL_COUNT.c.cell == CELL.c.h3,
        )
        .group_by(CELL_COUNT.c["class"])
        .having(sa.func.sum(CELL_COUNT.c.n) != _number(0))
        .correlate(CELL)
        .subquery("of_class")
    )
    counts = sa.select(sa.func.sum(of_class.c.n).label("n"), _by_class(of_class)).lateral("counts")
    drawn = CELL.join(counts, counts.c.n.is_not(None))
    return _compiled(_cells(layer, drawn, counts))


def _filtered_cells(layer: Layer, filter: Filter) -> Built:
    """Cells that count the records which a filter lets through: from the table, since nothing keeps these counts."""
    table = layer.table
    res = sa.bindparam("res", type_=sa.Integer)
    shown = (
        sa.select(CELL.c.h3, CELL.c.geom3857)
        .where(CELL.c.res == res, CELL.c.geom3857.op("&&")(_envelope(BUFFER / EXTENT)))
        .cte("shown")
    )
    # By the extent of the cells, not of the tile: a cell at its edge counts what lies outside.
    extent = sa.select(sa.func.st_setsrid(sa.func.st_extent(shown.c.geom3857, type_=_geometry), 3857)).scalar_subquery()
    parent = sa.func.core.h3_parent(table.c.cell, res)
    of_class = (
        sa.select(
            parent.label("cell"),
            sa.literal_column(class_expression(layer)).label("class"),
            sa.func.count().label("n"),
        )
        .select_from(table)
        .where(table.c.geom3857.op("&&")(extent), parent.in_(sa.select(shown.c.h3)), condition(layer, filter))
        .group_by(sa.literal_column("1"), sa.literal_column("2"))
        .subquery("of_class")
    )
    counts = (
        sa.select(of_class.c.cell, sa.func.sum(of_class.c.n).label("n"), _by_class(of_class))
        .group_by(of_class.c.cell)
        .subquery("counts")
    )
    return _with_values(_cells(layer, CELL.join(counts, counts.c.cell == CELL.c.h3), counts))


def _by_class(of_class: sa.Subquery) -> sa.ColumnElement[Any]:
    return sa.func.jsonb_object_agg(sa.literal_column("'c_'", sa.Text).concat(of_class.c["class"]), of_class.c.n).label(
        "classes"
    )


def _cells(layer: Layer, drawn: sa.FromClause, counts: sa.FromClause) -> sa.Select[Any]:
    rows = (
        sa.select(
            sa.func.to_hex(CELL.c.h3).label("id"),
            sa.cast(counts.c.n, sa.Integer).label("n"),
            sa.cast(counts.c.n / CELL.c.area_km2, sa.REAL).label("d"),
            counts.c.classes,
            _clipped(CELL.c.geom3857).label("geom"),
        )
        .select_from(drawn)
        .where(
            CELL.c.res == sa.bindparam("res", type_=sa.Integer), CELL.c.geom3857.op("&&")(_envelope(BUFFER / EXTENT))
        )
        .order_by(CELL.c.h3)
        .subquery("m")
    )
    return sa.select(_as_mvt(rows, f"{layer.name}_cells"), _number(0))


def _number(value: float) -> sa.ColumnElement[float]:
    return sa.literal_column(str(value))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"
