"""The tables of who answers for what, of running clocks, and of the figures that follow from them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from layers.store.core import METADATA
from layers.store.types import XID8

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")

# Who answers for a matter (class, major class or *) in an area (beginning of a code, or a grid).
DUTY = sa.Table(
    "duty",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("matter", sa.Text, nullable=False),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("rank", sa.SmallInteger, nullable=False),
    sa.Column("valid_from", sa.Date),
    sa.Column("valid_to", sa.Date),
    sa.Column("source", sa.Text, nullable=False, server_default=""),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=_now),
    sa.Index("duty_matter", "matter", "area"),
)

# The clock of one stage of an incident, with its limit as it was when it began: a new table of limits is for new ones.
STAGE_CLOCK = sa.Table(
    "stage_clock",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("incident", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("begun_at", _time, nullable=False),
    sa.Column("amount", sa.Double, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("due_at", _time, nullable=False),
    # Until when it was put off (延期); its due time is this then.
    sa.Column("deferred_to", _time),
    sa.Column("paused_at", _time),
    # [[from, to], …] of the suspensions that are over.
    sa.Column("pauses", JSONB, nullable=False, server_default=sa.text("'[]'")),
    sa.Column("ended_at", _time),
    sa.Column("scenario", sa.Text),
    sa.Index("stage_clock_incident", "incident", "stage"),
)

# What is to happen by itself at a moment, once.
TIMER = sa.Table(
    "timer",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("clock", sa.BigInteger, nullable=False),
    sa.Column("incident", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("fired_at", _time),
    sa.Column("cancelled_at", _time),
    sa.Column("scenario", sa.Text),
    sa.Index("timer_clock", "clock"),
    sa.Index("timer_due", "at", postgresql_where=sa.text("fired_at is null and cancelled_at is null")),
)

# What somebody should be told: written in the transaction that is the reason, never changed, sent by others.
NOTICE = sa.Table(
    "notice",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("incident", sa.Text),
    sa.Column("stage", sa.Text),
    sa.Column("at", _time, nullable=False, server_default=_now),
    # Who is meant: see layers/loop/audiences.py.
    sa.Column("audience", JSONB, nullable=False),
    sa.Column("carries", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("scenario", sa.Text),
    # The grid (or the administrative code) in which the incident lies.
    sa.Column("place", sa.Text),
    # The screens follow the commits by it: numbers are not in their order.
    sa.Column("xid", XID8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
    sa.Index("notice_incident", "incident"),
    sa.Index("notice_at", "at"),
    sa.Index("notice_xid", "xid"),
    sa.Index("notice_scenario", "scenario", "id", postgresql_where=sa.text("scenario is not null")),
)

COVERED = ("kind", "admin_code", "grid_id", "department")

# What became of every task of every incident: what the indicators count. Made from the steps, and again when they grow.
STAGE_FACT = sa.Table(
    "stage_fact",
    METADATA,
    sa.Column("incident", sa.Text, primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("n", sa.SmallInteger, primary_key=True),
    sa.Column("begun_at", _time, nullable=False),
    sa.Column("due_at", _time),
    sa.Column("done_at", _time),
    sa.Column("grid_id", sa.Text),
    sa.Column("admin_code", sa.Text),
    sa.Column("matter", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("department", sa.Text),
    sa.Column("role", sa.Text),
    # What else is counted of it: see Mark in layers/loop/measures.py.
    sa.Column("marks", ARRAY(sa.Text), nullable=False),
    # Stage, fate, marks and channel in one word: all that a counter tells apart, so that an index alone answers.
    sa.Column("kind", sa.Text, nullable=False),
    sa.Index("stage_fact_due", "due_at", postgresql_include=COVERED),
    sa.Index("stage_fact_begun", "begun_at", postgresql_include=COVERED, postgresql_where=sa.text("stage = 'report'")),
    sa.Index("stage_fact_done", "done_at", postgresql_include=COVERED),
)

# Incidents whose facts must be made again: triggers on the steps and the callers write it, the job empties it.
STALE_CASE = sa.Table(
    "stale_case",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("incident", sa.Text, nullable=False),
)
