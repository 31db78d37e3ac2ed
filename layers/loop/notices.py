"""Notices: what somebody should be told, written in the transaction that is the reason; screens and channels tell it.

What a channel is to send is put into its outbox in the same transaction, so that nothing is told that did not happen
and nothing that happened stays untold. Of an exercise, or for a channel that is paused, it is only recorded there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from layers.catalog.incident import TABLE as INCIDENT
from layers.loop.audiences import KEYS, reaches
from layers.loop.notice_steps import notices_of
from layers.loop.notice_tables import CHANNEL, NOTICE_SENDING
from layers.loop.notice_words import KINDS, Facts, brief, outside, sentence
from layers.loop.routing_tables import NOTICE

_PLACE: Final = ("grid_id", "admin_code")


def write_notice(
    connection: sa.Connection,
    *,
    kind: str,
    incident: str | None,
    audience: Mapping[str, Any],
    carries: Mapping[str, Any],
    scenario: str | None,
    at: dt.datetime,
    stage: str | None = None,
) -> int:
    """The number of a new notice, in the caller's transaction, after the incident itself was changed.

    `audience` is as `layers.loop.audiences` has it, `carries` tells `due_at` (ISO 8601) where something is due.
    """
    if kind not in KINDS or not audience.keys() <= KEYS:
        raise ValueError(f"a notice of the kind {kind!r} for {sorted(audience)}")
    case = _case(connection, incident)
    row = {
        "kind": kind, "incident": incident, "stage": stage, "at": at, "audience": dict(audience),
        "carries": dict(carries), "scenario": scenario, "place": case.get("grid_id") or case.get("admin_code"),
    }  # fmt: skip
    id: int = connection.execute(sa.insert(NOTICE).values(row).returning(NOTICE.c.id)).scalar_one()
    _queue(connection, {**row, "id": id}, case)
    return id


def tell_step(
    connection: sa.Connection,
    step: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    by: str,
    at: dt.datetime,
) -> None:
    """Write the notices that a step is told by, `before` and `after` being the record of its case."""
    due = after["due_at"] or after["stage_due_at"]
    for draft in notices_of(step, before, after, by=by):
        write_notice(
            connection,
            kind=draft.kind,
            incident=after["id"],
            audience=draft.audience,
            carries={} if due is None else {"due_at": due.isoformat()},
            scenario=after["scenario"],
            at=at,
        )


def facts_of(notice: Mapping[str, Any], case: Mapping[str, Any], *, address: str | None) -> Facts:
    """What the words tell of a notice; `case` may be empty where nobody is to read of it."""
    due = notice["carries"].get("due_at")
    return Facts(
        notice["kind"],
        incident=notice["incident"],
        matter=case.get("matter"),
        address=address,
        due_at=None if due is None else dt.datetime.fromisoformat(due),
        scenario=notice["scenario"],
    )


def _case(connection: sa.Connection, incident: str | None) -> Mapping[str, Any]:
    if incident is None:
        return {}
    columns = (INCIDENT.c[name] for name in ("matter", "address", *_PLACE))
    row = connection.execute(sa.select(*columns).where(INCIDENT.c.id == incident)).mappings().first()
    return {} if row is None else dict(row)


def _queue(connection: sa.Connection, notice: Mapping[str, Any], case: Mapping[str, Any]) -> None:
    """Put the notice into the outbox of each channel that takes it."""
    columns = (CHANNEL.c.id, CHANNEL.c.department, CHANNEL.c.area, CHANNEL.c.paused_at)
    takes = sa.or_(CHANNEL.c.kinds == [], CHANNEL.c.kinds.contains([notice["kind"]]))
    living = sa.select(*columns).where(CHANNEL.c.ended_at.is_(None), takes).order_by(CHANNEL.c.id)
    rows = connection.execute(living).all()
    ours = [row for row in rows if reaches(row, notice["audience"], notice["place"])]
    if not ours:
        return
    body = told_outside(notice, case)
    plain = {"notice": notice["id"], "body": body, "at": notice["at"]}
    leaves = {"next_at": notice["at"], "recorded_at": None}
    stays = {"next_at": None, "recorded_at": notice["at"]}
    real = notice["scenario"] is None
    values = [{"channel": row.id, **plain, **(leaves if real and row.paused_at is None else stays)} for row in ours]
    connection.execute(sa.insert(NOTICE_SENDING), values)


def told_outside(notice: Mapping[str, Any], case: Mapping[str, Any]) -> dict[str, Any]:
    """What channels are given of a notice: its numbers and times, and its words."""
    facts = facts_of(notice, case, address=outside(case.get("address")))
    plain = {name: notice[name] for name in ("id", "kind", "incident", "stage", "scenario")}
    due = None if facts.due_at is None else facts.due_at.isoformat()
    return {
        **plain, "at": notice["at"].isoformat(), "matter": facts.matter, "due_at": due,
        "title": facts.title._asdict(), "text": sentence(facts)._asdict(), "brief": brief(facts),
    }  # fmt: skip
