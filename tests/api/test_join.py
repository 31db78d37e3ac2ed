"""Joining with a phone: the QR code leads to the phone page, where others reach this server."""

from __future__ import annotations

import httpx
import pytest
import segno

from api.settings import Settings
from tests.conftest import Server


def test_the_address_is_the_one_that_the_desk_sees(server: Server) -> None:
    told = httpx.get(f"{server.url}/join").json()
    assert told == {"address": f"{server.url}/grid", "secure": False, "reachable": False}


@pytest.mark.parametrize(
    ("host", "reachable"),
    [
        ("map.city", True),
        ("10.1.2.3:8000", True),
        ("[fd00::1]:8000", True),
        ("[::1]:8000", False),
        ("localhost", False),
    ],
)
def test_an_address_of_this_machine_alone_is_told_to_be_one(server: Server, host: str, reachable: bool) -> None:
    told = httpx.get(f"{server.url}/join", headers={"Host": host}).json()
    assert told == {"address": f"http://{host}/grid", "secure": False, "reachable": reachable}


def test_the_code_is_a_picture_of_that_address(server: Server) -> None:
    answer = httpx.get(f"{server.url}/join.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"]
    drawn = segno.make(f"{server.url}/grid", error="m", micro=False).svg_inline(scale=8, border=4, light="#fff")
    assert drawn.split('class="qrline"')[1].split("/>")[0] in answer.text


def test_where_people_reach_the_city_is_said_as_it_is() -> None:
    assert Settings(public_url="https://map.city/").public_url == "https://map.city"
