"""The client for notebooks against the real server."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import geopandas as gpd
import httpx
import openpyxl
import pandas as pd
import pytest
import shapely
from playwright.sync_api import expect, sync_playwright

from layers.words import book_of
from tests.conftest import ROOT, Server
from webmap.notebook import City, CityError, Truncated

FILE = ROOT / "webmap" / "notebook.py"
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


@pytest.fixture
def city(server: Server) -> City:
    return City(server.url)


def test_the_server_gives_the_client_as_one_file_that_runs_without_the_rest(server: Server, tmp_path: Path) -> None:
    answer = httpx.get(f"{server.url}/client/chengtu.py")
    assert answer.headers["content-disposition"] == 'attachment; filename="chengtu.py"'
    assert answer.headers["content-type"] == "text/x-python; charset=utf-8"
    (tmp_path / "chengtu.py").write_bytes(answer.content)
    program = f"import chengtu; print(len(chengtu.City({server.url!r}).layers()))"
    told = subprocess.run([sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, '.'); {program}"],
                          cwd=tmp_path, capture_output=True, text=True, check=True)  # fmt: skip
    assert told.stdout.strip() == "13"


def test_the_client_imports_nothing_of_ours() -> None:
    tree = ast.parse(FILE.read_text(encoding="utf-8"))
    found = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    found |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    foreign = {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names}
    assert foreign == {"geopandas", "pandas", "folium", "branca.element"}


def test_layers_fields_and_words_are_tables(city: City) -> None:
    layers = city.layers()
    assert layers.loc["component", "title"] == "城市部件"
    assert layers.loc["component", "synthetic"]
    assert city.fields("county").loc["population"].tolist() == ["人口", "integer", "人", True]
    first = book_of("component_state").entries[0]
    assert city.words("component", "state")[first.code] == first.zh
    assert City(city.url, lang="en").words("component", "state")[first.code] == first.en
    with pytest.raises(CityError, match="no coded field 'name'"):
        city.words("component", "name")


def test_items_are_typed_records_in_lon_lat(city: City) -> None:
    town = city.items("county").nlargest(1, "population")
    west, south, east, north = town.total_bounds
    found = city.items("component", bbox=(west, south, east, north), filter="major = '01'", sortby="-first_date")
    assert len(found) > 10
    assert found.crs == 4326
    assert set(found["major"]) == {"01"}
    assert found["id"].str.len().isin((16, 17)).all()
    assert found["first_date"].dropna().is_monotonic_decreasing
    assert shapely.box(west, south, east, north).buffer(1e-6).covers(found.geometry.to_numpy()).all()
    assert found.attrs["synthetic"]
    assert city.items("county")["population"].dtype == "Int64"


@pytest.mark.parametrize("limit", [1, 999, 1000, 1001, 2500])
def test_items_come_page_by_page_up_to_the_limit(city: City, limit: int) -> None:
    with pytest.warns(Truncated, match="there are more"):
        found = city.items("video", limit=limit)
    assert len(found) == found["id"].nunique() == limit
    assert found.attrs["truncated"]


def test_no_items_are_an_empty_frame_that_can_be_shown(city: City) -> None:
    none = city.items("component", filter="name = 'no such name'")
    assert len(none) == 0
    assert none.crs == 4326
    assert "<html" in city.show(none).get_root().render()


def test_a_query_gives_the_whole_answer_with_its_statement(city: City) -> None:
    with pytest.warns(Truncated):
        found = city.query(ask="select", layer="component", filter="class_code <> '0'", limit=2_300)
    assert len(found) == found["id"].nunique() == 2_300
    assert found.crs == 4326
    assert pd.api.types.is_datetime64_any_dtype(found["first_date"])
    assert "城市部件" in found.attrs["statement"]
    assert found.attrs["titles"]["state"] == "状态"
    english = City(city.url, lang="en").query({"ask": "nearest", "layer": "video", "point": [120.86, 32.0]}, k=3)
    assert "Video site" in english.attrs["statement"]
    assert english["distance_m"].is_monotonic_increasing


def test_a_query_may_hold_shapes_and_an_answer_may_have_no_places(city: City) -> None:
    area = city.items("county").geometry.iloc[0].simplify(0.01)
    where = [{"relation": "within", "geometry": area}]
    counts = city.query(ask="count", layer="component", by="class", where=where)
    assert not isinstance(counts, gpd.GeoDataFrame)
    assert counts["n"].dtype == "Int64"
    assert counts["n"].sum() > 0


def test_an_answer_is_saved_in_the_format_of_its_name(city: City, tmp_path: Path) -> None:
    answer = city.query(ask="nearest", layer="component", point=[120.86, 32.0], k=3)
    book = openpyxl.load_workbook(city.save(answer, tmp_path / "answer.xlsx"))
    assert book.worksheets[0].max_row == 4
    for name in ("answer.gpkg", "answer.geojson"):
        assert gpd.read_file(city.save(answer, tmp_path / name))["id"].tolist() == answer["id"].tolist()
    assert gpd.read_parquet(city.save(answer, tmp_path / "answer.parquet"))["id"].tolist() == answer["id"].tolist()
    assert "L.map(" in city.save(answer, tmp_path / "answer.html").read_text("utf-8")
    assert city.save(answer, tmp_path / "answer.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with pytest.raises(CityError, match="can be saved as geojson, gpkg"):
        city.save(answer, tmp_path / "answer.shp")
    with pytest.raises(CityError, match="this is none"):
        city.save(city.items("county"), tmp_path / "county.gpkg")
    assert not list(tmp_path.glob("*.part"))


def test_a_map_asks_nothing_of_the_network_and_takes_no_orders_from_records(city: City, tmp_path: Path) -> None:
    nasty = "<img src=x onerror=alert(1)></script><script>alert(2)</script>{{ 7*7 }}{% raw %}{# gone"
    frame = city.items("component").head(3).assign(name=nasty)
    frame.attrs |= {"statement": nasty, "titles": dict.fromkeys(frame.attrs["titles"], nasty)}
    city.show(frame, colour_by="name").save(tmp_path / "map.html")
    asked, wrong = [], []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = chromium.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.goto((tmp_path / "map.html").as_uri())
        expect(page.locator("body > p")).to_have_text(f"{nasty}（合成演示数据 synthetic）")
        expect(page.locator(".leaflet-control-layers-overlays")).to_contain_text(f"{nasty} (3)")
        page.evaluate("""() => {
          const [record] = Object.values(window).find((value) => value instanceof L.GeoJSON).getLayers();
          record.fire("click", { latlng: record.getLatLng() }, true);
        }""")
        expect(page.locator(".leaflet-popup-content td").nth(4)).to_have_text(nasty)
        chromium.close()
    assert asked == [(tmp_path / "map.html").as_uri()]
    assert wrong == []


def test_codes_are_shown_in_words(city: City) -> None:
    page = city.show(city.items("county"), colour_by="name").get_root().render()
    assert json.dumps("通州区 (1)")[1:-1] in page
    frame = city.items("component", filter="major = '01'")
    word = city.words("component", "major")["01"]
    assert json.dumps(f"{word} 01 ({len(frame):,})")[1:-1] in city.show(frame, colour_by="major").get_root().render()


def test_numbers_are_shown_in_ranges(city: City) -> None:
    page = city.show(city.items("county"), colour_by="population").get_root().render()
    assert page.count("L.geoJson(") == 5


@pytest.mark.parametrize(
    ("ask", "status", "reason"),
    [
        (lambda c: c.items("nowhere"), 404, "there is no layer 'nowhere'"),
        (lambda c: c.items("component", filter="pg_sleep(3) IS NOT NULL"), 400, "pg_sleep"),
        (lambda c: c.query(ask="select", layer="component", limit=10**9), 422, "limit"),
        (lambda c: City(c.url, token="wrong").layers(), 401, "token"),
        (lambda _: City("http://127.0.0.1:9").layers(), None, "cannot be reached"),
        (lambda _: City("file:///etc"), None, "no address of a server"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(
    city: City, ask: Callable[[City], Any], status: int | None, reason: str
) -> None:
    with pytest.raises(CityError, match=reason) as refused:
        ask(city)
    assert refused.value.status == status


@contextmanager
def answering(*answers: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[str, list[str | None]]]:
    """A server that gives these answers one after the other, and the tokens that it was shown."""
    left, tokens = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tokens.append(self.headers.get("Authorization"))
            status, headers, body = left.pop(0)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", tokens
        http.shutdown()
        thread.join()


def test_a_busy_server_is_asked_again_after_the_pause_it_wants() -> None:
    busy = (503, {"Retry-After": "0"}, b"")
    with answering(busy, busy, (200, {}, b'{"layers": [], "city": {}}')) as (url, tokens):
        assert City(url).layers().empty
        assert len(tokens) == 3
    with answering(*[busy] * 4) as (url, _), pytest.raises(CityError, match="503"):
        City(url).layers()


def test_the_token_goes_to_no_other_server() -> None:
    with answering() as (elsewhere, shown):
        moved = (302, {"Location": f"{elsewhere}/layers"}, b"")
        with answering(moved) as (url, tokens), pytest.raises(CityError, match="moved to"):
            City(url, token="secret").layers()
        assert tokens == ["Bearer secret"]
        assert shown == []


def test_an_answer_that_is_none_of_ours_is_said_to_be() -> None:
    with answering((200, {}, b"<html>")) as (url, _), pytest.raises(CityError, match="does not answer like"):
        City(url).layers()


def test_the_environment_names_the_server_and_the_token(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITY_URL", f"{server.url}/")
    monkeypatch.setenv("CITY_TOKEN", server.token)
    assert City().url == server.url
    assert len(City().layers()) >= 10


def test_the_worked_notebook_runs(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITY_URL", server.url)
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec(compile("".join(cell["source"]), f"notebook.ipynb:{cell['id']}", "exec"), names)
    assert len(names["gaps"]) > 0
    assert {path.suffix for path in names["folder"].iterdir()} == {".xlsx", ".html", ".gpkg"}
