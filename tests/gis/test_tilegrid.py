"""The promises of gis.tilegrid: tiles hold their places, and archive numbers are those of the PMTiles specification."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import BadBox, BadCoordinate, BadTile
from gis.frames import convert
from gis.tilegrid import (
    MAX_LAT,
    MAX_ZOOM,
    Box,
    Tile,
    bounds_3857,
    bounds_lonlat,
    check_lonlat,
    check_tile,
    children,
    parent,
    tile_from_id,
    tile_id,
    tile_of,
    tiles_at,
    tiles_of_box,
)


@st.composite
def tiles(draw: st.DrawFn, lowest: int = 0, highest: int = 20) -> Tile:
    z = draw(st.integers(lowest, highest))
    last = (1 << z) - 1
    return Tile(z, draw(st.integers(0, last)), draw(st.integers(0, last)))


def covers(box: Box, x: float, y: float, slack: float) -> bool:
    return box.west - slack <= x <= box.east + slack and box.south - slack <= y <= box.north + slack


@pytest.mark.parametrize(("z", "tile"), [(10, (10, 855, 415)), (14, (14, 13694, 6654)), (0, (0, 0, 0))])
def test_the_tile_of_a_known_place_is_the_known_one(z: int, tile: tuple[int, int, int]) -> None:
    assert tile_of(120.8943, 31.9802, z) == tile


@given(lon=st.floats(-180, 180), lat=st.floats(-MAX_LAT, MAX_LAT), z=st.integers(0, 22))
def test_a_place_lies_inside_its_tile(lon: float, lat: float, z: int) -> None:
    tile = tile_of(lon, lat, z)
    assert check_tile(*tile) == tile
    assert covers(bounds_lonlat(tile), lon, lat, 1e-9)
    x, y = convert(lon, lat, source="EPSG:4326", target="EPSG:3857")
    assert covers(bounds_3857(tile), float(x), float(y), 1e-3)


@given(tile=tiles())
def test_the_two_boxes_of_a_tile_are_the_same_area(tile: Tile) -> None:
    degrees = bounds_lonlat(tile)
    x, y = convert([degrees.west, degrees.east], [degrees.south, degrees.north], source="4326", target="3857")
    assert (x[0], y[0], x[1], y[1]) == pytest.approx(bounds_3857(tile), abs=1e-3)


def test_the_world_tile_is_the_whole_of_web_mercator() -> None:
    half = 20037508.342789244
    assert bounds_3857(Tile(0, 0, 0)) == pytest.approx((-half, -half, half, half))
    assert bounds_lonlat(Tile(0, 0, 0)) == pytest.approx((-180.0, -MAX_LAT, 180.0, MAX_LAT))
    assert pytest.approx(85.0511287798066) == MAX_LAT


def test_the_edges_of_the_world_fall_in_the_outermost_tiles() -> None:
    assert tile_of(180.0, -90.0, 4) == (4, 15, 15)
    assert tile_of(-180.0, 90.0, 4) == (4, 0, 0)


def test_many_places_are_asked_at_once() -> None:
    lon, lat = np.array([[120.8943, -180.0]]), np.array([[31.9802, 85.0]])
    x, y = tiles_at(lon, lat, z=14)
    assert x.tolist() == [[13694, 0]]
    assert y[0, 0] == 6654
    assert x.shape == y.shape == (1, 2)


@pytest.mark.parametrize("place", [(math.nan, 0.0), (0.0, 90.1), (-181.0, 0.0), (0.0, math.inf)])
def test_a_place_off_the_globe_has_no_tile(place: tuple[float, float]) -> None:
    with pytest.raises(BadCoordinate):
        tile_of(*place, 5)
    with pytest.raises(BadCoordinate) as caught:
        check_lonlat([0.0, place[0]], [0.0, place[1]])
    assert caught.value.facts["index"] == 1


@pytest.mark.parametrize("tile", [(-1, 0, 0), (0, 1, 0), (3, 0, 8), (3, -1, 0), (MAX_ZOOM + 1, 0, 0)])
def test_a_tile_that_does_not_exist_is_refused(tile: tuple[int, int, int]) -> None:
    with pytest.raises(BadTile) as caught:
        check_tile(*tile)
    assert caught.value.facts == {"tile": tile, "max_zoom": MAX_ZOOM}
    with pytest.raises(BadTile):
        tile_id(*tile)


@given(tile=tiles())
def test_every_tile_is_the_parent_of_its_four_children(tile: Tile) -> None:
    four = children(tile)
    assert {parent(child) for child in four} == {tile}
    assert len(set(four)) == 4
    boxes = [bounds_3857(child) for child in four]
    west, south, east, north = zip(*boxes, strict=True)
    assert (min(west), min(south), max(east), max(north)) == pytest.approx(bounds_3857(tile), abs=1e-6)


def test_the_world_has_no_parent_and_the_last_zoom_no_children() -> None:
    with pytest.raises(BadTile):
        parent(Tile(0, 0, 0))
    with pytest.raises(BadTile):
        children(Tile(MAX_ZOOM, 0, 0))


@pytest.mark.parametrize(
    ("tile", "number"),
    [
        ((0, 0, 0), 0),
        ((1, 0, 0), 1),
        ((1, 0, 1), 2),
        ((1, 1, 1), 3),
        ((1, 1, 0), 4),
        ((2, 0, 0), 5),
        ((12, 3423, 1763), 19078479),
    ],
)
def test_archive_numbers_are_those_of_the_specification(tile: tuple[int, int, int], number: int) -> None:
    assert tile_id(*tile) == number
    assert tile_from_id(number) == tile


@given(tile=tiles(highest=MAX_ZOOM))
def test_an_archive_number_leads_back_to_its_tile(tile: Tile) -> None:
    assert tile_from_id(tile_id(*tile)) == tile
    assert tile_id(*tile) < 2**63


@given(number=st.integers(1, 2**40))
def test_neighbours_on_the_curve_are_neighbours_on_the_ground(number: int) -> None:
    one, two = tile_from_id(number - 1), tile_from_id(number)
    assert two.z > one.z or abs(one.x - two.x) + abs(one.y - two.y) == 1


@pytest.mark.parametrize("number", [-1, (4 ** (MAX_ZOOM + 1) - 1) // 3])
def test_a_number_beyond_the_last_tile_is_refused(number: int) -> None:
    with pytest.raises(BadTile) as caught:
        tile_from_id(number)
    assert str(number) in str(caught.value)


@given(
    lon=st.floats(-179, 179),
    lat=st.floats(-84, 84),
    width=st.floats(0, 0.5),
    height=st.floats(0, 0.5),
    z=st.integers(0, 11),
    margin=st.sampled_from([0.0, 64 / 4096, 0.25]),
)
def test_the_tiles_of_a_box_are_exactly_those_whose_buffer_it_meets(
    lon: float, lat: float, width: float, height: float, z: int, margin: float
) -> None:
    box = Box(lon, lat, lon + width, lat + height)
    found = list(tiles_of_box(box, [z], margin=margin))
    (x0, x1), (y0, y1) = (side.tolist() for side in tiles_at([lon, lon + width], [lat + height, lat], z=z))
    n = 1 << z
    assert len(set(found)) == len(found)
    assert {Tile(z, x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)} <= set(found)
    for tile in found:
        west, south, east, north = bounds_3857(tile)
        slack = (east - west) * margin + 1e-3
        xs, ys = convert([box.west, box.east], [box.south, box.north], source="4326", target="3857")
        world = n * (east - west)
        meets = [xs[0] + k <= east + slack and xs[1] + k >= west - slack for k in (-world, 0, world)]
        assert any(meets)
        assert ys[0] <= north + slack
        assert ys[1] >= south - slack


def test_a_point_near_an_edge_is_drawn_on_both_tiles_unless_the_margin_is_none() -> None:
    edge = bounds_lonlat(Tile(14, 13694, 6654)).west
    box = Box(edge + 1e-6, 31.98, edge + 1e-6, 31.98)
    assert [tile.x for tile in tiles_of_box(box, [14])] == [13693, 13694]
    assert [tile.x for tile in tiles_of_box(box, [14], margin=0.0)] == [13694]


def test_a_box_across_the_antimeridian_wraps() -> None:
    assert [tile.x for tile in tiles_of_box(Box(179.0, 1.0, -179.0, 2.0), [3], margin=0.0)] == [7, 0]
    assert [tile.x for tile in tiles_of_box(Box(-180.0, 1.0, -179.0, 2.0), [3])] == [7, 0]


def test_the_whole_world_has_every_tile_once() -> None:
    world = list(tiles_of_box(Box(-180.0, -90.0, 180.0, 90.0), [0, 1, 3]))
    assert len(world) == len(set(world)) == 1 + 4 + 64


@pytest.mark.parametrize("box", [(1, 2, 3, 1), (math.nan, 0, 1, 1), (0, 0, 200, 1), (0, -91, 1, 1)])
def test_a_box_that_makes_no_sense_is_refused_before_the_first_tile(box: tuple[float, ...]) -> None:
    with pytest.raises(BadBox):
        tiles_of_box(Box(*box), [3])


def test_a_zoom_that_does_not_exist_is_refused_before_the_first_tile() -> None:
    with pytest.raises(BadTile):
        tiles_of_box(Box(0, 0, 1, 1), [3, MAX_ZOOM + 1])
