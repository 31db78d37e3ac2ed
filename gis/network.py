"""A network of lines: edges between nodes, made by cutting lines where they meet.

Lines are cut where they meet: at common vertices, and where the end of one touches the middle of another. Lines that
come with the names of their end nodes are taken as cut already, so that a bridge does not join the road below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.frames import distance_m
from gis.plane import Plane

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Shapes = NDArray[np.object_]

Ends = tuple[Sequence[str | None], Sequence[str | None]]

SAME_M: Final = 0.05
"""Vertices that round to the same multiple of this are one place."""
TOUCH_M: Final = 0.5
"""An end that lies so near to a line touches it."""


@dataclass(frozen=True)
class Network:
    """Edges between nodes: `tail`, `head` are node numbers, `line` the position of the line each edge was cut from.

    `shapes` are on the sheet `plane`; `length_m` is measured on the ellipsoid.
    """

    plane: Plane
    nodes: int
    tail: Numbers
    head: Numbers
    line: Numbers
    length_m: Array
    shapes: Shapes


def network(lines: Shapes, ends: Ends | None = None) -> Network:
    """Cut lon, lat lines (single or multi) where they meet; `ends` names the start and end nodes of each, where known.

    The names count only where both are given and the line has one part.
    """
    parts, owner = shapely.get_parts(np.asarray(lines, dtype=object), return_index=True)
    kept = (shapely.get_type_id(parts) == 1) & ~shapely.is_empty(parts)
    parts, owner = parts[kept], owner[kept]
    plane = Plane.around(parts)
    named = _named(owner, len(lines), ends)
    flat = plane.flat(parts)
    flat, touched = _with_touches(flat, named)
    xy, line = shapely.get_coordinates(flat, return_index=True)
    place = _places(xy)
    cut = _cuts(line, place, named, touched)
    label = _labels(line, place, owner, named, ends)
    return _edges(plane, xy, line, cut, label, owner)


def _named(owner: Numbers, count: int, ends: Ends | None) -> Flags:
    """Which parts come with the names of both their ends."""
    if ends is None:
        return np.zeros(owner.size, dtype=bool)
    known = np.array([bool(a) and bool(b) for a, b in zip(*ends, strict=True)], dtype=bool)
    return np.asarray(known[owner] & (np.bincount(owner, minlength=count)[owner] == 1))


@dataclass(frozen=True)
class _Touch:
    """The ends of parts that touch other parts: position of the part, whether it is its last point, the other part."""

    part: Numbers
    last: Flags
    other: Numbers


def _with_touches(flat: Shapes, named: Flags) -> tuple[Shapes, _Touch]:
    """The parts with a vertex wherever the end of a part without names touches them, and which those are."""
    loose = np.flatnonzero(~named)
    part, last = np.tile(loose, 2), np.repeat([False, True], loose.size)
    points = np.concatenate([shapely.get_point(flat[loose], 0), shapely.get_point(flat[loose], -1)])
    end, other = shapely.STRtree(flat).query(points, predicate="dwithin", distance=TOUCH_M)
    foreign = other != part[end]
    end, other = end[foreign], other[foreign]
    missing = shapely.distance(points[end], shapely.extract_unique_points(flat[other])) > SAME_M
    widened = flat.copy()
    for j in np.unique(other[missing]).tolist():
        widened[j] = _with_vertices(flat[j], points[end[missing & (other == j)]])
    return widened, _Touch(part[end], last[end], other)


def _with_vertices(line: shapely.LineString, points: Shapes) -> shapely.LineString:
    """A line with further vertices, each put in where the line passes it."""
    own = shapely.get_coordinates(line)
    far = np.r_[0.0, np.cumsum(np.hypot(*np.diff(own, axis=0).T))]
    at = np.concatenate([far, shapely.line_locate_point(line, points)])
    order = np.argsort(at, kind="stable")
    return shapely.LineString(np.concatenate([own, shapely.get_coordinates(points)])[order])


def _places(xy: Array) -> Numbers:
    """The number of the place of each vertex: vertices that round to the same one share it."""
    cell = np.round(xy / SAME_M).astype(np.int64)
    return np.unique(cell, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _outer(line: Numbers) -> tuple[Numbers, Numbers]:
    """The positions of the first and of the last vertex of each part."""
    change = np.flatnonzero(np.diff(line)) if line.size else np.empty(0, dtype=np.int64)
    return np.r_[0, change + 1][: line.size], np.r_[change, line.size - 1][: max(line.size, 0)]


def _cuts(line: Numbers, place: Numbers, named: Flags, touch: _Touch) -> Flags:
    """Which vertices are nodes: the ends, what parts without names share, and where ends touch others."""
    first, last = _outer(line)
    cut = np.zeros(line.size, dtype=bool)
    cut[first] = cut[last] = True
    joins = ~named[line] | cut
    shared = np.bincount(place[joins], minlength=place.max(initial=0) + 1) >= 2
    cut |= ~named[line] & shared[place]
    end = place[np.where(touch.last, last[touch.part], first[touch.part])]
    places = int(place.max(initial=0)) + 1
    return np.asarray(cut | np.isin(line * places + place, touch.other * places + end))


def _labels(line: Numbers, place: Numbers, owner: Numbers, named: Flags, ends: Ends | None) -> Numbers:
    """What node each vertex would be: the one of its place, at the ends of named parts the one of that name."""
    label_of = np.arange(place.max(initial=0) + 1)
    label = place.copy()
    if ends is not None and named.any():
        first, last = _outer(line)
        at = np.concatenate([first[named], last[named]])
        names = [str(ends[side][i]) for side in (0, 1) for i in owner[named].tolist()]
        number = label_of.size + np.unique(names, return_inverse=True)[1].reshape(-1)
        # Where parts without names meet named ends, they join one of them.
        label_of[place[at]] = number
        label = label_of[place]
        label[at] = number
    return label


def _edges(plane: Plane, xy: Array, line: Numbers, cut: Flags, label: Numbers, owner: Numbers) -> Network:
    at = np.flatnonzero(cut)
    same = line[at[:-1]] == line[at[1:]]
    start, end = at[:-1][same], at[1:][same]
    node = np.unique(label[np.concatenate([start, end])], return_inverse=True)[1].reshape(2, -1).astype(np.int64)
    lon, lat = plane.degrees(xy[:, 0], xy[:, 1])
    steps = distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:])
    far = np.r_[0.0, np.cumsum(steps)]
    length = far[end] - far[start]
    real = (length > 0.0) if length.size else np.zeros(0, dtype=bool)
    start, end, node, length = start[real], end[real], node[:, real], length[real]
    size = end - start + 1
    of_edge = np.repeat(np.arange(size.size), size)
    vertex = np.arange(of_edge.size) - np.repeat(np.cumsum(size) - size, size) + np.repeat(start, size)
    shapes: Shapes = shapely.linestrings(xy[vertex], indices=of_edge) if size.size else np.empty(0, dtype=object)
    nodes = int(node.max(initial=-1)) + 1
    return Network(plane, nodes, node[0], node[1], owner[line[start]].astype(np.int64), length, shapes)
