"""The layers that the caller may see, as collections of features, with their schemas."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from api.deps import ActorDep, ReadDep, ServiceDep
from api.routes.ogc import pages
from api.routes.ogc.parameters import described
from api.routes.ogc.request import GEOJSON, HTML, SCHEMA, Ask, answer, asked
from api.routes.ogc.schemas import features_schema, queryables_schema
from gis.tilegrid import Box
from layers.ask.catalogue import Summary, summaries
from layers.ask.crs import CRS84, CRSS
from layers.ask.features import extents
from layers.spec import Layer

router = APIRouter(tags=["ogc"])


def _collection(name: Annotated[str, Path(alias="id")], service: ServiceDep, actor: ActorDep) -> Layer:
    return service.registry.find(name, actor)


CollectionDep = Annotated[Layer, Depends(_collection)]


@router.get("/ogc/collections", openapi_extra=described())
def collections(request: Request, service: ServiceDep, actor: ActorDep, connection: ReadDep) -> Response:
    """All layers that the caller may see."""
    ask = asked(request)
    held = _held(connection, ask, service.registry.visible(actor))
    body = {"links": ask.own_links(), "collections": held}
    return answer(ask, body, lambda: pages.collections(ask, held))


@router.get("/ogc/collections/{id}", openapi_extra=described())
def collection(request: Request, layer: CollectionDep, connection: ReadDep) -> Response:
    """One layer: what it is, where, in which coordinate systems, and where its features are."""
    ask = asked(request)
    (body,) = _held(connection, ask, [layer])
    body["links"] = [*ask.own_links(), *body["links"]]
    return answer(ask, body, lambda: pages.collection(ask, layer, body))


@router.get("/ogc/collections/{id}/queryables", openapi_extra=described())
def collection_queryables(request: Request, layer: CollectionDep) -> Response:
    """What the features of a layer can be filtered and sorted by (JSON Schema)."""
    ask = asked(request)
    body = queryables_schema(ask, layer)
    title = ask.say("可查询属性", "Queryables")
    return answer(ask, body, lambda: pages.schema(ask, layer, body, title=title), media=SCHEMA)


@router.get("/ogc/collections/{id}/schema", openapi_extra=described())
def collection_schema(request: Request, layer: CollectionDep) -> Response:
    """What the features of a layer hold (JSON Schema)."""
    ask = asked(request)
    body = features_schema(ask, layer)
    title = ask.say("字段", "Schema")
    return answer(ask, body, lambda: pages.schema(ask, layer, body, title=title), media=SCHEMA)


def _held(connection: sa.Connection, ask: Ask, layers: list[Layer]) -> list[dict[str, Any]]:
    boxes = extents(connection, layers)
    return [_told(ask, summary, boxes.get(summary.layer.name)) for summary in summaries(connection, layers)]


def _told(ask: Ask, summary: Summary, box: Box | None) -> dict[str, Any]:
    layer = summary.layer
    here = f"/collections/{layer.name}"
    extent = {} if box is None else {"extent": {"spatial": {"bbox": [list(box)], "crs": CRS84.uri}}}
    return {
        "id": layer.name,
        "title": ask.say(*layer.title),
        "description": ask.say(*layer.about),
        "itemType": "feature",
        "itemCount": summary.count,
        "synthetic": summary.synthetic,
        **extent,
        "crs": [crs.uri for crs in CRSS],
        "storageCrs": CRS84.uri,
        "links": [
            ask.link("items", f"{here}/items", ask.say("要素", "Features"), media=GEOJSON),
            ask.link("items", f"{here}/items", ask.say("要素", "Features"), media=HTML),
            ask.link("ogc:queryables", f"{here}/queryables", ask.say("可查询属性", "Queryables"), media=SCHEMA),
            ask.link("ogc:schema", f"{here}/schema", ask.say("字段", "Schema"), media=SCHEMA),
            ask.link("ogc:tilesets-vector", f"{here}/tiles", ask.say("矢量瓦片", "Vector tiles")),
        ],
    }
