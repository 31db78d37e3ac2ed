"""The topics: arrangements of the page, each with what there is to show."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.deps import ActorDep, ReadDep, ServiceDep
from layers.ask.catalogue import summaries
from layers.topics import There, told

router = APIRouter(tags=["topics"])


@router.get("/topics")
def topics(service: ServiceDep, actor: ActorDep, connection: ReadDep, response: Response) -> dict[str, Any]:
    """The topics that the caller may see; layers and panels without data, or not to be seen, are left out."""
    response.headers["Cache-Control"] = "no-cache"
    held = summaries(connection, service.registry.visible(actor))
    there = There(
        # A layer that nobody ever filled is not there yet: a 0 on a panel would be a figure that nobody counted.
        layers={each.layer.name for each in held if each.count or each.updated},
        rasters={stored.raster.name for stored in service.rasters.visible(actor)},
        indicators=service.indicators,
    )
    return {"topics": told(service.topics.all(), there, actor)}
