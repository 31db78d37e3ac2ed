from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from layers.ask.reverse import Named, reverse
from layers.errors import BadField
from layers.store.cluster import Cluster
from tests.layers import small_city

ALL = small_city.LAYERS


@pytest.fixture(scope="module")
def connection(cluster: Cluster, template: str) -> Iterator[sa.Connection]:
    """A reader of the small city, which these tests never change."""
    with small_city.reader(cluster, template) as reader:
        yield reader


def test_a_point_is_told_with_its_areas_cell_and_frames(connection: sa.Connection) -> None:
    here = reverse(connection, 120.8943, 32.05, layers=ALL)
    assert here.grid == Named("320613001001002", "城东社区第2网格")
    assert here.duty_grid == Named("d1", "城东第一责任区")
    assert here.town == Named("320613001", "城东街道")
    assert here.county == Named("320613", "崇川区")
    assert here.cell.startswith("8a30")
    assert set(here.frames) == {"EPSG:4326", "EPSG:4549", "GCJ-02", "BD-09"}
    assert here.frames["EPSG:4326"] == (120.8943, 32.05)


def test_the_frames_are_those_of_the_test_vectors(connection: sa.Connection) -> None:
    frames = reverse(connection, 120.8943, 31.9802, layers=[]).frames
    assert frames["EPSG:4549"] == (584524.890, 3540006.265)
    assert frames["GCJ-02"] == pytest.approx((120.89851566, 31.97803016), abs=1e-7)
    assert frames["BD-09"] == pytest.approx((120.90511330, 31.98366908), abs=1e-7)


def test_the_nearest_address_is_told_with_distance_and_direction(connection: sa.Connection) -> None:
    address = reverse(connection, 120.812, 32.05104, layers=ALL).address
    assert address is not None
    assert address.text == "人民路120号"
    assert address.distance_m == pytest.approx(110.9, abs=0.5)
    assert address.bearing == pytest.approx(0.0, abs=0.1)  # the point lies north of the address
    east = reverse(connection, 120.8215, 32.05004, layers=ALL).address
    assert east is not None
    assert (east.text, round(east.bearing)) == ("人民路200号", 90)


def test_without_an_address_the_place_and_then_the_road_is_named(connection: sa.Connection) -> None:
    by_place = reverse(connection, 120.8601, 32.0601, layers=ALL).address
    assert by_place is not None
    assert by_place.text == "人民公园"
    by_road = reverse(connection, 120.93, 32.021, layers=ALL).address
    assert by_road is not None
    assert by_road.text == "海门路"


def test_beyond_three_hundred_metres_there_is_no_address(connection: sa.Connection) -> None:
    assert reverse(connection, 120.98, 32.01, layers=ALL).address is None


@pytest.mark.parametrize(("metres", "inside"), [(40, True), (60, False)])
def test_a_point_just_outside_counts_to_the_nearest_area(
    connection: sa.Connection, metres: float, inside: bool
) -> None:
    lon = 120.8 - metres / (111_320 * math.cos(math.radians(32.05)))
    here = reverse(connection, lon, 32.05, layers=ALL)
    assert here.grid == (Named("320613001001001", "城东社区第1网格") if inside else None)


def test_a_point_on_a_border_belongs_to_the_lowest_id(connection: sa.Connection) -> None:
    here = reverse(connection, 120.9, 32.05, layers=ALL)
    assert here.grid is not None
    assert here.grid.id == "320613001001002"


def test_only_the_given_layers_are_told(connection: sa.Connection) -> None:
    here = reverse(connection, 120.812, 32.05, layers=[layer for layer in ALL if layer.name == "county"])
    assert (here.grid, here.duty_grid, here.town, here.address) == (None, None, None, None)
    assert here.county is not None


def test_far_away_there_is_only_the_cell_and_the_frames(connection: sa.Connection) -> None:
    here = reverse(connection, 0.0, 0.0, layers=ALL).as_json()
    assert {name for name, value in here.items() if value is None} == {"grid", "dutyGrid", "town", "county", "address"}


@pytest.mark.parametrize(
    ("lon", "lat", "field"),
    [(float("nan"), 32.0, "lon"), (120.0, float("nan"), "lat"), (181.0, 32.0, "lon"), (120.0, 91.0, "lat"),
     (float("inf"), 0.0, "lon"), (32.0, 120.9, "lat")],
)  # fmt: skip
def test_a_point_that_is_no_place_is_refused_by_name(
    connection: sa.Connection, lon: float, lat: float, field: str
) -> None:
    with pytest.raises(BadField) as refused:
        reverse(connection, lon, lat, layers=ALL)
    assert list(refused.value.problems) == [field]
