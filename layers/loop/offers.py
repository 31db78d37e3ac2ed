"""What one actor may do with one case now, and why not: the table of states asked for this actor and this case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from layers.loop.states import (
    AT_ONCE,
    RULES,
    TOP,
    VERIFIED_FIRST,
    Condition,
    Relation,
    Rule,
    State,
    rules_of,
)
from layers.people.access import ANYONE, Actor, has
from layers.people.scope import slice_of
from layers.words import book_of


@dataclass(frozen=True)
class Case:
    """What the rules ask of an incident.

    `asked_until` is the time that an open request for more time names, `disposed_by` who said last that it was done.
    """

    id: str
    matter: str
    state: State
    level: str
    channel: str
    suspended: bool = False
    command: int = 0
    returns: int = 0
    reworks: int = 0
    admin_code: str | None = None
    grid_id: str | None = None
    lead: str | None = None
    co: tuple[str, ...] = ()
    reporter: str | None = None
    assignee: str | None = None
    signed: bool = False
    asked_until: dt.datetime | None = None
    disposed_by: str | None = None
    scenario: str | None = None


@dataclass(frozen=True)
class Refusal:
    """Why not: a code with its words in `layers.refusals`, and the facts that they tell."""

    cause: str
    facts: Mapping[str, str | int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Offer:
    """A step that the state of the case knows, whether this actor may take it, and why not."""

    rule: Rule
    refused: Refusal | None

    @property
    def allowed(self) -> bool:
        """Whether the actor may take it now."""
        return self.refused is None


def next_steps(actor: Actor, case: Case) -> list[Offer]:
    """Every step that the case's state knows, in the order of the table, each with whether `actor` may take it."""
    steps = dict.fromkeys(rule.step for rule in RULES if case.state in rule.before)
    return [_offer(actor, case, step) for step in steps]


def rule_for(actor: Actor, case: Case, step: str) -> tuple[Rule | None, Refusal | None]:
    """The line by which `actor` takes the step now; without one the refusal that comes nearest to it."""
    lines = rules_of(step)
    if not lines:
        return None, Refusal("step_unknown", {"step": step})
    if not any(case.state in rule.before for rule in lines):
        book = book_of("incident_state")
        state = {"state": book.word(case.state, "zh"), "state_en": book.word(case.state, "en")}
        return None, Refusal("step_state", {**_named(lines[0]), **state})
    offer = _offer(actor, case, step)
    return (offer.rule, None) if offer.allowed else (None, offer.refused)


def sees(actor: Actor, case: Case) -> bool:
    """Whether the actor sees the case: as the tiles, the lists and the database have it (`layers.people.scope`)."""
    return bool(has(actor, "incident.view")) and RELATED["sees"](actor, case)


def is_reporter(actor: Actor, case: Case) -> bool:
    """Whether the actor told of the case."""
    return case.scenario == actor.scenario and _is(actor, case.reporter)


def level_of(actor: Actor, case: Case) -> int:
    """The highest level of command at which the actor answers for where it lies: 2 city, 1 county, 0 town or grid."""
    areas = actor.scope.areas
    if areas is None:
        return TOP
    here = (area for area in areas if _lies_in(case, area))
    return max((2 if len(area) <= 4 else 1 if len(area) <= 6 else 0 for area in here), default=0)


def _offer(actor: Actor, case: Case, step: str) -> Offer:
    """Of the lines of a step that know the state, the first that lets the actor through, else the nearest refusal."""
    tried = [(rule, _refused(actor, case, rule)) for rule in rules_of(step) if case.state in rule.before]
    allowed = next((rule for rule, refusal in tried if refusal is None), None)
    if allowed is not None:
        return Offer(allowed, None)
    nearest = max(tried, key=lambda one: NEAREST.index(one[1].cause) if one[1] else 0)
    return Offer(*nearest)


def _refused(actor: Actor, case: Case, rule: Rule) -> Refusal | None:
    if not any(has(actor, right) for right in rule.rights):
        return Refusal("step_right", _named(rule))
    if not any(RELATED[who](actor, case) for who in rule.who):
        return Refusal(f"step_{rule.who[0]}")
    if rule.suspended == "refused" and case.suspended:
        return Refusal("step_suspended")
    if rule.suspended == "only" and not case.suspended:
        return Refusal("step_not_suspended")
    return None if rule.condition is None else HOLDS[rule.condition](actor, case)


def _named(rule: Rule) -> dict[str, str | int]:
    return {"step": rule.title.zh, "step_en": rule.title.en}


def _in_area(actor: Actor, case: Case) -> bool:
    """Whether the case lies in an area that the actor answers for."""
    areas = actor.scope.areas
    if areas is None:
        return True
    return any(_lies_in(case, area) for area in areas)


def _lies_in(case: Case, area: str) -> bool:
    return (case.admin_code or "").startswith(area) or case.grid_id == area


def _of(actor: Actor, departments: tuple[str | None, ...]) -> bool:
    """Whether the actor belongs to one of the departments: who is bound to none acts for none."""
    own = actor.scope.departments
    return own is not None and any(code in own for code in departments)


def _is(actor: Actor, name: str | None) -> bool:
    return actor.name == name and actor != ANYONE


def _sees(actor: Actor, case: Case) -> bool:
    return slice_of(actor).holds(vars(case))


RELATED: Final[Mapping[Relation, Callable[[Actor, Case], bool]]] = {
    "sees": _sees,
    "area": _in_area,
    "lead": lambda actor, case: _of(actor, (case.lead,)),
    "helper": lambda actor, case: _of(actor, (case.lead, *case.co)),
    "assignee": lambda actor, case: _is(actor, case.assignee),
    "reporter": lambda actor, case: _is(actor, case.reporter),
}


def _when(wrong: bool, cause: str, **facts: str | int) -> Refusal | None:
    return Refusal(cause, facts) if wrong else None


HOLDS: Final[Mapping[Condition, Callable[[Actor, Case], Refusal | None]]] = {
    "verified_first": lambda _, case: _when(case.channel in VERIFIED_FIRST, "step_verify_first"),
    "at_once": lambda _, case: _when(case.channel not in AT_ONCE, "step_accept_first"),
    "own_handling": lambda _, case: _when(case.channel != "worker", "step_worker_only"),
    "level": lambda actor, case: _when(level_of(actor, case) < case.command, "step_level", level=case.command),
    "unsigned": lambda _, case: _when(case.signed, "step_signed"),
    "asked": lambda _, case: _when(case.asked_until is None, "step_not_asked"),
    "not_asked": lambda _, case: _when(case.asked_until is not None, "step_asked"),
    "not_top": lambda _, case: _when(case.command >= TOP, "step_top"),
    "other_hands": lambda actor, case: _when(_is(actor, case.disposed_by), "step_own_work"),
}

# From the furthest to the nearest: what is told when several lines of a step refuse.
NEAREST: Final = (
    *("step_right", "step_sees", "step_area", "step_lead", "step_helper", "step_assignee", "step_reporter"),
    *("step_suspended", "step_not_suspended", "step_verify_first", "step_accept_first", "step_worker_only"),
    *("step_level", "step_signed", "step_not_asked", "step_asked", "step_top", "step_own_work"),
)
