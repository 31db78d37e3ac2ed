"""The OGC resources as pages for people."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx
import pytest

from api.routes.ogc import markup
from api.routes.ogc.markup import anchor, element, facts
from tests.conftest import Server
from tests.layers.test_layer_contract import contrast

PATHS = [
    "",
    "/conformance",
    "/api",
    "/collections",
    "/collections/component",
    "/collections/component/queryables",
    "/collections/component/schema",
    "/collections/component/items",
    "/collections/county/items/320613",
    "/collections/component/tiles",
    "/collections/component/tiles/WebMercatorQuad",
    "/tileMatrixSets",
    "/tileMatrixSets/WebMercatorQuad",
]
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
_VOID = {"meta"}


class Page(HTMLParser):
    """Checks that every element is closed in order, and collects links and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page(url: str, **parameters: str) -> Page:
    answer = httpx.get(url, params=parameters or None, headers=BROWSER)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    read = Page()
    read.feed(answer.text)
    assert read.open == []
    return read


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_browser_gets_a_page_without_scripts_in_the_language_asked_for(server: Server, path: str, lang: str) -> None:
    read = page(f"{server.url}/ogc{path}", lang=lang)
    assert {"html", "head", "title", "main", "h1", "nav"} <= read.names
    assert "script" not in read.names
    assert ("地图" in read.text) == (lang == "zh")
    assert all(link.startswith(("http://", "https://")) for link in read.links)
    ours = [link for link in read.links if link.startswith(server.url)]
    assert f"{server.url}/" in ours


def test_following_the_links_of_the_pages_stays_in_pages(server: Server) -> None:
    waiting, seen = [f"{server.url}/ogc"], set[str]()
    while waiting:
        url = waiting.pop()
        seen.add(url)
        for link in page(url).links:
            inside = link.startswith(f"{server.url}/ogc") and "f=json" not in link and "lang=" not in link
            if inside and link not in seen and not re.search(r"cursor=|/items/|collections/(?!county)", link):
                waiting.append(link)
    assert len(seen) >= 10


def test_accept_decides_unless_f_does(server: Server) -> None:
    url = f"{server.url}/ogc/collections"
    for accept, html in [
        ("*/*", False),
        ("application/json", False),
        ("text/html", True),
        ("application/json, text/html;q=0.5", False),
        ("text/html, application/json;q=0.5", True),
        ("application/geo+json, text/html", False),
        ("nonsense, ;q=x", False),
        ("text/html;q=abc", True),
    ]:
        answer = httpx.get(url, headers={"Accept": accept})
        assert answer.headers["content-type"].startswith("text/html" if html else "application/json"), accept
        assert "Accept" in answer.headers["vary"]
    assert httpx.get(url, params={"f": "json"}, headers=BROWSER).json()["collections"]


def test_a_page_of_features_has_words_beside_codes_and_leads_forth_and_back(server: Server) -> None:
    url = f"{server.url}/ogc/collections/component/items"
    first = page(url, limit="5", lang="en", sortby="name")
    assert "synthetic demo data" in first.text
    assert "2,480 in all" in first.text
    assert "intact" in first.text.lower()
    (following,) = {link for link in first.links if "cursor=" in link and "f=" not in link}
    second = page(following)
    back = [link for link in second.links if "cursor=" in link and "f=" not in link]
    again = page(back[0])
    assert [link for link in again.links if "/items/" in link] == [link for link in first.links if "/items/" in link]


def test_the_text_of_values_can_never_become_markup() -> None:
    evil = '<script>alert("x")</script>'
    for made in (element("p", evil), anchor(evil, evil), facts({evil: [evil]}), element("p", "x", title=evil)):
        assert "<script>" not in made
    assert "href" not in facts("javascript:alert(1)")


def test_the_colours_of_the_pages_can_be_read() -> None:
    colours = re.findall(r"color:(#[0-9a-f]{6})", markup._STYLE)
    assert len(colours) >= 5
    for colour in colours:
        assert contrast(colour, "#fff3cd" if colour == "#5c4400" else "#ffffff") >= 4.5
