"""The topics: arrangements of the page, each with what there is to show."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Response

from api.deps import ActorDep, ReadDep, ServiceDep
from api.service import Service
from layers.ask.catalogue import summaries
from layers.people.access import Actor
from layers.topics import There, told

router = APIRouter(tags=["topics"])


@router.get("/topics")
def topics(service: ServiceDep, actor: ActorDep, connection: ReadDep, response: Response) -> dict[str, Any]:
    """The topics that the caller may see; layers and panels without data, or not to be seen, are left out."""
    response.headers["Cache-Control"] = "no-cache"
    return {"topics": told(service.topics.all(), there_for(service, actor, connection), actor)}


def there_for(service: Service, actor: Actor, connection: sa.Connection) -> There:
    """What there is for topics to arrange for someone."""
    held = summaries(connection, service.registry.visible(actor))
    return There(
        # A layer that nobody ever filled is not there yet: a 0 on a panel would be a figure that nobody counted.
        layers={each.layer.name for each in held if each.count or each.updated},
        rasters={stored.raster.name for stored in service.rasters.visible(actor)},
        indicators=service.indicators,
    )
