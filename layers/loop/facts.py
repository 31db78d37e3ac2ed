"""What became of every task of one incident, told from its steps: pure, so that it can be made again at any time.

A task is one stage that somebody had to do: it begins with a step, has a due time, and is done by another step, or it
falls away. An incident that is sent back or done again has several tasks of a stage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from layers.loop.answered import fate_of
from layers.loop.calendar import Span
from layers.loop.clocks import due
from layers.loop.limits import Stage
from layers.loop.measures import Kind, Mark
from layers.loop.rules import Rules
from layers.loop.states import FINAL, VERIFIED_FIRST

Row = Mapping[str, Any]
_OF_DEPARTMENT: Final = ("sign", "dispose", "check", "archive")
_TAKING_UP: Final[tuple[Kind, ...]] = ("verify", "accept", "register")


@dataclass(frozen=True)
class Task:
    """One task: `due_at` None while no clock runs for it, `done_at` None while it is open."""

    stage: Kind
    begun_at: datetime
    due_at: datetime | None = None
    done_at: datetime | None = None
    department: str | None = None
    role: str | None = None
    marks: frozenset[Mark] = frozenset()


def tasks_of(
    record: Row, steps: Sequence[Row], callers: Sequence[Row], rules: Rules, *, clocks: Sequence[Row] = ()
) -> list[Task]:
    """The tasks of an incident in their order; `steps` and `clocks` oldest first. None of one that went into another.

    When a task was due its clock says (the latest of its stage that began with it); without one, as for cases that were
    brought from elsewhere, the time that its step carries, or else its limit.
    """
    if record["merged_into"] is not None:
        return []
    told = _Telling(record, rules, {(one["stage"], one["begun_at"]): one["due_at"] for one in clocks})
    for step in steps:
        told.take(step)
    asked = (_callback(one, record, rules) for one in callers)
    return [*told.ended(), *(task for task in asked if task is not None)]


@dataclass
class _Telling:
    """The story of a case while its steps are told: the tasks that are over, and those that are open by stage."""

    record: Row
    rules: Rules
    clocks: Mapping[tuple[str, datetime], datetime]
    done: list[Task] = field(default_factory=list)
    open: dict[Kind, Task] = field(default_factory=dict)
    lead: str | None = None
    disposed_due: datetime | None = None
    paused_at: datetime | None = None
    pauses: list[Span] = field(default_factory=list)

    def take(self, step: Row) -> None:
        """One step further."""
        tell = _TOLD.get(step["step"])
        if tell is not None:
            tell(self, step)

    def begin(self, stage: Kind, step: Row, carried: str | None = "stage_due_at") -> None:
        """A task begins with this step, which may carry when it is due under that name."""
        department = self.lead if stage in _OF_DEPARTMENT else None
        named = step["carries"].get(carried) if carried else None
        self.open[stage] = Task(stage, step["at"], self.when(stage, step["at"], named), department=department)

    def when(self, stage: Kind, begun: datetime, carried: str | None) -> datetime | None:
        """When a task that began then is due."""
        if (clock := self.clocks.get((stage, begun))) is not None:
            return clock
        return datetime.fromisoformat(carried) if carried else self.limit(stage, begun)

    def limit(self, stage: Kind, begun: datetime) -> datetime | None:
        """When a stage that began then is due by its limit; None where a stage has none."""
        if stage in ("report", "archive", "callback"):
            return None
        name: Stage = stage  # type: ignore[assignment]
        limit = self.rules.limits.find(matter=self.record["matter"], level=self.record["level"], stage=name)
        return due(limit, begun, self.rules.calendar, pauses=self.pauses)

    def end(self, stage: Kind, step: Row, *marks: Mark) -> None:
        """The task is done by this step, if it is open."""
        task = self.open.pop(stage, None)
        if task is not None:
            by = {"department": task.department or step["department"], "role": step["role"]}
            self.done.append(replace(task, done_at=step["at"], marks=task.marks | set(marks), **by))

    def drop(self, *stages: Kind) -> None:
        """These tasks fall away: nobody has to do them any more."""
        for stage in stages:
            self.open.pop(stage, None)

    def mark(self, stage: Kind, *marks: Mark) -> None:
        """Mark the open task."""
        if stage in self.open:
            self.open[stage] = replace(self.open[stage], marks=self.open[stage].marks | set(marks))

    def unmark(self, stage: Kind, mark: Mark) -> None:
        """Take a mark from the last task of a stage that is done."""
        for number in range(len(self.done) - 1, -1, -1):
            if self.done[number].stage == stage:
                self.done[number] = replace(self.done[number], marks=self.done[number].marks - {mark})
                return

    def due(self, stage: Kind, at: datetime | None) -> None:
        """The open task is due at another time."""
        if stage in self.open:
            self.open[stage] = replace(self.open[stage], due_at=at)

    def archived_by(self) -> None:
        """The case is to be closed when its check is due, reckoned from when its disposal is."""
        self.due("archive", None if self.disposed_due is None else self.limit("check", self.disposed_due))

    def ended(self) -> list[Task]:
        """All tasks; the report says whether the case is open, and, once it is decided, whether it was valid."""
        every = [*self.done, *self.open.values()]
        if self.record["state"] not in FINAL:
            every = [replace(one, marks=one.marks | {"open"}) if one.stage == "report" else one for one in every]
        return sorted(every, key=lambda one: (one.begun_at, one.stage))


def _reported(told: _Telling, step: Row) -> None:
    told.begin("report", step)
    told.due("report", None)
    told.begin("verify" if told.record["channel"] in VERIFIED_FIRST else "accept", step)


def _verified(told: _Telling, step: Row) -> None:
    told.end("verify", step)
    told.begin("accept", step)


def _accepted(told: _Telling, step: Row) -> None:
    told.end("verify", step)
    told.end("accept", step, "taken", "accurate")
    told.end("report", step, "valid")
    told.begin("register", step)


def _registered(told: _Telling, step: Row) -> None:
    if "accept" in told.open or "verify" in told.open:
        _accepted(told, {**step, "carries": {}})
    told.end("register", step, "taken", "accurate")
    told.open["archive"] = Task("archive", step["at"])
    told.begin("dispatch", step)


def _rejected(told: _Telling, step: Row) -> None:
    told.unmark("accept", "accurate")
    for stage in _TAKING_UP:
        told.end(stage, step)
    told.end("report", step)
    told.unmark("report", "valid")


def _dispatched(told: _Telling, step: Row) -> None:
    told.end("dispatch", step, "accurate")
    told.lead = step["carries"].get("lead", told.record["lead"])
    told.begin("sign", step, None)  # the stage that is due first may be another
    told.begin("dispose", step, "due_at")
    told.disposed_due = told.open["dispose"].due_at
    if "archive" in told.open:
        told.open["archive"] = replace(told.open["archive"], department=told.lead)
    told.archived_by()


def _at_work(told: _Telling, step: Row) -> None:
    told.end("sign", step)


def _fed_back(told: _Telling, step: Row) -> None:
    told.end("sign", step)
    told.end("dispose", step)
    told.begin("check", step)


def _sent_back(told: _Telling, step: Row) -> None:
    """Whoever sent it back did look at it; what was dispatched was not theirs to do."""
    told.end("sign", step)
    told.drop("dispose")
    told.unmark("dispatch", "accurate")
    told.disposed_due = None
    told.archived_by()
    told.begin("dispatch", step)


def _checked(told: _Telling, step: Row) -> None:
    told.end("check", step)


def _reworked(told: _Telling, step: Row) -> None:
    """It is to be done again: by when the clock that begins anew says, or else by when it was due at first."""
    first = told.disposed_due
    told.end("check", step)
    told.mark("archive", "reworked")
    told.begin("dispose", step, "due_at")
    if not step["carries"].get("due_at") and ("dispose", step["at"]) not in told.clocks:
        told.due("dispose", first)
    told.disposed_due = told.open["dispose"].due_at
    told.archived_by()


def _closed(told: _Telling, step: Row) -> None:
    told.end("check", step)
    told.end("archive", step)


def _self_handled(told: _Telling, step: Row) -> None:
    """Handled on the spot: accepted as valid, and no deadline was ever set for it."""
    told.end("verify", step)
    told.end("accept", step, "taken", "accurate")
    told.end("report", step, "valid")


def _cancelled(told: _Telling, step: Row) -> None:
    for stage in _TAKING_UP:
        told.unmark(stage, "accurate")
    told.end("report", step)
    told.unmark("report", "valid")
    told.drop("verify", "accept", "register", "dispatch", "sign", "dispose", "check", "archive")


def _deferred(told: _Telling, step: Row) -> None:
    until = step["carries"].get("due_at") or step["carries"].get("until")
    if until is not None:
        told.mark("dispose", "deferred")
        told.disposed_due = datetime.fromisoformat(until)
        told.due("dispose", told.disposed_due)
        told.archived_by()


def _suspended(told: _Telling, step: Row) -> None:
    """No clock runs: nothing of the case is due until it is taken up again."""
    told.paused_at = step["at"]
    for stage in told.open:
        told.due(stage, None)


def _resumed(told: _Telling, step: Row) -> None:
    if told.paused_at is None:
        return
    told.pauses.append((told.paused_at, step["at"]))
    told.paused_at = None
    # Until it is dispatched one stage runs; after that the first to be due may be any of them.
    single = None if "dispose" in told.open else step["carries"].get("stage_due_at")
    for stage, task in list(told.open.items()):
        if stage not in ("report", "archive"):
            carried = step["carries"].get("due_at") if stage == "dispose" else single
            told.due(stage, told.when(stage, task.begun_at, carried))
    if "dispose" in told.open:
        told.disposed_due = told.open["dispose"].due_at
        told.archived_by()


_TOLD: Final[Mapping[str, Callable[[_Telling, Row], None]]] = {
    "report": _reported, "verify": _verified, "accept": _accepted, "register": _registered, "reject": _rejected,
    "dispatch": _dispatched, "sign": _at_work, "arrive": _at_work, "dispose": _at_work, "feedback": _fed_back,
    "send_back": _sent_back, "check": _checked, "rework": _reworked, "close": _closed,
    "self_handle": _self_handled, "cancel": _cancelled, "defer": _deferred, "suspend": _suspended,
    "resume": _resumed,
}  # fmt: skip


def _callback(caller: Row, record: Row, rules: Rules) -> Task | None:
    """A caller who was asked, at the department that had the case; None while somebody is still to be tried.

    Whoever is left out counts for nothing but that; so does who was reached and not asked.
    """
    reached = caller["reached_at"] is not None
    outside, repeat = record["state"] == "rejected", bool(caller.get("repeat"))
    tries = int(caller.get("tries") or 0)
    fate = fate_of(rules.rates, outside=outside, repeat=repeat, reached=reached, tries=tries)
    done_at = caller["reached_at"] or caller.get("tried_at")
    if fate == "pending" or done_at is None:
        return None
    marks: set[Mark] = set()
    if fate != "counted":
        marks.add(fate)
    elif not reached or caller["solved"] is not None:
        marks.add("answered")
        marks |= {"solved"} if caller["solved"] else set()
        marks |= {"satisfied"} if caller["satisfied"] else set()
    return Task("callback", caller["at"], done_at=done_at, department=record["lead"], marks=frozenset(marks))
