"""The planner's workbench in a real browser: built, told, run, linked, kept, compared, taken elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import geopandas as gpd
import httpx
import openpyxl
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Route, expect

from tests.conftest import ROOT, Server
from tests.web import pages

browser, visit = pages.browser, pages.visit
AXE = ROOT / "webmap" / "node_modules" / "axe-core" / "axe.min.js"
VISITOR = "plan"
Open = Callable[..., Page]


@pytest.fixture
def bench(visit: pages.Visit, server: Server) -> Open:
    """Opens the workbench; `admin` has signed in."""

    def open_page(fragment: str = "", *, admin: bool = False, **options: object) -> Page:
        page = visit(ready=False, **options)
        if admin:
            page.add_init_script(f"sessionStorage.setItem('chengtu.token', {json.dumps(server.token)})")
        page.goto(f"{server.url}/plan{fragment}")
        pages.await_map(page)
        return page

    return open_page


def run(page: Page) -> None:
    """Run what is built, and wait for its answer."""
    page.locator("#plan-run:not([disabled])").click()
    expect(page.locator("#plan-cancel")).to_have_count(0)
    expect(page.locator(".answer-head .figure")).to_be_visible()


def take(page: Page, id: str) -> None:
    """Take up a question that is ready or kept."""
    shelf = page.locator(".shelf")
    if shelf.get_attribute("open") is None:
        shelf.locator("> summary").click()
    page.locator(f"[data-question={id}]").click()


def features(page: Page) -> list[dict[str, object]]:
    """What the map holds of the answer."""
    found: list[dict[str, object]] = page.evaluate(
        "async () => (await window.__chengtu.map.getSource('answer').getData()).features"
    )
    return found


def lit(page: Page) -> list[int]:
    """The rows that are lit on the map."""
    return list(
        page.evaluate(
            """() => { const { map } = window.__chengtu;
            return [...Array(5000).keys()].filter((id) => map.getFeatureState({ source: 'answer', id }).lit); }"""
        )
    )


def drawn_polygon(page: Page) -> None:
    """Draw a square of 300 pixels in the middle of the map."""
    page.locator("#plan-where-0-polygon").click()
    x, y = pages.centre(page)
    for dx, dy in ((-150, -100), (150, -100), (150, 100), (-150, 100), (-150, 100)):
        page.mouse.move(x + dx, y + dy)
        page.mouse.click(x + dx, y + dy)


def test_a_question_is_built_told_in_words_run_and_linked(bench: Open) -> None:
    page = bench()
    assert page.title().startswith("规划工作台")
    expect(page.locator("#plan-run")).to_be_disabled()
    expect(page.locator(".telling .statement")).to_have_text("还差：选一个图层")
    page.select_option("#plan-layer", "component")
    page.locator("#plan-where-more").click()
    expect(page.locator(".telling .statement")).to_contain_text("还差：定好每个条件")
    drawn_polygon(page)
    expect(page.locator(".telling .statement")).to_contain_text("位于所绘区域")
    expect(page.locator(".telling")).to_contain_text("数据库估计")
    page.locator(".forms summary").click()
    expect(page.locator(".cql2")).to_contain_text("S_INTERSECTS(geom, POLYGON")
    run(page)
    told = page.locator(".answer-head .told h2").inner_text()
    assert "位于所绘区域" in told
    rows = page.locator("tbody tr")
    shown = features(page)
    assert len(shown) > 20
    expect(page.locator(".figure")).to_have_text(f"{len(shown):,} 条")
    # Chart to table and map, and back.
    bar = page.locator(".bar-line").first
    n = int(bar.locator(".n").inner_text())
    bar.click()
    expect(bar).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".picked-note")).to_contain_text(f"已选 {n} 条")
    expect(rows).to_have_count(min(n, 100))
    assert len(lit(page)) == n
    bar.click()
    expect(page.locator(".picked-note")).to_be_hidden()
    assert lit(page) == []
    # Table to map.
    rows.nth(2).locator(".row-name").click()
    expect(rows.nth(2)).to_have_class(re.compile("picked"))
    expect(rows.nth(2)).to_have_attribute("aria-selected", "true")
    # The row that came under the pointer as the table scrolled is hovered no more.
    page.locator(".answer-head .figure").hover()
    expect(page.locator("tbody tr.lit")).to_have_count(0)
    assert lit(page) == [2]
    link = rows.nth(2).locator(".open-link").get_attribute("href")
    assert link
    assert "open=component/" in unquote(link)


def test_the_map_lights_the_row_that_was_clicked(bench: Open) -> None:
    page = bench("#ask=" + json.dumps({"ask": "count", "layer": "grid", "by": "county"}))
    run(page)
    page.evaluate(pages.IDLE)
    x, y = pages.centre(page)
    page.mouse.click(x, y)
    expect(page.locator("tr.picked")).to_have_count(1)
    assert len(lit(page)) == 1
    assert page.locator(".answer-legend p").count() >= 2


def test_the_url_holds_the_question(bench: Open) -> None:
    page = bench()
    page.select_option("#plan-ask", "coverage_gap")
    page.select_option("#plan-layer", "grid")
    page.select_option("#plan-of-layer", "component")
    page.select_option("#plan-of-filter-add", "state")
    page.locator("#plan-of-filter-state\\=intact").check()
    page.locator("#plan-distance").fill("1500")
    expect(page.locator(".telling .statement")).to_contain_text("1,500 米以内没有城市部件（状态为“完好”）")
    again = bench("#" + page.url.partition("#")[2])
    expect(again.locator("#plan-ask")).to_have_value("coverage_gap")
    expect(again.locator("#plan-of-filter-state\\=intact")).to_be_checked()
    expect(again.locator("#plan-distance")).to_have_value("1500")
    expect(again.locator(".telling .statement")).to_have_text(page.locator(".telling .statement").inner_text())


def test_an_area_is_chosen_by_its_name_and_a_result_is_the_place_of_the_next(bench: Open) -> None:
    page = bench("#ask=" + json.dumps({"ask": "select", "layer": "place"}))
    page.locator("#plan-where-more").click()
    page.select_option("#plan-where-0-target", "area")
    page.locator("#plan-where-0-search").fill("崇川区")
    page.locator(".hit-button", has_text="崇川区 · 县").click()
    expect(page.locator(".chosen-area")).to_have_text("崇川区")
    run(page)
    n = len(features(page))
    assert n > 5
    page.select_option("#plan-layer", "video")
    page.select_option("#plan-where-0-target", "result")
    page.select_option("#plan-where-0-result", index=1)
    page.select_option("#plan-where-0-relation", "sees")
    expect(page.locator(".telling .statement")).to_contain_text("视场内有结果“地名地址：查询”中的对象")
    run(page)
    expect(page.locator(".told h2")).to_contain_text("视场内有")
    # What stands on a result of a day cannot be kept, and says so.
    page.locator("#plan-keep").click()
    page.locator("dialog .primary").click()
    expect(page.locator("dialog .wrong")).to_contain_text("只保留一天")


def test_an_expert_writes_cql2_and_is_told_what_is_wrong_with_it(bench: Open) -> None:
    page = bench("#ask=" + json.dumps({"ask": "count", "layer": "component", "by": "total"}), errors_with="400")
    page.select_option("#plan-filter-add", label="直接写 CQL2")
    page.locator("#plan-filter-cql2").fill("stat = 'broken'")
    expect(page.locator(".statement.wrong")).to_contain_text("没有可用于过滤的字段“stat”")
    expect(page.locator("#plan-run")).to_be_disabled()
    page.locator("#plan-filter-cql2").fill("state = 'broken' OR owner LIKE '%水务%'")
    expect(page.locator(".telling .statement")).to_contain_text("统计城市部件")
    run(page)
    assert int(page.locator(".figure").inner_text().replace(",", "")) > 1
    again = bench("#" + page.url.partition("#")[2])
    expect(again.locator("#plan-filter-cql2")).to_have_value("state = 'broken' OR owner LIKE '%水务%'")
    expect(again.locator(".clauses .hint")).to_contain_text("只能以 CQL2 编辑")


def test_points_are_picked_on_the_map_or_taken_from_its_centre(bench: Open, server: Server) -> None:
    with server.database.reader.connect() as connection:
        start = "select st_startpoint(st_geometryn(geom, 1)) p from city.road where kind = 'residential' order by id"
        lon, lat = connection.execute(sa.text(f"select st_x(p), st_y(p) from ({start} limit 1) r")).one()
    page = bench(f"#at=14/{lat}/{lon}&ask=" + json.dumps({"ask": "isochrone", "minutes": [3, 6], "by": "walking"}))
    expect(page.locator(".telling .statement")).to_contain_text("还差：取一个点")
    page.locator("#plan-point-pick").click()
    expect(page.locator(".drawing-hint")).to_contain_text("Esc 取消")
    page.keyboard.press("Escape")
    expect(page.locator(".drawing-hint")).to_be_hidden()
    page.locator("#plan-point-pick").click()
    page.keyboard.press("Enter")
    expect(page.locator(".telling .statement")).to_contain_text(f"从点 {lon:.5f}"[:9])
    run(page)
    assert {feature["geometry"]["type"] for feature in features(page)} >= {"MultiPolygon"}  # type: ignore[index]


def test_a_visitor_keeps_a_question_in_the_browser_and_compares_its_runs(bench: Open) -> None:
    page = bench("#ask=" + json.dumps({"ask": "count", "layer": "component", "by": "county"}), errors_with="401")
    expect(page.locator(".saved")).to_contain_text("保存在本浏览器中")
    run(page)
    page.locator("#plan-keep").click()
    page.locator("#keep-title").fill("各县区部件")
    page.locator("dialog .primary").click()
    expect(page.locator(".current h2")).to_have_text("各县区部件")
    run(page)
    expect(page.locator(".current")).to_contain_text("上次")
    page.evaluate(
        """() => { const book = JSON.parse(localStorage["chengtu.questions"]);
        const [runs] = Object.values(book.runs);
        const rows = runs[0].summary.rows.map((row) => [...row]);
        rows.shift(); rows[0][2] -= 1; rows.push(["999999", "从前的县", 4, 120.9, 32.1]);
        runs.push({ ...runs[0], id: 0, at: "2026-10-01T08:00:00+08:00", summary: { ...runs[0].summary, rows } });
        const twin = new Date(runs[0].at); twin.setSeconds(twin.getSeconds() === 0 ? 1 : 0);
        runs.push({ ...runs[0], id: -1, at: twin.toISOString() });
        localStorage["chengtu.questions"] = JSON.stringify(book); }"""
    )
    page.reload()
    pages.await_map(page)
    expect(page.locator(".current h2")).to_have_text("各县区部件")
    page.locator(".runs summary").click()
    times = page.locator("#plan-earlier option").all_inner_texts()
    assert len(set(times)) == len(times) == 3
    later = page.locator("#plan-later").input_value()
    page.select_option("#plan-earlier", later)
    page.locator("#plan-compare").click()
    expect(page.locator(".runs [role=alert]")).to_contain_text("同一次运行")
    page.select_option("#plan-earlier", index=1)
    page.locator("#plan-compare").click()
    tallies = page.locator(".comparison-head .tally")
    expect(tallies).to_have_text(["＋1新增", "－1消失", "±1变化"])
    head = page.locator(".comparison-head .told")
    expect(head.locator("h2")).to_have_text("两次结果的差别 · 各县区部件")
    expect(head.locator(".detail")).to_contain_text(re.compile(r"较早：2026-10-01 08:00，.+；较晚：\d{4}-.+ 条"))
    expect(head.locator(".badge")).to_have_text("合成演示数据")
    expect(page.locator("tr.gone")).to_contain_text("从前的县")
    changes = page.evaluate("async () => (await window.__chengtu.map.getSource('changes').getData()).features.length")
    assert changes == 3
    expect(page.locator(".answer-legend")).to_contain_text("消失")
    page.get_by_role("button", name="Switch to English").click()
    expect(head.locator(".detail")).to_contain_text("Earlier: 2026-10-01 08:00")
    page.get_by_role("button", name="切换到中文").click()
    expect(tallies).to_have_text(["＋1新增", "－1消失", "±1变化"])
    page.locator(".shelf > summary").click()
    page.get_by_role("button", name="删除“各县区部件”").click()
    page.locator("dialog").get_by_role("button", name="删除").click()
    expect(page.locator(".saved")).to_contain_text("还没有保存的问题")
    # A token that was revoked meanwhile does not keep the page shut.
    page.evaluate("() => sessionStorage.setItem('chengtu.token', 'revoked')")
    page.reload()
    expect(page.locator(".banner")).to_contain_text("登录已失效")
    page.locator(".banner button", has_text="退出").click()
    pages.await_map(page)


def test_who_signed_in_keeps_questions_at_the_server(bench: Open, server: Server) -> None:
    page = bench(admin=True)
    take(page, "broken-by-town")
    expect(page.locator(".current")).to_contain_text("看比率")
    run(page)
    expect(page.locator(".current")).to_contain_text("上次")
    runs = httpx.get(f"{server.url}/questions/broken-by-town/runs", headers=server.admin).json()["runs"]
    assert runs[0]["rows"] == int(page.locator(".figure").inner_text().split()[0])
    page.select_option("#plan-by", "county")
    expect(page.locator(".run .hint")).to_contain_text("已改动")
    run(page)
    after = httpx.get(f"{server.url}/questions/broken-by-town/runs", headers=server.admin).json()["runs"]
    assert len(after) == len(runs)
    page.locator("#plan-keep").click()
    page.locator("#keep-title").fill("各县区破损率")
    page.locator("dialog .primary").click()
    expect(page.locator(".current h2")).to_have_text("各县区破损率")
    listed = httpx.get(f"{server.url}/questions", headers=server.admin).json()["questions"]
    (kept,) = [one for one in listed if one["title"]["zh"] == "各县区破损率"]
    assert kept["question"]["by"] == "county"
    httpx.delete(f"{server.url}/questions/{kept['id']}", headers=server.admin)


def test_a_long_run_tells_how_long_and_is_cancelled(bench: Open) -> None:
    page = bench("#ask=" + json.dumps({"ask": "count", "layer": "component", "by": "total"}))
    held: list[Route] = []
    page.route("**/query", lambda route: held.append(route))
    page.locator("#plan-run:not([disabled])").click()
    expect(page.locator(".progress")).to_contain_text("服务器正在计算")
    expect(page.locator(".clock")).to_have_text(re.compile(r"^[1-9]\d*\.\d 秒$"))
    page.locator("#plan-cancel").click()
    expect(page.locator(".progress")).to_have_text("已取消，服务器已停止计算。")
    assert len(held) == 1
    page.unroute("**/query")
    run(page)


def test_what_was_cut_says_so(bench: Open) -> None:
    page = bench("#ask=" + json.dumps({"ask": "select", "layer": "component", "limit": 7}))
    run(page)
    expect(page.locator(".cut")).to_contain_text("结果被截断：还有更多，只给出前 7 条")
    nothing = bench("#ask=" + json.dumps({"ask": "select", "layer": "place", "filter": "name = 'nowhere'"}))
    run(nothing)
    expect(nothing.locator(".answer .empty")).to_contain_text("没有符合条件的对象")


def test_the_answer_goes_out_as_files_a_picture_a_url_and_python(
    bench: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = bench("#ask=" + json.dumps({"ask": "select", "layer": "place", "filter": "kind = 'school'"}),
                 permissions=["clipboard-read", "clipboard-write"])  # fmt: skip
    run(page)
    n = len(features(page))
    page.locator(".menu summary").first.click()
    saved = {}
    for name in ("Excel", "CSV", "GeoJSON", "GeoPackage", "GeoParquet", "网页地图（离线可开）", "图片（当前地图）"):
        with page.expect_download() as coming:
            page.get_by_role("button", name=name, exact=True).click()
        path = tmp_path / coming.value.suggested_filename
        coming.value.save_as(path)
        saved[path.suffix] = path
    assert set(saved) == {".xlsx", ".csv", ".geojson", ".gpkg", ".parquet", ".html", ".png"}
    assert len(gpd.read_file(saved[".geojson"])) == len(gpd.read_parquet(saved[".parquet"])) == n
    assert openpyxl.load_workbook(saved[".xlsx"]).worksheets[0].max_row == n + 1
    assert saved[".png"].read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert saved[".png"].stat().st_size > 20_000
    page.locator(".menu summary").nth(1).click()
    page.get_by_role("button", name="复制 QGIS 用的网址").click()
    url = page.evaluate("navigator.clipboard.readText()")
    assert len(httpx.get(url).json()["features"]) == n
    page.get_by_role("button", name="复制为 Python").click()
    python = page.evaluate("navigator.clipboard.readText()").replace(
        "from chengtu import", "from webmap.notebook import"
    )
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(python.replace("city.show(answer)", ""), names)
    assert len(names["answer"]) == n  # type: ignore[arg-type]


@pytest.mark.parametrize("palette", ["dark", "light"])
def test_the_workbench_is_accessible_and_wholly_translated(bench: Open, palette: str) -> None:
    fragment = {"ask": "count", "layer": "component", "by": "town",
                "where": [{"relation": "near", "layer": "place", "distance_m": 500}]}  # fmt: skip
    page = bench(f"#lang=en&palette={palette}&ask=" + json.dumps(fragment))
    run(page)
    assert page.evaluate("document.documentElement.lang") == "en"
    chinese = page.locator(".side, .answer-head, thead").all_inner_texts()
    left = [text for text in chinese if re.search("[\u4e00-\u9fff]", text.replace("中", ""))]
    assert left == []
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] })")
    assert [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found["violations"]] == []


@pytest.mark.parametrize("width", [320, 390])
def test_it_can_be_read_on_a_phone(bench: Open, width: int) -> None:
    page = bench("#ask=" + json.dumps({"ask": "count", "layer": "component", "by": "class"}),
                 viewport={"width": width, "height": 844}, has_touch=True, is_mobile=True)  # fmt: skip
    expect(page.locator("#plan-run")).to_be_in_viewport(ratio=1)
    run(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.locator("tbody tr").first).to_be_visible()
    # The answer comes into sight by itself, and who hears the page is there, too; one press leads back.
    heading = page.locator(".answer-head h2")
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    expect(page.locator(".stage")).to_be_in_viewport(ratio=0.9)
    expect(page.locator("#plan-ask")).not_to_be_in_viewport()
    page.get_by_role("button", name="回到问题").click()
    expect(page.locator("#plan-ask")).to_be_in_viewport()
    expect(page.locator(".form h3").first).to_be_focused()
