"""The log of visits: who wrote it, which premises or grid, what for, and what came of it.

It is counted by grid, town and county, never by person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from layers.catalog import building, place
from layers.catalog.incident import TABLE as INCIDENT
from layers.errors import BadField, LayersError
from layers.loop.care.book import OUTCOMES, VISITS
from layers.loop.care.needs import TAKE
from layers.loop.care.seen import known_cases, lies_in, require_area, seen, spot_kept
from layers.loop.care.tables import NEED, VISIT
from layers.loop.carried import MOST_NOTE, text_of
from layers.loop.happened import checked_happened
from layers.loop.placing import Where
from layers.people.access import Actor, require_right
from layers.people.roles import rights_of

WRITE: Final = "visit.write"
VIEW: Final = "visit.view"
MOST: Final = 200
MOST_LINKS: Final = 20
MOST_AREAS: Final = 1_000
By = Literal["grid", "town", "county"]
_DIGITS: Final[Mapping[By, int]] = {"town": 9, "county": 6}
_CLEARED_AT_ONCE: Final = 5_000


class UnknownVisit(LayersError):
    """No visit of this number is seen by the actor."""

    def __init__(self, id: int) -> None:
        super().__init__(f"there is no visit {id}")
        self.id = id


@dataclass(frozen=True)
class Visited:
    """What is told of a visit; `premises` is the id of a building or a place of the map, `at` when it was."""

    kind: str
    outcome: str
    where: Where
    at: dt.datetime | None = None
    premises: str | None = None
    words: str | None = None
    needs: tuple[int, ...] = ()
    incidents: tuple[str, ...] = ()


@dataclass(frozen=True)
class During:
    """Which visits a list holds: in an area (the beginning of a code, or a grid), from `start` to before `end`."""

    area: str | None = None
    start: dt.datetime | None = None
    end: dt.datetime | None = None


def write_visit(
    connection: sa.Connection, told: Visited, *, actor: Actor, now: dt.datetime, sent: dt.datetime | None = None
) -> dict[str, Any]:
    """Write a visit down in the caller's transaction; its receipt is its number. BadField, NotAllowed."""
    require_right(actor, WRITE)
    for name, code, known in (("kind", told.kind, VISITS), ("outcome", told.outcome, OUTCOMES)):
        if code not in known:
            raise BadField({name: f"one of {', '.join(known)}"}).because("code_unknown", name=name)
    words = text_of("words", told.words, most=MOST_NOTE) if told.words and told.words.strip() else None
    happened = checked_happened(told.at, sent=sent, now=now)
    spot = spot_kept(connection, told.where)
    require_area(actor, spot)
    _require_links(connection, told, actor)
    fitting = [name for name in sorted(actor.roles) if WRITE in rights_of([name])]
    row = {
        **{"kind": told.kind, "outcome": told.outcome, **spot, "premises": told.premises, "words": words},
        **{"needs": list(told.needs), "incidents": list(told.incidents), "at": now, "actor": actor.name},
        **{"visited_at": now if happened is None else happened.at, "scenario": actor.scenario},
        "role": fitting[0] if fitting else None,
    }
    id: int = connection.execute(sa.insert(VISIT).values(row).returning(VISIT.c.id)).scalar_one()
    return {"visit": id}


def visits_seen(
    connection: sa.Connection, actor: Actor, *, before: int | None, most: int, during: During = During()
) -> list[dict[str, Any]]:
    """The visits that the actor sees, own ones and those of the area, the newest first, from below `before`."""
    wanted = sa.select(VISIT).where(_seen(actor))
    if during.area is not None:
        wanted = wanted.where(lies_in(VISIT, during.area))
    if during.start is not None:
        wanted = wanted.where(VISIT.c.visited_at >= during.start)
    if during.end is not None:
        wanted = wanted.where(VISIT.c.visited_at < during.end)
    if before is not None:
        wanted = wanted.where(VISIT.c.id < before)
    return [dict(row) for row in connection.execute(wanted.order_by(VISIT.c.id.desc()).limit(most)).mappings()]


def visit_seen(connection: sa.Connection, actor: Actor, id: int) -> dict[str, Any]:
    """One visit; UnknownVisit when the actor does not see it."""
    row = connection.execute(sa.select(VISIT).where(VISIT.c.id == id, _seen(actor))).mappings().first()
    if row is None:
        raise UnknownVisit(id)
    return dict(row)


def visits_counted(
    connection: sa.Connection, actor: Actor, *, by: By, start: dt.datetime, end: dt.datetime
) -> list[dict[str, Any]]:
    """How many visits each area of the actor had from `start` to `end`, by kind; never by person."""
    require_right(actor, VIEW)
    code = VISIT.c.grid_id if by == "grid" else sa.func.left(VISIT.c.admin_code, _DIGITS[by])
    within = (_seen(actor), VISIT.c.visited_at >= start, VISIT.c.visited_at < end, code.is_not(None))
    counted = sa.select(code.label("area"), VISIT.c.kind, sa.func.count().label("n")).where(*within)
    rows = connection.execute(counted.group_by(code, VISIT.c.kind).order_by(code, VISIT.c.kind))
    areas: dict[str, dict[str, int]] = {}
    for row in rows:
        areas.setdefault(row.area, {})[row.kind] = row.n
    return [{"area": area, "visits": sum(kinds.values()), "kinds": kinds} for area, kinds in areas.items()][:MOST_AREAS]


def clear_visits(connection: sa.Connection, *, before: dt.datetime, now: dt.datetime) -> int:
    """Take the words out of visits that were written before then; how many."""
    due = sa.select(VISIT.c.id).where(VISIT.c.cleared_at.is_(None), VISIT.c.at < before).order_by(VISIT.c.id)
    ids = connection.scalars(due.limit(_CLEARED_AT_ONCE)).all()
    connection.execute(sa.update(VISIT).where(VISIT.c.id.in_(ids)).values(words=None, cleared_at=now))
    return len(ids)


def _seen(actor: Actor) -> sa.ColumnElement[bool]:
    return seen(actor, VISIT, VIEW, author="actor")


def _require_links(connection: sa.Connection, told: Visited, actor: Actor) -> None:
    """BadField for premises, needs and cases that there are not."""
    if len(told.needs) > MOST_LINKS or len(told.incidents) > MOST_LINKS:
        raise BadField({"needs": f"at most {MOST_LINKS} of each"}).because("visit_links", most=MOST_LINKS)
    if told.premises is not None:
        named = [sa.exists().where(layer.TABLE.c.id == told.premises) for layer in (building, place)]
        if connection.scalar(sa.select(sa.or_(*named))) is not True:
            raise BadField({"premises": "the map has no such building or place"}).because("premises_unknown")
    for name, table, ids, known in (
        ("needs", NEED, told.needs, seen(actor, NEED, TAKE, author="taken_by")),
        ("incidents", INCIDENT, told.incidents, known_cases(actor)),
    ):
        found = sa.select(sa.func.count()).select_from(table).where(table.c.id.in_(ids), known)
        if ids and connection.scalar(found) != len(set(ids)):
            raise BadField({name: "not all of them are there"}).because("visit_link_unknown")
