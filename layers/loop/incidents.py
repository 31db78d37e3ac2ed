"""Incidents are reported, and taken from step to step: each in one transaction that holds the record meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from layers.ask.period import CITY_TIME
from layers.catalog import incident
from layers.errors import BadField, Conflict, LayersError, NotAllowed, UnknownItem
from layers.loop import clocked
from layers.loop.callers import add_caller, checked_contact
from layers.loop.carried import Carried, checked
from layers.loop.cases import LAYER, MOST_STEPS, case_of, held
from layers.loop.effects import Taken, changes
from layers.loop.errors import Overtaken
from layers.loop.happened import Happened
from layers.loop.notices import tell_step
from layers.loop.numbers import next_number
from layers.loop.offers import Case, Refusal, is_reporter, rule_for, sees
from layers.loop.paces import as_text
from layers.loop.placing import place_of
from layers.loop.reports import Report, require_channel, values_of
from layers.loop.resolved import resolved
from layers.loop.rules import Rules
from layers.loop.states import Rule
from layers.loop.tables import PHOTO, STEP
from layers.loop.told import told_step
from layers.people.access import ANYONE, Actor
from layers.people.exercises import require_open
from layers.people.privacy import Keyring
from layers.people.roles import rights_of
from layers.store.edits import insert_record

SOURCE: Final = "loop"
"""The source of what really was reported; a synthetic one has another."""
SIMULATED: Final = "simulated"
"""The source of what a simulation plays: never real, wherever it is shown."""
_SHOWN: Final = 20
_NEW_STEP: Final = sa.insert(STEP).returning(STEP.c.id)
# What a role may not do however it asks: these ask whether somebody may.
_PERSONAL: Final = frozenset({"step_right", "step_sees", "step_area", "step_lead", "step_helper", "step_assignee",
                              "step_reporter", "step_level", "step_own_work"})  # fmt: skip


@dataclass(frozen=True)
class Office:
    """What cases are filed with: the city's rules, and the keys that seal what is personal."""

    rules: Rules
    keyring: Keyring


@dataclass(frozen=True)
class Outcome:
    """A step that was taken: its number, which is what the next one is to expect, and the state that it led to."""

    incident: str
    step: int
    state: str


def report(
    connection: sa.Connection,
    office: Office,
    told: Report,
    *,
    actor: Actor,
    now: dt.datetime,
    source: str = SOURCE,
) -> Outcome:
    """File an incident in the caller's transaction; `source` says whether it really was reported.

    Raises BadField for codes, places and texts that cannot be taken, NotAllowed for a channel that is not the actor's.
    """
    require_open(connection, told.scenario)
    require_channel(actor, told.channel)
    values = values_of(connection, told, lines=office.rules.lines, on=now.astimezone(CITY_TIME).date())
    place = place_of(connection, told.where, values["component_id"])
    contact = checked_contact(told.contact)
    record: dict[str, Any] = {
        **values,
        **{"state": "reported", "light": "green", "reported_at": now, "suspended": False},
        **{"command": 0, "returns": 0, "reworks": 0, "urges": 0, "deferrals": 0, "co": []},
        **{"reporter": actor.name, "assignee": None, "scenario": told.scenario},
    }
    id = next_number(connection, now, scenario=told.scenario)
    due = clocked.begin(connection, office.rules, {**record, "id": id}, now=now)
    record["stage_due_at"] = due
    insert_record(connection, incident.LAYER, id, values=record, place=place, source=source)
    if not contact.anonymous:
        by = {"channel": told.channel, "line": values["line"], "at": now, "scenario": told.scenario}
        add_caller(connection, office.keyring, id, contact, **by)
    case = case_of({**record, **place, "id": id, "lead": None, "signed_at": None}, [])
    carries = {"stage_due_at": as_text(due), "channel": told.channel, **_as_json(told.happened)}
    step = _write_step(connection, case, "report", "reported", actor=actor, now=now, note=None, carries=carries)
    return Outcome(id, step, "reported")


def take_step(
    connection: sa.Connection,
    office: Office,
    id: str,
    step: str,
    *,
    actor: Actor,
    carried: Carried,
    expected: int | None,
    now: dt.datetime,
    happened: Happened | None = None,
) -> Outcome:
    """Take a case one step further in the caller's transaction; `expected` is the last step that the client knows of.

    What was done out of reach keeps when it `happened`; its clocks run from `now`, when it arrived.

    Raises UnknownItem for a case that the actor does not see, Overtaken when it went on meanwhile, NotAllowed or
    Conflict with the reason when the step is not to be taken, BadField for what it does not carry as it should.
    """
    row, steps = held(connection, id)
    case = case_of(row, steps)
    if not (sees(actor, case) or is_reporter(actor, case)):
        raise UnknownItem(LAYER, id)
    require_open(connection, case.scenario)
    _require_current(id, steps, expected)
    rule = require_step(actor, case, step)
    clean = checked(rule, carried, now=now)
    _require_photos(connection, id, clean.photos)
    carries = clean.as_json() | resolved(connection, office.rules, actor, case, clean, steps, step=step, now=now)
    taken = Taken(step, rule.after or case.state, now, carries)
    # A matter that is put right has its own limits, from this step on.
    mended: dict[str, Any] = {name: carries[name] for name in ("matter", "level") if name in carries}
    carries = carries | clocked.set_by(connection, office.rules, {**row, **mended}, steps, taken) | _as_json(happened)
    taken = replace(taken, carries=carries)
    number = _write_step(
        connection, case, step, taken.after, actor=actor, now=now, note=clean.note, carries=carries, rights=rule.rights
    )
    made, table = {**changes(row, taken), "delivery": None}, incident.TABLE
    connection.execute(sa.update(table).where(table.c.id == id).values(made))
    tell_step(connection, step, row, {**row, **made}, by=actor.name, at=now)
    return Outcome(id, number, taken.after)


def _write_step(
    connection: sa.Connection,
    case: Case,
    step: str,
    after: str,
    *,
    actor: Actor,
    now: dt.datetime,
    note: str | None,
    carries: Mapping[str, Any],
    rights: Sequence[str] = ("incident.report",),
) -> int:
    row = {
        **{"incident": case.id, "step": step, "before": None if step == "report" else case.state, "after": after},
        **{"at": now, "actor": actor.name, "role": _role(actor, rights), "department": _department(actor, case)},
        **{"grid_id": case.grid_id, "note": note, "carries": dict(carries), "scenario": case.scenario},
    }
    number: int = connection.execute(_NEW_STEP, row).scalar_one()
    return number


def _as_json(happened: Happened | None) -> dict[str, Any]:
    return {} if happened is None else happened.as_json()


def _role(actor: Actor, rights: Sequence[str]) -> str | None:
    """By which of their roles somebody acts: one that has the right as it ships, else their only one."""
    fitting = [name for name in sorted(actor.roles) if not rights_of([name]).isdisjoint(rights)]
    return fitting[0] if fitting else next(iter(actor.roles)) if len(actor.roles) == 1 else None


def _department(actor: Actor, case: Case) -> str | None:
    """For which department somebody acts: one of the case's, else their only one."""
    own = actor.scope.departments or frozenset()
    concerned = [code for code in (case.lead, *case.co) if code in own]
    return concerned[0] if concerned else next(iter(own)) if len(own) == 1 else None


def _require_current(id: str, steps: Sequence[Mapping[str, Any]], expected: int | None) -> None:
    last = steps[0]["id"] if steps else 0
    if expected is not None and expected != last:
        since = [told_step(step) for step in steps if step["id"] > expected][:_SHOWN]
        raise Overtaken(id, last=last, since=since)
    if len(steps) >= MOST_STEPS:
        raise Conflict(f"case {id} has had {MOST_STEPS:,} steps").because("steps_full", most=MOST_STEPS)


def _require_photos(connection: sa.Connection, id: str, photos: Sequence[str]) -> None:
    known = sa.select(sa.func.count()).where(PHOTO.c.incident == id, PHOTO.c.id.in_(photos))
    if photos and connection.scalar(known) != len(photos):
        raise BadField({"photos": "not all of them are photos of this case"}).because("photo_unknown")


def require_step(actor: Actor, case: Case, step: str) -> Rule:
    """The line of the table by which the actor takes the step; raises the refusal otherwise."""
    rule, refusal = rule_for(actor, case, step)
    if rule is None or refusal is not None:
        raise _refused(actor, refusal or Refusal("step_unknown"))
    return rule


def _refused(actor: Actor, refusal: Refusal) -> LayersError:
    told = f"the step is refused: {refusal.cause}"
    if refusal.cause == "step_unknown":
        return BadField({"step": "there is no such step"}).because(refusal.cause, **refusal.facts)
    if refusal.cause in _PERSONAL:
        return NotAllowed(told, known=actor != ANYONE).because(refusal.cause, **refusal.facts)
    return Conflict(told).because(refusal.cause, **refusal.facts)
