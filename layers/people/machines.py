"""Keys of machines: told once, kept as digests, over after a time; never more than whoever made one may."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from layers.errors import BadField, Conflict, NotAllowed, UnknownKey
from layers.people.access import Actor, Scope
from layers.people.accounts import check_scope, listed, record, scope_of
from layers.people.exercises import find_exercise, require_hold, require_invited, require_open
from layers.people.sessions import digest_of
from layers.people.tables import ACCOUNT, API_KEY

MOST_KEYS: Final = 500
MOST_DAYS: Final = 730
WALL: Final = "kiosk"
WALL_DAYS: Final = 30
"""So long a wall may show an exercise at most."""
MACHINE: Final = "key:"
"""With this begin the names of actors that are no people."""


@dataclass(frozen=True)
class Key:
    """A key of a machine, without its secret; `login` is the account that answers for it.

    A key for an exercise opens nothing else.
    """

    id: int
    title: str
    login: str | None
    roles: frozenset[str]
    scope: Scope
    made_at: dt.datetime
    ends_at: dt.datetime
    exercise: str | None = None


def make_key(
    connection: sa.Connection,
    actor: Actor,
    *,
    title: str,
    roles: Iterable[str],
    scope: Scope,
    days: int,
    now: dt.datetime,
    exercise: str | None = None,
) -> tuple[Key, str]:
    """A new key and its secret, which is told only now; BadField when it might do more than its maker may."""
    if exercise is not None:
        require_invited(connection, actor, exercise)
    _require_person(actor)
    check_scope(scope)
    if beyond := sorted(set(roles) - actor.roles):
        raise BadField({"roles": f"you have no role {beyond[0]!r} to give"}).because("key_beyond", role=beyond[0])
    if not actor.scope.holds(scope):
        raise BadField({"areas": "this reaches further than you do"}).because("key_too_far")
    return _issue(connection, actor, title=title, roles=roles, scope=scope, days=days, now=now, exercise=exercise)


def make_wall_key(connection: sa.Connection, actor: Actor, exercise: str, *, now: dt.datetime) -> tuple[Key, str]:
    """A key by which walls show an exercise and change nothing, and its secret; the one before opens nothing any more.

    UnknownExercise, NotAllowed unless the actor may close it, Conflict when it is over.
    """
    _require_person(actor)
    found = find_exercise(connection, exercise)
    require_hold(actor, found)
    require_open(connection, exercise)
    before = sa.and_(API_KEY.c.exercise == exercise, API_KEY.c.roles == [WALL], API_KEY.c.revoked_at.is_(None))
    for number in connection.scalars(sa.update(API_KEY).where(before).values(revoked_at=now).returning(API_KEY.c.id)):
        record(connection, "key_revoked", f"{MACHINE}{number}", actor=actor.name)
    scope = Scope(None if found.area is None else frozenset({found.area}), None)
    return _issue(
        connection, actor, title=found.title, roles=[WALL], scope=scope, days=WALL_DAYS, now=now, exercise=exercise
    )


def _require_person(actor: Actor) -> None:
    if actor.name.startswith(MACHINE):
        raise NotAllowed("a key makes no keys", known=True).because("key_by_key")


def _issue(
    connection: sa.Connection,
    actor: Actor,
    *,
    title: str,
    roles: Iterable[str],
    scope: Scope,
    days: int,
    now: dt.datetime,
    exercise: str | None,
) -> tuple[Key, str]:
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("api_key"))))
    living = sa.select(sa.func.count()).where(API_KEY.c.revoked_at.is_(None), API_KEY.c.ends_at > now)
    if (connection.scalar(living) or 0) >= MOST_KEYS:
        raise Conflict(f"there are {MOST_KEYS} keys: revoke one first").because("keys_full", most=MOST_KEYS)
    secret = secrets.token_urlsafe(32)
    own = connection.scalar(sa.select(ACCOUNT.c.login).where(ACCOUNT.c.login == actor.name))
    values: dict[str, Any] = {
        "digest": digest_of(secret), "title": title, "login": own, "roles": sorted(roles),
        "areas": listed(scope.areas), "departments": listed(scope.departments), "made_at": now,
        "ends_at": now + dt.timedelta(days=days), "exercise": exercise,
    }  # fmt: skip
    row = connection.execute(sa.insert(API_KEY).values(values).returning(*API_KEY.c)).one()
    record(
        connection,
        "key_made",
        f"{MACHINE}{row.id}",
        actor=actor.name,
        title=title,
        roles=sorted(roles),
        **_within(exercise),
    )
    return _key(row), secret


def keys(connection: sa.Connection, *, login: str | None, now: dt.datetime) -> list[Key]:
    """The keys that open something now, of one account or (None) of all."""
    found = sa.select(*API_KEY.c).where(API_KEY.c.revoked_at.is_(None), API_KEY.c.ends_at > now)
    if login is not None:
        found = found.where(API_KEY.c.login == login)
    return [_key(row) for row in connection.execute(found.order_by(API_KEY.c.id).limit(MOST_KEYS))]


def revoke_key(connection: sa.Connection, number: int, *, login: str | None, actor: str, now: dt.datetime) -> None:
    """Let a key open nothing any more, of `login` alone unless that is None; UnknownKey when there is none."""
    found = sa.update(API_KEY).where(API_KEY.c.id == number, API_KEY.c.revoked_at.is_(None))
    if login is not None:
        found = found.where(API_KEY.c.login == login)
    if connection.execute(found.values(revoked_at=now)).rowcount == 0:
        raise UnknownKey(number)
    record(connection, "key_revoked", f"{MACHINE}{number}", actor=actor)


def _within(exercise: str | None) -> dict[str, str]:
    return {} if exercise is None else {"exercise": exercise}


def _key(row: Any) -> Key:
    return Key(
        row.id, row.title, row.login, frozenset(row.roles), scope_of(row), row.made_at, row.ends_at, row.exercise
    )
