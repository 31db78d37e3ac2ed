"""Below a layer's `minzoom`: the H3 cells of a tile, each with how many records it holds, by class.

Of a whole layer these counts are kept; of the records that meet conditions they are counted, since nothing keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from layers.ask.tile_sql import (
    BUFFER,
    EXTENT,
    GEOMETRY,
    Built,
    as_mvt,
    clipped,
    compiled,
    envelope,
    number,
    quoted,
    with_values,
)
from layers.spec import Layer
from layers.store.core import CELL, CELL_COUNT
from layers.store.schema import class_expression


@cache
def cells_sql(layer: Layer) -> str:
    """The statement that yields the cells of a whole layer, from the counts that are kept."""
    # Cell by cell, so that the plan does not hang on estimates: with a bound tile PostgreSQL expects one cell.
    res = sa.bindparam("res", type_=sa.Integer)
    of_class = (
        sa.select(CELL_COUNT.c["class"], sa.func.sum(CELL_COUNT.c.n).label("n"))
        .where(
            CELL_COUNT.c.layer == sa.literal_column(quoted(layer.name)),
            CELL_COUNT.c.res == res,
            CELL_COUNT.c.cell == CELL.c.h3,
        )
        .group_by(CELL_COUNT.c["class"])
        .having(sa.func.sum(CELL_COUNT.c.n) != number(0))
        .correlate(CELL)
        .subquery("of_class")
    )
    counts = sa.select(sa.func.sum(of_class.c.n).label("n"), _by_class(of_class)).lateral("counts")
    drawn = CELL.join(counts, counts.c.n.is_not(None))
    return compiled(_cells(layer, drawn, counts))


def counted_cells(layer: Layer, asked: Sequence[sa.ColumnElement[bool]]) -> Built:
    """Cells that count the records which meet conditions: from the table, since nothing keeps these counts."""
    table = layer.table
    res = sa.bindparam("res", type_=sa.Integer)
    shown = (
        sa.select(CELL.c.h3, CELL.c.geom3857)
        .where(CELL.c.res == res, CELL.c.geom3857.op("&&")(envelope(BUFFER / EXTENT)))
        .cte("shown")
    )
    # By the extent of the cells, not of the tile: a cell at its edge counts what lies outside.
    extent = sa.select(sa.func.st_setsrid(sa.func.st_extent(shown.c.geom3857, type_=GEOMETRY), 3857)).scalar_subquery()
    parent = sa.func.core.h3_parent(table.c.cell, res)
    of_class = (
        sa.select(
            parent.label("cell"),
            sa.literal_column(class_expression(layer)).label("class"),
            sa.func.count().label("n"),
        )
        .select_from(table)
        .where(table.c.geom3857.op("&&")(extent), parent.in_(sa.select(shown.c.h3)), *asked)
        .group_by(sa.literal_column("1"), sa.literal_column("2"))
        .subquery("of_class")
    )
    counts = (
        sa.select(of_class.c.cell, sa.func.sum(of_class.c.n).label("n"), _by_class(of_class))
        .group_by(of_class.c.cell)
        .subquery("counts")
    )
    return with_values(_cells(layer, CELL.join(counts, counts.c.cell == CELL.c.h3), counts))


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
            clipped(CELL.c.geom3857).label("geom"),
        )
        .select_from(drawn)
        .where(CELL.c.res == sa.bindparam("res", type_=sa.Integer), CELL.c.geom3857.op("&&")(envelope(BUFFER / EXTENT)))
        .order_by(CELL.c.h3)
        .subquery("m")
    )
    return sa.select(as_mvt(rows, f"{layer.name}_cells"), number(0))
