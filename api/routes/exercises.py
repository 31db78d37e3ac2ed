"""Exercises (演练): opened and closed by who may, listed for those who may join, and what each leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.deps import ActorDep, ServiceDep
from api.routes.callbacks import told_rates
from api.routes.loop_indicators import told_figures
from api.routes.session import FRESH, told_exercise
from api.service import Service
from layers.ask.period import CITY_TIME
from layers.errors import UnknownExercise
from layers.loop.exercises import MOST_ON_A_PAGE, Part, outbox, steps_in, tally
from layers.loop.indicators import By
from layers.loop.rehearsed import figures_of
from layers.people import exercises as people
from layers.people.access import Actor
from layers.people.exercises import ID_PATTERN, MOST_ROLES, Exercise, find_exercise, holds, may_join, require_hold
from layers.people.machines import make_wall_key
from layers.store.engine import begin

router = APIRouter(prefix="/exercises", tags=["exercises"])
ExerciseId = Annotated[str, Path(pattern=f"^{ID_PATTERN}$", description="id of an exercise")]
After = Annotated[int, Query(ge=0, le=2**62, description="number of the last one that is known")]
Most = Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE)]
_Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")
]
_Note = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]+$")
]
_Role = Annotated[str, StringConstraints(min_length=1, max_length=41)]


class NewExercise(BaseModel):
    """An exercise; `area` null is for the whole city, no `roles` are all of them."""

    model_config = ConfigDict(extra="forbid")

    title: _Line
    note: _Note | None = None
    area: Annotated[str, StringConstraints(min_length=4, max_length=15)] | None = None
    roles: Annotated[list[_Role], Field(max_length=MOST_ROLES)] = []


@router.get("")
def list_exercises(service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """The exercises that are for whoever asks, those that are open first; `yours` are those that they may close."""
    with service.tokens.connect() as connection:
        found = [one for one in people.exercises(connection) if _known(actor, one)]
    told = [{**told_exercise(one), "yours": holds(actor, one)} for one in found]
    return JSONResponse({"exercises": told, "here": actor.scenario}, headers=FRESH)


@router.post("", status_code=201)
def open_exercise(body: NewExercise, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Open an exercise; nobody is in it yet."""
    now = service.door.now()
    with begin(service.writer, actor=actor.name) as connection:
        made = people.open_exercise(
            connection,
            title=body.title,
            note=body.note,
            area=body.area,
            roles=body.roles,
            actor=actor,
            day=now.astimezone(CITY_TIME).date(),
            now=now,
        )
    return JSONResponse(told_exercise(made), 201, headers={**FRESH, "Location": f"/exercises/{made.id}"})


@router.get("/{id}")
def one_exercise(id: ExerciseId, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """An exercise, and how much happened in it."""
    with _reading(service) as connection:
        exercise = _found(connection, id, actor)
        counted = tally(connection, id)
    counts = {
        "cases": counted.cases, "byState": dict(counted.by_state), "underWay": counted.under_way,
        "overdue": counted.overdue, "steps": counted.steps, "notices": counted.notices,
    }  # fmt: skip
    return JSONResponse({**told_exercise(exercise), "yours": holds(actor, exercise), "counts": counts}, headers=FRESH)


@router.post("/{id}/close")
def close_exercise(id: ExerciseId, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Close an exercise: from now on nothing happens in it; who is in it goes on seeing it until they leave."""
    with begin(service.writer, actor=actor.name) as connection:
        closed = people.close_exercise(connection, id, actor=actor, now=service.door.now())
    service.door.forget()
    return JSONResponse(told_exercise(closed), headers=FRESH)


@router.post("/{id}/wall", status_code=201)
def open_wall(id: ExerciseId, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Where walls show this exercise: an address with a token that is told only here; the one before shows nothing."""
    with begin(service.writer, actor=actor.name) as connection:
        key, secret = make_wall_key(connection, actor, id, now=service.door.now())
    service.door.forget()
    told = {"id": key.id, "token": secret, "path": f"/wall#token={secret}", "endsAt": key.ends_at.isoformat()}
    return JSONResponse(told, 201, headers=FRESH)


@router.get("/{id}/steps")
def steps(id: ExerciseId, service: ServiceDep, actor: ActorDep, after: After = 0, limit: Most = 200) -> JSONResponse:
    """The record of an exercise: every step of all of its cases, in order."""
    with _reading(service) as connection:
        require_hold(actor, _found(connection, id, actor))
        part = steps_in(connection, id, after=after, limit=limit)
    return _page("steps", part)


@router.get("/{id}/outbox")
def notices(id: ExerciseId, service: ServiceDep, actor: ActorDep, after: After = 0, limit: Most = 200) -> JSONResponse:
    """The notices that were written in an exercise, and whom each was meant for; none of them was sent."""
    with _reading(service) as connection:
        require_hold(actor, _found(connection, id, actor))
        part = outbox(connection, id, after=after, limit=limit)
    return _page("notices", part)


@router.get("/{id}/figures")
def figures(id: ExerciseId, service: ServiceDep, actor: ActorDep, by: By = "city") -> JSONResponse:
    """What the loop and the hotline count in this exercise, which is in no figure of the city."""
    with _reading(service) as connection:
        exercise = _found(connection, id, actor)
        require_hold(actor, exercise)
        found = figures_of(connection, service.rules, exercise, by=by, now=service.door.now())
    told = {
        "exercise": exercise.id,
        "until": found.until.astimezone(CITY_TIME),
        "truncated": found.truncated,
        **told_figures(found.rows, by, service.rules),
        "hotline": told_rates(service, "department", found.hotline),
    }
    return JSONResponse(jsonable_encoder(told), headers=FRESH)


def _known(actor: Actor, exercise: Exercise) -> bool:
    """Is it told to the actor: because it is for them, theirs to close, or where they are?"""
    return bool(may_join(actor, exercise)) or holds(actor, exercise) or exercise.id == actor.scenario


def _found(connection: sa.Connection, id: str, actor: Actor) -> Exercise:
    exercise = find_exercise(connection, id)
    if not _known(actor, exercise):
        raise UnknownExercise(id)
    return exercise


@contextmanager
def _reading(service: Service) -> Iterator[sa.Connection]:
    """A connection that sees every exercise, and changes nothing."""
    with service.writer.connect() as connection:
        connection.execute(sa.text("set transaction read only"))
        yield connection


def _page(name: str, part: Part) -> JSONResponse:
    told: dict[str, Any] = jsonable_encoder({name: part.records, "after": part.following})
    return JSONResponse(told, headers=FRESH)
