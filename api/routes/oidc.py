"""Signing in at the city's provider of OpenID Connect: the way out, and the way back."""

from __future__ import annotations

from html import escape
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.deps import ServiceDep
from api.routes.session import FRESH, with_cookie
from api.service import Service
from layers.errors import LayersError, NotSignedIn
from layers.people.outside import VISIT, House, come_back, send_out
from layers.people.sessions import open_session
from layers.store.engine import begin

router = APIRouter(prefix="/session/oidc", tags=["people"])
_HELD: Final = "chengtu-oidc"
_PATH: Final = "/session/oidc"
_Text = Annotated[str | None, Query(max_length=4_096)]
# A page and no redirection: what a redirection from another site leads to is not sent our strict cookie.
_PAGE: Final = (
    '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>城图 Chengtu</title>{head}'
    '<p>{zh} {en}</p><p><a href="/">城图 Chengtu</a></p></html>'
)


@router.get("", response_class=Response, responses={303: {"description": "to the provider"}})
def go(request: Request, service: ServiceDep) -> Response:
    """To the provider, which sends people back."""
    visit = send_out(service.writer, _house(service), now=service.door.now())
    answer = RedirectResponse(visit.address, 303, headers=FRESH)
    answer.set_cookie(
        _HELD,
        visit.state,
        max_age=int(VISIT.total_seconds()),
        path=_PATH,
        secure=service.door.ways.secure(request.scope),
        httponly=True,
        samesite="lax",  # it has to come along when the provider sends the browser back
    )
    return answer


@router.get("/back", response_class=HTMLResponse)
def back(
    request: Request, service: ServiceDep, state: _Text = None, code: _Text = None, error: _Text = None
) -> Response:
    """From the provider: signed in, or told why not."""
    try:
        if error is not None or state is None or code is None:
            raise NotSignedIn("the provider did not sign you in").because("oidc_token")
        held, now = request.cookies.get(_HELD), service.door.now()
        login = come_back(service.writer, _house(service), state=state, held=held, code=code, now=now)
    except LayersError as refused:
        return HTMLResponse(_page("登录没有完成：", f"Signing in did not succeed: {refused}."), 401, headers=FRESH)
    address, agent = service.door.ways.address(request.scope), request.headers.get("user-agent", "")
    lasting = service.door.policy.lasting
    with begin(service.writer, actor=login) as connection:
        secret = open_session(
            connection, login, by="provider", address=address, agent=agent, now=now, lasting=lasting
        )  # fmt: skip
    head = '<meta http-equiv="refresh" content="0;url=/">'
    answer = HTMLResponse(_page("已登录，正在打开", "Signed in.", head), headers=FRESH)
    with_cookie(answer, request, service, secret)
    answer.delete_cookie(_HELD, path=_PATH)
    return answer


def _page(zh: str, en: str, head: str = "") -> str:
    return _PAGE.format(head=head, zh=escape(zh), en=escape(en))


def _house(service: Service) -> House:
    if service.house is None:
        raise NotSignedIn("this city has no provider to sign in at").because("oidc_away")
    return service.house
