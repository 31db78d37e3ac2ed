"""Pages of features: a total order walked by keys, boxes and coordinates in five systems, periods, and counts."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import itertools
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest
import shapely
import sqlalchemy as sa
from geoalchemy2.shape import from_shape
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.frames import convert
from layers.ask import features
from layers.ask.crs import CRSS, Crs, crs_named, inside
from layers.ask.features import Drawn, Question, extents, feature, matched, page
from layers.ask.keyset import Place, _digest, cursor_of, keys_of, place_at
from layers.ask.period import CITY_TIME, during, period, time_column
from layers.ask.question.errors import TooMuch
from layers.ask.values import Value, text_of, value_of
from layers.catalog import built_in
from layers.errors import BadParameter, UnknownItem
from layers.store.cluster import Cluster
from layers.store.engine import set_local
from tests.conftest import Database

_numbers = itertools.count()
LAYERS = built_in()
BUILDING, COMPONENT = LAYERS["building"], LAYERS["component"]
SQUARE = shapely.MultiPolygon([shapely.box(120.9, 32.0, 120.901, 32.001)])
every_crs = pytest.mark.parametrize("crs", CRSS, ids=lambda crs: crs.uri.rsplit("/", 1)[1])
Row = dict[str, Any]


def building(id: str, **values: Any) -> Row:
    empty: Row = {
        "name": None,
        "floors": None,
        "height_m": None,
        "changed_at": dt.datetime(2026, 1, 1, tzinfo=CITY_TIME),
    }
    return {"id": id, "geom": from_shape(SQUARE, 4326), "cell": 0, "source": "test", **empty, **values}


def varied() -> list[Row]:
    """Buildings with few different values and many empty ones, so that most neighbours in any order are equals."""
    names, floors, heights = [None, "甲", "乙", "", "Z"], [None, 1, 2], [None, 0.1, -0.5, 1e300]
    moments = [dt.datetime(2026, 1, 1, 8, 0, 0, n, CITY_TIME) for n in (0, 1)]
    values = list(itertools.product(names, floors, heights, moments))
    return [
        building(f"{(i * 7) % len(values):03d}", name=name, floors=floor, height_m=height, changed_at=moment)
        for i, (name, floor, height, moment) in enumerate(values)
    ]


def insert(engine: sa.Engine, rows: Sequence[Row]) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(BUILDING.table), list(rows))


def copied(cluster: Cluster, template: str, *, name: str) -> Database:
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
    return Database(cluster.url(name))


@pytest.fixture(scope="module")
def town(cluster: Cluster, template: str) -> Iterator[Database]:
    """A database with the varied buildings, for this module to read."""
    fresh = copied(cluster, template, name=f"features_town_{os.getpid()}_{next(_numbers)}")
    insert(fresh.engine, varied())
    yield fresh
    fresh.close()


@pytest.fixture(scope="module")
def shown(cluster: Cluster, city_template: str) -> Iterator[Database]:
    """A small demo city, for this module to read."""
    fresh = copied(cluster, city_template, name=f"features_city_{os.getpid()}_{next(_numbers)}")
    yield fresh
    fresh.close()


def walk(
    connection: sa.Connection, question: Question, *, limit: int, place: Place | None = None
) -> Iterator[list[str]]:
    """The ids of page after page from a place on, in the direction of the place, each cursor told and read again."""
    while True:
        found = page(connection, question, Drawn(), limit=limit, place=place)
        yield [one.id for one in found.features]
        following = found.previous if place is not None and place.backward else found.next
        if following is None:
            return
        place = place_at(cursor_of(following, question="q"), question.keys, question="q")


def in_order(rows: Sequence[Row], sortby: str) -> list[str]:
    """The ids as Python sorts them, empty values last."""
    ordered = sorted(rows, key=lambda row: str(row["id"]))
    for term in reversed(sortby.split(",") if sortby else []):
        name, falling = term.lstrip("+-"), term.startswith("-")
        there = sorted((r for r in ordered if r[name] is not None), key=lambda r: r[name], reverse=falling)
        ordered = there + [r for r in ordered if r[name] is None]
    return [str(row["id"]) for row in ordered]


sort_orders = (
    st.lists(st.sampled_from(["name", "floors", "height_m", "changed_at", "id"]), max_size=3, unique=True)
    .flatmap(lambda names: st.tuples(*(st.sampled_from([f"+{n}", f"-{n}", n]) for n in names)))
    .map(",".join)
)


@settings(max_examples=40)
@given(sortby=sort_orders, limit=st.integers(9, 130))
def test_walking_all_pages_gives_every_record_once_and_in_order(town: Database, sortby: str, limit: int) -> None:
    with town.reader.connect() as connection:
        pages = list(walk(connection, Question(BUILDING, keys_of(BUILDING, sortby)), limit=limit))
    assert [id for ids in pages for id in ids] == in_order(varied(), sortby)
    assert {len(ids) for ids in pages[:-1]} <= {limit}


@settings(max_examples=40)
@given(sortby=sort_orders, limit=st.integers(9, 130))
def test_walking_back_from_the_last_page_gives_the_same_pages(town: Database, sortby: str, limit: int) -> None:
    question = Question(BUILDING, keys_of(BUILDING, sortby))
    with town.reader.connect() as connection:
        forth = list(walk(connection, question, limit=limit))
        place = None
        while (found := page(connection, question, Drawn(), limit=limit, place=place)).next is not None:
            place = found.next
        back = [] if found.previous is None else list(walk(connection, question, limit=limit, place=found.previous))
    assert list(reversed(back)) == forth[:-1]


def test_records_that_come_and_go_meanwhile_make_nothing_skipped_or_told_twice(database: Database) -> None:
    insert(database.engine, varied())
    question = Question(BUILDING, keys_of(BUILDING, "floors,-name"))
    table = BUILDING.table
    with database.reader.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        told = []
        for number, ids in enumerate(walk(connection, question, limit=10)):
            told += ids
            insert(database.engine, [building(f"new{number}", floors=number % 3, name="甲"), building(f"end{number}")])
            with database.engine.begin() as writing:  # the very record after which the next page begins
                writing.execute(sa.delete(table).where(table.c.id == ids[-1]))
    assert sorted(id for id in told if id.isdigit()) == sorted(str(row["id"]) for row in varied())
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("cursor", ["", "x", "%%%", "AAAA", "é", "a" * 40_000, "W10", "bnVsbA"])
def test_a_forged_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadParameter, match="cursor"):
        place_at(cursor, keys_of(BUILDING), question="q")


@given(st.binary(max_size=60))
def test_any_bytes_as_a_cursor_are_refused(raw: bytes) -> None:
    with pytest.raises(BadParameter, match="cursor"):
        place_at(base64.urlsafe_b64encode(raw).decode(), keys_of(BUILDING), question="q")


@pytest.mark.parametrize(
    "place", [Place(()), Place((None,)), Place(("1", "2")), Place(("\0",)), Place(("x" * 5000,)), Place((None, "1"))]
)
def test_a_cursor_whose_values_do_not_fit_the_order_is_refused(place: Place) -> None:
    with pytest.raises(BadParameter, match="cursor"):
        place_at(cursor_of(place, question="q"), keys_of(BUILDING), question="q")


@pytest.mark.parametrize(
    "told", [[False, {"a": 1}], [False, "a"], {"a": 1, "b": 2}, [False, [["a"]]], [False, [1]], [1, ["1"]], 5]
)
def test_a_cursor_of_another_shape_is_refused_though_its_digest_is_right(told: Any) -> None:
    body = json.dumps(told).encode()
    cursor = base64.urlsafe_b64encode(_digest("q", body) + body).decode()
    with pytest.raises(BadParameter, match="cursor"):
        place_at(cursor, keys_of(BUILDING), question="q")


def test_a_cursor_is_good_for_its_question_only() -> None:
    cursor = cursor_of(Place(("001",)), question="q")
    assert place_at(cursor, keys_of(BUILDING), question="q") == Place(("001",))
    with pytest.raises(BadParameter, match="cursor"):
        place_at(cursor, keys_of(BUILDING), question="another")


@pytest.mark.parametrize("sortby", ["nothing", "geom", "extra", "+", ",", "name,name", "name;drop", "a,b,c,d"])
def test_only_queryables_can_be_sorted_by(sortby: str) -> None:
    with pytest.raises(BadParameter, match="sortby"):
        keys_of(BUILDING, sortby)


@given(
    st.one_of(
        st.tuples(st.just("text"), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))),
        st.tuples(st.just("integer"), st.integers(-(10**18) + 1, 10**18 - 1)),
        st.tuples(st.just("number"), st.floats(allow_nan=False)),
        st.tuples(st.just("boolean"), st.booleans()),
        st.tuples(st.just("date"), st.dates()),
        st.tuples(
            st.just("time"), st.datetimes(dt.datetime(2, 1, 1), allow_imaginary=False, timezones=st.just(CITY_TIME))
        ),
    )
)
def test_a_value_survives_as_text(told: tuple[Any, Value]) -> None:
    kind, value = told
    assert value_of(kind, text_of(value)) == value


@given(kind=st.sampled_from(["text", "code", "integer", "number", "boolean", "date", "time"]), text=st.text())
def test_text_that_is_no_value_is_a_value_error(kind: Any, text: str) -> None:
    with contextlib.suppress(ValueError):
        assert value_of(kind, text) is not None


def ids_inside(connection: sa.Connection, text: str, crs: Crs) -> set[str]:
    condition = inside(COMPONENT, text, crs)
    return set(connection.scalars(sa.select(COMPONENT.table.c.id).where(condition)))


def points(connection: sa.Connection, crs: Crs) -> dict[str, tuple[float, float]]:
    """Where the components stand, as a client reads it in this system's own order of axes."""
    geom = COMPONENT.table.c.geom
    rows = connection.execute(sa.select(COMPONENT.table.c.id, sa.func.st_x(geom), sa.func.st_y(geom))).all()
    x, y = convert([r[1] for r in rows], [r[2] for r in rows], source="EPSG:4326", target=f"EPSG:{crs.srid}")
    pairs = zip(y, x, strict=True) if crs.axes_swapped else zip(x, y, strict=True)
    return {row[0]: (float(a), float(b)) for row, (a, b) in zip(rows, pairs, strict=True)}


@every_crs
def test_a_box_holds_what_stands_in_it_in_the_order_of_axes_of_its_system(shown: Database, crs: Crs) -> None:
    with shown.reader.connect() as connection:
        there = points(connection, crs)
        firsts, seconds = (sorted(pair[axis] for pair in there.values()) for axis in (0, 1))
        quarter, half = len(there) // 4, len(there) // 2
        # Sides between two records: on a side, rounding in the projection would decide.
        low = [(side[quarter] + side[quarter + 1]) / 2 for side in (firsts, seconds)]
        high = [(side[half * 3 // 2] + side[half * 3 // 2 + 1]) / 2 for side in (firsts, seconds)]
        wanted = {id for id, pair in there.items() if all(a < v < b for a, v, b in zip(low, pair, high, strict=True))}
        assert 0 < len(wanted) < len(there)
        assert ids_inside(connection, ",".join(map(repr, [*low, *high])), crs) == wanted
        assert ids_inside(connection, ",".join(map(repr, [*low, -10, *high, 10])), crs) == wanted


@every_crs
def test_a_box_is_looked_up_by_the_spatial_index(shown: Database, crs: Crs) -> None:
    west, south, east, north = (float(v) for v in (120.8, 32.0, 120.81, 32.01))
    (x1, x2), (y1, y2) = convert([west, east], [south, north], source="EPSG:4326", target=f"EPSG:{crs.srid}")
    told = (y1, x1, y2, x2) if crs.axes_swapped else (x1, y1, x2, y2)
    statement = sa.select(COMPONENT.table.c.id).where(inside(COMPONENT, ",".join(map(str, told)), crs))
    with shown.owner.connect() as connection:
        connection.execute(sa.text("set local enable_seqscan = off"))
        plan = connection.scalars(features._Explained(statement)).one()
    assert "component_geom3857" in json.dumps(plan)


def test_a_box_over_the_antimeridian_has_two_halves(database: Database) -> None:
    shapes = {"fiji": 179.5, "samoa": -172.0, "nantong": 121.0}
    rows = [
        building(id) | {"geom": from_shape(shapely.MultiPolygon([shapely.Point(lon, 0).buffer(0.1)]), 4326)}
        for id, lon in shapes.items()
    ]
    insert(database.engine, rows)
    with database.reader.connect() as connection:
        found = connection.scalars(sa.select(BUILDING.table.c.id).where(inside(BUILDING, "170,-5,-170,5")))
        assert set(found) == {"fiji", "samoa"}
        whole = connection.scalars(sa.select(BUILDING.table.c.id).where(inside(BUILDING, "-180,-90,180,90")))
        assert set(whole) == set(shapes)


def test_a_record_beyond_what_a_system_can_express_is_a_refusal(database: Database) -> None:
    far = from_shape(shapely.MultiPolygon([shapely.box(29.9, -0.1, 30.1, 0.1)]), 4326)
    insert(database.engine, [building("far") | {"geom": far}, building("here")])
    drawn, question = Drawn(crs_named(CRSS[3].uri)), Question(BUILDING, keys_of(BUILDING))
    for ask in (
        lambda connection: page(connection, question, drawn, limit=5, place=None),
        lambda connection: feature(connection, BUILDING, "far", drawn),
    ):
        with database.reader.connect() as connection, pytest.raises(BadParameter, match="crs: .* EPSG:4549"):
            ask(connection)
    with database.reader.connect() as connection:
        assert feature(connection, BUILDING, "here", drawn).id == "here"


@pytest.mark.parametrize(
    ("text", "srid"),
    [
        ("", 4326),
        ("a,b", 4326),
        ("1,2,3", 4326),
        ("1,2,3,4,5", 4326),
        ("1,2,nan,4", 4326),
        ("1,2,1e999,4", 4326),
        ("1,2,inf,4", 4326),
        ("1_0,2,3,4", 4326),
        ("121,32,122,33", 4326),
        ("33,121,32,122", 4326),
        ("40000,5,1,9", 3857),
        ("3500000,600000,3400000,700000", 4549),
        ("1e30,1e30,2e30,2e30", 4549),
    ],
)
def test_a_box_that_is_none_is_refused(text: str, srid: int) -> None:
    with pytest.raises(BadParameter, match="bbox"):
        inside(COMPONENT, text, next(crs for crs in CRSS[1:] if crs.srid == srid))


@every_crs
def test_coordinates_are_told_in_the_authoritys_order_of_axes(shown: Database, crs: Crs) -> None:
    tolerance = 1e-7 if crs.degrees else 0.002
    with shown.reader.connect() as connection:
        found = page(connection, Question(COMPONENT, keys_of(COMPONENT)), Drawn(crs), limit=50, place=None)
        there = points(connection, crs)
    for one in found.features:
        assert one.geometry["coordinates"] == pytest.approx(there[one.id], abs=tolerance)
        assert set(one.geometry) == {"type", "coordinates"}


def test_a_system_that_is_not_offered_is_refused_with_those_that_are() -> None:
    for name in ("", "EPSG:4326", "http://www.opengis.net/def/crs/EPSG/0/2154", "x" * 500):
        with pytest.raises(BadParameter, match="CRS84"):
            crs_named(name)


@pytest.mark.parametrize("name", list(LAYERS))
def test_only_declared_fields_are_told(shown: Database, name: str) -> None:
    layer = LAYERS[name]
    with shown.reader.connect() as connection:
        found = page(connection, Question(layer, keys_of(layer)), Drawn(fields=layer.fields), limit=3, place=None)
        one = feature(connection, layer, found.features[0].id, Drawn(fields=layer.fields))
    assert one == found.features[0]
    assert list(one.properties) == [field.name for field in layer.fields]
    assert json.loads(json.dumps(one.properties)) == one.properties


def test_a_record_that_is_not_there_is_unknown(town: Database) -> None:
    with town.reader.connect() as connection, pytest.raises(UnknownItem):
        feature(connection, BUILDING, "none", Drawn())


def test_a_figure_that_is_no_number_is_told_as_nothing(database: Database) -> None:
    insert(database.engine, [building("a", height_m=float("nan")), building("b", height_m=float("inf"))])
    question = Question(BUILDING, keys_of(BUILDING, "-height_m"))
    with database.reader.connect() as connection:
        assert list(walk(connection, question, limit=1)) == [["a"], ["b"]]
        told = page(connection, question, Drawn(fields=BUILDING.fields), limit=5, place=None).features
    assert [one.properties["height_m"] for one in told] == [None, None]


def question(*conditions: sa.ColumnElement[bool]) -> Question:
    return Question(COMPONENT, keys_of(COMPONENT), conditions)


def test_the_number_of_records_is_exact_while_counting_is_cheap(
    shown: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamps = COMPONENT.table.c.state == "intact"
    with shown.reader.connect() as connection:
        all_there = connection.scalar(sa.select(sa.func.count()).select_from(COMPONENT.table))
        intact = connection.scalar(sa.select(sa.func.count()).where(lamps))
        assert matched(connection, question()) == features.Matched(all_there or 0, exact=True)
        assert matched(connection, question(lamps)) == features.Matched(intact or 0, exact=True)
        monkeypatch.setattr(features, "MOST_COUNTED", 10)
        about = matched(connection, question(lamps))
    assert not about.exact
    assert about.number > 10


def test_a_count_that_takes_too_long_becomes_an_estimate_and_the_connection_stays_good(
    shown: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "COUNT_TIMEOUT_MS", 20)
    slow = sa.func.pg_sleep(0.1).is_not(None)
    with shown.reader.connect() as connection:
        before = connection.scalar(sa.text("show statement_timeout"))
        assert not matched(connection, question(slow)).exact
        assert connection.scalar(sa.text("show statement_timeout")) == before


def test_a_page_that_takes_too_long_is_too_much(shown: Database) -> None:
    with shown.reader.connect() as connection:
        set_local(connection, "statement_timeout", "20")
        with pytest.raises(TooMuch, match="narrow it"):
            page(connection, question(sa.func.pg_sleep(0.1).is_not(None)), Drawn(), limit=5, place=None)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026-05-01", "2026-05-01T00:00:00+08:00", "2026-05-01T23:59:59.999999+08:00"),
        ("2026-05-01T08:00:00Z", "2026-05-01T16:00:00+08:00", "2026-05-01T16:00:00+08:00"),
        ("2026-05-01T08:00:00", "2026-05-01T08:00:00+08:00", "2026-05-01T08:00:00+08:00"),
        ("2026-05-01/..", "2026-05-01T00:00:00+08:00", None),
        ("2026-05-01/", "2026-05-01T00:00:00+08:00", None),
        ("../2026-05-01", None, "2026-05-01T23:59:59.999999+08:00"),
        ("/2026-05-01t00:00:00z", None, "2026-05-01T08:00:00+08:00"),
        ("2026-05-01/2026-05-01", "2026-05-01T00:00:00+08:00", "2026-05-01T23:59:59.999999+08:00"),
    ],
)
def test_instants_and_intervals_are_read(text: str, since: str | None, until: str | None) -> None:
    ends = [None if end is None else dt.datetime.fromisoformat(end) for end in (since, until)]
    assert [period(text).since, period(text).until] == ends


@pytest.mark.parametrize(
    "text",
    ["", "..", "../..", "/", "yesterday", "2026-13-01", "2026-05-01/2026-04-01", "2026-05-01/2026-05-02/2026-05-03",
     "2026-05-01T25:00:00Z", "0001-01-01T00:00:00+14:00", "2026-05-01 08:00:00", "２０２６-05-01"],
)  # fmt: skip
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="datetime"):
        period(text)


def test_a_layer_happens_at_its_first_date_or_else_when_it_was_changed(shown: Database) -> None:
    assert time_column(COMPONENT).name == "first_date"
    assert time_column(BUILDING).name == "changed_at"
    column = COMPONENT.table.c.first_date
    with shown.reader.connect() as connection:
        day = connection.scalar(sa.select(column).where(column.is_not(None)).order_by(column, COMPONENT.table.c.id))
        assert day is not None
        on_it = sa.select(sa.func.count()).where(during(COMPONENT, period(day.isoformat())))
        assert connection.scalar(on_it) == connection.scalar(sa.select(sa.func.count()).where(column == day))
        before = sa.select(sa.func.count()).where(during(COMPONENT, period(f"../{day - dt.timedelta(days=1)}")))
        assert connection.scalar(before) == 0


def test_the_extent_of_a_layer_holds_all_its_records_and_an_empty_layer_has_none(
    shown: Database, database: Database
) -> None:
    with shown.reader.connect() as connection:
        boxes = extents(connection, list(LAYERS.values()))
        for name, box in boxes.items():
            table = LAYERS[name].table
            within = sa.func.st_within(table.c.geom, sa.func.st_makeenvelope(*box, 4326))
            assert connection.scalar(sa.select(sa.func.bool_and(within))) is True
            assert 119 < box.west < box.east < 123
    assert set(boxes) == set(LAYERS)
    with database.reader.connect() as connection:
        assert extents(connection, [BUILDING]) == {}
        assert extents(connection, []) == {}
