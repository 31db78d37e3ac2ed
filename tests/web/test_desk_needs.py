"""Needs of residents and visits on the desk: who can serve and why, masked people, steps, and counts by place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from layers.people.access import Scope
from layers.people.reads import SENSITIVE_READ
from tests.api.people import person, signed_in
from tests.conftest import Server
from tests.web import pages
from tests.web.desk import Open, desks, violations

browser = pages.browser
PHONE = "13912347788"


class Spot(NamedTuple):
    """A grid that no other test has needs in, and a point where one of the list serves."""

    grid: str
    lon: float
    lat: float


@pytest.fixture(scope="module")
def spot(server: Server) -> Spot:
    where = "p.lon is not null and 'water' = any (p.kinds) and st_contains(g.geom, st_point(p.lon, p.lat, 4326))"
    wanted = f"select g.id, p.lon, p.lat from core.provider p, city.grid g where {where} order by g.id desc limit 1"
    with server.database.reader.connect() as connection:
        return Spot(*connection.execute(sa.text(wanted)).one())


@pytest.fixture(scope="module")
def dispatcher(server: Server, spot: Spot) -> str:
    return person(server, "dispatcher", scope=Scope(frozenset({spot.grid}), None))


@pytest.fixture(autouse=True)
def gone_afterwards(server: Server, spot: Spot) -> Iterator[None]:
    yield
    with server.database.owner.begin() as connection:
        here = {"grid": spot.grid}
        connection.execute(sa.text("delete from core.visit where grid_id = :grid"), here)
        steps = "delete from core.need_step where need in (select id from core.need where grid_id = :grid)"
        connection.execute(sa.text(steps), here)
        connection.execute(sa.text("delete from core.need where grid_id = :grid"), here)


@pytest.fixture
def desk(browser: Browser, server: Server, dispatcher: str) -> Iterator[Open]:
    with desks(browser, server, dispatcher) as open_page:
        yield open_page


def test_a_need_is_arranged_with_one_who_serves_and_its_contact_read_for_a_purpose(
    desk: Open, server: Server, dispatcher: str, spot: Spot
) -> None:
    worker = person(server, "worker", scope=Scope(frozenset({spot.grid}), None))
    told = {"kind": "water", "lon": spot.lon, "lat": spot.lat, "words": "厨房漏水"}
    visit = {"kind": "needs", "outcome": "need", "lon": spot.lon, "lat": spot.lat, "words": "上门了解"}
    with signed_in(server, worker) as me:
        contact = {"name": "王建国", "phone": PHONE}
        me.post("/needs", json={**told, "kind": "meals", "words": "送午饭"})
        need = me.post("/needs", json={**told, "contact": contact}).json()["receipt"]["need"]
        assert me.post("/visits", json={**visit, "needs": [need]}).status_code == 201
        fits = me.get("/providers/suggested", params={"kind": "water", "lon": spot.lon, "lat": spot.lat}).json()
    page = desk(errors_with="409")
    page.keyboard.press("8")
    rows = page.locator(".need-row")
    expect(rows.locator(".name")).to_have_text(["助餐送餐", "水管维修"])
    expect(page.locator(".case-tabs [data-tab=needs] .count")).to_have_text("2")
    page.get_by_label("种类").select_option("water")
    expect(rows.locator(".name")).to_have_text(["水管维修"])
    rows.locator(".open").click()
    beside = page.locator("article.need")
    expect(beside.locator(".contact .person")).to_have_text("王* · 139****7788")
    assert PHONE not in page.content()
    beside.get_by_role("button", name="查看完整信息").click()
    assert violations(page) == []
    beside.locator(".purpose .chip", has_text="现场处置").click()
    expect(beside.locator(".contact .person")).to_have_text(f"王建国 · {PHONE}")
    mine = (SENSITIVE_READ.c.actor == dispatcher, SENSITIVE_READ.c.id == str(need))
    reads = sa.select(SENSITIVE_READ.c.thing, SENSITIVE_READ.c.id).where(*mine)
    with server.database.owner.connect() as connection:
        assert [tuple(row) for row in connection.execute(reads)] == [("need", str(need))]

    names = [fit["provider"]["name"] for fit in fits["suggested"]]
    assert names, "the demo city has somebody who repairs pipes here"
    expect(beside.locator(".fits li b").first).to_have_text(names[0])
    expect(beside.locator(".fits .reasons-line").first).to_contain_text(fits["suggested"][0]["why"][0]["zh"])
    beside.locator(".fits [data-arrange]").first.click()
    expect(page.locator(".said")).to_contain_text("对接服务已完成")
    expect(beside.locator(".facts")).to_contain_text(names[0])
    expect(rows.locator(".state")).to_have_text(["已对接"])
    beside.locator("[data-step=note]").click()
    beside.get_by_label("说明").fill("约好下午三点")
    with signed_in(server, worker) as me:
        last = me.get(f"/needs/{need}").json()["need"]["steps"][-1]["id"]
        assert me.post(f"/needs/{need}/steps", json={"step": "done", "expected": last}).status_code == 200
    beside.locator(".step-form .primary").click()
    expect(beside.locator(".conflict")).to_contain_text(f"{worker}：办结")
    expect(beside.locator(".case-head .state")).to_have_text("已办结")

    page.locator(".parts").get_by_role("button", name="走访").click()
    expect(page.locator(".visit-counts")).to_contain_text("共走访 1 次")
    page.get_by_label("按", exact=True).select_option("grid")
    page.locator(".visit-counts tbody button").click()
    expect(page.locator(".visit-row")).to_contain_text("上门了解")
    expect(page.locator(".visits")).not_to_contain_text(worker)
    assert violations(page) == []


def test_a_need_that_is_the_citys_matter_is_made_a_case_of_its_words_and_place(
    desk: Open, server: Server, spot: Spot
) -> None:
    worker = person(server, "worker", scope=Scope(frozenset({spot.grid}), None))
    told = {"kind": "errands", "lon": spot.lon, "lat": spot.lat, "words": "门口路灯不亮，夜里看不清"}
    with signed_in(server, worker) as me:
        need = me.post("/needs", json=told).json()["receipt"]["need"]
    page = desk(f"#tab=needs&need={need}")
    page.locator("article.need [data-step=refer]").click()
    expect(page.locator("#intake-text")).to_have_value("代办跑腿：门口路灯不亮，夜里看不清")
    page.locator("#intake-other-matter").fill("暴露垃圾")
    page.get_by_role("button", name="只建案").click()
    expect(page.locator(".said")).to_contain_text(f"需求 {need} 已办结并转为此案")
    with signed_in(server, worker) as me:
        done = me.get(f"/needs/{need}").json()["need"]
        case = me.get(f"/incidents/{done['incident']}").json()["incident"]
    assert (done["state"], done["steps"][-1]["step"]) == ("done", "refer")
    assert (case["channel"], case["grid_id"]) == ("public", spot.grid)
    expect(page.locator("#case-title")).to_have_text(case["title"])
