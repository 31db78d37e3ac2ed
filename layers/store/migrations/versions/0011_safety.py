"""Who read what is sealed, and the seals of the audit chain."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from layers.store.types import XID8

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")
_xid = sa.text("pg_current_xact_id()")


def upgrade() -> None:
    op.create_table(
        "sensitive_read",
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("xid", XID8, nullable=False, server_default=_xid),
        sa.Column("at", _time, nullable=False, server_default=_now),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("thing", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("fields", ARRAY(sa.Text), nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("scenario", sa.Text),
        schema="core",
    )
    op.create_index("sensitive_read_xid", "sensitive_read", ["xid"], schema="core")
    op.create_index("sensitive_read_thing", "sensitive_read", ["thing", "id"], schema="core")
    op.create_table(
        "seal",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", _time, nullable=False),
        sa.Column("database", sa.Text, nullable=False),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("floor", JSONB, nullable=False),
        sa.Column("covers", JSONB, nullable=False),
        sa.Column("records", sa.BigInteger, nullable=False),
        sa.Column("leaves", sa.LargeBinary, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        schema="core",
    )
    op.create_index("seal_at", "seal", ["at"], schema="core")
    op.create_table(
        "seal_root",
        sa.Column("month", sa.Text, primary_key=True),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("records", sa.BigInteger, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("pruned_at", _time, nullable=False),
        schema="core",
    )
    for name in ("step", "account_event"):
        op.add_column(name, sa.Column("xid", XID8, nullable=False, server_default=_xid), schema="core")
        op.create_index(f"{name}_xid", name, ["xid"], schema="core")


def downgrade() -> None:
    for name in ("step", "account_event"):
        op.drop_column(name, "xid", schema="core")
    for name in ("seal_root", "seal", "sensitive_read"):
        op.drop_table(name, schema="core")
