"""The log of visits: written once, read by who wrote it and who answers for the area, counted by area."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import ActorDep, ServiceDep
from api.once import NO_TIME, IdempotencyKey, SentAt, once
from api.routes.incidents import PRIVATE
from api.routes.needs import Area
from layers.errors import BadParameter
from layers.loop.care.visits import MOST, By, During, Visited, visit_seen, visits_counted, visits_seen, write_visit
from layers.loop.placing import Where

router = APIRouter(tags=["needs"])
VisitId = Annotated[int, Path(ge=1, le=2**62, description="number of a visit")]
_LONGEST = dt.timedelta(days=366)
_Code = Annotated[str, Field(max_length=128)]


class VisitBody(BaseModel):
    """A visit: what for, what came of it, where (a point or a grid), when, and which needs and cases came of it."""

    model_config = ConfigDict(extra="forbid")

    kind: _Code
    outcome: _Code
    lon: Annotated[float, Field(allow_inf_nan=False)] | None = None
    lat: Annotated[float, Field(allow_inf_nan=False)] | None = None
    grid_id: _Code | None = None
    premises: _Code | None = None
    words: Annotated[str, Field(max_length=8_000)] | None = None
    needs: Annotated[list[Annotated[int, Field(ge=1, le=2**62)]], Field(max_length=100)] = []
    incidents: Annotated[list[_Code], Field(max_length=100)] = []
    happened_at: AwareDatetime | None = None

    def visited(self) -> Visited:
        """As the loop takes it."""
        return Visited(
            kind=self.kind,
            outcome=self.outcome,
            where=Where(self.lon, self.lat, self.grid_id),
            at=self.happened_at,
            premises=self.premises,
            words=self.words,
            needs=tuple(dict.fromkeys(self.needs)),
            incidents=tuple(dict.fromkeys(self.incidents)),
        )


@router.get("/visits")
def visits(
    service: ServiceDep,
    actor: ActorDep,
    area: Area = None,
    start: AwareDatetime | None = None,
    end: AwareDatetime | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> JSONResponse:
    """Own visits, and those of the areas that one answers for, the newest first; from `start` to before `end`."""
    during = During(area, start, end)
    with service.writer.connect() as connection:  # readers of the database never see visits
        found = visits_seen(connection, actor, before=before, most=limit + 1, during=during)
    page, more = found[:limit], len(found) > limit
    return _answer({"visits": page, "next": page[-1]["id"] if more else None})


@router.get("/visits/counts")
def counts(
    service: ServiceDep, actor: ActorDep, start: AwareDatetime, end: AwareDatetime, by: By = "grid"
) -> JSONResponse:
    """How many visits each grid, town or county had, by kind, from `start` to `end`; never by person."""
    if not start < end <= start + _LONGEST:
        raise BadParameter("end", "lies after start, by a year at most")
    with service.writer.connect() as connection:
        return _answer({"counts": visits_counted(connection, actor, by=by, start=start, end=end)})


@router.post("/visits", status_code=201)
def write(
    body: VisitBody,
    service: ServiceDep,
    actor: ActorDep,
    idempotency_key: IdempotencyKey = None,
    sent_at: SentAt = None,
) -> JSONResponse:
    """Write a visit down; with the same key once, and answered alike."""
    now = dt.datetime.now(dt.UTC)

    def work(connection: sa.Connection) -> dict[str, Any]:
        return write_visit(connection, body.visited(), actor=actor, now=now, sent=sent_at)

    answer, _ = once(service, actor, idempotency_key, asked=["visit", body.model_dump(exclude=NO_TIME)], work=work)
    return _answer({"receipt": answer}, status=201, location=f"/visits/{answer['visit']}")


@router.get("/visits/{id}")
def visit(id: VisitId, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """One visit."""
    with service.writer.connect() as connection:
        return _answer({"visit": visit_seen(connection, actor, id)})


def _answer(body: dict[str, Any], *, status: int = 200, location: str | None = None) -> JSONResponse:
    headers = {} if location is None else {"Location": location}
    return JSONResponse(jsonable_encoder(body), status, headers={**PRIVATE, **headers})
