"""Notices: whom they reach, on screens and by channels out of the city, and what became of each sending."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from layers.store.types import XID8

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.add_column("notice", sa.Column("place", sa.Text), schema="core")
    xid = sa.Column("xid", XID8, nullable=False, server_default=sa.text("pg_current_xact_id()"))
    op.add_column("notice", xid, schema="core")
    for name in ("at", "xid"):
        op.create_index(f"notice_{name}", "notice", [name], schema="core")
    # The same bell as that of the change log: it only says that there is something to read.
    op.execute(
        "create function core.ring() returns trigger language plpgsql as "
        "$$ begin perform pg_notify('change', 'notice'); return null; end $$"
    )
    op.execute("create trigger ring after insert on core.notice for each statement execute function core.ring()")
    _channels()
    op.create_table(
        "notice_read",
        sa.Column("reader", sa.Text, primary_key=True),
        sa.Column("notice", sa.BigInteger, primary_key=True),
        sa.Column("at", _time, nullable=False, server_default=_now),
        schema="core",
    )
    op.create_index("notice_read_at", "notice_read", ["at"], schema="core")


def _channels() -> None:
    op.create_table(
        "channel",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("department", sa.Text),
        sa.Column("area", sa.Text),
        sa.Column("kinds", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("secret", sa.Text),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", _time, nullable=False, server_default=_now),
        sa.Column("ended_at", _time),
        schema="core",
    )
    op.create_table(
        "notice_sending",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("channel", sa.BigInteger, nullable=False),
        sa.Column("notice", sa.BigInteger),
        sa.Column("body", JSONB, nullable=False),
        sa.Column("at", _time, nullable=False, server_default=_now),
        sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("next_at", _time),
        sa.Column("sent_at", _time),
        sa.Column("dead_at", _time),
        sa.Column("recorded_at", _time),
        sa.Column("status", sa.SmallInteger),
        sa.Column("error", sa.Text),
        sa.UniqueConstraint("channel", "notice", name="notice_sending_once"),
        schema="core",
    )
    op.create_index("notice_sending_notice", "notice_sending", ["notice"], schema="core")
    op.create_index(
        *("notice_sending_next", "notice_sending", ["next_at"]),
        schema="core",
        postgresql_where=sa.text("next_at is not null"),
    )


def downgrade() -> None:
    for name in ("notice_read", "notice_sending", "channel"):
        op.drop_table(name, schema="core")
    op.execute("drop trigger ring on core.notice")
    op.execute("drop function core.ring()")
    for name in ("at", "xid"):
        op.drop_index(f"notice_{name}", "notice", schema="core")
    for name in ("place", "xid"):
        op.drop_column("notice", name, schema="core")
