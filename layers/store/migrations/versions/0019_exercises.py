"""Exercises; sessions and keys of machines that are in one; their cases have numbers of their own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "exercise",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("area", sa.Text),
        sa.Column("roles", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("opened_at", _time, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("opened_by", sa.Text, nullable=False),
        sa.Column("closed_at", _time),
        sa.Column("closed_by", sa.Text),
        schema="core",
    )
    op.create_index(
        *("exercise_open", "exercise", ["opened_at"]), schema="core", postgresql_where=sa.text("closed_at is null")
    )
    op.create_table(
        "rehearsed_number",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("last", sa.Integer, nullable=False),
        schema="core",
    )
    for table in ("session", "api_key"):
        op.add_column(table, sa.Column("exercise", sa.Text, sa.ForeignKey("core.exercise.id")), schema="core")
    for table in ("step", "notice"):
        op.create_index(
            f"{table}_scenario", table, ["scenario", "id"], schema="core",
            postgresql_where=sa.text("scenario is not null"),
        )  # fmt: skip


def downgrade() -> None:
    for table in ("step", "notice"):
        op.drop_index(f"{table}_scenario", schema="core")
    for table in ("session", "api_key"):
        op.drop_column(table, "exercise", schema="core")
    for name in ("rehearsed_number", "exercise"):
        op.drop_table(name, schema="core")
