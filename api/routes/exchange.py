"""Cases as files: what somebody sees of a queue goes out, what another system says of its cases comes in."""

from __future__ import annotations

import datetime as dt
import os
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse

from api.deps import ActorDep, ReadDep, ServiceDep
from api.routes.incidents import PRIVATE, QueueQuery, asked_of, why
from api.routes.query import Turn, attached, chunks, written
from layers.ask.period import CITY_TIME
from layers.errors import BadParameter
from layers.export.formats import FORMATS
from layers.loop.cases import seen_by
from layers.loop.exchange import SYSTEM_PATTERN, take_lines
from layers.loop.exchange_file import MOST_BYTES, Line, lines_of
from layers.loop.exchange_sheet import Wanted, cases_sheet, steps_sheet
from layers.loop.incidents import Office
from layers.people.access import require_right
from layers.spec import Title

router = APIRouter(tags=["incidents"])
_TAKES_FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ExportQuery(QueueQuery):
    """Which cases, as of a queue, and whether a line is a case or a step."""

    lines: Literal["cases", "steps"] = "cases"


@router.get("/incidents/export.{format}", response_class=StreamingResponse)
def export(
    format: Literal["csv", "xlsx", "geojson"],
    query: Annotated[ExportQuery, Query()],
    service: ServiceDep,
    actor: ActorDep,
    _: Turn,
    connection: ReadDep,
) -> StreamingResponse:
    """The cases of a queue that the caller sees, at most 20,000, or their steps; nobody who told of them is in it."""
    require_right(actor, "incident.view")
    if query.lines == "steps" and format == "geojson":
        raise BadParameter("lines", "steps have no place of their own: csv or xlsx")
    settings, now = service.settings, dt.datetime.now(dt.UTC)
    credit = Title(settings.attribution_zh, settings.attribution_en)
    wanted = Wanted(asked_of(query), actor, seen_by(actor), now)
    make = cases_sheet if query.lines == "cases" else steps_sheet
    sheet, kind = make(connection, wanted, credit=credit), FORMATS[format]
    file = written(lambda path: kind.write(sheet, path), service.results.scratch(kind.name))
    name = f"{sheet.title.zh} {now.astimezone(CITY_TIME):%Y-%m-%d}{kind.suffix}"
    headers = {
        **PRIVATE,
        "Content-Length": str(os.fstat(file.fileno()).st_size),
        "Content-Disposition": attached(f"{query.lines}{kind.suffix}", name),
    }
    return StreamingResponse(chunks(file), media_type=kind.media_type, headers=headers)


async def _lines(request: Request) -> list[Line]:
    """The lines of the body, which is not read further than a file may be long."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MOST_BYTES:
            raise BadParameter("file", f"has more than {MOST_BYTES:,} bytes")
    return lines_of(bytes(content))


@router.post("/incidents/import", openapi_extra=_TAKES_FILE)
def bring(
    service: ServiceDep,
    actor: ActorDep,
    lines: Annotated[list[Line], Depends(_lines)],
    system: Annotated[str, Query(pattern=f"^{SYSTEM_PATTERN}$", description="the other system")],
) -> JSONResponse:
    """Reports and steps of another system, CSV or Excel: each line taken, known, or refused with its reason."""
    if system == "simulation":
        raise BadParameter("system", "that is the city's own")
    office = Office(service.rules, service.keyring)
    done = take_lines(
        service.writer, office, lines, system=system, actor=actor, clock=lambda: dt.datetime.now(dt.UTC)
    )  # fmt: skip
    refused = [
        {"row": one.row, "number": one.number, "step": one.step, **why(one.error), **_fields(one.error)}
        for one in done.refused
    ]
    told = {"lines": len(lines), "taken": done.taken, "known": done.known, "refused": refused}
    return JSONResponse(told, headers=PRIVATE)


def _fields(error: Exception) -> dict[str, object]:
    """Which fields of a line are wrong."""
    problems = getattr(error, "problems", {})
    return {"fields": sorted(problems)}
