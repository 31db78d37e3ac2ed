"""The promises of gis.repair: whatever goes in, what comes out is valid, flat, of one kind, and explained."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import WrongGeometry
from gis.repair import EMPTY, HEIGHT, INVALID, KINDS, NO_GEOMETRY, NOT_FINITE, OTHER_PARTS, WRONG_TYPE, Kind, repair

BOWTIE = "POLYGON((0 0,2 2,2 0,0 2,0 0))"


def one(wkt: str | None, kind: Kind) -> tuple[shapely.Geometry | None, bool, str | None]:
    """Repair a single geometry: what is left, was it changed, and why."""
    report = repair(np.array([shapely.from_wkt(wkt)], dtype=object), kind=kind)
    return report.geometries[0], bool(report.repaired[0]), report.reasons[0]


@pytest.mark.parametrize(
    ("wkt", "kind", "result"),
    [
        ("POINT(1 2)", "Point", "POINT(1 2)"),
        ("MULTIPOINT((1 2))", "Point", "POINT(1 2)"),
        ("LINESTRING(0 0,1 1)", "MultiLineString", "MULTILINESTRING((0 0,1 1))"),
        ("LINEARRING(0 0,1 1,1 0,0 0)", "MultiLineString", "MULTILINESTRING((0 0,1 1,1 0,0 0))"),
        ("POLYGON((0 0,1 0,1 1,0 0))", "MultiPolygon", "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))"),
        ("GEOMETRYCOLLECTION(POINT(1 2))", "Point", "POINT(1 2)"),
    ],
)
def test_a_good_geometry_passes_without_a_word(wkt: str, kind: Kind, result: str) -> None:
    left, repaired, reason = one(wkt, kind)
    assert left == shapely.from_wkt(result)
    assert not repaired
    assert reason is None


@pytest.mark.parametrize(
    ("wkt", "kind", "reason"),
    [
        (None, "Point", NO_GEOMETRY),
        ("POINT EMPTY", "Point", EMPTY),
        ("POLYGON EMPTY", "MultiPolygon", EMPTY),
        ("GEOMETRYCOLLECTION(POINT EMPTY)", "Point", EMPTY),
        ("POINT(nan 1)", "Point", NOT_FINITE),
        ("POINT(nan nan)", "Point", NOT_FINITE),
        ("LINESTRING(0 0,inf 1)", "MultiLineString", NOT_FINITE),
        ("LINESTRING(0 0,1 1)", "Point", f"{WRONG_TYPE}: LineString"),
        ("POINT(1 2)", "MultiPolygon", f"{WRONG_TYPE}: Point"),
        ("POLYGON((0 0,1 0,1 1,0 0))", "MultiLineString", f"{WRONG_TYPE}: Polygon"),
        ("MULTIPOINT((1 2),(3 4))", "Point", f"{WRONG_TYPE}: MultiPoint"),
        ("GEOMETRYCOLLECTION(POINT(1 2),POINT(2 3))", "Point", f"{WRONG_TYPE}: MultiPoint"),
        ("GEOMETRYCOLLECTION(POINT(1 2))", "MultiPolygon", f"{WRONG_TYPE}: GeometryCollection"),
    ],
)
def test_what_cannot_be_kept_becomes_none_with_its_reason(wkt: str | None, kind: Kind, reason: str) -> None:
    assert one(wkt, kind) == (None, False, reason)


@pytest.mark.parametrize(
    ("wkt", "kind"),
    [("POLYGON((0 0,1 1,2 2,0 0))", "MultiPolygon"), ("LINESTRING(5 5,5 5)", "MultiLineString")],
)
def test_what_collapses_becomes_none_as_invalid(wkt: str, kind: Kind) -> None:
    left, repaired, reason = one(wkt, kind)
    assert left is None
    assert not repaired
    assert reason is not None
    assert reason.startswith(f"{INVALID}: ")


@pytest.mark.parametrize(
    ("wkt", "area"),
    [
        (BOWTIE, 2.0),
        ("MULTIPOLYGON(((0 0,2 0,2 2,0 2,0 0)),((1 1,3 1,3 3,1 3,1 1)))", 7.0),
        ("POLYGON((0 0,4 0,4 4,0 4,0 0,2 4,0 0))", 16.0),
        ("POLYGON((2 3,3 3,2 3,0 1,3 3,3 3,0 3,0 4,2 3))", 2.0),
        ("POLYGON((1 1,1 0,2 0,1 1,1 0,0 0,1 1))", 1.0),
        ("POLYGON((0 0,4 0,4 4,0 4,0 0),(1 1,5 1,5 2,1 2,1 1))", 13.0),
    ],
)
def test_broken_rings_are_mended_to_the_area_they_enclose(wkt: str, area: float) -> None:
    left, repaired, reason = one(wkt, "MultiPolygon")
    assert left is not None
    assert left.is_valid
    assert left.geom_type == "MultiPolygon"
    assert left.area == pytest.approx(area)
    assert repaired
    assert reason is not None
    assert reason.startswith((f"{INVALID}: Self-intersection", f"{INVALID}: Ring Self-intersection"))


@pytest.mark.parametrize("wkt", ["POINT Z (1 2 3)", "POINT M (1 2 3)", "POINT ZM (1 2 3 4)", "POINT Z (1 2 nan)"])
def test_heights_and_measures_are_left_out_and_told(wkt: str) -> None:
    left, repaired, reason = one(wkt, "Point")
    assert left is not None
    assert not left.has_z
    assert not left.has_m
    assert repaired
    assert reason == HEIGHT


def test_a_mixed_collection_keeps_the_parts_that_fit_however_deep() -> None:
    wkt = "GEOMETRYCOLLECTION(POINT(9 9),GEOMETRYCOLLECTION(LINESTRING(0 0,1 1),MULTILINESTRING((2 2,3 3),(4 4,5 5))))"
    left, repaired, reason = one(wkt, "MultiLineString")
    assert left == shapely.from_wkt("MULTILINESTRING((0 0,1 1),(2 2,3 3),(4 4,5 5))")
    assert repaired
    assert reason == OTHER_PARTS


def test_several_faults_of_one_geometry_are_all_told() -> None:
    left, _, reason = one("POLYGON Z ((0 0 1,2 2 1,2 0 1,0 2 1,0 0 1))", "MultiPolygon")
    assert left is not None
    assert reason is not None
    assert reason.split("; ")[0] == HEIGHT
    assert reason.split("; ")[1].startswith(INVALID)


def test_positions_are_kept_and_the_input_is_not_changed() -> None:
    wkts = ["POINT(1 2)", None, BOWTIE, "GEOMETRYCOLLECTION(POINT(0 0),POLYGON((0 0,1 0,1 1,0 0)))", "POLYGON EMPTY"]
    geoms = shapely.from_wkt([*wkts, "POLYGON((0 0,1 0,1 1,0 0))"])
    before = geoms.copy()
    report = repair(geoms, kind="MultiPolygon")
    assert (geoms == before).all()
    assert report.lost.tolist() == [True, True, False, False, True, False]
    assert report.repaired.tolist() == [False, False, True, True, False, False]
    assert [reason is None for reason in report.reasons] == [False] * 5 + [True]


def test_nothing_in_gives_nothing_out() -> None:
    report = repair(np.array([], dtype=object), kind="Point")
    assert report.geometries.shape == report.repaired.shape == report.reasons.shape == report.lost.shape == (0,)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(WrongGeometry) as caught:
        repair(np.array([], dtype=object), kind="Polygon")  # type: ignore[arg-type]
    assert caught.value.wanted == KINDS


RING = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=9)


@given(rings=st.lists(RING, min_size=1, max_size=5))
def test_whatever_polygon_goes_in_a_valid_area_or_nothing_comes_out(rings: list[list[tuple[int, int]]]) -> None:
    report = repair(np.array([shapely.Polygon(ring) for ring in rings], dtype=object), kind="MultiPolygon")
    kept = report.geometries[~report.lost]
    assert shapely.is_valid(kept).all()
    assert (shapely.area(kept) > 0).all()
    assert {geom.geom_type for geom in kept} <= {"MultiPolygon"}
    assert all(report.reasons[report.lost | report.repaired])
    again = repair(report.geometries, kind="MultiPolygon")
    assert not again.repaired.any()


def test_missing_geometries_of_a_real_file_are_told(shared: Path) -> None:
    path = shared / "data" / "nasty" / "null_geom.geojson"
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    shapes = [shapely.from_geojson(json.dumps(f["geometry"])) if f["geometry"] else None for f in features]
    report = repair(np.array(shapes, dtype=object), kind="Point")
    absent = [shape is None for shape in shapes]
    assert any(absent)
    assert [reason == NO_GEOMETRY for reason in report.reasons] == absent
