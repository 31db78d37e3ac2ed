"""Reading what is sealed: a person's name, number and home in the clear, for a purpose, and never without a record."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from layers.catalog.incident import TABLE as INCIDENT
from layers.errors import BadField, LayersError
from layers.people.access import Actor, require, require_right
from layers.people.privacy import Keyring
from layers.people.sealed import CALLER
from layers.spec import Title
from layers.store.core import METADATA
from layers.store.types import XID8

# Written once and never changed: who read what of whom, from where, and what for. The audit chain seals it.
SENSITIVE_READ = sa.Table(
    "sensitive_read",
    METADATA,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("xid", XID8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("address", sa.Text),
    sa.Column("thing", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("fields", ARRAY(sa.Text), nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("scenario", sa.Text),
    sa.Index("sensitive_read_xid", "xid"),
    sa.Index("sensitive_read_thing", "thing", "id"),
)

UNMASK: Final = "person.unmask"
PURPOSES: Final = MappingProxyType({
    "callback": Title("回访", "Calling back"),
    "verify": Title("核实情况", "Verifying what was reported"),
    "dispose": Title("现场处置联系", "Contact during disposal"),
    "emergency": Title("紧急救助", "Emergency help"),
    "complaint": Title("投诉处理", "Handling a complaint"),
})  # fmt: skip
"""The purposes that are offered; any other is given in words."""
LEAST_PURPOSE: Final = 4
MOST_PURPOSE: Final = 200


class UnknownCaller(LayersError):
    """No caller has this number."""

    def __init__(self, id: int) -> None:
        super().__init__(f"there is no caller {id}")
        self.id = id


@dataclass(frozen=True)
class _Where:
    """Where a caller's incident lies and whom it concerns; nowhere and nobody when it is gone."""

    admin_code: str | None
    grid_id: str | None
    departments: tuple[str, ...]


@dataclass(frozen=True)
class Person:
    """Who somebody is, in the clear; never kept and never logged."""

    name: str | None
    phone: str | None
    home: str | None

    def __repr__(self) -> str:
        return "Person(…)"


def unmask(
    connection: sa.Connection,
    keyring: Keyring,
    actor: Actor,
    caller_id: int,
    *,
    purpose: str,
    address: str | None = None,
) -> Person:
    """A caller in the clear, after a record of who reads it, from which `address`, and what for.

    Record and answer belong to one transaction. Raises NotAllowed (also where the incident lies outside of what the
    actor answers for), BadField for a purpose that says nothing, UnknownCaller, and SealBroken.
    """
    require_unmask(actor)
    said = checked_purpose(purpose)
    row = _caller(connection, caller_id)
    if row is None:
        raise UnknownCaller(caller_id)
    concerned = (row["lead"], *(row["co"] or ()))
    where = _Where(row["admin_code"], row["grid_id"], tuple(code for code in concerned if code is not None))
    require(actor, UNMASK, where)
    read = [name for name in CALLER.about if row[name] is not None]
    told = {name: keyring.unseal(row[name], about=CALLER.about[name]) for name in read}
    record_read(
        connection,
        actor=actor.name,
        address=address,
        thing="caller",
        id=str(caller_id),
        fields=read,
        purpose=said,
        scenario=row["scenario"],
    )
    return Person(told.get("name"), told.get("phone"), told.get("home"))


def record_read(
    connection: sa.Connection,
    *,
    actor: str,
    thing: str,
    id: str,
    fields: list[str],
    purpose: str,
    address: str | None = None,
    scenario: str | None = None,
) -> None:
    """Write down that somebody reads something sensitive; it stands or falls with the caller's transaction."""
    values = {
        "actor": actor, "address": address, "thing": thing, "id": id, "fields": fields, "purpose": purpose,
        "scenario": scenario,
    }  # fmt: skip
    connection.execute(sa.insert(SENSITIVE_READ).values(values))


def require_unmask(actor: Actor) -> None:
    """Raise NotAllowed unless the actor may read people in the clear, somewhere."""
    require_right(actor, UNMASK)


def _caller(connection: sa.Connection, id: int) -> sa.RowMapping | None:
    names = ("id", "incident", *CALLER.about, "scenario")
    rows, of = sa.table("caller", *(sa.column(name) for name in names), schema="core"), INCIDENT.c
    wanted = sa.select(rows, of.admin_code, of.grid_id, of.lead, of.co).outerjoin_from(
        rows, INCIDENT, of.id == rows.c.incident
    )
    return connection.execute(wanted.where(rows.c.id == id)).mappings().first()


def checked_purpose(purpose: str) -> str:
    """A purpose as it is kept: the code of one that is offered, or words; BadField for what says nothing."""
    text = " ".join(unicodedata.normalize("NFC", purpose).split())
    if text in PURPOSES:
        return text
    controls = any(unicodedata.category(c) in ("Cc", "Cs") for c in text)
    if not LEAST_PURPOSE <= len(text) <= MOST_PURPOSE or len(set(text)) < 3 or controls:
        told = f"say what for, in {LEAST_PURPOSE} to {MOST_PURPOSE} characters"
        raise BadField({"purpose": told}).because("purpose_needed", least=LEAST_PURPOSE, most=MOST_PURPOSE)
    return text
