"""Graphs of points and pairs of points, as arrays: neighbours, shortest ways, connected bodies."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
import shapely

from etl.demo.plane import Array, Numbers

Links = dict[int, list[tuple[int, float, int]]]
"""From a point: the point reached, the metres, and the number of the edge."""


def gabriel(points: Array) -> Numbers:
    """The (m, 2) pairs of the Gabriel graph: neighbours with no third point in the circle between them; connected."""
    triangles = shapely.get_parts(shapely.delaunay_triangles(shapely.multipoints(points)))
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3].reshape(-1, 2)
    vertex = shapely.STRtree(shapely.points(points)).nearest(shapely.points(corners)).reshape(-1, 3).astype(np.int64)
    first, second, apex = (np.concatenate([vertex[:, (k + j) % 3] for k in range(3)]) for j in range(3))
    middle = (points[first] + points[second]) / 2.0
    radius = np.hypot(*(points[first] - points[second]).T) / 2.0
    blocked = np.hypot(*(points[apex] - middle).T) < radius * (1.0 - 1e-9)
    key = np.minimum(first, second) * len(points) + np.maximum(first, second)
    edges, index = np.unique(key, return_inverse=True)
    bad = np.bincount(index, weights=blocked, minlength=len(edges)) > 0
    return np.column_stack(np.divmod(edges[~bad], len(points)))


def linked(pairs: Numbers, length: Array) -> Links:
    """The links from every point of the (m, 2) pairs, each pair of the given length in metres."""
    links: Links = {}
    for edge, ((a, b), metres) in enumerate(zip(pairs.tolist(), length.tolist(), strict=True)):
        links.setdefault(a, []).append((b, metres, edge))
        links.setdefault(b, []).append((a, metres, edge))
    return links


def shortest_ways(links: Links, start: int) -> dict[int, tuple[int, int]]:
    """For every reachable point the point and the edge before it, on the shortest way from `start`."""
    came: dict[int, tuple[int, int]] = {}
    done: set[int] = set()
    queue: list[tuple[float, int, int, int]] = [(0.0, start, -1, -1)]
    while queue:
        far, here, before, edge = heappop(queue)
        if here in done:
            continue
        done.add(here)
        came[here] = (before, edge)
        for there, metres, link in links.get(here, ()):
            heappush(queue, (far + metres, there, here, link))
    return came


def bodies(count: int, left: Numbers, right: Numbers) -> Numbers:
    """Label each of `count` points by the smallest point that the pairs connect it with."""
    label = np.arange(count, dtype=np.int64)
    while True:
        lower = label.copy()
        np.minimum.at(lower, left, label[right])
        np.minimum.at(lower, right, label[left])
        lower = lower[lower]
        if (lower == label).all():
            return label
        label = lower
