"""A case as it stands: its record, its steps and its photos; read for the rules, and for those who may see it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from layers.catalog.incident import TABLE
from layers.errors import UnknownItem
from layers.loop.offers import Case
from layers.loop.tables import PHOTO, STEP

Record = dict[str, Any]
LAYER: Final = "incident"
MOST_STEPS: Final = 1_000
_OF_RULES: Final = (
    *("id", "matter", "state", "level", "channel", "suspended", "command", "returns", "reworks", "admin_code"),
    *("grid_id", "lead", "reporter", "assignee", "scenario"),
)
_ASKING: Final = ("ask_defer", "defer", "refuse_defer", "dispatch", "send_back", "feedback")
_TOLD: Final = (
    *("id", "title", "matter", "description", "state", "level", "light", "channel", "line", "appeal", "component_id"),
    *("lead", "co", "address", "reported_at", "accepted_at", "registered_at", "dispatched_at", "signed_at"),
    *("disposed_at", "checked_at", "closed_at", "due_at", "stage_due_at", "suspended", "command", "returns"),
    *("reworks", "urges", "deferrals", "merged_into", "reporter", "assignee", "grid_id", "admin_code"),
    *("place_method", "place_precision", "source", "scenario"),
)


def held(connection: sa.Connection, id: str) -> tuple[Record, list[Record]]:
    """The record of a case, locked until the end of the transaction, and its steps, the newest first; UnknownItem."""
    row = connection.execute(sa.select(TABLE).where(TABLE.c.id == id).with_for_update()).mappings().first()
    if row is None:
        raise UnknownItem(LAYER, id)
    return dict(row), steps_of(connection, id)


def found(connection: sa.Connection, id: str) -> tuple[Record, list[Record]]:
    """The same, to be read only."""
    row = connection.execute(sa.select(TABLE, *_spot()).where(TABLE.c.id == id)).mappings().first()
    if row is None:
        raise UnknownItem(LAYER, id)
    return dict(row), steps_of(connection, id)


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


def told_case(row: Mapping[str, Any]) -> dict[str, Any]:
    """The record as the desk and the phone read it."""
    return {**{name: row[name] for name in _TOLD}, "geometry": json.loads(row["geojson"])}


def told_step(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step as it is told: what, by whom, when, and what it carried."""
    names = ("id", "step", "before", "after", "at", "actor", "role", "department", "note", "carries")
    return {name: step[name] for name in names}


def told_photo(photo: Mapping[str, Any]) -> dict[str, Any]:
    """A photo as it is told; its picture is at `/photos/ID`."""
    names = ("id", "step", "media_type", "bytes", "width", "height", "at", "actor")
    return {**{name: photo[name] for name in names}, "href": f"/photos/{photo['id']}"}


def _spot() -> list[sa.ColumnElement[Any]]:
    return [sa.func.st_asgeojson(TABLE.c.geom, 7).label("geojson")]
