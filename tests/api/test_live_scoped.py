"""Live events of a scoped layer: each is told what happens within their scope, and what leaves it is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.editions import Edition
from api.follow import Batch
from api.live import Stream, heard
from api.news import Ear, news
from gis.tilegrid import tile_of
from layers.ask.touched import touched
from layers.catalog import built_in
from layers.people.access import ADMIN, ANYONE, Actor, Scope
from layers.people.scope import slice_of
from layers.store import changes
from layers.store.engine import begin
from tests.conftest import Database
from tests.incidents import LAYER, OURS, REHEARSED, THEIRS, change, report

LAYERS = built_in()
COUNTY = Actor("li", frozenset({"commander"}), Scope(frozenset({"320613"}), None))
OFFICER = Actor("wang", frozenset({"officer"}), Scope(None, frozenset({"cgj"})))
EXERCISE = replace(COUNTY, scenario="drill-1")
Event = tuple[str, str | None, dict[str, Any]]
Tell = Callable[[Actor], list[Event]]


def happened(database: Database, work: Callable[[], object]) -> Tell:
    """Do some work; what comes back tells what an actor hears of it."""
    with database.reader.connect() as connection:
        start = changes.now(connection)
    work()
    with database.reader.connect() as connection:
        seen = changes.since(connection, start)
    said = news(Batch(start, seen.position, seen.rows, touched(seen.rows, LAYERS), LAYERS))
    return lambda actor: events(heard(said, Stream(actor, None), known=()))


def events(text: bytes) -> list[Event]:
    found = []
    for block in filter(None, text.decode().split("\n\n")):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
    return found


def records(told: list[Event]) -> list[tuple[str, str]]:
    return [(data["op"], data["id"]) for kind, _, data in told if kind == "record"]


def tiles(told: list[Event]) -> set[str]:
    return {address for kind, _, data in told if kind == "tiles" for address in data["tiles"]}


def address(z: int, lon: float, lat: float) -> str:
    return "/".join(map(str, tile_of(lon, lat, z)))


def test_each_hears_of_their_own_with_their_own_tiles(database: Database) -> None:
    tell = happened(database, lambda: report(database, OURS, THEIRS, REHEARSED))
    assert records(tell(COUNTY)) == records(tell(OFFICER)) == [("insert", OURS.id)]
    assert records(tell(ADMIN)) == [("insert", OURS.id), ("insert", THEIRS.id)]
    assert records(tell(EXERCISE)) == [("insert", REHEARSED.id)]
    assert address(14, OURS.lon, OURS.lat) in tiles(tell(COUNTY))
    for z in (8, 10, 12, 14, 16):
        assert address(z, THEIRS.lon, THEIRS.lat) not in tiles(tell(COUNTY))
        assert address(z, THEIRS.lon, THEIRS.lat) in tiles(tell(ADMIN))


def test_who_may_not_know_of_the_layer_hears_nothing(database: Database) -> None:
    tell = happened(database, lambda: report(database, OURS))
    assert tell(ANYONE) == []
    assert tell(Actor("sun", frozenset({"dispatcher"}))) == []


def test_what_leaves_a_scope_is_gone_and_what_comes_into_it_is_made(database: Database) -> None:
    report(database, OURS, THEIRS)
    tell = happened(database, lambda: change(database, THEIRS.id, lead="cgj"))
    assert records(tell(OFFICER)) == [("insert", THEIRS.id)]
    assert records(tell(COUNTY)) == []
    assert records(tell(ADMIN)) == [("update", THEIRS.id)]
    tell = happened(database, lambda: change(database, THEIRS.id, lead="zjj", geom="SRID=4326;POINT(121.0 32.0)"))
    gone = tell(OFFICER)
    assert records(gone) == [("delete", THEIRS.id)]
    (place,) = ((data["lon"], data["lat"]) for kind, _, data in gone if kind == "record")
    assert place == (THEIRS.lon, THEIRS.lat), "nobody outside hears where it went"
    assert address(14, 121.0, 32.0) not in tiles(gone)
    # Below minzoom the cell that counted it counts one less, though its cell is what it was.
    assert {address(z, THEIRS.lon, THEIRS.lat) for z in (6, 8, 10, 14)} <= tiles(gone)


def test_a_record_that_is_deleted_is_told_to_whose_it_was(database: Database) -> None:
    report(database, OURS, THEIRS)

    def delete() -> None:
        with begin(database.engine, actor="test") as connection:
            connection.execute(sa.delete(LAYER.table))

    tell = happened(database, delete)
    assert records(tell(COUNTY)) == [("delete", OURS.id)]
    assert sorted(records(tell(ADMIN))) == [("delete", OURS.id), ("delete", THEIRS.id)]


def test_of_very_many_at_once_nobody_hears_how_many(database: Database) -> None:
    report(database, THEIRS)

    def copy() -> None:
        columns = [column for column in LAYER.table.c if column.computed is None and column.name != "id"]
        number = sa.func.generate_series(1, 2_001).table_valued("n", name="number").render_derived()
        copies = sa.select(sa.cast(number.c.n, sa.Text), *columns).select_from(LAYER.table.join(number, sa.true()))
        with begin(database.engine, actor="test") as connection:
            connection.execute(sa.insert(LAYER.table).from_select(["id", *columns], copies))

    told = happened(database, copy)(COUNTY)
    assert [(kind, data) for kind, _, data in told] == [("tiles", {"layer": "incident", "all": True})]


def test_the_records_of_all_layers_come_in_the_order_of_the_log(city: Database) -> None:
    def work() -> None:
        for id in ("20260105000001", "20260105000002"):
            report(city, replace(OURS, id=id))
            with begin(city.engine, actor="test") as connection:
                chosen = "(select id from city.pollution order by id limit 1)"
                connection.execute(sa.text(f"update city.pollution set name = :name where id = {chosen}"), {"name": id})

    told = happened(city, work)(COUNTY)
    assert [data["layer"] for kind, _, data in told if kind == "record"] == ["incident", "pollution"] * 2
    order = [json.loads(id)[2] for kind, id, _ in told if kind == "record" and id]
    assert order == sorted(order)
    assert len(order) == 4


def test_who_sees_the_same_is_told_by_the_same_words(database: Database) -> None:
    with database.reader.connect() as connection:
        start = changes.now(connection)
    report(database, OURS, THEIRS)
    with database.reader.connect() as connection:
        seen = changes.since(connection, start)
    said = news(Batch(start, seen.position, seen.rows, touched(seen.rows, LAYERS), LAYERS))
    edition = Edition(0, [said])
    first, second = (edition.heard(Ear.of(replace(COUNTY, name=name), None)) for name in ("li", "zhou"))
    assert [kind for kind, _, _ in events(first)] == ["tiles", "record"]
    assert first is second
    other = edition.heard(Ear.of(ADMIN, None))
    shared = {told.text for told in said.to(slice_of(COUNTY))[1]} & {told.text for told in said.to(slice_of(ADMIN))[1]}
    assert len(shared) == 1, "one record is put into words once for all who see it"
    assert len(records(events(other))) == 2


STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from([OURS.id, THEIRS.id]),
            "lead": st.sampled_from(["cgj", "zjj", None]),
            "admin_code": st.sampled_from(["320613002", "320681100", None]),
            "assignee": st.sampled_from([None, "wang"]),
            "scenario": st.sampled_from([None, None, "drill-1"]),
        }
    ),
    max_size=6,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_who_follows_the_events_knows_at_the_end_what_there_is(steps: list[dict[str, Any]], database: Database) -> None:
    with begin(database.engine, actor="test") as connection:
        connection.execute(sa.delete(LAYER.table))

    def work() -> None:
        report(database, OURS, THEIRS)
        for step in steps:
            change(database, **step)

    tell = happened(database, work)
    for actor in (COUNTY, OFFICER, EXERCISE, ADMIN):
        held: set[str] = set()
        for op, id in records(tell(actor)):
            assert (id in held) is (op != "insert"), "nothing is made twice, and only what is there changes or goes"
            (held.discard if op == "delete" else held.add)(id)
        with database.reader.connect() as connection:
            seen = sa.select(LAYER.table.c.id).where(slice_of(actor).condition(LAYER))
            assert held == set(connection.scalars(seen))


@pytest.mark.parametrize("side", ["scope_before", "scope_after"])
def test_a_change_of_an_open_layer_says_nothing_of_scopes(city: Database, side: str) -> None:
    with city.reader.connect() as connection:
        start = changes.now(connection)
    with begin(city.engine, actor="test") as connection:
        connection.execute(sa.text("update city.pollution set name = 'x'"))
    with city.reader.connect() as connection:
        assert {row[side] for row in changes.since(connection, start).rows} == {None}
