"""Webhooks: every step of a department's cases is told to its own system, signed, until it was taken or is given up.

A step is put into the outbox once (after it can no more be overtaken by one that was begun before it); a telling that
fails is tried again ever later and recorded. Nothing of an exercise is ever told.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from layers.errors import BadField, Conflict, LayersError
from layers.loop import outbox
from layers.loop.departments import Departments
from layers.loop.outbox import Outcome
from layers.loop.webhook_address import Networks, check_url
from layers.loop.webhook_tables import SENDING, WEBHOOK
from layers.people.privacy import Keyring

MOST_WEBHOOKS: Final = 200
MOST_LISTED: Final = 100
MOST_AT_ONCE: Final = 500
SIGNATURE: Final = "Chengtu-Signature"


class UnknownWebhook(LayersError):
    """No webhook has this number, or none that the actor may know of."""

    def __init__(self, id: int) -> None:
        super().__init__(f"there is no webhook {id}")
        self.id = id


@dataclass(frozen=True)
class Webhook:
    """Where a department's system is told of its cases; tried and taken last, since when it fails, and why."""

    id: int
    department: str
    url: str
    actor: str
    at: dt.datetime
    ended_at: dt.datetime | None
    tried_at: dt.datetime | None
    sent_at: dt.datetime | None
    failing_since: dt.datetime | None
    error: str | None


@dataclass(frozen=True)
class Sending:
    """One telling that was claimed to be made now, for the `tries`th time."""

    id: int
    url: str
    salt: str
    body: dict[str, Any]
    tries: int


def register(
    connection: sa.Connection,
    keyring: Keyring,
    department: str,
    url: str,
    *,
    departments: Departments,
    networks: Networks,
    actor: str,
) -> tuple[Webhook, str]:
    """A new webhook and its secret, which can be told only now; it tells of what happens from now on.

    BadField for a department that there is not or a URL that is not to be called, Conflict when there are 200.
    """
    if department not in departments:
        told = {"department": f"there is no department {department!r}"}
        raise BadField(told).because("department_unknown", code=department)
    check_url(url, networks)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("webhook"))))
    living = sa.select(sa.func.count()).where(WEBHOOK.c.ended_at.is_(None))
    if (connection.scalar(living) or 0) >= MOST_WEBHOOKS:
        raise Conflict(f"there are {MOST_WEBHOOKS} webhooks").because("webhooks_full", most=MOST_WEBHOOKS)
    salt = secrets.token_hex(16)
    values = {"department": department, "url": url, "salt": salt, "actor": actor}
    row = connection.execute(sa.insert(WEBHOOK).values(values).returning(*_SHOWN)).mappings().one()
    return Webhook(**row), secret_of(keyring, salt)


def webhooks(connection: sa.Connection, *, departments: frozenset[str] | None) -> list[Webhook]:
    """Those that are not ended, of these departments (None: of all)."""
    query = sa.select(*_SHOWN).where(WEBHOOK.c.ended_at.is_(None))
    if departments is not None:
        query = query.where(WEBHOOK.c.department.in_(sorted(departments)))
    rows = connection.execute(query.order_by(WEBHOOK.c.id).limit(MOST_WEBHOOKS)).mappings()
    return [Webhook(**row) for row in rows]


def webhook(connection: sa.Connection, id: int) -> Webhook:
    """The one of this number; UnknownWebhook when there is none."""
    row = connection.execute(sa.select(*_SHOWN).where(WEBHOOK.c.id == id)).mappings().first()
    if row is None:
        raise UnknownWebhook(id)
    return Webhook(**row)


def waiting(connection: sa.Connection) -> dict[int, int]:
    """How many tellings wait, by the number of their webhook."""
    return outbox.waiting(connection, SENDING, SENDING.c.webhook)


def end(connection: sa.Connection, id: int, *, now: dt.datetime) -> None:
    """Tell nothing more; what waits is given up."""
    connection.execute(sa.update(WEBHOOK).where(WEBHOOK.c.id == id).values(ended_at=now))
    outbox.give_up(connection, SENDING, SENDING.c.webhook == id, now=now)


def sendings(connection: sa.Connection, id: int, *, before: int | None = None) -> list[dict[str, Any]]:
    """The newest hundred tellings of a webhook (before a number), with what became of each."""
    columns = (column for column in SENDING.c if column.name not in ("webhook", "body"))
    name = SENDING.c.body["step"]["step"].astext.label("name")
    query = sa.select(*columns, name).where(SENDING.c.webhook == id)
    if before is not None:
        query = query.where(SENDING.c.id < before)
    return [dict(row) for row in connection.execute(query.order_by(SENDING.c.id.desc()).limit(MOST_LISTED)).mappings()]


def secret_of(keyring: Keyring, salt: str) -> str:
    """The secret of a webhook: made of the city's own key, so that the database does not hold it."""
    return hmac.new(keyring.keys.mark, f"webhook {salt}".encode(), hashlib.sha256).hexdigest()


def signature(secret: str, body: bytes, *, now: dt.datetime) -> str:
    """What goes with a telling: `t=SECONDS,v1=HMAC-SHA256(secret, "SECONDS." + body)` in hexadecimal."""
    seconds = int(now.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


_SHOWN: Final = (
    *(WEBHOOK.c.id, WEBHOOK.c.department, WEBHOOK.c.url, WEBHOOK.c.actor, WEBHOOK.c.at, WEBHOOK.c.ended_at),
    *(WEBHOOK.c.tried_at, WEBHOOK.c.sent_at, WEBHOOK.c.failing_since, WEBHOOK.c.error),
)
# Steps in the order of their transactions, and only those before which none can come any more: a step with a lower
# number may be committed after one with a higher.
_NEXT: Final = sa.text("""
    select s.id, s.xid::text as xid, s.step, s.before, s.after, s.at, s.scenario is null and i.scenario is null
        and (i.lead = :department or :department = any (i.co)) as ours,
      i.id as incident, i.matter, i.title, i.description, i.state, i.level, i.light, i.lead, i.co, i.address,
      i.admin_code, i.grid_id, i.reported_at, i.due_at, st_x(i.geom) as lon, st_y(i.geom) as lat
    from core.step s left join city.incident i on i.id = s.incident
    where (s.xid, s.id) > (cast(:after_xid as xid8), :after_step)
      and s.xid < pg_snapshot_xmin(pg_current_snapshot())
    order by s.xid, s.id limit :most
""")


def queue_steps(connection: sa.Connection, *, now: dt.datetime) -> int:
    """Put new steps into the outbox of each webhook, each once; returns how many."""
    table = WEBHOOK
    held = sa.select(table.c.id, table.c.department, sa.cast(table.c.after_xid, sa.Text), table.c.after_step)
    query = held.where(table.c.ended_at.is_(None)).order_by(table.c.id).with_for_update(skip_locked=True)
    queued = 0
    for id, department, after_xid, after_step in connection.execute(query).all():
        values = {
            "department": department, "after_xid": after_xid, "after_step": after_step, "most": MOST_AT_ONCE
        }  # fmt: skip
        rows = connection.execute(_NEXT, values).mappings().all()
        if not rows:
            continue
        ours = [_queued(id, row, now) for row in rows if row["ours"]]
        if ours:
            connection.execute(sa.insert(SENDING), ours)
        last = {"after_xid": sa.cast(sa.literal(rows[-1]["xid"]), table.c.after_xid.type)}
        connection.execute(sa.update(table).where(table.c.id == id).values(**last, after_step=rows[-1]["id"]))
        queued += len(ours)
    return queued


def _queued(id: int, row: sa.RowMapping, now: dt.datetime) -> dict[str, Any]:
    plain = ("matter", "title", "description", "state", "level", "light", "lead", "co", "address", "admin_code",
             "grid_id", "lon", "lat")  # fmt: skip
    told = {name: row[name] for name in plain}
    times = {name: None if row[name] is None else row[name].isoformat() for name in ("reported_at", "due_at")}
    step = {"id": row["id"], "step": row["step"], "before": row["before"], "after": row["after"],
            "at": row["at"].isoformat()}  # fmt: skip
    body = {"step": step, "incident": {"id": row["incident"], **told, **times}}
    return {"webhook": id, "incident": row["incident"], "step": row["id"], "body": body, "next_at": now}


def claim(connection: sa.Connection, *, now: dt.datetime, most: int = 20) -> list[Sending]:
    """Tellings that are due, each for one worker; who dies meanwhile leaves them to be claimed again in a minute."""
    claimed = (
        sa.update(SENDING)
        .where(SENDING.c.id.in_(outbox.due(SENDING, now=now, most=most)), WEBHOOK.c.id == SENDING.c.webhook)
        .values(outbox.claimed(SENDING, now=now))
        .returning(SENDING.c.id, WEBHOOK.c.url, WEBHOOK.c.salt, SENDING.c.body, SENDING.c.tries)
    )
    return sorted((Sending(*row) for row in connection.execute(claimed)), key=lambda one: one.id)


def record(connection: sa.Connection, sending: Sending, outcome: Outcome, *, now: dt.datetime) -> None:
    """Write down what became of a try (taken, to be tried again, given up), and how its webhook stands since."""
    outbox.record(connection, SENDING, sending.id, tries=sending.tries, outcome=outcome, now=now)
    whose = sa.select(SENDING.c.webhook).where(SENDING.c.id == sending.id).scalar_subquery()
    stands = outbox.standing(WEBHOOK, outcome, now=now)
    connection.execute(sa.update(WEBHOOK).where(WEBHOOK.c.id == whose).values(stands))
