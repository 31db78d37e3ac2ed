"""One record: read it, see what it was, change it."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Header, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from api.deps import ActorDep, ItemId, LayerDep, ReadDep, ServiceDep
from api.errors import KeyReused, PreconditionNeeded
from api.service import Service
from layers.ask import items
from layers.people.access import Actor, require
from layers.spec import Layer
from layers.store.core import IDEMPOTENCY
from layers.store.engine import begin

router = APIRouter(tags=["items"])
GEOJSON = "application/geo+json"


class Edit(BaseModel):
    """What a PATCH changes; what is not named stays."""

    model_config = ConfigDict(extra="forbid")

    properties: dict[str, Any] = {}
    geometry: dict[str, Any] | None = None


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


def _answer(feature: dict[str, Any], version: str) -> JSONResponse:
    headers = {"ETag": f'"{version}"', "Cache-Control": "no-cache"}
    return JSONResponse(feature, headers=headers, media_type=GEOJSON)


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
def read_history(layer: LayerDep, id: ItemId, connection: ReadDep) -> dict[str, Any]:
    """The earlier versions of a record, newest first."""
    versions = [
        {"from": v.since, "to": v.until, "actor": v.actor, "properties": v.properties, "geometry": v.geometry}
        for v in items.history(connection, layer, id)
    ]
    return {"layer": layer.name, "id": id, "versions": versions}


@router.patch("/items/{name}/{id}")
def edit_item(
    layer: LayerDep,
    id: ItemId,
    edit: Edit,
    service: ServiceDep,
    actor: ActorDep,
    if_match: Annotated[str | None, Header()] = None,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=128)] = None,
) -> Response:
    """Change some fields, or the place, of a record that was read as the version in If-Match."""
    require(actor, "edit", layer)
    if if_match is None:
        raise PreconditionNeeded("say in If-Match which version of the record this edit changes (its ETag)")
    versions = _versions(if_match)
    asked = [layer.name, id, sorted(versions or ["*"]), edit.model_dump()]
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    with begin(service.writer, actor=actor.name) as connection:
        if idempotency_key is not None:
            answered = _answered(connection, actor, idempotency_key, digest)
            if answered is not None:
                return _answer(answered["feature"], answered["version"])
        items.edit(connection, layer, id, versions=versions, properties=edit.properties, geometry=edit.geometry)
        item = items.item(connection, layer, id, layers=_here(service, actor))
        feature = _feature(layer, item)
        if idempotency_key is not None:
            answer = {"feature": feature, "version": item.version}
            keep = {"actor": actor.name, "key": idempotency_key, "digest": digest, "answer": answer}
            connection.execute(sa.insert(IDEMPOTENCY).values(keep))
    return _answer(feature, item.version)


def _versions(header: str) -> frozenset[str] | None:
    """The versions that an If-Match takes; None when it takes any. Weak tags match nothing (RFC 9110, 13.1.1)."""
    return None if header.strip() == "*" else frozenset(re.findall(r'(?<!W/)"([^"]*)"', header))


def _here(service: Service, actor: Actor) -> dict[str, Layer]:
    return {layer.name: layer for layer in service.registry.visible(actor)}


def _answered(connection: sa.Connection, actor: Actor, key: str, digest: str) -> dict[str, Any] | None:
    """What this key was answered before; a second request with the same key waits for the first."""
    lock = sa.func.hashtextextended(f"{actor.name} {key}", 0)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
    kept = sa.select(IDEMPOTENCY.c.digest, IDEMPOTENCY.c.answer)
    row = connection.execute(kept.where(IDEMPOTENCY.c.actor == actor.name, IDEMPOTENCY.c.key == key)).first()
    if row is None:
        return None
    if row.digest != digest:
        raise KeyReused("this Idempotency-Key was used for another request")
    answer: dict[str, Any] = row.answer
    return answer
