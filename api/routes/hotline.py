"""The hotline: its lines, from a caller's words to a draft, corrections of the classifier."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.deps import ActorDep, ReadDep, ServiceDep
from api.routes.departments import department_told
from api.service import Service
from layers.ask.period import CITY_TIME
from layers.loop.cases import seen_by
from layers.loop.duplicates import duplicates_of
from layers.loop.hotline.corrections import correct, count
from layers.loop.hotline.earlier import earlier_cases
from layers.loop.hotline.intake import MOST_CHARACTERS, Place
from layers.loop.hotline.lines import line_of
from layers.loop.hotline.training_job import ask_for_training
from layers.loop.routing import decide
from layers.people.access import Actor, require_right
from layers.people.scope import acting, slice_of
from layers.store.engine import begin
from layers.store.jobs import NotFiled

router = APIRouter(tags=["hotline"])
PRIVATE = {"Cache-Control": "no-store"}
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=MOST_CHARACTERS)]
Matter = Annotated[str, Field(pattern=r"^(?:[0-9]{5}|none)$")]


class Call(BaseModel):
    """What a caller said, on which line, and the number, where it is known."""

    model_config = ConfigDict(extra="forbid")

    text: Words
    line: Annotated[str, Field(min_length=1, max_length=20)] = "12345"
    phone: Annotated[str, Field(min_length=3, max_length=30)] | None = None


class Correction(BaseModel):
    """What words are about, by a dispatcher who knows better than the model of this version."""

    model_config = ConfigDict(extra="forbid")

    text: Words
    matter: Matter
    guessed: Matter | None = None
    model: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")] | None = None


@router.get("/hotline/lines")
def lines(service: ServiceDep) -> JSONResponse:
    """All lines that end in this intake; those marked as demo are invented, those referred are not ours to take."""
    return JSONResponse({"lines": [line.as_json() for line in service.intake.lines.values()]})


@router.post("/hotline/intake/draft")
def draft(body: Call, service: ServiceDep, actor: ActorDep, connection: ReadDep) -> JSONResponse:
    """What is suggested for a caller's words: title, matter, place, department, answers; nothing is kept of them."""
    require_right(actor, "hotline.take")
    line, now = line_of(service.intake.lines, body.line), datetime.now(CITY_TIME)
    drafted = service.intake.draft(connection, body.text, layers=service.registry.visible(actor), now=now)
    place = drafted.places[0] if drafted.places else None
    told = {
        **drafted.as_json(today=now.date()), "line": line.as_json(), "training": drafted.model is None,
        "department": _department(service, connection, drafted.matter, place, now),
        "duplicates": _duplicates(connection, actor, drafted.matter, place, body.text, now),
        "earlier": [] if body.phone is None else _earlier(service, actor, body.phone, now),
    }  # fmt: skip
    if drafted.model is None:
        _train_soon(service)
    return JSONResponse(told, headers=PRIVATE)


@router.post("/hotline/corrections", status_code=201)
def corrected(body: Correction, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Let the next training learn what these words are about; of them only hashed pairs of characters are kept."""
    require_right(actor, "hotline.take")
    with begin(service.writer, actor=actor.name) as connection:
        number = correct(
            connection, body.text, body.matter, guessed=body.guessed, model=body.model, actor=actor.name
        )  # fmt: skip
    return JSONResponse({"correction": number}, 201, headers=PRIVATE)


@router.get("/hotline/classifier")
def classifier(service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Which classifier is there, what it was trained of, and how many corrections the next one learns from."""
    require_right(actor, "hotline.take")
    model = service.intake.model()
    with service.writer.connect() as connection:
        waiting = count(connection)
    told = None
    if model is not None:
        told = {
            "version": model.version, "trained_at": model.trained_at, "sentences": model.examples,
            "corrections": model.corrections, "matters": len(model.labels), "sure_from": model.sure_from,
        }  # fmt: skip
    return JSONResponse({"classifier": told, "corrections": waiting}, headers=PRIVATE)


def _department(
    service: Service, connection: sa.Connection, matter: str | None, place: Place | None, now: datetime
) -> dict[str, Any] | None:
    """Who would be responsible, and why; None while neither matter nor place is known."""
    if matter is None or place is None or (place.admin_code or place.grid_id) is None:
        return None
    departments = service.rules.departments
    found = decide(
        connection, departments, matter=matter, admin_code=place.admin_code, grid_id=place.grid_id, at=now
    )  # fmt: skip
    return {
        "lead": department_told(departments.find(found.lead)),
        "co": [department_told(departments.find(code)) for code in found.co],
        "why": [title._asdict() for title in found.why],
    }


def _duplicates(
    connection: sa.Connection, actor: Actor, matter: str | None, place: Place | None, text: str, now: datetime
) -> list[dict[str, Any]]:
    """Open cases that may be the same; none while neither matter nor place is known."""
    if matter is None or place is None:
        return []
    at = place.said.place
    found = duplicates_of(
        connection,
        matter=matter,
        lon=at.lon,
        lat=at.lat,
        text=text,
        scenario=actor.scenario,
        where=seen_by(actor),
        now=now,
    )
    told: list[dict[str, Any]] = jsonable_encoder(
        [{**vars(one), "why": [title._asdict() for title in one.why]} for one in found]
    )
    return told


def _earlier(service: Service, actor: Actor, phone: str, now: datetime) -> list[dict[str, Any]]:
    """Cases that the same number told of lately, so that a repeat is seen; no number is told."""
    mark = service.keyring.mark(phone)
    with service.writer.connect() as connection:
        seen = acting(connection, slice_of(actor))
        return [case.as_json() for case in earlier_cases(seen, mark, now=now)]


def _train_soon(service: Service) -> None:
    try:
        ask_for_training(service.url)
    except NotFiled:
        return  # the next call asks again
