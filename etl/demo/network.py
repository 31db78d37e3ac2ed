"""The road network of the demo city: centre lines cut at their crossings, every piece reachable from every other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from etl.demo.graph import bodies
from etl.demo.plane import Array, Flags, Numbers, Shapes, Texts, owner_of
from etl.demo.streets import MOTORWAY, PRIMARY, RESIDENTIAL, Lines

_SNAP_M = 0.05
_MISSING_STREETS = 0.08
_DOORS_M = 8.0
WIDTH_M = np.array([26.0, 24.0, 22.0, 16.0, 11.0, 6.0])
"""Width of the carriageway by class."""


@dataclass(frozen=True)
class Network:
    """Pieces of road between two nodes, in the plane.

    `grid` is the grid (position) that holds the middle of the piece; `door` the house number at which it starts.
    """

    shapes: Shapes
    kind: Numbers
    names: Texts
    urban: Flags
    start: Numbers
    end: Numbers
    nodes: Array
    length: Array
    grid: Numbers
    door: Numbers


def network(lines: Lines, grids: Shapes, *, rng: np.random.Generator) -> Network:
    """Cut the lines at their crossings and keep what hangs together; motorways join others only at big roads."""
    shapes = shapely.get_parts(shapely.union_all(lines.shapes, grid_size=_SNAP_M))
    source = _sources(shapes, lines)
    kind, urban = lines.kind[source], lines.urban[source]
    middle = shapely.get_coordinates(shapely.line_interpolate_point(shapes, 0.5, normalized=True))
    grid = owner_of(middle, grids)
    there = (grid >= 0) & ~((kind == RESIDENTIAL) & urban & (rng.random(len(shapes)) < _MISSING_STREETS))
    start, end, nodes = _nodes(shapes, kind)
    label = bodies(len(nodes), start[there], end[there])
    main = np.bincount(label[start[there]]).argmax()
    kept = there & (label[start] == main)
    used, ends = np.unique(np.concatenate([start[kept], end[kept]]), return_inverse=True)
    start, end = ends.reshape(2, -1).astype(np.int64)
    titles = np.array(lines.names, dtype=object)[source[kept]]
    length = np.asarray(shapely.length(shapes[kept]))
    door = _doors(titles, grid[kept], length)
    return Network(
        shapes=shapes[kept], kind=kind[kept], names=titles, urban=urban[kept], start=start, end=end,
        nodes=nodes[used], length=length, grid=grid[kept], door=door,
    )  # fmt: skip


def along(net: Network, piece: Numbers, share: Array) -> tuple[Array, Array]:
    """The points at a share (0 to 1) of the length of pieces, and the unit vectors in which the road goes on there."""
    lines = net.shapes[piece]
    here = shapely.get_coordinates(shapely.line_interpolate_point(lines, share, normalized=True))
    low, high = np.clip(share - 0.02, 0.0, 1.0), np.clip(share + 0.02, 0.0, 1.0)
    before = shapely.get_coordinates(shapely.line_interpolate_point(lines, low, normalized=True))
    after = shapely.get_coordinates(shapely.line_interpolate_point(lines, high, normalized=True))
    way = after - before
    return here, way / np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)[:, None]


def beside(points: Array, way: Array, offset_m: Array) -> Array:
    """The points moved to the left (positive) or right (negative) of the way."""
    left = np.column_stack([-way[:, 1], way[:, 0]])
    return np.asarray(points + left * offset_m[:, None])


def door_numbers(net: Network, piece: Numbers, share: Array, side: Array) -> Numbers:
    """House numbers at a share of the length: odd on the left (side > 0), even on the right."""
    steps = np.floor(share * net.length[piece] / _DOORS_M).astype(np.int64)
    return np.asarray(2 * (net.door[piece] + steps) + np.where(side > 0, 1, 2))


def azimuth(way: Array) -> Array:
    """Degrees clockwise from north of unit vectors."""
    return np.asarray(np.degrees(np.arctan2(way[:, 0], way[:, 1])) % 360.0)


def _sources(pieces: Shapes, lines: Lines) -> Numbers:
    """The line that each piece was cut from; where two run together, the one of the higher class."""
    middle = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    tree = shapely.STRtree(lines.shapes)
    piece, line = tree.query(middle, predicate="dwithin", distance=4.0 * _SNAP_M)
    order = np.lexsort((line, lines.kind[line], piece))[::-1]
    source = np.asarray(tree.nearest(middle), dtype=np.int64)
    source[piece[order]] = line[order]
    return source


def _nodes(shapes: Shapes, kind: Numbers) -> tuple[Numbers, Numbers, Array]:
    """The nodes at the two ends of each piece; over and under a motorway two nodes lie at the same place."""
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(shapes, i)) for i in (0, -1)])
    cell = np.round(ends / _SNAP_M).astype(np.int64)
    place, at = np.unique(cell, axis=0, return_inverse=True)
    at = at.reshape(-1)
    motorway = np.tile(kind == MOTORWAY, 2)
    joins = np.zeros(len(place), dtype=bool)
    joins[at[np.tile((kind != MOTORWAY) & (kind <= PRIMARY), 2)]] = True
    level = 2 * at + (motorway & ~joins[at])
    key, node = np.unique(level, return_inverse=True)
    start, end = node.reshape(2, -1).astype(np.int64)
    return start, end, np.asarray(place[key // 2] * _SNAP_M, dtype=np.float64)


def _doors(titles: Texts, grid: Numbers, length: Array) -> Numbers:
    """Where the house numbers of each piece begin: pieces of one name in one grid neighbourhood are numbered on."""
    _, code = np.unique(titles.astype(str), return_inverse=True)
    order = np.lexsort((grid, code))
    steps = np.ceil(length[order] / _DOORS_M).astype(np.int64)
    total = np.cumsum(steps) - steps
    first = np.r_[True, np.diff(code[order]) != 0]
    base = np.maximum.accumulate(np.where(first, total, 0))
    door = np.empty(len(length), dtype=np.int64)
    # A name may be borne by many streets of the city: numbers stay below a few hundred.
    door[order] = (total - base) % 400
    return door
