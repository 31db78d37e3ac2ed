"""Indicators: declarations are checked, sums follow every change, and a door leads to exactly what was counted."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import threading
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from etl.demo.past import make_past
from layers.ask.clauses import Range, cql2
from layers.ask.filter import condition, parse
from layers.ask.indicator.amounts import Area
from layers.ask.indicator.counter import Counter, count_all, counting
from layers.ask.indicator.counting import count, counted_at
from layers.ask.indicator.figures import Value, area_of, figures
from layers.ask.indicator.indicator import AREAS, CITY, Indicator, Norm
from layers.ask.indicator.past import entries, keep, past, remember
from layers.ask.indicator.plan import plans, there
from layers.ask.indicator.reading import SHIPPED, indicators_in, read_indicator
from layers.ask.indicator.rolling import today
from layers.ask.period import CITY_TIME
from layers.catalog import built_in
from layers.errors import BadDeclaration, BadParameter
from layers.spec import Title
from layers.store.cluster import Cluster
from layers.store.core import FIGURE, FIGURE_BY, FIGURE_DAY, FIGURE_LAYER
from layers.store.definitions import layer_from_parts
from layers.store.engine import begin
from layers.store.jobs import job_app
from layers.store.schema import add_layer
from tests.conftest import Database

LAYERS = built_in()
ALL = indicators_in([SHIPPED], LAYERS)
WHOLE = """\
title: {zh: 路灯, en: Lamps}
about: {zh: 路灯数, en: Number of lamps}
kind: count
layer: component
where:
  class_code: {in: ["01037"]}
by: [county, town, state]
"""


def declared(folder: Path, text: str, name: str = "lamps") -> Indicator:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return read_indicator(path, LAYERS)


def cloned(cluster: Cluster, template: str) -> Database:
    name = f"figures_{uuid.uuid4().hex}"
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
    fresh = Database(cluster.url(name))
    count_all(fresh.engine, ALL.values(), LAYERS)
    return fresh


@pytest.fixture(scope="module")
def still(cluster: Cluster, city_template: str) -> Iterator[Database]:
    """A small city with every sum counted, which no test changes."""
    fresh = cloned(cluster, city_template)
    yield fresh
    fresh.close()


@pytest.fixture(scope="module")
def edited(cluster: Cluster, city_template: str) -> Iterator[Database]:
    """A small city that tests change, each after bringing the sums up to what the others did."""
    fresh = cloned(cluster, city_template)
    yield fresh
    fresh.close()


@pytest.fixture
def counted(edited: Database) -> Database:
    count_all(edited.engine, ALL.values(), LAYERS)
    return edited


def values(
    database: Database, indicator: Indicator, by: str = CITY, area: Area | None = None
) -> dict[str | None, Value]:
    with database.reader.connect() as connection:
        found = figures(connection, indicator, LAYERS, by=by, area=area, limit=10_000)
    return {value.key: value for value in found.values}


def edit(database: Database, sql: str, **bound: object) -> None:
    with begin(database.engine, actor="tester") as connection:
        connection.execute(sa.text(sql), bound)


def test_the_shipped_indicators_can_all_be_told_of_the_demo_city() -> None:
    assert len(ALL) >= 14
    assert [i.name for i in there(ALL.values(), LAYERS)] == list(ALL)


BAD = [
    ("kind: count", "kind: counts", 3, "there is no kind 'counts'; was 'count' meant?"),
    ("layer: component", "layer: components", 1, "there is no layer 'components'; was 'component' meant?"),
    ("class_code: {in", "class: {in", 6, "layer 'component' has no column 'class' to ask for"),
    ('["01037"]', '["0199"]', 6, "the book 'component' has no code '0199'"),
    ("by: [county", "by: [district", 7, "it cannot be told apart by 'district'"),
    ("by: [county", "by: [first_date", 7, "it cannot be told apart by 'first_date'"),
    ("by: [county", "by: [town", 7, "'town' is there already"),
    ("by:", "unit: m\nby:", 7, "keys with values are needed here"),
    ("by:", "better: less\nby:", 7, "there is no way to be better 'less'"),
    ("by:", "norm: {low: 3, high: 1}\nby:", 7, "'low' is above 'high'"),
    ("by:", "per: {area: km2}\nby:", 7, "an indicator of the kind 'count' has no 'per'"),
    ("by:", "wanted: 3\nby:", 7, "there is no key 'wanted' here"),
    ("by:", "with: {layer: video}\nby:", 4, "'with' and 'without' are asked of the layer 'grid'"),
    ("kind: count", "kind: sum", 3, "a sum needs 'what'"),
    ("kind: count", "kind: sum\nwhat: state", 4, "layer 'component' has no numbers 'state' to add up"),
    ("kind: count", "kind: rate", 3, "a rate needs 'per'"),
    ("kind: count", "kind: rate\nper: {area: km2, count_of: road}", 4, "'per' is one of"),
    ("by:", "period: {column: state, days: 30}\nby:", 7, "layer 'component' has no dates 'state'"),
    ("by:", "period: {column: changed_at, days: 0}\nby:", 7, "a number from 1 to 3660 is needed here"),
    (
        'class_code: {in: ["01037"]}',
        "first_date: {from: 2020-01-01}\nperiod: {column: first_date, days: 9}",
        7,
        "'where' says already which 'first_date' are meant",
    ),
    (
        "kind: count",
        "kind: share\nof: {changed_at: {from: 2020-01-01}}\nperiod: {column: changed_at, days: 9}",
        4,
        "the period says already which 'changed_at' are meant",
    ),
    ("kind: count", "kind: rate\nper: {count_of: road, field: lanes}", 4, "'field' belongs to 'sum_of'"),
    ("kind: count", 'kind: share\nof: {class_code: {in: ["01001"]}}', 4, "is not a part of this"),
]


@pytest.mark.parametrize(("good", "bad", "line", "said"), BAD, ids=[bad for _, bad, _, _ in BAD])
def test_a_bad_file_is_refused_with_its_line_and_the_reason(
    tmp_path: Path, good: str, bad: str, line: int, said: str
) -> None:
    with pytest.raises(BadDeclaration) as refused:
        declared(tmp_path, WHOLE.replace(good, bad, 1))
    assert (refused.value.path.name, refused.value.line) == ("lamps.yaml", line)
    assert said in refused.value.reason


def test_one_more_file_is_one_more_indicator(city: Database, tmp_path: Path) -> None:
    declared(tmp_path, WHOLE)
    more = indicators_in([SHIPPED, tmp_path], LAYERS)
    count_all(city.engine, more.values(), LAYERS)
    with city.reader.connect() as connection:
        lamps = connection.scalar(sa.text("select count(*) from city.component where class_code = '01037'"))
    assert values(city, more["lamps"])[None].value == lamps
    assert sum(value.numerator for value in values(city, more["lamps"], "state").values()) == lamps


def test_an_indicator_waits_for_a_layer_that_people_bring(city: Database, tmp_path: Path) -> None:
    text = WHOLE.replace("layer: component", "layer: wells\nwhen_there: true").split("where:")[0]
    wells = declared(tmp_path, text, "wells")
    assert not there([wells], LAYERS)
    layer = layer_from_parts("wells", Title("井", "Wells"), "Point", LAYERS["place"].fields[:1], public=True)
    with begin(city.engine, actor="clerk") as connection:
        add_layer(connection, layer)
    every = {**LAYERS, "wells": layer}
    count_all(city.engine, [wells], every)
    with city.reader.connect() as connection:
        (value,) = figures(connection, wells, every, by=CITY, area=None, limit=9).values
    assert value.value == 0


NORMS = [
    (Norm(95, 98), "up", {94: "bad", 95: "warn", 97.9: "warn", 98: "ok"}),
    (Norm(5, 10), "down", {4: "ok", 5: "ok", 6: "warn", 10: "warn", 11: "bad"}),
    (Norm(low=0), "down", {0: "ok", 1: "warn"}),
    (Norm(low=2), "up", {1: "bad", 2: "ok"}),
    (Norm(1, 3), None, {0: "warn", 2: "ok", 4: "warn"}),
    (Norm(), "up", {1: None}),
]


@pytest.mark.parametrize(("norm", "better", "expected"), NORMS)
def test_a_norm_says_how_good_a_value_is(norm: Norm, better: str, expected: Mapping[float, str | None]) -> None:
    assert {value: norm.status(value, better) for value in expected} == expected  # type: ignore[arg-type]


def places(database: Database) -> list[Area | None]:
    """The whole city, and the county, town and grid with most to repair."""
    bad = ALL["components-to-repair"]
    tops = [next(iter(values(database, bad, level).values())) for level in AREAS]
    with database.reader.connect() as connection:
        return [None, *(area_of(connection, str(top.key), LAYERS) for top in tops)]


@pytest.mark.parametrize("name", ALL)
def test_a_door_leads_to_exactly_the_records_of_the_numerator(still: Database, name: str) -> None:
    indicator = ALL[name]
    layer = LAYERS[indicator.layer]
    table = layer.table
    for area in places(still):
        for by in (CITY, *indicator.by):
            doors = [v for v in values(still, indicator, by, area).values() if v.door is not None][:12]
            if not doors or indicator.top.what != "count":
                continue
            met = [condition(layer, parse(cql2(v.door))) if v.door else sa.true() for v in doors]
            with still.reader.connect() as connection:
                counts = connection.execute(
                    sa.select(*(sa.func.count().filter(each) for each in met)).select_from(table)
                ).one()
            assert list(counts) == [v.numerator for v in doors], (by, area)


@pytest.mark.parametrize("name", ["components-intact", "hazards-inspected", "grids-with-video", "video-per-km2"])
def test_a_second_door_leads_to_what_the_denominator_is_made_of(still: Database, name: str) -> None:
    indicator = ALL[name]
    for area in places(still):
        for by in (CITY, *indicator.by):
            for value in [v for v in values(still, indicator, by, area).values() if v.key is not None or by == CITY][
                :5
            ]:
                if value.below is None:  # no county or town lies in a grid
                    assert indicator.per_km2
                    assert area is not None
                    assert area.level == "grid"
                    continue
                layer, conditions = LAYERS[value.below.layer], cql2(value.below.conditions)
                met = condition(layer, parse(conditions)) if conditions else sa.true()
                km2 = sa.func.sum(sa.func.st_area(sa.func.geography(layer.table.c.geom)) / 1e6)
                made = sa.select(km2 if indicator.per_km2 else sa.func.count()).select_from(layer.table).where(met)
                with still.reader.connect() as connection:
                    assert (connection.scalar(made) or 0) == pytest.approx(value.denominator), (by, area)
    assert all(v.below is None for v in values(still, ALL["components"], "town").values())


DATED = """\
title: {zh: 近30天检查, en: Inspected}
about: {zh: 近30天检查过的危险源, en: Inspected in the last 30 days}
kind: count
layer: hazard_site
period: {column: inspected_on, days: 30}
by: [county, town, grid, level]
"""


def test_a_period_rolls_on_with_the_days_without_any_change(
    counted: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dated, now = declared(tmp_path, DATED, "dated"), today()
    count_all(counted.engine, [*ALL.values(), dated], LAYERS)
    edit(counted, "update city.hazard_site set inspected_on = null where inspected_on is not null")
    for offset, ago in enumerate((0, 29, 30, -1)):  # today, the first day of the period, the one before, and a mistake
        id = f"(select id from city.hazard_site order by id offset {offset} limit 1)"
        edit(counted, f"update city.hazard_site set inspected_on = :day where id = {id}", day=now - dt.timedelta(ago))
    (value,) = values(counted, dated).values()
    first, last = (now - dt.timedelta(29)).isoformat(), now.isoformat()
    assert (value.value, value.door) == (2, {"inspected_on": Range(first, last)})
    for by in dated.by:
        assert sum(v.numerator for v in values(counted, dated, by).values()) == 2
    for later, expected in ((1, 2), (2, 2), (29, 2), (30, 1), (31, 0)):
        monkeypatch.setattr("layers.ask.indicator.figures.today", lambda: now + dt.timedelta(later))  # noqa: B023
        assert values(counted, dated)[None].value == expected, later


def test_a_period_of_times_is_of_whole_days_of_the_city(counted: Database, tmp_path: Path) -> None:
    text = DATED.replace("inspected_on", "changed_at").replace("days: 30", "days: 1")
    changed = declared(tmp_path, text, "changed")
    edit(counted, "update city.hazard_site set address = address || '。'")
    (value,) = values(counted, changed).values()
    assert value.door == {"changed_at": Range(f"{today()}T00:00:00+08:00", f"{today()}T23:59:59.999999+08:00")}
    with counted.reader.connect() as connection:
        layer = LAYERS["hazard_site"]
        met = condition(layer, parse(cql2(value.door)))
        assert connection.scalar(sa.select(sa.func.count()).select_from(layer.table).where(met)) == value.numerator > 0


def test_a_day_remembers_a_period_as_it_was_then(counted: Database, tmp_path: Path) -> None:
    dated = declared(tmp_path, DATED, "dated")
    edit(counted, "update city.hazard_site set inspected_on = :day", day=today())
    count_all(counted.engine, [*ALL.values(), dated], LAYERS)
    edit(counted, "update city.hazard_site set inspected_on = null")
    count_all(counted.engine, [*ALL.values(), dated], LAYERS)
    kept = sa.select(FIGURE_DAY.c.figures).where(FIGURE_DAY.c.indicator == "dated", FIGURE_DAY.c.by == CITY)
    with counted.reader.connect() as connection:
        assert connection.scalars(kept).all() == [[[None, 0, None]]]


def test_parts_add_up_to_the_whole(still: Database) -> None:
    for indicator in ALL.values():
        whole = values(still, indicator)[None].numerator
        for by in indicator.by:
            parts = sum(value.numerator for value in values(still, indicator, by).values())
            assert parts == pytest.approx(whole), (indicator.name, by)


def test_the_worst_comes_first(still: Database) -> None:
    worst = {"up": lambda v: v, "down": lambda v: -v, None: lambda v: -v}
    for indicator in ALL.values():
        told = [v.value for v in values(still, indicator, indicator.by[0]).values() if v.value is not None]
        assert told == sorted(told, key=worst[indicator.better]), indicator.name


def test_every_area_is_told_even_when_nothing_is_there(still: Database) -> None:
    assert len(values(still, ALL["pollution-exceeding"], "town")) == 100
    town = Area("320613001", "town")
    assert {key and key[:9] for key in values(still, ALL["video-sites"], "grid", town)} == {"320613001"}


def test_shares_and_rates_are_of_the_same_place(still: Database) -> None:
    county = Area("320613", "county")
    (online,) = values(still, ALL["video-online"], CITY, county).values()
    by_hand = "select count(*) filter (where status = 'ON'), count(*) from city.video where admin_code like '320613%'"
    with still.reader.connect() as connection:
        assert (online.numerator, online.denominator) == tuple(connection.execute(sa.text(by_hand)).one())
        area = connection.scalar(sa.text("select st_area(geom::geography) / 1e6 from city.county where id = '320613'"))
    (dense,) = values(still, ALL["video-per-km2"], CITY, county).values()
    assert dense.denominator == pytest.approx(area)
    assert dense.value == pytest.approx(online.denominator / area)


def test_grids_that_hold_nothing_are_told_by_their_ids(still: Database) -> None:
    by_hand = "select g.id from city.grid g where not exists (select from city.component c where c.grid_id = g.id)"
    with still.reader.connect() as connection:
        empty = set(connection.scalars(sa.text(by_hand)))
    found = values(still, ALL["grids-without-components"])[None]
    assert found.numerator == len(empty)
    assert found.door is not None
    assert set(found.door["id"].values) == empty  # type: ignore[union-attr]


def test_only_what_it_is_declared_for_is_told(still: Database) -> None:
    with still.reader.connect() as connection:
        for by in ("owner", "geom", "id", "nothing"):
            with pytest.raises(BadParameter, match="by: must be one of city"):
                figures(connection, ALL["components"], LAYERS, by=by, area=None, limit=1)
        no_grids = {name: layer for name, layer in LAYERS.items() if name != "grid"}
        with pytest.raises(BadParameter, match="by: must be one of city, county, town, major"):
            figures(connection, ALL["components"], no_grids, by="grid", area=None, limit=1)
        with pytest.raises(BadParameter, match="area: there is no county"):
            area_of(connection, "990000", LAYERS)


def sums(database: Database) -> tuple[list[object], list[object]]:
    with database.reader.connect() as connection:
        kept = [
            sorted(map(tuple, connection.execute(sa.select(*table.c)).all()), key=repr) for table in (FIGURE, FIGURE_BY)
        ]
    rounded = [[(*row[:-1], round(row[-1], 6)) for row in rows] for rows in kept]
    return rounded[0], rounded[1]


EDITS = {
    "one state": "update city.component set state = 'lost' where id = (select min(id) from city.component)",
    "another grid": "update city.component c set grid_id = g.id, admin_code = g.admin_code "
    "from (select * from city.grid order by id desc limit 1) g where c.id = (select min(id) from city.component)",
    "no place": "update city.component set grid_id = null, admin_code = null "
    "where id = (select max(id) from city.component)",
    "a county alone": "update city.video set grid_id = null, admin_code = '320613' "
    "where id = (select max(id) from city.video)",
    "removed": "delete from city.video where id in (select id from city.video order by id limit 3)",
    "another id": "update city.component set id = id || 'x' where id = (select max(id) from city.component)",
    "an area": "update city.town set geom = st_multi(st_buffer(geom, 0.01)) where id = '320613001'",
    "a grid gone": "delete from city.grid where id = (select max(id) from city.grid)",
    "a longer road": "update city.road set geom = st_multi(st_scale(geom, 1.001, 1.001)) "
    "where id = (select min(id) from city.road)",
    "many": "update city.component set state = 'broken' where admin_code like '3206%'",
    "all": "delete from city.pollution",
}


@pytest.mark.parametrize("what", EDITS)
def test_after_an_edit_the_sums_are_what_counting_anew_gives(counted: Database, what: str) -> None:
    sql = EDITS[what]
    (layer,) = set(re.findall(r"(?:update|delete from) city.(\w+)", sql))
    edit(counted, sql)
    assert count_all(counted.engine, ALL.values(), LAYERS) == {layer}
    followed = sums(counted)
    edit(counted, "delete from core.figure_layer where layer = :layer", layer=layer)
    assert count_all(counted.engine, ALL.values(), LAYERS) == {layer}
    assert followed == sums(counted)


def test_only_the_grids_and_towns_that_an_edit_touched_are_counted(counted: Database) -> None:
    def written(column: str, table: str) -> dict[str, int]:
        with counted.reader.connect() as connection:
            newest = f"select {column}, max(xmin::text::bigint) from core.{table}"
            rows = connection.execute(sa.text(f"{newest} where measure like 'component:%' group by 1"))
            return dict(map(tuple, rows))

    before = written("grid_id", "figure"), written("admin_code", "figure_by")
    never_moved = "select id from city.component where grid_id is not null order by id offset 30 limit 1"
    edit(counted, f"update city.component set note = 'seen' where id = ({never_moved})")
    count_all(counted.engine, ALL.values(), LAYERS)
    after = written("grid_id", "figure"), written("admin_code", "figure_by")
    assert [sum(old[key] != new[key] for key in old) for old, new in zip(before, after, strict=True)] == [1, 1]


def test_without_a_change_nothing_is_counted(counted: Database) -> None:
    assert count_all(counted.engine, ALL.values(), LAYERS) == set()


def test_what_commits_late_is_counted_then(counted: Database) -> None:
    lost = ALL["components-lost"]
    ids = "(select id from city.component where state <> 'lost' order by id desc offset {} limit 1)"
    was = values(counted, lost)[None].numerator
    wanted = [plans(ALL.values(), LAYERS)["component"]]
    with begin(counted.engine, actor="slow") as slow:
        slow.execute(sa.text(f"update city.component set state = 'lost' where id = {ids.format(20)}"))
        edit(counted, f"update city.component set state = 'lost' where id = {ids.format(10)}")
        with begin(counted.engine, actor="t") as connection:
            count(connection, wanted)
        assert values(counted, lost)[None].numerator == was + 1
    with counted.reader.connect() as connection:
        assert counted_at(connection, wanted) == {"component": None}
    with begin(counted.engine, actor="t") as connection:
        assert count(connection, wanted) == {"component"}
    assert values(counted, lost)[None].numerator == was + 2


def test_a_restored_copy_is_counted_anew(counted: Database) -> None:
    another = "update core.figure_layer set plan = split_part(plan, ' ', 1) || ' another/1' where layer = 'town'"
    edit(counted, another)
    assert count_all(counted.engine, ALL.values(), LAYERS) == {"town"}


def test_many_who_ask_at_once_are_told_the_same_after_one_count(counted: Database) -> None:
    edit(counted, EDITS["many"])
    counter, bad = Counter(counted.engine, ALL), ALL["components-to-repair"]
    told: list[float] = []

    def ask() -> None:
        with counted.owner.connect() as connection:
            counter.fresh(connection, bad, LAYERS)
            told.append(figures(connection, bad, LAYERS, by=CITY, area=None, limit=1).values[0].numerator)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with counted.reader.connect() as connection:
        now = connection.scalar(sa.text("select count(*) from city.component where state in ('broken', 'lost')"))
    assert told == [now] * 4


def test_a_day_keeps_the_last_figures_that_it_had(counted: Database) -> None:
    bad = ALL["components-to-repair"]
    edit(counted, EDITS["many"])
    count_all(counted.engine, ALL.values(), LAYERS)
    kept = sa.select(FIGURE_DAY.c.figures).where(
        FIGURE_DAY.c.indicator == bad.name, FIGURE_DAY.c.by == CITY, FIGURE_DAY.c.day == today()
    )
    with counted.reader.connect() as connection:
        assert connection.scalars(kept).all() == [[[None, values(counted, bad)[None].numerator, None]]]


def test_a_day_keeps_also_what_was_counted_for_someone_who_asked(counted: Database) -> None:
    bad = ALL["components-to-repair"]
    edit(counted, EDITS["one state"])
    with counted.owner.connect() as connection:
        Counter(counted.engine, ALL).fresh(connection, bad, LAYERS)
    assert count_all(counted.engine, ALL.values(), LAYERS) == set()
    kept = sa.select(FIGURE_DAY.c.figures).where(
        FIGURE_DAY.c.indicator == bad.name, FIGURE_DAY.c.by == CITY, FIGURE_DAY.c.day == today()
    )
    with counted.reader.connect() as connection:
        assert connection.scalars(kept).all() == [[[None, values(counted, bad)[None].numerator, None]]]


def test_the_demo_city_gets_its_past_also_where_a_worker_has_run_for_days(counted: Database) -> None:
    yesterday = today() - dt.timedelta(days=1)
    edit(counted, "delete from core.figure_day")
    edit(
        counted,
        "insert into core.figure_day values ('components', 'city', :day, now(), false, '[[null, 0, null]]')",
        day=yesterday,
    )
    assert make_past(counted.engine, LAYERS, seed=1) > 0
    told = sa.select(FIGURE_DAY.c.synthetic, FIGURE_DAY.c.figures[0][1].as_float()).where(
        FIGURE_DAY.c.indicator == "components", FIGURE_DAY.c.by == CITY, FIGURE_DAY.c.day == yesterday
    )
    with counted.reader.connect() as connection:
        ((synthetic, figure),) = connection.execute(told)
    assert synthetic
    assert figure > 0


def test_the_past_is_read_by_key_and_counted_days(database: Database) -> None:
    bad, now = ALL["components-to-repair"], dt.datetime.now(CITY_TIME)
    rows = [
        {
            "indicator": bad.name,
            "by": "county",
            "day": today() - dt.timedelta(days=ago),
            "at": now - dt.timedelta(days=ago),
            "synthetic": False,
            "figures": [["320613", 100 - ago, None], [None, 1, None]],
        }
        for ago in (0, 1, 2, 9)
    ]
    with begin(database.engine, actor="t") as connection:
        keep(connection, rows)
    with database.reader.connect() as connection:
        told = past(connection, bad, by="county", key="320613", days=5)
        assert [point.value for point in told] == [98, 99]
        assert not any(point.synthetic for point in told)
        assert [point.value for point in past(connection, bad, by="county", key=None, days=5)] == [1, 1]
        assert past(connection, bad, by="county", key="320614", days=5) == []


def test_a_real_city_has_no_past(database: Database) -> None:
    with begin(database.engine, actor="t") as connection:
        remember(connection, list(ALL.values()), LAYERS)
        assert connection.scalar(sa.select(sa.func.count()).where(FIGURE_DAY.c.day < today())) == 0


def test_the_demo_city_has_a_synthetic_past_that_adds_up(still: Database) -> None:
    for name in ("components", "components-to-repair", "video-online", "road-length"):
        told = sa.select(FIGURE_DAY).where(FIGURE_DAY.c.indicator == name, FIGURE_DAY.c.day < today())
        with still.reader.connect() as connection:
            days: dict[dt.date, dict[str, float]] = {}
            for row in connection.execute(told):
                assert row.synthetic
                days.setdefault(row.day, {})[row.by] = sum(each[1] for each in row.figures)
        assert len(days) == 60
        for by_sum in days.values():
            assert {round(n) for n in by_sum.values()} == {round(by_sum[CITY])}


def test_a_synthetic_share_never_exceeds_the_whole(still: Database) -> None:
    shares = [name for name, indicator in ALL.items() if indicator.kind == "share"]
    told = sa.select(FIGURE_DAY.c.figures).where(FIGURE_DAY.c.indicator.in_(shares))
    with still.reader.connect() as connection:
        assert all(0 <= top <= whole for figures in connection.scalars(told) for _, top, whole in figures)


def test_the_worker_counts_every_minute(city: Database) -> None:
    edit(city, "delete from core.figure_layer")

    async def once() -> None:
        app = job_app(city.url, list, more=[counting(city.url, lambda: list(LAYERS.values()), ALL)])
        async with app.open_async():
            await app.configure_task("chengtu.count_figures").defer_async(timestamp=0)
            await app.run_worker_async(wait=False, install_signal_handlers=False)

    asyncio.run(once())
    with city.owner.connect() as connection:
        assert "component" in set(connection.scalars(sa.select(FIGURE_LAYER.c.layer)))
        assert connection.scalar(sa.text("select status::text from jobs.procrastinate_jobs")) == "succeeded"


def test_what_is_remembered_is_what_is_told(still: Database) -> None:
    for indicator in ALL.values():
        for by in indicator.by[:2]:
            with still.reader.connect() as connection:
                remembered = {key: top for key, top, _ in entries(connection, indicator, LAYERS, by=by)}
            told = {key: value.numerator for key, value in values(still, indicator, by).items()}
            assert {key: told.get(key) for key in remembered} == remembered
