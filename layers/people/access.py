"""One question for everything: may this actor do this to that, and why."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from layers.errors import NotAllowed
from layers.people.roles import rights_of
from layers.spec import Access, Layer
from layers.store.core import SETTING

Action = Literal["view", "edit"]
_ADMIN_CODE: Final = (4, 6, 9)
_GRID_ID: Final = 15
_DUE: Final[Mapping[str, str]] = {
    "password": "choose a new password first",
    "enrolment": "this city requires a second factor: enrol one first",
}


@dataclass(frozen=True)
class Scope:
    """For which areas and departments somebody answers; None is all of them.

    An area is the beginning of an administrative code (4 digits: city, 6: county, 9: town) or the id of a grid (15).
    """

    areas: frozenset[str] | None = frozenset()
    departments: frozenset[str] | None = frozenset()

    def covers(self, *, admin_code: str | None, grid_id: str | None, departments: Iterable[str] = ()) -> bool:
        """Whether what lies there, and concerns these departments, is within it."""
        here = self.areas is None or any(_in_area(area, admin_code, grid_id) for area in self.areas)
        return here and (self.departments is None or not self.departments.isdisjoint(departments))

    def holds(self, other: Scope) -> bool:
        """Whether nothing of `other` lies outside of it."""
        if self.areas is not None and (
            other.areas is None or not all(any(one.startswith(area) for area in self.areas) for one in other.areas)
        ):
            return False
        return self.departments is None or (other.departments is not None and other.departments <= self.departments)


def _in_area(area: str, admin_code: str | None, grid_id: str | None) -> bool:
    if len(area) == _GRID_ID:
        return grid_id == area
    return any(code is not None and code.startswith(area) for code in (admin_code, grid_id))


def is_area(text: str) -> bool:
    """Is this the beginning of an administrative code, or the id of a grid?"""
    return text.isascii() and text.isdigit() and len(text) in (*_ADMIN_CODE, _GRID_ID)


NOWHERE = Scope()
EVERYWHERE = Scope(None, None)


@dataclass(frozen=True)
class Actor:
    """Who is asking: `name` goes into the change log, `roles` decide what, `scope` decides where and for whom.

    `rights` are those of the roles as the city has them now; None stands for those that ship. What is `due` has to be
    done before any right counts.
    Who is in an exercise (`scenario`) sees what happens in it, and nothing of what really happens; once that is `over`
    they change nothing.
    """

    name: str
    roles: frozenset[str] = frozenset()
    scope: Scope = NOWHERE
    scenario: str | None = None
    rights: frozenset[str] | None = field(default=None, compare=False)
    due: str | None = field(default=None, compare=False)
    over: bool = field(default=False, compare=False)


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


class Placed(Protocol):
    """Whatever lies somewhere and concerns departments: an incident."""

    @property
    def admin_code(self) -> str | None:
        """The town, or the county where no town is known."""

    @property
    def grid_id(self) -> str | None:
        """The grid."""

    @property
    def departments(self) -> Iterable[str]:
        """The departments that it concerns."""


@dataclass(frozen=True)
class Decision:
    """Yes or no, and why."""

    allowed: bool
    why: str

    def __bool__(self) -> bool:
        return self.allowed


def rights(actor: Actor) -> frozenset[str]:
    """Every right that counts for the actor now."""
    if actor.due is not None:
        return frozenset()
    return rights_of(actor.roles) if actor.rights is None else actor.rights


def has(actor: Actor, right: str) -> Decision:
    """Whether one of the actor's roles has this right, wherever."""
    if right in rights(actor):
        return Decision(True, f"a role of {actor.name} has the right {right}")
    if actor.due is not None:
        return Decision(False, _DUE[actor.due])
    return Decision(False, f"this needs the right {right}" + (": sign in first" if actor == ANYONE else ""))


def may(actor: Actor, action: str, thing: Guarded | Placed) -> Decision:
    """Whether `actor` may do `action` to `thing`: see or edit what is guarded, or use a right where something lies."""
    if action in ("view", "edit"):
        return _may_guarded(actor, cast(Action, action), cast(Guarded, thing))
    found, placed = has(actor, action), cast(Placed, thing)
    if found and not actor.scope.covers(
        admin_code=placed.admin_code, grid_id=placed.grid_id, departments=placed.departments
    ):
        return Decision(False, "this lies outside of the areas and departments that you answer for")
    return found


def _may_guarded(actor: Actor, action: Action, thing: Guarded) -> Decision:
    if action == "view":
        if thing.access.view == "public":
            return Decision(True, "the layer is public")
        if thing.access.view == "scoped":  # which of its records: layers.people.scope
            return has(actor, "incident.view")
        found = has(actor, "layer.view")
        return found if found else Decision(False, "the layer is internal")
    if thing.access.edit == "nobody":
        return Decision(False, "this layer is only changed by deliveries")
    everything = has(actor, "layer.edit")
    return has(actor, f"layer.edit:{thing.name}") if isinstance(thing, Layer) and not everything else everything


def require(actor: Actor, action: str, thing: Guarded | Placed) -> None:
    """Raise NotAllowed, with the reason, unless the actor may."""
    refuse_unless(actor, may(actor, action, thing))


def require_right(actor: Actor, right: str) -> None:
    """Raise NotAllowed, with the reason, unless the actor has the right."""
    refuse_unless(actor, has(actor, right))


def refuse_unless(actor: Actor, decision: Decision) -> None:
    """Raise NotAllowed, with the reason, when the decision is no."""
    if not decision:
        refused = NotAllowed(decision.why, known=actor != ANYONE)
        raise refused if actor.due is None else refused.because(f"{actor.due}_due")


def require_deliver(actor: Actor) -> None:
    """Raise NotAllowed unless the actor may bring files in, load them and take deliveries back."""
    require_right(actor, "data.deliver")


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
