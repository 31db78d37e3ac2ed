"""A case as the desk and the phone read it: its record, steps, photos and callers, and what the reader may do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from layers.catalog.incident import TABLE
from layers.errors import UnknownItem
from layers.loop.cases import LAYER, case_of, photos_of, steps_of
from layers.loop.offers import Offer, next_steps
from layers.loop.queues import columns
from layers.loop.states import CONDITIONS, FINDINGS, NEEDS, REASONS, RELATIONS, RULES, STATES, STEPS, rules_of
from layers.people.access import Actor
from layers.refusals import cause_told
from layers.spec import Title
from layers.words import book_of

Record = dict[str, Any]
_MORE: Final = (
    *(
        "description",
        "appeal",
        "component_id",
        "reporter",
        "accepted_at",
        "registered_at",
        "dispatched_at",
        "signed_at",
    ),
    *("disposed_at", "checked_at", "closed_at", "place_method", "place_precision", "source"),
)
_REPORT: Final = Title("上报", "Report")


def told_case(connection: sa.Connection, actor: Actor, id: str, *, seen: sa.ColumnElement[bool]) -> Record:
    """A case with all but its callers, of what the actor sees (`seen`); UnknownItem otherwise."""
    more = (TABLE.c[name] for name in _MORE)
    row = connection.execute(sa.select(*columns(), *more).where(TABLE.c.id == id, seen)).mappings().first()
    if row is None:
        raise UnknownItem(LAYER, id)
    record, steps = dict(row), steps_of(connection, id)
    return {
        "incident": record,
        "steps": [told_step(step) for step in reversed(steps)],
        "photos": [told_photo(photo) for photo in photos_of(connection, id)],
        "offers": [told_offer(offer) for offer in next_steps(actor, case_of(record, steps))],
    }


def told_step(step: Mapping[str, Any]) -> Record:
    """A step: what, by whom, when, and what it carried."""
    names = ("id", "step", "before", "after", "at", "actor", "role", "department", "note", "carries")
    return {**{name: step[name] for name in names}, "title": title_of(step["step"], step["before"])._asdict()}


def outward(step: Record) -> Record:
    """A step as it is told to those who see no cases but their own: what, when and why, but not by whom."""
    reason = {name: code for name, code in step["carries"].items() if name == "reason"}
    return {**step, "actor": None, "role": None, "note": None, "carries": reason}


def told_photo(photo: Mapping[str, Any]) -> Record:
    """A photo; its picture is at `/photos/ID`."""
    return {name: photo[name] for name in ("id", "step", "media_type", "bytes", "width", "height", "at", "actor")}


def told_offer(offer: Offer) -> Record:
    """An offer as pages draw a button from it: what it must and may carry, its choices, and why not."""
    rule = offer.rule
    told = None if offer.refused is None else cause_told(offer.refused.cause, offer.refused.facts)
    return {
        "step": rule.step,
        "title": rule.title._asdict(),
        "to": rule.after,
        "allowed": offer.allowed,
        "why": told and {name: told[name] for name in ("cause", "zh", "en")},
        "needs": list(rule.needs),
        "takes": list(rule.takes),
        "reasons": _choices(REASONS, rule.reasons),
        "findings": _choices(FINDINGS, FINDINGS if "finding" in rule.needs else ()),
    }


def told_table() -> Record:
    """The whole table of states, with its words: what a page needs to show a case that it does not hold yet."""
    return {
        "states": _choices({state: Title(*_words(state)) for state in STATES}, STATES),
        "steps": [
            {
                "step": rule.step,
                "title": rule.title._asdict(),
                **{"from": list(rule.before), "to": rule.after, "rights": list(rule.rights), "who": list(rule.who)},
                **{"needs": list(rule.needs), "takes": list(rule.takes), "reasons": list(rule.reasons)},
                **{"suspended": rule.suspended, "condition": rule.condition},
            }
            for rule in RULES
        ],
        "reasons": _choices(REASONS, REASONS),
        "findings": _choices(FINDINGS, FINDINGS),
        "needs": _choices({str(need): title for need, title in NEEDS.items()}, NEEDS),
        "who": _choices({str(who): title for who, title in RELATIONS.items()}, RELATIONS),
        "conditions": _choices({str(one): title for one, title in CONDITIONS.items()}, CONDITIONS),
    }


def title_of(step: str, before: str | None) -> Title:
    """What a step is called that was taken from this state."""
    lines = rules_of(step)
    fitting = [rule for rule in lines if before in rule.before]
    return (fitting or list(lines))[0].title if step in STEPS and lines else _REPORT


def _choices(titles: Mapping[str, Title], codes: Sequence[str] | Mapping[Any, Any]) -> list[Record]:
    return [{"code": code, "title": titles[code]._asdict()} for code in codes]


def _words(state: str) -> tuple[str, str]:
    entry = book_of("incident_state").entry(state)
    return entry.zh, entry.en
