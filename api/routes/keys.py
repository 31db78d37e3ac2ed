"""Keys of machines: made, listed, revoked; each may at most what whoever made it may."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.deps import ActorDep, ServiceDep
from api.routes.session import FRESH
from layers.people.access import Actor, Scope, has
from layers.people.accounts import listed
from layers.people.exercises import ID_PATTERN
from layers.people.machines import MOST_DAYS, Key, keys, make_key, revoke_key
from layers.store.engine import begin

router = APIRouter(prefix="/keys", tags=["people"])
_Codes = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=40)]], Field(max_length=200)]


class NewKey(BaseModel):
    """A key with some of one's roles, for some of one's areas and departments (null: all), maybe for one exercise."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    roles: Annotated[list[Annotated[str, StringConstraints(max_length=41)]], Field(min_length=1, max_length=20)]
    areas: _Codes | None = None
    departments: _Codes | None = None
    days: int = Field(365, ge=1, le=MOST_DAYS)
    exercise: Annotated[str, Field(pattern=f"^{ID_PATTERN}$")] | None = None

    def scope(self) -> Scope:
        """The scope."""
        return Scope(*(None if part is None else frozenset(part) for part in (self.areas, self.departments)))


@router.get("")
def list_keys(service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """The keys that open something: one's own, of administrators all."""
    with service.tokens.connect() as connection:
        found = keys(connection, login=_whose(actor), now=service.door.now())
    return JSONResponse({"keys": [_told(one) for one in found]}, headers=FRESH)


@router.post("", status_code=201)
def make(body: NewKey, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Make a key; its secret is told only here."""
    with begin(service.writer, actor=actor.name) as connection:
        key, secret = make_key(
            connection,
            actor,
            title=body.title,
            roles=body.roles,
            scope=body.scope(),
            days=body.days,
            exercise=body.exercise,
            now=service.door.now(),
        )
    return JSONResponse({**_told(key), "key": secret}, 201, headers=FRESH)


@router.delete("/{number}", status_code=204)
def revoke(
    number: Annotated[int, Path(ge=1, lt=2**63, description="number of a key")], service: ServiceDep, actor: ActorDep
) -> Response:
    """Let a key open nothing any more."""
    with begin(service.writer, actor=actor.name) as connection:
        revoke_key(connection, number, login=_whose(actor), actor=actor.name, now=service.door.now())
    service.door.forget()
    return Response(status_code=204, headers=FRESH)


def _whose(actor: Actor) -> str | None:
    """Whose keys somebody sees and revokes: those of all, or one's own."""
    return None if has(actor, "account.edit") or has(actor, "role.edit") else actor.name


def _told(key: Key) -> dict[str, Any]:
    return {
        "id": key.id, "title": key.title, "login": key.login, "roles": sorted(key.roles),
        "areas": listed(key.scope.areas), "departments": listed(key.scope.departments),
        "exercise": key.exercise, "madeAt": key.made_at.isoformat(), "endsAt": key.ends_at.isoformat(),
    }  # fmt: skip
