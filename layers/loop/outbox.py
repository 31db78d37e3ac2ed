"""What webhooks and channels share: a sending is claimed by one worker, tried ever later, and recorded each time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

CLAIM_S: Final = 60
WAITS_S: Final = (10, 60, 300, 1_800, 7_200, 21_600)
"""So long after each failure it is tried again; after the last it is given up."""


@dataclass(frozen=True)
class Outcome:
    """What became of a try: the status that was answered, or why there was none, or why it was not good enough."""

    status: int | None
    error: str | None = None
    refused: bool = False

    @property
    def taken(self) -> bool:
        """Whether the other side has it."""
        return not self.refused and self.status is not None and 200 <= self.status < 300


def due(table: sa.Table, *, now: dt.datetime, most: int, where: sa.ColumnElement[bool] | None = None) -> sa.Select[Any]:
    """The ids of the sendings that are due, locked for the one who asks; others are not kept waiting."""
    query = sa.select(table.c.id).where(table.c.next_at <= now, *([] if where is None else [where]))
    return query.order_by(table.c.next_at, table.c.id).limit(most).with_for_update(skip_locked=True)


def claimed(table: sa.Table, *, now: dt.datetime) -> dict[str, Any]:
    """The new values of a sending that was claimed; who dies meanwhile leaves it to be claimed again in a minute."""
    return {"tries": table.c.tries + 1, "next_at": now + dt.timedelta(seconds=CLAIM_S)}


def record(
    connection: sa.Connection, table: sa.Table, id: int, *, tries: int, outcome: Outcome, now: dt.datetime
) -> None:
    """Write down what became of the `tries`th try: taken, to be tried again later, or given up."""
    values: dict[str, Any] = {"status": outcome.status, "error": outcome.error}
    if outcome.taken:
        values |= {"sent_at": now, "next_at": None}
    elif tries > len(WAITS_S):
        values |= {"dead_at": now, "next_at": None}
    else:
        values |= {"next_at": now + dt.timedelta(seconds=WAITS_S[tries - 1])}
    mine = sa.and_(table.c.id == id, table.c.tries == tries, table.c.next_at.is_not(None))
    connection.execute(sa.update(table).where(mine).values(values))


def standing(table: sa.Table, outcome: Outcome, *, now: dt.datetime) -> dict[str, Any]:
    """The new values of a channel or webhook after a try: tried and taken last, since when it fails, and why."""
    if outcome.taken:
        return {"tried_at": now, "sent_at": now, "failing_since": None, "error": None}
    return {"tried_at": now, "failing_since": sa.func.coalesce(table.c.failing_since, now), "error": outcome.error}


def waiting(connection: sa.Connection, table: sa.Table, whose: sa.Column[int]) -> dict[int, int]:
    """How many sendings wait, by the number in the column `whose`."""
    counted = sa.select(whose, sa.func.count()).where(table.c.next_at.is_not(None)).group_by(whose)
    return {int(of): int(n) for of, n in connection.execute(counted)}


def give_up(connection: sa.Connection, table: sa.Table, where: sa.ColumnElement[bool], *, now: dt.datetime) -> None:
    """Try what waits there no more: its webhook or channel has ended."""
    waiting = sa.and_(where, table.c.next_at.is_not(None))
    connection.execute(sa.update(table).where(waiting).values(next_at=None, dead_at=now, error="ended"))


def set_aside(connection: sa.Connection, table: sa.Table, where: sa.ColumnElement[bool], *, now: dt.datetime) -> None:
    """Record what waits there without sending it, now or later: its channel is paused."""
    waits = sa.and_(where, table.c.next_at.is_not(None))
    connection.execute(sa.update(table).where(waits).values(next_at=None, recorded_at=now))
