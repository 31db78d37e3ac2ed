"""The demo city at its real size: the figures that are promised, and the division into 8,470 grids."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from etl.demo.city import build
from etl.demo.grids import Division, divide
from etl.demo.land import land
from etl.demo.towns import town_list


@pytest.fixture(scope="module")
def division() -> Division:
    towns = town_list(land(), np.random.default_rng(1))
    return divide(land(), towns, scale=1.0, rng=np.random.default_rng(2))


def test_the_city_has_its_real_size() -> None:
    sizes = {name: len(frame) for name, frame in build()}
    assert {name: sizes[name] for name in ("county", "town", "grid", "video")} == {
        "county": 7, "town": 100, "grid": 8470, "video": 240_000,
    }  # fmt: skip
    assert sizes["component"] >= 120_000
    assert 1_150 <= sizes["pollution"] <= 1_250
    assert (sizes["hazard_site"], sizes["supply"]) == (360, 180)
    assert 400 <= sizes["shelter"] <= 600
    assert 55_000 <= sizes["building"] <= 65_000
    assert sizes["place"] > 4_000
    assert sizes["road"] > 30_000


def test_8470_grids_share_their_corners_with_their_neighbours(division: Division) -> None:
    towns = town_list(land(), np.random.default_rng(1))
    county = np.array([town.county for town in towns])[division.town]
    assert len(division.shapes) == 8470
    for number, outline in enumerate(land().outlines):
        cells = division.shapes[county == number]
        assert shapely.coverage_is_valid(cells)
        assert shapely.area(cells).sum() == pytest.approx(shapely.area(outline), rel=1e-6)


def test_grids_follow_the_people(division: Division) -> None:
    assert division.people.mean() == pytest.approx(912, abs=1)
    spread = np.percentile(division.people, [5, 95])
    assert 300 < spread[0] < 912 < spread[1] < 2_000
    assert np.percentile(shapely.area(division.shapes), 95) > 20 * np.percentile(shapely.area(division.shapes), 5)


def test_every_town_is_in_one_piece(division: Division) -> None:
    assert (shapely.get_num_geometries(division.town_shapes) == 1).all()


def test_grids_are_numbered_inside_their_community(division: Division) -> None:
    prefix = np.array([division.community_codes[c] for c in division.community])
    ids = np.array(division.ids)
    assert (ids.astype("U12") == prefix).all()
    assert len(set(division.ids)) == len(division.ids)
    for code in np.unique(prefix)[:200]:
        mine = np.sort(ids[prefix == code])
        assert [int(text[12:]) for text in mine] == list(range(1, len(mine) + 1))
