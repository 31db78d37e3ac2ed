"""The features of a layer: pages of those asked for, and one by its id."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.deps import ReadDep
from api.routes.ogc import pages
from api.routes.ogc.collections import CollectionDep
from api.routes.ogc.parameters import (
    ITEM,
    ITEMS,
    described,
    drawn_of,
    filtered_by,
    limit_of,
    place_of,
    question_of,
    saying,
)
from api.routes.ogc.request import GEOJSON, JSON, Ask, Link, answer, asked
from layers.ask.catalogue import summaries
from layers.ask.features import Drawn, Feature, Matched, Page, feature, matched, page
from layers.ask.keyset import cursor_of
from layers.ask.period import CITY_TIME
from layers.errors import UnknownItem
from layers.spec import ID_PATTERN, Layer

router = APIRouter(tags=["ogc"])


@router.get("/ogc/collections/{id}/items", openapi_extra=described(*ITEMS))
def items(request: Request, layer: CollectionDep, connection: ReadDep) -> Response:
    """A page of features; any queryable may be given as a parameter, too, for equality."""
    ask = asked(request, *ITEMS, also=filtered_by(layer))
    question, drawn = question_of(layer, ask.values), drawn_of(layer, ask.values)
    limit, place = limit_of(ask.values), place_of(layer, ask.values, question)
    found = page(connection, question, drawn, limit=limit, place=place)
    number = matched(connection, question)
    turning = _turning(ask, layer, found)
    body = _body(found, number, [*ask.own_links(GEOJSON), *turning, _up(ask, layer)])

    def shown() -> str:
        (summary,) = summaries(connection, [layer])
        return pages.items(ask, summary, drawn, found, number, turning)

    return answer(ask, body, shown, media=GEOJSON, headers=_in_crs(drawn))


@router.get("/ogc/collections/{id}/items/{feature_id}", openapi_extra=described(*ITEM))
def item(request: Request, layer: CollectionDep, feature_id: Annotated[str, Path()], connection: ReadDep) -> Response:
    """One feature."""
    ask = asked(request, *ITEM)
    drawn = drawn_of(layer, ask.values)
    if not re.fullmatch(ID_PATTERN, feature_id):
        raise UnknownItem(layer.name, feature_id)
    found = feature(connection, layer, feature_id, drawn)
    body = {**_told(found), "links": [*ask.own_links(GEOJSON), _up(ask, layer)]}

    def shown() -> str:
        (summary,) = summaries(connection, [layer])
        return pages.item(ask, summary, drawn, found)

    return answer(ask, body, shown, media=GEOJSON, headers=_in_crs(drawn))


def _body(found: Page, number: Matched, links: list[Link]) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "links": links,
        "timeStamp": dt.datetime.now(CITY_TIME).isoformat(timespec="seconds"),
        "numberReturned": len(found.features),
        "numberMatched" if number.exact else "numberEstimated": number.number,
        "features": [_told(one) for one in found.features],
    }


def _told(one: Feature) -> dict[str, Any]:
    return {"type": "Feature", "id": one.id, "geometry": one.geometry, "properties": one.properties}


def _turning(ask: Ask, layer: Layer, found: Page) -> list[Link]:
    """The links to the pages after and before this one."""
    question = saying(layer, ask.values)
    places = (("next", found.next), ("prev", found.previous))
    media = "text/html" if ask.html else GEOJSON
    return [
        {"href": ask.again(cursor=cursor_of(place, question=question)), "rel": rel, "type": media}
        for rel, place in places
        if place is not None
    ]


def _up(ask: Ask, layer: Layer) -> Link:
    return ask.link("collection", f"/collections/{layer.name}", ask.say(*layer.title), media=JSON)


def _in_crs(drawn: Drawn) -> dict[str, str]:
    return {"Content-Crs": f"<{drawn.crs.uri}>"}
