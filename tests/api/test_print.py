"""The map on paper: what is on it, who may have it, and what is refused before anything is drawn."""

from __future__ import annotations

import json
import re
import time
import zlib
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from layers.catalog import built_in
from layers.spec import Title
from layers.store.definitions import layer_from_parts
from layers.store.engine import begin
from layers.store.schema import add_layer
from tests.conftest import Server
from webmap.printing import paper
from webmap.printing.face import Face
from webmap.printing.style import MOST_DRAWN, MOST_SOURCES

LAYER_KEYS = ("id", "type", "source", "source-layer", "minzoom", "maxzoom", "filter", "layout", "paint")
SOURCE_KEYS = ("type", "tiles", "minzoom", "maxzoom", "bounds", "promoteId")
CENTRE = (120.89, 31.98)


@pytest.fixture(scope="module")
def style(server: Server) -> dict[str, Any]:
    """The served style in the colours of print, with what only a screen needs left out."""
    served = httpx.get(f"{server.url}/styles/print.json").json()
    return {
        "version": 8,
        "sources": {name: kept(source, SOURCE_KEYS) for name, source in served["sources"].items()},
        "layers": [kept(layer, LAYER_KEYS) for layer in served["layers"]],
    }


@pytest.fixture(scope="module")
def internal(server: Server) -> str:
    """The name of a layer that only administrators may know of."""
    fields = [field for field in built_in()["place"].fields if field.name == "name"]
    layer = layer_from_parts("secret_cisterns", Title("水井", "Wells"), "Point", fields)
    with begin(server.database.engine, actor="test") as connection:
        add_layer(connection, layer)
    deadline = time.monotonic() + 10
    while httpx.get(f"{server.url}/layers/secret_cisterns", headers=server.admin).status_code != 200:
        assert time.monotonic() < deadline
    return "secret_cisterns"


def kept(given: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key in keys}


def order(style: dict[str, Any], **changes: Any) -> dict[str, Any]:
    west, south = CENTRE[0] - 0.05, CENTRE[1] - 0.03
    bounds = [west, south, west + 0.1, south + 0.06]
    return {"style": style, "title": "城区部件一览", "zoom": 13, "bounds": bounds, "dpi": 100, **changes}


def printed(server: Server, body: dict[str, Any], format: str = "png", **headers: str) -> httpx.Response:
    sent = {"content-type": "application/json", **headers}
    # Not httpx's own JSON, which cannot write half a letter.
    return httpx.post(
        f"{server.url}/print", params={"format": format}, content=json.dumps(body), headers=sent, timeout=60
    )


def picture(response: httpx.Response) -> Image.Image:
    assert response.status_code == 200, response.text
    return Image.open(BytesIO(response.content))


def text_of(pdf: bytes) -> str:
    """The text of our own one-page PDF: the glyph numbers of the page, read by the map that the font comes with."""
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    streams = [zlib.decompress(raw) if raw[:1] == b"x" else raw for raw in packed]
    letters: dict[int, str] = {}
    for stream in streams:
        for code, letter in re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>", stream):
            letters[int(code, 16)] = bytes.fromhex(letter.decode()).decode("utf-16-be")
    page = next(stream for stream in streams if stream.startswith(b"2 J"))
    lines = re.findall(rb"\((.*?)(?<!\\)\) Tj", page, re.DOTALL)
    return "\n".join(_line(line, letters) for line in lines)


def _line(raw: bytes, letters: dict[int, str]) -> str:
    plain = re.sub(rb"\\([()\\])", rb"\1", raw).replace(rb"\r", b"\r").replace(rb"\n", b"\n")
    return "".join(letters.get(int.from_bytes(plain[at : at + 2], "big"), "?") for at in range(0, len(plain), 2))


def test_a_print_is_a4_in_the_resolution_that_was_asked_for(server: Server, style: dict[str, Any]) -> None:
    lying = picture(printed(server, order(style, dpi=150)))
    assert lying.size == (1754, 1240)
    assert round(lying.info["dpi"][0]) == 150
    assert picture(printed(server, order(style, orientation="portrait", dpi=72))).size == (595, 842)


def test_the_map_is_drawn_with_its_layers_and_names(server: Server, style: dict[str, Any]) -> None:
    with_layers = picture(printed(server, order(style)))
    background = [layer for layer in style["layers"] if layer["type"] == "background"]
    without = picture(printed(server, order({"version": 8, "sources": {}, "layers": background})))
    assert colours(with_layers) > 20
    assert colours(without) == 1
    road = next(layer for layer in style["layers"] if layer["id"] == "road-line")
    red = {**road, "paint": {"line-color": "#ff0000", "line-width": 6}}
    drawn = picture(printed(server, order({**style, "layers": [*background, red]})))
    assert sum(n for n, colour in drawn.getcolors(1 << 20) or [] if colour == (255, 0, 0)) > 1000


def colours(picture: Image.Image) -> int:
    """In the middle of the map of a lying sheet."""
    width, height = picture.size
    middle = picture.convert("RGB").crop((width // 10, height // 4, width // 2, 3 * height // 4))
    return len(middle.getcolors(1 << 24) or [])


def test_what_was_drawn_on_the_map_is_printed(server: Server, style: dict[str, Any]) -> None:
    area = {"type": "Polygon", "coordinates": [[[120.87, 31.97], [120.91, 31.97], [120.91, 31.99], [120.87, 31.97]]]}
    data = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": area}]}
    marks = {"id": "marks", "type": "fill", "source": "marks", "paint": {"fill-color": "#00ff00"}}
    sources = {**style["sources"], "marks": {"type": "geojson", "data": data}}
    drawn = picture(printed(server, order({**style, "sources": sources, "layers": [*style["layers"], marks]})))
    assert sum(n for n, colour in drawn.getcolors(1 << 20) or [] if colour == (0, 255, 0)) > 1000


def test_shapes_are_printed_as_the_map_draws_them(server: Server) -> None:
    point = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": CENTRE}}
    sources = {"x": {"type": "geojson", "data": {"type": "FeatureCollection", "features": [point]}}}

    def inked(shape: str) -> float:
        """The share of the box around the symbol that the symbol fills."""
        layout = {"icon-image": f"shape-{shape}", "icon-size": 3}
        symbol = {"id": "x", "type": "symbol", "source": "x", "layout": layout, "paint": {"icon-color": "#00ff00"}}
        background = {"id": "background", "type": "background", "paint": {"background-color": "#ffffff"}}
        drawn = {"version": 8, "sources": sources, "layers": [background, symbol]}
        legend = [{"title": "危险源", "rows": [{"label": "一级", "colour": "#ff0000", "shape": shape}]}]
        sheet = picture(printed(server, order(drawn, legend=legend))).convert("RGB")
        assert any(colour == (255, 0, 0) for _, colour in sheet.getcolors(1 << 20) or []), "the legend has it"
        red, green, blue = np.moveaxis(np.asarray(sheet), 2, 0)
        rows, columns = np.nonzero((green > 200) & (red < 60) & (blue < 60))
        return len(rows) / (np.ptp(rows) + 1) / (np.ptp(columns) + 1)

    assert inked("triangle") == pytest.approx(0.5, abs=0.1)
    assert inked("square") > 0.9


def test_a_pdf_says_what_it_is_in_text(server: Server, style: dict[str, Any]) -> None:
    legend = [
        {"title": "城市部件", "rows": [{"label": "市政公用设施", "colour": "#0072b2", "shape": "circle"}]},
        {"title": "密度", "unit": "个/km²", "ramp": {"colours": ["#ffffff", "#000000"], "ticks": ["1", "1000"]}},
    ]
    shown = ["video-online", "hazards-inspected"]
    body = order(
        style, subtitle="筛选：状态 破损", legend=legend, indicators=shown, scale=10_000, lon=CENTRE[0], lat=CENTRE[1]
    )
    response = printed(server, body, "pdf")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/pdf"
    assert re.search(r'filename="chengtu-[\d-]+\.pdf"', response.headers["content-disposition"])
    text = text_of(response.content)
    for said in ("城区部件一览", "筛选：状态 破损", "市政公用设施", "个/km²", "1000", "1:10,000", "北", "合成演示数据"):
        assert said in text
    assert "来源：合成演示数据" in text
    (online,) = httpx.get(f"{server.url}/indicators/video-online").json()["values"]
    for said in ("关键指标", "视频在线率", f"{online['value']:.1f}%", "危险源受检率", "近 365 天"):
        assert said in text
    assert re.search(r"截至 20\d\d-\d\d-\d\d \d\d:\d\d", text)
    assert printed(server, order(style, indicators=["nothing"])).json()["code"] == "unknown_indicator"
    assert re.search(r"制图时间 20\d\d-\d\d-\d\d \d\d:\d\d", text)
    assert "审图号" not in text  # this city has none
    assert len(response.content) < 1_000_000
    english = text_of(printed(server, order(style, lang="en"), "pdf").content)
    assert "Synthetic demo data" in english
    assert re.search(r"^1:[\d,]+ \(A4", english, re.MULTILINE)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ({"type": "geojson", "data": "file:///etc/passwd"}, "sources.x.data"),
        ({"type": "geojson", "data": "http://127.0.0.1:1/a.json"}, "sources.x.data"),
        ({"type": "vector", "url": "mbtiles:///etc/passwd"}, "sources.x.url"),
        ({"type": "vector", "tiles": ["http://127.0.0.1:1/{z}/{x}/{y}.mvt"]}, "sources.x.tiles"),
        ({"type": "vector", "tiles": ["file:///{z}/{x}/{y}"]}, "sources.x.tiles"),
        ({"type": "vector", "tiles": ["/tiles/../items/{z}/{x}/{y}.mvt"]}, "sources.x.tiles"),
        ({"type": "vector", "tiles": ["/tiles/road/{z}/{x}/{y}.mvt?token=a"]}, "sources.x.tiles"),
        ({"type": "vector", "tiles": ["/rasters/relief/{z}/{x}/{y}.png"]}, "sources.x.tiles"),
        ({"type": "raster", "tiles": ["/rasters/relief/{z}/{x}/{y}.png"], "tileSize": 1}, "sources.x.tileSize"),
        ({"type": "raster-dem", "tiles": ["/rasters/relief/{z}/{x}/{y}.png"]}, "sources.x.type"),
        ({"type": "image", "url": "/etc/passwd"}, "sources.x.url"),
        ({"type": "vector", "tiles": ["/tiles/road/{z}/{x}/{y}.mvt"], "maxzoom": 99}, "sources.x.maxzoom"),
    ],
)
def test_a_source_that_is_not_ours_is_refused(
    server: Server, style: dict[str, Any], source: dict[str, Any], place: str
) -> None:
    refused(printed(server, order({**style, "sources": {**style["sources"], "x": source}})), place)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"sprite": "file:///etc/passwd"}, "style.sprite"),
        ({"glyphs": "http://127.0.0.1:1/{fontstack}/{range}.pbf"}, "style.glyphs"),
        ({"font-faces": {"City Sans": "file:///etc/passwd"}}, "style.font-faces"),
        ({"version": 7}, "version"),
        ({"layers": []}, "layers"),
        ({"layers": [{"id": "a", "type": "fill", "source": "nothing"}]}, "layers[0].source"),
        ({"layers": [{"id": "a", "type": "fill", "source": ["city"]}]}, "layers[0].source"),
        ({"half a letter \ud800": 1}, "style.half a letter ?"),
        ({"layers": [{"id": "a", "type": "hillshade", "source": "city"}]}, "layers[0].type"),
        ({"layers": [{"id": "a", "type": "background", "ref": "b"}]}, "layers[0].ref"),
        ({"sources": {str(n): {} for n in range(MOST_SOURCES + 1)}}, "sources"),
    ],
)
def test_a_style_with_anything_else_in_it_is_refused(
    server: Server, style: dict[str, Any], change: dict[str, Any], place: str
) -> None:
    refused(printed(server, order({**style, **change})), place)


def test_more_drawings_than_fit_are_refused(server: Server, style: dict[str, Any]) -> None:
    data = {"type": "FeatureCollection", "features": [], "more": "x" * MOST_DRAWN}
    sources = {**style["sources"], "x": {"type": "geojson", "data": data}}
    refused(printed(server, order({**style, "sources": sources})), "sources.x.data")


def refused(response: httpx.Response, place: str) -> None:
    assert response.status_code == 400, response.text
    assert response.json()["code"] == "bad_style"
    assert response.json()["place"] == place


def test_a_style_that_cannot_be_drawn_is_one_clear_error(server: Server, style: dict[str, Any]) -> None:
    wrong = {"id": "wrong", "type": "fill", "source": "city", "source-layer": "road", "paint": {"fill-color": ["no"]}}
    response = printed(server, order({**style, "layers": [*style["layers"], wrong]}))
    assert response.status_code in (200, 400)
    if response.status_code == 400:
        assert response.json()["code"] == "bad_style"
    assert httpx.get(f"{server.url}/readyz").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"dpi": 1_000_000},
        {"dpi": 0},
        {"scale": 1},
        {"zoom": 99},
        {"bounds": [0, 0, 0]},
        {"bounds": [120.94, 31.95, 120.84, 32.01]},
        {"bounds": None},
        {"bounds": None, "scale": 1000},
        {"lat": 89},
        {"title": "x" * 201},
        {"legend": [{"title": "a", "rows": [{"label": "a", "colour": "red", "shape": "circle"}]}]},
        {"legend": [{"title": "a"}] * 41},
        {"width": 1_000_000},
    ],
)
def test_a_sheet_that_is_too_large_or_makes_no_sense_is_refused(
    server: Server, style: dict[str, Any], change: dict[str, Any]
) -> None:
    assert printed(server, order(style, **change)).status_code == 422


@pytest.mark.parametrize("format", ["png", "pdf"])
def test_a_title_of_several_lines_is_printed_as_one(server: Server, style: dict[str, Any], format: str) -> None:
    background = {
        "version": 8,
        "sources": {},
        "layers": [one for one in style["layers"] if one["type"] == "background"],
    }
    response = printed(server, order(background, title="first\nsecond\x00\x01", subtitle="a\u2028b"), format)
    assert response.status_code == 200, response.text
    if format == "pdf":
        assert "first second" in text_of(response.content)


def test_a_place_seen_from_very_far_is_printed_in_pixels_that_are_not_metres_wide(
    server: Server, style: dict[str, Any]
) -> None:
    background = {
        "version": 8,
        "sources": {},
        "layers": [one for one in style["layers"] if one["type"] == "background"],
    }
    west, south = CENTRE
    drawn = picture(printed(server, order(background, zoom=0, bounds=[west, south, west + 1e-4, south + 1e-4])))
    assert colours(drawn) == 1


def test_an_expression_that_doubles_its_text_takes_no_more_memory_than_is_given(server: Server) -> None:
    text: Any = ["var", "v28"]
    for n in range(28, 0, -1):
        text = ["let", f"v{n}", ["concat", ["var", f"v{n - 1}"], ["var", f"v{n - 1}"]], text]
    words = {"text-field": ["to-string", ["length", ["let", "v0", "x" * 16, text]]]}
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": list(CENTRE)}}
    swelling = {
        "version": 8,
        "sources": {"x": {"type": "geojson", "data": feature}},
        "layers": [{"id": "x", "type": "symbol", "source": "x", "layout": words}],
    }
    response = printed(server, order(swelling))
    assert response.status_code == 503, response.text
    assert response.json()["code"] == "not_drawn"
    assert "ended without a picture" in response.json()["detail"]  # its memory ended, not its time
    assert httpx.get(f"{server.url}/readyz").status_code == 200


def test_the_approval_number_stands_at_the_foot_however_many_sources_there_are(server: Server) -> None:
    face = Face.kept_in(server.data / "print")
    sources = " · ".join(f"某某省第{n}测绘院航空摄影与遥感中心" for n in range(60))
    sheet = paper.Sheet("t", "", "zh", False, (), (f"来源：{sources}", "审图号：GS(2026)1", "制图时间 2026"), False)
    drawn = paper.marks(sheet, paper.map_area(sheet, face), 10_000, face)
    said = [mark.text for mark in drawn if isinstance(mark, paper.Text)]
    assert "审图号：GS(2026)1" in said
    assert "制图时间 2026" in said


def test_a_map_holds_what_its_asker_may_see(server: Server, style: dict[str, Any], internal: str) -> None:
    source = {"type": "vector", "tiles": [f"/tiles/{internal}/{{z}}/{{x}}/{{y}}.mvt"]}
    layer = {"id": "secret", "type": "circle", "source": "x", "source-layer": internal}
    body = order({**style, "sources": {**style["sources"], "x": source}, "layers": [*style["layers"], layer]})
    unknown = printed(server, body)
    assert unknown.status_code == 404
    assert unknown.json()["code"] == "unknown_layer"
    assert printed(server, body, **server.admin).status_code == 200
    raster = {"type": "raster", "tiles": ["/rasters/nothing/{z}/{x}/{y}.png"], "tileSize": 256}
    body = order({**style, "sources": {**style["sources"], "x": raster}})
    assert printed(server, body).json()["code"] == "unknown_raster"


def test_a_filter_that_the_layer_has_no_field_for_is_told(server: Server, style: dict[str, Any]) -> None:
    source = {"type": "vector", "tiles": ["/tiles/component/{z}/{x}/{y}.mvt?filter=nothing%20%3D%201"]}
    layer = {"id": "x", "type": "circle", "source": "x", "source-layer": "component"}
    response = printed(server, order({**style, "sources": {"x": source}, "layers": [layer]}))
    assert response.status_code == 400, response.text
    assert response.json()["place"] == "sources"
