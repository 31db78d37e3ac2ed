"""Questions that planners keep, and what each run of them found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "kept_question",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("question", JSONB, nullable=False),
        sa.Column("layers", ARRAY(sa.Text), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", _time, nullable=False, server_default=sa.func.now()),
        schema="core",
    )
    op.create_table(
        "question_run",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", _time, nullable=False, server_default=sa.func.now()),
        sa.Column("layers", ARRAY(sa.Text), nullable=False),
        sa.Column("statement", JSONB, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("truncated", sa.Boolean, nullable=False),
        sa.Column("synthetic", sa.Boolean, nullable=False),
        sa.Column("summary", JSONB, nullable=False),
        schema="core",
    )
    op.create_index("question_run_question", "question_run", ["question", "id"], schema="core")


def downgrade() -> None:
    op.drop_table("question_run", schema="core")
    op.drop_table("kept_question", schema="core")
