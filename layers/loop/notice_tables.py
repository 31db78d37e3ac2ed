"""The tables of who is told of notices: channels out of the city, what became of each sending, marks of reading."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from layers.store.core import METADATA

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")

# Where notices go beside the screens: a channel of a department, of an area (4, 6 or 9 digits), or of the whole city.
CHANNEL = sa.Table(
    "channel",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("department", sa.Text),
    sa.Column("area", sa.Text),
    # The kinds of notices that it takes; an empty list is all of them.
    sa.Column("kinds", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    # Sealed, and so is the secret that signs: see layers/people/sealed.py.
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("secret", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=_now),
    sa.Column("ended_at", _time),
    # What comes up while it is paused is only recorded.
    sa.Column("paused_at", _time),
    # How it stands: tried and taken last, since when it fails, and why (layers/loop/outbox.py).
    sa.Column("tried_at", _time),
    sa.Column("sent_at", _time),
    sa.Column("failing_since", _time),
    sa.Column("error", sa.Text),
)

# One notice by one channel; without a notice it is a test. `recorded_at`: it does not leave the city, being of an
# exercise, or because the channel is paused.
NOTICE_SENDING = sa.Table(
    "notice_sending",
    METADATA,
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
    sa.Index("notice_sending_notice", "notice"),
    sa.Index("notice_sending_next", "next_at", postgresql_where=sa.text("next_at is not null")),
)

# What somebody has read, each by itself: a mark "up to a number" would pass over what is committed late.
NOTICE_READ = sa.Table(
    "notice_read",
    METADATA,
    sa.Column("reader", sa.Text, primary_key=True),
    sa.Column("notice", sa.BigInteger, primary_key=True),
    sa.Column("at", _time, nullable=False, server_default=_now),
    sa.Index("notice_read_at", "at"),
)
