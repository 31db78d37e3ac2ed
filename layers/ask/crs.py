"""The coordinate systems in which records are asked for and answered, under the names that OGC gives them.

OGC API – Features Part 2 (18-058r1): the default is lon, lat (CRS84); every other system is spoken in the order of axes
that its authority lays down, so EPSG:4326 and EPSG:4490 are lat, lon and EPSG:4549 is northing, easting.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyproj
import sqlalchemy as sa
from geoalchemy2 import Geometry

from gis.tilegrid import MAX_LAT, Box
from layers.errors import BadParameter
from layers.spec import Layer

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*")
# A box is looked up by its Web Mercator image; about a centimetre of slack keeps what lies on its edge.
_SLACK_DEG = 1e-7


@dataclass(frozen=True)
class Crs:
    """A coordinate system: its name, its EPSG number in PostGIS, and how its coordinates are written."""

    uri: str
    srid: int
    axes_swapped: bool
    digits: int

    @property
    def degrees(self) -> bool:
        """Are coordinates degrees (and not metres)?"""
        return self.srid in (4326, 4490)


def _epsg(srid: int) -> Crs:
    system = pyproj.CRS.from_epsg(srid)
    return Crs(
        f"http://www.opengis.net/def/crs/EPSG/0/{srid}",
        srid,
        axes_swapped=system.axis_info[0].direction == "north",
        digits=7 if system.is_geographic else 3,
    )


CRS84: Final = Crs("http://www.opengis.net/def/crs/OGC/1.3/CRS84", 4326, axes_swapped=False, digits=7)
CRSS: Final = (CRS84, *(_epsg(srid) for srid in (4326, 4490, 4549, 3857)))
_BY_URI = {crs.uri: crs for crs in CRSS}


def crs_named(name: str, *, parameter: str = "crs") -> Crs:
    """The coordinate system of this URI; BadParameter, listing all, for any other text."""
    try:
        return _BY_URI[name]
    except KeyError:
        raise BadParameter(parameter, f"{name[:100]!r} is not offered; there are {', '.join(_BY_URI)}") from None


def as_geojson(geometry: sa.ColumnElement[object], crs: Crs) -> sa.ColumnElement[str]:
    """A stored lon, lat geometry as GeoJSON text in a coordinate system, in the order of its axes."""
    drawn = geometry if crs.srid == 4326 else sa.func.st_transform(geometry, crs.srid)
    turned = sa.func.st_flipcoordinates(drawn) if crs.axes_swapped else drawn
    # Options 0: PostGIS would add a `crs` member, which GeoJSON no longer has, for all but 4326.
    return sa.func.st_asgeojson(turned, crs.digits, 0, type_=sa.Text)


def inside(layer: Layer, text: str, crs: Crs = CRS84) -> sa.ColumnElement[bool]:
    """The condition that a record meets a box, given as 4 numbers (or 6, with heights, which do not matter).

    In degrees a box whose west is greater than its east goes over the antimeridian. Raises BadParameter.
    """
    box = _box(text, crs)
    if not crs.degrees:
        return _inside_metres(layer, box, crs)
    if box.west <= box.east:
        return _inside_degrees(layer, box)
    halves = box._replace(east=180.0), box._replace(west=-180.0)
    return sa.or_(*(_inside_degrees(layer, half) for half in halves))


def _box(text: str, crs: Crs) -> Box:
    parts = text.split(",")
    numbers = [float(part) for part in parts if _NUMBER.fullmatch(part)]
    if len(numbers) != len(parts) or len(parts) not in (4, 6) or not all(map(math.isfinite, numbers)):
        raise BadParameter("bbox", "must be 4 numbers, or 6 with heights, separated by commas")
    box = Box(*(_flat(numbers) if not crs.axes_swapped else _turned(_flat(numbers))))
    if box.south > box.north:
        raise BadParameter("bbox", "its lower corner must come first: the south is greater than the north")
    if crs.degrees and not (max(abs(box.west), abs(box.east)) <= 180 and max(abs(box.south), abs(box.north)) <= 90):
        raise BadParameter("bbox", "has degrees beyond 180 or 90; mind the order of axes of bbox-crs")
    if not crs.degrees and box.west > box.east:
        raise BadParameter("bbox", "its lower corner must come first: the west is greater than the east")
    return box


def _flat(numbers: Sequence[float]) -> Sequence[float]:
    return numbers if len(numbers) == 4 else (*numbers[:2], *numbers[3:5])


def _turned(numbers: Sequence[float]) -> Sequence[float]:
    south, west, north, east = numbers
    return west, south, east, north


def _envelope(box: Box, srid: int) -> sa.ColumnElement[object]:
    return sa.func.st_makeenvelope(*map(float, box), srid, type_=Geometry(srid=srid))


def _near(layer: Layer, box: Box) -> sa.ColumnElement[bool]:
    """What the spatial index, which is on the Web Mercator column, knows of a lon, lat box."""
    wide = Box(
        max(box.west - _SLACK_DEG, -180.0),
        min(max(box.south - _SLACK_DEG, -MAX_LAT), MAX_LAT),
        min(box.east + _SLACK_DEG, 180.0),
        max(min(box.north + _SLACK_DEG, MAX_LAT), -MAX_LAT),
    )
    near: sa.ColumnElement[bool] = layer.table.c.geom3857.op("&&")(sa.func.st_transform(_envelope(wide, 4326), 3857))
    return near


def _inside_degrees(layer: Layer, box: Box) -> sa.ColumnElement[bool]:
    return sa.and_(_near(layer, box), sa.func.st_intersects(layer.table.c.geom, _envelope(box, 4326)))


def _inside_metres(layer: Layer, box: Box, crs: Crs) -> sa.ColumnElement[bool]:
    if crs.srid == 3857:
        return sa.func.st_intersects(layer.table.c.geom3857, _envelope(box, 3857), type_=sa.Boolean)
    to_degrees = pyproj.Transformer.from_crs(f"EPSG:{crs.srid}", "EPSG:4490", always_xy=True)
    around = Box(*to_degrees.transform_bounds(*box))
    if not (all(map(math.isfinite, around)) and around.west <= around.east):
        raise BadParameter("bbox", f"reaches beyond what EPSG:{crs.srid} can express")
    drawn = sa.func.st_transform(layer.table.c.geom, crs.srid)
    return sa.and_(_near(layer, around), sa.func.st_intersects(drawn, _envelope(box, crs.srid)))
