"""What an attacker tries against a running server, beside what other tests of a part try: each is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa

from layers.loop.webhook_address import NotCalled, address_for
from tests.api.people import person, signed_in
from tests.api.test_incidents import rubbish
from tests.conftest import Database, Server, serving


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[httpx.Client]:
    with signed_in(server, person(server, "admin")) as client:
        yield client


@pytest.fixture(scope="module")
def security(server: Server) -> Iterator[httpx.Client]:
    with signed_in(server, person(server, "security")) as client:
        yield client


def test_an_administrator_does_not_open_the_lock_of_a_security_administrator_to_go_on_guessing(
    server: Server, admin: httpx.Client, security: httpx.Client
) -> None:
    other = person(server, "security")
    refused = admin.delete(f"/accounts/{other}/lock")
    assert (refused.status_code, refused.json()["cause"]) == (403, "administrators_account")
    own = admin.get("/session").json()["actor"]
    assert admin.delete(f"/accounts/{own}/lock").json()["cause"] == "own_account"
    assert security.delete(f"/accounts/{other}/lock").status_code == 204
    assert admin.delete(f"/accounts/{person(server, 'worker')}/lock").status_code == 204


def test_a_wall_stays_a_wall_whatever_a_city_makes_of_its_role(security: httpx.Client) -> None:
    for right in ("data.deliver", "person.unmask", "layer.edit:component", "account.edit"):
        body = {"zh": "大屏", "en": "Wall", "rights": ["layer.view", right]}
        refused = security.put("/roles/kiosk", json=body)
        assert (refused.status_code, refused.json()["cause"]) == (422, "wall_changes"), right
    assert security.put("/roles/kiosk", json={"zh": "大屏", "en": "Wall", "rights": ["layer.view"]}).status_code == 200
    assert security.delete("/roles/kiosk").status_code == 204


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
        {},
    ],
)
@pytest.mark.parametrize("path", ["/accounts", "/accounts/import", "/accounts/grants", "/keys", "/incidents"])
def test_a_page_of_another_host_does_nothing_with_a_cookie(
    server: Server, admin: httpx.Client, path: str, headers: dict[str, str]
) -> None:
    sent = {**headers, "Content-Type": "text/plain"}
    cookies = dict(admin.cookies.items())
    answer = httpx.post(f"{server.url}{path}", content=b"login,name\nevil,x\n", headers=sent, cookies=cookies)
    assert (answer.status_code, answer.json()["code"]) == (403, "forged")


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0", "localhost", "[::ffff:7f00:1]"])
def test_a_webhook_whose_name_means_this_machine_is_not_sent(host: str) -> None:
    with pytest.raises(NotCalled):
        address_for(urlsplit(f"https://{host}/"), ())


def test_the_same_key_of_two_residents_files_both_reports(own_city: Database, tmp_path: Path) -> None:
    with own_city.reader.connect() as connection:
        place = sa.text("select st_x(geom), st_y(geom) from city.component where grid_id is not null limit 1")
        lon, lat = connection.execute(place).one()
    spot, key = {"lon": lon, "lat": lat}, {"Idempotency-Key": "1"}
    with serving(own_city, tmp_path, public_reports="true") as running, httpx.Client(base_url=running.url) as client:
        body = rubbish(spot, channel="public")
        first, again = (client.post("/incidents", json=body, headers=key) for _ in range(2))
        other = client.post("/incidents", json={**body, "description": "另一位居民说的"}, headers=key)
    assert [answer.status_code for answer in (first, again, other)] == [201, 201, 201]
    assert first.json() == again.json()
    assert other.json()["receipt"]["incident"] != first.json()["receipt"]["incident"]
    assert other.json()["ticket"] != first.json()["ticket"]
