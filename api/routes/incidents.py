"""Incidents: reported, listed in queues, read with what may be done next, and taken from step to step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, TypedDict

import sqlalchemy as sa
from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.deps import ActorDep, InLine, ReadDep, ServiceDep
from api.errors import refusal
from api.incident_bodies import CarriedBody, ReportBody, StepBody, StepsBody
from api.once import NO_TIME, IdempotencyKey, SentAt, once
from api.service import Service
from layers.ask.period import CITY_TIME
from layers.errors import LayersError, NotAllowed, UnknownItem
from layers.loop import queues
from layers.loop.assignees import MOST_TEXT, assignees
from layers.loop.callers import callers_of
from layers.loop.cases import LAYER, case_now, reported_by, seen_by
from layers.loop.duplicates import duplicates_of
from layers.loop.happened import checked_happened
from layers.loop.incidents import Office, report, require_step, take_step
from layers.loop.numbers import ID_PATTERN
from layers.loop.offers import sees
from layers.loop.placing import spot_of
from layers.loop.reports import require_channel, values_of
from layers.loop.resolved import proposed
from layers.loop.strangers import count_report, ticket_for
from layers.loop.told import outward, told_case, told_table
from layers.people.access import ANYONE, Actor, has, require_right
from layers.refusals import CAUSES, cause_told
from layers.store.engine import begin

router = APIRouter(tags=["incidents"])
IncidentId = Annotated[str, Path(pattern=f"^{ID_PATTERN}$", description="number of a case")]
_DEAL_WITH_CALLERS: Final = ("hotline.take", "incident.dispose", "incident.verify", "person.unmask", "audit.read")
_MINIMAL: Final = "return=minimal"
Prefer = Annotated[str | None, Header(max_length=200, description="`return=minimal`: the receipt alone (RFC 7240)")]
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
PRIVATE: Final = {"Cache-Control": "private, no-store", "Vary": "Authorization, Cookie"}


class QueueQuery(BaseModel):
    """Which queue, and what of it; several codes are parted by commas."""

    model_config = ConfigDict(extra="forbid")

    queue: queues.Queue = "area"
    state: str | None = Field(None, max_length=200)
    level: str | None = Field(None, max_length=200)
    light: str | None = Field(None, max_length=200)
    channel: str | None = Field(None, max_length=40)
    matter: str | None = Field(None, max_length=40)
    town: str | None = Field(None, max_length=15, pattern=r"^[0-9]+$")
    lead: str | None = Field(None, max_length=40)
    text: str | None = Field(None, max_length=200, min_length=1)
    limit: int = Field(50, ge=1, le=queues.MOST)
    cursor: str | None = Field(None, max_length=1_000)


class _Given(TypedDict):
    limit: int
    cursor: str | None
    now: dt.datetime


@router.get("/incidents")
def incidents(
    query: Annotated[QueueQuery, Query()], service: ServiceDep, actor: ActorDep, connection: ReadDep
) -> JSONResponse:
    """One page of a queue, what is due first standing first; `next` is the cursor of the page after it.

    The queue `reported` holds what the asker reported, wherever it lies; who may only report sees nothing in others.
    """
    asked = asked_of(query)
    given: _Given = {"limit": query.limit, "cursor": query.cursor, "now": dt.datetime.now(dt.UTC)}
    if query.queue == "reported":
        with service.writer.connect() as writer:  # a reader sees only what lies in the asker's scope
            page = queues.page_of(writer, asked, actor, seen=reported_by(actor), **given)
    else:
        page = queues.page_of(connection, asked, actor, seen=seen_by(actor), **given)
    return _answer({"incidents": page.incidents, "next": page.following})


@router.get("/incidents/rules")
def rules() -> JSONResponse:
    """The table of states: every step with its words, who takes it and what it carries."""
    return JSONResponse(told_table(), headers={"Cache-Control": "no-cache"})


@router.post("/incidents", status_code=201, dependencies=[InLine])
def file_incident(
    body: ReportBody,
    request: Request,
    service: ServiceDep,
    actor: ActorDep,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
    sent_at: SentAt = None,
) -> JSONResponse:
    """File a case. Residents without an account do so where the city allows it, for the channel `public`."""
    now = dt.datetime.now(dt.UTC)
    if actor == ANYONE:
        _admit(request, service, now=now)

    def work(connection: sa.Connection) -> dict[str, Any]:
        office = Office(service.rules, service.keyring)
        happened = checked_happened(body.happened_at, sent=sent_at, now=now)
        return vars(report(connection, office, body.told(actor, happened), actor=actor, now=now))

    answer, fresh = once(service, actor, idempotency_key, asked=["report", body.model_dump(exclude=NO_TIME)], work=work)
    if actor == ANYONE:
        told = {"receipt": answer, "ticket": ticket_for(service.keyring, answer["incident"])}
        return _answer(told, status=201)
    return _after(service, actor, answer, fresh=fresh, status=201, prefer=prefer)


@router.post("/incidents/duplicates")
def duplicates(body: ReportBody, service: ServiceDep, actor: ActorDep, connection: ReadDep) -> JSONResponse:
    """Open cases that may be the same as what is about to be filed, with the reasons."""
    require_right(actor, "incident.view")
    told, now = body.told(actor), dt.datetime.now(dt.UTC)
    require_channel(actor, told.channel)
    values = values_of(connection, told, lines=service.rules.lines, on=now.astimezone(CITY_TIME).date())
    spot = spot_of(connection, told.where, values["component_id"])
    text = f"{told.title or ''} {told.text or ''}"
    about = {"matter": values["matter"], "lon": spot.lon, "lat": spot.lat, "text": text, "scenario": actor.scenario}
    found = duplicates_of(connection, **about, where=seen_by(actor), now=now)
    shown = [{**vars(one), "why": [title._asdict() for title in one.why]} for one in found]
    return _answer({"duplicates": shown})


@router.post("/incidents/steps")
def take_steps(
    body: StepsBody, service: ServiceDep, actor: ActorDep, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """The same step of up to 100 cases: each done or refused by itself, with its own result."""
    results = []
    for id in dict.fromkeys(body.ids):
        key = None if idempotency_key is None else f"{idempotency_key} {id}"
        try:
            answer, _ = _taken(service, actor, id, body, expected=None, key=key)
            results.append({"id": id, "done": True, "state": answer["state"]})
        except LayersError as error:
            results.append({"id": id, "done": False, "state": None, **why(error)})
    return _answer({"results": results})


@router.get("/incidents/{id}")
def incident(id: IncidentId, service: ServiceDep, actor: ActorDep, connection: ReadDep) -> JSONResponse:
    """A case with its steps, photos and callers (masked), and what the asker may do next; also one's own report."""
    with service.writer.connect() as writer:  # readers never see callers
        try:
            case = _case(connection, service, actor, id, seen=seen_by(actor))
            case["callers"] = _callers(writer, service, actor, id)
        except UnknownItem:
            case = _own_report(writer, service, actor, id)
    return _answer(case)


@router.get("/incidents/{id}/assignees")
def people_for(
    id: IncidentId,
    service: ServiceDep,
    actor: ActorDep,
    q: Annotated[str, Query(max_length=MOST_TEXT, description="a part of a name")] = "",
) -> JSONResponse:
    """Who may be given the case as it stands now, the nearest first; told to those who may give it to somebody."""
    with service.writer.connect() as connection:  # readers never see accounts
        case = case_now(connection, id)
        if not sees(actor, case):
            raise UnknownItem(LAYER, id)
        require_step(actor, case, "assign")
        found = assignees(connection, case, text=q.strip())
    return _answer({"assignees": [vars(one) for one in found]})


@router.post("/incidents/{id}/steps", dependencies=[InLine])
def take(
    id: IncidentId,
    body: StepBody,
    service: ServiceDep,
    actor: ActorDep,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
    sent_at: SentAt = None,
) -> JSONResponse:
    """Take a step; 409 with what changed when others were quicker."""
    told = (body.happened_at, sent_at)
    answer, fresh = _taken(service, actor, id, body, expected=body.expected, key=idempotency_key, told=told)
    return _after(service, actor, answer, fresh=fresh, prefer=prefer)


def asked_of(query: QueueQuery) -> queues.Asked:
    """The queue that is asked for, as the loop takes it."""
    return queues.Asked(
        query.queue,
        states=_codes(query.state),
        levels=_codes(query.level),
        lights=_codes(query.light),
        channel=query.channel,
        matter=query.matter,
        town=query.town,
        lead=query.lead,
        text=query.text,
    )


def _codes(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def require_public_reports(service: Service) -> None:
    """NotAllowed where the city takes no reports without an account."""
    if not service.settings.public_reports:
        told = "this city takes no reports without an account"
        raise NotAllowed(told, known=False).because("public_closed")


def _admit(request: Request, service: Service, *, now: dt.datetime) -> None:
    """Let somebody without an account report, if the city does, and not too often; NotAllowed, TooOften."""
    require_public_reports(service)
    address = service.door.ways.address(request.scope)
    with begin(service.writer, actor=ANYONE.name) as connection:
        count_report(connection, service.keyring, address, most=service.settings.public_reports_hourly, now=now)


def _taken(
    service: Service,
    actor: Actor,
    id: str,
    body: CarriedBody,
    *,
    expected: int | None,
    key: str | None,
    told: tuple[dt.datetime | None, dt.datetime | None] = (None, None),
) -> tuple[dict[str, Any], bool]:
    """A step taken once; `told` is when the phone says that it happened, and the phone's clock now."""
    office, now = Office(service.rules, service.keyring), dt.datetime.now(dt.UTC)

    def work(connection: sa.Connection) -> dict[str, Any]:
        carried, happened = body.carried(), checked_happened(told[0], sent=told[1], now=now)
        taken = take_step(
            connection,
            office,
            id,
            body.step,
            actor=actor,
            carried=carried,
            expected=expected,
            now=now,
            happened=happened,
        )
        return vars(taken)

    return once(service, actor, key, asked=["step", id, body.model_dump(exclude=NO_TIME)], work=work)


def _after(
    service: Service, actor: Actor, receipt: dict[str, Any], *, fresh: bool, prefer: str | None, status: int = 200
) -> JSONResponse:
    """The case as it stands after what was done, wherever it is seen now; of what was done before as it is seen.

    Who prefers so (RFC 7240) gets the receipt alone: a machine that reports seldom reads what it reported.
    """
    headers = {"Location": f"/incidents/{receipt['incident']}"} if status == 201 else {}
    if _MINIMAL in (part.strip() for part in (prefer or "").split(",")):
        return _answer({"receipt": receipt}, status=status, headers={**headers, "Preference-Applied": _MINIMAL})
    with service.writer.connect() as connection:
        try:
            seen = sa.true() if fresh else sa.or_(seen_by(actor), reported_by(actor))
            case = _case(connection, service, actor, receipt["incident"], seen=seen)
            case["callers"] = _callers(connection, service, actor, receipt["incident"])
        except UnknownItem:
            case = {}
    return _answer({"receipt": receipt, **case}, status=status, headers=headers)


def _case(
    connection: sa.Connection, service: Service, actor: Actor, id: str, *, seen: sa.ColumnElement[bool]
) -> dict[str, Any]:
    case = told_case(connection, actor, id, seen=seen)
    record = case["incident"]
    waits = record["state"] == "registered"
    proposal = proposed(connection, service.rules, record, now=dt.datetime.now(dt.UTC)) if waits else None
    return {**case, "proposal": proposal}


def _own_report(connection: sa.Connection, service: Service, actor: Actor, id: str) -> dict[str, Any]:
    """What the asker reported, outside of their scope, without callers; UnknownItem for anything else.

    Those who see no other cases read what the others did, and not who did it and what they wrote to each other.
    """
    case = _case(connection, service, actor, id, seen=reported_by(actor))
    if not has(actor, "incident.view"):
        case["steps"] = [step if step["actor"] == actor.name else outward(step) for step in case["steps"]]
        case["photos"] = [{**photo, "actor": None} for photo in case["photos"]]
        case["incident"]["assignee"] = None
    return {**case, "proposal": None, "callers": []}


def _callers(connection: sa.Connection, service: Service, actor: Actor, id: str) -> list[dict[str, Any]]:
    """Those who told of it, masked, to those who deal with them: a wall and an analyst need nobody."""
    concerned = any(has(actor, right) for right in _DEAL_WITH_CALLERS)
    return callers_of(connection, service.keyring, id) if concerned else []


def why(error: LayersError) -> dict[str, Any]:
    """Why one of many was refused, in words."""
    _, body, _ = refusal(error)
    told = {"zh": str(error), "en": str(error)}
    if error.cause is not None and error.cause in CAUSES:
        told = {name: text for name, text in cause_told(error.cause, error.facts).items() if name in told}
    return {"code": body["code"], "cause": error.cause, "why": told}


def _answer(body: dict[str, Any], *, status: int = 200, headers: Mapping[str, str] = _NO_HEADERS) -> JSONResponse:
    return JSONResponse(jsonable_encoder(body), status, headers={**PRIVATE, **headers})
