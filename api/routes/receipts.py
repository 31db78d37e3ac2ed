"""Receipts: whoever reported without an account reads back how far it is, by the ticket that came with the answer."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import FileResponse, JSONResponse

from api.deps import ActorDep, ServiceDep
from api.routes.incidents import PRIVATE, IncidentId
from api.routes.photos import PhotoId
from api.service import Service
from layers.errors import UnknownItem
from layers.loop.incidents import Office
from layers.loop.receipts import receipt_of, receipt_photo, withdraw
from layers.loop.strangers import count_reading
from layers.people.access import ANYONE
from layers.store.engine import begin

router = APIRouter(tags=["incidents"])
# In a header: addresses are written into logs, and sent to others as referrers.
Ticket = Annotated[str | None, Header(alias="X-Report-Ticket", max_length=128, description="of the report's answer")]
_PICTURE: Final = {
    **PRIVATE,
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


@router.get("/incidents/{id}/receipt")
def receipt(id: IncidentId, request: Request, service: ServiceDep, ticket: Ticket = None) -> JSONResponse:
    """How far a report is: state, public steps with their times, the department, photos of what was done; no names."""
    now = _counted(request, service)
    with service.writer.connect() as connection:  # a visitor's connection sees no case at all
        told = receipt_of(connection, service.keyring, service.rules.departments, id, ticket, now=now)
    return JSONResponse(jsonable_encoder(told), headers=PRIVATE)


@router.get("/incidents/{id}/receipt/photos/{photo}")
def photo(id: IncidentId, photo: PhotoId, request: Request, service: ServiceDep, ticket: Ticket = None) -> Response:
    """One of the photos that the receipt lists, small."""
    now = _counted(request, service)
    with service.writer.connect() as connection:
        found = receipt_photo(connection, service.keyring, id, ticket, photo, now=now)
    path = found.path(service.settings.data_dir, small=True)
    if not path.is_file():
        raise UnknownItem("photo", photo)
    return FileResponse(path, media_type="image/jpeg", headers=_PICTURE)


@router.delete("/incidents/{id}/receipt", status_code=204)
def take_back(id: IncidentId, request: Request, service: ServiceDep, _: ActorDep, ticket: Ticket = None) -> Response:
    """Withdraw a report that nobody has taken up yet."""
    now = _counted(request, service)
    with begin(service.writer, actor=ANYONE.name) as connection:
        withdraw(connection, Office(service.rules, service.keyring), id, ticket, now=now)
    return Response(status_code=204, headers=PRIVATE)


def _counted(request: Request, service: Service) -> dt.datetime:
    """The time, after the request was counted for its address; TooOften."""
    now = dt.datetime.now(dt.UTC)
    with begin(service.writer, actor=ANYONE.name) as connection:
        count_reading(connection, service.keyring, service.door.ways.address(request.scope), now=now)
    return now
