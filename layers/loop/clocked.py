"""The running clocks of a case: which steps start, stop and pause them, and what is due then (`layers.loop.timers`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from layers.loop import paces, timers
from layers.loop.effects import Taken
from layers.loop.limits import Stage
from layers.loop.paces import as_text, stage_of
from layers.loop.rules import Rules
from layers.loop.states import FINAL

Record = Mapping[str, Any]
_RECEIVED: Final[Mapping[str, tuple[Stage, ...]]] = {
    "sign": ("sign",), "arrive": ("sign", "safe"), "dispose": ("sign",),
}  # fmt: skip
_GOES_ON: Final = (*_RECEIVED, "suspend", "resume", "defer")
_MOVES: Final = ("dispatch", "rework")


def begin(connection: sa.Connection, rules: Rules, record: Record, *, now: dt.datetime) -> dt.datetime:
    """Start the first clock of a case that was just reported; returns when its stage is due."""
    return _start(connection, rules, record, stage_of(record, "reported") or "accept", now=now, turn=timers.begin)


def set_by(
    connection: sa.Connection, rules: Rules, record: Record, steps: Sequence[Record], taken: Taken
) -> dict[str, str | None]:
    """Start, stop and pause the clocks as a step wants it; returns the times and the light that come of it.

    The step keeps them as text, so that its effect needs no clock. A case that came with its times but without clocks
    (a synthetic one) goes on by its steps (newest first) alone until one of them starts a clock.
    """
    if taken.step in _GOES_ON and not timers.running(connection, record["id"]):
        return paces.set_by(rules, record, steps, taken)
    times = _turned(connection, rules, record, taken)
    if times is None:
        return {}
    stands = timers.standing(connection, record["id"], now=taken.at, calendar=rules.calendar)
    return {**{name: as_text(time) for name, time in times.items()},
            "stage_due_at": as_text(stands.due_at), "light": stands.light}  # fmt: skip


def _turned(connection: sa.Connection, rules: Rules, record: Record, taken: Taken) -> dict[str, dt.datetime] | None:
    """Turn the clocks, and tell when the disposal is due where that changes; None when they go on as they were."""
    id, now = record["id"], taken.at
    if taken.step == "suspend":
        timers.pause(connection, id, at=now)
        return {}
    if taken.step == "resume":
        later = timers.resume(connection, id, at=now, calendar=rules.calendar)
        return {"due_at": later["dispose"]} if "dispose" in later else {}
    if taken.step == "defer":
        until = dt.datetime.fromisoformat(taken.carries["until"])
        timers.defer(connection, id, stage="dispose", until=until, at=now, calendar=rules.calendar)
        return {"due_at": until}
    if taken.step in _RECEIVED:
        # Who is there has it in hand: what had to be made safe is watched from now on.
        timers.stop(connection, id, at=now, stages=_RECEIVED[taken.step])
        return {}
    if taken.after == record["state"] and taken.step not in _MOVES:
        return None
    timers.stop(connection, id, at=now)
    return _started(connection, rules, record, taken)


def _started(connection: sa.Connection, rules: Rules, record: Record, taken: Taken) -> dict[str, dt.datetime]:
    now = taken.at
    if taken.step in _MOVES:
        if taken.step == "dispatch":
            _start(connection, rules, record, "sign", now=now)
            if rules.limits.safe(matter=record["matter"], level=record["level"]) is not None:
                _start(connection, rules, record, "safe", now=now)
        return {"due_at": _start(connection, rules, record, "dispose", now=now)}
    if taken.after not in FINAL and (stage := stage_of(record, taken.after)) is not None:
        _start(connection, rules, record, stage, now=now)
    return {}


def _start(
    connection: sa.Connection,
    rules: Rules,
    record: Record,
    stage: Stage,
    *,
    now: dt.datetime,
    turn: Callable[..., dt.datetime] = timers.start,
) -> dt.datetime:
    limit = rules.limits.find(matter=record["matter"], level=record["level"], stage=stage)
    id, calendar, scenario = record["id"], rules.calendar, record["scenario"]
    return turn(connection, id, stage=stage, limit=limit, begun=now, calendar=calendar, scenario=scenario)
