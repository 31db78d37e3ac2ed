"""The small laws under the demo city: shares, running numbers, spreading, graphs, the plane and the names."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from etl.demo import names
from etl.demo.component_mix import keepers, mix
from etl.demo.graph import bodies, gabriel, linked, shortest_ways
from etl.demo.land import land
from etl.demo.plane import lon_lat, on_plane
from etl.demo.shares import apportion, pick, serials, spread
from etl.demo.towns import town_list
from gis.frames import distance_m
from layers.codes.books import NATIONAL, book

weights = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=30)


@given(weights, st.integers(0, 10_000), st.integers(0, 3))
def test_shares_sum_to_the_total_and_keep_their_least(shares: list[float], total: int, least: int) -> None:
    total += least * len(shares)
    found = apportion(shares, total, least=least)
    assert found.sum() == total
    assert found.min() >= least


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=50))
def test_running_numbers_count_each_key_from_one(keys: list[str]) -> None:
    found = serials(np.array(keys))
    assert all(n == keys[: i + 1].count(key) for i, (key, n) in enumerate(zip(keys, found.tolist(), strict=True)))


@given(weights, st.integers(1, 200), st.booleans())
def test_spreading_stays_inside_the_items_and_in_their_order(shares: list[float], count: int, even: bool) -> None:
    item, share = spread(np.array(shares), count, np.random.default_rng(1), even=even)
    assert len(item) == count
    assert (np.diff(item) >= 0).all()
    assert ((share >= 0.0) & (share <= 1.0)).all()


def test_nothing_is_spread_onto_an_item_without_weight() -> None:
    item, _ = spread(np.array([0.0, 3.0, 0.0, 2.0, 0.0]), 500, np.random.default_rng(1))
    assert set(item) == {1, 3}


def test_picking_keeps_the_proportions() -> None:
    found = pick(np.random.default_rng(1), {"often": 9.0, "seldom": 1.0}, 10_000)
    assert (found == "often").mean() == pytest.approx(0.9, abs=0.02)


@given(st.integers(2, 60), st.integers(0, 1_000))
def test_neighbours_connect_all_points(count: int, seed: int) -> None:
    points = np.random.default_rng(seed).uniform(0.0, 1_000.0, (count + 1, 2))
    pairs = gabriel(points)
    assert set(bodies(len(points), pairs[:, 0], pairs[:, 1])) == {0}


def test_the_shortest_way_goes_round_a_long_edge() -> None:
    links = linked(np.array([[0, 1], [1, 2], [0, 2]]), np.array([1.0, 1.0, 5.0]))
    assert shortest_ways(links, 0)[2] == (1, 1)


@given(st.floats(120.2, 122.0), st.floats(31.6, 32.75))
def test_the_plane_gives_back_the_place(lon: float, lat: float) -> None:
    assert lon_lat(on_plane(lon, lat))[0] == pytest.approx((lon, lat), abs=1e-11)


@given(st.floats(120.2, 121.9), st.floats(31.65, 32.7), st.floats(-0.05, 0.05), st.floats(-0.05, 0.05))
def test_the_plane_is_true_within_a_hundredth(lon: float, lat: float, d_lon: float, d_lat: float) -> None:
    a, b = on_plane([lon, lon + d_lon], [lat, lat + d_lat])
    true = float(distance_m(lon, lat, lon + d_lon, lat + d_lat))
    assert np.hypot(*(a - b)) == pytest.approx(true, rel=0.01, abs=1e-3)


def test_street_names_are_all_different() -> None:
    found = names.street_stems(np.random.default_rng(1), 400)
    assert len(set(found)) == 400


@pytest.mark.parametrize(("number", "text"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (99, "九十九")])
def test_ordinals_are_chinese(number: int, text: str) -> None:
    assert names.ordinal(number) == text


@pytest.mark.parametrize(
    ("degrees", "text"), [(0.0, "北"), (359.0, "北"), (90.0, "东"), (225.0, "西南"), (337.6, "北")]
)
def test_directions_are_words(degrees: float, text: str) -> None:
    assert names.compass(degrees) == text


def test_every_class_has_keepers_and_a_share() -> None:
    codes = book("component", standard=NATIONAL).codes
    assert {part.class_code for part in mix(codes)} == set(codes)
    assert all(keepers(code) for code in codes)


def test_seats_stand_on_the_dry_land_of_their_county() -> None:
    found = town_list(land(), np.random.default_rng(1))
    assert len(found) == 100
    for town in found:
        assert land().dry[town.county].covers(shapely.Point(town.seat)), town.unit.name


def test_most_seats_are_real_places() -> None:
    found = town_list(land(), np.random.default_rng(1))
    assert sum(town.real is not None for town in found) > 75
