"""Every way to ask obeys: what somebody is told is what they would be told if the records of others were not there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

import mapbox_vector_tile
import psycopg
import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter

from gis.tilegrid import tile_of
from layers.ask.catalogue import summaries
from layers.ask.density import densities
from layers.ask.facets import facets
from layers.ask.features import Drawn, extents, feature, matched, page
from layers.ask.features import Question as Wanted
from layers.ask.filter import condition, parse
from layers.ask.geocode import geocode
from layers.ask.indicator.amounts import parts
from layers.ask.indicator.counter import count_all
from layers.ask.indicator.figures import figures
from layers.ask.indicator.indicator import CITY, Holding, Indicator
from layers.ask.indicator.measure import Measure
from layers.ask.items import history, item
from layers.ask.keyset import Key
from layers.ask.nearby import around
from layers.ask.question.asked import Question
from layers.ask.question.desk import Desk
from layers.ask.search import search
from layers.ask.tile import making, run
from layers.catalog import built_in
from layers.errors import UnknownItem
from layers.people.access import ADMIN, Actor, Scope
from layers.people.scope import REALITY, Slice, acting, slice_of
from layers.spec import Title
from layers.store.core import FIGURE
from layers.store.engine import acting_statement, begin, engine_for, libpq_url, session_options
from tests.conftest import Database, cloned
from tests.incidents import LAYER, OURS, REHEARSED, THEIRS, change, report

LAYERS = built_in()
COUNTY = Actor("li", frozenset({"commander"}), Scope(frozenset({"320613"}), None))
TOWN = Actor("he", frozenset({"dispatcher"}), Scope(frozenset({"320613002"}), None))
GRID = Actor("zhao", frozenset({"worker"}), Scope(frozenset({"320613002200002"}), None))
OFFICER = Actor("wang", frozenset({"officer"}), Scope(None, frozenset({"cgj"})))
SOMEBODY = (COUNTY, TOWN, GRID, OFFICER)
EXERCISE = replace(COUNTY, scenario="drill-1")
QUESTION: TypeAdapter[Any] = TypeAdapter(Question)
DESK = Desk()
TITLE = Title("案卷数", "Incidents")
COUNTED = Indicator("incidents", TITLE, TITLE, "count", Measure("incident"), by=("county", "town", "grid", "light"))
HELD = Indicator(
    "grids-with-incidents", TITLE, TITLE, "share", Measure("grid"), by=("county",),
    bottom=Measure("grid"), holding=Holding(Measure("incident"), some=True),
)  # fmt: skip
CITY_BOX = {
    "type": "Polygon",
    "coordinates": [[[120.1, 31.6], [122.0, 31.6], [122.0, 32.8], [120.1, 32.8], [120.1, 31.6]]],
}  # fmt: skip
Way = Callable[[sa.Connection], Any]


def answered(connection: sa.Connection, **question: Any) -> Any:
    answer = DESK.answer(connection, QUESTION.validate_python(question), LAYERS.__getitem__)
    return [batch.drop(columns="geometry", errors="ignore").to_dict("records") for batch in answer.sheet.batches()]


def features(connection: sa.Connection, filter: str | None = None) -> Any:
    conditions = () if filter is None else (condition(LAYER, parse(filter)),)
    question = Wanted(LAYER, (Key("id", LAYER.table.c.id, "text"),), conditions)
    found = page(connection, question, Drawn(fields=LAYER.fields), limit=100, place=None)
    return found.features, matched(connection, question)


def read(connection: sa.Connection, id: str) -> Any:
    try:
        return asdict(item(connection, LAYER, id, layers=LAYERS)), feature(connection, LAYER, id, Drawn()).id
    except UnknownItem:
        return None


def past(connection: sa.Connection, id: str) -> Any:
    try:
        return [(v.properties["title"], v.actor) for v in history(connection, LAYER, id)[0]]
    except UnknownItem:
        return None


def found(connection: sa.Connection, q: str) -> Any:
    hits = search(connection, q, layers=list(LAYERS.values()))
    placed = geocode(connection, q, layers=list(LAYERS.values()))
    return [h for h in hits if h.layer == "incident"], [p for p in placed if p.layer == "incident"]


def told(connection: sa.Connection, indicator: Indicator, by: str) -> Any:
    values = figures(connection, indicator, LAYERS, by=by, area=None, limit=10_000).values
    return [(v.key, v.numerator, v.denominator) for v in values]


WAYS: dict[str, Way] = {
    "catalogue": lambda c: [(s.count, s.by_class) for s in summaries(c, [LAYER])],
    "facets": lambda c: facets(c, LAYER, None),
    "facets of a filter": lambda c: facets(c, LAYER, parse("light = 'red' or light = 'green'")),
    "densities by county": lambda c: densities(c, LAYER, LAYERS["county"], by="county"),
    "densities by town": lambda c: densities(c, LAYER, LAYERS["town"], by="town"),
    "extent": lambda c: extents(c, [LAYER]),
    "features": features,
    "filtered features": lambda c: features(c, "level <> 'critical'"),
    "what is theirs by id": lambda c: read(c, THEIRS.id),
    "what is ours by id": lambda c: read(c, OURS.id),
    "what theirs was": lambda c: past(c, THEIRS.id),
    "what ours was": lambda c: past(c, OURS.id),
    "near theirs": lambda c: around(c, THEIRS.lon, THEIRS.lat, layers=[LAYER], radius_m=2000, limit=20),
    "near ours": lambda c: around(c, OURS.lon, OURS.lat, layers=[LAYER], radius_m=2000, limit=20),
    "search for their title": lambda c: found(c, THEIRS.title),
    "search for a part of both titles": lambda c: found(c, "的一处"),
    "search by sound": lambda c: found(c, "angou"),
    "search by initials": lambda c: found(c, "agds"),
    "search with a typing error": lambda c: found(c, "暗沟堵色的一处"),
    "search for their address": lambda c: found(c, THEIRS.address or ""),
    "search for their id": lambda c: found(c, THEIRS.id),
    "search for both ids": lambda c: found(c, OURS.id[:12]),
    "selected": lambda c: answered(c, ask="select", layer="incident"),
    "nearest": lambda c: answered(c, ask="nearest", layer="incident", point=(THEIRS.lon, THEIRS.lat)),
    "counted by county": lambda c: answered(c, ask="count", layer="incident", by="county"),
    "counted by cell": lambda c: answered(c, ask="count", layer="incident", by="h3", res=7),
    "counted in a drawn area": lambda c: answered(
        c, ask="count", layer="incident", by="total", where=[{"relation": "within", "geometry": CITY_BOX}]
    ),
    "counted by class in a drawn area": lambda c: answered(
        c, ask="count", layer="incident", by="class", where=[{"relation": "within", "geometry": CITY_BOX}]
    ),
    "gaps": lambda c: answered(
        c, ask="coverage_gap", layer="town", of={"layer": "incident"}, distance_m=20_000
    ),
    "what lies near theirs": lambda c: answered(
        c, ask="select", layer="county", where=[{"relation": "near", "layer": "incident", "distance_m": 10}]
    ),
    "planned": lambda c: DESK.plan(
        c, QUESTION.validate_python({"ask": "select", "layer": "incident"}), LAYERS.__getitem__
    )[1],
    "figure": lambda c: told(c, COUNTED, CITY),
    "figure by county": lambda c: told(c, COUNTED, "county"),
    "figure by grid": lambda c: told(c, COUNTED, "grid"),
    "figure by light": lambda c: told(c, COUNTED, "light"),
    "figure of grids": lambda c: told(c, HELD, CITY),
    "grids by name": lambda c: parts(
        c, HELD, LAYERS, by=CITY, area=None, day=dt.date(2026, 1, 1)
    ).ids,
}  # fmt: skip


@pytest.fixture(scope="module")
def town(cluster: Any, city_template: str) -> Iterator[Database]:
    """A small demo city of this file's own, in which nothing happened."""
    with cloned(cluster, city_template) as fresh:
        with begin(fresh.engine, actor="test") as connection:
            connection.execute(sa.delete(LAYER.table))
        yield fresh


def everything(town: Database, part: Slice) -> dict[str, str]:
    """What each way tells somebody, as text."""
    engine = engine_for(town.url, "reader", pool_size=1)
    answers = {}
    for name, way in WAYS.items():
        with engine.connect() as connection:
            answers[name] = repr(way(acting(connection, part)))
    engine.dispose()
    return {**answers, **tiles(town, part)}


def tiles(town: Database, part: Slice) -> dict[str, str]:
    """The bytes of the tiles of both places, records and cells."""
    held = {}
    reading = psycopg.connect(libpq_url(town.url), options=session_options("reader"))
    with reading as connection, connection.cursor() as cursor:
        cursor.execute(*acting_statement(part.settings))
        for place in (OURS, THEIRS):
            for z in (6, 8, 10, 11, 14, 16):
                at = tile_of(place.lon, place.lat, z)
                held[f"tile {at}"] = run(cursor, making(LAYER, *at, seen=part)).data.hex()
                filtered = run(cursor, making(LAYER, *at, seen=part, filter=parse("level <> 'critical'")))
                held[f"filtered tile {at}"] = filtered.data.hex()
    return held


def clear(town: Database) -> None:
    with begin(town.engine, actor="test") as connection:
        connection.execute(sa.delete(LAYER.table))
    count_all(town.engine, [COUNTED, HELD], LAYERS)


def test_no_way_to_ask_tells_anything_of_the_records_of_others(town: Database) -> None:
    clear(town)
    report(town, OURS)
    change(town, OURS.id, title="路灯不亮的这一处")
    count_all(town.engine, [COUNTED, HELD], LAYERS)
    alone = {actor.name: everything(town, slice_of(actor)) for actor in SOMEBODY}
    report(town, THEIRS, replace(THEIRS, id="20260101000009", lead="sjj"), REHEARSED)
    change(town, THEIRS.id, title="暗沟堵塞的彼一处")
    change(town, REHEARSED.id, title="演练中的一处了")
    count_all(town.engine, [COUNTED, HELD], LAYERS)
    for actor in SOMEBODY:
        for name, answer in everything(town, slice_of(actor)).items():
            assert answer == alone[actor.name][name], f"{actor.name}: {name}"
    # That these ways do tell: those who may see both are told of both.
    all_of_it = everything(town, slice_of(ADMIN))
    same = {name for name, answer in all_of_it.items() if answer == alone["li"][name]}
    theirs_only = {"what is ours by id", "what ours was", "near ours"}
    ours_only = {name for name in same if f"tile {tile_of(OURS.lon, OURS.lat, 14)}" in name or "tile" in name}
    assert same - ours_only <= theirs_only
    assert THEIRS.id in all_of_it["selected"]
    assert REHEARSED.id not in repr(all_of_it)


def test_who_is_in_an_exercise_is_told_of_it_and_of_nothing_that_really_happens(town: Database) -> None:
    clear(town)
    report(town, REHEARSED)
    rehearsed = everything(town, slice_of(EXERCISE))
    assert REHEARSED.id in rehearsed["selected"]
    assert rehearsed["figure"] == "[(None, 1.0, None)]"
    report(town, OURS, THEIRS, replace(REHEARSED, id="20260101000010", scenario="drill-2"))
    assert everything(town, slice_of(EXERCISE)) == rehearsed


def test_who_sees_all_that_really_happens_is_told_nothing_of_an_exercise(town: Database) -> None:
    """Nor is what is kept of all records: sums, counts of cells, boxes and estimates."""
    clear(town)
    report(town, OURS, THEIRS)
    count_all(town.engine, [COUNTED, HELD], LAYERS)
    before = everything(town, slice_of(ADMIN))
    elsewhere = replace(REHEARSED, id="20260101900011", lon=120.5, lat=32.4, title="暗沟堵塞的演练", light="red")
    report(town, REHEARSED, elsewhere)
    change(town, elsewhere.id, title="暗沟堵塞的演练一处")
    count_all(town.engine, [COUNTED, HELD], LAYERS)
    after = everything(town, slice_of(ADMIN))
    assert {name: told for name, told in after.items() if told != before[name]} == {}


def test_the_cells_of_low_zooms_count_what_is_seen(town: Database) -> None:
    clear(town)
    report(town, OURS, replace(OURS, id="20260101000011", light="red"), replace(THEIRS, lon=OURS.lon, lat=OURS.lat))
    reading = psycopg.connect(libpq_url(town.url), options=session_options("reader"))
    with reading as connection, connection.cursor() as cursor:
        for part, n in ((slice_of(COUNTY), 2), (REALITY, 3), (Slice(frozenset({"3209"}), None), 0)):
            cursor.execute(*acting_statement(part.settings))
            made = run(cursor, making(LAYER, *tile_of(OURS.lon, OURS.lat, 8), seen=part)).data
            cells = mapbox_vector_tile.decode(made)["incident_cells"]["features"] if made else []
            assert sum(cell["properties"]["n"] for cell in cells) == n
            classes = [key for cell in cells for key in cell["properties"] if key.startswith("c_")]
            assert sorted(classes) == (["c_green", "c_red"] if n else [])


def test_the_sums_that_are_kept_are_of_what_really_happens(town: Database) -> None:
    clear(town)
    report(town, OURS, THEIRS, REHEARSED)
    count_all(town.engine, [COUNTED, HELD], LAYERS)
    with town.reader.connect() as connection:
        kept = sa.select(sa.func.sum(FIGURE.c.n)).where(FIGURE.c.measure == COUNTED.top.key)
        assert connection.scalar(kept) == 2


def test_the_estimate_of_a_plan_is_told_to_those_who_see_all(town: Database) -> None:
    clear(town)
    report(town, OURS)
    engine = engine_for(town.url, "reader", pool_size=1)
    question = QUESTION.validate_python({"ask": "select", "layer": "incident"})
    for actor, expected in ((ADMIN, int), (COUNTY, type(None))):
        with engine.connect() as connection:
            _, estimate = DESK.plan(acting(connection, slice_of(actor)), question, LAYERS.__getitem__)
            assert isinstance(estimate, expected)
    engine.dispose()
