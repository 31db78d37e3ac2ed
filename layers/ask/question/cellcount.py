"""Counts of points in a drawn area by class, from the cell counts: only the edge of the area is counted by record.

The cells that lie wholly inside have been counted by the change log's triggers in the transactions that changed the
records, so the sum is exact; and a city ten times as full takes hardly longer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from gis.cover import Cover, cover
from gis.frames import convert
from layers.ask.question.asked import Count
from layers.ask.question.drawn import Drawn
from layers.ask.question.wanted import Wanted
from layers.store.core import CELL_COUNT


def counted_by_cells(connection: sa.Connection, wanted: Wanted, question: Count) -> list[tuple[Any, int]] | None:
    """Pairs of class and count (of None and the total), as the plain statement orders them; None where it must do."""
    area = _area(wanted)
    covered = None if area is None else cover(area.shape)
    if area is None or covered is None:
        return None
    both = sa.union_all(_inside(wanted, covered), _edge(wanted, area, covered)).subquery("both")
    n = sa.cast(sa.func.coalesce(sa.func.sum(both.c.n), 0), sa.BigInteger).label("n")
    if question.by == "total":
        return [(None, connection.execute(sa.select(n)).scalar_one())]
    key = sa.func.nullif(both.c.key, "").label("key")
    keyed = sa.select(key, both.c.n).subquery("keyed")
    n = sa.cast(sa.func.sum(keyed.c.n), sa.BigInteger).label("n")
    statement = (
        sa.select(keyed.c.key, n)
        .group_by(keyed.c.key)
        .having(sa.func.sum(keyed.c.n) > 0)
        .order_by(n.desc(), keyed.c.key.asc().nulls_last())
        .limit(question.limit + 1)
    )
    return [(row.key, row.n) for row in connection.execute(statement)]


def _area(wanted: Wanted) -> Drawn | None:
    """The one drawn area in which all points are wanted, if that is the question."""
    if wanted.layer.scoped:  # the counts that are kept are of all records
        return None
    if wanted.layer.geometry != "Point" or wanted.filter is not None or len(wanted.towards) != 1:
        return None
    (towards,) = wanted.towards
    # For points both relations are one: a point on the border counts.
    areal = towards.area is not None and towards.area.shape.geom_type == "MultiPolygon"
    return towards.area if areal and towards.asked.relation in ("within", "crossing") else None


def _unnested(*arrays: tuple[str, np.ndarray[Any, Any], type[sa.types.TypeEngine[Any]]]) -> sa.TableValuedAlias:
    values = [sa.literal(array.tolist(), ARRAY(kind)) for _, array, kind in arrays]
    columns = [sa.column(name, kind) for name, _, kind in arrays]
    return sa.func.unnest(*values).table_valued(*columns, name="c").render_derived()


def _resolution(cell: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    res = cell.op(">>")(sa.literal(52, sa.Integer)).op("&")(sa.literal(15, sa.BigInteger))
    return sa.cast(res, sa.Integer)


def _inside(wanted: Wanted, covered: Cover) -> sa.Select[Any]:
    cells = _unnested(("cell", covered.inside, sa.BigInteger))
    of_cell = (CELL_COUNT.c.cell == cells.c.cell) & (
        CELL_COUNT.c.res == sa.cast(_resolution(cells.c.cell), sa.SmallInteger)
    )
    joined = cells.join(CELL_COUNT, of_cell & (CELL_COUNT.c.layer == wanted.layer.name))
    key = CELL_COUNT.c["class"].label("key")
    return sa.select(key, sa.func.sum(CELL_COUNT.c.n).label("n")).select_from(joined).group_by(key)


def _edge(wanted: Wanted, area: Drawn, covered: Cover) -> sa.Select[Any]:
    table = wanted.layer.table
    west, south = convert(covered.boxes[:, 0], covered.boxes[:, 1], source="4326", target="3857")
    east, north = convert(covered.boxes[:, 2], covered.boxes[:, 3], source="4326", target="3857")
    sides = [("west", west), ("south", south), ("east", east), ("north", north)]
    cells = _unnested(("cell", covered.edge, sa.BigInteger), *((name, side, sa.Double) for name, side in sides))
    box = sa.func.st_makeenvelope(*(cells.c[name] for name, _ in sides), sa.literal(3857, sa.Integer))
    inside = (
        table.c.geom3857.op("&&", is_comparison=True)(box)
        & (sa.func.core.h3_parent(table.c.cell, _resolution(cells.c.cell)) == cells.c.cell)
        & sa.func.st_intersects(table.c.geom, area.sql())
    )
    joined = cells.join(table, inside)
    kind = sa.literal("") if wanted.layer.classes is None else table.c[wanted.layer.classes]
    key = sa.func.coalesce(sa.cast(kind, sa.Text), "").label("key")
    records = sa.select(key).select_from(joined).subquery("edge")
    return sa.select(records.c.key, sa.func.count().label("n")).group_by(records.c.key)
