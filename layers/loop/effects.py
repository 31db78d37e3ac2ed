"""What a step does to the record of its incident: pure, so that the steps, told again, give the same record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from layers.loop.states import FINAL, MOST_RETURNS, TOP

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Taken:
    """A step as it was taken: `carries` holds all that its effect needs, the times that were set among it."""

    step: str
    after: str
    at: dt.datetime
    carries: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def changes(record: Record, taken: Taken) -> dict[str, Any]:
    """The columns of the incident that a step changes, with their new values."""
    made: dict[str, Any] = {"state": taken.after}
    for name in _FIRST_TIME.get(taken.step, ()):
        if record[name] is None:
            made[name] = taken.at
    if (counter := _COUNTED.get(taken.step)) is not None:
        made[counter] = record[counter] + 1
    made |= {name: taken.carries[name] for name in ("matter", "level") if name in taken.carries}
    made |= _OWN.get(taken.step, _nothing)(record, taken)
    made |= {name: _time(taken.carries[name]) for name in ("due_at", "stage_due_at") if name in taken.carries}
    if "light" in taken.carries:
        made["light"] = taken.carries["light"]
    if taken.after in FINAL:
        made |= {"stage_due_at": None, "light": "none", "suspended": False}
    return made


def replayed(first: Record, steps: Iterable[Taken]) -> dict[str, Any]:
    """The record that comes of a report and the steps after it."""
    record = dict(first)
    for taken in steps:
        record |= changes(record, taken)
    return record


def _time(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def _nothing(_: Record, __: Taken) -> dict[str, Any]:
    return {}


def _dispatched(_: Record, taken: Taken) -> dict[str, Any]:
    given = {"lead": taken.carries["lead"], "co": list(taken.carries.get("co", ()))}
    return {**given, "dispatched_at": taken.at, "signed_at": None, "assignee": None}


def _sent_back(record: Record, _: Taken) -> dict[str, Any]:
    up = (record["returns"] + 1) % MOST_RETURNS == 0
    raised = {"command": min(record["command"] + 1, TOP)} if up else {}
    return {**raised, "lead": None, "co": [], "assignee": None, "signed_at": None, "due_at": None}


def _reworked(record: Record, taken: Taken) -> dict[str, Any]:
    up = (record["reworks"] + 1) % MOST_RETURNS == 0
    raised = {"command": min(record["command"] + 1, TOP)} if up else {}
    # Whoever said it was done does it again.
    return {**raised, "disposed_at": None, "checked_at": None, "assignee": taken.carries.get("again")}


def _handled(_: Record, taken: Taken) -> dict[str, Any]:
    return dict.fromkeys(("accepted_at", "registered_at", "disposed_at", "closed_at"), taken.at)


_FIRST_TIME: Final[Mapping[str, tuple[str, ...]]] = {
    "accept": ("accepted_at",),
    "register": ("accepted_at", "registered_at"),
    "sign": ("signed_at",),
    "arrive": ("signed_at",),
    "dispose": ("signed_at",),
}
_COUNTED: Final[Mapping[str, str]] = {
    "send_back": "returns", "rework": "reworks", "urge": "urges", "defer": "deferrals",
}  # fmt: skip
_OWN: Final[Mapping[str, Callable[[Record, Taken], dict[str, Any]]]] = {
    "dispatch": _dispatched,
    "send_back": _sent_back,
    "verify": lambda *_: {"assignee": None},
    "feedback": lambda _, taken: {"disposed_at": taken.at, "assignee": None},
    "check": lambda _, taken: {"checked_at": taken.at, "assignee": None},
    "rework": _reworked,
    "close": lambda _, taken: {"closed_at": taken.at},
    "self_handle": _handled,
    "suspend": lambda *_: {"suspended": True},
    "resume": lambda *_: {"suspended": False},
    "escalate": lambda record, _: {"command": min(record["command"] + 1, TOP)},
    "merge": lambda _, taken: {"merged_into": taken.carries["into"]},
    "assign": lambda _, taken: {"assignee": taken.carries["assignee"]},
}
