"""Accounts: who may sign in, as whom, with which roles, for which areas and departments; every change is recorded."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from layers.errors import BadField, Conflict, UnknownAccount
from layers.people import attempts
from layers.people.access import Actor, Scope, is_area
from layers.people.passwords import check_password, hashed, hashed_random, one_time
from layers.people.roles import INTERNAL, Role, check_separation, rights_of, roles_now
from layers.people.tables import ACCOUNT, ACCOUNT_EVENT, RECOVERY_CODE, SESSION

LOGIN_PATTERN: Final = r"[a-z0-9][a-z0-9._@-]{1,60}"
MOST_ACCOUNTS: Final = 50_000
ONE_TIME: Final = dt.timedelta(hours=72)
"""So long a password that was given out opens an account, where the city does not say otherwise."""
FIRST: Final[Mapping[str, tuple[str, str]]] = {"admin": ("系统管理员", "admin"), "security": ("安全管理员", "security")}
"""The accounts of the first start, with their shown names and roles: the one makes accounts, the other grants roles."""
# They stand in the change log for something else.
RESERVED: Final = frozenset({"anyone", "kiosk", "system", "demo", "loop", "worker", "oidc"})
"""Names that no account takes."""
_MOST_ENTRIES: Final = 200
_DEPARTMENT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Account:
    """One account, without anything that opens it."""

    login: str
    name: str
    roles: frozenset[str]
    scope: Scope
    active: bool
    must_change: bool
    made_at: dt.datetime
    password_at: dt.datetime | None
    signed_in_at: dt.datetime | None
    second_factor: bool
    outside: bool  # signs in at a provider of OpenID Connect
    one_time_until: dt.datetime | None = None


def account_of(row: Any) -> Account:
    """The account of a row of core.account."""
    return Account(
        row.login, row.name, frozenset(row.roles), scope_of(row), row.active, row.must_change, row.made_at,
        row.password_at, row.signed_in_at, row.totp_since is not None, row.subject is not None,
        row.one_time_until if row.must_change else None,
    )  # fmt: skip


def scope_of(row: Any) -> Scope:
    """The scope of a row that has `areas` and `departments`."""
    areas = None if row.areas is None else frozenset(row.areas)
    return Scope(areas, None if row.departments is None else frozenset(row.departments))


def actor_for(account: Account, roles: Mapping[str, Role], *, needs_second: bool) -> Actor:
    """As whom somebody acts who is signed in to this account; no right counts while something is due."""
    due = "password" if account.must_change else None
    if due is None and needs_second and not account.second_factor and not account.outside:
        due = "enrolment"
    return Actor(account.login, account.roles, account.scope, rights=rights_of(account.roles, roles), due=due)


def record(
    connection: sa.Connection, event: str, about: str, *, actor: str, address: str | None = None, **facts: Any
) -> None:
    """Write down what was done to an account, a role or a key; such a record is never changed."""
    values = {"event": event, "about": about, "actor": actor, "address": address, "facts": facts}
    connection.execute(sa.insert(ACCOUNT_EVENT).values(values))


def find(connection: sa.Connection, login: str) -> Account:
    """The account of this login name; UnknownAccount when there is none."""
    row = connection.execute(sa.select(*ACCOUNT.c).where(ACCOUNT.c.login == login)).first()
    if row is None:
        raise UnknownAccount(login)
    return account_of(row)


def accounts(connection: sa.Connection, *, after: str, limit: int, text: str = "") -> list[Account]:
    """The accounts by login name, those after one; with `text` only those whose login or shown name has it."""
    table = ACCOUNT
    found = sa.select(*table.c).where(table.c.login > after).order_by(table.c.login).limit(limit)
    if text:
        found = found.where(
            table.c.login.contains(text.lower(), autoescape=True) | table.c.name.contains(text, autoescape=True)
        )
    return [account_of(row) for row in connection.execute(found)]


def make_account(
    connection: sa.Connection, *, login: str, name: str, actor: str, lasting: dt.timedelta = ONE_TIME
) -> str:
    """Make an account that may nothing yet, and return its one-time password; Conflict when the login is taken."""
    check_login(login)
    room_for(connection, login)
    password = one_time()
    values = {"hash": hashed_random(password), "must_change": True, "one_time_until": until(lasting)}
    connection.execute(sa.insert(ACCOUNT).values(login=login, name=name, **values))
    record(connection, "account_made", login, actor=actor, name=name)
    return password


def until(lasting: dt.timedelta) -> sa.ColumnElement[dt.datetime]:
    """When a password ends that is given out now."""
    return sa.func.clock_timestamp() + lasting


def check_login(login: str) -> None:
    """BadField unless an account may have this login name."""
    if login in RESERVED or not re.fullmatch(LOGIN_PATTERN, login):
        told = "a login name has 2 to 61 small letters, digits, dots, hyphens, _ or @, and is none of ours"
        raise BadField({"login": told}).because("login_unfit")


def room_for(connection: sa.Connection, *logins: str) -> None:
    """Return when accounts may be made under these logins, until the end of the transaction; Conflict otherwise."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("account"))))
    taken = connection.scalar(sa.select(sa.func.min(ACCOUNT.c.login)).where(ACCOUNT.c.login.in_(logins)))
    if taken is not None:
        raise Conflict(f"the login name {taken!r} is taken").because("login_taken", login=taken)
    if (connection.scalar(sa.select(sa.func.count()).select_from(ACCOUNT)) or 0) + len(logins) > MOST_ACCOUNTS:
        raise Conflict(f"there are {MOST_ACCOUNTS:,} accounts").because("accounts_full", most=MOST_ACCOUNTS)


def grant(connection: sa.Connection, login: str, *, roles: Iterable[str], scope: Scope, actor: str) -> None:
    """Give an account these roles and this scope and no others.

    UnknownAccount; BadField for a role, an area or a department that cannot be, or for duties that must be separate.
    """
    wanted = frozenset(roles)
    check_grant(roles_now(connection), wanted, scope)
    values: dict[str, Any] = {
        "roles": sorted(wanted),
        "areas": listed(scope.areas),
        "departments": listed(scope.departments),
    }
    _change(connection, login, values)
    record(connection, "granted", login, actor=actor, **values)


def check_grant(known: Mapping[str, Role], roles: Iterable[str], scope: Scope) -> None:
    """BadField for a role, an area or a department that cannot be given, or for duties that must be separate."""
    wanted = frozenset(roles)
    if unknown := sorted(name for name in wanted if name not in known or name in INTERNAL):
        raise BadField({"roles": f"there is no role {unknown[0]!r}"}).because("role_unknown", role=unknown[0])
    check_separation(rights_of(wanted, known), "roles")
    check_scope(scope)


def check_scope(scope: Scope) -> None:
    """BadField for an area or a department that cannot be, or for too many of them."""
    if any(not is_area(area) for area in scope.areas or ()) or len(scope.areas or ()) > _MOST_ENTRIES:
        told = f"an area is the first 4, 6 or 9 digits of a code or a grid's 15; {_MOST_ENTRIES} at most"
        raise BadField({"areas": told}).because("areas_unfit", most=_MOST_ENTRIES)
    departments = scope.departments or ()
    if any(not _DEPARTMENT.fullmatch(code) for code in departments) or len(departments) > _MOST_ENTRIES:
        told = f"a department is told by its code; {_MOST_ENTRIES} at most"
        raise BadField({"departments": told}).because("departments_unfit", most=_MOST_ENTRIES)


def listed(part: frozenset[str] | None) -> list[str] | None:
    """A part of a scope as it is kept and told."""
    return None if part is None else sorted(part)


def rename(connection: sa.Connection, login: str, name: str, *, actor: str) -> None:
    """Show the account under another name."""
    _change(connection, login, {"name": name})
    record(connection, "renamed", login, actor=actor, name=name)


def set_active(connection: sa.Connection, login: str, *, active: bool, actor: str) -> None:
    """Close an account, which ends its sessions, or open it again; nothing of it is forgotten."""
    _change(connection, login, {"active": active})
    if not active:
        connection.execute(sa.delete(SESSION).where(SESSION.c.login == login))
    record(connection, "opened" if active else "closed", login, actor=actor)


def unlock(connection: sa.Connection, login: str, *, actor: str) -> None:
    """Let an account be tried again at once that too many attempts had locked."""
    find(connection, login)
    attempts.forget(connection, login)
    record(connection, "unlocked", login, actor=actor)


def reset_password(connection: sa.Connection, login: str, *, actor: str, lasting: dt.timedelta = ONE_TIME) -> str:
    """A new one-time password, which must be changed at the first use; its sessions and its second factor end."""
    password = one_time()
    nothing = {"totp": None, "totp_since": None, "totp_step": None}
    given = {"hash": hashed_random(password), "must_change": True, "one_time_until": until(lasting)}
    _change(connection, login, {**given, "password_at": None, **nothing})
    for table in (SESSION, RECOVERY_CODE):
        connection.execute(sa.delete(table).where(table.c.login == login))
    attempts.forget(connection, login)
    record(connection, "password_reset", login, actor=actor)
    return password


def set_password(connection: sa.Connection, login: str, password: str, *, session: str, now: dt.datetime) -> None:
    """The account's own new password, which ends all its sessions but the one with the digest `session`."""
    check_password(password, login=login)
    _change(
        connection, login, {"hash": hashed(password), "must_change": False, "one_time_until": None, "password_at": now}
    )
    connection.execute(sa.delete(SESSION).where(SESSION.c.login == login, SESSION.c.digest != session))
    record(connection, "password_changed", login, actor=login)


def first_accounts(connection: sa.Connection, *, lasting: dt.timedelta = ONE_TIME) -> dict[str, str]:
    """The one-time passwords of the first accounts by login, made now, when there is no account at all; else none."""
    if connection.scalar(sa.select(sa.exists().select_from(ACCOUNT))):
        return {}
    made = {}
    for login, (name, role) in FIRST.items():
        made[login] = make_account(connection, login=login, name=name, actor="system", lasting=lasting)
        grant(connection, login, roles=[role], scope=Scope(None, None), actor="system")
    return made


def _change(connection: sa.Connection, login: str, values: Mapping[str, Any]) -> None:
    changed = connection.execute(sa.update(ACCOUNT).where(ACCOUNT.c.login == login).values(values))
    if changed.rowcount == 0:
        raise UnknownAccount(login)
