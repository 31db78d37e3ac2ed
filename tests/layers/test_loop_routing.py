"""Who is responsible: always exactly one lead, explained; the duty table is changed safely."""

from __future__ import annotations

from datetime import UTC, date, datetime

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from layers.codes.admin import shipped_register
from layers.codes.books import shipped_books
from layers.errors import BadField, Conflict, Stale
from layers.loop.departments import CENTRE, shipped_departments
from layers.loop.duties import (
    Duty,
    Given,
    UnknownDuty,
    add_duty,
    change_duty,
    duties,
    read_duties,
    remove_duty,
    replace_duties,
    written,
)
from layers.loop.reading import SHIPPED
from layers.loop.routing import Decision, decide, decided
from layers.store.engine import begin
from tests.conftest import Database, Server

DEPARTMENTS = shipped_departments()
REGISTER = shipped_register()
MATTERS = shipped_books().book("matter").codes
TOWNS = [unit.code for unit in REGISTER.units.values() if unit.level == "town"]
HEADER = "matter,area,department,role,rank,valid_from,valid_to,source\n"
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)


def ask(connection: sa.Connection, matter: str, admin: str | None = None, grid: str | None = None) -> Decision:
    return decide(connection, DEPARTMENTS, matter=matter, admin_code=admin, grid_id=grid, at=NOW)


def test_what_ships_can_be_used_and_leads_for_every_matter() -> None:
    lines = read_duties((SHIPPED / "duties.csv").read_text("utf-8"), DEPARTMENTS)
    assert len(lines) > 200
    leads = {line.matter for line in lines if line.role == "lead"}
    assert all(matter in leads or matter[:2] in leads for matter in MATTERS)


def test_every_matter_in_every_town_has_one_lead_and_says_why(database: Database) -> None:
    with database.reader.connect() as connection:
        for matter in MATTERS:
            for town in TOWNS[::17]:
                found = ask(connection, matter, town)
                assert found.lead in DEPARTMENTS
                assert found.lead not in found.co
                assert len(set(found.co)) == len(found.co)
                assert found.rule
                assert all(title.zh and title.en for title in found.why)


@pytest.mark.parametrize(
    ("matter", "admin", "lead", "co"),
    [
        ("06010", "320613001", "320613-hwc", ()),
        ("06028", "320612001", "320612-gaj", ("320612-sthj", "320612-zfzd")),
        ("01007", "320671001", "320671-dxgs", ("320671-ydgs", "320671-ltgs")),
        ("02031", "320613001", "hsj", ()),  # the maritime administration has no counterpart in counties
        ("02032", None, "gdjt", ()),
        ("06010", "320602001", "320613-hwc", ()),  # a retired code leads to its heir
    ],
)
def test_the_counterpart_of_the_county_leads(
    database: Database, matter: str, admin: str | None, lead: str, co: tuple[str, ...]
) -> None:
    with database.reader.connect() as connection:
        found = ask(connection, matter, admin or "320600")
    assert (found.lead, found.co) == (lead, co)
    assert f"（{matter}）" in found.why[0].zh


def test_what_nobody_answers_for_goes_to_the_command_centre_of_the_county(database: Database) -> None:
    with begin(database.engine, actor="test") as connection:
        replace_duties(
            connection, "matter,area,department,role,rank,valid_from,valid_to,source\n", DEPARTMENTS, actor="t"
        )
    with database.reader.connect() as connection:
        found = ask(connection, "06010", "320612001")
        nowhere = ask(connection, "06010")
    assert (found.lead, found.co, found.rule) == (f"320612-{CENTRE}", (), ())
    assert "研判" in found.why[0].zh
    assert nowhere.lead == CENTRE


def test_the_smallest_area_wins_then_the_narrowest_matter_then_the_rank(database: Database) -> None:
    grid = "320613001001001"
    with begin(database.engine, actor="test") as connection:

        def duty(matter: str, area: str, department: str, **more: object) -> int:
            given = Given(matter, area, department, "lead", **more)  # type: ignore[arg-type]
            return add_duty(connection, given, DEPARTMENTS, actor="test").id

        assert ask(connection, "06010", grid[:9], grid).lead == "320613-hwc"
        county = duty("06", "320613", "sthj")
        assert ask(connection, "06010", grid[:9], grid).rule == (county,)
        narrow = duty("06010", "320613", "320613-cgj", rank=2)
        assert ask(connection, "06010", grid[:9], grid).rule == (narrow,)
        first = duty("06010", "320613", "320613-zjj", rank=1)
        assert ask(connection, "06010", grid[:9], grid).rule == (first,)
        town = duty("*", grid[:9], f"{grid[:9]}-zfzd")
        assert ask(connection, "06010", grid[:9], grid).rule == (town,)
        one = duty("06", grid, "320613-slj")
        found = ask(connection, "06010", grid[:9], grid)
        assert (found.rule, found.lead) == ((one,), "320613-slj")
        assert grid in found.why[0].zh
        duty("06010", grid, "320613-mzj", valid_to=date(2026, 11, 21))
        duty("06010", grid, "320613-jyj", valid_from=date(2026, 11, 23))
        assert ask(connection, "06010", grid[:9], grid).rule == (one,)


codes = st.sampled_from([*DEPARTMENTS.by_code][:200] + ["gone"])
given_duties = st.builds(
    Given,
    st.sampled_from(("06010", "06", "*")),
    st.sampled_from(("3206", "320613", "320613001", "320613001001001")),
    codes,
    st.sampled_from(("lead", "shared")),
    st.integers(1, 5),
)


@given(st.lists(given_duties, max_size=12), st.sampled_from(("320613001001001", "320613001", None)))
def test_whatever_the_table_says_there_is_exactly_one_lead_with_a_reason(lines: list[Given], area: str | None) -> None:
    every = [Duty(number, line, 1) for number, line in enumerate(lines, 1)]
    found = decided(every, DEPARTMENTS, matter="06010", area=area, register=REGISTER)
    assert found.lead in DEPARTMENTS
    assert found.lead not in found.co
    assert len({*found.co}) == len(found.co) <= 8
    assert found.why
    assert bool(found.rule) == any(line.role == "lead" and line.department != "gone" for line in lines)
    assert found == decided(every[::-1], DEPARTMENTS, matter="06010", area=area, register=REGISTER)


def test_the_table_goes_out_and_comes_in_as_it_was(database: Database) -> None:
    with begin(database.engine, actor="test") as connection:
        before = [one.given for one in duties(connection, most=20_000)]
        assert replace_duties(connection, written(duties(connection, most=20_000)), DEPARTMENTS, actor="t") == len(
            before
        )
        assert [one.given for one in duties(connection, most=20_000)] == before


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("99999,3206,cgj,lead,1,,,", "no matter"),
        ("06,32061,cgj,lead,1,,,", "4, 6 or 9 digits"),
        ("06,3206,nobody,lead,1,,,", "no department"),
        ("06,3206,cgj,boss,1,,,", "none of"),
        ("06,3206,cgj,lead,0,,,", "between 1 and 99"),
        ("06,3206,cgj,lead,first,,,", "whole number"),
        ("06,3206,cgj,lead,1,2026-02-01,2026-01-01,", "before"),
        ("06,3206,cgj,lead,1,soon,,", "not a date"),
        ("06010,3206,hwc,lead,1,,,\n06010,3206,hwc,lead,2,,,", "same is on line 2"),
    ],
)
def test_a_bad_line_is_named_and_changes_nothing(database: Database, line: str, reason: str) -> None:
    text = HEADER + line
    with database.owner.connect() as connection:
        before = connection.scalar(sa.text("select count(*) from core.duty"))
    with pytest.raises(BadField, match=reason) as caught, begin(database.engine, actor="test") as connection:
        replace_duties(connection, text, DEPARTMENTS, actor="test")
    assert caught.value.cause == "duty_line"
    with database.owner.connect() as connection:
        assert connection.scalar(sa.text("select count(*) from core.duty")) == before


def test_of_two_who_change_a_line_at_once_one_is_told(database: Database) -> None:
    given_line = Given("06010", "320613", "320613-cgj", "lead")
    with begin(database.engine, actor="one") as connection:
        made = add_duty(connection, given_line, DEPARTMENTS, actor="one")
        with pytest.raises(Conflict, match="says the same"):
            add_duty(connection, given_line, DEPARTMENTS, actor="one")
        changed = change_duty(
            connection, made.id, Given("06010", "320613", "320613-zjj", "lead"), DEPARTMENTS, version=1, actor="one"
        )
        assert changed.version == 2
        for stale in (
            lambda: change_duty(connection, made.id, given_line, DEPARTMENTS, version=1, actor="two"),
            lambda: remove_duty(connection, made.id, version=1),
        ):
            with pytest.raises(Stale):
                stale()
        remove_duty(connection, made.id, version=2)
        with pytest.raises(UnknownDuty):
            remove_duty(connection, made.id, version=2)


def test_the_table_is_public_and_changed_by_those_who_may(server: Server) -> None:
    url = server.url
    asked = {"matter": "06028", "admin_code": "320612001"}
    told = httpx.get(f"{url}/duties/decide", params=asked).json()
    assert told["lead"]["code"] == "320612-gaj"
    assert [one["code"] for one in told["co"]] == ["320612-sthj", "320612-zfzd"]
    assert told["why"][0]["zh"].startswith("职责清单第")
    line = {"matter": "10", "area": "320612001", "department": "320612-cgj", "role": "shared", "source": "试"}
    assert httpx.post(f"{url}/duties", json=line).status_code == 401
    made = httpx.post(f"{url}/duties", json=line, headers=server.admin)
    assert made.status_code == 201
    here = f"{url}{made.headers['location']}"
    assert httpx.post(f"{url}/duties", json=line, headers=server.admin).json()["cause"] == "duty_twin"
    changed = httpx.put(here, json={**line, "rank": 2, "version": 1}, headers=server.admin)
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert httpx.put(here, json={**line, "version": 1}, headers=server.admin).status_code == 412
    assert httpx.put(here, json={**line, "department": "x", "version": 2}, headers=server.admin).status_code == 422
    assert httpx.delete(here, params={"version": 2}).status_code == 401
    listed = httpx.get(f"{url}/duties", params={"department": "320612-cgj"}).json()["duties"]
    assert [one["source"] for one in listed] == ["试"]
    assert httpx.delete(here, params={"version": 2}, headers=server.admin).status_code == 204
    out = httpx.get(f"{url}/duties.csv")
    assert out.headers["content-type"] == "text/csv; charset=utf-8"
    assert httpx.put(f"{url}/duties.csv", content=out.content).status_code == 401
    csv = {**server.admin, "Content-Type": "text/csv"}
    back = httpx.put(f"{url}/duties.csv", content=out.content, headers=csv)
    assert back.json() == {"duties": out.text.count("\r\n") - 1}
    refused = httpx.put(f"{url}/duties.csv", content=b"matter\n", headers=csv)
    assert (refused.status_code, refused.json()["cause"]) == (422, "duty_line")
    assert httpx.put(f"{url}/duties.csv", content=b"\xff\xfe", headers=csv).status_code == 400
    pages = httpx.get(f"{url}/duties").json()
    assert len(pages["duties"]) == back.json()["duties"]
    assert pages["next"] is None
