"""Signing in and out; who one is, with which rights; the own password, sessions and second factor."""

from __future__ import annotations

import io
from typing import Annotated, Any, TypeVar

import segno
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StringConstraints

from api.deps import HolderDep, ServiceDep
from api.service import Service
from layers.errors import BadField, NotAllowed, WrongLogin
from layers.people import attempts, totp
from layers.people.access import ANYONE, rights
from layers.people.accounts import Account, listed, set_password
from layers.people.exercises import ID_PATTERN, Exercise, enter, find_exercise
from layers.people.holders import Holder
from layers.people.passwords import MOST
from layers.people.sessions import Session, digest_of, end, revoke, sessions_of
from layers.people.signin import Attempt, check, sign_in
from layers.store.engine import begin

router = APIRouter(prefix="/session", tags=["people"])
SessionId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="id of a session")]
_Login = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=64)]
_Password = Annotated[str, StringConstraints(min_length=1, max_length=MOST)]
_Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=6, max_length=40)]
FRESH = {"Cache-Control": "no-store"}


Answer = TypeVar("Answer", bound=Response)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignIn(_Strict):
    """A login name, its password, and a code where the account has a second factor."""

    login: _Login
    password: _Password
    code: _Code | None = None


class NewPassword(_Strict):
    """The password now, and the one from now on."""

    old: _Password
    new: Annotated[str, StringConstraints(max_length=1_000)]


class Code(_Strict):
    """A code of the second factor."""

    code: _Code


class Proof(_Strict):
    """The password, which shows that the owner still sits there."""

    password: _Password


class Entry(_Strict):
    """The exercise that a session is in from now on; null is reality."""

    id: Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$")] | None


@router.post("")
def begin_session(body: SignIn, request: Request, service: ServiceDep) -> JSONResponse:
    """Sign in: the session's secret goes into a cookie that pages cannot read."""
    door = service.door
    door.ways.refuse_foreign(request.scope)
    attempt = _attempt(service, request, body.login, body.password, body.code)
    secret = sign_in(service.writer, attempt, keyring=service.keyring, now=door.now(), policy=door.policy)
    return with_cookie(JSONResponse({"login": body.login}, headers=FRESH), request, service, secret)


@router.get("")
def session(service: ServiceDep, holder: HolderDep) -> JSONResponse:
    """Who asks, with which roles and rights, for which areas and departments, and what they have to do first."""
    actor = holder.actor
    told: dict[str, Any] = {
        "actor": None if actor == ANYONE else actor.name,
        "name": None if holder.account is None else holder.account.name,
        "roles": sorted(actor.roles),
        "titles": {name: title._asdict() for name, title in holder.titles.items()},
        "areas": listed(actor.scope.areas),
        "departments": listed(actor.scope.departments),
        "rights": sorted(rights(actor)),
        "due": actor.due,
        "exercise": None if holder.exercise is None else told_exercise(holder.exercise),
        "account": None if holder.account is None else _of_account(holder.account),
        "secondFactor": service.settings.second_factor,
        "provider": service.settings.oidc_name if service.settings.oidc_issuer else None,
    }
    return JSONResponse(told, headers=FRESH)


@router.delete("", status_code=204)
def end_session(request: Request, service: ServiceDep) -> Response:
    """Sign out; who is not signed in is so already."""
    door = service.door
    secret = door.secret(request.scope)
    answer = Response(status_code=204, headers=FRESH)
    if secret is None:
        return answer
    door.ways.refuse_forged(request.scope)
    with begin(service.writer, actor="anyone") as connection:
        end(connection, secret)
    door.forget()
    answer.delete_cookie(
        door.ways.cookie(request.scope), secure=door.ways.secure(request.scope), httponly=True, samesite="strict"
    )
    return answer


@router.put("/password", status_code=204)
def change_password(body: NewPassword, request: Request, service: ServiceDep, holder: HolderDep) -> Response:
    """Choose a new password; all other sessions of the account end."""
    account, secret = _own(service, request, holder)
    if body.new == body.old:
        raise BadField({"new": "the new password is the old one"}).because("password_same")
    _prove(service, request, account, body.old)
    with begin(service.writer, actor=account.login) as connection:
        set_password(connection, account.login, body.new, session=digest_of(secret), now=service.door.now())
    service.door.forget()
    return Response(status_code=204, headers=FRESH)


@router.put("/exercise")
def enter_exercise(body: Entry, request: Request, service: ServiceDep, holder: HolderDep) -> JSONResponse:
    """Put this session into an exercise, or (null) back into what really happens; other sessions stay."""
    account, secret = _own(service, request, holder)
    with begin(service.writer, actor=account.login) as connection:
        enter(connection, digest_of(secret), body.id, actor=holder.actor)
        exercise = None if body.id is None else find_exercise(connection, body.id)
    service.door.forget()
    return JSONResponse({"exercise": None if exercise is None else told_exercise(exercise)}, headers=FRESH)


@router.get("/all")
def own_sessions(request: Request, service: ServiceDep, holder: HolderDep) -> JSONResponse:
    """Where one is signed in, the latest first."""
    account, secret = _own(service, request, holder)
    with service.tokens.connect() as connection:
        found = sessions_of(connection, account.login, now=service.door.now(), lasting=service.door.policy.lasting)
    told = [{**told_of(one), "here": one.digest == digest_of(secret)} for one in found]
    return JSONResponse({"sessions": told}, headers=FRESH)


@router.delete("/all/{id}", status_code=204)
def revoke_own(id: SessionId, request: Request, service: ServiceDep, holder: HolderDep) -> Response:
    """End one of one's sessions."""
    account, _ = _own(service, request, holder)
    with begin(service.writer, actor=account.login) as connection:
        revoke(connection, id, login=account.login, actor=account.login)
    service.door.forget()
    return Response(status_code=204, headers=FRESH)


@router.post("/second-factor", status_code=201)
def enrol(body: Proof, request: Request, service: ServiceDep, holder: HolderDep) -> JSONResponse:
    """A secret for an authenticator, as a picture and in letters; it counts when a first code has proved it."""
    account, _ = _own(service, request, holder)
    _prove(service, request, account, body.password)
    with begin(service.writer, actor=account.login) as connection:
        secret = totp.enrol(connection, account.login, keyring=service.keyring)
    address = totp.address_of(secret, account.login)
    drawn = io.BytesIO()
    segno.make(address, micro=False).save(drawn, kind="svg", scale=4, border=2, xmldecl=False)
    told = {"secret": secret, "uri": address, "picture": drawn.getvalue().decode()}
    return JSONResponse(told, 201, headers=FRESH)


@router.put("/second-factor")
def prove(body: Code, request: Request, service: ServiceDep, holder: HolderDep) -> JSONResponse:
    """The first code; from now on one is asked for. The recovery codes are told only this once."""
    account, _ = _own(service, request, holder)
    now = service.door.now()
    with begin(service.writer, actor=account.login) as connection:
        codes = totp.prove(connection, account.login, body.code, keyring=service.keyring, now=now)
    service.door.forget()
    return JSONResponse({"recovery": codes}, headers=FRESH)


@router.delete("/second-factor", status_code=204)
def remove(body: Proof, request: Request, service: ServiceDep, holder: HolderDep) -> Response:
    """Ask for no code any more, unless the city requires one."""
    account, _ = _own(service, request, holder)
    if service.door.policy.second_factor:
        raise NotAllowed("this city requires a second factor", known=True).because("second_factor_required")
    _prove(service, request, account, body.password)
    with begin(service.writer, actor=account.login) as connection:
        totp.remove(connection, account.login, actor=account.login)
    service.door.forget()
    return Response(status_code=204, headers=FRESH)


def with_cookie(answer: Answer, request: Request, service: Service, secret: str) -> Answer:
    """The answer with the session's cookie."""
    ways, lasting = service.door.ways, service.door.policy.lasting
    answer.set_cookie(
        ways.cookie(request.scope),
        secret,
        max_age=int(lasting.whole.total_seconds()),
        path="/",
        secure=ways.secure(request.scope),
        httponly=True,
        samesite="strict",
    )
    return answer


def told_exercise(exercise: Exercise) -> dict[str, Any]:
    """An exercise as those who may join it are told of it."""
    closed = None if exercise.closed_at is None else exercise.closed_at.isoformat()
    return {
        "id": exercise.id, "title": exercise.title, "note": exercise.note, "area": exercise.area,
        "roles": sorted(exercise.roles), "openedAt": exercise.opened_at.isoformat(),
        "openedBy": exercise.opened_by, "closedAt": closed, "closedBy": exercise.closed_by,
    }  # fmt: skip


def told_of(session: Session) -> dict[str, Any]:
    """A session as it is told."""
    times = {"begun": session.made_at, "seen": session.seen_at, "ends": session.ends_at}
    return {
        "id": session.id, **{name: at.isoformat() for name, at in times.items()}, "address": session.address,
        "agent": session.agent, "by": session.by,
    }  # fmt: skip


def _own(service: Service, request: Request, holder: Holder) -> tuple[Account, str]:
    """The account that is signed in, and the secret of its session; NotAllowed for those who came with a token."""
    secret = service.door.secret(request.scope)
    if holder.account is None or secret is None:
        raise NotAllowed("this is for those who signed in with an account", known=True).because("no_account")
    return holder.account, secret


def _prove(service: Service, request: Request, account: Account, password: str) -> None:
    """Return when this is the account's password; BadField otherwise. Attempts are counted as those to sign in are."""
    attempt = _attempt(service, request, account.login, password, None)
    try:
        check(service.writer, attempt, now=service.door.now(), limits=service.door.policy.limits)
    except WrongLogin:
        raise BadField({"password": "this is not the password"}).because("password_wrong") from None
    with begin(service.writer, actor=account.login) as connection:
        attempts.take_back(connection, login=attempt.login, address=attempt.address)


def _attempt(service: Service, request: Request, login: str, password: str, code: str | None) -> Attempt:
    agent = request.headers.get("user-agent", "")
    return Attempt(login, password, code, service.door.ways.address(request.scope), agent)


def _of_account(account: Account) -> dict[str, Any]:
    return {"secondFactor": account.second_factor, "outside": account.outside}
