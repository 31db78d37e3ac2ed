"""Tables of people: many accounts made at once, or given their roles; all of a file or nothing of it."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from api.deps import ActorDep, ServiceDep
from api.routes.session import FRESH
from layers.ask.period import CITY_TIME
from layers.errors import BadUpload
from layers.export.text import cell
from layers.people.roles import roles_now
from layers.people.rosters import Given, entries_of, grant_all, make_all
from layers.store.engine import begin

router = APIRouter(prefix="/accounts", tags=["people"])
MOST_BYTES: Final = 3 * 2**20
_TAKES_CSV: Final = {"requestBody": {"content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}}


async def _body(request: Request) -> bytes:
    content = await request.body()
    if len(content) > MOST_BYTES:
        most = MOST_BYTES // 2**20
        raise BadUpload("table", f"is larger than {most} MB").because("roster_large", most=most)
    return content


Body = Annotated[bytes, Depends(_body)]


@router.post("/import", status_code=201, openapi_extra=_TAKES_CSV, response_class=Response)
def make_many(
    content: Body,
    service: ServiceDep,
    actor: ActorDep,
    renew: Annotated[bool, Query(description="a new password for those never signed in to")] = False,
) -> Response:
    """Make the accounts of a CSV (login and name) and answer their one-time passwords as a CSV, only this once.

    Other columns are left to whoever grants roles. With `renew` accounts of the file that are there already, and were
    never signed in to, get another password.
    """
    lasting = service.door.policy.one_time
    with begin(service.writer, actor=actor.name) as connection:
        entries = entries_of(content, roles_now(connection))
        given = make_all(connection, entries, actor, lasting=lasting, renew=renew)
        until = dt.datetime.now(dt.UTC) + lasting
    headers = {**FRESH, "Content-Disposition": 'attachment; filename="passwords.csv"'}
    return Response(_written(given, until), 201, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/grants", openapi_extra=_TAKES_CSV)
def grant_many(content: Body, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Give the accounts of a CSV the roles, areas and departments that stand there, and no others."""
    with begin(service.writer, actor=actor.name) as connection:
        count = grant_all(connection, entries_of(content, roles_now(connection)), actor)
    service.door.forget()
    return JSONResponse({"granted": count}, headers=FRESH)


def _written(given: Sequence[Given], until: dt.datetime) -> str:
    """With a mark, so that Excel on a Chinese Windows reads it, and nothing that it might run as a formula."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["登录名", "姓名", "一次性密码", "有效至"])
    ends = until.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M")
    table.writerows([cell(one.login), cell(one.name), one.password, ends] for one in given)
    return "\ufeff" + out.getvalue()
