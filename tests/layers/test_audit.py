"""The audit chain: everything that is committed is sealed once, and whatever is done to it afterwards is found."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.loop.tables import STEP
from layers.people.reads import record_read
from layers.people.tables import ACCOUNT_EVENT
from layers.store import changes
from layers.store.audit import lag_s, last_seal, seal
from layers.store.chain import CHAINED, GENESIS, Chained, Form, ranges
from layers.store.cluster import Cluster
from layers.store.core import CHANGE, METADATA
from layers.store.engine import begin
from layers.store.roots import NotPruned, day_root, export_day, keep_roots, prune, read_roots, roots_in
from layers.store.sealer import seal_once
from layers.store.seals import SEAL, SEAL_ROOT
from layers.store.verdict import AuditBroken, Fault, Verdict, moment, number_at, verify
from tests.conftest import ROOT, Database, cloned

NOW = dt.datetime(2026, 7, 1, 4, tzinfo=dt.UTC)
SCRIPT = ROOT / "docs" / "verify_audit.py"


def write(connection: sa.Connection, name: str, *, changed: int = 1) -> None:
    """Records of every kind, by the statements that the city writes them with."""
    for number in range(changed):
        change = {"actor": name, "layer": "place", "op": "update", "id": f"{name}-{number}", "records": 1}
        after = sa.func.ST_GeomFromEWKT("SRID=4326;POINT(120.8612345678901 32.01)")
        connection.execute(sa.insert(CHANGE).values(**change, after=after))
    connection.execute(
        sa.insert(STEP).values(incident="1", step="note", after="accepted", actor=name, note='路灯\n不亮 "x"')
    )
    connection.execute(sa.insert(ACCOUNT_EVENT).values(actor=name, event="locked", about="x", facts={"b": 1, "a": [2]}))
    record_read(connection, actor=name, thing="caller", id="7", fields=["phone", "name"], purpose="回访 回访")


def put(database: Database, name: str, *, changed: int = 1) -> None:
    with begin(database.owner, actor=name) as connection:
        write(connection, name, changed=changed)


def sealed(database: Database, *, now: dt.datetime = NOW, at_once: int = 5_000) -> int:
    """Rounds until nothing waits; returns how many records were sealed."""
    records = 0
    while True:
        with begin(database.owner, actor="sealer") as connection:
            made = seal(connection, now=now, at_once=at_once)
        assert made is not None
        records += made.records
        if not made.seals:
            return records


def verdict(database: Database, *, start: int | None = None, roots: list[Path] | None = None) -> Verdict:
    with moment(database.owner) as connection:
        return verify(connection, start=start, roots=read_roots(roots or []))


def names(one: Chained) -> list[str]:
    return [column.name for column in METADATA.tables[f"core.{one.table}"].columns]


@pytest.mark.parametrize("one", CHAINED, ids=lambda one: one.table)
def test_every_column_of_a_chained_table_is_hashed(one: Chained) -> None:
    table = METADATA.tables[f"core.{one.table}"]
    assert sorted(one.forms[-1].columns) == sorted(names(one))
    assert [column.name for column in table.primary_key] == [one.key]
    assert table.c.xid.server_default is not None
    timed = {c.name for c in table.columns if isinstance(c.type, sa.DateTime)}
    assert timed == one.forms[-1].times


def test_a_column_that_is_added_later_makes_a_new_form_and_old_seals_still_hold(database: Database) -> None:
    put(database, "before")
    sealed(database)
    with database.owner.begin() as connection:
        connection.execute(sa.text("alter table core.change add column via text"))
    change = next(one for one in CHAINED if one.table == "change")
    wider = replace(change, forms=(*change.forms, Form((*change.forms[-1].columns, "via"))))
    tables = [wider if one.table == "change" else one for one in CHAINED]
    put(database, "after")
    with begin(database.owner, actor="sealer") as connection:
        seal(connection, now=NOW, tables=tables)
    with database.owner.connect() as connection:
        assert verify(connection, tables=tables).fault is None
        connection.execute(sa.text("update core.change set via = 'x' where actor = 'after'"))
        fault = verify(connection, tables=tables).fault
    assert fault is not None
    assert (fault.kind, fault.table) == ("changed", "change")


def test_everything_that_is_committed_is_sealed_once_and_in_order(database: Database) -> None:
    put(database, "first", changed=3)
    assert sealed(database) == 6
    put(database, "second")
    assert sealed(database, now=NOW + dt.timedelta(seconds=1)) == 4
    assert sealed(database) == 0
    with database.owner.connect() as connection:
        seals = connection.execute(sa.select(SEAL).order_by(SEAL.c.number)).all()
    assert [row.number for row in seals] == list(range(1, len(seals) + 1))
    assert [row.records for row in seals] == [0, 6, 4]
    assert [row.previous for row in seals] == [GENESIS, *(row.digest for row in seals[:-1])]
    assert sorted(seals[1].covers) == ["account_event", "change", "sensitive_read", "step"]
    found = verdict(database)
    assert (found.fault, found.records, found.last, found.digest) == (None, 10, 3, seals[-1].digest)


def test_a_late_commit_is_sealed_late_and_never_lost(database: Database) -> None:
    sealed(database)
    with database.owner.connect() as slow:
        write(slow, "slow")  # it has the lower serials
        put(database, "quick")
        assert sealed(database) == 4
        slow.commit()
    assert sealed(database) == 4
    assert sealed(database) == 0
    assert verdict(database).fault is None


def test_what_was_rolled_back_leaves_a_gap_that_is_no_fault(database: Database) -> None:
    sealed(database)
    with database.owner.connect() as connection:
        write(connection, "never")
        connection.rollback()
    put(database, "kept")
    sealed(database)
    assert verdict(database).fault is None


def test_a_writer_that_is_under_way_when_the_chain_begins_is_sealed_too(database: Database) -> None:
    put(database, "before", changed=2)
    with database.owner.connect() as slow:
        slow.execute(sa.text("select pg_current_xact_id()"))  # it has a number already, and writes nothing yet
        assert sealed(database) == 5
        write(slow, "slow")
        slow.commit()
    assert sealed(database) == 4
    assert verdict(database).fault is None


def test_the_chain_begins_only_when_nobody_is_writing(database: Database) -> None:
    with database.owner.connect() as writing:
        write(writing, "slow")
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            seal_once(database.owner, now=NOW)
        writing.commit()
    assert sealed(database) == 4


def test_batches_are_bounded(database: Database) -> None:
    put(database, "many", changed=23)
    assert sealed(database, at_once=10) == 26
    with database.owner.connect() as connection:
        records = connection.scalars(sa.select(SEAL.c.records).order_by(SEAL.c.number)).all()
    assert records == [0, 10, 10, 6]
    assert verdict(database).fault is None


def test_only_one_seals_at_a_time(database: Database) -> None:
    sealed(database)
    put(database, "x")
    with database.owner.connect() as first:
        made = seal(first, now=NOW)
        assert seal_once(database.owner, now=NOW) is None
        first.commit()
    assert made is not None
    assert made.records == 4
    assert sealed(database) == 0


def test_a_round_that_was_cut_off_is_done_again(database: Database) -> None:
    sealed(database)
    put(database, "x")
    with database.owner.connect() as cut:
        seal(cut, now=NOW)
        cut.rollback()
    assert sealed(database) == 4
    assert verdict(database).fault is None


def test_a_clock_that_is_put_back_does_not_disorder_the_chain(database: Database) -> None:
    sealed(database)
    put(database, "x")
    sealed(database, now=NOW - dt.timedelta(days=3))
    with database.owner.connect() as connection:
        last = last_seal(connection)
    assert last is not None
    assert last.at == NOW
    assert verdict(database).fault is None


def test_how_far_the_sealer_is_behind_is_told(database: Database) -> None:
    put(database, "x")
    with database.owner.connect() as connection:
        waited = lag_s(connection, now=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60))
    assert 60 <= waited < 120
    sealed(database)
    with database.owner.connect() as connection:
        assert lag_s(connection, now=dt.datetime.now(dt.UTC)) == 0


def test_another_database_opens_an_epoch_and_seals_what_it_finds(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(database, "sealed")
    sealed(database)
    put(database, "dumped before it was sealed")
    with database.owner.begin() as connection:  # transactions of another server, far ahead of ours
        for one in CHAINED:
            moved = sa.text(f"update core.{one.table} set xid = '90000000000' where actor like 'dumped%'")
            connection.execute(moved)
    monkeypatch.setattr(changes, "identity", lambda _: "restored/1")
    assert sealed(database) == 4
    put(database, "written since")
    assert sealed(database) == 4
    assert sealed(database) == 0
    assert verdict(database).fault is None


@pytest.mark.parametrize("table", ["seal", "seal_root", "change", "sensitive_read", "step", "account_event"])
@pytest.mark.parametrize("role", ["chengtu_writer", "chengtu_reader"])
def test_nobody_but_the_owner_can_change_what_is_chained(chain: Database, table: str, role: str) -> None:
    with chain.owner.connect() as connection:
        rights = [
            right
            for right in ("update", "delete", "truncate")
            if connection.scalar(sa.select(sa.func.has_table_privilege(role, f"core.{table}", right)))
        ]
        assert rights == []
        if table.startswith("seal"):
            assert not connection.scalar(sa.select(sa.func.has_table_privilege(role, f"core.{table}", "insert")))


@pytest.fixture(scope="module")
def chain(cluster: Cluster, template: str) -> Iterator[Database]:
    """A chain of some batches; tests tamper with it in transactions that they roll back."""
    with cloned(cluster, template) as database:
        for number in range(4):
            put(database, f"clerk {number}", changed=6)
            sealed(database, now=NOW + dt.timedelta(hours=number), at_once=5)
        yield database


def tampered(database: Database, *statements: str, roots: list[dict[str, object]] | None = None) -> Fault | None:
    """What verifying finds after somebody with every right did this; nothing stays of it."""
    with database.owner.connect() as connection:
        connection.execute(sa.text("set local role none"))
        for statement in statements:
            assert connection.execute(sa.text(statement)).rowcount != 0, statement
        return verify(connection, roots=roots or []).fault


def victims(database: Database, one: Chained) -> list[int]:
    with database.owner.connect() as connection:
        return list(connection.scalars(sa.select(one.rows.c[one.key]).order_by(one.rows.c[one.key])))


def batch_of(database: Database, table: str, id: int) -> int:
    with database.owner.connect() as connection:
        for row in connection.execute(sa.select(SEAL).order_by(SEAL.c.number)):
            if any(low <= id <= high for low, high in row.covers.get(table, {"ids": []})["ids"]):
                return int(row.number)
    raise AssertionError(f"{table} {id} is not sealed")


anything = st.data()
few = settings(max_examples=12)


@few
@given(anything)
def test_a_record_that_was_changed_is_named_whatever_was_changed(chain: Database, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(CHAINED))
    id = data.draw(st.sampled_from(victims(chain, one)))
    values = {
        "at": "at + interval '1 microsecond'", "actor": "actor || ' '", "records": "records + 1", "scenario": "''",
        "purpose": "'x'", "note": "note || 'x'", "facts": "'{}'", "fields": "array['home']", "after": None,
        "address": "'10.0.0.1'", "step": "'close'", "incident": "'2'", "xid": "'3'",
    }  # fmt: skip
    column = data.draw(st.sampled_from([name for name in one.forms[-1].columns if values.get(name) is not None]))
    fault = tampered(chain, f"update core.{one.table} set {column} = {values[column]} where {one.key} = {id}")
    assert fault == Fault("changed", one.table, str(id), batch_of(chain, one.table, id), "it is not what was sealed")


@few
@given(anything)
def test_a_record_that_was_deleted_is_named(chain: Database, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(CHAINED))
    id = data.draw(st.sampled_from(victims(chain, one)))
    fault = tampered(chain, f"delete from core.{one.table} where {one.key} = {id}")
    assert fault == Fault("deleted", one.table, str(id), batch_of(chain, one.table, id), "it was sealed and is gone")


@few
@given(anything)
def test_of_two_records_that_were_swapped_the_first_is_named(chain: Database, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(CHAINED))
    pair = data.draw(st.lists(st.sampled_from(victims(chain, one)), min_size=2, max_size=2, unique=True))
    first, second = sorted(pair)
    fault = tampered(
        chain,
        f"alter table core.{one.table} alter column {one.key} set generated by default",
        f"update core.{one.table} set {one.key} = -1 where {one.key} = {first}",
        f"update core.{one.table} set {one.key} = {first} where {one.key} = {second}",
        f"update core.{one.table} set {one.key} = {second} where {one.key} = -1",
    )
    assert fault is not None
    assert (fault.kind, fault.table, fault.id) == ("changed", one.table, str(first))


@few
@given(anything)
def test_a_record_that_was_put_in_beside_the_chain_is_named(chain: Database, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(CHAINED))
    like = data.draw(st.sampled_from(victims(chain, one)))
    id = data.draw(st.sampled_from([0, -5, 10**9]))
    xid = data.draw(st.sampled_from(["xid", "'3'::xid8", "'99999999999'::xid8"]))
    columns = [name for name in one.forms[-1].columns if name not in (one.key, "xid")]
    listed = ", ".join(f'"{name}"' for name in columns)
    fault = tampered(
        chain,
        f"insert into core.{one.table} ({one.key}, xid, {listed}) overriding system value "
        f"select {id}, {xid}, {listed} from core.{one.table} where {one.key} = {like}",
    )
    assert fault == Fault("inserted", one.table, str(id), None, "it was put in beside the chain")


@few
@given(anything)
def test_a_seal_that_was_changed_is_named(chain: Database, data: st.DataObject) -> None:
    with chain.owner.connect() as connection:
        number = data.draw(st.sampled_from(connection.scalars(sa.select(SEAL.c.number).order_by(SEAL.c.number)).all()))
    change = data.draw(
        st.sampled_from(
            [
                "at = at - interval '1 hour'", "database = 'x'", "position = '3:3:'", "floor = '{}'",
                "covers = '{\"change\": {\"ids\": [[1, 99999999999]], \"form\": 0}}'", "records = records + 1",
                "leaves = leaves || '\\x00'", "digest = repeat('a', 64)",
            ]
        )
    )  # fmt: skip
    fault = tampered(chain, f"update core.seal set {change} where number = {number}")
    assert fault is not None
    assert (fault.kind, fault.table, fault.batch) == ("changed", "seal", number)


@few
@given(anything)
def test_seals_that_were_deleted_or_reordered_are_named(chain: Database, data: st.DataObject) -> None:
    with chain.owner.connect() as connection:
        last = connection.scalar(sa.select(sa.func.max(SEAL.c.number))) or 0
    number = data.draw(st.integers(1, last - 1))
    gone = tampered(chain, f"delete from core.seal where number = {number}")
    assert gone == Fault("deleted", "seal", str(number), number, "the batch is gone")
    turned = tampered(
        chain,
        f"update core.seal set number = -1 where number = {number}",
        f"update core.seal set number = {number} where number = {number + 1}",
        f"update core.seal set number = {number + 1} where number = -1",
    )
    assert turned is not None
    assert (turned.kind, turned.table, turned.batch) == ("reordered", "seal", number)


def test_a_chain_whose_end_was_cut_off_is_found_by_an_exported_root(chain: Database) -> None:
    with chain.owner.connect() as connection:
        root = day_root(connection, dt.date(2026, 7, 1), now=NOW)
        last = last_seal(connection)
    assert last is not None
    assert (root["first"], root["last"], root["digest"], root["records"]) == (1, last.number, last.digest, 36)
    cut = f"delete from core.seal where number = {last.number}"
    assert tampered(chain, "select 1", roots=[root]) is None
    fault = tampered(chain, cut, roots=[root])
    assert fault is not None
    assert (fault.kind, fault.batch) == ("truncated", last.number)


def test_a_chain_that_was_made_anew_is_found_by_an_exported_root(database: Database) -> None:
    put(database, "x")
    sealed(database)
    with database.owner.connect() as connection:
        root = day_root(connection, dt.date(2026, 7, 1), now=NOW)
    with database.owner.begin() as connection:
        connection.execute(sa.text("update core.change set actor = 'somebody else'"))
        connection.execute(sa.text("delete from core.seal"))
    sealed(database)
    assert verdict(database).fault is None, "the forged chain holds by itself"
    with moment(database.owner) as connection:
        fault = verify(connection, roots=[root]).fault
    assert fault is not None
    assert (fault.kind, fault.table) == ("changed", "seal")
    assert "made anew" in fault.why


def test_from_a_batch_or_a_time_on_only_what_follows_is_recomputed(chain: Database) -> None:
    whole = verdict(chain)
    with chain.owner.connect() as connection:
        start = number_at(connection, NOW + dt.timedelta(hours=3))
        beyond = number_at(connection, NOW + dt.timedelta(days=3))
    later = verdict(chain, start=start)
    assert later.fault is None
    assert (later.last, later.digest, later.records) == (whole.last, whole.digest, 9)
    assert beyond == whole.last + 1
    assert verdict(chain, start=beyond).seals == 0
    fault = verdict(chain, start=beyond + 7).fault
    assert fault is not None
    assert fault.kind == "deleted"


def test_memory_stays_bounded_however_long_the_chain_is(chain: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = verdict(chain)
    monkeypatch.setattr("layers.store.verdict._RECORDS", 3)
    monkeypatch.setattr("layers.store.verdict._SEALS", 2)
    assert verdict(chain) == whole


def test_a_day_is_checked_by_a_third_party_with_the_standard_library_alone(chain: Database, tmp_path: Path) -> None:
    with moment(chain.owner) as connection:
        root, records = export_day(connection, dt.date(2026, 7, 1), tmp_path, now=NOW)
        empty, nothing = export_day(connection, dt.date(2026, 7, 2), tmp_path, now=NOW)

    def checked(*paths: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", SCRIPT, *paths]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    good = checked(root, records, empty, nothing)
    assert (good.returncode, good.stderr) == (0, "")
    assert "36 records" in good.stdout
    lines = records.read_text(encoding="utf-8").splitlines()
    changed = next(n for n, line in enumerate(lines) if line.startswith('["step"'))
    for spoiled in (
        [*lines[:changed], lines[changed].replace("clerk", "crook"), *lines[changed + 1 :]],
        [*lines[:changed], *lines[changed + 1 :]],
        [*lines[:changed], lines[changed], *lines[changed:]],
        lines[: -json.loads(next(line for line in reversed(lines) if line[0] == "{"))["header"]["records"] - 1],
    ):
        other = tmp_path / "spoiled.jsonl"
        other.write_text("\n".join(spoiled) + "\n", encoding="utf-8")
        assert checked(root, other).returncode == 1
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) <= 30


def test_what_does_not_hold_is_not_exported(chain: Database, tmp_path: Path) -> None:
    with chain.owner.connect() as connection:
        connection.execute(sa.text("update core.step set note = 'x' where id = 1"))
        with pytest.raises(AuditBroken, match=r"core\.step 1"):
            export_day(connection, dt.date(2026, 7, 1), tmp_path, now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_the_roots_of_past_days_are_put_down_once(chain: Database, tmp_path: Path) -> None:
    with chain.owner.connect() as connection:
        keep = [keep_roots(connection, tmp_path, now=NOW + dt.timedelta(days=days)) for days in (0, 2, 2)]
    assert [[path.name for path in made] for made in keep] == [
        [], ["2026-07-01.root.json", "2026-07-02.root.json"], [],
    ]  # fmt: skip
    assert verdict(chain, roots=roots_in(tmp_path)).fault is None
    quiet = json.loads((tmp_path / "2026-07-02.root.json").read_text())
    assert (quiet["first"], quiet["digest"]) == (None, verdict(chain).digest)


LATER = dt.datetime(2029, 9, 10, tzinfo=dt.UTC)


@pytest.fixture
def old(database: Database) -> Database:
    """A chain of three months: July, August (nothing), September 2026, and one batch of 2029."""
    for month, day in ((7, 1), (7, 31), (9, 2)):
        put(database, f"in {month}", changed=2)
        sealed(database, now=dt.datetime(2026, month, day, 4, tzinfo=dt.UTC))
    put(database, "now")
    sealed(database, now=LATER)
    return database


def test_old_months_are_taken_away_whole_and_the_chain_goes_on(old: Database) -> None:
    whole = verdict(old)
    with begin(old.owner, actor="auditor") as connection:
        assert prune(connection, before="2026-09", now=LATER) == ["2026-07"]
    after = verdict(old)
    assert (after.fault, after.last, after.digest) == (None, whole.last, whole.digest)
    assert after.records == whole.records - 10
    with old.owner.connect() as connection:
        root = connection.execute(sa.select(SEAL_ROOT)).one()
        assert (root.month, root.first, root.records, root.previous) == ("2026-07", 1, 10, GENESIS)
        assert connection.scalar(sa.text("select count(*) from core.change where actor = 'in 7'")) == 0
        assert connection.scalar(sa.text("select count(*) from core.change where actor = 'in 9'")) == 2
    put(old, "and on")
    assert sealed(old, now=LATER) == 4
    assert verdict(old).fault is None
    with begin(old.owner, actor="auditor") as connection:
        assert prune(connection, before="2026-09", now=LATER) == []


@pytest.mark.parametrize("change", ["digest = repeat('b', 64)", "last = last + 1", "first = 2", "previous = 'x'"])
def test_the_root_of_a_pruned_month_cannot_be_changed_unseen(old: Database, change: str) -> None:
    with begin(old.owner, actor="auditor") as connection:
        prune(connection, before="2026-09", now=LATER)
    assert tampered(old, f"update core.seal_root set {change}") is not None
    assert tampered(old, "delete from core.seal_root") is not None


def test_what_is_younger_than_36_months_is_kept(old: Database) -> None:
    for before, now in (("2026-10", LATER), ("2026-08", dt.datetime(2029, 7, 31, tzinfo=dt.UTC))):
        with begin(old.owner, actor="auditor") as connection, pytest.raises(NotPruned, match="36 months"):
            prune(connection, before=before, now=now)
    assert verdict(old).records == 19


def test_evidence_of_tampering_is_not_cleared_away(old: Database) -> None:
    with old.owner.begin() as connection:
        connection.execute(sa.text("update core.step set note = 'x' where actor = 'in 7' and id = 1"))
    with pytest.raises(AuditBroken, match=r"core\.step 1"), begin(old.owner, actor="auditor") as connection:
        prune(connection, before="2026-09", now=LATER)
    with old.owner.connect() as connection:
        assert connection.scalar(sa.text("select count(*) from core.change where actor = 'in 7'")) == 4


@given(st.sets(st.integers(1, 60)))
def test_ranges_hold_exactly_their_serials(ids: set[int]) -> None:
    spans = ranges(sorted(ids))
    assert [id for first, last in spans for id in range(first, last + 1)] == sorted(ids)
    assert all(later[0] > earlier[1] + 1 for earlier, later in zip(spans, spans[1:], strict=False))


def test_what_comes_at_once_is_sealed_in_bounded_batches(database: Database) -> None:
    sealed(database)
    with database.owner.begin() as connection:
        connection.execute(
            sa.text(
                "insert into core.step (incident, step, after, actor) "
                "select n::text, 'note', 'accepted', 'clerk' from generate_series(1, 20000) n"
            )
        )
    assert sealed(database) == 20_000
    assert verdict(database).records == 20_000
