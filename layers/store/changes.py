"""Reading the change log without missing or repeating a row.

Serial numbers are not in the order of commits: a reader that asks for `seq > last` misses what a slower transaction
commits later. A position is therefore a snapshot of the database: the next read returns exactly the rows that the
earlier snapshot could not see and the new one can.

A position that is kept outside of the database has to be settled first, or a crash might make it pass over a change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import sqlalchemy as sa

from layers.errors import BadField
from layers.store.core import CHANGE


@dataclass(frozen=True)
class Position:
    """Where a follower stands: all of `seen`, and of what `reading` adds, everything up to serial `seq`.

    `database` marks the database in which that means something; of positions from before there was a mark it is empty.
    """

    seen: str
    reading: str | None = None
    seq: int = 0
    database: str = ""

    def __str__(self) -> str:
        mark = [self.database] if self.database else []
        return json.dumps([self.seen, self.reading, self.seq, *mark], separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position that `str()` wrote; BadField for anything else."""
        try:
            seen, reading, seq, *more = json.loads(text)
            if not (_is_snapshot(seen) and (reading is None or _is_snapshot(reading)) and isinstance(seq, int)):
                raise ValueError
            (mark,) = more or ("",)
            if not (isinstance(mark, str) and _MARK.fullmatch(mark)):
                raise ValueError
        except (ValueError, TypeError, RecursionError):
            raise BadField({"position": "not a position of the change log"}) from None
        return cls(seen, reading, seq, mark)


_MARK = re.compile(r"([0-9a-f]{8})?", re.ASCII)
_UNWRITTEN = sa.text("select pg_current_wal_flush_lsn() < pg_current_wal_insert_lsn()")
# The first timeline goes without saying: what was kept before timelines were told still holds.
_IDENTITY = """(
    select (pg_control_system()).system_identifier::text || '/' || oid
      || coalesce('/' || nullif(left(pg_walfile_name(pg_current_wal_lsn()), 8), '00000001'), '')
    from pg_database where datname = current_database()
)"""
_SNAPSHOT = re.compile(r"[0-9]{1,18}:[0-9]{1,18}:(?:[0-9]{1,18}(?:,[0-9]{1,18}){0,999})?", re.ASCII)


def _is_snapshot(text: object) -> bool:
    """Does PostgreSQL take this as a snapshot? Its parts are in order and none is outside."""
    if not isinstance(text, str) or not _SNAPSHOT.fullmatch(text):
        return False
    first, end, running = text.split(":")
    xids = [int(xid) for xid in running.split(",") if xid]
    return 0 < int(first) <= int(end) and xids == sorted({*xids}) and all(int(first) <= x < int(end) for x in xids)


def visible(xid: int, snapshot: str) -> bool:
    """Does this snapshot (as PostgreSQL writes it) see what transaction `xid` has committed?"""
    first, end, running = snapshot.split(":")
    return xid < int(first) or (xid < int(end) and str(xid) not in running.split(","))


@dataclass(frozen=True)
class Changes:
    """Some changes, in the order of their serials, where to go on, and whether more are waiting."""

    rows: Sequence[sa.RowMapping]
    position: Position
    more: bool


def now(connection: sa.Connection) -> Position:
    """The position from which only later commits are read."""
    seen, database = connection.execute(sa.text(f"select pg_current_snapshot()::text, {_IDENTITY}")).one()
    return Position(seen, database=blake2b(database.encode(), digest_size=4).hexdigest())


def settle(connection: sa.Connection) -> None:
    """Make all that a snapshot taken before has seen outlive a crash of the database; ends the transaction.

    PostgreSQL numbers transactions in memory. After a crash it gives numbers of which nothing was on the disk yet (of
    what was rolled back, or committed without waiting for it) once more, and a position that has seen them would pass
    over the changes of whoever gets them next.
    """
    if connection.scalar(_UNWRITTEN):
        connection.execute(sa.text("set local synchronous_commit = on"))
        # A commit waits for the disk only after a transaction that logged something: this logs nine bytes.
        connection.execute(sa.text("select pg_logical_emit_message(true, 'chengtu', '')"))
    connection.commit()


def log_end(connection: sa.Connection) -> str:
    """How far the database's own log reaches now; whatever a snapshot taken before has seen lies before it."""
    return str(connection.scalar(sa.text("select pg_current_wal_insert_lsn()")))


def on_disk(connection: sa.Connection, end: str) -> bool:
    """Is the log up to there on the disk? For those who cannot settle, because a transaction of others is under way."""
    written = sa.text("select pg_current_wal_flush_lsn() >= cast(:end as pg_lsn)")
    return bool(connection.scalar(written, {"end": end}))


def ahead(connection: sa.Connection, position: Position) -> bool:
    """Is a position of another database, or further than this one has come?"""
    here = now(connection)
    ends = (int((snapshot or "0:0:").split(":")[1]) for snapshot in (position.seen, position.reading))
    return position.database not in ("", here.database) or max(ends) > int(here.seen.split(":")[1])


def beginning() -> Position:
    """The position from which the whole log is read."""
    return Position("3:3:")


def identity(connection: sa.Connection) -> str:
    """Which database this is: positions of one mean nothing in another, be it a restored copy.

    Nor do they after a replica took over, or a restore to an earlier time: PostgreSQL begins another timeline then.
    """
    return str(connection.scalar(sa.text(f"select {_IDENTITY}")))


def since(connection: sa.Connection, position: Position, *, limit: int = 1000, layer: str | None = None) -> Changes:
    """At most `limit` changes after `position`, of one layer or of all.

    Each committed change is returned once, however late it commits.
    """
    reading = position.reading or now(connection).seen
    after = position.seq if position.reading else 0
    bound = {"seen": position.seen, "reading": reading, "seq": after, "limit": limit}
    statement = _since() if layer is None else _since().where(CHANGE.c.layer == layer)
    rows = connection.execute(statement, bound).mappings().all()
    if len(rows) == limit:
        return Changes(rows, replace(position, reading=reading, seq=rows[-1]["seq"]), more=True)
    return Changes(rows, Position(reading, database=position.database), more=False)


def _since() -> sa.Select[tuple[object, ...]]:
    return (
        sa.select(*CHANGE.columns)
        .where(
            sa.text(
                "core.change.xid >= pg_snapshot_xmin(cast(:seen as pg_snapshot))"
                " and not pg_visible_in_snapshot(core.change.xid, cast(:seen as pg_snapshot))"
                " and pg_visible_in_snapshot(core.change.xid, cast(:reading as pg_snapshot))"
            ),
            CHANGE.c.seq > sa.bindparam("seq"),
        )
        .order_by(CHANGE.c.seq)
        .limit(sa.bindparam("limit"))
    )
