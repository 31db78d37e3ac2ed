"""A case as the rules ask of it: its record, its steps, its photos; and which cases somebody sees."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from layers.catalog import incident
from layers.catalog.incident import TABLE
from layers.errors import UnknownItem
from layers.loop.offers import Case
from layers.loop.tables import PHOTO, STEP
from layers.people.access import ANYONE, Actor, has
from layers.people.scope import slice_of

Record = dict[str, Any]
LAYER: Final = "incident"
MOST_STEPS: Final = 1_000
_OF_RULES: Final = (
    *("id", "matter", "state", "level", "channel", "suspended", "command", "returns", "reworks", "admin_code"),
    *("grid_id", "lead", "reporter", "assignee", "scenario"),
)
_ASKING: Final = ("ask_defer", "defer", "refuse_defer", "dispatch", "send_back", "feedback")


def seen_by(actor: Actor) -> sa.ColumnElement[bool]:
    """The condition on records that leaves what the actor sees: the same as `offers.sees` says of one case."""
    return slice_of(actor).condition(incident.LAYER) if has(actor, "incident.view") else sa.false()


def reported_by(actor: Actor) -> sa.ColumnElement[bool]:
    """The condition on records that leaves what the actor told of, wherever it lies: as `offers.is_reporter` says."""
    if actor == ANYONE:
        return sa.false()
    return sa.and_(TABLE.c.reporter == actor.name, TABLE.c.scenario.is_not_distinct_from(actor.scenario))


def held(connection: sa.Connection, id: str) -> tuple[Record, list[Record]]:
    """The record of a case, locked until the end of the transaction, and its steps, the newest first; UnknownItem."""
    row = connection.execute(sa.select(TABLE).where(TABLE.c.id == id).with_for_update()).mappings().first()
    if row is None:
        raise UnknownItem(LAYER, id)
    return dict(row), steps_of(connection, id)


def case_now(connection: sa.Connection, id: str) -> Case:
    """What the rules ask of a case as it stands, which others may take further meanwhile; UnknownItem."""
    row = connection.execute(sa.select(TABLE).where(TABLE.c.id == id)).mappings().first()
    if row is None:
        raise UnknownItem(LAYER, id)
    return case_of(dict(row), steps_of(connection, id))


def steps_of(connection: sa.Connection, id: str) -> list[Record]:
    """The steps of a case, the newest first."""
    statement = sa.select(STEP).where(STEP.c.incident == id).order_by(STEP.c.id.desc()).limit(MOST_STEPS)
    return [dict(row) for row in connection.execute(statement).mappings()]


def photos_of(connection: sa.Connection, id: str) -> list[Record]:
    """The photos of a case, the oldest first."""
    statement = sa.select(PHOTO).where(PHOTO.c.incident == id).order_by(PHOTO.c.at, PHOTO.c.id)
    return [dict(row) for row in connection.execute(statement).mappings()]


def case_of(row: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Case:
    """What the rules ask of a case, by its record and its steps (the newest first)."""
    asking = next((step for step in steps if step["step"] in _ASKING), None)
    until = asking["carries"].get("until") if asking is not None and asking["step"] == "ask_defer" else None
    feedback = next((step for step in steps if step["step"] == "feedback"), None)
    return Case(
        **{name: row[name] for name in _OF_RULES},
        co=tuple(row["co"]),
        signed=row["signed_at"] is not None,
        asked_until=None if until is None else dt.datetime.fromisoformat(until),
        disposed_by=None if feedback is None else feedback["actor"],
    )
