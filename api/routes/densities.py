"""How densely a layer's records lie in grids, towns or counties."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.deps import ActorDep, LayerDep, ReadDep, ServiceDep
from layers.ask.density import AreaName, densities
from layers.ask.filter import parse

router = APIRouter(tags=["layers"])


@router.get("/layers/{name}/densities")
def layer_densities(
    layer: LayerDep,
    by: Annotated[AreaName, Query(description="the areas to count in")],
    service: ServiceDep,
    actor: ActorDep,
    connection: ReadDep,
    response: Response,
    filter: Annotated[str | None, Query(description="CQL2 text", max_length=8_192)] = None,
) -> dict[str, Any]:
    """Every area with the number of the layer's records in it and its size, also those without any."""
    area = service.registry.find(by, actor)
    parsed = None if filter is None else parse(filter, "cql2-text")
    found = densities(connection, layer, area, by=by, filter=parsed)
    response.headers["Cache-Control"] = "no-cache"
    return {
        "layer": layer.name,
        "by": by,
        "at": dt.datetime.now(dt.UTC),
        "areas": [{"id": each.id, "n": each.n, "km2": round(each.km2, 4)} for each in found.areas],
        "outside": found.outside,
        "truncated": found.truncated,
    }
