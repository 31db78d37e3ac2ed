"""One request for an OGC resource: its parameters, known and given once, the form and language wanted, links."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlencode

from fastapi import Request
from starlette.responses import JSONResponse, Response

from layers.errors import BadParameter

Lang = Literal["zh", "en"]
Link = dict[str, str]

JSON = "application/json"
GEOJSON = "application/geo+json"
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
HTML = "text/html"
ROOT = "/ogc"

COMMON = ("f", "lang")
_HOST = re.compile(r"[A-Za-z0-9.\-_:\[\]]{1,255}")
_RANGE = re.compile(r"\s*([\w.+-]+/[\w.+-]+)\s*(?:;.*?\bq=([01](?:\.\d{0,3})?))?")
_LINKS = "http://www.opengis.net/def/rel/ogc/1.0/"


@dataclass(frozen=True)
class Ask:
    """What is asked: `root` is the absolute URL of /ogc, `path` begins after it."""

    root: str
    path: str
    values: Mapping[str, str]
    html: bool
    lang: Lang

    def say(self, zh: str, en: str) -> str:
        """The text in the language that is wanted."""
        return zh if self.lang == "zh" else en

    def href(self, path: str, **values: str) -> str:
        """The absolute URL of a resource below /ogc; the language stays the one that was asked for."""
        kept = {"lang": self.values["lang"]} if "lang" in self.values else {}
        query = urlencode({**kept, **values}, quote_via=quote)
        return f"{self.root}{quote(path)}" + (f"?{query}" if query else "")

    def again(self, **changes: str) -> str:
        """The absolute URL of this request with some parameters changed."""
        return f"{self.root}{quote(self.path)}?{urlencode({**self.values, **changes}, quote_via=quote)}"

    def link(self, rel: str, path: str, title: str = "", *, media: str = JSON) -> Link:
        """A link to another resource; `rel` may be a short name of OGC's own register, like `ogc:queryables`."""
        as_html = {"f": "html"} if media == HTML else {}
        told = {"href": self.href(path, **as_html), "rel": rel.replace("ogc:", _LINKS), "type": media}
        return {**told, "title": title} if title else told

    def own_links(self, media: str = JSON) -> list[Link]:
        """The links of a resource to itself in the form asked for, and in the other one."""
        forms = {"json": media, "html": HTML}
        here, there = ("html", "json") if self.html else ("json", "html")
        return [
            {"href": self.again(f=here), "rel": "self", "type": forms[here]},
            {"href": self.again(f=there), "rel": "alternate", "type": forms[there]},
        ]


def asked(request: Request, *known: str, also: Collection[str] = ()) -> Ask:
    """What a request asks; BadParameter for a parameter that the resource does not know or that is given twice."""
    values: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in (*COMMON, *known) and name not in also:
            raise BadParameter(name[:60], "there is no such parameter here")
        if name in values:
            raise BadParameter(name, "is given more than once")
        values[name] = value
    form = _one_of(values, "f", ("json", "html"))
    lang: Lang = "en" if _one_of(values, "lang", ("zh", "en")) == "en" else "zh"
    html = form == "html" or (form is None and _prefers_html(request.headers.get("accept", "")))
    return Ask(_root(request), request.scope["path"].removeprefix(ROOT), values, html, lang)


def _one_of(values: Mapping[str, str], name: str, choices: Collection[str]) -> str | None:
    value = values.get(name)
    if value is not None and value not in choices:
        raise BadParameter(name, f"must be one of {', '.join(choices)}")
    return value


def _prefers_html(accept: str) -> bool:
    html = json = 0.0
    for part in accept.split(","):
        if found := _RANGE.match(part):
            media, quality = found[1].lower(), float(found[2] or 1)
            html = max(html, quality if media in (HTML, "application/xhtml+xml") else 0)
            json = max(json, quality if media.endswith("json") else 0)
    return html > json


def _root(request: Request) -> str:
    """The URL under which the client sees /ogc; behind a proxy that ends TLS, the scheme is the proxy's."""
    forwarded = request.headers.get("x-forwarded-proto", "")
    scheme = forwarded if forwarded in ("http", "https") else request.url.scheme
    host = request.headers.get("host", "")
    return f"{scheme}://{host if _HOST.fullmatch(host) else 'localhost'}{ROOT}"


def answer(
    ask: Ask, body: dict[str, Any], page: Callable[[], str], *, media: str = JSON, headers: Mapping[str, str] = {}
) -> Response:
    """The resource in the form that is wanted: JSON, or a page for people."""
    common = {
        "Cache-Control": "no-cache",
        "Vary": "Accept, Authorization, Cookie",
        "Content-Language": ask.lang,
        **headers,
    }
    if ask.html:
        return Response(page(), headers=common, media_type=f"{HTML}; charset=utf-8")
    return JSONResponse(body, headers=common, media_type=media)
