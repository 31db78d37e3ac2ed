"""Photos of cases: taken in as pictures, served to those who may see the case."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import FileResponse, JSONResponse
from starlette.concurrency import run_in_threadpool

from api.deps import ActorDep, ReadDep, ServiceDep
from api.once import IdempotencyKey, once
from api.routes.incidents import PRIVATE, IncidentId
from api.service import Service
from layers.catalog.incident import TABLE
from layers.errors import UnknownItem
from layers.loop.cases import LAYER, case_of, held, reported_by, seen_by
from layers.loop.numbers import ID_PATTERN as CASE_PATTERN
from layers.loop.offers import is_reporter, sees
from layers.loop.photos import ID_PATTERN, Photo, add_photo, photo_of, picture_of, told_added
from layers.loop.strangers import is_ticket
from layers.people.access import ANYONE, Actor
from layers.people.exercises import require_open

router = APIRouter(tags=["incidents"])
PhotoId = Annotated[str, Path(pattern=f"^{ID_PATTERN}$", description="id of a photo")]
_PHOTOS: Final = re.compile(rf"/incidents/{CASE_PATTERN}/photos")
# A picture that unpacks to fifty million points is 200 MB of memory.
_AT_ONCE: Final = asyncio.Semaphore(2)
_TICKET_LASTS: Final = dt.timedelta(hours=1)


def is_photo(method: str, path: str) -> bool:
    """Is this request a photo coming in, which may be larger than other bodies?"""
    return method == "POST" and _PHOTOS.fullmatch(path) is not None


@router.post("/incidents/{id}/photos", status_code=201)
async def add(
    request: Request,
    id: IncidentId,
    service: ServiceDep,
    actor: ActorDep,
    step: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    idempotency_key: IdempotencyKey = None,
    x_report_ticket: Annotated[str | None, Header(max_length=128)] = None,
) -> JSONResponse:
    """Add the picture that is the body, for the next step to carry, or to `step`, which was taken already."""
    await run_in_threadpool(_require_open, service, actor, id, x_report_ticket)
    content = await request.body()
    async with _AT_ONCE:
        picture = await run_in_threadpool(picture_of, content)

    def work(connection: sa.Connection) -> dict[str, Any]:
        row, steps = held(connection, id)
        scenario = case_of(row, steps).scenario
        require_open(connection, scenario)
        now, folder = dt.datetime.now(dt.UTC), service.settings.data_dir
        added = add_photo(connection, folder, id, picture, actor=actor.name, step=step, now=now, scenario=scenario)
        told: dict[str, Any] = jsonable_encoder(told_added(added, picture, step=step, actor=actor.name, at=now))
        return told

    def added() -> dict[str, Any]:
        return once(service, actor, idempotency_key, asked=["photo", id, step, picture.digest], work=work)[0]

    return JSONResponse(await run_in_threadpool(added), 201, headers=PRIVATE)


@router.get("/photos/{id}")
def photo(
    id: PhotoId,
    service: ServiceDep,
    actor: ActorDep,
    connection: ReadDep,
    small: bool = False,
) -> Response:
    """The picture, or a small one, to those who may see the case, and to who reported it."""
    found = _shown(connection, id, seen_by(actor))
    if found is None:
        with service.writer.connect() as writer:  # a reader sees only what lies in the asker's scope
            found = _shown(writer, id, reported_by(actor))
    if found is None:
        raise UnknownItem("photo", id)
    path = found.path(service.settings.data_dir, small=small)
    if not path.is_file():
        raise UnknownItem("photo", id)
    headers = {
        "Cache-Control": "private, max-age=3600, immutable",
        "Vary": PRIVATE["Vary"],
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": "inline",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return FileResponse(path, media_type="image/jpeg" if small else found.media_type, headers=headers)


def _shown(connection: sa.Connection, id: str, seen: sa.ColumnElement[bool]) -> Photo | None:
    found = photo_of(connection, id)
    if found is None or not connection.scalar(sa.select(sa.exists().where(TABLE.c.id == found.incident, seen))):
        return None
    return found


def _require_open(service: Service, actor: Actor, id: str, ticket: str | None) -> None:
    """UnknownItem unless the actor sees the case or told of it; a resident has a ticket, for an hour."""
    with service.writer.begin() as connection:
        row, steps = held(connection, id)
    case = case_of(row, steps)
    if actor == ANYONE:
        fresh = row["reported_at"] > dt.datetime.now(dt.UTC) - _TICKET_LASTS
        own = case.reporter == ANYONE.name and case.state == "reported" and is_ticket(service.keyring, id, ticket)
        allowed = own and fresh
    else:
        allowed = sees(actor, case) or is_reporter(actor, case)
    if not allowed:
        raise UnknownItem(LAYER, id)
