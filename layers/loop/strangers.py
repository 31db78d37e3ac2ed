"""Reports of people without an account, and their tickets: so many an hour from one address, kept as a mark alone."""

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
from layers.people.attempts import address_key
from layers.people.privacy import Keyring

KEPT: Final = dt.timedelta(days=1)
MOST_READINGS: Final = 300
_HOUR: Final = dt.timedelta(hours=1)


def count_report(connection: sa.Connection, keyring: Keyring, address: str, *, most: int, now: dt.datetime) -> None:
    """Count a report of an address, in a transaction of its own, so that refused ones count; TooOften beyond `most`."""
    _count(connection, _mark(keyring, "address", address_key(address)), TooOften(most), now=now)


def count_reading(connection: sa.Connection, keyring: Keyring, address: str, *, now: dt.datetime) -> None:
    """Count that an address asked for a receipt, in the same way: nobody tries tickets, or numbers, for long."""
    refused = TooOften(MOST_READINGS, about="readings of receipts").because("too_many_readings", most=MOST_READINGS)
    _count(connection, _mark(keyring, "receipts", address_key(address)), refused, now=now)


def _count(connection: sa.Connection, mark: str, refused: TooOften, *, now: dt.datetime) -> None:
    hour = now.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    connection.execute(sa.delete(STRANGER).where(STRANGER.c.hour < hour - KEPT))
    new = postgresql.insert(STRANGER).values(mark=mark, hour=hour, n=1)
    counted = new.on_conflict_do_update(
        index_elements=[STRANGER.c.mark, STRANGER.c.hour], set_={"n": sa.func.least(STRANGER.c.n + 1, refused.most + 1)}
    )
    if connection.execute(counted.returning(STRANGER.c.n)).scalar_one() > refused.most:
        refused.again_s = int((hour + _HOUR - now).total_seconds()) + 1
        raise refused


def ticket_for(keyring: Keyring, id: str) -> str:
    """What lets somebody without an account add photos to what they reported, read it back and withdraw it."""
    return _mark(keyring, "ticket", id)


def is_ticket(keyring: Keyring, id: str, ticket: str | None) -> bool:
    """Whether this is the ticket of the case."""
    return ticket is not None and secrets.compare_digest(ticket_for(keyring, id).encode(), ticket.encode())


def _mark(keyring: Keyring, about: str, text: str) -> str:
    return hmac.new(keyring.keys.mark, f"{about} {text}".encode(), hashlib.sha256).hexdigest()
