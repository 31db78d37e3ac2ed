"""Attempts to sign in, counted in the database, so that all workers together let nobody guess for long.

Each attempt is counted before its password is looked at: a hundred guesses at once are a hundred attempts.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from layers.errors import TooManyAttempts
from layers.people.tables import ATTEMPT

_IPV6_OF_ONE: Final = 64


@dataclass(frozen=True)
class Limits:
    """How many attempts may be made in a window: for one account, and from one address."""

    account: int = 5
    address: int = 60
    window: dt.timedelta = dt.timedelta(minutes=15)


def account_key(login: str) -> str:
    """The key of an account; of unknown ones, too, so that nobody learns which there are."""
    # What was typed may be a password in the wrong field: it is not kept as it was.
    return "account:" + hashlib.sha256(login.encode()).hexdigest()


def address_key(address: str) -> str:
    """The key of a caller's address; of IPv6 that of the /64, which one household has whole."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "address:unknown"
    if isinstance(found, ipaddress.IPv6Address):
        return f"address:{ipaddress.ip_network((found, _IPV6_OF_ONE), strict=False)}"
    return f"address:{found}"


def count(connection: sa.Connection, *, login: str, address: str, now: dt.datetime, limits: Limits) -> None:
    """Count one attempt; TooManyAttempts, with the seconds to wait, when there were as many as there may be."""
    table = ATTEMPT
    connection.execute(sa.delete(table).where(table.c.began <= now - limits.window))
    # Always in the same order, so that no two wait for each other.
    for key, most in ((account_key(login), limits.account), (address_key(address), limits.address)):
        new = postgresql.insert(table).values(key=key, began=now, n=1)
        upsert = new.on_conflict_do_update(index_elements=[table.c.key], set_={"n": table.c.n + 1})
        row = connection.execute(upsert.returning(table.c.n, table.c.began)).one()
        if row.n > most:
            wait = row.began + limits.window - now
            raise TooManyAttempts(max(1, int(wait.total_seconds()) + 1))


def locked(
    connection: sa.Connection, logins: Iterable[str], *, now: dt.datetime, limits: Limits
) -> dict[str, dt.datetime]:
    """Those of the accounts that nobody can sign in to now after too many attempts, and until when."""
    keys = {account_key(login): login for login in logins}
    table = ATTEMPT
    held = sa.select(table.c.key, table.c.began).where(
        table.c.key.in_(keys), table.c.n >= limits.account, table.c.began > now - limits.window
    )
    return {keys[row.key]: row.began + limits.window for row in connection.execute(held)}


def take_back(connection: sa.Connection, *, login: str, address: str) -> None:
    """Uncount an attempt that was no failure."""
    keys = [account_key(login), address_key(address)]
    table = ATTEMPT
    held = sa.select(table.c.key).where(table.c.key.in_(keys)).order_by(table.c.key).with_for_update()
    connection.execute(held)
    connection.execute(sa.update(table).where(table.c.key.in_(keys), table.c.n > 0).values(n=table.c.n - 1))


def forget(connection: sa.Connection, login: str) -> None:
    """Let the account be tried again at once."""
    connection.execute(sa.delete(ATTEMPT).where(ATTEMPT.c.key == account_key(login)))
