"""What somebody is told at a screen: their notices, the newest first, which of them are read, and what came since.

Only the last thirty days are shown. A notice tells of its case what the reader sees of it (the connection says whose
eyes it has); of a case that went to others meanwhile only the number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from layers.catalog.incident import TABLE as INCIDENT
from layers.loop.audiences import condition
from layers.loop.notice_tables import NOTICE_READ
from layers.loop.notice_words import sentence
from layers.loop.notices import facts_of
from layers.loop.routing_tables import NOTICE
from layers.people.access import Actor

SHOWN_DAYS: Final = 30
MOST: Final = 200
MOST_UNREAD: Final = 100
"""So far unread ones are counted."""
MOST_AT_ONCE: Final = 500
# A restored database counts its transactions anew, and would come upon old notices as if they were new.
_FRESH: Final = dt.timedelta(days=1)
_SINCE: Final = sa.text(
    "core.notice.xid >= pg_snapshot_xmin(cast(:seen as pg_snapshot))"
    " and not pg_visible_in_snapshot(core.notice.xid, cast(:seen as pg_snapshot))"
    " and pg_visible_in_snapshot(core.notice.xid, cast(:reading as pg_snapshot))"
)


@dataclass(frozen=True)
class Fresh:
    """A notice as the screens are called to it."""

    id: int
    kind: str
    incident: str | None
    audience: Mapping[str, Any]
    place: str | None
    scenario: str | None


@dataclass(frozen=True)
class Inbox:
    """A page of notices, where the next begins (None: this was the last), and how many are unread (100 at most)."""

    notices: list[dict[str, Any]]
    following: int | None
    unread: int


def inbox(
    connection: sa.Connection, actor: Actor, *, now: dt.datetime, unread: bool, before: int | None, limit: int
) -> Inbox:
    """The actor's notices of the last thirty days; `connection` acts for them."""
    mine = [condition(actor), NOTICE.c.at > now - dt.timedelta(days=SHOWN_DAYS)]
    new = sa.select(sa.literal(1)).where(*mine, _unread(actor)).limit(MOST_UNREAD).subquery()
    asked = [*mine, *([_unread(actor)] if unread else []), *([] if before is None else [NOTICE.c.id < before])]
    columns = [*_TOLD, _unread(actor).label("unread")]
    query = sa.select(*columns).select_from(_WITH_CASE).where(*asked).order_by(NOTICE.c.id.desc()).limit(limit + 1)
    rows = connection.execute(query).mappings().all()
    told = [{**told_notice(row), "read": not row["unread"]} for row in rows[:limit]]
    counted = connection.scalar(sa.select(sa.func.count()).select_from(new)) or 0
    return Inbox(told, rows[limit - 1]["id"] if len(rows) > limit else None, counted)


def outbox_of(connection: sa.Connection, exercise: str, *, before: int | None, limit: int) -> Inbox:
    """All notices of an exercise, the newest first; `connection` acts for somebody in it."""
    asked = [NOTICE.c.scenario == exercise, *([] if before is None else [NOTICE.c.id < before])]
    query = sa.select(*_TOLD).select_from(_WITH_CASE).where(*asked).order_by(NOTICE.c.id.desc()).limit(limit + 1)
    rows = connection.execute(query).mappings().all()
    told = [told_notice(row) for row in rows[:limit]]
    return Inbox(told, rows[limit - 1]["id"] if len(rows) > limit else None, 0)


def mark_read(connection: sa.Connection, actor: Actor, ids: Sequence[int], *, now: dt.datetime) -> None:
    """Mark notices as read by the actor, those that are meant for them; once or again."""
    found = sa.select(sa.literal(actor.name), NOTICE.c.id, sa.literal(now, sa.DateTime(timezone=True)))
    found = found.where(NOTICE.c.id.in_(ids), condition(actor))
    statement = postgresql.insert(NOTICE_READ).from_select(["reader", "notice", "at"], found)
    connection.execute(statement.on_conflict_do_nothing())


def forget_marks(connection: sa.Connection, *, now: dt.datetime) -> None:
    """Take away marks of notices that nobody is shown any more."""
    connection.execute(sa.delete(NOTICE_READ).where(NOTICE_READ.c.at < now - dt.timedelta(days=2 * SHOWN_DAYS)))


def snapshot(connection: sa.Connection) -> str:
    """Where one stands who is told only of what comes from now on."""
    return str(connection.scalar(sa.text("select pg_current_snapshot()::text")))


def fresh(connection: sa.Connection, seen: str) -> tuple[list[Fresh], str]:
    """Every notice that the snapshot `seen` could not see and the database sees now, and the snapshot of now.

    Each committed notice comes once, however late it is committed; when very many came at once, the newest of them:
    whoever is called reads their own list.
    """
    reading = snapshot(connection)
    columns = (NOTICE.c[name] for name in ("id", "kind", "incident", "audience", "place", "scenario"))
    found = sa.select(*columns).where(_SINCE, NOTICE.c.at > sa.func.now() - _FRESH)
    newest = found.order_by(NOTICE.c.id.desc()).limit(MOST_AT_ONCE)
    rows = connection.execute(newest, {"seen": seen, "reading": reading})
    return [Fresh(*row) for row in reversed(rows.all())], reading


def told_notice(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A notice as pages read it: its numbers and times, and its words in both languages."""
    facts = facts_of(row, row, address=row["address"])
    plain = {name: row[name] for name in ("id", "kind", "incident", "stage", "at", "scenario")}
    return {**plain, "due_at": facts.due_at, "title": facts.title._asdict(), "text": sentence(facts)._asdict()}


def _unread(actor: Actor) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(NOTICE_READ.c.reader == actor.name, NOTICE_READ.c.notice == NOTICE.c.id)


_WITH_CASE: Final = NOTICE.outerjoin(INCIDENT, INCIDENT.c.id == NOTICE.c.incident)
_TOLD: Final = (
    *(NOTICE.c[name] for name in ("id", "kind", "incident", "stage", "at", "carries", "scenario")),
    *(INCIDENT.c[name] for name in ("matter", "address")),
)
