"""Needs of residents: taken down, listed, taken from step to step, and read in the clear for a purpose."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import ActorDep, ServiceDep
from api.incident_bodies import ContactBody
from api.once import NO_TIME, IdempotencyKey, SentAt, once
from api.routes.incidents import PRIVATE
from layers.errors import BadParameter
from layers.loop.callers import Contact
from layers.loop.care.book import GROUPS, OUTCOMES, SORTS, STATES, VISITS
from layers.loop.care.needs import (
    MOST,
    Brought,
    Sought,
    Told,
    need_seen,
    needs_seen,
    take_down,
    take_need_step,
    unmask_need,
)
from layers.loop.happened import checked_happened
from layers.loop.placing import Where
from layers.people.reads import MOST_PURPOSE
from layers.store.engine import begin

router = APIRouter(tags=["needs"])
NeedId = Annotated[int, Path(ge=1, le=2**62, description="number of a need")]
Area = Annotated[
    str | None, Query(pattern=r"^[0-9]{2,15}$", description="how the area's code begins, or the number of a grid")
]
_Code = Annotated[str, Field(max_length=128)]
_Text = Annotated[str, Field(max_length=8_000)]
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class NeedBody(BaseModel):
    """What is needed and where (a point, a grid or an address; only the middle of its cell is kept), and by whom."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: _Code
    lon: Annotated[float, Field(allow_inf_nan=False)] | None = None
    lat: Annotated[float, Field(allow_inf_nan=False)] | None = None
    grid_id: _Code | None = None
    address: Annotated[str, Field(max_length=1_000)] | None = None
    words: _Text | None = None
    wish_at: AwareDatetime | None = None
    contact: ContactBody | None = None
    happened_at: AwareDatetime | None = None

    def told(self) -> Told:
        """As the loop takes it."""
        contact = self.contact or ContactBody()
        where = Where(self.lon, self.lat, self.grid_id, self.address)
        return Told(self.kind, where, self.words, self.wish_at, Contact(contact.name, contact.phone, contact.home))


class NeedStepBody(BaseModel):
    """A step of a need; `expected` is the number of the last step that the client has seen."""

    model_config = ConfigDict(extra="forbid")

    step: _Code
    expected: Annotated[int, Field(ge=0, le=2**62)] | None = None
    note: _Text | None = None
    provider: _Code | None = None
    incident: _Code | None = None
    happened_at: AwareDatetime | None = None


class PurposeBody(BaseModel):
    """What somebody is read in the clear for: a code of `GET /callers/purposes`, or words."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    purpose: Annotated[str, Field(max_length=4 * MOST_PURPOSE)]


@router.get("/needs/words")
def words(service: ServiceDep) -> JSONResponse:
    """The kinds of needs in their groups, the sorts of who serves, and the kinds and outcomes of visits."""
    kinds = [
        {"code": one.code, "title": one.title._asdict(), "group": one.group} for one in service.rules.needs.values()
    ]
    named = {"groups": GROUPS, "sorts": SORTS, "states": STATES, "visits": VISITS, "outcomes": OUTCOMES}
    told = {
        name: [{"code": code, "title": title._asdict()} for code, title in book.items()] for name, book in named.items()
    }
    return JSONResponse({"kinds": kinds, **told}, headers={"Cache-Control": "no-cache"})


@router.get("/needs")
def needs(
    service: ServiceDep,
    actor: ActorDep,
    state: Annotated[str, Query(max_length=100, description="several are parted by commas")] = "open,arranged",
    kind: Annotated[str | None, Query(max_length=40)] = None,
    area: Area = None,
    newest: Annotated[bool, Query(description="the newest first, else the oldest")] = False,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> JSONResponse:
    """Needs that the asker sees, with their steps; people are masked. `next` is the `after` of those that follow."""
    states = tuple(state.split(","))
    if strange := [code for code in states if code not in STATES]:
        raise BadParameter("state", f"there is no {strange[0][:40]!r}; there are {', '.join(STATES)}")
    with service.writer.connect() as connection:  # readers of the database never see needs
        sought = Sought(states, kind, area, newest)
        found = needs_seen(connection, service.keyring, actor, sought=sought, after=after, most=limit + 1)
    page, more = found[:limit], len(found) > limit
    return _answer({"needs": page, "next": page[-1]["id"] if more else None})


@router.post("/needs", status_code=201)
def take(
    body: NeedBody,
    service: ServiceDep,
    actor: ActorDep,
    idempotency_key: IdempotencyKey = None,
    sent_at: SentAt = None,
) -> JSONResponse:
    """Take a need down; with the same key once, and answered alike."""
    now = dt.datetime.now(dt.UTC)

    def work(connection: sa.Connection) -> dict[str, Any]:
        happened = checked_happened(body.happened_at, sent=sent_at, now=now)
        kinds = service.rules.needs
        return take_down(connection, service.keyring, body.told(), kinds, actor=actor, now=now, happened=happened)

    answer, _ = once(service, actor, idempotency_key, asked=["need", body.model_dump(exclude=NO_TIME)], work=work)
    return _answer({"receipt": answer}, status=201, location=f"/needs/{answer['need']}")


@router.get("/needs/{id}")
def need(id: NeedId, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """A need with its steps, and what the asker may do next."""
    with service.writer.connect() as connection:
        return _answer({"need": need_seen(connection, service.keyring, actor, id)})


@router.post("/needs/{id}/steps")
def step(
    id: NeedId,
    body: NeedStepBody,
    service: ServiceDep,
    actor: ActorDep,
    idempotency_key: IdempotencyKey = None,
    sent_at: SentAt = None,
) -> JSONResponse:
    """Take a step; 409 with what changed when others were quicker."""
    now = dt.datetime.now(dt.UTC)

    def work(connection: sa.Connection) -> dict[str, Any]:
        happened = checked_happened(body.happened_at, sent=sent_at, now=now)
        brought = Brought(body.note, body.provider, body.incident)
        return take_need_step(
            connection,
            id,
            body.step,
            brought=brought,
            expected=body.expected,
            actor=actor,
            now=now,
            happened=happened,
        )

    answer, _ = once(
        service, actor, idempotency_key, asked=["need step", id, body.model_dump(exclude=NO_TIME)], work=work
    )
    return _answer({"receipt": answer})


@router.post("/needs/{id}/unmask")
def unmasked(id: NeedId, body: PurposeBody, request: Request, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Who asked, in the clear, for a purpose that is recorded with the reading."""
    address = service.door.ways.address(request.scope)
    with begin(service.writer, actor=actor.name) as connection:
        person = unmask_need(connection, service.keyring, actor, id, purpose=body.purpose, address=address)
    return JSONResponse(asdict(person), headers=_NO_STORE)


def _answer(body: dict[str, Any], *, status: int = 200, location: str | None = None) -> JSONResponse:
    headers = {} if location is None else {"Location": location}
    return JSONResponse(jsonable_encoder(body), status, headers={**PRIVATE, **headers})
