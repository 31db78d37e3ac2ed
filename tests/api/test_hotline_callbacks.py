"""Calling back, rates, bulletin and webhooks by HTTP: by whom, about which cases, with which numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from layers.ask.period import CITY_TIME
from layers.loop.hotline.tables import CONTACT
from layers.loop.tables import CALLER
from layers.loop.webhook_tables import WEBHOOK
from layers.people.access import EVERYWHERE, Actor, Scope
from layers.people.machines import make_key
from layers.people.privacy import keyring_in
from layers.store.engine import begin
from tests.conftest import Server
from tests.incidents import OURS, change, report

AT = dt.datetime(2024, 5, 6, 9, tzinfo=dt.UTC)
WEEK = {"from": "2024-05-06", "to": "2024-05-12"}
YES = {"reached": True, "solved": True, "satisfied": True, "text": "很满意"}


def bearer(server: Server, role: str, scope: Scope = EVERYWHERE) -> dict[str, str]:
    """A machine with this role, as a header."""
    maker = Actor("tester", frozenset({role}), EVERYWHERE)
    with begin(server.database.engine, actor="test") as connection:
        _, secret = make_key(
            *(connection, maker), title=role, roles=maker.roles, scope=scope, days=1, now=dt.datetime.now(dt.UTC)
        )
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture(scope="module")
def desk(server: Server) -> dict[str, str]:
    return bearer(server, "dispatcher")


def closed(server: Server, number: int, *, state: str = "closed", at: dt.datetime = AT) -> tuple[str, int]:
    """A hotline case that is done, with the number of its caller."""
    id = f"2024050600{number:04d}"
    report(server.database, replace(OURS, id=id))
    done = {"channel": "hotline", "reported_at": at, "dispatched_at": at, "closed_at": at + dt.timedelta(hours=number)}
    change(server.database, id, state=state, **done)
    keyring = keyring_in(server.data)
    phone = f"0513-0000{number:04d}"
    about = {
        "incident": id, "channel": "hotline", "line": "12345", "at": at, "phone_mark": keyring.mark(phone),
        "phone": keyring.seal(phone, about="caller.phone"), "name": keyring.seal("李四", about="caller.name"),
    }  # fmt: skip
    with begin(server.database.engine, actor="test") as connection:
        return id, int(connection.execute(sa.insert(CALLER).values(about).returning(CALLER.c.id)).scalar_one())


def test_a_caller_is_called_back_and_the_rates_tell_it(server: Server, desk: dict[str, str]) -> None:
    id, caller = closed(server, 1)
    url = f"{server.url}/incidents/{id}/callers/{caller}/callback"
    due = httpx.get(f"{server.url}/hotline/callbacks", headers=desk)
    mine = next(one for one in due.json()["callbacks"] if one["incident"] == id)
    assert (mine["name"], mine["phone"]) == ("李*", "0513-****0001")
    assert due.headers["cache-control"] == "no-store"
    today = dt.datetime.now(CITY_TIME).date()
    late = {"from": (today - dt.timedelta(days=1)).isoformat(), "to": (today + dt.timedelta(days=1)).isoformat()}
    before = httpx.get(f"{server.url}/hotline/rates", params=late, headers=desk).json()["total"]["solved"]
    assert httpx.post(url, json=YES, headers=desk).status_code == 201
    after = httpx.get(f"{server.url}/hotline/rates", params=late, headers=desk).json()
    assert after["total"]["solved"]["numerator"] == before["numerator"] + 1
    assert after["rules"]["attempts"] == 3
    again = httpx.post(url, json=YES, headers=desk)
    assert (again.status_code, again.json()["cause"]) == (409, "callback_done")
    due = httpx.get(f"{server.url}/hotline/callbacks", headers=desk)
    assert id not in [one["incident"] for one in due.json()["callbacks"]]


def test_who_waits_is_told_page_by_page(server: Server, desk: dict[str, str]) -> None:
    ids = [closed(server, number)[0] for number in (11, 12, 13)]
    found, cursor = [], None
    while True:
        asked = {"limit": 1, **({} if cursor is None else {"cursor": cursor})}
        page = httpx.get(f"{server.url}/hotline/callbacks", params=asked, headers=desk).json()
        found += [one["incident"] for one in page["callbacks"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert [id for id in found if id in ids] == ids
    assert len(found) == len(set(found))
    for wrong in ("x", "AAAA", "MjAyNi0wMS0wMSAx"):
        refused = httpx.get(f"{server.url}/hotline/callbacks", params={"cursor": wrong}, headers=desk)
        assert refused.status_code == 400


def test_cases_of_others_are_not_called_about(server: Server) -> None:
    id, caller = closed(server, 21)
    other = bearer(server, "dispatcher", Scope(frozenset({"320681"}), None))
    due = httpx.get(f"{server.url}/hotline/callbacks", headers=other).json()["callbacks"]
    assert id not in [one["incident"] for one in due]
    told = httpx.post(f"{server.url}/incidents/{id}/callers/{caller}/callback", json=YES, headers=other)
    assert told.status_code == 404
    assert httpx.get(f"{server.url}/hotline/rates", params=WEEK, headers=other).json()["groups"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"reached": True}, 422),
        ({"reached": False, "solved": True}, 422),
        ({"reached": True, "solved": True, "satisfied": True, "text": "长" * 501}, 422),
        ({"reached": True, "solved": True, "satisfied": True, "by": "me"}, 422),
        ({"kind": "contact", "reached": True}, 403),
    ],
)
def test_a_call_that_cannot_be_so_is_refused_and_not_kept(
    server: Server, desk: dict[str, str], body: dict[str, Any], status: int
) -> None:
    id, caller = closed(server, 100 + len(str(body)) * 5 + status % 5)
    told = httpx.post(f"{server.url}/incidents/{id}/callers/{caller}/callback", json=body, headers=desk)
    assert told.status_code == status
    with server.database.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(CONTACT.c.incident == id)) == 0


def test_an_officer_speaks_with_a_caller_while_the_case_is_at_work(server: Server) -> None:
    id, caller = closed(server, 41, state="disposing")
    officer = bearer(server, "officer", Scope(None, frozenset({"cgj"})))
    url = f"{server.url}/incidents/{id}/callers/{caller}/callback"
    assert httpx.post(url, json={"kind": "contact", "reached": True}, headers=officer).status_code == 201
    assert httpx.post(url, json=YES, headers=officer).status_code == 403


def test_rates_and_bulletin_say_which_days_they_are_of(server: Server, desk: dict[str, str]) -> None:
    for by in ("line", "department", "town"):
        told = httpx.get(f"{server.url}/hotline/rates", params={**WEEK, "by": by}, headers=desk).json()
        assert (told["by"], told["from"], told["to"]) == (by, "2024-05-06", "2024-05-12")
    bulletin = httpx.get(f"{server.url}/hotline/bulletin", params={"week": "2024-W19"}, headers=desk).json()
    assert (bulletin["from"], bulletin["to"]) == ("2024-05-06", "2024-05-12")
    assert bulletin["floor"] == 0.85
    for wrong in ({**WEEK, "to": "2024-01-01"}, {**WEEK, "to": "2026-05-12"}):
        assert httpx.get(f"{server.url}/hotline/rates", params=wrong, headers=desk).status_code == 400
    wrong_week = httpx.get(f"{server.url}/hotline/bulletin", params={"week": "2024-W60"}, headers=desk)
    assert wrong_week.status_code == 400


def test_a_webhook_is_registered_listed_and_ended_by_those_who_answer_for_the_department(server: Server) -> None:
    url = f"{server.url}/webhooks"
    admin = server.admin
    made = httpx.post(url, json={"department": "cgj", "url": "https://cgj.example/cases"}, headers=admin)
    assert made.status_code == 201
    assert len(made.json()["secret"]) == 64
    listed = httpx.get(url, headers=admin)
    mine = next(one for one in listed.json()["webhooks"] if one["id"] == made.json()["id"])
    assert (mine["department"], mine["url"]) == ("cgj", "https://cgj.example/cases")
    assert made.json()["secret"] not in listed.text
    elsewhere = bearer(server, "admin", Scope(None, frozenset({"zjj"})))
    assert httpx.get(url, headers=elsewhere).json()["webhooks"] == []
    assert httpx.delete(f"{url}/{mine['id']}", headers=elsewhere).status_code == 404
    body = {"department": "cgj", "url": "https://cgj.example/cases"}
    assert httpx.post(url, json=body, headers=elsewhere).status_code == 403
    assert httpx.get(f"{url}/{mine['id']}/sendings", headers=admin).json() == {"sendings": []}
    assert httpx.delete(f"{url}/{mine['id']}", headers=admin).status_code == 204
    assert mine["id"] not in [one["id"] for one in httpx.get(url, headers=admin).json()["webhooks"]]


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ({"url": "https://169.254.169.254/latest"}, "webhook_address"),
        ({"url": "http://cgj.example/"}, "webhook_url"),
        ({"url": "https://127.0.0.1/"}, "webhook_address"),
        ({"department": "nobody"}, "department_unknown"),
    ],
)
def test_a_webhook_that_is_not_to_be_is_refused(server: Server, wrong: dict[str, str], cause: str) -> None:
    body = {"department": "cgj", "url": "https://cgj.example/cases", **wrong}
    told = httpx.post(f"{server.url}/webhooks", json=body, headers=server.admin)
    assert told.status_code == 422
    assert told.json().get("cause") == cause
    with server.database.engine.connect() as connection:
        assert (
            connection.scalar(
                sa.select(sa.func.count()).where(WEBHOOK.c.url == body["url"], WEBHOOK.c.ended_at.is_(None))
            )
            == 0
        )
