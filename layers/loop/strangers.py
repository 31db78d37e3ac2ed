"""Reports of people without an account: so many an hour from one address, which is kept as a mark alone."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from layers.loop.case_tables import STRANGER
from layers.loop.errors import TooOften
from layers.people.privacy import Keyring

KEPT: Final = dt.timedelta(days=1)
_HOUR: Final = dt.timedelta(hours=1)


def count_report(connection: sa.Connection, keyring: Keyring, address: str, *, most: int, now: dt.datetime) -> None:
    """Count a report of an address, in a transaction of its own, so that refused ones count; TooOften beyond `most`."""
    hour = now.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    connection.execute(sa.delete(STRANGER).where(STRANGER.c.hour < hour - KEPT))
    new = postgresql.insert(STRANGER).values(mark=_mark(keyring, "address", address), hour=hour, n=1)
    counted = new.on_conflict_do_update(
        index_elements=[STRANGER.c.mark, STRANGER.c.hour], set_={"n": sa.func.least(STRANGER.c.n + 1, most + 1)}
    )
    if connection.execute(counted.returning(STRANGER.c.n)).scalar_one() > most:
        raise TooOften(most, again_s=int((hour + _HOUR - now).total_seconds()) + 1)


def ticket_for(keyring: Keyring, id: str) -> str:
    """What lets somebody without an account add photos to what they reported."""
    return _mark(keyring, "ticket", id)


def is_ticket(keyring: Keyring, id: str, ticket: str | None) -> bool:
    """Whether this is the ticket of the case."""
    return ticket is not None and secrets.compare_digest(ticket_for(keyring, id).encode(), ticket.encode())


def _mark(keyring: Keyring, about: str, text: str) -> str:
    return hmac.new(keyring.keys.mark, f"{about} {text}".encode(), hashlib.sha256).hexdigest()
