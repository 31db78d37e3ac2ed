"""Cells inside an area and on its edge: every descendant of a cell inside is inside, and none in the area is missed."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.cells import cells_of, parents, resolution
from gis.cover import Cover, cover

RNG = np.random.default_rng(3)


def held(covered: Cover, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which cells of res 10 lie under a cell inside, and which under one of the edge."""
    inside, edge = (np.zeros(cells.size, dtype=bool) for _ in range(2))
    for res in range(5, 10):
        up = parents(cells, res)
        inside |= np.isin(up, covered.inside[resolution(covered.inside) == res])
        edge |= np.isin(up, covered.edge[resolution(covered.edge) == res])
    return inside, edge


def check(area: shapely.Geometry) -> None:
    covered = cover(area)
    assert covered is not None
    west, south, east, north = shapely.bounds(shapely.buffer(area, 0.02))
    lon, lat = RNG.uniform(west, east, 4_000), RNG.uniform(south, north, 4_000)
    cells = cells_of(lon, lat)
    inside, edge = held(covered, cells)
    really = shapely.intersects_xy(area, lon, lat)
    assert not (inside & edge).any()
    assert really[inside].all()
    assert (inside | edge)[really].all()
    order = np.argsort(covered.edge)
    for res in np.unique(resolution(covered.edge)).tolist():
        up = parents(cells[edge], res)
        box = covered.boxes[order[np.searchsorted(covered.edge[order], up)]]
        x, y = lon[edge], lat[edge]
        assert ((box[:, 0] <= x) & (x <= box[:, 2]) & (box[:, 1] <= y) & (y <= box[:, 3])).all()


@given(
    st.floats(120.2, 121.9), st.floats(31.6, 32.6), st.floats(0.0005, 0.4),
    st.lists(st.floats(0.2, 1.0), min_size=3, max_size=12),
)  # fmt: skip
def test_no_record_is_counted_wrongly(lon: float, lat: float, size: float, rays: list[float]) -> None:
    turns = np.linspace(0, 2 * np.pi, len(rays), endpoint=False)
    ring = np.column_stack([lon + size * np.array(rays) * np.cos(turns), lat + size * np.array(rays) * np.sin(turns)])
    check(shapely.Polygon(ring))


def test_an_area_of_parts_with_holes_is_covered() -> None:
    hole = shapely.Point(120.9, 32.0).buffer(0.05).difference(shapely.Point(120.9, 32.0).buffer(0.02))
    check(shapely.MultiPolygon([hole, shapely.box(121.2, 31.8, 121.3, 31.85)]))


def test_most_of_a_large_area_is_inside_large_cells() -> None:
    covered = cover(shapely.Point(120.9, 32.0).buffer(0.2, 64))
    assert covered is not None
    assert covered.inside.size < 2_000
    assert covered.edge.size < 3_000
    assert resolution(covered.inside).min() <= 6


@pytest.mark.parametrize("box", [(118, 30, 122, 31), (-180, -80, 180, 80)])
def test_an_area_that_is_too_wide_is_not_covered(box: tuple[float, float, float, float]) -> None:
    assert cover(shapely.box(*box)) is None
