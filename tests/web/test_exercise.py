"""An exercise in real browsers: who is in it sees its mark and its cases on every page, and who is outside neither."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from tests.api.exercises import closed, join, opened
from tests.api.people import person, signed_in
from tests.api.test_incidents import rubbish
from tests.conftest import Server
from tests.web import pages

browser = pages.browser
CONFLICT = "409 (Conflict)"
Open = Callable[..., Page]


@pytest.fixture
def drill(server: Server) -> Iterator[str]:
    """An exercise that is open during a test."""
    id = opened(server, "秋季防汛综合演练")["id"]
    yield id
    with signed_in(server, person(server, "director")) as director:
        director.post(f"/exercises/{id}/close")


@pytest.fixture
def clerk(server: Server) -> str:
    return person(server, "dispatcher", "worker")


@pytest.fixture
def see(browser: Browser, server: Server) -> Iterator[Open]:
    """Opens a page for who is signed in to it."""
    expect.set_options(timeout=pages.PATIENCE_MS)
    with pages.visiting(browser, server.url) as visit:

        def open_page(client: httpx.Client, path: str, **options: object) -> Page:
            page = visit(ready=False, errors_with=CONFLICT, **options)
            cookies = [{"name": one.name, "value": one.value or "", "url": server.url} for one in client.cookies.jar]
            page.context.add_cookies(cookies)  # type: ignore[arg-type]
            page.goto(f"{server.url}{path}")
            return page

        yield open_page
    expect.set_options(timeout=None)


def spot(server: Server) -> dict[str, float]:
    with server.database.reader.connect() as connection:
        lon, lat = connection.execute(
            sa.text("select st_x(geom), st_y(geom) from city.component where grid_id is not null order by id limit 1")
        ).one()
    return {"lon": lon, "lat": lat}


def test_two_desks_at_the_same_moment_and_only_one_is_in_the_exercise(
    server: Server, see: Open, drill: str, clerk: str
) -> None:
    with signed_in(server, clerk) as within, signed_in(server, clerk) as outside:
        join(within, drill)
        inside, real = see(within, "/desk"), see(outside, "/desk")
        for page in (inside, real):
            pages.await_map(page)
        band = inside.locator(".exercise-band")
        expect(band).to_contain_text("演练")
        expect(band).to_contain_text("秋季防汛综合演练")
        expect(inside).to_have_title(re.compile("^【演练】"))
        expect(real.locator(".exercise-band")).to_have_count(0)
        expect(real).not_to_have_title(re.compile("演练"))
        answer = within.post("/incidents", json=rubbish(spot(server), title="演练里的一堆垃圾"))
        assert answer.status_code == 201, answer.text
        inside.get_by_role("button", name="有 1 件新案卷").click()
        expect(inside.get_by_text("演练里的一堆垃圾").first).to_be_visible()
        answer = outside.post("/incidents", json=rubbish(spot(server), title="真实的一堆垃圾"))
        assert answer.status_code == 201, answer.text
        real.get_by_role("button", name="有 1 件新案卷").click()
        expect(real.get_by_role("searchbox").first).to_be_visible()
        real.get_by_role("searchbox").first.fill("一堆垃圾")
        expect(real.get_by_text("真实的一堆垃圾").first).to_be_visible()
        expect(real.get_by_text("演练里的一堆垃圾")).to_have_count(0)
        expect(inside.get_by_text("真实的一堆垃圾")).to_have_count(0)
        # It is closed: those in it are told, and stay; the one outside goes on.
        closed(server, drill)
        expect(inside.locator("html[data-exercise=over]")).to_be_attached(timeout=pages.PATIENCE_MS)
        expect(band).to_contain_text("演练已结束")
        # Leaving takes a click and a question.
        band.get_by_role("button", name="退出演练").click()
        inside.get_by_role("dialog").get_by_role("button", name="退出演练").click()
        expect(inside.locator(".exercise-band")).to_have_count(0)
        inside.get_by_role("searchbox").first.fill("一堆垃圾")
        expect(inside.get_by_text("真实的一堆垃圾").first).to_be_visible()
        expect(inside.get_by_text("演练里的一堆垃圾")).to_have_count(0)
        expect(inside).not_to_have_title(re.compile("演练"))


@pytest.mark.parametrize("path", ["/", "/plan", "/data", "/wall", "/grid"])
def test_every_page_bears_the_mark(server: Server, see: Open, drill: str, path: str) -> None:
    login = person(server, "worker", "planner")
    with signed_in(server, login) as client:
        join(client, drill)
        page = see(client, path)
        expect(page.locator(".exercise-band")).to_contain_text("秋季防汛综合演练")
        expect(page).to_have_title(re.compile("^【演练】"))
        framed = "() => getComputedStyle(document.body, '::after').borderTopWidth"
        assert page.evaluate(framed) == "4px"
        # What the page shows begins below the band.
        assert page.evaluate("() => document.querySelector('#app').getBoundingClientRect().top") >= 34


def test_a_link_asks_before_it_leads_into_an_exercise_and_all_tabs_follow(
    server: Server, see: Open, drill: str, clerk: str
) -> None:
    with signed_in(server, clerk) as client:
        page = see(client, f"/desk#exercise={drill}")
        other = page.context.new_page()
        other.goto(f"{server.url}/data")
        question = page.get_by_role("dialog")
        expect(question).to_contain_text("秋季防汛综合演练")
        assert client.get("/session").json()["exercise"] is None
        question.get_by_role("button", name="加入", exact=True).click()
        expect(page.locator(".exercise-band")).to_contain_text("秋季防汛综合演练")
        assert drill not in page.url
        expect(other.locator(".exercise-band")).to_contain_text("秋季防汛综合演练")
        assert client.get("/session").json()["exercise"]["id"] == drill


def test_a_page_that_was_open_before_shows_nothing_of_the_exercise_without_its_mark(
    server: Server, see: Open, drill: str, clerk: str
) -> None:
    with signed_in(server, clerk) as client:
        page = see(client, "/desk")
        pages.await_map(page)
        expect(page.locator(".exercise-band")).to_have_count(0)
        join(client, drill)  # by another program with the same cookie: nothing tells the page but the server
        expect(page.locator(".exercise-band")).to_contain_text("秋季防汛综合演练")


def test_a_director_opens_reads_and_closes_an_exercise_in_the_dialog(server: Server, see: Open) -> None:
    with signed_in(server, person(server, "director")) as client:
        page = see(client, "/data")
        page.get_by_role("button", name="演练", exact=True).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="开设演练").click()
        dialog.get_by_label("演练名称").fill("消防演练")
        dialog.get_by_role("button", name="开设", exact=True).click()
        entry = dialog.locator("li", has_text="消防演练").first
        expect(entry).to_be_visible()
        entry.get_by_role("button", name="记录").click()
        expect(dialog).to_contain_text("案卷 0 件")
        expect(dialog).to_contain_text("没有发给任何人")
        dialog.get_by_role("button", name="返回").click()
        dialog.locator("li", has_text="消防演练").first.get_by_role("button", name="结束演练").click()
        page.locator("dialog.exercise-ask").get_by_role("button", name="结束演练").click()
        expect(dialog.locator("li", has_text="消防演练").first).to_contain_text("演练已结束")
    with signed_in(server, person(server, "worker")) as client:
        page = see(client, "/data")
        expect(page.get_by_role("button", name="演练", exact=True)).to_have_count(0)


def test_a_director_reads_the_figures_and_puts_up_a_wall(server: Server, see: Open, drill: str, clerk: str) -> None:
    with signed_in(server, clerk) as within:
        join(within, drill)
        for title in ("演练里的一堆垃圾", "演练里的又一堆"):
            assert within.post("/incidents", json=rubbish(spot(server), title=title)).status_code == 201
    with signed_in(server, person(server, "director")) as client:
        page = see(client, "/data")
        page.get_by_role("button", name="演练", exact=True).click()
        dialog = page.get_by_role("dialog")
        entry = dialog.locator(f"li[data-exercise='{drill}']")
        entry.get_by_role("button", name="记录").click()
        expect(dialog).to_contain_text("案卷 2 件")
        row = dialog.locator(".figures tr", has_text="未结案率")
        expect(row).to_contain_text("100 %")
        expect(row).to_contain_text("2 / 2")
        expect(row).to_contain_text("不计入：并案的案卷")
        expect(dialog.locator(".figures")).to_contain_text("不计入真实指标")
        expect(dialog.locator(".figures tr", has_text="处置率")).to_have_count(0)  # nothing was due
        dialog.get_by_role("button", name="返回").click()
        dialog.locator(f"li[data-exercise='{drill}']").get_by_role("button", name="大屏", exact=True).click()
        address = dialog.locator("code").inner_text()
        assert address.startswith(f"{server.url}/wall#token=")
    with pages.visiting(page.context.browser, server.url) as visit:  # type: ignore[arg-type]
        wall = visit(ready=False, viewport={"width": 1920, "height": 1080})
        wall.goto(address)
        band = wall.locator(".exercise-band")
        expect(band).to_contain_text("秋季防汛综合演练")
        expect(band.get_by_role("button")).to_have_count(0)
        expect(wall).to_have_title(re.compile("^【演练】"))
        assert "token" not in wall.url
