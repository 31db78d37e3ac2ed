"""How layers are drawn, and which of their records: looks, order, opacity, conditions, and stacks of things."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from layers.store.engine import begin
from tests.conftest import ROOT, Server
from tests.web import pages
from tests.web.pages import COLOURS, IDLE, VALUES, Visit, centre

browser, visit = pages.browser, pages.visit
AXE = ROOT / "webmap" / "node_modules" / "axe-core" / "axe.min.js"

# How many of the areas on the map are of which class.
SHADES = """(area) => {
  const { map } = window.__chengtu;
  const found = new Map();
  for (const { id } of map.queryRenderedFeatures({ layers: [`component-areas-${area}`] })) {
    found.set(id, map.getFeatureState({ source: `areas-${area}`, sourceLayer: area, id }).shade);
  }
  const counts = {};
  for (const shade of found.values()) counts[shade] = (counts[shade] ?? 0) + 1;
  return counts;
}"""
# Whether a component is drawn or not, as it should be.
DRAWN = """([id, there]) => {
  const found = window.__chengtu.map.queryRenderedFeatures({ layers: ["component-circle"] });
  return found.some(({ properties }) => properties.id === id) === there;
}"""
LAYER_IDS = "() => window.__chengtu.map.getStyle().layers.map((layer) => layer.id)"
STACK = 40


def fragment(page: Page) -> str:
    return unquote(urlsplit(page.url).fragment)


def entry(page: Page, name: str) -> Locator:
    """The lines of a layer in the panel."""
    return page.locator(f"[data-entry={name}]")


def opened(page: Page, name: str) -> Locator:
    """The same with its menu open."""
    found = entry(page, name)
    found.locator(".unfold").click()
    expect(found.locator(".layer-menu")).to_be_visible()
    return found


def test_the_keyboard_moves_a_layer_up_and_the_map_and_the_link_follow(visit: Visit) -> None:
    page = visit("#layers=county,road,component")
    names = page.locator(".shown .entry").evaluate_all("(all) => all.map((each) => each.dataset.entry)")
    assert names == ["component", "road", "county"]
    entry(page, "road").locator(".grip").focus()
    page.keyboard.press("ArrowUp")
    expect(entry(page, "road").locator(".grip")).to_be_focused()
    assert "layers=county,component,road" in fragment(page)
    ids = page.evaluate(LAYER_IDS)
    assert ids.index("component-circle") < ids.index("road-line")
    page.keyboard.press("End")
    assert "layers=road,county,component" in fragment(page)


def test_a_layer_is_dragged_to_its_place(visit: Visit) -> None:
    page = visit("#layers=county,road,component")
    page.evaluate(pages.IDLE)  # counts and legends have come, and nothing moves any more
    grip, goal = entry(page, "county").locator(".grip"), entry(page, "component")
    grip.hover()  # waits until it rests: legends that come late push it down
    page.mouse.down()
    expect(entry(page, "county")).to_have_class(re.compile(r"\bdragged\b"))
    start, end = grip.bounding_box(), goal.bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + start["width"] / 2, end["y"] + 4, steps=4)
    page.mouse.up()
    expect(page.locator(".shown .entry").first).to_have_attribute("data-entry", "county")
    assert "layers=road,component,county" in fragment(page)


def test_opacity_reaches_the_map_and_the_link(visit: Visit) -> None:
    page = visit("#layers=county,road,component")
    slider = opened(page, "road").get_by_role("slider")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    expect(slider).to_be_focused()
    assert "opacity=road:0.8" in fragment(page)
    before = page.evaluate("() => window.__chengtu.map.getPaintProperty('road-line', 'line-opacity')")
    page.keyboard.press("Home")
    after = page.evaluate("() => window.__chengtu.map.getPaintProperty('road-line', 'line-opacity')")
    assert json.dumps(before) != json.dumps(after)


def test_conditions_in_the_link_are_met_by_all_that_is_drawn(visit: Visit, server: Server) -> None:
    with server.database.reader.connect() as connection:
        broken = "select st_x(geom), st_y(geom) from city.component where state = 'broken' order by id limit 1"
        lon, lat = connection.execute(sa.text(broken)).one()
    page = visit(f"#at=13.5/{lat}/{lon}&layers=component")
    assert len(page.evaluate(VALUES, ["component-circle", "state"])) > 1
    where = json.dumps({"component": {"state": {"in": ["broken"]}}})
    page.evaluate("(where) => { location.hash += `&where=${encodeURIComponent(where)}`; }", where)
    page.evaluate(IDLE)
    assert page.evaluate(VALUES, ["component-circle", "state"]) == ["broken"]
    expect(entry(page, "component").locator(".filtered")).to_be_visible()
    page.evaluate("() => window.__chengtu.map.jumpTo({ zoom: 11 })")
    page.evaluate(IDLE)
    counts = page.evaluate(
        """() => window.__chengtu.map.queryRenderedFeatures({ layers: ["component-cells"] })
             .map(({ properties }) => properties.n)"""
    )
    with server.database.reader.connect() as connection:
        total = connection.scalar(sa.text("select count(*) from city.component where state = 'broken'"))
    assert 0 < sum(counts) <= 2 * total  # a cell may lie in two tiles


def test_filters_show_counts_and_change_the_map_and_the_link(visit: Visit, server: Server) -> None:
    page = visit("#layers=county,component")
    menu = opened(page, "component")
    with server.database.reader.connect() as connection:
        broken = connection.scalar(sa.text("select count(*) from city.component where state = 'broken'"))
    state = menu.locator("[data-column=state]")
    state.locator("summary").click()
    value = state.locator(".value", has_text="破损")
    expect(value.locator(".count")).to_have_text(f"{broken:,}")
    value.click()
    expect(menu.locator(".total")).to_have_text(f"{broken:,} 个符合条件")
    assert '"state":{"in":["broken"]}' in fragment(page)
    expect(value.locator("input")).to_be_checked()
    expect(state.locator(".chosen")).to_have_text("破损")
    menu.get_by_role("button", name="列出").click()
    assert "list=component" in fragment(page)
    menu.get_by_role("button", name="清除").click()
    assert "where=" not in fragment(page)
    expect(entry(page, "component").locator(".filtered")).to_have_count(0)


def test_the_legend_of_a_filtered_layer_shows_no_counts_of_the_whole(visit: Visit) -> None:
    page = visit("#layers=pollution")
    counts = page.locator(".legend .classes .count")
    expect(counts).not_to_have_count(0)
    box = opened(page, "pollution")
    box.locator("[data-column=status] summary").click()
    box.locator("[data-column=status] input").first.check()
    expect(page.locator(".legend .classes .class")).not_to_have_count(0)
    expect(counts).to_have_count(0)
    box.locator("[data-key=clear]").click()
    expect(counts).not_to_have_count(0)


def test_a_period_is_chosen_by_two_days_or_at_once(visit: Visit) -> None:
    page = visit("#layers=county,component")
    period = opened(page, "component").locator(".layer-period")
    period.locator("summary").click()
    period.get_by_label("起").fill("2015-01-01")
    period.get_by_label("起").blur()
    assert '"first_date":{"from":"2015-01-01"}' in fragment(page)
    period.get_by_label("按哪个时间").select_option("changed_at")
    assert '"changed_at":{"from":"2015-01-01"}' in fragment(page)
    assert "first_date" not in fragment(page)
    week = period.get_by_role("button", name="近 7 天")
    week.click()
    expect(week).to_have_attribute("aria-pressed", "true")
    week.click()
    assert "where=" not in fragment(page)


def test_areas_are_coloured_as_their_legend_counts_them(visit: Visit) -> None:
    page = visit("#layers=county,town,component")
    opened(page, "component").get_by_role("button", name="镇街").click()
    assert "looks=component:town" in fragment(page)
    rows = page.locator(".shades .class .count")
    expect(rows.first).to_be_visible()
    page.evaluate(IDLE)
    told = [int(text.removesuffix(" 个")) for text in rows.all_inner_texts()]
    drawn = page.evaluate(SHADES, "town")
    assert sum(drawn.values()) == sum(told) == 100
    classes = sorted((int(shade) for shade in drawn), reverse=True)
    assert [drawn[str(shade)] for shade in classes] == told
    expect(page.locator(".shades .unit")).to_have_text("个/km²")
    page.get_by_label("分级方法").select_option("manual")
    bounds = page.get_by_label("分级界值")
    bounds.fill("5, 1")
    bounds.press("Enter")
    assert bounds.evaluate("(input) => input.validationMessage") != ""
    bounds.fill("0.1, 1")
    bounds.press("Enter")
    assert "breaks=0.1,1" in fragment(page)
    expect(page.locator(".shades .class .name").first).to_have_text("> 1")
    page.evaluate(IDLE)
    assert set(page.evaluate(SHADES, "town")) <= {"-1", "0", "1", "2"}


def test_grids_are_coloured_from_near_and_towns_stand_in_from_afar(visit: Visit) -> None:
    page = visit("#layers=county,component&looks=component:grid")
    expect(page.locator(".shades h3")).to_have_text("城市部件：按镇（街道）")
    expect(page.locator(".shades")).to_contain_text("放大后按治理网格着色")
    page.evaluate("() => window.__chengtu.map.jumpTo({ center: [120.86, 32.01], zoom: 12 })")
    expect(page.locator(".shades h3")).to_have_text("城市部件：按治理网格")
    expect(page.locator(".shades .class").first).to_be_visible()
    page.evaluate(IDLE)
    assert sum(page.evaluate(SHADES, "grid").values()) > 3


def test_heat_is_drawn_and_records_are_not(visit: Visit) -> None:
    page = visit("#layers=county,component&looks=component:heat")
    picture = base64.b64encode(
        page.screenshot(clip={"x": 330, "y": 20, "width": 880, "height": 640}, animations="disabled")
    ).decode()
    assert page.evaluate(COLOURS, picture) > 400
    expect(page.locator(".density h3")).to_have_text("热力：城市部件")
    assert page.evaluate(VALUES, ["component-cells", "id"]) == []
    opened(page, "component").get_by_role("button", name="符号").click()
    assert "looks=" not in fragment(page)


def test_a_class_lights_up_on_the_map_and_in_the_legend_wherever_it_is_pointed_at(visit: Visit, server: Server) -> None:
    with server.database.reader.connect() as connection:
        some = "select major, st_x(geom), st_y(geom) from city.component order by id offset 20 limit 1"
        major, lon, lat = connection.execute(sa.text(some)).one()
    page = visit(f"#at=18/{lat}/{lon}&layers=component")
    row = page.locator(f"[data-class='component:{major}']")
    row.hover()
    assert "component-circle-hover" in page.evaluate(LAYER_IDS)
    page.evaluate(IDLE)
    assert page.evaluate(VALUES, ["component-circle-hover", "major"]) == [major]
    page.mouse.move(*centre(page))
    expect(row).to_have_class("class lit")
    assert "component-circle-hover" not in page.evaluate(LAYER_IDS)
    page.mouse.move(5, 5)
    expect(row).to_have_class("class")


def test_a_record_that_comes_to_meet_the_conditions_appears(visit: Visit, server: Server) -> None:
    with server.database.reader.connect() as connection:
        intact = "select id, st_x(geom), st_y(geom) from city.component where state = 'intact' order by id offset 77"
        id, lon, lat = connection.execute(sa.text(f"{intact} limit 1")).one()
    where = json.dumps({"component": {"state": {"in": ["abandoned"]}}})
    page = visit(f"#at=17/{lat}/{lon}&layers=component&where={where}")
    expect(page.locator(".live[data-state=live]")).to_be_visible()
    assert id not in page.evaluate(VALUES, ["component-circle", "id"])
    url = f"{server.url}/items/component/{id}"
    for state, there in (("abandoned", True), ("intact", False)):
        headers = {**server.admin, "If-Match": httpx.get(url).headers["etag"]}
        assert httpx.patch(url, json={"properties": {"state": state}}, headers=headers).status_code == 200
        page.wait_for_function(DRAWN, arg=[id, there], polling=100)


@pytest.fixture
def stack(server: Server) -> Iterator[tuple[float, float]]:
    """Where many components stand on one pole; they are gone again at the end."""
    copied = "standard, class_code, state, geom, cell, grid_id, admin_code, source"
    with begin(server.database.engine, actor="test") as connection:
        place = "select id, st_x(geom), st_y(geom) from city.component order by id desc offset 60 limit 1"
        id, lon, lat = connection.execute(sa.text(place)).one()
        connection.execute(
            sa.text(
                f"insert into city.component (id, name, {copied}) "
                f"select 'stack-' || n, '杆上设备' || n, {copied} from city.component, generate_series(1, :n) n "
                "where id = :id"
            ),
            {"id": id, "n": STACK},
        )
    yield lon, lat
    with begin(server.database.engine, actor="test") as connection:
        connection.execute(sa.text("delete from city.component where id like 'stack-%'"))


def test_many_things_on_one_pole_open_as_a_list_to_search(visit: Visit, stack: tuple[float, float]) -> None:
    lon, lat = stack
    page = visit(f"#at=19/{lat}/{lon}&layers=component")
    page.mouse.click(*centre(page))
    card = page.locator(".card")
    expect(card.get_by_role("listbox")).to_be_visible()
    options = card.get_by_role("option")
    assert int(options.first.get_attribute("aria-setsize") or 0) > STACK
    search = card.get_by_role("combobox")
    search.fill("杆上设备7")
    expect(options).to_have_count(1)
    search.fill("杆上设备")
    search.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    search.press("Enter")
    expect(card.locator("h2")).to_contain_text("杆上设备2")
    assert "open=component/stack-2" in fragment(page)


@pytest.mark.parametrize("palette", ["dark", "light"])
def test_the_opened_panel_holds_no_barrier(visit: Visit, palette: Any) -> None:
    page = visit(f"#palette={palette}&layers=county,town,component&looks=component:town", color_scheme=palette)
    menu = opened(page, "component")
    menu.locator("summary").first.click()
    menu.locator(".layer-period summary").click()
    expect(page.locator(".shades .class").first).to_be_visible()
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }).then(({ violations }) => violations"
        ".map(({ id, nodes }) => [id, nodes.map(({ target }) => target.join()).slice(0, 3)]))"
    )
    assert found == []
