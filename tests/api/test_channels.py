"""Channels over HTTP: who may set them up, what of them is shown, and that a test goes out and is recorded."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pytest

from tests.api.people import key_of
from tests.conftest import Server


@pytest.fixture
def admin(server: Server) -> dict[str, str]:
    return key_of(server, "admin")


def opened(server: Server, admin: dict[str, str], **more: Any) -> httpx.Response:
    address = f"https://robot.example/send?key={secrets.token_hex(8)}"
    body = {"kind": "wecom", "title": "值班群", "address": address, "department": "cgj", **more}
    return httpx.post(f"{server.url}/channels", headers=admin, json=body, timeout=30)


def test_a_channel_is_opened_listed_tried_and_ended(server: Server, admin: dict[str, str]) -> None:
    answer = opened(server, admin, kinds=["due", "escalate"])
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["address"], made["kinds"]) == ("https://robot.example/****", ["due", "escalate"])
    assert "secret" not in made
    here = f"{server.url}/channels/{made['id']}"
    listed = httpx.get(f"{server.url}/channels", headers=admin).json()
    assert made["id"] in [one["id"] for one in listed["channels"]]
    assert listed["kinds"] == ["webhook", "wecom", "dingtalk"], "no mail server and no gateway are set up here"
    assert {"code": "due", "title": {"zh": "已超时", "en": "Overdue"}} in listed["notices"]
    number = httpx.post(f"{here}/try", headers=admin).json()["sending"]
    (sending,) = httpx.get(f"{here}/sendings", headers=admin).json()["sendings"]
    assert (sending["id"], sending["notice"]) == (number, None)
    assert sending["text"]["zh"].startswith("测试通知")
    assert httpx.delete(here, headers=admin).status_code == 204
    assert httpx.delete(here, headers=admin).status_code == 404
    assert httpx.post(f"{here}/try", headers=admin).json()["code"] == "unknown_channel"


def test_the_secret_of_a_webhook_is_told_once(server: Server, admin: dict[str, str]) -> None:
    made = opened(server, admin, kind="webhook").json()
    assert len(made["secret"]) == 64
    listed = httpx.get(f"{server.url}/channels", headers=admin).text
    assert made["secret"] not in listed
    assert httpx.delete(f"{server.url}/channels/{made['id']}", headers=admin).status_code == 204


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({"kind": "email", "address": "a@b.example"}, "channel_not_set_up"),
        ({"kind": "pigeon"}, None),
        ({"address": "https://127.0.0.1/"}, "webhook_address"),
        ({"area": "320613"}, "channel_of_both"),
        ({"colour": "red"}, None),
    ],
)
def test_what_cannot_be_a_channel_is_refused_with_its_cause(
    server: Server, admin: dict[str, str], more: dict[str, Any], cause: str | None
) -> None:
    answer = opened(server, admin, **more)
    assert answer.status_code == 422
    assert answer.json().get("cause") == cause


def test_nobody_else_sets_up_channels(server: Server) -> None:
    assert opened(server, key_of(server, "dispatcher")).status_code == 403
    assert opened(server, {}).status_code == 401


def test_the_outbox_of_an_exercise_is_for_those_in_it(server: Server, admin: dict[str, str]) -> None:
    answer = httpx.get(f"{server.url}/notices", params={"exercise": "drill-1"}, headers=admin)
    assert (answer.status_code, answer.json()["cause"]) == (403, "notices_exercise")
