"""Those who told of an incident: sealed when they are written, masked when they are read; anonymous ones have none."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from layers.catalog.incident import TABLE
from layers.loop.carried import text_of
from layers.loop.tables import CALLER
from layers.people.privacy import Keyring, masked_home, masked_name, masked_phone

MOST_NAME: Final = 40
MOST_PHONE: Final = 30
MOST_HOME: Final = 200
MOST_CALLERS: Final = 500
_NEW: Final = sa.insert(CALLER).returning(CALLER.c.id)
_MASKS: Final = {"name": masked_name, "phone": masked_phone, "home": masked_home}


@dataclass(frozen=True)
class Contact:
    """How somebody can be reached, in the clear: held for the length of a request and never logged."""

    name: str | None = None
    phone: str | None = None
    home: str | None = None

    def __repr__(self) -> str:
        return "Contact(…)"

    @property
    def anonymous(self) -> bool:
        """Whether nothing is known of the person."""
        return not (self.name or self.phone or self.home)


def checked_contact(contact: Contact) -> Contact:
    """The same, cleaned; BadField for texts that are too long or not printable."""
    most = {"name": MOST_NAME, "phone": MOST_PHONE, "home": MOST_HOME}
    given = {name: getattr(contact, name) for name in most}
    clean = {name: text_of(name, text, most=most[name], lines=False) for name, text in given.items() if text}
    return Contact(**clean)


def add_caller(
    connection: sa.Connection,
    keyring: Keyring,
    incident: str,
    contact: Contact,
    *,
    channel: str,
    line: str | None,
    at: dt.datetime,
    scenario: str | None,
) -> int:
    """Write down who told of an incident, sealed; returns the number of the caller. BadField for what is no phone."""
    given = {name: getattr(contact, name) for name in _MASKS}
    sealed = {name: keyring.seal(text, about=f"caller.{name}") for name, text in given.items() if text}
    marked = {"phone_mark": keyring.mark(contact.phone)} if contact.phone else {}
    about = {"incident": incident, "channel": channel, "line": line, "at": at, "scenario": scenario}
    number: int = connection.execute(_NEW, {**about, **sealed, **marked}).scalar_one()
    return number


def callers_of(connection: sa.Connection, keyring: Keyring, id: str) -> list[dict[str, Any]]:
    """All who told of an incident and of those that were merged into it, masked, the earliest first."""
    columns = (c for c in CALLER.c if c.name not in ("phone_mark", "scenario"))
    statement = sa.select(*columns).where(CALLER.c.incident.in_(family(id))).order_by(CALLER.c.at, CALLER.c.id)
    rows = connection.execute(statement.limit(MOST_CALLERS)).mappings()
    return [{**row, **{name: _masked(keyring, name, row[name]) for name in _MASKS}} for row in rows]


def family(id: str) -> sa.Select[Any]:
    """The ids of a case and of all that were merged into it, directly or by way of another."""
    own = sa.select(sa.cast(sa.literal(id), sa.Text(collation="C")).label("id")).cte("family", recursive=True)
    return sa.select(own.union(sa.select(TABLE.c.id).where(TABLE.c.merged_into == own.c.id)).c.id)


def _masked(keyring: Keyring, name: str, sealed: str | None) -> str | None:
    return None if sealed is None else _MASKS[name](keyring.unseal(sealed, about=f"caller.{name}"))
