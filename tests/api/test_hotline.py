"""The hotline: who may ask for what, from words to a draft, the knowledge base kept by those who take calls."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest
import sqlalchemy as sa

from layers.loop.hotline.classify import FOLDER, Model, features
from layers.loop.hotline.tables import ANSWER, CORRECTION
from layers.people.access import EVERYWHERE, Actor, new_kiosk_token
from layers.people.machines import make_key
from layers.store.engine import begin
from tests.conftest import Server
from tests.incidents import OURS, change, report

ANSWER_BODY = {
    "question": "测试：夜里遛狗不牵绳怎么办", "answer": "请说明地点和时间。", "source": "演示说明",
    "department": "gaj", "review_on": "2027-01-01", "keywords": ["遛狗", "牵绳"],
}  # fmt: skip


@pytest.fixture(scope="module")
def desk(server: Server) -> dict[str, str]:
    """Who takes calls: a machine with the role of a dispatcher."""
    maker = Actor("tester", frozenset({"dispatcher"}), EVERYWHERE)
    with begin(server.database.engine, actor="test") as connection:
        _, secret = make_key(
            *(connection, maker), title="desk", roles=maker.roles, scope=EVERYWHERE, days=1, now=dt.datetime.now(dt.UTC)
        )
    return {"Authorization": f"Bearer {secret}"}


def a_model(server: Server) -> Model:
    """A small classifier, made by hand, in the server's folder."""
    buckets = features("路灯不亮")
    weights = np.zeros((buckets.size, 3), dtype=np.float16)
    weights[:, 1] = 6.0
    ones, none = np.ones(buckets.size, dtype=np.float32), np.zeros(3, dtype=np.float32)
    labels = ("none", "01037", "04002")
    model = Model("a" * 12, "2026-11-22T02:23:00+08:00", 3, 0, labels, buckets, ones, weights, none, 1.0, 0.8)
    model.save(server.data / FOLDER)
    return model


def place_name(server: Server) -> str:
    with server.database.reader.connect() as connection:
        return str(
            connection.scalar(
                sa.text(
                    "select name from city.place where name like '%公交站' and char_length(name) >= 7 and name in "
                    "(select name from city.place group by 1 having count(*) = 1) order by id limit 1"
                )
            )
        )


def test_anyone_reads_the_lines_and_searches_the_answers(server: Server) -> None:
    lines = httpx.get(f"{server.url}/hotline/lines").json()["lines"]
    assert len(lines) == 94
    assert lines[0]["code"] == "12345"
    found = httpx.get(f"{server.url}/hotline/answers", params={"q": "公积金怎么提取"}).json()["answers"]
    assert found[0]["question"] == "住房公积金怎么提取"
    assert found[0]["source"]
    assert found[0]["synthetic"] is True
    assert httpx.get(f"{server.url}/hotline/answers/{found[0]['id']}").json()["answer"] == found[0]["answer"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/hotline/intake/draft", {"text": "路灯不亮"}),
        ("POST", "/hotline/corrections", {"text": "路灯不亮", "matter": "01037"}),
        ("GET", "/hotline/classifier", None),
        ("GET", "/hotline/answers/list", None),
        ("POST", "/hotline/answers", ANSWER_BODY),
        ("PUT", "/hotline/answers/1?version=1", ANSWER_BODY),
        ("DELETE", "/hotline/answers/1", None),
    ],
)
def test_only_who_takes_calls_works_at_the_desk(server: Server, method: str, path: str, body: Any) -> None:
    with begin(server.database.engine, actor="test") as connection:
        kiosk = new_kiosk_token(connection)
    for headers, status in (({}, 401), ({"Authorization": f"Bearer {kiosk}"}, 403)):
        told = httpx.request(method, f"{server.url}{path}", json=body, headers=headers)
        assert told.status_code == status
        assert told.json()["code"] == "not_allowed"


def test_a_callers_words_become_a_draft(server: Server, desk: dict[str, str]) -> None:
    model, name = a_model(server), place_name(server)
    call = {"text": f"你好，{name}门口路灯不亮，电话13987654321", "line": "12345", "phone": "139 8765 4321"}
    told = httpx.post(f"{server.url}/hotline/intake/draft", json=call, headers=desk)
    assert told.status_code == 200
    assert told.headers["cache-control"] == "no-store"
    draft = told.json()
    assert draft["model"] == model.version
    assert draft["training"] is False
    assert draft["matters"][0]["matter"] == "01037"
    assert draft["matters"][0]["confidence"] > 0.9
    assert draft["unsure"] is False
    assert draft["title"] == f"{name}路灯异常"
    assert draft["places"][0]["words"] == name
    assert len(draft["places"][0]["grid_id"]) == 15
    assert draft["department"]["lead"]["code"]
    assert draft["department"]["why"]
    same = replace(OURS, id="20260101050001", matter="01037", title="路灯不亮")
    lon, lat = (draft["places"][0][name] for name in ("lon", "lat"))
    report(server.database, replace(same, lon=lon, lat=lat))
    change(server.database, same.id, reported_at=dt.datetime.now(dt.UTC))
    again = httpx.post(f"{server.url}/hotline/intake/draft", json=call, headers=desk).json()
    assert same.id in [one["id"] for one in again["duplicates"]]
    assert draft["earlier"] == []
    assert "13987654321" not in told.text, "numbers are not told again"


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ({"text": "路灯不亮", "line": "99999"}, 404),
        ({"text": "路"}, 422),
        ({"text": "灯" * 2_001}, 422),
        ({"text": "路灯不亮", "phone": "zz"}, 422),
        ({"text": "路灯不亮", "more": 1}, 422),
    ],
)
def test_a_call_that_cannot_be_is_refused(
    server: Server, desk: dict[str, str], call: dict[str, Any], status: int
) -> None:
    told = httpx.post(f"{server.url}/hotline/intake/draft", json=call, headers=desk)
    assert told.status_code == status
    assert told.headers["content-type"] == "application/problem+json"


def test_a_correction_is_kept_without_its_words(server: Server, desk: dict[str, str]) -> None:
    body = {"text": "我叫李雷雷，灯杆子瞎了", "matter": "01037", "guessed": "04002", "model": "a" * 12}
    told = httpx.post(f"{server.url}/hotline/corrections", json=body, headers=desk)
    assert told.status_code == 201
    with server.database.engine.connect() as connection:
        row = connection.execute(sa.select(CORRECTION).where(CORRECTION.c.id == told.json()["correction"])).one()
    assert (row.matter, row.guessed, row.model, row.actor[:4]) == ("01037", "04002", "a" * 12, "key:")
    assert row.buckets == features("灯杆子瞎了").tolist() or set(features("灯杆子瞎了").tolist()) <= set(row.buckets)
    assert httpx.get(f"{server.url}/hotline/classifier", headers=desk).json()["corrections"] >= 1
    wrong = {"text": "灯杆子瞎了", "matter": "99999"}
    assert httpx.post(f"{server.url}/hotline/corrections", json=wrong, headers=desk).status_code == 422


def test_an_answer_is_written_changed_and_taken_away(server: Server, desk: dict[str, str]) -> None:
    url = f"{server.url}/hotline/answers"
    made = httpx.post(url, json=ANSWER_BODY, headers=desk)
    assert made.status_code == 201
    id = made.json()["id"]
    assert made.headers["location"] == f"/hotline/answers/{id}"
    found = httpx.get(url, params={"q": "遛狗不牵绳"}).json()["answers"]
    assert [one["id"] for one in found] == [id]
    later = {**ANSWER_BODY, "valid_until": "2026-01-01"}
    changed = httpx.put(f"{url}/{id}?version=1", json=later, headers=desk)
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert changed.json()["expired"] is True
    assert httpx.get(url, params={"q": "遛狗不牵绳"}).json()["answers"] == [], "its time is over"
    by_keeper = httpx.get(url, params={"q": "遛狗不牵绳"}, headers=desk).json()["answers"]
    assert [one["id"] for one in by_keeper] == [id]
    stale = httpx.put(f"{url}/{id}?version=1", json=ANSWER_BODY, headers=desk)
    assert stale.status_code == 412
    assert httpx.delete(f"{url}/{id}", headers=desk).status_code == 204
    assert httpx.get(f"{url}/{id}").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"department": "nobody"},
        {"link": "javascript:alert(1)"},
        {"question": "坏\u0000字"},
        {"answer": ""},
        {"keywords": ["字"] * 21},
        {"review_on": "soon"},
    ],
)
def test_an_answer_that_cannot_be_is_refused_and_changes_nothing(
    server: Server, desk: dict[str, str], wrong: dict[str, Any]
) -> None:
    def count() -> int:
        with server.database.reader.connect() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(ANSWER)) or 0)

    before = count()
    told = httpx.post(f"{server.url}/hotline/answers", json={**ANSWER_BODY, **wrong}, headers=desk)
    assert told.status_code == 422
    assert count() == before


def test_answers_that_are_due_for_review_are_listed(server: Server, desk: dict[str, str]) -> None:
    url = f"{server.url}/hotline/answers/list"
    far = (dt.date.today() + dt.timedelta(days=4_000)).isoformat()  # noqa: DTZ011 - only that it is far
    every = httpx.get(url, params={"due_by": far, "department": "gjj"}, headers=desk).json()
    assert [one["department"] for one in every["answers"]] == ["gjj"]
    assert httpx.get(url, params={"due_by": "2020-01-01"}, headers=desk).json()["answers"] == []
