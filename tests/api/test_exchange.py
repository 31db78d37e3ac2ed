"""Cases as files over HTTP: what somebody sees goes out, and another system's file comes in, line by line."""

from __future__ import annotations

import csv
import io
import itertools
from typing import Any

import httpx
import pytest

from layers.people.access import Scope
from tests.api.people import key_of
from tests.conftest import Server

_numbers = itertools.count()


def file_of(*, title: str, number: str, encoding: str = "gb18030") -> bytes:
    lon, lat = 120.8644, 32.0116
    rows = [
        "对方编号,步骤,来源,事项类别,经度,纬度,标题,问题描述,说明",
        f"{number},report,hotline,06010,{lon},{lat},{title},请打 13912345678 联系,",
        f"{number},accept,,,,,,,受理",
        f"{number},close,,,,,,,",
    ]
    return "\r\n".join(rows).encode(encoding)


@pytest.fixture(scope="module")
def brought(server: Server) -> tuple[str, dict[str, Any]]:
    title = f"=HYPERLINK({next(_numbers)})"
    content = file_of(title=title, number="X-1")
    answer = httpx.post(
        f"{server.url}/incidents/import?system=cleaning",
        content=content,
        headers=key_of(server, "dispatcher"),
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return title, answer.json()


def test_lines_are_taken_and_the_refused_one_says_why(brought: tuple[str, dict[str, Any]]) -> None:
    _, told = brought
    assert (told["lines"], told["taken"], told["known"]) == (3, 2, 0)
    [refused] = told["refused"]
    assert (refused["row"], refused["number"], refused["step"], refused["cause"]) == (4, "X-1", "close", "step_state")
    assert set(refused["why"]) == {"zh", "en"}


def test_the_same_file_again_takes_nothing(server: Server, brought: tuple[str, dict[str, Any]]) -> None:
    title, _ = brought
    content = file_of(title=title, number="X-1", encoding="utf-8")
    again = httpx.post(
        f"{server.url}/incidents/import?system=cleaning",
        content=content,
        headers=key_of(server, "dispatcher"),
        timeout=60,
    ).json()
    assert (again["taken"], again["known"]) == (0, 2)


def test_what_goes_out_runs_in_no_spreadsheet_and_tells_no_number(
    server: Server, brought: tuple[str, dict[str, Any]]
) -> None:
    title, _ = brought
    headers = key_of(server, "dispatcher")
    asked = {"text": title, "queue": "area"}
    answer = httpx.get(f"{server.url}/incidents/export.csv", params=asked, headers=headers, timeout=60)
    assert answer.headers["cache-control"] == "private, no-store"
    [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert row["title"] == f"'{title}"
    assert row["state"] == "accepted"
    assert row["description"] == "请打 *** 联系"
    assert "phone" not in row
    drawn = httpx.get(f"{server.url}/incidents/export.geojson", params=asked, headers=headers, timeout=60).json()
    assert drawn["features"][0]["geometry"]["coordinates"] == [120.8644, 32.0116]
    steps = httpx.get(
        f"{server.url}/incidents/export.csv", params={**asked, "lines": "steps"}, headers=headers, timeout=60
    )
    told = [line["step"] for line in csv.DictReader(io.StringIO(steps.content.decode("utf-8-sig")))]
    assert told == ["report", "accept"]
    book = httpx.get(f"{server.url}/incidents/export.xlsx", params=asked, headers=headers, timeout=60)
    assert book.content.startswith(b"PK")


def test_nobody_takes_out_more_than_they_see(server: Server) -> None:
    elsewhere = key_of(server, "dispatcher", scope=Scope(frozenset({"320681"}), None))
    answer = httpx.get(f"{server.url}/incidents/export.geojson", headers=elsewhere, timeout=60)
    codes = {feature["properties"]["address"] for feature in answer.json()["features"]}
    every = httpx.get(f"{server.url}/incidents/export.geojson", headers=key_of(server, "dispatcher"), timeout=60).json()
    assert len(codes) < len(every["features"])
    assert httpx.get(f"{server.url}/incidents/export.csv", timeout=60).status_code == 401
    assert (
        httpx.get(f"{server.url}/incidents/export.csv", headers=key_of(server, "planner"), timeout=60).status_code
        == 403
    )


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("import?system=Cleaning!", b"number,step\nA,note\n", 422),
        ("import?system=simulation", b"number,step\nA,note\n", 400),
        ("import?system=cleaning", b"colour\nred\n", 400),
        ("import?system=cleaning", b"x" * 2_000_001, 400),
    ],
)
def test_files_and_systems_that_are_none_are_refused(server: Server, path: str, content: bytes, status: int) -> None:
    headers = key_of(server, "dispatcher")
    answer = httpx.post(f"{server.url}/incidents/{path}", content=content, headers=headers, timeout=60)
    assert answer.status_code == status, answer.text
