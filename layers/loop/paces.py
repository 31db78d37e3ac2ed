"""When the stage and the disposal of a case are due, by its steps alone: for cases whose clocks do not run.

Those of real cases run in the database, with what happens when they are used up: `layers.loop.clocked`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from layers.loop.calendar import Span
from layers.loop.clocks import due
from layers.loop.effects import Taken
from layers.loop.limits import Stage
from layers.loop.rules import Rules
from layers.loop.states import FINAL, VERIFIED_FIRST

Record = Mapping[str, Any]
_WAITS_FOR: Final[Mapping[str, Stage]] = {
    "reported": "accept", "verified": "accept", "accepted": "register", "registered": "dispatch",
    "dispatched": "sign", "disposing": "dispose", "disposed": "check",
}  # fmt: skip
_DISPATCHED: Final[tuple[Stage, Stage]] = ("dispose", "sign")
_BEGINS_WORK: Final = ("sign", "arrive", "dispose")


def stage_of(record: Record, state: str) -> Stage | None:
    """What a case in this state waits for; None when no clock runs."""
    if state == "reported" and record["channel"] in VERIFIED_FIRST:
        return "verify"
    return _WAITS_FOR.get(state)


def stage_due(rules: Rules, record: Record, state: str, *, now: dt.datetime) -> dt.datetime | None:
    """When the stage that begins now in this state is to be over."""
    stage = stage_of(record, state)
    return None if stage is None else _due(rules, record, stage, now)


def set_by(rules: Rules, record: Record, steps: Sequence[Record], taken: Taken) -> dict[str, str | None]:
    """The times that a step sets, and the light that shows them, as the step keeps them; `steps` newest first."""
    times = _times(rules, record, steps, taken)
    if not times and (taken.after == record["state"] or taken.after in FINAL):
        return {}
    if taken.step == "suspend":
        return {"stage_due_at": None, "light": "none"}
    ahead = times.get("stage_due_at", record["stage_due_at"])
    light = "none" if ahead is None else "red" if ahead <= taken.at else "green"
    return {**{name: as_text(time) for name, time in times.items()}, "light": light}


def as_text(time: dt.datetime | None) -> str | None:
    """A time as a step keeps it."""
    return None if time is None else time.isoformat()


def _times(rules: Rules, record: Record, steps: Sequence[Record], taken: Taken) -> dict[str, dt.datetime | None]:
    if taken.step == "suspend":
        return {"stage_due_at": None}
    if taken.step == "resume":
        return _resumed(rules, record, steps, taken.at)
    if taken.step == "dispatch":
        over, sign = (_due(rules, record, stage, taken.at) for stage in _DISPATCHED)
        return {"due_at": over, "stage_due_at": sign}
    if taken.step == "defer":
        until = dt.datetime.fromisoformat(taken.carries["until"])
        return {"due_at": until, "stage_due_at": until if record["signed_at"] else record["stage_due_at"]}
    if taken.step == "rework":
        over = _due(rules, record, "dispose", taken.at)
        return {"due_at": over, "stage_due_at": over}
    if taken.step in _BEGINS_WORK:
        return {"stage_due_at": record["due_at"]}
    if taken.after == record["state"] or taken.after in FINAL:
        return {}
    return {"stage_due_at": stage_due(rules, record, taken.after, now=taken.at)}


def _resumed(rules: Rules, record: Record, steps: Sequence[Record], now: dt.datetime) -> dict[str, dt.datetime | None]:
    """The clocks go on where they stood: what the limit had left runs from now."""
    pauses = _pauses(steps, now)
    if record["state"] == "registered":
        return {"stage_due_at": _due(rules, record, "dispatch", record["registered_at"], pauses)}
    deferred = next((step for step in steps if step["step"] in ("defer", "dispatch")), None)
    if deferred is not None and deferred["step"] == "defer":
        # A day that was named moves by as long as the case stood still.
        over = record["due_at"] + sum((b - a for a, b in pauses if a >= deferred["at"]), dt.timedelta())
    else:
        over = _due(rules, record, "dispose", record["dispatched_at"], pauses)
    sign = _due(rules, record, "sign", record["dispatched_at"], pauses)
    return {"due_at": over, "stage_due_at": over if record["signed_at"] is not None else sign}


def _pauses(steps: Sequence[Record], now: dt.datetime) -> list[Span]:
    """When the case was suspended, up to now."""
    spans: list[Span] = []
    begun: dt.datetime | None = None
    for step in reversed(steps):
        if step["step"] == "suspend":
            begun = step["at"]
        elif step["step"] == "resume" and begun is not None:
            spans.append((begun, step["at"]))
            begun = None
    return [*spans, (begun, now)] if begun is not None else spans


def _due(rules: Rules, record: Record, stage: Stage, begun: dt.datetime, pauses: Sequence[Span] = ()) -> dt.datetime:
    limit = rules.limits.find(matter=record["matter"], level=record["level"], stage=stage)
    return due(limit, begun, rules.calendar, pauses=pauses)
