"""What cases and steps that came from elsewhere are called there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "elsewhere",
        sa.Column("scenario", sa.Text, primary_key=True, server_default=""),
        sa.Column("system", sa.Text, primary_key=True),
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("entry", sa.Text, primary_key=True, server_default=""),
        sa.Column("incident", sa.Text, nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
        schema="core",
    )
    op.create_index("elsewhere_incident", "elsewhere", ["incident"], schema="core")


def downgrade() -> None:
    op.drop_table("elsewhere", schema="core")
