"""The entrance to the OGC resources: what there is, which standards it follows, and its API description."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.deps import ActorDep, ReadDep, ServiceDep
from api.routes.ogc import pages
from api.routes.ogc.openapi import document
from api.routes.ogc.parameters import described
from api.routes.ogc.request import HTML, OPENAPI, answer, asked
from layers.ask.catalogue import summaries

router = APIRouter(tags=["ogc"])
_SPEC = "http://www.opengis.net/spec"
_CLASSES = {
    "ogcapi-common-1/1.0": ("core", "landing-page", "json", "html", "oas30"),
    "ogcapi-common-2/1.0": ("collections", "json", "html"),
    "ogcapi-common-3/1.0": ("schemas",),
    "ogcapi-features-1/1.0": ("core", "oas30", "html", "geojson"),
    "ogcapi-features-2/1.0": ("crs",),
    "ogcapi-features-3/1.0": ("queryables", "queryables-query-parameters", "filter", "features-filter"),
    "ogcapi-features-5/1.0": ("schemas", "core-roles-features"),
    "cql2/1.0": (
        "cql2-text",
        "cql2-json",
        "basic-cql2",
        "advanced-comparison-operators",
        "case-insensitive-comparison",
        "accent-insensitive-comparison",
        "basic-spatial-functions",
        "basic-spatial-functions-plus",
        "spatial-functions",
        "temporal-functions",
        "property-property",
        "arithmetic",
    ),
    "ogcapi-tiles-1/1.0": ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30"),
    "tms/2.0": ("tilematrixset", "json-tilematrixset"),
}
CONFORMS_TO = [f"{_SPEC}/{part}/conf/{name}" for part, names in _CLASSES.items() for name in names]


@router.get("/ogc", openapi_extra=described())
@router.get("/ogc/", include_in_schema=False)
def landing(request: Request, service: ServiceDep, actor: ActorDep, connection: ReadDep) -> Response:
    """The entrance: where the layers, the tile grids and the descriptions are."""
    ask = asked(request)
    city = service.city
    held = summaries(connection, service.registry.visible(actor))
    synthetic = any(summary.synthetic for summary in held)
    note = ask.say("（含合成演示数据）", " (holds synthetic demo data)") if synthetic else ""
    body = {
        "title": ask.say(f"城图 {city.title_zh}", f"Chengtu {city.title_en}"),
        "description": ask.say("城市运行图层：要素与矢量瓦片", "Layers for running a city: features and vector tiles")
        + note,
        "attribution": ask.say(service.settings.attribution_zh, service.settings.attribution_en),
        "links": [
            *ask.own_links(),
            ask.link("data", "/collections", ask.say("图层", "Collections")),
            ask.link("ogc:tiling-schemes", "/tileMatrixSets", ask.say("瓦片网格", "Tile grids")),
            ask.link("conformance", "/conformance", ask.say("所遵循的标准", "Conformance")),
            ask.link(
                "service-desc", "/api", ask.say("接口描述（OpenAPI）", "API description (OpenAPI)"), media=OPENAPI
            ),
            ask.link("service-doc", "/api", ask.say("接口说明", "API documentation"), media=HTML),
        ],
    }
    return answer(ask, body, lambda: pages.landing(ask, body))


@router.get("/ogc/conformance", openapi_extra=described())
def conformance(request: Request) -> Response:
    """The conformance classes that hold here."""
    ask = asked(request)
    body = {"conformsTo": CONFORMS_TO}
    return answer(ask, body, lambda: pages.plain(ask, ask.say("所遵循的标准", "Conformance"), body))


@router.get("/ogc/api", openapi_extra=described())
def api_description(request: Request, service: ServiceDep, actor: ActorDep) -> Response:
    """The OpenAPI 3.0 description of the OGC resources, with the queryables of the layers that the caller may see."""
    ask = asked(request)
    body = document(ask, service.registry.visible(actor))
    listed: dict[str, Any] = {path: told["get"]["summary"] for path, told in body["paths"].items()}
    return answer(ask, body, lambda: pages.plain(ask, ask.say("接口说明", "API documentation"), listed), media=OPENAPI)
