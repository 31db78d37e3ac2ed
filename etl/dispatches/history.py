"""What a call of a dispatch system is in the loop: a record, and the steps that the times of its units say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from etl.demo.incident_life import lived
from etl.demo.incidents import light_of
from layers.loop import paces
from layers.loop.call_types import CallType
from layers.loop.effects import Taken
from layers.loop.rules import Rules

CHANNEL: Final = "hotline"
DERIVED: Final = "derived"
"""Marks a step that the table of states asks for and the other system did not tell of; its time is that of another."""
_TIMES: Final = ("dispatch", "response", "on_scene", "transport", "hospital", "available")
_TOLD: Final = {"transport": "转运", "hospital": "到达医院"}
_EMPTY: Final = (
    *("accepted_at", "registered_at", "dispatched_at", "signed_at", "disposed_at", "checked_at", "closed_at"),
    *("due_at", "lead", "merged_into", "assignee", "reporter", "scenario"),
)
_COUNTED: Final = ("command", "returns", "reworks", "urges", "deferrals")
Unit = Mapping[str, Any]


@dataclass(frozen=True)
class Life:
    """A call as the loop keeps it: its record, its steps with their notes, the oldest first."""

    record: dict[str, Any]
    steps: list[tuple[Taken, str | None]]


def life_of(units: Sequence[Unit], kind: CallType, rules: Rules, *, now: dt.datetime) -> Life:
    """The case of a call, from the rows of its units (times as datetimes or None)."""
    reported = min(unit["received"] for unit in units)
    known = {"matter": kind.matter, "level": kind.level, "channel": CHANNEL}
    due = paces.stage_due(rules, known, "reported", now=reported)
    first: dict[str, Any] = {
        **dict.fromkeys(_EMPTY), **dict.fromkeys(_COUNTED, 0), **known, "co": [], "suspended": False,
        "light": "green", "state": "reported", "reported_at": reported, "stage_due_at": due,
    }  # fmt: skip
    told = sorted(_steps(units, kind), key=lambda step: (step[0].at, _ORDER.index(step[0].step)))
    notes = [note for _, note in told]
    record, taken = lived(first, (step for step, _ in told), rules, until=now)
    carries = {"stage_due_at": paces.as_text(due), "channel": CHANNEL, "kind": units[0]["call_type"]}
    report = Taken("report", "reported", reported, carries)
    record["light"] = light_of(record, [report, *taken], now)
    return Life(record, [(report, None), *zip(taken, notes, strict=False)])


# Of steps at the same second.
_ORDER: Final = ("accept", "register", "dispatch", "sign", "arrive", "dispose", "note", "feedback", "check", "close")


def _steps(units: Sequence[Unit], kind: CallType) -> Iterator[tuple[Taken, str | None]]:
    entered, dispatched = (min(unit[name] for unit in units) for name in ("entry", "dispatch"))
    yield Taken("accept", "accepted", entered), None
    yield Taken("register", "registered", entered), None
    lead = {"lead": kind.lead, "co": [], "units": [_told(unit) for unit in units]}
    yield Taken("dispatch", "dispatched", dispatched, lead), None
    responded = [unit["response"] for unit in units if unit["response"] is not None]
    arrived = [unit for unit in units if unit["on_scene"] is not None]
    over = _over(units)
    at_work = min(
        [unit["on_scene"] for unit in arrived] or [*responded, *([] if over is None else [over])], default=None
    )
    if responded and (at_work is None or min(responded) <= at_work):
        yield Taken("sign", "dispatched", min(responded)), None
    for unit in arrived:
        yield Taken("arrive", "disposing", unit["on_scene"], {"unit": unit["unit_id"]}), None
    if not arrived and at_work is not None:
        yield Taken("dispose", "disposing", at_work, {DERIVED: True}), None
    for unit in units:
        for name, words in _TOLD.items():
            if (at := unit[name]) is not None:
                state = "dispatched" if at_work is None or at < at_work else "disposing"
                yield Taken("note", state, at, {"unit": unit["unit_id"]}), f"{unit['unit_id']} {words}"
    if over is None:
        return
    yield Taken("feedback", "disposed", over), units[0]["call_final_disposition"]
    yield Taken("check", "checked", over, {DERIVED: True}), None
    yield Taken("close", "closed", over, {DERIVED: True}), None


def _over(units: Sequence[Unit]) -> dt.datetime | None:
    """When all units were free again; None when nobody says so of any."""
    if not any(unit["available"] is not None for unit in units):
        return None
    times: list[dt.datetime] = [unit[name] for unit in units for name in _TIMES if unit[name] is not None]
    return max(times)


def _told(unit: Unit) -> dict[str, str]:
    times = {name: unit[name].isoformat() for name in _TIMES if unit[name] is not None}
    return {"unit": unit["unit_id"], **times}
