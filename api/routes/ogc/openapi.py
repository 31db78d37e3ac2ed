"""The OpenAPI 3.0 description of the OGC resources, layer by layer.

Clients read from it what may be filtered by and how long a page may be: GDAL's driver sends an attribute filter to the
server only if it finds the attribute among the parameters of `/collections/NAME/items`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.routes.ogc.parameters import ITEM, ITEMS, description, filtered_by
from api.routes.ogc.request import COMMON, GEOJSON, HTML, JSON, SCHEMA, Ask
from api.routes.ogc.tiles import GRID, MVT
from layers.ask.filter import queryables
from layers.spec import Layer

_ITEM_ID = {"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}}
_TILE = [
    {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for name in ("tileMatrix", "tileRow", "tileCol")
]
_KINDS: dict[str, dict[str, str]] = {
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
}


def document(ask: Ask, layers: Sequence[Layer]) -> dict[str, Any]:
    """The description of all resources that the caller may see; paths are relative to /ogc."""
    paths = {
        "/": _get(ask.say("入口", "Landing page")),
        "/conformance": _get(ask.say("所遵循的标准", "Conformance")),
        "/api": _get(ask.say("本描述", "This description")),
        "/collections": _get(ask.say("图层", "Collections")),
        "/tileMatrixSets": _get(ask.say("瓦片网格", "Tile grids")),
        f"/tileMatrixSets/{GRID}": _get(GRID),
    }
    for layer in layers:
        paths |= _of_layer(ask, layer)
    return {
        "openapi": "3.0.3",
        "info": {"title": ask.say("城图 OGC API", "Chengtu OGC API"), "version": "1.0.0"},
        "servers": [{"url": ask.root}],
        "paths": paths,
        "components": {
            "parameters": {name: description(name) for name in (*COMMON, *ITEMS)},
            "responses": {"Problem": {"description": "RFC 9457", "content": {"application/problem+json": {}}}},
        },
    }


def _of_layer(ask: Ask, layer: Layer) -> dict[str, Any]:
    here, title = f"/collections/{layer.name}", ask.say(*layer.title)
    equal = [_equality(layer, name) for name in filtered_by(layer)]
    items = [*map(_reference, ITEMS), *equal]
    return {
        here: _get(title),
        f"{here}/queryables": _get(f"{title}: {ask.say('可查询属性', 'queryables')}", media=SCHEMA),
        f"{here}/schema": _get(f"{title}: {ask.say('字段', 'schema')}", media=SCHEMA),
        f"{here}/items": _get(f"{title}: {ask.say('要素', 'features')}", items, media=GEOJSON),
        f"{here}/items/{{featureId}}": _get(
            f"{title}: {ask.say('单个要素', 'one feature')}", [_ITEM_ID, *map(_reference, ITEM)], media=GEOJSON
        ),
        f"{here}/tiles": _get(f"{title}: {ask.say('瓦片', 'tilesets')}"),
        f"{here}/tiles/{GRID}": _get(f"{title}: {GRID}"),
        f"{here}/tiles/{GRID}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": _get(
            f"{title}: {ask.say('单个瓦片', 'one tile')}", _TILE, media=MVT, common=False
        ),
    }


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/parameters/{name}"}


def _equality(layer: Layer, name: str) -> dict[str, Any]:
    schema = _KINDS.get(queryables(layer)[name].kind, {"type": "string"})
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _get(
    summary: str, parameters: Sequence[dict[str, Any]] = (), *, media: str = JSON, common: bool = True
) -> dict[str, Any]:
    shared = [_reference(name) for name in COMMON] if common else []
    content: dict[str, Any] = {media: {}, HTML: {}} if common else {media: {}}
    problem = {"$ref": "#/components/responses/Problem"}
    responses = {"200": {"description": summary, "content": content}, "400": problem, "404": problem}
    return {"get": {"summary": summary, "parameters": [*shared, *parameters], "responses": responses}}
