"""The knowledge base of the hotline: searched by anyone, kept by those who take calls, each for their departments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.deps import ActorDep, QueryText, ReadDep, ServiceDep
from layers.ask.period import CITY_TIME
from layers.errors import NotAllowed
from layers.loop.hotline import answers as keeping
from layers.loop.hotline.answers import MOST_LISTED, Wording
from layers.people.access import Actor, has, require_right
from layers.store.engine import begin

router = APIRouter(tags=["hotline"])
AnswerId = Annotated[int, Path(ge=1, le=2**63 - 1, description="number of an answer")]
_FRESH = {"Cache-Control": "no-store"}
_PLAIN = r"^[^\x00-\x08\x0b-\x1f\x7f]+$"
_LINE = r"^[^\x00-\x1f\x7f]+$"


Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_LINE)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000, pattern=_PLAIN)]
Keyword = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20, pattern=_LINE)]


class Writing(BaseModel):
    """An answer as somebody writes it: what is told, where it stands, until when it holds, when to look again."""

    model_config = ConfigDict(extra="forbid")

    question: Said
    answer: Text
    source: Said
    department: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,20}$")]
    review_on: date
    keywords: Annotated[list[Keyword], Field(max_length=20)] = []
    number: Said | None = None
    dated: date | None = None
    link: Annotated[str, Field(max_length=500, pattern=r"^https?://[^\s\x00-\x1f\x7f<>\"]+$")] | None = None
    valid_until: date | None = None

    def wording(self, *, synthetic: bool = False) -> Wording:
        """As the knowledge base keeps it."""
        return Wording(**{**self.model_dump(), "keywords": tuple(self.keywords)}, synthetic=synthetic)


@router.get("/hotline/answers")
def search(
    q: QueryText, actor: ActorDep, connection: ReadDep, limit: Annotated[int, Query(ge=1, le=20)] = 5
) -> JSONResponse:
    """The valid answers that fit a question best, each with its source; who takes calls sees those expired, too."""
    today = datetime.now(CITY_TIME).date()
    found = keeping.find_answers(
        connection, q, today=today, limit=limit, expired=bool(has(actor, "hotline.take"))
    )  # fmt: skip
    return JSONResponse({"q": q, "answers": [one.as_json(today) for one in found]}, headers=_FRESH)


@router.get("/hotline/answers/list")
def every(
    actor: ActorDep,
    connection: ReadDep,
    department: Annotated[str | None, Query(pattern=r"^[a-z0-9-]{2,20}$")] = None,
    due_by: date | None = None,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> JSONResponse:
    """Up to a hundred answers behind a number: of a department, or those whose day of review has come."""
    require_right(actor, "hotline.take")
    today = datetime.now(CITY_TIME).date()
    found = keeping.listed(connection, department=department, due_by=due_by, after=after)
    more = found[-1].id if len(found) == MOST_LISTED else None
    return JSONResponse({"answers": [one.as_json(today) for one in found], "next": more}, headers=_FRESH)


@router.post("/hotline/answers", status_code=201)
def add(body: Writing, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """A new answer of one of the departments that the actor answers for."""
    _require_keeping(actor, body.department)
    with begin(service.writer, actor=actor.name) as connection:
        kept = keeping.add_answer(
            connection, body.wording(), departments=service.rules.departments, actor=actor.name
        )  # fmt: skip
    return JSONResponse(_told(kept), 201, headers={**_FRESH, "Location": f"/hotline/answers/{kept.id}"})


@router.get("/hotline/answers/{id}")
def one(id: AnswerId, connection: ReadDep) -> JSONResponse:
    """One answer, valid or not."""
    return JSONResponse(_told(keeping.answer(connection, id)), headers=_FRESH)


@router.put("/hotline/answers/{id}")
def change(
    id: AnswerId,
    body: Writing,
    service: ServiceDep,
    actor: ActorDep,
    version: Annotated[int, Query(ge=1, le=2**31 - 1, description="the version that was read")],
) -> JSONResponse:
    """Put other words in the place of a version; 412 when somebody else was quicker."""
    _require_keeping(actor, body.department)
    with begin(service.writer, actor=actor.name) as connection:
        held = _keepable(connection, actor, id)
        kept = keeping.change_answer(
            *(connection, id, body.wording(synthetic=held.synthetic)),
            version=version,
            departments=service.rules.departments,
            actor=actor.name,
        )
    return JSONResponse(_told(kept), headers=_FRESH)


@router.delete("/hotline/answers/{id}", status_code=204)
def remove(id: AnswerId, service: ServiceDep, actor: ActorDep) -> Response:
    """Take an answer away."""
    with begin(service.writer, actor=actor.name) as connection:
        _keepable(connection, actor, id)
        keeping.remove_answer(connection, id)
    return Response(status_code=204)


def _keepable(connection: sa.Connection, actor: Actor, id: int) -> Wording:
    """The wording that is kept, if the actor may change it."""
    require_right(actor, "hotline.take")
    held = keeping.answer(connection, id).wording
    _require_keeping(actor, held.department)
    return held


def _require_keeping(actor: Actor, department: str) -> None:
    require_right(actor, "hotline.take")
    within = actor.scope.departments
    if within is not None and department not in within:
        refused = NotAllowed("this answer belongs to a department that you do not answer for", known=True)
        raise refused.because("department_not_yours")


def _told(kept: keeping.Answer) -> dict[str, Any]:
    return kept.as_json(datetime.now(CITY_TIME).date())
