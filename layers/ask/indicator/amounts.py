"""The sums of a measure in all, by county, town or grid, or by the values of a column.

They are read from where they are kept; those of a rolling period, which pass without a change, are counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import sqlalchemy as sa

from layers.ask.indicator.indicator import AREAS, CITY, Indicator, area_measure
from layers.ask.indicator.measure import Measure, keys_of, met, total
from layers.people.scope import seen_by
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
    connection: sa.Connection,
    indicator: Indicator,
    layers: Mapping[str, Layer],
    *,
    by: str,
    area: Area | None,
    day: dt.date,
) -> Parts:
    """Both parts of an indicator; by a column, a part that is not of its own layer is the same for every value."""
    if indicator.holding is not None:
        return _held(connection, indicator, layers, by=by, area=area)
    own = layers[indicator.layer]
    told = amounts if indicator.period is None else counted
    top = told(connection, indicator.top_on(own, day), own, by=by, area=area)
    below = over(indicator, by=by, area=area)
    if below is None:
        return Parts(top, None)
    told = amounts if below.measure in indicator.sums else counted
    bottom = told(connection, below.measure, layers[below.measure.layer], by=below.by, area=area)
    return Parts(top, bottom if below.by == by else {key: bottom.get(None, 0.0) for key in top})


class Below(NamedTuple):
    """What stands below a line, and by what it is told apart."""

    measure: Measure
    by: str


def over(indicator: Indicator, *, by: str, area: Area | None) -> Below | None:
    """What an indicator is over, if anything; by a column what is not of its own layer is the same for every value."""
    if indicator.holding is not None:
        return Below(indicator.top, by)
    if indicator.kind in ("count", "sum"):
        return None
    if indicator.kind == "share" and indicator.bottom is not None:
        return Below(indicator.bottom, by)
    other_by = by if by in (CITY, *AREAS) else CITY
    return Below(indicator.bottom or area_measure((area.level if area else CITY) if other_by == CITY else by), other_by)


def amounts(connection: sa.Connection, measure: Measure, layer: Layer, *, by: str, area: Area | None) -> Amounts:
    """The sums of one measure by key; without an entry it is 0.

    Of a scoped layer what is seen of it is counted: the sums that are kept are of all that really happens.
    """
    if layer.scoped:
        return counted(connection, measure, layer, by=by, area=area)
    if by not in (CITY, *AREAS):
        return _by_column(connection, measure, layer, by, area)
    key = _key(by, FIGURE.c.admin_code, FIGURE.c.grid_id)
    kept = sa.select(key.label("key"), FIGURE.c.n).where(FIGURE.c.measure == measure.key, *_within(FIGURE, area))
    return _summed(connection, kept)


def counted(connection: sa.Connection, measure: Measure, layer: Layer, *, by: str, area: Area | None) -> Amounts:
    """The same as `amounts` from the records as they are now, for measures of which no sums are kept."""
    keys, table = keys_of(layer), layer.table
    admin, grid = table.c[keys.admin], sa.cast(sa.null(), sa.Text) if keys.grid is None else table.c[keys.grid]
    inside = [met(measure, layer), *seen_by(connection, [layer])]
    if area is not None:
        inside.append(grid == area.code if area.level == "grid" else admin.startswith(area.code, autoescape=True))
    columns = [admin.label("admin"), grid.label("grid")] if by in (CITY, *AREAS) else [table.c[by].label("key")]
    grouped = [column for column in columns if column.element in table.c.values()]
    found = sa.select(*columns, total(measure, layer).label("n")).where(*inside).group_by(*grouped).subquery("found")
    key = _key(by, found.c.admin, found.c.grid) if by in (CITY, *AREAS) else found.c.key
    return _summed(connection, sa.select(key.label("key"), found.c.n))


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
    if area is not None and area.level == "grid":  # a grid holds few records
        return counted(connection, measure, layer, by=field, area=area)
    mine = (FIGURE_BY.c.measure == measure.key, FIGURE_BY.c.field == field)
    kept = sa.select(FIGURE_BY.c.value.label("key"), FIGURE_BY.c.n).where(*mine, *_within(FIGURE_BY, area))
    return _summed(connection, kept)


def _held(
    connection: sa.Connection, indicator: Indicator, layers: Mapping[str, Layer], *, by: str, area: Area | None
) -> Parts:
    """Grids that hold something (or nothing), all grids, and the ids of the former where they are few."""
    holding = indicator.holding
    assert holding is not None
    held = _by_grid(connection, holding.measure, layers[holding.measure.layer], area).subquery("held")
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


def _by_grid(connection: sa.Connection, measure: Measure, layer: Layer, area: Area | None) -> sa.Select[Any]:
    """How much of a measure each grid holds."""
    if not layer.scoped:
        kept = sa.select(FIGURE.c.grid_id, sa.func.sum(FIGURE.c.n).label("n"))
        return kept.where(FIGURE.c.measure == measure.key, *_within(FIGURE, area)).group_by(FIGURE.c.grid_id)
    table = layer.table
    inside = [met(measure, layer), *seen_by(connection, [layer]), *_within(table, area)]
    return sa.select(table.c.grid_id, total(measure, layer).label("n")).where(*inside).group_by(table.c.grid_id)
