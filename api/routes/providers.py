"""Who serves residents: listed around a place, suggested for a need with reasons, taken out and put in as a CSV."""

from __future__ import annotations

from typing import Annotated, Any, Final

import shapely
from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime

from api.deps import ActorDep, Lat, Lon, ReadDep, ServiceDep
from api.routes.duties import TAKES_CSV, csv_text
from layers.errors import BadParameter, NotAllowed
from layers.loop.care.providers import Provider, providers, providers_for, replace_providers, written
from layers.loop.care.serving import Wanted, around, suggested
from layers.people.access import require_right
from layers.store.edits import area_of
from layers.store.engine import begin

router = APIRouter(tags=["needs"])
_FRESH: Final = {"Cache-Control": "no-store"}
Most = Annotated[int, Query(ge=1, le=300)]


@router.get("/providers")
def near(connection: ReadDep, lon: Lon, lat: Lat, limit: Most = 200) -> JSONResponse:
    """Those that may serve at a place, of any kind and at any time, the nearest first: what a phone keeps."""
    grid_id, admin_code = area_of(connection, shapely.Point(lon, lat))
    every = providers_for(connection, lon=lon, lat=lat, codes=(admin_code, grid_id))
    found = around(every, lon=lon, lat=lat, admin_code=admin_code, grid_id=grid_id, most=limit)
    return JSONResponse({"providers": [told(one) for one in found]}, headers=_FRESH)


@router.get("/providers/suggested")
def suggest(
    service: ServiceDep,
    connection: ReadDep,
    kind: Annotated[str, Query(max_length=40)],
    lon: Lon,
    lat: Lat,
    at: Annotated[AwareDatetime | None, Query(description="when it is wished for; without: whenever")] = None,
) -> JSONResponse:
    """Who serves a need of this kind there, and then, the nearest first, with the reasons."""
    known = service.rules.needs.get(kind)
    if known is None:
        raise BadParameter("kind", f"there is no such kind; there are {', '.join(service.rules.needs)}")
    grid_id, admin_code = area_of(connection, shapely.Point(lon, lat))
    every = providers_for(connection, lon=lon, lat=lat, codes=(admin_code, grid_id))
    found = suggested(every, Wanted(known, lon, lat, admin_code, grid_id, at))
    fits = [
        {
            "provider": told(fit.provider),
            "distance_m": None if fit.distance_m is None else round(fit.distance_m),
            "why": [title._asdict() for title in fit.why],
        }
        for fit in found.fits
    ]
    return JSONResponse({"suggested": fits, "closed": found.closed}, headers=_FRESH)


@router.get("/providers.csv")
def providers_csv(connection: ReadDep) -> Response:
    """All of them as a CSV that can be put in again."""
    headers = {**_FRESH, "Content-Disposition": 'attachment; filename="providers.csv"'}
    text = "\ufeff" + written(providers(connection))
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@router.put("/providers.csv", openapi_extra=TAKES_CSV)
def put_providers_csv(service: ServiceDep, actor: ActorDep, text: Annotated[str, Depends(csv_text)]) -> JSONResponse:
    """All of them as this CSV says, as a whole or not at all; for those whose area is the whole city."""
    require_right(actor, "provider.edit")
    if actor.scope.areas is not None:
        refused = NotAllowed("the whole list is for those whose area is the whole city", known=True)
        raise refused.because("whole_city")
    with begin(service.writer, actor=actor.name) as connection:
        count = replace_providers(connection, text, service.rules.needs, actor=actor.name)
    return JSONResponse({"providers": count})


def told(one: Provider) -> dict[str, Any]:
    """A provider as pages show it: its hours also as spans of a week, [day, from, to] in minutes."""
    spans = one.spans
    parts = {"kinds": list(one.kinds), "areas": list(one.areas)}
    open_in_week = None if spans is None else [list(span) for span in spans]
    return {**vars(one), **parts, "open": open_in_week, "synthetic": one.synthetic}
