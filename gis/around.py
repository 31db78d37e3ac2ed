"""The area around many lines as one shape, without its small holes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

Shapes = NDArray[np.object_]

# So many sides has a quarter of a circle: round corners are less than 5 % of the radius too near.
_QUARTER: Final = 4


def area_around(
    lines: Shapes, *, radius_m: float, smallest_hole_m2: float, between: Callable[[], None] = lambda: None
) -> shapely.MultiPolygon:
    """The area within a distance of lines on a sheet, without the holes smaller than that.

    Made from the blocks between the lines: what of a block lies farther away is a hole, and the rest is what lies
    around the blocks as a whole. To unite what lies around every line takes five times as long on the roads of a city.
    `between` is called before each of its long steps, and ends the work by what it raises.
    """
    blocks, twigs = _blocks(lines)
    between()
    around = shapely.buffer(twigs, radius_m, quad_segs=_QUARTER)
    holes = _left(shapely.buffer(_at_least(blocks, smallest_hole_m2), -radius_m, quad_segs=_QUARTER), around)
    between()
    together = shapely.get_parts(shapely.coverage_union_all(blocks))
    outer = shapely.buffer(shapely.polygons(shapely.get_exterior_ring(together)), radius_m, quad_segs=_QUARTER)
    between()
    hidden, _ = shapely.STRtree(outer).query(around, predicate="covered_by")
    whole = shapely.get_parts(shapely.union_all(np.concatenate([outer, np.delete(around, hidden)])))
    between()
    shells = shapely.union_all(shapely.polygons(shapely.get_exterior_ring(whole)))
    every = _at_least(np.concatenate([shapely.get_parts(holes), _holes(whole)]), smallest_hole_m2)
    between()
    area = shapely.difference(shells, shapely.multipolygons(every))
    return shapely.MultiPolygon(shapely.get_parts(area).tolist())


def _blocks(lines: Shapes) -> tuple[Shapes, Shapes]:
    """The areas that lines enclose, and the lines that enclose none."""
    noded = shapely.get_parts(shapely.union_all(lines))
    blocks, *lone = shapely.polygonize_full(noded)
    return shapely.get_parts(blocks), shapely.get_parts(np.array(lone, dtype=object))


def _left(areas: Shapes, around: Shapes) -> Shapes:
    """What of each area is left without the surroundings of lines that end within it."""
    left = areas.copy()
    area, other = shapely.STRtree(around).query(areas, predicate="intersects")
    for i in np.unique(area).tolist():
        left[i] = shapely.difference(areas[i], shapely.union_all(around[other[area == i]]))
    return left


def _at_least(areas: Shapes, smallest_m2: float) -> Shapes:
    return np.asarray(areas[shapely.area(areas) >= smallest_m2])


def _holes(areas: Shapes) -> Shapes:
    rings, owner = shapely.get_rings(areas, return_index=True)
    return np.asarray(shapely.polygons(rings[np.r_[False, owner[1:] == owner[:-1]][: rings.size]]))
