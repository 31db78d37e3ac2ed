"""Where is it, and what is here: search, geocoding, and reverse geocoding."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.deps import ActorDep, Lang, Lat, Limit, Lon, QueryText, ReadDep, ServiceDep
from layers.ask.geocode import geocode
from layers.ask.reverse import reverse
from layers.ask.search import search

router = APIRouter(tags=["places"])
Near = Annotated[str | None, Query(pattern=r"^-?\d{1,3}(\.\d+)?,-?\d{1,2}(\.\d+)?$", description="lon,lat")]


@router.get("/search")
def find(
    q: QueryText,
    service: ServiceDep,
    actor: ActorDep,
    connection: ReadDep,
    limit: Limit = 20,
    lang: Lang = "zh",
    near: Near = None,
) -> dict[str, Any]:
    """Records, places, codes and coordinates that a text may mean, best first."""
    at = None if near is None else (float(near.split(",")[0]), float(near.split(",")[1]))
    layers = service.registry.visible(actor)
    hits = search(connection, q, layers=layers, limit=limit, lang=lang, near=at)
    return {"q": q, "results": [asdict(hit) for hit in hits]}


@router.get("/geocode")
def forward(
    q: QueryText, service: ServiceDep, actor: ActorDep, connection: ReadDep, limit: Limit = 5
) -> dict[str, Any]:
    """Points for an address, a name, an id or coordinates, each with its method and precision."""
    placed = geocode(connection, q, layers=service.registry.visible(actor), limit=limit)
    return {"q": q, "results": [asdict(place) for place in placed]}


@router.get("/reverse")
def backward(lon: Lon, lat: Lat, service: ServiceDep, actor: ActorDep, connection: ReadDep) -> dict[str, Any]:
    """The grid, the town, the county, the H3 cell and the nearest address of a point."""
    return reverse(connection, lon, lat, layers=service.registry.visible(actor)).as_json()
