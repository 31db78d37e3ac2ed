"""The vector tiles as OGC API – Tiles describes them (20-057); the tiles themselves are those of `/tiles`."""

from __future__ import annotations

import math
import re
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.deps import ReadDep
from api.routes.ogc import pages
from api.routes.ogc.collections import CollectionDep
from api.routes.ogc.parameters import described
from api.routes.ogc.request import Ask, answer, asked
from gis.tilegrid import tile_of
from layers.ask.crs import CRS84
from layers.ask.features import extents
from layers.ask.style import tilejson
from layers.ask.tile import DEEPEST, MAX_ZOOM, MIN_ZOOM
from layers.spec import Layer

router = APIRouter(tags=["ogc"])
GRID = "WebMercatorQuad"
MVT = "application/vnd.mapbox-vector-tile"
_GRID_URI = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{GRID}"
_MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"
_HALF_M = math.pi * 6378137.0
_TILE_PX = 256
_PIXEL_M = 0.00028  # the size of a pixel by which OGC turns cells into scales
_DIMENSIONS = {"Point": 0, "MultiLineString": 1, "MultiPolygon": 2}
_PATH = re.compile(rf"/ogc/collections/([a-z][a-z0-9_]*)/tiles/{GRID}/([0-9]{{1,2}})/([0-9]{{1,8}})/([0-9]{{1,8}})")


def tile_path(path: str) -> str | None:
    """The path under `/tiles` of an OGC tile address, which names the row before the column; None for any other."""
    found = _PATH.fullmatch(path) if path.startswith("/ogc/") else None
    if found is None:
        return None
    name, (z, row, column) = found[1], map(int, found.groups()[1:])
    here = z <= MAX_ZOOM and max(row, column) < 1 << z
    return f"/tiles/{name}/{z}/{column}/{row}.mvt" if here else None


@router.get("/ogc/tileMatrixSets", openapi_extra=described())
def tile_matrix_sets(request: Request) -> Response:
    """The one tile grid that there is."""
    ask = asked(request)
    path = f"/tileMatrixSets/{GRID}"
    grid = {"id": GRID, "title": GRID, "uri": _GRID_URI, "crs": _MERCATOR, "links": [ask.link("self", path)]}
    body = {"tileMatrixSets": [grid]}
    return answer(ask, body, lambda: pages.plain(ask, ask.say("瓦片网格", "Tile grids"), body))


@router.get(f"/ogc/tileMatrixSets/{GRID}", openapi_extra=described())
def tile_matrix_set(request: Request) -> Response:
    """The grid that web maps use, from the world in one tile down to zoom 16."""
    ask = asked(request)
    body = {
        "id": GRID,
        "title": "Google Maps Compatible for the World",
        "uri": _GRID_URI,
        "crs": _MERCATOR,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [_matrix(z) for z in range(MAX_ZOOM + 1)],
    }
    above = [(ask.say("瓦片网格", "Tile grids"), "/tileMatrixSets")]
    return answer(ask, body, lambda: pages.plain(ask, GRID, body, above=above))


def _matrix(z: int) -> dict[str, Any]:
    cell_m = 2 * _HALF_M / _TILE_PX / (1 << z)
    return {
        "id": str(z),
        "scaleDenominator": cell_m / _PIXEL_M,
        "cellSize": cell_m,
        "cornerOfOrigin": "topLeft",
        "pointOfOrigin": [-_HALF_M, _HALF_M],
        "tileWidth": _TILE_PX,
        "tileHeight": _TILE_PX,
        "matrixWidth": 1 << z,
        "matrixHeight": 1 << z,
    }


@router.get("/ogc/collections/{id}/tiles", openapi_extra=described())
def tilesets(request: Request, layer: CollectionDep) -> Response:
    """The tilesets of a layer: one, of vector tiles."""
    ask = asked(request)
    tileset = {**_summary(ask, layer), "links": _links(ask, layer, self_rel="self")}
    body = {"links": ask.own_links(), "tilesets": [tileset]}
    title = f"{ask.say(*layer.title)} · {ask.say('矢量瓦片', 'Vector tiles')}"
    return answer(ask, body, lambda: pages.plain(ask, title, body, above=_above(ask, layer)))


@router.get(f"/ogc/collections/{{id}}/tiles/{GRID}", openapi_extra=described())
def tileset(request: Request, layer: CollectionDep, connection: ReadDep) -> Response:
    """What the tiles of a layer hold, where there are any, and the template of their addresses."""
    ask = asked(request)
    body = {**_summary(ask, layer), "tileMatrixSetURI": _GRID_URI, "layers": _layers(layer)}
    box = extents(connection, [layer]).get(layer.name)
    if box is not None:
        corners = {"lowerLeft": [box.west, box.south], "upperRight": [box.east, box.north]}
        body["boundingBox"] = {**corners, "crs": CRS84.uri}
        zooms = range(MIN_ZOOM, MAX_ZOOM + 1)
        body["tileMatrixSetLimits"] = [_limits(z, *corners.values()) for z in zooms]
    body["links"] = [*ask.own_links(), *_links(ask, layer, self_rel=None)]
    title = f"{ask.say(*layer.title)} · {GRID}"
    return answer(ask, body, lambda: pages.plain(ask, title, body, above=_above(ask, layer)))


def _summary(ask: Ask, layer: Layer) -> dict[str, Any]:
    return {"title": ask.say(*layer.title), "dataType": "vector", "crs": _MERCATOR}


def _links(ask: Ask, layer: Layer, *, self_rel: str | None) -> list[dict[str, Any]]:
    here = f"/collections/{layer.name}/tiles/{GRID}"
    template = f"{ask.root}{here}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    own = [] if self_rel is None else [ask.link(self_rel, here)]
    return [
        *own,
        ask.link("ogc:tiling-scheme", f"/tileMatrixSets/{GRID}"),
        ask.link("ogc:geodata", f"/collections/{layer.name}"),
        {"href": template, "rel": "item", "type": MVT, "templated": True},
    ]


def _layers(layer: Layer) -> list[dict[str, Any]]:
    """The layers inside a tile: the records, below their zoom the cells that count them, and the names of areas."""
    return [
        {
            "id": part["id"],
            "dataType": "vector",
            "geometryDimension": _dimension(layer, part["id"]),
            "minTileMatrix": str(part["minzoom"]),
            "maxTileMatrix": str(MAX_ZOOM if part["maxzoom"] == DEEPEST else part["maxzoom"]),
            "propertiesSchema": {
                "type": "object",
                "properties": {name: {"type": kind.lower()} for name, kind in part["fields"].items()},
            },
        }
        for part in tilejson([layer], bounds=(-180, -85, 180, 85))["vector_layers"]
    ]


def _dimension(layer: Layer, part: str) -> int:
    suffix = part.removeprefix(layer.name)
    return {"_cells": 2, "_label": 0, "_cut": 0}.get(suffix, _DIMENSIONS[layer.geometry])


def _limits(z: int, south_west: list[float], north_east: list[float]) -> dict[str, Any]:
    lower, upper = (tile_of(lon, lat, z) for lon, lat in (south_west, north_east))
    return {
        "tileMatrix": str(z),
        "minTileRow": upper.y,
        "maxTileRow": lower.y,
        "minTileCol": lower.x,
        "maxTileCol": upper.x,
    }


def _above(ask: Ask, layer: Layer) -> list[tuple[str, str]]:
    collections = (ask.say("图层", "Collections"), "/collections")
    return [collections, (ask.say(*layer.title), f"/collections/{layer.name}")]
