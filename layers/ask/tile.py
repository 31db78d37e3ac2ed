"""A vector tile of one layer as one prepared statement: the records from `minzoom` on, H3 cells below it.

The statement is built once from the layer's table; z, x and y are bound. Every tile of a layer has the same columns,
and what is left out for the sake of size is the same in every run: the order is by class rank, then id.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

from gis.cells import resolution_for_zoom
from layers.spec import Layer
from layers.store.core import CELL, CELL_COUNT

EXTENT = 4096
BUFFER = 64
MOST_RECORDS = 20_000
MAX_ZOOM = 16
_geometry = Geometry(srid=3857)


@dataclass(frozen=True)
class TileQuery:
    """SQL text with the parameters z, x, y (and, for cells, res) as psycopg binds them; yields one bytea."""

    sql: str
    cells: bool


def tile_query(layer: Layer, z: int) -> TileQuery:
    """The statement that makes the layer's tiles at zoom `z`."""
    if z < layer.minzoom:
        return TileQuery(_cells_sql(layer), cells=True)
    return TileQuery(_records_sql(layer, _classes_shown(layer, z)), cells=False)


def parameters(query: TileQuery, z: int, x: int, y: int) -> dict[str, int]:
    """What is bound to a tile query."""
    bound = {"z": z, "x": x, "y": y}
    return {**bound, "res": resolution_for_zoom(z)} if query.cells else bound


def _classes_shown(layer: Layer, z: int) -> tuple[str, ...] | None:
    """Which classes are in the tile at this zoom; None when all are."""
    shown = tuple(value for value, zoom in layer.shown_from if zoom <= z)
    return None if len(shown) == len(layer.shown_from) else shown


def _compiled(statement: sa.Executable) -> str:
    dialect = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": False}))  # type: ignore[attr-defined]


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


@cache
def _records_sql(layer: Layer, classes: tuple[str, ...] | None) -> str:
    table = layer.table
    columns = [table.c[f.name] for f in layer.fields if f.tile]
    near = table.c.geom3857.op("&&")(_envelope(BUFFER / EXTENT))
    condition: list[sa.ColumnElement[bool]] = [near]
    if classes is not None and layer.classes is not None:
        condition.append(table.c[layer.classes].in_([sa.literal_column(_quoted(c)) for c in classes]))
    rows = (
        sa.select(table.c.id, *columns, _clipped(table.c.geom3857).label("geom"))
        .where(*condition)
        .order_by(table.c.id)
        .limit(_number(MOST_RECORDS))
        .subquery("m")
    )
    tile = _as_mvt(rows, layer.name)
    if layer.geometry != "MultiPolygon" or layer.look.label_from is None:
        return _compiled(sa.select(tile))
    return _compiled(sa.select(tile.op("||")(_labels(layer, condition).scalar_subquery())))


def _as_mvt(rows: sa.Subquery, name: str) -> sa.ColumnElement[bytes]:
    mvt = sa.select(
        sa.func.st_asmvt(
            rows.table_valued(), sa.literal_column(_quoted(name)), _number(EXTENT), sa.literal_column("'geom'")
        )
    ).where(rows.c.geom.is_not(None))
    return mvt.scalar_subquery()


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
    by_class = sa.func.jsonb_object_agg(sa.literal_column("'c_'") + of_class.c["class"], of_class.c.n)
    counts = sa.select(sa.func.sum(of_class.c.n).label("n"), by_class.label("classes")).lateral("counts")
    rows = (
        sa.select(
            sa.func.to_hex(CELL.c.h3).label("id"),
            sa.cast(counts.c.n, sa.Integer).label("n"),
            sa.cast(counts.c.n / CELL.c.area_km2, sa.REAL).label("d"),
            counts.c.classes,
            _clipped(CELL.c.geom3857).label("geom"),
        )
        .select_from(CELL.join(counts, counts.c.n.is_not(None)))
        .where(CELL.c.res == res, CELL.c.geom3857.op("&&")(_envelope(BUFFER / EXTENT)))
        .order_by(CELL.c.h3)
        .subquery("m")
    )
    return _compiled(sa.select(_as_mvt(rows, f"{layer.name}_cells")))


def _number(value: float) -> sa.ColumnElement[float]:
    return sa.literal_column(str(value))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"
