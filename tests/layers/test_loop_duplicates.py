"""Duplicates are offered with their reasons, queues come page by page, strangers are counted."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from gis.frames import distance_m
from layers.catalog.incident import TABLE
from layers.errors import BadField, BadParameter
from layers.loop.case_tables import STRANGER
from layers.loop.cases import seen_by
from layers.loop.duplicates import REACH, Duplicate, duplicates_of, similarity
from layers.loop.errors import TooOften
from layers.loop.incidents import Office
from layers.loop.placing import Where
from layers.loop.queues import Asked, Queue, page_of
from layers.loop.rules import shipped_rules
from layers.loop.strangers import count_report, is_ticket, ticket_for
from layers.people.access import ANYONE, Actor, Scope
from layers.people.privacy import keyring_in
from layers.store.engine import begin
from tests.conftest import Database
from tests.layers.test_loop_incidents import DISPATCHER, NOW, WORKER, file, go, record, rubbish, with_worker

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
TEXT = st.text(alphabet="路边有一堆垃圾没人清理灯不亮，。 ", max_size=30)


@pytest.fixture(scope="module")
def city(own_city: Database) -> Database:
    """A small city of this file's own, without the cases of a demo."""
    with begin(own_city.engine, actor="test") as connection:
        connection.execute(sa.delete(TABLE))
    return with_worker(own_city)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(shipped_rules(), keyring_in(tmp_path_factory.mktemp("keys")))


@pytest.fixture(scope="module")
def spot(city: Database) -> Where:
    with city.reader.connect() as connection:
        lon, lat = connection.execute(
            sa.text("select st_x(geom), st_y(geom) from city.component where grid_id is not null order by id limit 1")
        ).one()
    return Where(lon=lon, lat=lat)


def offered(city: Database, spot: Where, text: str, *, matter: str = "06010", now: dt.datetime) -> list[Duplicate]:
    assert spot.lon is not None
    assert spot.lat is not None
    with city.engine.connect() as connection:
        return duplicates_of(connection, matter=matter, lon=spot.lon, lat=spot.lat, text=text, now=now)


def test_what_may_be_the_same_is_offered_with_its_reasons(city: Database, office: Office, spot: Where) -> None:
    now = NOW + 100 * DAY
    assert spot.lon is not None
    near, far = replace(spot, lon=spot.lon + 0.0003), replace(spot, lon=spot.lon + 0.002)
    same = file(city, office, replace(rubbish(near), text="路边有一堆垃圾没人清理"), now=now - 2 * HOUR).incident
    old = file(city, office, rubbish(near), now=now - 8 * DAY).incident
    away = file(city, office, rubbish(far), now=now - 2 * HOUR).incident
    ended = file(city, office, rubbish(near), now=now - 2 * HOUR).incident
    go(city, office, ended, "cancel", DISPATCHER, reason="mistaken", note="误报", now=now)
    lamp = file(city, office, replace(rubbish(near), matter="01037"), now=now - 2 * HOUR).incident
    found = offered(city, spot, "路边一堆垃圾没有人清理", now=now)
    ids = [one.id for one in found]
    assert ids[0] == same
    assert not {old, away, ended, lamp} & set(ids)
    first = found[0]
    assert 20 < first.distance_m < 40
    assert first.similarity == 0.7
    assert {title.zh for title in first.why} >= {"同一事项", "2小时前上报"}
    kin = offered(city, near, "路边有一堆垃圾没人清理", matter="06012", now=now)
    assert kin[0].id == same
    assert kin[0].why[0].en == "The same major class"
    assert kin[0].score < found[0].score + 0.15


@given(TEXT, TEXT)
def test_similarity_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    alike = similarity(one, other)
    assert 0 <= alike <= 1
    assert alike == similarity(other, one)
    assert similarity(one, one) in (0.0, 1.0)


def test_every_major_class_has_its_reach() -> None:
    assert all(reach.metres > 0 < reach.days for reach in REACH.values())
    assert set(REACH) == {f"{n:02d}" for n in range(1, 11)}
    assert distance_m(120.0, 32.0, 120.0, 32.001) > REACH["01"].metres


def walk(city: Database, actor: Actor, asked: Asked, *, limit: int, now: dt.datetime = NOW) -> list[str]:
    """The ids of all pages of a queue."""
    got: list[str] = []
    cursor: str | None = None
    with city.engine.connect() as connection:
        for _ in range(100):
            page = page_of(connection, asked, actor, seen=seen_by(actor), limit=limit, cursor=cursor, now=now)
            got += [row["id"] for row in page.incidents]
            cursor = page.following
            if cursor is None:
                return got
    raise AssertionError("the queue does not end")


def test_a_queue_is_walked_in_the_order_in_which_things_are_due(city: Database, office: Office, spot: Where) -> None:
    now = NOW + 200 * DAY
    ids = [file(city, office, rubbish(spot), now=now + n * dt.timedelta(minutes=7)).incident for n in range(7)]
    go(city, office, ids[2], "register", DISPATCHER, now=now)
    go(city, office, ids[2], "dispatch", DISPATCHER, now=now)
    lead = record(city, ids[2])["lead"]
    officer = Actor("zhou", frozenset({"officer"}), Scope(None, frozenset({lead})))
    with pytest.raises(BadField) as nobody:
        go(city, office, ids[2], "assign", officer, assignee="nobody", now=now)
    assert nobody.value.cause == "assignee_unknown"
    go(city, office, ids[2], "assign", officer, assignee="li", now=now)
    everything = walk(city, DISPATCHER, Asked("area"), limit=3)
    assert len(everything) == len(set(everything)) > 7
    due = [record(city, id)["stage_due_at"] for id in everything]
    assert due == sorted(due)
    assert everything == walk(city, DISPATCHER, Asked("area"), limit=100)
    assert walk(city, officer, Asked("department"), limit=2) == [ids[2]]
    assert walk(city, WORKER, Asked("mine"), limit=2) == [ids[2]]
    assert walk(city, DISPATCHER, Asked("area", states=("dispatched",)), limit=2) == [ids[2]]
    assert set(walk(city, DISPATCHER, Asked("overdue"), limit=3, now=now + 9 * DAY)) >= set(ids)
    assert not set(walk(city, DISPATCHER, Asked("overdue"), limit=3, now=now)) & set(ids)
    assert walk(city, DISPATCHER, Asked("area", text=ids[4]), limit=5) == [ids[4]]
    assert walk(city, ANYONE, Asked("area"), limit=5) == []
    queues: tuple[Queue, ...] = ("mine", "department", "overdue", "area")
    elsewhere = Actor("gu", frozenset({"dispatcher"}), Scope(frozenset({"320699"}), None))
    assert all(walk(city, elsewhere, Asked(queue), limit=5) == [] for queue in queues)


def test_a_note_that_was_left_with_a_case_stands_in_the_queue_until_something_is_done(
    city: Database, office: Office, spot: Where
) -> None:
    id = file(city, office, rubbish(spot, title="交接的垃圾")).incident
    with city.engine.connect() as connection:
        lies = record(city, id)["admin_code"]
        town = connection.scalar(sa.text("select name from city.town where id = :id"), {"id": lies})
        page = page_of(
            connection, Asked("area", text="交接的垃圾"), DISPATCHER, seen=sa.true(), limit=9, cursor=None, now=NOW
        )
    assert [(one["address"], one["area"]) for one in page.incidents] == [(None, town)]

    def noted(queue: Queue = "area", actor: Actor = DISPATCHER) -> list[Any]:
        with city.engine.connect() as connection:
            asked = Asked(queue, text="交接的垃圾")
            page = page_of(connection, asked, actor, seen=sa.true(), limit=9, cursor=None, now=NOW)
        return [one.get("handed_over", "untold") for one in page.incidents]

    assert noted() == [None]
    go(city, office, id, "note", DISPATCHER, note="夜班接着催：" + "等回电，" * 100)
    assert [len(words) for words in noted()] == [120]
    assert noted()[0].startswith("夜班接着催：等回电")
    assert noted("reported", WORKER) == ["untold"], "who reported it reads nothing of what staff write to each other"
    go(city, office, id, "register", DISPATCHER, note="派了")
    assert noted() == [None]


@pytest.mark.parametrize(
    "asked", [Asked("area", states=("lost",)), Asked("area", lights=("blue",)), Asked("area", text="x" * 51)]
)
def test_a_queue_of_what_there_is_not_is_refused(city: Database, asked: Asked) -> None:
    with pytest.raises(BadParameter):
        walk(city, DISPATCHER, asked, limit=5)


def test_a_cursor_is_good_for_its_own_queue_and_person_only(city: Database, office: Office, spot: Where) -> None:
    for _ in range(3):
        file(city, office, rubbish(spot))
    with city.engine.connect() as connection:
        first = page_of(connection, Asked("area"), DISPATCHER, seen=sa.true(), limit=1, cursor=None, now=NOW)
        for asked, actor in ((Asked("overdue"), DISPATCHER), (Asked("area"), WORKER)):
            with pytest.raises(BadParameter):
                page_of(connection, asked, actor, seen=sa.true(), limit=1, cursor=first.following, now=NOW)


def test_so_many_reports_an_hour_come_from_one_address(database: Database, tmp_path: Path) -> None:
    keyring = keyring_in(tmp_path)
    with database.engine.begin() as connection:
        for _ in range(3):
            count_report(connection, keyring, "192.0.2.7", most=3, now=NOW)
        count_report(connection, keyring, "192.0.2.8", most=3, now=NOW)
        with pytest.raises(TooOften) as refused:
            count_report(connection, keyring, "192.0.2.7", most=3, now=NOW)
        assert 0 < refused.value.again_s <= 3601
        count_report(connection, keyring, "192.0.2.7", most=3, now=NOW + dt.timedelta(hours=1))
        count_report(connection, keyring, "192.0.2.7", most=3, now=NOW + 2 * DAY)
        kept = connection.execute(sa.select(STRANGER)).all()
    assert len(kept) == 1
    assert "192.0.2" not in str(kept)


def test_a_ticket_is_good_for_its_own_case_only(tmp_path: Path) -> None:
    keyring = keyring_in(tmp_path)
    ticket = ticket_for(keyring, "20261123000001")
    assert is_ticket(keyring, "20261123000001", ticket)
    assert not is_ticket(keyring, "20261123000002", ticket)
    assert not is_ticket(keyring, "20261123000001", None)
    assert not is_ticket(keyring, "20261123000001", "票")
