"""Crossings of the road network: their arms, clockwise, and what people call them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from etl.demo.ground import Ground
from etl.demo.network import azimuth
from etl.demo.plane import Array, Numbers, Texts
from etl.demo.streets import MOTORWAY

_LOOK_AHEAD_M = 20.0


@dataclass(frozen=True)
class Crossings:
    """Arms of road at crossings of three and more, ordered by crossing and azimuth.

    `first` and `arms` say where in the arm arrays each crossing begins and how many it has; `heading` (degrees) and
    `piece` are given per arm; `nodes` are positions in the plane, `names` such as 人民路与工农路路口, `kind` is the
    highest class.
    """

    nodes: Array
    names: Texts
    kind: Numbers
    grid: Numbers
    first: Numbers
    arms: Numbers
    heading: Array
    piece: Numbers


def crossings(ground: Ground) -> Crossings:
    """All crossings at which three or more roads (but no motorway) meet."""
    net = ground.net
    usable = np.flatnonzero(net.kind != MOTORWAY)
    node = np.concatenate([net.start[usable], net.end[usable]])
    piece = np.concatenate([usable, usable])
    lines = net.shapes[usable]
    reach = np.minimum(_LOOK_AHEAD_M, net.length[usable] * 0.9)
    ahead = np.concatenate([shapely.line_interpolate_point(lines, way) for way in (reach, -reach)])
    heading = azimuth(shapely.get_coordinates(ahead) - net.nodes[node])
    busy = np.bincount(node, minlength=len(net.nodes))[node] >= 3
    node, piece, heading = node[busy], piece[busy], heading[busy]
    order = np.lexsort((heading, node))
    node, piece, heading = node[order], piece[order], heading[order]
    found, first, arms = np.unique(node, return_index=True, return_counts=True)
    return Crossings(
        nodes=net.nodes[found], names=_names(net.names[piece], net.kind[piece], first, arms),
        kind=np.minimum.reduceat(net.kind[piece], first), grid=net.grid[piece[first]],
        first=first.astype(np.int64), arms=arms.astype(np.int64), heading=heading, piece=piece,
    )  # fmt: skip


def corners(found: Crossings, which: Numbers, corner: Numbers, offset_m: Array) -> Array:
    """A point at crossings, between the arm `corner` (counted round and round) and the next one."""
    count = found.arms[which]
    a = found.heading[found.first[which] + corner % count]
    b = found.heading[found.first[which] + (corner + 1) % count]
    middle = np.radians(a + ((b - a) % 360.0) / 2.0)
    return np.asarray(found.nodes[which] + offset_m[:, None] * np.column_stack([np.sin(middle), np.cos(middle)]))


def _names(roads: Texts, kind: Numbers, first: Numbers, arms: Numbers) -> Texts:
    """The two bigger roads that meet; only one name where a road is crossed by itself."""
    titles = []
    for start, count in zip(first.tolist(), arms.tolist(), strict=True):
        here = sorted(range(start, start + count), key=lambda arm: (int(kind[arm]), arm))
        big = list(dict.fromkeys(roads[arm] for arm in here))[:2]
        titles.append("与".join(big) + "路口")
    return np.array(titles, dtype=object)
