"""People for the tests: accounts with roles, and pages that are signed in to them."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from layers.people.access import EVERYWHERE, Scope
from layers.people.accounts import grant, listed, make_account
from layers.people.passwords import hashed
from layers.people.sessions import digest_of
from layers.people.tables import ACCOUNT, API_KEY
from layers.store.engine import begin
from tests.conftest import Server

PASSWORD = "Tongzhou-Bay-2026"
_numbers = itertools.count()


def person(server: Server, *roles: str, scope: Scope = EVERYWHERE) -> str:
    """The login of a new account with these roles and the PASSWORD."""
    login = f"p{os.getpid()}.{next(_numbers)}"
    with begin(server.database.engine, actor="test") as connection:
        make_account(connection, login=login, name=f"测试 {login}", actor="test")
        grant(connection, login, roles=roles, scope=scope, actor="test")
        connection.execute(ACCOUNT.update().where(ACCOUNT.c.login == login).values(hash=_HASH, must_change=False))
    return login


_HASH = hashed(PASSWORD)


def key_of(server: Server, *roles: str, scope: Scope = EVERYWHERE) -> dict[str, str]:
    """The headers of a machine that has a key with these roles."""
    secret = secrets.token_urlsafe(32)
    values = {
        "digest": digest_of(secret), "title": "test", "roles": list(roles), "areas": listed(scope.areas),
        "departments": listed(scope.departments), "ends_at": dt.datetime.now(dt.UTC) + dt.timedelta(days=1),
    }  # fmt: skip
    with begin(server.database.engine, actor="test") as connection:
        connection.execute(API_KEY.insert().values(values))
    return {"Authorization": f"Bearer {secret}"}


def page(server: Server) -> httpx.Client:
    """A browser's page of this server: with a cookie jar, and the headers that a page sends."""
    return httpx.Client(
        base_url=server.url, headers={"Origin": server.url, "Sec-Fetch-Site": "same-origin"}, timeout=30
    )


@contextmanager
def signed_in(server: Server, login: str, password: str = PASSWORD) -> Iterator[httpx.Client]:
    """A page that is signed in."""
    with page(server) as client:
        answer = client.post("/session", json={"login": login, "password": password})
        assert answer.status_code == 200, answer.text
        yield client
