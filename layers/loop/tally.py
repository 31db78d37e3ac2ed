"""Keeps `core.stage_fact` in step: incidents whose steps grew, or whose callers were asked, are told anew.

Triggers on the steps and the callers note every incident that is touched, in the same transaction; whoever refreshes
takes these notes, so that nothing is missed and nothing is counted that was not kept.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import procrastinate
import psycopg
import psycopg.sql
import sqlalchemy as sa

from layers.catalog.incident import TABLE as INCIDENT
from layers.loop.answered import FINAL_CASE, REPEATED
from layers.loop.facts import Task, tasks_of
from layers.loop.firing import SYSTEM, forget_jobs
from layers.loop.measures import Fate, kind_of
from layers.loop.routing_tables import STAGE_CLOCK, STAGE_FACT, STALE_CASE
from layers.loop.rules import Rules
from layers.loop.tables import STEP
from layers.store.engine import begin, engine_for
from layers.store.jobs import QUEUE

MOST_AT_ONCE: Final = 1_000
_LOCK: Final = 8_470_612
_JOB: Final = "chengtu.tally_cases"
_LONGEST_S: Final = 40.0
_RECORD: Final = ("id", "matter", "level", "channel", "state", "lead", "merged_into", "grid_id", "admin_code")
_STEP: Final = ("incident", "step", "at", "role", "department", "carries")
_CLOCK: Final = ("incident", "stage", "begun_at", "due_at")
# Those of the cases that were merged into it call about this one.
_CALLERS: Final = f"""
    with recursive family as (
      select id collate "C" as final, id collate "C" as id from unnest(cast(:ids as text[])) as id
      union
      select f.final, i.id from family f join city.incident i on i.merged_into = f.id
    )
    select f.final as incident, c.at, c.reached_at, c.solved, c.satisfied, {REPEATED} as repeat, t.tries, t.tried_at
    from family f join core.caller c on c.incident = f.id join city.incident i on i.id = f.final
    cross join lateral (
      select count(*) as tries, max(o.at) as tried_at from core.contact o where o.caller = c.id and o.kind = 'callback'
    ) as t
    where c.scenario is not distinct from cast(:scenario as text) order by c.id
"""
# What else depends on these: the cases that they went into, and later calls of the same numbers.
_BESIDES: Final = f"""
    with touched as (select id collate "C" as id from unnest(cast(:ids as text[])) as id), calls as (
      select o.incident from core.caller c join core.caller o on o.phone_mark = c.phone_mark and o.at > c.at
      where c.incident in (select id from touched)
      union
      select id from touched
    )
    select distinct final.id from calls c join {FINAL_CASE} as final on true
"""


def waiting(connection: sa.Connection) -> bool:
    """Whether incidents are still to be told anew."""
    return bool(connection.scalar(sa.select(sa.select(STALE_CASE.c.id).exists())))


def refresh(connection: sa.Connection, rules: Rules, *, most: int = MOST_AT_ONCE) -> int:
    """Tell up to so many notes' incidents anew; returns how many notes were taken, 0 also while somebody else does."""
    if not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
        return 0
    oldest = sa.select(STALE_CASE.c.id).order_by(STALE_CASE.c.id).limit(most)
    taken = sa.delete(STALE_CASE).where(STALE_CASE.c.id.in_(oldest)).returning(STALE_CASE.c.incident)
    notes = connection.scalars(taken).all()
    ids = _with_besides(connection, sorted(set(notes)))
    if ids:
        connection.execute(sa.delete(STAGE_FACT).where(STAGE_FACT.c.incident.in_(ids)))
        facts = list(facts_of_cases(connection, rules, ids))
        if facts:
            _write(connection, facts)
    return len(notes)


def tallying(url: str, rules: Rules) -> Callable[[procrastinate.App], None]:
    """Adds the job to a queue: every ten seconds, whatever changed."""
    engine = engine_for(url, "writer", pool_size=1)

    busy = threading.Lock()

    def work(timestamp: int) -> None:
        if not busy.acquire(blocking=False):
            return  # the last one is not over yet
        try:
            _refresh_all(engine, rules)
            if timestamp % 60 == 0:
                forget_jobs(engine, _JOB)
        finally:
            engine.dispose()  # one connection for one look, none in between
            busy.release()

    def add(app: procrastinate.App) -> None:
        @app.periodic(cron="* * * * * */10")
        @app.task(queue=QUEUE, name=_JOB, queueing_lock="tally_cases")
        async def tally_cases(timestamp: int) -> None:
            await asyncio.to_thread(work, timestamp)

    return add


def _refresh_all(engine: sa.Engine, rules: Rules) -> None:
    """Until nothing is noted, or for as long as a job should last: the next one goes on."""
    until = time.monotonic() + _LONGEST_S
    while time.monotonic() < until:
        with begin(engine, actor=SYSTEM) as connection:
            if refresh(connection, rules) == 0:
                return


def facts_of_cases(
    connection: sa.Connection, rules: Rules, ids: Sequence[str], *, scenario: str | None = None
) -> Iterable[dict[str, Any]]:
    """The facts of these incidents, of those in reality or in an exercise, as rows of `core.stage_fact`."""
    columns = [INCIDENT.c[name] for name in _RECORD]
    chosen = sa.select(*columns).where(INCIDENT.c.id.in_(ids), INCIDENT.c.scenario.is_not_distinct_from(scenario))
    steps = _by_incident(connection, STEP, _STEP, ids)
    clocks = _by_incident(connection, STAGE_CLOCK, _CLOCK, ids)
    callers = _callers(connection, rules, ids, scenario)
    for row in connection.execute(chosen).mappings():
        record = dict(row)
        counts: defaultdict[str, int] = defaultdict(int)
        id = record["id"]
        for task in tasks_of(record, steps[id], callers[id], rules, clocks=clocks[id]):
            counts[task.stage] += 1
            yield _fact(record, task, counts[task.stage])


def _with_besides(connection: sa.Connection, ids: Sequence[str]) -> list[str]:
    """These and the incidents whose facts depend on theirs."""
    return sorted({*ids, *connection.scalars(sa.text(_BESIDES), {"ids": list(ids)})}) if ids else []


def _callers(
    connection: sa.Connection, rules: Rules, ids: Sequence[str], scenario: str | None
) -> defaultdict[str, list[dict[str, Any]]]:
    """By the incident that they call about, who called, whether again, and how often they were called back."""
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    values = {"ids": list(ids), "repeat_days": rules.rates.repeat_days, "scenario": scenario}
    for row in connection.execute(sa.text(_CALLERS), values).mappings():
        found[row["incident"]].append(dict(row))
    return found


def _by_incident(
    connection: sa.Connection, table: sa.Table, names: Sequence[str], ids: Sequence[str]
) -> defaultdict[str, list[dict[str, Any]]]:
    rows = sa.select(*(table.c[name] for name in names)).where(table.c.incident.in_(ids)).order_by(table.c.id)
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(rows).mappings():
        found[row["incident"]].append(dict(row))
    return found


def _fact(record: dict[str, Any], task: Task, n: int) -> dict[str, Any]:
    place = {name: record[name] for name in ("grid_id", "admin_code", "matter", "channel")}
    told = {name: getattr(task, name) for name in ("stage", "begun_at", "due_at", "done_at", "department", "role")}
    late = task.done_at is not None and task.due_at is not None and task.done_at > task.due_at
    fate: Fate = "open" if task.done_at is None else "late" if late else "in_time"
    kind = kind_of(task.stage, fate=fate, marks=task.marks, channel=record["channel"])
    return {"incident": record["id"], "n": n, **place, **told, "marks": sorted(task.marks), "kind": kind}


def _write(connection: sa.Connection, facts: Sequence[dict[str, Any]]) -> None:
    """All facts by COPY, which takes a third of the time of inserts."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    names = list(facts[0])
    columns = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, names))
    statement = psycopg.sql.SQL("copy core.stage_fact ({}) from stdin").format(columns)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for fact in facts:
            copy.write_row([fact[name] for name in names])
