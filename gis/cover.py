"""H3 cells that lie wholly in an area, as large as possible, and those on its edge.

A record belongs to the cells that its number says, which are not quite those whose hexagon it lies in: descendants of
a cell stand out over its sides. So a cell counts as inside only when all its descendants are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

Cells = NDArray[np.int64]
Array = NDArray[np.float64]

COARSEST: Final = 5
FINEST: Final = 9
MOST_EDGE: Final = 1_500
# All descendants of a cell lie within 1.0525 times its circumradius: a child's centre is √3 of its own circumradii
# away, and that is the parent's by √7, again and again: √3 / (√7 − 1). The rest is for the distortion of the cells.
_REACH: Final = 1.2
WIDEST_DEG: Final = 3.0
"""Areas that are wider than this are not covered."""


@dataclass(frozen=True)
class Cover:
    """`inside`: cells of various sizes, none in another; `edge`: cells that may hold more, with the box of each.

    `boxes` (n, 4) are west, south, east, north, and hold all descendants of the cells of the edge.
    """

    inside: Cells
    edge: Cells
    boxes: Array


def cover(area: shapely.Polygon | shapely.MultiPolygon) -> Cover | None:
    """The cells of a lon, lat area; None where it is too wide."""
    west, south, east, north = shapely.bounds(area).tolist()
    if max(east - west, north - south) > WIDEST_DEG:
        return None
    # In degrees of latitude both ways: true enough over three degrees for what is left over in _REACH.
    squeeze = np.array([math.cos(math.radians((south + north) / 2)), 1.0])
    flat = shapely.transform(area, lambda at: at * squeeze)
    border = shapely.boundary(flat)
    shapely.prepare(flat)
    shapely.prepare(border)
    inside: list[Cells] = []
    cells = _start(area)
    while True:
        centres, reach = _disks(cells, squeeze)
        near = shapely.dwithin(border, centres, reach)
        inside.append(cells[~near & shapely.intersects(flat, centres)])
        cells, centres = cells[near], centres[near]
        if not cells.size or cells.size * 7 > MOST_EDGE * 2 or _resolution(cells) == FINEST:
            at = shapely.get_coordinates(centres)
            return Cover(np.concatenate(inside), cells, np.column_stack([at - reach, at + reach]) / np.tile(squeeze, 2))
        cells = np.array([child for cell in cells.tolist() for child in h3.cell_to_children(cell)], dtype=np.int64)


def _resolution(cells: Cells) -> int:
    return int(cells[0]) >> 52 & 15


def _start(area: shapely.Geometry) -> Cells:
    """All cells of the coarsest resolution that may have a descendant in the area."""
    found: set[int] = set()
    for part in shapely.get_parts(shapely.box(*shapely.bounds(area))):
        ring = [(lat, lon) for lon, lat in shapely.get_coordinates(part).tolist()]
        found.update(h3.h3shape_to_cells_experimental(h3.LatLngPoly(ring), COARSEST, contain="overlap"))
    found = {near for cell in found for near in h3.grid_disk(cell, 1)}
    return np.array(sorted(found), dtype=np.int64)


def _disks(cells: Cells, squeeze: Array) -> tuple[NDArray[np.object_], float]:
    """The centres, squeezed, and the radius within which all descendants lie."""
    centres = np.array([h3.cell_to_latlng(cell) for cell in cells.tolist()])[:, ::-1] * squeeze
    corners = np.array(h3.cell_to_boundary(int(cells[0])))[:, ::-1] * squeeze
    return shapely.points(centres), _REACH * float(np.hypot(*(corners - centres[0]).T).max())
