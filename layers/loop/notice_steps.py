"""Whom a step is told to: one table, from the step to the notice and those who are meant by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Party = Literal["departments", "assignee", "desk"]
Record = Mapping[str, Any]
AREA_DIGITS: Final = (9, 6, 4)
"""How many digits the area of a level of command has: town, county, city."""


@dataclass(frozen=True)
class Telling:
    """A step, the kind of its notice, and who is meant; `otherwise` where nobody has the case in hand."""

    step: str
    kind: str
    to: tuple[Party, ...]
    otherwise: Party | None = None


@dataclass(frozen=True)
class Draft:
    """A notice as it will be written."""

    kind: str
    audience: Mapping[str, Any]


TELLINGS: Final[tuple[Telling, ...]] = (
    Telling("dispatch", "dispatched", ("departments",)),
    Telling("assign", "assigned", ("assignee",)),
    Telling("urge", "urged", ("departments", "assignee"), "desk"),
    Telling("supervise", "supervised", ("departments", "assignee"), "desk"),
    Telling("send_back", "sent_back", ("desk",)),
    Telling("rework", "rework", ("departments", "assignee")),
    Telling("ask_defer", "defer_asked", ("desk",)),
    Telling("defer", "deferred", ("departments", "assignee")),
    Telling("refuse_defer", "defer_refused", ("departments", "assignee")),
)
LIFTED: Final = "lifted"
"""The kind of a notice to the level of command that a case went up to: by hand, or after refusals in a row."""
_BY_STEP: Final = {telling.step: telling for telling in TELLINGS}


def notices_of(step: str, before: Record, after: Record, *, by: str) -> list[Draft]:
    """The notices that a step is told by: to those who have the case in hand after it, and to who takes it over."""
    found = []
    if (telling := _BY_STEP.get(step)) is not None:
        audience = _audience(telling.to, after)
        if not audience and telling.otherwise is not None:
            audience = _audience((telling.otherwise,), after)
        if audience:
            found.append(Draft(telling.kind, {**audience, "but": by}))
    if after["command"] > before["command"]:
        found.append(Draft(LIFTED, {**commanding(after, after["command"]), "but": by}))
    return found


def commanding(record: Record, command: int) -> dict[str, Any]:
    """The audience of a level of command where the case lies."""
    place = record["grid_id"] or record["admin_code"]
    return {"command": command, "area": None if place is None else place[: AREA_DIGITS[command]]}


def in_hand(record: Record) -> dict[str, Any]:
    """The audience of those who have a case in hand: its departments, and whom it was given to."""
    return _audience(("departments", "assignee"), record)


def _audience(to: tuple[Party, ...], record: Record) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for party in to:
        named |= _PARTIES[party](record)
    return named


def _departments(record: Record) -> dict[str, Any]:
    codes = [code for code in (record["lead"], *record["co"]) if code]
    return {"departments": codes} if codes else {}


_PARTIES: Final[Mapping[Party, Callable[[Record], dict[str, Any]]]] = {
    "departments": _departments,
    "assignee": lambda record: {"people": [record["assignee"]]} if record["assignee"] else {},
    "desk": lambda _: {"desk": True},
}
