"""Questions that are ready, told before they are asked, kept, run again, and asked of what another one found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from layers.ask.kept import MOST_RUNS
from layers.ask.ready import ready_questions
from layers.errors import BadDeclaration
from layers.spec import Field, Title
from layers.store.core import QUESTION_RUN
from layers.store.definitions import layer_from_parts
from layers.store.schema import add_layer
from tests.conftest import Server

READY = ready_questions()
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[120.8, 31.9], [121.0, 31.9], [121.0, 32.1], [120.8, 32.1], [120.8, 31.9]]],
}


def post(server: Server, path: str, body: Any = None, *, admin: bool = False) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", json=body, headers=server.admin if admin else {}, timeout=60)


def get(server: Server, path: str, *, admin: bool = False) -> httpx.Response:
    return httpx.get(f"{server.url}{path}", headers=server.admin if admin else {}, timeout=60)


def answered(server: Server, **question: Any) -> dict[str, Any]:
    answer = post(server, "/query", question)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_twelve_questions_ship(server: Server) -> None:
    told = get(server, "/questions").json()
    assert [one["id"] for one in told["questions"]] == list(READY)
    assert len(READY) == 12
    assert told["keeps"] is False
    assert all(one["ready"] and one["about"]["zh"] and one["about"]["en"] for one in told["questions"])


@pytest.mark.parametrize("id", list(READY))
def test_every_ready_question_is_answered(server: Server, id: str) -> None:
    told = answered(server, **READY[id].asked)
    assert told["count"] > 0
    assert not told["truncated"]
    short = get(server, f"/query/results/{told['id']}/summary").json()
    assert len(short["rows"]) == told["count"]
    assert sum(bar["n"] for bar in short["bars"]) in (0, told["count"])
    if "features" in told:
        assert all(row[3] is not None for row in short["rows"])


UNASKABLE = [
    {"ask": "coverage_gap", "layer": "grid", "of": {"layer": "component", "filter": "nothing = 1"}, "distance_m": 9},
    {
        "ask": "coverage_gap",
        "layer": "component",
        "of": {"layer": "component"},
        "distance_m": 9,
        "reading": "uncovered",
    },
    {"ask": "count", "layer": "component", "by": "town", "per": {"layer": "road", "filter": "nothing = 1"}},
    {"ask": "buffer", "records": {"layer": "component", "filter": "nothing = 1"}, "radius_m": 9},
]


@pytest.mark.parametrize("question", UNASKABLE)
def test_what_cannot_be_asked_is_neither_told_nor_kept(server: Server, question: dict[str, Any]) -> None:
    refused = post(server, "/query", question)
    assert refused.status_code in (400, 422)
    assert post(server, "/query/plan", question).json() == refused.json()
    assert post(server, "/questions", {"title": "x", "question": question}, admin=True).json() == refused.json()


def test_a_kept_title_is_one_line_and_its_question_not_a_flood(server: Server) -> None:
    question: dict[str, Any] = {"ask": "count", "layer": "grid"}
    for title in ("a\x00b", "a\nb", " \u3000 "):
        assert post(server, "/questions", {"title": title, "question": question}, admin=True).status_code == 422
    ring = [[120 + i / 1e4, 31 + i % 2] for i in range(4_000)]
    huge = {"type": "LineString", "coordinates": ring}
    body = {"title": "x", "question": {**question, "where": [{"relation": "crossing", "geometry": huge}]}}
    refused = post(server, "/questions", body, admin=True)
    assert refused.status_code == 422
    assert refused.json()["problems"].keys() == {"question"}


def test_of_a_geometry_only_the_geometry_is_told(server: Server) -> None:
    noisy = {**SQUARE, "crs": "x", "note": "\x00"}
    question = {"ask": "count", "layer": "grid", "where": [{"relation": "within", "geometry": noisy}]}
    assert post(server, "/query/plan", question).json()["asked"]["where"][0]["geometry"] == SQUARE


def test_what_stands_on_a_result_that_was_cut_says_so(server: Server) -> None:
    part = answered(server, ask="select", layer="component", limit=3)
    assert part["truncated"]
    question = {"ask": "select", "layer": "grid", "where": [{"relation": "crossing", "result": part["id"]}]}
    statement = post(server, "/query/plan", question).json()["statement"]
    assert "（不全）" in statement["zh"]
    assert "(cut)" in statement["en"]


def test_manholes_are_the_same_ones_for_the_question_and_for_the_indicator(server: Server) -> None:
    asked = answered(server, **READY["manholes-per-km"].asked)
    told = get(server, "/indicators/manholes-per-road-km?by=city").json()["values"][0]
    assert sum(row["n"] for row in asked["rows"]) == told["numerator"]


def test_no_record_is_related_to_itself_and_the_words_say_so(server: Server) -> None:
    one = answered(server, ask="select", layer="grid", limit=1)
    (feature,) = one["features"]["features"]
    question = {"ask": "select", "layer": "grid", "where": [{"relation": "crossing", "result": one["id"]}]}
    around = answered(server, **question)
    assert feature["id"] not in [each["id"] for each in around["features"]["features"]]
    assert "中的某个其他对象" in around["statement"]["zh"]
    assert "some other record" in around["statement"]["en"]
    gap = {"ask": "coverage_gap", "layer": "grid", "of": {"layer": "grid"}, "distance_m": 9}
    statement = post(server, "/query/plan", gap).json()["statement"]
    assert "没有其他治理网格的治理网格" in statement["zh"]
    assert "no other record" in statement["en"]


def test_one_word_for_two_codes_is_said_once(server: Server) -> None:
    question = {"ask": "select", "layer": "component", "filter": "class_code IN ('01013', '0113')"}
    statement = post(server, "/query/plan", question).json()["statement"]
    assert "类别为“消防设施”）" in statement["zh"]


def test_a_question_is_told_without_being_asked(server: Server) -> None:
    question = {"ask": "select", "layer": "component", "filter": "state IN ('broken', 'lost')",
                "where": [{"relation": "within", "geometry": SQUARE}], "limit": 50_000}  # fmt: skip
    plan = post(server, "/query/plan", question).json()
    answer = answered(server, **question)
    assert plan["statement"] == answer["statement"]
    assert plan["asked"] == answer["asked"]
    assert plan["layers"] == ["component"]
    assert plan["estimate"] >= 1
    # The same records for an OGC client.
    items = get(server, plan["items"] + "&limit=1000").json()
    ids = [feature["id"] for feature in answer["features"]["features"]]
    assert sorted(feature["id"] for feature in items["features"]) == sorted(ids)
    assert len(ids) > 3
    again = answered(server, ask="select", layer="component", filter=plan["cql2"]["json"])
    assert again["count"] == answer["count"]


@pytest.mark.parametrize(
    "where",
    [
        {"relation": "crossing", "geometry": {"type": "LineString", "coordinates": [[120.8, 31.95], [121.0, 32.05]]}},
        {"relation": "near", "geometry": {"type": "Point", "coordinates": [120.89, 31.98]}, "distance_m": 900},
        {"relation": "not_near", "geometry": SQUARE, "distance_m": 900},
    ],
)
def test_conditions_towards_what_is_drawn_are_told_as_cql2(server: Server, where: dict[str, Any]) -> None:
    question = {"layer": "road", "where": [where]}
    text = post(server, "/query/plan", {"ask": "select", **question}).json()["cql2"]["text"]
    by_text = answered(server, ask="count", layer="road", filter=text)
    assert by_text["rows"] == answered(server, ask="count", **question)["rows"]
    assert by_text["rows"][0]["n"] > 0


def test_what_cql2_cannot_say_has_no_url(server: Server) -> None:
    where = [{"relation": "near", "layer": "place", "distance_m": 100}]
    plan = post(server, "/query/plan", {"ask": "select", "layer": "component", "where": where}).json()
    assert (plan["cql2"], plan["items"]) == (None, None)
    route = post(server, "/query/plan", {"ask": "route", "start": [120.9, 32.0], "end": [120.91, 32.0]}).json()
    assert (route["layer"], route["estimate"], route["cql2"]) == (None, None, None)
    assert "最快" in route["statement"]["zh"]


@pytest.mark.parametrize(
    ("question", "status", "said"),
    [
        ({"ask": "select", "layer": "nothing"}, 404, "nothing"),
        ({"ask": "select", "layer": "place", "filter": "nope = 1"}, 400, "nope"),
        ({"ask": "select", "layer": "place", "where": [{"relation": "sees", "layer": "place"}]}, 422, "cameras"),
        ({"ask": "select", "layer": "place", "where": [{"relation": "seen_by", "geometry": SQUARE}]}, 422, "cameras"),
        ({"ask": "select", "layer": "place", "where": [{"relation": "within", "result": "a" * 24}]}, 404, "result"),
        ({"ask": "select", "layer": "place", "where": [{"relation": "within", "result": "../secret"}]}, 422, "pattern"),
        ({"ask": "select", "layer": "place", "where": [{"relation": "within", "layer": "town", "result": "a" * 24}]},
         422, "either"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/query", "/query/plan"])
def test_what_cannot_be_asked_is_refused_before_anything_runs(
    server: Server, path: str, question: dict[str, Any], status: int, said: str
) -> None:
    refused = post(server, path, question)
    assert refused.status_code == status
    assert said in refused.text


def test_the_records_that_a_question_found_are_the_place_of_the_next(server: Server) -> None:
    towns = answered(server, ask="select", layer="town", filter="id LIKE '3206130%'")
    both = [answered(server, ask="count", layer="component", where=[where])["rows"][0]["n"] for where in (
        {"relation": "within", "result": towns["id"]},
        {"relation": "within", "layer": "town", "filter": "id LIKE '3206130%'"},
    )]  # fmt: skip
    assert both[0] == both[1] > 0
    told = answered(server, ask="select", layer="component", where=[{"relation": "within", "result": towns["id"]}])
    assert "结果“镇（街道）：查询”中的某个对象" in told["statement"]["zh"]
    counted = answered(server, ask="count", layer="component", by="town")
    grids = answered(server, ask="count", layer="grid", where=[{"relation": "within", "result": counted["id"]}])
    assert grids["rows"][0]["n"] > 0


def test_the_area_that_a_question_drew_is_the_place_of_the_next(server: Server) -> None:
    around = answered(server, ask="buffer", radius_m=700, records={"layer": "place", "filter": "kind = 'school'"})
    inside = answered(server, ask="select", layer="component", where=[{"relation": "within", "result": around["id"]}])
    near = {"relation": "near", "layer": "place", "filter": "kind = 'school'", "distance_m": 700}
    exact = {f["id"] for f in answered(server, ask="select", layer="component", where=[near])["features"]["features"]}
    found = {f["id"] for f in inside["features"]["features"]}
    # Circles of 64 corners are a little smaller than true ones.
    assert found <= exact
    assert len(found) > 0.97 * len(exact) > 10
    nowhere = answered(server, ask="count", layer="place", by="class")
    refused = post(server, "/query", {"ask": "select", "layer": "place",
                                      "where": [{"relation": "within", "result": nowhere["id"]}]})  # fmt: skip
    assert refused.status_code == 422
    assert "no places" in refused.text


def test_counts_are_divided_by_the_length_of_roads(server: Server) -> None:
    total = answered(server, ask="count", layer="component", per={"layer": "road"})["rows"][0]
    with server.database.reader.connect() as connection:
        km = connection.scalar(sa.text("select sum(st_length(geom::geography)) / 1000 from city.road"))
    assert total["size"] == pytest.approx(km, abs=0.01)
    assert total["n_per"] == pytest.approx(total["n"] / km, rel=1e-3)
    towns = answered(server, ask="count", layer="component", by="town", per={"layer": "road", "filter": "lanes >= 1"})
    rows = [feature["properties"] for feature in towns["features"]["features"]]
    assert sum(row["size"] for row in rows) < km
    assert all(row["n_per"] == pytest.approx(row["n"] / row["size"], abs=1e-2) for row in rows if row["size"] > 1)
    cells = answered(server, ask="count", layer="component", by="h3", res=6, per={"layer": "grid"})
    assert {column["name"] for column in cells["columns"]} >= {"size", "n_per"}
    assert cells["columns"][-2]["unit"] == "km²"


def test_keeping_needs_the_token_and_shows_kept_questions_to_no_one_else(server: Server) -> None:
    body = {"title": "破损部件", "question": {"ask": "count", "layer": "component", "filter": "state = 'broken'"}}
    assert post(server, "/questions", body).status_code == 401
    kept = post(server, "/questions", body, admin=True)
    assert kept.status_code == 201
    id, where = kept.json()["id"], kept.headers["Location"]
    assert kept.json()["actor"] == "admin"
    assert id not in get(server, "/questions").text
    assert get(server, where).status_code == get(server, f"{where}/runs").status_code == 404
    listed = get(server, "/questions", admin=True).json()
    assert listed["keeps"] is True
    assert [one["title"]["zh"] for one in listed["questions"] if one["id"] == id] == ["破损部件"]
    assert httpx.delete(f"{server.url}{where}").status_code == 401
    assert httpx.delete(f"{server.url}{where}", headers=server.admin).status_code == 204
    assert get(server, where, admin=True).status_code == 404
    assert httpx.delete(f"{server.url}{where}", headers=server.admin).status_code == 404


def test_runs_of_a_kept_question_can_be_compared(own_server: Server) -> None:
    server = own_server
    question = {"ask": "select", "layer": "component", "filter": "state = 'broken'"}
    id = post(server, "/questions", {"title": "破损", "question": question}, admin=True).json()["id"]
    assert post(server, f"/questions/{id}/runs").status_code == 401
    first = post(server, f"/questions/{id}/runs", admin=True)
    assert first.status_code == 201
    with server.database.owner.begin() as connection:
        mended = connection.scalar(sa.text("select id from city.component where state = 'broken' order by id limit 1"))
        connection.execute(sa.text("update city.component set state = 'intact' where id = :id"), {"id": mended})
    second = post(server, f"/questions/{id}/runs", admin=True).json()
    runs = get(server, f"/questions/{id}/runs", admin=True).json()["runs"]
    assert [run["id"] for run in runs] == [second["run"]["id"], first.json()["run"]["id"]]
    assert [run["rows"] for run in runs] == [second["count"], second["count"] + 1]
    assert "summary" not in runs[0]
    before, after = (
        {row[0] for row in get(server, f"/questions/{id}/runs/{run['id']}", admin=True).json()["summary"]["rows"]}
        for run in reversed(runs)
    )
    assert before - after == {mended}
    assert get(server, f"/questions/{id}/runs/{10**9}", admin=True).status_code == 404
    assert get(server, f"/questions/{id}", admin=True).json()["last"]["id"] == runs[0]["id"]


def test_only_the_last_runs_stay(own_server: Server) -> None:
    server, id = own_server, "unseen-pollution"
    assert post(server, f"/questions/{id}/runs", admin=True).status_code == 201
    with server.database.owner.begin() as connection:
        copied = sa.select(*(c for c in QUESTION_RUN.c if c.name != "id")).where(QUESTION_RUN.c.question == id)
        names = [c.name for c in QUESTION_RUN.c if c.name != "id"]
        for _ in range(7):
            connection.execute(sa.insert(QUESTION_RUN).from_select(names, copied))
    assert post(server, f"/questions/{id}/runs", admin=True).status_code == 201
    with server.database.reader.connect() as connection:
        kept = connection.scalar(
            sa.select(sa.func.count()).select_from(QUESTION_RUN).where(QUESTION_RUN.c.question == id)
        )
    assert kept == MOST_RUNS
    assert get(server, f"/questions/{id}/runs").status_code == 401


def test_a_question_that_stands_on_a_result_cannot_be_kept(server: Server) -> None:
    towns = answered(server, ask="select", layer="town", limit=2)
    question = {"ask": "select", "layer": "place", "where": [{"relation": "within", "result": towns["id"]}]}
    refused = post(server, "/questions", {"title": "x", "question": question}, admin=True)
    assert refused.status_code == 422
    assert "a day" in refused.json()["problems"]["where"]
    gap = {"ask": "coverage_gap", "layer": "grid", "distance_m": 5, "of": question | {"ask": "select"}}
    gap["of"].pop("ask")
    assert post(server, "/questions", {"title": "x", "question": gap}, admin=True).status_code == 422


@pytest.mark.parametrize("title", ["", "   ", "x" * 121])
def test_a_kept_question_has_a_title(server: Server, title: str) -> None:
    body = {"title": title, "question": {"ask": "count", "layer": "place"}}
    assert post(server, "/questions", body, admin=True).status_code == 422


def test_ready_questions_are_not_taken_away_by_anyone(server: Server) -> None:
    gone = httpx.delete(f"{server.url}/questions/lamp-gaps", headers=server.admin)
    assert gone.status_code == 403
    assert get(server, "/questions/lamp-gaps").json()["ready"] is True


def test_questions_about_layers_that_one_may_not_see_do_not_exist(own_server: Server) -> None:
    server = own_server
    fields = [Field("name", Title("名", "Name"), "text", filter=True)]
    with server.database.engine.begin() as connection:
        add_layer(connection, layer_from_parts("secret_posts", Title("密", "Secret"), "Point", fields, label="name"))
    asked = {
        "ask": "select",
        "layer": "place",
        "where": [{"relation": "near", "layer": "secret_posts", "distance_m": 9}],
    }
    hidden = post(server, "/query/plan", asked)
    unknown = post(server, "/query/plan", {**asked, "where": [{**asked["where"][0], "layer": "secret_pests"}]})
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.text.replace("posts", "pests") == unknown.text
    # A server looks for new layers once a second.
    answers = (post(server, "/query", asked, admin=True) for _ in range(500))
    seen = next((answer for answer in answers if answer.status_code == 200), hidden)
    assert seen.status_code == 200
    id = seen.json()["id"]
    assert get(server, f"/query/results/{id}/summary").status_code == 404
    standing = {"ask": "count", "layer": "component", "where": [{"relation": "near", "result": id, "distance_m": 50}]}
    assert post(server, "/query", standing).status_code == 404
    assert post(server, "/query", standing, admin=True).status_code == 200


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("order: 1\ntitle: {zh: 一, en: one}\nabout: {zh: 一, en: one}\nquestion:\n  ask: select\n  layer: Road\n", 6),
        ("order: 1\ntitle: {zh: 一, en: one}\nabout: {zh: 一, en: one}\nquestion: {ask: selct, layer: road}\n", 4),
        ("order: 1\ntitle: {zh: 一}\nabout: {zh: 一, en: one}\nquestion: {ask: select, layer: road}\n", 2),
        ("order: 1\ntitle: {zh: 一, en: [}\n", 2),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadDeclaration, match=f"mine.yaml, line {line}") as refused:
        ready_questions(tmp_path)
    assert refused.value.line == line
