"""The demo city at a fiftieth of its size: what must hold at every size."""

from __future__ import annotations

import hashlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from etl.demo.city import build
from etl.demo.graph import bodies
from etl.demo.hazards import grade
from etl.demo.plane import shapes_on_plane
from gis.frames import length_m
from layers.catalog import built_in
from layers.codes.admin import counties, unit
from layers.codes.books import NATIONAL, book
from layers.codes.ids import valid_camera_ids, valid_component_ids, valid_grid_ids

ORDER = ["county", "town", "grid", "duty_grid", "road", "building", "place", "component", "video", "pollution"]
ORDER += ["hazard_site", "supply", "shelter"]
CARRIED = {"id", "geometry", "grid_id", "admin_code", "place_method", "place_precision"}
LAYERS = built_in()
City = dict[str, gpd.GeoDataFrame]


@pytest.fixture(scope="module")
def city() -> City:
    return dict(build(scale=0.02))


def shapes(frame: gpd.GeoDataFrame) -> np.ndarray:
    return np.asarray(frame.geometry.array, dtype=object)


def digest(frame: gpd.GeoDataFrame) -> str:
    rows = frame.drop(columns="geometry").to_csv(index=False).encode()
    return hashlib.sha256(rows + b"".join(frame.geometry.to_wkb())).hexdigest()


def test_layers_come_in_the_order_in_which_they_refer_to_each_other(city: City) -> None:
    assert list(city) == ORDER


def test_a_small_city_keeps_its_counties_and_towns_and_shrinks_the_rest(city: City) -> None:
    sizes = {name: len(frame) for name, frame in city.items()}
    exact = {"county": 7, "town": 100, "grid": 169, "component": 2480, "video": 4800, "pollution": 24, "building": 1200}
    assert {name: sizes[name] for name in exact} == exact


def test_the_same_seed_gives_the_same_bytes(city: City) -> None:
    again = {name: digest(frame) for name, frame in build(scale=0.02)}
    assert again == {name: digest(frame) for name, frame in city.items()}


@pytest.mark.parametrize("scale", [0.0, -1.0, 0.001, 21.0, float("nan")])
def test_a_scale_out_of_range_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="is not between"):
        next(build(scale=scale))


@pytest.mark.parametrize("name", ORDER)
def test_every_frame_has_exactly_the_columns_that_the_writer_takes(city: City, name: str) -> None:
    assert set(city[name].columns) == CARRIED | set(LAYERS[name].written)


@pytest.mark.parametrize("name", ORDER)
def test_every_frame_is_in_4326_and_of_the_geometry_of_its_layer(city: City, name: str) -> None:
    frame = city[name]
    assert frame.crs == "EPSG:4326"
    assert set(frame.geom_type) == {LAYERS[name].geometry}
    assert frame.geometry.is_valid.all()


@pytest.mark.parametrize("name", ORDER)
def test_ids_are_unique_and_fit_into_a_url(city: City, name: str) -> None:
    assert city[name]["id"].is_unique
    assert city[name]["id"].str.fullmatch(r"[0-9A-Za-z_-]{1,64}").all()


@pytest.mark.parametrize("name", ORDER)
def test_required_fields_are_filled_and_all_keep_their_bounds(city: City, name: str) -> None:
    for field in LAYERS[name].fields:
        if field.name not in city[name]:
            continue
        values = city[name][field.name].dropna()
        assert len(values) == len(city[name]) or not field.required, field.name
        if field.minimum is not None or field.maximum is not None:
            low, high = field.minimum, field.maximum
            assert values.between(-np.inf if low is None else low, np.inf if high is None else high).all(), field.name
        if field.kind == "text" and len(values):
            assert values.str.len().max() <= field.max_length, field.name


@pytest.mark.parametrize("name", ORDER)
def test_every_code_is_in_its_book(city: City, name: str) -> None:
    for field in LAYERS[name].fields:
        if field.book and field.name in city[name]:
            known = [u.code for u in counties()] if field.book == "county" else book(field.book).codes
            assert set(city[name][field.name].dropna()) <= set(known), field.name


@pytest.mark.parametrize(
    ("name", "reasons"),
    [("grid", valid_grid_ids), ("component", valid_component_ids), ("video", valid_camera_ids)],
)
def test_identifiers_are_valid(city: City, name: str, reasons: object) -> None:
    assert callable(reasons)
    found = reasons(city[name]["id"]).dropna()
    assert found.empty, found.head().tolist()


def test_component_ids_begin_with_the_county_they_stand_in_and_their_class(city: City) -> None:
    frame = city["component"]
    assert (frame["id"].str[:6] == frame["admin_code"].str[:6]).all()
    assert (frame["id"].str[6:11] == frame["class_code"]).all()


def test_all_153_classes_of_the_national_book_are_there(city: City) -> None:
    assert set(city["component"]["class_code"]) == set(book("component", standard=NATIONAL).codes)


def test_everything_says_that_it_is_synthetic(city: City) -> None:
    assert set(city["component"]["data_source"]) == {"synthetic"}


@pytest.mark.parametrize("name", [name for name in ORDER if name != "county"])
def test_records_carry_the_code_of_a_town_and_of_a_grid_of_that_town(city: City, name: str) -> None:
    frame = city[name]
    assert set(frame["admin_code"]) <= set(city["town"]["id"])
    assert set(frame["grid_id"]) <= set(city["grid"]["id"])
    assert (frame["grid_id"].str[:9] == frame["admin_code"]).all()


def test_towns_bear_the_names_of_the_administrative_book(city: City) -> None:
    assert city["town"]["name"].tolist() == [unit(code).name for code in city["town"]["id"]]
    assert (city["town"]["id"].str[:6] == city["town"]["county_code"]).all()


def test_towns_divide_their_county_without_gap_or_overlap(city: City) -> None:
    for code, county in zip(city["county"]["id"], shapes(city["county"]), strict=True):
        assert_divides(shapes(city["town"])[city["town"]["county_code"].to_numpy() == code], county)


def test_grids_divide_their_town_without_gap_or_overlap(city: City) -> None:
    for code, town in zip(city["town"]["id"], shapes(city["town"]), strict=True):
        assert_divides(shapes(city["grid"])[city["grid"]["admin_code"].to_numpy() == code], town)


def test_duty_grids_are_made_of_whole_grids(city: City) -> None:
    duty, grids = city["duty_grid"], city["grid"]
    assert duty["grids"].sum() == len(grids)
    assert shapely.area(shapes(duty)).sum() == pytest.approx(shapely.area(shapes(grids)).sum(), rel=1e-9)


def test_people_of_grids_and_towns_sum_to_the_census(city: City) -> None:
    census = {u.code: u.population for u in counties()}
    assert dict(zip(city["county"]["id"], city["county"]["population"], strict=True)) == census
    for name in ("town", "grid"):
        assert city[name].groupby(city[name]["admin_code"].str[:6])["population"].sum().to_dict() == census


@pytest.mark.parametrize("name", ["place", "component", "video", "pollution"])
def test_points_stand_in_their_grid_and_in_their_town(city: City, name: str) -> None:
    frame = city[name]
    for column, areas in (("grid_id", city["grid"]), ("admin_code", city["town"])):
        where = dict(zip(areas["id"], shapes(areas), strict=True))
        own = np.array([where[code] for code in frame[column]], dtype=object)
        # One centimetre: the coordinates of points are rounded to that.
        assert shapely.dwithin(own, shapes(frame), 1e-7).all()


def test_components_stand_3_to_12_metres_beside_a_centre_line(city: City) -> None:
    points, roads = shapes_on_plane(shapes(city["component"])), shapes_on_plane(shapes(city["road"]))
    # A bend or a crossing brings a thing nearer to another stretch of road; none is farther away than 12 m.
    gap = shapely.STRtree(roads).query_nearest(points, return_distance=True, all_matches=False)[1]
    assert gap.max() <= 12.1
    assert np.mean(gap >= 2.9) > 0.985


def test_the_road_network_is_one_connected_body(city: City) -> None:
    roads = city["road"]
    ends, number = np.unique(pd.concat([roads["from_node"], roads["to_node"]]).astype(str), return_inverse=True)
    start, end = number.reshape(2, -1)
    assert set(bodies(len(ends), start, end)) == {0}


def test_roads_that_share_a_node_meet_there(city: City) -> None:
    lines = shapely.get_geometry(shapes(city["road"]), 0)
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(lines, i)) for i in (0, -1)])
    nodes = pd.concat([city["road"]["from_node"], city["road"]["to_node"]]).to_numpy()
    at = pd.DataFrame(ends).groupby(nodes)
    assert (at.max() - at.min()).to_numpy().max() < 1e-6


def test_road_lengths_are_measured_in_metres(city: City) -> None:
    assert city["road"]["length_m"].to_numpy() == pytest.approx(length_m(shapes(city["road"])), abs=0.01)


def test_every_class_of_road_is_there(city: City) -> None:
    assert set(city["road"]["kind"]) == set(book("road_class").codes)


def test_crossings_have_several_cameras_on_one_pole_that_look_different_ways(city: City) -> None:
    poles = city["video"][city["video"]["name"].str.contains("路口 ")].groupby(city["video"].geometry.to_wkb())
    assert (poles.size() >= 3).mean() > 0.8
    assert (poles["heading_deg"].nunique() == poles.size()).all()


def test_cameras_look_along_a_road(city: City) -> None:
    video = city["video"]
    lines = shapely.get_geometry(shapes_on_plane(shapes(city["road"])), 0)
    segments = shapely.linestrings(np.stack(segment_ends(lines), axis=1))
    camera, segment = shapely.STRtree(segments).query(
        shapes_on_plane(shapes(video)), predicate="dwithin", distance=30.0
    )
    way = shapely.get_coordinates(segments[segment]).reshape(-1, 2, 2)
    east, north = (way[:, 1] - way[:, 0]).T
    off = np.abs((np.degrees(np.arctan2(east, north)) - video["heading_deg"].to_numpy()[camera] + 90.0) % 180.0 - 90.0)
    best = pd.Series(off).groupby(camera).min()
    assert len(best) == len(video)
    assert (best < 20.0).mean() > 0.97


def test_most_cameras_are_on(city: City) -> None:
    assert 0.9 < (city["video"]["status"] == "ON").mean() < 0.97


def test_buildings_do_not_stand_on_roads(city: City) -> None:
    roads = shapes(city["road"])
    assert shapely.STRtree(shapes(city["building"])).query(roads, predicate="intersects").size == 0


def test_changed_components_changed_after_their_first_day(city: City) -> None:
    changed = city["component"].dropna(subset="change_date")
    assert (changed["change_date"] > changed["first_date"]).all()
    assert set(city["component"].loc[city["component"]["state"] != "intact", "change_date"].isna()) == {False}


def test_real_settlements_stand_where_the_gazetteer_has_them(city: City) -> None:
    places = city["place"].set_index("name")
    qutang = places.loc["曲塘镇"]
    assert (qutang.geometry.x, qutang.geometry.y) == pytest.approx((120.3271, 32.4964), abs=1e-3)
    assert qutang["name_en"] == "Qutang"


def test_things_stand_on_land(city: City, shared: Path) -> None:
    coast = gpd.read_file(shared / "data" / "coast" / "gshhg_f_nantong_land.geojson")
    dry = shapely.union_all(shapes(coast))
    shapely.prepare(dry)
    for name in ("component", "video", "pollution", "place"):
        assert shapely.contains(dry, shapes(city[name])).mean() > 0.99, name


def segment_ends(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points, line = shapely.get_coordinates(lines, return_index=True)
    same = line[1:] == line[:-1]
    return points[:-1][same], points[1:][same]


def assert_divides(parts: np.ndarray, whole: shapely.Geometry) -> None:
    area = shapely.area(whole)
    assert shapely.area(parts).sum() == pytest.approx(area, rel=1e-6)
    left, right = shapely.STRtree(parts).query(parts, predicate="overlaps")
    if left.size:
        assert shapely.area(shapely.intersection(parts[left], parts[right])).sum() < 1e-9 * area
    missed = shapely.difference(whole, shapely.union_all(parts, grid_size=1e-10), grid_size=1e-10)
    assert shapely.area(missed) < 1e-6 * area


def test_a_hazardous_site_is_graded_by_how_much_it_holds(city: City) -> None:
    frame = city["hazard_site"]
    graded = [grade(s, q) for s, q in zip(frame["substance"], frame["quantity_t"], strict=True)]
    assert frame["level"].tolist() == graded
    assert [grade("lpg", tonnes) for tonnes in (49, 50, 500, 2_500, 5_000)] == ["none", "IV", "III", "II", "I"]


def test_shelters_are_places_and_take_as_many_as_they_have_room_for(city: City) -> None:
    shelters, places = city["shelter"], city["place"]
    assert set(shelters.geometry.to_wkb()) <= set(places.geometry.to_wkb())
    assert set(places.loc[places["kind"] == "shelter", "name"]) <= set(shelters["name"])
    room = shelters["area_m2"] / shelters["capacity"]
    assert room.between(1.0, 5.0).all()


def test_the_smallest_city_has_a_store_of_every_kind_and_a_hazard_of_every_kind(city: City) -> None:
    for name, kinds in (("supply", book("supply_kind").codes), ("hazard_site", book("hazard_kind").codes)):
        assert set(city[name]["kind"]) == set(kinds) - {"other"}
