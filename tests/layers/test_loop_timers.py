"""Timers: what is due happens once, whoever dies in between; clocks stand still, go on, and are put off."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.ask.period import CITY_TIME
from layers.loop.calendar import calendar_in
from layers.loop.clocks import Limit
from layers.loop.firing import Fired, fire_due, fire_next, firing
from layers.loop.timers import defer, pause, resume, running, standing, start, stop
from layers.store.engine import begin
from layers.store.jobs import job_app
from tests.conftest import Database
from tests.layers.incidents import GRID, file_incident

CALENDAR = calendar_in()
NOON = datetime(2026, 11, 18, 12, tzinfo=CITY_TIME)
HOUR = timedelta(hours=1)
FOUR = Limit(4, "hours24")
ID = "20261118000001"


def filed(database: Database, *, limit: Limit = FOUR, id: str = ID, **more: object) -> None:
    with begin(database.engine, actor="test") as connection:
        file_incident(connection, id, reported_at=NOON, **more)
        start(connection, id, stage="dispose", limit=limit, begun=NOON, calendar=CALENDAR)


def fire(database: Database, now: datetime) -> list[str]:
    return [fired.kind for fired in fire_due(database.engine, now=now, calendar=CALENDAR)]


def rows(database: Database, sql: str) -> list[tuple[object, ...]]:
    with database.owner.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


def light(database: Database) -> tuple[object, ...]:
    return rows(database, "select light, command from city.incident")[0]


def test_the_light_turns_yellow_then_red_and_three_levels_of_command_take_over(database: Database) -> None:
    filed(database)
    assert fire(database, NOON + 2.9 * HOUR) == []
    assert light(database) == ("green", 0)
    assert fire(database, NOON + 3 * HOUR) == ["warn"]
    assert light(database) == ("yellow", 0)
    assert fire(database, NOON + 4 * HOUR) == ["due"]
    assert light(database) == ("red", 0)
    assert fire(database, NOON + 5.9 * HOUR) == []
    assert fire(database, NOON + 6 * HOUR) == ["escalate"]
    assert light(database) == ("red", 1)
    assert fire(database, NOON + 8 * HOUR) == ["escalate"]
    assert light(database) == ("red", 2)
    assert fire(database, NOON + 999 * HOUR) == []
    steps = "select step, before, after, actor, carries->>'command', carries->>'stage' from core.step order by id"
    assert rows(database, steps) == [
        ("escalate", "dispatched", "dispatched", "system", level, "dispose") for level in ("1", "2")
    ]
    told = rows(database, "select kind, audience->'departments', audience->>'area' from core.notice order by id")
    mine = ["320613-hwc"]
    areas = [None, GRID[:9], GRID[:6], GRID[:4]]
    assert told == [
        (kind, mine, area) for kind, area in zip(("warn", "due", "escalate", "escalate"), areas, strict=True)
    ]
    log = rows(database, "select distinct actor from core.change where op = 'update' and layer = 'incident'")
    assert log == [("system",)]


def test_after_a_long_stop_everything_that_was_missed_happens_once_in_its_order(database: Database) -> None:
    filed(database)
    assert fire(database, NOON + 100 * HOUR) == ["warn", "due", "escalate", "escalate"]
    assert fire(database, NOON + 200 * HOUR) == []
    assert light(database) == ("red", 2)
    assert rows(database, "select count(*) from core.notice") == [(4,)]


def die_between_claim_and_commit(database: Database, now: datetime) -> None:
    with begin(database.engine, actor="system") as dying:
        fired = fire_next(dying, now=now, calendar=CALENDAR)
        assert fired is not None
        assert fired.kind == "warn"
        backend = dying.scalar(sa.text("select pg_backend_pid()"))
        with database.owner.connect() as killer:
            killer.execute(sa.text("set role none"))
            killer.execute(sa.text("select pg_terminate_backend(:pid, 5000)"), {"pid": backend})
        dying.execute(sa.text("select 1"))


def test_of_a_worker_that_is_killed_nothing_is_left_and_the_next_does_it_once(database: Database) -> None:
    filed(database)
    now = NOON + 4 * HOUR
    with pytest.raises((sa.exc.OperationalError, psycopg.OperationalError)):
        die_between_claim_and_commit(database, now)
    assert light(database) == ("green", 0)
    assert rows(database, "select count(*) from core.notice") == [(0,)]
    assert fire(database, now) == ["warn", "due"]
    assert fire(database, now) == []
    assert rows(database, "select kind from core.notice order by id") == [("warn",), ("due",)]


def test_two_workers_share_what_is_due_and_nothing_happens_twice(database: Database) -> None:
    for number in range(12):
        filed(database, id=f"2026111800{number:04d}")
    done: list[Fired] = []
    together = threading.Barrier(2)

    def work() -> None:
        together.wait()
        done.extend(fire_due(database.engine, now=NOON + 4 * HOUR, calendar=CALENDAR))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    done += fire_due(database.engine, now=NOON + 4 * HOUR, calendar=CALENDAR)
    assert len(done) == len({fired.id for fired in done}) == 24
    assert rows(database, "select count(*), count(distinct carries->>'timer') from core.notice") == [(24, 24)]


def test_an_incident_that_somebody_is_changing_is_left_for_the_next_time(database: Database) -> None:
    filed(database)
    filed(database, id="20261118000002")
    with begin(database.engine, actor="someone") as busy:
        busy.execute(sa.text("select 1 from city.incident where id = :id for update"), {"id": ID})
        done = fire_due(database.engine, now=NOON + 3 * HOUR, calendar=CALENDAR)
        assert [fired.incident for fired in done] == ["20261118000002"]
    assert fire(database, NOON + 3 * HOUR) == ["warn"]


def test_what_was_stopped_does_not_happen(database: Database) -> None:
    filed(database)
    with begin(database.engine, actor="test") as connection:
        stop(connection, ID, at=NOON + HOUR)
        assert running(connection, ID) == []
        assert standing(connection, ID, now=NOON + HOUR, calendar=CALENDAR).light == "none"
    assert fire(database, NOON + 99 * HOUR) == []
    assert light(database) == ("green", 0)


def test_a_step_that_is_not_kept_keeps_no_clock(database: Database) -> None:
    with database.engine.connect() as connection:
        file_incident(connection, ID, reported_at=NOON)
        start(connection, ID, stage="dispose", limit=FOUR, begun=NOON, calendar=CALENDAR)
        connection.rollback()
    assert rows(database, "select id from core.timer union all select id from core.stage_clock") == []


def test_a_stage_begun_anew_has_one_clock(database: Database) -> None:
    filed(database)
    with begin(database.engine, actor="test") as connection:
        later = start(connection, ID, stage="dispose", limit=FOUR, begun=NOON + 2 * HOUR, calendar=CALENDAR)
        assert [one.due_at for one in running(connection, ID)] == [later]
    assert fire(database, NOON + 4.5 * HOUR) == []
    assert fire(database, NOON + 6 * HOUR) == ["warn", "due"]


def test_the_standing_is_that_of_the_worst_clock(database: Database) -> None:
    filed(database)
    with begin(database.engine, actor="test") as connection:
        start(connection, ID, stage="safe", limit=Limit(2, "hours24"), begun=NOON, calendar=CALENDAR)
        lights = [standing(connection, ID, now=NOON + h * HOUR, calendar=CALENDAR) for h in (1, 1.5, 2)]
        assert [one.light for one in lights] == ["green", "yellow", "red"]
        assert {one.due_at for one in lights} == {NOON + 2 * HOUR}
        stop(connection, ID, at=NOON + HOUR, stages=("safe",))
        assert standing(connection, ID, now=NOON + 2 * HOUR, calendar=CALENDAR).due_at == NOON + 4 * HOUR


def test_while_it_is_suspended_nothing_happens_and_then_what_was_left(database: Database) -> None:
    filed(database)
    assert fire(database, NOON + 3 * HOUR) == ["warn"]
    with begin(database.engine, actor="test") as connection:
        pause(connection, ID, at=NOON + 3.5 * HOUR)
        assert standing(connection, ID, now=NOON + 9 * HOUR, calendar=CALENDAR).light == "none"
    assert fire(database, NOON + 50 * HOUR) == []
    with begin(database.engine, actor="test") as connection:
        assert resume(connection, ID, at=NOON + 53.5 * HOUR, calendar=CALENDAR) == {"dispose": NOON + 54 * HOUR}
    assert fire(database, NOON + 53.9 * HOUR) == []
    assert fire(database, NOON + 54 * HOUR) == ["due"]  # it was warned of already
    assert fire(database, NOON + 58 * HOUR) == ["escalate", "escalate"]


def test_levels_of_command_that_took_over_before_a_pause_are_not_called_again(database: Database) -> None:
    filed(database)
    assert fire(database, NOON + 6 * HOUR) == ["warn", "due", "escalate"]
    with begin(database.engine, actor="test") as connection:
        pause(connection, ID, at=NOON + 7 * HOUR)
        resume(connection, ID, at=NOON + 17 * HOUR, calendar=CALENDAR)
    assert fire(database, NOON + 17.9 * HOUR) == []
    assert fire(database, NOON + 18 * HOUR) == ["escalate"]
    assert light(database) == ("red", 2)


def test_what_is_put_off_warns_and_is_due_anew(database: Database) -> None:
    filed(database)
    assert fire(database, NOON + 3 * HOUR) == ["warn"]
    until = NOON + 12 * HOUR
    with begin(database.engine, actor="test") as connection:
        assert defer(connection, ID, stage="dispose", until=until, at=NOON + 3.5 * HOUR, calendar=CALENDAR)
        assert not defer(connection, ID, stage="check", until=until, at=NOON + 3.5 * HOUR, calendar=CALENDAR)
        assert [one.due_at for one in running(connection, ID)] == [until]
        assert standing(connection, ID, now=NOON + 4 * HOUR, calendar=CALENDAR).light == "green"
    assert fire(database, NOON + 8.9 * HOUR) == []
    assert fire(database, NOON + 9 * HOUR) == ["warn"]
    with begin(database.engine, actor="test") as connection:
        pause(connection, ID, at=NOON + 10 * HOUR)
        assert resume(connection, ID, at=NOON + 11 * HOUR, calendar=CALENDAR) == {"dispose": until + HOUR}
    assert fire(database, until + HOUR) == ["due"]


def test_what_happens_in_an_exercise_stays_in_it(database: Database) -> None:
    with begin(database.engine, actor="test") as connection:
        file_incident(connection, ID, reported_at=NOON, scenario="drill")
        start(connection, ID, stage="dispose", limit=FOUR, begun=NOON, calendar=CALENDAR, scenario="drill")
    assert fire(database, NOON + 9 * HOUR) == ["warn", "due", "escalate", "escalate"]
    for table in ("notice", "step", "timer", "stage_clock"):
        assert rows(database, f"select distinct scenario from core.{table}") == [("drill",)]


moments = st.lists(st.integers(1, 400), min_size=1, max_size=12).map(sorted)


@given(moments, st.integers(1, 60), st.lists(st.integers(1, 200), max_size=3))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whenever_the_worker_looks_each_thing_happens_once_and_never_early(
    database: Database, looks: list[int], quarter_hours: int, pauses: list[int]
) -> None:
    limit, quarter = Limit(quarter_hours / 4, "hours24"), timedelta(minutes=15)
    with begin(database.engine, actor="test") as connection:
        for table in ("city.incident", "core.timer", "core.stage_clock", "core.notice"):
            connection.execute(sa.text("set local role chengtu_owner"))
            connection.execute(sa.text(f"delete from {table}"))
        connection.execute(sa.text("set local role chengtu_writer"))
    filed(database, limit=limit)
    for look in looks:
        now = NOON + look * quarter
        if look in pauses:
            with begin(database.engine, actor="test") as connection:
                pause(connection, ID, at=now)
                resume(connection, ID, at=now + quarter, calendar=CALENDAR)
        fire(database, now)
        fire(database, now)
    fire(database, NOON + 4000 * quarter)
    kinds = rows(database, "select kind from core.notice order by id")
    assert kinds == [("warn",), ("due",), ("escalate",), ("escalate",)]
    assert rows(database, "select count(*) from core.timer where fired_at < at") == [(0,)]
    assert light(database) == ("red", 2)


def test_the_job_of_the_worker_fires_what_is_due_and_its_rows_do_not_pile_up(database: Database) -> None:
    filed(database)

    async def twice() -> list[int]:
        app = job_app(database.url, list, more=[firing(database.url, CALENDAR)])
        done = []
        async with app.open_async():
            for timestamp in (62, 120):
                done.append(await app.configure_task("chengtu.fire_timers").defer_async(timestamp=timestamp))
                await app.run_worker_async(wait=False, install_signal_handlers=False)
        return done

    first, second = asyncio.run(twice())
    assert light(database) == ("red", 2)
    left = rows(database, "select id from jobs.procrastinate_jobs where task_name = 'chengtu.fire_timers'")
    assert second > first
    assert (first,) not in left
