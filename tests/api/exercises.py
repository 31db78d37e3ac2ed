"""Exercises for tests: opened over HTTP, with pages and keys that are in them."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

import httpx

from layers.people.access import EVERYWHERE, Scope
from layers.people.accounts import listed
from layers.people.sessions import digest_of
from layers.people.tables import API_KEY
from layers.store.engine import begin
from tests.api.people import key_of
from tests.conftest import Server


def opened(server: Server, title: str = "防汛演练", **more: Any) -> dict[str, Any]:
    """An exercise that a drill director just opened."""
    director = key_of(server, "director")
    answer = httpx.post(f"{server.url}/exercises", headers=director, json={"title": title, **more}, timeout=30)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def closed(server: Server, id: str) -> None:
    """Close it, as the director."""
    answer = httpx.post(f"{server.url}/exercises/{id}/close", headers=key_of(server, "director"), timeout=30)
    assert answer.status_code == 200, answer.text


def key_within(server: Server, id: str, *roles: str, scope: Scope = EVERYWHERE) -> dict[str, str]:
    """The headers of a machine whose key is for this exercise alone."""
    secret = secrets.token_urlsafe(32)
    values = {
        "digest": digest_of(secret), "title": "test", "roles": list(roles), "areas": listed(scope.areas),
        "departments": listed(scope.departments), "ends_at": dt.datetime.now(dt.UTC) + dt.timedelta(days=1),
        "exercise": id,
    }  # fmt: skip
    with begin(server.database.engine, actor="test") as connection:
        connection.execute(API_KEY.insert().values(values))
    return {"Authorization": f"Bearer {secret}"}


def join(page: httpx.Client, id: str | None) -> httpx.Response:
    """Let a page that is signed in enter an exercise, or leave."""
    return page.put("/session/exercise", json={"id": id})
