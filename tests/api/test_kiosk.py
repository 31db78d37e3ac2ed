"""A wall's token: it sees what is internal, changes nothing, and is revoked by making a new one."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import httpx
import pytest

from layers.catalog import built_in
from layers.people.access import ADMIN, KIOSK, actor_of, may, new_kiosk_token, token_holders
from layers.spec import Field, Title
from layers.store.definitions import layer_from_parts
from layers.store.engine import begin
from layers.store.schema import add_layer
from tests.api.test_system import until
from tests.conftest import ROOT, Server


@pytest.fixture(scope="module")
def internal(server: Server) -> str:
    """An internal layer of this file's own."""
    fields = [Field("name", Title("名称", "Name"), "text")]
    with begin(server.database.engine, actor="test") as connection:
        add_layer(connection, layer_from_parts("wall_valves", Title("阀门", "Valves"), "Point", fields, label="name"))
    until(lambda: httpx.get(f"{server.url}/layers/wall_valves", headers=server.admin).status_code == 200)
    return "wall_valves"


@pytest.fixture
def kiosk(server: Server) -> dict[str, str]:
    with begin(server.database.engine, actor="test") as connection:
        return {"Authorization": f"Bearer {new_kiosk_token(connection)}"}


def test_a_wall_sees_internal_layers(server: Server, internal: str, kiosk: dict[str, str]) -> None:
    url = f"{server.url}/layers/{internal}"
    assert httpx.get(url).status_code == 404
    assert httpx.get(url, headers=kiosk).status_code == 200
    assert httpx.get(f"{server.url}/tiles/{internal}/9/427/207.mvt", headers=kiosk).status_code in (200, 204)


def test_a_wall_changes_nothing(server: Server, kiosk: dict[str, str]) -> None:
    found = httpx.get(f"{server.url}/ogc/collections/component/items?limit=1").json()["features"][0]["id"]
    url = f"{server.url}/items/component/{found}"
    before = httpx.get(url)
    match = {**kiosk, "If-Match": before.headers["etag"]}
    assert httpx.patch(url, json={"properties": {"state": "lost"}}, headers=match).status_code == 403
    assert httpx.delete(url, headers=match).status_code == 403
    assert httpx.get(url).json() == before.json()
    assert httpx.post(f"{server.url}/uploads", headers=kiosk).status_code == 403


def test_a_wall_may_see_and_not_edit_whatever_the_layer() -> None:
    for layer in built_in().values():
        assert may(KIOSK, "view", layer)
        assert not may(KIOSK, "edit", layer)


def test_a_new_token_revokes_the_one_before_and_leaves_the_administrators(server: Server) -> None:
    with begin(server.database.engine, actor="test") as connection:
        old, new = new_kiosk_token(connection), new_kiosk_token(connection)
        holders = token_holders(connection)
    assert actor_of(old, holders) is None
    assert actor_of(new, holders) == KIOSK
    assert actor_of(server.token, holders) == ADMIN
    assert httpx.get(f"{server.url}/layers", headers={"Authorization": f"Bearer {old}"}).status_code == 401


def test_the_command_prints_the_address_to_start_a_wall_at(server: Server) -> None:
    environment = {**os.environ, "CHENGTU_DATABASE_URL": server.database.url, "HOST": "0.0.0.0", "PORT": "8080"}
    command = [sys.executable, "-m", "api", "new-kiosk-token"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60)
    found = re.search(r"^http://127\.0\.0\.1:8080/wall\?inches=55&far=6#token=([\w-]{32})$", run.stdout, re.M)
    assert found
    headers = {"Authorization": f"Bearer {found[1]}"}
    assert httpx.get(f"{server.url}/layers", headers=headers).status_code == 200


def test_a_command_that_does_not_exist_is_refused() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "api", "new-token"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 2
    assert "new-kiosk-token" in run.stderr
