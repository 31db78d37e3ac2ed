"""Brings the sums of a layer up to the change log: the grids and towns that changes touched are counted anew.

Nothing is added to or taken from an old sum, so no error can stay; what a change touched is read from the log, the
record as it is, and its history.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from layers.ask.indicator.measure import Measure, keys_of, total
from layers.ask.indicator.plan import Plan
from layers.spec import Layer
from layers.store import changes
from layers.store.changes import Position
from layers.store.core import CHANGE, FIGURE, FIGURE_BY, FIGURE_LAYER, HISTORY
from layers.store.engine import set_local

MOST_RECORDS: Final = 5_000
"""Where more changed, or more grids or towns than these were touched, the whole layer is counted."""
MOST_GRIDS: Final = 2_000
MOST_TOWNS: Final = 30
TOWN_DIGITS: Final = 9
_LOCK: Final = 8_470_114
_PAGE: Final = 1_000


@dataclass(frozen=True)
class Scope:
    """The grids, and the towns (counties where only these are known), of which a layer is counted anew."""

    grids: frozenset[str | None]
    towns: frozenset[str | None]


def counted_at(connection: sa.Connection, plans: Collection[Plan]) -> dict[str, dt.datetime | None]:
    """When the sums of each layer were counted or last found unchanged; None where a change was committed since.

    A layer whose sums are not those of its plan is left out.
    """
    # A change that this transaction sees and that snapshot did not.
    later = (
        sa.exists()
        .where(CHANGE.c.layer == FIGURE_LAYER.c.layer)
        .where(
            sa.text(
                "core.change.xid >= pg_snapshot_xmin((core.figure_layer.position::jsonb->>0)::pg_snapshot) and not "
                "pg_visible_in_snapshot(core.change.xid, (core.figure_layer.position::jsonb->>0)::pg_snapshot)"
            )
        )
    )
    kept = sa.select(FIGURE_LAYER.c.layer, FIGURE_LAYER.c.plan, FIGURE_LAYER.c.at, later.label("moved"))
    digests = {plan.layer.name: plan.digest for plan in plans}
    rows = connection.execute(kept.where(FIGURE_LAYER.c.layer.in_(digests))).all()
    return {row.layer: None if row.moved else row.at for row in rows if row.plan.split()[0] == digests[row.layer]}


def count(connection: sa.Connection, plans: Collection[Plan]) -> set[str]:
    """Bring the sums of these layers up to now in the caller's transaction; returns the layers whose sums changed."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    set_local(connection, "jit", "off")
    counted = set()
    for plan in plans:
        # The position first: what is committed while we count is counted twice rather than never.
        here, state = changes.now(connection), _state(connection, plan)
        scope, position = (None, here) if state is None else _touched(connection, plan.layer, state)
        others = scope is None or bool(scope.grids or scope.towns)
        if others:
            _count_places(connection, plan, scope)
            _count_columns(connection, plan, scope)
            counted.add(plan.layer.name)
        _keep(connection, plan, position, others=others)
    return counted


def _state(connection: sa.Connection, plan: Plan) -> Position | None:
    """Up to where these very sums hold; None when they must be counted from nothing."""
    kept = sa.select(FIGURE_LAYER.c.plan, FIGURE_LAYER.c.position).where(FIGURE_LAYER.c.layer == plan.layer.name)
    row = connection.execute(kept).first()
    if row is None or row.plan != _mark(connection, plan):
        return None
    position = Position.parse(row.position)
    return None if changes.ahead(connection, position) else position


def _mark(connection: sa.Connection, plan: Plan) -> str:
    # A restored copy has the sums, but its change log has other positions.
    return f"{plan.digest} {changes.identity(connection)}"


def _keep(connection: sa.Connection, plan: Plan, position: Position, *, others: bool) -> None:
    now = sa.func.clock_timestamp()
    values = {"plan": _mark(connection, plan), "position": str(position), "at": now}
    values |= {"changed_at": now} if others else {}
    there = sa.update(FIGURE_LAYER).where(FIGURE_LAYER.c.layer == plan.layer.name).values(values)
    if connection.execute(there).rowcount == 0:
        connection.execute(sa.insert(FIGURE_LAYER).values(layer=plan.layer.name, **values))


def _touched(connection: sa.Connection, layer: Layer, since: Position) -> tuple[Scope | None, Position]:
    """Where records changed since a position (None: too many places to tell), and the position up to which that is."""
    ids: set[str] = set()
    position, more, whole = since, True, False
    while more:
        page = changes.since(connection, position, limit=_PAGE, layer=layer.name)
        position, more = page.position, page.more
        whole = whole or any(row["id"] is None for row in page.rows)
        ids |= {row["id"] for row in page.rows if row["id"] is not None}
        if whole or len(ids) > MOST_RECORDS:
            return None, changes.now(connection)
    if not ids:
        return Scope(frozenset(), frozenset()), position
    scope = _places(connection, layer, sorted(ids))
    whole = len(scope.grids) > MOST_GRIDS or len(scope.towns) > MOST_TOWNS
    return (None if whole else scope), position


def _places(connection: sa.Connection, layer: Layer, ids: Sequence[str]) -> Scope:
    """Where these records lie now, and where they ever lay."""
    keys, table = keys_of(layer), layer.table
    wanted = sa.any_(sa.literal(list(ids), sa.ARRAY(sa.Text)))
    grid = sa.null() if keys.grid is None else table.c[keys.grid]
    now = sa.select(table.c[keys.admin].collate("default").label("admin"), _text(grid)).where(table.c.id == wanted)
    then = sa.select(HISTORY.c.row[keys.admin].astext, _text(HISTORY.c.row[keys.grid or "grid_id"].astext)).where(
        HISTORY.c.layer == layer.name, HISTORY.c.id == wanted
    )
    rows = connection.execute(sa.union(now, then)).all()
    grids = frozenset(None if keys.grid is None else row[1] for row in rows)
    return Scope(grids, frozenset(row[0] and row[0][:TOWN_DIGITS] for row in rows))


def _text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(column, sa.Text).collate("default").label("grid")


def _count_places(connection: sa.Connection, plan: Plan, scope: Scope | None) -> None:
    if not plan.measures:
        return
    keys, table = keys_of(plan.layer), plan.layer.table
    grid = sa.cast(sa.null(), sa.Text) if keys.grid is None else table.c[keys.grid]
    # Without grids there are few records, and all are counted.
    chosen = None if scope is None or keys.grid is None else scope.grids
    sums = [total(measure, plan.layer).label(f"n{i}") for i, measure in enumerate(plan.measures)]
    found = sa.select(table.c[keys.admin].label("admin"), grid.label("grid"), *sums).group_by(table.c[keys.admin])
    found = found if keys.grid is None else found.group_by(grid)
    old = sa.delete(FIGURE)
    if chosen is None:
        old = old.where(FIGURE.c.measure.startswith(f"{plan.layer.name}:", autoescape=True))
    else:
        found = found.where(_among(grid, chosen))
        old = old.where(FIGURE.c.measure.in_([m.key for m in plan.measures]), _among(FIGURE.c.grid_id, chosen))
    connection.execute(old)
    tallied = found.cte("tallied")
    parts = [
        sa.select(sa.literal(measure.key, sa.Text), tallied.c.admin, tallied.c.grid, tallied.c[f"n{i}"]).where(
            tallied.c[f"n{i}"] != 0
        )
        for i, measure in enumerate(plan.measures)
    ]
    names = ["measure", "admin_code", "grid_id", "n"]
    connection.execute(sa.insert(FIGURE).from_select(names, sa.union_all(*parts)))


def _count_columns(connection: sa.Connection, plan: Plan, scope: Scope | None) -> None:
    if scope is None:
        connection.execute(
            sa.delete(FIGURE_BY).where(FIGURE_BY.c.measure.startswith(f"{plan.layer.name}:", autoescape=True))
        )
    for field, measures in plan.by:
        if scope is not None:
            mine = sa.and_(FIGURE_BY.c.measure.in_([m.key for m in measures]), FIGURE_BY.c.field == field)
            connection.execute(sa.delete(FIGURE_BY).where(mine, _among(FIGURE_BY.c.admin_code, scope.towns)))
        _count_column(connection, plan.layer, field, measures, None if scope is None else scope.towns)


def _count_column(
    connection: sa.Connection,
    layer: Layer,
    field: str,
    measures: Sequence[Measure],
    towns: Collection[str | None] | None,
) -> None:
    table = layer.table
    admin, value = table.c[keys_of(layer).admin], table.c[field]
    # Written out, since a bound value would make two different expressions of one.
    town = sa.func.left(admin, sa.literal_column(str(TOWN_DIGITS)), type_=sa.Text)
    sums = [total(measure, layer).label(f"n{i}") for i, measure in enumerate(measures)]
    found = sa.select(town.label("town"), value.label("value"), *sums).group_by(town, value)
    if towns is not None:
        found = found.where(_in_towns(admin, towns))
    tallied = found.cte("tallied")
    parts = [
        sa.select(
            *(sa.literal(text, sa.Text) for text in (measure.key, field)),
            tallied.c.town,
            tallied.c.value,
            tallied.c[f"n{i}"],
        ).where(tallied.c[f"n{i}"] != 0)
        for i, measure in enumerate(measures)
    ]
    names = ["measure", "field", "admin_code", "value", "n"]
    connection.execute(sa.insert(FIGURE_BY).from_select(names, sa.union_all(*parts)))


def _among(column: sa.ColumnElement[Any], keys: Collection[str | None]) -> sa.ColumnElement[bool]:
    texts = sorted(key for key in keys if key is not None)
    found = [column == sa.any_(sa.literal(texts, sa.ARRAY(sa.Text)))]
    return sa.or_(*found, column.is_(None)) if None in keys else found[0]


def _in_towns(admin: sa.ColumnElement[Any], towns: Collection[str | None]) -> sa.ColumnElement[bool]:
    """As the index on the codes finds them: a town is what begins with its nine digits, a shorter code is itself."""
    parts: list[sa.ColumnElement[bool]] = [
        admin.startswith(town, autoescape=True) if len(town) == TOWN_DIGITS else admin == town
        for town in sorted(town for town in towns if town is not None)
    ]
    return sa.or_(*parts, *([admin.is_(None)] if None in towns else []))
