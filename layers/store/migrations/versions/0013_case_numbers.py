"""The last number of a day's incidents, and how often a stranger's address has reported."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_number",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("last", sa.Integer, nullable=False),
        schema="core",
    )
    op.create_table(
        "stranger",
        sa.Column("mark", sa.Text, primary_key=True),
        sa.Column("hour", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
        schema="core",
    )
    op.create_index("stranger_hour", "stranger", ["hour"], schema="core")


def downgrade() -> None:
    for name in ("stranger", "case_number"):
        op.drop_table(name, schema="core")
