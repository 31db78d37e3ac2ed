"""The built pages over HTTP: compressed for who takes it, kept as long as their names allow."""

from __future__ import annotations

import gzip
import re

import httpx
import pytest


def script_of(server_url: str) -> str:
    """The biggest of the scripts that the map's page names."""
    named: list[str] = re.findall(r'(?:src|href)="(/assets/[^"]+\.js)"', httpx.get(f"{server_url}/").text)
    return max(named, key=lambda path: len(httpx.get(f"{server_url}{path}").content))


def test_a_script_comes_compressed_to_who_takes_it(server_url: str) -> None:
    url = f"{server_url}{script_of(server_url)}"
    packed = httpx.get(url, headers={"Accept-Encoding": "gzip"})
    plain = httpx.get(url, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert packed.headers["content-type"].startswith("text/javascript")
    assert {packed.headers["vary"], plain.headers["vary"]} == {"Accept-Encoding"}
    assert packed.headers["etag"] != plain.headers["etag"]
    assert "immutable" in packed.headers["cache-control"]


def test_a_script_that_is_known_is_not_sent_again(server_url: str) -> None:
    url = f"{server_url}{script_of(server_url)}"
    known = httpx.get(url).headers["etag"]
    again = httpx.get(url, headers={"If-None-Match": known})
    assert (again.status_code, again.content) == (304, b"")


def test_json_comes_compressed_to_who_takes_it(server_url: str) -> None:
    with httpx.stream("GET", f"{server_url}/layers", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert len(raw) == int(answer.headers["content-length"])
    assert gzip.decompress(raw) == httpx.get(f"{server_url}/layers", headers={"Accept-Encoding": "identity"}).content


@pytest.mark.parametrize("path", ["/healthz", "/layers"])
def test_what_is_short_or_not_wanted_compressed_stays_as_it_is(server_url: str, path: str) -> None:
    accept = "gzip" if path == "/healthz" else "identity"
    assert "content-encoding" not in httpx.get(f"{server_url}{path}", headers={"Accept-Encoding": accept}).headers


def test_no_path_leads_out_of_the_pages(server_url: str) -> None:
    assert httpx.get(f"{server_url}/..%2f..%2fpyproject.toml").status_code == 404
    assert httpx.get(f"{server_url}/%2e%2e/%2e%2e/pyproject").status_code == 404
