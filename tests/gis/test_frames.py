"""The promises of gis.frames, against the published vectors and the laws of a conversion."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import GisError, OutsideFrame, UnknownFrame
from gis.frames import (
    FRAMES,
    SHIFTED,
    area_m2,
    area_of_use,
    convert,
    convert_geometries,
    distance_m,
    length_m,
    metre_frame,
    parse_frame,
    within_use,
)

# Of the reference vectors: lon, lat, frame, x, y, tolerance in the unit of the frame.
VECTORS = [
    (121.5272106, 31.1774276, "GCJ-02", 121.531541859215, 31.17530398364597, 1e-12),
    (113.912316, 22.543847, "GCJ-02", 113.9171764808363, 22.540796131694766, 1e-12),
    (116.377817, 39.911954, "GCJ-02", 116.38404722455657, 39.91334545536069, 1e-12),
    (120.8943, 31.9802, "GCJ-02", 120.89851566, 31.97803016, 1e-8),
    (120.8943, 31.9802, "BD-09", 120.90511330, 31.98366908, 1e-8),
    (121.9, 31.7, "GCJ-02", 121.90414667, 31.69789381, 1e-8),
    (121.9, 31.7, "BD-09", 121.91059809, 31.70414466, 1e-8),
    (120.8943, 31.9802, "EPSG:4490", 120.8943, 31.9802, 0.0),
    (120.8943, 31.9802, "EPSG:4549", 584524.890, 3540006.265, 1e-3),
    (120.8943, 31.9802, "EPSG:4528", 40584524.890, 3540006.265, 1e-3),
    (120.8943, 31.9802, "EPSG:4550", 300963.223, 3541594.492, 1e-3),
    (120.8943, 31.9802, "EPSG:4529", 41300963.223, 3541594.492, 1e-3),
    (121.9, 31.7, "EPSG:4549", 680133.977, 3510156.977, 1e-3),
    (121.9, 31.7, "EPSG:4550", 395717.641, 3509113.235, 1e-3),
    (120.22, 32.55, "EPSG:4549", 520663.462, 3602864.179, 1e-3),
    (120.8943, 31.9802, "EPSG:3857", 13457891.916, 3760711.850, 1e-3),
]
NANTONG = {"lon": st.floats(119.8, 122.2), "lat": st.floats(31.5, 32.9)}


@pytest.mark.parametrize(("lon", "lat", "frame", "x", "y", "tolerance"), VECTORS)
def test_every_reference_vector_is_met_in_both_directions(
    lon: float, lat: float, frame: str, x: float, y: float, tolerance: float
) -> None:
    there_x, there_y = convert(lon, lat, source="EPSG:4326", target=frame)
    assert abs(there_x - x) <= tolerance
    assert abs(there_y - y) <= tolerance
    back_lon, back_lat = convert(x, y, source=frame)
    assert back_lon == pytest.approx(lon, abs=2e-8)
    assert back_lat == pytest.approx(lat, abs=2e-8)


def test_the_vectors_of_the_domain_sheet_are_met(shared: Path) -> None:
    vectors = json.loads((shared / "domain" / "vectors.json").read_text(encoding="utf-8"))
    for row in vectors["gcj02_forward_a6378245"]:
        lat, lon = row["wgs"]
        for key, frame in (("gcj", "GCJ-02"), ("bd09", "BD-09")):
            if key in row:
                x, y = convert(lon, lat, source="WGS84", target=frame)
                assert (float(y), float(x)) == pytest.approx(row[key], abs=1e-8)
    for row in vectors["projection_EN"]:
        for frame in ("4549", "4528", "4550", "3857"):
            if frame in row:
                x, y = convert(row["lon"], row["lat"], source="4490", target=frame)
                assert (float(x), float(y)) == pytest.approx(row[frame], abs=1e-3)


def test_the_inverse_of_bd09_is_exact_where_the_usual_one_step_inverse_is_6_cm_off() -> None:
    bd = (120.019809, 29.199786)
    one_step = (120.00874001, 29.19621972)
    lon, lat = convert(*bd, source="BD-09")
    assert 0.05 < distance_m(lon, lat, *one_step) < 0.08
    again = convert(lon, lat, source="EPSG:4326", target="BD-09")
    assert distance_m(*again, *bd) < 1e-6


@pytest.mark.parametrize("frame", FRAMES)
@given(**NANTONG)
def test_there_and_back_is_the_same_place_within_a_micrometre(frame: str, lon: float, lat: float) -> None:
    x, y = convert(lon, lat, source="EPSG:4326", target=frame)
    assert distance_m(lon, lat, *convert(x, y, source=frame)) < 1e-6


@given(
    lon=st.floats(SHIFTED.west + 0.02, SHIFTED.east - 0.02),
    lat=st.floats(SHIFTED.south + 0.02, SHIFTED.north - 0.02),
    frame=st.sampled_from(["GCJ-02", "BD-09"]),
)
def test_the_inverse_shift_is_exact_to_a_micrometre_all_over_china(lon: float, lat: float, frame: str) -> None:
    x, y = convert(lon, lat, source="EPSG:4326", target=frame)
    assert distance_m(lon, lat, *convert(x, y, source=frame)) < 1e-6


@pytest.mark.parametrize("lon", [105.0, 105.0 + 1e-13, 105.0 - 1e-9])
def test_the_kink_of_the_shift_at_105_degrees_is_inverted_too(lon: float) -> None:
    x, y = convert(lon, 31.0, source="EPSG:4326", target="GCJ-02")
    assert distance_m(lon, 31.0, *convert(x, y, source="GCJ-02")) < 1e-6


@pytest.mark.parametrize("frame", ["GCJ-02", "BD-09"])
@pytest.mark.parametrize("place", [(2.35, 48.86), (-122.4, 37.8), (140.0, 35.0), (0.0, 0.0), (110.0, 60.0)])
def test_a_point_outside_china_is_left_alone(frame: str, place: tuple[float, float]) -> None:
    there, back = convert(*place, source="EPSG:4326", target=frame), convert(*place, source=frame)
    assert np.array_equal(there, place)
    assert np.array_equal(back, place)


def test_the_shift_at_nantong_is_about_half_a_kilometre_to_the_east_south_east() -> None:
    moved = convert(120.8943, 31.9802, source="EPSG:4326", target="GCJ-02")
    assert 457 < distance_m(120.8943, 31.9802, *moved) < 495


def test_frames_reach_each_other_through_longitude_and_latitude() -> None:
    x, y = convert(120.90511330, 31.98366908, source="BD-09", target="EPSG:4549")
    assert (float(x), float(y)) == pytest.approx((584524.890, 3540006.265), abs=2e-3)


def test_a_pair_with_a_nan_becomes_nan_and_disturbs_no_other() -> None:
    x, y = convert([120.8943, np.nan, 120.8943], [31.9802, 31.0, np.nan], source="4326", target="4549")
    assert np.isnan(x).tolist() == np.isnan(y).tolist() == [False, True, True]
    assert x[0] == pytest.approx(584524.890, abs=1e-3)


def test_what_a_frame_cannot_express_becomes_nan() -> None:
    x, y = convert(40584524.89, 3540006.265, source="EPSG:4549")
    assert np.isnan(x)
    assert np.isnan(y)


@pytest.mark.parametrize("frame", FRAMES)
def test_the_shape_of_the_input_is_kept_and_the_input_untouched(frame: str) -> None:
    lon, lat = np.full((2, 3), 121.0), np.array(32.0)
    x, y = convert(lon, lat, source="EPSG:4326", target=frame)
    assert x.shape == y.shape == (2, 3)
    x[:] = 0
    assert (lon == 121.0).all()
    assert convert([], [], source="EPSG:4326", target=frame)[0].shape == (0,)


def test_a_long_array_gives_the_same_as_its_points_one_by_one() -> None:
    lon, lat = np.linspace(119.9, 122.0, 40_000), np.linspace(31.5, 32.8, 40_000)
    x, y = convert(lon, lat, source="BD-09", target="EPSG:4549")
    for i in (0, 16_383, 16_384, 39_999):
        assert (x[i], y[i]) == pytest.approx(tuple(map(float, convert(lon[i], lat[i], source="BD-09", target="4549"))))


@pytest.mark.parametrize("frame", FRAMES)
def test_a_hundred_thousand_points_take_a_fraction_of_a_second(frame: str) -> None:
    lon, lat = np.linspace(119.9, 122.0, 100_000), np.linspace(31.5, 32.8, 100_000)
    start = time.process_time()
    convert(*convert(lon, lat, source="EPSG:4326", target=frame), source=frame)
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("4490", "EPSG:4490"),
        ("epsg:4490", "EPSG:4490"),
        (" EPSG：4549 ", "EPSG:4549"),
        ("EPSG4550", "EPSG:4550"),
        ("urn:ogc:def:crs:EPSG::4490", "EPSG:4490"),
        ("urn:ogc:def:crs:EPSG:9.9:4549", "EPSG:4549"),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "EPSG:4326"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "EPSG:4326"),
        ("OGC:CRS84", "EPSG:4326"),
        ("CGCS2000", "EPSG:4490"),
        ("cgcs 2000", "EPSG:4490"),
        ("2000国家大地坐标系", "EPSG:4490"),
        ("WGS84", "EPSG:4326"),
        ("WGS-84", "EPSG:4326"),
        ("WGS 84", "EPSG:4326"),
        ("CGCS2000 / 3-degree Gauss-Kruger CM 120E", "EPSG:4549"),
        ("CGCS2000_3_Degree_GK_Zone_40", "EPSG:4528"),
        ("Web Mercator", "EPSG:3857"),
        ("WGS 84 / Pseudo-Mercator", "EPSG:3857"),
        ("900913", "EPSG:3857"),
        ("gcj02", "GCJ-02"),
        ("GCJ-02", "GCJ-02"),
        ("火星坐标", "GCJ-02"),
        ("高德", "GCJ-02"),
        ("bd09", "BD-09"),
        ("bd09ll", "BD-09"),
        ("百度", "BD-09"),
        ("百度坐标系", "BD-09"),
    ],
)
def test_usual_spellings_of_a_frame_are_understood(text: str, frame: str) -> None:
    assert parse_frame(text) == frame


@pytest.mark.parametrize("frame", FRAMES)
def test_every_frame_is_known_by_its_own_name(frame: str) -> None:
    assert parse_frame(frame) == frame


@pytest.mark.parametrize("text", ["", "EPSG:32651", "2263", "bd09mc", "西安80", "EPSG", "44900", "CM 120E"])
def test_an_unknown_frame_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(UnknownFrame) as caught:
        parse_frame(text)
    assert caught.value.facts == {"name": text, "known": FRAMES}
    assert isinstance(caught.value, GisError)
    assert "EPSG:4549" in str(caught.value)


def test_the_zone_of_120_degrees_flags_what_lies_east_of_121_5() -> None:
    x, y = convert([120.8943, 121.49, 121.51, 121.9], 31.8, source="EPSG:4490", target="EPSG:4549")
    assert within_use(x, y, frame="EPSG:4549").tolist() == [True, True, False, False]
    assert within_use(*convert(121.9, 31.7, source="4490", target="4550"), frame="EPSG:4550")


def test_coordinates_of_one_zone_labelled_as_another_kind_are_flagged() -> None:
    x, y = 40584524.89, 3540006.265
    assert within_use(x, y, frame="EPSG:4528")
    assert not within_use(x, y, frame="EPSG:4549")
    assert not within_use(584524.89, y, frame="EPSG:4528")
    assert not within_use(np.nan, y, frame="EPSG:4549")
    assert not within_use(31.98, 120.89, frame="EPSG:4490")


def test_the_area_of_use_is_the_registers() -> None:
    area = area_of_use("4549")
    assert (area.west, area.east) == (118.5, 121.5)
    assert area_of_use("gcj02") == SHIFTED


@pytest.mark.parametrize(("lon", "frame"), [(118.5, "EPSG:4549"), (120.9, "EPSG:4549"), (121.51, "EPSG:4550")])
def test_a_longitude_is_measured_in_its_own_zone(lon: float, frame: str) -> None:
    assert metre_frame(lon) == frame


@pytest.mark.parametrize("lon", [118.0, 124.6, float("nan")])
def test_a_longitude_outside_both_zones_is_refused(lon: float) -> None:
    with pytest.raises(OutsideFrame) as caught:
        metre_frame(lon)
    assert caught.value.frames == ("EPSG:4549", "EPSG:4550")


def test_geometries_are_converted_corner_by_corner_and_none_stays_none() -> None:
    square = shapely.box(120.8, 31.9, 121.0, 32.0)
    geoms = np.array([square, None, shapely.Point(120.8943, 31.9802, 7.0), shapely.Polygon()], dtype=object)
    moved = convert_geometries(geoms, source="EPSG:4490", target="EPSG:4549")
    assert moved[1] is None
    assert moved[3].is_empty
    assert not moved[2].has_z
    assert (moved[2].x, moved[2].y) == pytest.approx((584524.890, 3540006.265), abs=1e-3)
    back = convert_geometries(moved, source="EPSG:4549")
    assert shapely.equals_exact(back[0], square, tolerance=1e-12)


def test_distances_follow_the_ellipsoid() -> None:
    # One degree of the meridian around 32.5 N, and of the parallel of 32 N (published series of both).
    assert distance_m(121.0, 32.0, 121.0, 33.0) == pytest.approx(110_896, abs=2)
    assert distance_m(121.0, 32.0, 121.01, 32.0) == pytest.approx(944.87, abs=0.1)
    assert np.isnan(distance_m([121.0, np.nan], 32.0, 121.0, 33.0)).tolist() == [False, True]


@given(**NANTONG)
def test_lengths_and_areas_agree_with_the_plane_at_the_central_meridian(lon: float, lat: float) -> None:
    lon = 120.0 + (lon - 121.0) * 0.01
    x, y = convert(lon, lat, source="EPSG:4326", target="EPSG:4549")
    plane = np.array([shapely.Point(float(x), float(y)).buffer(300.0)], dtype=object)
    globe = convert_geometries(plane, source="EPSG:4549")
    assert area_m2(globe)[0] == pytest.approx(plane[0].area, rel=1e-6)
    assert length_m(globe)[0] == pytest.approx(plane[0].length, rel=1e-6)


def test_holes_are_subtracted_and_parts_are_added_whichever_way_rings_turn() -> None:
    shell, hole = shapely.box(120.0, 32.0, 120.1, 32.1), shapely.box(120.04, 32.04, 120.06, 32.06)
    far = shapely.box(121.0, 31.5, 121.1, 31.6)
    ring = shapely.Polygon(shell.exterior, [hole.exterior])
    one, two, three = area_m2(np.array([shell, hole, far], dtype=object))
    both = shapely.MultiPolygon([ring, far])
    measured = area_m2(np.array([ring, shapely.reverse(ring), both, None, shapely.Point(1, 1), shapely.Polygon()]))
    assert measured[:3] == pytest.approx([one - two, one - two, one - two + three])
    assert np.isnan(measured[3])
    assert measured[4:].tolist() == [0.0, 0.0]


def test_the_length_of_parts_is_added_without_the_gaps_between_them() -> None:
    a, b = shapely.LineString([(121, 32), (121, 32.1)]), shapely.LineString([(121, 32.5), (121.1, 32.5)])
    geoms = np.array([a, b, shapely.MultiLineString([a, b]), None, shapely.Point(1, 1), a], dtype=object)
    lengths = length_m(geoms)
    assert lengths[2] == pytest.approx(lengths[0] + lengths[1])
    assert lengths[5] == lengths[0] == pytest.approx(11_088, abs=2)
    assert np.isnan(lengths[3])
    assert lengths[4] == 0.0


def test_nothing_in_gives_nothing_out() -> None:
    none = np.array([], dtype=object)
    assert area_m2(none).shape == length_m(none).shape == convert_geometries(none, source="4490").shape == (0,)
