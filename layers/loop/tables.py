"""The tables of the loop beside the incident itself: its steps, its photos, and those who told of it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from layers.store.core import METADATA
from layers.store.types import XID8

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")

# Written once and never changed: every step that an incident took, who took it and what it carried.
STEP = sa.Table(
    "step",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("incident", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=_now),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.Text),
    sa.Column("department", sa.Text),
    sa.Column("grid_id", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("carries", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("scenario", sa.Text),
    # The audit chain follows the commits by it (layers/store/audit.py).
    sa.Column("xid", XID8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
    sa.Index("step_incident", "incident", "id"),
    sa.Index("step_at", "at"),
    sa.Index("step_xid", "xid"),
    sa.Index("step_scenario", "scenario", "id", postgresql_where=sa.text("scenario is not null")),
)

# The picture itself lies in the data folder under its digest.
PHOTO = sa.Table(
    "photo",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("incident", sa.Text, nullable=False),
    sa.Column("step", sa.BigInteger),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=_now),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("scenario", sa.Text),
    sa.Index("photo_incident", "incident"),
)

# Who told of an incident; a merged one keeps all of them. Names, numbers and homes are sealed,
# `phone_mark` finds a caller again without telling the number.
CALLER = sa.Table(
    "caller",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("incident", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("line", sa.Text),
    sa.Column("at", _time, nullable=False, server_default=_now),
    sa.Column("name", sa.Text),
    sa.Column("phone", sa.Text),
    sa.Column("home", sa.Text),
    sa.Column("phone_mark", sa.Text),
    # The call-back: when the caller was reached, and what was answered.
    sa.Column("reached_at", _time),
    sa.Column("solved", sa.Boolean),
    sa.Column("satisfied", sa.Boolean),
    sa.Column("answer", sa.Text),
    sa.Column("scenario", sa.Text),
    sa.Index("caller_incident", "incident"),
    sa.Index("caller_phone_mark", "phone_mark"),
)
