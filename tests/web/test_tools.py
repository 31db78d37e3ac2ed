"""The tools beside the map, as people use them: in a real browser, on a real server."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, expect
from pyproj import Geod

from etl.rasters import RasterOrder, add_raster
from gis.raster import write_grid
from layers.spec import Title
from tests.conftest import Server
from tests.web import pages
from tests.web.pages import IDLE, PATIENCE_MS, Visit, await_map, centre

browser, visit = pages.browser, pages.visit
AT = "#at=14/31.98/120.89"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
AXE = Path(__file__).resolve().parents[2] / "webmap" / "node_modules" / "axe-core" / "axe.min.js"
UNPROJECT = "([x, y]) => window.__chengtu.map.unproject([x, y]).toArray()"
DRAWN = """(kind) => window.__chengtu.map.queryRenderedFeatures({ layers: ["tool-marks-" + kind] }).length"""


def take(page: Page, tool: str) -> None:
    """Open a tool and wait until it has the map in hand."""
    page.locator(f".tools [data-tool={tool}]").click()
    expect(page.locator(f".tool[data-tool={tool}]")).to_be_visible()
    if tool in ("measure", "draw"):
        page.wait_for_function("() => window.__chengtu.map.getSource('td-polygon') !== undefined")


def sketch(page: Page, *points: tuple[float, float]) -> None:
    for x, y in points:
        page.mouse.move(x, y, steps=3)
        page.mouse.click(x, y)


def marks_in(page: Page) -> str | None:
    found = re.search(r"marks=([^&]*)", urlsplit(page.url).fragment)
    return unquote(found[1]) if found else None


def test_a_distance_and_an_area_are_measured_as_on_the_ellipsoid(visit: Visit) -> None:
    page = visit(AT)
    geod = Geod(ellps="WGS84")
    take(page, "measure")
    line = [(450.0, 250.0), (750.0, 300.0)]
    sketch(page, *line, line[-1])
    told = page.locator(".measured-list b").first
    expect(told).to_have_text(re.compile(r"^[\d.]+ km$"))
    (lon1, lat1), (lon2, lat2) = (page.evaluate(UNPROJECT, list(point)) for point in line)
    metres = geod.inv(lon1, lat1, lon2, lat2)[2]
    assert float(told.inner_text().split()[0]) * 1000 == pytest.approx(metres, rel=0.002)

    page.locator("[data-choice=area]").click()
    ring = [(450.0, 400.0), (700.0, 420.0), (600.0, 560.0)]
    sketch(page, *ring, ring[-1])
    told = page.locator(".measured-list b").nth(1)
    expect(told).to_have_text(re.compile(r"m²$"))
    lons, lats = zip(*(page.evaluate(UNPROJECT, list(point)) for point in ring), strict=True)
    area = abs(geod.polygon_area_perimeter(lons, lats)[0])
    assert float(told.inner_text().split()[0].replace(",", "")) == pytest.approx(area, rel=0.005)
    assert marks_in(page) is None  # what is measured is kept nowhere
    page.locator(".tool .icon-button").click()
    expect(page.locator(".tool")).to_be_hidden()
    page.evaluate(IDLE)
    assert page.evaluate(DRAWN, "line") == 0


def test_while_a_tool_has_the_map_a_click_opens_no_card(visit: Visit) -> None:
    page = visit(AT)
    take(page, "measure")
    sketch(page, (500, 300))
    expect(page.locator(".card")).to_be_hidden()
    page.locator(".tools [data-tool=measure]").click()
    page.mouse.click(*centre(page))
    expect(page.locator(".card")).to_be_visible()


def test_a_mark_with_its_note_is_in_the_link_and_can_be_undone(visit: Visit) -> None:
    page = visit(AT)
    take(page, "draw")
    sketch(page, (500, 300))
    note = page.locator(".marks input")
    expect(note).to_be_focused()
    note.fill("井盖缺失")
    note.press("Enter")
    expect(page).to_have_url(re.compile("marks="))
    assert (marks_in(page) or "").endswith("!井盖缺失")
    page.locator("[data-choice=circle]").click()
    sketch(page, (650, 400), (700, 430))
    expect(page.locator(".marks li")).to_have_count(2)
    expect(page.locator(".marks .count").nth(1)).to_have_text(re.compile(r"^R \d"))

    other = visit(ready=False)
    other.goto(page.url)
    await_map(other)
    other.evaluate(IDLE)
    assert other.evaluate(DRAWN, "fill") >= 1
    assert other.evaluate(DRAWN, "point") == 1

    with page.expect_download() as download:
        page.get_by_role("button", name="导出 GeoJSON").click()
    exported = json.loads(download.value.path().read_text("utf-8"))
    assert [feature["geometry"]["type"] for feature in exported["features"]] == ["Point", "Polygon"]
    assert exported["features"][0]["properties"]["note"] == "井盖缺失"

    page.locator(".marks [title=删除]").nth(0).click()
    expect(page.locator(".marks li")).to_have_count(1)
    page.get_by_role("button", name="撤销").click()
    expect(page.locator(".marks li")).to_have_count(2)
    page.get_by_role("button", name="全部清除").click()
    expect(page.locator(".marks .empty")).to_be_visible()
    assert marks_in(page) is None


def test_marks_outlive_another_palette_and_other_layers(visit: Visit) -> None:
    page = visit(f"{AT}&marks=p1zyyoo.j1h5u!here")
    page.evaluate(IDLE)
    assert page.evaluate(DRAWN, "point") == 1
    colour = "() => window.__chengtu.map.getPaintProperty('tool-marks-point', 'circle-color')"
    dark = page.evaluate(colour)
    page.locator("input[data-layer=grid]").click()
    page.get_by_role("button", name="切换到浅色").click()
    expect(page.locator("html[data-palette=light]")).to_be_attached()
    page.wait_for_function(f"(dark) => ({colour})() !== dark", arg=dark)
    page.evaluate(IDLE)
    assert page.evaluate(DRAWN, "point") == 1


def test_marks_that_are_too_many_for_a_link_stay_in_the_browser(visit: Visit) -> None:
    page = visit(AT)
    one = "a" + ".".join(["1zyyoo", "j1h5u", "rs", "0", "0", "rs"])
    page.goto(f"{page.url.split('#')[0]}?b{AT}&marks={'~'.join([one] * 90)}")
    await_map(page)
    take(page, "draw")
    expect(page.locator(".marks li")).to_have_count(90)
    page.locator(".marks [title=删除]").nth(0).click()
    expect(page.locator(".marks li")).to_have_count(89)
    assert marks_in(page) == "here"
    page.reload()
    await_map(page)
    take(page, "draw")
    expect(page.locator(".marks li")).to_have_count(89)


def test_the_view_is_shared_as_a_link_and_a_code(visit: Visit) -> None:
    page = visit(AT)
    take(page, "share")
    field = page.locator(".tool .link input")
    expect(field).to_have_value(page.url)
    expect(page.locator(".tool .qr[role=img]")).to_be_visible()
    before = page.locator(".tool .qr path").get_attribute("d")
    page.locator("input[data-layer=grid]").click()
    expect(field).to_have_value(re.compile("grid"))
    assert page.locator(".tool .qr path").get_attribute("d") != before


def test_the_value_of_a_raster_is_told_under_the_pointer(visit: Visit, server: Server, tmp_path: Path) -> None:
    write_grid(np.full((40, 40), 12.5), tmp_path / "a.tif", west=120.7, north=32.2, cell=(0.01, 0.01))
    title = Title("测试高程", "Test height")
    order = RasterOrder(tmp_path / "a.tif", "t_probe", title, "m", title, synthetic=False, public=True)
    add_raster(order, server.data / "rasters")
    deadline = time.monotonic() + 20
    while httpx.get(f"{server.url}/rasters/t_probe/point?lon=0&lat=0").status_code != 200:
        assert time.monotonic() < deadline
    page = visit(f"{AT}&rasters=t_probe")
    page.mouse.move(600, 300)
    page.mouse.move(620, 320)
    expect(page.locator(".probe")).to_have_text("测试高程 12.5 m")


def test_a_period_on_the_time_slider_becomes_a_condition(visit: Visit) -> None:
    page = visit("#layers=county,component")
    take(page, "time")
    period = page.locator(".period")
    expect(period).to_have_text(re.compile(r"^20\d\d – 20\d\d$"))
    whole = period.inner_text()
    low = page.locator(".track input").first
    low.focus()
    low.press("ArrowRight")
    expect(period).not_to_have_text(whole)
    expect(page).to_have_url(re.compile("where="))
    where = json.loads(unquote(re.search(r"where=([^&]*)", page.url)[1]))  # type: ignore[index]
    start = int(whole[:4]) + 1
    assert where["component"]["first_date"]["from"] == f"{start}-01-01"
    page.get_by_role("button", name="播放").click()
    expect(page.get_by_role("button", name="暂停")).to_be_visible()
    page.get_by_role("button", name="全部时间").click()
    expect(period).to_have_text(whole)
    expect(page.get_by_role("button", name="播放")).to_be_visible()
    expect(page).not_to_have_url(re.compile("component.*first_date"))


def test_the_map_is_printed_as_it_is_seen(visit: Visit) -> None:
    page = visit(f"{AT}&marks=p1zyyoo.j1h5u!here")
    page.get_by_role("button", name="打印").click()
    dialog = page.locator("dialog.print")
    expect(dialog.locator("img")).to_be_visible(timeout=PATIENCE_MS)
    dialog.get_by_label("标题").fill("测试图")
    dialog.get_by_role("button", name="A4 纵向").click()
    upright = (
        "() => { const img = document.querySelector('dialog.print img'); return img.naturalHeight > img.naturalWidth }"
    )
    page.wait_for_function(upright, arg=dialog.locator("img").element_handle())
    with page.expect_download() as download, page.expect_request("**/print?format=pdf") as asked:
        dialog.get_by_role("button", name="PDF").click()
    assert download.value.suggested_filename == "chengtu.pdf"
    assert download.value.path().read_bytes().startswith(b"%PDF")
    order = asked.value.post_data_json
    assert order["title"] == "测试图"
    assert "tool-marks" in order["style"]["sources"]
    assert any(part["title"] == "城市部件" for part in order["legend"])
    assert all(
        tile.startswith("/") for source in order["style"]["sources"].values() for tile in source.get("tiles", [])
    )
    dialog.get_by_role("button", name="关闭").click()
    expect(dialog).to_have_count(0)


def test_a_line_is_measured_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit(AT)
    take(page, "measure")
    canvas = page.locator(".maplibregl-canvas")
    canvas.focus()
    canvas.press(" ")
    page.evaluate("() => window.__chengtu.map.jumpTo({ center: [120.9, 31.98] })")
    canvas.press(" ")
    canvas.press("Enter")
    expect(page.locator(".measured-list b")).to_have_text(re.compile(r"^9\d\d(\.\d+)? m$"))


@pytest.mark.parametrize("palette", ["dark", "light"])
@pytest.mark.parametrize("tool", ["measure", "draw", "time", "share"])
def test_no_tool_is_shut_to_anyone(visit: Visit, palette: str, tool: str) -> None:
    page = visit(f"{AT}&palette={palette}&marks=p1zyyoo.j1h5u!here")
    take(page, tool)
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        "() => axe.run('.tools, .tool', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })"
        ".then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))"
    )
    assert found == []


def test_on_a_phone_a_tool_is_a_sheet_from_below(visit: Visit) -> None:
    page = visit(AT, **PHONE)
    take(page, "draw")
    box = page.locator(".tool").bounding_box()
    assert box
    assert box["x"] == 0
    assert box["width"] == 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
