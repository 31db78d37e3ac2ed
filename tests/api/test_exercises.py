"""Exercises over HTTP: what is rehearsed stays there, and nothing real is changed from within."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa
from PIL import Image

from api.rights import HARMLESS, NEEDED, REHEARSED
from gis.tilegrid import tile_of
from layers.loop.case_tables import CASE_NUMBER
from layers.people.access import Scope
from layers.people.exercises import MOST_OPEN
from layers.people.tables import ACCOUNT_EVENT
from layers.store.core import CHANGE
from layers.store.engine import begin
from tests.api.exercises import closed, join, key_within, opened
from tests.api.people import key_of, person, signed_in
from tests.api.streams import listening
from tests.api.test_incidents import jpeg, rubbish
from tests.api.test_print import order, printed, text_of
from tests.api.test_system import until
from tests.conftest import Server

Headers = dict[str, str]
READS = ("GET", "HEAD")
PARTS = {"name": "component", "number": "999999999", "login": "nobody.is.called.this", "format": "csv", "form": "json"}


@pytest.fixture
def drill(server: Server) -> Iterator[str]:
    """An exercise that is open during a test."""
    id = opened(server)["id"]
    yield id
    httpx.post(f"{server.url}/exercises/{id}/close", headers=key_of(server, "director"), timeout=30)


@pytest.fixture(scope="module")
def spot(server: Server) -> dict[str, float]:
    with server.database.reader.connect() as connection:
        lon, lat = connection.execute(
            sa.text("select st_x(geom), st_y(geom) from city.component where grid_id is not null order by id limit 1")
        ).one()
    return {"lon": lon, "lat": lat}


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as made:
        yield made


def filed(client: httpx.Client, headers: Headers, body: dict[str, Any], *, key: str | None = None) -> str:
    sent = {**headers, **({"Idempotency-Key": key} if key else {})}
    answer = client.post("/incidents", json=body, headers=sent)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["receipt"]["incident"])


def took(client: httpx.Client, headers: Headers, id: str, step: str, **carried: Any) -> httpx.Response:
    seen = client.get(f"/incidents/{id}", headers=headers)
    expected = seen.json()["steps"][-1]["id"] if seen.status_code == 200 else 0
    return client.post(f"/incidents/{id}/steps", json={"step": step, "expected": expected, **carried}, headers=headers)


def test_a_case_of_an_exercise_is_seen_in_it_alone(
    server: Server, client: httpx.Client, drill: str, spot: dict[str, float]
) -> None:
    within, outside = key_within(server, drill, "worker"), key_of(server, "worker")
    other = key_within(server, opened(server, "另一场")["id"], "worker")
    rehearsed, real = filed(client, within, rubbish(spot)), filed(client, outside, rubbish(spot))
    for headers, seen, unseen in ((within, rehearsed, real), (outside, real, rehearsed), (other, None, rehearsed)):
        for path in ("/incidents/{}", "/items/incident/{}", "/ogc/collections/incident/items/{}"):
            if seen is not None:
                assert client.get(path.format(seen), headers=headers).status_code == 200, path
            assert client.get(path.format(unseen), headers=headers).status_code == 404, path
        ids = {one["id"] for one in client.get("/incidents", headers=headers).json()["incidents"]}
        assert unseen not in ids
        assert seen is None or seen in ids
        assert took(client, headers, unseen, "supplement", note="改").status_code == 404
    told = client.get(f"/incidents/{rehearsed}", headers=within).json()["incident"]
    assert told["scenario"] == drill
    assert rehearsed[8] == "9"


def answers(client: httpx.Client, headers: Headers, spot: dict[str, float], id: str) -> dict[str, str]:
    """What every way to read tells, but for what always differs."""
    z, x, y = tile_of(spot["lon"], spot["lat"], 16)
    days = "from=2026-01-01&to=2027-12-31"
    paths = (
        *("/layers", "/layers/incident", "/layers/incident/facets", "/layers/incident/densities?by=county"),
        *(f"/tiles/incident/{z}/{x}/{y}.mvt", f"/tiles/incident/8/{x >> 8}/{y >> 8}.mvt"),
        *("/incidents", "/incidents?queue=overdue", "/ogc/collections/incident/items?limit=50"),
        *(f"/search?q={id}", "/search?q=演练里的垃圾堆", f"/geocode?q={id}"),
        f"/nearby?lon={spot['lon']}&lat={spot['lat']}&layers=incident",
        *("/indicators", f"/loop/indicators?{days}", f"/hotline/rates?{days}", "/hotline/callbacks"),
        *("/hotline/bulletin?week=2026-W47", "/open311/v2/requests.json", f"/open311/v2/requests/{id}.json"),
    )
    told = {}
    for path in paths:
        answer = client.get(path, headers=headers)
        assert answer.status_code in (200, 204, 400, 404), path
        told[path] = re.sub(r'"(at|madeAt|timeStamp|updated)": ?"[^"]*"', "", answer.content.hex())
        if "mvt" not in path:
            told[path] = re.sub(r'"(at|madeAt|timeStamp|updated|changed_?[aA]t)": ?"[^"]*"', "", answer.text)
    for question in ({"ask": "select", "layer": "incident"}, {"ask": "count", "layer": "incident", "by": "county"}):
        answer = client.post("/query", json=question, headers=headers).json()
        told[str(question)] = str([answer["count"], answer.get("features"), answer.get("rows")])
    draft = {"text": "路边有一堆垃圾，演练里的垃圾堆"}
    told["duplicates"] = client.post("/incidents/duplicates", json=rubbish(spot, **{}), headers=headers).text
    told["draft"] = str(client.post("/hotline/intake/draft", json=draft, headers=headers).json().get("duplicates"))
    return told


def test_no_way_to_ask_tells_anything_of_an_exercise_to_those_outside(
    server: Server, client: httpx.Client, drill: str, spot: dict[str, float]
) -> None:
    outside = key_of(server, "dispatcher", "worker")
    within = key_within(server, drill, "worker", "dispatcher")
    today = filed(client, outside, rubbish(spot))
    rehearsed = f"{today[:8]}900001"
    before = answers(client, outside, spot, rehearsed)
    first = filed(client, within, rubbish(spot, title="演练里的垃圾堆", description="演练里的垃圾堆"))
    assert took(client, within, first, "accept").status_code in (200, 403, 409)
    after = answers(client, outside, spot, rehearsed)
    assert {path: told for path, told in after.items() if told != before[path]} == {}
    inside = answers(client, within, spot, first)
    assert first in inside["/incidents"]
    assert first in inside["duplicates"]
    assert today not in "".join(inside.values())
    # Nor is there a gap in the real numbers.
    assert int(filed(client, outside, rubbish(spot))) == int(today) + 1


def test_every_change_of_the_real_city_is_refused_from_within(server: Server, client: httpx.Client, drill: str) -> None:
    """Each route that changes something is one of an exercise, or about oneself, or it is refused."""
    roles = ("admin", "planner", "dispatcher", "commander", "officer", "worker", "director")
    within = {**key_within(server, drill, *roles), "Content-Type": "application/json"}
    security = {**key_within(server, drill, "security"), "Content-Type": "application/json"}
    walked = 0
    for route in sorted(set(NEEDED) - REHEARSED - HARMLESS):
        method, path = route.split(" ")
        if method in READS:
            continue
        address = re.sub(r"{(\w+)}", lambda part: PARTS.get(part[1], "1"), path)
        answers = [client.request(method, address, headers=who, content=b"{}") for who in (within, security)]
        told = [answer.text for answer in answers]
        # GeoReport has an own shape of errors.
        named = "leave the exercise first" if path.startswith("/open311") else '"cause":"exercise_real"'
        assert any(named in text for text in told), (route, told)
        assert all(answer.status_code in (403, 409) for answer in answers), route
        walked += 1
    assert walked > 30


def test_a_component_is_not_edited_from_within(server: Server, client: httpx.Client, drill: str) -> None:
    within = key_within(server, drill, "admin")
    with server.database.reader.connect() as connection:
        id = connection.scalar(sa.text("select id from city.component order by id limit 1"))
    before = client.get(f"/items/component/{id}", headers=within)
    assert before.status_code == 200, "what is real is the ground on which an exercise is played"
    sent = {**within, "If-Match": before.headers["etag"], "Content-Type": "application/json"}
    answer = client.patch(f"/items/component/{id}", headers=sent, json={"properties": {"state": "lost"}})
    assert (answer.status_code, answer.json()["cause"]) == (409, "exercise_real")
    assert client.get(f"/items/component/{id}", headers=within).headers["etag"] == before.headers["etag"]


def test_open311_takes_nothing_of_a_key_of_an_exercise(
    server: Server, client: httpx.Client, drill: str, spot: dict[str, float]
) -> None:
    secret = key_within(server, drill, "admin")["Authorization"].removeprefix("Bearer ")
    said = {"service_code": "06010", "lat": str(spot["lat"]), "long": str(spot["lon"]), "description": "一堆垃圾"}
    answer = client.post("/open311/v2/requests.json", data={**said, "api_key": secret})
    assert answer.status_code == 409, answer.text


def test_a_session_joins_and_leaves_and_each_is_recorded(server: Server, drill: str) -> None:
    login = person(server, "worker")
    with signed_in(server, login) as page, signed_in(server, login) as other:
        assert page.get("/session").json()["exercise"] is None
        assert drill in {one["id"] for one in page.get("/exercises").json()["exercises"]}
        assert join(page, drill).json()["exercise"]["title"] == "防汛演练"
        assert page.get("/session").json()["exercise"]["id"] == drill
        assert other.get("/session").json()["exercise"] is None, "another session of the same person stays outside"
        assert join(page, None).json() == {"exercise": None}
        assert page.get("/session").json()["exercise"] is None
    events = sa.select(ACCOUNT_EVENT.c.event, ACCOUNT_EVENT.c.facts).where(ACCOUNT_EVENT.c.about == login)
    with server.database.owner.connect() as connection:
        rows = [tuple(row) for row in connection.execute(events.order_by(ACCOUNT_EVENT.c.id))]
        about = sa.select(ACCOUNT_EVENT.c.event).where(ACCOUNT_EVENT.c.about == drill)
        assert connection.scalars(about).all() == ["exercise_opened"]
    assert [row for row in rows if "exercise" in row[0]] == [
        ("exercise_joined", {"exercise": drill}),
        ("exercise_left", {"exercise": drill}),
    ]


def test_what_is_filed_by_a_session_in_an_exercise_is_of_that_exercise(
    server: Server, drill: str, spot: dict[str, float]
) -> None:
    with signed_in(server, person(server, "worker", "commander")) as page:
        join(page, drill)
        answer = page.post("/incidents", json=rubbish(spot))
        id = answer.json()["receipt"]["incident"]
        assert answer.json()["incident"]["scenario"] == drill
        assert page.post(f"/incidents/{id}/photos", content=jpeg()).status_code == 201
        join(page, None)
        assert page.get(f"/incidents/{id}").status_code == 404
    with server.database.owner.connect() as connection:
        marks = sa.select(CHANGE.c.scenario).where(CHANGE.c.layer == "incident", CHANGE.c.id == id).distinct()
        assert connection.scalars(marks).all() == [drill], "the change log tells where it happened"
        for table in ("step", "photo", "stage_clock", "timer"):
            found = connection.scalars(
                sa.text(f"select distinct scenario from core.{table} where incident = :id"), {"id": id}
            )
            assert found.all() == [drill], table


def test_a_page_that_was_opened_elsewhere_neither_shows_nor_changes_an_exercise(
    server: Server, drill: str, spot: dict[str, float]
) -> None:
    with signed_in(server, person(server, "worker")) as page:
        outside, inside = {"Chengtu-Exercise": "none"}, {"Chengtu-Exercise": drill}
        assert page.get("/incidents", headers=outside).status_code == 200
        queued = page.post("/incidents", json=rubbish(spot), headers=inside)
        assert (queued.status_code, queued.json()["cause"]) == (409, "exercise_other")
        join(page, drill)
        for path in ("/incidents", "/layers/incident", "/search?q=垃圾", "/tiles/incident/14/1/1.mvt", "/live"):
            assert page.get(path, headers=outside).status_code == 409, path
        assert page.post("/incidents", json=rubbish(spot), headers=outside).json()["cause"] == "exercise_other"
        assert page.get("/incidents", headers=inside).json()["incidents"] == []
        assert page.post("/incidents", json=rubbish(spot), headers=inside).status_code == 201


def test_a_key_of_a_request_means_another_one_in_an_exercise(
    server: Server, drill: str, spot: dict[str, float]
) -> None:
    with signed_in(server, person(server, "worker")) as page:
        key = {"Idempotency-Key": f"once-{drill}"}
        real = page.post("/incidents", json=rubbish(spot), headers=key).json()["receipt"]
        join(page, drill)
        rehearsed = page.post("/incidents", json=rubbish(spot), headers=key).json()["receipt"]
        again = page.post("/incidents", json=rubbish(spot), headers=key).json()["receipt"]
        assert real["incident"] != rehearsed["incident"] == again["incident"]


def test_an_exercise_that_is_closed_is_seen_and_not_changed(server: Server, drill: str, spot: dict[str, float]) -> None:
    with signed_in(server, person(server, "worker", "dispatcher")) as page:
        join(page, drill)
        id = page.post("/incidents", json=rubbish(spot)).json()["receipt"]["incident"]
        closed(server, drill)
        assert page.get("/session").json()["exercise"]["closedAt"] is not None, "nobody is put back unawares"
        for path, sent in (
            ("/incidents", rubbish(spot)),
            (f"/incidents/{id}/steps", {"step": "accept", "expected": 1}),
        ):
            answer = page.post(path, json=sent)
            assert (answer.status_code, answer.json()["cause"]) == (409, "exercise_over"), path
        assert page.post(f"/incidents/{id}/photos", content=jpeg()).json()["cause"] == "exercise_over"
        assert page.get(f"/incidents/{id}").status_code == 200
        assert join(page, None).status_code == 200
        refused = join(page, drill)
        assert (refused.status_code, refused.json()["cause"]) == (409, "exercise_over")


def test_the_live_stream_of_a_session_ends_when_it_enters_or_its_exercise_is_over(
    server: Server, drill: str, spot: dict[str, float]
) -> None:
    with signed_in(server, person(server, "worker")) as page:
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in page.cookies.items())}
        with listening(f"{server.url}/live?layers=incident", **cookie) as events:
            assert events.next().kind == "hello"
            join(page, drill)
            assert [event.kind for event in events.rest()] == []
        with listening(f"{server.url}/live?layers=incident", **cookie) as events:
            assert events.next().kind == "hello"
            id = page.post("/incidents", json=rubbish(spot)).json()["receipt"]["incident"]
            assert events.until("record").data["id"] == id
            closed(server, drill)
            assert {event.kind for event in events.rest()} <= {"record", "tiles"}


def test_live_events_of_an_exercise_reach_those_in_it_alone(
    server: Server, client: httpx.Client, drill: str, spot: dict[str, float]
) -> None:
    within, outside = key_within(server, drill, "worker"), key_of(server, "worker")
    address = f"{server.url}/live?layers=incident"
    with listening(address, **within) as theirs, listening(address, **outside) as ours:
        assert (theirs.next().kind, ours.next().kind) == ("hello", "hello")
        rehearsed, real = filed(client, within, rubbish(spot)), filed(client, outside, rubbish(spot))
        assert theirs.until("record").data["id"] == rehearsed
        assert ours.until("record").data["id"] == real


def test_an_exercise_is_for_its_area_and_its_roles(server: Server) -> None:
    told = opened(server, "区县演练", area="320613", roles=["worker", "dispatcher"])
    cases = [
        ("worker", Scope(frozenset({"320613002"}), None), 200),
        ("worker", Scope(frozenset({"3206"}), None), 200),
        ("worker", Scope(None, None), 200),
        ("worker", Scope(frozenset({"320681"}), None), 403),
        ("officer", Scope(None, None), 403),
        ("director", Scope(None, None), 200),
        ("director", Scope(frozenset({"320681"}), None), 403),
    ]
    for role, scope, status in cases:
        with signed_in(server, person(server, role, scope=scope)) as page:
            listed = {one["id"] for one in page.get("/exercises").json()["exercises"]}
            assert (told["id"] in listed) == (status == 200), role
            answer = join(page, told["id"])
            assert answer.status_code == status, (role, scope, answer.text)
            assert page.get(f"/exercises/{told['id']}").status_code == (200 if status == 200 else 404)
    closed(server, told["id"])


def test_a_director_opens_and_closes_within_their_areas(server: Server) -> None:
    county = key_of(server, "director", scope=Scope(frozenset({"320613"}), None))
    with httpx.Client(base_url=server.url, timeout=30) as client:
        for area, status in (("320613", 201), ("320613002", 201), ("3206", 422), (None, 422), ("320681", 422)):
            answer = client.post("/exercises", json={"title": "防汛", "area": area}, headers=county)
            assert answer.status_code == status, (area, answer.text)
            if status == 201:
                assert client.post(f"{answer.headers['Location']}/close", headers=county).status_code == 200
        whole = opened(server)["id"]
        refused = client.post(f"/exercises/{whole}/close", headers=county)
        assert (refused.status_code, refused.json()["cause"]) == (403, "exercise_not_yours")
        assert client.get(f"/exercises/{whole}/steps", headers=county).status_code == 403
        closed(server, whole)
        again = client.post(f"/exercises/{whole}/close", headers=key_of(server, "director"))
        assert (again.status_code, again.json()["cause"]) == (409, "exercise_over")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "一" * 61}, "title"),
        ({"title": "防汛\n演练"}, "title"),
        ({"title": "防汛", "note": "一" * 501}, "note"),
        ({"title": "防汛", "area": "42"}, "area"),
        ({"title": "防汛", "area": "abcdef"}, "area"),
        ({"title": "防汛", "roles": ["nobody"]}, "roles"),
        ({"title": "防汛", "roles": ["kiosk"]}, "roles"),
        ({"title": "防汛", "roles": ["worker"] * 21}, "roles"),
        ({"title": "防汛", "scenario": "drill-1"}, "scenario"),
    ],
)
def test_an_exercise_that_cannot_be_is_refused(server: Server, body: dict[str, Any], named: str) -> None:
    answer = httpx.post(f"{server.url}/exercises", headers=key_of(server, "director"), json=body, timeout=30)
    assert answer.status_code == 422, answer.text
    assert any(name.startswith(named) for name in answer.json()["problems"])


def test_unknown_exercises_are_told_as_such(server: Server) -> None:
    with signed_in(server, person(server, "worker")) as page:
        assert join(page, "drill-20000101-1").status_code == 404
        assert page.get("/exercises/drill-20000101-1").status_code == 404
        assert join(page, "' or true").status_code == 422
        assert page.put("/session/exercise", json={}).status_code == 422
    answer = httpx.put(
        f"{server.url}/session/exercise", json={"id": None}, headers=key_of(server, "worker"), timeout=30
    )
    assert (answer.status_code, answer.json()["cause"]) == (403, "no_account")
    assert httpx.get(f"{server.url}/exercises", timeout=30).status_code == 401


def test_the_number_of_open_exercises_is_bounded(server: Server) -> None:
    director = key_of(server, "director")
    made = []
    for _ in range(MOST_OPEN + 1):
        answer = httpx.post(f"{server.url}/exercises", headers=director, json={"title": "防汛"}, timeout=30)
        if answer.status_code != 201:
            break
        made.append(answer.json()["id"])
    assert (answer.status_code, answer.json()["cause"]) == (409, "exercises_full")
    for id in made:
        closed(server, id)
    assert len(set(made)) == len(made)


def test_the_record_of_an_exercise_tells_its_cases_steps_and_notices(
    server: Server, client: httpx.Client, drill: str, spot: dict[str, float]
) -> None:
    within, director = key_within(server, drill, "worker", "dispatcher"), key_of(server, "director")
    id = filed(client, within, rubbish(spot))
    assert took(client, within, id, "register", level="urgent").status_code == 200
    told = client.get(f"/exercises/{drill}", headers=director).json()
    assert told["counts"] == {
        "cases": 1, "byState": {"registered": 1}, "underWay": 1, "overdue": 0, "steps": 2, "notices": 0
    }  # fmt: skip
    record = client.get(f"/exercises/{drill}/steps", headers=director, params={"limit": 1}).json()
    rest = client.get(f"/exercises/{drill}/steps", headers=director, params={"after": record["after"]}).json()
    steps = [*record["steps"], *rest["steps"]]
    assert [(one["incident"], one["step"]) for one in steps] == [(id, "report"), (id, "register")]
    assert rest["after"] is None
    assert client.get(f"/exercises/{drill}/steps", headers=within).status_code == 403
    assert client.get(f"/exercises/{drill}/outbox", headers=director).json() == {"notices": [], "after": None}


def test_a_key_is_made_for_an_exercise_and_opens_nothing_else(server: Server, drill: str) -> None:
    with signed_in(server, person(server, "officer")) as page:
        body = {"title": "演练系统", "roles": ["officer"], "exercise": drill}
        made = page.post("/keys", json=body)
        assert (made.status_code, made.json()["exercise"]) == (201, drill)
        assert page.post("/keys", json={**body, "exercise": "drill-20000101-1"}).status_code == 404
        headers = {"Authorization": f"Bearer {made.json()['key']}"}
        told = httpx.get(f"{server.url}/session", headers=headers, timeout=30).json()
        assert told["exercise"]["id"] == drill
        join(page, drill)
        assert page.post("/keys", json=body).json()["cause"] == "exercise_real"


def test_exercises_do_not_use_up_real_numbers(
    server: Server, client: httpx.Client, drill: str, spot: dict[str, float]
) -> None:
    within = key_within(server, drill, "worker")
    with server.database.owner.connect() as connection:
        before = connection.execute(sa.select(CASE_NUMBER)).all()
    ids = [filed(client, within, rubbish(spot)) for _ in range(2)]
    assert int(ids[1]) == int(ids[0]) + 1
    with server.database.owner.connect() as connection:
        assert connection.execute(sa.select(CASE_NUMBER)).all() == before


def test_paper_of_an_exercise_says_so(server: Server, drill: str) -> None:
    ground = {"version": 8, "sources": {}, "layers": [{"id": "b", "type": "background"}]}
    within, outside = key_within(server, drill, "commander"), key_of(server, "commander")
    rehearsed = text_of(printed(server, order(ground, dpi=50), "pdf", **within).content)
    assert "演练：防汛演练" in rehearsed
    assert "演练" not in text_of(printed(server, order(ground, dpi=50), "pdf", **outside).content)
    drawn = printed(server, order(ground, dpi=50), "png", **within)
    colours = {colour for _, colour in Image.open(BytesIO(drawn.content)).convert("RGB").getcolors(2**24) or ()}
    assert (109, 40, 217) in colours, "the frame"


def test_exports_of_an_exercise_say_so_and_stay_in_it(server: Server, drill: str, spot: dict[str, float]) -> None:
    with signed_in(server, person(server, "worker", "commander")) as page:
        outside = page.post("/query", json={"ask": "select", "layer": "county"}).json()
        assert "演练" not in str(outside["title"])
        join(page, drill)
        page.post("/incidents", json=rubbish(spot))
        told = page.post("/query", json={"ask": "select", "layer": "incident"}).json()
        assert told["count"] == 1
        assert told["title"]["zh"].startswith(f"【演练 {drill}】")
        for path in told["exports"].values():
            answer = page.get(path)
            assert answer.status_code == 200, path
            assert quote("【演练") in answer.headers["content-disposition"], path
        assert f"【演练 {drill}】" in page.get(told["exports"]["geojson"]).text
        figures = page.get("/indicators.csv?of=components")
        assert quote("【演练") in figures.headers["content-disposition"]
        assert page.get("/hotline/bulletin?week=2026-W47").json()["exercise"] == drill
        join(page, None)
        for path in told["exports"].values():
            assert page.get(path).status_code == 404, "what was asked in an exercise is not told outside"


def test_the_record_tells_the_figures_of_the_exercise_and_of_nothing_else(
    server: Server, client: httpx.Client, drill: str, spot: dict[str, float]
) -> None:
    within, outside = key_within(server, drill, "worker", "dispatcher"), key_of(server, "worker", "dispatcher")
    days = "from=2026-01-01&to=2027-12-31"
    before = [client.get(f"{path}?{days}", headers=outside).json() for path in ("/loop/indicators", "/hotline/rates")]
    for _ in range(2):
        filed(client, within, rubbish(spot))
    refused = filed(client, within, rubbish(spot))
    rejected = took(client, within, refused, "reject", reason="repeated", note="已有人上报")
    assert rejected.status_code < 300, rejected.text
    director = key_of(server, "director")
    told = client.get(f"/exercises/{drill}/figures", headers=director).json()
    (row,) = told["rows"]
    assert (told["exercise"], told["by"], told["truncated"]) == (drill, "city", False)
    assert (row["counts"]["report"], row["counts"]["to_archive"], row["counts"]["decided_report"]) == (3, 2, 1)
    unarchived = row["rates"]["unarchived"]
    assert (unarchived["numerator"], unarchived["denominator"]) == (2, 3)
    assert {one["name"] for one in told["indicators"]} == set(row["rates"])
    assert told["hotline"]["total"]["response"]["denominator"] == 0
    matters = client.get(f"/exercises/{drill}/figures?by=matter", headers=director).json()["rows"]
    assert [(one["key"], one["counts"]["report"]) for one in matters] == [(rubbish(spot)["matter"], 3)]
    # Nobody but who may close it reads them, and no figure of the city has moved.
    near = Scope(frozenset({"320681"}), None)
    assert client.get(f"/exercises/{drill}/figures", headers=within).status_code == 403
    assert client.get(f"/exercises/{drill}/figures", headers=key_of(server, "director", scope=near)).status_code == 403
    assert client.get(f"/exercises/{drill}/figures?by=person", headers=director).status_code == 422
    after = [client.get(f"{path}?{days}", headers=outside).json() for path in ("/loop/indicators", "/hotline/rates")]
    for one, other in zip(before, after, strict=True):
        for moved in ("at", "complete"):
            one.pop(moved, None)
            other.pop(moved, None)
        assert one == other


def test_a_wall_of_an_exercise_sees_it_alone_and_changes_nothing(
    server: Server, client: httpx.Client, drill: str, spot: dict[str, float]
) -> None:
    within, outside = key_within(server, drill, "worker"), key_of(server, "worker")
    rehearsed, real = filed(client, within, rubbish(spot)), filed(client, outside, rubbish(spot))
    with signed_in(server, person(server, "director")) as director:
        first = director.post(f"/exercises/{drill}/wall").json()
        wall = {"Authorization": f"Bearer {first['token']}"}
        assert first["path"] == f"/wall#token={first['token']}"
        session = client.get("/session", headers=wall).json()
        assert (session["exercise"]["id"], session["roles"], session["account"]) == (drill, ["kiosk"], None)
        assert client.get(f"/items/incident/{rehearsed}", headers=wall).status_code == 200
        assert client.get(f"/items/incident/{real}", headers=wall).status_code == 404
        assert client.post("/incidents", json=rubbish(spot), headers=wall).status_code == 403
        assert took(client, wall, rehearsed, "verify").status_code == 403
        assert client.put("/session/exercise", json={"id": None}, headers=wall).status_code in (401, 403)
        # Another one takes its place; who opens exercises elsewhere makes none here, nor does a machine.
        second = director.post(f"/exercises/{drill}/wall").json()
        assert client.get("/session", headers=wall).status_code == 401
        wall = {"Authorization": f"Bearer {second['token']}"}
        assert client.get(f"/items/incident/{rehearsed}", headers=wall).status_code == 200
    machine = client.post(f"/exercises/{drill}/wall", headers=key_of(server, "director"))
    assert (machine.status_code, machine.json()["cause"]) == (403, "key_by_key")
    near = person(server, "director", scope=Scope(frozenset({"320681"}), None))
    with signed_in(server, near) as elsewhere:
        told = elsewhere.post(f"/exercises/{drill}/wall")
        assert (told.status_code, told.json()["cause"]) == (403, "exercise_not_yours")
    # Of one that is over the wall goes on showing what there is, and no other wall is made.
    closed(server, drill)
    assert client.get("/session", headers=wall).json()["exercise"]["closedAt"] is not None
    assert client.get(f"/items/incident/{rehearsed}", headers=wall).status_code == 200
    with signed_in(server, person(server, "director")) as director:
        over = director.post(f"/exercises/{drill}/wall")
        assert (over.status_code, over.json()["cause"]) == (409, "exercise_over")


def test_a_wall_of_an_exercise_of_a_county_sees_that_county(server: Server, client: httpx.Client) -> None:
    drill = opened(server, area="320681")["id"]
    with signed_in(server, person(server, "director")) as director:
        token = director.post(f"/exercises/{drill}/wall").json()["token"]
    told = client.get("/session", headers={"Authorization": f"Bearer {token}"}).json()
    assert (told["areas"], told["departments"]) == (["320681"], None)
    closed(server, drill)


def test_who_has_no_account_any_more_leaves_no_wall_behind(server: Server, client: httpx.Client, drill: str) -> None:
    login = person(server, "director")
    with signed_in(server, login) as director:
        wall = {"Authorization": f"Bearer {director.post(f'/exercises/{drill}/wall').json()['token']}"}
    assert client.get("/session", headers=wall).status_code == 200
    with begin(server.database.engine, actor="test") as connection:
        connection.execute(sa.text("update core.account set active = false where login = :login"), {"login": login})
    until(lambda: client.get("/session", headers=wall).status_code == 401)
