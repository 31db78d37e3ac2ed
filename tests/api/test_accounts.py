"""Administering accounts, roles and keys: what is made and told, and duties that stay in different hands."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from typing import Any

import httpx
import pytest

from layers.people.access import Scope
from layers.people.accounts import first_accounts
from layers.people.sessions import digest_of
from layers.people.tables import API_KEY
from layers.store.engine import begin
from tests.api.people import PASSWORD, key_of, person, signed_in
from tests.conftest import ROOT, Database, Server

SOME: dict[str, Any] = {"roles": ["analyst"], "areas": None, "departments": None}


def test_an_account_is_made_by_one_administrator_and_given_roles_by_another(server: Server) -> None:
    login = f"new.{os.getpid()}"
    with signed_in(server, person(server, "admin")) as admin, signed_in(server, person(server, "security")) as security:
        made = admin.post("/accounts", json={"login": login, "name": "王芳"})
        assert (made.status_code, made.headers["location"]) == (201, f"/accounts/{login}")
        assert admin.put(f"/accounts/{login}/grant", json=SOME).status_code == 403
        assert security.post("/accounts", json={"login": f"{login}.2", "name": "甲"}).status_code == 403
        granted = security.put(
            f"/accounts/{login}/grant", json={"roles": ["officer"], "areas": ["320602"], "departments": ["cgj"]}
        ).json()
        assert (granted["roles"], granted["areas"], granted["departments"]) == (["officer"], ["320602"], ["cgj"])
        assert granted["mustChange"]
        with signed_in(server, login, made.json()["password"]) as fresh:
            assert fresh.get("/session").json()["due"] == "password"
        found = admin.get("/accounts", params={"q": "王芳"}).json()["accounts"]
        assert login in [one["login"] for one in found]
        told = [one["event"] for one in admin.get(f"/accounts/{login}/events").json()["events"]]
        assert told == ["signed_in", "granted", "account_made"]
        assert admin.post("/accounts", json={"login": login, "name": "又"}).json()["cause"] == "login_taken"
        assert admin.get("/accounts/nobody.here").json()["code"] == "unknown_account"


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ({**SOME, "roles": ["emperor"]}, "role_unknown"),
        ({**SOME, "roles": ["kiosk"]}, "role_unknown"),
        ({**SOME, "roles": ["admin", "security"]}, "duties_separate"),
        ({**SOME, "roles": ["auditor", "dispatcher"]}, "auditor_changes"),
        ({**SOME, "areas": ["32060"]}, "areas_unfit"),
        ({**SOME, "areas": ["崇川区01"]}, "areas_unfit"),
        ({**SOME, "departments": ["cgj'; drop table core.account; --"[:40]]}, "departments_unfit"),
    ],
)
def test_what_cannot_be_granted_is_refused_and_changes_nothing(
    server: Server, body: dict[str, Any], cause: str
) -> None:
    login = person(server, "planner")
    with signed_in(server, person(server, "security")) as security:
        refused = security.put(f"/accounts/{login}/grant", json=body)
        assert (refused.status_code, refused.json()["cause"]) == (422, cause)
        assert security.get(f"/accounts/{login}").json()["roles"] == ["planner"]


@pytest.mark.parametrize("login", ["admin ", "System", "system", "a", "x" * 62, "a b", "<b>", "../etc", "安全"])
def test_a_login_that_cannot_be_is_refused(server: Server, login: str) -> None:
    with signed_in(server, person(server, "admin")) as admin:
        assert admin.post("/accounts", json={"login": login, "name": "甲"}).status_code == 422


def test_nobody_raises_their_own_rights(server: Server) -> None:
    me = person(server, "security")
    with signed_in(server, me) as security:
        for method, path, body in (
            ("PUT", f"/accounts/{me}/grant", {**SOME, "roles": ["commander"]}),
            ("PATCH", f"/accounts/{me}", {"name": "别名"}),
            ("POST", f"/accounts/{me}/password", {}),
        ):
            refused = security.request(method, path, json=body)
            assert (refused.status_code, refused.json()["cause"]) == (403, "own_account")
        role = {"zh": "安全", "en": "Security", "rights": ["role.edit", "incident.close"]}
        for method in ("PUT", "DELETE"):
            refused = security.request(method, "/roles/security", json=role)
            assert (refused.status_code, refused.json()["cause"]) == (403, "own_role")


def test_an_administrator_changes_no_other_administrator_and_no_auditor(server: Server) -> None:
    with signed_in(server, person(server, "admin")) as admin:
        for role in ("admin", "security", "auditor"):
            other = person(server, role)
            for method, path, body in (
                ("POST", f"/accounts/{other}/password", {}),
                ("PATCH", f"/accounts/{other}", {"active": False}),
            ):
                refused = admin.request(method, path, json=body)
                assert (refused.status_code, refused.json()["cause"]) == (403, "administrators_account")
        assert admin.post(f"/accounts/{person(server, 'worker')}/password").status_code == 201


def test_closing_an_account_ends_its_sessions_and_opening_it_brings_none_back(server: Server) -> None:
    login = person(server, "analyst")
    with signed_in(server, login) as client, signed_in(server, person(server, "security")) as security:
        assert len(security.get(f"/accounts/{login}/sessions").json()["sessions"]) == 1
        assert security.patch(f"/accounts/{login}", json={"active": False}).json()["active"] is False
        assert client.get("/session").json()["actor"] is None
        body = {"login": login, "password": PASSWORD}
        assert httpx.post(f"{server.url}/session", json=body).json()["code"] == "wrong_login"
        assert security.patch(f"/accounts/{login}", json={"active": True}).json()["active"] is True
        assert client.get("/session").json()["actor"] is None
        with signed_in(server, login):
            assert security.delete(f"/accounts/{login}/sessions").json() == {"ended": 1}


def test_a_role_of_the_city_counts_at_once_and_goes_back_to_what_ships(server: Server) -> None:
    name = f"watch_{os.getpid()}"
    with signed_in(server, person(server, "security")) as security:
        role = {"zh": "值守", "en": "Watch", "rights": ["incident.view"]}
        assert security.put(f"/roles/{name}", json=role).json()["own"] is True
        with signed_in(server, person(server, name)) as client:
            assert client.get("/session").json()["titles"] == {name: {"zh": "值守", "en": "Watch"}}
            assert client.get("/deliveries").status_code == 403
            security.put(f"/roles/{name}", json={**role, "rights": ["incident.view", "data.deliver"]})
            assert client.get("/deliveries").status_code == 200
            refused = security.put(f"/roles/{name}", json={**role, "rights": ["everything"]})
            assert (refused.status_code, refused.json()["cause"]) == (422, "right_unknown")
            assert security.delete(f"/roles/{name}").status_code == 204
            assert client.get("/session").json()["rights"] == []
        assert security.delete(f"/roles/{name}").json()["code"] == "unknown_role"
        told = security.get("/roles").json()
    assert name not in [one["name"] for one in told["roles"]]
    assert {"right", "zh", "en"} == set(told["rights"][0])


def test_two_duties_do_not_meet_by_way_of_a_role(server: Server) -> None:
    name = f"double_{os.getpid()}"
    with signed_in(server, person(server, "security")) as security:
        security.put(f"/roles/{name}", json={"zh": "甲", "en": "A", "rights": ["layer.view"]})
        person(server, name, "admin")
        body = {"zh": "甲", "en": "A", "rights": ["layer.view", "role.edit"]}
        refused = security.put(f"/roles/{name}", json=body)
        assert (refused.status_code, refused.json()["cause"]) == (422, "duties_separate")


def test_a_key_may_no_more_than_whoever_made_it_and_is_over_when_they_are(server: Server) -> None:
    scope = Scope(frozenset({"320602"}), frozenset({"cgj"}))
    maker = person(server, "officer", scope=scope)
    body = {"title": "城管局系统", "roles": ["officer"], "areas": ["320602001"], "departments": ["cgj"], "days": 30}
    with signed_in(server, maker) as officer:
        for wrong, cause in (({"roles": ["admin"]}, "key_beyond"), ({"areas": None}, "key_too_far")):
            refused = officer.post("/keys", json={**body, **wrong})
            assert (refused.status_code, refused.json()["cause"]) == (422, cause)
        made = officer.post("/keys", json=body).json()
        key = {"Authorization": f"Bearer {made['key']}"}
        told = httpx.get(f"{server.url}/session", headers=key).json()
        assert (told["actor"], told["areas"], told["account"]) == (f"key:{made['id']}", ["320602001"], None)
        assert "key" not in officer.get("/keys").json()["keys"][0]
        again = httpx.post(f"{server.url}/keys", json=body, headers=key)
        assert (again.status_code, again.json()["cause"]) == (403, "key_by_key")
    with signed_in(server, person(server, "security")) as security:
        security.put(f"/accounts/{maker}/grant", json={**SOME, "roles": ["officer"], "areas": ["320612"]})
        assert httpx.get(f"{server.url}/session", headers=key).json()["rights"] == []
        security.patch(f"/accounts/{maker}", json={"active": False})
        assert httpx.get(f"{server.url}/session", headers=key).status_code == 401


def test_a_key_is_revoked_by_its_owner_and_not_by_others(server: Server) -> None:
    body = {"title": "x", "roles": ["officer"]}
    with signed_in(server, person(server, "officer")) as one, signed_in(server, person(server, "officer")) as other:
        made = one.post("/keys", json=body).json()
        assert made["id"] not in [key["id"] for key in other.get("/keys").json()["keys"]]
        assert other.delete(f"/keys/{made['id']}").json()["code"] == "unknown_key"
        key = {"Authorization": f"Bearer {made['key']}"}
        assert httpx.get(f"{server.url}/session", headers=key).status_code == 200
        assert one.delete(f"/keys/{made['id']}").status_code == 204
        assert httpx.get(f"{server.url}/session", headers=key).status_code == 401


def test_a_key_ends_with_its_days(server: Server) -> None:
    headers = key_of(server, "analyst")
    assert httpx.get(f"{server.url}/session", headers=headers).status_code == 200
    late = key_of(server, "analyst")
    with server.database.engine.begin() as connection:
        past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        mine = API_KEY.c.digest == digest_of(late["Authorization"].removeprefix("Bearer "))
        connection.execute(API_KEY.update().where(mine).values(ends_at=past))
    assert httpx.get(f"{server.url}/session", headers=late).status_code == 401


def test_a_new_password_is_printed_for_whoever_lost_every_other_way(server: Server) -> None:
    login = person(server, "security")
    with signed_in(server, person(server, "security")) as other:
        other.patch(f"/accounts/{login}", json={"active": False})
    environment = {**os.environ, "CHENGTU_DATABASE_URL": server.database.url}
    command = [sys.executable, "-m", "api", "new-password", login]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True)
    with signed_in(server, login, ran.stdout.splitlines()[-1]) as client:
        assert client.get("/session").json()["due"] == "password"
    command[-1] = "nobody.here"
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (ran.returncode, ran.stderr) == (1, "chengtu: there is no account 'nobody.here'\n")


def test_the_first_accounts_are_made_once_with_passwords_of_their_own(database: Database) -> None:
    with begin(database.engine, actor="system") as connection:
        first = first_accounts(connection)
        again = first_accounts(connection)
    assert set(first) == {"admin", "security"}
    assert len(set(first.values())) == 2
    assert all(len(password) == 16 for password in first.values())
    assert again == {}
