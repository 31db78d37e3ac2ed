"""Where rows are: frames, swapped and absent coordinates, areas, and shifts that a wrong frame makes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from etl.clean.coordinates import Found, find_places, known_frame
from etl.clean.extent import Extent, city_extent, extent_of, near_towns
from etl.clean.shift import shift_of_lines, shift_of_pairs
from etl.errors import BadOption, Refused
from etl.mapping import guess_mapping
from etl.readers import Table
from gis.frames import convert, convert_geometries, distance_m
from layers.catalog import built_in

CITY = city_extent()
PLACE = built_in()["place"]
LON, LAT = np.array([120.8943, 120.86, 121.05]), np.array([31.9802, 32.0, 32.1])


def located(given: pd.DataFrame, extent: Extent = CITY, **options: object) -> Found:
    table = Table(Path("a.csv"), "a", given, rows=np.arange(2, len(given) + 2))
    options = {"frame": None, "swap": False, **options}
    return find_places(table, guess_mapping(table, PLACE), extent=extent, **options)  # type: ignore[arg-type]


def columns(x: object, y: object, names: tuple[str, str] = ("经度", "纬度")) -> pd.DataFrame:
    return pd.DataFrame({names[0]: pd.Series(x).astype("str"), names[1]: pd.Series(y).astype("str")})


def offsets(found: Found) -> NDArray[np.float64]:
    return distance_m(shapely.get_x(found.geometry), shapely.get_y(found.geometry), LON, LAT)


def test_degrees_are_taken_as_they_are() -> None:
    found = located(columns(LON, LAT))
    assert offsets(found).max() < 1e-6
    assert found.frame == "EPSG:4326"


@pytest.mark.parametrize("frame", ["EPSG:4549", "EPSG:4550", "EPSG:4528", "EPSG:3857"])
@pytest.mark.parametrize("turned", [False, True])
def test_metres_find_their_frame_and_the_order_of_surveyors(frame: str, turned: bool) -> None:
    x, y = convert(LON, LAT, source="EPSG:4326", target=frame)
    found = located(columns(*((y, x) if turned else (x, y)), names=("X坐标", "Y坐标")))
    assert found.frame == frame
    assert offsets(found).max() < 0.01
    assert ("northing" in found.findings[0].text) == turned


def test_points_that_a_frame_was_not_made_for_are_said() -> None:
    x, y = convert([120.9, 121.9], [31.9, 31.7], source="EPSG:4326", target="EPSG:4549")
    found = located(columns(x, y, names=("x", "y")), frame="EPSG:4549")
    assert [(finding.code, finding.count) for finding in found.findings] == [("beyond_use", 1)]


def test_metres_of_no_known_frame_are_refused_with_advice() -> None:
    with pytest.raises(Refused, match="--frame"):
        located(columns([12345.0], [67890.0], names=("x", "y")))


@pytest.mark.parametrize("frame", ["GCJ-02", "BD-09", "EPSG:4490"])
def test_a_frame_that_a_person_names_is_undone(frame: str) -> None:
    x, y = convert(LON, LAT, source="EPSG:4326", target=frame)
    assert offsets(located(columns(x, y), frame=frame)).max() < 1e-4


def test_a_header_that_names_the_frame_is_enough() -> None:
    x, y = convert(LON, LAT, source="EPSG:4326", target="BD-09")
    found = located(columns(x, y, names=("百度经度", "百度纬度")))
    assert offsets(found).max() < 1e-4
    assert found.precision == "B"


def test_any_reference_system_of_proj_can_be_named() -> None:
    frame = known_frame("EPSG:32651")
    found = located(columns([301_000.0], [3_540_000.0], names=("x", "y")), frame=frame)
    assert CITY.holds(shapely.get_x(found.geometry), shapely.get_y(found.geometry)).all()
    with pytest.raises(BadOption, match="unknown coordinate frame"):
        known_frame("nonsense")


@given(st.floats(120.3, 121.3), st.floats(32.05, 32.2))
def test_degrees_minutes_and_seconds_are_understood(lon: float, lat: float) -> None:
    def dms(value: float) -> str:
        minutes = (value - int(value)) * 60
        return f"{int(value)}°{int(minutes)}′{(minutes - int(minutes)) * 60:.4f}″"

    found = located(columns([dms(lon)], [dms(lat)]))
    assert distance_m(shapely.get_x(found.geometry), shapely.get_y(found.geometry), lon, lat)[0] < 0.01


def test_wkt_ewkb_geojson_and_pairs_are_understood() -> None:
    point = shapely.Point(120.8943, 31.9802)
    texts = (
        "POINT (120.8943 31.9802)",
        "SRID=4326;POINT (120.8943 31.9802)",
        shapely.to_wkb(shapely.set_srid(point, 4326), hex=True, include_srid=True),
        shapely.to_geojson(point),
    )
    for text in texts:
        assert shapely.equals(located(pd.DataFrame({"geom": [text]})).geometry[0], point)
    assert shapely.equals(located(pd.DataFrame({"坐标": ["120.8943，31.9802"]})).geometry[0], point)
    assert located(pd.DataFrame({"geom": [texts[0], "POINT (1"]})).why.tolist() == [None, "bad_coordinate"]


def test_zero_zero_is_absent_and_words_are_no_coordinates() -> None:
    found = located(columns(["0", "120.86", "见图", None, "0.0"], ["0", "32.0", "32.0", None, "0.0"]))
    assert found.why.tolist() == ["null_island", None, "bad_coordinate", "no_place", "null_island"]
    assert [finding.count for finding in found.findings] == [2]


@pytest.mark.parametrize("names", [("经度", "纬度"), ("x", "y")])
def test_swapped_columns_are_refused_and_can_be_swapped(names: tuple[str, str]) -> None:
    with pytest.raises(Refused, match="--swap"):
        located(columns(LAT, LON, names=names))
    assert offsets(located(columns(LAT, LON, names=names), swap=True)).max() < 1e-6
    with pytest.raises(Refused, match="leave out --swap"):
        located(columns(LON, LAT, names=names), swap=True)


def test_swapped_shapes_are_refused_too() -> None:
    table = Table(Path("a"), "a", pd.DataFrame({"a": [1, 2, 3]}), np.arange(3), geometry=shapely.points(LAT, LON))
    mapping = guess_mapping(table, PLACE)
    with pytest.raises(Refused, match="swapped"):
        find_places(table, mapping, extent=CITY, frame=None, swap=False)
    found = find_places(table, mapping, extent=CITY, frame=None, swap=True)
    assert offsets(found).max() < 1e-6


def test_decimals_bound_the_precision() -> None:
    for lon, lat, precision in (("120.86", "32.01", "C"), ("120.8612", "32.0012", "B"), ("120.86123", "32.1", "A")):
        assert located(columns([lon], [lat])).precision == precision


def test_the_city_holds_its_towns_and_not_its_neighbours() -> None:
    lon, lat = np.array([120.86, 121.66, 121.47, np.nan]), np.array([32.0, 31.81, 31.23, 32.0])
    assert CITY.holds(lon, lat).tolist() == [True, True, False, False]
    assert CITY.is_city


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("120,31,122,33", (120.9, 32.0)),
        ("world", (-122.4, 37.7)),
        ("上海", (121.47, 31.23)),
        ("海安市", (120.46, 32.54)),
        ("Osan", (127.07, 37.15)),
        ("부산", (129.07, 35.18)),
    ],
)
def test_an_area_is_known_by_box_name_or_town(text: str, inside: tuple[float, float]) -> None:
    assert extent_of(text).holds(np.array([inside[0]]), np.array([inside[1]])).all()


def test_an_area_can_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "area.geojson").write_text(shapely.to_geojson(shapely.box(120, 31, 121, 32)))
    assert extent_of(str(tmp_path / "area.geojson")).holds(np.array([120.5]), np.array([31.5])).all()


@pytest.mark.parametrize("text", ["120,31,119,33", "120,31,122", "a,b,c,d", "nowhere at all", "1,2,3,nan"])
def test_what_is_no_area_is_refused(text: str) -> None:
    with pytest.raises(BadOption, match="--extent"):
        extent_of(text)


def test_people_live_near_towns() -> None:
    assert near_towns(LON, LAT) == 1.0
    assert near_towns(LAT, LON) == 0.0


def borders() -> NDArray[np.object_]:
    assert CITY.borders is not None
    return np.array([CITY.borders], dtype=object)


def test_true_borders_are_left_in_peace() -> None:
    assert CITY.borders is not None
    assert shift_of_lines(borders(), CITY.borders) is None


@pytest.mark.parametrize(("frame", "distance_m_", "azimuth"), [("GCJ-02", 478, 118), ("BD-09", 1125, 67)])
def test_borders_in_a_shifted_frame_are_found_with_direction(frame: str, distance_m_: float, azimuth: float) -> None:
    assert CITY.borders is not None
    shifted = convert_geometries(borders(), source="EPSG:4326", target=frame)
    found = shift_of_lines(shifted, CITY.borders)
    assert found is not None
    assert found.frame == frame
    assert found.distance_m == pytest.approx(distance_m_, abs=15)
    assert found.azimuth_deg == pytest.approx(azimuth, abs=3)
    assert found.after_m < 1


def test_lines_all_over_the_city_tell_nothing() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.uniform(120.4, 121.2, (300, 4)), rng.uniform(32.0, 32.2, (300, 4))
    roads = shapely.linestrings(np.stack([x, y], axis=2))
    assert CITY.borders is not None
    assert shift_of_lines(roads, CITY.borders) is None


def test_the_same_things_known_elsewhere_betray_the_frame() -> None:
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(120.4, 121.2, 200), rng.uniform(32.0, 32.2, 200)
    x, y = convert(lon, lat, source="EPSG:4326", target="GCJ-02")
    found = shift_of_pairs(x, y, lon, lat)
    assert found is not None
    assert found.frame == "GCJ-02"
    assert shift_of_pairs(lon, lat, lon, lat) is None
    moved = shift_of_pairs(lon + rng.normal(0, 0.005, 200), lat + rng.normal(0, 0.005, 200), lon, lat)
    assert moved is None
