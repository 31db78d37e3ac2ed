"""The duty table: listed, asked who is responsible, changed line by line, taken out and put in as a CSV."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.deps import ActorDep, ReadDep, ServiceDep
from api.routes.departments import department_told
from layers.errors import BadParameter, NotAllowed
from layers.loop.departments import Departments
from layers.loop.duties import (
    MOST_DUTIES,
    Duty,
    Given,
    Role,
    add_duty,
    change_duty,
    duties,
    duty,
    remove_duty,
    replace_duties,
    written,
)
from layers.loop.routing import decide
from layers.people.access import Actor, Scope, is_area, require_right
from layers.store.engine import begin

router = APIRouter(tags=["loop"])
_FRESH = {"Cache-Control": "no-store"}
_MOST_CSV = 2_000_000
_PAGE = 500
TAKES_CSV = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}
DutyId = Annotated[int, Path(ge=1, le=2**62)]
Matter = Annotated[str, Query(pattern=r"^[0-9]{5}$", description="class of the matter")]
Area = Annotated[str | None, Query(pattern=r"^([0-9]{6}|[0-9]{9})$", description="code of a county or a town")]
Grid = Annotated[str | None, Query(pattern=r"^[0-9]{15}$", description="id of a grid")]


class DutyBody(BaseModel):
    """A line of the table."""

    model_config = ConfigDict(extra="forbid")

    matter: Annotated[str, Field(max_length=5)]
    area: Annotated[str, Field(max_length=15)]
    department: Annotated[str, Field(max_length=20)]
    role: Role
    rank: Annotated[int, Field(ge=1, le=99)] = 1
    valid_from: date | None = None
    valid_to: date | None = None
    source: Annotated[str, Field(max_length=200)] = ""

    def given(self) -> Given:
        """The line as the table takes it."""
        return Given(**self.model_dump())


class DutyChange(DutyBody):
    """A line as it is to be, and the version that it was read as."""

    version: Annotated[int, Field(ge=1)]

    def given(self) -> Given:
        """The line as the table takes it."""
        return Given(**self.model_dump(exclude={"version"}))


@router.get("/duties")
def every_duty(
    service: ServiceDep,
    connection: ReadDep,
    matter: Annotated[str | None, Query(pattern=r"^[0-9]{5}$")] = None,
    department: Annotated[str | None, Query(pattern=r"^[a-z0-9-]{1,20}$")] = None,
    after: Annotated[int, Query(ge=0, le=2**62, description="number of the last line that is known")] = 0,
) -> JSONResponse:
    """The lines, at most 500 at once; `next` continues where there are more."""
    found = duties(connection, matter=matter, department=department, after=after, most=_PAGE + 1)
    page, more = found[:_PAGE], len(found) > _PAGE
    told = {"duties": [_told(one, service.rules.departments) for one in page], "next": page[-1].id if more else None}
    return JSONResponse(jsonable_encoder(told), headers=_FRESH)


@router.get("/duties/decide")
def decision(
    service: ServiceDep,
    connection: ReadDep,
    matter: Matter,
    admin_code: Area = None,
    grid_id: Grid = None,
    at: Annotated[datetime | None, Query(description="now if it is not said")] = None,
) -> JSONResponse:
    """Who is responsible for a matter at a place, and why."""
    departments = service.rules.departments
    found = decide(
        connection, departments, matter=matter, admin_code=admin_code, grid_id=grid_id, at=at or datetime.now(UTC)
    )  # fmt: skip
    told = {
        "lead": department_told(departments.find(found.lead)),
        "co": [department_told(departments.find(code)) for code in found.co],
        "why": [title._asdict() for title in found.why],
        "rule": found.rule,
    }
    return JSONResponse(told, headers=_FRESH)


@router.get("/duties.csv")
def duties_csv(connection: ReadDep) -> Response:
    """The whole table as a CSV that can be put in again."""
    text = written(duties(connection, most=MOST_DUTIES))
    headers = {**_FRESH, "Content-Disposition": 'attachment; filename="duties.csv"'}
    return Response("\ufeff" + text, media_type="text/csv; charset=utf-8", headers=headers)


async def csv_text(request: Request) -> str:
    """The body of a request as text; BadParameter for one that is too large, or not UTF-8."""
    body = await request.body()
    if len(body) > _MOST_CSV:
        raise BadParameter("body", f"has more than {_MOST_CSV:,} bytes")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadParameter("body", "is not UTF-8; save it as 'CSV UTF-8'") from None


@router.put("/duties.csv", openapi_extra=TAKES_CSV)
def put_duties_csv(service: ServiceDep, actor: ActorDep, text: Annotated[str, Depends(csv_text)]) -> JSONResponse:
    """The table as this CSV says, as a whole or not at all; for those whose area is the whole city."""
    _require_edit(actor)
    if actor.scope.areas is not None:
        refused = NotAllowed("the whole table is for those whose area is the whole city", known=True)
        raise refused.because("whole_city")
    with begin(service.writer, actor=actor.name) as connection:
        count = replace_duties(connection, text, service.rules.departments, actor=actor.name)
    return JSONResponse({"duties": count})


@router.post("/duties", status_code=201)
def add(body: DutyBody, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """A new line."""
    _require_edit(actor, body.area)
    with begin(service.writer, actor=actor.name) as connection:
        made = add_duty(connection, body.given(), service.rules.departments, actor=actor.name)
    told = jsonable_encoder(_told(made, service.rules.departments))
    return JSONResponse(told, 201, headers={**_FRESH, "Location": f"/duties/{made.id}"})


@router.put("/duties/{id}")
def change(id: DutyId, body: DutyChange, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """A line changed that was read as this version."""
    _require_edit(actor, body.area)
    with begin(service.writer, actor=actor.name) as connection:
        _require_edit(actor, duty(connection, id).given.area)
        changed = change_duty(
            connection, id, body.given(), service.rules.departments, version=body.version, actor=actor.name
        )  # fmt: skip
    return JSONResponse(jsonable_encoder(_told(changed, service.rules.departments)), headers=_FRESH)


@router.delete("/duties/{id}", status_code=204)
def remove(
    id: DutyId, version: Annotated[int, Query(ge=1, le=2**62)], service: ServiceDep, actor: ActorDep
) -> Response:
    """A line taken out that was read as this version."""
    _require_edit(actor)
    with begin(service.writer, actor=actor.name) as connection:
        _require_edit(actor, duty(connection, id).given.area)
        remove_duty(connection, id, version=version)
    return Response(status_code=204)


def _require_edit(actor: Actor, area: str | None = None) -> None:
    """The right to change the table, and, unless it is for all of the city, the area of the line."""
    require_right(actor, "duty.edit")
    areas = actor.scope.areas
    if areas is None or area is None or not is_area(area):
        return
    if not Scope(areas, None).holds(Scope(frozenset({area}), frozenset())):
        raise NotAllowed("the area of this duty is not yours", known=True).because("duty_area", area=area)


def _told(one: Duty, departments: Departments) -> dict[str, Any]:
    given = one.given
    title = departments.find(given.department).title._asdict() if given.department in departments else None
    return {"id": one.id, **vars(given), "title": title, "version": one.version}
