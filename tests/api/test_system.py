"""Health, metrics, the catalogue, and the shape of every error."""

from __future__ import annotations

import httpx
import pytest

from layers.catalog import built_in
from tests.conftest import Server


def test_alive_and_ready(server: Server) -> None:
    assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{server.url}/readyz").json()["postgis"].startswith("3.")


def test_metrics_count_requests_and_records_by_route_never_by_path(server: Server) -> None:
    httpx.get(f"{server.url}/items/component/a-stranger")
    page = httpx.get(f"{server.url}/metrics").text
    assert 'chengtu_layer_records{layer="county"} 7.0' in page
    assert 'route="/items/{name}/{id}"' in page
    assert "a-stranger" not in page


def test_the_catalogue_lists_every_layer_with_its_count(server: Server) -> None:
    answer = httpx.get(f"{server.url}/layers").json()
    layers = {layer["name"]: layer for layer in answer["layers"]}
    assert set(layers) == set(built_in())
    assert layers["county"]["count"] == 7
    assert layers["component"]["count"] == sum(layers["component"]["counts"].values()) == 2480
    assert all(layer["synthetic"] for layer in layers.values())
    assert answer["city"]["synthetic"] is True


@pytest.mark.parametrize("name", list(built_in()))
def test_a_layer_describes_its_fields_in_both_languages_and_its_codes_in_words(server: Server, name: str) -> None:
    answer = httpx.get(f"{server.url}/layers/{name}").json()
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
        ("DELETE", "/items/component/1", 405),
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
    for path in ("/layers", "/layers/{name}", "/search", "/geocode", "/reverse", "/items/{name}/{id}", "/healthz"):
        assert path in paths


def test_answers_forbid_outside_content(server: Server) -> None:
    policy = httpx.get(f"{server.url}/layers").headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
