"""OGC API – Tiles: the grid, the tilesets, and the tiles themselves, row before column."""

from __future__ import annotations

from typing import Any

import httpx
import mapbox_vector_tile
import pytest

from api.routes.ogc import tile_path
from gis.tilegrid import Tile, bounds_3857, tile_of
from layers.ask.tile import MAX_ZOOM, MIN_ZOOM
from layers.catalog import built_in
from tests.conftest import Server

GRID = "WebMercatorQuad"
every_layer = pytest.mark.parametrize("name", list(built_in()))


def get(server: Server, path: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    answer = httpx.get(f"{server.url}/ogc{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_the_grid_is_the_one_of_the_tiles(server: Server) -> None:
    (listed,) = get(server, "/tileMatrixSets")["tileMatrixSets"]
    assert listed["id"] == GRID
    grid = httpx.get(listed["links"][0]["href"]).json()
    assert [matrix["id"] for matrix in grid["tileMatrices"]] == [str(z) for z in range(MAX_ZOOM + 1)]
    for matrix in grid["tileMatrices"]:
        z = int(matrix["id"])
        west, south, east, north = bounds_3857(Tile(z, matrix["matrixWidth"] - 1, 0))
        assert matrix["matrixWidth"] == matrix["matrixHeight"] == 2**z
        assert matrix["cellSize"] * matrix["tileWidth"] == pytest.approx(east - west)
        assert matrix["pointOfOrigin"] == pytest.approx([-east, north])
        assert matrix["cellSize"] * matrix["tileHeight"] == pytest.approx(north - south)
    # The scale that the standard gives the first matrix.
    assert grid["tileMatrices"][0]["scaleDenominator"] == pytest.approx(559082264.028717, rel=1e-9)


@every_layer
def test_a_tileset_tells_what_its_tiles_hold_and_where_there_are_any(server: Server, name: str) -> None:
    (listed,) = get(server, f"/collections/{name}/tiles", server.admin)["tilesets"]
    assert listed["dataType"] == "vector"
    body = get(server, f"/collections/{name}/tiles/{GRID}", server.admin)
    limits = {int(one["tileMatrix"]): one for one in body["tileMatrixSetLimits"]}
    assert set(limits) == set(range(MIN_ZOOM, MAX_ZOOM + 1))
    template = next(one["href"] for one in body["links"] if one["rel"] == "item")
    told = {one["id"]: one for one in body["layers"]}
    z = MIN_ZOOM
    one = limits[z]
    found: set[str] = set()
    for row in range(one["minTileRow"], one["maxTileRow"] + 1):
        for column in range(one["minTileCol"], one["maxTileCol"] + 1):
            url = template.format(tileMatrix=z, tileRow=row, tileCol=column)
            answer = httpx.get(url, headers=server.admin)
            assert answer.status_code in (200, 204)
            found |= set(mapbox_vector_tile.decode(answer.content)) if answer.content else set()
    assert found
    for part in found:
        assert int(told[part]["minTileMatrix"]) <= z <= int(told[part]["maxTileMatrix"])


def test_a_tile_is_the_very_tile_of_the_map_with_row_before_column(server: Server) -> None:
    z, x, y = tile_of(120.9, 32.0, 9)
    ogc = httpx.get(f"{server.url}/ogc/collections/county/tiles/{GRID}/{z}/{y}/{x}")
    own = httpx.get(f"{server.url}/tiles/county/{z}/{x}/{y}.mvt")
    assert ogc.status_code == 200
    assert ogc.content == own.content
    assert ogc.headers["content-type"] == own.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert httpx.head(str(ogc.url)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        f"/collections/nothing/tiles/{GRID}/6/25/53",
        f"/collections/county,town/tiles/{GRID}/6/25/53",
        f"/collections/county/tiles/{GRID}/40/0/0",
        f"/collections/county/tiles/{GRID}/6/64/0",
        f"/collections/county/tiles/{GRID}/6/0/64",
        f"/collections/county/tiles/{GRID}/a/0/0",
        "/collections/county/tiles/WorldCRS84Quad/6/25/53",
        "/collections/county/tiles/WorldCRS84Quad",
    ],
)
def test_a_tile_that_cannot_be_is_404(server: Server, path: str) -> None:
    answer = httpx.get(f"{server.url}/ogc{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "own"),
    [
        (f"/ogc/collections/county/tiles/{GRID}/6/25/53", "/tiles/county/6/53/25.mvt"),
        (f"/ogc/collections/county/tiles/{GRID}/16/65535/0", "/tiles/county/16/0/65535.mvt"),
        (f"/ogc/collections/county/tiles/{GRID}/17/0/0", None),
        (f"/ogc/collections/county/tiles/{GRID}/6/25/53/", None),
        (f"/ogc/collections/county/tiles/{GRID}", None),
        ("/tiles/county/6/53/25.mvt", None),
        ("/ogc/collections/county/items/6", None),
    ],
)
def test_only_addresses_of_tiles_are_turned_into_ours(path: str, own: str | None) -> None:
    assert tile_path(path) == own
