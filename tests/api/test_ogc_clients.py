"""The OGC resources as real clients read them: OWSLib, and GDAL's driver."""

from __future__ import annotations

import json
import re
import subprocess
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
from owslib.ogcapi.features import Features

from layers.catalog import built_in
from tests.conftest import Server

LAYERS = [name for name, layer in built_in().items() if layer.access.view == "public"]
INCIDENT = "incident"  # seen by none who has not signed in


@pytest.fixture
def client(server: Server) -> Features:
    return Features(f"{server.url}/ogc/")


def truth(server: Server, condition: str) -> int:
    with server.database.reader.connect() as connection:
        return connection.scalar(sa.text(f"select count(*) from city.component where {condition}")) or 0


def test_owslib_reads_what_there_is(client: Features) -> None:
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in client.conformance()["conformsTo"]
    assert set(LAYERS) <= set(client.feature_collections())
    assert INCIDENT not in client.feature_collections()
    assert client.collection("county")["itemCount"] == 7
    assert client.api()["openapi"] == "3.0.3"
    assert "population" in client.collection_queryables("county")["properties"]
    assert "area_km2" in client.collection_schema("county")["properties"]


def test_owslib_gets_features_by_box_limit_and_filter(server: Server, client: Features) -> None:
    assert len(client.collection_items("county", limit=3)["features"]) == 3
    box = [120.8, 31.9, 120.95, 32.1]
    wanted = truth(server, "geom && st_makeenvelope(120.8, 31.9, 120.95, 32.1, 4326)")
    assert client.collection_items("component", bbox=box, limit=10)["numberMatched"] == wanted > 0
    text = "state = 'intact' AND first_date >= DATE('2020-01-01')"
    wanted = truth(server, "state = 'intact' and first_date >= '2020-01-01'")
    assert client.collection_items("component", filter=text, limit=10)["numberMatched"] == wanted > 0
    tree = json.dumps({"op": "like", "args": [{"property": "name"}, "%灯%"]})
    found = client.collection_items("component", filter=tree, limit=10, **{"filter-lang": "cql2-json"})
    assert found["numberMatched"] == truth(server, "name like '%灯%'") > 0
    falling = client.collection_items("county", sortby=("population", "desc"))["features"]
    people = [one["properties"]["population"] for one in falling]
    assert people == sorted(people, reverse=True)


def test_owslib_gets_one_feature(client: Features) -> None:
    first = client.collection_items("component", limit=1)["features"][0]
    assert client.collection_item("component", first["id"])["geometry"] == first["geometry"]


def ogrinfo(*arguments: str) -> str:
    """What ogrinfo prints, followed by the requests that it made."""
    command = ["ogrinfo", "-ro", *arguments, "--config", "CPL_CURL_VERBOSE", "YES"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr
    return done.stdout + unquote("\n".join(re.findall("GET .*", done.stderr)))


def test_gdal_lists_the_layers_and_knows_one_with_its_box_fields_and_count(server: Server) -> None:
    listed = ogrinfo(f"OAPIF:{server.url}/ogc")
    assert all(f": {name}" in listed for name in LAYERS)
    assert f": {INCIDENT}" not in listed
    county = ogrinfo("-al", "-so", f"OAPIF:{server.url}/ogc/collections/county")
    assert "Feature Count: 7" in county
    assert "population: Integer" in county
    assert "area_km2: Real" in county
    assert "Extent: (120." in county


def test_gdal_reads_all_features_page_after_page(server: Server) -> None:
    url = f"OAPIF:{server.url}/ogc/collections/component"
    read = ogrinfo("-q", "-oo", "PAGE_SIZE=1000", url, "-sql", "select count(distinct id) as n from component")
    assert f"n (Integer) = {truth(server, 'true')}" in read
    assert "cursor=" in read


def test_gdal_has_boxes_and_attributes_filtered_by_the_server(server: Server) -> None:
    url = f"OAPIF:{server.url}/ogc/collections/component"
    box = ("-spat", "120.8", "31.9", "120.95", "32.1")
    inside = ogrinfo("-al", "-so", *box, url)
    assert f"Feature Count: {truth(server, 'geom && st_makeenvelope(120.8, 31.9, 120.95, 32.1, 4326)')}" in inside
    assert re.search(r"bbox=120\.(8|7999)", inside)
    intact = ogrinfo("-al", "-so", "-where", "state = 'intact'", url)
    wanted = truth(server, "state = 'intact'")
    assert f"Feature Count: {wanted}" in intact
    assert "state=intact" in intact
    dated = ogrinfo("-al", "-so", "-where", "first_date >= '2020/01/01 00:00:00'", url)
    assert "datetime=2020-01-01" in dated
