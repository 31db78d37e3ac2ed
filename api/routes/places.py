"""Where is it, and what is here: search, geocoding, and reverse geocoding."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.deps import ActorDep, Lang, Lat, Limit, Lon, QueryText, ReadDep, ServiceDep
from api.routes.catalogue import layers_named
from layers.ask.geocode import geocode
from layers.ask.nearby import MOST_EACH, MOST_LAYERS, MOST_RADIUS_M, around
from layers.ask.reverse import reverse
from layers.ask.search import search
from layers.errors import BadParameter

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


@router.get("/nearby")
def nearby(
    lon: Lon,
    lat: Annotated[float, Query(ge=-85, le=85, allow_inf_nan=False)],
    layers: Annotated[str, Query(min_length=1, max_length=1000, description="names of layers, separated by commas")],
    service: ServiceDep,
    actor: ActorDep,
    connection: ReadDep,
    radius_m: Annotated[float, Query(gt=0, le=MOST_RADIUS_M, allow_inf_nan=False)] = 200.0,
    limit: Annotated[int, Query(ge=1, le=MOST_EACH)] = 5,
) -> dict[str, Any]:
    """What stands around a point, layer by layer, nearest first, with distances in metres."""
    chosen = layers_named(service, actor, layers)
    if len(chosen) > MOST_LAYERS:
        raise BadParameter("layers", f"at most {MOST_LAYERS} layers")
    found = around(connection, lon, lat, layers=chosen, radius_m=radius_m, limit=limit)
    told = [
        {"layer": each.layer.name, "records": [asdict(near) for near in each.records], "truncated": each.truncated}
        for each in found
    ]
    return {"lon": lon, "lat": lat, "radius_m": radius_m, "layers": told}
