"""HTML made of values: text is always escaped, so that nothing in the data can become a tag."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

from api.routes.ogc.request import Ask

_STYLE = """
body{margin:0;font:15px/1.6 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;color:#1c2733;
background:#fff}
header,main,footer{max-width:76rem;margin:0 auto;padding:0 1.2rem}
header{border-bottom:1px solid #c8d2dc;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding-top:.8rem;
padding-bottom:.6rem}
nav{display:flex;flex-wrap:wrap;gap:.2rem .6rem}
nav.other{margin-left:auto}
h1{font-size:1.5rem;margin:1.2rem 0 .4rem}
h2{font-size:1.1rem;margin:1.6rem 0 .4rem}
a{color:#0b57a4}
a:focus-visible{outline:3px solid #0b57a4;outline-offset:2px}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.93rem}
th,td{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;border-bottom:1px solid #dde4ea}
th{color:#44525f;font-weight:600}
td time{white-space:nowrap}
td ul{margin:0;padding-left:1.2rem}
td.number{text-align:right;font-variant-numeric:tabular-nums}
.word{color:#44525f;margin-left:.4em}
.note{background:#fff3cd;color:#5c4400;padding:.4rem .8rem;border-radius:4px;display:inline-block}
.pages{display:flex;gap:1.2rem;margin:1rem 0}
code{font-size:.92em}
footer{margin:2rem auto 1rem;color:#44525f;font-size:.87rem}
"""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = str | Markup


def element(name: str, *content: Content, **attributes: str) -> Markup:
    """One element; an attribute's name may end with an underscore where Python has the word."""
    told = "".join(f' {_attribute(key)}="{html.escape(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{told}>{''.join(map(_escaped, content))}</{name}>")


def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _escaped(content: Content) -> str:
    return content if isinstance(content, Markup) else html.escape(content)


def anchor(text: Content, href: str, **attributes: str) -> Markup:
    """A link."""
    return element("a", text, href=href, **attributes)


def table(head: Sequence[Content], rows: Iterable[Sequence[Content | Markup]]) -> Markup:
    """A table that scrolls by itself when it is wider than the page; a cell that is a `td` already stays one."""
    top = element("tr", *(element("th", cell, scope="col") for cell in head))
    body = [element("tr", *map(_cell, row)) for row in rows]
    return element("div", element("table", element("thead", top), element("tbody", *body)), class_="wide")


def _cell(content: Content) -> Markup:
    if isinstance(content, Markup) and content.startswith("<td"):
        return content
    return element("td", content)


def number(value: int | float) -> Markup:
    """A cell with a figure."""
    return element("td", f"{value:,}", class_="number")


def facts(value: Any) -> Markup:
    """Any JSON value as nested tables and lists; texts that are URLs become links."""
    if isinstance(value, dict):
        rows = [element("tr", element("th", key, scope="row"), element("td", facts(v))) for key, v in value.items()]
        return element("div", element("table", element("tbody", *rows)), class_="wide")
    if isinstance(value, list):
        return element("ul", *(element("li", facts(part)) for part in value))
    text = "" if value is None else str(value)
    return (
        anchor(text, text) if text.startswith(("http://", "https://")) and "{" not in text else Markup(_escaped(text))
    )


def document(ask: Ask, title: str, *content: Content, above: Sequence[tuple[str, str]] = ()) -> str:
    """A whole page; `above` are the title and the path of each resource over this one."""
    home = (ask.say("城图 · OGC API", "Chengtu · OGC API"), "/")
    steps = [anchor(name, ask.href(path, f="html")) for name, path in (home, *above)]
    tongue, name = ("en", "English") if ask.lang == "zh" else ("zh", "中文")
    other = [
        anchor(ask.say("地图", "Map"), ask.root.removesuffix("/ogc") + "/"),
        anchor("JSON", ask.again(f="json"), rel="alternate"),
        anchor(name, ask.again(f="html", lang=tongue), lang=tongue, hreflang=tongue),
    ]
    trail = element("nav", *_between(steps, " / "), aria_label=ask.say("位置", "Where you are"))
    header = element("header", trail, element("nav", *other, class_="other", aria_label=ask.say("其他", "Other forms")))
    head = element(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", f"{title} · {home[0]}"),
        Markup(f"<style>{_STYLE}</style>"),
    )
    foot = element("footer", "OGC API – Features 1, 2, 3 · OGC API – Tiles 1")
    body = element("body", header, element("main", element("h1", title), *content), foot)
    return "<!doctype html>" + element("html", head, body, lang="zh-CN" if ask.lang == "zh" else "en")


def _between(parts: Sequence[Markup], mark: str) -> list[Content]:
    return [piece for part in parts for piece in (part, mark)][:-1]
