"""Recomputing the audit chain: every seal, every record, in bounded memory; the first thing that is wrong is named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from layers.errors import StoreError
from layers.store import changes
from layers.store.audit import ADOPTING, last_seal, present, seal_of, uncovered
from layers.store.chain import CHAINED, GENESIS, LEAF_BYTES, Chained, Seal, chained, leaf
from layers.store.seals import SEAL, SEAL_ROOT

Kind = Literal["changed", "deleted", "inserted", "reordered", "truncated"]
_RECORDS: Final = 20_000
_SEALS: Final = 500
_STREAM: Final = 1_000


@dataclass(frozen=True)
class Fault:
    """What is wrong first: with which record of which table, and in which batch (None: in none)."""

    kind: Kind
    table: str
    id: str
    batch: int | None
    why: str

    def __str__(self) -> str:
        where = "in no batch" if self.batch is None else f"batch {self.batch}"
        return f"{self.kind}: core.{self.table} {self.id} ({where}): {self.why}"


@dataclass(frozen=True)
class Verdict:
    """What was recomputed, the digest at the end, and the first fault; without one the chain holds."""

    seals: int
    records: int
    last: int
    digest: str
    fault: Fault | None = None


class AuditBroken(StoreError):
    """The audit chain does not hold; `fault` names the first record that is wrong."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"the audit chain does not hold: {fault}")
        self.fault = fault


@contextmanager
def moment(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that reads the database as it is now, whatever is committed meanwhile."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection:
        yield connection


def verify(
    connection: sa.Connection,
    *,
    start: int | None = None,
    roots: Sequence[Mapping[str, Any]] = (),
    tables: Sequence[Chained] = CHAINED,
) -> Verdict:
    """Recompute the chain, from batch `start` on or from its beginning, and hold it against exported roots.

    The connection sees one moment (`moment`), or what is sealed meanwhile looks like a fault.
    """
    run = _Run(connection, tables, {int(root["last"]): root for root in roots if root.get("last") is not None})
    try:
        run.begin(start)
        for group in groups(connection, after=run.last, tables=tables):
            run.take(group)
        run.end(whole=start is None)
    except AuditBroken as broken:
        return Verdict(run.seals, run.records, run.last, run.digest, broken.fault)
    return Verdict(run.seals, run.records, run.last, run.digest)


class _Run:
    """One recomputation: how far it came."""

    def __init__(
        self, connection: sa.Connection, tables: Sequence[Chained], roots: dict[int, Mapping[str, Any]]
    ) -> None:
        self.connection, self.tables, self.roots = connection, tables, roots
        self.seals = self.records = self.last = 0
        self.digest = GENESIS

    def begin(self, start: int | None) -> None:
        """Stand before the first seal that is looked at, after the roots of the months that were taken away."""
        for root in self.connection.execute(sa.select(SEAL_ROOT).order_by(SEAL_ROOT.c.first)):
            if (root.first, root.previous) != (self.last + 1, self.digest):
                raise AuditBroken(Fault("changed", "seal_root", root.month, None, "it does not follow the one before"))
            self.last, self.digest = root.last, root.digest
            self._hold_to_root(root.last, root.digest)
        if start is not None and start > self.last + 1:
            before = sa.select(SEAL.c.number, SEAL.c.digest).where(SEAL.c.number == start - 1)
            row = self.connection.execute(before).first()
            if row is None:
                raise AuditBroken(Fault("deleted", "seal", str(start - 1), start - 1, "there is no such batch"))
            self.last, self.digest = row.number, row.digest

    def take(self, group: Sequence[tuple[Seal, Mapping[tuple[str, int], bytes]]]) -> None:
        """Check the next seals with their records."""
        for seal, leaves in group:
            self._follow(seal)
            check_records(seal, leaves)
            self.seals, self.records = self.seals + 1, self.records + seal.records

    def end(self, *, whole: bool) -> None:
        """Check that nothing was cut off the end, and that no record stands outside the chain."""
        beyond = [number for number in self.roots if number > self.last]
        if beyond:
            told = f"an exported root tells of it, but the chain ends with batch {self.last}"
            raise AuditBroken(Fault("truncated", "seal", str(min(beyond)), min(beyond), told))
        if whole:
            fault = _stray(self.connection, self.tables)
            if fault is not None:
                raise AuditBroken(fault)

    def _follow(self, seal: Seal) -> None:
        if seal.number != self.last + 1:
            missing = str(self.last + 1)
            raise AuditBroken(Fault("deleted", "seal", missing, self.last + 1, "the batch is gone"))
        if seal.previous != self.digest:
            told = "it does not follow the batch before it"
            raise AuditBroken(Fault("reordered", "seal", str(seal.number), seal.number, told))
        check_seal(seal)
        self._hold_to_root(seal.number, seal.digest)
        self.last, self.digest = seal.number, seal.digest

    def _hold_to_root(self, number: int, digest: str) -> None:
        root = self.roots.get(number)
        if root is not None and root["digest"] != digest:
            told = f"an exported root ({root.get('day')}) has another digest: the chain was made anew"
            raise AuditBroken(Fault("changed", "seal", str(number), number, told))


def check_seal(seal: Seal) -> None:
    """Raise AuditBroken when a seal is not what its digest says."""
    if seal.computed() != seal.digest or seal.records * LEAF_BYTES != len(seal.leaves):
        raise AuditBroken(Fault("changed", "seal", str(seal.number), seal.number, "the seal itself was changed"))


def check_records(seal: Seal, leaves: Mapping[tuple[str, int], bytes]) -> None:
    """Raise AuditBroken for the first record of a seal that is not what it was."""
    for place, (table, id) in enumerate(seal.ids()):
        wanted = seal.leaves[place * LEAF_BYTES : (place + 1) * LEAF_BYTES]
        found = leaves.get((table, id))
        if found is None:
            raise AuditBroken(Fault("deleted", table, str(id), seal.number, "it was sealed and is gone"))
        if found != wanted:
            raise AuditBroken(Fault("changed", table, str(id), seal.number, "it is not what was sealed"))


Group = list[tuple[Seal, Mapping[tuple[str, int], bytes]]]


def groups(
    connection: sa.Connection, *, after: int, until: int | None = None, tables: Sequence[Chained] = CHAINED
) -> Iterator[Group]:
    """The seals after a number, some at a time, each with the hashes of its records as these are now."""
    wanted = sa.select(SEAL).where(SEAL.c.number > after).order_by(SEAL.c.number)
    if until is not None:
        wanted = wanted.where(SEAL.c.number <= until)
    held: list[Seal] = []
    for row in connection.execute(wanted, execution_options={"yield_per": 50}).mappings():
        held.append(seal_of(row))
        if len(held) == _SEALS or sum(seal.records for seal in held) >= _RECORDS:
            yield _with_leaves(connection, held, tables)
            held = []
    if held:
        yield _with_leaves(connection, held, tables)


def _with_leaves(connection: sa.Connection, seals: Sequence[Seal], tables: Sequence[Chained]) -> Group:
    # A seal that was changed may cover anything: its records are not looked for.
    sound = [seal for seal in seals if seal.computed() == seal.digest]
    found: dict[tuple[str, int], bytes] = {}
    for table, form, spans in _spans(sound):
        if (one := chained(table, tables)) is None:
            raise AuditBroken(Fault("deleted", table, "*", seals[0].number, "this version does not know the table"))
        for id, line in lines(connection, one, form, spans):
            found[table, id] = leaf(line)
    return [(seal, found) for seal in seals]


def _spans(seals: Sequence[Seal]) -> Iterator[tuple[str, int, list[list[int]]]]:
    every: dict[tuple[str, int], list[list[int]]] = {}
    for seal in seals:
        for table, covered in seal.covers.items():
            every.setdefault((table, covered["form"]), []).extend(covered["ids"])
    for (table, form), spans in every.items():
        yield table, form, spans


def lines(
    connection: sa.Connection, one: Chained, form: int, spans: Sequence[Sequence[int]]
) -> Iterator[tuple[int, str]]:
    """Serial and hashed form of every record in ranges of serials, ascending."""
    rows = one.rows
    span = sa.text("unnest(cast(:firsts as bigint[]), cast(:lasts as bigint[])) as span(first, last)").bindparams(
        firsts=[first for first, _ in spans], lasts=[last for _, last in spans]
    )
    key = rows.c[one.key]
    within = key.between(sa.literal_column("span.first"), sa.literal_column("span.last"))
    wanted = sa.select(key, one.line(rows, form)).select_from(rows).join(span, within).order_by(key)
    for row in connection.execute(wanted, execution_options={"yield_per": _STREAM}):
        yield row[0], row[1]


def _stray(connection: sa.Connection, tables: Sequence[Chained]) -> Fault | None:
    """A record that is in no batch though it ought to be; what waits for the next round is none."""
    last = last_seal(connection)
    if last is None or last.position.startswith(ADOPTING):
        return None
    end = int(changes.now(connection).seen.split(":")[1])
    for one in present(connection, tables):
        rows = one.rows
        ours = last.database == changes.identity(connection)
        seen = sa.text(
            f"(pg_visible_in_snapshot(core.{one.table}.xid, cast(:seen as pg_snapshot)) "
            f"or core.{one.table}.xid >= cast(:end as text)::xid8)"
        ).bindparams(seen=last.position, end=str(end))
        floor = last.floor.get(one.table, 0)
        due = sa.or_(rows.c[one.key] <= floor, seen) if ours else rows.c[one.key] <= floor
        key = connection.scalar(
            sa.select(rows.c[one.key]).where(uncovered(one, rows), due).order_by(rows.c[one.key]).limit(1)
        )
        if key is not None:
            return Fault("inserted", one.table, str(key), None, "it was put in beside the chain")
    return None


def number_at(connection: sa.Connection, moment: dt.datetime) -> int:
    """The first batch that was sealed at or after a moment; the one after the last when there is none."""
    found = connection.scalar(sa.select(sa.func.min(SEAL.c.number)).where(SEAL.c.at >= moment))
    last = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(SEAL.c.number), 0)))
    return int(found) if found is not None else int(last or 0) + 1
