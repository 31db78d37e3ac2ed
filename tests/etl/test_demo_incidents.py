"""The incidents of the demo city: lives that the loop's own rules allow, the same whenever they are made."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import sqlalchemy as sa

from etl.demo.ahead import Year, made_ahead
from etl.demo.city import SEED, build
from etl.demo.ground import Ground, settle
from etl.demo.incidents import DAYS, happenings
from etl.demo.load import load_demo
from layers.catalog.incident import TABLE
from layers.loop.effects import Taken, replayed
from layers.loop.rules import shipped_rules
from layers.loop.states import FINAL, rules_of
from layers.loop.tables import STEP
from layers.people.privacy import keyring_in
from layers.store.core import TERM
from tests.conftest import MOMENT, Database

SCALE = 0.02
Counting = Callable[[], tuple[int, int]]


@pytest.fixture(scope="module")
def ground() -> Ground:
    return settle(scale=SCALE, seed=SEED)


@pytest.fixture(scope="module")
def components(ground: Ground) -> gpd.GeoDataFrame:
    return dict(build(scale=SCALE, seed=SEED, ground=ground))["component"]


def made(
    ground: Ground, components: gpd.GeoDataFrame, *, days: int, at: dt.datetime = MOMENT
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cases and steps of some days, with a department that never changes: made once, and given as copies."""
    if (days, at) not in _made:
        _made[days, at] = _happened(ground, components, days=days, at=at)
    cases, steps = _made[days, at]
    return cases.copy(), steps.copy()


_made: dict[tuple[int, dt.datetime], tuple[pd.DataFrame, pd.DataFrame]] = {}


def _happened(
    ground: Ground, components: gpd.GeoDataFrame, *, days: int, at: dt.datetime
) -> tuple[pd.DataFrame, pd.DataFrame]:
    of_days = happenings(
        ground, components, shipped_rules(), lead_for=lambda *_: ("cgj", ()), at=at, days=days, scale=SCALE, seed=SEED
    )
    every = list(of_days)
    cases = pd.concat([day.incidents for day in every], ignore_index=True)
    return pd.DataFrame(cases), pd.concat([day.steps for day in every], ignore_index=True)


def steps_of(steps: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for step in steps.astype(object).where(steps.notna(), None).to_dict("records"):
        found[step["incident"]].append(step)
    return found


def test_every_life_is_one_that_the_table_of_states_allows(ground: Ground, components: gpd.GeoDataFrame) -> None:
    cases, steps = made(ground, components, days=40)
    lives = steps_of(steps)
    assert set(lives) == set(cases["id"])
    for life in lives.values():
        assert life[0]["step"] == "report"
        for earlier, step in zip(life, life[1:], strict=False):
            assert step["before"] == earlier["after"]
            assert step["at"] >= earlier["at"]
            if step["step"] == "escalate":  # the clocks do that by themselves
                assert step["after"] == step["before"]
                continue
            fitting = [rule for rule in rules_of(step["step"]) if step["before"] in rule.before]
            assert step["after"] in {rule.after or step["before"] for rule in fitting}, step


def test_a_record_is_what_its_steps_make_of_it(ground: Ground, components: gpd.GeoDataFrame) -> None:
    cases, steps = made(ground, components, days=40)
    lives = steps_of(steps)
    by_steps = ("state", "accepted_at", "registered_at", "dispatched_at", "disposed_at", "checked_at", "closed_at")
    for case in cases.to_dict("records"):
        first = {**case, **dict.fromkeys(by_steps[1:]), "signed_at": None, "due_at": None, "lead": None, "co": []}
        first |= dict.fromkeys(("command", "returns", "reworks", "urges", "deferrals"), 0) | {"suspended": False}
        taken = [
            Taken(s["step"], s["after"], dt.datetime.fromisoformat(s["at"]), json.loads(s["carries"]))
            for s in lives[case["id"]][1:]
        ]
        record = replayed(first, taken)
        for name in (*by_steps, "lead", "command", "returns", "reworks", "deferrals"):
            assert record[name] == case[name] or (record[name] is None and pd.isna(case[name])), (case["id"], name)


def test_nothing_lies_ahead_and_lights_stand_as_their_clocks_do(ground: Ground, components: gpd.GeoDataFrame) -> None:
    cases, steps = made(ground, components, days=40)
    assert pd.to_datetime(steps["at"]).max() <= MOMENT
    assert cases["reported_at"].max() <= MOMENT
    over = cases["state"].isin(FINAL)
    assert (cases.loc[over, "light"] == "none").all()
    late = ~over & (pd.to_datetime(cases["stage_due_at"]) <= MOMENT)
    assert late.any()
    assert (cases.loc[late, "light"] == "red").all()
    assert (cases.loc[~over & ~late, "light"] != "red").all()
    assert over.mean() > 0.8, "most of forty days is over"


def test_a_day_is_the_same_in_a_week_and_in_a_month(ground: Ground, components: gpd.GeoDataFrame) -> None:
    week, _ = made(ground, components, days=DAYS)
    month, _ = made(ground, components, days=30)
    same = month[month["id"].isin(set(week["id"]))].reset_index(drop=True)
    pd.testing.assert_frame_equal(week, same, check_dtype=False)


def test_other_processes_make_the_same_days_in_the_same_order(ground: Ground, components: gpd.GeoDataFrame) -> None:
    how: dict[str, Any] = {"at": MOMENT, "scale": SCALE, "seed": SEED}
    year = Year(ground, components, shipped_rules(), lambda *_: ("cgj", ()), how)
    with made_ahead(year, days=5, processes=2) as coming:
        ahead = list(coming)
    cases, steps = made(ground, components, days=5)
    pd.testing.assert_frame_equal(pd.DataFrame(pd.concat([day.incidents for day in ahead], ignore_index=True)), cases)
    pd.testing.assert_frame_equal(pd.concat([day.steps for day in ahead], ignore_index=True), steps)


def test_days_that_nobody_waits_for_any_more_end_with_their_processes(
    ground: Ground, components: gpd.GeoDataFrame
) -> None:
    how: dict[str, Any] = {"at": MOMENT, "scale": SCALE, "seed": SEED}
    year = Year(ground, components, shipped_rules(), lambda *_: ("cgj", ()), how)
    with made_ahead(year, days=300, processes=1) as coming:
        next(coming)
    assert not multiprocessing.active_children()


def test_a_history_has_its_indexes_and_the_same_cases_as_a_week(database: Database) -> None:
    """Of an empty city the indexes of what is millions are built afterwards."""
    with database.engine.connect() as connection:
        before = {t.name: indexes_of(connection, t) for t in (STEP, TERM)}
    load_demo(database.engine, scale=0.005, at=MOMENT, days=DAYS + 2)
    with database.engine.connect() as connection:
        assert {t.name: indexes_of(connection, t) for t in (STEP, TERM)} == before
        assert len(before["step"]) > 3
        days = sa.select(sa.func.count(sa.distinct(sa.func.date(TABLE.c.reported_at))))
        assert connection.scalar(days) == DAYS + 2
        orphans = sa.select(sa.func.count()).where(STEP.c.incident.not_in(sa.select(TABLE.c.id)))
        assert connection.scalar(orphans) == 0


def indexes_of(connection: sa.Connection, table: sa.Table) -> set[str]:
    told = sa.text("select indexdef from pg_indexes where schemaname = 'core' and tablename = :name")
    return set(connection.scalars(told, {"name": table.name}))


def test_later_the_same_cases_have_gone_on(ground: Ground, components: gpd.GeoDataFrame) -> None:
    _, before = made(ground, components, days=2)
    _, after = made(ground, components, days=2, at=MOMENT + dt.timedelta(hours=6))
    then, now = steps_of(before), steps_of(after)
    assert all(now[id][: len(life)] == life for id, life in then.items())
    assert sum(map(len, now.values())) > sum(map(len, then.values()))


@pytest.fixture
def counted(city: Database) -> Counting:
    """How many cases and steps there are."""

    def count() -> tuple[int, int]:
        with city.engine.connect() as connection:
            cases, steps = (connection.scalar(sa.select(sa.func.count()).select_from(t)) for t in (TABLE, STEP))
        return cases or 0, steps or 0

    return count


def test_the_city_loaded_again_has_the_same_cases(city: Database, counted: Counting, tmp_path: Path) -> None:
    before = counted()
    assert before[0] > 50
    assert before[1] > 4 * before[0]
    loaded = load_demo(city.engine, scale=SCALE, at=MOMENT, keyring=keyring_in(tmp_path))
    assert counted() == before
    # Of cases that are there already nobody has called, which is so now; needs there were none.
    assert loaded["caller"] == 0
    assert loaded["need"] > 50
