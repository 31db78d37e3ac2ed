"""The stand-alone page, opened from a file in a real browser that has no network."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from playwright.sync_api import Browser, Page, Route, expect

from layers.export.sheet import Sheet, SheetColumn
from layers.spec import Title
from layers.words import book_of
from tests.web import pages
from webmap import drawn, page
from webmap.classes import classes
from webmap.leaflet import MapNotBuilt, leaflet

COLUMNS = (
    SheetColumn("id", Title("标识码", "Id"), "text"),
    SheetColumn("name", Title("部件名称", "Name"), "text"),
    SheetColumn("state", Title("状态", "State"), "code", book="component_state"),
    SheetColumn("height", Title("高度", "Height"), "number", unit="m"),
)
FIRST, SECOND = book_of("component_state").entries[:2]
NASTY = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    "{{ 7*7 }} {% raw %} {# gone #}",
    "`${alert(4)}` \\u003c \"'",
)

browser = pages.browser

Opened = Callable[..., Page]


def sheet(table: gpd.GeoDataFrame, **changes: Any) -> Sheet:
    made = Sheet(
        title=Title("城市部件", "City components"),
        statement=Title("濠河边的部件", "Components along the Haohe"),
        columns=COLUMNS,
        spatial=True,
        rows=len(table),
        truncated=False,
        synthetic=False,
        made_at=dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        batches=lambda: iter([table[:3], table[3:]]),
        attribution=Title("演示 & 数据", "Demo & data"),
    )
    return replace(made, **changes)


def records(names: tuple[str, ...] | list[str], shapes: list[Any] | None = None) -> gpd.GeoDataFrame:
    states = [(FIRST.code, SECOND.code, None)[i % 3] for i in range(len(names))]
    places = shapes or [shapely.Point(120.86 + i / 100, 32.0) for i in range(len(names))]
    data = {"id": [f"{i:017d}" for i in range(len(names))], "name": list(names), "state": states, "height": 2.5}
    return gpd.GeoDataFrame(data, geometry=places, crs=4326)


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Writes a page and opens it; at the end nothing may have been asked of the network, nor gone wrong."""
    context = browser.new_context(viewport={"width": 1000, "height": 700}, offline=True)
    asked: list[str] = []
    wrong: list[str] = []

    def refuse(route: Route) -> None:
        if route.request.url.startswith("file://"):
            route.continue_()
        else:
            route.abort()

    def open_page(what: Sheet, **options: Any) -> Page:
        path = tmp_path / "page.html"
        page.write(what, path, **options)
        shown = context.new_page()
        shown.route("**/*", refuse)
        shown.on("request", lambda request: asked.append(request.url))
        shown.on("pageerror", lambda error: wrong.append(str(error)))
        shown.on("console", lambda message: wrong.append(message.text))
        shown.on("dialog", lambda dialog: wrong.append(dialog.message))
        shown.goto(path.as_uri())
        return shown

    yield open_page
    context.close()
    assert [url for url in asked if not url.startswith(("file://", "data:"))] == []
    assert wrong == []


def canvas_colours(shown: Page) -> set[str]:
    """The colours that stand on the map's canvas, as #rrggbb."""
    found = shown.evaluate("""async () => {
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
      const map = document.querySelector("canvas");
      const copy = Object.assign(document.createElement("canvas"), { width: map.width, height: map.height });
      const context = copy.getContext("2d", { willReadFrequently: true });
      context.drawImage(map, 0, 0);
      const data = context.getImageData(0, 0, copy.width, copy.height).data;
      const seen = new Set();
      for (let i = 0; i < data.length; i += 4)
        if (data[i + 3]) seen.add(data.slice(i, i + 3).join());
      return [...seen];
    }""")
    return {"#" + "".join(f"{int(part):02x}" for part in text.split(",")) for text in found}


def test_the_page_draws_records_by_class_with_a_legend(opened: Opened) -> None:
    shown = opened(sheet(records(["一", "二", "三", "四"]), truncated=True, synthetic=True))
    expect(shown).to_have_title("城市部件")
    expect(shown.locator("h1")).to_contain_text("濠河边的部件")
    expect(shown.locator(".about")).to_contain_text("共 4 条")
    expect(shown.locator(".about")).to_contain_text("结果已截断")
    expect(shown.locator(".about")).to_contain_text("生成于 2026-01-02 08:00")
    expect(shown.locator(".synthetic")).to_have_text("合成演示数据 synthetic")
    rows = shown.locator(".leaflet-control-layers-overlays label")
    assert [text.split() for text in rows.all_inner_texts()] == [[FIRST.zh, "2"], [SECOND.zh, "1"], ["无", "1"]]
    expect(shown.locator(".leaflet-control-layers-overlays")).to_have_attribute("data-title", "状态")
    expect(shown.locator(".leaflet-control-scale")).to_have_text(re.compile(r"^\d+ k?m$"))
    expect(shown.locator(".leaflet-control-attribution")).to_contain_text("演示 & 数据")
    assert {"#0072b2", "#9c6a00"} <= canvas_colours(shown)
    rows.first.locator("input").uncheck()
    assert "#0072b2" not in canvas_colours(shown)


def test_a_click_shows_the_titled_values_of_a_record(opened: Opened) -> None:
    shown = opened(sheet(records(["雨水井盖"])))
    box = shown.locator(".folium-map").bounding_box()
    assert box
    shown.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    card = shown.locator(".leaflet-popup-content tr")
    expect(card).to_have_count(4)
    assert [text.split("\t") for text in card.all_inner_texts()] == [
        ["标识码", "0" * 17],
        ["部件名称", "雨水井盖"],
        ["状态", f"{FIRST.zh} {FIRST.code}"],
        ["高度（m）", "2.5"],
    ]


@pytest.mark.parametrize("name", NASTY)
def test_a_record_called_like_a_program_stays_text(name: str, opened: Opened) -> None:
    classes_too = (SheetColumn("name", Title(name, name), "text"),)
    table = records([name, "二"])[["name", "geometry"]]
    words = Title(name, name)
    shown = opened(
        sheet(table, columns=classes_too, title=words, statement=words, attribution=words, colour_by="name"),
        context=gpd.GeoDataFrame({"name": [name]}, geometry=[shapely.box(120, 31, 121, 32.5)], crs=4326),
    )
    expect(shown).to_have_title(name)
    expect(shown.locator("h1")).to_contain_text(name)
    expect(shown.locator(".leaflet-control-attribution")).to_contain_text(name)
    expect(shown.locator(".leaflet-control-layers-overlays label").first).to_contain_text(name)
    expect(shown.locator(".leaflet-tooltip")).to_have_text(name)
    shown.evaluate("(kind) => { for (const p of Object.values(window).filter((v) => v instanceof L.GeoJSON))"
                   " p.eachLayer((l) => l.feature.properties[kind] && l.openPopup()); }", "cells")  # fmt: skip
    expect(shown.locator(".leaflet-popup-content")).to_have_count(1)


def test_areas_are_coloured_by_a_number(opened: Opened) -> None:
    shapes = [shapely.box(120 + i / 10, 32, 120.1 + i / 10, 32.1) for i in range(10)]
    areas = records([str(i) for i in range(10)], shapes).assign(state=None, height=np.arange(10.0))
    shown = opened(sheet(areas), lang="en")
    labels = shown.locator(".leaflet-control-layers-overlays label").all_inner_texts()
    assert [re.sub(r"\s+", " ", text).strip() for text in labels] == [
        "8 – 9 2", "6 – 7 2", "4 – 5 2", "2 – 3 2", "0 – 1 2",
    ]  # fmt: skip
    expect(shown.locator(".leaflet-control-layers-overlays")).to_have_attribute("data-title", "Height (m)")
    expect(shown.locator("html")).to_have_attribute("lang", "en")
    expect(shown.locator(".count")).to_have_text("10 records")


def test_what_has_no_place_or_no_room_is_said(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "MOST_FEATURES", 4)
    monkeypatch.setattr(drawn, "MOST_VERTICES", 100)
    round_place = shapely.Point(120, 32).buffer(0.5)
    places = [None, shapely.Point(), round_place, shapely.Point(121, 32), round_place, round_place, round_place]
    shown = opened(sheet(records([str(i) for i in range(7)], places)))
    expect(shown.locator(".about")).to_contain_text("共 7 条")
    expect(shown.locator(".about")).to_contain_text("本页只列出前 4 条")
    expect(shown.locator(".about")).to_contain_text("2 条没有位置")
    expect(shown.locator(".about")).to_contain_text("轮廓已简化")


def test_an_answer_without_places_is_a_table(opened: Opened) -> None:
    table = gpd.GeoDataFrame(pd.DataFrame(records([*NASTY]).drop(columns="geometry")))
    shown = opened(sheet(table, spatial=False))
    expect(shown.locator("table.answer tbody tr")).to_have_count(5)
    for row, name in enumerate(NASTY):
        expect(shown.locator("table.answer tbody tr").nth(row).locator("td").nth(1)).to_have_text(name)
    assert shown.locator(".folium-map").count() == 0


def test_an_empty_answer_says_so(opened: Opened) -> None:
    shown = opened(sheet(records([])))
    expect(shown.locator("main")).to_contain_text("没有可显示的记录")


def test_twenty_thousand_records_make_a_page_of_bounded_size(opened: Opened, tmp_path: Path) -> None:
    many = records([f"部件{i}" for i in range(20_000)])
    many = many.set_geometry(gpd.points_from_xy(120 + np.arange(20_000) % 200 / 200, 32 + np.arange(20_000) / 40_000))
    shown = opened(sheet(many.set_crs(4326), rows=25_000))
    expect(shown.locator(".about")).to_contain_text("本页只列出前 20,000 条")
    expect(shown.locator("canvas")).to_be_attached()
    assert (tmp_path / "page.html").stat().st_size < 10_000_000


def test_classes_take_the_most_frequent_codes_and_leave_none_out() -> None:
    table = records([str(i) for i in range(60)]).assign(name=[str(min(i, 20)) for i in range(60)])
    found = classes(sheet(table, colour_by="name"), pd.DataFrame(table), areas=False, lang="en")
    assert len(found.rows) == 8
    assert found.rows[-1].label == "other"
    assert sum(row.members for row in found.rows).tolist() == [1] * 60
    assert len({row.colour for row in found.rows}) == 8


@pytest.mark.parametrize("numbers", [[1, 1, 1], [1, 2, None], [None, None, 3], list(range(100)), [0.5, 1e9, -3]])
def test_ranges_hold_every_number_once(numbers: list[float | None]) -> None:
    table = records([str(n) for n in numbers]).assign(height=pd.array(numbers, dtype="Float64"), state=None)
    found = classes(sheet(table, colour_by="height"), pd.DataFrame(table), areas=False, lang="zh")
    assert sum(row.members for row in found.rows).tolist() == [1] * len(numbers)
    assert all(row.label for row in found.rows)


def test_without_the_built_map_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MapNotBuilt, match="npm run build"):
        leaflet(tmp_path)
