"""One record: read it, see what it was, change it; make one, retire one, put one back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Body, Header, Query, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict

from api.deps import ActorDep, ItemId, LayerDep, ReadDep, ServiceDep
from api.errors import PreconditionNeeded
from api.once import IdempotencyKey, answer_kept
from api.service import Service
from layers.ask import edits, items
from layers.errors import NotAllowed
from layers.people.access import ANYONE, Actor, require
from layers.spec import Layer
from layers.store.core import IDEMPOTENCY
from layers.store.engine import begin

router = APIRouter(tags=["items"])
GEOJSON = "application/geo+json"
IfMatch = Annotated[str | None, Header()]


class Edit(BaseModel):
    """What a PATCH changes; what is not named stays."""

    model_config = ConfigDict(extra="forbid")

    properties: dict[str, Any] = {}
    geometry: dict[str, Any] | None = None


class New(BaseModel):
    """A record to be made; without an id it gets one where the layer's ids can be made."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = None
    properties: dict[str, Any] = {}
    geometry: dict[str, Any]


class Restore(BaseModel):
    """The version to go back to: the `from` of one in the history; without it the last one before now."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime | None = None


def _feature(layer: Layer, item: items.Item) -> dict[str, Any]:
    feature = {
        "type": "Feature",
        "id": item.id,
        "layer": layer.name,
        "geometry": item.geometry,
        "properties": item.properties,
        "context": item.context,
    }
    encoded: dict[str, Any] = jsonable_encoder(feature)
    return encoded


def _answer(feature: dict[str, Any], version: str, *, status: int = 200) -> JSONResponse:
    headers = {"ETag": f'"{version}"', "Cache-Control": "no-cache"}
    if status == 201:
        headers["Location"] = f"/items/{feature['layer']}/{quote(feature['id'], safe='')}"
    return JSONResponse(feature, status, headers=headers, media_type=GEOJSON)


@router.get("/items/{name}/{id}")
def read_item(
    layer: LayerDep,
    id: ItemId,
    service: ServiceDep,
    actor: ActorDep,
    connection: ReadDep,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """One record as a GeoJSON feature, with the place it lies in."""
    item = items.item(connection, layer, id, layers=_here(service, actor))
    if if_none_match is not None and (if_none_match.strip() == "*" or f'"{item.version}"' in if_none_match):
        return Response(status_code=304, headers={"ETag": f'"{item.version}"', "Cache-Control": "no-cache"})
    return _answer(_feature(layer, item), item.version)


@router.get("/items/{name}/{id}/history")
def read_history(
    layer: LayerDep,
    id: ItemId,
    connection: ReadDep,
    before: AwareDatetime | None = None,
    limit: Annotated[int, Query(ge=1, le=items.MOST_VERSIONS)] = items.MOST_VERSIONS,
) -> dict[str, Any]:
    """The earlier versions of a record, newest first; `next` leads to those before these."""
    found, more = items.history(connection, layer, id, before=before, limit=limit)
    versions = [
        {
            "from": v.since,
            "to": v.until,
            "actor": v.actor,
            "delivery": v.delivery,
            "properties": v.properties,
            "geometry": v.geometry,
        }
        for v in found
    ]
    rest = urlencode({"before": found[-1].since.astimezone(dt.UTC).isoformat(), "limit": limit}) if more else None
    following = rest and f"/items/{layer.name}/{quote(id, safe='')}/history?{rest}"
    return {"layer": layer.name, "id": id, "versions": versions, "next": following}


@router.patch("/items/{name}/{id}")
def edit_item(
    layer: LayerDep,
    id: ItemId,
    edit: Edit,
    service: ServiceDep,
    actor: ActorDep,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Change some fields, or the place, of a record that was read as the version in If-Match."""
    require(actor, "edit", layer)
    versions = _versions(if_match)
    asked = [layer.name, id, sorted(versions or ["*"]), edit.model_dump()]

    def work(connection: sa.Connection) -> str:
        edits.edit(connection, layer, id, versions=versions, properties=edit.properties, geometry=edit.geometry)
        return id

    return _answer(*_once(service, actor, layer, idempotency_key, asked, work))


@router.post("/items/{name}", status_code=201)
def create_item(
    layer: LayerDep, new: New, service: ServiceDep, actor: ActorDep, idempotency_key: IdempotencyKey = None
) -> Response:
    """Make a record; its place in grid, town and cell follows from its geometry."""
    _require_add(actor, layer)

    def work(connection: sa.Connection) -> str:
        return edits.create(connection, layer, id=new.id, properties=new.properties, geometry=new.geometry)

    asked = ["create", layer.name, new.model_dump()]
    return _answer(*_once(service, actor, layer, idempotency_key, asked, work), status=201)


@router.delete("/items/{name}/{id}", status_code=204)
def retire_item(
    layer: LayerDep, id: ItemId, service: ServiceDep, actor: ActorDep, if_match: IfMatch = None
) -> Response:
    """Retire a record that was read as the version in If-Match; its history stays, and it can be restored."""
    _require_add(actor, layer)
    versions = _versions(if_match)
    with begin(service.writer, actor=actor.name) as connection:
        edits.retire(connection, layer, id, versions=versions)
    return Response(status_code=204)


@router.post("/items/{name}/{id}/restore")
def restore_item(
    layer: LayerDep,
    id: ItemId,
    service: ServiceDep,
    actor: ActorDep,
    wanted: Annotated[Restore | None, Body()] = None,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Put a record back to an earlier version: one that was read as the version in If-Match, or one that is retired."""
    require(actor, "edit", layer)
    since = None if wanted is None else wanted.since
    versions = frozenset[str]() if if_match is None else _versions(if_match)
    asked = ["restore", layer.name, id, sorted(versions or ["*"]), str(since)]

    def work(connection: sa.Connection) -> str:
        edits.restore(connection, layer, id, versions=versions, since=since)
        return id

    return _answer(*_once(service, actor, layer, idempotency_key, asked, work))


def _require_add(actor: Actor, layer: Layer) -> None:
    decision = edits.may_add(actor, layer)
    if not decision:
        raise NotAllowed(decision.why, known=actor != ANYONE)


def _versions(header: str | None) -> frozenset[str] | None:
    """The versions that an If-Match takes; None when it takes any. Weak tags match nothing (RFC 9110, 13.1.1)."""
    if header is None:
        raise PreconditionNeeded("say in If-Match which version of the record this edit changes (its ETag)")
    return None if header.strip() == "*" else frozenset(re.findall(r'(?<!W/)"([^"]*)"', header))


def _here(service: Service, actor: Actor) -> dict[str, Layer]:
    return {layer.name: layer for layer in service.registry.visible(actor)}


def _once(
    service: Service,
    actor: Actor,
    layer: Layer,
    key: str | None,
    asked: list[Any],
    work: Callable[[sa.Connection], str],
) -> tuple[dict[str, Any], str]:
    """Do the work, which tells the record's id, and return the record and its version; with a key, only once."""
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    with begin(service.writer, actor=actor.name) as connection:
        if key is not None and (answered := answer_kept(connection, actor, key, digest)) is not None:
            return answered["feature"], answered["version"]
        item = items.item(connection, layer, work(connection), layers=_here(service, actor))
        feature = _feature(layer, item)
        if key is not None:
            answer = {"feature": feature, "version": item.version}
            keep = {"actor": actor.name, "key": key, "digest": digest, "answer": answer}
            connection.execute(sa.insert(IDEMPOTENCY).values(keep))
    return feature, item.version
