"""The map in a real browser against the real server: no request may leave the host, no error may reach the console."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from gis.frames import convert
from tests.conftest import ROOT, Server
from tests.web import pages
from tests.web.pages import COLOURS, IDLE, VALUES, Visit, await_map, centre, layer_box

AXE = ROOT / "webmap" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

SHOWN_CELLS = """() => {
  const { map } = window.__chengtu;
  const cells = map.getStyle().layers.filter((layer) => layer.id.endsWith("-cells"));
  const zoom = map.getZoom();
  return cells
    .filter((layer) => layer.layout?.visibility !== "none" && (layer.minzoom ?? 0) <= zoom && zoom < layer.maxzoom)
    .map((layer) => layer.id);
}"""
browser, visit = pages.browser, pages.visit


@pytest.fixture(scope="session")
def component(server: Server) -> sa.Row[Any]:
    """A component with its place, farther than 30 m from any other."""
    alone = """
        select id, name, class_code, state, st_x(geom) as lon, st_y(geom) as lat from city.component a
        where not exists (select from city.component b where a.id <> b.id and st_dwithin(a.geom3857, b.geom3857, 35))
        order by id limit 1"""
    with server.database.reader.connect() as connection:
        return connection.execute(sa.text(alone)).one()


@pytest.fixture(scope="session")
def grid(server: Server) -> sa.Row[Any]:
    with server.database.reader.connect() as connection:
        return connection.execute(sa.text("select id, name from city.grid order by id limit 1")).one()


def test_the_map_opens_on_the_whole_city_and_draws_it(visit: Visit, server_url: str) -> None:
    page = visit()
    assert len(page.evaluate(VALUES, ["county-outline", "id"])) == 7
    assert page.evaluate(VALUES, ["component-cells", "id"])
    expect(page.locator(".badge")).to_have_text("合成演示数据")
    described = httpx.get(f"{server_url}/layers").json()["layers"]
    assert page.locator(".layer").count() == len(described) == 13
    count = next(layer["count"] for layer in described if layer["name"] == "component")
    expect(page.locator(".layer", has=layer_box(page, "component")).locator(".count")).to_have_text(f"{count:,}")
    assert urlsplit(page.url).fragment == ""


def test_the_map_is_not_blank(visit: Visit) -> None:
    page = visit()
    area = {"x": 330, "y": 20, "width": 880, "height": 640}
    picture = base64.b64encode(page.screenshot(clip=area, animations="disabled")).decode()
    assert page.evaluate(COLOURS, picture) > 40


def test_a_click_on_a_component_opens_its_card_in_words(visit: Visit, server_url: str, component: sa.Row[Any]) -> None:
    page = visit(f"#at=19/{component.lat}/{component.lon}")
    page.mouse.click(*centre(page))
    card = page.locator(".card")
    expect(card.locator("h2")).to_have_text(component.name)
    expect(card).to_contain_text(component.id)
    states = httpx.get(f"{server_url}/layers/component").json()["books"]["component_state"]
    expect(card).to_contain_text(states[component.state]["zh"])
    assert f"\n{component.class_code}\n" not in card.inner_text()
    assert f"open=component/{component.id}" in page.url


def test_the_pointer_over_a_component_says_what_it_is(visit: Visit, component: sa.Row[Any]) -> None:
    page = visit(f"#at=19/{component.lat}/{component.lon}")
    page.mouse.move(*centre(page))
    expect(page.locator(".tooltip")).to_contain_text(component.name)


def test_the_keyboard_alone_finds_a_grid_and_opens_it(visit: Visit, grid: sa.Row[Any]) -> None:
    page = visit()
    before = page.evaluate("() => window.__chengtu.map.getZoom()")
    page.keyboard.press("/")
    page.keyboard.type(grid.id)
    expect(page.locator(".hits").get_by_role("option").first).to_contain_text(grid.name)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator(".card h2")).to_have_text(grid.name)
    expect(page.locator(".card h2")).to_be_focused()
    page.evaluate(IDLE)
    assert page.evaluate("() => window.__chengtu.map.getZoom()") > before + 2
    expect(layer_box(page, "grid")).to_be_checked()
    page.keyboard.press("Escape")
    expect(page.locator(".card")).to_be_hidden()


def test_a_search_without_result_says_what_else_to_try(visit: Visit) -> None:
    page = visit()
    page.locator("#search").fill("qqqqzzzz")
    expect(page.locator(".hits")).to_contain_text("没有找到“qqqqzzzz”")


def test_reloading_the_url_shows_the_same(visit: Visit, component: sa.Row[Any]) -> None:
    lat, lon = round(component.lat, 5), round(component.lon, 5)
    page = visit(f"#at=16.5/{lat}/{lon}&layers=county,video&palette=light&lang=en&open=component/{component.id}")

    def told() -> list[Any]:
        expect(page.locator(".card")).to_contain_text(component.id)
        view = page.evaluate(
            "() => { const m = window.__chengtu.map; return [m.getZoom(), ...m.getCenter().toArray()]; }"
        )
        boxes = [layer_box(page, name).is_checked() for name in ("county", "video", "component")]
        look = page.evaluate("() => [document.documentElement.lang, document.documentElement.dataset.palette]")
        return [[round(value, 4) for value in view], boxes, look]

    first = told()
    assert first == [[16.5, round(lon, 4), round(lat, 4)], [True, True, False], ["en", "light"]]
    page.reload()
    await_map(page)
    assert told() == first


def test_language_and_palette_switch_without_a_reload(visit: Visit) -> None:
    page = visit()
    dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Switch to English").click()
    expect(page.locator(".handle, .layers legend").nth(1)).to_have_text("Shown")
    page.get_by_role("button", name="Switch to light").click()
    expect(page.locator("html")).to_have_attribute("data-palette", "light")
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") != dark
    page.evaluate(IDLE)
    ground = page.evaluate("() => window.__chengtu.map.getPaintProperty('background', 'background-color')")
    assert ground == page.evaluate("() => document.documentElement.style.getPropertyValue('--background')")
    assert "lang=en" in page.url
    assert "palette=light" in page.url


def test_one_density_is_shown_at_a_time_and_the_legend_names_it(visit: Visit) -> None:
    page = visit()
    assert page.evaluate(SHOWN_CELLS) == ["component-cells"]
    layer_box(page, "video").check()
    assert page.evaluate(SHOWN_CELLS) == ["video-cells"]
    choice = page.get_by_label("选择显示密度的图层")
    expect(choice).to_have_value("video")
    choice.select_option("component")
    assert page.evaluate(SHOWN_CELLS) == ["component-cells"]
    expect(page.locator(".density .unit")).to_have_text("个/km²")


def test_a_layer_that_is_switched_on_later_is_drawn(visit: Visit) -> None:
    page = visit()
    layer_box(page, "video").check()
    page.evaluate(IDLE)
    assert page.evaluate(VALUES, ["video-cells", "id"])


def test_a_class_that_is_switched_off_leaves_the_map(visit: Visit, component: sa.Row[Any]) -> None:
    page = visit(f"#at=14/{component.lat}/{component.lon}")
    majors = page.evaluate(VALUES, ["component-circle", "major"])
    assert "01" in majors
    page.locator(".class", has_text="市政公用设施").click()
    page.evaluate(IDLE)
    assert page.evaluate(VALUES, ["component-circle", "major"]) == [value for value in majors if value != "01"]
    expect(page.locator(".class", has_text="市政公用设施")).to_have_attribute("aria-pressed", "false")


def test_a_cell_tells_what_it_counts(visit: Visit, component: sa.Row[Any]) -> None:
    page = visit(f"#at=10/{component.lat}/{component.lon}&layers=county,component")
    page.mouse.click(*centre(page))
    card = page.locator(".card")
    expect(card.locator(".kicker")).to_have_text("城市部件 · 六边形")
    total = int(card.locator(".figure b").first.inner_text().replace(",", ""))
    assert total == sum(int(text.replace(",", "")) for text in card.locator(".bars b").all_inner_texts())


def test_a_spot_tells_its_areas_and_its_coordinates_in_every_frame(visit: Visit, component: sa.Row[Any]) -> None:
    lon, lat = round(component.lon, 5), round(component.lat, 5)
    page = visit(f"#at=15/{lat}/{lon}&open=@{lon},{lat}")
    card = page.locator(".card")
    for name in ("网格", "镇街", "县区", "六边形"):
        expect(card.get_by_text(name, exact=True)).to_be_visible()
    for frame in ("EPSG:4490", "EPSG:4549", "EPSG:4550", "GCJ-02", "BD-09"):
        card.get_by_label("坐标系").select_option(frame)
        expect(card.get_by_label("坐标系")).to_have_value(frame)
        x, y = (float(value) for value in card.locator(".figures-text").inner_text().split(","))
        right_x, right_y = convert(lon, lat, source="EPSG:4326", target=frame)
        assert (x, y) == pytest.approx((float(right_x), float(right_y)), abs=0.06 if "EPSG:45" in frame else 6e-6)


def test_enter_on_the_map_looks_up_its_centre(visit: Visit, component: sa.Row[Any]) -> None:
    page = visit(f"#at=19/{component.lat + 0.0002}/{component.lon}&layers=county")
    page.locator(".maplibregl-canvas").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".card .kicker")).to_have_text("此处")


def test_a_record_that_does_not_exist_is_told_so(visit: Visit) -> None:
    page = visit("#open=component/00000000000000000", errors_with="404")
    expect(page.locator(".card")).to_contain_text("没有这条记录")


def test_a_server_that_does_not_answer_is_told_and_asked_again(visit: Visit, server_url: str) -> None:
    page = visit(ready=False, errors_with="ERR_CONNECTION_REFUSED")
    page.route("**/layers", lambda route: route.abort("connectionrefused"))
    page.goto(f"{server_url}/")
    expect(page.get_by_role("alert")).to_contain_text("连不上服务器")
    page.unroute("**/layers")
    page.get_by_role("button", name="重试").click()
    await_map(page)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_administrator_signs_in_for_this_tab_only(visit: Visit, server: Server) -> None:
    page = visit(errors_with="401")
    page.get_by_role("button", name="登录").click()
    page.get_by_role("button", name="用令牌登录").click()
    page.get_by_label("管理员令牌").fill("wrong")
    page.locator("dialog .primary").click()
    expect(page.locator("dialog")).to_contain_text("令牌不被接受")
    page.get_by_label("管理员令牌").fill(server.token)
    with page.expect_request(lambda request: request.headers.get("authorization") == f"Bearer {server.token}"):
        page.locator("dialog .primary").click()
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()
    await_map(page)
    assert page.evaluate("() => localStorage.length") == 0


@pytest.mark.parametrize("width", [390, 320])
def test_on_a_phone_everything_fits_and_is_large_enough_to_touch(visit: Visit, width: int) -> None:
    page = visit(**{**PHONE, "viewport": {"width": width, "height": 844}})
    page.locator(".panel .handle").tap()
    layer_box(page, "video").check()
    assert page.evaluate("() => document.documentElement.scrollWidth") == width
    targets = page.locator("button:visible, label.layer:visible, .search input").all()
    sizes = [(target.inner_text(), box["height"]) for target in targets if (box := target.bounding_box())]
    assert [size for size in sizes if size[1] < 44] == []
    expect(page.locator(".badge")).to_be_visible()


def test_on_a_phone_the_card_leaves_what_it_tells_in_view(visit: Visit, component: sa.Row[Any]) -> None:
    page = visit(**PHONE)
    page.locator("#search").fill(component.id)
    page.locator(".hits").get_by_role("option").first.tap()
    expect(page.locator(".card h2")).to_have_text(component.name)
    page.evaluate(IDLE)
    card = page.locator(".card").bounding_box()
    x, y = page.evaluate(
        "([lon, lat]) => { const p = window.__chengtu.map.project([lon, lat]); return [p.x, p.y]; }",
        [component.lon, component.lat],
    )
    assert card
    assert 0 < x < 390
    assert 100 < y < card["y"]


@pytest.mark.parametrize("palette", ["dark", "light"])
def test_the_page_meets_wcag_aa(visit: Visit, component: sa.Row[Any], palette: str) -> None:
    page = visit(f"#palette={palette}&open=component/{component.id}")
    expect(page.locator(".card")).to_contain_text(component.id)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    rules = "() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] })"
    violations = page.evaluate(rules)["violations"]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in violations] == []


def test_tiles_that_fail_are_told_and_asked_again(visit: Visit, server_url: str) -> None:
    page = visit(ready=False, errors_with="ERR_FAILED")
    page.route("**/tiles/**", lambda route: route.abort("failed"))
    page.goto(f"{server_url}/")
    expect(page.get_by_role("alert")).to_contain_text("部分地图数据未能载入")
    page.unroute("**/tiles/**")
    page.get_by_role("button", name="重试").click()
    page.evaluate(IDLE)
    assert len(page.evaluate(VALUES, ["county-outline", "id"])) == 7
