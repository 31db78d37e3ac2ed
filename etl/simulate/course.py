"""How a simulated case goes on: its next step by the state that it is in, whoever took the last one."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from etl.demo.incident_life import (
    DEFERRED,
    MIDDLE,
    NOTES,
    REASONS,
    REJECTED,
    RETURNED,
    REWORKED,
    ROLES,
    SPREAD,
)
from layers.loop.carried import Carried
from layers.loop.clocks import Limit, length
from layers.loop.rules import Rules
from layers.loop.states import AT_ONCE, FINAL, VERIFIED_FIRST
from layers.people.access import EVERYWHERE, Actor, Scope

Office = Literal["worker", "dispatcher", "officer", "resident"]
Row = Mapping[str, Any]
_ROLES: Final[Mapping[Office, str]] = {
    "worker": "worker", "dispatcher": "dispatcher", "officer": "officer", "resident": "volunteer",
}  # fmt: skip
_REPORTERS: Final[Mapping[str, Office]] = {"worker": "worker", "public": "resident"}


@dataclass(frozen=True)
class Next:
    """The step that comes next, after so many minutes of the simulated day, and what it carries."""

    step: str
    after_min: float
    carried: Carried


def next_of(record: Row, steps: Sequence[Row], rules: Rules, *, chance: random.Random, now: dt.datetime) -> Next | None:
    """What comes next for a case, by its record and its steps (newest first); None when it is over.

    It asks for the state alone, so that a case that people took further meanwhile goes on from where it stands.
    """
    if record["state"] in FINAL:
        return None
    if record["suspended"]:
        return _next("resume", 240, chance)
    return _BY_STATE[record["state"]](record, steps, rules, chance, now)


def actor_of(office: Office, *, lead: str | None, scenario: str | None) -> Actor:
    """Who does it: an office that says of itself that it is simulated, never a person."""
    scope = Scope(None, frozenset({lead})) if office == "officer" and lead else EVERYWHERE
    return Actor(f"simulated-{office}", frozenset({_ROLES[office]}), scope, scenario)


def reporter_of(channel: str, *, scenario: str | None) -> Actor:
    """Who reports by a channel; `order` needs the right to register, which dispatchers have."""
    return actor_of(_REPORTERS.get(channel, "dispatcher"), lead=None, scenario=scenario)


def taker_of(step: str, record: Row) -> Actor:
    """Who takes a step of a case."""
    office: Office = ROLES[step]  # type: ignore[assignment]
    return actor_of(office, lead=record["lead"], scenario=record["scenario"])


def _next(step: str, minutes: float, chance: random.Random, **carried: Any) -> Next:
    """The step, log-normal around so many minutes, with the note that it usually has."""
    after = minutes * math.exp(chance.gauss(0.0, 0.6))
    return Next(step, after, Carried(note=NOTES.get(step), **carried))


def _reported(record: Row, _: Sequence[Row], __: Rules, chance: random.Random, ___: dt.datetime) -> Next:
    if record["channel"] in VERIFIED_FIRST:
        return _next("verify", 35, chance, finding="as_told")
    return _taken_up(record, chance)


def _verified(record: Row, _: Sequence[Row], __: Rules, chance: random.Random, ___: dt.datetime) -> Next:
    return _taken_up(record, chance)


def _taken_up(record: Row, chance: random.Random) -> Next:
    if chance.random() < REJECTED.get(record["channel"], 0.0):
        return _next("reject", 10, chance, reason=chance.choice(REASONS))
    return _next("register", 9, chance) if record["channel"] in AT_ONCE else _next("accept", 8, chance)


def _dispatched(record: Row, steps: Sequence[Row], _: Rules, chance: random.Random, now: dt.datetime) -> Next:
    if _asks(steps):
        return _granted(steps, chance, now)
    if record["signed_at"] is not None:
        return _next("dispose", 20, chance)
    if chance.random() < RETURNED:
        return _next("send_back", 90, chance, reason="not_our_duty")
    return _next("sign", 25, chance)


def _disposing(record: Row, steps: Sequence[Row], rules: Rules, chance: random.Random, now: dt.datetime) -> Next:
    if _asks(steps):
        return _granted(steps, chance, now)
    if not record["deferrals"] and chance.random() < DEFERRED:
        until = max(record["due_at"] or now, now) + dt.timedelta(days=1)
        return _next("ask_defer", 60, chance, until=until)
    limit = rules.limits.find(matter=record["matter"], level=record["level"], stage="dispose")
    whole = length(Limit(limit.amount, limit.unit), rules.calendar).total_seconds() / 60.0
    share = math.exp(chance.gauss(math.log(MIDDLE), SPREAD))
    return Next("feedback", max(10.0, whole * share), Carried(note=NOTES["feedback"]))


def _disposed(_: Row, __: Sequence[Row], ___: Rules, chance: random.Random, ____: dt.datetime) -> Next:
    return _next("rework", 100, chance) if chance.random() < REWORKED else _next("check", 150, chance)


def _asks(steps: Sequence[Row]) -> bool:
    """Is a request for more time open?"""
    turned = ("ask_defer", "defer", "refuse_defer", "dispatch", "send_back", "feedback")
    return next((step["step"] for step in steps if step["step"] in turned), None) == "ask_defer"


def _granted(steps: Sequence[Row], chance: random.Random, now: dt.datetime) -> Next:
    asked = next(step["carries"]["until"] for step in steps if step["step"] == "ask_defer")
    # Asked for so long ago that it is over: it is given a day.
    over = dt.datetime.fromisoformat(asked) <= now + dt.timedelta(hours=8)
    return _next("defer", 40, chance, **({"until": now + dt.timedelta(days=1)} if over else {}))


_BY_STATE: Final[Mapping[str, Callable[[Row, Sequence[Row], Rules, random.Random, dt.datetime], Next]]] = {
    "reported": _reported,
    "verified": _verified,
    "accepted": lambda _, __, ___, chance, ____: _next("register", 9, chance),
    "registered": lambda record, _, __, chance, ___: _next("dispatch", 60 if record["returns"] else 14, chance),
    "dispatched": _dispatched,
    "disposing": _disposing,
    "disposed": _disposed,
    "checked": lambda _, __, ___, chance, ____: _next("close", 30, chance),
}
