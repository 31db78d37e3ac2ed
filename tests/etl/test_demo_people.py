"""Residents of the demo city: who called, who needed something, where somebody went; all of it legal and made up."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import sqlalchemy as sa

from etl.demo.callers import Callers
from etl.demo.city import SEED, build
from etl.demo.ground import Ground, settle
from etl.demo.incidents import happenings
from etl.demo.load import load_demo
from etl.demo.needs import Need, needs
from etl.demo.people import MARK
from etl.demo.people_load import write_care
from etl.demo.providers import demo_providers
from layers.ask.catalogue import SYNTHETIC
from layers.catalog.incident import TABLE
from layers.loop.care.book import OUTCOMES, STATES, VISITS, kinds_in
from layers.loop.care.needs import MOVES, Brought, Sought, need_seen, needs_seen, take_need_step, unmask_need
from layers.loop.care.providers import Provider, providers
from layers.loop.care.serving import Wanted, suggested
from layers.loop.care.tables import NEED, NEED_STEP, VISIT
from layers.loop.care.visits import visits_counted
from layers.loop.effects import Taken
from layers.loop.hotline.contacts import due_callbacks
from layers.loop.hotline.rates import Counts, rates
from layers.loop.hotline.tables import CONTACT
from layers.loop.rules import shipped_rules
from layers.loop.tables import CALLER
from layers.people.access import EVERYWHERE, Actor, Scope
from layers.people.privacy import Keyring, keyring_in
from layers.people.scope import REALITY, acting
from layers.people.sealed import CALLER as SEALED
from layers.store.cluster import Cluster
from layers.store.engine import begin
from tests.conftest import MOMENT, Database, cloned

SCALE = 0.02
DAYS = 45
RULES = shipped_rules()
DISPATCHER = Actor("test", frozenset({"dispatcher"}), EVERYWHERE)


@dataclass(frozen=True)
class Peopled:
    """A demo city of some weeks in which people called and asked, with the keys that they are sealed with."""

    database: Database
    keyring: Keyring
    counts: dict[str, int]


@pytest.fixture(scope="module")
def peopled(cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peopled]:
    keyring = keyring_in(tmp_path_factory.mktemp("people"))
    with cloned(cluster, template) as fresh:
        yield Peopled(fresh, keyring, load_demo(fresh.engine, scale=SCALE, at=MOMENT, days=DAYS, keyring=keyring))


@pytest.fixture(scope="module")
def ground() -> Ground:
    return settle(scale=SCALE, seed=SEED)


@pytest.fixture(scope="module")
def frames(ground: Ground) -> dict[str, gpd.GeoDataFrame]:
    return dict(build(scale=SCALE, seed=SEED, ground=ground))


def rows_of(peopled: Peopled, table: sa.Table) -> list[dict[str, Any]]:
    with peopled.database.engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(table).order_by(table.c.id)).mappings()]


def total(peopled: Peopled) -> Counts:
    with peopled.database.engine.connect() as connection:
        begun = MOMENT - dt.timedelta(days=DAYS)
        groups = rates(acting(connection, REALITY), RULES.rates, by="department", begin=begun, end=MOMENT)
    whole = Counts()
    for counts in groups.values():
        whole.add(counts)
    assert len([key for key, counts in groups.items() if counts.valid]) > 3, "departments differ"
    return whole


def test_the_three_rates_have_numerators_denominators_and_what_is_left_out(peopled: Peopled) -> None:
    counts = total(peopled)
    assert counts.assigned > 150
    assert 0.85 < counts.in_time / counts.assigned < 1
    assert counts.valid > 120
    assert 0.85 < counts.solved / counts.valid < 1
    assert 0.7 < counts.satisfied / counts.valid < counts.solved / counts.valid
    assert all(n > 0 for n in counts.excluded.values()), counts.excluded
    assert counts.without_number > 0
    assert counts.pending < counts.valid / 5


def test_calls_follow_the_case_and_nobody_is_called_after_an_answer(peopled: Peopled) -> None:
    cases = {row["id"]: row for row in rows_of(peopled, TABLE)}
    callers = {row["id"]: row for row in rows_of(peopled, CALLER)}
    assert {cases[row["incident"]]["channel"] for row in callers.values()} == {"hotline", "public"}
    answered: set[int] = set()
    for call in rows_of(peopled, CONTACT):
        caller, case = callers[call["caller"]], cases[call["incident"]]
        assert caller["incident"] == call["incident"]
        assert caller["phone"] is not None
        assert case["reported_at"] < call["at"] <= MOMENT
        if call["kind"] == "contact":
            assert case["dispatched_at"] is None or case["lead"] is None or call["actor"].startswith("officer ")
            continue
        assert case["state"] in ("closed", "rejected")
        assert case["closed_at"] is None or call["at"] >= case["closed_at"]
        assert call["caller"] not in answered
        assert (call["solved"] is not None) == (call["satisfied"] is not None) == call["reached"]
        if call["reached"]:
            answered.add(call["caller"])
            told = (caller["reached_at"], caller["solved"], caller["satisfied"], caller["answer"])
            assert told == (call["at"], call["solved"], call["satisfied"], call["text"])
    assert answered == {id for id, row in callers.items() if row["reached_at"] is not None}


def test_some_wait_to_be_called_back_and_nobody_is_tried_too_often(peopled: Peopled) -> None:
    with peopled.database.engine.connect() as connection:
        seen = acting(connection, REALITY)
        waiting = due_callbacks(seen, peopled.keyring, attempts=RULES.rates.attempts)
        tries = sa.select(sa.func.count()).where(CONTACT.c.kind == "callback").group_by(CONTACT.c.caller)
        assert max(connection.scalars(tries)) == RULES.rates.attempts
    assert 0 < len(waiting) < 50
    # What was closed long ago has been called back.
    assert all(one.done_at > MOMENT - dt.timedelta(days=7) for one in waiting if one.lead is not None)


def test_every_name_and_home_says_that_it_is_made_up_and_no_number_can_be_dialled(peopled: Peopled) -> None:
    callers, told = rows_of(peopled, CALLER), rows_of(peopled, NEED)
    for rows, about in ((callers, SEALED.about), (told, {n: f"need.{n}" for n in ("name", "phone", "home")})):
        for name, row in ((name, row) for name in about for row in rows if row[name] is not None):
            text = peopled.keyring.unseal(row[name], about=about[name])
            assert text.startswith("0513-0") if name == "phone" else text.endswith(MARK)
    assert any(row["home"] for row in told)
    assert all(row["words"].endswith(MARK) for row in (*told, *rows_of(peopled, VISIT)))
    marks = [row["phone_mark"] for row in callers if row["phone"]]
    assert len(set(marks)) < len(marks), "some call again"


def test_needs_went_from_state_to_state_as_the_table_of_moves_allows(peopled: Peopled) -> None:
    told, known = rows_of(peopled, NEED), kinds_in()
    steps = rows_of(peopled, NEED_STEP)
    assert {row["state"] for row in told} == set(STATES)
    assert len({row["kind"] for row in told}) > 10
    for row in told:
        own = [step for step in steps if step["need"] == row["id"]]
        assert row["kind"] in known
        assert own[0]["step"] == "take_down"
        assert (own[0]["at"], own[-1]["at"]) == (row["told_at"], row["changed_at"])
        assert MOMENT - dt.timedelta(days=28) < row["told_at"] <= row["changed_at"] <= MOMENT
        for before, step in zip(own, own[1:], strict=False):
            move = MOVES[step["step"]]
            assert before["after"] in move.before
            assert step["after"] == (move.after or before["after"])
            assert step["at"] > before["at"]
            assert move.carries != "note" or step["note"]
            assert move.carries != "provider" or step["provider"] or step["note"]
        assert own[-1]["after"] == row["state"]
        assert (row["ended_at"] is not None) == (row["state"] in ("done", "withdrawn"))
        arranged = [step["provider"] for step in own if step["step"] in ("arrange", "reopen")]
        assert row["provider"] == (arranged[-1] if arranged else None)


def test_who_serves_does_this_there_and_then(peopled: Peopled) -> None:
    kinds = kinds_in()
    with peopled.database.engine.connect() as connection:
        every = {one.id: one for one in providers(connection)}
    served = [row for row in rows_of(peopled, NEED) if row["provider"]]
    assert len(served) > 30
    for row in served:
        wanted = Wanted(kinds[row["kind"]], row["lon"], row["lat"], row["admin_code"], row["grid_id"], row["wish_at"])
        assert suggested([every[row["provider"]]], wanted).fits


def test_a_synthetic_need_is_read_and_taken_further_like_a_real_one(peopled: Peopled) -> None:
    with begin(peopled.database.engine, actor="test") as connection:
        seen = needs_seen(connection, peopled.keyring, DISPATCHER, sought=Sought(states=("open",)), most=200)
        one = next(need for need in seen if need["phone"])
        assert one["name"].endswith("*")
        assert "****" in one["phone"]
        who = unmask_need(connection, peopled.keyring, DISPATCHER, one["id"], purpose="callback", address=None)
        assert who.name is not None
        assert who.name.endswith(MARK)
        brought = Brought(note="由社区上门")
        step = {"brought": brought, "expected": one["steps"][-1]["id"], "actor": DISPATCHER, "now": MOMENT}
        assert take_need_step(connection, one["id"], "arrange", **step)["state"] == "arranged"
        assert need_seen(connection, peopled.keyring, DISPATCHER, one["id"])["steps"][-1]["note"] == "由社区上门"


def test_visits_are_counted_by_area_and_name_needs_and_cases_that_are_there(peopled: Peopled) -> None:
    gone, told = rows_of(peopled, VISIT), {row["id"]: row for row in rows_of(peopled, NEED)}
    assert [row["visited_at"] for row in gone] == sorted(row["visited_at"] for row in gone)
    assert {row["kind"] for row in gone} == set(VISITS)
    assert {row["outcome"] for row in gone} == set(OUTCOMES)
    reported = {row["id"]: row["reported_at"] for row in rows_of(peopled, TABLE)}
    for row in gone:
        assert row["visited_at"] <= row["at"] <= MOMENT
        assert all(row["visited_at"] < told[id]["told_at"] for id in row["needs"])
        assert all(row["visited_at"] < reported[id] for id in row["incidents"])
        assert (row["outcome"] == "need") == bool(row["needs"])
        assert (row["outcome"] == "incident") == bool(row["incidents"])
        assert row["role"] in ("worker", "volunteer")
        assert row["actor"].startswith(row["role"])
    worker = Actor("test", frozenset({"worker"}), Scope(frozenset({"320613"}), None))
    with peopled.database.engine.connect() as connection:
        begun = MOMENT - dt.timedelta(days=28)
        counted = visits_counted(connection, worker, by="county", start=begun, end=MOMENT)
    assert [one["area"] for one in counted] == ["320613"]
    assert sum(one["visits"] for one in counted) == sum(row["admin_code"].startswith("320613") for row in gone)


def test_what_was_written_once_is_not_written_again(peopled: Peopled, ground: Ground) -> None:
    tables = (CALLER, CONTACT, NEED, NEED_STEP, VISIT)
    before = [len(rows_of(peopled, table)) for table in tables]
    counts = {"caller": before[0], "need": before[2], "visit": before[4]}
    assert {name: peopled.counts[name] for name in counts} == counts
    how: dict[str, Any] = {"at": MOMENT, "scale": SCALE, "seed": SEED}
    with begin(peopled.database.engine, actor="test") as connection:
        assert write_care(connection, ground, peopled.keyring, **how) == counts
    assert [len(rows_of(peopled, table)) for table in tables] == before


def test_a_case_is_noted_once_to_be_told_anew(peopled: Peopled) -> None:
    told = sa.text("select count(*), count(distinct incident) from core.stale_case")
    with peopled.database.engine.connect() as connection:
        notes, cases = connection.execute(told).one()
    assert notes == cases > 500


def test_without_keys_nobody_called_or_asked(city: Database) -> None:
    with city.engine.connect() as connection:
        assert not any(connection.scalar(sa.select(sa.exists().select_from(table))) for table in (CALLER, NEED, VISIT))


def test_the_same_seed_makes_the_same_needs_and_another_seed_others(
    ground: Ground, frames: dict[str, gpd.GeoDataFrame]
) -> None:
    offered = demo_providers(frames["place"])

    def made(offered: list[Provider], *, seed: int = SEED) -> list[Need]:
        return needs(ground, offered, at=MOMENT, scale=SCALE, seed=seed)

    assert made(offered) == made(offered)
    assert made(offered) != made(offered, seed=SEED + 1)
    assert all(one.source == SYNTHETIC for one in offered)
    assert all(step.provider is None for need in made([]) for step in need.steps)


def test_later_the_same_callers_got_the_same_calls_and_more(
    ground: Ground, frames: dict[str, gpd.GeoDataFrame], tmp_path: Path
) -> None:
    callers = Callers(keyring_in(tmp_path), RULES.rates.attempts, SCALE, SEED)

    def calls(at: dt.datetime) -> dict[str, list[Any]]:
        how: dict[str, Any] = {"days": 4, "scale": SCALE, "seed": SEED, "callers": callers}
        found: dict[str, list[Any]] = {}
        for day in happenings(ground, frames["component"], RULES, lead_for=lambda *_: ("cgj", ()), at=at, **how):
            found |= {id: [] for id in day.callers["incident"]}
            for call in json.loads(day.contacts.to_json(orient="records")):
                found[call["incident"]].append(call)
        return found

    then, now = calls(MOMENT), calls(MOMENT + dt.timedelta(hours=9))
    assert then.keys() <= now.keys()
    assert all(now[id][: len(known)] == known for id, known in then.items())
    assert sum(map(len, now.values())) > sum(map(len, then.values()))


def test_who_reported_by_day_is_called_by_day(tmp_path: Path) -> None:
    callers = Callers(keyring_in(tmp_path), 3, 1.0, SEED)
    late = MOMENT.replace(hour=23)
    steps = [Taken("report", "reported", late), Taken("reject", "rejected", late, {"reason": "outside_remit"})]
    row = {"channel": "hotline", "admin_code": "320613001", "matter": "06010", "reported": late.timestamp()}
    every = [
        callers.of({**row, "chance": n}, steps, until=MOMENT + dt.timedelta(days=30)) for n in range(200)
    ]  # fmt: skip
    called = [call for caller in every if caller is not None for call in caller.calls]
    assert len(called) > 200
    assert {call.at.hour for call in called} <= set(range(9, 20))
    assert {call.actor for call in called} == {"dispatcher 320613"}
    unreached = [caller for caller in every if caller is not None and caller.phone and caller.answered is None]
    assert 0 < len(unreached) < 40
    assert all(len(caller.calls) == 3 for caller in unreached)
