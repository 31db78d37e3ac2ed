"""Reading and editing one record over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from layers.catalog import built_in
from tests.conftest import Server

LAYERS = built_in()


def nth(server: Server, layer: str, n: int) -> str:
    """A record for one test alone: each uses another n."""
    with server.database.reader.connect() as connection:
        found = connection.scalar(sa.text(f"select id from city.{layer} order by id offset :n limit 1"), {"n": n})
    assert found is not None
    return str(found)


def get(server: Server, layer: str, id: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(f"{server.url}/items/{layer}/{id}", headers=headers)


def patch(server: Server, layer: str, id: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    return httpx.patch(f"{server.url}/items/{layer}/{id}", json=body, headers=sent)


@pytest.mark.parametrize("name", list(LAYERS))
def test_every_layer_answers_a_record_with_its_fields_and_its_place(server: Server, name: str) -> None:
    feature = get(server, name, nth(server, name, 0), server.admin).json()
    assert feature["type"] == "Feature"
    assert list(feature["properties"]) == [f.name for f in LAYERS[name].fields]
    context = feature["context"]
    assert context["county"]["name"].endswith(("市", "区", "县"))
    assert context["grid"]["id"].isalnum()
    assert len(context["cell"]) == 15


def test_an_edit_changes_the_record_and_tells_the_new_version(server: Server) -> None:
    id = nth(server, "component", 1)
    before = get(server, "component", id)
    edit = {"properties": {"state": "破损", "note": "井盖松动"}}
    after = patch(server, "component", id, edit, If_Match=before.headers["etag"], **server.admin)
    assert after.status_code == 200, after.text
    assert after.json()["properties"]["state"] == "broken"
    assert after.headers["etag"] != before.headers["etag"]
    assert get(server, "component", id).json() == after.json()
    (version,) = httpx.get(f"{server.url}/items/component/{id}/history").json()["versions"]
    assert version["properties"]["state"] == before.json()["properties"]["state"]
    assert version["actor"] == "etl demo"


def test_a_moved_record_gets_the_cell_and_grid_of_its_new_place(server: Server) -> None:
    id, other = nth(server, "component", 2), nth(server, "component", 900)
    target = get(server, "component", other).json()
    etag = get(server, "component", id).headers["etag"]
    moved = patch(server, "component", id, {"geometry": target["geometry"]}, If_Match=etag, **server.admin).json()
    for key in ("cell", "grid", "town", "county"):
        assert moved["context"][key] == target["context"][key]


def test_of_two_editors_one_is_told_that_the_other_was_quicker(server: Server) -> None:
    id = nth(server, "component", 3)
    etag = get(server, "component", id).headers["etag"]
    first = patch(server, "component", id, {"properties": {"note": "一"}}, If_Match=etag, **server.admin)
    second = patch(server, "component", id, {"properties": {"note": "二"}}, If_Match=etag, **server.admin)
    assert (first.status_code, second.status_code) == (200, 412)
    assert f'"{second.json()["current"]}"' == first.headers["etag"]
    assert get(server, "component", id).json()["properties"]["note"] == "一"


def test_the_same_idempotency_key_edits_once(server: Server) -> None:
    id = nth(server, "component", 4)
    etag = get(server, "component", id).headers["etag"]
    key = uuid.uuid4().hex
    body = {"properties": {"note": "一次"}}
    answers = [
        patch(server, "component", id, body, If_Match=etag, Idempotency_Key=key, **server.admin) for _ in range(3)
    ]
    assert [a.status_code for a in answers] == [200, 200, 200]
    assert answers[0].json() == answers[2].json()
    assert len(httpx.get(f"{server.url}/items/component/{id}/history").json()["versions"]) == 1
    other = patch(server, "component", id, {"properties": {}}, If_Match=etag, Idempotency_Key=key, **server.admin)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"properties": {"state": "nonsense"}}, "state"),
        ({"properties": {"id": "1"}}, "id"),
        ({"properties": {"class_code": "01001"}}, "class_code"),
        ({"properties": {"nothing": 1}}, "nothing"),
        ({"properties": {"note": "x" * 1001}}, "note"),
        ({"properties": {"note": 5}}, "note"),
        ({"properties": {"state": None}}, "state"),
        ({"geometry": {"type": "Point", "coordinates": [500, 32]}}, "geometry"),
        ({"geometry": {"type": "Point", "coordinates": ["a", "b"]}}, "geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "geometry"),
        ({"geometry": {"type": "Nonsense"}}, "geometry"),
    ],
)
def test_a_bad_value_is_refused_by_name_and_changes_nothing(server: Server, body: dict[str, Any], field: str) -> None:
    id = nth(server, "component", 5)
    before = get(server, "component", id)
    answer = patch(server, "component", id, body, If_Match=before.headers["etag"], **server.admin)
    assert answer.status_code == 422, answer.text
    assert list(answer.json()["problems"]) == [field]
    assert get(server, "component", id).json() == before.json()


def test_who_may_not_edit_is_told_why(server: Server) -> None:
    id = nth(server, "component", 6)
    etag = get(server, "component", id).headers["etag"]
    body = {"properties": {"note": "x"}}
    anyone = patch(server, "component", id, body, If_Match=etag)
    wrong = patch(server, "component", id, body, If_Match=etag, Authorization="Bearer nonsense")
    assert (anyone.status_code, wrong.status_code) == (401, 401)
    assert "layer.edit" in anyone.json()["detail"]
    assert "sign in" in anyone.json()["detail"]
    county = nth(server, "county", 0)
    fixed = patch(
        server, "county", county, body, If_Match=get(server, "county", county).headers["etag"], **server.admin
    )
    assert (fixed.status_code, fixed.json()["code"]) == (403, "not_allowed")


def test_an_edit_without_a_version_is_refused(server: Server) -> None:
    answer = patch(server, "component", nth(server, "component", 7), {"properties": {}}, **server.admin)
    assert answer.status_code == 428


@pytest.mark.parametrize("path", ["/items/component/none", "/items/nothing/1", "/items/component/none/history"])
def test_what_is_not_there_is_404(server: Server, path: str) -> None:
    answer = httpx.get(server.url + path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_record_that_was_moved_by_hand_counts_as_surveyed(server: Server) -> None:
    id = nth(server, "component", 8)
    with server.database.engine.begin() as connection:
        connection.execute(
            sa.text("update city.component set place_method = 'admin', place_precision = 'county' where id = :id"),
            {"id": id},
        )
    feature = get(server, "component", id)
    lon, lat = feature.json()["geometry"]["coordinates"]
    moved = {"geometry": {"type": "Point", "coordinates": [lon + 1e-5, lat]}}
    context = patch(server, "component", id, moved, If_Match=feature.headers["etag"], **server.admin).json()["context"]
    assert (context["placeMethod"], context["placePrecision"]) == ("surveyed", "A")


@pytest.mark.parametrize("coordinates", [[0, 0], [139.7, 35.7], [1, 1]])
def test_a_record_of_the_city_cannot_be_moved_out_of_it(server: Server, coordinates: list[float]) -> None:
    id = nth(server, "component", 9)
    before = get(server, "component", id)
    body = {"geometry": {"type": "Point", "coordinates": coordinates}}
    answer = patch(server, "component", id, body, If_Match=before.headers["etag"], **server.admin)
    assert answer.status_code == 422
    assert list(answer.json()["problems"]) == ["geometry"]
    assert get(server, "component", id).json() == before.json()


@pytest.mark.parametrize(("header", "status"), [("*", 200), ('"zzz", {etag}', 200), ("W/{etag}", 412), ("zzz", 412)])
def test_if_match_is_read_as_http_says(server: Server, header: str, status: int) -> None:
    id = nth(server, "component", 10)
    etag = get(server, "component", id).headers["etag"]
    answer = patch(server, "component", id, {"properties": {}}, If_Match=header.format(etag=etag), **server.admin)
    assert answer.status_code == status


@pytest.mark.parametrize(
    "body",
    [
        b'{"properties": {"note": "\\ud800"}}',
        b'{"properties": {"\\ud800": "x"}}',
        b'{"geometry": {"type": "Point", "coordinates": [1' + b"0" * 400 + b", 32]}}",
        b'{"geometry": {"type": "GeometryCollection", "geometries": []}}',
        b'{"geometry": {"type": "Feature", "geometry": {"type": "Point", "coordinates": [121, 32]}}}',
        b'{"properties": {',
    ],
)
def test_hostile_bodies_are_refused_not_failed(server: Server, body: bytes) -> None:
    id = nth(server, "component", 11)
    headers = {**server.admin, "If-Match": "*", "Content-Type": "application/json"}
    answer = httpx.patch(f"{server.url}/items/component/{id}", content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_without_bounds_is_refused_before_it_is_read(server: Server) -> None:
    id = nth(server, "component", 12)
    long = httpx.patch(f"{server.url}/items/component/{id}", content=b"x" * (5 << 20))
    chunked = httpx.patch(f"{server.url}/items/component/{id}", content=(b"x" * (1 << 20) for _ in range(6)))
    assert (long.status_code, chunked.status_code) == (413, 413)
