"""Needs, providers and visits over HTTP: once each, for those who may, and never with a name in the clear."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from layers.loop.care.tables import NEED, VISIT
from layers.people.access import Scope
from layers.store.core import IDEMPOTENCY
from tests.api.people import key_of
from tests.conftest import Server

Headers = dict[str, str]
PHONE, HOME = "13812348000", "人民路18号2幢101室"


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as made:
        yield made


@pytest.fixture(scope="module")
def spot(server: Server) -> tuple[str, float, float]:
    """A grid, and a point in it."""
    with server.database.reader.connect() as connection:
        wanted = "select id, st_x(p), st_y(p) from (select id, st_pointonsurface(geom) p from city.grid) g order by id"
        id, lon, lat = connection.execute(sa.text(f"{wanted} limit 1")).one()
    return id, lon, lat


@pytest.fixture(scope="module")
def worker(server: Server, spot: tuple[str, float, float]) -> Headers:
    return key_of(server, "worker", scope=Scope(frozenset({spot[0]}), frozenset()))


@pytest.fixture(scope="module")
def volunteer(server: Server, spot: tuple[str, float, float]) -> Headers:
    return key_of(server, "volunteer", scope=Scope(frozenset({spot[0]}), frozenset()))


def told(spot: tuple[str, float, float], **more: Any) -> dict[str, Any]:
    contact = {"name": "欧阳小明", "phone": PHONE, "home": HOME}
    return {"kind": "water", "lon": spot[1], "lat": spot[2], "words": "水管漏水", "contact": contact, **more}


def test_a_need_that_is_sent_again_is_taken_down_once_and_tells_nobody(
    server: Server, client: httpx.Client, worker: Headers, volunteer: Headers, spot: tuple[str, float, float]
) -> None:
    ago = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)).isoformat()
    clock = {"X-Sent-At": (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=3)).isoformat()}
    body = told(spot, happened_at=ago)
    answers = [
        client.post("/needs", json=body, headers={**worker, "Idempotency-Key": "need-1", **more})
        for more in (clock, {"X-Sent-At": ago}, {})
    ]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.text for answer in answers}) == 1
    id = answers[0].json()["receipt"]["need"]
    assert answers[0].headers["Location"] == f"/needs/{id}"
    read = client.get(f"/needs/{id}", headers=worker)
    need = read.json()["need"]
    assert "private" in read.headers["Cache-Control"]
    assert (need["name"], need["phone"], need["grid_id"]) == ("欧阳*", "138****8000", spot[0])
    assert dt.datetime.fromisoformat(need["steps"][0]["happened_at"]) == dt.datetime.fromisoformat(ago)
    assert id in [one["id"] for one in client.get("/needs", headers=worker).json()["needs"]]
    assert client.get(f"/needs/{id}", headers=volunteer).status_code == 404
    assert client.get("/needs").status_code == 401
    with server.database.owner.connect() as connection:
        kept = str(connection.execute(sa.select(IDEMPOTENCY)).all()) + str(connection.execute(sa.select(NEED)).all())
    assert [text for text in (PHONE, HOME, "欧阳小明") if text in kept + read.text] == []
    purpose = client.post(f"/needs/{id}/unmask", json={"purpose": "dispose"}, headers=worker)
    assert (purpose.json()["phone"], purpose.headers["Cache-Control"]) == (PHONE, "no-store")
    assert client.post(f"/needs/{id}/unmask", json={"purpose": "dispose"}, headers=volunteer).status_code == 403


def test_who_serves_is_suggested_and_the_need_arranged_with_it(
    client: httpx.Client, worker: Headers, spot: tuple[str, float, float]
) -> None:
    kinds = {one["code"]: one for one in client.get("/needs/words").json()["kinds"]}
    assert kinds["water"]["group"] == "repair"
    noon: dict[str, str | float] = {"at": "2026-11-20T12:00:00+08:00", "lon": spot[1], "lat": spot[2]}
    found = client.get("/providers/suggested", params={"kind": "water", **noon}).json()
    assert found["suggested"], "the demo city has repair shops"
    assert all(fit["provider"]["synthetic"] and fit["why"] for fit in found["suggested"])
    away = [fit["distance_m"] for fit in found["suggested"]]
    assert away == sorted(away)
    near = client.get("/providers", params={"lon": spot[1], "lat": spot[2], "limit": 3}).json()["providers"]
    assert len(near) == 3
    assert all(len(span) == 3 for one in near for span in one["open"] or [])
    id = client.post("/needs", json=told(spot), headers=worker).json()["receipt"]
    chosen = found["suggested"][0]["provider"]["id"]
    body = {"step": "arrange", "expected": id["step"], "provider": chosen}
    again = [
        client.post(f"/needs/{id['need']}/steps", json=body, headers={**worker, "Idempotency-Key": "need-2"})
        for _ in range(2)
    ]
    assert again[0].json() == again[1].json()
    late = client.post(f"/needs/{id['need']}/steps", json={**body, "step": "done", "provider": None}, headers=worker)
    answer = late.json()
    assert (late.status_code, answer["code"], answer["cause"]) == (409, "overtaken", "need_changed")
    assert [one["title"]["zh"] for one in answer["since"]] == ["对接服务"]
    for wrong in ({"kind": "dreams", **noon}, {"kind": "water", **noon, "at": "noon"}):
        assert client.get("/providers/suggested", params=wrong).status_code in (400, 422)


def test_the_list_of_providers_is_the_administrators_to_keep(
    server: Server, client: httpx.Client, worker: Headers
) -> None:
    admin = key_of(server, "admin")
    csv = client.get("/providers.csv")
    assert csv.headers["content-type"].startswith("text/csv")
    sent = csv.content
    assert client.put("/providers.csv", content=sent, headers=worker).status_code == 403
    town = key_of(server, "admin", scope=Scope(frozenset({"320613001"}), None))
    assert client.put("/providers.csv", content=sent, headers=town).status_code == 403
    put = client.put("/providers.csv", content=sent, headers=admin)
    assert put.json()["providers"] == csv.text.count("\r\n") - 1
    wrong = client.put("/providers.csv", content=csv.content + b"a,n,person,meals,,,,3206,,,\r\n", headers=admin)
    assert (wrong.status_code, wrong.json()["cause"]) == (422, "provider_line")
    assert client.put("/providers.csv", content=b"\xff\xfe", headers=admin).status_code == 400
    assert client.get("/providers.csv").content == csv.content


def test_a_volunteer_writes_visits_once_and_reads_their_own(
    server: Server, client: httpx.Client, worker: Headers, volunteer: Headers, spot: tuple[str, float, float]
) -> None:
    need = client.post("/needs", json=told(spot), headers=volunteer).json()["receipt"]["need"]
    body = {"kind": "comfort", "outcome": "need", "lon": spot[1], "lat": spot[2], "words": "已慰问", "needs": [need]}
    sent = [
        client.post("/visits", json=body, headers={**volunteer, "Idempotency-Key": "visit-1"}) for _ in range(3)
    ]  # fmt: skip
    assert len({one.text for one in sent}) == 1
    id = sent[0].json()["receipt"]["visit"]
    client.post("/visits", json={**body, "needs": []}, headers=worker)
    assert [one["id"] for one in client.get("/visits", headers=volunteer).json()["visits"]] == [id]
    assert id in [one["id"] for one in client.get("/visits", headers=worker).json()["visits"]]
    assert client.get(f"/visits/{id}", headers=volunteer).json()["visit"]["role"] == "volunteer"
    span = {"start": "2026-01-01T00:00:00Z", "end": "2026-12-31T00:00:00Z", "by": "town"}
    now = dt.datetime.now(dt.UTC)
    span |= {"start": (now - dt.timedelta(days=1)).isoformat(), "end": (now + dt.timedelta(days=1)).isoformat()}
    counts = client.get("/visits/counts", params=span, headers=worker)
    assert counts.json()["counts"][0]["area"] == spot[0][:9]
    assert "actor" not in counts.text
    assert client.get("/visits/counts", params=span, headers=volunteer).status_code == 403
    wide = {**span, "start": "2020-01-01T00:00:00Z"}
    assert client.get("/visits/counts", params=wide, headers=worker).status_code == 400
    with server.database.owner.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(VISIT.c.id == id)) == 1


def test_what_is_wrong_is_refused_and_leaves_nothing(
    server: Server, client: httpx.Client, worker: Headers, spot: tuple[str, float, float]
) -> None:
    def kept() -> list[int | None]:
        with server.database.owner.connect() as connection:
            return [connection.scalar(sa.select(sa.func.count()).select_from(table)) for table in (NEED, VISIT)]

    before = kept()
    ahead = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()
    visit = {"kind": "comfort", "outcome": "nothing", "lon": spot[1], "lat": spot[2]}
    for path, status, cause, body in (
        ("/needs", 422, "need_kind", told(spot, kind="<script>")),
        ("/needs", 422, "outside_city", told(spot, lon=116.39, lat=39.9)),
        ("/needs", 422, "text_long", told(spot, words="好" * 2001)),
        ("/needs", 422, None, told(spot, words="好" * 8001)),
        ("/needs", 422, None, told(spot, diagnosis="x")),
        ("/needs", 422, None, told(spot, contact={"passport": "E1"})),
        ("/needs", 422, None, told(spot, wish_at="2026-11-20T12:00:00")),
        ("/needs", 422, "happened_ahead", told(spot, happened_at=ahead)),
        ("/visits", 422, "code_unknown", {**visit, "kind": "gossip"}),
        ("/visits", 422, None, {**visit, "person": "x"}),
        ("/visits", 422, "happened_old", {**visit, "happened_at": "2020-01-01T00:00:00Z"}),
        ("/visits", 403, "need_area", {**visit, "lon": 120.86, "lat": 32.02}),
    ):
        answer = client.post(path, json=body, headers=worker)
        assert (answer.status_code, answer.json().get("cause")) == (status, cause), (body, answer.text)
        assert PHONE not in answer.text
    assert client.post("/needs", json=told(spot), headers={**worker, "X-Sent-At": "soon"}).status_code == 422
    assert kept() == before


def test_a_report_that_was_noted_out_of_reach_says_when_it_happened(
    server: Server, client: httpx.Client, spot: tuple[str, float, float]
) -> None:
    worker = key_of(server, "worker", scope=Scope(frozenset({spot[0]}), None))
    now = dt.datetime.now(dt.UTC)
    then, skewed = (now - dt.timedelta(hours=5)).isoformat(), {"X-Sent-At": (now + dt.timedelta(hours=1)).isoformat()}
    body: dict[str, Any] = {"channel": "worker", "matter": "06010", "description": "夜里发现", "lon": spot[1],
                            "lat": spot[2]}  # fmt: skip
    keyed = {**worker, "Idempotency-Key": "late-1"}
    case = client.post("/incidents", json={**body, "happened_at": then}, headers={**keyed, **skewed})
    assert case.status_code == 201, case.text
    again = client.post("/incidents", json={**body, "happened_at": then}, headers=keyed)
    assert again.json()["receipt"] == case.json()["receipt"]
    assert client.post("/incidents", json=body, headers=keyed).json()["receipt"] == case.json()["receipt"]
    carried = case.json()["steps"][0]["carries"]
    assert dt.datetime.fromisoformat(carried["happened_at"]) == dt.datetime.fromisoformat(then)
    assert carried["clock_skew_s"] == pytest.approx(3600, abs=60)
    id, last = case.json()["receipt"]["incident"], case.json()["receipt"]["step"]
    step = {"step": "note", "note": "补记", "expected": last, "happened_at": then}
    taken = client.post(f"/incidents/{id}/steps", json=step, headers=worker).json()
    assert taken["steps"][-1]["carries"] == {"happened_at": carried["happened_at"]}
    assert taken["steps"][-1]["at"] > carried["happened_at"]
    ahead = (now + dt.timedelta(minutes=90)).isoformat()
    wrong = client.post("/incidents", json={**body, "happened_at": ahead}, headers=worker)
    assert (wrong.status_code, wrong.json()["cause"], wrong.json()["facts"]["minutes"]) == (422, "happened_ahead", 90)
    for moment in ("yesterday", "2026-11-20T12:00:00"):
        assert client.post("/incidents", json={**body, "happened_at": moment}, headers=worker).status_code == 422
    assert json.loads(client.get(f"/incidents/{id}", headers=worker).text)["steps"][0]["carries"] == carried


def test_needs_and_visits_are_listed_by_kind_area_order_and_time(
    server: Server, client: httpx.Client, worker: Headers, spot: tuple[str, float, float]
) -> None:
    me = key_of(server, "worker", scope=Scope(frozenset({spot[0]}), frozenset()))
    made = [
        client.post("/needs", json=told(spot, kind=kind), headers=me).json()["receipt"] for kind in ("lift", "door")
    ]
    lift, door = (one["need"] for one in made)

    def listed(**asked: Any) -> list[int]:
        answer = client.get("/needs", params={"limit": 200, **asked}, headers=me)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["needs"] if one["id"] in (lift, door)]

    assert (listed(), listed(newest=True)) == ([lift, door], [door, lift])
    assert (listed(kind="lift"), listed(kind="meals")) == ([lift], [])
    assert (listed(area=spot[0]), listed(area=spot[0][:6]), listed(area="320681")) == ([lift, door], [lift, door], [])
    page = client.get("/needs", params={"limit": 1, "newest": True}, headers=me).json()
    assert [one["id"] for one in page["needs"]] == [page["next"]]
    follow = client.get("/needs", params={"limit": 1, "newest": True, "after": page["next"]}, headers=me).json()
    assert follow["needs"][0]["id"] < page["next"]
    for wrong in ("32%", "x", "3"):
        assert client.get("/needs", params={"area": wrong}, headers=me).status_code == 422
    params: dict[str, str | float] = {"kind": "lift", "lon": spot[1], "lat": spot[2]}
    found = client.get("/providers/suggested", params=params).json()["suggested"]
    provider = found[0]["provider"] if found else None
    carries = {"note": "社区志愿者"} if provider is None else {"provider": provider["id"]}
    client.post(f"/needs/{lift}/steps", json={"step": "arrange", "expected": made[0]["step"], **carries}, headers=me)
    named = client.get(f"/needs/{lift}", headers=me).json()["need"]["providers"]
    assert named == ({} if provider is None else {provider["id"]: provider["name"]})
    visit = {"kind": "policy", "outcome": "nothing", "lon": spot[1], "lat": spot[2]}
    id = client.post("/visits", json=visit, headers=me).json()["receipt"]["visit"]
    now = dt.datetime.now(dt.UTC)
    ago, soon = ((now + by * dt.timedelta(hours=1)).isoformat() for by in (-1, 1))

    def visited(**asked: str) -> bool:
        return id in [one["id"] for one in client.get("/visits", params=asked, headers=worker).json()["visits"]]

    assert visited(start=ago, end=soon, area=spot[0][:9])
    assert not visited(end=ago)
    assert not visited(start=soon)
    assert not visited(area="320681")
