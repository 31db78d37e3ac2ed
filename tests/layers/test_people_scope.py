"""Which records of a scoped layer somebody sees: the rule in memory, as a condition, and as the database has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace

import mapbox_vector_tile
import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gis.tilegrid import tile_of
from layers.ask.tile import making, run
from layers.catalog import built_in
from layers.loop.tables import PHOTO, STEP
from layers.people.access import ADMIN, ANYONE, EVERYWHERE, KIOSK, Actor, Scope, may
from layers.people.scope import REALITY, Slice, acting, condition, seen_by, slice_of
from layers.spec import Access
from layers.store.core import HISTORY
from layers.store.engine import acting_statement, begin, engine_for, libpq_url, session_options
from layers.store.row_security import guard, leakproof
from layers.store.schema import prepare
from tests.conftest import Database
from tests.incidents import LAYER, OURS, REHEARSED, THEIRS, Incident, change, report

TABLE = LAYER.table
COUNTY = Actor("li", frozenset({"commander"}), Scope(frozenset({"320613"}), None))
OFFICER = Actor("wang", frozenset({"officer"}), Scope(None, frozenset({"cgj"})))
WORKER = Actor("zhao", frozenset({"worker"}), Scope(frozenset({"320613002200002"}), None))


@pytest.fixture
def asking(database: Database) -> Iterator[Callable[[Slice | None], sa.Connection]]:
    """Connections as the routes have them: in the name of somebody, or (None) in nobody's."""
    engine = engine_for(database.url, "reader", pool_size=0)
    opened: list[sa.Connection] = []

    def connect(part: Slice | None) -> sa.Connection:
        opened.append(engine.connect())
        return opened[-1] if part is None else acting(opened[-1], part)

    yield connect
    for connection in opened:
        connection.close()


def ids(connection: sa.Connection) -> set[str]:
    return set(connection.scalars(sa.select(TABLE.c.id)))


@pytest.mark.parametrize("actor", [ADMIN, KIOSK, COUNTY, OFFICER, WORKER])
def test_who_is_on_duty_may_know_of_a_scoped_layer(actor: Actor) -> None:
    assert may(actor, "view", LAYER)
    assert not may(actor, "edit", LAYER)


def test_visitors_and_those_without_a_duty_may_not_know_of_it() -> None:
    assert not may(ANYONE, "view", LAYER)
    assert not may(Actor("chen", frozenset({"volunteer"}), EVERYWHERE), "view", LAYER)


def test_a_scoped_layer_is_never_changed_by_the_edit_form() -> None:
    with pytest.raises(ValueError, match="nobody"):
        Access(view="scoped", edit="admin")


def test_a_scope_that_could_be_read_as_a_pattern_is_refused() -> None:
    for areas, departments in (({"32%"}, ()), ({"3_"}, ()), ({"*"}, ()), ((), {"a,b"}), ((), {"*"})):
        with pytest.raises(ValueError, match="by their codes"):
            Slice(frozenset(areas), frozenset(departments))


@pytest.mark.parametrize(
    ("actor", "seen"),
    [
        (ADMIN, {OURS.id, THEIRS.id}),
        (KIOSK, {OURS.id, THEIRS.id}),
        (COUNTY, {OURS.id}),
        (OFFICER, {OURS.id}),
        (WORKER, {OURS.id}),
        (replace(OFFICER, scope=Scope(frozenset({"320681"}), frozenset({"cgj"}))), set()),
        (replace(COUNTY, scope=Scope(frozenset({"320681100"}), None)), {THEIRS.id}),
        (replace(COUNTY, scenario="drill-1"), {REHEARSED.id}),
        (replace(ADMIN, scenario="drill-2"), set()),
        (Actor("sun", frozenset({"dispatcher"})), set()),
    ],
)
def test_everybody_sees_what_lies_in_their_scope(
    actor: Actor, seen: set[str], database: Database, asking: Callable[[Slice | None], sa.Connection]
) -> None:
    report(database, OURS, THEIRS, REHEARSED)
    assert ids(asking(slice_of(actor))) == seen
    told = condition(actor, LAYER)
    assert told is not None
    with database.reader.connect() as everything:
        assert set(everything.scalars(sa.select(TABLE.c.id).where(told))) == seen
    assert {each.id for each in (OURS, THEIRS, REHEARSED) if slice_of(actor).holds(asdict(each))} == seen


def test_a_helper_sees_what_the_department_helps_with_and_a_worker_what_is_assigned(
    database: Database, asking: Callable[[Slice | None], sa.Connection]
) -> None:
    report(database, OURS, THEIRS)
    change(database, THEIRS.id, co=["sjj", "cgj"])
    assert ids(asking(slice_of(OFFICER))) == {OURS.id, THEIRS.id}
    change(database, THEIRS.id, assignee=WORKER.name)
    assert ids(asking(slice_of(WORKER))) == {OURS.id, THEIRS.id}
    assert ids(asking(slice_of(replace(COUNTY, name=WORKER.name)))) == {OURS.id}


def test_a_reader_that_does_not_say_for_whom_it_asks_sees_nothing(
    database: Database, asking: Callable[[Slice | None], sa.Connection]
) -> None:
    report(database, OURS, THEIRS)
    change(database, OURS.id, title="anders")
    nobody = asking(None)
    assert ids(nobody) == set()
    assert nobody.scalar(sa.select(sa.func.count()).select_from(HISTORY)) == 0
    assert ids(asking(Slice())) == set()


def test_every_transaction_of_a_connection_asks_for_the_same_person(
    database: Database, asking: Callable[[Slice | None], sa.Connection]
) -> None:
    report(database, OURS, THEIRS)
    connection = asking(slice_of(COUNTY))
    for _ in range(2):
        assert ids(connection) == {OURS.id}
        connection.rollback()
    with pytest.raises(sa.exc.ProgrammingError):
        connection.execute(sa.text("select no_such_column from city.incident"))
    connection.rollback()
    assert ids(connection) == {OURS.id}


def test_a_pooled_connection_forgets_for_whom_it_asked(database: Database) -> None:
    report(database, OURS, THEIRS)
    engine = engine_for(database.url, "reader", pool_size=1)
    with engine.connect() as connection:
        assert ids(acting(connection, REALITY)) == {OURS.id, THEIRS.id}
    with engine.connect() as connection:
        assert ids(connection) == set()
    engine.dispose()


def test_what_a_record_was_is_seen_by_whose_it_was(
    database: Database, asking: Callable[[Slice | None], sa.Connection]
) -> None:
    report(database, OURS, THEIRS)
    change(database, OURS.id, title="erst")
    change(database, THEIRS.id, title="erst")
    change(database, OURS.id, admin_code="320681100", grid_id=None)
    county = asking(slice_of(COUNTY))
    rows = county.execute(sa.select(HISTORY.c.id, HISTORY.c.row["title"].astext)).all()
    assert set(map(tuple, rows)) == {(OURS.id, OURS.title), (OURS.id, "erst")}
    assert ids(county) == set()


def test_steps_and_photos_are_seen_with_their_incident(
    database: Database, asking: Callable[[Slice | None], sa.Connection]
) -> None:
    report(database, OURS, THEIRS)
    step = {"step": "report", "after": "reported", "actor": "zhao"}
    with begin(database.engine, actor="test") as connection:
        connection.execute(sa.insert(STEP), [{**step, "incident": each.id} for each in (OURS, THEIRS)])
        photo = {"digest": "d", "media_type": "image/jpeg", "bytes": 1, "width": 1, "height": 1, "actor": "zhao"}
        connection.execute(sa.insert(PHOTO), [{**photo, "id": e.id, "incident": e.id} for e in (OURS, THEIRS)])
        assert connection.scalar(sa.select(sa.func.count()).select_from(STEP)) == 2
    for table in (STEP, PHOTO):
        assert set(asking(slice_of(COUNTY)).scalars(sa.select(table.c.incident))) == {OURS.id}
        assert set(asking(None).scalars(sa.select(table.c.incident))) == set()


def test_the_program_writes_deletes_and_empties_everything_and_its_history_is_whole(database: Database) -> None:
    report(database, OURS, THEIRS, REHEARSED)
    with database.owner.begin() as connection:
        connection.exec_driver_sql("set local chengtu.everywhere = 'off'")
        connection.exec_driver_sql("truncate city.incident")
    with database.reader.connect() as connection:
        kept = set(connection.scalars(sa.select(HISTORY.c.id)))
    assert kept == {OURS.id, THEIRS.id, REHEARSED.id}


def test_the_wall_stands_for_every_role_and_preparing_again_leaves_it(database: Database) -> None:
    prepare(database.url, built_in())
    found = sa.text(
        "select relname, relrowsecurity and relforcerowsecurity from pg_class "
        "where oid in ('city.incident'::regclass, 'core.history'::regclass, 'city.place'::regclass) order by 1"
    )
    with database.owner.connect() as connection:
        assert dict(map(tuple, connection.execute(found))) == {"history": True, "incident": True, "place": False}
    with database.owner.begin() as connection:
        guard(connection, replace(LAYER, access=Access(view="internal", edit="nobody")))
        assert dict(map(tuple, connection.execute(found)))["incident"] is False
        guard(connection, LAYER)
        assert dict(map(tuple, connection.execute(found)))["incident"] is True


def test_a_tile_of_a_scoped_layer_is_found_by_the_spatial_index(database: Database) -> None:
    report(database, *(replace(OURS, id=f"2026010200{i:04}", lon=120.2 + i / 1000, lat=32.0) for i in range(1_500)))
    with psycopg.connect(libpq_url(database.url), autocommit=True) as connection:
        connection.execute("analyze city.incident")
    part = slice_of(COUNTY)
    statement = next(making(LAYER, *tile_of(OURS.lon, OURS.lat, 14), seen=part))
    reading = psycopg.connect(libpq_url(database.url), options=session_options("reader"))
    with reading as connection:
        connection.execute(*acting_statement(part.settings))
        explained = connection.execute("explain " + statement.sql, statement.parameters)
        plan = "\n".join(line for (line,) in explained.fetchall())
    assert "Index Scan using incident_geom3857" in plan
    assert "Index Cond: (geom3857 &&" in plan
    with database.owner.connect() as owner:
        assert leakproof(owner)


def test_without_the_mark_of_a_superuser_the_answer_is_the_same(database: Database) -> None:
    report(database, OURS, THEIRS)
    with psycopg.connect(libpq_url(database.url), autocommit=True) as connection:
        connection.execute("alter function geometry_overlaps(geometry, geometry) not leakproof")
    with database.owner.connect() as owner:
        assert not leakproof(owner)
    assert drawn(database, slice_of(COUNTY)) == {OURS.id}


def drawn(database: Database, part: Slice | None, *, z: int = 14) -> set[str]:
    """The ids of the incidents in the tiles of the two places."""
    found = set()
    reading = psycopg.connect(libpq_url(database.url), options=session_options("reader"))
    with reading as connection, connection.cursor() as cursor:
        if part is not None:
            cursor.execute(*acting_statement(part.settings))
        for place in (OURS, THEIRS):
            made = run(cursor, making(LAYER, *tile_of(place.lon, place.lat, z), seen=part))
            tile = mapbox_vector_tile.decode(made.data) if made.data else {}
            found |= {f["properties"]["id"] for layer in tile.values() for f in layer["features"]}
    return found


def test_a_tile_holds_what_of_it_is_seen_by_either_wall_alone(database: Database) -> None:
    report(database, OURS, THEIRS, REHEARSED)
    assert drawn(database, slice_of(COUNTY)) == {OURS.id}
    assert drawn(database, None) == set()
    everything = session_options("reader", everywhere=True)  # only the statement's own condition stands
    with psycopg.connect(libpq_url(database.url), options=everything) as connection, connection.cursor() as cursor:
        made = run(cursor, making(LAYER, *tile_of(THEIRS.lon, THEIRS.lat, 14), seen=slice_of(COUNTY)))
    assert made.data == b""


CODES = st.sampled_from(["320613", "320613002", "320681", "3206", "320613002200002", "320681100200003"])
PARTS = st.builds(
    Slice,
    areas=st.none() | st.frozensets(CODES, max_size=3),
    departments=st.none() | st.frozensets(st.sampled_from(["cgj", "zjj", "320613-cgj"]), max_size=2),
    assignee=st.none() | st.sampled_from(["zhao", "qian"]),
    scenario=st.none() | st.just("drill-1"),
)
ROWS = st.lists(
    st.builds(
        Incident,
        id=st.just(""),
        lon=st.just(OURS.lon),
        lat=st.just(OURS.lat),
        admin_code=st.none() | st.sampled_from(["320613002", "320613", "320681100", "32061"]),
        grid_id=st.none() | st.sampled_from(["320613002200002", "320681100200003"]),
        lead=st.none() | st.sampled_from(["cgj", "zjj", "320613-cgj"]),
        co=st.sampled_from([(), ("cgj",), ("zjj", "320613-cgj")]),
        assignee=st.none() | st.sampled_from(["zhao", "sun"]),
        scenario=st.none() | st.sampled_from(["drill-1", "drill-2"]),
    ),
    max_size=8,
)


@contextmanager
def only(database: Database, rows: list[Incident]) -> Iterator[list[Incident]]:
    """These incidents and no others, under numbers of their own."""
    numbered = [replace(row, id=f"20260103{i:06}") for i, row in enumerate(rows)]
    with begin(database.engine, actor="test") as connection:
        connection.execute(sa.delete(TABLE))
    if numbered:
        report(database, *numbered)
    yield numbered


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=PARTS, rows=ROWS)
@example(part=Slice(), rows=[replace(OURS, id="")])
@example(part=Slice(None, frozenset(), assignee="zhao"), rows=[replace(OURS, assignee="zhao")])
def test_the_rule_is_the_same_in_memory_in_statements_and_in_the_database(
    part: Slice, rows: list[Incident], database: Database, asking: Callable[[Slice | None], sa.Connection]
) -> None:
    with only(database, rows) as there:
        expected = {row.id for row in there if part.holds(asdict(row))}
        with asking(part) as connection:
            assert ids(connection) == expected
            assert [str(told) for told in seen_by(connection, [LAYER])] == [str(part.condition(LAYER))]
        with database.reader.connect() as everything:
            assert set(everything.scalars(sa.select(TABLE.c.id).where(part.condition(LAYER)))) == expected
            assert seen_by(everything, [LAYER]) == []
        assert drawn(database, part) == expected


def test_equal_slices_share_a_digest_and_no_others_do() -> None:
    assert slice_of(COUNTY).digest == slice_of(replace(COUNTY, name="zhou")).digest
    others = {slice_of(actor).digest for actor in (ADMIN, COUNTY, OFFICER, WORKER, replace(ADMIN, scenario="drill-1"))}
    assert len(others) == 5
    assert slice_of(WORKER).digest != slice_of(replace(WORKER, name="zhou")).digest
