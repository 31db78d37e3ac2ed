"""Every route, asked as every role: who may enter is what the roles' data says, and no route is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from api.rights import NEEDED, OPEN, OWN
from layers.people.access import new_kiosk_token
from layers.people.roles import is_right, shipped_roles
from layers.store.engine import begin
from tests.api.people import key_of
from tests.conftest import Server

ROLES = shipped_roles()
# What stands for the parts of a path: nothing that is there, but for the layer, whose records are not touched.
PARTS = {"name": "component", "number": "999999999", "login": "nobody.is.called.this", "format": "csv"}
VISITOR = "visitor"


@pytest.fixture(scope="module")
def keys(server: Server) -> dict[str, dict[str, str]]:
    """What each role presents; a visitor presents nothing."""
    with begin(server.database.engine, actor="test") as connection:
        kiosk = {"Authorization": f"Bearer {new_kiosk_token(connection)}"}
    return {VISITOR: {}} | {name: key_of(server, name) for name in ROLES} | {"kiosk": kiosk}


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as made:
        yield made


def operations(client: httpx.Client) -> set[str]:
    paths = client.get("/openapi.json").json()["paths"]
    return {f"{method.upper()} {path}" for path, ways in paths.items() for method in ways}


def expected(role: str, needed: str | tuple[str, ...]) -> bool:
    """By the roles' data alone, and not as the server finds it."""
    if needed == OPEN:
        return True
    if needed == OWN:
        return role != VISITOR
    rights = ROLES[role].rights if role in ROLES else frozenset[str]()
    wanted = {needed} if isinstance(needed, str) else set(needed)
    return any(right.partition(":")[0] in wanted for right in rights)


def test_no_route_is_forgotten(client: httpx.Client) -> None:
    assert operations(client) == set(NEEDED), "a line in api/rights.py for each route, and a route for each line"


def test_what_a_route_needs_is_a_right_that_some_role_has() -> None:
    held = {right.partition(":")[0] for role in ROLES.values() for right in role.rights}
    for route, needed in NEEDED.items():
        for right in (needed,) if isinstance(needed, str) else needed:
            assert right in (OPEN, OWN) or (is_right(right) and right in held), route


@pytest.mark.parametrize("role", [VISITOR, *ROLES])
def test_a_role_enters_where_its_rights_let_it_and_nowhere_else(
    client: httpx.Client, keys: dict[str, dict[str, str]], role: str
) -> None:
    made = []
    for route in sorted(operations(client) & set(NEEDED)):
        method, path = route.split(" ")
        address = re.sub(r"{(\w+)}", lambda part: PARTS.get(part[1], "1"), path)
        sent = b"" if method in ("GET", "DELETE") else b"{}"
        kind = {"Content-Type": "application/json"} if sent else {}
        answer = client.request(method, address, headers={**keys[role], **kind}, content=sent)
        told = f"{route} as {role}: {answer.status_code} {answer.text[:200]}"
        assert answer.status_code < 500, told
        # Others come from within: a wrong password, no provider to go to.
        refused = answer.status_code in (401, 403) and '"code":"not_allowed"' in answer.text
        if expected(role, NEEDED[route]):
            # A key has no password and no sessions: those routes let it in and have nothing for it.
            assert not refused or '"cause":"no_account"' in answer.text, told
        else:
            assert refused, told
            assert answer.status_code == (401 if role == VISITOR else 403), told
        if route == "POST /uploads" and answer.status_code == 201:
            made.append(answer.json()["id"])
    for id in made:
        assert client.delete(f"/uploads/{id}", headers=keys[role]).status_code == 204


@pytest.mark.parametrize("role", [VISITOR, *ROLES])
def test_tiles_and_events_of_incidents_are_for_those_who_may_see_them(
    client: httpx.Client, keys: dict[str, dict[str, str]], role: str
) -> None:
    """These two answer before the routes do, and are in no description of them."""
    sees = role in ROLES and "incident.view" in ROLES[role].rights
    with client.stream("GET", "/live", params={"layers": "incident"}, headers=keys[role]) as stream:
        assert stream.status_code == (200 if sees else 404)
    tile = client.get("/tiles/incident/12/3421/1661.mvt", headers=keys[role])
    assert tile.status_code in ((200, 204) if sees else (404,))
    assert tile.headers.get("cache-control", "").startswith("private") or not sees
