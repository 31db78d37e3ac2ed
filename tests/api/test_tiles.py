"""Tiles, as a map receives them."""

from __future__ import annotations

import gzip
from typing import Any

import httpx
import mapbox_vector_tile
import pytest
import sqlalchemy as sa

from gis.tilegrid import Box, tile_of, tiles_of_box
from layers.catalog import built_in
from tests.conftest import Server

LAYERS = built_in()
CITY = Box(120.1973, 31.6327, 121.9538, 32.7147)


def tile(server: Server, names: str, z: int, x: int, y: int, **headers: str) -> httpx.Response:
    return httpx.get(f"{server.url}/tiles/{names}/{z}/{x}/{y}.mvt", headers=headers)


def decoded(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code in (200, 204), response.text
    return mapbox_vector_tile.decode(response.content) if response.content else {}


def truth(server: Server, sql: str) -> Any:
    with server.database.engine.connect() as connection:  # the program itself: it sees the scoped layers, too
        return connection.scalar(sa.text(sql))


@pytest.mark.parametrize("name", [name for name, layer in LAYERS.items() if layer.minzoom > 6])
@pytest.mark.parametrize("z", [6, 8, 10])
def test_the_cells_of_a_zoom_add_up_to_the_records_of_the_layer(server: Server, name: str, z: int) -> None:
    if z >= LAYERS[name].minzoom:
        z = LAYERS[name].minzoom - 1
    cells: dict[str, dict[str, Any]] = {}
    for z_, x, y in tiles_of_box(CITY, [z]):
        for feature in (
            decoded(tile(server, name, z_, x, y, **server.admin)).get(f"{name}_cells", {}).get("features", [])
        ):
            cells[feature["properties"]["id"]] = feature["properties"]
    # What other tests rehearse is no part of the city.
    real = " where scenario is null" if LAYERS[name].scoped else ""
    total = truth(server, f"select count(*) from city.{name}{real}")
    assert sum(cell["n"] for cell in cells.values()) == total
    for cell in cells.values():
        assert sum(n for key, n in cell.items() if key.startswith("c_")) == cell["n"]
        assert cell["d"] > 0


@pytest.mark.parametrize("name", list(LAYERS))
def test_from_its_minzoom_a_layer_shows_its_records_with_the_declared_fields_only(server: Server, name: str) -> None:
    layer = LAYERS[name]
    first = f"select st_pointonsurface(geom) p, id from city.{name} order by id limit 1"
    point = f"select st_x(p), st_y(p), id from ({first}) q"
    with server.database.engine.connect() as connection:
        lon, lat, id = connection.execute(sa.text(point)).one()
    z = max(layer.minzoom, max((zoom for _, zoom in layer.shown_from), default=0))
    answer = decoded(tile(server, name, *tile_of(lon, lat, z), **server.admin))
    features = answer[name]["features"]
    assert id in [feature["properties"]["id"] for feature in features]
    declared = {"id", *(f.name for f in layer.fields if f.tile)}
    assert {key for feature in features for key in feature["properties"]} <= declared


def test_an_area_is_named_in_exactly_one_tile(server: Server) -> None:
    named = [
        feature["properties"]["id"]
        for t in tiles_of_box(CITY, [10])
        for feature in decoded(tile(server, "county", *t)).get("county_label", {}).get("features", [])
    ]
    assert sorted(named) == sorted(set(named))
    assert len(named) == 7


def test_a_composite_tile_holds_the_layers_asked_for_compressed_once(server: Server) -> None:
    response = tile(server, "county,town,road", 9, *tile_of(120.9, 32.0, 9)[1:], **{"Accept-Encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert {"county", "town", "road"} <= set(decoded(response))


def test_the_encodings_have_different_etags_and_the_same_tile(server: Server) -> None:
    z, x, y = tile_of(120.9, 32.0, 9)
    plain = tile(server, "county", z, x, y, **{"Accept-Encoding": "identity"})
    with httpx.stream(
        "GET", f"{server.url}/tiles/county/{z}/{x}/{y}.mvt", headers={"Accept-Encoding": "gzip"}
    ) as zipped:
        raw = b"".join(zipped.iter_raw())
    assert gzip.decompress(raw) == plain.content
    assert plain.headers["etag"] != zipped.headers["etag"]
    assert "Accept-Encoding" in plain.headers["vary"]
    assert plain.headers["cache-control"] == "no-cache"
    again = tile(server, "county", z, x, y, **{"Accept-Encoding": "identity", "If-None-Match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_tile_without_anything_is_204(server: Server) -> None:
    assert tile(server, "component", 14, 0, 0).status_code == 204


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tiles/nothing/6/53/25.mvt", 404),
        ("/tiles/county,nothing/6/53/25.mvt", 404),
        ("/tiles/county/6/64/25.mvt", 400),
        ("/tiles/county/40/0/0.mvt", 400),
        ("/tiles/county/a/0/0.mvt", 404),
        ("/tiles/county;drop/6/0/0.mvt", 404),
        ("/tiles/nothing.json", 404),
        ("/styles/pink.json", 404),
    ],
)
def test_a_wrong_tile_address_is_refused_in_one_shape(server: Server, path: str, status: int) -> None:
    response = httpx.get(server.url + path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code"} <= response.json().keys()


def test_tilejson_and_style_name_only_layers_that_tiles_have(server: Server) -> None:
    names = ",".join(LAYERS)
    tilejson = httpx.get(f"{server.url}/tiles/{names}.json", headers=server.admin).json()
    assert tilejson["tilejson"] == "3.0.0"
    known = {entry["id"] for entry in tilejson["vector_layers"]}
    for palette in ("dark", "light", "print"):
        style = httpx.get(f"{server.url}/styles/{palette}.json?layers={names}", headers=server.admin).json()
        assert {part["source-layer"] for part in style["layers"] if "source-layer" in part} <= known
        assert "http" not in str(style)


def test_an_edit_is_in_the_next_tile(server: Server) -> None:
    with server.database.reader.connect() as connection:
        lon, lat, id = connection.execute(
            sa.text("select st_x(geom), st_y(geom), id from city.pollution order by id desc limit 1")
        ).one()
    etag = httpx.get(f"{server.url}/items/pollution/{id}").headers["etag"]
    edit = {"properties": {"name": "改过的站"}}
    httpx.patch(
        f"{server.url}/items/pollution/{id}", json=edit, headers={**server.admin, "If-Match": etag}
    ).raise_for_status()
    features = decoded(tile(server, "pollution", *tile_of(lon, lat, 14)))["pollution"]["features"]
    assert "改过的站" in [feature["properties"]["name"] for feature in features]
