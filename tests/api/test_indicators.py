"""Figures over HTTP: told with their time, source and doors, fresh after an edit, and unknown to who may not know."""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import psycopg
import pytest
import sqlalchemy as sa

from layers.ask.clauses import Among, Clause, Range, Starts, cql2
from layers.ask.period import CITY_TIME
from layers.catalog import built_in
from layers.people.access import ADMIN, Access
from layers.spec import Title
from layers.store.cluster import Cluster
from layers.store.definitions import layer_from_parts
from layers.store.engine import begin
from layers.store.schema import add_layer
from tests.conftest import Database, Server, serving

SECRET = """\
title: {zh: 暗井, en: Hidden wells}
about: {zh: 内部图层, en: An internal layer}
kind: count
layer: wells
when_there: true
by: [county]
"""
HALF_SECRET = """\
title: {zh: 每井部件, en: Components per well}
about: {zh: 内部图层作分母, en: Over an internal layer}
kind: rate
layer: component
when_there: true
per: {count_of: wells}
"""


def get(server: Server, path: str, *, headers: dict[str, str] | None = None, **parameters: str | int) -> Any:
    response = httpx.get(f"{server.url}{path}", params=parameters, headers=headers, timeout=30)
    assert response.status_code == 200, response.text
    return response.json()


def told_clause(clause: dict[str, Any]) -> Clause:
    if "in" in clause:
        return Among(tuple(clause["in"]))
    return Starts(clause["starts"]) if "starts" in clause else Range(clause.get("from"), clause.get("to"))


def behind(server: Server, door: dict[str, Any]) -> int:
    """How many records a door leads to, as the list beside the map asks."""
    filter = cql2({column: told_clause(clause) for column, clause in door["conditions"].items()})
    asked = {"filter": filter, "limit": 1} if filter else {"limit": 1}
    return int(get(server, f"/ogc/collections/{door['layer']}/items", **asked)["numberMatched"])


def test_the_list_says_what_each_indicator_is(server: Server) -> None:
    listed = {each["name"]: each for each in get(server, "/indicators")["indicators"]}
    assert len(listed) >= 14
    assert listed["video-online"] == {
        "name": "video-online",
        "title": {"zh": "视频在线率", "en": "Video sites online"},
        "about": {"zh": "在线视频点位占全部点位的比例", "en": "Share of video sites that are online"},
        "unit": {"zh": "%", "en": "%"},
        "kind": "share",
        "better": "up",
        "norm": {"low": 90, "high": 95},
        "decimals": 1,
        "period": None,
        "layer": "video",
        "by": ["county", "town", "grid", "position_type", "owner"],
    }


def test_a_figure_has_its_time_its_source_and_its_parts(server: Server) -> None:
    told = get(server, "/indicators/video-online")
    (value,) = told["values"]
    assert told["source"]["layers"] == ["video"]
    assert told["source"]["synthetic"] is True
    assert told["at"] > told["source"]["updated"]
    assert value["value"] == 100 * value["numerator"] / value["denominator"]
    assert (value["key"], value["title"]["zh"]) == (None, "全市")
    assert behind(server, value["denominator_door"]) == value["denominator"]


def test_a_figure_of_the_last_days_says_since_when_and_its_door_too(server: Server) -> None:
    told = get(server, "/indicators/hazards-inspected", by="county")
    days = dt.datetime.now(CITY_TIME).date() - dt.date.fromisoformat(told["period"]["since"])
    assert (told["period"]["column"], told["period"]["days"], days.days) == ("inspected_on", 365, 364)
    for value in told["values"]:
        assert value["door"]["conditions"]["inspected_on"]["from"] == told["period"]["since"]
        assert behind(server, value["door"]) == value["numerator"]
        assert behind(server, value["denominator_door"]) == value["denominator"]


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("components-to-repair", "city"),
        ("components-to-repair", "town"),
        ("covers-in-danger", "state"),
        ("video-out-of-order", "grid"),
        ("hazards-major", "level"),
        ("grids-without-components", "county"),
    ],
)
def test_a_door_leads_to_as_many_records_as_the_numerator_says(server: Server, name: str, by: str) -> None:
    told = get(server, f"/indicators/{name}", by=by, limit=5)
    assert told["values"]
    for value in told["values"]:
        if value["door"] is not None:
            assert behind(server, value["door"]) == value["numerator"], value


def test_an_area_restricts_everything(server: Server) -> None:
    told = get(server, "/indicators/components", by="major", area="320613")
    assert {json.dumps(value["door"]["conditions"]["admin_code"]) for value in told["values"]} == {
        '{"starts": "320613"}'
    }
    (county,) = get(server, "/indicators/components", area="320613")["values"]
    assert county["title"]["zh"] == "崇川区"
    assert sum(value["numerator"] for value in told["values"]) == county["numerator"]


def test_a_long_list_is_cut_and_says_so(server: Server) -> None:
    told = get(server, "/indicators/video-sites", by="town", limit=3)
    assert (len(told["values"]), told["truncated"]) == (3, True)
    assert get(server, "/indicators/video-sites", by="county")["truncated"] is False


def test_who_has_the_answer_is_not_sent_it_again(server: Server) -> None:
    for path in ("/indicators", "/layers/pollution/facets"):
        first = httpx.get(f"{server.url}{path}")
        again = httpx.get(f"{server.url}{path}", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert first.headers["cache-control"] == "no-cache"


REFUSED = [
    ("/indicators/nothing", 404, "unknown_indicator"),
    ("/indicators/nothing/history", 404, "unknown_indicator"),
    ("/indicators/components?by=owner", 400, "bad_parameter"),
    ("/indicators/components?by=geom", 400, "bad_parameter"),
    ("/indicators/components?by=x';drop", 422, "invalid_request"),
    ("/indicators/components?area=999999", 400, "bad_parameter"),
    ("/indicators/components?area=%00", 422, "invalid_request"),
    ("/indicators/components/history?by=county&key=%00", 400, "bad_parameter"),
    ("/layers/video/facets?filter=status%20%3D%20%27%00%27", 400, "bad_filter"),
    ("/indicators.csv?of=nothing", 404, "unknown_indicator"),
    ("/indicators.csv?topic=nothing", 404, "unknown_topic"),
    ("/indicators.csv", 400, "bad_parameter"),
    ("/indicators.csv?topic=emergency&by=town", 400, "bad_parameter"),
    ("/indicators.csv?of=components&by=owner", 400, "bad_parameter"),
    ("/indicators.csv?of=" + ",".join(f"a{n}" for n in range(30)), 400, "bad_parameter"),
    ("/indicators.json?of=components", 422, "invalid_request"),
    ("/indicators/components?limit=0", 422, "invalid_request"),
    ("/indicators/components/history?by=grid", 400, "bad_parameter"),
    ("/indicators/components/history?by=county&key=9", 400, "bad_parameter"),
    ("/indicators/components/history?days=9999", 422, "invalid_request"),
    ("/layers/nothing/facets", 404, "unknown_layer"),
    ("/layers/video/facets?filter=nothing = 1", 400, "bad_filter"),
]


def test_every_class_that_there_is_can_be_chosen_however_rare(server: Server) -> None:
    facets = httpx.get(f"{server.url}/layers/component/facets").json()
    (classes,) = (facet for facet in facets["facets"] if facet["column"] == "class_code")
    assert not classes["truncated"]
    assert sum(value["count"] for value in classes["values"]) == facets["total"]


@pytest.mark.parametrize(("path", "status", "code"), REFUSED, ids=[path for path, _, _ in REFUSED])
def test_what_cannot_be_told_is_refused_with_a_reason(server: Server, path: str, status: int, code: str) -> None:
    response = httpx.get(f"{server.url}{path}")
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"


def test_the_demo_city_has_a_past_that_says_it_is_made_up(server: Server) -> None:
    told = get(server, "/indicators/components-to-repair/history", days=30)
    *before, now = told["points"]
    assert len(before) == 29
    assert all(point["synthetic"] for point in before)
    assert told["synthetic"] is True
    (day,) = before[0]["door"]["conditions"].values()
    assert day["from"][:10] == day["to"][:10] == before[0]["at"][:10]
    assert behind(server, before[0]["door"]) == 0  # this city was made later
    assert behind(server, now["door"]) == now["numerator"]
    assert now["value"] == get(server, "/indicators/components-to-repair")["values"][0]["value"]
    assert [point["at"] for point in told["points"]] == sorted(point["at"] for point in told["points"])


@pytest.mark.parametrize(("by", "key"), [("county", "320613"), ("town", "320613001"), ("state", "lost")])
def test_a_county_a_town_and_a_value_have_a_past(server: Server, by: str, key: str) -> None:
    told = get(server, "/indicators/components-to-repair/history", by=by, key=key, days=7)
    assert (len(told["points"]), told["key"]) == (7, key)


def table(server: Server, path: str, **headers: str) -> pd.DataFrame:
    answer = httpx.get(f"{server.url}{path}", headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    if "csv" in answer.headers["content-type"]:
        assert answer.content.startswith(b"\xef\xbb\xbf")  # else Excel on a Chinese Windows takes it for GBK
        return pd.read_csv(io.BytesIO(answer.content), dtype={"key": str})
    return pd.read_excel(io.BytesIO(answer.content), dtype={"代码": str}, engine="openpyxl")


def test_figures_are_exported_with_their_unit_parts_time_and_source(server: Server) -> None:
    told = {v["key"]: v for v in get(server, "/indicators/video-online", by="county")["values"]}
    found = table(server, "/indicators.csv?of=video-online,video-sites&by=county").set_index(["indicator", "key"])
    for key, value in told.items():
        row = found.loc[("video-online", key)]
        assert row["value"] == pytest.approx(value["value"], abs=0.05)
        assert (row["numerator"], row["denominator"]) == (value["numerator"], value["denominator"])
        assert (row["name_zh"], row["unit_zh"], row["status"]) == (value["title"]["zh"], "%", value["status"])
    assert set(found["synthetic"]) == {True}
    assert set(found["source"]) == {"视频点位"}
    assert found["as_of"].str.match(r"20\d\d-\d\d-\d\dT").all()
    assert "合成演示数据" in found["about"].iloc[0]
    in_excel = table(server, "/indicators.xlsx?of=video-online,video-sites&by=county")
    assert in_excel["数值"].tolist() == found["value"].tolist()
    within = table(server, "/indicators.csv?of=video-sites&by=town&area=320613")
    assert set(within["key"].str[:6]) == {"320613"}


def test_a_topic_is_exported_with_all_that_its_panels_tell(server: Server) -> None:
    found = table(server, "/indicators.csv?topic=emergency")
    told = set(zip(found["indicator"], found["by"], strict=True))
    assert {("video-online", "city"), ("hazards-inspected", "county"), ("hazard_site.level", "level")} <= told
    grades = found[found["indicator"] == "hazard_site.level"]
    assert grades["value"].sum() == grades["denominator"].iloc[0] == get(server, "/layers/hazard_site/facets")["total"]
    since = get(server, "/indicators/hazards-inspected")["period"]["since"]
    assert set(found[found["indicator"] == "hazards-inspected"]["period_since"]) == {since}


def test_facets_count_every_value_under_the_filter(server: Server) -> None:
    found = get(server, "/layers/component/facets", filter="admin_code LIKE '320613%'")
    by_column = {facet["column"]: facet for facet in found["facets"]}
    assert {"class_code", "major", "state", "department", "owner"} <= by_column.keys()
    for value in by_column["state"]["values"]:
        wanted = {
            "layer": "component",
            "conditions": {"state": {"in": [value["value"]]}, "admin_code": {"starts": "320613"}},
        }
        assert behind(server, wanted) == value["count"]
    assert sum(value["count"] for value in by_column["state"]["values"]) == found["total"]
    assert by_column["state"]["values"][0]["title"] == {"zh": "完好", "en": "Intact"}
    assert all(
        facet["truncated"] or sum(v["count"] for v in facet["values"]) == found["total"] for facet in found["facets"]
    )


@pytest.mark.parametrize("layer", built_in())
def test_every_layer_has_facets(server: Server, layer: str) -> None:
    found = get(server, f"/layers/{layer}/facets", headers=server.admin)
    assert found["total"] == get(server, f"/layers/{layer}", headers=server.admin)["count"]


def test_an_edit_is_in_the_next_answer(server: Server) -> None:
    asked = ("/indicators/components-to-repair",)
    was = get(server, *asked)["values"][0]["numerator"]
    with server.database.reader.connect() as connection:
        id = connection.scalar(sa.text("select max(id) from city.component where state = 'intact'"))
    for state, more in (("lost", 1), ("intact", 0)):
        version = httpx.get(f"{server.url}/items/component/{id}").headers["etag"]
        edited = httpx.patch(
            f"{server.url}/items/component/{id}",
            json={"properties": {"state": state}},
            headers={**server.admin, "If-Match": version},
        )
        assert edited.status_code == 200, edited.text
        assert get(server, *asked)["values"][0]["numerator"] == was + more


@pytest.fixture(scope="module")
def guarded(cluster: Cluster, city_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an internal layer, and indicators of the city's own about it in its data folder."""
    name, data = f"guarded_{uuid.uuid4().hex}", tmp_path_factory.mktemp("guarded")
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {city_template}")
    fresh = Database(cluster.url(name))
    wells = layer_from_parts("wells", Title("井", "Wells"), "Point", built_in()["place"].fields[:1])
    assert wells.access == Access(view="internal")
    with begin(fresh.engine, actor=ADMIN.name) as writing:
        add_layer(writing, wells)
    folder: Path = data / "indicators"
    folder.mkdir()
    (folder / "wells.yaml").write_text(SECRET, encoding="utf-8")
    (folder / "components-per-well.yaml").write_text(HALF_SECRET, encoding="utf-8")
    with serving(fresh, data) as running:
        yield running
    fresh.close()


@pytest.mark.parametrize("name", ["wells", "components-per-well"])
def test_an_indicator_of_an_internal_layer_does_not_exist_for_strangers(guarded: Server, name: str) -> None:
    def seen(**headers: str) -> tuple[bool, int, str]:
        listed = httpx.get(f"{guarded.url}/indicators", headers=headers).json()["indicators"]
        one = httpx.get(f"{guarded.url}/indicators/{name}", headers=headers)
        return name in {each["name"] for each in listed}, one.status_code, one.json().get("detail", "")

    assert seen() == (False, 404, f"there is no indicator {name!r}")
    assert httpx.get(f"{guarded.url}/indicators/{name}/history").status_code == 404
    assert httpx.get(f"{guarded.url}/indicators.csv?of={name}").json()["detail"] == f"there is no indicator {name!r}"
    assert set(table(guarded, f"/indicators.csv?of={name}", **guarded.admin)["indicator"]) == {name}
    assert seen(**guarded.admin) == (True, 200, "")
