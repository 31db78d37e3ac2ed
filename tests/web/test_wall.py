"""The wall: read from afar, most of it map, topics in turn, events followed, and nobody needed for days."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Request, Route, expect

from layers.people.access import new_kiosk_token
from layers.store.engine import begin
from tests.conftest import ROOT, Server
from tests.web import pages
from tests.web.pages import IDLE, PATIENCE_MS, Visit, await_map

browser, visit = pages.browser, pages.visit
AXE = ROOT / "webmap" / "node_modules" / "axe-core" / "axe.min.js"

# Every visible text with the least height of its characters in mm: of capitals and digits where it has any, else of
# Han characters, in the proportions of Noto Sans SC.
TEXTS = """(inches) => {
  const mm = (inches * 25.4) / Math.hypot(screen.width, screen.height);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (node.data.trim() === "" || box.width === 0 || parent.closest(".hidden-text, .measure, script")) continue;
    if (parent.closest(".maplibregl-map") || !parent.checkVisibility({ visibilityProperty: true })) continue;
    const px = Number.parseFloat(getComputedStyle(parent).fontSize);
    found.push({ text: node.data, mm: px * mm * (/[0-9A-Za-z]/.test(node.data) ? 0.733 : 0.92) });
  }
  return found;
}"""
# Of every name that the map draws: the size of its type in mm as above, by its own text.
LABELS = """(inches) => {
  const mm = (inches * 25.4) / Math.hypot(screen.width, screen.height);
  const { map } = window.__chengtu;
  return map.getStyle().layers
    .filter((layer) => layer.type === "symbol" && layer.layout.visibility !== "none" && layer.layout["text-field"])
    .map((layer) => {
      const [kind, condition, latin, han] = layer.layout["text-size"];
      return { id: layer.id, kind, tests: condition.length - 1, latin: latin * mm * 0.733, han: han * mm * 0.92 };
    });
}"""
SHARE = """() => {
  const { width, height } = document.querySelector(".map").getBoundingClientRect();
  const over = [...document.querySelectorAll("#app *")].filter((each) => {
    const own = [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
    const box = each.getBoundingClientRect();
    return own && !each.closest(".map") && box.width > 0 && box.left < width - 1 && box.top < height - 1;
  });
  return { share: (width * height) / (innerWidth * innerHeight), over: over.map((each) => each.textContent) };
}"""
LEAST_RADIANS = 0.00465421  # 16 minutes of arc
ACROSS = {"width": 1280, "height": 720}


def open_wall(visit: Visit, server: Server, query: str = "", **options: Any) -> Page:
    page = visit(ready=False, **options)
    page.goto(f"{server.url}/wall{query}")
    expect(page.locator(".lanes .block").first).to_be_visible(timeout=PATIENCE_MS)
    return page


def title(page: Page) -> str:
    return page.locator("h1").inner_text()


@pytest.mark.parametrize(
    ("query", "size", "inches", "far_m"),
    [
        ("", ACROSS, 55, 6),
        ("?inches=98&far=8", ACROSS, 98, 8),
        ("?inches=120&far=6", {"width": 2560, "height": 720}, 120, 6),
        ("?inches=55&far=5&lang=en", ACROSS, 55, 5),
    ],
)
def test_no_text_is_under_16_minutes_of_arc_and_the_map_keeps_its_65_percent(
    visit: Visit, server: Server, query: str, size: dict[str, int], inches: float, far_m: float
) -> None:
    page = open_wall(visit, server, query, viewport=size, screen=size)
    page.keyboard.press(" ")
    least = far_m * 1000 * LEAST_RADIANS
    for topic in range(2):
        for sheet in range(3):
            texts = page.evaluate(TEXTS, inches)
            assert len(texts) > 4
            assert [each for each in texts if each["mm"] < least or re.search("[²³]", each["text"])] == [], (
                topic,
                sheet,
            )
            if page.locator(".lanes .figure, .lanes .bar").count():
                expect(page.locator(".age")).not_to_be_empty()
            page.keyboard.press("ArrowDown")
        shown = page.evaluate(SHARE)
        assert shown["share"] >= 0.65
        assert shown["over"] == []
        before = title(page)
        page.keyboard.press("ArrowRight")
        expect(page.locator("h1")).not_to_have_text(before)
        expect(page.locator(".lanes .block").first).to_be_visible()
    page.wait_for_function("() => window.__chengtu?.map.getLayer('county-label')")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document)")
    assert [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found["violations"]] == []
    labels = page.evaluate(LABELS, inches)
    assert {"county-label", "town-label"} <= {each["id"] for each in labels}
    for label in labels:
        assert (label["kind"], label["tests"]) == ("case", 62), label
        assert min(label["latin"], label["han"]) >= least, label


def test_figures_are_read_at_a_glance(visit: Visit, server: Server) -> None:
    page = open_wall(visit, server, viewport=ACROSS, screen=ACROSS)
    px = page.locator(".figure b").first.evaluate("(each) => Number.parseFloat(getComputedStyle(each).fontSize)")
    mm = 55 * 25.4 / (1280**2 + 720**2) ** 0.5
    assert px * mm * 0.733 >= 6000 / 150


def test_topics_take_turns_by_time_and_by_keyboard_and_stop_for_who_asks(visit: Visit, server: Server) -> None:
    page = visit(ready=False, viewport=ACROSS, screen=ACROSS)
    page.clock.install()
    page.goto(f"{server.url}/wall?seconds=10")
    expect(page.locator(".lanes .block").first).to_be_visible()
    first = title(page)
    page.keyboard.press(" ")
    expect(page.locator(".paused")).to_have_text("暂停")
    page.clock.run_for(90_000)
    assert title(page) == first
    # Its figures were asked for anew meanwhile: that is no reason to blink.
    expect(page.locator(".lanes:not(.another)")).to_be_visible()
    page.keyboard.press(" ")
    page.clock.run_for(90_000)
    expect(page.locator(".paused")).to_be_empty()
    page.clock.resume()
    page.keyboard.press("ArrowRight")
    second = title(page)
    page.keyboard.press("ArrowRight")
    assert title(page) != second


def test_nobody_needs_a_pointer(visit: Visit, server: Server) -> None:
    page = open_wall(visit, server, viewport=ACROSS, screen=ACROSS)
    expect(page.locator("#app")).to_have_class(re.compile("no-pointer"))
    page.mouse.move(300, 300)
    expect(page.locator("#app")).not_to_have_class(re.compile("no-pointer"))


def test_the_topics_and_the_language_may_be_named_in_the_address(visit: Visit, server: Server) -> None:
    page = open_wall(visit, server, "?topics=emergency&lang=en", viewport=ACROSS, screen=ACROSS)
    assert title(page) == "Emergency"
    page.keyboard.press("ArrowRight")
    assert title(page) == "Emergency"
    assert not re.search(r"\p{Han}".replace(r"\p{Han}", "[一-龥]"), page.locator(".column").inner_text())


def test_a_token_in_the_address_is_kept_for_the_tab_and_taken_out_of_the_address(visit: Visit, server: Server) -> None:
    with begin(server.database.engine, actor="test") as connection:
        token = new_kiosk_token(connection)
    asked: list[str | None] = []
    page = visit(ready=False, viewport=ACROSS, screen=ACROSS)

    def note(request: Request) -> None:
        if request.url.endswith("/layers"):
            asked.append(request.headers.get("authorization"))

    page.on("request", note)
    page.goto(f"{server.url}/wall?far=6#token={token}")
    expect(page.locator("h1")).not_to_be_empty()
    assert token not in page.url
    assert set(asked) == {f"Bearer {token}"}


def test_a_revoked_token_is_said_so(visit: Visit, server: Server) -> None:
    page = visit(ready=False, errors_with="401", viewport=ACROSS, screen=ACROSS)
    page.goto(f"{server.url}/wall#token=revoked")
    expect(page.get_by_text("启动口令已失效")).to_be_visible()


def cover(server: Server, number: int) -> tuple[str, Any]:
    """A manhole cover in good order, and its place."""
    where: dict[str, str | int] = {"filter": "class_code LIKE '01008' AND state = 'intact'", "limit": 9}
    found = httpx.get(f"{server.url}/ogc/collections/component/items", params=where).json()["features"]
    return found[number]["id"], found[number]["geometry"]["coordinates"]


def change(server: Server, id: str, *, layer: str = "component", **properties: str) -> None:
    url = f"{server.url}/items/{layer}/{id}"
    headers = {**server.admin, "If-Match": httpx.get(url).headers["etag"]}
    httpx.patch(url, json={"properties": properties}, headers=headers).raise_for_status()


def test_the_wall_goes_to_a_new_critical_event_and_comes_back(visit: Visit, server: Server) -> None:
    page = open_wall(visit, server, "?follow=5&topics=emergency,city-management", viewport=ACROSS, screen=ACROSS)
    id, (lon, lat) = cover(server, 0)
    await_map(page)
    zoom = page.evaluate("window.__chengtu.map.getZoom()")
    change(server, id, state="lost")
    shown = page.locator(".event")
    expect(shown).to_contain_text("丢失")
    expect(page.locator("#app")).to_have_attribute("data-event", f"component/{id}")
    expect(shown).to_contain_text(re.compile(r"\d\d:\d\d"))
    assert title(page) == "城市管理一览图"
    page.evaluate(IDLE)
    centre = page.evaluate("(({ lng, lat }) => [lng, lat])(window.__chengtu.map.getCenter())")
    assert centre == pytest.approx([lon, lat], abs=0.002)
    assert [each for each in page.evaluate(TEXTS, 55) if each["mm"] < 6000 * LEAST_RADIANS] == []
    assert page.evaluate(SHARE)["share"] >= 0.65
    expect(shown).to_have_count(0, timeout=PATIENCE_MS)
    page.wait_for_function(f"() => Math.abs(window.__chengtu.map.getZoom() - {zoom}) < 0.1")


def test_what_was_critical_before_is_no_event(visit: Visit, server: Server) -> None:
    id, _ = cover(server, 1)
    change(server, id, state="broken")
    page = open_wall(visit, server, "?follow=5", viewport=ACROSS, screen=ACROSS)
    with page.expect_response(lambda answer: f"{id}/history" in answer.url):
        change(server, id, state="lost")
    assert page.locator("#app[data-event]").count() == 0
    # A camera that breaks down is one.
    on = f"{server.url}/ogc/collections/video/items?status=ON&limit=1&sortby=-id"
    (camera,) = httpx.get(on).json()["features"]
    change(server, camera["id"], layer="video", status="DEFECT")
    expect(page.locator("#app")).to_have_attribute("data-event", f"video/{camera['id']}")
    expect(page.locator(".event .state")).to_contain_text("故障")
    assert title(page) == "应急管理一张图"
    change(server, camera["id"], layer="video", status="ON")


@pytest.mark.parametrize("status", [503, None])
def test_a_wall_whose_topics_fail_at_first_says_so_and_comes_up_by_itself(
    visit: Visit, server: Server, status: int | None
) -> None:
    page = visit(ready=False, errors_with="Failed to load resource", viewport=ACROSS, screen=ACROSS)
    page.clock.install()
    held: list[Route] = []

    def failing(route: Route) -> None:
        if status is None:
            held.append(route)  # never answered
        else:
            route.fulfill(status=status, json={"title": "Busy", "detail": "later"}, content_type="application/json")

    page.route("**/topics", failing)
    with page.expect_request("**/topics"):
        page.goto(f"{server.url}/wall")
    if status is None:
        page.clock.run_for(31_000)
    expect(page.locator("#app.alone")).to_contain_text("连接中断")
    page.unroute("**/topics")
    page.clock.run_for(16_000)
    page.clock.resume()
    expect(page.locator(".lanes .block").first).to_be_visible(timeout=PATIENCE_MS)


def test_a_lost_connection_is_said_until_it_is_back(visit: Visit, server: Server) -> None:
    page = open_wall(visit, server, errors_with="ERR_INTERNET_DISCONNECTED", viewport=ACROSS, screen=ACROSS)
    banner = page.locator(".wall-banner")
    expect(banner).to_be_hidden()
    expect(page.locator(".age")).to_contain_text("数据")
    page.context.set_offline(True)
    expect(banner).to_contain_text("连接中断")
    expect(banner).to_contain_text(re.compile(r"\d\d:\d\d 起未更新"))
    assert [each for each in page.evaluate(TEXTS, 55) if each["mm"] < 6000 * LEAST_RADIANS] == []
    assert page.evaluate(SHARE)["share"] >= 0.65
    page.context.set_offline(False)
    expect(banner).to_be_hidden()


def test_the_wall_starts_anew_after_a_release(visit: Visit, server: Server) -> None:
    page = open_wall(visit, server, errors_with="ERR_INTERNET_DISCONNECTED", viewport=ACROSS, screen=ACROSS)
    page.evaluate("window.before = true")

    def released(route: Route) -> None:
        route.fulfill(json={"status": "ok", "version": "another"})

    page.route("**/healthz", released)
    # A server that is released is a server that was away.
    page.context.set_offline(True)
    page.context.set_offline(False)
    page.wait_for_function("() => window.before === undefined")
    expect(page.locator(".lanes .block").first).to_be_visible(timeout=PATIENCE_MS)


def test_memory_stays_flat_over_many_turns(visit: Visit, server: Server) -> None:
    page = open_wall(visit, server, viewport=ACROSS, screen=ACROSS)
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable")

    def turns(number: int) -> dict[str, float]:
        for _ in range(number):
            page.keyboard.press("ArrowRight")
            expect(page.locator(".lanes .block").first).to_be_visible()
        # Else a topic that has not heard of all its figures is compared with one that has.
        expect(page.locator(".lanes")).to_have_attribute("aria-busy", "false", timeout=PATIENCE_MS)
        page.evaluate(IDLE)
        client.send("HeapProfiler.collectGarbage")
        return {each["name"]: each["value"] for each in client.send("Performance.getMetrics")["metrics"]}

    before = turns(6)
    after = turns(20)
    assert after["JSHeapUsedSize"] < before["JSHeapUsedSize"] * 1.1
    assert after["Nodes"] < before["Nodes"] * 1.1 + 50
    assert after["JSEventListeners"] <= before["JSEventListeners"] + 10
