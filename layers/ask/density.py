"""How densely the records of a layer lie in each grid, town or county: what a map colours its areas by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import sqlalchemy as sa

from layers.ask.filter import Filter, condition
from layers.ask.question.counts import area_key
from layers.people.scope import seen_by
from layers.spec import Layer

AreaName = Literal["grid", "town", "county"]
AREAS: Final[tuple[AreaName, ...]] = get_args(AreaName)
MOST_AREAS: Final = 50_000
_M2_A_KM2: Final = 1_000_000.0


@dataclass(frozen=True)
class InArea:
    """How many records lie in an area of so many square kilometres."""

    id: str
    n: int
    km2: float


@dataclass(frozen=True)
class Densities:
    """Every area with its count, by id; `outside` records lie in none of these, `truncated` when areas are left out."""

    areas: tuple[InArea, ...]
    outside: int
    truncated: bool


def densities(
    connection: sa.Connection, layer: Layer, area: Layer, *, by: AreaName, filter: Filter | None = None
) -> Densities:
    """The counts of a layer's records, those that a filter takes, in each record of the layer `area`.

    Sizes are those on the ellipsoid. Raises BadFilter when the filter does not fit the layer.
    """
    records = layer.table
    conditions = seen_by(connection, [layer]) + ([] if filter is None else [condition(layer, filter)])
    keys = sa.select(area_key(records, by).label("key")).where(*conditions).subquery("keys")
    counted = sa.select(keys.c.key, sa.func.count().label("n")).group_by(keys.c.key).cte("counted")
    table = area.table
    size = sa.func.st_area(sa.func.geography(table.c.geom)) / _M2_A_KM2
    total = sa.select(sa.func.sum(counted.c.n)).scalar_subquery()
    places = (
        sa.select(table.c.id, sa.func.coalesce(counted.c.n, 0), size, sa.func.coalesce(total, 0))
        .select_from(table.outerjoin(counted, counted.c.key == table.c.id))
        .order_by(table.c.id)
        .limit(MOST_AREAS + 1)
    )
    rows = connection.execute(places).all()
    areas = tuple(InArea(id, n, km2) for id, n, km2, _ in rows[:MOST_AREAS])
    all_records = int(rows[0][3]) if rows else 0
    return Densities(areas, all_records - sum(area.n for area in areas), len(rows) > MOST_AREAS)
