"""What happens by itself when a clock says so: lights turn, levels of command take over, notices are written. Once.

A timer is claimed, its effect is made and it is marked in one transaction: whoever is killed in between has done
nothing, and the next worker does it. Two workers never get the same one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import procrastinate
import sqlalchemy as sa

from layers.catalog.incident import TABLE as INCIDENT
from layers.loop.calendar import Calendar
from layers.loop.notice_steps import commanding, in_hand
from layers.loop.notices import write_notice
from layers.loop.routing_tables import STAGE_CLOCK, TIMER
from layers.loop.tables import STEP
from layers.loop.timers import Kind, set_next_lift
from layers.people.exercise_tables import EXERCISE
from layers.store.engine import begin, engine_for, set_local
from layers.store.jobs import QUEUE

SYSTEM: Final = "system"
CITY: Final = 2
"""The highest level of command."""
MOST_AT_ONCE: Final = 500
_JOB: Final = "chengtu.fire_timers"


@dataclass(frozen=True)
class Fired:
    """What happened: which timer of which incident, and what kind it was."""

    id: int
    incident: str
    stage: str
    kind: Kind


def fire_next(connection: sa.Connection, *, now: datetime, calendar: Calendar) -> Fired | None:
    """Do what the first timer that is due asks for, and mark it; None when none is due, or others have them all.

    An incident that somebody is just changing is left for the next time, so that nobody waits for anybody.
    """
    row = connection.execute(_next(now)).mappings().first()
    if row is None:
        return None
    set_local(connection, "chengtu.scenario", row["scenario"] or "")
    fired = Fired(row["timer"], row["incident"], row["stage"], row["kind"])
    if row["kind"] == "warn":
        _turn(connection, row, "yellow", but=("red",))
    else:
        _turn(connection, row, "red")
    command: int = row["command"]
    if row["kind"] == "escalate" and command < CITY:
        command += 1
        _lift(connection, row, command, now=now)
    _tell(connection, row, command, now=now)
    connection.execute(sa.update(TIMER).where(TIMER.c.id == fired.id).values(fired_at=now))
    if row["kind"] == "escalate" and command < CITY:
        set_next_lift(connection, row["clock"], calendar)
    return fired


def fire_due(engine: sa.Engine, *, now: datetime, calendar: Calendar, most: int = MOST_AT_ONCE) -> list[Fired]:
    """Do all that is due, each in a transaction of its own; at most so many at once."""
    done: list[Fired] = []
    while len(done) < most:
        with begin(engine, actor=SYSTEM) as connection:
            fired = fire_next(connection, now=now, calendar=calendar)
        if fired is None:
            break
        done.append(fired)
    return done


def firing(url: str, calendar: Calendar) -> Callable[[procrastinate.App], None]:
    """Adds the job to a queue: every two seconds, and so right after a start, whatever became due meanwhile."""
    engine = engine_for(url, "writer", pool_size=1)

    busy = threading.Lock()

    def work(timestamp: int) -> None:
        if not busy.acquire(blocking=False):
            return  # the last look is not over yet, and sees what this one would
        try:
            fire_due(engine, now=datetime.now(UTC), calendar=calendar)
            if timestamp % 60 == 0:
                forget_jobs(engine, _JOB)
        finally:
            engine.dispose()  # one connection for one look, none in between
            busy.release()

    def add(app: procrastinate.App) -> None:
        @app.periodic(cron="* * * * * */2")
        # No lock: the row of a worker that was killed would hold it until it counts as stalled, and nothing would fire.
        @app.task(queue=QUEUE, name=_JOB, queueing_lock="fire_timers")
        async def fire_timers(timestamp: int) -> None:
            await asyncio.to_thread(work, timestamp)

    return add


def forget_jobs(engine: sa.Engine, name: str) -> None:
    """Take away what the queue keeps of a job that was done: of one that runs every second, millions of rows a year."""
    done = "delete from jobs.procrastinate_jobs where task_name = :name and status = 'succeeded'"
    with begin(engine, actor=SYSTEM) as connection:
        set_local(connection, "search_path", "jobs, public")  # the queue's own triggers name its tables plainly
        connection.execute(sa.text(done), {"name": name})


def _next(now: datetime) -> sa.Select[Any]:
    names = ("state", "light", "command", "lead", "co", "assignee", "admin_code", "grid_id")
    incident = [INCIDENT.c[name] for name in names]
    return (
        sa.select(TIMER.c.id.label("timer"), TIMER.c.incident, TIMER.c.stage, TIMER.c.kind, TIMER.c.at, TIMER.c.clock)
        .add_columns(STAGE_CLOCK.c.due_at, TIMER.c.scenario, *incident)
        .join(INCIDENT, INCIDENT.c.id == TIMER.c.incident)
        .join(STAGE_CLOCK, STAGE_CLOCK.c.id == TIMER.c.clock)
        .where(TIMER.c.at <= now, TIMER.c.fired_at.is_(None), TIMER.c.cancelled_at.is_(None), ~_over())
        .order_by(TIMER.c.at, TIMER.c.id)
        .limit(1)
        .with_for_update(of=[TIMER, INCIDENT], skip_locked=True)
    )


def _over() -> sa.ColumnElement[bool]:
    """Of an exercise that is closed nothing happens any more."""
    return sa.exists().where(EXERCISE.c.id == TIMER.c.scenario, EXERCISE.c.closed_at.is_not(None))


def _turn(connection: sa.Connection, row: sa.RowMapping, light: str, *, but: tuple[str, ...] = ()) -> None:
    if row["light"] not in (light, *but):
        connection.execute(sa.update(INCIDENT).where(INCIDENT.c.id == row["incident"]).values(light=light))


def _lift(connection: sa.Connection, row: sa.RowMapping, command: int, *, now: datetime) -> None:
    """The next level of command takes over."""
    connection.execute(sa.update(INCIDENT).where(INCIDENT.c.id == row["incident"]).values(command=command))
    step = {
        "incident": row["incident"], "step": "escalate", "before": row["state"], "after": row["state"], "at": now,
        "actor": SYSTEM, "grid_id": row["grid_id"], "carries": {"command": command, "stage": row["stage"]},
        "scenario": row["scenario"],
    }  # fmt: skip
    connection.execute(sa.insert(STEP).values(step))


def _tell(connection: sa.Connection, row: sa.RowMapping, command: int, *, now: datetime) -> None:
    """Those who have it in hand are told; of what is overdue the level of command, too."""
    case = {str(name): value for name, value in row.items()}
    audience = {"departments": [], **in_hand(case)}
    if row["kind"] != "warn":
        audience |= commanding(case, command)
    write_notice(
        connection,
        kind=row["kind"],
        incident=row["incident"],
        audience=audience,
        carries={"due_at": row["due_at"].isoformat(), "timer": row["timer"]},
        scenario=row["scenario"],
        at=now,
        stage=row["stage"],
    )
