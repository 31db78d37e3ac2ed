"""The OGC resources as pages for people, in Chinese and English."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.routes.ogc.markup import Content, Markup, anchor, document, element, facts, number, table
from api.routes.ogc.request import Ask, Link
from layers.ask.catalogue import Summary
from layers.ask.features import Drawn, Feature, Matched, Page
from layers.spec import Field, Layer
from layers.words import book_of

Trail = Sequence[tuple[str, str]]
_SHOWN_CODES = 40


def landing(ask: Ask, body: dict[str, Any]) -> str:
    """The entrance: what there is."""
    rows = [anchor(link["title"], link["href"]) for link in body["links"] if "title" in link]
    listed = element("ul", *(element("li", row) for row in rows))
    return document(ask, body["title"], element("p", body["description"]), listed)


def plain(ask: Ask, title: str, body: dict[str, Any], *, above: Trail = ()) -> str:
    """A resource that machines read mostly, laid out as tables."""
    return document(ask, title, facts({key: value for key, value in body.items() if key != "links"}), above=above)


def collections(ask: Ask, held: Sequence[dict[str, Any]]) -> str:
    """The layers and how much each holds."""
    head = (ask.say("图层", "Layer"), "id", ask.say("说明", "About"), ask.say("要素数", "Features"), "")
    rows = [
        (
            anchor(one["title"], ask.href(f"/collections/{one['id']}", f="html")),
            element("code", one["id"]),
            one["description"],
            number(one["itemCount"]),
            _synthetic(ask) if one["synthetic"] else "",
        )
        for one in held
    ]
    return document(ask, ask.say("图层", "Collections"), table(head, rows))


def collection(ask: Ask, layer: Layer, body: dict[str, Any]) -> str:
    """One layer: what it is, and the ways into it."""
    ways = [
        (f"/collections/{layer.name}/items", ask.say("要素", "Features")),
        (f"/collections/{layer.name}/queryables", ask.say("可查询属性", "Queryables")),
        (f"/collections/{layer.name}/schema", ask.say("字段", "Schema")),
        (f"/collections/{layer.name}/tiles", ask.say("矢量瓦片", "Vector tiles")),
    ]
    told = {
        "id": layer.name,
        ask.say("要素数", "Features"): f"{body['itemCount']:,}",
        ask.say("几何", "Geometry"): layer.geometry,
        ask.say("范围（经纬度）", "Extent (lon, lat)"): _extent(body),
        ask.say("坐标系", "Coordinate systems"): body["crs"],
    }
    return document(
        ask,
        body["title"],
        element("p", body["description"]),
        *([_synthetic(ask)] if body["synthetic"] else []),
        element("ul", *(element("li", anchor(name, ask.href(path, f="html"))) for path, name in ways)),
        facts(told),
        above=_above(ask),
    )


def _extent(body: dict[str, Any]) -> str:
    box = body.get("extent", {}).get("spatial", {}).get("bbox", [[]])[0]
    return ", ".join(f"{side:.4f}" for side in box)


def schema(ask: Ask, layer: Layer, body: dict[str, Any], *, title: str) -> str:
    """The properties of a schema: names, kinds, and the words of their codes."""
    head = (ask.say("名称", "Name"), ask.say("标题", "Title"), ask.say("类型", "Type"), ask.say("取值", "Values"))
    rows = [
        (
            element("code", name),
            told["title"],
            told.get("format", told.get("type", "")),
            _values(told),
        )
        for name, told in body["properties"].items()
    ]
    return document(ask, f"{ask.say(*layer.title)} · {title}", table(head, rows), above=_above(ask, layer))


def _values(told: dict[str, Any]) -> Content:
    codes = told.get("oneOf", [])
    if not codes:
        return str(told.get("description", ""))
    words: list[Content] = []
    for code in codes[:_SHOWN_CODES]:
        words += [element("code", code["const"]), element("span", code["title"], class_="word"), " "]
    return element("span", *words, "…" if len(codes) > _SHOWN_CODES else "")


def items(ask: Ask, summary: Summary, drawn: Drawn, found: Page, number: Matched, turning: Sequence[Link]) -> str:
    """A page of features as a table, with the ways to the pages beside it."""
    layer = summary.layer
    about = "" if number.exact else ask.say("约 ", "about ")
    told = ask.say(
        f"本页 {len(found.features):,} 个，共 {about}{number.number:,} 个",
        f"{len(found.features):,} here, {about}{number.number:,} in all",
    )
    names = {"prev": ask.say("← 上一页", "← Previous"), "next": ask.say("下一页 →", "Next →")}
    turns = [anchor(names[link["rel"]], link["href"], rel=link["rel"]) for link in reversed(turning)]
    ways = element("nav", *turns, class_="pages", aria_label=ask.say("翻页", "Pages"))
    head = ("id", *(_heading(ask, field) for field in drawn.fields))
    rows = [
        (
            anchor(one.id, ask.href(f"/collections/{layer.name}/items/{one.id}", f="html")),
            *(_value(ask, field, one.properties[field.name]) for field in drawn.fields),
        )
        for one in found.features
    ]
    return document(
        ask,
        f"{ask.say(*layer.title)} · {ask.say('要素', 'Features')}",
        element("p", told),
        *([_synthetic(ask)] if summary.synthetic else []),
        ways,
        table(head, rows),
        ways,
        above=_above(ask, layer),
    )


def item(ask: Ask, summary: Summary, drawn: Drawn, one: Feature) -> str:
    """One feature: its fields in words, and where it is."""
    layer = summary.layer
    rows = [(_heading(ask, field), _value(ask, field, one.properties[field.name])) for field in drawn.fields]
    where = (ask.say("位置", "Where"), _where(one.geometry))
    features = (ask.say("要素", "Features"), f"/collections/{layer.name}/items")
    return document(
        ask,
        f"{ask.say(*layer.title)} {one.id}",
        *([_synthetic(ask)] if summary.synthetic else []),
        table((ask.say("字段", "Field"), ask.say("值", "Value")), [*rows, where]),
        element("p", drawn.crs.uri),
        above=(*_above(ask, layer), features),
    )


def _where(geometry: dict[str, Any]) -> str:
    if geometry["type"] == "Point":
        return f"Point {geometry['coordinates'][0]}, {geometry['coordinates'][1]}"
    return f"{geometry['type']} ({len(geometry['coordinates'])})"


def _heading(ask: Ask, field: Field) -> str:
    title = ask.say(*field.title)
    return title if field.unit is None else f"{title} ({field.unit})"


def _value(ask: Ask, field: Field, value: Any) -> Content:
    """A value as people read it: a code with its word beside it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return ask.say("是", "yes") if value else ask.say("否", "no")
    if field.kind in ("date", "time"):
        return element("time", str(value), datetime=str(value))
    if field.book is None or value not in (book := book_of(field.book)):
        return number(value) if isinstance(value, int | float) else str(value)
    word = element("span", book.word(value, ask.lang), class_="word")
    return element("span", element("code", str(value)), word)


def _synthetic(ask: Ask) -> Markup:
    return element("p", ask.say("合成演示数据", "synthetic demo data"), class_="note")


def _above(ask: Ask, layer: Layer | None = None) -> Trail:
    over: list[tuple[str, str]] = [(ask.say("图层", "Collections"), "/collections")]
    return over if layer is None else [*over, (ask.say(*layer.title), f"/collections/{layer.name}")]
