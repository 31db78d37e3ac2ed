"""Clocks that run for incidents, and what happens by itself when they are nearly or wholly used up.

Everything here is part of the caller's transaction: a step and the clocks that it starts or stops are kept together or
not at all. What is due is done by `layers.loop.firing`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa

from layers.loop.calendar import Calendar, Span
from layers.loop.clocks import Limit, due
from layers.loop.limits import Stage
from layers.loop.routing_tables import STAGE_CLOCK, TIMER

Kind = Literal["warn", "due", "escalate"]
Light = Literal["none", "green", "yellow", "red"]
WARN_AT: Final = 0.75
"""The share of a limit that is used up when the light turns yellow."""
LIFT_AFTER: Final = 0.5
"""So much of the limit again, after it was due, and the next level of command takes over."""
MOST_LIFTS: Final = 2
"""From town to county, and from county to city."""
_CLOCK = STAGE_CLOCK.c
_NEW_CLOCK: Final = sa.insert(STAGE_CLOCK).returning(_CLOCK.id)
_NEW_TIMER: Final = sa.insert(TIMER)


@dataclass(frozen=True)
class Running:
    """The clock of one stage; `due_at` is when its limit is used up, or until when it was put off."""

    id: int
    incident: str
    stage: Stage
    begun_at: datetime
    limit: Limit
    due_at: datetime
    deferred_to: datetime | None = None
    paused_at: datetime | None = None
    pauses: tuple[Span, ...] = ()
    scenario: str | None = None


@dataclass(frozen=True)
class Standing:
    """How an incident stands with its clocks: its light, and when the next of them is due (None: none runs)."""

    light: Light
    due_at: datetime | None


def begin(
    connection: sa.Connection,
    incident: str,
    *,
    stage: Stage,
    limit: Limit,
    begun: datetime,
    calendar: Calendar,
    scenario: str | None = None,
) -> datetime:
    """Start the clock of a stage of which none runs, as of a new incident; returns when it is due."""
    end = due(limit, begun, calendar)
    _begin(connection, Running(0, incident, stage, begun, limit, end, scenario=scenario), calendar)
    return end


def start(
    connection: sa.Connection,
    incident: str,
    *,
    stage: Stage,
    limit: Limit,
    begun: datetime,
    calendar: Calendar,
    scenario: str | None = None,
) -> datetime:
    """Start the clock of a stage, in the place of one that still runs; returns when it is due."""
    stop(connection, incident, at=begun, stages=(stage,))
    return begin(*(connection, incident), stage=stage, limit=limit, begun=begun, calendar=calendar, scenario=scenario)


def stop(connection: sa.Connection, incident: str, *, at: datetime, stages: Collection[Stage] | None = None) -> None:
    """End the clocks of these stages, or of all: nothing of them happens any more."""
    ended = sa.update(STAGE_CLOCK).where(_CLOCK.incident == incident, _CLOCK.ended_at.is_(None)).values(ended_at=at)
    if stages is not None:
        ended = ended.where(_CLOCK.stage.in_(stages))
    ids = connection.scalars(ended.returning(_CLOCK.id)).all()
    _cancel(connection, ids, at=at)


def pause(connection: sa.Connection, incident: str, *, at: datetime) -> None:
    """Let all clocks of an incident stand still (挂账) until `resume`; those that stand already go on standing."""
    paused = (
        sa.update(STAGE_CLOCK)
        .where(_CLOCK.incident == incident, _CLOCK.ended_at.is_(None), _CLOCK.paused_at.is_(None))
        .values(paused_at=at)
    )
    _cancel(connection, connection.scalars(paused.returning(_CLOCK.id)).all(), at=at)


def resume(connection: sa.Connection, incident: str, *, at: datetime, calendar: Calendar) -> dict[Stage, datetime]:
    """Let the clocks go on; returns when each stage is due now. What had happened already does not happen again."""
    found: dict[Stage, datetime] = {}
    for one in running(connection, incident):
        if one.paused_at is None:
            continue
        pauses = (*one.pauses, (one.paused_at, at))
        if one.deferred_to is not None:
            later = one.deferred_to + (at - one.paused_at)
            on = replace(one, pauses=pauses, paused_at=None, due_at=later, deferred_to=later)
        else:
            on = replace(one, pauses=pauses, paused_at=None)
            on = replace(on, due_at=due(on.limit, on.begun_at, calendar, pauses=pauses))
        _keep(connection, on)
        fired = _fired(connection, one.id)
        coming = moments(on, calendar, lifts=fired.count("escalate"))
        _set(connection, on, {kind: at for kind, at in coming.items() if kind == "escalate" or kind not in fired})
        found[on.stage] = on.due_at
    return found


def defer(
    connection: sa.Connection, incident: str, *, stage: Stage, until: datetime, at: datetime, calendar: Calendar
) -> bool:
    """Put a stage off until then (延期): its warnings begin anew. False when no clock of it runs."""
    for one in running(connection, incident):
        if one.stage == stage:
            stop(connection, incident, at=at, stages=(stage,))
            _begin(connection, replace(one, due_at=until, deferred_to=until), calendar)
            return True
    return False


def running(connection: sa.Connection, incident: str) -> list[Running]:
    """The clocks of an incident that have not ended, the first that is due first."""
    statement = (
        sa.select(STAGE_CLOCK)
        .where(_CLOCK.incident == incident, _CLOCK.ended_at.is_(None))
        .order_by(_CLOCK.due_at, _CLOCK.id)
        .limit(100)
    )
    return [_running(row) for row in connection.execute(statement).mappings()]


def standing(connection: sa.Connection, incident: str, *, now: datetime, calendar: Calendar) -> Standing:
    """The light of an incident and when it is next due; no light while no clock runs or all stand still."""
    every = [one for one in running(connection, incident) if one.paused_at is None]
    if not every:
        return Standing("none", None)
    if any(one.due_at <= now for one in every):
        return Standing("red", every[0].due_at)
    yellow = any(moments(one, calendar)["warn"] <= now for one in every)
    return Standing("yellow" if yellow else "green", every[0].due_at)


def moments(one: Running, calendar: Calendar, *, lifts: int = 0) -> dict[Kind, datetime]:
    """When a clock warns, is due, and calls the next level of command; `lifts` were called already."""
    limit = one.limit

    def share(of: float, since: datetime) -> datetime:
        return due(Limit(limit.amount * of, limit.unit), since, calendar, pauses=one.pauses)

    until = one.deferred_to
    found: dict[Kind, datetime] = {
        "warn": share(WARN_AT, one.begun_at) if until is None else until - (until - one.begun_at) * (1 - WARN_AT),
        "due": one.due_at,
    }
    if lifts < MOST_LIFTS:
        later = LIFT_AFTER * (lifts + 1)
        found["escalate"] = share(1 + later, one.begun_at) if until is None else share(later, until)
    return found


def set_next_lift(connection: sa.Connection, clock: int, calendar: Calendar) -> None:
    """After the next level of command was called: when the one after it will be."""
    row = connection.execute(sa.select(STAGE_CLOCK).where(_CLOCK.id == clock)).mappings().one()
    one = _running(row)
    lifts = _fired(connection, clock).count("escalate")
    coming = moments(one, calendar, lifts=lifts)
    if "escalate" in coming:
        _set(connection, one, {"escalate": coming["escalate"]})


def _begin(connection: sa.Connection, one: Running, calendar: Calendar) -> None:
    names = ("incident", "stage", "begun_at", "due_at", "deferred_to", "paused_at", "scenario")
    values = {name: getattr(one, name) for name in names}
    values |= {"amount": one.limit.amount, "unit": one.limit.unit, "pauses": _written(one.pauses)}
    id = connection.execute(_NEW_CLOCK, values).scalar_one()
    if one.paused_at is None:
        _set(connection, replace(one, id=id), moments(one, calendar))


def _set(connection: sa.Connection, one: Running, at: dict[Kind, datetime]) -> None:
    if at:
        about = {"clock": one.id, "incident": one.incident, "stage": one.stage, "scenario": one.scenario}
        connection.execute(_NEW_TIMER, [{**about, "kind": kind, "at": moment} for kind, moment in at.items()])


def _cancel(connection: sa.Connection, clocks: Collection[int], *, at: datetime) -> None:
    if clocks:
        waiting = (TIMER.c.fired_at.is_(None), TIMER.c.cancelled_at.is_(None))
        connection.execute(sa.update(TIMER).where(TIMER.c.clock.in_(clocks), *waiting).values(cancelled_at=at))


def _fired(connection: sa.Connection, clock: int) -> list[str]:
    kinds = sa.select(TIMER.c.kind).where(TIMER.c.clock == clock, TIMER.c.fired_at.is_not(None))
    return list(connection.scalars(kinds))


def _keep(connection: sa.Connection, one: Running) -> None:
    values: dict[str, Any] = {name: getattr(one, name) for name in ("due_at", "deferred_to", "paused_at")}
    values["pauses"] = _written(one.pauses)
    connection.execute(sa.update(STAGE_CLOCK).where(_CLOCK.id == one.id).values(values))


def _written(pauses: Iterable[Span]) -> list[list[str]]:
    return [[start.isoformat(), end.isoformat()] for start, end in pauses]


def _running(row: sa.RowMapping) -> Running:
    pauses = tuple((datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in row["pauses"])
    names = ("id", "incident", "stage", "begun_at", "due_at", "deferred_to", "paused_at", "scenario")
    return Running(**{name: row[name] for name in names}, limit=Limit(row["amount"], row["unit"]), pauses=pauses)
