"""The departments that answer for what happens, with their duty desks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api.deps import ServiceDep
from layers.loop.departments import Department, Level

router = APIRouter(tags=["loop"])


@router.get("/departments")
def departments(
    service: ServiceDep,
    level: Annotated[Level | None, Query(description="city, county or town")] = None,
    area: Annotated[str | None, Query(pattern=r"^[0-9]{2,9}$", description="how the area's code begins")] = None,
) -> JSONResponse:
    """All departments, or those of a level and an area; the numbers are those of duty desks."""
    return JSONResponse(
        {"departments": [department_told(one) for one in service.rules.departments.of(level=level, area=area)]}
    )


def department_told(one: Department) -> dict[str, Any]:
    """A department as it is told outside."""
    return {
        "code": one.code, "title": one.title._asdict(), "level": one.level, "area": one.area, "phone": one.phone,
        "city": one.city,
    }  # fmt: skip
