"""Questions that ship ready and those that are kept: listed, kept, run, their runs compared, taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter
from starlette.concurrency import run_in_threadpool

from api.deps import ActorDep, ReadDep, ServiceDep
from api.routes.query import MOST_ON_A_PAGE, Turn, answered, cancelled_without, known_to, page_of, shortened
from api.service import Service
from layers.ask import kept as keeping
from layers.ask.kept import ID_PATTERN, KeptQuestion, Run
from layers.ask.question.asked import Question, Records
from layers.ask.question.errors import UnknownQuestion
from layers.ask.question.prepared import prepared
from layers.ask.ready import Ready
from layers.errors import BadField, LayersError, NotAllowed, UnknownLayer
from layers.people.access import ANYONE, Actor, has, may, require_right
from layers.store.engine import begin

router = APIRouter(tags=["query"])
QuestionId = Annotated[str, Path(pattern=f"^{ID_PATTERN}$", description="id of a question, see /questions")]
_QUESTION: TypeAdapter[Question] = TypeAdapter(Question)


class Keep(BaseModel):
    """A question to be kept, under a title."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")
    ]
    question: Question


@router.get("/questions")
def questions(service: ServiceDep, actor: ActorDep, connection: ReadDep) -> JSONResponse:
    """The questions that are ready, and, for those who may keep some, those that are kept; with their last runs."""
    seen = may(actor, "view", _KEPT)
    last = _last_own(service, actor, connection) if seen else {}
    ready = [_of_ready(one, last) for one in service.ready.values() if _known(service, actor, one)]
    own = keeping.kept_questions(connection) if seen else []
    told = [*ready, *(_of_kept(one, last) for one in own if _all_seen(service, actor, one.layers))]
    return JSONResponse({"questions": told, "keeps": bool(has(actor, "question.keep"))}, headers=_FRESH)


@router.post("/questions", status_code=201)
def keep(body: Keep, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Keep a question, to be run again."""
    _require_keeping(actor)
    if _names_a_result(body.question):
        told = "a result is kept for a day only; a question that names one cannot be kept"
        raise BadField({"where": told}).because("names_result")
    find, results = known_to(service, actor)
    ready = prepared(body.question, find, service.desk.roads, results)
    names = {layer.name for layer in ready.layers}
    with begin(service.writer, actor=actor.name) as connection:
        kept = keeping.keep(
            connection, title=body.title, question=ready.asked, layers=names, actor=actor.name
        )  # fmt: skip
    return JSONResponse(_of_kept(kept, {}), 201, headers={**_FRESH, "Location": f"/questions/{kept.id}"})


@router.get("/questions/{id}")
def question(id: QuestionId, service: ServiceDep, actor: ActorDep, connection: ReadDep) -> JSONResponse:
    """One question, with its last run."""
    found = _found(service, actor, connection, id)
    last = _last_own(service, actor, connection) if may(actor, "view", _KEPT) else {}
    told = _of_ready(found, last) if isinstance(found, Ready) else _of_kept(found, last)
    return JSONResponse(told, headers=_FRESH)


@router.delete("/questions/{id}", status_code=204)
def forget(id: QuestionId, service: ServiceDep, actor: ActorDep) -> Response:
    """Take a kept question away, with all its runs; those that are ready stay."""
    _require_keeping(actor)
    if id in service.ready:
        refused = NotAllowed("this question ships with Chengtu: remove its file instead", known=True)
        raise refused.because("question_ships")
    with begin(service.writer, actor=actor.name) as connection:
        keeping.forget(connection, id)
    return Response(status_code=204)


@router.post("/questions/{id}/runs", status_code=201)
async def run(
    request: Request, id: QuestionId, service: ServiceDep, actor: ActorDep, _: Turn, connection: ReadDep
) -> JSONResponse:
    """Ask it again, and keep what it found: the answer, with the run beside it."""
    _require_keeping(actor)
    async with cancelled_without(request, connection) as between:
        body = await run_in_threadpool(_run, service, actor, connection, id, between=between)
        return JSONResponse(body, 201, headers=_FRESH)


@router.get("/questions/{id}/runs")
def runs(id: QuestionId, service: ServiceDep, actor: ActorDep, connection: ReadDep) -> JSONResponse:
    """When it was run, and how much it found, the newest first."""
    _require_seeing(service, actor, connection, id)
    told = [_of_run(one) for one in keeping.runs(connection, id) if _shown(service, actor, one)]
    return JSONResponse({"runs": told}, headers=_FRESH)


@router.get("/questions/{id}/runs/{number}")
def one_run(
    id: QuestionId,
    number: Annotated[int, Path(ge=1, le=2**62)],
    service: ServiceDep,
    actor: ActorDep,
    connection: ReadDep,
) -> JSONResponse:
    """What one run found, by key, to be compared with another."""
    _require_seeing(service, actor, connection, id)
    found = keeping.run(connection, id, number)
    if not _shown(service, actor, found):
        raise UnknownQuestion(f"{id}/{number}")
    return JSONResponse(_of_run(found), headers=_FRESH)


class _Keeping:
    """Kept questions as something that one may see and change."""

    access = keeping.KEPT_ACCESS


_KEPT = _Keeping()
_FRESH = {"Cache-Control": "no-store"}


def _require_keeping(actor: Actor) -> None:
    require_right(actor, "question.keep")


def _require_seeing(service: Service, actor: Actor, connection: sa.Connection, id: str) -> None:
    _found(service, actor, connection, id)
    if not may(actor, "view", _KEPT):
        refused = NotAllowed("runs that are kept are shown to those who see internal layers", known=actor != ANYONE)
        raise refused.because("runs_internal")


def _found(service: Service, actor: Actor, connection: sa.Connection, id: str) -> Ready | KeptQuestion:
    """The question, as far as the actor may know of it and of its layers; UnknownQuestion otherwise."""
    ready = service.ready.get(id)
    if ready is not None:
        if _known(service, actor, ready):
            return ready
        raise UnknownQuestion(id)
    if not may(actor, "view", _KEPT):
        raise UnknownQuestion(id)
    kept = keeping.kept_question(connection, id)
    if not _all_seen(service, actor, kept.layers):
        raise UnknownQuestion(id)
    return kept


def _known(service: Service, actor: Actor, ready: Ready) -> bool:
    """Whether the question can be asked here, by this actor."""
    find, results = known_to(service, actor)
    try:
        prepared(ready.question, find, service.desk.roads, results)
    except LayersError:  # a layer that is not here or not to be seen, or one without these fields
        return False
    return True


def _all_seen(service: Service, actor: Actor, layers: Iterable[str]) -> bool:
    try:
        for name in layers:
            service.registry.find(name, actor)
    except UnknownLayer:
        return False
    return True


def _shown(service: Service, actor: Actor, run: Run) -> bool:
    """Whether a run may be told: what it found of a scoped layer belongs to who ran it."""
    if not _all_seen(service, actor, run.layers):
        return False
    return run.actor == actor.name or not any(service.registry.find(name, actor).scoped for name in run.layers)


def _last_own(service: Service, actor: Actor, connection: sa.Connection) -> dict[str, Run]:
    return {id: run for id, run in keeping.last_runs(connection).items() if _shown(service, actor, run)}


def _run(
    service: Service, actor: Actor, connection: sa.Connection, id: str, *, between: Callable[[], None]
) -> dict[str, Any]:
    found = _found(service, actor, connection, id)
    asked = found.question if isinstance(found, Ready) else _QUESTION.validate_python(found.question)
    kept = answered(service, actor, asked, connection, between=between)
    short = shortened(service, actor, kept)
    with begin(service.writer, actor=actor.name) as writing:
        if not isinstance(found, Ready):
            keeping.kept_question(writing, id)  # someone may have taken it away meanwhile
        done = keeping.keep_run(writing, question=id, kept=kept, short=short, actor=actor.name)
    return {**page_of(kept, 0, MOST_ON_A_PAGE), "run": _of_run(done)}


def _names_a_result(question: Question) -> bool:
    parts: list[Records] = [question] if isinstance(question, Records) else []
    parts += [part for name in ("of", "per", "records") if isinstance(part := getattr(question, name, None), Records)]
    return any(condition.result is not None for part in parts for condition in part.where)


def _of_ready(ready: Ready, last: dict[str, Run]) -> dict[str, Any]:
    return {
        "id": ready.id, "title": ready.title._asdict(), "about": ready.about._asdict(), "question": ready.asked,
        "ready": True, "actor": None, "at": None, "last": _last(last.get(ready.id)),
    }  # fmt: skip


def _of_kept(kept: KeptQuestion, last: dict[str, Run]) -> dict[str, Any]:
    told: dict[str, Any] = jsonable_encoder(
        {
            "id": kept.id, "title": {"zh": kept.title, "en": kept.title}, "about": None, "question": kept.question,
            "ready": False, "actor": kept.actor, "at": kept.at, "last": _last(last.get(kept.id)),
        }
    )  # fmt: skip
    return told


def _last(run: Run | None) -> dict[str, Any] | None:
    return None if run is None else _of_run(run)


def _of_run(run: Run) -> dict[str, Any]:
    told: dict[str, Any] = jsonable_encoder(
        {
            "id": run.id, "at": run.at, "actor": run.actor, "statement": run.statement, "rows": run.rows,
            "truncated": run.truncated, "synthetic": run.synthetic,
            **({} if run.summary is None else {"summary": run.summary}),
        }
    )  # fmt: skip
    return told
