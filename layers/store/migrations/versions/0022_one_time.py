"""Passwords that are given out open an account for so long and no longer."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("one_time_until", sa.DateTime(timezone=True)), schema="core")
    # Those that were given out before have the usual time from now on.
    op.execute("update core.account set one_time_until = now() + interval '72 hours' where must_change")


def downgrade() -> None:
    op.drop_column("account", "one_time_until", schema="core")
