"""Health, metrics, the catalogue, and the shape of every error."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.pages import release
from layers.catalog import built_in
from layers.spec import Access, Layer
from layers.store.definitions import layer_from_parts, save_definition
from layers.store.engine import begin
from layers.store.schema import add_layer
from tests.conftest import Server


def test_alive_and_ready(server: Server) -> None:
    assert httpx.get(f"{server.url}/healthz").json()["status"] == "ok"
    assert httpx.get(f"{server.url}/readyz").json()["postgis"].startswith("3.")


def test_the_server_tells_which_pages_it_has(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("one")
    now = release(tmp_path)
    first = now()
    assert first == now()
    (tmp_path / "wall.html").write_text("two")
    assert now() not in ("", first)


def test_metrics_count_requests_and_records_by_route_never_by_path(server: Server) -> None:
    httpx.get(f"{server.url}/items/component/a-stranger")
    page = httpx.get(f"{server.url}/metrics").text
    assert 'chengtu_layer_records{layer="county"} 7.0' in page
    assert 'route="/items/{name}/{id}"' in page
    assert "a-stranger" not in page


def test_the_catalogue_lists_every_layer_with_its_count(server: Server) -> None:
    answer = httpx.get(f"{server.url}/layers", headers=server.admin).json()
    layers = {layer["name"]: layer for layer in answer["layers"]}
    assert set(layers) >= set(built_in())
    assert layers["county"]["count"] == 7
    assert layers["component"]["count"] == sum(layers["component"]["counts"].values()) == 2480
    assert all(layers[name]["synthetic"] for name in built_in())
    assert answer["city"]["synthetic"] is True


@pytest.mark.parametrize("name", list(built_in()))
def test_a_layer_describes_its_fields_in_both_languages_and_its_codes_in_words(server: Server, name: str) -> None:
    answer = httpx.get(f"{server.url}/layers/{name}", headers=server.admin).json()
    for field in answer["fields"]:
        assert field["title"]["zh"]
        assert field["title"]["en"]
        if field["book"]:
            assert answer["books"][field["book"]]
    assert answer["legend"]["dark"]
    assert len(answer["density"]["stops"]) == len(answer["density"]["colours"]["light"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing-here", 404),
        ("POST", "/layers", 405),
        ("PUT", "/items/component/1", 405),
        ("GET", "/layers/UPPER", 422),
        ("GET", "/search", 422),
        ("GET", "/search?q=" + "x" * 101, 422),
        ("GET", "/reverse?lon=500&lat=0", 422),
        ("GET", "/reverse?lon=nan&lat=0", 422),
        ("POST", "/tiles/county/6/53/25.mvt", 405),
    ],
)
def test_every_refusal_has_the_one_shape(server: Server, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, server.url + path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert {"type", "title", "detail", "code"} <= body.keys()


def test_the_openapi_description_covers_every_route_of_this_issue(server: Server) -> None:
    paths = httpx.get(f"{server.url}/openapi.json").json()["paths"]
    wanted = """/healthz /readyz /metrics /layers /layers/{name} /tiles/{names}.json /tiles/{names}/{z}/{x}/{y}.mvt
        /styles/{palette}.json /search /geocode /reverse /items/{name}/{id} /items/{name}/{id}/history"""
    for path in wanted.split():
        assert path in paths


def test_answers_forbid_outside_content(server: Server) -> None:
    policy = httpx.get(f"{server.url}/layers").headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")


@pytest.mark.parametrize("path", ["/healthz", "/layers", "/tiles/county.json", "/tiles/county/6/53/25.mvt"])
def test_every_resource_has_a_head(server: Server, path: str) -> None:
    head, whole = httpx.head(server.url + path), httpx.get(server.url + path)
    assert (head.status_code, head.content) == (whole.status_code, b"")


def test_strangers_cannot_invent_meters(server: Server) -> None:
    httpx.request("ZAP1", f"{server.url}/layers")
    assert "ZAP1" not in httpx.get(f"{server.url}/metrics").text


def test_many_clients_at_once_are_all_answered(server: Server) -> None:
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: httpx.get(f"{server.url}/layers", timeout=30).status_code, range(200)))
    assert set(answers) == {200}


def test_an_internal_layer_is_unknown_to_anyone_and_open_to_the_administrator(server: Server) -> None:
    fields = [f for f in built_in()["place"].fields if f.name == "name"]
    secret = layer_from_parts("secret_wells", built_in()["place"].title, "Point", fields)
    with begin(server.database.engine, actor="test") as connection:
        add_layer(connection, secret)
    paths = [
        "/layers/secret_wells",
        "/tiles/secret_wells.json",
        "/tiles/secret_wells/6/53/25.mvt",
        "/styles/dark.json?layers=secret_wells",
        "/items/secret_wells/1",
        "/items/secret_wells/1/history",
    ]
    until(lambda: httpx.get(server.url + paths[0], headers=server.admin).status_code == 200)
    for path in paths:
        assert httpx.get(server.url + path).json()["code"] == "unknown_layer", path
    for path in ("/layers", "/metrics", "/styles/dark.json"):
        assert "secret_wells" not in httpx.get(server.url + path).text, path
    assert httpx.get(server.url + paths[2], headers=server.admin).status_code == 204
    with begin(server.database.engine, actor="test") as connection:
        save_definition(connection, replace_access(secret))
    until(lambda: httpx.get(server.url + paths[0]).status_code == 200)


def until(seen: Callable[[], bool]) -> None:
    """Return once the server has noticed, which it does within two seconds."""
    deadline = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < deadline


def replace_access(layer: Layer) -> Layer:
    return replace(layer, access=Access(view="public"))
