from __future__ import annotations

import time

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.ask.locate import Locator
from tests.conftest import Database
from tests.layers import small_city

DEGREE_M = 111_195 * np.cos(np.radians(32.05))


@pytest.fixture(scope="module")
def locator() -> Locator:
    areas = small_city.areas()
    return Locator(areas["grid"], areas["town"], areas["county"])


def place(locator: Locator, *shapes: shapely.Geometry | None) -> list[tuple[str | None, str | None]]:
    grids, codes = locator.place(np.array(shapes, dtype=object))
    return list(zip(grids.tolist(), codes.tolist(), strict=True))


def test_a_point_lies_in_its_grid_and_the_town_of_the_grid(locator: Locator) -> None:
    assert place(locator, shapely.Point(120.82, 32.05)) == [("320613001001001", "320613001")]


def test_a_point_on_a_shared_border_belongs_to_the_lowest_id(locator: Locator) -> None:
    assert place(locator, shapely.Point(120.9, 32.05)) == [("320613001001002", "320613001")]


@pytest.mark.parametrize(("metres", "inside"), [(10, True), (45, True), (55, False), (5000, False)])
def test_a_point_just_outside_belongs_to_the_nearest_grid(locator: Locator, metres: float, inside: bool) -> None:
    outside = shapely.Point(120.8 - metres / DEGREE_M, 32.05)
    assert place(locator, outside) == [("320613001001001", "320613001") if inside else (None, None)]


def test_lines_and_areas_lie_where_a_point_on_them_lies(locator: Locator) -> None:
    line = shapely.LineString([(120.81, 32.02), (120.84, 32.02)])
    assert place(locator, line, shapely.box(121.01, 32.01, 121.02, 32.02)) == [
        ("320613001001001", "320613001"),
        ("320614100001001", "320614100"),
    ]


def test_missing_and_empty_geometries_lie_nowhere(locator: Locator) -> None:
    assert place(locator, None, shapely.Point(), shapely.Polygon()) == [(None, None)] * 3
    assert locator.place(np.array([], dtype=object))[0].size == 0


def test_without_a_grid_the_code_is_that_of_the_town_and_then_of_the_county() -> None:
    areas = small_city.areas()
    some = Locator(areas["grid"].iloc[:1], areas["town"].iloc[:2], areas["county"])
    assert place(some, shapely.Point(120.95, 32.05), shapely.Point(121.15, 32.05)) == [
        (None, "320613002"),
        (None, "320614"),
    ]


def test_a_grid_without_a_code_leaves_it_to_the_town() -> None:
    areas = small_city.areas()
    bare = Locator(areas["grid"].assign(admin_code=None), areas["town"], areas["county"])
    assert place(bare, shapely.Point(120.82, 32.05)) == [("320613001001001", "320613001")]


def test_a_city_without_areas_places_nothing() -> None:
    none = gpd.GeoDataFrame({"id": [], "admin_code": []}, geometry=[], crs="EPSG:4326")
    assert place(Locator(none, none, none), shapely.Point(120.82, 32.05)) == [(None, None)]


@given(st.lists(st.tuples(st.floats(120.75, 121.25), st.floats(31.95, 32.15)), max_size=40))
def test_many_points_are_placed_as_one_by_one(points: list[tuple[float, float]]) -> None:
    areas = small_city.areas()
    locator = Locator(areas["grid"], areas["town"], areas["county"])
    shapes = [shapely.Point(point) for point in points]
    assert place(locator, *shapes) == [pair for shape in shapes for pair in place(locator, shape)]


def test_a_million_points_take_seconds() -> None:
    rng = np.random.default_rng(3)
    seeds = shapely.multipoints(rng.uniform((120.2, 31.7), (121.9, 32.7), (8470, 2)))
    city = shapely.box(120.2, 31.7, 121.9, 32.7)
    cells = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=city)), city)
    ids = [f"{i:015d}" for i in range(len(cells))]
    grids = gpd.GeoDataFrame({"id": ids, "admin_code": ids}, geometry=cells, crs="EPSG:4326")
    whole = gpd.GeoDataFrame({"id": ["320613"]}, geometry=[city], crs="EPSG:4326")
    points = shapely.points(rng.uniform((120.2, 31.7), (121.9, 32.7), (400_000, 2)))
    start = time.perf_counter()
    found, _ = Locator(grids, whole, whole).place(points)
    assert time.perf_counter() - start < 6  # about 0.6 s alone on one core
    assert all(found)


def test_the_areas_of_the_database_are_those_of_the_layers(database: Database, locator: Locator) -> None:
    small_city.fill(database.engine)
    with database.reader.connect() as connection:
        stored = Locator.from_database(connection)
    shapes = [shapely.Point(120.82, 32.05), shapely.Point(121.15, 32.05), shapely.Point(0, 0)]
    assert place(stored, *shapes) == place(locator, *shapes)
