"""Records made, retired and put back over HTTP, their history page by page, and what stands around them."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
import sqlalchemy as sa

from gis.frames import distance_m
from layers.catalog import built_in
from layers.errors import Conflict
from layers.store.edits import restore_record
from layers.store.engine import begin
from tests.api.test_items import get, nth, patch
from tests.conftest import Server

LAMP = {"class_code": "01037", "state": "完好"}


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """One of these tests' own: they make records, and others count them."""
    return own_server


def spot(server: Server, n: int) -> tuple[float, float]:
    """A place in the city, of a record that no other test edits."""
    lon, lat = get(server, "component", nth(server, "component", n)).json()["geometry"]["coordinates"]
    return lon, lat


def make(
    server: Server, layer: str, at: tuple[float, float], properties: dict[str, Any], **more: Any
) -> httpx.Response:
    headers = {**server.admin, **({"Idempotency-Key": more.pop("key")} if "key" in more else {})}
    body = {"properties": properties, "geometry": {"type": "Point", "coordinates": list(at)}, **more}
    return httpx.post(f"{server.url}/items/{layer}", json=body, headers=headers)


def retire(server: Server, layer: str, id: str, etag: str) -> httpx.Response:
    return httpx.delete(f"{server.url}/items/{layer}/{id}", headers={**server.admin, "If-Match": etag})


def restore(server: Server, layer: str, id: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    return httpx.post(f"{server.url}/items/{layer}/{id}/restore", json=body, headers={**server.admin, **sent})


def history(server: Server, layer: str, id: str, query: str = "") -> Any:
    return httpx.get(f"{server.url}/items/{layer}/{id}/history{query}").json()


def test_a_new_component_gets_its_id_its_standard_and_its_place(server: Server) -> None:
    at = spot(server, 40)
    made = make(server, "component", at, LAMP)
    assert made.status_code == 201, made.text
    feature = made.json()
    county = feature["context"]["county"]["id"]
    assert feature["id"].startswith(f"{county}01037")
    assert len(feature["id"]) == 17
    assert feature["properties"]["standard"] == "GB/T 47678.5-2026"
    assert (feature["properties"]["name"], feature["properties"]["state"]) == ("路灯", "intact")
    assert (feature["context"]["source"], feature["context"]["changedBy"]) == ("hand", "admin")
    assert feature["context"]["grid"]["id"]
    again = get(server, "component", feature["id"])
    assert (again.json(), again.headers["etag"]) == (feature, made.headers["etag"])
    assert made.headers["location"] == f"/items/component/{feature['id']}"
    assert make(server, "component", at, LAMP).json()["id"] == f"{int(feature['id']) + 1:017d}"


def test_a_serial_number_is_never_given_twice(server: Server) -> None:
    at = spot(server, 41)
    first = make(server, "component", at, {**LAMP, "class_code": "01038"})
    assert retire(server, "component", first.json()["id"], first.headers["etag"]).status_code == 204
    assert make(server, "component", at, {**LAMP, "class_code": "01038"}).json()["id"] > first.json()["id"]


def test_a_place_gets_an_id_of_its_own_and_can_be_searched(server: Server) -> None:
    name = f"手工登记{uuid.uuid4().hex[:6]}"
    made = make(server, "place", spot(server, 42), {"name": name, "kind": "park"}).json()
    assert made["id"].startswith("hand:")
    found = httpx.get(f"{server.url}/search", params={"q": name}).json()["results"]
    assert [(hit["layer"], hit["id"]) for hit in found[:1]] == [("place", made["id"])]


def test_the_same_key_makes_one_record(server: Server) -> None:
    key, at = uuid.uuid4().hex, spot(server, 43)
    answers = [make(server, "place", at, {"name": "一次", "kind": "park"}, key=key) for _ in range(3)]
    assert [a.status_code for a in answers] == [201, 201, 201]
    assert len({a.json()["id"] for a in answers}) == 1
    other = make(server, "place", at, {"name": "二次", "kind": "park"}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


@pytest.mark.parametrize(
    ("layer", "properties", "more", "fields"),
    [
        ("component", {}, {}, ["class_code", "standard", "state"]),
        ("component", {**LAMP, "class_code": "99999"}, {}, ["class_code", "standard"]),
        ("component", {**LAMP, "standard": "GB/T 1"}, {}, ["standard"]),
        ("component", {**LAMP, "major": "01"}, {}, ["major"]),
        ("component", LAMP, {"id": "32061301001000001"}, ["id"]),
        ("component", LAMP, {"id": "1"}, ["id"]),
        ("place", {"name": "甲", "kind": "park"}, {"id": ".."}, ["id"]),
        ("place", {"name": "甲", "kind": "park"}, {"id": "a/b"}, ["id"]),
        ("video", {"name": "甲", "status": "ON"}, {}, ["id"]),
        ("video", {"name": "甲", "status": "ON"}, {"id": "12345678901234567890"}, ["id"]),
    ],
)
def test_what_a_record_cannot_be_is_refused_by_name(
    server: Server, layer: str, properties: dict[str, Any], more: dict[str, Any], fields: list[str]
) -> None:
    answer = make(server, layer, spot(server, 44), properties, **more)
    assert answer.status_code == 422, answer.text
    assert sorted(answer.json()["problems"]) == fields


def test_a_record_is_made_neither_outside_the_city_nor_over_another(server: Server) -> None:
    outside = make(server, "place", (139.7, 35.7), {"name": "东京", "kind": "park"})
    assert (outside.status_code, list(outside.json()["problems"])) == (422, ["geometry"])
    taken = make(server, "place", spot(server, 45), {"name": "甲", "kind": "park"}, id=nth(server, "place", 3))
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")


def test_only_who_may_makes_or_retires_and_areas_come_by_delivery(server: Server) -> None:
    body = {"properties": {}, "geometry": {"type": "Point", "coordinates": [120.9, 32.0]}}
    id = nth(server, "component", 46)
    assert httpx.post(f"{server.url}/items/component", json=body).status_code == 401
    assert httpx.delete(f"{server.url}/items/component/{id}", headers={"If-Match": "*"}).status_code == 401
    assert httpx.post(f"{server.url}/items/component/{id}/restore").status_code == 401
    grid = nth(server, "grid", 0)
    assert retire(server, "grid", grid, "*").json()["code"] == "not_allowed"
    told = {each["name"]: each["may"] for each in httpx.get(f"{server.url}/layers").json()["layers"]}
    assert set(map(str, told.values())) == {str({"edit": False, "add": False})}
    mine = httpx.get(f"{server.url}/layers", headers=server.admin).json()["layers"]
    told = {each["name"]: each["may"] for each in mine}
    assert told["component"] == {"edit": True, "add": True}
    assert told["grid"] == {"edit": True, "add": False}
    assert told["county"] == {"edit": False, "add": False}


def test_a_retired_record_is_gone_but_its_history_stays_and_brings_it_back(server: Server) -> None:
    id = nth(server, "component", 47)
    before = get(server, "component", id)
    assert httpx.delete(f"{server.url}/items/component/{id}", headers=server.admin).status_code == 428
    assert retire(server, "component", id, '"old"').status_code == 412
    assert retire(server, "component", id, before.headers["etag"]).status_code == 204
    assert get(server, "component", id).status_code == 404
    assert retire(server, "component", id, before.headers["etag"]).status_code == 404
    (version,) = history(server, "component", id)["versions"]
    assert version["delivery"]["source"] == "synthetic"
    back = restore(server, "component", id)
    assert back.status_code == 200, back.text
    feature, was = back.json(), before.json()
    assert (feature["properties"], feature["geometry"]) == (was["properties"], was["geometry"])
    for key in ("grid", "town", "cell", "placeMethod", "placePrecision", "source", "delivery"):
        assert feature["context"][key] == was["context"][key]


def test_an_edit_is_undone_exactly_even_how_its_place_was_found(server: Server) -> None:
    id = nth(server, "component", 48)
    with server.database.engine.begin() as connection:
        connection.execute(
            sa.text("update city.component set place_method = 'admin', place_precision = 'town' where id = :id"),
            {"id": id},
        )
    before = get(server, "component", id)
    lon, lat = before.json()["geometry"]["coordinates"]
    change = {
        "properties": {"state": "lost", "name": "别的"},
        "geometry": {"type": "Point", "coordinates": [lon + 1e-4, lat]},
    }
    after = patch(server, "component", id, change, If_Match=before.headers["etag"], **server.admin)
    assert after.json()["context"]["placeMethod"] == "surveyed"
    assert restore(server, "component", id).status_code == 412
    assert restore(server, "component", id, If_Match=before.headers["etag"]).status_code == 412
    key = uuid.uuid4().hex
    answers = [restore(server, "component", id, If_Match=after.headers["etag"], Idempotency_Key=key) for _ in "ab"]
    assert [a.status_code for a in answers] == [200, 200]
    for part in ("properties", "geometry"):
        assert answers[0].json()[part] == before.json()[part]
    assert answers[0].json()["context"]["placeMethod"] == "admin"
    assert len(history(server, "component", id)["versions"]) == 3


def test_a_record_goes_back_to_a_version_of_ones_choice(server: Server) -> None:
    id = nth(server, "component", 49)
    for note in ("一", "二", "三"):
        patch(server, "component", id, {"properties": {"note": note}}, If_Match="*", **server.admin)
    one = next(v for v in history(server, "component", id)["versions"] if v["properties"]["note"] == "一")
    back = restore(server, "component", id, {"since": one["from"]}, If_Match="*")
    assert back.json()["properties"]["note"] == "一"
    none = restore(server, "component", id, {"since": "1999-01-01T00:00:00Z"}, If_Match="*")
    assert (none.status_code, none.json()["code"]) == (409, "conflict")
    never = restore(server, "component", "never-was")
    assert never.status_code == 404
    fresh = nth(server, "component", 50)
    assert restore(server, "component", fresh, If_Match="*").status_code == 409


def test_a_long_history_is_read_page_by_page(server: Server) -> None:
    id = nth(server, "component", 51)
    for i in range(7):
        patch(server, "component", id, {"properties": {"note": f"第{i}次"}}, If_Match="*", **server.admin)
    whole = history(server, "component", id)
    assert (len(whole["versions"]), whole["next"]) == (7, None)
    walked, page = [], history(server, "component", id, "?limit=3")
    walked += page["versions"]
    while page["next"]:
        page = httpx.get(server.url + page["next"]).json()
        walked += page["versions"]
    assert walked == whole["versions"]
    assert httpx.get(f"{server.url}/items/component/{id}/history?before=yesterday").status_code == 422


def test_a_record_tells_the_standards_of_its_codes_and_who_answers_for_its_place(server: Server) -> None:
    context = get(server, "component", nth(server, "component", 52)).json()["context"]
    assert context["standards"]["class_code"].startswith("GB/T ")
    assert "state" not in context["standards"]
    assert context["dutyGrid"]["department"]
    assert context["dutyGrid"]["duty_phone"].startswith("0513-0000 ")
    assert context["dutyGrid"]["synthetic"] is True
    assert context["delivery"]["title"] == "synthetic demo city"
    books = httpx.get(f"{server.url}/layers/component").json()["standards"]
    assert "01001" in books["component"]["GB/T 47678.5-2026"]
    assert "0101" in books["component"]["GB/T 30428.2-2013"]
    assert "component_state" not in books


def test_what_is_nearby_is_told_by_layer_in_metres(server: Server) -> None:
    lon, lat = spot(server, 53)
    asked: dict[str, str | float] = {
        "lon": lon,
        "lat": lat,
        "layers": "component,video,grid",
        "radius_m": 800,
        "limit": 4,
    }
    answer = httpx.get(f"{server.url}/nearby", params=asked).json()
    by_layer = {each["layer"]: each for each in answer["layers"]}
    assert by_layer["grid"]["records"][0]["distance_m"] == 0
    components = by_layer["component"]["records"]
    assert components[0]["distance_m"] == 0
    assert {"name", "major"} <= components[0]["properties"].keys()
    with server.database.reader.connect() as connection:
        rows = connection.execute(sa.text("select st_x(geom), st_y(geom) from city.component")).all()
    x, y = np.array(rows).T
    true = np.sort(distance_m(np.full(x.size, lon), np.full(x.size, lat), x, y))
    assert [each["distance_m"] for each in components] == pytest.approx(true[: len(components)], abs=0.1)
    assert by_layer["component"]["truncated"] == bool(true[4] <= 800)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("lon=120.9&lat=32&layers=nothing", 404),
        ("lon=120.9&lat=32", 422),
        ("lon=120.9&lat=32&layers=component&radius_m=1e9", 422),
        ("lon=120.9&lat=32&layers=component&limit=21", 422),
        ("lon=nan&lat=32&layers=component", 422),
        ("lon=120.9&lat=90&layers=component", 422),
    ],
)
def test_what_is_nearby_has_its_limits(server: Server, query: str, status: int) -> None:
    assert httpx.get(f"{server.url}/nearby?{query}").status_code == status


def test_a_tangle_of_thousands_of_sides_is_refused_at_once(server: Server) -> None:
    id = nth(server, "grid", 1)
    rng = np.random.default_rng(1)
    ring = (np.array([120.9, 32.0]) + rng.random((5_000, 2)) / 100).tolist()
    body = {"geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}}
    started = time.monotonic()
    answer = patch(server, "grid", id, body, If_Match="*", **server.admin)
    assert (answer.status_code, list(answer.json()["problems"])) == (422, ["geometry"])
    assert "tangled" in answer.text
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("id", ["%2E", "%2E%2E"])
def test_an_id_that_no_url_can_name_is_none(server: Server, id: str) -> None:
    assert httpx.get(f"{server.url}/items/component/{id}").status_code in (404, 405, 422)


def test_of_many_who_bring_a_record_back_at_once_one_does(server: Server) -> None:
    made = make(server, "component", spot(server, 52), LAMP)
    id = made.json()["id"]
    assert retire(server, "component", id, made.headers["etag"]).status_code == 204
    with ThreadPoolExecutor(8) as pool:
        codes = [answer.status_code for answer in pool.map(lambda _: restore(server, "component", id), range(8))]
    assert codes.count(200) == 1
    assert set(codes) <= {200, 409, 412}


def test_a_record_that_came_back_between_the_look_and_the_work_is_left_alone(server: Server) -> None:
    made = make(server, "component", spot(server, 54), LAMP)
    id = made.json()["id"]
    assert retire(server, "component", id, made.headers["etag"]).status_code == 204
    back = restore(server, "component", id)
    assert back.status_code == 200
    with begin(server.database.engine, actor="test") as connection, pytest.raises(Conflict) as refused:
        restore_record(connection, built_in()["component"], id, gone=True)
    assert refused.value.cause == "come_back"
    assert httpx.get(f"{server.url}/items/component/{id}").headers["etag"] == back.headers["etag"]


def test_a_grid_that_a_delivery_retired_does_not_come_back_by_hand(server: Server) -> None:
    with begin(server.database.engine, actor="test") as connection:
        id = connection.scalar(sa.text("delete from city.grid where id = (select max(id) from city.grid) returning id"))
    answer = restore(server, "grid", str(id))
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
