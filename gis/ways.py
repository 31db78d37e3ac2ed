"""Ways over a network: how far one gets in a time, and the quickest way from place to place.

Both begin and end part-way along an edge, not only at nodes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from shapely.ops import substring

from gis.network import Array, Network, Numbers, Shapes


@dataclass(frozen=True)
class Stand:
    """A place on an edge: `share` of its length from the tail, and how far from the road the asker stands."""

    edge: int
    share: float
    off_m: float


@dataclass(frozen=True)
class Part:
    """The part of an edge between two shares of its length."""

    edge: int
    start: float
    end: float


@dataclass(frozen=True)
class Leg:
    """A part of a way along one edge; `start` is greater than `end` where it is gone backwards."""

    edge: int
    start: float
    end: float
    metres: float
    seconds: float


@dataclass(frozen=True)
class Way:
    """The quickest way: its time and its length, leg by leg."""

    seconds: float
    metres: float
    legs: tuple[Leg, ...]


class Ways:
    """A network as one kind of traveller sees it.

    `forward_s`, `backward_s` are the seconds along each edge from tail to head and back, infinite where one may not go.
    """

    def __init__(self, network: Network, forward_s: Array, backward_s: Array) -> None:
        self.network = network
        self.forward_s, self.backward_s = forward_s, backward_s
        self._build()

    def _build(self) -> None:
        """The sparse matrix of times; of several edges between two nodes the quickest counts."""
        net, count = self.network, self.network.tail.size
        start = np.concatenate([net.tail, net.head])
        end = np.concatenate([net.head, net.tail])
        seconds = np.concatenate([self.forward_s, self.backward_s])
        edge = np.tile(np.arange(count), 2)
        open_ = np.flatnonzero(np.isfinite(seconds) & (start != end))
        order = open_[np.lexsort((seconds[open_], end[open_], start[open_]))]
        first = np.r_[True, (np.diff(start[order]) != 0) | (np.diff(end[order]) != 0)][: order.size]
        order = order[first]
        self._end, self._seconds, self._edge = end[order], seconds[order], edge[order]
        self._first = np.searchsorted(start[order], np.arange(net.nodes + 1))

    @cached_property
    def _open(self) -> tuple[Numbers, shapely.STRtree]:
        usable = np.flatnonzero(np.isfinite(np.minimum(self.forward_s, self.backward_s)))
        return usable, shapely.STRtree(self.network.shapes[usable])

    def stand(self, lon: float, lat: float) -> Stand | None:
        """The place on an open road nearest to a point; None where none is open, or none on this side of the earth."""
        usable, tree = self._open
        x, y = (float(v) for v in self.network.plane.metres(lon, lat))
        if usable.size == 0 or not (math.isfinite(x) and math.isfinite(y)):
            return None
        point = shapely.Point(x, y)
        edge = int(usable[int(tree.nearest(point))])
        shape = self.network.shapes[edge]
        share = float(shapely.line_locate_point(shape, point, normalized=True))
        return Stand(edge, min(1.0, max(0.0, share)), float(shapely.distance(shape, point)))

    def times(self, start: Stand, *, limit_s: float = np.inf) -> Array:
        """The seconds to every node; infinite beyond the limit and where no way leads."""
        return self._dijkstra(start, limit_s)[0]

    def reached(self, start: Stand, seconds: float) -> list[Part]:
        """The parts of edges that one reaches in the time, cut where it ends, ordered by edge."""
        times, _ = self._dijkstra(start, seconds)
        net = self.network
        with np.errstate(invalid="ignore", divide="ignore"):
            ahead = _share(seconds - times[net.tail], self.forward_s)
            back = 1.0 - _share(seconds - times[net.head], self.backward_s)
        touched = np.flatnonzero((ahead > 0.0) | (back < 1.0))
        spans = {int(e): [(0.0, float(ahead[e])), (float(back[e]), 1.0)] for e in touched}
        here = spans.setdefault(start.edge, [])
        before = _reach(seconds, float(self.backward_s[start.edge]))
        after = _reach(seconds, float(self.forward_s[start.edge]))
        here.append((max(0.0, start.share - before), min(1.0, start.share + after)))
        return [Part(edge, a, b) for edge in sorted(spans) for a, b in _merged(spans[edge])]

    def way(self, start: Stand, end: Stand) -> Way | None:
        """The quickest way; None where none leads."""
        times, before = self._dijkstra(start, np.inf)
        net, edge = self.network, end.edge
        choices = [
            (float(times[net.tail[edge]]) + _take(end.share, self.forward_s[edge]), int(net.tail[edge]), 0.0),
            (float(times[net.head[edge]]) + _take(1.0 - end.share, self.backward_s[edge]), int(net.head[edge]), 1.0),
        ]
        seconds, node, side = min(choices)
        along = self._along(start, end)
        if along is not None and along.seconds <= seconds:
            return Way(along.seconds, along.metres, (along,))
        if not np.isfinite(seconds):
            return None
        last = self._leg(edge, side, end.share)
        legs = tuple(leg for leg in (*self._legs_to(node, before, start), last) if leg.metres) or (last,)
        return Way(sum(leg.seconds for leg in legs), sum(leg.metres for leg in legs), legs)

    def _along(self, start: Stand, end: Stand) -> Leg | None:
        """The direct way where both stand on one edge and the direction is open."""
        if start.edge != end.edge:
            return None
        leg = self._leg(start.edge, start.share, end.share)
        return leg if np.isfinite(leg.seconds) else None

    def _leg(self, edge: int, start: float, end: float) -> Leg:
        whole = self.forward_s[edge] if end >= start else self.backward_s[edge]
        share = abs(end - start)
        return Leg(edge, start, end, share * float(self.network.length_m[edge]), _take(share, whole))

    def _legs_to(self, node: int, before: Numbers, start: Stand) -> list[Leg]:
        """The legs from the start to a node, read backwards from the predecessors."""
        net, source = self.network, self.network.nodes
        legs: list[Leg] = []
        while (came := int(before[node])) != source:
            row = slice(int(self._first[came]), int(self._first[came + 1]))
            edge = int(self._edge[row][np.searchsorted(self._end[row], node)])
            forward = int(net.tail[edge]) == came and self.forward_s[edge] <= self._reverse_s(edge, came)
            legs.append(self._leg(edge, 0.0, 1.0) if forward else self._leg(edge, 1.0, 0.0))
            node = came
        ends = [self._leg(start.edge, start.share, side) for side in self._sides(start.edge, node)]
        return [min(ends, key=lambda leg: leg.seconds), *reversed(legs)]

    def _reverse_s(self, edge: int, node: int) -> float:
        """The seconds backwards where that, too, would lead away from the node (a loop); else infinite."""
        return float(self.backward_s[edge]) if int(self.network.head[edge]) == node else np.inf

    def _sides(self, edge: int, node: int) -> list[float]:
        ends = ((0.0, self.network.tail[edge]), (1.0, self.network.head[edge]))
        return [side for side, at in ends if int(at) == node]

    def _dijkstra(self, start: Stand, limit_s: float) -> tuple[Array, Numbers]:
        """Times and predecessors of all nodes; the start is one more node, joined to both ends of its edge."""
        # Only who asks for ways pays for scipy: it is a good part of a process's start and memory.
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import dijkstra

        net, edge = self.network, start.edge
        links: dict[int, float] = {}
        for node, seconds in (
            (int(net.head[edge]), _take(1.0 - start.share, self.forward_s[edge])),
            (int(net.tail[edge]), _take(start.share, self.backward_s[edge])),
        ):
            links[node] = min(seconds, links.get(node, np.inf))
        links = {node: seconds for node, seconds in sorted(links.items()) if np.isfinite(seconds)}
        end = np.concatenate([self._end, np.fromiter(links, dtype=np.int64)])
        seconds_of = np.concatenate([self._seconds, np.fromiter(links.values(), dtype=np.float64)])
        first = np.append(self._first, end.size)
        size = net.nodes + 1
        matrix = csr_array((seconds_of, end, first), shape=(size, size))
        times, before = dijkstra(matrix, indices=net.nodes, limit=limit_s, return_predecessors=True)
        return np.asarray(times)[:-1], np.asarray(before, dtype=np.int64)[:-1]


def part_shapes(network: Network, parts: Sequence[Part]) -> Shapes:
    """The lines of parts of edges, on the sheet of the network."""
    edges = np.array([part.edge for part in parts], dtype=np.int64)
    shapes: Shapes = network.shapes[edges].copy()
    for i, part in enumerate(parts):
        if part.start > 0.0 or part.end < 1.0:
            shapes[i] = substring(shapes[i], part.start, part.end, normalized=True)
    return shapes


def way_shape(network: Network, legs: Sequence[Leg]) -> shapely.LineString:
    """The line of legs in lon, lat; legs of no length are a line between twice the same point."""
    parts = [substring(network.shapes[leg.edge], leg.start, leg.end, normalized=True) for leg in legs]
    points = np.concatenate([shapely.get_coordinates(part) for part in parts])
    step = np.any(np.diff(points, axis=0) != 0.0, axis=1)
    points = points[np.r_[True, step]] if step.any() else points[[0, 0]]
    shape: shapely.LineString = network.plane.round(np.array([shapely.LineString(points)], dtype=object))[0]
    return shape


def _take(share: float, whole_s: float) -> float:
    """The seconds for a share of an edge; none at all for no share, even where one may not go."""
    return share * float(whole_s) if share else 0.0


def _share(left_s: Array, whole_s: Array) -> Array:
    """The share of each edge that the time left suffices for: 0 where there is none left or one may not go."""
    share = np.where(left_s >= 0.0, left_s / whole_s, 0.0)
    return np.asarray(np.clip(np.nan_to_num(share, nan=0.0, posinf=1.0), 0.0, 1.0))


def _reach(seconds: float, whole_s: float) -> float:
    return seconds / whole_s if whole_s > 0.0 else 1.0


def _merged(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans of shares, those that touch put together, those without length left out."""
    merged: list[tuple[float, float]] = []
    for a, b in sorted(span for span in spans if span[1] > span[0]):
        if merged and a <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
        else:
            merged.append((a, b))
    return merged
