"""Calling people back: what they answered is written down once, and those who wait for a call are listed, masked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from layers.catalog.incident import TABLE as INCIDENT
from layers.errors import BadField, Conflict
from layers.loop.callers import family
from layers.loop.hotline.tables import CONTACT
from layers.loop.routing_tables import STALE_CASE
from layers.loop.tables import CALLER
from layers.people.exercises import require_open
from layers.people.privacy import Keyring, masked_name, masked_phone
from layers.people.reads import UnknownCaller

Kind = Literal["contact", "callback"]
MOST_TEXT: Final = 500
MOST_DUE: Final = 100
_DONE: Final = ("closed", "rejected")


@dataclass(frozen=True)
class Contacted:
    """How a call went: a department's `contact` while the case is at work, or the `callback` after it."""

    kind: Kind
    reached: bool
    solved: bool | None = None
    satisfied: bool | None = None
    text: str | None = None


@dataclass(frozen=True)
class Due:
    """A caller who waits to be called back; name and number are masked."""

    caller: int
    incident: str
    title: str
    lead: str | None
    line: str | None
    done_at: dt.datetime
    name: str | None
    phone: str
    tries: int

    def as_json(self) -> dict[str, Any]:
        """The caller as the desk reads it."""
        return {**vars(self), "done_at": self.done_at.isoformat()}


def write_contact(
    connection: sa.Connection, incident: str, caller: int, told: Contacted, *, actor: str, now: dt.datetime
) -> int:
    """Write down how a call to a caller of a case (or of one merged into it) went; returns its number.

    UnknownCaller for a caller of another case; BadField for answers of somebody who was not reached, or none of
    somebody who was; Conflict for a call-back before the case is done, and for a second one that would count.
    """
    _check(told)
    held = sa.select(CALLER.c.incident, CALLER.c.reached_at, CALLER.c.scenario).where(
        CALLER.c.id == caller, CALLER.c.incident.in_(family(incident))
    )
    row = connection.execute(held.with_for_update()).first()
    if row is None:
        raise UnknownCaller(caller)
    require_open(connection, row.scenario)
    if told.kind == "callback":
        state = connection.scalar(sa.select(INCIDENT.c.state).where(INCIDENT.c.id == incident))
        if state not in _DONE:
            raise Conflict("the case is not done yet: call back afterwards").because("callback_too_early")
        if row.reached_at is not None:
            raise Conflict("this caller was called back already").because("callback_done")
        if told.reached:
            answered = {
                "reached_at": now, "solved": told.solved, "satisfied": told.satisfied, "answer": told.text
            }  # fmt: skip
            connection.execute(sa.update(CALLER).where(CALLER.c.id == caller).values(answered))
        else:
            # A trigger notes what callers answered; of a call in vain only the contact tells.
            connection.execute(sa.insert(STALE_CASE).values(incident=row.incident))
    values = {
        **vars(told), "incident": incident, "caller": caller, "actor": actor, "at": now, "scenario": row.scenario
    }  # fmt: skip
    return int(connection.execute(sa.insert(CONTACT).values(values).returning(CONTACT.c.id)).scalar_one())


def _check(told: Contacted) -> None:
    answered = {"solved": told.solved, "satisfied": told.satisfied}
    for name, value in answered.items():
        wanted = told.kind == "callback" and told.reached
        if wanted and value is None:
            raise BadField({name: "is needed of a caller who was reached"}).because("answer_needed")
        if not wanted and value is not None:
            told_so = {name: "is only answered by a caller who was called back and reached"}
            raise BadField(told_so).because("answer_unasked")


# From a caller's case up to the one that it was merged into, and that one, until one stands by itself.
_DUE: Final = sa.text("""
    with recursive waiting as (
      select c.id as caller, c.incident, c.line, c.name, c.phone,
        (select count(*) from core.contact t where t.caller = c.id and t.kind = 'callback') as tries
      from core.caller c
      where c.phone is not null and c.reached_at is null and c.scenario is null
    ), up as (
      select caller, incident from waiting where tries < :attempts
      union all
      select up.caller, i.merged_into from up join city.incident i on i.id = up.incident
      where i.merged_into is not null
    )
    select w.caller, i.id as incident, i.title, i.lead, w.line, coalesce(i.closed_at, i.changed_at) as done_at, w.name,
      w.phone, w.tries
    from up join waiting w on w.caller = up.caller join city.incident i on i.id = up.incident
    where i.merged_into is null and i.scenario is null and i.state = any (:done)
      and (coalesce(i.closed_at, i.changed_at), w.caller) > (:after_at, :after_caller)
    order by 6, 1 limit :most
""")
_BEGINNING: Final = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)


def due_callbacks(
    connection: sa.Connection,
    keyring: Keyring,
    *,
    attempts: int,
    after: tuple[dt.datetime, int] = (_BEGINNING, 0),
    limit: int = MOST_DUE,
) -> list[Due]:
    """Callers of cases that are done who were not reached yet, those who wait longest first, behind `after`.

    Whom nobody reached in so many attempts is not called again.
    """
    values = {
        "attempts": attempts, "done": list(_DONE), "after_at": after[0], "after_caller": after[1], "most": limit
    }  # fmt: skip
    return [
        Due(
            *(row.caller, row.incident, row.title, row.lead, row.line, row.done_at),
            name=None if row.name is None else masked_name(keyring.unseal(row.name, about="caller.name")),
            phone=masked_phone(keyring.unseal(row.phone, about="caller.phone")),
            tries=row.tries,
        )
        for row in connection.execute(_DUE, values)
    ]
