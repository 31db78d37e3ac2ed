"""Webhooks out: departments' own systems are told of the steps of their cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from layers.store.types import XID8

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("salt", sa.Text, nullable=False),
        sa.Column("after_xid", XID8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
        sa.Column("after_step", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", _time, nullable=False, server_default=_now),
        sa.Column("ended_at", _time),
        schema="core",
    )
    op.create_table(
        "webhook_sending",
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
        schema="core",
    )
    op.create_index(
        *("webhook_sending_next", "webhook_sending", ["next_at"]),
        schema="core",
        postgresql_where=sa.text("next_at is not null"),
    )


def downgrade() -> None:
    for name in ("webhook_sending", "webhook"):
        op.drop_table(name, schema="core")
