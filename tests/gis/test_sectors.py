"""The promises of gis.sectors: laws of directions, and the same answer as a drawn sector."""

from __future__ import annotations

import math

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.sectors import bearing_and_distance, holds, turned_deg

GEOD = pyproj.Geod(ellps="WGS84")
LON, LAT = 120.88, 32.01
degrees = st.floats(0, 360, exclude_max=True)


@given(azimuth=degrees, away=st.floats(0.5, 5_000))
def test_a_place_that_was_set_out_lies_where_it_was_set_out(azimuth: float, away: float) -> None:
    lon, lat, _ = GEOD.fwd(LON, LAT, azimuth, away)
    bearing, distance = bearing_and_distance(LON, LAT, lon, lat)
    assert distance == pytest.approx(away, abs=1e-6)
    assert abs(turned_deg(bearing, azimuth)) < 1e-4
    assert 0 <= bearing < 360


@given(azimuth=st.floats(-720, 720), heading=st.floats(-720, 720))
def test_a_turn_leads_from_the_heading_to_the_direction_the_short_way(azimuth: float, heading: float) -> None:
    turn = float(turned_deg(azimuth, heading))
    assert -180 <= turn < 180
    assert math.cos(math.radians(heading + turn - azimuth)) == pytest.approx(1)


@given(heading=degrees, hfov=st.floats(10, 300), reach=st.floats(20, 1_000), azimuth=degrees, away=st.floats(1, 1_200))
def test_a_sector_holds_what_its_drawing_holds(
    heading: float, hfov: float, reach: float, azimuth: float, away: float
) -> None:
    angles = np.radians(heading + np.linspace(-hfov / 2, hfov / 2, 721))
    ring = [(0.0, 0.0), *zip(reach * np.sin(angles), reach * np.cos(angles), strict=True)]
    drawing = shapely.Polygon(ring)
    place = shapely.Point(away * math.sin(math.radians(azimuth)), away * math.cos(math.radians(azimuth)))
    if shapely.distance(drawing.boundary, place) < 0.02:
        return  # chords are not arcs
    told = holds(azimuth_deg=azimuth, distance_m=away, heading_deg=heading, hfov_deg=hfov, range_m=reach)
    assert bool(told) == drawing.contains(place)


def test_edges_belong_to_the_sector_also_across_north() -> None:
    told = holds(azimuth_deg=[320, 40, 319.9, 40.1], distance_m=50, heading_deg=0, hfov_deg=80, range_m=50)
    assert told.tolist() == [True, True, False, False]


def test_what_stands_at_the_foot_is_held_and_who_looks_around_needs_no_heading() -> None:
    bearing, away = bearing_and_distance(LON, LAT, LON, LAT)
    assert np.isnan(bearing)
    assert away == 0
    assert holds(azimuth_deg=bearing, distance_m=away, heading_deg=90, hfov_deg=40, range_m=10)
    assert holds(azimuth_deg=200, distance_m=5, heading_deg=np.nan, hfov_deg=360, range_m=10)
    assert not holds(azimuth_deg=200, distance_m=5, heading_deg=np.nan, hfov_deg=40, range_m=10)
    assert not holds(azimuth_deg=bearing, distance_m=away, heading_deg=np.nan, hfov_deg=40, range_m=10)


@given(st.data())
def test_a_wider_or_farther_sector_holds_no_less(data: st.DataObject) -> None:
    hfov, reach = data.draw(st.floats(1, 359)), data.draw(st.floats(1, 1_000))
    place = {"azimuth_deg": data.draw(degrees), "distance_m": data.draw(st.floats(0, 1_000))}
    heading = data.draw(degrees)
    if holds(**place, heading_deg=heading, hfov_deg=hfov, range_m=reach):
        assert holds(**place, heading_deg=heading, hfov_deg=min(360.0, hfov * 1.5), range_m=reach * 1.5)
