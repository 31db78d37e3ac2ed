"""The table of exercises (演练): what happens in one is marked with its id and is seen in it alone."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from layers.store.core import METADATA

_time = sa.DateTime(timezone=True)

# `area` null is the whole city; no `roles` are all of them. An exercise is closed once and stays so.
EXERCISE = sa.Table(
    "exercise",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("area", sa.Text),
    sa.Column("roles", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("opened_at", _time, nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("opened_by", sa.Text, nullable=False),
    sa.Column("closed_at", _time),
    sa.Column("closed_by", sa.Text),
    sa.Index("exercise_open", "opened_at", postgresql_where=sa.text("closed_at is null")),
)
