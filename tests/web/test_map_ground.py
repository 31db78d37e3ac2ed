"""What lies under the city's things: a base map, and rasters that can be switched on."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mapbox_vector_tile
import numpy as np
import pytest
from playwright.sync_api import Page, expect
from rasterio.io import MemoryFile

from etl.basemap import add
from etl.rasters import RasterOrder, add_raster
from gis.archive import Kind
from gis.new_archive import write_archive
from gis.raster import write_grid
from gis.tilegrid import Box, tile_id, tile_of
from layers.spec import Title
from layers.store.basemap import FOLDER
from tests.conftest import ROOT, Server
from tests.web import pages
from tests.web.pages import IDLE, VALUES, Visit

pytestmark = [
    pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning"),
    # A picture knows nothing of the globe.
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
]
browser, visit = pages.browser, pages.visit

AXE = ROOT / "webmap" / "node_modules" / "axe-core" / "axe.min.js"
LON, LAT = 120.9, 32.0
CITY = Box(120.2, 31.6, 122.0, 32.7)
AT = f"#at=11/{LAT}/{LON}&layers=town"
SHOWN = """(id) => window.__chengtu.map.getStyle().layers.filter((each) => each.id.startsWith(id))
  .map((each) => [each.id, each.layout?.visibility ?? "visible"])"""
PIXEL = """(png) => new Promise((done) => {
  const image = new Image();
  image.onload = () => {
    const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
    context.drawImage(image, 0, 0, 1, 1);
    done([...context.getImageData(0, 0, 1, 1).data.slice(0, 3)]);
  };
  image.src = `data:image/png;base64,${png}`;
})"""


@pytest.fixture
def based(server: Server) -> Iterator[Server]:
    """The server, without a base map again afterwards."""
    yield server
    for path in (server.data / FOLDER).glob("*"):
        path.unlink()


def picture(side_px: int = 256) -> bytes:
    """A green tile."""
    with MemoryFile() as file:
        with file.open(driver="PNG", width=side_px, height=side_px, count=3, dtype="uint8") as image:
            image.write(np.stack([np.full((side_px, side_px), value, np.uint8) for value in (0, 200, 0)]))
        return bytes(file.read())


def drawing() -> bytes:
    """A tile half of which is water, with a street and a named place."""

    def layer(name: str, wkt: str, /, **properties: str) -> dict[str, Any]:
        return {"name": name, "features": [{"geometry": wkt, "properties": properties}]}

    parts = [
        layer("water", "POLYGON((0 0, 4096 0, 4096 2048, 0 2048, 0 0))"),
        layer("transportation", "LINESTRING(0 0, 4096 4096)"),
        layer("place", "POINT(2048 2048)", **{"name": "Tongzhou", "name:zh": "通州城"}),
    ]
    data: bytes = mapbox_vector_tile.encode(parts)
    return data


def put_base_map(server: Server, folder: Path, data: bytes, kind: Kind, **metadata: object) -> None:
    """Give every tile of the city, at one zoom, the same content."""
    _, left, top = tile_of(CITY.west, CITY.north, 8)
    _, right, bottom = tile_of(CITY.east, CITY.south, 8)
    tiles = sorted((tile_id(8, x, y), data) for x in range(left, right + 1) for y in range(top, bottom + 1))
    file = folder / "base.pmtiles"
    write_archive(file, tiles, kind=kind, compression="none", zooms=(8, 8), bounds=CITY, metadata=lambda: metadata)
    credit = Title("某市测绘院", "Survey of the city")
    add(file, server.data / FOLDER, name=None, attribution=credit, approval="苏S(2026)001号")


def colour_at_centre(page: Page) -> list[int]:
    x, y = pages.centre(page)
    shot = page.screenshot(clip={"x": x + 30, "y": y + 30, "width": 1, "height": 1}, animations="disabled")
    found: list[int] = page.evaluate(PIXEL, base64.b64encode(shot).decode())
    return found


def test_pictures_lie_under_the_city_and_are_credited(visit: Visit, based: Server, tmp_path: Path) -> None:
    put_base_map(based, tmp_path, picture(), "png")
    page = visit(AT)
    assert page.evaluate(SHOWN, "county-ground") == [["county-ground", "none"]]
    red, green, blue = colour_at_centre(page)
    assert green > red + 20
    assert green > blue + 20
    assert page.evaluate(VALUES, ["town-outline", "id"])
    expect(page.locator(".source")).to_contain_text("某市测绘院 · 苏S(2026)001号")
    expect(page.locator(".warning")).to_be_empty()


def test_a_vector_base_map_is_drawn_with_its_names(visit: Visit, based: Server, tmp_path: Path) -> None:
    declared: list[dict[str, Any]] = [{"id": name, "fields": {}} for name in ("place", "transportation", "water")]
    put_base_map(based, tmp_path, drawing(), "mvt", vector_layers=declared)
    page = visit(f"#at=8.5/{LAT}/{LON}&layers=county")
    drawn = [id for id, _ in page.evaluate(SHOWN, "base-")]
    assert drawn == ["base-water-fill", "base-water-line", "base-transportation-line", "base-place-name"]
    assert page.evaluate(VALUES, ["base-place-name", "name:zh"]) == ["通州城"]


def test_a_base_map_that_lies_off_is_never_shown_without_its_warning(visit: Visit, server: Server) -> None:
    page = visit(ready=False)
    warning = {"zh": "底图采用 GCJ-02 坐标，不可据此量测", "en": "The base map is in GCJ-02"}
    base = {
        "type": "raster", "tiles": ["/basemap/{z}/{x}/{y}"], "minzoom": 0, "maxzoom": 18, "bounds": list(CITY),
        "tileSize": 256, "vectorLayers": [], "attribution": {"zh": "某图", "en": "Some map"}, "approval": None,
        "frame": "GCJ-02", "warning": warning,
    }  # fmt: skip
    page.route("**/basemap", lambda route: route.fulfill(json={"base": base}))
    page.goto(f"{server.url}/{AT}")
    pages.await_map(page)
    expect(page.locator(".warning")).to_have_text(warning["zh"])
    assert page.locator(".notices button").count() == 0
    page.evaluate(AXE.read_text(encoding="utf-8"))
    rules = "() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] })"
    assert page.evaluate(rules)["violations"] == []


def test_a_raster_is_switched_on_with_its_legend_and_stays_in_the_link(
    visit: Visit, server: Server, tmp_path: Path
) -> None:
    values = np.add.outer(np.arange(100.0), np.arange(100.0))
    write_grid(values, tmp_path / "rain.tif", west=120.8, north=32.1, cell=(0.002, 0.002))
    title, credit = Title("降雨", "Rain"), Title("测试数据", "Test data")
    order = RasterOrder(tmp_path / "rain.tif", "t_rain", title, "mm", credit, synthetic=True, public=True)
    add_raster(order, server.data / "rasters")
    page = visit(AT)
    switch = page.locator("input[data-raster=t_rain]")
    expect(switch).not_to_be_checked()
    before = colour_at_centre(page)
    switch.check()
    page.evaluate(IDLE)
    assert math.dist(colour_at_centre(page), before) > 20
    expect(page.locator(".legend")).to_contain_text("降雨")
    expect(page.locator(".legend .unit").last).to_have_text("mm · 合成")
    assert "rasters=t_rain" in page.url
    listed = httpx.get(f"{server.url}/rasters").json()["rasters"]
    assert "t_rain" in [raster["name"] for raster in listed]
    strong = colour_at_centre(page)
    slider = page.get_by_role("slider", name="降雨 不透明度")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_be_focused()
    page.evaluate(IDLE)
    assert math.dist(colour_at_centre(page), before) < math.dist(strong, before) / 2
    assert "opacity=t_rain:0.1" in page.url
    page.reload()
    pages.await_map(page)
    expect(switch).to_be_checked()
    expect(slider).to_have_value("10")
    with page.expect_request(lambda request: "/rasters/t_rain/" in request.url and "palette=light" in request.url):
        page.get_by_role("button", name="切换到浅色").click()
    page.evaluate(IDLE)
    page.close()
    (server.data / "rasters" / "t_rain.tif").unlink()
