"""OGC API – Features over HTTP: what is there, pages of features, and what is refused."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa
from geoalchemy2.shape import from_shape
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point

from gis.cells import cells_of
from gis.frames import convert
from layers.ask.crs import CRSS
from layers.catalog import built_in
from layers.spec import Title
from layers.store.definitions import layer_from_parts
from layers.store.engine import begin
from layers.store.schema import add_layer
from tests.conftest import Server

LAYERS = built_in()
CRS = {crs.srid: crs.uri for crs in CRSS[1:]}
PLACED = {"geom": from_shape(Point(120.9, 32.0), 4326), "cell": int(cells_of(120.9, 32.0)[0]), "source": "test"}
every_layer = pytest.mark.parametrize("name", list(LAYERS))


def get(server: Server, path: str, headers: dict[str, str] | None = None, **parameters: str | int) -> httpx.Response:
    named = {
        name.replace("_", "-") if name.split("_")[0] in ("bbox", "filter") else name: str(value)
        for name, value in parameters.items()
    }
    return httpx.get(f"{server.url}/ogc{path}", params=named, headers=headers)


def items(server: Server, name: str, headers: dict[str, str] | None = None, **parameters: str | int) -> dict[str, Any]:
    answer = get(server, f"/collections/{name}/items", headers, **parameters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/geo+json"
    body: dict[str, Any] = answer.json()
    assert body["numberReturned"] == len(body["features"])
    return body


def truth(server: Server, statement: sa.Select[Any]) -> Any:
    with server.database.reader.connect() as connection:
        return connection.scalar(statement)


def count(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(LAYERS["component"].table).where(*conditions)


def link(body: dict[str, Any], rel: str) -> str | None:
    return next((str(told["href"]) for told in body["links"] if told["rel"].endswith(rel)), None)


def test_every_link_from_the_landing_page_on_leads_somewhere(server: Server) -> None:
    seen: set[str] = set()
    waiting = [f"{server.url}/ogc"]
    while waiting:
        url = waiting.pop()
        seen.add(url)
        answer = httpx.get(url)
        assert answer.status_code == 200, url
        links = answer.json().get("links", []) if "json" in answer.headers["content-type"] else []
        for collection in answer.json().get("collections", []) if links else []:
            links = [*links, *(collection["links"] if collection["id"] in ("county", "component") else [])]
        for told in links:
            assert told["href"].startswith(f"{server.url}/ogc")
            fresh = not told.get("templated") and told["rel"] not in ("next", "prev")
            if fresh and told["href"] not in seen:
                waiting.append(told["href"])
    assert len(seen) > 20


def test_the_conformance_classes_are_those_of_the_parts_that_are_built(server: Server) -> None:
    classes = get(server, "/conformance").json()["conformsTo"]
    for one in (
        "ogcapi-features-1/1.0/conf/core",
        "ogcapi-features-1/1.0/conf/geojson",
        "ogcapi-features-2/1.0/conf/crs",
        "ogcapi-features-3/1.0/conf/features-filter",
        "cql2/1.0/conf/cql2-text",
        "cql2/1.0/conf/cql2-json",
        "ogcapi-tiles-1/1.0/conf/tileset",
    ):
        assert f"http://www.opengis.net/spec/{one}" in classes
    assert len(set(classes)) == len(classes)


def test_collections_are_the_layers_with_their_counts_boxes_and_systems(server: Server) -> None:
    held = {one["id"]: one for one in get(server, "/collections", server.admin, lang="en").json()["collections"]}
    assert set(held) >= set(LAYERS)
    county = held["county"]
    assert (county["title"], county["itemCount"], county["itemType"]) == ("County", 7, "feature")
    assert county["synthetic"] is True
    assert county["storageCrs"] in county["crs"]
    assert set(CRS.values()) < set(county["crs"])
    west, south, east, north = county["extent"]["spatial"]["bbox"][0]
    assert 120 < west < 121 < east < 122
    assert 31 < south < 32 < north < 33
    assert get(server, "/collections/county", lang="en").json()["title"] == "County"
    assert get(server, "/collections/county").json()["title"] == LAYERS["county"].title.zh


@every_layer
def test_the_schema_names_every_field_with_title_unit_and_codes(server: Server, name: str) -> None:
    answer = get(server, f"/collections/{name}/schema", server.admin)
    assert answer.headers["content-type"] == "application/schema+json"
    body = answer.json()
    assert body["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    layer = LAYERS[name]
    assert list(body["properties"]) == ["id", "geom", *(field.name for field in layer.fields)]
    assert body["properties"]["geom"]["x-ogc-role"] == "primary-geometry"
    for field in layer.fields:
        told = body["properties"][field.name]
        assert told["title"] == field.title.zh
        assert field.unit is None or field.unit in told["description"]
        assert (field.book is None) or all({"const", "title"} == set(code) for code in told["oneOf"])


@every_layer
def test_the_features_of_a_layer_fit_its_schema(server: Server, name: str) -> None:
    properties = get(server, f"/collections/{name}/schema", server.admin).json()["properties"]
    types = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
    for one in items(server, name, server.admin, limit=50)["features"]:
        assert isinstance(one["id"], str)
        assert set(one["properties"]) == set(properties) - {"id", "geom"}
        for key, value in one["properties"].items():
            if value is not None:
                assert isinstance(value, types[properties[key]["type"]])
                codes = [code["const"] for code in properties[key].get("oneOf", [])]
                assert not codes or value in codes


@every_layer
def test_queryables_can_all_be_filtered_and_sorted_by(server: Server, name: str) -> None:
    body = get(server, f"/collections/{name}/queryables", server.admin).json()
    assert body["additionalProperties"] is False
    for key, told in body["properties"].items():
        if told.get("x-ogc-role") == "primary-geometry":
            continue
        assert "numberReturned" in items(
            server, name, server.admin, filter=f'"{key}" IS NOT NULL', sortby=f"-{key}", limit=1
        )


def test_one_feature_links_to_itself_and_to_its_collection(server: Server) -> None:
    (first,) = items(server, "county", limit=1)["features"]
    answer = get(server, f"/collections/county/items/{first['id']}")
    one = answer.json()
    assert {key: one[key] for key in first} == first
    assert link(one, "self") == f"{server.url}/ogc/collections/county/items/{first['id']}?f=json"
    assert link(one, "collection") == f"{server.url}/ogc/collections/county"
    assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"


def test_next_links_lead_through_all_features_once_and_prev_links_back(server: Server) -> None:
    url: str | None = f"{server.url}/ogc/collections/component/items?limit=1000&sortby=-first_date&properties=name"
    ids: list[str] = []
    pages: list[dict[str, Any]] = []
    while url is not None:
        pages.append(httpx.get(url).json())
        ids += [one["id"] for one in pages[-1]["features"]]
        url = link(pages[-1], "next")
    assert len(ids) == len(set(ids)) == pages[0]["numberMatched"] == truth(server, count())
    assert [page["numberReturned"] for page in pages] == [1000, 1000, 480]
    assert link(pages[0], "prev") is None
    before = link(pages[-1], "prev")
    assert before is not None
    assert httpx.get(before).json()["features"] == pages[1]["features"]


def test_a_limit_beyond_the_ceiling_means_the_ceiling(server: Server) -> None:
    assert items(server, "component", limit=10**15)["numberReturned"] == 2480
    assert items(server, "component")["numberReturned"] == 100


@pytest.mark.parametrize("srid", list(CRS))
def test_box_and_answer_speak_the_same_system(server: Server, srid: int) -> None:
    plain = items(server, "component", bbox="120.8,31.9,120.95,32.1", limit=10_000)
    # A box of another system is another quadrangle on the ground: here it is the one around the features found.
    parameters = {"crs": CRS[srid], "limit": 10_000}
    drawn = get(server, "/collections/component/items", **parameters, bbox="120.8,31.9,120.95,32.1")
    assert drawn.headers["content-crs"] == f"<{CRS[srid]}>"
    pairs = [one["geometry"]["coordinates"] for one in drawn.json()["features"]]
    lonlat = [one["geometry"]["coordinates"] for one in plain["features"]]
    x, y = convert(*zip(*lonlat, strict=True), source="EPSG:4326", target=f"EPSG:{srid}")
    swapped = srid != 3857
    tolerance = 1e-6 if srid in (4326, 4490) else 0.02
    for pair, a, b in zip(pairs, x, y, strict=True):
        assert pair == pytest.approx((b, a) if swapped else (a, b), abs=tolerance)
    corners = [
        edge(axis) - grown for edge, grown in ((min, tolerance), (max, -tolerance)) for axis in zip(*pairs, strict=True)
    ]
    again = items(server, "component", bbox=",".join(map(str, corners)), bbox_crs=CRS[srid], limit=10_000)
    assert {one["id"] for one in again["features"]} >= {one["id"] for one in plain["features"]}
    assert again["numberReturned"] < 2480


def test_a_filter_is_read_in_the_system_it_is_written_in(server: Server) -> None:
    lonlat = "S_INTERSECTS(geom, POLYGON((120.8 31.9, 120.95 31.9, 120.95 32.1, 120.8 32.1, 120.8 31.9)))"
    latlon = "S_INTERSECTS(geom, POLYGON((31.9 120.8, 31.9 120.95, 32.1 120.95, 32.1 120.8, 31.9 120.8)))"
    plain = items(server, "component", filter=lonlat, limit=1)
    assert 0 < plain["numberMatched"] < 2480
    turned = items(server, "component", filter=latlon, filter_crs=CRS[4490], limit=1)
    assert turned["numberMatched"] == plain["numberMatched"]


def test_properties_datetime_and_filters_narrow_down_together(server: Server) -> None:
    table = LAYERS["component"].table
    since = dt.date(2020, 1, 1)
    wanted = truth(server, count(table.c.state == "intact", table.c.first_date >= since, table.c.major == "01"))
    found = items(server, "component", state="intact", datetime="2020-01-01/..", filter="major = '01'")
    assert found["numberMatched"] == wanted > 0
    json = '{"op":"=","args":[{"property":"major"},"01"]}'
    same = items(server, "component", state="intact", datetime="2020-01-01/..", filter=json, filter_lang="cql2-json")
    assert same["features"] == found["features"]


def test_only_the_fields_asked_for_are_told(server: Server) -> None:
    (one,) = items(server, "component", properties="state,name", limit=1)["features"]
    assert set(one["properties"]) == {"name", "state"}


def test_an_equality_may_name_any_queryable(server: Server) -> None:
    (one,) = items(server, "component", limit=1)["features"]
    (same,) = items(server, "component", id=one["id"])["features"]
    assert same == one
    county = items(server, "county", population=-1)
    assert county["numberMatched"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "bbox=a,b",
        "bbox=1,2,3",
        "bbox=122,32,121,33&bbox-crs=" + CRS[4326],
        "bbox=1,2,3,4&bbox-crs=EPSG:4326",
        "bbox=1,2,3,4&bbox=1,2,3,4",
        "bbox-crs=" + CRS[4326],
        "crs=http://www.opengis.net/def/crs/EPSG/0/2154",
        "crs=",
        "limit=-1",
        "limit=0",
        "limit=1.5",
        "limit=ten",
        "limit=",
        "limit=" + "9" * 5000,
        "datetime=yesterday",
        "datetime=2026-02-30",
        "datetime=2026-02-02/2026-02-01",
        "cursor=forged",
        "cursor=",
        "sortby=nothing",
        "sortby=geom",
        "properties=nothing",
        "properties=",
        "nothing=1",
        "extra=1",
        "geom=1",
        "changed_by=x",
        "first_date=tomorrow",
        "name=%00",
        "f=xml",
        "lang=fr",
        "filter=",
        "filter=nothing%20%3D%201",
        "filter=pg_sleep(3)%20IS%20NOT%20NULL",
        "filter=state='intact'&filter-lang=sql",
        "filter=state='intact'&filter-crs=nothing",
        "filter-lang=cql2-text",
        "filter=(((((",
    ],
)
def test_a_parameter_that_cannot_be_understood_is_400_and_named(server: Server, query: str) -> None:
    answer = httpx.get(f"{server.url}/ogc/collections/component/items?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= problem.keys()
    assert "select" not in problem["detail"].lower()


@pytest.mark.parametrize(
    "path",
    [
        "/collections/nothing",
        "/collections/UPPER",
        "/collections/nothing/items",
        "/collections/nothing/queryables",
        "/collections/nothing/schema",
        "/collections/nothing/tiles",
        "/collections/county/items/none",
        "/collections/county/items/%00",
        "/collections/county/items/a%20b",
        "/collections/county/nothing",
        "/tileMatrixSets/nothing",
    ],
)
def test_what_is_not_there_is_404(server: Server, path: str) -> None:
    answer = get(server, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    ["", "/conformance", "/collections", "/collections/county", "/collections/county/queryables", "/tileMatrixSets"],
)
def test_unknown_parameters_are_refused_everywhere(server: Server, path: str) -> None:
    assert get(server, path, nothing=1).status_code == 400


def test_a_cursor_of_another_question_is_refused(server: Server) -> None:
    first = items(server, "component", limit=1, state="intact")
    following = httpx.URL(link(first, "next") or "")
    assert httpx.get(following).status_code == 200
    assert httpx.get(following.copy_set_param("limit", 7).copy_set_param("crs", CRS[3857])).status_code == 200
    for name, value in (("state", "lost"), ("sortby", "name"), ("bbox", "1,2,3,4")):
        answer = httpx.get(following.copy_set_param(name, value))
        assert (answer.status_code, answer.json()["parameter"]) == (400, "cursor")


@settings(max_examples=60)
@given(
    name=st.sampled_from(
        [
            *[
                "bbox",
                "datetime",
                "sortby",
                "limit",
                "cursor",
                "properties",
                "filter",
                "crs",
                "state",
                "first_date",
                "changed_at",
                "id",
            ]
        ]
    ),
    value=st.one_of(
        st.text(max_size=40),
        st.from_regex(r"[0-9.,:TZ/+-]{0,30}", fullmatch=True),
        st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-9:]{8}(\+[0-9:]{5})?)?", fullmatch=True),
    ),
)
def test_no_value_of_a_parameter_makes_the_server_fail(server: Server, name: str, value: str) -> None:
    answer = httpx.get(f"{server.url}/ogc/collections/component/items?limit=1&{name}={quote(value, errors='ignore')}")
    assert answer.status_code in (200, 400), answer.text


def test_an_internal_layer_looks_as_if_it_did_not_exist(server: Server) -> None:
    fields = [field for field in LAYERS["place"].fields if field.name == "name"]
    pumps = layer_from_parts("secret_pumps", Title("泵站", "Pumps"), "Point", fields)
    row = {**PLACED, "id": "1", "name": "泵站一"}
    with begin(server.database.engine, actor="test") as connection:
        add_layer(connection, pumps)
        connection.execute(sa.insert(pumps.table), [row])
    until(lambda: get(server, "/collections/secret_pumps", headers=server.admin).status_code == 200)
    own = [
        f"/collections/secret_pumps{rest}" for rest in ("", "/items", "/items/1", "/schema", "/queryables", "/tiles")
    ]
    own += [f"/collections/secret_pumps/tiles/WebMercatorQuad{rest}" for rest in ("", "/6/25/53")]
    for path in own:
        refused, missing = get(server, path), get(server, path.replace("secret_pumps", "no_such_pumps"))
        assert refused.status_code == 404
        assert refused.json() == {**missing.json(), "detail": missing.json()["detail"].replace("no_such", "secret")}
    for path in ("", "/api", "/collections"):
        for form in ("json", "html"):
            assert "secret_pumps" not in get(server, path, f=form).text
    for path in own[:-1]:
        assert get(server, path, headers=server.admin).status_code == 200
    assert "secret_pumps" in get(server, "/collections", headers=server.admin).text
    assert "secret_pumps" in get(server, "/api", headers=server.admin).text
    assert get(server, "/collections", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_the_api_description_names_the_queryables_of_each_layer_as_parameters(server: Server) -> None:
    answer = get(server, "/api")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    body = answer.json()
    told = body["paths"]["/collections/county/items"]["get"]["parameters"]
    assert {"name": "population", "in": "query", "required": False, "schema": {"type": "integer"}} in told
    references = [one["$ref"] for one in told if "$ref" in one]
    assert all(one.removeprefix("#/components/parameters/") in body["components"]["parameters"] for one in references)
    assert body["components"]["parameters"]["limit"]["schema"]["maximum"] == 10_000


def test_an_id_in_any_script_leads_back_to_its_feature(server: Server) -> None:
    fields = [field for field in LAYERS["place"].fields if field.name == "name"]
    wells = layer_from_parts("odd_wells", Title("水井", "Wells"), "Point", fields, public=True)
    row = {**PLACED, "id": "井:1&é", "name": "<b>井</b>"}
    with begin(server.database.engine, actor="test") as connection:
        add_layer(connection, wells)
        connection.execute(sa.insert(wells.table), [row])
    path = "/collections/odd_wells/items/井:1&é"
    until(lambda: get(server, path).status_code == 200)
    one = get(server, path).json()
    assert one["id"] == row["id"]
    assert httpx.get(link(one, "self") or "").json() == one
    for page in (path, "/collections/odd_wells/items"):
        shown = get(server, page, f="html").text
        assert "&lt;b&gt;井&lt;/b&gt;" in shown
        assert "<b>" not in shown


def until(seen: Callable[[], bool]) -> None:
    """Return once the server has noticed, which it does within two seconds."""
    deadline = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < deadline


def test_links_are_written_for_the_address_the_client_uses(server: Server) -> None:
    asked = {"Host": "map.example:8443", "X-Forwarded-Proto": "https"}
    assert link(get(server, "/collections/county", headers=asked).json(), "items") == (
        "https://map.example:8443/ogc/collections/county/items"
    )
    odd = {"Host": 'a"><script>', "X-Forwarded-Proto": "javascript"}
    answer = get(server, "/collections/county", headers=odd)
    assert "script>" not in answer.text


TILE = "collections/county/tiles/WebMercatorQuad/6/25/53"


@pytest.mark.parametrize(
    "path",
    ["/ogc", "/ogc/collections", "/ogc/collections/county/items?limit=1", f"/ogc/{TILE}", "/tiles/county/6/53/25.mvt",
     "/tiles/county.json", "/ogc/collections/nothing_such", "/ogc/collections/county/items?limit=x",
     "/tiles/nothing_such/6/53/25.mvt", "/ogc/nowhere"],
)  # fmt: skip
def test_pages_of_other_hosts_may_read_what_is_public_and_use_no_token(server: Server, path: str) -> None:
    url = f"{server.url}{path}"
    for _ in range(2):  # a tile comes from memory the second time
        told = httpx.get(url, headers={"Origin": "https://elsewhere.example"})
        assert told.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in told.headers
        exposed = {name.strip() for name in told.headers["access-control-expose-headers"].split(",")}
        assert exposed >= {"ETag", "Link", "X-Truncated", "Content-Crs", "Retry-After"}
        assert told.headers.get_list("access-control-allow-origin") == ["*"]
    if etag := told.headers.get("etag"):
        same = httpx.get(url, headers={"If-None-Match": etag})
        assert (same.status_code, same.headers["access-control-allow-origin"]) == (304, "*")
    assert httpx.head(url).headers["access-control-allow-origin"] == "*"
    before = httpx.options(url, headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"})
    assert (before.status_code, before.content) == (204, b"")
    assert before.headers["access-control-allow-origin"] == "*"
    assert before.headers["access-control-allow-methods"] == "GET, HEAD"
    assert "authorization" not in before.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-private-network" not in before.headers
    if ".mvt" not in path and "Quad/" not in path:
        assert "access-control-allow-origin" not in httpx.get(url, headers=server.admin).headers


def test_nothing_that_writes_nor_any_internal_answer_is_for_pages_of_other_hosts(server: Server) -> None:
    def opened(method: str, path: str, **options: Any) -> bool:
        answer = httpx.request(method, f"{server.url}{path}", **options)
        return any(name.startswith("access-control") for name in answer.headers)

    for path in ("/layers", "/items/county/320602", "/query", "/questions", "/uploads", "/plan", "/metrics"):
        assert not opened("OPTIONS", path)
        assert not opened("GET", path)
    assert not opened("POST", "/query", json={"ask": "count", "layer": "county"})
    assert not opened("POST", "/ogc/collections/county/items", json={})
    name = f"secret{time.time_ns()}"
    layer = layer_from_parts(name, Title("密", "Secret"), "Point", [], label="id", classes=None, public=False)
    with server.database.engine.begin() as connection:
        add_layer(connection, layer)
    tile = f"/tiles/{name}/6/53/25.mvt"
    deadline = time.monotonic() + 10
    while httpx.get(f"{server.url}{tile}", headers=server.admin).status_code == 404:
        assert time.monotonic() < deadline
    assert not opened("GET", tile, headers=server.admin)
    assert not opened("GET", f"/ogc/collections/{name}/items", headers=server.admin)
