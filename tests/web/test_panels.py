"""Topics arrange the map; their figures are doors to the records behind them; lists walk along by keyboard."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import shapely.geometry
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, Route, expect

from tests.conftest import ROOT, Server
from tests.web import pages
from tests.web.pages import IDLE, PATIENCE_MS, VALUES, Visit, await_map, layer_box

browser, visit = pages.browser, pages.visit

AXE = ROOT / "webmap" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1920, "height": 1080}}
CITY = "#topic=city-management"
EMERGENCY = "#topic=emergency"
POINTED = "() => window.__chengtu.map.getLayer('town-hover') !== undefined"
CHINESE = """() => {
  const parts = [...document.querySelectorAll(".topic-panels, .list header, .sorter, .topic")];
  return parts.flatMap((each) => each.innerText.split("\\n")).filter((text) => /\\p{sc=Han}/u.test(text));
}"""
COVERED = """() => {
  const covers = (x, y) => {
    const top = document.elementFromPoint(x, y);
    return !top.closest(".map");
  };
  let covered = 0;
  const step = 8;
  for (let x = 0; x < innerWidth; x += step) for (let y = 0; y < innerHeight; y += step) covered += covers(x, y);
  return (covered * step * step) / (innerWidth * innerHeight);
}"""


def asked(server: Server, path: str, **params: str) -> Any:
    answer = httpx.get(f"{server.url}{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def figure(page: Page, name: str) -> Locator:
    return page.locator(f"[data-key=figure-{name}]")


def total(page: Page) -> int:
    """How many records the list says there are."""
    count = page.locator("#list-title .count")
    expect(count).to_have_text(re.compile(r"\d"))
    return int(re.sub(r"\D", "", count.inner_text()))


def test_a_topic_arranges_the_page_and_the_url_says_what_differs(visit: Visit, server: Server) -> None:
    page = visit()
    expect(page.locator(".topic-panels")).to_be_hidden()
    page.get_by_label("专题").select_option("emergency")
    expect(page).to_have_url(re.compile(r"#topic=emergency$"))
    topic = next(each for each in asked(server, "/topics")["topics"] if each["name"] == "emergency")
    shown = {each["layer"] for each in topic["layers"]}
    for layer in asked(server, "/layers")["layers"]:
        expect(layer_box(page, layer["name"])).to_be_checked(checked=layer["name"] in shown)
    for title in [panel["title"]["zh"] for panel in topic["panels"] if "title" in panel]:
        expect(page.locator(".tile", has_text=title)).to_be_visible()
    # Who cannot tell the colours apart goes by the shapes, on the map as in the legend.
    page.evaluate(IDLE)
    images = "() => window.__chengtu.map.listImages().filter((name) => name.startsWith('shape-'))"
    assert "shape-triangle" in page.evaluate(images)
    assert page.evaluate(VALUES, ["hazard_site-circle", "level"])
    swatch = page.locator(".class .swatch.triangle").first
    assert swatch.evaluate("(element) => getComputedStyle(element).clipPath").startswith("polygon(50% 1.")
    layer_box(page, "video").uncheck()
    expect(page).to_have_url(re.compile(r"topic=emergency&layers="))
    page.reload()
    await_map(page)
    expect(page.get_by_label("专题")).to_have_value("emergency")
    expect(layer_box(page, "video")).not_to_be_checked()
    page.get_by_label("专题").select_option("")
    expect(page.locator(".topic-panels")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/$"))


def test_a_topic_that_is_not_there_is_said_to_be_so(visit: Visit) -> None:
    page = visit("#topic=nowhere")
    expect(page.locator(".topic-panels")).to_contain_text("专题“nowhere”不存在")
    expect(layer_box(page, "component")).to_be_checked()


def test_without_topics_the_map_is_there_with_a_message_and_they_come_back(visit: Visit, server_url: str) -> None:
    page = visit(ready=False, errors_with="Failed to load")
    page.route("**/topics", lambda route: route.fulfill(status=500, body="out of order"))
    page.goto(f"{server_url}/{CITY}")
    await_map(page)
    banner = page.get_by_role("alert")
    expect(banner).to_contain_text("专题未能载入，地图照常可用。服务器没有接受（500：Internal Server Error）")
    expect(layer_box(page, "component")).to_be_checked()
    page.unroute("**/topics")
    banner.get_by_role("button", name="重试").click()
    expect(page.get_by_label("专题")).to_have_value("city-management")
    expect(figure(page, "components").locator("b")).to_have_text(re.compile(r"\d"))
    expect(banner).to_have_count(0)


def test_a_figure_is_a_door_to_what_it_counts_and_back_also_from_a_link(visit: Visit, server: Server) -> None:
    page = visit(CITY)
    told = asked(server, "/indicators/components-to-repair")["values"][0]
    door = figure(page, "components-to-repair")
    expect(door.locator("b")).to_have_text(f"{told['value']:,.0f}")
    before = page.url
    door.click()
    expect(door).to_have_attribute("aria-pressed", "true")
    assert total(page) == told["value"]
    assert "list=component" in page.url
    expect(page.locator(".condition")).to_have_text(["状态：破损，丢失"])
    page.reload()
    await_map(page)
    assert total(page) == told["value"]
    expect(door).to_have_attribute("aria-pressed", "true")
    door.click()
    expect(page.locator(".list").first).to_be_hidden()
    expect(door).to_have_attribute("aria-pressed", "false")
    expect(page).to_have_url(before)


def test_the_last_number_of_a_line_is_a_door_too(visit: Visit, server: Server) -> None:
    page = visit(CITY)
    told = asked(server, "/indicators/components-to-repair")["values"][0]["value"]
    door = page.locator("[data-panel=series] button.reading")
    expect(door).to_contain_text(f"{told:,.0f} 个")
    door.click()
    expect(door).to_have_attribute("aria-pressed", "true")
    assert total(page) == told
    door.click()
    expect(door).to_have_attribute("aria-pressed", "false")
    plot = page.get_by_role("slider", name="待修部件")
    plot.focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    *_, before, _, _ = asked(server, "/indicators/components-to-repair/history", days="30")["points"]
    expect(plot).to_have_attribute("aria-valuetext", re.compile(f"{before['at'][:10]} .*最后变更在当天的记录"))
    page.keyboard.press("Enter")
    day = before["at"][:10]
    expect(page.locator(".condition")).to_have_text([f"更新：{day} 00:00 至 {day} 23:59"])
    conditions = {"from": f"{day}T00:00:00+08:00", "to": f"{day}T23:59:59.999999+08:00"}
    assert before["door"] == {"layer": "component", "conditions": {"changed_at": conditions}}
    expect(page.locator(".lines").first).to_contain_text("没有符合条件的记录")  # the demo city was made today


def test_a_bar_lists_the_records_of_its_town(visit: Visit, server: Server) -> None:
    page = visit(CITY)
    worst = asked(server, "/indicators/components-to-repair", by="town")["values"][0]
    bar = page.locator(".ranked-row", has_text=worst["title"]["zh"])
    expect(bar.locator(".said")).to_have_text(f"{worst['value']:,.0f} 个")
    bar.click()
    assert total(page) == worst["value"]
    expect(page.locator(".condition").nth(1)).to_have_text(f"位置：{worst['title']['zh']}")
    page.locator(".condition").nth(1).click()
    all_towns = asked(server, "/indicators/components-to-repair")["values"][0]["value"]
    expect(page.locator("#list-title .count")).to_have_text(f"共 {all_towns} 条")


def test_statuses_and_tables_are_doors_too(visit: Visit, server: Server) -> None:
    page = visit(EMERGENCY)
    found = asked(server, "/layers/hazard_site/facets")["facets"]
    first = max(next(each for each in found if each["column"] == "level")["values"], key=lambda each: each["count"])
    row = page.locator("[data-panel=statuses] .ranked-row", has_text=first["title"]["zh"]).first
    expect(row.locator(".said")).to_have_text(str(first["count"]))
    page.get_by_role("button", name="说明: 危险源等级").click()
    explained = page.locator(".told").filter(has_text="每条的百分比")
    expect(explained).to_contain_text("危险源 · 合成演示数据")
    expect(explained).to_contain_text(re.compile(r"截至\s*20\d\d-\d\d-\d\d \d\d:\d\d"))
    all_sites = sum(each["count"] for each in asked(server, "/layers/hazard_site/facets")["facets"][0]["values"])
    whole = explained.get_by_role("button", name=f"分母 {all_sites}")
    whole.click()
    expect(whole).to_have_attribute("aria-pressed", "true")
    assert total(page) == all_sites
    expect(page.locator(".condition")).to_have_count(0)
    expect(page.locator(".table thead")).to_contain_text("近 365 天")
    row.click()
    expect(page.locator("#list-title .count")).to_have_text(f"共 {first['count']} 条")
    cell = page.locator(".table .number").first
    counted = int(re.sub(r"\D", "", cell.inner_text()))
    cell.click()
    expect(cell).to_have_attribute("aria-pressed", "true")
    expect(row).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#list-title .count")).to_have_text(f"共 {counted} 条")
    page.get_by_role("button", name="说明: 各县市区").click()
    rate = asked(server, "/indicators/hazards-inspected", by="county")["values"][0]
    fact = page.locator(".told dl > div", has_text=rate["title"]["zh"])
    expect(fact).to_contain_text(f"{rate['numerator']} / {rate['denominator']}")


def test_a_figure_tells_its_time_its_source_and_of_what_it_is_made(visit: Visit, server: Server) -> None:
    page = visit(CITY)
    told = asked(server, "/indicators/components-intact")
    value = told["values"][0]
    expect(page.locator(".tile").first.locator("time")).to_have_attribute("datetime", re.compile(r"^20\d\d-"))
    page.get_by_role("button", name="说明: 部件完好率").click()
    explained = page.locator("#told-figure-components-intact")
    expect(explained).to_contain_text(f"{value['numerator']:,} / {value['denominator']:,}")
    whole = explained.get_by_role("button", name=f"分母 {value['denominator']:,}")
    whole.click()
    assert total(page) == value["denominator"]
    expect(whole).to_have_attribute("aria-pressed", "true")
    expect(explained).to_contain_text("不低于 98.0%，95.0% 以下不达标")
    expect(explained).to_contain_text("城市部件 · 合成演示数据")
    expect(explained).to_contain_text(re.compile(r"截至\s*20\d\d-\d\d-\d\d \d\d:\d\d"))
    for place, name in (
        (explained, "components-intact.csv"),
        (page.locator(".tiles > .report"), "city-management.csv"),
    ):
        with page.expect_download() as saved:
            place.get_by_role("button", name="下载指标为 CSV").click()
        assert saved.value.suggested_filename == name
        assert "部件完好率" in saved.value.path().read_text(encoding="utf-8-sig")


def test_a_row_lights_up_its_area_and_the_map_lights_up_its_row(visit: Visit, server: Server) -> None:
    page = visit(CITY)
    worst = asked(server, "/indicators/components-to-repair", by="town")["values"][0]
    row = page.locator(".ranked-row", has_text=worst["title"]["zh"])
    row.hover()
    page.wait_for_function(POINTED)
    town = asked(server, f"/ogc/collections/town/items/{worst['key']}")
    page.locator(".title h1").hover()
    expect(page.locator(".tile .lit")).to_have_count(0)
    x, y = page.evaluate(
        "(at) => { const { x, y } = window.__chengtu.map.project(at); return [x, y]; }", inside(town["geometry"])
    )
    page.mouse.move(x, y)
    expect(row).to_have_class(re.compile(r"\blit\b"))


def inside(geometry: dict[str, Any]) -> list[float]:
    """A point well inside an area."""
    point = shapely.geometry.shape(geometry).representative_point()
    return [point.x, point.y]


def test_figures_follow_what_happens_in_the_city(visit: Visit, server: Server) -> None:
    page = visit(CITY)
    expect(page.locator(".live[data-state=live]")).to_have_text("实时")
    number = figure(page, "components-to-repair").locator("b")
    expect(number).to_have_text(re.compile(r"\d"))
    before = int(number.inner_text())
    figure(page, "components-to-repair").click()
    assert total(page) == before
    intact = "select id from city.component where state = 'intact' order by id offset 200 limit 1"
    with server.database.reader.connect() as connection:
        id = connection.execute(sa.text(intact)).scalar_one()
    url = f"{server.url}/items/component/{id}"
    headers = {**server.admin, "If-Match": httpx.get(url).headers["etag"]}
    assert httpx.patch(url, json={"properties": {"state": "broken"}}, headers=headers).status_code == 200
    expect(number).to_have_text(str(before + 1), timeout=PATIENCE_MS)
    expect(page.locator("#list-title .count")).to_have_text(f"共 {before + 1} 条", timeout=PATIENCE_MS)


def test_figures_that_come_no_more_turn_grey_and_say_since_when(visit: Visit, server_url: str) -> None:
    page = visit(ready=False, errors_with="ERR_FAILED")
    page.clock.install()
    page.goto(f"{server_url}/{CITY}")
    await_map(page)
    tile = page.locator(".tile").first
    expect(tile.locator("b").first).to_have_text(re.compile(r"\d"))
    page.route("**/indicators/**", lambda route: route.abort())
    page.clock.fast_forward(60_000 * 4)
    expect(tile).to_have_class(re.compile(r"\bstale\b"))
    expect(tile.locator("time")).to_have_text(re.compile(r"停在 \d\d:\d\d"))
    page.unroute("**/indicators/**")
    page.clock.fast_forward(60_000)
    expect(tile).not_to_have_class(re.compile(r"\bstale\b"))


def test_a_panel_without_an_answer_says_why_and_one_without_data_is_absent(visit: Visit, server_url: str) -> None:
    def refuse(route: Route) -> None:
        problem = {"status": 503, "code": "not_counted", "detail": "the figures are being counted"}
        route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(problem))

    page = visit(ready=False, errors_with="Failed to load")
    page.route("**/indicators/components-to-repair?*", refuse)
    page.route("**/indicators/components?by=major*", lambda route: route.fulfill(status=404, json={"detail": "no"}))
    page.goto(f"{server_url}/{CITY}")
    await_map(page)
    bars = page.locator("[data-panel=bars]")
    expect(bars).to_have_count(1)
    expect(bars).to_contain_text("未能载入：指标正在首次统计，请稍后再试")
    page.unroute("**/indicators/components-to-repair?*")
    bars.get_by_role("button", name="重试").click()
    expect(page.locator("[data-panel=bars] .ranked-row").first).to_be_visible()


def test_the_list_is_walked_by_keyboard_and_opens_records_on_the_map(visit: Visit) -> None:
    page = visit(f"{CITY}&list=component", errors_with="Failed to load")
    lines = page.locator(".lines").first
    expect(lines.get_by_role("option")).to_have_count(50)
    lines.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    third = lines.get_by_role("option").nth(2)
    expect(third).to_have_class(re.compile(r"\bactive\b"))
    page.keyboard.press("Enter")
    expect(page.locator(".card h2")).to_have_text(third.locator(".name").inner_text())
    expect(third).to_have_attribute("aria-selected", "true")
    page.evaluate(IDLE)
    assert page.evaluate("() => window.__chengtu.map.getZoom()") > 14
    # What was read stays when the next page does not come.
    page.route(re.compile("/ogc/collections/component/items"), lambda route: route.abort(), times=1)
    lines.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    missed = page.locator(".list .missed")
    expect(missed).to_be_visible()
    expect(lines.get_by_role("option")).to_have_count(50)
    missed.get_by_role("button", name="重试").click()
    expect(missed).to_be_hidden()
    expect(lines.get_by_role("option")).to_have_count(100)
    lines.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    expect(lines.get_by_role("option")).to_have_count(150)
    expect(lines).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".card")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator(".list").first).to_be_hidden()


def test_the_list_is_sorted_by_a_field_and_saved_as_a_file(visit: Visit, server: Server) -> None:
    where = json.dumps({"component": {"state": {"in": ["broken"]}}})
    page = visit(f"{CITY}&list=component&where={where}")
    lines = page.locator(".lines").first.get_by_role("option")
    many = total(page)
    page.get_by_label("排序").select_option("first_date")
    page.get_by_role("button", name="升序").click()
    asked_for = {"filter": "state = 'broken'", "sortby": "-first_date", "limit": "1"}
    newest = asked(server, "/ogc/collections/component/items", **asked_for)["features"][0]["properties"]
    expect(page.get_by_role("button", name="降序")).to_be_visible()
    expect(lines.first.locator(".where")).to_have_text(newest["address"])
    with page.expect_download() as saved:
        page.get_by_label("导出").select_option("geojson")
    assert saved.value.suggested_filename == "component.geojson"
    assert len(json.loads(saved.value.path().read_text())["features"]) == many


def test_enter_lists_everything_that_a_search_finds_and_an_arrow_key_chooses_one(visit: Visit) -> None:
    page = visit()
    page.keyboard.press("/")
    page.keyboard.type("renmin")
    page.keyboard.press("Enter")
    results = page.locator(".list", has_text="“renmin”的搜索结果")
    expect(results.locator("h3").first).to_be_visible()
    expect(results.get_by_role("listbox")).to_be_focused()
    assert results.locator("h3").count() > 1
    page.keyboard.press("ArrowDown")
    second = results.get_by_role("option").nth(1)
    expect(second).to_have_class(re.compile(r"\bactive\b"))
    page.keyboard.press("Enter")
    expect(page.locator(".card h2")).to_have_text(second.locator(".name").inner_text())
    page.keyboard.press("Escape")
    expect(page.locator(".card")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(results).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("renmin")
    expect(page.locator(".hits")).to_be_visible()
    hit = page.locator(".hits").get_by_role("option").first
    page.keyboard.press("ArrowDown")
    expect(hit).to_have_attribute("aria-selected", "true")
    name = hit.locator(".name").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator(".card h2")).to_have_text(name)


def test_on_a_phone_the_panels_are_a_sheet_and_a_figure_opens_the_list(visit: Visit) -> None:
    page = visit(CITY, **PHONE)
    handle = page.locator(".topic-panels .handle")
    expect(figure(page, "components")).to_be_hidden()
    handle.tap()
    figure(page, "components-to-repair").tap()
    expect(figure(page, "components")).to_be_hidden()
    page.locator(".lines .record-line").first.tap()
    expect(page.locator(".card h2")).to_be_visible()
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320


def test_panels_and_lists_are_accessible_in_both_palettes_and_speak_english(visit: Visit) -> None:
    page = visit(f"{EMERGENCY}&lang=en&list=hazard_site", **DESK)
    expect(page.locator(".lines .record-line").first).to_be_visible()
    page.locator(".explain").first.click()
    expect(page.locator(".table .number").first).to_be_visible()
    expect(page.locator(".tile").first).to_contain_text("Key figures")
    assert page.evaluate(CHINESE) == []
    page.evaluate(AXE.read_text())
    for palette in ("dark", "light"):
        expect(page.locator("html")).to_have_attribute("data-palette", palette)
        found = page.evaluate("axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] })")
        assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found["violations"]] == []
        if palette == "dark":
            page.get_by_role("button", name="Switch to light").click()


def test_the_map_keeps_two_thirds_of_a_desk(visit: Visit) -> None:
    page = visit(CITY, **DESK)
    for topic in ("city-management", "emergency"):
        page.get_by_label("专题").select_option(topic)
        expect(page.locator(".tile b").first).to_have_text(re.compile(r"\d"))
        assert page.evaluate(COVERED) < 0.35
