"""Accounts that sign in at a provider of OpenID Connect: the visit there, and whose account it is that comes back."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from layers.errors import NotSignedIn
from layers.people.accounts import LOGIN_PATTERN, RESERVED, grant, record, room_for, scope_of
from layers.people.provider import Provider
from layers.people.sessions import digest_of
from layers.people.tables import ACCOUNT, OIDC_VISIT
from layers.store.engine import begin

VISIT: Final = dt.timedelta(minutes=10)
_MOST_NAME: Final = 60


@dataclass(frozen=True)
class House:
    """The city's rules for whom a provider sends: which roles a claim gives, and whether accounts are made for them."""

    provider: Provider
    claim: str = "roles"  # `realm_access.roles` is looked for inside of `realm_access`
    roles: Mapping[str, str] = field(default_factory=dict)  # by what the claim says
    makes_accounts: bool = False


@dataclass(frozen=True)
class Visit:
    """Where a person is sent, and what their browser has to bring back."""

    address: str
    state: str


def send_out(writer: sa.Engine, house: House, *, now: dt.datetime) -> Visit:
    """Begin a visit to the provider; NotSignedIn when it cannot be reached."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    address = house.provider.address(state=state, nonce=nonce, verifier=verifier)
    table = OIDC_VISIT
    with begin(writer, actor="anyone") as connection:
        connection.execute(sa.delete(table).where(table.c.began <= now - VISIT))
        values = {"state": digest_of(state), "nonce": nonce, "verifier": verifier, "began": now}
        connection.execute(sa.insert(table).values(values))
    return Visit(address, state)


def come_back(writer: sa.Engine, house: House, *, state: str, held: str | None, code: str, now: dt.datetime) -> str:
    """The login of whoever comes back from the provider with this code, once.

    `held` is what their browser kept of the visit. NotSignedIn for anybody else, and for those without an account here.
    """
    table = OIDC_VISIT
    if held is None or not secrets.compare_digest(held.encode(), state.encode()):
        raise NotSignedIn("this browser was not sent to the provider").because("oidc_state")
    with begin(writer, actor="anyone") as connection:
        visit = sa.delete(table).where(table.c.state == digest_of(state), table.c.began > now - VISIT)
        row = connection.execute(visit.returning(table.c.nonce, table.c.verifier)).first()
    if row is None:
        raise NotSignedIn("the visit to the provider is over").because("oidc_state")
    claims = house.provider.claims(code=code, verifier=row.verifier, nonce=row.nonce)
    with begin(writer, actor="oidc") as connection:
        return _account(connection, house, claims)


def _account(connection: sa.Connection, house: House, claims: Mapping[str, Any]) -> str:
    issuer, subject = house.provider.client.issuer, str(claims["sub"])
    # By issuer and subject alone: a name that is the same here and there proves nothing.
    mine = sa.select(*ACCOUNT.c).where(ACCOUNT.c.issuer == issuer, ACCOUNT.c.subject == subject)
    row = connection.execute(mine.with_for_update()).first()
    if row is None:
        _make(connection, house, claims, issuer, subject)
        row = connection.execute(mine).one()
    if not row.active:
        raise NotSignedIn("the account is closed").because("oidc_no_account")
    roles = _roles(claims, house)
    if house.roles and roles != set(row.roles):
        grant(connection, row.login, roles=roles, scope=scope_of(row), actor="oidc")
    return str(row.login)


def _make(connection: sa.Connection, house: House, claims: Mapping[str, Any], issuer: str, subject: str) -> None:
    login = str(claims.get("preferred_username") or "").lower()
    if not house.makes_accounts or not re.fullmatch(LOGIN_PATTERN, login) or login in RESERVED:
        raise NotSignedIn("there is no account here for you").because("oidc_no_account")
    room_for(connection, login)
    name = re.sub(r"[\x00-\x1f\x7f]+", " ", str(claims.get("name") or login))[:_MOST_NAME]
    values = {"login": login, "name": name, "issuer": issuer, "subject": subject}
    connection.execute(sa.insert(ACCOUNT).values(values))
    record(connection, "account_made", login, actor="oidc", name=name)


def _roles(claims: Mapping[str, Any], house: House) -> set[str]:
    found: Any = claims
    for part in house.claim.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    told = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return {house.roles[one] for one in told if isinstance(one, str) and one in house.roles}
