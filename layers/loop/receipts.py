"""What somebody without an account reads back of their report: how far it is, since when, with whom, and how it looks.

No name, no note and no number of anybody: only what the city says to everyone. The ticket that came with the report
opens it, and lets it be withdrawn while nobody has taken it up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from layers.catalog.incident import TABLE
from layers.errors import UnknownItem
from layers.loop.carried import Carried
from layers.loop.cases import LAYER, photos_of, steps_of
from layers.loop.departments import Departments
from layers.loop.incidents import Office, Outcome, take_step
from layers.loop.photos import Photo, photo_of
from layers.loop.states import REASONS
from layers.loop.strangers import is_ticket
from layers.loop.told import title_of
from layers.people.access import ANYONE, Actor
from layers.people.privacy import Keyring
from layers.words import book_of

KEPT: Final = dt.timedelta(days=90)
"""So long after a case has ended its receipt is told."""
PUBLIC: Final = frozenset({
    "report", "verify", "accept", "register", "reject", "self_handle", "dispatch", "dispose", "feedback", "check",
    "rework", "close", "defer", "suspend", "resume", "cancel", "merge",
})  # fmt: skip
"""The steps that concern who told of it: not who was sent, who asked for time, and who watches."""
_SHOWING: Final = ("feedback", "self_handle", "check")
_OVER: Final = ("disposed", "checked", "closed")
_MOST_MERGED: Final = 5
# It may do what a reporter may; `is_ticket` has shown that it is this one's.
_RESIDENT: Final = Actor(ANYONE.name, frozenset({"resident"}), rights=frozenset({"incident.report"}))
Record = dict[str, Any]


def receipt_of(
    connection: sa.Connection,
    keyring: Keyring,
    departments: Departments,
    id: str,
    ticket: str | None,
    *,
    now: dt.datetime,
) -> Record:
    """The case as its reporter reads it; UnknownItem without its ticket, and long after it has ended."""
    row = _opened(connection, keyring, id, ticket, now=now)
    steps = steps_of(connection, id)[::-1]
    told = {name: row[name] for name in ("id", "title", "address", "reported_at", "due_at", "closed_at", "suspended")}
    return {
        **told,
        "matter": _word("matter", row["matter"]),
        "state": {"code": row["state"], "title": _word("incident_state", row["state"])},
        "department": _department(departments, row["lead"]),
        "steps": [_step(step) for step in steps if step["step"] in PUBLIC],
        "photos": [photo["id"] for photo in _after(row, steps, photos_of(connection, id))],
        "continued": _continued(connection, departments, row["merged_into"]),
        "withdrawable": row["state"] == "reported",
    }


def receipt_photo(
    connection: sa.Connection, keyring: Keyring, id: str, ticket: str | None, photo: str, *, now: dt.datetime
) -> Photo:
    """A photo of how it looks now, of those that the receipt lists; UnknownItem otherwise."""
    row = _opened(connection, keyring, id, ticket, now=now)
    shown = {one["id"] for one in _after(row, steps_of(connection, id), photos_of(connection, id))}
    found = photo_of(connection, photo) if photo in shown else None
    if found is None:
        raise UnknownItem("photo", photo)
    return found


def withdraw(connection: sa.Connection, office: Office, id: str, ticket: str | None, *, now: dt.datetime) -> Outcome:
    """Take a report back in the caller's transaction; UnknownItem without its ticket, Conflict once it was taken up."""
    _opened(connection, office.keyring, id, ticket, now=now)
    carried = Carried(reason="withdrawn", note=REASONS["withdrawn"].zh)
    return take_step(connection, office, id, "cancel", actor=_RESIDENT, carried=carried, expected=None, now=now)


def _opened(connection: sa.Connection, keyring: Keyring, id: str, ticket: str | None, *, now: dt.datetime) -> Record:
    """The record that the ticket opens; otherwise all answers are alike, whether there is a case or none."""
    fits = is_ticket(keyring, id, ticket)
    own = sa.and_(TABLE.c.id == id, TABLE.c.reporter == ANYONE.name, TABLE.c.scenario.is_(None))
    row = connection.execute(sa.select(TABLE).where(own)).mappings().first()
    if row is None or not fits or _is_past(connection, dict(row), now=now):
        raise UnknownItem(LAYER, id)
    return dict(row)


def _is_past(connection: sa.Connection, row: Mapping[str, Any], *, now: dt.datetime) -> bool:
    if row["state"] not in ("closed", "rejected", "cancelled"):
        return False
    steps = steps_of(connection, row["id"])
    return bool(steps) and steps[0]["at"] < now - KEPT


def _step(step: Mapping[str, Any]) -> Record:
    reason = step["carries"].get("reason")
    told = {"step": step["step"], "title": title_of(step["step"], step["before"])._asdict(), "at": step["at"]}
    return {**told, "reason": REASONS[reason]._asdict() if reason in REASONS else None}


def _after(row: Record, steps: Iterable[Record], photos: Sequence[Record]) -> list[Record]:
    """The photos that show what was done, once it is said to be done."""
    if row["state"] not in _OVER:
        return []
    showing = [step for step in steps if step["step"] in _SHOWING]
    numbers = {step["id"] for step in showing}
    carried = {id for step in showing for id in step["carries"].get("photos", ())}
    return [photo for photo in photos if photo["id"] in carried or photo["step"] in numbers]


def _continued(connection: sa.Connection, departments: Departments, id: str | None) -> Record | None:
    """How far the case is into which this one was merged; None for one that stands by itself."""
    names = (TABLE.c.state, TABLE.c.lead, TABLE.c.merged_into, TABLE.c.closed_at)
    row = None
    for _ in range(_MOST_MERGED):
        if id is None:
            break
        row = connection.execute(sa.select(*names).where(TABLE.c.id == id)).first()
        id = None if row is None else row.merged_into
    if row is None:
        return None
    state = {"code": row.state, "title": _word("incident_state", row.state)}
    return {"state": state, "department": _department(departments, row.lead), "closed_at": row.closed_at}


def _department(departments: Departments, code: str | None) -> Record | None:
    return None if code is None or code not in departments else departments.find(code).title._asdict()


def _word(name: str, code: str) -> Record:
    book = book_of(name)
    return {"zh": book.word(code, "zh"), "en": book.word(code, "en")}
