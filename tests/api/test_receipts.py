"""What somebody reads back of what they reported: residents by a ticket, people with an account wherever it lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from layers.loop import strangers
from layers.loop.tables import CALLER, STEP
from layers.people.access import Scope
from layers.people.privacy import keyring_in
from layers.people.reads import SENSITIVE_READ
from layers.store.engine import begin
from tests.api.people import key_of
from tests.api.test_incidents import filed, jpeg, offered, rubbish, step
from tests.conftest import Database, Server, serving

NAME, PHONE = "上官清泉", "13800138111"
Headers = dict[str, str]
# The words that staff write to each other, which no resident is to read.
SECRET = "内部意见"


@pytest.fixture(scope="module")
def loop(own_city: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server behind a proxy of the city's own, where residents may report without an account."""
    settings = {"public_reports": "true", "public_reports_hourly": "5", "proxies": "1"}
    with serving(own_city, tmp_path_factory.mktemp("receipts"), **settings) as running:
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
    return key_of(loop, "worker")


@pytest.fixture(scope="module")
def dispatcher(loop: Server) -> Headers:
    return key_of(loop, "dispatcher")


def from_(address: str, **headers: str) -> Headers:
    """What the proxy adds; what stands before it the caller has written."""
    return {"X-Forwarded-For": f"10.9.9.9, {address}", **headers}


def told_by_resident(client: httpx.Client, spot: dict[str, float], address: str) -> tuple[str, Headers]:
    """The number of a resident's new case, and the headers with its ticket."""
    body = rubbish(spot, channel="public", contact={"name": NAME, "phone": PHONE}, title="楼道口的垃圾")
    answer = client.post("/incidents", json=body, headers=from_(address))
    assert answer.status_code == 201, answer.text
    told = answer.json()
    return told["receipt"]["incident"], from_(address, **{"X-Report-Ticket": told["ticket"]})


def read(client: httpx.Client, id: str, ticket: Headers) -> Any:
    answer = client.get(f"/incidents/{id}/receipt", headers=ticket)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "private, no-store"
    return answer.json()


def case_at(client: httpx.Client, headers: Headers, id: str) -> dict[str, Any]:
    """A case where it stands, for the next step."""
    steps = client.get(f"/incidents/{id}", headers=headers).json()["steps"]
    return {"receipt": {"incident": id, "step": steps[-1]["id"]}}


def department(client: httpx.Client, code: str) -> Any:
    found = client.get("/departments", params={"level": "city"}).json()["departments"]
    return next(one["title"] for one in found if one["code"] == code)


def test_a_resident_follows_a_report_to_its_end_and_reads_no_name(
    loop: Server, client: httpx.Client, worker: Headers, dispatcher: Headers, spot: dict[str, float]
) -> None:
    id, ticket = told_by_resident(client, spot, "203.0.113.10")
    first = read(client, id, ticket)
    assert (first["state"]["code"], first["withdrawable"], first["photos"]) == ("reported", True, [])
    assert [one["step"] for one in first["steps"]] == ["report"]
    case = case_at(client, worker, id)
    case = step(client, worker, case, "verify", finding="as_told", note=SECRET)
    case = step(client, dispatcher, case, "accept", note=SECRET)
    case = step(client, dispatcher, case, "register")
    case = step(client, dispatcher, case, "dispatch", lead="cgj")
    officer = key_of(loop, "officer", scope=Scope(None, frozenset({"cgj"})))
    case = step(client, officer, case, "sign", note=SECRET)
    case = step(client, officer, case, "dispose", note=SECRET)
    before = client.post(f"/incidents/{id}/photos", content=jpeg("black"), headers=officer).json()["id"]
    case = step(client, officer, case, "note", note=SECRET, photos=[before])
    after = client.post(f"/incidents/{id}/photos", content=jpeg("white"), headers=officer).json()["id"]
    assert read(client, id, ticket)["photos"] == []
    case = step(client, officer, case, "feedback", note=SECRET, photos=[after])
    told = read(client, id, ticket)
    assert (told["state"]["code"], told["photos"], told["withdrawable"]) == ("disposed", [after], False)
    assert told["department"] == department(client, "cgj")
    steps = [one["step"] for one in told["steps"]]
    assert steps == ["report", "verify", "accept", "register", "dispatch", "dispose", "feedback"]
    assert all(set(one) == {"step", "title", "at", "reason"} for one in told["steps"])
    plain = client.get(f"/incidents/{id}/receipt", headers=ticket).text
    for hidden in (SECRET, NAME, PHONE, PHONE[-4:], "key:", "worker", "officer"):
        assert hidden not in plain, hidden
    picture = client.get(f"/incidents/{id}/receipt/photos/{after}", headers=ticket)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    assert "no-store" in picture.headers["Cache-Control"]
    assert client.get(f"/incidents/{id}/receipt/photos/{before}", headers=ticket).status_code == 404
    assert client.get(f"/photos/{after}", headers=ticket).status_code == 401


def test_a_receipt_opens_with_its_own_ticket_alone_and_all_refusals_are_alike(
    loop: Server, client: httpx.Client, worker: Headers, spot: dict[str, float]
) -> None:
    id, ticket = told_by_resident(client, spot, "203.0.113.20")
    other, others = told_by_resident(client, spot, "203.0.113.20")
    staff = filed(client, worker, rubbish(spot))["receipt"]["incident"]
    assert read(client, id, ticket)["id"] == id
    tried = [
        (id, others),
        (other, ticket),
        (id, from_("203.0.113.20")),
        (id, from_("203.0.113.20", **{"X-Report-Ticket": "0" * 64})),
        ("20200101000001", ticket),
        (staff, from_("203.0.113.20", **{"X-Report-Ticket": strangers.ticket_for(keyring_in(loop.data), staff)})),
    ]
    answers = [client.request(m, f"/incidents/{n}/receipt", headers=h) for n, h in tried for m in ("GET", "DELETE")]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["code"] for answer in answers} == {"unknown_item"}
    assert client.get(f"/incidents/{id}", headers=ticket).status_code == 401


def test_a_report_is_taken_back_until_somebody_takes_it_up(
    loop: Server, client: httpx.Client, dispatcher: Headers, spot: dict[str, float]
) -> None:
    id, ticket = told_by_resident(client, spot, "203.0.113.30")
    assert client.delete(f"/incidents/{id}/receipt", headers=ticket).status_code == 204
    told = read(client, id, ticket)
    assert (told["state"]["code"], told["withdrawable"]) == ("cancelled", False)
    assert told["steps"][-1]["reason"] == {"zh": "上报人撤回", "en": "Withdrawn by the reporter"}
    again = client.delete(f"/incidents/{id}/receipt", headers=ticket)
    assert (again.status_code, again.json()["cause"]) == (409, "step_state")
    with loop.database.owner.connect() as connection:
        rows = connection.execute(sa.select(STEP.c.actor, STEP.c.step).where(STEP.c.incident == id).order_by(STEP.c.id))
        assert [tuple(row) for row in rows] == [("anyone", "report"), ("anyone", "cancel")]
    taken, other = told_by_resident(client, spot, "203.0.113.30")
    case = case_at(client, dispatcher, taken)
    step(client, dispatcher, case, "reject", reason="solved_already", note=SECRET)
    late = client.delete(f"/incidents/{taken}/receipt", headers=other)
    assert (late.status_code, late.json()["cause"]) == (409, "step_state")
    assert read(client, taken, other)["steps"][-1]["reason"]["zh"] == "已解决"


def test_a_merged_report_tells_how_far_the_other_case_is(
    client: httpx.Client, dispatcher: Headers, worker: Headers, spot: dict[str, float]
) -> None:
    into = filed(client, worker, rubbish(spot))["receipt"]["incident"]
    id, ticket = told_by_resident(client, spot, "203.0.113.40")
    case = case_at(client, dispatcher, id)
    step(client, dispatcher, case, "merge", into=into)
    told = read(client, id, ticket)
    assert (told["state"]["code"], told["continued"]["state"]["code"]) == ("cancelled", "reported")
    assert into not in client.get(f"/incidents/{id}/receipt", headers=ticket).text


def test_nobody_tries_tickets_for_long_and_others_go_on(
    loop: Server, client: httpx.Client, spot: dict[str, float]
) -> None:
    id, ticket = told_by_resident(client, spot, "203.0.113.50")
    with loop.database.engine.begin() as connection:
        connection.execute(sa.text("update core.stranger set n = n + :n where n < 50"), {"n": strangers.MOST_READINGS})
    refused = client.get(f"/incidents/{id}/receipt", headers={**ticket, **from_("203.0.113.20")})
    assert (refused.status_code, refused.json()["cause"]) == (429, "too_many_readings")
    assert 0 < int(refused.headers["Retry-After"]) <= 3601
    assert read(client, id, {**ticket, **from_("203.0.113.51")})["id"] == id


def test_one_household_is_one_address(client: httpx.Client, spot: dict[str, float]) -> None:
    body = rubbish(spot, channel="public")
    sent = [client.post("/incidents", json=body, headers=from_(f"2001:db8:1:2::{n}")).status_code for n in range(1, 8)]
    assert sent == [201] * 5 + [429] * 2


def test_an_account_reads_what_it_reported_where_it_answers_for_nothing(
    loop: Server, client: httpx.Client, dispatcher: Headers, spot: dict[str, float]
) -> None:
    far = Scope(frozenset({"320681"}), None)
    reporter, neighbour = key_of(loop, "worker", scope=far), key_of(loop, "worker", scope=far)
    volunteer = key_of(loop, "volunteer", scope=Scope())
    for headers, channel in ((reporter, "worker"), (volunteer, "public")):
        id = filed(client, headers, rubbish(spot, channel=channel, contact={"phone": PHONE}))["receipt"]["incident"]
        photo = client.post(f"/incidents/{id}/photos", content=jpeg("red"), headers=headers).json()["id"]
        case = case_at(client, dispatcher, id)
        step(client, dispatcher, case, "note", note=SECRET)
        told = client.get(f"/incidents/{id}", headers=headers).json()
        assert (told["incident"]["id"], told["callers"], told["proposal"]) == (id, [], None)
        assert "cancel" in offered(told)
        assert (SECRET in str(told)) == (headers is reporter)
        assert client.get(f"/photos/{photo}", headers=headers).status_code == 200
        mine = client.get("/incidents", params={"queue": "reported"}, headers=headers).json()["incidents"]
        assert [one["id"] for one in mine] == [id]
        told = step(client, headers, {"receipt": {"incident": id, "step": told["steps"][-1]["id"]}}, "cancel",
                    reason="mistaken", note="看错了")  # fmt: skip
        mine = client.get("/incidents", params={"queue": "reported"}, headers=headers).json()["incidents"]
        assert [one["state"] for one in mine] == ["cancelled"]
        assert client.get(f"/incidents/{id}", headers=neighbour).status_code == 404
        assert client.get(f"/photos/{photo}", headers=neighbour).status_code == 404
    everybodys = client.get("/incidents", params={"queue": "area"}, headers=reporter).json()["incidents"]
    assert all(one["admin_code"].startswith("320681") for one in everybodys)
    assert client.get("/incidents", params={"queue": "area"}, headers=volunteer).json()["incidents"] == []
    assert client.get("/incidents", params={"queue": "reported"}).status_code == 401


def test_behind_a_proxy_of_the_city_the_callers_own_address_is_recorded(
    loop: Server, client: httpx.Client, dispatcher: Headers
) -> None:
    keyring = keyring_in(loop.data)
    with begin(loop.database.engine, actor="dispatcher") as connection:
        phone = keyring.seal(PHONE, about="caller.phone")
        made = sa.insert(CALLER).values(incident="20260701000008", channel="hotline", phone=phone)
        id = connection.execute(made.returning(CALLER.c.id)).scalar_one()
    sent = {**dispatcher, **from_("203.0.113.77")}
    assert client.post(f"/callers/{id}/unmask", json={"purpose": "回访办理结果"}, headers=sent).status_code == 200
    with loop.database.owner.connect() as connection:
        found = connection.scalar(sa.select(SENSITIVE_READ.c.address).where(SENSITIVE_READ.c.id == str(id)))
    assert found == "203.0.113.77"
