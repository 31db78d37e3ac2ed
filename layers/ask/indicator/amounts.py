"""The sums of a measure read from where they are kept: in all, by county, town or grid, by the values of a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from layers.ask.indicator.indicator import AREAS, CITY, Holding, Indicator, area_measure
from layers.ask.indicator.measure import Measure, keys_of, met, total
from layers.spec import Layer
from layers.store.core import FIGURE, FIGURE_BY

Level = Literal["county", "town", "grid"]
Amounts = dict[str | None, float]
DIGITS: Final[Mapping[str, int]] = {"county": 6, "town": 9}
Ids = Mapping[str | None, tuple[str, ...]]
MOST_TOLD_IDS: Final = 50


@dataclass(frozen=True)
class Area:
    """A county, a town or a grid to which everything is restricted."""

    code: str
    level: Level


@dataclass(frozen=True)
class Parts:
    """The two parts of an indicator, by key; `ids` are the grids behind `top` where these are few and known."""

    top: Amounts
    bottom: Amounts | None
    ids: Ids | None = None


def parts(
    connection: sa.Connection, indicator: Indicator, layers: Mapping[str, Layer], *, by: str, area: Area | None
) -> Parts:
    """Both parts of an indicator; by a column, a part that is not of its own layer is the same for every value."""
    if indicator.holding is not None:
        return _held(connection, indicator, indicator.holding, by=by, area=area)
    own = layers[indicator.layer]
    top = amounts(connection, indicator.top, own, by=by, area=area)
    if indicator.kind in ("count", "sum"):
        return Parts(top, None)
    if indicator.kind == "share" and indicator.bottom is not None:
        return Parts(top, amounts(connection, indicator.bottom, own, by=by, area=area))
    column = by not in (CITY, *AREAS)
    other_by = CITY if column else by
    other = indicator.bottom or area_measure((area.level if area else CITY) if other_by == CITY else other_by)
    bottom = amounts(connection, other, layers[other.layer], by=other_by, area=area)
    return Parts(top, {key: bottom.get(None, 0.0) for key in top} if column else bottom)


def amounts(connection: sa.Connection, measure: Measure, layer: Layer, *, by: str, area: Area | None) -> Amounts:
    """The sums of one measure by key; without an entry it is 0."""
    if by not in (CITY, *AREAS):
        return _by_column(connection, measure, layer, by, area)
    key = _key(by, FIGURE.c.admin_code, FIGURE.c.grid_id)
    kept = sa.select(key.label("key"), FIGURE.c.n).where(FIGURE.c.measure == measure.key, *_within(FIGURE, area))
    return _summed(connection, kept)


def _summed(connection: sa.Connection, kept: sa.Select[Any]) -> Amounts:
    rows = kept.subquery("kept")
    found = connection.execute(sa.select(rows.c.key, sa.func.sum(rows.c.n)).group_by(rows.c.key))
    return {key: float(n) for key, n in found}


def _key(by: str, admin: sa.ColumnElement[Any], grid: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    if by == CITY:
        return sa.cast(sa.null(), sa.Text)
    if by == "grid":
        return grid
    return sa.case((sa.func.length(admin) >= DIGITS[by], sa.func.left(admin, DIGITS[by])))


def _within(table: sa.Table, area: Area | None) -> list[sa.ColumnElement[bool]]:
    if area is None:
        return []
    if area.level == "grid":
        return [table.c.grid_id == area.code]
    return [sa.func.left(table.c.admin_code, DIGITS[area.level]) == area.code]


def _by_column(connection: sa.Connection, measure: Measure, layer: Layer, field: str, area: Area | None) -> Amounts:
    if area is not None and area.level == "grid":  # a grid holds few records: they are counted as they are
        column, inside = layer.table.c[field], layer.table.c[keys_of(layer).grid or "grid_id"] == area.code
        there = sa.select(column, total(measure, layer)).where(inside, met(measure, layer)).group_by(column)
        return {key: float(n) for key, n in connection.execute(there)}
    mine = (FIGURE_BY.c.measure == measure.key, FIGURE_BY.c.field == field)
    kept = sa.select(FIGURE_BY.c.value.label("key"), FIGURE_BY.c.n).where(*mine, *_within(FIGURE_BY, area))
    return _summed(connection, kept)


def _held(connection: sa.Connection, indicator: Indicator, holding: Holding, *, by: str, area: Area | None) -> Parts:
    """Grids that hold something (or nothing), all grids, and the ids of the former where they are few."""
    held = (
        sa.select(FIGURE.c.grid_id, sa.func.sum(FIGURE.c.n).label("n"))
        .where(FIGURE.c.measure == holding.measure.key, *_within(FIGURE, area))
        .group_by(FIGURE.c.grid_id)
        .subquery("held")
    )
    some = sa.func.coalesce(held.c.n, 0.0) > 0
    rows = (
        sa.select(
            _key(by, FIGURE.c.admin_code, FIGURE.c.grid_id).label("key"),
            FIGURE.c.grid_id,
            FIGURE.c.n,
            (some if holding.some else sa.not_(some)).label("fits"),
        )
        .select_from(FIGURE.outerjoin(held, held.c.grid_id == FIGURE.c.grid_id))
        .where(FIGURE.c.measure == indicator.top.key, *_within(FIGURE, area))
        .subquery("rows")
    )
    fit = sa.func.coalesce(sa.func.sum(rows.c.n).filter(rows.c.fits), 0.0)
    ids = sa.func.array_agg(rows.c.grid_id, type_=sa.ARRAY(sa.Text)).filter(rows.c.fits)
    found = connection.execute(sa.select(rows.c.key, fit, sa.func.sum(rows.c.n), ids).group_by(rows.c.key)).all()
    few = {row[0]: tuple(sorted(row[3] or ())) for row in found if row[1] <= MOST_TOLD_IDS}
    return Parts({row[0]: float(row[1]) for row in found}, {row[0]: float(row[2]) for row in found}, few)
