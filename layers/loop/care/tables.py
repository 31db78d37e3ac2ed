"""The tables of needs, of those who serve them, and of visits: places and services, never a file about a person."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from layers.store.core import METADATA

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")

# Offices, canteens, clinics, teams: who serves what, around a point or in areas (beginnings of codes, or grids).
PROVIDER = sa.Table(
    "provider",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("sort", sa.Text, nullable=False),
    sa.Column("kinds", ARRAY(sa.Text), nullable=False),
    sa.Column("lon", sa.Double),
    sa.Column("lat", sa.Double),
    sa.Column("reach_m", sa.Integer),
    sa.Column("areas", ARRAY(sa.Text), nullable=False, server_default="{}"),
    # As in OpenStreetMap, of which layers/loop/care/opening.py reads a part; empty: not known.
    sa.Column("hours", sa.Text, nullable=False, server_default=""),
    sa.Column("phone", sa.Text, nullable=False, server_default=""),
    sa.Column("source", sa.Text, nullable=False, server_default=""),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=_now),
)

# What somebody asked for. The point is the middle of a cell; name, number and home are sealed, and with the words they
# are cleared some time after the need is over: what is left is a kind, a grid and times.
NEED = sa.Table(
    "need",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("lon", sa.Double, nullable=False),
    sa.Column("lat", sa.Double, nullable=False),
    sa.Column("grid_id", sa.Text),
    sa.Column("admin_code", sa.Text),
    sa.Column("words", sa.Text),
    sa.Column("wish_at", _time),
    sa.Column("name", sa.Text),
    sa.Column("phone", sa.Text),
    sa.Column("home", sa.Text),
    sa.Column("provider", sa.Text),
    sa.Column("incident", sa.Text),
    sa.Column("told_at", _time, nullable=False),
    sa.Column("taken_by", sa.Text, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
    sa.Column("ended_at", _time),
    sa.Column("cleared_at", _time),
    sa.Column("scenario", sa.Text),
    sa.Index("need_grid", "grid_id"),
    sa.Index("need_uncleared", "ended_at", postgresql_where=sa.text("cleared_at is null")),
)

# Every step of a need; only its note is taken away when the need is cleared.
NEED_STEP = sa.Table(
    "need_step",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("need", sa.BigInteger, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("happened_at", _time),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("provider", sa.Text),
    sa.Column("incident", sa.Text),
    sa.Column("note", sa.Text),
    sa.Index("need_step_need", "need", "id"),
)

# A visit to premises or to a grid: what for, and what came of it. Written once; its words go after the same time.
VISIT = sa.Table(
    "visit",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("lon", sa.Double, nullable=False),
    sa.Column("lat", sa.Double, nullable=False),
    sa.Column("grid_id", sa.Text),
    sa.Column("admin_code", sa.Text),
    # A building or a public place of the map, never a household.
    sa.Column("premises", sa.Text),
    sa.Column("words", sa.Text),
    sa.Column("needs", ARRAY(sa.BigInteger), nullable=False, server_default="{}"),
    sa.Column("incidents", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("visited_at", _time, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.Text),
    sa.Column("cleared_at", _time),
    sa.Column("scenario", sa.Text),
    sa.Index("visit_actor", "actor", "id"),
    sa.Index("visit_grid", "grid_id", "visited_at"),
    sa.Index("visit_uncleared", "at", postgresql_where=sa.text("cleared_at is null")),
)
