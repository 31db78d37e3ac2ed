"""How long a stage may take, and when it is due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from api.deps import ServiceDep
from layers.ask.period import CITY_TIME
from layers.errors import BadParameter
from layers.loop.clocks import due, unannounced
from layers.loop.limits import Stage

router = APIRouter(tags=["loop"])
_YEARS = (2004, 2100)


@router.get("/limits/due")
def due_time(
    service: ServiceDep,
    matter: Annotated[str, Query(pattern=r"^[0-9]{5}$", description="class of the matter")],
    stage: Stage,
    level: Annotated[str, Query(pattern=r"^[a-z]{1,20}$")] = "general",
    begun: Annotated[datetime | None, Query(description="when the stage began; now if it is not said")] = None,
) -> JSONResponse:
    """When a stage is due, by which line of the limits; and the years whose holidays are not announced yet."""
    rules = service.rules
    start = begun or datetime.now(UTC)
    start = start.replace(tzinfo=CITY_TIME) if start.tzinfo is None else start
    if not _YEARS[0] <= start.year <= _YEARS[1]:
        raise BadParameter("begun", f"must lie between {_YEARS[0]} and {_YEARS[1]}")
    granted = rules.limits.granted(matter=matter, level=level, stage=stage)
    if granted is None:
        return JSONResponse({"limit": None, "due": None, "unannounced": []})
    end = due(granted.limit, start, rules.calendar)
    limit = {"amount": granted.limit.amount, "unit": granted.limit.unit, "matter": granted.matter,
             "level": granted.level, "source": granted.source}  # fmt: skip
    years = unannounced(granted.limit.unit, start, end, rules.calendar)
    return JSONResponse(jsonable_encoder({"limit": limit, "due": end, "unannounced": list(years)}))
