"""The area around lines, against the plain union of what lies around each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from gis.around import area_around

PLACES = st.tuples(st.integers(-3_000, 3_000), st.integers(-3_000, 3_000))
LINES = st.lists(st.lists(PLACES, min_size=2, max_size=5).filter(lambda line: line[0] != line[-1]), max_size=25)


def lines(*paths: Sequence[tuple[float, float]]) -> np.ndarray:
    return np.array([shapely.LineString(path) for path in paths], dtype=object)


def grid(*, blocks: int, width: float) -> np.ndarray:
    """The streets of a chequered town."""
    ways = [i * width for i in range(blocks + 1)]
    segments = [((a, c), (b, c)) for a, b in zip(ways[:-1], ways[1:], strict=True) for c in ways]
    return lines(*([p, q] for p, q in segments), *([p[::-1], q[::-1]] for p, q in segments))


# The union that GEOS makes of what lies around these three loses a hole, so each is held against the area by itself.
@example([[(0, 0), (-432, 1199)], [(0, 195), (1027, 221), (0, -1)], [(0, 195), (1027, 221), (0, -1)]])
@given(LINES)
def test_it_is_what_lies_around_each_line_within_the_tolerance(paths: list[list[tuple[float, float]]]) -> None:
    shapes = lines(*paths)
    area = area_around(shapes, radius_m=60, smallest_hole_m2=1_000)
    assert area.is_valid
    beyond = reduce(shapely.difference, shapely.buffer(shapes, 60 * 1.02, quad_segs=16), area)
    assert (shapely.area(shapely.get_parts(beyond)) < 1_000).all()  # holes that have been filled
    least = shapely.buffer(shapes, 60 * 0.94, quad_segs=16)
    assert (shapely.area(shapely.difference(least, area)) < 1e-3).all()


def test_streets_that_end_within_a_block_and_beyond_the_last_one_count() -> None:
    ring = [(0.0, 0.0), (900.0, 0.0), (900.0, 900.0), (0.0, 900.0), (0.0, 0.0)]
    shapes = lines(ring, [(450.0, 0.0), (450.0, 400.0)], [(900.0, 450.0), (1_400.0, 450.0)], [(300, 600), (500, 600)])
    exact = shapely.union_all(shapely.buffer(shapes, 60, quad_segs=4))
    area = area_around(shapes, radius_m=60, smallest_hole_m2=100)
    assert len(area.geoms) == len(exact.geoms) == 2
    assert shapely.symmetric_difference(area, exact).area < 0.001 * exact.area


def test_a_bay_that_the_surroundings_close_is_a_hole() -> None:
    bay = lines([(0.0, 0.0), (0.0, 900.0), (900.0, 900.0), (900.0, 0.0), (50.0, 0.0)])
    assert len(area_around(bay, radius_m=60, smallest_hole_m2=780**2 - 1).geoms[0].interiors) == 1
    assert len(area_around(bay, radius_m=60, smallest_hole_m2=780**2 + 1).geoms[0].interiors) == 0


def test_holes_are_filled_where_they_are_smaller() -> None:
    town = grid(blocks=30, width=400)
    exact = shapely.union_all(shapely.buffer(town, 30, quad_segs=4))
    assert len(exact.interiors) == 900
    assert area_around(town, radius_m=30, smallest_hole_m2=340**2 - 1).area == pytest.approx(exact.area, rel=1e-9)
    filled = area_around(town, radius_m=30, smallest_hole_m2=340**2 + 1)
    assert len(filled.geoms[0].interiors) == 0
    assert filled.area == pytest.approx(shapely.Polygon(exact.exterior).area, rel=1e-9)


def test_what_lies_in_a_filled_hole_goes_with_it() -> None:
    ring = [(0.0, 0.0), (900.0, 0.0), (900.0, 900.0), (0.0, 900.0), (0.0, 0.0)]
    both = lines(ring, [(440.0, 450.0), (460.0, 450.0)])
    island = shapely.buffer(both[1], 30, quad_segs=4).area
    with_hole = area_around(both, radius_m=30, smallest_hole_m2=840**2 - island - 1)
    assert len(with_hole.geoms) == 2
    filled = area_around(both, radius_m=30, smallest_hole_m2=840**2 - island + 1)
    assert len(filled.geoms) == 1
    assert filled.is_valid
    assert filled.area == pytest.approx(with_hole.area + 840**2 - island, rel=1e-9)


def test_the_area_around_nothing_is_empty() -> None:
    assert area_around(np.empty(0, dtype=object), radius_m=30, smallest_hole_m2=1).is_empty
