"""Scopes over HTTP: each is told of the incidents within their scope, and of no others by any way to ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import mapbox_vector_tile
import pytest
import sqlalchemy as sa

from gis.tilegrid import tile_of
from layers.people.access import Scope
from layers.store.cluster import Cluster
from layers.store.engine import begin
from tests.api.people import key_of, person, signed_in
from tests.api.streams import listening
from tests.conftest import Database, Server, cloned, serving
from tests.incidents import LAYER, OURS, REHEARSED, THEIRS, change, report

FIGURE = """\
title: {zh: 案卷数, en: Incidents}
about: {zh: 全部案卷, en: All incidents}
kind: count
layer: incident
by: [county, town, grid, light]
"""
COUNTY = Scope(frozenset({"320613"}), None)
OTHER = Scope(frozenset({"320681"}), None)
WHEN = {"at", "madeAt", "updated", "timeStamp", "id", "exports", "next", "links"}
Headers = dict[str, str]


@pytest.fixture(scope="module")
def quiet(cluster: Cluster, city_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a small demo city in which nothing happened, with a figure of incidents."""
    data = tmp_path_factory.mktemp("scoped")
    (data / "indicators").mkdir()
    (data / "indicators" / "incidents.yaml").write_text(FIGURE, encoding="utf-8")
    with cloned(cluster, city_template) as fresh:
        clear(fresh)
        with serving(fresh, data) as running:
            yield running


def clear(database: Database) -> None:
    with begin(database.engine, actor="test") as connection:
        connection.execute(sa.delete(LAYER.table))


@pytest.fixture
def empty(quiet: Server) -> Server:
    clear(quiet.database)
    return quiet


def asked(server: Server, method: str, path: str, headers: Headers, **more: Any) -> httpx.Response:
    return httpx.request(method, f"{server.url}{path}", headers=headers, timeout=30, **more)


def tile(server: Server, z: int, place: Any, headers: Headers, **more: Any) -> httpx.Response:
    z, x, y = tile_of(place.lon, place.lat, z)
    return asked(server, "GET", f"/tiles/incident/{z}/{x}/{y}.mvt", headers, **more)


def ids(response: httpx.Response) -> set[str]:
    tile = mapbox_vector_tile.decode(response.content) if response.content else {}
    return {feature["properties"]["id"] for layer in tile.values() for feature in layer["features"]}


def plain(told: Any) -> Any:
    """What is told, without the times and the names of the answer itself."""
    if isinstance(told, dict):
        return {key: plain(value) for key, value in told.items() if key not in WHEN}
    return [plain(value) for value in told] if isinstance(told, list) else told


BY_CLASS = {"ask": "count", "layer": "incident", "by": "class"}
READ = [
    "/layers",
    "/layers/incident",
    "/layers/incident/facets",
    "/layers/incident/facets?filter=" + quote("light = 'red' or light = 'green'"),
    "/layers/incident/densities?by=county",
    "/tiles/incident.json",
    f"/items/incident/{OURS.id}",
    f"/items/incident/{THEIRS.id}",
    f"/items/incident/{OURS.id}/history",
    f"/items/incident/{THEIRS.id}/history",
    *(f"/search?q={quote(text)}" for text in (THEIRS.title, str(THEIRS.address), "angou", "的一处", THEIRS.id)),
    f"/geocode?q={quote(str(THEIRS.address))}",
    f"/nearby?lon={THEIRS.lon}&lat={THEIRS.lat}&layers=incident&radius_m=2000",
    "/ogc/collections",
    "/ogc/collections/incident",
    "/ogc/collections/incident/items",
    "/ogc/collections/incident/items?bbox=120,31,122,33",
    f"/ogc/collections/incident/items/{THEIRS.id}",
    "/ogc/collections/incident/tiles/WebMercatorQuad",
    "/indicators/incidents",
    "/indicators/incidents?by=county",
    "/indicators/incidents?by=light",
    "/indicators/incidents?by=grid",
    "/indicators/incidents/history",
    "/topics",
    "/archives",
    "/archives/incident.pmtiles",
]
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("/query", {"ask": "select", "layer": "incident"}),
    ("/query", BY_CLASS),
    ("/query", {"ask": "count", "layer": "incident", "by": "county"}),
    ("/query", {"ask": "nearest", "layer": "incident", "point": [THEIRS.lon, THEIRS.lat]}),
    ("/query/plan", {"ask": "select", "layer": "incident"}),
]


def everything(server: Server, headers: Headers) -> dict[str, Any]:
    """What every way to ask tells."""
    told: dict[str, Any] = {}
    for path in READ:
        answer = asked(server, "GET", path, headers)
        json = answer.headers.get("content-type", "").split(";")[0].endswith("json")
        told[path] = (answer.status_code, plain(answer.json()) if json else answer.content)
    for path, question in ASKED:
        answer = asked(server, "POST", path, headers, json=question)
        told[f"{path} {question}"] = (answer.status_code, plain(answer.json()))
    for place in (OURS, THEIRS):
        for z in (6, 9, 11, 14):
            drawn = tile(server, z, place, headers)
            told[f"tile {z} of {place.id}"] = (drawn.status_code, drawn.headers["etag"], drawn.content)
    return told


def test_no_answer_tells_anything_of_the_incidents_of_others(empty: Server) -> None:
    actors = {
        "commander": key_of(empty, "commander", scope=COUNTY),
        "officer": key_of(empty, "officer", scope=Scope(None, frozenset({"cgj"}))),
    }
    report(empty.database, OURS)
    alone = {name: everything(empty, headers) for name, headers in actors.items()}
    report(empty.database, THEIRS, REHEARSED)
    change(empty.database, THEIRS.id, level="critical")
    for name, headers in actors.items():
        for path, answer in everything(empty, headers).items():
            assert answer == alone[name][path], f"{name}: {path}"
    both = everything(empty, empty.admin)
    told = [path for path, answer in both.items() if answer == alone["commander"][path]]
    assert sorted(path for path in told if not path.startswith("tile ")) == sorted(
        [
            *("/tiles/incident.json", "/topics", "/archives", "/archives/incident.pmtiles"),
            *(f"/items/incident/{OURS.id}", f"/items/incident/{OURS.id}/history"),
        ]
    ), "every other way told the administrator more"


def test_strangers_and_those_without_the_right_do_not_know_of_the_layer(empty: Server) -> None:
    report(empty.database, OURS)
    for headers in ({}, key_of(empty, "planner"), key_of(empty, "volunteer")):
        for path in READ[1:8] + ["/ogc/collections/incident/items", "/indicators/incidents"]:
            assert asked(empty, "GET", path, headers).status_code == 404, path
        assert tile(empty, 14, OURS, headers).status_code == 404
        assert asked(empty, "POST", "/query", headers, json=BY_CLASS).status_code == 404
        assert "incident" not in {layer["name"] for layer in asked(empty, "GET", "/layers", headers).json()["layers"]}


def test_a_tile_is_kept_for_those_who_see_the_same_and_for_nobody_else(empty: Server) -> None:
    report(empty.database, OURS, THEIRS)
    ours, same, other = (key_of(empty, "commander", scope=scope) for scope in (COUNTY, COUNTY, OTHER))
    first = tile(empty, 14, OURS, ours)
    assert ids(first) == {OURS.id}
    assert first.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in first.headers["vary"]
    assert tile(empty, 14, OURS, same).headers["etag"] == first.headers["etag"]
    again = tile(empty, 14, OURS, {**ours, "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    theirs = tile(empty, 14, OURS, {**other, "If-None-Match": first.headers["etag"]})
    assert theirs.status_code == 204
    assert theirs.headers["etag"] != first.headers["etag"]
    assert tile(empty, 14, OURS, {}).status_code == 404
    assert ids(tile(empty, 14, OURS, ours)) == {OURS.id}


def test_a_tile_that_is_kept_follows_what_moves_out_of_the_scope(empty: Server) -> None:
    report(empty.database, OURS)
    ours = key_of(empty, "commander", scope=COUNTY)
    cgj = key_of(empty, "officer", scope=Scope(None, frozenset({"cgj"})))
    with listening(f"{empty.url}/live?layers=incident", **cgj) as events:
        assert events.next().kind == "hello"
        for z in (8, 14):
            assert len(ids(tile(empty, z, OURS, cgj))) == len(ids(tile(empty, z, OURS, ours))) == 1
        change(empty.database, OURS.id, lead="zjj")
        told = [events.until("record").data["op"]]
        if told == ["insert"]:  # the report itself, where the server had not read of it when the stream began
            told.append(events.until("record").data["op"])
        assert told[-1] == "delete"
    for z in (8, 14):
        assert tile(empty, z, OURS, cgj).status_code == 204
        assert len(ids(tile(empty, z, OURS, ours))) == 1


def test_answers_to_people_are_private(empty: Server) -> None:
    report(empty.database, OURS)
    ours = key_of(empty, "commander", scope=COUNTY)
    for path in (f"/items/incident/{OURS.id}", "/layers/incident/facets", "/ogc/collections/incident/items"):
        assert asked(empty, "GET", path, ours).headers["cache-control"] == "private, no-cache"
    assert asked(empty, "GET", "/layers/road/facets", {}).headers["cache-control"] == "no-cache"
    with signed_in(empty, person(empty, "commander", scope=COUNTY)) as page:
        answer = page.get("/layers/incident/facets")
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.json()["total"] == 1


def test_a_kept_result_belongs_to_who_asked(empty: Server) -> None:
    report(empty.database, OURS, THEIRS)
    ours, other = (key_of(empty, "commander", scope=scope) for scope in (COUNTY, OTHER))
    told = asked(empty, "POST", "/query", ours, json={"ask": "select", "layer": "incident"}).json()
    assert told["count"] == 1
    for form in ("", ".csv", ".geojson", "/summary"):
        path = f"/query/results/{told['id']}{form}"
        assert asked(empty, "GET", path, ours).status_code == 200, path
        assert THEIRS.id not in asked(empty, "GET", path, ours).text
        for headers in (other, empty.admin, {}):
            assert asked(empty, "GET", path, headers).status_code == 404, path
    upon = {"ask": "select", "layer": "county", "where": [{"relation": "near", "result": told["id"], "distance_m": 5}]}
    assert asked(empty, "POST", "/query", ours, json=upon).json()["count"] == 1
    assert asked(empty, "POST", "/query", other, json=upon).status_code == 404


def test_a_run_of_a_kept_question_is_told_to_who_ran_it(empty: Server) -> None:
    report(empty.database, OURS, THEIRS)
    ours, other = (key_of(empty, "commander", scope=scope) for scope in (COUNTY, OTHER))
    kept = asked(empty, "POST", "/questions", ours, json={"title": "案卷", "question": BY_CLASS}).json()["id"]
    runs = f"/questions/{kept}/runs"
    run = asked(empty, "POST", runs, ours).json()["run"]
    assert [each["id"] for each in asked(empty, "GET", runs, ours).json()["runs"]] == [run["id"]]
    assert asked(empty, "GET", f"{runs}/{run['id']}", ours).status_code == 200
    assert asked(empty, "GET", runs, other).json()["runs"] == []
    assert asked(empty, "GET", f"{runs}/{run['id']}", other).status_code == 404
    assert asked(empty, "GET", f"/questions/{kept}", other).json()["last"] is None
    assert asked(empty, "GET", f"/questions/{kept}", ours).json()["last"]["rows"] == 1


def test_live_tells_each_of_their_own_and_again_after_a_break(empty: Server) -> None:
    ours, other = (key_of(empty, "commander", scope=scope) for scope in (COUNTY, OTHER))
    address = f"{empty.url}/live?layers=incident"
    with listening(address, **ours) as mine, listening(address, **other) as others:
        start = mine.next().id
        others.next()
        report(empty.database, OURS, THEIRS)
        assert mine.until("record").data["id"] == OURS.id
        assert others.until("record").data["id"] == THEIRS.id
        change(empty.database, THEIRS.id, title="一")
        change(empty.database, OURS.id, title="二")
        heard = mine.until("record").data
        assert (heard["op"], heard["id"], heard["lon"], heard["lat"]) == ("update", OURS.id, OURS.lon, OURS.lat)
    with listening(address, last=start, **ours) as back:
        assert [(event.data["op"], event.data["id"]) for event in (back.until("record"), back.until("record"))] == [
            ("insert", OURS.id),
            ("update", OURS.id),
        ]
