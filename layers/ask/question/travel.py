"""Questions of getting there: how far in some minutes, and the quickest way."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Final

import numpy as np
import shapely
import sqlalchemy as sa

from gis.around import area_around
from gis.frames import area_m2, length_m
from gis.ways import Leg, Stand, Ways, part_shapes, way_shape
from layers.ask.question.answer import Found
from layers.ask.question.asked import Isochrone, Place, Route, Travel
from layers.ask.question.roads import RoadNetwork, Roads
from layers.errors import BadField
from layers.export.sheet import SheetColumn
from layers.spec import Title

FARTHEST_M: Final = 1_000.0
"""So far from the next road one may stand to be asked about."""
BESIDE_M: Final[dict[Travel, float]] = {"walking": 30.0, "driving": 60.0}
"""What lies so far from a road reached counts as reached, too."""
SMALLEST_HOLE_M2: Final[dict[Travel, float]] = {"walking": 20_000.0, "driving": 100_000.0}

_REACHED: Final = (
    SheetColumn("part", Title("部分", "Part"), "text"),
    SheetColumn("minutes", Title("分钟", "Minutes"), "number", unit="min"),
    SheetColumn("area_km2", Title("面积", "Area"), "number", unit="km²"),
    SheetColumn("road_km", Title("道路长度", "Length of roads"), "number", unit="km"),
)
_WAY: Final = (
    SheetColumn("part", Title("部分", "Part"), "text"),
    SheetColumn("name", Title("路名", "Name"), "text"),
    SheetColumn("length_m", Title("长度", "Length"), "number", unit="m"),
    SheetColumn("minutes", Title("分钟", "Minutes"), "number", unit="min"),
)


def reached(connection: sa.Connection, roads: Roads, question: Isochrone, *, between: Callable[[], None]) -> Found:
    """Two rows for each time, the longest first: the area, and the roads, cut where the time ends.

    `between` is called before each long step, and ends the work by what it raises.
    """
    held = roads.current(connection)
    ways = held.ways[question.by]
    start = _stand(ways, question.point, name="point")
    rows, shapes = [], []
    wide = {"radius_m": BESIDE_M[question.by], "smallest_hole_m2": SMALLEST_HOLE_M2[question.by]}
    for minutes in sorted(set(question.minutes), reverse=True):
        between()
        there = ways.reached(start, minutes * 60.0)
        between()
        parts = part_shapes(held.network, there)
        area = area_around(parts, **wide, between=between)
        flat = np.array([area, shapely.multilinestrings(parts)], dtype=object)
        whole = held.network.plane.round(flat)
        km2 = round(float(area_m2(whole[:1])[0]) / 1e6, 4)
        road_km = round(float(length_m(whole[1:])[0]) / 1e3, 3)
        rows += [("area", minutes, km2, road_km), ("roads", minutes, km2, road_km)]
        shapes += list(whole)
    return Found(_REACHED, rows, shapes)


def quickest(connection: sa.Connection, roads: Roads, question: Route, *, between: Callable[[], None]) -> Found:
    """The whole way, then road by road; nothing where none leads there. `between` is as for `reached`."""
    held = roads.current(connection)
    between()
    ways = held.ways[question.by]
    start, end = _stand(ways, question.start, name="start"), _stand(ways, question.end, name="end")
    way = ways.way(start, end)
    if way is None:
        return Found(_WAY, [], [])
    rows: list[tuple[object, ...]] = [("way", None, round(way.metres, 1), round(way.seconds / 60.0, 2))]
    shapes = [way_shape(held.network, way.legs)]
    for name, legs in _by_name(held, way.legs):
        metres, seconds = sum(leg.metres for leg in legs), sum(leg.seconds for leg in legs)
        rows.append(("road", name, round(metres, 1), round(seconds / 60.0, 2)))
        shapes.append(way_shape(held.network, legs))
    return Found(_WAY, rows, shapes)


def _by_name(held: RoadNetwork, legs: tuple[Leg, ...]) -> list[tuple[str | None, list[Leg]]]:
    """The legs put together as long as they go along roads of one name."""
    named = [(held.names[held.network.line[leg.edge]], leg) for leg in legs]
    return [(name, [leg for _, leg in group]) for name, group in groupby(named, key=lambda pair: pair[0])]


def _stand(ways: Ways, place: Place, *, name: str) -> Stand:
    stand = ways.stand(*place)
    if stand is None or stand.off_m > FARTHEST_M:
        told = f"lies more than {FARTHEST_M:,.0f} m from every road that is open to this traveller"
        raise BadField({name: told}).because("off_road", metres=round(FARTHEST_M))
    return stand
