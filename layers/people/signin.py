"""Signing in with a login name and a password, and a code where the account has a second factor."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import sqlalchemy as sa

from layers.errors import OneTimeOver, SecondFactorDue, WrongLogin
from layers.people import attempts, totp
from layers.people.accounts import ONE_TIME, record
from layers.people.attempts import Limits
from layers.people.passwords import fits
from layers.people.privacy import Keyring
from layers.people.sessions import Lasting, open_session
from layers.people.tables import ACCOUNT
from layers.store.engine import begin


@dataclass(frozen=True)
class Policy:
    """What the city decided about signing in."""

    limits: Limits = field(default_factory=Limits)
    lasting: Lasting = field(default_factory=Lasting)
    second_factor: bool = False  # must everyone with rights have one?
    one_time: dt.timedelta = ONE_TIME  # so long a password that is given out opens an account


@dataclass(frozen=True)
class Attempt:
    """What somebody typed, and from where."""

    login: str
    password: str
    code: str | None
    address: str
    agent: str


def sign_in(writer: sa.Engine, attempt: Attempt, *, keyring: Keyring, now: dt.datetime, policy: Policy) -> str:
    """The secret of a new session.

    Raises TooManyAttempts, WrongLogin (which takes as long for a login that does not exist), OneTimeOver, and
    SecondFactorDue when all is right but for a code that is missing.
    """
    check(writer, attempt, now=now, limits=policy.limits)
    with begin(writer, actor=attempt.login) as connection:
        second = connection.scalar(sa.select(ACCOUNT.c.totp_since).where(ACCOUNT.c.login == attempt.login))
        given = bool(attempt.code) and second is not None
        if given and not totp.take(connection, attempt.login, attempt.code or "", keyring=keyring, now=now):
            raise WrongLogin
        attempts.take_back(connection, login=attempt.login, address=attempt.address)
        if second is None or given:
            attempts.forget(connection, attempt.login)
            return open_session(
                connection,
                attempt.login,
                by="code" if given else "password",
                address=attempt.address,
                agent=attempt.agent,
                now=now,
                lasting=policy.lasting,
            )
    raise SecondFactorDue


def check(writer: sa.Engine, attempt: Attempt, *, now: dt.datetime, limits: Limits) -> None:
    """Return when this is the password of an account that is open; the attempt stays counted until it is taken back.

    Raises TooManyAttempts, WrongLogin, or OneTimeOver for a password that was given out too long ago.
    """
    # Of a password that its owner chose it does not matter.
    until = sa.case((ACCOUNT.c.must_change, ACCOUNT.c.one_time_until)).label("one_time_until")
    columns = (ACCOUNT.c.hash, ACCOUNT.c.active, until)
    with begin(writer, actor="anyone") as connection:
        attempts.count(connection, login=attempt.login, address=attempt.address, now=now, limits=limits)
        row = connection.execute(sa.select(*columns).where(ACCOUNT.c.login == attempt.login)).first()
    # Without a connection meanwhile: it takes as long as twenty requests.
    if fits(None if row is None or not row.active else row.hash, attempt.password):
        if row is not None and row.one_time_until is not None and row.one_time_until <= now:
            raise OneTimeOver
        return
    if row is not None:  # a name that is none of ours may be a password in the wrong field
        with begin(writer, actor="anyone") as connection:
            record(connection, "refused", attempt.login, actor="anyone", address=attempt.address)
    raise WrongLogin
