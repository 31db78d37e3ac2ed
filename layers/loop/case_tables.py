"""What numbering and counting reports needs: the last number of each day, the reports of strangers by the hour."""

from __future__ import annotations

import sqlalchemy as sa

from layers.store.core import METADATA

CASE_NUMBER = sa.Table(
    "case_number",
    METADATA,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)

# The same of exercises: what is rehearsed leaves no gap among the real numbers.
REHEARSED_NUMBER = sa.Table(
    "rehearsed_number",
    METADATA,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)

# An address is kept as a mark that only the keys beside the database can make, and for a day at most.
STRANGER = sa.Table(
    "stranger",
    METADATA,
    sa.Column("mark", sa.Text, primary_key=True),
    sa.Column("hour", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Index("stranger_hour", "hour"),
)
