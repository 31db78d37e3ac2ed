"""Reading the change log without missing or repeating a row.

Serial numbers are not in the order of commits: a reader that asks for `seq > last` misses what a slower transaction
commits later. A position is therefore a snapshot of the database: the next read returns exactly the rows that the
earlier snapshot could not see and the new one can.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from layers.errors import BadField
from layers.store.core import CHANGE


@dataclass(frozen=True)
class Position:
    """Where a follower stands: all of `seen`, and of what `reading` adds, everything up to serial `seq`."""

    seen: str
    reading: str | None = None
    seq: int = 0

    def __str__(self) -> str:
        return json.dumps([self.seen, self.reading, self.seq], separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position that `str()` wrote; BadField for anything else."""
        try:
            seen, reading, seq = json.loads(text)
            if not (isinstance(seen, str) and isinstance(reading, str | None) and isinstance(seq, int)):
                raise ValueError
        except (ValueError, TypeError):
            raise BadField({"position": "not a position of the change log"}) from None
        return cls(seen, reading, seq)


@dataclass(frozen=True)
class Changes:
    """Some changes, in the order of their serials, where to go on, and whether more are waiting."""

    rows: Sequence[sa.RowMapping]
    position: Position
    more: bool


def now(connection: sa.Connection) -> Position:
    """The position from which only later commits are read."""
    return Position(str(connection.scalar(sa.text("select pg_current_snapshot()::text"))))


def beginning() -> Position:
    """The position from which the whole log is read."""
    return Position("3:3:")


def since(connection: sa.Connection, position: Position, *, limit: int = 1000) -> Changes:
    """At most `limit` changes after `position`; each committed change is returned once, however late it commits."""
    reading = position.reading or now(connection).seen
    after = position.seq if position.reading else 0
    bound = {"seen": position.seen, "reading": reading, "seq": after, "limit": limit}
    rows = connection.execute(_since(), bound).mappings().all()
    if len(rows) == limit:
        return Changes(rows, Position(position.seen, reading, rows[-1]["seq"]), more=True)
    return Changes(rows, Position(reading), more=False)


def _since() -> sa.Select[tuple[object, ...]]:
    columns = [c for c in CHANGE.columns if c.name != "xid"]
    return (
        sa.select(*columns)
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
