"""What an exercise leaves behind: its cases counted, its steps in order, and its notices, which reached nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from layers.catalog.incident import TABLE
from layers.loop.notice_tables import CHANNEL, NOTICE_SENDING
from layers.loop.notice_words import sentence
from layers.loop.notices import facts_of
from layers.loop.routing_tables import NOTICE
from layers.loop.states import FINAL
from layers.loop.tables import STEP
from layers.loop.told import told_step

MOST_ON_A_PAGE: Final = 500
Record = dict[str, Any]


@dataclass(frozen=True)
class Tally:
    """How much happened in an exercise: cases, by state, those that are not ended, overdue ones, steps, notices."""

    cases: int
    by_state: Mapping[str, int]
    under_way: int
    overdue: int
    steps: int
    notices: int


@dataclass(frozen=True)
class Part:
    """Records in the order in which they came, and after which number the next ones follow (None: no more)."""

    records: list[Record]
    following: int | None


def tally(connection: sa.Connection, id: str) -> Tally:
    """Count what happened in an exercise; the connection has to see all of it."""
    states = sa.select(TABLE.c.state, sa.func.count()).where(TABLE.c.scenario == id).group_by(TABLE.c.state)
    by_state: dict[str, int] = {row[0]: row[1] for row in connection.execute(states.order_by(TABLE.c.state))}
    late = sa.select(sa.func.count()).where(TABLE.c.scenario == id, TABLE.c.light == "red")
    return Tally(
        cases=sum(by_state.values()),
        by_state=by_state,
        under_way=sum(n for state, n in by_state.items() if state not in FINAL),
        overdue=connection.scalar(late.where(TABLE.c.state.not_in(FINAL))) or 0,
        steps=_count(connection, STEP, id),
        notices=_count(connection, NOTICE, id),
    )


def steps_in(connection: sa.Connection, id: str, *, after: int, limit: int) -> Part:
    """The steps of all cases of an exercise, by number, those after one: its record."""
    found = sa.select(STEP, TABLE.c.title.label("case_title")).outerjoin(TABLE, TABLE.c.id == STEP.c.incident)
    rows = _page(connection, found.where(STEP.c.scenario == id), STEP.c.id, after=after, limit=limit)
    told = [{"incident": row["incident"], "of": row["case_title"], **told_step(dict(row))} for row in rows]
    return Part(told, _last(rows, limit))


def outbox(connection: sa.Connection, id: str, *, after: int, limit: int) -> Part:
    """The notices of an exercise, by number, those after one: in words, whom each was meant for, and by which channels.

    None of them was delivered: they are recorded, and nothing more.
    """
    case = (TABLE.c[name] for name in ("matter", "address"))
    found = sa.select(NOTICE, *case, _channels().label("channels")).outerjoin(TABLE, TABLE.c.id == NOTICE.c.incident)
    rows = _page(connection, found.where(NOTICE.c.scenario == id), NOTICE.c.id, after=after, limit=limit)
    return Part([_unsent(row) for row in rows], _last(rows, limit))


def _channels() -> sa.ScalarSelect[Any]:
    """The titles of the channels that would have taken a notice."""
    joined = NOTICE_SENDING.join(CHANNEL, CHANNEL.c.id == NOTICE_SENDING.c.channel)
    titles = sa.func.coalesce(sa.func.jsonb_agg(aggregate_order_by(CHANNEL.c.title, CHANNEL.c.id)), sa.text("'[]'"))
    recorded = sa.select(titles).select_from(joined).where(NOTICE_SENDING.c.notice == NOTICE.c.id)
    return recorded.correlate(NOTICE).scalar_subquery()


def _unsent(row: sa.RowMapping) -> Record:
    facts = facts_of(dict(row), dict(row), address=row["address"])
    names = ("id", "kind", "incident", "stage", "at", "audience", "carries", "channels")
    return {
        **{name: row[name] for name in names}, "title": facts.title._asdict(), "text": sentence(facts)._asdict(),
    }  # fmt: skip


def _count(connection: sa.Connection, table: sa.Table, id: str) -> int:
    return connection.scalar(sa.select(sa.func.count()).where(table.c.scenario == id)) or 0


def _page(
    connection: sa.Connection, found: sa.Select[Any], number: sa.ColumnElement[int], *, after: int, limit: int
) -> list[sa.RowMapping]:
    ordered = found.where(number > after).order_by(number).limit(limit)
    return list(connection.execute(ordered).mappings())


def _last(rows: list[sa.RowMapping], limit: int) -> int | None:
    return rows[-1]["id"] if len(rows) == limit else None
