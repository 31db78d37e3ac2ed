"""What residents need, who serves them, and visits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "provider",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sort", sa.Text, nullable=False),
        sa.Column("kinds", ARRAY(sa.Text), nullable=False),
        sa.Column("lon", sa.Double),
        sa.Column("lat", sa.Double),
        sa.Column("reach_m", sa.Integer),
        sa.Column("areas", ARRAY(sa.Text), nullable=False, server_default="{}"),
        sa.Column("hours", sa.Text, nullable=False, server_default=""),
        sa.Column("phone", sa.Text, nullable=False, server_default=""),
        sa.Column("source", sa.Text, nullable=False, server_default=""),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", _time, nullable=False, server_default=_now),
        schema="core",
    )
    op.create_table(
        "need",
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
        schema="core",
    )
    op.create_table(
        "need_step",
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
        schema="core",
    )
    op.create_table(
        "visit",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("lon", sa.Double, nullable=False),
        sa.Column("lat", sa.Double, nullable=False),
        sa.Column("grid_id", sa.Text),
        sa.Column("admin_code", sa.Text),
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
        schema="core",
    )
    op.create_index("need_grid", "need", ["grid_id"], schema="core")
    op.create_index(
        "need_uncleared", "need", ["ended_at"], schema="core", postgresql_where=sa.text("cleared_at is null")
    )
    op.create_index("need_step_need", "need_step", ["need", "id"], schema="core")
    op.create_index("visit_actor", "visit", ["actor", "id"], schema="core")
    op.create_index("visit_grid", "visit", ["grid_id", "visited_at"], schema="core")
    op.create_index("visit_uncleared", "visit", ["at"], schema="core", postgresql_where=sa.text("cleared_at is null"))


def downgrade() -> None:
    for name in ("visit", "need_step", "need", "provider"):
        op.drop_table(name, schema="core")
