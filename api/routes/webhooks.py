"""Webhooks: departments' own systems are told of the steps of their cases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.deps import ActorDep, ServiceDep
from layers.errors import NotAllowed
from layers.loop import webhooks as keeping
from layers.loop.webhook_address import MOST_URL, networks_of
from layers.loop.webhooks import UnknownWebhook, Webhook
from layers.people.access import Actor, require_right
from layers.store.engine import begin

router = APIRouter(tags=["webhooks"])
WebhookId = Annotated[int, Path(ge=1, le=2**63 - 1, description="number of a webhook")]
_PRIVATE = {"Cache-Control": "no-store"}
_RIGHT = "key.make"


class Registration(BaseModel):
    """Which department is told, and where."""

    model_config = ConfigDict(extra="forbid")

    department: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,20}$")]
    url: Annotated[str, Field(min_length=8, max_length=MOST_URL)]


@router.post("/webhooks", status_code=201)
def register(body: Registration, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """A new webhook; its secret is told this once."""
    require_right(actor, _RIGHT)
    within = actor.scope.departments
    if within is not None and body.department not in within:
        refused = NotAllowed("this is a department that you do not answer for", known=True)
        raise refused.because("department_not_yours")
    with begin(service.writer, actor=actor.name) as connection:
        made, secret = keeping.register(
            *(connection, service.keyring, body.department, body.url),
            departments=service.rules.departments,
            networks=networks_of(service.settings.webhook_networks),
            actor=actor.name,
        )
    return JSONResponse({**_told(made), "secret": secret}, 201, headers=_PRIVATE)


@router.get("/webhooks")
def webhooks(service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Those of the departments that the actor answers for: how they stand, and how much waits."""
    require_right(actor, _RIGHT)
    with service.writer.connect() as connection:
        found = keeping.webhooks(connection, departments=actor.scope.departments)
        waits = keeping.waiting(connection)
    told = [{**_told(one), "waiting": waits.get(one.id, 0)} for one in found]
    return JSONResponse({"webhooks": told}, headers=_PRIVATE)


@router.get("/webhooks/{id}/sendings")
def sendings(
    id: WebhookId,
    service: ServiceDep,
    actor: ActorDep,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> JSONResponse:
    """The newest hundred tellings, with what became of each."""
    require_right(actor, _RIGHT)
    with service.writer.connect() as connection:
        _own(connection, actor, id)
        found = keeping.sendings(connection, id, before=before)
    return JSONResponse({"sendings": jsonable_encoder(found)}, headers=_PRIVATE)


@router.delete("/webhooks/{id}", status_code=204)
def end(id: WebhookId, service: ServiceDep, actor: ActorDep) -> Response:
    """Tell nothing more; what was told stays recorded."""
    require_right(actor, _RIGHT)
    with begin(service.writer, actor=actor.name) as connection:
        _own(connection, actor, id)
        keeping.end(connection, id, now=datetime.now(UTC))
    return Response(status_code=204)


def _own(connection: sa.Connection, actor: Actor, id: int) -> None:
    """UnknownWebhook unless it is of a department that the actor answers for."""
    found = keeping.webhook(connection, id)
    if actor.scope.departments is not None and found.department not in actor.scope.departments:
        raise UnknownWebhook(id)


def _told(one: Webhook) -> dict[str, Any]:
    told: dict[str, Any] = jsonable_encoder(vars(one))
    return told
