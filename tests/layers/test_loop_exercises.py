"""What an exercise leaves behind, and that nothing happens in it any more once it is closed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from layers.ask.period import CITY_TIME
from layers.errors import Conflict, UnknownExercise
from layers.loop.calendar import calendar_in
from layers.loop.clocks import Limit
from layers.loop.exercises import outbox, steps_in, tally
from layers.loop.firing import fire_due
from layers.loop.notice_tables import CHANNEL, NOTICE_SENDING
from layers.loop.numbers import next_number
from layers.loop.timers import start
from layers.people.access import ADMIN, Actor
from layers.people.exercises import Exercise, close_exercise, open_exercise, require_open
from layers.store.engine import begin
from tests.conftest import Database
from tests.layers.incidents import file_incident

CALENDAR = calendar_in()
NOON = datetime(2026, 11, 18, 12, tzinfo=CITY_TIME)
HOUR = timedelta(hours=1)
REAL, REHEARSED = "20261118000001", "20261118900001"


def opened(database: Database, title: str = "防汛演练") -> Exercise:
    about: dict[str, Any] = {"note": None, "area": None, "roles": [], "actor": ADMIN}
    with begin(database.engine, actor="test") as connection:
        return open_exercise(connection, title=title, day=NOON.date(), now=NOON, **about)


def closed(database: Database, id: str, *, actor: Actor = ADMIN) -> Exercise:
    with begin(database.engine, actor="test") as connection:
        return close_exercise(connection, id, actor=actor, now=NOON + 5 * HOUR)


def filed(database: Database, id: str, scenario: str | None) -> None:
    limit = Limit(4, "hours24")
    with begin(database.engine, actor="test") as connection:
        file_incident(connection, id, reported_at=NOON, scenario=scenario)
        start(connection, id, stage="dispose", limit=limit, begun=NOON, calendar=CALENDAR, scenario=scenario)


def fire(database: Database, now: datetime) -> list[tuple[str, str]]:
    return [(one.incident, one.kind) for one in fire_due(database.engine, now=now, calendar=CALENDAR)]


def test_timers_fire_in_an_exercise_until_it_is_closed_and_outside_for_ever(database: Database) -> None:
    drill = opened(database).id
    filed(database, REAL, None)
    filed(database, REHEARSED, drill)
    assert sorted(fire(database, NOON + 3 * HOUR)) == [(REAL, "warn"), (REHEARSED, "warn")]
    closed(database, drill)
    assert fire(database, NOON + 4 * HOUR) == [(REAL, "due")]
    assert fire(database, NOON + 99 * HOUR) == [(REAL, "escalate"), (REAL, "escalate")]
    with database.owner.connect() as connection:
        assert tally(connection, drill).notices == 1
        told = "select scenario, count(*) from core.notice group by scenario order by scenario nulls first"
        assert [tuple(row) for row in connection.execute(sa.text(told))] == [(None, 4), (drill, 1)]
        changed = "select distinct id, scenario from core.change where layer = 'incident' and op = 'update' order by id"
        assert [tuple(row) for row in connection.execute(sa.text(changed))] == [(REAL, None), (REHEARSED, drill)]


def test_notices_of_an_exercise_are_recorded_in_words_and_never_sent(database: Database) -> None:
    drill = opened(database).id
    channel = {"kind": "webhook", "title": "环卫短信", "department": "320613-hwc", "address": "sealed", "actor": "test"}
    with begin(database.engine, actor="test") as connection:
        connection.execute(sa.insert(CHANNEL).values(channel))
    filed(database, REAL, None)
    filed(database, REHEARSED, drill)
    fire(database, NOON + 6 * HOUR)
    with database.owner.connect() as connection:
        found = outbox(connection, drill, after=0, limit=2)
        rest = outbox(connection, drill, after=found.following or 0, limit=2)
        told = [*found.records, *rest.records]
        assert [one["kind"] for one in told] == ["warn", "due", "escalate"]
        assert rest.following is None
        assert all(one["text"]["zh"].startswith("【演练】") and one["channels"] == ["环卫短信"] for one in told)
        sendings = connection.execute(
            sa.select(NOTICE_SENDING.c.next_at, NOTICE_SENDING.c.recorded_at, NOTICE_SENDING.c.body["scenario"].astext)
        ).all()
        for waits, recorded, scenario in sendings:
            assert (waits is None, recorded is not None) == (scenario == drill, scenario == drill)
        assert len(sendings) == 6


def test_the_record_of_one_exercise_holds_nothing_of_another(database: Database) -> None:
    first, second = opened(database).id, opened(database, "消防演练").id
    filed(database, REHEARSED, first)
    filed(database, "20261118900002", second)
    filed(database, REAL, None)
    fire(database, NOON + 99 * HOUR)
    with database.owner.connect() as connection:
        for id, case in ((first, REHEARSED), (second, "20261118900002")):
            counted = tally(connection, id)
            assert (counted.cases, counted.under_way, counted.overdue) == (1, 1, 1)
            assert (counted.steps, counted.notices) == (2, 4)
            record = steps_in(connection, id, after=0, limit=100).records
            assert {(one["incident"], one["step"]) for one in record} == {(case, "escalate")}


def test_what_is_over_or_unknown_takes_nothing(database: Database) -> None:
    drill = opened(database).id
    with begin(database.engine, actor="test") as connection:
        require_open(connection, None)
        require_open(connection, drill)
        with pytest.raises(UnknownExercise):
            require_open(connection, "drill-20000101-1")
    assert closed(database, drill).closed_by == ADMIN.name
    with begin(database.engine, actor="test") as connection:
        with pytest.raises(Conflict) as over:
            require_open(connection, drill)
        assert over.value.cause == "exercise_over"


def test_closing_waits_for_what_is_under_way(database: Database) -> None:
    drill = opened(database).id
    with begin(database.engine, actor="test") as connection:
        require_open(connection, drill)
        with database.engine.connect() as hurried:
            hurried.execute(sa.text("set local lock_timeout = '50ms'"))
            with pytest.raises(sa.exc.OperationalError):
                close_exercise(hurried, drill, actor=ADMIN, now=NOON)
    assert closed(database, drill).over


def test_exercises_are_numbered_by_the_day_and_their_cases_apart_from_real_ones(database: Database) -> None:
    ids = [opened(database).id for _ in range(3)]
    assert ids == [f"drill-20261118-{n}" for n in (1, 2, 3)]
    with begin(database.engine, actor="test") as connection:
        given = [next_number(connection, NOON, scenario=one) for one in (None, ids[0], ids[1], None, ids[0])]
    assert [id[8:] for id in given] == ["000001", "900001", "900002", "000002", "900003"]


def test_the_records_that_bear_numbers_already_count_for_their_own_kind(database: Database) -> None:
    drill = opened(database).id
    filed(database, "20261118000041", None)
    filed(database, "20261118900007", drill)
    with begin(database.engine, actor="test") as connection:
        assert next_number(connection, NOON).endswith("000042")
        assert next_number(connection, NOON, scenario=drill).endswith("900008")
