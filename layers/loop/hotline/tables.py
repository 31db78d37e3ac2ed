"""The tables of the hotline: corrections that the classifier learns from, answers, and every contact with a caller."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from layers.store.core import METADATA

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")
_none = sa.text("'{}'")

# What a dispatcher chose, and the features of the scrubbed words: enough to learn from, not to read what was said.
CORRECTION = sa.Table(
    "correction",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("features", sa.SmallInteger, nullable=False),
    sa.Column("buckets", ARRAY(sa.Integer), nullable=False),
    sa.Column("guessed", sa.Text),
    sa.Column("matter", sa.Text, nullable=False),
    sa.Column("model", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=_now),
)

# What callers are told, with where it stands; `grams` finds it.
ANSWER = sa.Table(
    "answer",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("keywords", ARRAY(sa.Text), nullable=False, server_default=_none),
    sa.Column("grams", ARRAY(sa.Text), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("number", sa.Text),
    sa.Column("dated", sa.Date),
    sa.Column("link", sa.Text),
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("valid_until", sa.Date),
    sa.Column("review_on", sa.Date, nullable=False),
    sa.Column("synthetic", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=_now),
    sa.Index("answer_grams", "grams", postgresql_using="gin"),
    sa.Index("answer_review_on", "review_on"),
)

# Written once and never changed: each time that a caller was called, by a department at work or after the closing.
CONTACT = sa.Table(
    "contact",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("incident", sa.Text, nullable=False),
    sa.Column("caller", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reached", sa.Boolean, nullable=False),
    sa.Column("solved", sa.Boolean),
    sa.Column("satisfied", sa.Boolean),
    sa.Column("text", sa.Text),
    sa.Column("at", _time, nullable=False, server_default=_now),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("scenario", sa.Text),
    sa.Index("contact_caller", "caller", "id"),
    sa.Index("contact_at", "at"),
)
