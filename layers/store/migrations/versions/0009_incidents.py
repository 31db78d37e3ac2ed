"""Steps of incidents, their photos, and those who told of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "step",
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
        schema="core",
    )
    op.create_index("step_incident", "step", ["incident", "id"], schema="core")
    op.create_index("step_at", "step", ["at"], schema="core")
    op.create_table(
        "photo",
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
        schema="core",
    )
    op.create_index("photo_incident", "photo", ["incident"], schema="core")
    op.create_table(
        "caller",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("incident", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("line", sa.Text),
        sa.Column("at", _time, nullable=False, server_default=_now),
        sa.Column("name", sa.Text),
        sa.Column("phone", sa.Text),
        sa.Column("home", sa.Text),
        sa.Column("phone_mark", sa.Text),
        sa.Column("reached_at", _time),
        sa.Column("solved", sa.Boolean),
        sa.Column("satisfied", sa.Boolean),
        sa.Column("answer", sa.Text),
        sa.Column("scenario", sa.Text),
        schema="core",
    )
    op.create_index("caller_incident", "caller", ["incident"], schema="core")
    op.create_index("caller_phone_mark", "caller", ["phone_mark"], schema="core")


def downgrade() -> None:
    for name in ("caller", "photo", "step"):
        op.drop_table(name, schema="core")
