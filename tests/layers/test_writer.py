"""Deliveries, edits and undo, and what follows each of them."""

from __future__ import annotations

import threading

import geopandas as gpd
import pytest
import shapely
import sqlalchemy as sa

from layers.catalog import built_in
from layers.errors import Conflict
from layers.store import changes
from layers.store.edits import update_record
from layers.store.engine import begin
from layers.store.writer import BUILD_ANEW, Outcome, RetireRefused, undo_delivery, write_delivery
from tests.conftest import Database

PLACE = built_in()["place"]


def frame(names: dict[str, str], *, lon: float = 120.9) -> gpd.GeoDataFrame:
    points = [shapely.Point(lon + 0.001 * i, 32.0) for i in range(len(names))]
    rows = {"id": list(names), "name": list(names.values()), "kind": "park"}
    return gpd.GeoDataFrame(rows, geometry=points, crs=4326)


def deliver(database: Database, names: dict[str, str], *, lon: float = 120.9, **options: object) -> Outcome:
    with begin(database.engine, actor="tester") as connection:
        defaults = {"source": "parks", "actor": "tester", "digest": "d", "title": "parks.csv"}
        return write_delivery(connection, PLACE, frame(names, lon=lon), **{**defaults, **options})  # type: ignore[arg-type]


def rows(database: Database, sql: str) -> list[tuple[object, ...]]:
    with database.owner.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


def content(database: Database) -> list[tuple[object, ...]]:
    return rows(database, "select id, name, st_astext(geom), cell, source from city.place order by id")


TEN = {f"p{i}": f"公园{i}" for i in range(10)}


def test_a_first_delivery_inserts_every_record_with_its_cell(database: Database) -> None:
    outcome = deliver(database, TEN)
    assert (outcome.inserted, outcome.updated, outcome.retired) == (10, 0, 0)
    assert rows(database, "select count(*) from city.place where cell > 0") == [(10,)]


def test_the_same_delivery_twice_changes_no_record_and_no_history(database: Database) -> None:
    deliver(database, TEN)
    before, log = content(database), rows(database, "select seq from core.change")
    assert deliver(database, TEN).unchanged == 10
    assert content(database) == before
    assert rows(database, "select seq from core.change") == log
    assert rows(database, "select * from core.history") == []


def test_a_newer_delivery_updates_by_id_and_retires_what_vanished(database: Database) -> None:
    deliver(database, TEN)
    newer = {**TEN, "p3": "三号公园", "p99": "新公园"}
    del newer["p7"]
    outcome = deliver(database, newer)
    # p8 and p9 moved one place up the row of points, as did the new one
    assert (outcome.inserted, outcome.retired) == (1, 1)
    assert rows(database, "select row->>'name' from core.history where id = 'p3'") == [("公园3",)]
    assert rows(database, "select name from city.place where id = 'p3'") == [("三号公园",)]
    assert rows(database, "select id from city.place where id = 'p7'") == []


def test_retiring_more_than_a_fifth_is_refused_and_changes_nothing(database: Database) -> None:
    deliver(database, TEN)
    before = content(database)
    with pytest.raises(RetireRefused) as refused:
        deliver(database, {k: TEN[k] for k in list(TEN)[:7]})
    assert (refused.value.gone, refused.value.held) == (3, 10)
    assert content(database) == before


def test_a_partial_delivery_retires_nothing(database: Database) -> None:
    deliver(database, TEN)
    assert deliver(database, {"p0": TEN["p0"]}, partial=True).retired == 0
    assert rows(database, "select count(*) from city.place") == [(10,)]


def test_another_source_is_never_touched(database: Database) -> None:
    deliver(database, TEN)
    deliver(database, {"q1": "广场"}, source="squares")
    assert rows(database, "select count(*) from city.place") == [(11,)]
    with pytest.raises(Conflict):
        deliver(database, {"p1": "别人的"}, source="squares", partial=True)


@pytest.mark.parametrize("second", [{**TEN, "p1": "一号"}, {**TEN, "new": "新"}, {k: TEN[k] for k in list(TEN)[:9]}])
def test_undo_puts_every_record_back(database: Database, second: dict[str, str]) -> None:
    deliver(database, TEN)
    before = content(database)
    outcome = deliver(database, second, lon=121.0)
    assert content(database) != before
    with begin(database.engine, actor="tester") as connection:
        undo_delivery(connection, outcome.delivery)
    assert content(database) == before


def test_undo_is_refused_once_a_record_was_edited_by_hand(database: Database) -> None:
    outcome = deliver(database, TEN)
    with begin(database.engine, actor="clerk") as connection:
        update_record(connection, PLACE, "p1", values={"name": "改名"})
    with pytest.raises(Conflict, match="1 records"), begin(database.engine, actor="tester") as connection:
        undo_delivery(connection, outcome.delivery)


def test_an_edit_keeps_the_earlier_version_and_who_made_it(database: Database) -> None:
    deliver(database, TEN)
    with begin(database.engine, actor="clerk") as connection:
        update_record(connection, PLACE, "p1", values={"name": "改名"}, geometry=shapely.Point(121.5, 32.1))
    kept = rows(
        database, "select row->>'name', actor, st_x((row->>'geom')::geometry) from core.history where id = 'p1'"
    )
    assert kept == [("公园1", "tester", pytest.approx(120.901))]
    assert rows(database, "select changed_by, st_x(geom) from city.place where id = 'p1'") == [("clerk", 121.5)]
    logged = rows(database, "select actor, op, st_x(before), st_x(after) from core.change where op = 'update'")
    assert logged == [("clerk", "update", pytest.approx(120.901), 121.5)]


@pytest.mark.parametrize("res", [5, 6, 7, 8, 9])
def test_cell_counts_add_up_to_the_records_at_every_resolution(database: Database, res: int) -> None:
    deliver(database, TEN)
    deliver(database, {k: TEN[k] for k in list(TEN)[:9]}, lon=121.3)
    with begin(database.engine, actor="clerk") as connection:
        update_record(connection, PLACE, "p1", values={"kind": "school"}, geometry=shapely.Point(121.5, 32.1))
        connection.execute(sa.delete(PLACE.table).where(PLACE.table.c.id == "p2"))
    truth = rows(
        database,
        f"select core.h3_parent(cell, {res}), kind, count(*) from city.place group by 1, 2 order by 1, 2",
    )
    counts = (
        f"select cell, class, sum(n)::bigint from core.cell_count where layer = 'place' and res = {res} "
        "group by 1, 2 having sum(n) <> 0 order by 1, 2"
    )
    assert rows(database, counts) == truth
    with begin(database.engine, actor="job") as connection:
        connection.execute(sa.text("select core.fold_cell_counts()"))
    assert rows(database, counts) == truth
    assert rows(database, "select 1 from core.cell_count group by layer, res, cell, class having count(*) > 1") == []


def test_every_counted_cell_has_its_polygon(database: Database) -> None:
    deliver(database, TEN)
    missing = "select cell from core.cell_count where cell not in (select h3 from core.cell)"
    assert rows(database, missing) == []


def test_truncating_a_layer_is_logged_and_kept_in_history(database: Database) -> None:
    deliver(database, TEN)
    with database.owner.begin() as connection:
        connection.execute(sa.text("truncate city.place"))
    assert rows(database, "select op, records from core.change order by seq desc limit 1") == [("truncate", 10)]
    assert rows(database, "select count(*) from core.history") == [(10,)]
    assert rows(database, "select count(*) from core.cell_count where layer = 'place'") == [(0,)]


def test_a_delivery_that_fails_halfway_leaves_no_trace(database: Database) -> None:
    class PulledPlug(Exception):
        pass

    def cut_off() -> None:
        with begin(database.engine, actor="tester") as connection:
            write_delivery(connection, PLACE, frame(TEN), source="parks", actor="t", digest="d", title="t")
            raise PulledPlug

    with pytest.raises(PulledPlug):
        cut_off()
    assert content(database) == []
    assert rows(database, "select * from core.change") == []


def test_the_reader_of_the_log_misses_no_late_commit(database: Database) -> None:
    insert = (
        "insert into city.place (id, name, kind, geom, cell, source) "
        "values (:id, 'x', 'park', st_setsrid(st_point(121, 32), 4326), 622352000149684223, 's')"
    )
    with database.engine.connect() as slow, database.engine.connect() as fast, database.reader.connect() as reader:
        start = changes.now(reader)
        reader.rollback()
        slow.execute(sa.text(insert), {"id": "slow"})  # takes the lower serial number, commits last
        fast.execute(sa.text(insert), {"id": "fast"})
        fast.commit()
        first = changes.since(reader, start)
        reader.rollback()
        slow.commit()
        second = changes.since(reader, first.position)
        reader.rollback()
        third = changes.since(reader, second.position)
    assert [[row["id"] for row in part.rows] for part in (first, second, third)] == [["fast"], ["slow"], []]


def test_the_log_can_be_read_in_pages_while_it_grows(database: Database) -> None:
    deliver(database, TEN)
    with database.reader.connect() as reader:
        page = changes.since(reader, changes.beginning(), limit=4)
        seen = [row["id"] for row in page.rows]
        deliver(database, {"later": "后来"}, source="other")
        while page.more:
            page = changes.since(reader, changes.Position.parse(str(page.position)), limit=4)
            seen += [row["id"] for row in page.rows]
        reader.rollback()
        after = changes.since(reader, page.position)
    assert seen == sorted(TEN)
    assert [row["id"] for row in after.rows] == ["later"]


def test_the_reader_role_can_neither_write_nor_see_the_token(database: Database) -> None:
    with database.reader.connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"read-only|permission"):
        connection.execute(sa.text("delete from city.place"))
    with database.reader.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="permission"):
        connection.execute(sa.text("select * from core.setting"))


def test_the_writer_role_cannot_rewrite_the_log(database: Database) -> None:
    for table in ("core.change", "core.history"):
        with database.engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="permission"):
            connection.execute(sa.text(f"delete from {table}"))


def test_undo_is_refused_when_a_retired_record_has_come_back_since(database: Database) -> None:
    deliver(database, TEN)
    second = deliver(database, {k: TEN[k] for k in list(TEN)[:9]})
    deliver(database, {**TEN, "p9": "重开的公园"})
    before = content(database)
    with pytest.raises(Conflict, match="newer content"), begin(database.engine, actor="tester") as connection:
        undo_delivery(connection, second.delivery)
    assert content(database) == before


def test_a_record_that_undo_brings_back_begins_a_new_version(database: Database) -> None:
    deliver(database, TEN)
    second = deliver(database, {k: TEN[k] for k in list(TEN)[:9]})
    with begin(database.engine, actor="operator") as connection:
        undo_delivery(connection, second.delivery)
    assert rows(database, "select changed_by from city.place where id = 'p9'") == [("operator",)]
    with begin(database.engine, actor="clerk") as connection:
        update_record(connection, PLACE, "p9", values={"name": "九"})
    pairs = "core.history a join core.history b using (layer, id)"
    overlapping = f"select 1 from {pairs} where a.valid < b.valid and a.valid && b.valid"
    assert rows(database, overlapping) == []


def test_two_deliveries_of_one_source_wait_for_each_other(database: Database) -> None:
    busy = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
    other: list[Outcome] = []
    waiting = threading.Thread(target=lambda: other.append(deliver(database, {"q": "后到"}, allow_retire=True)))
    with begin(database.engine, actor="tester") as connection:
        write_delivery(connection, PLACE, frame(TEN), source="parks", actor="t", digest="d", title="t")
        waiting.start()
        while not rows(database, busy)[0][0]:
            assert waiting.is_alive()
    waiting.join(30)
    assert other[0].retired == 10
    assert rows(database, "select id from city.place") == [("q",)]


def test_the_writer_role_cannot_borrow_the_owner_through_a_trigger(database: Database) -> None:
    with database.engine.connect() as connection:
        connection.execute(sa.text("create temp table t2 (id text, cell bigint, geom geometry)"))
        attach = "create trigger x after insert on t2 for each row execute function core.follow('x', 'current_user')"
        with pytest.raises(sa.exc.DBAPIError, match="permission"):
            connection.execute(sa.text(attach))


def test_a_big_delivery_leaves_statistics_for_the_planner(database: Database) -> None:
    deliver(database, {f"p{i}": f"公园{i}" for i in range(1_001)})
    for table in ("city.place", "core.term", "core.cell", "core.cell_count"):
        assert rows(database, f"select reltuples > 0 from pg_class where oid = '{table}'::regclass") == [(True,)]


def test_a_first_delivery_big_enough_for_building_anew_has_its_key_and_indexes(database: Database) -> None:
    described = "select indexdef from pg_indexes where tablename = 'place' order by 1"
    before = rows(database, described)
    deliver(database, {f"p{i}": "公园" for i in range(BUILD_ANEW + 1)})
    assert rows(database, described) == before
    again = "insert into city.place (id, name, kind, geom, cell, source) select id, name, kind, geom, cell, source"
    with pytest.raises(sa.exc.IntegrityError), database.engine.begin() as connection:
        connection.execute(sa.text(f"{again} from city.place limit 1"))
