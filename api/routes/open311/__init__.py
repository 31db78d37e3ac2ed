"""Open311 GeoReport v2 at /open311/v2: what other programs report to the city, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from api.deps import ActorDep, ReadDep, ServiceDep
from api.errors import WrongToken
from api.rights import require_rehearsed
from api.routes.open311.answers import GeoReportRoute, told
from api.routes.open311.reading import asked_of, check_jurisdiction, form_of, report_of
from api.service import Service
from layers.catalog.incident import LAYER
from layers.loop import open311
from layers.loop.incidents import Office, report
from layers.people.access import ANYONE, Actor, has, require_right
from layers.people.scope import REALITY, acting, slice_of
from layers.store.engine import begin

router = APIRouter(prefix="/open311/v2", tags=["open311"], route_class=GeoReportRoute)
Form = Annotated[Literal["json", "xml"], Path(description="json or xml")]
ServiceCode = Annotated[str, Path(pattern=r"^[0-9A-Za-z-]{1,20}$", description="code of a service, see services")]
RequestId = Annotated[str, Path(pattern=r"^[0-9]{1,20}$", description="number of a request")]
_REQUESTS: Final = "service_requests"
_FORM: Final = {
    "requestBody": {
        "required": True, "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
    }
}  # fmt: skip


@router.get("/services.{form}")
def services(form: Form, request: Request) -> Response:
    """What may be reported: every class of matters."""
    check_jurisdiction(request.query_params)
    return told("services", open311.services(), form)


@router.get("/services/{code}.{form}")
def definition(code: ServiceCode, form: Form, request: Request) -> Response:
    """What a request of a service may say beside the standard."""
    check_jurisdiction(request.query_params)
    return told("service_definition", open311.definition(code), form)


@router.post("/requests.{form}", openapi_extra=_FORM)
async def file_request(form: Form, request: Request, service: ServiceDep, actor: ActorDep) -> Response:
    """Report something, with a key (`api_key`, or as a bearer); the answer has its number."""
    fields = await form_of(request)
    number = await run_in_threadpool(_filed, service, request, actor, fields)
    answer = [{"service_request_id": number, "service_notice": None, "account_id": None}]
    return told(_REQUESTS, answer, form)


@router.get("/requests.{form}")
def requests(form: Form, request: Request, service: ServiceDep, actor: ActorDep, connection: ReadDep) -> Response:
    """Requests by number, or of at most ninety days, the newest thousand."""
    fields = dict(request.query_params)
    asked = asked_of(fields, now=datetime.now(UTC))
    more = _besides(_asking(service, request, actor, fields))
    found = open311.requests(acting(connection, REALITY), asked, service.rules.departments, more=more)
    return told(_REQUESTS, found, form)


@router.get("/requests/{id}.{form}")
@router.get("/request/{id}.{form}")
def one_request(
    id: RequestId, form: Form, request: Request, service: ServiceDep, actor: ActorDep, connection: ReadDep
) -> Response:
    """One request."""
    check_jurisdiction(request.query_params)
    more = _besides(_asking(service, request, actor, request.query_params))
    found = open311.request(acting(connection, REALITY), id, service.rules.departments, more=more)
    return told(_REQUESTS, [found], form)


@router.get("/tokens/{token}.{form}")
def token(
    token: RequestId, form: Form, request: Request, service: ServiceDep, actor: ActorDep, connection: ReadDep
) -> Response:
    """The number of a request by its token: every request is numbered at once, so its number is its token."""
    check_jurisdiction(request.query_params)
    more = _besides(_asking(service, request, actor, request.query_params))
    found = open311.request(acting(connection, REALITY), token, service.rules.departments, more=more)
    return told(_REQUESTS, [{"service_request_id": found["service_request_id"], "token": token}], form)


def _asking(service: Service, request: Request, actor: Actor, fields: Mapping[str, str]) -> Actor:
    """Who asks: by `api_key` where one is given, else as everywhere; WrongToken for a key that is none."""
    key = fields.get("api_key")
    if not key:
        return actor
    if actor != ANYONE:
        raise WrongToken("one key is enough: api_key or Authorization")
    try:
        header = f"Bearer {key}".encode("latin-1")
    except UnicodeEncodeError:
        raise WrongToken("this key is not valid") from None
    return service.door.actor({**request.scope, "headers": [(b"authorization", header)]})


def _besides(actor: Actor) -> sa.ColumnElement[bool]:
    """What this actor sees beside what is public."""
    return slice_of(actor).condition(LAYER) if has(actor, "incident.view") else sa.false()


def _filed(service: Service, request: Request, actor: Actor, fields: Mapping[str, str]) -> str:
    asking, now = _asking(service, request, actor, fields), datetime.now(UTC)
    require_right(asking, "incident.report")
    require_rehearsed(asking, "POST", "/open311/v2/requests.{form}")  # the key may have stood in the form
    told_of = report_of(fields)
    with begin(service.writer, actor=asking.name) as connection:
        office = Office(service.rules, service.keyring)
        return report(connection, office, told_of, actor=asking, now=now).incident
