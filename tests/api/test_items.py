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


def get(server: Server, layer: str, id: str) -> httpx.Response:
    return httpx.get(f"{server.url}/items/{layer}/{id}")


def patch(server: Server, layer: str, id: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    return httpx.patch(f"{server.url}/items/{layer}/{id}", json=body, headers=sent)


@pytest.mark.parametrize("name", list(LAYERS))
def test_every_layer_answers_a_record_with_its_fields_and_its_place(server: Server, name: str) -> None:
    feature = get(server, name, nth(server, name, 0)).json()
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
    assert "token" in anyone.json()["detail"]
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
