"""A resident's report on every screen at once: the phone, two desks and the overview map, without a reload."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from layers.loop.hotline.classify import FOLDER
from layers.loop.hotline.phrases import shipped_phrases
from layers.loop.hotline.training import train
from layers.people.access import Scope
from tests.api.people import person, signed_in
from tests.conftest import Database, Server, serving
from tests.web import pages
from tests.web.desk import LAMPS, Open, case_of, desks, violations

browser = pages.browser
LON, LAT = 120.87, 31.99
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": "light"}
WORDS = "小学门口的路灯坏了一排，晚上走路很危险"
# Receipts are read again every half minute.
A_WHILE = 31_000
DRAWN = """(id) => window.__chengtu.map.queryRenderedFeatures()
  .some(({ sourceLayer, properties }) => sourceLayer === "incident" && properties.id === id)"""


@pytest.fixture(scope="module")
def town(own_city: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A city where residents may report without an account, whose classifier knows a few matters."""
    data = tmp_path_factory.mktemp("town")
    few = [one for one in shipped_phrases() if one.matter in {LAMPS, "06010", "06001", "none"}]
    train(few, [], now=dt.datetime.now(dt.UTC)).save(data / FOLDER)
    with serving(own_city, data, public_reports="true", public_reports_hourly="100") as running:
        yield running


@pytest.fixture
def screens(browser: Browser, town: Server) -> Iterator[Open]:
    with desks(browser, town, person(town, "dispatcher")) as open_page:
        yield open_page


def photo(name: str, color: str) -> FilePayload:
    written = io.BytesIO()
    Image.new("RGB", (900, 600), color).save(written, "JPEG")
    return {"name": name, "mimeType": "image/jpeg", "buffer": written.getvalue()}


def resident(screens: Open) -> Page:
    """A phone without an account at the page of residents, standing where the lamps are broken."""
    page = screens(login=None, path="/report", before=at_the_lamps, **PHONE)
    expect(page.get_by_role("heading", name="随手报")).to_be_visible()
    return page


def at_the_lamps(page: Page) -> None:
    page.clock.install()
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": LON, "latitude": LAT, "accuracy": 8})


def take(page: Page, step: str, **filled: str) -> None:
    """Take a step on a desk, with its form where it has one."""
    page.locator(f".actions [data-step={step}]").click()
    form = page.locator(".case .step-form form")
    for part, value in filled.items():
        field = form.locator(f"#step-{part}")
        if field.evaluate("(element) => element.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    if filled or step == "dispatch":
        form.locator("button[type=submit]").click()


def state(page: Page) -> Locator:
    return page.locator(".case .kicker .state")


def later(page: Page) -> None:
    """The phone stays in the hand until it reads its receipt again."""
    page.clock.fast_forward(A_WHILE)


def lead_of(town: Server) -> str:
    with signed_in(town, person(town, "dispatcher")) as client:
        where = client.get("/reverse", params={"lon": LON, "lat": LAT}).json()
        asked = {"matter": LAMPS, "admin_code": where["town"]["id"], "grid_id": where["grid"]["id"]}
        return str(client.get("/duties/decide", params=asked).json()["lead"]["code"])


def test_a_residents_report_travels_from_phone_to_closed_case_on_all_screens_at_once(
    screens: Open, town: Server
) -> None:
    officer = person(town, "officer", scope=Scope(None, frozenset({lead_of(town)})))
    desk, department = screens(), screens(login=officer)
    overview = screens(
        f"#at=15/{LAT}/{LON}&layers=county,road,incident&off=incident:none", path="/", login=person(town, "commander")
    )
    phone = resident(screens)
    expect(department.locator(".case-tabs [aria-current]")).to_contain_text("本单位")

    phone.locator("#resident-text").fill(WORDS)
    phone.locator(".matters .chip", has_text="路灯异常").click()
    phone.get_by_role("button", name="用我的位置").click()
    expect(phone.locator(".where .hint")).to_contain_text("崇川区")
    phone.locator("#resident-photo").set_input_files(photo("before.jpg", "black"))
    expect(phone.locator(".strip img")).to_have_count(1)
    phone.locator(".contact summary").click()
    phone.locator("#resident-phone").fill("13900001234")
    phone.locator("button[type=submit]").click()
    expect(phone.locator(".receipt .state")).to_have_text("已上报")
    id = phone.locator("#receipt-title").inner_text().removeprefix("受理编号 ")

    # The desk is told of a new case, the map draws it; the department has nothing to do yet.
    expect(desk.locator(".news .fresh")).to_contain_text("1 件新案卷")
    overview.wait_for_function(DRAWN, arg=id)
    desk.keyboard.press(".")
    desk.locator(f".case-row[data-id='{id}'] .open").click()
    expect(desk.locator(".case .words")).to_have_text(WORDS)
    expect(desk.locator(".photos img")).to_have_count(1)
    expect(desk.locator(".callers")).to_contain_text("139****1234")
    expect(department.locator(f".case-row[data-id='{id}']")).to_have_count(0)

    take(desk, "verify", finding="as_told", note="电话核实属实")
    expect(state(desk)).to_have_text("已核实")
    take(desk, "accept")
    expect(state(desk)).to_have_text("已受理")
    take(desk, "register")
    expect(state(desk)).to_have_text("已立案")
    take(desk, "dispatch")
    expect(state(desk)).to_have_text("已派遣")
    later(phone)
    expect(phone.locator(".receipt .state")).to_have_text("已派遣")
    expect(phone.locator(".receipt dl")).to_contain_text("崇川区路灯管理所")

    # At the department it is new; signed for and worked on there, the desk sees it in the case that lies open.
    expect(department.locator(".news .fresh")).to_contain_text("1 件新案卷")
    department.keyboard.press(".")
    department.locator(f".case-row[data-id='{id}'] .open").click()
    take(department, "sign")
    expect(desk.locator(".timeline li").first).to_contain_text("签收")
    take(department, "dispose")
    expect(state(desk)).to_have_text("处置中")
    department.locator(".actions [data-step=feedback]").click()
    department.locator("#step-photo").set_input_files(photo("after.jpg", "yellow"))
    expect(department.locator(".case .step-form")).to_contain_text("已上传 1 张")
    department.locator("#step-note").fill("已更换灯泡八盏")
    department.locator(".case .step-form button[type=submit]").click()
    expect(state(desk)).to_have_text("已处置")
    expect(desk.locator(".timeline .note").first).to_have_text("已更换灯泡八盏")
    expect(desk.locator(".photos img")).to_have_count(2)

    take(desk, "check", note="照片与现场一致")
    expect(state(department)).to_have_text("已核查")
    take(desk, "close")
    expect(state(department)).to_have_text("已结案")
    expect(department.locator(f".case-row[data-id='{id}']")).to_contain_text("已移出此队列")
    overview.wait_for_function(f"(id) => !({DRAWN})(id)", arg=id)
    later(phone)
    expect(phone.locator(".receipt .state")).to_have_text("已结案")
    expect(phone.locator(".after img")).to_have_count(1)
    expect(phone.locator(".steps li b")).to_have_text(
        ["上报", "核实", "受理", "立案", "派遣", "处置", "处置反馈", "核查", "结案"]
    )
    with signed_in(town, officer) as client:
        steps = [one["step"] for one in case_of(client, id)["steps"]]
    assert steps == [
        "report", "verify", "accept", "register", "dispatch", "sign", "dispose", "feedback", "check", "close"
    ]  # fmt: skip


def test_a_resident_comes_back_to_a_report_withdraws_it_and_needs_no_account(screens: Open, town: Server) -> None:
    page = resident(screens)
    page.locator("button[type=submit]").click()
    expect(page.locator(".wrong").last).to_have_text("还需要：发生了什么，事项，位置")
    page.locator("#resident-text").fill("井盖旁的垃圾没人收")
    page.locator("#resident-other").fill("暴露垃圾")
    page.locator(".chips .chip").first.click()
    page.get_by_role("button", name="用我的位置").click()
    page.locator("#resident-photo").set_input_files(
        {"name": "page.jpg", "mimeType": "image/jpeg", "buffer": b"<script>alert(1)</script>"}
    )
    expect(page.locator(".photos .hint")).to_have_text("page.jpg 不是照片，没有添加。")
    expect(page.locator(".where .hint")).to_contain_text("崇川区")
    assert violations(page) == []
    page.locator("button[type=submit]").click()
    expect(page.locator(".receipt .state")).to_have_text("已上报")
    assert violations(page) == []
    page.goto(f"{town.url}/report")
    page.locator(".mine a").click()
    expect(page.locator(".receipt .state")).to_have_text("已上报")
    page.get_by_role("button", name="撤回").click()
    page.get_by_role("button", name="确认撤回").click()
    expect(page.locator(".receipt .state")).to_have_text("已作废")
    expect(page.get_by_role("button", name="撤回")).to_have_count(0)
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_where_residents_may_not_report_the_page_says_whom_to_call(browser: Browser, server: Server) -> None:
    with pages.visiting(browser, server.url) as visit:
        page = visit(ready=False, **PHONE)
        page.goto(f"{server.url}/report")
        expect(page.locator(".closed")).to_contain_text("12345")
        expect(page.locator("form")).to_have_count(0)


def test_words_are_told_apart_by_the_server_and_nothing_is_offered_where_reports_are_closed(
    town: Server, server: Server
) -> None:
    assert httpx.get(f"{town.url}/public-reports").json() == {"open": True, "hourly": 100}
    told = httpx.post(f"{town.url}/public-reports/matters", json={"text": WORDS}).json()["matters"]
    assert told[0]["matter"] == LAMPS
    assert len(told) <= 3
    assert httpx.get(f"{server.url}/public-reports").json()["open"] is False
    refused = httpx.post(f"{server.url}/public-reports/matters", json={"text": WORDS})
    assert (refused.status_code, refused.json()["cause"]) == (401, "public_closed")
    for wrong in ({}, {"text": "路"}, {"text": "路" * 2001}, {"text": WORDS, "more": 1}):
        assert httpx.post(f"{town.url}/public-reports/matters", json=wrong).status_code == 422
