"""Questions that are answered with records: those that meet conditions, and those nearest to a point."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import shapely
import sqlalchemy as sa

from layers.ask.question.answer import DISTANCE, ID, Found, column_of, shapes_of
from layers.ask.question.asked import Nearest
from layers.ask.question.drawn import Drawn
from layers.ask.question.wanted import Wanted
from layers.export.sheet import SheetColumn
from layers.spec import Layer


def selected(connection: sa.Connection, wanted: Wanted, *, limit: int) -> Found:
    """The records in the order of their ids, at most `limit`."""
    table = wanted.layer.table
    statement = sa.select(*columns(wanted.layer)).where(*wanted.conditions()).order_by(table.c.id).limit(limit + 1)
    rows = connection.execute(statement).all()
    return found(wanted.layer, rows, limit=limit)


def nearest(connection: sa.Connection, wanted: Wanted, question: Nearest) -> Found:
    """The `k` records nearest to the point on the ground, the nearest first, then by id.

    The index knows the order in Web Mercator only, which is not quite that on the ground: its first `k` say how far to
    look, and all within that distance are then put in their true order.
    """
    table, conditions = wanted.layer.table, wanted.conditions()
    here = Drawn(shapely.Point(question.point))
    on_map = sa.func.st_transform(here.sql(), sa.literal(3857, sa.Integer))
    away_m = sa.func.st_distance(sa.func.geography(table.c.geom), sa.func.geography(here.sql()), type_=sa.Double)
    first = (
        sa.select(away_m.label("away_m"))
        .where(*conditions)
        .order_by(table.c.geom3857.op("<->")(on_map))
        .limit(question.k)
        .subquery("first")
    )
    reach_m = connection.scalar(sa.select(sa.func.max(first.c.away_m)))
    if reach_m is None:
        return found(wanted.layer, [], limit=question.k, more=(DISTANCE,))
    # A millimetre more, so that rounding does not lose the farthest of the first.
    close = table.c.geom3857.op("&&", is_comparison=True)(here.box(margin_m=reach_m + 0.001))
    statement = (
        sa.select(*columns(wanted.layer), away_m)
        .where(close, *conditions)
        .order_by(away_m, table.c.id)
        .limit(question.k)
    )
    rows = [(*row[:-1], round(row[-1], 2)) for row in connection.execute(statement)]
    return found(wanted.layer, rows, limit=question.k, more=(DISTANCE,))


def outlines(connection: sa.Connection, layer: Layer) -> gpd.GeoDataFrame:
    """The names and shapes of a layer of few areas, to be drawn beneath something else."""
    table = layer.table
    rows = connection.execute(sa.select(table.c[layer.label], sa.func.st_asbinary(table.c.geom)).order_by(table.c.id))
    found = rows.all()
    return gpd.GeoDataFrame(
        {"name": [row[0] for row in found]}, geometry=shapes_of(row[1] for row in found), crs="EPSG:4326"
    )


def columns(layer: Layer) -> list[sa.ColumnElement[Any]]:
    """The id, the shape and the declared fields of a layer's records."""
    table = layer.table
    return [table.c.id, sa.func.st_asbinary(table.c.geom).label("shape"), *(table.c[f.name] for f in layer.fields)]


def found(layer: Layer, rows: Any, *, limit: int, more: tuple[SheetColumn, ...] = ()) -> Found:
    """Rows of `columns` and further ones as records; a row beyond the limit only tells that there is more."""
    kept = rows[:limit]
    return Found(
        columns=(ID, *(column_of(f) for f in layer.fields), *(_apart(layer, column) for column in more)),
        rows=[(row[0], *row[2:]) for row in kept],
        shapes=shapes_of(row[1] for row in kept),
        truncated=len(rows) > limit,
    )


def _apart(layer: Layer, column: SheetColumn) -> SheetColumn:
    """The column under a name that no field of the layer has."""
    while layer.field(column.name) is not None:
        column = replace(column, name=f"{column.name}_")
    return column
