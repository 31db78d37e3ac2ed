"""Geometries that a person drew: from GeoJSON to something the database may be asked about."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import shapely
import sqlalchemy as sa

from gis.frames import area_m2, convert, length_m
from gis.repair import Kind, repair
from layers.errors import BadField

MOST_VERTICES: Final = 20_000
MOST_CROSSINGS: Final = 10_000
_AT_ONCE: Final = 64
_LONGEST_DEG: Final = 0.02
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

    def for_distances(self) -> Self:
        """The same with vertices along its long sides.

        Its sides are straight in lon, lat, but distances are measured to the shortest ways on the ground between
        vertices: these stand 100 m off in the middle of a side of 100 km.
        """
        parts = shapely.get_parts(self.shape)
        longest = max(_LONGEST_DEG, float(shapely.length(self.shape)) / MOST_VERTICES)
        dense = shapely.segmentize(parts, longest).tolist()
        return replace(self, shape=dense[0] if self.shape.geom_type == "Point" else type(self.shape)(dense))

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
        raise BadField({name: f"must be a GeoJSON geometry: one of {', '.join(_KINDS)}"}).because("no_shape")
    if _numbers(geometry.get("coordinates")) > 3 * MOST_VERTICES:
        raise BadField({name: f"has more than {MOST_VERTICES:,} vertices"}).because("shape_fine", most=MOST_VERTICES)
    try:
        shape = shapely.from_geojson(json.dumps(geometry, allow_nan=False))
    except (ValueError, TypeError, RecursionError, shapely.errors.ShapelyError) as error:
        raise BadField({name: "is not a GeoJSON geometry"}).because("no_shape") from error
    if shapely.get_num_coordinates(shape) > MOST_VERTICES:
        raise BadField({name: f"has more than {MOST_VERTICES:,} vertices"}).because("shape_fine", most=MOST_VERTICES)
    west, south, east, north = shapely.bounds(shape).tolist()
    if not (west >= -180 and east <= 180 and south >= -85 and north <= 85):
        raise BadField({name: "coordinates must be longitude and latitude in degrees"}).because("no_shape")
    if shapely.get_dimensions(shape) and (kind == "MultiLineString" or not shapely.is_valid(shape)) and tangled(shape):
        told = f"is too tangled: more than {MOST_CROSSINGS:,} pairs of its sides may cross"
        raise BadField({name: told}).because("shape_tangled")
    report = repair(np.array([shape], dtype=object), kind=kind)
    if report.geometries[0] is None:
        raise BadField({name: str(report.reasons[0])}).because("no_shape")
    return Drawn(report.geometries[0])


def tangled(shape: shapely.Geometry) -> bool:
    """Whether too many of its segments may cross: to mend or surround it would take minutes, and no one could stop it.

    Segments may cross where their boxes meet; those that follow each other do not count.
    """
    parts = shapely.get_parts(shape)
    rings = shapely.get_rings(parts) if shapely.get_dimensions(shape) == 2 else parts
    xy, line = shapely.get_coordinates(rings, return_index=True)
    same = line[1:] == line[:-1]
    low, high = (side(xy[:-1], xy[1:])[same] for side in (np.minimum, np.maximum))
    boxes = shapely.box(*low.T, *high.T)
    tree, found = shapely.STRtree(boxes), -3 * boxes.size
    for start in range(0, boxes.size, _AT_ONCE):
        found += tree.query(boxes[start : start + _AT_ONCE]).shape[1]
        if found > 2 * MOST_CROSSINGS:
            return True
    return False


def _numbers(coordinates: Any) -> int:
    """How many numbers an array of arrays holds; arrays within arrays are looked into four deep, as GeoJSON is."""
    level, found = [coordinates], 0
    for _ in range(5):
        found += sum(not isinstance(item, list) for item in level)
        level = [inner for item in level if isinstance(item, list) for inner in item]
    return found + len(level)
