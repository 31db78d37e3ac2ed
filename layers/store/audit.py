"""Sealing: every second what was committed since joins the audit chain, batch after batch, and no writer waits for it.

Commits are followed by snapshot, as in `changes.py`: what commits late is sealed late, never left out. Only one program
seals at a time; what it does, it does in one transaction.

Serials and transaction numbers mean something in one database only. Where the chain meets another one (the first time,
or after a restore) or another table, it opens an epoch: under a lock it notes the highest serials (`floor`) and its
snapshot; what lies below and is not sealed yet is sealed next, and from then on commits above the floor are followed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from layers.store import changes
from layers.store.chain import CHAINED, GENESIS, Chained, Seal, leaf, ranges
from layers.store.engine import set_local
from layers.store.seals import SEAL, SEAL_ROOT

AT_ONCE: Final = 5_000
"""So many records share a seal at most."""
ADOPTING: Final = "adopting "
"""The position of a seal that opens an epoch begins with it."""
_LOCK: Final = 8_470_114
_STREAM: Final = 1_000


@dataclass(frozen=True)
class Made:
    """How many seals a round made, over how many records."""

    seals: int = 0
    records: int = 0


def seal(
    connection: sa.Connection,
    *,
    now: dt.datetime,
    tables: Sequence[Chained] = CHAINED,
    at_once: int = AT_ONCE,
) -> Made | None:
    """Seal what was committed since the last round, in the caller's transaction (as the owner).

    None when another program is sealing.
    """
    if not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
        return None
    there = present(connection, tables)
    last, database = last_seal(connection), changes.identity(connection)
    if last is None or last.database != database or any(one.table not in last.floor for one in there):
        return _open_epoch(connection, last, database, there, now=now)
    reading = changes.now(connection).seen
    adopting = last.position.startswith(ADOPTING)
    if reading == last.position:
        return Made()
    position = last.position.removeprefix(ADOPTING) if adopting else reading
    blank = replace(last, position=position, records=0, covers={}, leaves=b"")
    made = Made()
    for batch in _batches(_lines(connection, last, reading, there), at_once):
        blank = _put(connection, blank, batch, now=now)
        made = Made(made.seals + 1, made.records + len(batch))
    if adopting and not made.seals:
        _put(connection, blank, [], now=now)
        made = Made(1)
    return made


def last_seal(connection: sa.Connection) -> Seal | None:
    """The newest seal; None before the first."""
    row = connection.execute(sa.select(SEAL).order_by(SEAL.c.number.desc()).limit(1)).mappings().first()
    return None if row is None else seal_of(row)


def seal_of(row: sa.RowMapping) -> Seal:
    """A row of the seals as a value."""
    return Seal(**{**row, "leaves": bytes(row["leaves"])})


def present(connection: sa.Connection, tables: Sequence[Chained] = CHAINED) -> list[Chained]:
    """Those of the chained tables that this database has, by name."""
    asked = sa.text("select relname from pg_class where relnamespace = 'core'::regnamespace and relname = any(:names)")
    have = set(connection.scalars(asked, {"names": [one.table for one in tables]}))
    return sorted((one for one in tables if one.table in have), key=lambda one: one.table)


def lag_s(connection: sa.Connection, *, now: dt.datetime, tables: Sequence[Chained] = CHAINED) -> float:
    """For how many seconds the oldest record that can be sealed has waited; 0 when nothing waits."""
    last, reading = last_seal(connection), changes.now(connection).seen
    oldest = []
    for one in present(connection, tables):
        rows = one.rows
        statement = sa.select(sa.func.min(rows.c.at))
        if last is not None:
            statement = statement.where(_waiting(rows, one, last, reading))
        oldest.append(connection.scalar(statement))
    found = [at for at in oldest if at is not None]
    return max(0.0, (now - min(found)).total_seconds()) if found else 0.0


def uncovered(one: Chained, rows: sa.TableClause) -> sa.ColumnElement[bool]:
    """Whether a record is in no seal; the name of the table is one of ours, never a client's."""
    union: sa.TextClause = sa.text(
        "(select coalesce(range_agg(int8range((r->>0)::bigint, (r->>1)::bigint, '[]')), '{}'::int8multirange) "
        f"from core.seal, jsonb_array_elements(covers->'{one.table}'->'ids') r)"
    )
    covered: sa.ColumnElement[bool] = rows.c[one.key].op("<@", is_comparison=True)(union)
    return sa.not_(covered)


def _open_epoch(
    connection: sa.Connection, last: Seal | None, database: str, tables: Sequence[Chained], *, now: dt.datetime
) -> Made:
    # Nobody is in the middle of writing a record, so that every serial at or below the floor is final.
    set_local(connection, "lock_timeout", "2s")
    for one in tables:
        connection.execute(sa.text(f"lock table core.{one.table} in share mode"))
    highest = {one.table: _highest(connection, one) for one in tables}
    position = f"{ADOPTING}{changes.now(connection).seen}"
    number, digest = (last.number, last.digest) if last else _before_first(connection)
    start = Seal(number, last.at if last else now, database, position, highest, {}, 0, b"", "", digest)
    _put(connection, start, [], now=now)
    return Made(1)


def _highest(connection: sa.Connection, one: Chained) -> int:
    rows = one.rows
    return int(connection.scalar(sa.select(sa.func.coalesce(sa.func.max(rows.c[one.key]), 0))) or 0)


def _before_first(connection: sa.Connection) -> tuple[int, str]:
    root = connection.execute(sa.select(SEAL_ROOT).order_by(SEAL_ROOT.c.last.desc()).limit(1)).first()
    return (0, GENESIS) if root is None else (root.last, root.digest)


def _waiting(rows: sa.TableClause, one: Chained, last: Seal, reading: str) -> sa.ColumnElement[bool]:
    """Whether a record is to be sealed after `last`, as the snapshot `reading` sees it."""
    key, floor = rows.c[one.key], last.floor.get(one.table, 0)
    if last.position.startswith(ADOPTING):
        return sa.and_(key <= floor, uncovered(one, rows))
    seen = sa.text(
        f"core.{one.table}.xid >= pg_snapshot_xmin(cast(:seen as pg_snapshot))"
        f" and not pg_visible_in_snapshot(core.{one.table}.xid, cast(:seen as pg_snapshot))"
        f" and pg_visible_in_snapshot(core.{one.table}.xid, cast(:reading as pg_snapshot))"
    ).bindparams(seen=last.position, reading=reading)
    return sa.and_(seen, key > floor)


def _lines(
    connection: sa.Connection, last: Seal, reading: str, tables: Sequence[Chained]
) -> Iterator[tuple[Chained, int, str]]:
    """Every record to be sealed, by table and serial, as it is hashed."""
    for one in tables:
        rows = one.rows
        wanted = sa.select(rows.c[one.key], one.line(rows, one.form)).where(_waiting(rows, one, last, reading))
        found = connection.execute(wanted.order_by(rows.c[one.key]), execution_options={"yield_per": _STREAM})
        for id, line in found:
            yield one, id, line


def _batches(lines: Iterator[Any], at_once: int) -> Iterator[list[tuple[Chained, int, bytes]]]:
    batch: list[tuple[Chained, int, bytes]] = []
    for one, id, line in lines:
        batch.append((one, id, leaf(line)))
        if len(batch) == at_once:
            yield batch
            batch = []
    if batch:
        yield batch


def _put(connection: sa.Connection, before: Seal, batch: list[tuple[Chained, int, bytes]], *, now: dt.datetime) -> Seal:
    covers = {
        one.table: {"form": one.form, "ids": ranges(id for of, id, _ in batch if of is one)}
        for one in dict.fromkeys(one for one, _, _ in batch)
    }
    new = Seal(
        number=before.number + 1,
        at=max(now, before.at),  # a clock that was put back does not put the chain into disorder
        database=before.database,
        position=before.position,
        floor=before.floor,
        covers=covers,
        records=len(batch),
        leaves=b"".join(hashed for _, _, hashed in batch),
        previous=before.digest,
    )
    new = replace(new, digest=new.computed())
    connection.execute(sa.insert(SEAL).values(**vars(new)))
    return new
