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


def test_a_channel_is_changed_and_keeps_the_address_that_nobody_gave(server: Server, admin: dict[str, str]) -> None:
    made = opened(server, admin, kind="dingtalk", secret="SEC-of-the-robot").json()
    here = f"{server.url}/channels/{made['id']}"
    changed = httpx.put(here, headers=admin, json={"title": "夜班群", "area": "3206", "kinds": ["due"]})
    assert changed.status_code == 200, changed.text
    told = changed.json()
    assert (told["title"], told["department"], told["area"], told["kinds"]) == ("夜班群", None, "3206", ["due"])
    assert (told["kind"], told["address"]) == ("dingtalk", made["address"])
    moved = httpx.put(here, headers=admin, json={"title": "夜班群", "address": "https://other.example/send?key=K"})
    assert moved.json()["address"] == "https://other.example/****"
    assert "SEC-of-the-robot" not in changed.text + moved.text
    for wrong, cause in (
        ({"title": "x", "address": "https://10.0.0.1/"}, "webhook_address"),
        ({"title": "x", "department": "cgj", "area": "3206"}, "channel_of_both"),
        ({"title": "x", "kinds": ["gossip"]}, "notice_kind_unknown"),
        ({"title": " "}, "text_empty"),
        ({"title": "x", "kind": "wecom"}, None),
    ):
        answer = httpx.put(here, headers=admin, json=wrong)
        assert (answer.status_code, answer.json().get("cause")) == (422, cause)
    listed = httpx.get(f"{server.url}/channels", headers=admin).json()["channels"]
    assert next(one for one in listed if one["id"] == made["id"])["title"] == "夜班群"
    assert httpx.delete(here, headers=admin).status_code == 204
    assert httpx.put(here, headers=admin, json={"title": "x"}).json()["code"] == "unknown_channel"


def test_a_channel_is_paused_and_resumed(server: Server, admin: dict[str, str]) -> None:
    here = f"{server.url}/channels/{opened(server, admin).json()['id']}"
    number = httpx.post(f"{here}/try", headers=admin).json()["sending"]
    assert [httpx.put(f"{here}/pause", headers=admin).status_code for _ in range(2)] == [204, 204]
    (waited,) = httpx.get(f"{here}/sendings", headers=admin).json()["sendings"]
    assert (waited["id"], waited["next_at"], waited["scenario"]) == (number, None, None)
    assert waited["recorded_at"] is not None

    def listed() -> dict[str, Any]:
        found = httpx.get(f"{server.url}/channels", headers=admin).json()["channels"]
        return next(one for one in found if here.endswith(f"/{one['id']}"))

    paused = listed()
    assert paused["paused_at"] is not None
    assert (paused["waiting"], paused["tried_at"], paused["failing_since"]) == (0, None, None)
    httpx.post(f"{here}/try", headers=admin)
    assert listed()["waiting"] == 1, "a test goes out all the same"
    assert httpx.delete(f"{here}/pause", headers=admin).status_code == 204
    assert listed()["paused_at"] is None
    assert httpx.delete(here, headers=admin).status_code == 204
    for again in (httpx.put(f"{here}/pause", headers=admin), httpx.delete(f"{here}/pause", headers=admin)):
        assert again.status_code == 404
