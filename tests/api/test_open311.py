"""Open311 GeoReport v2: its own client reads it, its names are those of the standard, nothing private gets out."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
import sqlalchemy as sa
from georeport import GeoReport

from gis.cells import cells_of, centre
from layers.catalog import built_in
from layers.loop.tables import CALLER, STEP
from layers.people.access import EVERYWHERE, Actor, Scope
from layers.people.machines import make_key
from layers.store.engine import begin
from tests.conftest import Server
from tests.incidents import OURS, change, report

INCIDENT = built_in()["incident"].table
# The elements of GeoReport v2, as its specification lists them.
OF_SERVICE = ["service_code", "service_name", "description", "metadata", "type", "keywords", "group"]
OF_ATTRIBUTE = ["variable", "code", "datatype", "required", "datatype_description", "order", "description", "values"]
OF_REQUEST = [
    *("service_request_id", "status", "status_notes", "service_name", "service_code", "description"),
    *("agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address"),
    *("address_id", "zipcode", "lat", "long", "media_url"),
]
FILED = {
    "service_code": "01037", "lat": "32.0116", "long": "120.8644", "description": "路灯不亮，请电13812345678",
    "last_name": "王", "first_name": "小明", "phone": "13812345678", "email": "x@example.com",
    "attribute[level]": "urgent",
}  # fmt: skip


def key_of(server: Server, role: str, scope: Scope = EVERYWHERE) -> str:
    """The secret of a machine with this role."""
    maker = Actor("tester", frozenset({role}), EVERYWHERE)
    with begin(server.database.engine, actor="test") as connection:
        _, secret = make_key(
            *(connection, maker), title=role, roles=maker.roles, scope=scope, days=1, now=dt.datetime.now(dt.UTC)
        )
    return secret


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return key_of(server, "volunteer")


@pytest.fixture(scope="module")
def url(server: Server) -> str:
    return f"{server.url}/open311/v2"


def filed(url: str, key: str, **more: str) -> str:
    told = httpx.post(f"{url}/requests.json", data={**FILED, "api_key": key, **more})
    assert told.status_code == 200, told.text
    assert list(told.json()[0]) == ["service_request_id", "service_notice", "account_id"]
    return str(told.json()[0]["service_request_id"])


def every_table(server: Server) -> dict[str, int]:
    """How many rows each table has that a report writes."""
    with server.database.engine.connect() as connection:
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in (INCIDENT, STEP, CALLER)
        }


@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_standards_own_client_reads_services_definitions_and_requests(url: str, key: str, form: str) -> None:
    id = filed(url, key)
    filed(url, key)
    client = GeoReport(url, jurisdiction="320600", output_format=form)
    services = client.get_service_list()
    assert len(services) == 250
    lamp = next(one for one in services if one["service_code"] == "01037")
    assert (lamp["service_name"], lamp["group"], lamp["type"]) == ("路灯异常", "市政公用设施类", "realtime")
    defined = client.get_service_definition("01037")
    assert defined["service_code"] == "01037"
    found = client.get_service_requests(service_code="01037", status="open")
    assert id in [one["service_request_id"] for one in found]
    by_id = client.get_service_requests(service_request_id=f"{id},{id}")
    one = by_id if form == "xml" else by_id[0]
    assert one["status_notes"] == "已上报"
    assert client.get_service_request(id)["service_code"] == "01037"


def names(element: ElementTree.Element) -> list[str]:
    return [child.tag for child in element]


def test_the_elements_are_those_of_the_standard(url: str, key: str) -> None:
    id = filed(url, key)

    def read(path: str) -> ElementTree.Element:
        answer = httpx.get(f"{url}/{path}")
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        assert answer.text.startswith('<?xml version="1.0" encoding="UTF-8"?>')
        return ElementTree.fromstring(answer.content)

    services = read("services.xml")
    assert services.tag == "services"
    assert {tuple(names(one)) for one in services} == {tuple(OF_SERVICE)}
    assert {one.tag for one in services} == {"service"}
    definition = read("services/01037.xml")
    assert (definition.tag, names(definition)) == ("service_definition", ["service_code", "attributes"])
    attributes = definition.find("attributes")
    assert attributes is not None
    assert [names(one) for one in attributes] == [OF_ATTRIBUTE] * 2
    assert names(attributes[0].find("values")[0]) == ["key", "name"]  # type: ignore[index]
    request = read(f"requests/{id}.xml")
    assert (request.tag, names(request), names(request[0])) == ("service_requests", ["request"], OF_REQUEST)
    token = read(f"tokens/{id}.xml")
    assert (token.tag, names(token[0])) == ("service_requests", ["service_request_id", "token"])
    made = ElementTree.fromstring(httpx.post(f"{url}/requests.xml", data={**FILED, "api_key": key}).content)
    assert (made.tag, names(made[0])) == ("service_requests", ["service_request_id", "service_notice", "account_id"])
    error = ElementTree.fromstring(httpx.get(f"{url}/services/nothing.xml").content)
    assert (error.tag, error[0].tag, names(error[0])) == ("errors", "error", ["code", "description"])


def test_json_has_the_same_names(url: str, key: str) -> None:
    id = filed(url, key)
    assert list(httpx.get(f"{url}/requests/{id}.json").json()[0]) == OF_REQUEST
    assert list(httpx.get(f"{url}/services.json").json()[0]) == OF_SERVICE
    assert list(httpx.get(f"{url}/services/06010.json").json()["attributes"][0]) == OF_ATTRIBUTE
    assert httpx.get(f"{url}/tokens/{id}.json").json() == [{"service_request_id": id, "token": id}]


def test_a_report_becomes_a_case_and_tells_nothing_private(server: Server, url: str, key: str) -> None:
    id = filed(url, key)
    with server.database.engine.connect() as connection:
        case = connection.execute(sa.select(INCIDENT).where(INCIDENT.c.id == id)).one()
        caller = connection.execute(sa.select(CALLER).where(CALLER.c.incident == id)).one()
    assert (case.channel, case.line, case.matter, case.level) == ("public", "open311", "01037", "urgent")
    assert case.state == "reported"
    assert "13812345678" not in (caller.phone, caller.name)
    told = httpx.get(f"{url}/requests/{id}.json")
    public = told.json()[0]
    assert public["description"] == "路灯不亮，请电***"
    for private in ("13812345678", "小明", "example"):
        assert private not in told.text
    lon, lat = centre(int(cells_of([120.8644], [32.0116], res=10)[0]))
    assert (public["long"], public["lat"]) == (round(lon, 6), round(lat, 6))
    assert (public["lat"], public["long"]) != (32.0116, 120.8644)


def test_what_did_not_come_in_public_is_only_told_to_those_who_may_see_it(server: Server, url: str) -> None:
    home = "人民中路128号3幢502室"
    inner, public, theirs = (replace(OURS, id=f"2026010109000{n}", address=home) for n in range(3))
    report(server.database, inner, public, theirs)
    change(server.database, inner.id, channel="hotline", description="邻居张三打人")
    change(server.database, public.id, channel="public", description="我家住502室")
    change(server.database, theirs.id, channel="worker", admin_code="320681001", grid_id=None)
    ids = ",".join((inner.id, public.id, theirs.id))

    def seen(**more: str) -> list[str]:
        told = httpx.get(f"{url}/requests.json", params={"service_request_id": ids, **more})
        assert told.status_code == 200
        for private in ("张三", "502", "128"):
            assert private not in told.text
        return sorted(one["service_request_id"] for one in told.json())

    assert seen() == [public.id]
    assert seen(api_key=key_of(server, "dispatcher")) == [inner.id, public.id, theirs.id]
    ours = key_of(server, "dispatcher", Scope(frozenset({(OURS.admin_code or "")[:6]}), None))
    assert seen(api_key=ours) == [inner.id, public.id]
    assert seen(api_key=key_of(server, "volunteer", Scope())) == [public.id]
    assert httpx.get(f"{url}/requests/{inner.id}.json").status_code == 404
    assert httpx.get(f"{url}/requests/{public.id}.json").json()[0]["address"] == "人民中路"


def test_rehearsals_are_never_told(server: Server, url: str) -> None:
    report(server.database, replace(OURS, id="20260101099999", scenario="drill-1"))
    change(server.database, "20260101099999", channel="public")
    everything = {"service_request_id": "20260101099999", "api_key": key_of(server, "dispatcher")}
    assert httpx.get(f"{url}/requests.json", params=everything).json() == []


def test_open_and_closed_and_periods_choose(server: Server, url: str) -> None:
    at = dt.datetime(2025, 3, 1, 12, tzinfo=dt.UTC)
    for number, state in enumerate(("disposing", "closed", "rejected")):
        id = f"2025030100000{number}"
        report(server.database, replace(OURS, id=id))
        change(server.database, id, channel="public", state=state, reported_at=at + number * dt.timedelta(days=1))

    def seen(**asked: str) -> list[str]:
        told = httpx.get(f"{url}/requests.json", params={"start_date": "2025-02-01T00:00:00Z", **asked}).json()
        return [one["service_request_id"][-1] for one in told]

    assert seen() == ["2", "1", "0"]
    assert seen(status="open") == ["0"]
    assert seen(status="closed") == ["2", "1"]
    assert seen(status="open,closed") == ["2", "1", "0"]
    assert seen(end_date="2025-03-02T20:00:00+08:00") == ["1", "0"]
    assert seen(service_code="06010") == []
    assert seen(service_code="01001,06010") == ["2", "1", "0"]


@pytest.mark.parametrize(
    "asked",
    [
        {"start_date": "2025-01-01T00:00:00Z", "end_date": "2025-06-01T00:00:00Z"},
        {"start_date": "2025-01-01"},
        {"start_date": "soon"},
        {"start_date": "2025-02-01T00:00:00Z", "end_date": "2025-01-01T00:00:00Z"},
        {"status": "done"},
        {"jurisdiction_id": "110000"},
        {"page": "2"},
        {"service_request_id": ",".join(map(str, range(101)))},
    ],
)
def test_what_cannot_be_asked_is_told_in_the_standards_form(url: str, asked: dict[str, str]) -> None:
    told = httpx.get(f"{url}/requests.json", params=asked)
    assert told.status_code == 400
    assert [sorted(one) for one in told.json()] == [["code", "description"]]
    assert told.json()[0]["code"] == 400


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"api_key": ""}, 403),
        ({"api_key": "not-a-key"}, 403),
        ({"service_code": ""}, 400),
        ({"service_code": "99999"}, 400),
        ({"lat": "", "long": ""}, 400),
        ({"long": ""}, 400),
        ({"lat": "north"}, 400),
        ({"lat": "nan"}, 400),
        ({"lat": "10", "long": "10"}, 400),
        ({"phone": "call me"}, 400),
        ({"description": "坏\u0001字"}, 400),
        ({"description": "长" * 8_001}, 400),
        ({"attribute[level]": "mild"}, 400),
        ({"attribute[colour]": "red"}, 400),
        ({"address_id": "17"}, 400),
        ({"jurisdiction_id": "110000"}, 400),
        ({"scenario": "drill-1"}, 400),
    ],
)
def test_what_cannot_be_reported_is_refused_and_nothing_is_written(
    server: Server, url: str, key: str, wrong: dict[str, str], status: int
) -> None:
    before = every_table(server)
    told = httpx.post(f"{url}/requests.json", data={**FILED, "api_key": key, **wrong})
    assert (told.status_code, told.json()[0]["code"]) == (status, status)
    assert every_table(server) == before


def test_only_forms_are_taken_and_no_files(server: Server, url: str, key: str) -> None:
    before = every_table(server)
    bearer = {"Authorization": f"Bearer {key}"}
    bodies: list[dict[str, Any]] = [
        {"json": FILED}, {"content": b"\x00\x01"}, {"data": FILED, "files": {"media": ("a.jpg", b"\xff\xd8")}}
    ]  # fmt: skip
    for body in bodies:
        told = httpx.post(f"{url}/requests.json", headers=bearer, **body)
        assert told.status_code == 400
        assert told.json()[0]["code"] == 400
    assert every_table(server) == before
    assert httpx.post(f"{url}/requests.json", headers=bearer, data=FILED).status_code == 200


def test_other_formats_and_services_are_not_there(url: str) -> None:
    for path in ("services.html", "services/99999.json", "requests/1.json", "requests/1.yaml", "tokens/1.json"):
        told = httpx.get(f"{url}/{path}")
        assert told.status_code == 404
        assert told.json()[0]["code"] == 404
