"""Those who told of an incident, in the clear: for a stated purpose, and each time recorded."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.deps import ActorDep, ServiceDep
from layers.people.reads import MOST_PURPOSE, PURPOSES, require_unmask, unmask
from layers.store.engine import begin

router = APIRouter(tags=["people"])
CallerId = Annotated[int, Path(ge=1, le=2**63 - 1, description="number of a caller")]
# No cache keeps it, neither between here and the page nor in the browser.
_PRIVATE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Purpose(BaseModel):
    """What somebody reads a person for: the code of a purpose that is offered, or words."""

    model_config = ConfigDict(extra="forbid")

    purpose: Annotated[str, Field(min_length=1, max_length=MOST_PURPOSE)]


@router.get("/callers/purposes")
def purposes(actor: ActorDep) -> JSONResponse:
    """The purposes that are offered; any other is given in words."""
    require_unmask(actor)
    told = [{"code": code, **title._asdict()} for code, title in PURPOSES.items()]
    return JSONResponse({"purposes": told}, headers=_PRIVATE)


@router.post("/callers/{id}/unmask")
def unmasked(id: CallerId, body: Purpose, request: Request, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Name, phone and home of a caller in the clear; who reads it, from where and what for is recorded with it."""
    address = service.door.ways.address(request.scope)
    with begin(service.writer, actor=actor.name) as connection:
        person = unmask(connection, service.keyring, actor, id, purpose=body.purpose, address=address)
    return JSONResponse(asdict(person), headers=_PRIVATE)
