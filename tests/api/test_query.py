"""The planner's questions over HTTP: asked, paged through, exported, refused."""

from __future__ import annotations

import asyncio
import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal
from urllib.parse import unquote

import geopandas as gpd
import httpx
import pandas as pd
import pytest
import sqlalchemy as sa
from starlette.requests import Request

from api.routes.query import cancelled_without
from layers.ask.question.errors import GivenUp
from layers.spec import Field, Title
from layers.store.definitions import layer_from_parts, save_definition
from layers.store.schema import add_layer
from tests.conftest import Database, Server

SQUARE = {
    "type": "Polygon",
    "coordinates": [[[120.8, 31.9], [121.0, 31.9], [121.0, 32.1], [120.8, 32.1], [120.8, 31.9]]],
}
POINT = {"type": "Point", "coordinates": [120.9, 32.0]}
INSIDE = [{"relation": "within", "geometry": SQUARE}]


def ask(server: Server, question: dict[str, Any], **headers: str) -> httpx.Response:
    return httpx.post(f"{server.url}/query", json=question, headers=headers, timeout=30)


def answered(server: Server, question: dict[str, Any]) -> dict[str, Any]:
    answer = ask(server, question)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def some_point(server: Server) -> list[float]:
    with server.database.reader.connect() as connection:
        start = "select st_startpoint(st_geometryn(geom, 1)) p from city.road order by id limit 1"
        return list(connection.execute(sa.text(f"select st_x(p), st_y(p) from ({start}) r")).one())


QUESTIONS: dict[str, dict[str, Any]] = {
    "select": {"ask": "select", "layer": "component", "filter": "state = 'intact'", "where": INSIDE},
    "nearest": {"ask": "nearest", "layer": "place", "point": [120.9, 32.0], "k": 3},
    "count": {"ask": "count", "layer": "component", "by": "class", "where": INSIDE},
    "count by cell": {"ask": "count", "layer": "component", "by": "h3", "res": 7},
    "count by town": {"ask": "count", "layer": "grid", "by": "town", "field": "population"},
    "buffer": {"ask": "buffer", "geometry": POINT, "radius_m": 500},
    "gap": {"ask": "coverage_gap", "layer": "grid", "of": {"layer": "place"}, "distance_m": 500},
    "uncovered": {"ask": "coverage_gap", "layer": "town", "of": {"layer": "place"}, "distance_m": 900,
                  "reading": "uncovered"},
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=list(QUESTIONS))
def test_every_question_is_answered_in_one_shape(server: Server, question: dict[str, Any]) -> None:
    told = answered(server, question)
    assert told["count"] > 0
    assert told["statement"]["zh"].endswith("。")
    assert told["statement"]["en"].endswith(".")
    assert told["madeAt"]
    assert told["asked"]["ask"] == question["ask"]
    names = [column["name"] for column in told["columns"]]
    assert len(set(names)) == len(names)
    if "features" in told:
        first = told["features"]["features"][0]
        assert list(first["properties"]) == names
        west, south, east, north = told["bounds"]
        assert west <= east
        assert south <= north
    else:
        assert list(told["rows"][0]) == names
    assert told["synthetic"] is (question["ask"] != "buffer")


def test_ways_are_found_over_the_roads(server: Server) -> None:
    start = some_point(server)
    reach = answered(server, {"ask": "isochrone", "point": start, "minutes": [5, 15], "by": "walking"})
    parts = [(f["properties"]["part"], f["properties"]["minutes"]) for f in reach["features"]["features"]]
    assert parts == [("area", 15), ("roads", 15), ("area", 5), ("roads", 5)]
    big, small = (
        f["properties"]["area_km2"] for f in reach["features"]["features"] if f["properties"]["part"] == "area"
    )
    assert big > small > 0
    near = [start[0] + 0.01, start[1] + 0.01]
    way = ask(server, {"ask": "route", "start": start, "end": near})
    assert way.status_code in (200, 422)
    if way.status_code == 200:
        assert way.json()["features"]["features"][0]["properties"]["part"] == "way"


def test_a_result_is_kept_and_paged_through(server: Server) -> None:
    told = answered(server, {"ask": "select", "layer": "component", "limit": 500})
    assert (told["count"], told["truncated"], told["next"]) == (500, True, None)
    pages, url = [], f"/query/results/{told['id']}?limit=200"
    while url:
        page = httpx.get(f"{server.url}{url}").json()
        pages += [feature["id"] for feature in page["features"]["features"]]
        url = page["next"]
    assert pages == [feature["id"] for feature in told["features"]["features"]]
    assert pages == sorted(pages)


@pytest.fixture(scope="module")
def kept(server: Server) -> dict[str, Any]:
    return answered(server, {"ask": "select", "layer": "place", "limit": 40})


def test_a_result_comes_in_every_format(server: Server, kept: dict[str, Any], tmp_path: Any) -> None:
    assert set(kept["exports"]) == {"geojson", "gpkg", "csv", "xlsx", "parquet", "html"}
    bodies = {}
    for name, url in kept["exports"].items():
        answer = httpx.get(server.url + url)
        assert answer.status_code == 200, answer.text
        disposition = unquote(answer.headers["content-disposition"])
        assert disposition.startswith(f"attachment; filename=\"{kept['id']}.{name}\"; filename*=utf-8''地名地址-查询")
        assert disposition.endswith(f".{name}")
        bodies[name] = answer.content
    ids = {feature["id"] for feature in kept["features"]["features"]}
    for name in ("geojson", "gpkg"):
        (tmp_path / f"a.{name}").write_bytes(bodies[name])
        assert set(gpd.read_file(tmp_path / f"a.{name}")["id"]) == ids
    assert set(gpd.read_parquet(io.BytesIO(bodies["parquet"]))["id"]) == ids
    assert len(pd.read_csv(io.BytesIO(bodies["csv"]))) == len(ids)
    assert len(pd.read_excel(io.BytesIO(bodies["xlsx"]), sheet_name=0, engine="openpyxl")) >= len(ids)
    assert json.dumps("崇川区")[1:-1] in bodies["html"].decode()
    assert not list((server.data / "results").glob("new-*"))


def test_an_answer_of_nothing_is_an_answer(server: Server) -> None:
    for question in (
        {"ask": "select", "layer": "place", "filter": "kind = 'nothing'"},
        {"ask": "nearest", "layer": "place", "filter": "kind = 'nothing'", "point": [120.9, 32.0]},
        {"ask": "buffer", "records": {"layer": "place", "filter": "kind = 'nothing'"}, "radius_m": 5},
        {"ask": "count", "layer": "place", "by": "h3", "res": 7, "filter": "kind = 'nothing'"},
        {"ask": "count", "layer": "place", "by": "town", "filter": "kind = 'nothing'"},
        {"ask": "coverage_gap", "layer": "grid", "filter": "name = 'nothing'", "of": {"layer": "place"},
         "distance_m": 5, "reading": "uncovered"},
        {"ask": "coverage_gap", "layer": "grid", "filter": "name = 'nothing'", "of": {"layer": "place"},
         "distance_m": 5},
    ):  # fmt: skip
        told = answered(server, question)
        assert (told["count"], told["bounds"], told["features"]["features"]) == (0, None, [])
    assert all(httpx.get(server.url + url).status_code == 200 for url in told["exports"].values())


def test_a_table_without_places_is_exported_too(server: Server) -> None:
    told = answered(server, QUESTIONS["count"])
    for url in told["exports"].values():
        assert httpx.get(server.url + url).status_code == 200


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"ask": "select", "layer": "component", "limit": 50_001}, "select.limit"),
        ({"ask": "buffer", "geometry": POINT, "radius_m": 20_001}, "buffer.radius_m"),
        ({"ask": "buffer", "geometry": POINT, "radius_m": 0}, "buffer.radius_m"),
        ({"ask": "nearest", "layer": "place", "point": [120.9, 32.0], "k": 1_001}, "nearest.k"),
        ({"ask": "nearest", "layer": "place", "point": [200, 32.0]}, "nearest.point"),
        ({"ask": "count", "layer": "component", "by": "h3", "res": 11}, "count.res"),
        ({"ask": "count", "layer": "component", "by": "h3", "res": 4}, "count.res"),
        ({"ask": "isochrone", "point": [120.9, 32.0], "minutes": [61]}, "isochrone.minutes"),
        ({"ask": "isochrone", "point": [120.9, 32.0], "minutes": []}, "isochrone.minutes"),
        ({"ask": "coverage_gap", "layer": "grid", "of": {"layer": "place"}, "distance_m": 1e9},
         "coverage_gap.distance_m"),
        ({"ask": "select", "layer": "road", "where": [{"relation": "near", "layer": "place", "distance_m": 3e4}]},
         "select.where.distance_m"),
        ({"ask": "select", "layer": "component", "where": [{"relation": "near", "layer": "place"}]}, "select.where"),
        ({"ask": "select", "layer": "component", "where": [{"relation": "within"}]}, "select.where"),
        ({"ask": "select", "layer": "component", "where": INSIDE * 5}, "select.where"),
        ({"ask": "select", "layer": "component", "buffer": 5}, "select.buffer"),
        ({"ask": "nothing"}, "body"),
        ({"ask": "select", "layer": "component", "where": [{"relation": "within", "geometry": {"type": "Circle"}}]},
         "geometry"),
        ({"ask": "count", "layer": "component", "by": "class", "class_field": "geom"}, "class_field"),
        ({"ask": "count", "layer": "component", "field": "name"}, "field"),
        ({"ask": "coverage_gap", "layer": "place", "of": {"layer": "place"}, "distance_m": 9, "reading": "uncovered"},
         "reading"),
        ({"ask": "isochrone", "point": [0, 0], "minutes": [5]}, "point"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_by_name(server: Server, question: dict[str, Any], field: str) -> None:
    answer = ask(server, question)
    assert answer.status_code == 422, answer.text
    assert list(answer.json()["problems"]) == [field]


def test_a_ceiling_is_told(server: Server) -> None:
    answer = ask(server, {"ask": "select", "layer": "component", "limit": 50_001})
    assert "50000" in answer.json()["problems"]["select.limit"]


@pytest.mark.parametrize("filter", ["pg_sleep(3) IS NOT NULL", "nothing = 1", "state ="])
def test_a_bad_filter_is_refused(server: Server, filter: str) -> None:
    answer = ask(server, {"ask": "select", "layer": "component", "filter": filter})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_filter")


@pytest.mark.parametrize(
    "question",
    [
        {"ask": "select", "layer": "nothing"},
        {"ask": "select", "layer": "place", "where": [{"relation": "within", "layer": "nothing"}]},
        {"ask": "coverage_gap", "layer": "grid", "of": {"layer": "nothing"}, "distance_m": 9},
    ],
)
def test_an_unknown_layer_is_404(server: Server, question: dict[str, Any]) -> None:
    answer = ask(server, question)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_layer")


@pytest.mark.parametrize("id", ["x" * 24, "-" * 24])
def test_a_result_that_is_not_kept_is_404(server: Server, id: str) -> None:
    for path in (f"/query/results/{id}", f"/query/results/{id}.csv"):
        answer = httpx.get(server.url + path)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_result")


@pytest.mark.parametrize("path", ["..%2F..%2Fetc", "short", "x" * 24 + ".exe", "x" * 23 + "%00"])
def test_an_id_that_is_none_is_refused(server: Server, path: str) -> None:
    assert httpx.get(f"{server.url}/query/results/{path}").status_code in (404, 422)


def test_a_result_of_a_layer_that_became_internal_is_not_there_any_more(server: Server) -> None:
    name = "found_things"
    _bring(server, name, access="public")
    _await_status(f"{server.url}/layers/{name}", 200)
    told = answered(server, {"ask": "select", "layer": name})
    url = f"{server.url}/query/results/{told['id']}"
    assert httpx.get(url).status_code == 200
    _bring(server, name, access="internal")
    _await_status(f"{server.url}/layers/{name}", 404)
    for path in (url, f"{url}.csv"):
        answer = httpx.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_result")
        assert httpx.get(path, headers=server.admin).status_code == 200
    hidden = ask(server, {"ask": "select", "layer": name})
    unknown = ask(server, {"ask": "select", "layer": "no_such_things"})
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json()["detail"].replace(name, "no_such_things") == unknown.json()["detail"]
    assert ask(server, {"ask": "select", "layer": name}, **server.admin).status_code == 200


def _bring(server: Server, name: str, *, access: Literal["public", "internal"]) -> None:
    """A layer that a person brought, with nothing in it; brought again, it is only declared anew."""
    fields = [Field("name", Title("名称", "Name"), "text")]
    title = Title("物", "Thing")
    layer = layer_from_parts(name, title, "Point", fields, label="name", classes=None, public=access == "public")
    with server.database.engine.begin() as connection:
        (add_layer if access == "public" else save_definition)(connection, layer)


def _await_status(url: str, status: int) -> None:
    """Return when the server answers so: it reads the layers that people brought again every two seconds."""
    deadline = time.monotonic() + 10
    while httpx.get(url).status_code != status:
        assert time.monotonic() < deadline


def test_the_query_of_a_client_that_left_is_cancelled(server: Server) -> None:
    with server.database.owner.begin() as holder:
        holder.execute(sa.text("lock table city.pollution in access exclusive mode"))
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{server.url}/query", json={"ask": "select", "layer": "pollution"}, timeout=0.7)
        deadline = time.monotonic() + 5
        while holder.scalar(sa.text(_WAITING)):
            assert time.monotonic() < deadline
    assert answered(server, {"ask": "select", "layer": "pollution", "limit": 1})["count"] == 1


def test_who_only_wants_to_know_waits_for_a_turn_too(server: Server) -> None:
    id = answered(server, {"ask": "select", "layer": "pollution", "limit": 1})["id"]
    with ThreadPoolExecutor(5) as pool:
        with server.database.owner.begin() as holder:
            holder.execute(sa.text("lock table city.pollution in access exclusive mode"))
            busy = [pool.submit(ask, server, {"ask": "select", "layer": "pollution", "limit": 2}) for _ in range(3)]
            while holder.scalar(sa.text(_LOCKED_OUT)) < 3:
                assert not any(question.done() for question in busy)
            plan = pool.submit(httpx.post, f"{server.url}/query/plan", json=QUESTIONS["count"], timeout=30)
            short = pool.submit(httpx.get, f"{server.url}/query/results/{id}/summary", timeout=30)
            for refused in (plan.result(), short.result()):
                assert (refused.status_code, refused.json()["code"]) == (503, "too_busy")
                assert int(refused.headers["retry-after"]) > 0
        assert [question.result().status_code for question in busy] == [200] * 3
    assert httpx.post(f"{server.url}/query/plan", json=QUESTIONS["count"]).status_code == 200
    assert httpx.get(f"{server.url}/query/results/{id}/summary").status_code == 200


def test_who_left_is_not_worked_for_between_the_steps_of_a_question(city: Database) -> None:
    async def leaving() -> list[str]:
        gone = asyncio.Event()

        async def receive() -> dict[str, str]:
            await gone.wait()
            return {"type": "http.disconnect"}

        told = []
        with city.reader.connect() as connection:
            async with cancelled_without(Request({"type": "http"}, receive), connection) as between:
                between()
                gone.set()
                for _ in range(3):
                    await asyncio.sleep(0)
                try:
                    between()
                except GivenUp as error:
                    told.append(str(error))
        return told

    assert asyncio.run(leaving()) == ["whoever asked has left; the question was given up"]


_LOCKED_OUT = "select count(*) from pg_locks where not granted and relation = 'city.pollution'::regclass"
_WAITING = """
    select count(*) from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database() and query like '%city.pollution%'
"""


@pytest.mark.parametrize(
    "body",
    [
        b'{"ask": "select", "layer": "place", "where": [{"relation": "within", "geometry": {"type": "Polygon", '
        b'"coordinates": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}]}",
        b'{"ask": "select", "layer": "place", "filter": ' + b'{"op": "not", "args": [' * 5_000 + b"]}" * 5_000 + b"}",
        b'{"ask": "select", "layer": "place", "where": [{"relation": "within", "geometry": {"type": "Point", '
        b'"coordinates": [NaN, 1e999]}}]}',
        b'{"ask": "nearest", "layer": "place", "point": [NaN, 32]}',
        b'{"ask": "nearest", "layer": "place", "point": [1' + b"0" * 400 + b", 32]}",
        b'{"ask": "select", "layer": "place", "\\ud800": 1}',
        b'{"ask": "select", "layer": "place", "where": [{"relation": "within", "geometry": {"type": "\\ud800"}}]}',
        b'{"ask": "select", "layer": "place", "where": [{"relation": "within", "geometry": {"type": ["Point"]}}]}',
        b'{"ask": "count", "layer": "place", "by": "class", "class_field": "\\ud800"}',
        b'{"ask": "select", "layer": "place", "limit": 1' + b"0" * 5_000 + b"}",
        b'{"ask": "select", "layer": "\\u0000"}',
        b'[]',
        b'{"ask": ["select"]}',
        b'{',
    ],
)  # fmt: skip
def test_hostile_bodies_are_refused_not_failed(server: Server, body: bytes) -> None:
    answer = httpx.post(f"{server.url}/query", content=body, headers={"Content-Type": "application/json"}, timeout=20)
    assert answer.status_code in (400, 422), answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
