"""What a step needs beside what was brought: who is responsible, until when, whether the other case takes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from layers.catalog.incident import TABLE
from layers.errors import BadField, Conflict
from layers.loop import routing
from layers.loop.assignees import require_fit
from layers.loop.carried import Carried
from layers.loop.cases import case_of
from layers.loop.offers import Case, sees
from layers.loop.rules import Rules
from layers.loop.states import FINAL
from layers.people.access import Actor

Steps = Sequence[Mapping[str, Any]]


def resolved(
    connection: sa.Connection,
    rules: Rules,
    actor: Actor,
    case: Case,
    carried: Carried,
    steps: Steps,
    *,
    step: str,
    now: dt.datetime,
) -> dict[str, Any]:
    """What the step keeps beside what it carries; BadField or Conflict when that contradicts what is known."""
    if step == "dispatch":
        return _responsible(connection, rules, case, carried, now=now)
    if step == "send_back":
        return {"was": case.lead}
    if step == "defer":
        until = carried.until or case.asked_until
        if until is None or until <= now:
            raise BadField({"until": "the time that was asked for is over: name another"}).because("until_wrong")
        return {"until": until.isoformat()}
    if step == "feedback":
        return {"by": case.assignee}
    if step == "rework":
        return {"again": next((one["carries"].get("by") for one in steps if one["step"] == "feedback"), None)}
    if step == "assign":
        require_fit(connection, case, str(carried.assignee))
    if step == "merge":
        _require_target(connection, actor, case, str(carried.into))
    return {}


def _responsible(
    connection: sa.Connection, rules: Rules, case: Case, carried: Carried, *, now: dt.datetime
) -> dict[str, Any]:
    """Who leads and who helps: as the dispatcher says, else as the duty table decides, whose reasons are kept."""
    decided = proposed(connection, rules, vars(case), now=now)
    lead = carried.lead or decided["lead"]
    co = list(carried.co if carried.co is not None else decided["co"] if lead == decided["lead"] else ())
    for name, code in (("lead", lead), *(("co", code) for code in co)):
        if code not in rules.departments:
            raise BadField({name: f"there is no department {code!r}"}).because("department_unknown", code=code)
    if lead in co:
        raise BadField({"co": "the lead department does not help itself"}).because("department_twice")
    return {"lead": lead, "co": co, "decided": decided}


def proposed(connection: sa.Connection, rules: Rules, record: Mapping[str, Any], *, now: dt.datetime) -> dict[str, Any]:
    """The department that answers for a case by the duty table, those that help it, and why."""
    about = {name: record[name] for name in ("matter", "admin_code", "grid_id")}
    found = routing.decide(connection, rules.departments, **about, at=now)
    why = [title._asdict() for title in found.why]
    return {"lead": found.lead, "co": list(found.co), "why": why, "rule": list(found.rule)}


def _require_target(connection: sa.Connection, actor: Actor, case: Case, into: str) -> None:
    """The other case is open, another one, seen by the actor, in the same exercise or none."""
    if into == case.id:
        raise BadField({"into": "a case is not merged into itself"}).because("merge_self")
    row = connection.execute(sa.select(TABLE).where(TABLE.c.id == into).with_for_update()).mappings().first()
    other = None if row is None else case_of(dict(row), [])
    if other is None or not sees(actor, other) or other.scenario != case.scenario:
        raise BadField({"into": f"there is no case {into!r}"}).because("merge_unknown", id=into)
    if other.state in FINAL:
        raise Conflict(f"case {into} is ended").because("merge_ended", id=into)
