"""Geometries of a filter, brought to lon, lat and checked, and spatial relations that use the index of the layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
import shapely.geometry
import sqlalchemy as sa
from geoalchemy2 import Geography

from gis.errors import UnknownFrame
from gis.frames import convert, convert_geometries, parse_frame
from layers.ask.filter.grammar import Tree
from layers.errors import BadFilter

RELATIONS: Final = frozenset(
    f"s_{name}" for name in ("intersects", "within", "contains", "disjoint", "touches", "crosses", "overlaps", "equals")
)
MOST_METRES: Final = 100_000
FRAMES: Final = (4326, 4490, 4549, 3857)

_DEGREES: Final = (4326, 4490)
# A line that is straight in a projection is split so that it bends by no more than some centimetres in between.
_STEP_M: Final = 2_000
_MOST_STEPS: Final = 5_000
# Edges on the globe are great circles: one this long strays by some centimetres from the line drawn in degrees.
_STEP_DEG: Final = 0.02
# A degree of latitude is at least 110.5 km long: a box drawn with this holds the circle.
_DEGREE_M: Final = 110_000
_POLE: Final = 85.0
_BEYOND_3857: Final = 1e9
_SLACK_3857: Final = 0.01
_GEOGRAPHY: Final = Geography(srid=4326)


@dataclass(frozen=True)
class Shape:
    """A geometry of lon, lat: that of the records, or a constant with its shape."""

    sql: sa.ColumnElement[Any]
    constant: shapely.Geometry | None = None


@dataclass(frozen=True)
class Reference:
    """How a filter writes coordinates: the number of the frame, and whether its authority's axes (lat, lon) count."""

    srid: int = 4326
    axes_swapped: bool = False

    def __post_init__(self) -> None:
        if self.srid not in FRAMES:
            raise BadFilter(
                f"the coordinates of a filter may be in EPSG {', '.join(map(str, FRAMES))}, not {self.srid}"
            )


def geometry(tree: dict[str, Any], reference: Reference) -> Shape:
    """A geometry literal in lon, lat as a bound value; BadFilter when it is not a valid one on the earth."""
    try:
        shape = shapely.force_2d(shapely.geometry.shape(_closed(tree)))
    except (ValueError, TypeError, shapely.errors.ShapelyError):
        raise BadFilter(f"the {tree['type']} of the filter cannot be built", about=tree["type"]) from None
    return _constant(_to_degrees(shape, reference), tree["type"])


def bbox(numbers: list[float], reference: Reference) -> Shape:
    """A box as a geometry; in degrees it may cross the 180th meridian (west > east)."""
    half = len(numbers) // 2
    (x1, y1), (x2, y2) = numbers[:2], numbers[half : half + 2]
    if reference.axes_swapped:
        x1, y1, x2, y2 = y1, x1, y2, x2
    if y1 > y2 or (x1 > x2 and reference.srid not in _DEGREES):
        raise BadFilter("a bbox is west, south, east, north, the smaller values first", about="bbox")
    unswapped = Reference(reference.srid)
    if x1 > x2:
        shape = shapely.multipolygons([shapely.box(x1, y1, 180, y2), shapely.box(-180, y1, x2, y2)])
        return _constant(_to_degrees(shape, unswapped), "bbox")
    # A box without width or height is a line or a point; its polygon would not be valid.
    return _constant(_to_degrees(shapely.envelope(shapely.multipoints([(x1, y1), (x2, y2)])), unswapped), "bbox")


def relation(op: str, left: Shape, right: Shape, *, index: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """One of RELATIONS on lon, lat; where records meet a constant, by the index on their place in Web Mercator."""
    parts = [part for side in (left, right) for part in _parts(side)]
    if len(parts) > 2:
        return _of_collection(op, left, right, index=index)
    exact: sa.ColumnElement[bool] = getattr(sa.func, f"st_{op.removeprefix('s_')}")(left.sql, right.sql)
    constants = [side.constant for side in (left, right) if side.constant is not None]
    if op == "s_disjoint" or len(constants) != 1:
        return exact
    return sa.and_(_near(index, tuple(shapely.bounds(constants[0]).tolist())), exact)


def _parts(side: Shape) -> list[shapely.Geometry | None]:
    if side.constant is None or side.constant.geom_type != "GeometryCollection":
        return [side.constant]
    return list(side.constant.geoms)


def _of_collection(op: str, left: Shape, right: Shape, *, index: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """PostGIS relates no collections, but to intersect one is to intersect a part of it."""
    if op not in ("s_intersects", "s_disjoint"):
        raise BadFilter(f"{op.upper()} takes no geometry collection", about=op)
    met = [relation("s_intersects", one, other, index=index) for one in _split(left) for other in _split(right)]
    return sa.or_(*met) if op == "s_intersects" else sa.not_(sa.or_(*met))


def _split(side: Shape) -> list[Shape]:
    return [side if part is side.constant else _bound(part) for part in _parts(side)]


def near(here: Shape, there: Shape, metres: Tree, *, index: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """Whether records lie within some metres, on the ellipsoid, of a constant geometry straight in lon, lat."""
    if isinstance(metres, bool) or not isinstance(metres, int | float) or not 0 <= metres <= MOST_METRES:
        raise BadFilter(f"NEAR_M takes a distance from 0 to {MOST_METRES:,} metres", about="near_m")
    if here.constant is not None or there.constant is None or there.constant.geom_type == "GeometryCollection":
        raise BadFilter("NEAR_M takes the geometry of the records, then a single geometry", about="near_m")
    west, south, east, north = shapely.bounds(there.constant)
    high = metres / _DEGREE_M
    wide = high / math.cos(math.radians(min(max(-south, north) + high, _POLE)))
    round_the_back = west - wide < -180 or east + wide > 180
    sides = (-180, 180) if round_the_back else (west - wide, east + wide)
    around = _near(index, (sides[0], south - high, sides[1], north + high))
    step_deg = max(_STEP_DEG, shapely.length(there.constant) / _MOST_STEPS)
    globe = [sa.cast(side.sql, _GEOGRAPHY) for side in (here, _bound(shapely.segmentize(there.constant, step_deg)))]
    return sa.and_(around, sa.func.st_dwithin(*globe, sa.literal(float(metres), sa.Double)))


def _near(index: sa.Column[Any], bounds: tuple[float, float, float, float]) -> sa.ColumnElement[bool]:
    """Whether boxes meet in Web Mercator, which keeps the order along both axes; no record lies beyond its poles."""
    west, south, east, north = (float(edge) for edge in bounds)
    xs, ys = convert([west, east], np.clip([south, north], -_POLE, _POLE), source="EPSG:4326", target="EPSG:3857")
    edges = (
        float(xs[0]) - _SLACK_3857,
        float(ys[0]) - _SLACK_3857 if south > -_POLE else -_BEYOND_3857,
        float(xs[1]) + _SLACK_3857,
        float(ys[1]) + _SLACK_3857 if north < _POLE else _BEYOND_3857,
    )
    box = sa.func.st_makeenvelope(*(sa.literal(edge, sa.Double) for edge in edges), 3857)
    return index.op("&&", return_type=sa.Boolean())(box)


def _closed(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree itself, if all rings of its polygons are closed: shapely would close them without a word."""
    for ring in _rings(tree):
        if len(ring) < 4 or ring[0] != ring[-1]:
            raise BadFilter(
                "a ring of a polygon has four positions or more and ends where it starts", about=tree["type"]
            )
    return tree


def _rings(tree: dict[str, Any]) -> list[Any]:
    if tree["type"] == "GeometryCollection":
        return [ring for member in tree["geometries"] for ring in _rings(member)]
    if tree["type"] == "MultiPolygon":
        return [ring for polygon in tree["coordinates"] for ring in polygon]
    return list(tree["coordinates"]) if tree["type"] == "Polygon" else []


def _to_degrees(shape: shapely.Geometry, reference: Reference) -> shapely.Geometry:
    if reference.axes_swapped:
        shape = shapely.transform(shape, lambda positions: positions[:, ::-1])
    if reference.srid in _DEGREES:
        return shape
    whole = shapely.length(shape)
    split = shapely.segmentize(shape, max(_STEP_M, whole / _MOST_STEPS)) if whole else shape
    try:
        return convert_geometries(np.array([split], dtype=object), source=parse_frame(str(reference.srid)))[0]
    except (UnknownFrame, shapely.errors.ShapelyError):
        raise BadFilter(f"coordinates of the filter do not fit EPSG:{reference.srid}") from None


def _constant(shape: shapely.Geometry, about: str) -> Shape:
    positions = shapely.get_coordinates(shape)
    if not np.isfinite(positions).all() or (np.abs(positions) > (180.0, 90.0)).any():
        raise BadFilter("coordinates of the filter lie outside longitude ±180 or latitude ±90", about=about)
    if not shapely.is_valid(shape):
        raise BadFilter(f"a geometry of the filter is not valid: {shapely.is_valid_reason(shape)}", about=about)
    return _bound(shape)


def _bound(shape: shapely.Geometry) -> Shape:
    return Shape(sa.func.st_geomfromwkb(sa.literal(shapely.to_wkb(shape), sa.LargeBinary), 4326), shape)
