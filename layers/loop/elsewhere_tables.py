"""What cases and steps that came from elsewhere are called there: written once, so that nothing is taken twice."""

from __future__ import annotations

import sqlalchemy as sa

from layers.store.core import METADATA

# `entry` is empty for the report of a case; of reality the `scenario` is empty, so that it can belong to the key.
ELSEWHERE = sa.Table(
    "elsewhere",
    METADATA,
    sa.Column("scenario", sa.Text, primary_key=True, server_default=""),
    sa.Column("system", sa.Text, primary_key=True),
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("entry", sa.Text, primary_key=True, server_default=""),
    sa.Column("incident", sa.Text, nullable=False),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Index("elsewhere_incident", "incident"),
)
