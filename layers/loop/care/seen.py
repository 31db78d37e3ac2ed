"""Where needs and visits are, and which of them somebody sees: one rule for both.

Whoever answers for the area sees what lies in it, if a role of theirs has the right; who wrote it sees it, too. What
happens in an exercise is seen in that exercise alone. Readers of the database have no access to these tables at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from gis import cells
from layers.catalog.incident import TABLE as INCIDENT
from layers.errors import NotAllowed
from layers.loop.cases import seen_by
from layers.loop.placing import Where, place_of
from layers.people.access import ANYONE, Actor, Scope, has


def spot_kept(connection: sa.Connection, where: Where) -> dict[str, Any]:
    """The columns of a place: the middle of its cell (about 130 m across), grid and administrative code.

    A home is not told from its neighbours by it. BadField as `place_of`.
    """
    place = place_of(connection, where, None)
    lon, lat = cells.centre(place["cell"])
    return {"lon": lon, "lat": lat, "grid_id": place["grid_id"], "admin_code": place["admin_code"]}


def require_area(actor: Actor, place: Mapping[str, Any]) -> None:
    """NotAllowed, with its cause, where the place is none of the actor's areas."""
    mine = Scope(actor.scope.areas, None)
    if not mine.covers(admin_code=place["admin_code"], grid_id=place["grid_id"]):
        raise NotAllowed("this place is outside of your areas", known=actor != ANYONE).because("need_area")


def seen(actor: Actor, table: sa.Table, right: str, *, author: str) -> sa.ColumnElement[bool]:
    """The condition on rows that leaves what the actor sees; `author` names the column of who wrote a row."""
    columns = table.c
    mine = columns[author] == actor.name
    there = _in_area(actor, table) if has(actor, right) else sa.false()
    return sa.and_(columns.scenario.is_not_distinct_from(actor.scenario), sa.or_(mine, there))


def lies_in(table: sa.Table, area: str) -> sa.ColumnElement[bool]:
    """The condition on rows that leaves those in an area: the beginning of a code, or a grid."""
    return sa.or_(*(table.c[name].startswith(area, autoescape=True) for name in ("admin_code", "grid_id")))


def _in_area(actor: Actor, table: sa.Table) -> sa.ColumnElement[bool]:
    areas = actor.scope.areas
    if areas is None:
        return sa.true()
    return sa.or_(sa.false(), *(lies_in(table, area) for area in sorted(areas)))


def known_cases(actor: Actor) -> sa.ColumnElement[bool]:
    """The condition on cases that the actor may name: those that they see, and those that they reported."""
    same = INCIDENT.c.scenario.is_not_distinct_from(actor.scenario)
    return sa.and_(same, sa.or_(INCIDENT.c.reporter == actor.name, seen_by(actor)))
