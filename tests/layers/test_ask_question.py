"""The planner's questions against plain computations over the same records."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import pytest
import shapely
import sqlalchemy as sa
from pydantic import TypeAdapter

from gis.cells import cells_of, parents, to_hex
from gis.frames import area_m2, distance_m
from gis.plane import Plane
from layers.ask.question import asked, cellcount, roads
from layers.ask.question.answer import Answer
from layers.ask.question.asked import Question
from layers.ask.question.desk import Desk
from layers.ask.question.drawn import drawn
from layers.ask.question.errors import GivenUp, TooMuch
from layers.catalog import built_in
from layers.errors import BadField, UnknownLayer
from layers.spec import Access, Layer
from layers.store.changes import settle
from layers.store.cluster import Cluster
from layers.store.engine import begin, engine_for
from tests.conftest import Database

LAYERS = built_in()
QUESTION: TypeAdapter[Question] = TypeAdapter(Question)
CENTRE = (120.8943, 31.9802)
RING = shapely.Point(CENTRE).buffer(0.06, 12)
AREA = shapely.geometry.mapping(RING.difference(shapely.Point(CENTRE).buffer(0.01)))


@pytest.fixture(scope="module")
def small(cluster: Cluster, city_template: str) -> Iterator[Database]:
    """A small city that the tests of this module only read."""
    name = f"questions_{os.getpid()}"
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {city_template}")
    fresh = Database(cluster.url(name))
    yield fresh
    fresh.close()


@pytest.fixture(scope="module")
def read(small: Database) -> Iterator[sa.Connection]:
    with small.reader.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


def find(name: str) -> Layer:
    if name not in LAYERS:
        raise UnknownLayer(name)
    return LAYERS[name]


def table(answer: Answer) -> gpd.GeoDataFrame:
    return pd.concat([*answer.sheet.batches()]) if answer.sheet.rows else gpd.GeoDataFrame({"id": []})


def records(connection: sa.Connection, layer: str) -> gpd.GeoDataFrame:
    """All records of a layer, as they are."""
    of = LAYERS[layer].table
    names = ["id", *(f.name for f in LAYERS[layer].fields), "admin_code", "grid_id"]
    rows = connection.execute(sa.select(*(of.c[n] for n in names), sa.func.st_asbinary(of.c.geom)).order_by(of.c.id))
    found = rows.all()
    shapes = shapely.from_wkb([bytes(row[-1]) for row in found])
    return gpd.GeoDataFrame([row[:-1] for row in found], columns=names, geometry=shapes, crs=4326)


Ask = Any


@pytest.fixture
def ask(read: sa.Connection, desk: Desk) -> Ask:
    def answered(question: dict[str, Any]) -> Answer:
        return desk.answer(read, QUESTION.validate_python(question), find)

    return answered


def ids(answer: Answer) -> list[str]:
    return table(answer)["id"].tolist()


@pytest.mark.parametrize("layer", ["component", "road", "building", "grid"])
@pytest.mark.parametrize(("relation", "predicate"), [("within", "covered_by"), ("crossing", "intersects")])
def test_records_in_a_drawn_area_are_those_that_lie_there(
    ask: Ask, read: sa.Connection, layer: str, relation: str, predicate: str
) -> None:
    where = [{"relation": relation, "geometry": AREA}]
    answer = ask({"ask": "select", "layer": layer, "where": where, "limit": 50_000})
    every = records(read, layer)
    there = getattr(shapely, predicate)(every.geometry.to_numpy(), shapely.geometry.shape(AREA))
    assert ids(answer) == every["id"][there].tolist()
    assert there.any()
    assert not answer.sheet.truncated


def test_near_and_not_near_part_the_records_by_the_distance_on_the_ground(ask: Ask, read: sa.Connection) -> None:
    where = {"layer": "place", "filter": "kind = 'school'", "distance_m": 800}
    near, far = (
        ids(ask({"ask": "select", "layer": "component", "where": [{**where, "relation": r}], "limit": 50_000}))
        for r in ("near", "not_near")
    )
    components, places = records(read, "component"), records(read, "place")
    schools = places[places["kind"] == "school"].geometry
    x, y = components.geometry.x.to_numpy(), components.geometry.y.to_numpy()
    away = np.min([distance_m(x, y, s.x, s.y) for s in schools], axis=0)
    assert near == components["id"][away <= 800].tolist()
    assert far == components["id"][away > 800].tolist()


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": CENTRE},
        {"type": "LineString", "coordinates": [CENTRE, (121.0, 32.05), (121.1, 32.0)]},
        AREA,
    ],
)
def test_near_something_drawn_is_measured_from_any_part_of_it(
    ask: Ask, read: sa.Connection, geometry: dict[str, Any]
) -> None:
    where = [{"relation": "near", "geometry": geometry, "distance_m": 1_500}]
    answer = ask({"ask": "select", "layer": "component", "where": where, "limit": 50_000})
    every = records(read, "component")
    plane = Plane(*CENTRE)
    drawn = plane.flat(np.array([shapely.geometry.shape(geometry)], dtype=object))[0]
    away = shapely.distance(plane.flat(every.geometry.to_numpy()), drawn)
    surely, maybe = set(every["id"][away < 1_495]), set(every["id"][away < 1_505])
    assert surely <= set(ids(answer)) <= maybe
    assert surely


def test_records_within_records_of_another_layer(ask: Ask, read: sa.Connection) -> None:
    towns = records(read, "town")
    some = towns["name"].iloc[0]
    where = [{"relation": "within", "layer": "town", "filter": f"name = '{some}'"}]
    answer = ask({"ask": "select", "layer": "place", "where": where, "limit": 50_000})
    every = records(read, "place")
    inside = shapely.covered_by(every.geometry.to_numpy()[:, None], towns.geometry[towns["name"] == some].to_numpy())
    assert ids(answer) == every["id"][inside.any(axis=1)].tolist()


def test_a_record_is_not_near_itself(ask: Ask, read: sa.Connection) -> None:
    where = [{"relation": "near", "layer": "pollution", "distance_m": 20}]
    answer = ask({"ask": "select", "layer": "pollution", "where": where, "limit": 50_000})
    every = records(read, "pollution").geometry
    x, y = every.x.to_numpy(), every.y.to_numpy()
    near = (distance_m(x[:, None], y[:, None], x, y) <= 20).sum(axis=1) > 1
    assert answer.sheet.rows == near.sum() < len(every)


def test_conditions_are_all_kept_and_what_is_cut_off_is_told(ask: Ask) -> None:
    where = [
        {"relation": "within", "geometry": AREA},
        {"relation": "not_near", "layer": "place", "filter": "kind = 'school'", "distance_m": 300},
    ]
    question = {"ask": "select", "layer": "component", "filter": "state = 'intact'", "where": where}
    whole = ask({**question, "limit": 50_000})
    some = ask({**question, "limit": 7})
    assert ids(some) == ids(whole)[:7]
    assert (some.sheet.truncated, whole.sheet.truncated) == (True, False)
    assert set(table(whole)["state"]) == {"intact"}


@pytest.mark.parametrize("layer", ["place", "building", "road"])
def test_the_nearest_are_the_nearest_on_the_ground(ask: Ask, read: sa.Connection, layer: str) -> None:
    found = table(ask({"ask": "nearest", "layer": layer, "point": CENTRE, "k": 12}))
    every = records(read, layer)
    plane = Plane(*CENTRE)
    away = shapely.distance(plane.flat(every.geometry.to_numpy()), shapely.Point(0, 0))
    assert found["distance_m"].is_monotonic_increasing
    assert found["distance_m"].to_numpy(dtype=float) == pytest.approx(np.sort(away)[:12], rel=1e-3, abs=0.05)


def test_the_nearest_of_a_sparse_kind_are_found_however_far(ask: Ask) -> None:
    question = {"ask": "nearest", "layer": "place", "filter": "kind = 'hospital'", "point": [121.9, 31.7], "k": 1_000}
    found = table(ask(question))
    assert set(found["kind"]) == {"hospital"}
    assert found["distance_m"].iloc[-1] > 50_000
    none = ask({**question, "filter": "kind = 'nothing'"})
    assert none.sheet.rows == 0


@pytest.mark.parametrize("layer", ["component", "video", "place"])
def test_counts_by_class_are_the_same_from_cells_and_from_records(
    ask: Ask, read: sa.Connection, layer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = LAYERS[layer]
    for shape in (AREA, shapely.geometry.mapping(shapely.box(120, 31, 122.2, 33)), _tiny()):
        for by in ("class", "total"):
            question = {"ask": "count", "layer": layer, "by": by, "where": [{"relation": "within", "geometry": shape}]}
            quick = table(ask(question))
            with monkeypatch.context() as patched:
                patched.setattr(cellcount, "cover", lambda _: None)
                plain = table(ask(question))
            assert quick.to_dict("records") == plain.to_dict("records")
    every = records(read, layer)
    inside = every[every.geometry.covered_by(shapely.geometry.shape(AREA))]
    question = {"ask": "count", "layer": layer, "by": "class", "where": [{"relation": "within", "geometry": AREA}]}
    found = table(ask(question))
    assert dict(zip(found[of.classes], found["n"], strict=True)) == inside[of.classes].value_counts().to_dict()


def _tiny() -> dict[str, Any]:
    return dict(shapely.geometry.mapping(shapely.Point(CENTRE).buffer(0.0004)))


def test_an_edit_is_in_the_count_at_once(city: Database) -> None:
    area = {"relation": "within", "geometry": dict(shapely.geometry.mapping(shapely.box(120.7, 31.8, 121.1, 32.1)))}
    question = QUESTION.validate_python({"ask": "count", "layer": "component", "where": [area]})

    def counted() -> int:
        with city.reader.connect() as connection:
            return int(table(Desk().answer(connection, question, find))["n"].iloc[0])

    before = counted()
    inside = "st_intersects(geom, st_makeenvelope(120.85, 31.9, 121.0, 32.0, 4326))"
    with begin(city.engine, actor="test") as connection:
        deleted = connection.execute(sa.text(f"delete from city.component where {inside}")).rowcount
    assert deleted > 0
    assert counted() == before - deleted


def test_counts_by_area_carry_names_shapes_and_sums(ask: Ask, read: sa.Connection) -> None:
    found = table(ask({"ask": "count", "layer": "grid", "by": "county", "field": "population"}))
    grids, counties = records(read, "grid"), records(read, "county").set_index("id")
    expected = grids.groupby(grids["admin_code"].str[:6])["population"].agg(
        ["size", "count", "sum", "mean", "min", "max"]
    )
    assert found["n"].is_monotonic_decreasing
    for row in found.itertuples():
        told = [float(v) for v in (row.n, row.n_value, row.sum, row.mean, row.min, row.max)]
        assert told == pytest.approx(expected.loc[row.key].tolist())
        assert row.name == counties.loc[row.key, "name"]
        assert row.geometry.equals(counties.loc[row.key, "geometry"])


@pytest.mark.parametrize("by", ["grid", "town"])
def test_counts_by_grid_and_town_add_up(ask: Ask, read: sa.Connection, by: str) -> None:
    found = table(ask({"ask": "count", "layer": "place", "by": by, "limit": 50_000}))
    assert found["n"].sum() == len(records(read, "place"))


@pytest.mark.parametrize("res", [5, 8, 10])
def test_counts_by_cell_are_those_of_the_points(ask: Ask, read: sa.Connection, res: int) -> None:
    found = table(ask({"ask": "count", "layer": "component", "by": "h3", "res": res, "limit": 50_000}))
    points = records(read, "component").geometry
    cells = parents(cells_of(points.x.to_numpy(), points.y.to_numpy()), res)
    expected = dict(zip(*(part.tolist() for part in np.unique(cells, return_counts=True)), strict=True))
    assert dict(zip(found["key"], found["n"], strict=True)) == {to_hex(c)[0]: n for c, n in expected.items()}
    assert (found.geometry.geom_type == "Polygon").all()


def test_the_area_around_a_point_is_a_circle_on_the_ground(ask: Ask) -> None:
    for lon in (120.2, 121.0, 121.9):
        point = {"type": "Point", "coordinates": [lon, 31.9]}
        found = table(ask({"ask": "buffer", "geometry": point, "radius_m": 5_000}))
        circle = found.geometry.iloc[0]
        x, y = shapely.get_coordinates(circle).T
        assert distance_m(x, y, lon, 31.9) == pytest.approx(5_000, rel=3e-4)
        assert float(found["area_km2"].iloc[0]) == pytest.approx(np.pi * 25, rel=3e-3)


def test_the_area_around_records_is_dissolved(ask: Ask, read: sa.Connection) -> None:
    of = {"layer": "place", "filter": "kind = 'school'"}
    found = table(ask({"ask": "buffer", "records": of, "radius_m": 700}))
    schools = records(read, "place").query("kind == 'school'").geometry
    assert found["around"].iloc[0] == len(schools)
    assert found.geometry.iloc[0].is_valid
    assert shapely.covers(found.geometry.iloc[0], schools.to_numpy()).all()
    assert float(found["area_km2"].iloc[0]) == pytest.approx(
        float(area_m2(found.geometry.to_numpy())[0]) / 1e6, rel=1e-6
    )
    assert table(ask({"ask": "buffer", "records": {**of, "filter": "kind = 'nothing'"}, "radius_m": 9})).empty


def test_a_gap_is_what_has_nothing_within_the_distance(ask: Ask, read: sa.Connection) -> None:
    question = {"ask": "coverage_gap", "layer": "grid", "of": {"layer": "place", "filter": "kind = 'school'"},
                "distance_m": 900, "limit": 50_000}  # fmt: skip
    found = table(ask(question))
    grids, schools = records(read, "grid"), records(read, "place").query("kind == 'school'")
    plane = Plane(*CENTRE)
    flat, there = plane.flat(grids.geometry.to_numpy()), plane.flat(schools.geometry.to_numpy())
    away = shapely.distance(flat, shapely.multipoints(there))
    assert found["id"].tolist() == grids["id"][away > 900].tolist()
    assert found["nearest_m"].to_numpy(dtype=float) == pytest.approx(away[away > 900], rel=1e-3)


def test_a_gap_within_one_layer_looks_past_the_record_itself(city: Database) -> None:
    with begin(city.engine, actor="test") as connection:
        twins = "select id from city.place order by id limit 2"
        connection.execute(
            sa.text(f"update city.place set geom = st_setsrid(st_point(121.9, 31.65), 4326) where id in ({twins})")
        )
    question = {"ask": "coverage_gap", "layer": "place", "of": {"layer": "place"}, "distance_m": 500, "limit": 50_000}
    with city.reader.connect() as connection:
        found = table(Desk().answer(connection, QUESTION.validate_python(question), find))
        every = records(connection, "place")
    x, y = every.geometry.x.to_numpy(), every.geometry.y.to_numpy()
    away = distance_m(x[:, None], y[:, None], x, y)
    np.fill_diagonal(away, np.inf)
    assert found["id"].tolist() == every["id"][away.min(axis=1) > 500].tolist()
    assert found["nearest_m"].to_numpy(dtype=float) == pytest.approx(away.min(axis=1)[away.min(axis=1) > 500], abs=0.02)


def test_the_uncovered_share_is_that_of_the_area(ask: Ask, read: sa.Connection) -> None:
    question = {"ask": "coverage_gap", "layer": "town", "of": {"layer": "place", "filter": "kind = 'school'"},
                "distance_m": 1_500, "reading": "uncovered", "limit": 50_000}  # fmt: skip
    found = table(ask(question)).set_index("id")
    towns, schools = records(read, "town"), records(read, "place").query("kind == 'school'")
    plane = Plane(*CENTRE)
    circles = shapely.union_all(shapely.buffer(plane.flat(schools.geometry.to_numpy()), 1_500, quad_segs=32))
    flat = plane.flat(towns.geometry.to_numpy())
    share = shapely.area(shapely.difference(flat, circles)) / shapely.area(flat) * 100
    for id, expected in zip(towns["id"], share, strict=True):
        assert float(found["uncovered_share"].get(id, 0.0)) == pytest.approx(expected, abs=0.3)
    assert found["uncovered_share"].is_monotonic_decreasing


def test_what_nothing_covers_is_wholly_uncovered(ask: Ask) -> None:
    question = {"ask": "coverage_gap", "layer": "county", "of": {"layer": "place", "filter": "kind = 'nothing'"},
                "distance_m": 100}  # fmt: skip
    assert set(table(ask({**question, "reading": "uncovered"}))["uncovered_share"]) == {100.0}
    assert table(ask(question))["nearest_m"].isna().all()


def test_an_isochrone_is_given_up_between_any_two_of_its_steps(read: sa.Connection, desk: Desk) -> None:
    first = shapely.get_point(shapely.get_geometry(records(read, "road").geometry.iloc[0], 0), 0)
    start = (first.x, first.y)
    question = QUESTION.validate_python({"ask": "isochrone", "point": start, "minutes": [4, 8], "by": "walking"})
    calls = 0

    def steps(last: int) -> Answer | None:
        nonlocal calls
        calls = 0

        def between() -> None:
            nonlocal calls
            calls += 1
            if calls == last:
                raise GivenUp

        try:
            return desk.answer(read, question, find, between=between)
        except GivenUp:
            return None

    whole = steps(0)
    assert whole is not None
    assert whole.sheet.rows == 4
    every = calls
    assert every >= 2 * 5
    for last in (1, 2, every // 2, every):
        assert steps(last) is None
        assert calls == last


def test_the_roads_are_read_again_when_they_have_changed(city: Database) -> None:
    desk = Desk()
    with city.reader.connect() as connection:
        first = records(connection, "road").geometry.iloc[0]
        start = shapely.get_point(shapely.get_geometry(first, 0), 0)
        question = QUESTION.validate_python(
            {"ask": "isochrone", "point": (start.x, start.y), "minutes": [10], "by": "driving"}
        )
        before = table(desk.answer(connection, question, find))

        def is_held() -> bool:
            settle(connection)  # as the server does every two seconds; only what is on the disk is held
            return desk.roads.current(connection) is desk.roads.current(connection)

        assert any(is_held() for _ in range(9)), "another test may write in between, but hardly nine times"
    with begin(city.engine, actor="test") as connection:
        connection.execute(sa.text("update city.road set maxspeed_kmh = 5"))
    with city.reader.connect() as connection:
        after = table(desk.answer(connection, question, find))
    assert float(after["road_km"].iloc[0]) < float(before["road_km"].iloc[0])


def test_a_route_goes_along_roads_that_exist(ask: Ask, read: sa.Connection) -> None:
    lines = records(read, "road").geometry
    ends = [shapely.get_point(shapely.get_geometry(lines.iloc[i], 0), 0) for i in (0, 40)]
    points = [(p.x, p.y) for p in ends]
    there = ask({"ask": "route", "start": points[0], "end": points[1], "by": "walking"})
    back = ask({"ask": "route", "start": points[1], "end": points[0], "by": "walking"})
    way, again = table(there), table(back)
    assert float(way["minutes"].iloc[0]) == pytest.approx(float(again["minutes"].iloc[0]), abs=0.02)
    assert float(way["length_m"].iloc[0]) == pytest.approx(float(way["minutes"].iloc[0]) * 60 * 1.3, rel=0.01)
    assert float(way["length_m"].iloc[1:].astype(float).sum()) == pytest.approx(
        float(way["length_m"].iloc[0]), rel=0.01
    )
    network = shapely.union_all(shapely.buffer(lines.to_numpy(), 1e-5))
    assert network.covers(way.geometry.iloc[0])


def test_one_does_not_drive_faster_than_allowed_nor_than_usual() -> None:
    assert roads.speed_kmh("motorway", 120.0) == 90.0
    assert roads.speed_kmh("primary", 30.0) == 30.0
    assert roads.speed_kmh("primary", None) == 40.0
    assert roads.speed_kmh(None, None) == 20.0
    assert roads.speed_kmh("residential", 0.0) > 0


def test_a_question_that_takes_too_long_is_refused(small: Database) -> None:
    engine = engine_for(small.url, "reader")
    with engine.connect() as connection:
        connection.execute(sa.text("set statement_timeout = '1ms'"))
        question = {"ask": "count", "layer": "component", "by": "h3", "res": 9}
        with pytest.raises(TooMuch, match="took too long"):
            Desk().answer(connection, QUESTION.validate_python(question), find)
    engine.dispose()


def test_a_question_about_too_many_records_is_refused(read: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.ask.question.around.MOST_AROUND", 10)
    question = {"ask": "buffer", "records": {"layer": "component"}, "radius_m": 10}
    with pytest.raises(TooMuch, match="more than 10 records"):
        Desk().answer(read, QUESTION.validate_python(question), find)


@pytest.mark.parametrize(
    "question",
    [
        {"ask": "select", "layer": "hidden"},
        {"ask": "select", "layer": "place", "where": [{"relation": "near", "layer": "hidden", "distance_m": 5}]},
        {"ask": "buffer", "records": {"layer": "hidden"}, "radius_m": 5},
        {"ask": "coverage_gap", "layer": "place", "of": {"layer": "hidden"}, "distance_m": 5},
        {"ask": "isochrone", "point": CENTRE, "minutes": [5]},
        {"ask": "count", "layer": "place", "by": "grid"},
    ],
)
def test_a_layer_that_may_not_be_seen_is_not_there(read: sa.Connection, question: dict[str, Any]) -> None:
    internal = {"hidden", "road", "grid"}

    def visible(name: str) -> Layer:
        if name in internal:
            raise UnknownLayer(name)
        return find(name)

    with pytest.raises(UnknownLayer):
        Desk().answer(read, QUESTION.validate_python(question), visible)


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Polygon", "coordinates": [[[500, 0], [501, 1], [500, 1], [500, 0]]]},
        {"type": "Polygon", "coordinates": [[[float("nan"), 0], [1, 1], [0, 1], [0, 0]]]},
        {"type": "Point", "coordinates": ["a", "b"]},
        {"type": "Point"},
        {"type": "MultiPoint", "coordinates": [[120, 32], [121, 32]]},
        {"type": "GeometryCollection", "geometries": []},
        {"type": "LineString", "coordinates": [[120 + i * 1e-6, 32] for i in range(20_001)]},
        {"type": "Polygon", "coordinates": [[[[[[[[120, 32]]]]]]]]},
        {},
    ],
)
def test_what_is_no_geometry_is_refused(ask: Ask, geometry: dict[str, Any]) -> None:
    with pytest.raises(BadField):
        ask({"ask": "select", "layer": "place", "where": [{"relation": "within", "geometry": geometry}]})


def test_an_area_that_crosses_itself_is_mended(ask: Ask, read: sa.Connection) -> None:
    bow = [[120.8, 31.9], [121.0, 32.1], [121.0, 31.9], [120.8, 32.1], [120.8, 31.9]]
    where = [{"relation": "within", "geometry": {"type": "Polygon", "coordinates": [bow]}}]
    inside = shapely.make_valid(shapely.Polygon(bow))
    every = records(read, "component").geometry
    assert ask({"ask": "count", "layer": "component", "where": where}).sheet.rows == 1
    n = table(ask({"ask": "count", "layer": "component", "where": where}))["n"].iloc[0]
    assert n == every.covered_by(inside).sum()


def test_a_question_says_in_words_what_was_asked(ask: Ask) -> None:
    where = [
        {"relation": "within", "geometry": shapely.geometry.mapping(shapely.box(120.8, 31.9, 120.9, 32.0))},
        {"relation": "not_near", "layer": "place", "filter": "kind = 'school'", "distance_m": 1_500},
    ]
    answer = ask({"ask": "select", "layer": "component", "filter": "state IN ('broken', 'intact')", "where": where})
    zh, en = answer.sheet.statement
    for part in (
        "城市部件",
        "“破损”",
        "“完好”",
        "位于所绘区域（104.8 km²）内",
        "1,500 米以内没有地名地址（类型为“学校”）",
        "最多 1,000 条",
    ):
        assert part in zh
    for part in ("City component", "“Broken”", "within the drawn area (104.8 km²)", "1,500 m", "at most 1,000"):
        assert part in en


def test_a_filter_that_is_not_simple_is_told_as_it_was_written(ask: Ask) -> None:
    answer = ask({"ask": "count", "layer": "component", "filter": "CASEI(name) = CASEI('灯')"})
    assert "CASEI(name) = CASEI('灯')" in answer.sheet.statement.zh


def test_real_records_are_not_called_synthetic(ask: Ask, city: Database) -> None:
    assert ask({"ask": "count", "layer": "place"}).sheet.synthetic
    with city.owner.begin() as connection:
        connection.execute(sa.text("update core.delivery set source = 'survey' where layer = 'place'"))
    with city.reader.connect() as connection:
        question = QUESTION.validate_python({"ask": "count", "layer": "place"})
        assert not Desk().answer(connection, question, find).sheet.synthetic


def test_internal_layers_are_like_others_to_those_who_may_see_them(read: sa.Connection) -> None:
    hidden = replace(LAYERS["place"], access=Access(view="internal"))
    answer = Desk().answer(read, QUESTION.validate_python({"ask": "count", "layer": "place"}), lambda _: hidden)
    assert answer.layers == ("place",)


def test_the_documentation_tells_the_ceilings_and_the_speeds() -> None:
    text = (Path(__file__).parents[2] / "docs" / "questions.md").read_text(encoding="utf-8")
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in text.splitlines() if line.startswith("| ")}
    assert f"{asked.MOST_ROWS:,}" in rows["`limit` (records or groups)"]
    assert f"{asked.MOST_NEAREST:,}" in rows["`k`"]
    assert f"{asked.MOST_RADIUS_M:,}" in rows["`radius_m`, `distance_m`"]
    assert str(asked.MOST_MINUTES) in rows["`minutes`"]
    assert f"{asked.COARSEST_RES} to {asked.FINEST_RES}" in rows["`res`"]
    assert list(roads.DRIVING_KMH) == [word.strip() for word in rows["class"].split("|")[2:-2]]
    told = [float(word) for word in rows["km/h"].split("|")[2:-1]]
    assert told == [*roads.DRIVING_KMH.values(), roads.OTHER_KMH]
    assert f"{roads.WALKING_M_S} m/s" in text


@pytest.mark.parametrize("kind", ["Polygon", "LineString"])
def test_a_tangle_is_refused_before_it_is_mended(kind: str) -> None:
    xy = np.random.default_rng(1).uniform((120.0, 31.5), (121.5, 32.3), (19_999, 2)).tolist()
    path = [*xy, xy[0]]
    with pytest.raises(BadField, match="too tangled"):
        drawn({"type": kind, "coordinates": [path] if kind == "Polygon" else path})


def test_a_long_border_that_crosses_itself_here_and_there_is_mended() -> None:
    turn = np.linspace(0, 2 * np.pi, 19_000)
    wavy = np.column_stack([120.9 + (0.5 + 0.01 * np.sin(900 * turn)) * np.cos(turn), 32 + 0.4 * np.sin(turn)])
    ring = [*wavy.tolist(), [121.3, 32.3], [120.5, 31.7], wavy[0].tolist()]
    assert drawn({"type": "Polygon", "coordinates": [ring]}).shape.is_valid


def test_what_lies_in_a_wide_area_is_near_it(city: Database) -> None:
    wide = {
        "type": "Polygon",
        "coordinates": [[[120.0, 31.9], [121.9, 31.9], [121.9, 32.6], [120.0, 32.6], [120.0, 31.9]]],
    }
    with begin(city.engine, actor="test") as connection:
        first = "select id from city.place order by id limit 1"
        moved = f"update city.place set geom = st_setsrid(st_point(120.95, 31.9003), 4326) where id = ({first})"
        connection.execute(sa.text(moved))
    with city.reader.connect() as connection:

        def ids(condition: dict[str, Any]) -> set[str]:
            question = {"ask": "select", "layer": "place", "limit": 50_000, "where": [{"geometry": wide, **condition}]}
            return set(table(Desk().answer(connection, QUESTION.validate_python(question), find))["id"])

        assert ids({"relation": "within"}) <= ids({"relation": "near", "distance_m": 1})


def test_numbers_are_told_as_they_were_asked(ask: Ask) -> None:
    point = {"type": "Point", "coordinates": CENTRE}
    told = ask({"ask": "buffer", "geometry": point, "radius_m": 19_999.9999}).sheet.statement
    assert "19,999.9999 米" in told.zh
    assert "19,999.9999 m" in told.en
    assert "50 米" in ask({"ask": "buffer", "geometry": point, "radius_m": 50}).sheet.statement.zh
    assert "0.1 分钟" in ask({"ask": "isochrone", "point": CENTRE, "minutes": [0.1]}).sheet.statement.zh


def test_what_is_too_wide_for_a_flat_sheet_is_refused(ask: Ask) -> None:
    line = {"type": "LineString", "coordinates": [[117.0, 30], [123.5, 32]]}
    with pytest.raises(TooMuch, match="500 km"):
        ask({"ask": "buffer", "geometry": line, "radius_m": 1_000})


def test_the_area_around_a_long_line_is_as_wide_everywhere(ask: Ask) -> None:
    line = {"type": "LineString", "coordinates": [[119.5, 32.0], [122.0, 32.0]]}
    around = table(ask({"ask": "buffer", "geometry": line, "radius_m": 100})).geometry.iloc[0]
    for lon in (120.0, 120.7, 121.8):
        across = shapely.LineString([(lon, 31.99), (lon, 32.01)])
        sides = shapely.bounds(shapely.intersection(across, around))
        assert distance_m(lon, sides[1], lon, 32.0) == pytest.approx(100, rel=3e-3)
        assert distance_m(lon, 32.0, lon, sides[3]) == pytest.approx(100, rel=3e-3)


def test_records_on_the_other_side_of_the_earth_are_no_neighbours(city: Database) -> None:
    with begin(city.engine, actor="test") as connection:
        first = "select id from city.place order by id limit 1"
        moved = f"update city.place set geom = st_setsrid(st_point(30.9, 0), 4326) where id = ({first})"
        connection.execute(sa.text(moved))
    for reading in ("distance", "uncovered"):
        question = {
            "ask": "coverage_gap",
            "layer": "grid",
            "of": {"layer": "place"},
            "distance_m": 50,
            "reading": reading,
        }
        with city.reader.connect() as connection:
            assert Desk().answer(connection, QUESTION.validate_python(question), find).sheet.rows > 0


def test_twins_drawn_from_either_end_are_neighbours(city: Database) -> None:
    with begin(city.engine, actor="test") as connection:
        connection.execute(
            sa.text("delete from city.road where id not in (select id from city.road order by id limit 2)")
        )
        turned = "select st_reverse(geom) from city.road order by id limit 1"
        connection.execute(
            sa.text(f"update city.road set geom = ({turned}) where id = (select max(id) from city.road)")
        )
    question = {"ask": "coverage_gap", "layer": "road", "of": {"layer": "road"}, "distance_m": 5}
    with city.reader.connect() as connection:
        assert table(Desk().answer(connection, QUESTION.validate_python(question), find)).empty


def test_a_sum_that_is_no_number_any_more_is_refused(city: Database) -> None:
    with begin(city.engine, actor="test") as connection:
        connection.execute(sa.text("update city.road set length_m = 1e308"))
    question = {"ask": "count", "layer": "road", "field": "length_m"}
    with city.reader.connect() as connection, pytest.raises(BadField, match="length_m"):
        Desk().answer(connection, QUESTION.validate_python(question), find)
