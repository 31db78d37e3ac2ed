"""Incidents over HTTP: from report to closing by several people, refused clearly, filed once, seen by their own."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from PIL import Image

from api.incident_bodies import ReportBody
from api.once import NO_TIME
from layers.loop.tables import CALLER
from layers.people.access import Scope
from layers.store.core import IDEMPOTENCY
from tests.api.people import key_of, person
from tests.conftest import Database, Server, serving
from tests.layers.test_loop_incidents import everything

PHONE = "13800138000"
HOURLY = 5
Headers = dict[str, str]


@pytest.fixture(scope="session")
def closed(server: Server) -> Server:
    """The server that all tests share: there, nobody reports without an account."""
    return server


@pytest.fixture(scope="module")
def loop(own_city: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server where residents may report without an account."""
    settings = {"public_reports": "true", "public_reports_hourly": str(HOURLY)}
    with serving(own_city, tmp_path_factory.mktemp("loop"), **settings) as running:
        yield running


@pytest.fixture(scope="module")
def client(loop: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=loop.url, timeout=30) as made:
        yield made


@pytest.fixture(scope="module")
def spot(loop: Server) -> dict[str, float]:
    with loop.database.reader.connect() as connection:
        lon, lat = connection.execute(
            sa.text("select st_x(geom), st_y(geom) from city.component where grid_id is not null order by id limit 1")
        ).one()
    return {"lon": lon, "lat": lat}


@pytest.fixture(scope="module")
def worker(loop: Server) -> Headers:
    return key_of(loop, "worker", scope=Scope(None, None))


@pytest.fixture(scope="module")
def dispatcher(loop: Server) -> Headers:
    return key_of(loop, "dispatcher", scope=Scope(None, None))


def rubbish(spot: dict[str, float], **more: Any) -> dict[str, Any]:
    return {"channel": "worker", "matter": "06010", "description": "路边有一堆垃圾", **spot, **more}


def filed(client: httpx.Client, headers: Headers, body: dict[str, Any], *, key: str | None = None) -> dict[str, Any]:
    sent = {**headers, **({"Idempotency-Key": key} if key else {})}
    answer = client.post("/incidents", json=body, headers=sent)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def step(client: httpx.Client, headers: Headers, case: dict[str, Any], name: str, **carried: Any) -> dict[str, Any]:
    """The case after a step from where it was read."""
    id, expected = case["receipt"]["incident"], case["receipt"]["step"]
    answer = client.post(
        f"/incidents/{id}/steps", json={"step": name, "expected": expected, **carried}, headers=headers
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def offered(case: dict[str, Any]) -> set[str]:
    return {offer["step"] for offer in case["offers"] if offer["allowed"]}


def jpeg(color: str = "green") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (80, 60), color).save(out, "JPEG")
    return out.getvalue()


def test_a_case_goes_through_the_hands_of_four(
    loop: Server, client: httpx.Client, worker: Headers, dispatcher: Headers, spot: dict[str, float]
) -> None:
    case = filed(client, worker, rubbish(spot))
    id = case["receipt"]["incident"]
    assert (case["incident"]["id"], case["incident"]["state"]) == (id, "reported")
    assert "register" not in offered(case)
    listed = client.get("/incidents", params={"queue": "area", "text": id}, headers=dispatcher).json()
    assert [one["id"] for one in listed["incidents"]] == [id]
    read = client.get(f"/incidents/{id}", headers=dispatcher)
    assert read.headers["Cache-Control"] == "private, no-store"
    assert {"register", "cancel", "merge"} <= offered(read.json())
    case = step(client, dispatcher, case, "register", level="urgent")
    assert case["incident"]["level"] == "urgent"
    assert case["proposal"]["why"][0]["zh"]
    case = step(client, dispatcher, case, "dispatch")
    lead = case["incident"]["lead"]
    assert lead == case["steps"][-1]["carries"]["decided"]["lead"]
    officer = key_of(loop, "officer", scope=Scope(None, frozenset({lead})))
    stranger = key_of(loop, "officer", scope=Scope(None, frozenset({"none-of-it"})))
    assert client.get(f"/incidents/{id}", headers=stranger).status_code == 404
    assert client.get("/incidents?queue=department", headers=stranger).json()["incidents"] == []
    assert id in {one["id"] for one in client.get("/incidents?queue=department", headers=officer).json()["incidents"]}
    case = step(client, officer, case, "sign")
    photo = client.post(f"/incidents/{id}/photos", content=jpeg(), headers=officer)
    assert photo.status_code == 201, photo.text
    case = step(client, officer, case, "dispose", note="已派保洁", **spot)
    case = step(client, officer, case, "feedback", note="清理完毕", photos=[photo.json()["id"]])
    assert case["steps"][-1]["carries"]["photos"] == [photo.json()["id"]]
    assert client.get(f"/photos/{photo.json()['id']}", headers=stranger).status_code == 404
    assert client.get(f"/photos/{photo.json()['id']}").status_code == 401
    case = step(client, worker, case, "check", note="干净")
    case = step(client, dispatcher, case, "close")
    assert (case["incident"]["state"], case["incident"]["stage_due_at"]) == ("closed", None)
    steps = ["report", "register", "dispatch", "sign", "dispose", "feedback", "check", "close"]
    assert [one["step"] for one in case["steps"]] == steps
    assert case["steps"][0]["title"] == {"zh": "上报", "en": "Report"}
    assert offered(case) == {"note"}


def test_a_machine_may_ask_for_the_receipt_alone(
    client: httpx.Client, worker: Headers, dispatcher: Headers, spot: dict[str, float]
) -> None:
    minimal = {"Prefer": "wait=10, return=minimal"}
    filed = client.post("/incidents", json=rubbish(spot), headers={**worker, **minimal})
    assert (filed.status_code, filed.headers["Preference-Applied"]) == (201, "return=minimal")
    assert filed.json().keys() == {"receipt"}
    receipt = filed.json()["receipt"]
    assert filed.headers["Location"] == f"/incidents/{receipt['incident']}"
    step = {"step": "accept", "expected": receipt["step"]}
    taken = client.post(f"/incidents/{receipt['incident']}/steps", json=step, headers={**dispatcher, **minimal})
    assert taken.json() == {"receipt": {**taken.json()["receipt"], "state": "accepted"}}
    whole = client.post("/incidents", json=rubbish(spot), headers={**worker, "Prefer": "return=representation"})
    assert whole.json()["incident"]["id"] == whole.json()["receipt"]["incident"]
    assert "Preference-Applied" not in whole.headers


def test_who_sends_back_what_is_not_theirs_reads_it_once_more(
    loop: Server, client: httpx.Client, worker: Headers, dispatcher: Headers, spot: dict[str, float]
) -> None:
    case = filed(client, worker, rubbish(spot))
    for name in ("register", "dispatch"):
        case = step(client, dispatcher, case, name)
    officer = key_of(loop, "officer", scope=Scope(None, frozenset({case["incident"]["lead"]})))
    case = step(client, officer, case, "send_back", reason="not_our_duty", note="应由街道处理")
    assert (case["incident"]["state"], case["incident"]["lead"], case["incident"]["returns"]) == ("registered", None, 1)
    assert client.get(f"/incidents/{case['receipt']['incident']}", headers=officer).status_code == 404


def test_who_comes_second_is_told_what_changed(
    client: httpx.Client, worker: Headers, dispatcher: Headers, spot: dict[str, float]
) -> None:
    case = filed(client, worker, rubbish(spot))
    id, expected = case["receipt"]["incident"], case["receipt"]["step"]
    after = step(client, dispatcher, case, "register")
    body = {"step": "register", "expected": expected}
    late = client.post(f"/incidents/{id}/steps", json=body, headers=dispatcher)
    told = late.json()
    assert (late.status_code, told["code"], told["cause"]) == (409, "overtaken", "case_changed")
    assert told["last"] == after["receipt"]["step"]
    assert [(one["step"], one["after"]) for one in told["since"]] == [("register", "registered")]
    assert told["since"][0]["at"]
    assert told["since"][0]["actor"].startswith("key:")


def test_a_report_that_is_sent_again_is_filed_once(
    client: httpx.Client, worker: Headers, spot: dict[str, float]
) -> None:
    with ThreadPoolExecutor(5) as pool:
        sent = [pool.submit(filed, client, worker, rubbish(spot), key="phone-1-17") for _ in range(5)]
        told = [one.result() for one in sent]
    assert len({one["receipt"]["incident"] for one in told}) == 1
    other = client.post(
        "/incidents", json=rubbish(spot, description="别的"), headers={**worker, "Idempotency-Key": "phone-1-17"}
    )
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    case = told[0]
    keyed = {**worker, "Idempotency-Key": "phone-1-18"}
    first = step(client, keyed, case, "note", note="补充")
    again = step(client, keyed, case, "note", note="补充")
    assert first["receipt"] == again["receipt"]
    assert len(again["steps"]) == 2
    photos = [
        client.post(
            f"/incidents/{case['receipt']['incident']}/photos",
            content=jpeg("red"),
            headers={**worker, "Idempotency-Key": "phone-1-19"},
        ).json()
        for _ in range(2)
    ]
    assert photos[0] == photos[1]


def test_whom_a_case_may_be_given_to_is_told_to_those_who_give_it(
    loop: Server, client: httpx.Client, worker: Headers, dispatcher: Headers, spot: dict[str, float]
) -> None:
    login = person(loop, "worker")
    path = f"/incidents/{filed(client, worker, rubbish(spot))['receipt']['incident']}/assignees"
    told = client.get(path, params={"q": login}, headers=dispatcher)
    assert told.json() == {"assignees": [{"login": login, "name": f"测试 {login}", "near": "city"}]}
    refused = client.get(path, headers=worker)  # may dispose of cases, and gives this one to nobody
    assert (refused.status_code, refused.json()["cause"]) == (403, "step_right")
    elsewhere = key_of(loop, "dispatcher", scope=Scope(frozenset({"320999"}), None))
    assert client.get(path, headers=elsewhere).status_code == 404
    assert client.get("/incidents/20200101000001/assignees", headers=dispatcher).status_code == 404


def test_a_device_files_what_it_sees_and_may_nothing_else(
    loop: Server, client: httpx.Client, dispatcher: Headers, spot: dict[str, float]
) -> None:
    device = key_of(loop, "device")
    for channel in ("sensor", "video", "warning"):
        case = filed(client, device, rubbish(spot, channel=channel), key=f"event-{channel}")
        assert offered(case) == set()
    path = f"/incidents/{case['receipt']['incident']}"
    assert client.post(f"{path}/photos", content=jpeg(), headers=device).status_code == 201
    assert client.get(path, headers=dispatcher).json()["incident"]["channel"] == "warning"
    for channel in ("worker", "public", "hotline", "media", "proposal", "order"):
        refused = client.post("/incidents", json=rubbish(spot, channel=channel), headers=device)
        assert (refused.status_code, refused.json()["cause"]) == (403, "channel_not_yours"), channel
    assert client.get("/incidents", headers=device).status_code == 403
    assert client.post(f"{path}/steps", json={"step": "accept", "expected": 0}, headers=device).status_code == 403


def test_many_cases_take_one_step_each_with_a_result_of_its_own(
    client: httpx.Client, worker: Headers, dispatcher: Headers, spot: dict[str, float]
) -> None:
    cases = [filed(client, worker, rubbish(spot)) for _ in range(3)]
    ids = [case["receipt"]["incident"] for case in cases]
    step(client, dispatcher, cases[1], "register")
    body = {"ids": [*ids, "20200101000001"], "step": "register"}
    told = client.post("/incidents/steps", json=body, headers=dispatcher).json()["results"]
    assert [(one["id"], one["done"], one["state"]) for one in told] == [
        (ids[0], True, "registered"),
        (ids[1], False, None),
        (ids[2], True, "registered"),
        ("20200101000001", False, None),
    ]
    assert (told[1]["code"], told[1]["cause"]) == ("conflict", "step_state")
    assert told[1]["why"] == {
        "zh": "案卷已立案，不能立案",
        "en": "“Register” is not possible in the state “Registered”",
    }
    assert told[3]["code"] == "unknown_item"
    many = {"ids": [f"202001010{n:05d}" for n in range(101)], "step": "register"}
    assert client.post("/incidents/steps", json=many, headers=dispatcher).status_code == 422


def test_what_may_be_the_same_is_offered_before_filing(
    client: httpx.Client, worker: Headers, spot: dict[str, float]
) -> None:
    case = filed(client, worker, rubbish(spot, description="井盖旁一大袋装修垃圾"))
    asked = rubbish(spot, description="井盖旁有一大袋装修垃圾")
    told = client.post("/incidents/duplicates", json=asked, headers=worker).json()["duplicates"]
    assert told[0]["id"] == case["receipt"]["incident"]
    assert told[0]["distance_m"] == 0
    assert told[0]["why"][0] == {"zh": "同一事项", "en": "The same matter"}


def test_a_queue_comes_page_by_page(
    client: httpx.Client, worker: Headers, dispatcher: Headers, spot: dict[str, float]
) -> None:
    for _ in range(3):
        filed(client, worker, rubbish(spot))
    got: list[str] = []
    params: dict[str, Any] = {"queue": "area", "limit": 2}
    for _ in range(200):
        page = client.get("/incidents", params=params, headers=dispatcher).json()
        got += [one["id"] for one in page["incidents"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert len(got) == len(set(got)) >= 3
    forged = client.get("/incidents", params={"queue": "overdue", "cursor": params["cursor"]}, headers=dispatcher)
    assert (forged.status_code, forged.json()["code"]) == (400, "bad_parameter")


def test_callers_are_masked_and_nowhere_in_the_clear(
    loop: Server, client: httpx.Client, dispatcher: Headers, spot: dict[str, float]
) -> None:
    contact = {"name": "欧阳小明", "phone": PHONE, "home": "南通市崇川区人民路18号"}
    body = rubbish(spot, channel="hotline", line="12345", contact=contact)
    case = filed(client, dispatcher, body, key="call-1")
    assert [(one["name"], one["phone"]) for one in case["callers"]] == [("欧阳*", "138****8000")]
    assert PHONE not in json.dumps(case)
    analyst = key_of(loop, "analyst")
    assert client.get(f"/incidents/{case['receipt']['incident']}", headers=analyst).json()["callers"] == []
    with loop.database.owner.connect() as connection:
        kept = connection.execute(sa.select(IDEMPOTENCY)).all()
        callers = connection.execute(sa.select(CALLER)).all()
    assert PHONE not in str(kept) + str(callers)
    # Who holds the database alone, and knows all else of the report, does not find the number by trying all.
    asked = ["report", ReportBody(**body).model_dump(exclude=NO_TIME)]
    guess = hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
    assert kept
    assert guess not in {row.digest for row in kept}
    wrong = client.post("/incidents", json={**body, "contact": {**contact, "phone": "no number"}}, headers=dispatcher)
    assert wrong.status_code == 422
    assert "欧阳小明" not in wrong.text


BAD_REPORTS: list[tuple[int, str | None, dict[str, Any]]] = [
    (422, "matter_unknown", {"matter": "99999"}),
    (422, "matter_unknown", {"matter": "<script>"}),
    (422, "component_unknown", {"matter": None, "component_id": "32060201002999999"}),
    (422, "outside_city", {"lon": 116.39, "lat": 39.9}),
    (422, "no_place", {"lon": 500.0}),
    (422, "no_place", {"lon": None}),
    (422, "text_control", {"description": "a\u0000b"}),
    (422, "text_control", {"title": "a\u202eb"}),
    (422, "text_long", {"description": "好" * 2001}),
    (422, None, {"description": "好" * 8001}),
    (422, None, {"lon": "here"}),
    (422, None, {"extra": 1}),
    (422, None, {"contact": {"passport": "E1"}}),
    (422, "code_unknown", {"level": "extreme"}),
    (422, "line_unknown", {"line": "12346"}),
    (403, "channel_not_yours", {"channel": "order"}),
]


def test_what_is_wrong_is_refused_clearly_and_leaves_nothing(
    loop: Server, client: httpx.Client, worker: Headers, dispatcher: Headers, spot: dict[str, float]
) -> None:
    id = filed(client, worker, rubbish(spot))["receipt"]["incident"]
    read = client.get(f"/incidents/{id}", headers=dispatcher).json()
    last = read["steps"][-1]["id"]
    before = everything(loop.database)
    files = {path for path in loop.data.rglob("*") if path.is_file()}
    for status, cause, wrong in BAD_REPORTS:
        answer = client.post("/incidents", json=rubbish(spot, **wrong), headers=worker)
        assert (answer.status_code, answer.json().get("cause")) == (status, cause), (wrong, answer.text)
    for status, cause, body in (
        (422, None, {"step": "register"}),
        (422, None, {"step": "register", "expected": "now"}),
        (422, None, {"step": "register", "expected": last, "spell": 1}),
        (422, "step_unknown", {"step": "explode", "expected": last}),
        (422, "step_strange", {"step": "register", "expected": last, "assignee": "li"}),
        (422, "photo_unknown", {"step": "note", "expected": last, "note": "x", "photos": ["A" * 16]}),
        (422, "text_control", {"step": "note", "expected": last, "note": "\u0007"}),
        (409, "step_state", {"step": "close", "expected": last}),
        (409, "case_changed", {"step": "register", "expected": last - 1}),
        (409, "case_changed", {"step": "register", "expected": last + 1}),
    ):
        answer = client.post(f"/incidents/{id}/steps", json=body, headers=dispatcher)
        assert (answer.status_code, answer.json().get("cause")) == (status, cause), (body, answer.text)
    forged = {"step": "register", "expected": last}
    assert client.post(f"/incidents/{id}/steps", json=forged, headers=worker).json()["cause"] == "step_right"
    assert client.post(f"/incidents/{id}/steps", json=forged).status_code == 401
    wrong_token = {"Authorization": "Bearer forged"}
    assert client.post(f"/incidents/{id}/steps", json=forged, headers=wrong_token).status_code == 401
    for status, cause, content in (
        (422, "photo_kind", b"MZ this is a program"),
        (422, "photo_kind", b"<svg onload='alert(1)'/>"),
        (422, "photo_broken", jpeg()[:400]),
        (413, None, bytes(10 * 2**20 + 1)),
    ):
        headers = {**worker, "Content-Type": "image/jpeg"}
        answer = client.post(f"/incidents/{id}/photos", content=content, headers=headers)
        assert (answer.status_code, answer.json().get("cause")) == (status, cause), answer.text
    assert client.post(f"/incidents/{id}/photos", content=jpeg()).status_code == 404
    assert everything(loop.database) == before
    assert {path for path in loop.data.rglob("*") if path.is_file()} == files
    assert client.get(f"/incidents/{id}", headers=dispatcher).json() == read


def test_a_script_in_a_text_stays_a_text(
    client: httpx.Client, worker: Headers, dispatcher: Headers, spot: dict[str, float]
) -> None:
    script = "<script>alert(1)</script>' or 1=1; --"
    id = filed(client, worker, rubbish(spot, title=script[:60], description=script))["receipt"]["incident"]
    answer = client.get(f"/incidents/{id}", headers=dispatcher)
    assert answer.json()["incident"]["description"] == script
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_photo_is_served_as_a_picture_and_nothing_else(
    loop: Server, client: httpx.Client, worker: Headers, spot: dict[str, float]
) -> None:
    id = filed(client, worker, rubbish(spot))["receipt"]["incident"]
    picture = jpeg("yellow") + b"<script>alert(1)</script>"
    headers = {**worker, "Content-Type": "text/html"}
    added = client.post(f"/incidents/{id}/photos", content=picture, headers=headers).json()
    for query, size in (("", (80, 60)), ("?small=1", (80, 60))):
        answer = client.get(f"/photos/{added['id']}{query}", headers=worker)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "private" in answer.headers["Cache-Control"]
        assert b"<script>" not in answer.content
        with Image.open(io.BytesIO(answer.content)) as opened:
            assert opened.size == size
    assert client.get(f"/photos/{'A' * 16}", headers=worker).status_code == 404
    assert Path(loop.data / "photos").is_dir()


def test_a_resident_reports_without_an_account_but_not_without_end(
    client: httpx.Client, dispatcher: Headers, spot: dict[str, float]
) -> None:
    body = rubbish(spot, channel="public", contact={"phone": PHONE})
    refused = client.post("/incidents", json={**body, "channel": "order"})
    assert refused.status_code == 401
    answer = client.post("/incidents", json=body, headers={"Idempotency-Key": "resident-1"})
    told = answer.json()
    assert answer.status_code == 201
    assert set(told) == {"receipt", "ticket"}
    id = told["receipt"]["incident"]
    assert client.get(f"/incidents/{id}").status_code == 401
    photos = f"/incidents/{id}/photos"
    assert client.post(photos, content=jpeg("pink"), headers={"X-Report-Ticket": told["ticket"]}).status_code == 201
    assert client.post(photos, content=jpeg("pink"), headers={"X-Report-Ticket": "0" * 64}).status_code == 404
    case = client.get(f"/incidents/{id}", headers=dispatcher).json()
    assert (len(case["photos"]), case["callers"][0]["phone"]) == (1, "138****8000")
    assert next(o for o in case["offers"] if o["step"] == "accept")["why"]["cause"] == "step_verify_first"
    statuses = [client.post("/incidents", json=body).status_code for _ in range(HOURLY)]
    assert statuses == [201] * (HOURLY - 2) + [429] * 2
    late = client.post("/incidents", json=body)
    assert (late.json()["code"], late.json()["cause"]) == ("too_often", "too_often")
    assert 0 < int(late.headers["Retry-After"]) <= 3601


def test_where_the_city_does_not_let_residents_report_they_are_told(closed: Server, spot: dict[str, float]) -> None:
    answer = httpx.post(f"{closed.url}/incidents", json=rubbish(spot, channel="public"))
    assert (answer.status_code, answer.json()["cause"]) == (401, "public_closed")


def test_the_table_of_states_is_told_with_its_words(client: httpx.Client) -> None:
    told = client.get("/incidents/rules").json()
    assert {"code": "closed", "title": {"zh": "已结案", "en": "Closed"}} in told["states"]
    assert {one["step"] for one in told["steps"]} >= {"verify", "dispatch", "send_back", "close"}
