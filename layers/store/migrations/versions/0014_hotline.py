"""The hotline: corrections for the classifier, answers to questions, contacts with callers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "correction",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("features", sa.SmallInteger, nullable=False),
        sa.Column("buckets", ARRAY(sa.Integer), nullable=False),
        sa.Column("guessed", sa.Text),
        sa.Column("matter", sa.Text, nullable=False),
        sa.Column("model", sa.Text),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", _time, nullable=False, server_default=_now),
        schema="core",
    )
    op.create_table(
        "answer",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("keywords", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("grams", ARRAY(sa.Text), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("number", sa.Text),
        sa.Column("dated", sa.Date),
        sa.Column("link", sa.Text),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("valid_until", sa.Date),
        sa.Column("review_on", sa.Date, nullable=False),
        sa.Column("synthetic", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", _time, nullable=False, server_default=_now),
        schema="core",
    )
    op.create_index("answer_grams", "answer", ["grams"], schema="core", postgresql_using="gin")
    op.create_index("answer_review_on", "answer", ["review_on"], schema="core")
    op.create_table(
        "contact",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("incident", sa.Text, nullable=False),
        sa.Column("caller", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reached", sa.Boolean, nullable=False),
        sa.Column("solved", sa.Boolean),
        sa.Column("satisfied", sa.Boolean),
        sa.Column("text", sa.Text),
        sa.Column("at", _time, nullable=False, server_default=_now),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("scenario", sa.Text),
        schema="core",
    )
    op.create_index("contact_caller", "contact", ["caller", "id"], schema="core")
    op.create_index("contact_at", "contact", ["at"], schema="core")


def downgrade() -> None:
    for name in ("contact", "answer", "correction"):
        op.drop_table(name, schema="core")
