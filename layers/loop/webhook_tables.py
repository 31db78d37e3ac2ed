"""The tables of webhooks: where departments' own systems are told of their cases, and what became of each telling."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from layers.store.core import METADATA
from layers.store.types import XID8

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")

# `after_xid` and `after_step` are the last step that was looked at; `salt` makes the secret, which is kept nowhere.
WEBHOOK = sa.Table(
    "webhook",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("salt", sa.Text, nullable=False),
    sa.Column("after_xid", XID8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
    sa.Column("after_step", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=_now),
    sa.Column("ended_at", _time),
    # How it stands: tried and taken last, since when it fails, and why (layers/loop/outbox.py).
    sa.Column("tried_at", _time),
    sa.Column("sent_at", _time),
    sa.Column("failing_since", _time),
    sa.Column("error", sa.Text),
)

SENDING = sa.Table(
    "webhook_sending",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("webhook", sa.BigInteger, nullable=False),
    sa.Column("incident", sa.Text, nullable=False),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("body", JSONB, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=_now),
    sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("next_at", _time),
    sa.Column("sent_at", _time),
    sa.Column("dead_at", _time),
    sa.Column("status", sa.SmallInteger),
    sa.Column("error", sa.Text),
    sa.UniqueConstraint("webhook", "step", name="webhook_sending_once"),
    sa.Index("webhook_sending_next", "next_at", postgresql_where=sa.text("next_at is not null")),
)
