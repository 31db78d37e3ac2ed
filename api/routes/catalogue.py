"""The layers, their styles, their TileJSON, and how densely their records lie."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.deps import ActorDep, Lang, LayerDep, ReadDep, ServiceDep
from api.errors import UnknownPalette
from api.service import Service
from layers.ask.catalogue import Summary, describe, summaries
from layers.ask.density import AreaName, densities
from layers.ask.edits import may_add
from layers.ask.filter import parse
from layers.ask.style import style, tilejson
from layers.palette import PALETTES
from layers.people.access import Actor, may
from layers.spec import Layer

router = APIRouter(tags=["layers"])


@router.get("/layers")
def layers(service: ServiceDep, actor: ActorDep, connection: ReadDep) -> dict[str, Any]:
    """All layers that the caller may see, bottom first, with their counts."""
    visible = service.registry.visible(actor)
    held = summaries(connection, visible)
    return {
        "layers": [_summary(s, actor) for s in held],
        "city": {**_city(service), "synthetic": any(s.synthetic for s in held)},
        "palettes": list(PALETTES),
    }


@router.get("/layers/{name}")
def layer(layer: LayerDep, actor: ActorDep, connection: ReadDep) -> dict[str, Any]:
    """One layer with its fields, the words of its codes, and its legend."""
    (summary,) = summaries(connection, [layer])
    return {**_summary(summary, actor), **describe(layer)}


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
    """Every grid, town or county with the number of the layer's records in it and its size, also those without any."""
    area = service.registry.find(by, actor)
    found = densities(connection, layer, area, by=by, filter=None if filter is None else parse(filter, "cql2-text"))
    response.headers["Cache-Control"] = "no-cache"
    return {
        "layer": layer.name,
        "by": by,
        "at": dt.datetime.now(dt.UTC),
        "areas": [{"id": each.id, "n": each.n, "km2": round(each.km2, 4)} for each in found.areas],
        "outside": found.outside,
        "truncated": found.truncated,
    }


@router.get("/tiles/{names}.json")
def tile_json(names: str, service: ServiceDep, actor: ActorDep) -> dict[str, Any]:
    """TileJSON 3 of one or several layers."""
    return tilejson(layers_named(service, actor, names), bounds=service.city.bounds)


@router.get("/styles/{palette}.json")
def map_style(
    palette: str, service: ServiceDep, actor: ActorDep, response: Response, layers: str | None = None, lang: Lang = "zh"
) -> dict[str, Any]:
    """A whole MapLibre style of some layers (all visible ones by default) in one palette."""
    if palette not in PALETTES:
        raise UnknownPalette(f"there is no palette {palette!r}; there are {', '.join(PALETTES)}")
    chosen = service.registry.visible(actor) if layers is None else layers_named(service, actor, layers)
    response.headers["Cache-Control"] = "no-cache"
    return style(chosen, palette, lang=lang, bounds=service.city.bounds)


def layers_named(service: Service, actor: Actor, names: str) -> list[Layer]:
    """The layers of a comma-separated list, each once; UnknownLayer for one that the caller may not see."""
    return [service.registry.find(name, actor) for name in dict.fromkeys(names.split(","))]


def _summary(s: Summary, actor: Actor) -> dict[str, Any]:
    layer = s.layer
    return {
        "name": layer.name,
        "title": layer.title._asdict(),
        "about": layer.about._asdict(),
        "group": layer.group,
        "geometry": layer.geometry,
        "count": s.count,
        "minzoom": layer.minzoom,
        "classes": layer.classes,
        "counts": s.by_class,
        "label": layer.label,
        "access": {"view": layer.access.view, "edit": layer.access.edit},
        "may": {"edit": bool(may(actor, "edit", layer)), "add": bool(may_add(actor, layer))},
        "synthetic": s.synthetic,
        "updated": s.updated,
    }


def _city(service: Service) -> dict[str, Any]:
    city, settings = service.city, service.settings
    west, south, east, north = city.bounds
    return {
        "title": {"zh": city.title_zh, "en": city.title_en},
        "bounds": city.bounds,
        "center": [(west + east) / 2, (south + north) / 2],
        "attribution": {"zh": settings.attribution_zh, "en": settings.attribution_en},
        "mapApproval": settings.map_approval,
    }
