"""A layer's sums say when they last became others: what a day's figures were is kept whoever had them counted."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table core.figure_layer add column changed_at timestamptz not null default clock_timestamp()")


def downgrade() -> None:
    op.execute("alter table core.figure_layer drop column changed_at")
