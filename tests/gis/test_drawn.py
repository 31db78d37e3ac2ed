"""Where things are drawn: compared with every tile of a region, one by one."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.drawn import MOST_TILES, drawn, pack, unpack
from gis.tilegrid import Box, Tile, bounds_3857, tile_of, tiles_of_box

MARGIN = 64 / 4096
RADIUS_M = 6378137.0
lons = st.floats(120.0, 122.0)
lats = st.floats(31.5, 32.8)


def shapes(*geometries: shapely.Geometry | None) -> np.ndarray:
    return np.array(geometries, dtype=object)


def mercator(shape: shapely.Geometry) -> shapely.Geometry:
    def project(xy: np.ndarray) -> np.ndarray:
        lon, lat = np.radians(xy).T
        return np.column_stack([lon * RADIUS_M, np.arctanh(np.sin(lat)) * RADIUS_M])

    return shapely.transform(shape, project)


def one_by_one(shape: shapely.Geometry, zooms: range, *, slack: float) -> set[int]:
    """Every tile of the shape's box whose buffered square meets the shape in Web Mercator."""
    flat = mercator(shape)
    found = set()
    for tile in tiles_of_box(Box(*shape.bounds), zooms, margin=MARGIN + 1e-6):
        west, south, east, north = bounds_3857(Tile(*tile))
        grown = (east - west) * (MARGIN + slack)
        if shapely.intersects(flat, shapely.box(west - grown, south - grown, east + grown, north + grown)):
            found.add(pack(*tile))
    return found


def agrees(shape: shapely.Geometry, zooms: range) -> None:
    told = drawn(shapes(shape), zooms, margin=MARGIN)
    # What lies on an edge to the last bit may be told or not: no less than the sure ones, no more than the possible.
    assert one_by_one(shape, zooms, slack=-1e-6) <= told.keys <= one_by_one(shape, zooms, slack=1e-6)


@given(st.integers(0, 23).flatmap(lambda z: st.tuples(st.just(z), *[st.integers(0, (1 << z) - 1)] * 2)))
def test_a_tile_comes_back_from_its_number(tile: tuple[int, int, int]) -> None:
    assert unpack(pack(*tile)) == tile


@given(lons, lats)
def test_a_point_is_drawn_on_its_tile_and_on_those_whose_buffer_it_lies_in(lon: float, lat: float) -> None:
    agrees(shapely.Point(lon, lat), range(6, 17))


@given(st.lists(st.tuples(lons, lats), min_size=2, max_size=4, unique=True))
def test_a_line_is_drawn_on_the_tiles_that_it_crosses_and_no_others(points: list[tuple[float, float]]) -> None:
    agrees(shapely.LineString(points), range(6, 11))


@given(lons, lats, st.floats(0.0005, 0.02))
def test_an_area_is_drawn_on_the_tiles_that_it_covers(lon: float, lat: float, radius: float) -> None:
    agrees(shapely.Point(lon, lat).buffer(radius), range(6, 14))


@given(lons, lats)
def test_what_lies_on_very_many_tiles_names_those_above_them_instead(lon: float, lat: float) -> None:
    area = shapely.Point(lon, lat).buffer(0.3)
    told = drawn(shapes(area), range(6, 17), margin=MARGIN)
    assert told.under
    assert len(told.keys) + len(told.under) <= 2 * MOST_TILES
    for key in one_by_one(area, range(6, 12), slack=-1e-6):
        assert key in told
        z, x, y = unpack(key)
        if key in told.under:
            assert pack(16, x << (16 - z), y << (16 - z)) in told
    far = pack(16, 0, 0)
    assert far not in told


def test_nothing_is_drawn_nowhere() -> None:
    told = drawn(shapes(None, shapely.Point()), range(6, 17), margin=MARGIN)
    assert not told.keys
    assert not told.under
    assert not drawn(shapes(shapely.Point(121, 32)), range(6, 6), margin=MARGIN).keys


def test_many_points_are_drawn_where_each_of_them_is() -> None:
    rng = np.random.default_rng(4)
    points = shapely.points(rng.uniform(120.2, 121.9, 300), rng.uniform(31.7, 32.7, 300))
    apart = set().union(*(drawn(shapes(p), range(6, 17), margin=MARGIN).keys for p in points))
    assert drawn(points, range(6, 17), margin=MARGIN).keys == apart


def test_what_lies_all_over_a_country_is_told_in_few_words_however_deep_its_zooms_begin() -> None:
    country = shapely.box(75.0, 20.0, 135.0, 50.0)
    across = shapely.LineString([(75.0, 20.0), (135.0, 50.0)])
    for shape in (country, across):
        found = drawn(shapes(shape), range(14, 17), margin=MARGIN)
        assert len(found.keys) + len(found.under) < 8 * MOST_TILES
        assert pack(*tile_of(105.0, 35.65, 15)) in found or shape is across
    assert pack(*tile_of(75.0, 20.0, 16)) in drawn(shapes(across), range(14, 17), margin=MARGIN)
