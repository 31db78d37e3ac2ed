"""Sealed personal fields: they open in their own field with their own key, and nobody reads them unrecorded."""

from __future__ import annotations

import datetime as dt
import subprocess
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from layers.catalog.incident import TABLE as INCIDENT
from layers.errors import BadField, NotAllowed
from layers.loop.tables import CALLER
from layers.people.access import ADMIN, ANYONE, EVERYWHERE, Actor, Scope
from layers.people.keys import KEPT_AFTER, KeysUnfit, file_in, make_keys, turn_keys
from layers.people.privacy import (
    Keyring,
    SealBroken,
    key_of,
    keyring_in,
    masked_home,
    masked_name,
    masked_phone,
    phone_digits,
)
from layers.people.reads import SENSITIVE_READ, Person, UnknownCaller, unmask
from layers.people.rotation import rotate, uses
from layers.people.sealed import CALLER as SEALED_CALLER
from layers.people.sealed import EVERY
from layers.store.core import METADATA
from layers.store.engine import begin
from layers.store.postgres import find_programs
from tests.conftest import Database

OFFICER = Actor("officer", frozenset({"officer"}), EVERYWHERE)
NOW = dt.datetime(2026, 7, 1, 8, tzinfo=dt.UTC)
NAME, PHONE, HOME = "欧阳静静", "13912348765", "南通市崇川区人民路77号3幢502室"


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return keyring_in(tmp_path)


@pytest.fixture(scope="module")
def held_keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return keyring_in(tmp_path_factory.mktemp("keyring"))


def a_caller(database: Database, keyring: Keyring, *, scenario: str | None = None) -> int:
    values = {name: keyring.seal(text, about=f"caller.{name}") for name, text in
              (("name", NAME), ("phone", PHONE), ("home", HOME))}  # fmt: skip
    row = {"incident": "20260701000001", "channel": "hotline", "phone_mark": keyring.mark(PHONE), **values}
    with begin(database.engine, actor="dispatcher") as connection:
        made = sa.insert(CALLER).values({**row, "scenario": scenario}).returning(CALLER.c.id)
        return int(connection.scalar(made) or 0)


@given(st.text(max_size=300), st.sampled_from(["caller.name", "caller.phone", "caller.home"]))
def test_what_is_sealed_opens_and_no_two_seals_are_alike(held_keyring: Keyring, text: str, about: str) -> None:
    sealed = held_keyring.seal(text, about=about)
    assert held_keyring.unseal(sealed, about=about) == text
    assert sealed != held_keyring.seal(text, about=about)
    assert key_of(sealed) == held_keyring.keys.current
    assert len(text) < 4 or text not in sealed


def test_a_value_opens_in_no_other_field_and_not_when_it_was_changed(keyring: Keyring) -> None:
    sealed = keyring.seal(PHONE, about="caller.phone")
    with pytest.raises(SealBroken, match="belongs to another field"):
        keyring.unseal(sealed, about="caller.name")
    head, body = sealed.rsplit(".", 1)
    for place in range(len(body)):
        other = "A" if body[place] != "A" else "B"
        with pytest.raises(SealBroken):
            keyring.unseal(f"{head}.{body[:place]}{other}{body[place + 1 :]}", about="caller.phone")


@pytest.mark.parametrize("value", ["", "13912348765", "v1.x.y", "v1..", "v2.a.AAAA", "v1.unknown." + "A" * 40])
def test_what_was_never_sealed_is_refused(keyring: Keyring, value: str) -> None:
    with pytest.raises(SealBroken):
        keyring.unseal(value, about="caller.phone")


def test_another_installation_opens_nothing_and_makes_other_marks(keyring: Keyring, tmp_path: Path) -> None:
    other = keyring_in(tmp_path / "other")
    with pytest.raises(SealBroken):
        other.unseal(keyring.seal(PHONE, about="caller.phone"), about="caller.phone")
    assert other.mark(PHONE) != keyring.mark(PHONE)


def test_a_value_that_is_too_long_is_refused(keyring: Keyring) -> None:
    with pytest.raises(BadField, match="4,000"):
        keyring.seal("长" * 4001, about="caller.home")


def test_one_number_has_one_mark_however_it_is_written(keyring: Keyring) -> None:
    mobile = [
        "13912348765",
        "139 1234 8765",
        "+86 139-1234-8765",
        "8613912348765",
        "008613912348765",
        "１３９１２３４８７６５",
    ]
    assert len({keyring.mark(text) for text in mobile}) == 1
    desk = ["0513-85590001", "(0513) 8559 0001", "051385590001转8", "+86 0513 85590001"]
    assert len({keyring.mark(text) for text in desk}) == 1
    assert keyring.mark(mobile[0]) != keyring.mark(desk[0])
    assert PHONE not in keyring.mark(PHONE)


@pytest.mark.parametrize("text", ["", "匿名", "12", "call me", "1" * 16])
def test_what_is_no_number_has_no_mark(keyring: Keyring, text: str) -> None:
    with pytest.raises(BadField, match="phone"):
        keyring.mark(text)


def test_the_file_of_the_keys_is_closed_and_stays_the_same(keyring: Keyring, tmp_path: Path) -> None:
    first = keyring.keys
    path = file_in(tmp_path)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    make_keys(path, now=NOW)
    assert keyring_in(tmp_path).keys == first
    told = repr(first) + repr(list(first.by_id.values()))
    assert all(str(key.secret)[2:-1] not in told for key in first.by_id.values())


def test_of_many_who_need_the_first_key_at_once_all_get_the_same(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(keyring_in(tmp_path).keys.current)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert len(set(found)) == 1


@pytest.mark.parametrize(("what", "mode"), [("file", 0o640), ("file", 0o604), ("folder", 0o755), ("folder", 0o710)])
def test_keys_that_others_may_read_are_refused(keyring: Keyring, tmp_path: Path, what: str, mode: int) -> None:
    sealed = keyring.seal(PHONE, about="caller.phone")
    path = file_in(tmp_path)
    (path if what == "file" else path.parent).chmod(mode)
    with pytest.raises(KeysUnfit, match="open to others.*chmod"):
        keyring.unseal(sealed, about="caller.phone")
    with pytest.raises(KeysUnfit):
        keyring_in(tmp_path).seal(PHONE, about="caller.phone")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"current": "a", "keys": {}, "mark": "AAAA"}', '{"keys": 1}'])
def test_a_damaged_file_of_keys_is_refused_and_never_replaced(tmp_path: Path, text: str) -> None:
    path = file_in(tmp_path)
    make_keys(path, now=NOW)
    path.write_text(text)
    with pytest.raises(KeysUnfit, match="damaged: put it back"):
        keyring_in(tmp_path).seal(PHONE, about="caller.phone")
    assert path.read_text() == text


def test_masks_show_what_helps_and_no_more() -> None:
    assert [masked_name(name) for name in ("张三", "欧阳修", "欧阳", "John Smith", "李", "")] == [
        "张*", "欧阳*", "欧*", "J*", "*", "*",
    ]  # fmt: skip
    phones = ("13812341234", "0513-85590001", "010-66668888", "85590001", "12345", "匿名")
    assert [masked_phone(phone) for phone in phones] == [
        "138****1234", "0513-****0001", "010-****8888", "****0001", "****", "****",
    ]  # fmt: skip
    homes = (
        HOME,
        "如皋市如城街道福寿路28号",
        "江苏省南通市崇川区百花苑小区3幢",
        "百花苑12幢502室",
        "人民路",
        "市南小区5号楼",
    )
    assert [masked_home(home) for home in homes] == [
        "南通市崇川区人民路****", "如皋市如城街道福寿路****", "江苏省南通市崇川区****", "****", "****", "****",
    ]  # fmt: skip


@given(st.text(alphabet="0123456789０１２３-+ ()转a张", max_size=24))
def test_a_masked_number_tells_at_most_seven_digits_and_never_all(text: str) -> None:
    shown = [c for c in masked_phone(text) if c.isdecimal()]
    assert "****" in masked_phone(text)
    assert len(shown) <= 8
    try:
        assert len(shown) <= len(phone_digits(text)) - 3 or not shown
    except BadField:
        assert not shown


@given(st.text(alphabet="南通市崇川区县镇街道路巷弄苑小幢号室0123456789 ３", max_size=40))
def test_a_masked_home_tells_no_number_and_never_the_whole(text: str) -> None:
    masked = masked_home(text)
    assert masked.endswith("****")
    assert not any(c.isdecimal() for c in masked)
    assert masked != f"{text}****" or not text


def test_a_caller_is_read_for_a_purpose_and_the_reading_is_recorded(database: Database, keyring: Keyring) -> None:
    id = a_caller(database, keyring, scenario="drill-1")
    with begin(database.engine, actor="officer") as connection:
        person = unmask(connection, keyring, OFFICER, id, purpose="回访  办理结果", address="10.1.2.3")
    assert person == Person(NAME, PHONE, HOME)
    assert NAME not in repr(person)
    with database.owner.connect() as connection:
        row = connection.execute(sa.select(SENSITIVE_READ)).mappings().one()
    assert {name: row[name] for name in row if name not in ("seq", "xid", "at")} == {
        "actor": "officer", "address": "10.1.2.3", "thing": "caller", "id": str(id),
        "fields": ["name", "phone", "home"], "purpose": "回访 办理结果", "scenario": "drill-1",
    }  # fmt: skip


@pytest.mark.parametrize("purpose", ["", "看看", "aaaaaa", "    ", "call\x00back", "x" * 201])
def test_without_a_purpose_nothing_is_read(database: Database, keyring: Keyring, purpose: str) -> None:
    id = a_caller(database, keyring)
    with pytest.raises(BadField) as refused, begin(database.engine, actor="officer") as connection:
        unmask(connection, keyring, OFFICER, id, purpose=purpose)
    assert refused.value.cause == "purpose_needed"
    assert reads(database) == 0


def test_who_may_not_or_asks_for_nobody_reads_nothing(database: Database, keyring: Keyring) -> None:
    id = a_caller(database, keyring)
    with begin(database.engine, actor="x") as connection:
        with pytest.raises(NotAllowed):
            unmask(connection, keyring, ANYONE, id, purpose="callback")
        with pytest.raises(NotAllowed):
            unmask(connection, keyring, ADMIN, id, purpose="callback")
        with pytest.raises(UnknownCaller):
            unmask(connection, keyring, OFFICER, id + 1, purpose="callback")
    assert reads(database) == 0


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope(frozenset({"320602"}), None), True),
        (Scope(frozenset({"320602001002003"}), frozenset({"cgj"})), True),
        (Scope(None, frozenset({"swj"})), True),
        (Scope(frozenset({"320612"}), None), False),
        (Scope(None, frozenset({"gaj"})), False),
    ],
)
def test_people_are_read_only_where_somebody_answers_for_the_incident(
    database: Database, keyring: Keyring, scope: Scope, allowed: bool
) -> None:
    id = a_caller(database, keyring)
    officer = Actor("officer", frozenset({"officer"}), scope)
    with begin(database.engine, actor="officer") as connection:
        with pytest.raises(NotAllowed):
            unmask(
                connection, keyring, officer, id, purpose="callback"
            )  # the incident is gone: nobody's but the city's
        an_incident(connection, admin_code="320602001", grid_id="320602001002003", lead="cgj", co=["swj"])
        if allowed:
            assert unmask(connection, keyring, officer, id, purpose="callback").phone == PHONE
        else:
            with pytest.raises(NotAllowed, match="outside"):
                unmask(connection, keyring, officer, id, purpose="callback")
    assert reads(database) == int(allowed)


def an_incident(connection: sa.Connection, **where: object) -> None:
    values = {
        "id": "20260701000001", "source": "loop", "title": "路灯不亮", "matter": "0101", "state": "disposing",
        "level": "normal", "light": "green", "channel": "hotline", "reported_at": NOW, "suspended": False, "command": 0,
        "returns": 0, "reworks": 0, "urges": 0, "deferrals": 0,
        "geom": sa.func.ST_GeomFromEWKT("SRID=4326;POINT(120.86 32.01)"), "cell": 0x8F309A5B0000000,
        "place_method": "given", "place_precision": "exact",
    }  # fmt: skip
    connection.execute(sa.insert(INCIDENT).values({**values, **where}))


def test_a_value_that_does_not_open_leaves_no_record_of_a_reading(database: Database, keyring: Keyring) -> None:
    id = a_caller(database, keyring)
    with begin(database.owner, actor="thief") as connection:  # a thief swaps two fields to read one as the other
        connection.execute(sa.update(CALLER).values(name=CALLER.c.phone))
    with pytest.raises(SealBroken), begin(database.engine, actor="officer") as connection:
        unmask(connection, keyring, OFFICER, id, purpose="callback")
    assert reads(database) == 0


def reads(database: Database) -> int:
    with database.owner.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(SENSITIVE_READ)) or 0)


@pytest.mark.parametrize(
    "statement", ["update core.sensitive_read set purpose = 'x'", "delete from core.sensitive_read"]
)
@pytest.mark.parametrize("role", ["engine", "reader"])
def test_a_record_of_a_reading_stays_as_it_is(database: Database, role: str, statement: str) -> None:
    refused = pytest.raises(sa.exc.DBAPIError, match="permission denied|read-only transaction")
    with refused, getattr(database, role).begin() as connection:
        connection.execute(sa.text(statement))


def test_the_database_tells_nobody_in_the_clear(database: Database, keyring: Keyring) -> None:
    id = a_caller(database, keyring)
    with begin(database.engine, actor="officer") as connection:
        unmask(connection, keyring, OFFICER, id, purpose="callback")
        connection.execute(sa.update(CALLER).values(home=keyring.seal(HOME, about="caller.home")))
    dump = subprocess.run(
        [find_programs() / "pg_dump", "--inserts", f"--dbname={database.url.replace('+psycopg', '')}"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "INSERT INTO core.caller" in dump
    assert "INSERT INTO core.sensitive_read" in dump
    assert [text for text in (NAME, PHONE, HOME, PHONE[3:], "人民路77") if text in dump] == []


def test_every_sealed_column_is_a_text_of_a_table() -> None:
    for one in EVERY:
        table = METADATA.tables[f"core.{one.table}"]
        assert all(isinstance(table.c[name].type, sa.Text) for name in one.about)
        assert [column.name for column in table.primary_key] == [one.key]
    assert len({about for one in EVERY for about in one.about.values()}) == sum(len(one.about) for one in EVERY)


def test_a_new_key_seals_everything_anew_and_the_old_one_is_forgotten_a_day_later(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layers.people.rotation.AT_ONCE", 2)
    ids = [a_caller(database, keyring) for _ in range(5)]
    first = keyring.keys.current
    turned = rotate(database.engine, keyring, now=NOW)
    assert (turned.values, turned.forgotten, turned.broken) == (15, [], [])
    with database.engine.connect() as connection:
        assert uses(connection) == {turned.key: 15}
    assert keyring.keys.current == turned.key != first
    assert first in keyring.keys.by_id, "a transaction under way may still seal with it"
    with begin(database.engine, actor="officer") as connection:
        people = {unmask(connection, keyring, OFFICER, id, purpose="callback").phone for id in ids}
    assert people == {PHONE}
    again = rotate(database.engine, keyring, now=NOW + KEPT_AFTER + dt.timedelta(hours=1))
    assert again.forgotten == [first]
    assert set(keyring.keys.by_id) == {turned.key, again.key}


def test_a_key_that_something_still_uses_is_never_forgotten(database: Database, keyring: Keyring) -> None:
    id = a_caller(database, keyring)
    first = keyring.keys.current
    with begin(database.owner, actor="thief") as connection:
        connection.execute(sa.update(CALLER).values(name=CALLER.c.phone))
    turned = rotate(database.engine, keyring, now=NOW)
    later = rotate(database.engine, keyring, now=NOW + dt.timedelta(days=30))
    assert (turned.values, turned.broken, later.broken) == (2, [f"caller {id} name"], [f"caller {id} name"])
    assert first in keyring.keys.by_id
    assert first not in later.forgotten


def test_a_server_that_runs_seals_with_the_new_key_at_once(keyring: Keyring, tmp_path: Path) -> None:
    sealed = keyring.seal(NAME, about=SEALED_CALLER.about["name"])
    new = turn_keys(file_in(tmp_path), now=NOW)
    assert key_of(keyring.seal(NAME, about="caller.name")) == new.id
    assert keyring.unseal(sealed, about="caller.name") == NAME
