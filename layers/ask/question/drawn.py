"""Geometries that a person drew: from GeoJSON to something the database may be asked about."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
import sqlalchemy as sa

from gis.frames import area_m2, convert, length_m
from gis.repair import Kind, repair
from layers.errors import BadField

MOST_VERTICES: Final = 20_000
_KINDS: Final[dict[str, Kind]] = {
    "Point": "Point",
    "LineString": "MultiLineString",
    "MultiLineString": "MultiLineString",
    "Polygon": "MultiPolygon",
    "MultiPolygon": "MultiPolygon",
}
_METRES_OF_DEGREE: Final = 110_500.0  # of latitude, at its shortest


@dataclass(frozen=True)
class Drawn:
    """A valid lon, lat geometry: Point, MultiLineString or MultiPolygon."""

    shape: shapely.Geometry

    @property
    def area_km2(self) -> float:
        """The area on the ellipsoid; 0 for points and lines."""
        return float(area_m2(np.array([self.shape], dtype=object))[0]) / 1e6

    @property
    def length_km(self) -> float:
        """The length on the ellipsoid of a line; 0 for points, the perimeter for areas."""
        return float(length_m(np.array([self.shape], dtype=object))[0]) / 1e3

    def sql(self) -> sa.ColumnElement[Any]:
        """The geometry in the database, in lon, lat."""
        wkb = sa.literal(shapely.to_wkb(self.shape), sa.LargeBinary)
        return sa.func.st_geomfromwkb(wkb, sa.literal(4326, sa.Integer))

    def box(self, *, margin_m: float = 0.0) -> sa.ColumnElement[Any]:
        """The box around it in Web Mercator, wider by at least the margin."""
        return mercator_box(shapely.bounds(self.shape).tolist(), margin_m=margin_m)


def mercator_box(bounds: list[float], *, margin_m: float = 0.0) -> sa.ColumnElement[Any]:
    """A lon, lat box (west, south, east, north) as one in Web Mercator, wider on every side by at least the margin."""
    west, south, east, north = bounds
    high = margin_m / _METRES_OF_DEGREE
    south, north = max(-85.05, south - high), min(85.05, north + high)
    wide = high / math.cos(math.radians(max(abs(south), abs(north))))
    x, y = convert([max(-180.0, west - wide), min(180.0, east + wide)], [south, north], source="4326", target="3857")
    sides = [sa.literal(float(v), sa.Double) for v in (x[0], y[0], x[1], y[1])]
    return sa.func.st_makeenvelope(*sides, sa.literal(3857, sa.Integer))


def drawn(geometry: dict[str, Any], *, name: str = "geometry") -> Drawn:
    """What a GeoJSON geometry in lon, lat shows, mended where it is invalid; BadField when it is none."""
    kind = _KINDS.get(str(geometry.get("type")))
    if kind is None:
        raise BadField({name: f"must be a GeoJSON geometry: one of {', '.join(_KINDS)}"})
    if _numbers(geometry.get("coordinates")) > 3 * MOST_VERTICES:
        raise BadField({name: f"has more than {MOST_VERTICES:,} vertices"})
    try:
        shape = shapely.from_geojson(json.dumps(geometry, allow_nan=False))
    except (ValueError, TypeError, RecursionError, shapely.errors.ShapelyError) as error:
        raise BadField({name: "is not a GeoJSON geometry"}) from error
    if shapely.get_num_coordinates(shape) > MOST_VERTICES:
        raise BadField({name: f"has more than {MOST_VERTICES:,} vertices"})
    west, south, east, north = shapely.bounds(shape).tolist()
    if not (west >= -180 and east <= 180 and south >= -85 and north <= 85):
        raise BadField({name: "coordinates must be longitude and latitude in degrees"})
    report = repair(np.array([shape], dtype=object), kind=kind)
    if report.geometries[0] is None:
        raise BadField({name: str(report.reasons[0])})
    return Drawn(report.geometries[0])


def _numbers(coordinates: Any) -> int:
    """How many numbers an array of arrays holds; arrays within arrays are looked into four deep, as GeoJSON is."""
    level, found = [coordinates], 0
    for _ in range(5):
        found += sum(not isinstance(item, list) for item in level)
        level = [inner for item in level if isinstance(item, list) for inner in item]
    return found + len(level)
