"""One question for everything: may this actor do this to that, and why."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from layers.errors import NotAllowed
from layers.spec import Access, Layer
from layers.store.core import SETTING

Action = Literal["view", "edit"]


@dataclass(frozen=True)
class Scope:
    """For which areas and departments somebody answers; None is all of them.

    An area is the beginning of an administrative code (4 digits: city, 6: county, 9: town) or the id of a grid (15).
    """

    areas: frozenset[str] | None = frozenset()
    departments: frozenset[str] | None = frozenset()


NOWHERE = Scope()
EVERYWHERE = Scope(None, None)


@dataclass(frozen=True)
class Actor:
    """Who is asking: `name` goes into the change log, `roles` decide what, `scope` decides where and for whom."""

    name: str
    roles: frozenset[str] = frozenset()
    scope: Scope = NOWHERE


ANYONE = Actor("anyone")
ADMIN = Actor("admin", frozenset({"admin"}), EVERYWHERE)
# A screen on a wall: it sees what those in the room see, and can change nothing.
KIOSK = Actor("kiosk", frozenset({"kiosk"}), EVERYWHERE)
_KEYS = {"admin_token_sha256": ADMIN, "kiosk_token_sha256": KIOSK}


class Guarded(Protocol):
    """Whatever says who may see and edit it: a layer, a raster."""

    @property
    def access(self) -> Access:
        """Who may see it and who may edit it."""


@dataclass(frozen=True)
class Decision:
    """Yes or no, and why."""

    allowed: bool
    why: str

    def __bool__(self) -> bool:
        return self.allowed


def may(actor: Actor, action: Action, thing: Guarded) -> Decision:
    """Whether `actor` may do `action` to `thing`."""
    admin = "admin" in actor.roles
    if action == "view":
        if thing.access.view == "public":
            return Decision(True, "the layer is public")
        if "kiosk" in actor.roles:
            return Decision(True, "a wall sees every layer")
        return Decision(admin, "administrators see every layer" if admin else "the layer is internal")
    if thing.access.edit == "nobody":
        return Decision(False, "this layer is only changed by deliveries")
    return Decision(admin, "administrators edit" if admin else "editing needs the administrator's token")


def require(actor: Actor, action: Action, thing: Guarded) -> None:
    """Raise NotAllowed, with the reason, unless the actor may."""
    decision = may(actor, action, thing)
    if not decision:
        raise NotAllowed(decision.why, known=actor != ANYONE)


def require_deliver(actor: Actor) -> None:
    """Raise NotAllowed unless the actor may bring files in, load them and take deliveries back."""
    if "admin" not in actor.roles:
        raise NotAllowed("bringing data in needs the administrator's token", known=actor != ANYONE)


def visible_to(actor: Actor, layers: Iterable[Layer]) -> list[Layer]:
    """The layers that the actor may know of."""
    return [layer for layer in layers if may(actor, "view", layer)]


def new_admin_token(connection: sa.Connection) -> str:
    """Make a new administrator's token and forget the old one; only its digest is kept."""
    return _new_token(connection, ADMIN)


def new_kiosk_token(connection: sa.Connection) -> str:
    """Make a new token for walls and forget the old one, so that screens that start with that are shut out."""
    return _new_token(connection, KIOSK)


def first_admin_token(connection: sa.Connection) -> str | None:
    """The token, made now, when this database has none yet; else None."""
    if ADMIN in token_holders(connection).values():
        return None
    return new_admin_token(connection)


def token_holders(connection: sa.Connection) -> dict[str, Actor]:
    """Who holds the token of which digest."""
    rows = connection.execute(sa.select(SETTING.c.key, SETTING.c.value).where(SETTING.c.key.in_(_KEYS)))
    return {row.value: _KEYS[row.key] for row in rows}


def actor_of(token: str | None, holders: Mapping[str, Actor]) -> Actor | None:
    """Who holds this token: anyone without one, None when it is wrong."""
    if token is None:
        return ANYONE
    given = _digest(token)
    return next((actor for digest, actor in holders.items() if secrets.compare_digest(given, digest)), None)


def _new_token(connection: sa.Connection, actor: Actor) -> str:
    token = secrets.token_urlsafe(24)
    key = next(key for key, holder in _KEYS.items() if holder == actor)
    statement = postgresql.insert(SETTING).values(key=key, value=_digest(token))
    connection.execute(
        statement.on_conflict_do_update(index_elements=[SETTING.c.key], set_={"value": statement.excluded.value})
    )
    return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
