"""Needs, those who serve them, and visits: who sees what, what fits, and that nothing personal stays."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from gis import cells
from layers.ask.period import CITY_TIME
from layers.catalog.grid import TABLE as GRID
from layers.errors import BadDeclaration, BadField, Conflict, LayersError, NotAllowed
from layers.loop.callers import Contact
from layers.loop.care.book import kinds_in
from layers.loop.care.clearing import clear_all, clearing
from layers.loop.care.needs import (
    MOVES,
    Brought,
    Sought,
    Told,
    UnknownNeed,
    need_seen,
    needs_seen,
    take_down,
    take_need_step,
    unmask_need,
)
from layers.loop.care.opening import DAYS, is_open, weekly
from layers.loop.care.providers import (
    COLUMNS,
    Provider,
    providers,
    providers_for,
    read_providers,
    replace_providers,
    written,
)
from layers.loop.care.serving import Wanted, around, suggested
from layers.loop.care.tables import NEED, NEED_STEP, VISIT
from layers.loop.care.visits import Visited, visits_counted, visits_seen, write_visit
from layers.loop.errors import Overtaken
from layers.loop.happened import AHEAD, BACK, checked_happened
from layers.loop.placing import Where
from layers.people.access import EVERYWHERE, Actor, Scope
from layers.people.privacy import Keyring, keyring_in
from layers.people.reads import SENSITIVE_READ
from layers.store.engine import begin
from layers.store.postgres import find_programs
from tests.conftest import Database

NOW = dt.datetime(2026, 11, 20, 2, 30, tzinfo=dt.UTC)
KINDS = kinds_in()
HEADER = ",".join(COLUMNS) + "\n"
NAME, PHONE, HOME = "欧阳静静", "13912348765", "人民路77号3幢502室"


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return keyring_in(tmp_path)


@pytest.fixture
def spot(city: Database) -> Iterator[tuple[str, float, float]]:
    """A grid, and a point in it."""
    point = sa.func.st_pointonsurface(GRID.c.geom)
    with city.reader.connect() as connection:
        yield connection.execute(
            sa.select(GRID.c.id, sa.func.st_x(point), sa.func.st_y(point)).order_by(GRID.c.id).limit(1)
        ).one()


def worker(grid: str, name: str = "w", *, scenario: str | None = None) -> Actor:
    return Actor(name, frozenset({"worker"}), Scope(frozenset({grid}), frozenset()), scenario)


def volunteer(grid: str, name: str = "v") -> Actor:
    return Actor(name, frozenset({"volunteer"}), Scope(frozenset({grid}), frozenset()))


def need(city: Database, keyring: Keyring, spot: tuple[str, float, float], actor: Actor, **more: object) -> int:
    contact = Contact(NAME, PHONE, HOME)
    told = Told("meals", Where(spot[1], spot[2]), "每天中午一份", contact=contact, **more)  # type: ignore[arg-type]
    with begin(city.engine, actor=actor.name) as connection:
        return int(take_down(connection, keyring, told, KINDS, actor=actor, now=NOW)["need"])


def step(city: Database, id: int, name: str, actor: Actor, *, expected: int | None = None, **brought: str) -> None:
    with begin(city.engine, actor=actor.name) as connection:
        take_need_step(
            connection, id, name, brought=Brought(**brought), expected=expected, actor=actor, now=NOW
        )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", None),
        ("24/7", [(day, 0, 1440) for day in range(7)]),
        ("Mo-Fr 08:00-17:30", [(day, 480, 1050) for day in range(5)]),
        ("Fr-Mo 09:00-24:00", [(day, 540, 1440) for day in (0, 4, 5, 6)]),
        ("Sa,Su 09:00-12:00,13:00-14:00", [(5, 540, 720), (5, 780, 840), (6, 540, 720), (6, 780, 840)]),
        ("Mo 08:00-09:00; Tu 10:00-11:00", [(0, 480, 540), (1, 600, 660)]),
    ],
)
def test_opening_hours_are_read_as_spans_of_a_week(text: str, spans: list[tuple[int, int, int]] | None) -> None:
    assert weekly(text) == (None if spans is None else tuple(spans))


@pytest.mark.parametrize(
    "text",
    ["always", "Mo", "Mo 8-17", "Mo 17:00-08:00", "Xx 08:00-09:00", "Mo 23:00-25:00", "Mo 08:00-09:00;", "x" * 201],
)
def test_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        weekly(text)


@given(st.integers(0, 6), st.integers(0, 1438), st.data())
def test_it_is_open_from_its_first_minute_to_before_its_last(day: int, first: int, data: st.DataObject) -> None:
    last = data.draw(st.integers(first + 1, 1439))
    text = f"{DAYS[day]} {first // 60:02d}:{first % 60:02d}-{last // 60:02d}:{last % 60:02d}"
    monday = dt.datetime(2026, 11, 16, tzinfo=CITY_TIME)
    minute = data.draw(st.integers(0, 7 * 1440 - 1))
    spans = weekly(text)
    assert spans is not None
    at = monday + dt.timedelta(minutes=minute)
    assert is_open(spans, at.astimezone(dt.UTC)) == (day * 1440 + first <= minute < day * 1440 + last)


def provider(id: str, **more: object) -> Provider:
    values: dict[str, object] = {"name": id, "sort": "canteen", "kinds": ("meals",), "lon": 120.9, "lat": 32.0}
    return Provider(id=id, **{**values, "reach_m": 1_000, **more})  # type: ignore[arg-type]


def test_who_serves_is_suggested_nearest_first_with_the_reasons() -> None:
    noon = dt.datetime(2026, 11, 20, 12, tzinfo=CITY_TIME)  # a Friday
    every = [
        provider("far", lon=120.905, hours="24/7"),
        provider("near", lon=120.901),
        provider("out-of-reach", lon=120.95),
        provider("other-kind", kinds=("legal",)),
        provider("closed", hours="Mo-Th 08:00-18:00"),
        provider("team", lon=None, lat=None, reach_m=None, areas=("320613001",), hours="Fr 08:00-18:00"),
        provider("elsewhere", lon=None, lat=None, reach_m=None, areas=("320614",)),
    ]
    wanted = Wanted(KINDS["meals"], 120.9, 32.0, "320613001", "320613001001001", noon)
    found = suggested(every, wanted)
    assert [fit.provider.id for fit in found.fits] == ["near", "far", "team"]
    assert found.closed == 1
    assert [title.zh for title in found.fits[0].why] == [
        "提供助餐送餐", "相距 94 米，服务半径 1000 米", "营业时间未登记，请先电话询问",
    ]  # fmt: skip
    assert [title.en for title in found.fits[2].why] == ["Does this: Meals", "Serves this area", "Open at that time"]
    about = {"lon": 120.9, "lat": 32.0, "admin_code": "320613001", "grid_id": None, "most": 9}
    assert [one.id for one in around(every, **about)] == ["closed", "other-kind", "near", "far", "team"]  # type: ignore[arg-type]


@given(st.permutations([provider(f"p{n}", lon=120.9 + n / 1e4) for n in range(8)]), st.integers(1, 8))
def test_the_order_in_which_providers_are_kept_changes_nothing(every: list[Provider], most: int) -> None:
    fits = suggested(every, Wanted(KINDS["meals"], 120.9, 32.0), most=most).fits
    assert [fit.provider.id for fit in fits] == [f"p{n}" for n in range(most)]


def test_the_database_finds_all_that_serve_a_place(city: Database, spot: tuple[str, float, float]) -> None:
    grid, lon, lat = spot
    with city.reader.connect() as connection:
        every = providers(connection)
        few = providers_for(connection, lon=lon, lat=lat, codes=(grid[:9], grid))
    assert 0 < len(few) < len(every)
    about = {"lon": lon, "lat": lat, "admin_code": grid[:9], "grid_id": grid, "most": 9_999}
    assert around(few, **about) == around(every, **about)  # type: ignore[arg-type]
    assert {wanted.provider.id for wanted in suggested(every, Wanted(KINDS["meals"], lon, lat)).fits} <= {
        one.id for one in few
    }


def test_providers_are_put_in_as_a_whole_and_taken_out_alike(city: Database) -> None:
    with city.reader.connect() as connection:
        demo = providers(connection)
    assert len(demo) > 20
    assert all(one.synthetic and one.phone.startswith("0513-0000") for one in demo)
    assert {kind for one in demo for kind in one.kinds} <= set(KINDS)
    assert read_providers(written(demo), KINDS) == demo
    with begin(city.engine, actor="a") as connection:
        line = "c1,某食堂,canteen,meals/company,120.9,32,800,,Mo-Fr 10:00-13:00,0513-1,\n"
        assert replace_providers(connection, HEADER + line, KINDS, actor="a") == 1
        assert [one.id for one in providers(connection)] == ["c1"]


BAD_LINES = [
    ("a b,n,canteen,meals,,,,3206,,,", "id"),
    ("a,n,person,meals,,,,3206,,,", "sort"),
    ("a,n,canteen,health,,,,3206,,,", "kind"),
    ("a,n,canteen,meals,,,,,,,", "reach"),
    ("a,n,canteen,meals,120,32,0,,,,", "reach_m"),
    ("a,n,canteen,meals,x,32,5,,,,", "numbers"),
    ("a,n,canteen,meals,500,32,5,,,,", "no place"),
    ("a,n,canteen,meals,,,,32,,,", "areas"),
    ("a,n,canteen,meals,,,,3206,Mo,,", "Mo"),
    ("a,n,canteen,meals,,,,3206,,call me,", "phone"),
    ("a,n\u202e,canteen,meals,,,,3206,,,", "control"),
    ("b,n,canteen,meals,,,,3206,,,\nb,n,canteen,meals,,,,3206,,,", "there already"),
]


def test_a_line_that_cannot_be_used_is_named_and_changes_nothing(city: Database) -> None:
    with city.reader.connect() as connection:
        before = providers(connection)
    for line, said in BAD_LINES:
        with pytest.raises(BadField, match=said) as refused, begin(city.engine, actor="a") as connection:
            replace_providers(connection, HEADER + line + "\n", KINDS, actor="a")
        assert refused.value.cause == "provider_line"
    with city.reader.connect() as connection:
        assert providers(connection) == before


def test_a_city_replaces_the_kinds_of_needs(tmp_path: Path) -> None:
    folder = tmp_path / "loop"
    folder.mkdir()
    (folder / "need_kinds.csv").write_text("code,zh,en,group\nwater,送水,Water,home\n", encoding="utf-8")
    assert list(kinds_in(tmp_path)) == ["water"]
    for wrong in ("", "a b,x,y,home\n", "a,x,y,nothing\n", "a,x,y,home\na,x,y,home\n"):
        (folder / "need_kinds.csv").write_text(f"code,zh,en,group\n{wrong}", encoding="utf-8")
        with pytest.raises(BadDeclaration):
            kinds_in(tmp_path)


def test_nobody_is_told_from_the_place_of_a_need(
    city: Database, keyring: Keyring, spot: tuple[str, float, float]
) -> None:
    grid, lon, lat = spot
    id = need(city, keyring, spot, worker(grid))
    with city.engine.connect() as connection:
        row = connection.execute(sa.select(NEED).where(NEED.c.id == id)).mappings().one()
        told = need_seen(connection, keyring, worker(grid), id)
    assert (row["lon"], row["lat"]) == cells.centre(int(cells.cells_of([lon], [lat])[0]))
    assert row["grid_id"] == grid
    assert all(row[name].startswith("v1.") for name in ("name", "phone", "home"))
    assert (told["name"], told["phone"]) == ("欧阳*", "139****8765")
    assert HOME not in str(told)


def test_who_answers_for_the_grid_sees_its_needs_and_others_only_what_they_took_down(
    city: Database, keyring: Keyring, spot: tuple[str, float, float]
) -> None:
    grid = spot[0]
    by_worker, by_volunteer = (need(city, keyring, spot, one) for one in (worker(grid), volunteer(grid)))
    in_drill = need(city, keyring, spot, worker(grid, scenario="drill"))
    everywhere = Actor("d", frozenset({"dispatcher"}), EVERYWHERE)
    for actor, expected in (
        (worker(grid), {by_worker, by_volunteer}),
        (worker(grid, "other"), {by_worker, by_volunteer}),
        (worker(f"{grid[:14]}x".replace("x", "9")), {by_worker}),  # what he took down himself, before he moved
        (worker("320699999001001", "stranger"), set()),
        (worker(grid[:9], "town"), {by_worker, by_volunteer}),
        (volunteer(grid), {by_volunteer}),
        (volunteer(grid, "another"), set()),
        (everywhere, {by_worker, by_volunteer}),
        (Actor("p", frozenset({"planner"}), EVERYWHERE), set()),
        (worker(grid, scenario="drill"), {in_drill}),
    ):
        with city.engine.connect() as connection:
            found = needs_seen(connection, keyring, actor, sought=Sought(("open",)), most=50)
            seen = {one["id"] for one in found}
        assert seen == expected, actor
    with pytest.raises(UnknownNeed), city.engine.connect() as connection:
        need_seen(connection, keyring, volunteer(grid), by_worker)


def test_readers_of_the_database_never_see_needs_or_visits(city: Database) -> None:
    for table in (NEED, NEED_STEP, VISIT):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), city.reader.connect() as connection:
            connection.execute(sa.select(table))


def test_what_was_done_stays_done(city: Database) -> None:
    for statement in (
        "delete from core.need",
        "delete from core.need_step",
        "delete from core.visit",
        "update core.need_step set actor = 'x'",
        "update core.visit set actor = 'x'",
    ):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), city.engine.begin() as connection:
            connection.execute(sa.text(statement))


def test_a_need_is_arranged_done_and_no_step_is_lost(
    city: Database, keyring: Keyring, spot: tuple[str, float, float]
) -> None:
    me = worker(spot[0])
    id = need(city, keyring, spot, me)
    with city.engine.connect() as connection:
        chosen = providers(connection)[0].id
        seen = need_seen(connection, keyring, me, id)
    first = seen["steps"][-1]["id"]
    assert {offer["step"] for offer in seen["offers"]} == {"arrange", "done", "withdraw", "refer", "note"}
    step(city, id, "arrange", me, expected=first, provider=chosen)
    with pytest.raises(Overtaken) as late:
        step(city, id, "done", me, expected=first)
    assert (late.value.cause, [one["step"] for one in late.value.since]) == ("need_changed", ["arrange"])
    step(city, id, "reopen", me, note="对方没有来")
    step(city, id, "arrange", me, note="由邻居代送")
    step(city, id, "done", me)
    with city.engine.connect() as connection:
        told = need_seen(connection, keyring, me, id)
    assert [one["step"] for one in told["steps"]] == ["take_down", "arrange", "reopen", "arrange", "done"]
    assert (told["state"], told["ended_at"], told["offers"]) == ("done", NOW, [])


def refused(city: Database, id: int, name: str, actor: Actor, brought: dict[str, str]) -> str | None:
    with pytest.raises(LayersError) as found:
        step(city, id, name, actor, expected=None, **brought)
    return found.value.cause


def test_a_step_that_cannot_be_is_refused_with_its_cause(
    city: Database, keyring: Keyring, spot: tuple[str, float, float]
) -> None:
    grid = spot[0]
    me, helper = worker(grid), volunteer(grid)
    id = need(city, keyring, spot, helper)
    for name, actor, brought, cause in (
        ("explode", me, {}, "step_unknown"),
        ("arrange", me, {}, "need_lacks_provider"),
        ("arrange", me, {"provider": "nobody"}, "provider_unknown"),
        ("withdraw", me, {}, "need_lacks_note"),
        ("refer", me, {}, "need_lacks_incident"),
        ("refer", me, {"incident": "20200101000001"}, "merge_unknown"),
        ("done", me, {"incident": "20200101000001"}, "step_strange"),
        ("reopen", me, {"note": "x"}, "need_step_state"),
        ("note", me, {"note": "\u0007"}, "text_control"),
        ("arrange", helper, {"note": "x"}, "need_step_right"),
        ("done", helper, {}, "need_step_right"),
    ):
        assert refused(city, id, name, actor, brought) == cause, name
    step(city, id, "withdraw", helper, note="不需要了")
    assert refused(city, id, "note", me, {"note": "晚了"}) == "need_step_state"
    with city.engine.connect() as connection:
        assert [one["step"] for one in need_seen(connection, keyring, me, id)["steps"]] == ["take_down", "withdraw"]


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=6))
def test_the_table_of_steps_never_leaves_an_end(steps: list[str]) -> None:
    state = "open"
    for name in steps:
        if state in MOVES[name].before:
            assert state in ("open", "arranged")
            state = MOVES[name].after or state
    assert state in ("open", "arranged", "done", "withdrawn")


BAD_NEEDS: list[tuple[dict[str, object], str]] = [
    ({"kind": "diagnosis"}, "need_kind"),
    ({"wish_at": NOW + dt.timedelta(days=400)}, "wish_wrong"),
    ({"wish_at": NOW - dt.timedelta(days=9)}, "wish_wrong"),
    ({"words": "a\u202eb"}, "text_control"),
    ({"where": Where(116.39, 39.9)}, "outside_city"),
    ({"where": Where()}, "no_place"),
    ({"contact": Contact(name="好" * 41)}, "text_long"),
]


def test_what_is_wrong_with_a_need_is_told_and_nothing_is_kept(
    city: Database, keyring: Keyring, spot: tuple[str, float, float]
) -> None:
    for more, cause in BAD_NEEDS:
        told = Told(**{"kind": "meals", "where": Where(spot[1], spot[2]), **more})  # type: ignore[arg-type]
        with pytest.raises(BadField) as found, begin(city.engine, actor="w") as connection:
            take_down(connection, keyring, told, KINDS, actor=worker(spot[0]), now=NOW)
        assert found.value.cause == cause
    with city.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(NEED)) == 0


def test_a_need_outside_of_ones_area_is_not_ones_to_take(
    city: Database, keyring: Keyring, spot: tuple[str, float, float]
) -> None:
    with pytest.raises(NotAllowed) as found:
        need(city, keyring, spot, worker("320699999001001"))
    assert found.value.cause == "need_area"


def test_who_asked_is_read_in_the_clear_for_a_purpose_that_is_recorded(
    city: Database, keyring: Keyring, spot: tuple[str, float, float]
) -> None:
    me = worker(spot[0])
    id = need(city, keyring, spot, me)
    with begin(city.engine, actor=me.name) as connection:
        person = unmask_need(connection, keyring, me, id, purpose="callback", address="10.0.0.9")
        read = connection.execute(sa.select(SENSITIVE_READ)).mappings().one()
    assert (person.name, person.phone, person.home) == (NAME, PHONE, HOME)
    assert (read["thing"], read["id"], read["actor"], read["purpose"]) == ("need", str(id), "w", "callback")
    for actor, purpose, error in (
        (me, "x", BadField),
        (volunteer(spot[0]), "callback", NotAllowed),
        (worker("320699999001001", "s"), "callback", UnknownNeed),
    ):
        with pytest.raises(error), begin(city.engine, actor="x") as connection:
            unmask_need(connection, keyring, actor, id, purpose=purpose, address=None)


def test_some_days_after_a_need_is_over_nothing_tells_who_asked(
    city: Database, keyring: Keyring, spot: tuple[str, float, float]
) -> None:
    me = worker(spot[0])
    over, going_on = need(city, keyring, spot, me), need(city, keyring, spot, me)
    step(city, over, "done", me, note="已送到")
    visit(city, spot, me)
    day = dt.timedelta(days=1)
    assert clear_all(city.engine, days=90, now=NOW + 90 * day) == 0
    assert clear_all(city.engine, days=90, now=NOW + 90 * day + day) == 2
    assert clear_all(city.engine, days=90, now=NOW + 90 * day + day) == 0
    with city.engine.connect() as connection:
        rows = {row["id"]: row for row in connection.execute(sa.select(NEED)).mappings()}
        notes = connection.scalars(sa.select(NEED_STEP.c.note).where(NEED_STEP.c.need == over)).all()
        words = connection.scalars(sa.select(VISIT.c.words)).all()
    assert [rows[over][name] for name in ("name", "phone", "home", "words", "wish_at")] == [None] * 5
    assert (rows[over]["kind"], rows[over]["grid_id"], rows[over]["cleared_at"] is None) == ("meals", spot[0], False)
    assert (set(notes), words) == ({None}, [None])
    assert rows[going_on]["name"] is not None
    assert clear_all(city.engine, days=90, now=NOW + (365 + 92) * day) == 1, "forgotten by everybody"
    with pytest.raises(ValueError, match="CHENGTU_NEED_DAYS"):
        clearing(city.url, days=0)


def test_a_dump_of_the_database_tells_nobody_who_asked(
    city: Database, keyring: Keyring, spot: tuple[str, float, float]
) -> None:
    me = worker(spot[0])
    id = need(city, keyring, spot, me)
    step(city, id, "done", me)
    with begin(city.engine, actor=me.name) as connection:
        unmask_need(connection, keyring, me, id, purpose="callback", address=None)
    tables = [f"--table=core.{name}" for name in ("need", "need_step", "sensitive_read", "change", "idempotency")]
    dump = subprocess.run(
        [find_programs() / "pg_dump", "--inserts", *tables, f"--dbname={city.url.replace('+psycopg', '')}"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "INSERT INTO core.need " in dump
    assert "INSERT INTO core.sensitive_read" in dump
    assert [text for text in (NAME, PHONE, HOME, PHONE[3:], "人民路77") if text in dump] == []


def visit(city: Database, spot: tuple[str, float, float], actor: Actor, **more: object) -> int:
    values: dict[str, object] = {"kind": "safety", "outcome": "nothing", "words": "灭火器在位"}
    told = Visited(where=Where(spot[1], spot[2]), **{**values, **more})  # type: ignore[arg-type]
    with begin(city.engine, actor=actor.name) as connection:
        return int(write_visit(connection, told, actor=actor, now=NOW)["visit"])


def test_a_visit_is_seen_by_its_author_and_those_of_the_area_and_counted_by_area_alone(
    city: Database, keyring: Keyring, spot: tuple[str, float, float]
) -> None:
    grid = spot[0]
    me, helper = worker(grid), volunteer(grid)
    found = need(city, keyring, spot, helper)
    mine = visit(city, spot, me)
    theirs = visit(city, spot, helper, kind="comfort", outcome="need", needs=(found,), at=NOW - dt.timedelta(hours=3))
    analyst = Actor("a", frozenset({"analyst"}), EVERYWHERE)
    for actor, expected in (
        (me, [theirs, mine]),
        (helper, [theirs]),
        (volunteer(grid, "another"), []),
        (worker("320699999001001", "s"), []),
        (worker(grid, scenario="drill"), []),
        (analyst, [theirs, mine]),
    ):
        with city.engine.connect() as connection:
            assert [one["id"] for one in visits_seen(connection, actor, before=None, most=9)] == expected, actor
    with city.engine.connect() as connection:
        row = visits_seen(connection, helper, before=None, most=1)[0]
        span = {"start": NOW - dt.timedelta(days=1), "end": NOW + dt.timedelta(days=1)}
        counts = {by: visits_counted(connection, analyst, by=by, **span) for by in ("grid", "town", "county")}
    assert (row["needs"], row["visited_at"], row["role"]) == ([found], NOW - dt.timedelta(hours=3), "volunteer")
    kinds = {"comfort": 1, "safety": 1}
    for by, area in (("grid", grid), ("town", grid[:9]), ("county", grid[:6])):
        assert counts[by] == [{"area": area, "visits": 2, "kinds": kinds}]
    with pytest.raises(NotAllowed), city.engine.connect() as connection:
        visits_counted(connection, helper, by="grid", **span)


BAD_VISITS: list[tuple[dict[str, object], str]] = [
    ({"kind": "gossip"}, "code_unknown"),
    ({"outcome": "rude"}, "code_unknown"),
    ({"premises": "nowhere"}, "premises_unknown"),
    ({"needs": (999_999,)}, "visit_link_unknown"),
    ({"incidents": ("20200101000001",)}, "visit_link_unknown"),
    ({"needs": tuple(range(1, 30))}, "visit_links"),
    ({"at": NOW + dt.timedelta(minutes=6)}, "happened_ahead"),
    ({"at": NOW - dt.timedelta(days=8)}, "happened_old"),
    ({"words": "a\u0000"}, "text_control"),
]


def test_what_is_wrong_with_a_visit_is_told_and_nothing_is_kept(city: Database, spot: tuple[str, float, float]) -> None:
    for more, cause in BAD_VISITS:
        with pytest.raises(BadField) as found:
            visit(city, spot, worker(spot[0]), **more)
        assert found.value.cause == cause
    with city.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(VISIT)) == 0


@given(st.timedeltas(-2 * BACK, 2 * AHEAD), st.none() | st.timedeltas(-dt.timedelta(1), dt.timedelta(1)))
def test_a_time_of_a_phone_is_kept_as_told_or_refused_and_its_skew_is_told(
    ago: dt.timedelta, skew: dt.timedelta | None
) -> None:
    sent = None if skew is None else NOW + skew
    if not -BACK <= ago <= AHEAD:
        with pytest.raises(BadField) as found:
            checked_happened(NOW + ago, sent=sent, now=NOW)
        assert found.value.cause == ("happened_ahead" if ago > AHEAD else "happened_old")
        return
    happened = checked_happened(NOW + ago, sent=sent, now=NOW)
    assert happened is not None
    told = happened.as_json()
    assert dt.datetime.fromisoformat(told["happened_at"]) == NOW + ago
    assert ("clock_skew_s" in told) == (skew is not None and abs(round(skew.total_seconds())) >= 60)


def test_what_was_not_noted_elsewhere_has_no_time_of_its_own() -> None:
    assert checked_happened(None, sent=NOW, now=NOW) is None
    with pytest.raises(Conflict):
        raise Overtaken("1", last=1, since=[])
