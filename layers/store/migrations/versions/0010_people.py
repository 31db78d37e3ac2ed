"""Accounts, roles, sessions, keys of machines, attempts to sign in, and what was done to accounts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")
_none = sa.text("'{}'")


def upgrade() -> None:
    op.create_table(
        "role",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("zh", sa.Text, nullable=False),
        sa.Column("en", sa.Text, nullable=False),
        sa.Column("rights", ARRAY(sa.Text), nullable=False),
        schema="core",
    )
    op.create_table(
        "account",
        sa.Column("login", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hash", sa.Text),
        sa.Column("roles", ARRAY(sa.Text), nullable=False, server_default=_none),
        sa.Column("areas", ARRAY(sa.Text), server_default=_none),
        sa.Column("departments", ARRAY(sa.Text), server_default=_none),
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("must_change", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("made_at", _time, nullable=False, server_default=_now),
        sa.Column("password_at", _time),
        sa.Column("signed_in_at", _time),
        sa.Column("totp", sa.Text),
        sa.Column("totp_since", _time),
        sa.Column("totp_step", sa.BigInteger),
        sa.Column("issuer", sa.Text),
        sa.Column("subject", sa.Text),
        schema="core",
    )
    op.create_index("account_subject", "account", ["issuer", "subject"], schema="core", unique=True)
    op.create_table(
        "recovery_code",
        sa.Column("login", sa.Text, sa.ForeignKey("core.account.login", ondelete="cascade"), nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        schema="core",
    )
    op.create_index("recovery_code_login", "recovery_code", ["login"], schema="core")
    op.create_table(
        "session",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("login", sa.Text, sa.ForeignKey("core.account.login", ondelete="cascade"), nullable=False),
        sa.Column("made_at", _time, nullable=False, server_default=_now),
        sa.Column("seen_at", _time, nullable=False, server_default=_now),
        sa.Column("ends_at", _time, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("agent", sa.Text),
        sa.Column("by", sa.Text, nullable=False),
        schema="core",
    )
    op.create_index("session_login", "session", ["login"], schema="core")
    op.create_index("session_id", "session", ["id"], schema="core", unique=True)
    op.create_index("session_ends_at", "session", ["ends_at"], schema="core")
    op.create_table(
        "api_key",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("login", sa.Text, sa.ForeignKey("core.account.login", ondelete="cascade")),
        sa.Column("roles", ARRAY(sa.Text), nullable=False),
        sa.Column("areas", ARRAY(sa.Text)),
        sa.Column("departments", ARRAY(sa.Text)),
        sa.Column("made_at", _time, nullable=False, server_default=_now),
        sa.Column("ends_at", _time, nullable=False),
        sa.Column("revoked_at", _time),
        schema="core",
    )
    op.create_index("api_key_digest", "api_key", ["digest"], schema="core", unique=True)
    op.create_index("api_key_login", "api_key", ["login"], schema="core")
    op.create_table(
        "attempt",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("began", _time, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        schema="core",
    )
    op.create_index("attempt_began", "attempt", ["began"], schema="core")
    op.create_table(
        "oidc_visit",
        sa.Column("state", sa.Text, primary_key=True),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("verifier", sa.Text, nullable=False),
        sa.Column("began", _time, nullable=False, server_default=_now),
        schema="core",
    )
    op.create_index("oidc_visit_began", "oidc_visit", ["began"], schema="core")
    op.create_table(
        "account_event",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", _time, nullable=False, server_default=_now),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("facts", JSONB, nullable=False, server_default=_none),
        schema="core",
    )
    op.create_index("account_event_about", "account_event", ["about", "id"], schema="core")


def downgrade() -> None:
    for name in (
        "account_event",
        "oidc_visit",
        "attempt",
        "api_key",
        "session",
        "recovery_code",
        "account",
        "role",
    ):
        op.drop_table(name, schema="core")
