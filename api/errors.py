"""One table from refusals to HTTP statuses, one shape for every error: RFC 9457 problem details."""

from __future__ import annotations

import json
import logging
import uuid
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gis.errors import BadArchive, GisError
from layers.ask.indicator.counter import NotCounted
from layers.ask.question.errors import GivenUp, NoRoom, TooMuch, UnknownQuestion, UnknownResult
from layers.errors import (
    BadField,
    BadFilter,
    BadParameter,
    BadUpload,
    Caused,
    Conflict,
    LayersError,
    NotAllowed,
    NotSignedIn,
    OneTimeOver,
    SecondFactorDue,
    Stale,
    TooManyAttempts,
    UnknownAccount,
    UnknownDelivery,
    UnknownExercise,
    UnknownIndicator,
    UnknownItem,
    UnknownKey,
    UnknownLayer,
    UnknownRaster,
    UnknownRole,
    UnknownSession,
    UnknownTopic,
    UnknownUpload,
    WrongLogin,
)
from layers.loop.care.needs import UnknownNeed
from layers.loop.care.visits import UnknownVisit
from layers.loop.channels import UnknownChannel
from layers.loop.departments import UnknownDepartment
from layers.loop.duties import UnknownDuty
from layers.loop.errors import Overtaken, TooOften
from layers.loop.hotline.answers import UnknownAnswer
from layers.loop.hotline.classify import ModelUnfit
from layers.loop.hotline.lines import UnknownLine
from layers.loop.open311 import UnknownRequest, UnknownService
from layers.loop.webhooks import UnknownWebhook
from layers.people.keys import KeysUnfit
from layers.people.privacy import SealBroken
from layers.people.reads import UnknownCaller
from layers.people.rosters import RosterRefused
from layers.refusals import CAUSES, cause_told
from layers.store.jobs import NotFiled
from webmap.leaflet import MapNotBuilt
from webmap.printing.errors import BadStyle, CannotPrint, NotDrawn

log = logging.getLogger("chengtu.api")
PROBLEM = "application/problem+json"


class WrongToken(LayersError):
    """The bearer token is not one that was given out."""


class Forged(LayersError):
    """A cookie came with what another host's page asked for."""


class UnknownPalette(LayersError):
    """There is no style in this palette."""


class TooBusy(LayersError):
    """Too many others wait for the same kind of work."""


class UnknownArchive(LayersError):
    """The layer has no archive, or none of this version."""

    def __init__(self, layer: str, version: str | None = None) -> None:
        super().__init__(f"layer {layer!r} has no archive" + (f" of version {version!r}" if version else " now"))
        self.layer, self.version = layer, version


class NoPicture(LayersError):
    """The camera shows nothing here."""


class NoTile(LayersError):
    """The path is no tile's."""


class NotListening(LayersError):
    """There is no room, or not yet a change log, for one more live stream."""


class PreconditionNeeded(LayersError):
    """An edit must say which version it changes (If-Match)."""


class KeyReused(LayersError):
    """An Idempotency-Key came again with another request."""


STATUS: dict[type[Exception], HTTPStatus] = {
    UnknownLayer: HTTPStatus.NOT_FOUND,
    UnknownItem: HTTPStatus.NOT_FOUND,
    UnknownPalette: HTTPStatus.NOT_FOUND,
    UnknownRaster: HTTPStatus.NOT_FOUND,
    UnknownResult: HTTPStatus.NOT_FOUND,
    UnknownIndicator: HTTPStatus.NOT_FOUND,
    UnknownTopic: HTTPStatus.NOT_FOUND,
    UnknownDuty: HTTPStatus.NOT_FOUND,
    UnknownDepartment: HTTPStatus.NOT_FOUND,
    UnknownLine: HTTPStatus.NOT_FOUND,
    UnknownWebhook: HTTPStatus.NOT_FOUND,
    UnknownChannel: HTTPStatus.NOT_FOUND,
    UnknownNeed: HTTPStatus.NOT_FOUND,
    UnknownVisit: HTTPStatus.NOT_FOUND,
    UnknownService: HTTPStatus.NOT_FOUND,
    UnknownRequest: HTTPStatus.NOT_FOUND,
    UnknownAnswer: HTTPStatus.NOT_FOUND,
    ModelUnfit: HTTPStatus.SERVICE_UNAVAILABLE,
    NotCounted: HTTPStatus.SERVICE_UNAVAILABLE,
    UnknownQuestion: HTTPStatus.NOT_FOUND,
    NoRoom: HTTPStatus.CONFLICT,
    NotFiled: HTTPStatus.SERVICE_UNAVAILABLE,
    UnknownUpload: HTTPStatus.NOT_FOUND,
    UnknownCaller: HTTPStatus.NOT_FOUND,
    RosterRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    KeysUnfit: HTTPStatus.SERVICE_UNAVAILABLE,
    SealBroken: HTTPStatus.INTERNAL_SERVER_ERROR,  # no request can mend a damaged value
    UnknownDelivery: HTTPStatus.NOT_FOUND,
    BadUpload: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooMuch: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    GivenUp: HTTPStatus.SERVICE_UNAVAILABLE,  # nobody is left to read it
    NoTile: HTTPStatus.NOT_FOUND,
    NoPicture: HTTPStatus.NOT_FOUND,
    UnknownArchive: HTTPStatus.NOT_FOUND,
    NotListening: HTTPStatus.SERVICE_UNAVAILABLE,
    BadField: HTTPStatus.UNPROCESSABLE_ENTITY,
    BadFilter: HTTPStatus.BAD_REQUEST,
    BadParameter: HTTPStatus.BAD_REQUEST,
    NotAllowed: HTTPStatus.FORBIDDEN,
    WrongToken: HTTPStatus.UNAUTHORIZED,
    WrongLogin: HTTPStatus.UNAUTHORIZED,
    OneTimeOver: HTTPStatus.UNAUTHORIZED,
    SecondFactorDue: HTTPStatus.UNAUTHORIZED,
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
    Forged: HTTPStatus.FORBIDDEN,
    UnknownAccount: HTTPStatus.NOT_FOUND,
    UnknownRole: HTTPStatus.NOT_FOUND,
    UnknownSession: HTTPStatus.NOT_FOUND,
    UnknownKey: HTTPStatus.NOT_FOUND,
    UnknownExercise: HTTPStatus.NOT_FOUND,
    Stale: HTTPStatus.PRECONDITION_FAILED,
    PreconditionNeeded: HTTPStatus.PRECONDITION_REQUIRED,
    KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    Conflict: HTTPStatus.CONFLICT,
    TooOften: HTTPStatus.TOO_MANY_REQUESTS,
    MapNotBuilt: HTTPStatus.NOT_IMPLEMENTED,
    BadStyle: HTTPStatus.BAD_REQUEST,
    CannotPrint: HTTPStatus.NOT_IMPLEMENTED,
    NotDrawn: HTTPStatus.SERVICE_UNAVAILABLE,
    BadArchive: HTTPStatus.INTERNAL_SERVER_ERROR,  # no request can mend a damaged file
    GisError: HTTPStatus.BAD_REQUEST,
}


class _Told(JSONResponse):
    """JSON that may repeat what a client sent: half a character (a lone surrogate) is told as a question mark."""

    def render(self, content: Any) -> bytes:
        """The body."""
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def problem(status: int, detail: str, *, code: str, **facts: Any) -> dict[str, Any]:
    """The body of an error answer."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail, **facts}


def refusal(error: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers for a refusal of ours."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.BAD_REQUEST)
    headers: dict[str, str] = {}
    facts: dict[str, Any] = {}
    if isinstance(error, Caused) and error.cause is not None:
        facts |= {"cause": error.cause, "facts": dict(error.facts)}
        if error.cause in CAUSES:
            said = cause_told(error.cause, error.facts)
            facts["words"] = {lang: said[lang] for lang in ("zh", "en")}
    if isinstance(error, BadField):
        facts["problems"] = error.problems
    if isinstance(error, BadParameter):
        facts["parameter"] = error.name
    if isinstance(error, BadStyle):
        facts["place"] = error.place
    if isinstance(error, BadFilter):
        facts |= {"line": error.line, "column": error.column} if error.line is not None else {}
        facts |= {"about": error.about} if error.about is not None else {}
    if isinstance(error, Stale):
        facts["current"] = error.current
    if isinstance(error, Overtaken):
        facts |= {"last": error.last, "since": jsonable_encoder(error.since)}
    if isinstance(error, RosterRefused):
        facts["lines"] = [
            {"line": one.line, "login": one.login, "cause": one.cause, "facts": dict(one.facts)} for one in error.lines
        ]
    if isinstance(error, TooOften):
        headers["Retry-After"] = str(error.again_s)
    if isinstance(error, NotAllowed) and not error.known:
        status = HTTPStatus.UNAUTHORIZED
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "2"
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(error.wait_s)
        facts["facts"] = {"wait_min": -(-error.wait_s // 60)}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="chengtu"'
    return status, problem(status, str(error), code=_code(error), **facts), headers


def _code(error: Exception) -> str:
    name = type(error).__name__
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def install(app: FastAPI) -> None:
    """Let every failure of the app answer in the one shape; internals go to the log under an id."""

    def refused(_: Request, error: Exception) -> JSONResponse:
        status, body, headers = refusal(error)
        return _Told(body, status, headers, PROBLEM)

    def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        problems = {_where(e["loc"]): e["msg"] for e in error.errors()}
        body = problem(422, "the request does not fit its description", code="invalid_request", problems=problems)
        return _Told(body, 422, media_type=PROBLEM)

    def http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        body = problem(error.status_code, str(error.detail), code="http")
        return JSONResponse(body, error.status_code, error.headers, PROBLEM)

    def busy(_: Request, error: Exception) -> JSONResponse:
        return unavailable(error)

    def failed(_: Request, error: Exception) -> JSONResponse:
        return unexpected(error)

    app.add_exception_handler(LayersError, refused)
    app.add_exception_handler(GisError, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(TimeoutError, busy)
    app.add_exception_handler(sa.exc.TimeoutError, busy)
    app.add_exception_handler(sa.exc.OperationalError, busy)
    app.add_exception_handler(Exception, failed)


def _where(place: tuple[int | str, ...]) -> str:
    """The name of what was wrong; a position in a body that is no JSON is none."""
    return ".".join(str(part) for part in place[1:] if isinstance(part, str)) or str(place[0])


def too_large() -> JSONResponse:
    """413."""
    return JSONResponse(problem(413, "the body is too large", code="too_large"), 413, media_type=PROBLEM)


def unexpected(error: Exception) -> JSONResponse:
    """500 with a reference under which the log holds the cause."""
    reference = uuid.uuid4().hex[:12]
    log.error("unexpected failure %s", reference, exc_info=error)
    body = problem(500, f"something went wrong here; reference {reference}", code="internal", reference=reference)
    return JSONResponse(body, 500, media_type=PROBLEM)


def unavailable(error: Exception) -> JSONResponse:
    """503 with the time after which to try again."""
    log.warning("database not available: %s", type(error).__name__)
    body = problem(503, "the database is busy or not reachable; try again shortly", code="unavailable")
    return JSONResponse(body, 503, {"Retry-After": "2"}, PROBLEM)
