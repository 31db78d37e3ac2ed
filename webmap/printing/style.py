"""What of a style is drawn on the server: our own tiles and what the style itself holds, and nothing else.

A style can name addresses in many places (sources, sprites, glyphs, fonts, images). So a new one is built of the parts
that are known here, every source is renamed to a scheme that leads back to us, and anything else is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from webmap.printing.errors import BadStyle
from webmap.printing.native import SCHEME
from webmap.printing.symbols import SPRITE

MOST_SOURCES: Final = 60
MOST_LAYERS: Final = 400
MOST_DRAWN: Final = 1_000_000  # characters of a GeoJSON source
MOST_ZOOM: Final = 24
FONT: Final = "City Sans"

_TILE = r"/\{z\}/\{x\}/\{y\}"
_NAMES = r"[a-z0-9_]{1,41}"
_VECTOR: Final = re.compile(rf"/tiles/({_NAMES}(?:,{_NAMES}){{0,19}}){_TILE}\.mvt(?:\?(.*))?", re.DOTALL)
_RASTER: Final = re.compile(rf"/rasters/({_NAMES}){_TILE}\.(?:png|webp)(?:\?(.*))?", re.DOTALL)
_BASEMAP: Final = re.compile(rf"/basemap{_TILE}()(?:\?(.*))?", re.DOTALL)
_TYPES: Final = ("background", "fill", "line", "symbol", "circle", "heatmap", "raster")
_LAYER_KEYS: Final = ("id", "type", "source", "source-layer", "minzoom", "maxzoom", "filter", "layout", "paint")
_SOURCE_KEYS: Final = ("type", "tiles", "minzoom", "maxzoom", "bounds", "promoteId", "tileSize", "data")
_PARAMETERS: Final = ("filter", "filter-lang", "palette", "size")
_MOST_QUERY: Final = 20_000
_SIDES: Final = (256, 512)


@dataclass
class Printable:
    """A style that may be drawn, and the layers, the rasters and the base map that its sources name."""

    style: dict[str, Any]
    layers: set[str] = field(default_factory=set)
    rasters: set[str] = field(default_factory=set)
    basemap: bool = False


def printable(given: Mapping[str, Any], *, font: Path) -> Printable:
    """The style as it is drawn, its labels in the font of a file; BadStyle says which part is refused and why."""
    _only(given, ("version", "sources", "layers"), "style")
    if given.get("version") != 8:
        raise BadStyle("version", "must be 8")
    sources, layers = given.get("sources"), given.get("layers")
    if not isinstance(sources, dict) or len(sources) > MOST_SOURCES:
        raise BadStyle("sources", f"must be an object of at most {MOST_SOURCES} sources")
    if not isinstance(layers, list) or not 0 < len(layers) <= MOST_LAYERS:
        raise BadStyle("layers", f"must be a list of 1 to {MOST_LAYERS} layers")
    found = Printable({"version": 8, "font-faces": {FONT: [{"url": font.resolve().as_uri()}]}})
    found.style["sources"] = {name: _source(name, source, found) for name, source in sources.items()}
    found.style["layers"] = drawn = [_layer(at, layer, sources) for at, layer in enumerate(layers)]
    if any("icon-image" in layer.get("layout", {}) for layer in drawn):
        found.style["sprite"] = f"{SCHEME}://{SPRITE}"
    return found


def _only(given: Any, keys: tuple[str, ...], place: str) -> None:
    if not isinstance(given, Mapping):
        raise BadStyle(place, "must be an object")
    if strange := sorted(set(given) - set(keys)):
        raise BadStyle(f"{place}.{strange[0]}", f"is not drawn here; known are {', '.join(keys)}")


def _source(name: str, given: Any, found: Printable) -> dict[str, Any]:
    place = f"sources.{name}"
    _only(given, _SOURCE_KEYS, place)
    match given.get("type"):
        case "geojson":
            return {"type": "geojson", "data": _drawn(given.get("data"), f"{place}.data")}
        case "vector" | "raster" as kind:
            made = {"type": kind, "tiles": [_template(kind, given.get("tiles"), f"{place}.tiles", found)]}
            return made | _reach(given, place) | ({"tileSize": _side(given, place)} if kind == "raster" else {})
    raise BadStyle(f"{place}.type", "must be vector, raster or geojson")


def _drawn(data: Any, place: str) -> dict[str, Any]:
    if not isinstance(data, dict) or data.get("type") not in ("FeatureCollection", "Feature"):
        raise BadStyle(place, "must be GeoJSON features, not an address")
    if len(json.dumps(data, ensure_ascii=False)) > MOST_DRAWN:
        raise BadStyle(place, f"is longer than {MOST_DRAWN} characters")
    return data


def _template(kind: str, tiles: Any, place: str, found: Printable) -> str:
    if not isinstance(tiles, list) or len(tiles) != 1 or not isinstance(tiles[0], str):
        raise BadStyle(place, "must be a list of one address")
    vector, raster = _VECTOR.fullmatch(tiles[0]), _RASTER.fullmatch(tiles[0])
    if kind == "vector" and vector is not None:
        found.layers.update(vector[1].split(","))
    elif kind == "raster" and raster is not None:
        found.rasters.add(raster[1])
    elif _BASEMAP.fullmatch(tiles[0]) is not None:
        found.basemap = True
    else:
        raise BadStyle(place, "must be the path of tiles of this server: /tiles/…, /rasters/… or /basemap/…")
    path, _, query = tiles[0].partition("?")
    return f"{SCHEME}://{path}{_query(query, place)}"


def _query(query: str, place: str) -> str:
    """The same query, written by us: what is no parameter of tiles is refused."""
    if len(query) > _MOST_QUERY:
        raise BadStyle(place, f"has a query of more than {_MOST_QUERY} characters")
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=10) if query.count("&") < 10 else [("&", "")]
    for name, _ in pairs:
        if name not in _PARAMETERS:
            raise BadStyle(place, f"the parameter {name!r} is not known; known are {', '.join(_PARAMETERS)}")
    return f"?{urlencode(pairs)}" if pairs else ""


def _reach(given: Mapping[str, Any], place: str) -> dict[str, Any]:
    reach: dict[str, Any] = {}
    for name in ("minzoom", "maxzoom"):
        if name in given:
            if not isinstance(given[name], int) or not 0 <= given[name] <= MOST_ZOOM:
                raise BadStyle(f"{place}.{name}", f"must be a whole number from 0 to {MOST_ZOOM}")
            reach[name] = given[name]
    if "bounds" in given:
        bounds = given["bounds"]
        if not isinstance(bounds, list) or len(bounds) != 4 or not all(isinstance(b, int | float) for b in bounds):
            raise BadStyle(f"{place}.bounds", "must be four numbers")
        reach["bounds"] = bounds
    return reach


def _side(given: Mapping[str, Any], place: str) -> int:
    side = given.get("tileSize", 512)
    if side not in _SIDES:  # smaller ones would mean any number of tiles
        raise BadStyle(f"{place}.tileSize", "must be 256 or 512")
    return int(side)


def _layer(at: int, given: Any, sources: Mapping[str, Any]) -> dict[str, Any]:
    place = f"layers[{at}]"
    _only(given, _LAYER_KEYS, place)
    if given.get("type") not in _TYPES:
        raise BadStyle(f"{place}.type", f"must be one of {', '.join(_TYPES)}")
    source = given.get("source")
    if given["type"] != "background" and not (isinstance(source, str) and source in sources):
        raise BadStyle(f"{place}.source", "must be one of the sources")
    for name in ("layout", "paint"):
        if not isinstance(given.get(name, {}), dict):
            raise BadStyle(f"{place}.{name}", "must be an object")
    if given["type"] != "symbol":
        return dict(given)
    return {**given, "layout": {**given.get("layout", {}), "text-font": [FONT]}}
