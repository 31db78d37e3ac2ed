"""Notices: what the asker is told, which of it is read; and the outbox of an exercise."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.deps import ActorDep, ReadDep, ServiceDep
from api.service import Service
from layers.errors import NotAllowed
from layers.loop import inbox as keeping
from layers.loop.channels import recorded
from layers.people.access import Actor
from layers.store.engine import begin

router = APIRouter(tags=["notices"])
_PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Authorization, Cookie"}
_Number = Annotated[int, Field(ge=1, le=2**63 - 1)]


class NoticesQuery(BaseModel):
    """Which of one's notices; `before` is the `next` of the page before."""

    model_config = ConfigDict(extra="forbid")

    unread: bool = False
    exercise: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    before: _Number | None = None
    limit: int = Field(50, ge=1, le=keeping.MOST)


class ReadBody(BaseModel):
    """The notices that were read."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[_Number], Field(min_length=1, max_length=keeping.MOST)]


@router.get("/notices")
def notices(
    query: Annotated[NoticesQuery, Query()], service: ServiceDep, actor: ActorDep, connection: ReadDep
) -> JSONResponse:
    """One's notices of the last thirty days, the newest first, and how many are unread (counted up to a hundred).

    With `exercise` all of that exercise, for those in it, each with what would have gone out of the city.
    """
    if query.exercise is not None:
        return _outbox(query, query.exercise, service, actor, connection)
    found = keeping.inbox(connection, actor, now=_now(), unread=query.unread, before=query.before, limit=query.limit)
    told = {"notices": found.notices, "next": found.following, "unread": found.unread}
    return JSONResponse(jsonable_encoder(told), headers=_PRIVATE)


@router.post("/notices/read", status_code=204)
def read(body: ReadBody, service: ServiceDep, actor: ActorDep) -> None:
    """Mark notices of one's own as read; what is not one's own is passed over."""
    with begin(service.writer, actor=actor.name) as connection:
        keeping.mark_read(connection, actor, sorted(set(body.ids)), now=_now())


def _outbox(
    query: NoticesQuery, exercise: str, service: Service, actor: Actor, connection: sa.Connection
) -> JSONResponse:
    if actor.scenario != exercise:
        raise NotAllowed("this is for those in the exercise", known=True).because("notices_exercise")
    found = keeping.outbox_of(connection, exercise, before=query.before, limit=query.limit)
    with service.writer.connect() as writer:  # readers never see where channels lead
        sendings = recorded(writer, service.keyring, [one["id"] for one in found.notices])
    told = [{**one, "sendings": sendings[one["id"]]} for one in found.notices]
    return JSONResponse(jsonable_encoder({"notices": told, "next": found.following}), headers=_PRIVATE)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
