"""Sessions: a secret in a cookie, its digest here; over when old, idle or revoked, or when the account is closed."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from layers.errors import UnknownSession
from layers.people.accounts import record
from layers.people.tables import ACCOUNT, SESSION

MOST_OF_ONE: Final = 20
_TOUCHED: Final = dt.timedelta(minutes=1)
_MOST_AGENT: Final = 200


@dataclass(frozen=True)
class Lasting:
    """How long a session lasts at most, and how long when nothing is asked for in it."""

    whole: dt.timedelta = dt.timedelta(hours=12)
    idle: dt.timedelta = dt.timedelta(hours=2)


@dataclass(frozen=True)
class Session:
    """One session as its owner sees it; `id` names it and opens nothing."""

    id: str
    digest: str
    login: str
    made_at: dt.datetime
    seen_at: dt.datetime
    ends_at: dt.datetime
    address: str | None
    agent: str | None
    by: str


def digest_of(secret: str) -> str:
    """What is kept of a secret; it is random and long, so that a plain hash does."""
    return hashlib.sha256(secret.encode()).hexdigest()


def open_session(
    connection: sa.Connection,
    login: str,
    *,
    by: str,
    address: str,
    agent: str,
    now: dt.datetime,
    lasting: Lasting,
) -> str:
    """Sign an account in (`by` password, code or provider) and return the secret of the cookie."""
    secret, table = secrets.token_urlsafe(32), SESSION
    connection.execute(sa.delete(table).where(table.c.ends_at <= now))
    held = sa.select(table.c.digest).where(table.c.login == login).order_by(table.c.seen_at.desc())
    connection.execute(sa.delete(table).where(table.c.digest.in_(held.offset(MOST_OF_ONE - 1))))
    values = {
        "digest": digest_of(secret), "id": secrets.token_hex(8), "login": login, "made_at": now, "seen_at": now,
        "ends_at": now + lasting.whole, "address": address, "agent": agent[:_MOST_AGENT], "by": by,
    }  # fmt: skip
    connection.execute(sa.insert(table).values(values))
    connection.execute(sa.update(ACCOUNT).where(ACCOUNT.c.login == login).values(signed_in_at=now))
    record(connection, "signed_in", login, actor=login, address=address, by=by)
    return secret


def valid(now: dt.datetime, lasting: Lasting) -> sa.ColumnElement[bool]:
    """The condition of a session (joined with its account) that is not over."""
    return sa.and_(SESSION.c.ends_at > now, SESSION.c.seen_at > now - lasting.idle, ACCOUNT.c.active)


def touch(connection: sa.Connection, digest: str, *, seen_at: dt.datetime, now: dt.datetime) -> None:
    """Note that something was asked for in a session; once a minute is enough."""
    if now - seen_at >= _TOUCHED:
        connection.execute(sa.update(SESSION).where(SESSION.c.digest == digest).values(seen_at=now))


def sessions_of(connection: sa.Connection, login: str, *, now: dt.datetime, lasting: Lasting) -> list[Session]:
    """The sessions of an account that are not over, the latest first."""
    found = sa.select(*SESSION.c).join(ACCOUNT).where(SESSION.c.login == login, valid(now, lasting))
    return [_session(row) for row in connection.execute(found.order_by(SESSION.c.seen_at.desc()).limit(MOST_OF_ONE))]


def revoke(connection: sa.Connection, id: str, *, login: str | None, actor: str) -> None:
    """End one session, of `login` alone unless that is None; UnknownSession when there is none."""
    found = sa.delete(SESSION).where(SESSION.c.id == id)
    if login is not None:
        found = found.where(SESSION.c.login == login)
    row = connection.execute(found.returning(SESSION.c.login)).first()
    if row is None:
        raise UnknownSession(id)
    record(connection, "session_revoked", row.login, actor=actor, session=id)


def end(connection: sa.Connection, secret: str) -> None:
    """End the session of this secret, if it goes on: its owner signs out."""
    found = sa.delete(SESSION).where(SESSION.c.digest == digest_of(secret)).returning(SESSION.c.login)
    login = connection.scalar(found)
    if login is not None:
        record(connection, "signed_out", login, actor=login)


def revoke_all(connection: sa.Connection, login: str, *, actor: str) -> int:
    """End every session of an account; returns how many there were."""
    ended = connection.execute(sa.delete(SESSION).where(SESSION.c.login == login)).rowcount
    record(connection, "sessions_revoked", login, actor=actor, sessions=ended)
    return ended


def _session(row: Any) -> Session:
    return Session(row.id, row.digest, row.login, row.made_at, row.seen_at, row.ends_at, row.address, row.agent, row.by)
