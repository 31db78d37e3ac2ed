"""Accounts and roles: made, shown, closed, given roles and a scope; by those who may, and never one's own."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.deps import ActorDep, ServiceDep
from api.routes.session import FRESH, told_of
from api.service import Service
from layers.errors import NotAllowed, UnknownRole
from layers.people import accounts as people
from layers.people.access import Actor, Scope, has
from layers.people.accounts import LOGIN_PATTERN, Account, listed
from layers.people.attempts import locked
from layers.people.roles import (
    INTERNAL,
    NAME_PATTERN,
    RIGHTS,
    SEPARATE,
    Role,
    forget_own_role,
    put_role,
    rights_of,
    roles_now,
    shipped_roles,
)
from layers.people.sessions import revoke_all, sessions_of
from layers.people.tables import ACCOUNT_EVENT
from layers.spec import Title
from layers.store.engine import begin

router = APIRouter(tags=["people"])
Login = Annotated[str, Path(pattern=f"^{LOGIN_PATTERN}$", description="login name of an account")]
RoleName = Annotated[str, Path(pattern=f"^{NAME_PATTERN}$", description="name of a role, see /roles")]
_Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")
]
_Codes = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=40)]], Field(max_length=200)]
_MOST_EVENTS = 200


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewAccount(_Strict):
    """An account that may nothing until roles are granted."""

    login: Annotated[str, StringConstraints(pattern=f"^{LOGIN_PATTERN}$")]
    name: _Word


class AccountChange(_Strict):
    """What is to be different; what is not named stays."""

    name: _Word | None = None
    active: bool | None = None


class Grant(_Strict):
    """The roles and the scope that an account has from now on; null is all areas, or all departments."""

    roles: Annotated[list[Annotated[str, StringConstraints(max_length=41)]], Field(max_length=20)]
    areas: _Codes | None
    departments: _Codes | None

    def scope(self) -> Scope:
        """The scope."""
        return Scope(*(None if part is None else frozenset(part) for part in (self.areas, self.departments)))


class RoleChange(_Strict):
    """A role as it is from now on."""

    zh: _Word
    en: _Word
    rights: Annotated[list[Annotated[str, StringConstraints(max_length=60)]], Field(max_length=100)]


@router.get("/accounts")
def list_accounts(
    service: ServiceDep,
    _: ActorDep,
    after: Annotated[str, Query(max_length=64)] = "",
    q: Annotated[str, Query(max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> JSONResponse:
    """Accounts by login name, those after `after`; with `q` those that have it in their login or shown name."""
    with service.tokens.connect() as connection:
        found = people.accounts(connection, after=after, limit=limit, text=q.strip())
        told = _all_told(connection, service, found)
    more = found[-1].login if len(found) == limit else None
    return JSONResponse({"accounts": told, "after": more}, headers=FRESH)


@router.post("/accounts", status_code=201)
def make_account(body: NewAccount, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Make an account; its one-time password is told only here."""
    with begin(service.writer, actor=actor.name) as connection:
        password = people.make_account(
            connection, login=body.login, name=body.name, actor=actor.name, lasting=service.door.policy.one_time
        )
    told = {"login": body.login, "password": password}
    return JSONResponse(told, 201, headers={**FRESH, "Location": f"/accounts/{body.login}"})


@router.get("/accounts/{login}")
def one_account(login: Login, service: ServiceDep, _: ActorDep) -> JSONResponse:
    """One account."""
    with service.tokens.connect() as connection:
        return JSONResponse(_told(connection, service, people.find(connection, login)), headers=FRESH)


@router.patch("/accounts/{login}")
def change_account(login: Login, body: AccountChange, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Show an account under another name, close it, or open it again."""
    with begin(service.writer, actor=actor.name) as connection:
        _refuse_unless_over(connection, actor, login)
        if body.name is not None:
            people.rename(connection, login, body.name, actor=actor.name)
        if body.active is not None:
            people.set_active(connection, login, actor=actor.name, active=body.active)
        told = _told(connection, service, people.find(connection, login))
    service.door.forget()
    return JSONResponse(told, headers=FRESH)


@router.put("/accounts/{login}/grant")
def grant(login: Login, body: Grant, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Give an account these roles and this scope; nobody does so for their own."""
    with begin(service.writer, actor=actor.name) as connection:
        _refuse_unless_over(connection, actor, login)
        people.grant(connection, login, roles=body.roles, scope=body.scope(), actor=actor.name)
        told = _told(connection, service, people.find(connection, login))
    service.door.forget()
    return JSONResponse(told, headers=FRESH)


@router.post("/accounts/{login}/password", status_code=201)
def reset_password(login: Login, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """A new one-time password; the sessions and the second factor of the account end."""
    with begin(service.writer, actor=actor.name) as connection:
        _refuse_unless_over(connection, actor, login)
        password = people.reset_password(connection, login, actor=actor.name, lasting=service.door.policy.one_time)
    service.door.forget()
    return JSONResponse({"login": login, "password": password}, 201, headers=FRESH)


@router.delete("/accounts/{login}/lock", status_code=204)
def unlock(login: Login, service: ServiceDep, actor: ActorDep) -> Response:
    """Let an account be tried again that too many attempts had locked."""
    with begin(service.writer, actor=actor.name) as connection:
        _refuse_unless_over(connection, actor, login)
        people.unlock(connection, login, actor=actor.name)
    return Response(status_code=204, headers=FRESH)


@router.get("/accounts/{login}/sessions")
def sessions(login: Login, service: ServiceDep, _: ActorDep) -> JSONResponse:
    """Where the account is signed in."""
    door = service.door
    with service.tokens.connect() as connection:
        people.find(connection, login)
        found = sessions_of(connection, login, now=door.now(), lasting=door.policy.lasting)
    return JSONResponse({"sessions": [told_of(one) for one in found]}, headers=FRESH)


@router.delete("/accounts/{login}/sessions")
def revoke_sessions(login: Login, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Sign an account out everywhere; answers how many sessions that ended."""
    with begin(service.writer, actor=actor.name) as connection:
        people.find(connection, login)
        ended = revoke_all(connection, login, actor=actor.name)
    service.door.forget()
    return JSONResponse({"ended": ended}, headers=FRESH)


@router.get("/accounts/{login}/events")
def events(login: Login, service: ServiceDep, _: ActorDep) -> JSONResponse:
    """What was done to an account and when it signed in, the latest first."""
    table = ACCOUNT_EVENT
    columns = (table.c.at, table.c.event, table.c.actor, table.c.address, table.c.facts)
    found = sa.select(*columns).where(table.c.about == login).order_by(table.c.id.desc()).limit(_MOST_EVENTS)
    with service.tokens.connect() as connection:
        people.find(connection, login)
        rows = [dict(row) for row in connection.execute(found).mappings()]
    return JSONResponse(jsonable_encoder({"events": rows}), headers=FRESH)


@router.get("/roles")
def roles(service: ServiceDep, _: ActorDep) -> JSONResponse:
    """Every role with its rights, and every right with its words."""
    with service.tokens.connect() as connection:
        found = roles_now(connection)
    told = [_of_role(role) for role in found.values()]
    words = [{"right": right, **title._asdict()} for right, title in RIGHTS.items()]
    return JSONResponse({"roles": told, "rights": words}, headers=FRESH)


@router.put("/roles/{name}")
def change_role(name: RoleName, body: RoleChange, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Make a role, or change what it may; nobody does so for a role of their own."""
    _refuse_own_role(actor, name)
    role = Role(name, Title(body.zh, body.en), frozenset(body.rights), own=True)
    with begin(service.writer, actor=actor.name) as connection:
        put_role(connection, role)
        people.record(connection, "role_changed", name, actor=actor.name, rights=sorted(role.rights))
    service.door.forget()
    return JSONResponse(_of_role(role), headers=FRESH)


@router.delete("/roles/{name}", status_code=204)
def forget_role(name: RoleName, service: ServiceDep, actor: ActorDep) -> Response:
    """Let a role be as it ships again; one that the city made is no more."""
    _refuse_own_role(actor, name)
    with begin(service.writer, actor=actor.name) as connection:
        if not forget_own_role(connection, name):
            raise UnknownRole(name)
        people.record(connection, "role_forgotten", name, actor=actor.name)
    service.door.forget()
    return Response(status_code=204, headers=FRESH)


def _refuse_unless_over(connection: sa.Connection, actor: Actor, login: str) -> None:
    """NotAllowed for one's own account, and, without the right to grant roles, for those of other administrators."""
    if login == actor.name:
        raise NotAllowed("nobody changes their own account", known=True).because("own_account")
    held = rights_of(people.find(connection, login).roles, roles_now(connection))
    if SEPARATE & held and not has(actor, "role.edit"):
        told = "accounts of administrators and auditors are changed by the security administrator"
        raise NotAllowed(told, known=True).because("administrators_account")


def _refuse_own_role(actor: Actor, name: str) -> None:
    if name in actor.roles:
        raise NotAllowed("nobody changes a role of their own", known=True).because("own_role")


def _told(connection: sa.Connection, service: Service, account: Account) -> dict[str, Any]:
    return _all_told(connection, service, [account])[0]


def _all_told(connection: sa.Connection, service: Service, found: list[Account]) -> list[dict[str, Any]]:
    door = service.door
    shut = locked(connection, [one.login for one in found], now=door.now(), limits=door.policy.limits)
    return [_of_account(one, shut.get(one.login)) for one in found]


def _of_account(account: Account, locked_until: dt.datetime | None) -> dict[str, Any]:
    times: dict[str, Any] = jsonable_encoder({
        "madeAt": account.made_at, "passwordAt": account.password_at, "signedInAt": account.signed_in_at,
        "oneTimeUntil": account.one_time_until, "lockedUntil": locked_until,
    })  # fmt: skip
    return {
        "login": account.login, "name": account.name, "roles": sorted(account.roles),
        "areas": listed(account.scope.areas), "departments": listed(account.scope.departments),
        "active": account.active, "mustChange": account.must_change, "secondFactor": account.second_factor,
        "outside": account.outside, **times,
    }  # fmt: skip


def _of_role(role: Role) -> dict[str, Any]:
    ships = shipped_roles().get(role.name)
    return {
        "name": role.name, "title": role.title._asdict(), "rights": sorted(role.rights), "own": role.own,
        "shipped": None if ships is None else sorted(ships.rights), "internal": role.name in INTERNAL,
    }  # fmt: skip
