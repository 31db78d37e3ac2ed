"""Channels: where notices go beside the screens, who set them up, what became of what they sent."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.deps import ActorDep, ServiceDep
from api.service import Service
from layers.loop import channels as keeping
from layers.loop.channel_messages import Kind
from layers.loop.channels import MOST_TITLE, Change, Ground, Order
from layers.loop.notice_sending import kinds_of
from layers.loop.notice_words import KINDS
from layers.loop.sms import gateway_in
from layers.loop.webhook_address import MOST_URL, networks_of
from layers.people.access import require_right
from layers.store.engine import begin

router = APIRouter(prefix="/channels", tags=["channels"])
ChannelId = Annotated[int, Path(ge=1, le=2**63 - 1, description="number of a channel")]
_PRIVATE = {"Cache-Control": "no-store"}
_RIGHT = "channel.edit"
_Code = Annotated[str, Field(min_length=1, max_length=40)]


class ChannelBody(BaseModel):
    """A channel: its kind and address, of which department or area (of the whole city without), for which notices."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: Kind
    title: Annotated[str, Field(min_length=1, max_length=4 * MOST_TITLE)]
    address: Annotated[str, Field(min_length=3, max_length=MOST_URL)]
    secret: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    department: _Code | None = None
    area: _Code | None = None
    kinds: Annotated[list[_Code], Field(max_length=50)] = []

    def order(self) -> Order:
        """As the loop takes it."""
        return Order(
            *(self.kind, self.title, self.address.strip(), self.secret, self.department, self.area), tuple(self.kinds)
        )


class ChangeBody(BaseModel):
    """How a channel is to be from now on; without another address or secret it keeps those that it has."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    title: Annotated[str, Field(min_length=1, max_length=4 * MOST_TITLE)]
    address: Annotated[str, Field(min_length=3, max_length=MOST_URL)] | None = None
    secret: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    department: _Code | None = None
    area: _Code | None = None
    kinds: Annotated[list[_Code], Field(max_length=50)] = []

    def change(self) -> Change:
        """As the loop takes it."""
        address = None if self.address is None else self.address.strip()
        return Change(self.title, self.department, self.area, tuple(self.kinds), address, self.secret)


@router.post("", status_code=201)
def open_channel(body: ChannelBody, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """A new channel; the secret of a webhook is told this once."""
    require_right(actor, _RIGHT)
    with begin(service.writer, actor=actor.name) as connection:
        id, secret = keeping.open_channel(
            *(connection, service.keyring, body.order()), ground=_ground(service), actor=actor.name
        )
        told = keeping.channel(connection, service.keyring, id)
    return _answer({**told, **({} if secret is None else {"secret": secret})}, 201)


@router.get("")
def channels(service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """All channels and how they stand, addresses masked; which kinds are set up here; the kinds of notices in words."""
    require_right(actor, _RIGHT)
    with service.writer.connect() as connection:
        found = keeping.channels(connection, service.keyring)
    notices = [{"code": code, "title": title._asdict()} for code, title in KINDS.items()]
    return _answer({"channels": found, "kinds": list(_ground(service).kinds), "notices": notices})


@router.put("/{id}")
def change(id: ChannelId, body: ChangeBody, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Another title, reach, address or secret; the kind stays."""
    require_right(actor, _RIGHT)
    with begin(service.writer, actor=actor.name) as connection:
        keeping.change(connection, service.keyring, id, body.change(), ground=_ground(service))
        told = keeping.channel(connection, service.keyring, id)
    return _answer(told)


@router.put("/{id}/pause", status_code=204)
def pause(id: ChannelId, service: ServiceDep, actor: ActorDep) -> Response:
    """Only record what waits and what comes, until it is resumed."""
    require_right(actor, _RIGHT)
    with begin(service.writer, actor=actor.name) as connection:
        keeping.pause(connection, id, now=dt.datetime.now(dt.UTC))
    return Response(status_code=204)


@router.delete("/{id}/pause", status_code=204)
def resume(id: ChannelId, service: ServiceDep, actor: ActorDep) -> Response:
    """Send again what comes from now on."""
    require_right(actor, _RIGHT)
    with begin(service.writer, actor=actor.name) as connection:
        keeping.resume(connection, id)
    return Response(status_code=204)


@router.delete("/{id}", status_code=204)
def end(id: ChannelId, service: ServiceDep, actor: ActorDep) -> Response:
    """Send nothing more; what was sent stays recorded."""
    require_right(actor, _RIGHT)
    with begin(service.writer, actor=actor.name) as connection:
        keeping.end(connection, id, now=dt.datetime.now(dt.UTC))
    return Response(status_code=204)


@router.get("/{id}/sendings")
def sendings(
    id: ChannelId,
    service: ServiceDep,
    actor: ActorDep,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> JSONResponse:
    """The newest hundred sendings, with what became of each."""
    require_right(actor, _RIGHT)
    with service.writer.connect() as connection:
        keeping.channel(connection, service.keyring, id)
        found = keeping.sendings(connection, id, before=before)
    return _answer({"sendings": found})


@router.post("/{id}/try", status_code=202)
def try_channel(id: ChannelId, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Send a test notice, which says that it is one; the worker does so within seconds."""
    require_right(actor, _RIGHT)
    with begin(service.writer, actor=actor.name) as connection:
        keeping.channel(connection, service.keyring, id)
        number = keeping.try_channel(connection, id, now=dt.datetime.now(dt.UTC))
    return _answer({"sending": number}, 202)


def _ground(service: Service) -> Ground:
    settings = service.settings
    gateway = gateway_in(settings.data_dir)
    kinds = kinds_of(settings.mailbox, gateway)
    return Ground(service.rules.departments, networks_of(settings.webhook_networks), kinds)


def _answer(told: dict[str, Any], status: int = 200) -> JSONResponse:
    return JSONResponse(jsonable_encoder(told), status, headers=_PRIVATE)
