"""The tables of the audit chain: its seals, and the roots of the months that were taken away."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from layers.store.core import METADATA

_time = sa.DateTime(timezone=True)

# One batch of records: `covers` says which (by table: form and ranges of ids), `leaves` holds a SHA-256 of each, and
# `digest` is of all of this and of the digest before. `position` is the snapshot up to which everything is sealed,
# of the database `database`, in which serials begin above `floor`.
SEAL = sa.Table(
    "seal",
    METADATA,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("database", sa.Text, nullable=False),
    sa.Column("position", sa.Text, nullable=False),
    sa.Column("floor", JSONB, nullable=False),
    sa.Column("covers", JSONB, nullable=False),
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("leaves", sa.LargeBinary, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Index("seal_at", "at"),
)

SEAL_ROOT = sa.Table(
    "seal_root",
    METADATA,
    sa.Column("month", sa.Text, primary_key=True),
    sa.Column("first", sa.BigInteger, nullable=False),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("pruned_at", _time, nullable=False),
)
