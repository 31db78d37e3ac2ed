from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.ask.coordinates import read_cell, read_coordinates

# One place (facts: 31.9802, 120.8943) in every frame and spelling.
SPELLINGS = [
    "120.8943,31.9802",
    "120.8943 31.9802",
    "31.9802, 120.8943",
    "31.9802N 120.8943E",
    "N31.9802,E120.8943",
    "E120.8943 N31.9802",
    "北纬31.9802 东经120.8943",
    "经度120.8943，纬度31.9802",
    "１２０．８９４３，３１．９８０２",
    "120.8943; 31.9802",
    "(120.8943, 31.9802)",
    "lon=120.8943 lat=31.9802",
    "31°58'48.72\"N 120°53'39.48\"E",
    "120°53′39.48″，31°58′48.72″",
    "120.8943,31.9802 wgs84",
    "CGCS2000 120.8943 31.9802",
    "gcj 120.89851566,31.97803016",
    "GCJ-02: 120.89851566, 31.97803016",
    "120.89851566 31.97803016 (gcj02)",
    "火星坐标 120.89851566,31.97803016",
    "bd09 120.90511330,31.98366908",
    "百度 120.90511330 31.98366908",
    "584524.890 3540006.265",
    "3540006.265, 584524.890",
    "EPSG:4549 584524.890 3540006.265",
    "40584524.890 3540006.265",
    "4550 300963.223 3541594.492",
    "13457891.916, 3760711.850",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_place_is_read_in_every_frame_and_spelling(text: str) -> None:
    spot = read_coordinates(text)
    assert spot is not None
    assert (spot.lon, spot.lat) == (pytest.approx(120.8943, abs=2e-6), pytest.approx(31.9802, abs=2e-6))


@pytest.mark.parametrize(
    "text",
    [
        "", "120.89", "12 34", "1,2", "人民路 12,34", "999,999", "nan,nan", "1e5,3", "31.98S 120.89S", "91N 120E",
        "320613005012007", "32061301002000123", "火 1 2 3", "120.89,31.98,5", "foo 120.89,31.98", "120.89,31.98 %",
        "gcj 120.89,31.98 bd09", "120°70'N 31°E",
    ],
)  # fmt: skip
def test_other_texts_are_not_coordinates(text: str) -> None:
    assert read_coordinates(text) is None


def test_south_and_west_are_negative() -> None:
    spot = read_coordinates("33.9S 151.2W")
    assert spot is not None
    assert (spot.lon, spot.lat) == (-151.2, -33.9)


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("120.89430,31.98020", "A"),
        ("120.8943,31.9802", "B"),
        ("120.894,31.980", "C"),
        ("120.89,31.98", "grid"),
        ("120.9,31.9", "town"),
        ("120,32", "county"),
        ("584524 3540006", "A"),
        ("gcj 120.8985156,31.9780301", "B"),
    ],
)
def test_the_precision_is_that_of_the_last_digit(text: str, precision: str) -> None:
    spot = read_coordinates(text)
    assert spot is not None
    assert spot.precision == precision


def test_a_cell_is_read_as_its_centre_and_a_grid_id_is_not_a_cell() -> None:
    spot = read_cell("8A309D551487fff")
    assert spot is not None
    assert (spot.lon, spot.lat) == (pytest.approx(120.8943, abs=1e-3), pytest.approx(31.9802, abs=1e-3))
    assert spot.precision == "C"
    assert read_cell("320613005012007") is None


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_a_pair_with_six_decimals_is_itself(lon: float, lat: float) -> None:
    spot = read_coordinates(f"{lon:.6f}E {lat:.6f}N")
    assert spot is not None
    assert (spot.lon, spot.lat) == (pytest.approx(lon, abs=1e-6), pytest.approx(lat, abs=1e-6))


@given(st.text("0123456789 .,°'\"NSEWgcj()度分秒北纬-+", max_size=100))
def test_any_text_is_answered(text: str) -> None:
    spot = read_coordinates(text)
    assert spot is None or (abs(spot.lon) <= 180 and abs(spot.lat) <= 90)
