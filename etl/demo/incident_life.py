"""The life of one synthetic case: the steps it takes from the report to the closing, and its record at a moment.

Records come of the steps by the very rules of the loop, so that a synthetic case can be taken further like a real one.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from layers.loop import paces
from layers.loop.clocks import Limit, due
from layers.loop.effects import Taken, changes
from layers.loop.rules import Rules
from layers.loop.states import AT_ONCE, VERIFIED_FIRST
from layers.loop.timers import LIFT_AFTER, MOST_LIFTS

_SMALL: Final = frozenset({"06010", "06012", "06036", "06042", "07001", "09010", "09011", "06017"})
_SELF_HANDLED: Final = 0.12  # of small matters that a grid worker sees: put right on the spot
REJECTED: Final = {"hotline": 0.05, "public": 0.07, "media": 0.05, "video": 0.03}
REASONS: Final = ("repeated", "outside_remit", "solved_already", "unclear")
RETURNED, REWORKED, DEFERRED, _SUSPENDED, _URGED = 0.05, 0.03, 0.02, 0.004, 0.03
# Of its time limit, how much disposing takes: a middle and a spread (log-normal) that leave some 4 % late.
MIDDLE, SPREAD = 0.42, 0.5

# Who took a step: an office, never a person.
ROLES: Final = {
    "verify": "worker", "self_handle": "worker", "check": "worker", "rework": "worker",
    "accept": "dispatcher", "reject": "dispatcher", "register": "dispatcher", "dispatch": "dispatcher",
    "defer": "dispatcher", "suspend": "dispatcher", "resume": "dispatcher", "close": "dispatcher", "urge": "dispatcher",
    "sign": "officer", "dispose": "officer", "feedback": "officer", "send_back": "officer", "ask_defer": "officer",
    "escalate": "system",
}  # fmt: skip
NOTES: Final = {
    "verify": "现场核实，情况属实。", "self_handle": "现场已处理。", "reject": "经核实不予受理。",
    "feedback": "已处置完毕。", "check": "现场核查，问题已解决。", "rework": "现场核查，处置不到位，请返工。",
    "send_back": "非本单位职责，申请回退。", "ask_defer": "涉及多家单位，申请延期。", "defer": "同意延期。",
    "suspend": "需协调后处置，挂账。", "resume": "恢复办理。", "urge": "请抓紧办理。", 
    "escalate": "超期未办结，提级督办。",
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What a case begins with: `lead` and `co` are the departments that the duty table names."""

    matter: str
    level: str
    channel: str
    reported: dt.datetime
    lead: str
    co: tuple[str, ...]


def story(told: Told, rules: Rules, chance: random.Random) -> Iterator[Taken]:
    """All steps of a case, in their order, as if it were over."""
    at = told.reported
    if told.channel == "worker" and told.matter in _SMALL and chance.random() < _SELF_HANDLED:
        yield Taken("self_handle", "closed", _later(at, 12, chance))
        return
    if told.channel in VERIFIED_FIRST:
        at = _later(at, 35, chance)
        yield Taken("verify", "verified", at, {"finding": "as_told"})
    if chance.random() < REJECTED.get(told.channel, 0.0):
        yield Taken("reject", "rejected", _later(at, 10, chance), {"reason": chance.choice(REASONS)})
        return
    if told.channel not in AT_ONCE:
        at = _later(at, 8, chance)
        yield Taken("accept", "accepted", at)
    at = _later(at, 9, chance)
    yield Taken("register", "registered", at)
    to = {"lead": told.lead, "co": list(told.co)}
    at = _later(at, 14, chance)
    yield Taken("dispatch", "dispatched", at, to)
    while chance.random() < RETURNED:
        back = _later(at, 90, chance)
        yield Taken("send_back", "registered", back, {"reason": "not_our_duty"})
        at = _later(back, 120, chance)
        yield Taken("dispatch", "dispatched", at, to)
    yield from _disposed(told, rules, at, chance)


def _disposed(told: Told, rules: Rules, dispatched: dt.datetime, chance: random.Random) -> Iterator[Taken]:
    limit = rules.limits.find(matter=told.matter, level=told.level, stage="dispose")

    def after(share: float) -> dt.datetime:
        return due(Limit(limit.amount * share, limit.unit), dispatched, rules.calendar).replace(microsecond=0)

    share = math.exp(chance.gauss(math.log(MIDDLE), SPREAD))
    signed = _later(dispatched, 25, chance)
    begun = _later(signed, 20, chance)
    yield Taken("sign", "dispatched", signed)
    yield Taken("dispose", "disposing", begun)
    between: list[Taken] = []
    over = after(1.0)
    if chance.random() < DEFERRED:
        share, asked = 0.9 + 0.9 * share, _later(begun, 60, chance)
        over = after(2.0)
        until = {"until": over.isoformat()}
        between += [Taken("ask_defer", "disposing", asked, until)]
        between += [Taken("defer", "disposing", _later(asked, 40, chance), until)]
    done = max(after(share), begun + dt.timedelta(minutes=10))
    if done > over:
        if chance.random() < 0.5:
            between.append(Taken("urge", "disposing", over + dt.timedelta(hours=1)))
        lifts = (after(1.0 + LIFT_AFTER * (n + 1)) for n in range(MOST_LIFTS))
        between += [Taken("escalate", "disposing", lift) for lift in lifts if over < lift < done]
    yield from (step for step in sorted(between, key=lambda step: step.at) if begun < step.at < done)
    done = max([done, *(step.at + dt.timedelta(minutes=5) for step in between)])
    yield Taken("feedback", "disposed", done)
    if chance.random() < REWORKED:
        again = _later(done, 100, chance)
        yield Taken("rework", "disposing", again)
        done = _later(again, 240, chance)
        yield Taken("feedback", "disposed", done)
    checked = _later(done, 150, chance)
    yield Taken("check", "checked", checked)
    yield Taken("close", "closed", _later(checked, 30, chance))


def _later(at: dt.datetime, minutes: float, chance: random.Random) -> dt.datetime:
    """Some time after, log-normal around so many minutes, to the second."""
    return at + dt.timedelta(seconds=round(60.0 * minutes * math.exp(chance.gauss(0.0, 0.6))))


def lived(
    first: Mapping[str, Any], steps: Iterator[Taken], rules: Rules, *, until: dt.datetime
) -> tuple[dict[str, Any], list[Taken]]:
    """The record that comes of a report and of the steps that were taken by then, and these steps, oldest first."""
    record: dict[str, Any] = dict(first)
    newest: list[dict[str, Any]] = []
    taken: list[Taken] = []
    for step in steps:
        if step.at > until:
            break
        step = replace(step, carries={**step.carries, **paces.set_by(rules, record, newest, step)})
        newest.insert(0, {"step": step.step, "at": step.at})
        record |= changes(record, step)
        taken.append(step)
    return record, taken
