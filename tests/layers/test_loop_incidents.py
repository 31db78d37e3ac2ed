"""Incidents in the store: filed with a number, taken step by step, held against two at once, told again the same."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.catalog.incident import TABLE
from layers.errors import BadField, Conflict, LayersError, NotAllowed, UnknownItem
from layers.loop import timers
from layers.loop.assignees import assignees
from layers.loop.callers import Contact, callers_of
from layers.loop.carried import Carried
from layers.loop.case_tables import CASE_NUMBER
from layers.loop.cases import case_now, case_of, held
from layers.loop.effects import Taken, replayed
from layers.loop.errors import Overtaken
from layers.loop.incidents import Office, Outcome, report, take_step
from layers.loop.offers import next_steps
from layers.loop.placing import Where
from layers.loop.reports import Report
from layers.loop.rules import shipped_rules
from layers.loop.states import FINAL
from layers.loop.tables import CALLER, STEP
from layers.people.access import Actor, Scope
from layers.people.accounts import grant, make_account
from layers.people.privacy import keyring_in
from layers.refusals import CAUSES
from layers.store.core import CHANGE, HISTORY
from layers.store.engine import begin
from tests.conftest import Database

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))
DISPATCHER = Actor("wang", frozenset({"dispatcher"}), Scope(None, None))
COMMANDER = Actor("chen", frozenset({"commander"}), Scope(None, None))
WORKER = Actor("li", frozenset({"worker"}), Scope(None, None))
CHECKER = Actor("sun", frozenset({"worker"}), Scope(None, None))
PHONE = "13800138000"


@pytest.fixture(scope="module")
def city(own_city: Database) -> Database:
    """A small city of this file's own: its tests file cases of their own in it."""
    return with_worker(own_city)


def with_worker(city: Database) -> Database:
    """The city with an account for the grid worker to whom cases are given."""
    with begin(city.engine, actor="test") as connection:
        make_account(connection, login="li", name="李网格", actor="test")
        grant(connection, "li", roles=["worker"], scope=Scope(None, None), actor="test")
    return city


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(shipped_rules(), keyring_in(tmp_path_factory.mktemp("keys")))


@pytest.fixture(scope="module")
def spot(city: Database) -> Where:
    with city.reader.connect() as connection:
        lon, lat = connection.execute(
            sa.text("select st_x(geom), st_y(geom) from city.component where grid_id is not null order by id limit 1")
        ).one()
    return Where(lon=lon, lat=lat)


def file(city: Database, office: Office, told: Report, actor: Actor = WORKER, now: dt.datetime = NOW) -> Outcome:
    with begin(city.engine, actor=actor.name) as connection:
        return report(connection, office, told, actor=actor, now=now)


def go(
    city: Database, office: Office, id: str, step: str, actor: Actor, *, expected: int | None = None, **carried: Any
) -> Outcome:
    at = carried.pop("now", NOW)
    with begin(city.engine, actor=actor.name) as connection:
        return take_step(
            connection, office, id, step, actor=actor, carried=Carried(**carried), expected=expected, now=at
        )


def record(city: Database, id: str) -> dict[str, Any]:
    with city.engine.connect() as connection:
        return dict(connection.execute(sa.select(TABLE).where(TABLE.c.id == id)).mappings().one())


def rubbish(spot: Where, **more: Any) -> Report:
    return Report(where=spot, channel="worker", matter="06010", text="路边有一堆垃圾", **more)


def officer_of(city: Database, id: str) -> Actor:
    lead = record(city, id)["lead"]
    return Actor("zhou", frozenset({"officer"}), Scope(None, frozenset({lead})))


def test_a_case_goes_from_report_to_closing(city: Database, office: Office, spot: Where) -> None:
    filed = file(city, office, rubbish(spot, title="垃圾"))
    assert filed.incident.startswith("20261123")
    row = record(city, filed.incident)
    assert (row["state"], row["light"], row["source"], row["reporter"]) == ("reported", "green", "loop", "li")
    assert row["grid_id"] is not None
    assert row["admin_code"] == row["grid_id"][:9]
    assert (row["place_method"], row["place_precision"]) == ("surveyed", "B")
    assert row["stage_due_at"] > NOW
    id, last = filed.incident, filed.step
    at = NOW
    for step, actor, carried in (
        ("register", DISPATCHER, {}),
        ("dispatch", DISPATCHER, {}),
        ("sign", None, {}),
        ("dispose", None, {"note": "已派保洁"}),
        ("feedback", None, {"note": "清理完毕"}),
        ("check", CHECKER, {"note": "干净"}),
        ("close", DISPATCHER, {}),
    ):
        at += dt.timedelta(minutes=10)
        taken = go(city, office, id, step, actor or officer_of(city, id), expected=last, now=at, **carried)
        assert taken.step > last
        last = taken.step
    row = record(city, id)
    assert (row["state"], row["light"], row["stage_due_at"]) == ("closed", "none", None)
    times = ["reported_at", "accepted_at", "dispatched_at", "signed_at", "disposed_at", "checked_at", "closed_at"]
    assert [row[name] for name in times] == sorted(row[name] for name in times)
    assert row["registered_at"] == row["accepted_at"]
    assert row["due_at"] > row["dispatched_at"]
    with city.engine.connect() as connection:
        changed = sa.select(sa.func.count()).where(CHANGE.c.layer == "incident", CHANGE.c.id == id)
        was = sa.select(sa.func.count()).where(HISTORY.c.layer == "incident", HISTORY.c.id == id)
        assert connection.scalar(changed) == 8
        assert connection.scalar(was) == 7
        steps = connection.execute(sa.select(STEP).where(STEP.c.incident == id).order_by(STEP.c.id)).mappings().all()
    assert [step["step"] for step in steps][:3] == ["report", "register", "dispatch"]
    assert [step["before"] for step in steps][1:] == [step["after"] for step in steps][:-1]
    assert steps[3]["department"] == row["lead"]
    assert (steps[3]["role"], steps[1]["role"], steps[0]["role"]) == ("officer", "dispatcher", "worker")
    assert steps[2]["carries"]["decided"]["lead"] == row["lead"]


def test_of_two_at_once_one_wins_and_the_other_is_told_what_changed(
    city: Database, office: Office, spot: Where
) -> None:
    filed = file(city, office, rubbish(spot))
    barrier = threading.Barrier(2)
    outcomes: list[Any] = []

    def register(actor: Actor) -> None:
        barrier.wait()
        try:
            outcomes.append(go(city, office, filed.incident, "register", actor, expected=filed.step))
        except Overtaken as error:
            outcomes.append(error)

    pair = [threading.Thread(target=register, args=(actor,)) for actor in (DISPATCHER, COMMANDER)]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    won = next(one for one in outcomes if isinstance(one, Outcome))
    lost = next(one for one in outcomes if isinstance(one, Overtaken))
    assert lost.last == won.step
    assert [(step["step"], step["id"]) for step in lost.since] == [("register", won.step)]
    assert lost.since[0]["actor"] in ("wang", "chen")
    assert lost.since[0]["at"] == NOW
    with city.engine.connect() as connection:
        count = sa.select(sa.func.count()).where(STEP.c.incident == filed.incident)
        assert connection.scalar(count) == 2


def test_numbers_have_no_gap_though_many_report_at_once_and_some_fail(
    city: Database, office: Office, spot: Where
) -> None:
    day = NOW + dt.timedelta(days=40)
    got: list[str] = []

    def report_and_fail(n: int) -> None:
        with begin(city.engine, actor="li") as connection:
            report(connection, office, rubbish(spot), actor=WORKER, now=day)
            raise UnknownItem("incident", str(n))

    def many() -> None:
        for n in range(4):
            got.append(file(city, office, rubbish(spot), now=day).incident)
            with pytest.raises(UnknownItem):
                report_and_fail(n)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [f"20270102{n:06d}" for n in range(1, 17)]


def test_a_day_whose_numbers_are_used_up_says_so(city: Database, office: Office, spot: Where) -> None:
    day = NOW + dt.timedelta(days=50)
    with city.engine.begin() as connection:
        connection.execute(sa.insert(CASE_NUMBER).values(day=day.date(), last=999_998))
    assert file(city, office, rubbish(spot), now=day).incident.endswith("999999")
    with pytest.raises(Conflict) as full:
        file(city, office, rubbish(spot), now=day)
    assert full.value.cause == "day_full"


def everything(city: Database) -> dict[str, int]:
    """How many rows every table has."""
    with city.owner.connect() as connection:
        names = connection.execute(
            sa.text(
                "select table_schema || '.' || quote_ident(table_name) from information_schema.tables "
                "where table_schema in ('core', 'city', 'jobs') and table_type = 'BASE TABLE'"
            )
        ).scalars()
        return {name: int(connection.scalar(sa.text(f"select count(*) from {name}")) or 0) for name in names.all()}


BAD: list[tuple[str, dict[str, Any]]] = [
    ("matter_unknown", {"matter": "99999"}),
    ("matter_unknown", {"matter": "06031"}),
    ("matter_unknown", {"matter": "32061399999"}),
    ("matter_unknown", {"matter": "'; drop table city.incident; --"}),
    ("matter_missing", {"matter": None}),
    ("component_unknown", {"matter": None, "component": "32060201002999999"}),
    ("component_unknown", {"matter": None, "component": "lamp 7"}),
    ("outside_city", {"where": Where(lon=116.39, lat=39.9)}),
    ("no_place", {"where": Where(lon=116.39)}),
    ("no_place", {"where": Where(lon=float("nan"), lat=32.0)}),
    ("no_place", {"where": Where()}),
    ("place_unknown", {"where": Where(grid_id="320602001001999")}),
    ("place_unknown", {"where": Where(address="火星路一号")}),
    ("text_control", {"text": "a\x00b"}),
    ("text_control", {"title": "a\nb"}),
    ("text_control", {"text": "x\u202ey"}),
    ("text_long", {"text": "好" * 2001}),
    ("text_long", {"title": "好" * 101}),
    ("text_long", {"contact": Contact(name="张" * 41)}),
    ("code_unknown", {"level": "extreme"}),
    ("code_unknown", {"appeal": "chat"}),
    ("no_code", {"line": "12345; --"}),
    ("line_unknown", {"line": "12346"}),
    ("line_unknown", {"line": "12345" + "0" * 30}),
    ("channel_unknown", {"channel": "telepathy"}),
    ("channel_not_yours", {"channel": "order"}),
    ("channel_not_yours", {"channel": "hotline"}),
]


def test_a_report_that_is_refused_says_why_and_leaves_nothing(city: Database, office: Office, spot: Where) -> None:
    before = everything(city)
    for cause, wrong in BAD:
        with pytest.raises(LayersError) as refused:
            file(city, office, replace(rubbish(spot), **wrong))
        assert (refused.value.cause, type(refused.value) in (BadField, NotAllowed)) == (cause, True), wrong
        assert cause in CAUSES
    assert everything(city) == before


def test_a_step_that_is_refused_says_why_and_leaves_nothing(city: Database, office: Office, spot: Where) -> None:
    id = file(city, office, rubbish(spot)).incident
    go(city, office, id, "register", DISPATCHER)
    before, was = everything(city), record(city, id)
    officer = Actor("qian", frozenset({"officer"}), Scope(None, frozenset({"slj"})))
    for step, actor, carried, kind, cause in (
        ("fly", DISPATCHER, {}, BadField, "step_unknown"),
        ("close", DISPATCHER, {}, Conflict, "step_state"),
        ("dispatch", WORKER, {}, NotAllowed, "step_right"),
        ("dispatch", DISPATCHER, {"lead": "nobody"}, BadField, "department_unknown"),
        ("dispatch", DISPATCHER, {"lead": "cgj", "co": ("cgj",)}, BadField, "department_twice"),
        ("dispatch", officer, {}, UnknownItem, None),
        ("note", DISPATCHER, {"note": "x", "photos": ("none",)}, BadField, "photo_unknown"),
        ("merge", DISPATCHER, {"into": id}, BadField, "merge_self"),
        ("suspend", DISPATCHER, {"note": "x", "until": NOW, "reason": "awaits_owner"}, BadField, "until_wrong"),
        ("merge", DISPATCHER, {"into": "20200101000001"}, BadField, "merge_unknown"),
        ("suspend", DISPATCHER, {"note": "x"}, BadField, "step_lacks"),
    ):
        with pytest.raises(kind) as refused:
            go(city, office, id, step, actor, **carried)
        assert refused.value.cause == cause, step
    with pytest.raises(UnknownItem):
        go(city, office, "20200101000001", "note", DISPATCHER, note="x")
    assert everything(city) == before
    assert record(city, id) == was


def test_who_may_be_given_a_case_is_offered_the_nearest_first_and_nobody_else_is_taken(
    city: Database, office: Office, spot: Where
) -> None:
    id = file(city, office, rubbish(spot)).incident
    grid = record(city, id)["grid_id"]
    people = {
        "fit.county": ("worker", {grid[:6]}, set()),
        "fit.grid": ("worker", {grid}, set()),
        "fit.town": ("worker", {grid[:9]}, None),
        "far.grid": ("worker", {"320681999999999"}, set()),
        "no.worker": ("analyst", None, None),
        "no.other": ("officer", None, {"slj"}),
    }
    with begin(city.engine, actor="test") as connection:
        for login, (role, areas, departments) in people.items():
            make_account(connection, login=login, name=f"某{login}", actor="test")
            scope = Scope(*(None if codes is None else frozenset(codes) for codes in (areas, departments)))
            grant(connection, login, roles=[role], scope=scope, actor="test")

    def offered(text: str = "某") -> list[tuple[str, str]]:
        with city.engine.connect() as connection:
            return [(one.login, one.near) for one in assignees(connection, case_now(connection, id), text=text)]

    assert offered() == [("fit.grid", "grid"), ("fit.town", "town"), ("fit.county", "county")]
    assert offered("TOWN") == [("fit.town", "town")]
    assert ("li", "city") in offered("")
    for login, cause in (("no.worker", "assignee_unfit"), ("no.other", "assignee_unfit"), ("none", "assignee_unknown")):
        with pytest.raises(BadField) as refused:
            go(city, office, id, "assign", DISPATCHER, assignee=login)
        assert refused.value.cause == cause
    go(city, office, id, "assign", DISPATCHER, assignee="far.grid")  # who lends a hand elsewhere is sent by name

    go(city, office, id, "register", DISPATCHER)
    assert offered() == []  # nobody is sent while it waits for a department
    go(city, office, id, "dispatch", DISPATCHER, lead="slj")
    assert {login for login, _ in offered()} == {"fit.grid", "fit.town", "fit.county", "no.other"}
    officer = officer_of(city, id)
    go(city, office, id, "assign", officer, assignee="fit.grid")
    mender = Actor("fit.grid", frozenset({"worker"}), Scope(frozenset({grid}), frozenset()))
    go(city, office, id, "arrive", mender)
    go(city, office, id, "feedback", mender, note="清理完毕")
    assert [login for login, _ in offered()] == ["fit.town", "fit.county"]  # nobody checks what they did themselves


def test_a_component_tells_matter_and_place(city: Database, office: Office) -> None:
    with city.reader.connect() as connection:
        lamp = connection.execute(
            sa.text("select id, grid_id, class_code from city.component where length(class_code) = 5 limit 1")
        ).one()
    told = Report(where=Where(), channel="worker", component=lamp.id)
    row = record(city, file(city, office, told).incident)
    assert (row["matter"], row["component_id"], row["grid_id"]) == (lamp.class_code, lamp.id, lamp.grid_id)
    assert (row["place_method"], row["place_precision"]) == ("component", "A")
    assert row["title"].endswith("异常")
    with pytest.raises(BadField) as other:
        file(city, office, replace(told, matter="06010"))
    assert other.value.cause == "matter_other"


def test_a_grid_or_an_address_tells_the_place(city: Database, office: Office, spot: Where) -> None:
    grid = record(city, file(city, office, rubbish(spot)).incident)["grid_id"]
    row = record(city, file(city, office, rubbish(Where(grid_id=grid))).incident)
    assert (row["grid_id"], row["place_method"], row["place_precision"]) == (grid, "grid", "grid")
    with city.reader.connect() as connection:
        name = connection.scalar(
            sa.text(
                "select name from city.place group by name having count(*) = 1 and length(name) > 4 order by 1 limit 1"
            )
        )
    row = record(city, file(city, office, rubbish(Where(address=name))).incident)
    assert (row["place_method"], row["address"]) == ("place", name)


def test_callers_are_sealed_masked_and_kept_by_a_merged_case(city: Database, office: Office, spot: Where) -> None:
    hotline = replace(rubbish(spot), channel="hotline", line="12345", contact=Contact("欧阳一", PHONE, "人民路1号"))
    kept = file(city, office, replace(hotline, contact=Contact("张三", "13912345678")), DISPATCHER)
    lost = file(city, office, hotline, DISPATCHER)
    third = file(city, office, replace(hotline, contact=Contact()), DISPATCHER)
    go(city, office, lost.incident, "merge", DISPATCHER, into=third.incident)
    go(city, office, third.incident, "merge", DISPATCHER, into=kept.incident)
    row = record(city, lost.incident)
    assert (row["state"], row["merged_into"]) == ("cancelled", third.incident)
    with city.engine.connect() as connection:
        told = callers_of(connection, office.keyring, kept.incident)
        assert [(one["name"], one["phone"], one["incident"]) for one in told] == [
            ("张*", "139****5678", kept.incident),
            ("欧阳*", "138****8000", lost.incident),
        ]
        rows = connection.execute(sa.select(CALLER).where(CALLER.c.incident == lost.incident)).mappings().one()
        assert PHONE not in str(dict(rows))
        assert rows["phone_mark"] == office.keyring.mark(PHONE)
        history = connection.scalar(sa.select(sa.func.string_agg(sa.cast(HISTORY.c.row, sa.Text), " ")))
        assert PHONE not in (history or "")
    with pytest.raises(Conflict) as ended:
        go(city, office, file(city, office, rubbish(spot)).incident, "merge", DISPATCHER, into=lost.incident)
    assert ended.value.cause == "merge_ended"


def test_suspended_the_clocks_stand_still_and_go_on_after(city: Database, office: Office, spot: Where) -> None:
    id = file(city, office, rubbish(spot)).incident
    for step in ("register", "dispatch"):
        go(city, office, id, step, DISPATCHER)
    officer = officer_of(city, id)
    go(city, office, id, "sign", officer)
    due = record(city, id)["due_at"]
    day = dt.timedelta(days=1)
    go(city, office, id, "suspend", DISPATCHER, note="等雨停", reason="awaits_weather", until=NOW + 5 * day)
    row = record(city, id)
    assert (row["suspended"], row["stage_due_at"], row["light"], row["due_at"]) == (True, None, "none", due)
    with pytest.raises(Conflict) as refused:
        go(city, office, id, "dispose", officer, note="x")
    assert refused.value.cause == "step_suspended"
    go(city, office, id, "resume", DISPATCHER, now=NOW + 3 * day)
    row = record(city, id)
    assert (row["suspended"], row["light"]) == (False, "green")
    assert row["due_at"] == row["stage_due_at"] > due


def test_a_case_that_came_without_clocks_goes_on_with_its_times(city: Database, office: Office, spot: Where) -> None:
    id = file(city, office, rubbish(spot)).incident
    for step in ("register", "dispatch"):
        go(city, office, id, step, DISPATCHER)
    with begin(city.engine, actor="test") as connection:
        timers.stop(connection, id, at=NOW)
    due = record(city, id)["due_at"]
    go(city, office, id, "sign", officer_of(city, id))
    row = record(city, id)
    assert (row["due_at"], row["stage_due_at"], row["light"]) == (due, due, "green")
    go(
        city,
        office,
        id,
        "suspend",
        DISPATCHER,
        note="等雨停",
        reason="awaits_weather",
        until=NOW + dt.timedelta(days=5),
    )
    go(city, office, id, "resume", DISPATCHER, now=NOW + dt.timedelta(days=3))
    assert record(city, id)["due_at"] > due


def test_more_time_is_asked_for_and_granted(city: Database, office: Office, spot: Where) -> None:
    id = file(city, office, rubbish(spot)).incident
    for step in ("register", "dispatch"):
        go(city, office, id, step, DISPATCHER)
    officer, until = officer_of(city, id), NOW + dt.timedelta(days=9)
    go(city, office, id, "sign", officer)
    with pytest.raises(Conflict):
        go(city, office, id, "defer", DISPATCHER)
    go(city, office, id, "ask_defer", officer, note="需吊车", until=until)
    go(city, office, id, "defer", DISPATCHER)
    row = record(city, id)
    assert (row["due_at"], row["stage_due_at"], row["deferrals"]) == (until, until, 1)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_a_random_history_told_again_gives_the_record(
    city: Database, office: Office, spot: Where, data: st.DataObject
) -> None:
    filed = file(city, office, rubbish(spot))
    id, first = filed.incident, record(city, filed.incident)
    for minute in range(data.draw(st.integers(3, 14))):
        with city.engine.connect() as connection:
            case = case_of(*held(connection, id))
        lead = frozenset({case.lead or "cgj"})
        people = (DISPATCHER, COMMANDER, WORKER, CHECKER, Actor("zhou", frozenset({"officer"}), Scope(None, lead)))
        offers = [(a, o.rule) for a in people for o in next_steps(a, case) if o.allowed and "photo" not in o.rule.needs]
        offers = [(a, rule) for a, rule in offers if rule.step not in ("merge", "note")]
        if case.state in FINAL or not offers:
            break
        actor, rule = data.draw(st.sampled_from(offers))
        carried: dict[str, Any] = {"note": "好"} if {"note", "proof"} & {*rule.needs} else {}
        carried |= {"reason": rule.reasons[0]} if rule.reasons else {}
        carried |= {"finding": "as_told"} if "finding" in rule.needs else {}
        carried |= {"assignee": "li"} if "assignee" in rule.needs else {}
        carried |= {"until": NOW + dt.timedelta(days=30)} if "until" in rule.needs else {}
        go(city, office, id, rule.step, actor, now=NOW + dt.timedelta(minutes=minute), **carried)
    with city.engine.connect() as connection:
        rows = connection.execute(sa.select(STEP).where(STEP.c.incident == id).order_by(STEP.c.id)).mappings().all()
    told = replayed(first, [Taken(s["step"], s["after"], s["at"], s["carries"]) for s in rows[1:]])
    now = record(city, id)
    moved = {"changed_at", "changed_by"}
    assert {k: v for k, v in told.items() if k not in moved} == {k: v for k, v in now.items() if k not in moved}
