"""Notices at a screen: called out within the moment to whom they are meant for, listed, read one by one, kept apart."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from layers.loop.notices import write_notice
from layers.people.access import Scope
from layers.store.engine import begin
from tests.api.exercises import key_within, opened
from tests.api.people import key_of, person, signed_in
from tests.api.streams import listening
from tests.conftest import Server
from tests.incidents import OURS, report

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def case(server: Server) -> str:
    """The number of a case of this test's own, which the department `cgj` has in hand."""
    id = f"2026{secrets.randbelow(10**10):010}"
    report(server.database, replace(OURS, id=id, address="人民路 7 号"))
    return id


@pytest.fixture
def officer(server: Server) -> dict[str, str]:
    return key_of(server, "officer", scope=Scope(None, frozenset({"cgj"})))


def write(connection: sa.Connection, case: str, **more: Any) -> int:
    told: dict[str, Any] = {
        "kind": "urged", "incident": case, "audience": {"departments": ["cgj"]}, "carries": {}, "scenario": None,
        "at": dt.datetime.now(dt.UTC), **more,
    }  # fmt: skip
    return write_notice(connection, **told)


def written(server: Server, case: str, **more: Any) -> int:
    with begin(server.database.engine, actor="test") as connection:
        return write(connection, case, **more)


def asked(server: Server, who: Mapping[str, str], **query: Any) -> dict[str, Any]:
    answer = httpx.get(f"{server.url}/notices", headers=dict(who), params=query, timeout=30)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def of(told: dict[str, Any], case: str) -> list[dict[str, Any]]:
    return [one for one in told["notices"] if one["incident"] == case]


def test_a_notice_is_called_out_to_those_it_is_meant_for_and_to_nobody_else(
    server: Server, case: str, officer: dict[str, str]
) -> None:
    other = key_of(server, "officer", scope=Scope(None, frozenset({"zjj"})))
    with (
        listening(f"{server.url}/live?layers=incident", **officer) as ours,
        listening(f"{server.url}/live?layers=incident", **other) as theirs,
    ):
        ours.until("hello")
        theirs.until("hello")
        first = written(server, case)
        second = written(server, case, audience={"departments": ["zjj"]})
        assert ours.until("notice", incident=case).data == {"id": first, "kind": "urged", "incident": case}
        assert theirs.until("notice", incident=case).data["id"] == second
    assert [one["id"] for one in of(asked(server, officer), case)] == [first]
    assert [one["id"] for one in of(asked(server, other), case)] == [second]


def test_one_that_is_committed_late_is_called_out_once_and_stays_unread(
    server: Server, case: str, officer: dict[str, str]
) -> None:
    with listening(f"{server.url}/live?layers=incident", **officer) as ours:
        ours.until("hello")
        with begin(server.database.engine, actor="slow") as slow:
            late = write(slow, case)
            early = written(server, case, kind="supervised")
            assert late < early
            assert ours.until("notice", incident=case).data["id"] == early
            answer = httpx.post(f"{server.url}/notices/read", headers=officer, json={"ids": [early, late]})
            assert answer.status_code == 204
        assert ours.until("notice", incident=case).data["id"] == late
        last = written(server, case)
        assert ours.until("notice", incident=case).data["id"] == last, "each once"
    assert {one["id"]: one["read"] for one in of(asked(server, officer), case)} == {
        late: False, early: True, last: False,
    }  # fmt: skip


def test_the_list_tells_the_case_in_words_and_goes_page_by_page(
    server: Server, case: str, officer: dict[str, str]
) -> None:
    due = "2026-11-22T08:00:00+00:00"
    ids = [written(server, case, carries={"due_at": due}) for _ in range(3)]
    page = asked(server, officer, limit=2)
    assert [one["id"] for one in page["notices"]] == ids[:0:-1]
    (newest, _), following = page["notices"], page["next"]
    assert newest["text"]["zh"].startswith(f"催办：{case}，")
    assert "人民路 7 号" in newest["text"]["zh"]
    assert newest["text"]["zh"].endswith("时限 11-22 16:00")
    assert newest["due_at"] == due
    assert (newest["read"], newest["title"]["en"]) == (False, "Urged")
    assert asked(server, officer, limit=2, before=following)["notices"][0]["id"] == ids[0]


def test_what_is_read_is_read_for_oneself_alone(server: Server, case: str) -> None:
    scope = Scope(None, frozenset({"cgj"}))
    wang, li = person(server, "officer", scope=scope), person(server, "officer", scope=scope)
    with signed_in(server, wang) as mine, signed_in(server, li) as yours:
        before = [page.get("/notices").json()["unread"] for page in (mine, yours)]
        ids = [written(server, case) for _ in range(2)]
        for _ in range(2):
            assert mine.post("/notices/read", json={"ids": ids}).status_code == 204
        assert [page.get("/notices").json()["unread"] for page in (mine, yours)] == [before[0], min(before[1] + 2, 100)]
        assert of(mine.get("/notices", params={"unread": True}).json(), case) == []
        assert [one["read"] for one in of(mine.get("/notices").json(), case)] == [True, True]


def test_what_is_not_ones_own_is_not_marked(server: Server, case: str, officer: dict[str, str]) -> None:
    number = written(server, case, audience={"departments": ["zjj"]})
    assert httpx.post(f"{server.url}/notices/read", headers=officer, json={"ids": [number]}).status_code == 204
    with server.database.engine.connect() as connection:
        held = sa.text("select count(*) from core.notice_read where notice = :id")
        assert connection.scalar(held, {"id": number}) == 0


def test_of_a_case_that_went_to_others_only_the_number_is_told(
    server: Server, case: str, officer: dict[str, str]
) -> None:
    written(server, case)
    with begin(server.database.engine, actor="test") as connection:
        connection.execute(sa.text("update city.incident set lead = 'zjj' where id = :id"), {"id": case})
    (one,) = of(asked(server, officer), case)
    assert one["text"]["zh"] == f"催办：{case}"


def test_what_is_older_than_thirty_days_is_not_shown(server: Server, case: str, officer: dict[str, str]) -> None:
    written(server, case, at=NOW - dt.timedelta(days=31))
    assert of(asked(server, officer), case) == []


def test_what_happens_in_an_exercise_is_not_told_outside_of_it(
    server: Server, case: str, officer: dict[str, str]
) -> None:
    with listening(f"{server.url}/live?layers=incident", **officer) as ours:
        ours.until("hello")
        written(server, case, scenario="drill-x")
        real = written(server, case)
        assert ours.until("notice", incident=case).data["id"] == real
    assert [one["id"] for one in of(asked(server, officer), case)] == [real]


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": [0]}, {"ids": ["x"]}, {"ids": [1], "all": True}])
def test_marks_that_cannot_be_are_refused(server: Server, officer: dict[str, str], body: dict[str, Any]) -> None:
    assert httpx.post(f"{server.url}/notices/read", headers=officer, json=body).status_code == 422


def test_of_an_exercise_those_in_it_are_told_and_its_outbox_is_theirs_to_read(server: Server, case: str) -> None:
    drill = opened(server)["id"]
    id = f"{case[:8]}9{secrets.randbelow(10**5):05}"
    report(server.database, replace(OURS, id=id, scenario=drill))
    scope = Scope(None, frozenset({"cgj"}))
    within, outside = key_within(server, drill, "officer", scope=scope), key_of(server, "officer", scope=scope)
    address = "https://robot.example/send?key=of-the-test"
    channel = {"kind": "wecom", "title": "值班群", "address": address, "department": "cgj"}
    made = httpx.post(f"{server.url}/channels", headers=key_of(server, "admin"), json=channel, timeout=30)
    assert made.status_code == 201, made.text
    with listening(f"{server.url}/live?layers=incident", **within) as ours:
        ours.until("hello")
        number = written(server, id, scenario=drill)
        assert ours.until("notice", incident=id).data["id"] == number
    (mine,) = of(asked(server, within), id)
    assert (mine["scenario"], mine["text"]["zh"][:4]) == (drill, "【演练】")
    assert of(asked(server, outside), id) == []
    (told,) = of(asked(server, within, exercise=drill), id)
    (sending,) = [one for one in told["sendings"] if one["title"] == "值班群"]
    assert (sending["kind"], sending["address"]) == ("wecom", "https://robot.example/****")
    assert sending["recorded_at"] is not None
    assert sending["text"]["zh"].startswith("【演练】催办")
    answer = httpx.get(f"{server.url}/notices", headers=outside, params={"exercise": drill}, timeout=30)
    assert (answer.status_code, answer.json()["cause"]) == (403, "notices_exercise")
    assert httpx.delete(f"{server.url}/channels/{made.json()['id']}", headers=key_of(server, "admin")).is_success


def test_whoever_dispatches_a_case_calls_the_department_that_gets_it(server: Server) -> None:
    with server.database.reader.connect() as connection:
        spot = "select st_x(geom) lon, st_y(geom) lat from city.component where grid_id is not null order by id limit 1"
        place = dict(connection.execute(sa.text(spot)).mappings().one())
    dispatcher, officer = key_of(server, "dispatcher"), key_of(server, "officer", scope=Scope(None, frozenset({"cgj"})))
    body = {"channel": "worker", "matter": "06010", "description": "路边有一堆垃圾", **place}
    filed = httpx.post(f"{server.url}/incidents", headers=key_of(server, "worker"), json=body, timeout=30).json()
    id = filed["receipt"]["incident"]
    with listening(f"{server.url}/live?layers=incident", **officer) as ours:
        ours.until("hello")
        expected = filed["receipt"]["step"]
        for step, more in (("register", {}), ("dispatch", {"lead": "cgj"}), ("urge", {"note": "请抓紧"})):
            told = httpx.post(
                f"{server.url}/incidents/{id}/steps",
                headers=key_of(server, "commander") if step == "urge" else dispatcher,
                json={"step": step, "expected": expected, **more},
                timeout=30,
            )
            assert told.status_code == 200, told.text
            expected = told.json()["steps"][-1]["id"]
        assert [ours.until("notice", incident=id).data["kind"] for _ in range(2)] == ["dispatched", "urged"]
    assert [one["kind"] for one in of(asked(server, officer), id)] == ["urged", "dispatched"]
    assert of(asked(server, dispatcher), id) == []
