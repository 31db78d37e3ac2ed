"""Callers in the clear, by the real server: for those who may, for a purpose, and never without a record."""

from __future__ import annotations

import httpx
import pytest
import sqlalchemy as sa

from layers.loop.tables import CALLER
from layers.people.privacy import keyring_in
from layers.people.reads import SENSITIVE_READ
from layers.store.engine import begin
from tests.api.people import key_of
from tests.conftest import Server

NAME, PHONE = "诸葛明月", "13700009876"


@pytest.fixture(scope="module")
def caller(server: Server) -> int:
    keyring = keyring_in(server.data)
    sealed = {"name": keyring.seal(NAME, about="caller.name"), "phone": keyring.seal(PHONE, about="caller.phone")}
    with begin(server.database.engine, actor="dispatcher") as connection:
        made = sa.insert(CALLER).values(incident="20260701000009", channel="hotline", **sealed).returning(CALLER.c.id)
        return int(connection.scalar(made) or 0)


@pytest.fixture(scope="module")
def dispatcher(server: Server) -> dict[str, str]:
    return key_of(server, "dispatcher")


def records(server: Server, caller: int) -> list[tuple[str, str, list[str]]]:
    read = SENSITIVE_READ
    with server.database.owner.connect() as connection:
        wanted = sa.select(read.c.address, read.c.purpose, read.c.fields).where(read.c.id == str(caller))
        return [(row.address, row.purpose, row.fields) for row in connection.execute(wanted.order_by(read.c.seq))]


def test_a_caller_is_told_to_who_may_and_the_reading_is_recorded(
    server: Server, caller: int, dispatcher: dict[str, str]
) -> None:
    before = len(records(server, caller))
    answer = httpx.post(f"{server.url}/callers/{caller}/unmask", json={"purpose": "回访办理结果"}, headers=dispatcher)
    assert answer.json() == {"name": NAME, "phone": PHONE, "home": None}
    assert answer.headers["cache-control"] == "no-store"
    assert records(server, caller)[before:] == [("127.0.0.1", "回访办理结果", ["name", "phone"])]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"purpose": "看"}, 422, "bad_field"),
        ({"purpose": "  ...  "}, 422, "bad_field"),
        ({}, 422, "invalid_request"),
        ({"purpose": "回访办理结果", "also": 1}, 422, "invalid_request"),
        ({"purpose": "长" * 201}, 422, "invalid_request"),
    ],
)
def test_without_a_purpose_nothing_is_told(
    server: Server, caller: int, dispatcher: dict[str, str], body: dict[str, object], status: int, code: str
) -> None:
    before = records(server, caller)
    answer = httpx.post(f"{server.url}/callers/{caller}/unmask", json=body, headers=dispatcher)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert PHONE not in answer.text
    assert records(server, caller) == before


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("wrong", 401)])
def test_a_stranger_is_told_nothing(server: Server, caller: int, token: str | None, status: int) -> None:
    before = records(server, caller)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = httpx.post(f"{server.url}/callers/{caller}/unmask", json={"purpose": "callback"}, headers=headers)
    assert answer.status_code == status
    assert httpx.get(f"{server.url}/callers/purposes", headers=headers).status_code == status
    assert records(server, caller) == before


def test_nobody_there_and_no_number_are_told_apart(server: Server, dispatcher: dict[str, str]) -> None:
    url = f"{server.url}/callers"
    answers = [
        httpx.post(f"{url}/{id}/unmask", json={"purpose": "callback"}, headers=dispatcher) for id in ("9" * 12, "0")
    ]
    assert [answer.status_code for answer in answers] == [404, 422]
    assert answers[0].json()["code"] == "unknown_caller"


def test_the_purposes_that_are_offered_are_listed_in_both_languages(server: Server, dispatcher: dict[str, str]) -> None:
    told = httpx.get(f"{server.url}/callers/purposes", headers=dispatcher).json()["purposes"]
    assert {"callback", "emergency"} <= {one["code"] for one in told}
    assert all(one["zh"] and one["en"] for one in told)
