"""The figures of an exercise: the twenty cases that were counted by hand, rehearsed, and in no figure of the city."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa

from layers.loop import rehearsed
from layers.loop.hotline.rates import Counts, rates
from layers.loop.indicators import By
from layers.loop.measures import daily_score
from layers.loop.rehearsed import Figures, figures_of
from layers.loop.routing_tables import STAGE_FACT
from layers.loop.rules import shipped_rules
from layers.loop.tables import STEP
from layers.people.access import ADMIN
from layers.people.exercises import Exercise, close_exercise, open_exercise
from layers.people.scope import REALITY, acting
from layers.store.engine import begin
from tests.conftest import Database
from tests.layers import test_loop_indicators as real
from tests.layers.test_loop_indicators import CASES, EXPECTED, HWC, NOW, SZC, WEEK, hour


def opened(database: Database) -> Exercise:
    about: dict[str, Any] = {"title": "热线演练", "note": None, "area": None, "roles": (), "actor": ADMIN}
    with begin(database.engine, actor="test") as connection:
        return open_exercise(connection, **about, day=NOW.date(), now=hour(0))


def rehearsing(database: Database) -> Exercise:
    """An exercise in which all of the twenty cases happen."""
    exercise = opened(database)
    with begin(database.owner, actor="test") as connection:
        for number in range(1, 21):
            case = replace(CASES[number], scenario=exercise.id)
            real.file_case(connection, number, case)
            connection.execute(sa.insert(STEP), real.step_rows(number, case))
            real.call(connection, number, case)
        for table in ("caller", "contact"):
            connection.execute(sa.text(f"update core.{table} set scenario = :id"), {"id": exercise.id})
    real.tally(database)
    return exercise


def figures(database: Database, exercise: Exercise, *, now: datetime = NOW, by: By = "city") -> Figures:
    with database.engine.connect() as connection:
        return figures_of(connection, shipped_rules(), exercise, by=by, now=now)


def of(found: Figures, key: str | None) -> dict[str, int]:
    return next(dict(one.counts) for one in found.rows if one.key == key)


def test_the_twenty_cases_count_in_an_exercise_as_they_do_outside(database: Database) -> None:
    exercise = rehearsing(database)
    counts = of(figures(database, exercise), "city")
    shares = {
        name: Fraction(counts.get(one.numerator, 0), counts[one.denominator])
        for name, one in shipped_rules().measures.items()
    }
    assert shares == EXPECTED
    assert daily_score(counts) == pytest.approx(real_score())
    by_department = figures(database, exercise, by="department")
    assert (of(by_department, HWC)["need_dispose"], of(by_department, SZC)["need_dispose"]) == (12, 1)
    total = Counts()
    for one in by_department.hotline.values():
        total.add(one)
    told = total.as_json()
    assert (told["solved"]["numerator"], told["satisfied"]["numerator"], told["solved"]["denominator"]) == (4, 3, 5)
    assert told["exclusions"] == {"without_number": 0, "unreachable": 1, "outside_remit": 1, "repeats": 1}


def real_score() -> float:
    return 11 / 13 * 30 + 9 / 13 * 20 + (1 - 1 / 12) * 20 + (1 - 2 / 13) * 20 + (1 - 2 / 13) * 10


def test_nothing_of_an_exercise_is_in_a_figure_of_the_city_or_of_another(database: Database) -> None:
    exercise, other = rehearsing(database), opened(database)
    with database.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(STAGE_FACT)) == 0
        seen = acting(connection, REALITY)
        rules = shipped_rules().rates
        assert rates(seen, rules, by="department", begin=WEEK.start, end=WEEK.end) == {}
    assert real.ask(database) == []
    found = figures(database, other)
    assert (found.rows, found.hotline, found.truncated) == ([], {}, False)
    # And what really happens is in none of an exercise, be it called about from the same numbers.
    with begin(database.engine, actor="test") as connection:
        for number in (19, 20):
            case = replace(CASES[number], callers=[(*one[:3], "m1") for one in CASES[number].callers])
            real.file_case(connection, number + 100, case)
            connection.execute(sa.insert(STEP), real.step_rows(number + 100, case))
            real.call(connection, number + 100, case)
    real.tally(database)
    assert of(figures(database, exercise), "city")["callback"] == 5
    assert [dict(one.counts)["report"] for one in real.ask(database)] == [2]


def test_what_was_not_due_when_an_exercise_was_closed_lowers_no_rate(database: Database) -> None:
    exercise = rehearsing(database)
    assert of(figures(database, exercise, now=hour(96)), "city")["need_dispose"] == 14
    with begin(database.engine, actor="test") as connection:
        closed = close_exercise(connection, exercise.id, actor=ADMIN, now=hour(94))
    found = figures(database, closed, now=hour(5_000))
    assert (found.until, of(found, "city")["need_dispose"]) == (hour(94), 13)


def test_of_a_very_large_exercise_a_part_is_counted_and_said_to_be_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercise = rehearsing(database)
    monkeypatch.setattr(rehearsed, "MOST_CASES", 3)
    found = figures(database, exercise)
    assert found.truncated
    assert of(found, "city")["report"] < 19
