"""The tables of those who ask: accounts, roles, sessions, keys, attempts to sign in, and what was done to accounts.

Of whatever opens a door (a session, a key, a recovery code) only a digest is kept; of a password its argon2 hash.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from layers.people.exercise_tables import EXERCISE
from layers.store.core import METADATA
from layers.store.types import XID8

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")
_none = sa.text("'{}'")

# Only those that the city changed or made: the others ship (layers/people/roles.yaml).
ROLE = sa.Table(
    "role",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("zh", sa.Text, nullable=False),
    sa.Column("en", sa.Text, nullable=False),
    sa.Column("rights", ARRAY(sa.Text), nullable=False),
)

# `areas` and `departments`: null is all of them, an empty list is none.
ACCOUNT = sa.Table(
    "account",
    METADATA,
    sa.Column("login", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("hash", sa.Text),
    sa.Column("roles", ARRAY(sa.Text), nullable=False, server_default=_none),
    sa.Column("areas", ARRAY(sa.Text), server_default=_none),
    sa.Column("departments", ARRAY(sa.Text), server_default=_none),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("must_change", sa.Boolean, nullable=False, server_default=sa.false()),
    # Until when a password that was given out opens the account; null once its owner has chosen one.
    sa.Column("one_time_until", _time),
    sa.Column("made_at", _time, nullable=False, server_default=_now),
    sa.Column("password_at", _time),
    sa.Column("signed_in_at", _time),
    # The second factor: `totp_since` is null until a first code proved it, `totp_step` the last code that was taken.
    sa.Column("totp", sa.Text),
    sa.Column("totp_since", _time),
    sa.Column("totp_step", sa.BigInteger),
    # Who it is at the provider of OpenID Connect.
    sa.Column("issuer", sa.Text),
    sa.Column("subject", sa.Text),
    sa.Index("account_subject", "issuer", "subject", unique=True),
)

RECOVERY_CODE = sa.Table(
    "recovery_code",
    METADATA,
    sa.Column("login", sa.Text, sa.ForeignKey("core.account.login", ondelete="cascade"), nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Index("recovery_code_login", "login"),
)

SESSION = sa.Table(
    "session",
    METADATA,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("login", sa.Text, sa.ForeignKey("core.account.login", ondelete="cascade"), nullable=False),
    sa.Column("made_at", _time, nullable=False, server_default=_now),
    sa.Column("seen_at", _time, nullable=False, server_default=_now),
    sa.Column("ends_at", _time, nullable=False),
    sa.Column("address", sa.Text),
    sa.Column("agent", sa.Text),
    sa.Column("by", sa.Text, nullable=False),
    # In which exercise it is; null is reality.
    sa.Column("exercise", sa.Text, sa.ForeignKey(EXERCISE.c.id)),
    sa.Index("session_login", "login"),
    sa.Index("session_id", "id", unique=True),
    sa.Index("session_ends_at", "ends_at"),
)

API_KEY = sa.Table(
    "api_key",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    # The account that answers for it; null when the administrator's token made it.
    sa.Column("login", sa.Text, sa.ForeignKey("core.account.login", ondelete="cascade")),
    sa.Column("roles", ARRAY(sa.Text), nullable=False),
    sa.Column("areas", ARRAY(sa.Text)),
    sa.Column("departments", ARRAY(sa.Text)),
    sa.Column("made_at", _time, nullable=False, server_default=_now),
    sa.Column("ends_at", _time, nullable=False),
    sa.Column("revoked_at", _time),
    # For which exercise alone it is; null is reality.
    sa.Column("exercise", sa.Text, sa.ForeignKey(EXERCISE.c.id)),
    sa.Index("api_key_digest", "digest", unique=True),
    sa.Index("api_key_login", "login"),
)

# Attempts to sign in, by account and by address, in the window that began then.
ATTEMPT = sa.Table(
    "attempt",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("began", _time, nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Index("attempt_began", "began"),
)

# Who was sent to the provider of OpenID Connect and has not come back.
OIDC_VISIT = sa.Table(
    "oidc_visit",
    METADATA,
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("verifier", sa.Text, nullable=False),
    sa.Column("began", _time, nullable=False, server_default=_now),
    sa.Index("oidc_visit_began", "began"),
)

# Written once and never changed: what was done to an account, a role or a key, by whom.
ACCOUNT_EVENT = sa.Table(
    "account_event",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("at", _time, nullable=False, server_default=_now),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("address", sa.Text),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("facts", JSONB, nullable=False, server_default=_none),
    # The audit chain follows the commits by it (layers/store/audit.py).
    sa.Column("xid", XID8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
    sa.Index("account_event_about", "about", "id"),
    sa.Index("account_event_xid", "xid"),
)
