"""What was asked, in plain words, in both languages: layers, words of codes, distances, sizes, limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from layers.ask.filter import Filter, Queryable, queryables
from layers.ask.question.asked import Buffer, Count, CoverageGap, Isochrone, Nearest, Place, Route, Select, Travel
from layers.ask.question.drawn import Drawn
from layers.ask.question.roads import WALKING_M_S
from layers.ask.question.travel import BESIDE_M
from layers.ask.question.wanted import Towards, Wanted
from layers.spec import Field, Layer, Title
from layers.words import book_of

_COMPARED: Final = {
    "=": Title("为", "is"), "<>": Title("不为", "is not"), "<": Title("小于", "is below"),
    "<=": Title("不超过", "is at most"), ">": Title("大于", "is above"), ">=": Title("不小于", "is at least"),
    "like": Title("形如", "is like"),
}  # fmt: skip
_BY: Final[dict[Travel, Title]] = {"walking": Title("步行", "on foot"), "driving": Title("驾车", "by car")}


def of_select(question: Select, records: Wanted) -> Title:
    """A select in words."""
    what = of_records(records)
    most = f"{question.limit:,}"
    return Title(
        f"查询{what.zh}，按标识码排列，最多 {most} 条。",
        f"Records of {what.en}, in order of their ids, at most {most}.",
    )


def of_nearest(question: Nearest, records: Wanted) -> Title:
    """A nearest in words."""
    what, at = of_records(records), _point(question.point)
    return Title(
        f"查询距点 {at} 最近的 {question.k:,} 个{what.zh}，按地面距离由近到远。",
        f"The {question.k:,} records of {what.en} that are nearest to the point {at} on the ground, nearest first.",
    )


def of_count(
    question: Count, records: Wanted, *, field: Field | None, classes: Field | None, per: Wanted | None
) -> Title:
    """A count in words."""
    what, group, most = of_records(records), _group(question, classes), f"{question.limit:,}"
    sums = Title("", "") if field is None else Title(
        f"，以及“{field.title.zh}”的合计、平均、最小和最大值",
        f", with the sum, mean, minimum and maximum of “{field.title.en}”",
    )  # fmt: skip
    each = _per(question, per)
    if group is None:
        return Title(
            f"统计{what.zh}的总数{sums.zh}{each.zh}。", f"The number of records of {what.en}{sums.en}{each.en}."
        )
    return Title(
        f"按{group.zh}统计{what.zh}的数量{sums.zh}{each.zh}；只列有记录的，由多到少，最多 {most} 组。",
        f"The number of records of {what.en} by {group.en}{sums.en}{each.en}; only groups that hold some, the largest "
        f"first, at most {most}.",
    )


def _per(question: Count, per: Wanted | None) -> Title:
    if per is None:
        return Title("", "")
    of, here = of_records(per), question.by in ("grid", "town", "county", "h3")
    zh, en = {
        "MultiLineString": ("每公里", "per km"), "MultiPolygon": ("每平方公里", "per km²"),
        "Point": ("每个", "per one"),
    }[per.layer.geometry]  # fmt: skip
    whose = Title("同组的", " in the same group") if here else Title("全部", " in all")
    return Title(f"，以及{zh}{whose.zh}{of.zh}的数量", f", and {en} of {of.en}{whose.en}")


def of_buffer(question: Buffer, *, area: Drawn | None, records: Wanted | None) -> Title:
    """A buffer in words."""
    metres = _number(question.radius_m)
    what = _drawn(area) if area is not None else of_records(records) if records is not None else Title("", "")
    return Title(
        f"{what.zh}周围 {metres} 米（地面距离）以内的范围，合并为一个。",
        f"The area within {metres} m on the ground of {what.en}, put together as one.",
    )


def of_gap(question: CoverageGap, records: Wanted, of: Wanted) -> Title:
    """A coverage gap in words, with the reading that was used."""
    what, others, other = of_records(records), of_records(of), _other(records.layer, of)
    metres, most = _number(question.distance_m), f"{question.limit:,}"
    if question.reading == "distance":
        return Title(
            f"查询 {metres} 米以内没有{other.zh}{others.zh}的{what.zh}："
            f"量到最近一个的地面距离（面和线从其任一部分量起），按标识码排列，最多 {most} 条。",
            f"Records of {what.en} that have no {other.en}record of {others.en} within {metres} m: measured on the "
            f"ground to the nearest one (from any part of areas and lines), in order of their ids, at most {most}.",
        )
    return Title(
        f"查询{what.zh}中距最近的{others.zh}超过 {metres} 米（地面距离）的部分所占面积比例；"
        f"只列未覆盖部分超过 0.2% 的，由大到小，最多 {most} 条。",
        f"For records of {what.en} the share of their area that lies more than {metres} m on the ground from every "
        f"record of {others.en}; only those where it is more than 0.2 %, the largest share first, at most {most}.",
    )


def of_isochrone(question: Isochrone) -> Title:
    """An isochrone in words."""
    at, by = _point(question.point), _BY[question.by]
    minutes = sorted(set(question.minutes))
    beside = f"{BESIDE_M[question.by]:g}"
    zh, en = "、".join(map(_number, minutes)), ", ".join(map(_number, minutes))
    speed = _speed(question.by)
    return Title(
        f"从点 {at} 出发{by.zh} {zh} 分钟沿道路可达的范围（道路两侧各 {beside} 米计入；{speed.zh}）。",
        f"What is reached along roads within {en} minutes {by.en} from the point {at}, with {beside} m beside the "
        f"roads ({speed.en}).",
    )


def of_route(question: Route, *, found: bool) -> Title:
    """A route in words, and whether there is one."""
    start, end, by, speed = _point(question.start), _point(question.end), _BY[question.by], _speed(question.by)
    none = Title("", "") if found else Title("没有道路通往那里。", " No road leads there.")
    return Title(
        f"从点 {start} 到点 {end} 最快的{by.zh}路线（{speed.zh}）。{none.zh}",
        f"The quickest way {by.en} from the point {start} to the point {end} ({speed.en}).{none.en}",
    )


def of_records(records: Wanted) -> Title:
    """Records of a layer with their filter and conditions: 城市部件（状态为“破损”；位于所绘区域（3.2 km²）内）."""
    said = [] if records.filter is None else [of_filter(records.layer, records.filter)]
    said += [_towards(records.layer, towards) for towards in records.towards]
    title = records.layer.title
    if not said:
        return title
    return Title(
        f"{title.zh}（{'；'.join(part.zh for part in said)}）", f"{title.en} ({'; '.join(part.en for part in said)})"
    )


def of_filter(layer: Layer, filter: Filter) -> Title:
    """A filter in words where it is simple, else as it was written."""
    return _tree(queryables(layer), filter.tree) or Title(f"满足 {filter.source}", f"meeting {filter.source}")


def _towards(layer: Layer, towards: Towards) -> Title:
    what, none = _counterpart(layer, towards)
    metres = _number(towards.asked.distance_m or 0)
    return {
        "within": Title(f"位于{what.zh}内", f"within {what.en}"),
        "crossing": Title(f"与{what.zh}相交", f"sharing a point with {what.en}"),
        "near": Title(f"距{what.zh}在 {metres} 米以内", f"at most {metres} m from {what.en}"),
        "not_near": Title(f"{metres} 米以内没有{none.zh}", f"without {none.en} within {metres} m")
        if towards.of
        else Title(f"距{what.zh}超过 {metres} 米", f"more than {metres} m from {what.en}"),
        "sees": Title(f"视场内有{none.zh}", f"seeing {what.en}"),
        "not_sees": Title(f"视场内没有{none.zh}", f"not seeing {none.en}"),
        "seen_by": Title(f"在{what.zh}的视场内", f"seen by {what.en}"),
        "not_seen_by": Title(f"不在任何{none.zh}的视场内", f"not seen by {none.en}"),
    }[towards.asked.relation]


def _counterpart(layer: Layer, towards: Towards) -> tuple[Title, Title]:
    """What records of a layer are related to, and the same where there must be none of it."""
    other = _other(layer, towards.of)
    if towards.earlier is not None:
        zh, en = towards.earlier
        if towards.of is None:
            area = Title(f"结果“{zh}”的范围", f"the area of the result “{en}”")
            return area, area
        some = Title(f"结果“{zh}”中的某个{other.zh}对象", f"some {other.en}record of the result “{en}”")
        return some, Title(f"结果“{zh}”中的{other.zh}对象", f"any {other.en}record of the result “{en}”")
    if towards.area is not None:
        return _drawn(towards.area), _drawn(towards.area)
    assert towards.of is not None
    of = of_records(towards.of)
    return (
        Title(f"某个{other.zh}{of.zh}", f"some {other.en}record of {of.en}"),
        Title(f"{other.zh}{of.zh}", f"any {other.en}record of {of.en}"),
    )


def _other(layer: Layer, of: Wanted | None) -> Title:
    """No record is related to itself."""
    return Title("其他", "other ") if of is not None and of.layer.name == layer.name else Title("", "")


def _drawn(area: Drawn) -> Title:
    if area.shape.geom_type == "MultiPolygon":
        size = f"{area.area_km2:,.4g} km²"
        return Title(f"所绘区域（{size}）", f"the drawn area ({size})")
    if area.shape.geom_type == "MultiLineString":
        size = f"{area.length_km:,.4g} km"
        return Title(f"所绘线（{size}）", f"the drawn line ({size})")
    at = _point((area.shape.x, area.shape.y))
    return Title(f"点 {at}", f"the point {at}")


def _group(question: Count, classes: Field | None) -> Title | None:
    if classes is not None:
        return Title(f"“{classes.title.zh}”", f"“{classes.title.en}”")
    return {
        "total": None,
        "class": None,
        "grid": Title("网格", "grid"),
        "town": Title("镇街", "town"),
        "county": Title("县区", "county"),
        "h3": Title(f" H3 单元（{question.res} 级）", f"H3 cell (resolution {question.res})"),
    }[question.by]


def _speed(by: Travel) -> Title:
    if by == "walking":
        return Title(f"步速 {WALKING_M_S:g} 米/秒，不走高速公路", f"at {WALKING_M_S:g} m/s, not along motorways")
    return Title("按道路等级的通常车速，不超过限速", "at the usual speeds of the classes of roads, within their limits")


def _number(value: float) -> str:
    """As it was asked, without rounding: 1,234.5678."""
    return f"{value:,.15g}"


def _point(point: Place) -> str:
    return f"{point[0]:.5f}, {point[1]:.5f}"


def _tree(known: dict[str, Queryable], tree: Any) -> Title | None:
    """A tree of CQL2 JSON in words; None when any part of it is not simple."""
    if not isinstance(tree, dict) or "op" not in tree:
        return None
    op, args = tree["op"], tree["args"]
    if op in ("and", "or"):
        return _joined([_tree(known, part) for part in args], op)
    if op == "not":
        return _denied(known, args[0])
    of = _property(known, args[0]) if args else None
    if of is None:
        return None
    if op == "isNull":
        return Title(f"{of.title.zh}未填", f"{of.title.en} is not given")
    maker: Callable[[Queryable, str, Sequence[Any]], Title | None] | None = (
        _compared if op in _COMPARED else _listed if op == "in" else _between if op == "between" else None
    )
    return None if maker is None else maker(of, op, args[1:])


def _denied(known: dict[str, Queryable], tree: Any) -> Title | None:
    """What is not: a value that is given, or is none of some."""
    if not isinstance(tree, dict) or not tree.get("args"):
        return None
    of, op = _property(known, tree["args"][0]), tree.get("op")
    if of is None or op not in ("isNull", "in"):
        return None
    if op == "isNull":
        return Title(f"{of.title.zh}已填", f"{of.title.en} is given")
    said = _listed(of, op, tree["args"][1:])
    return None if said is None else Title(f"并非{said.zh}", f"not ({said.en})")


def _property(known: dict[str, Queryable], node: Any) -> Queryable | None:
    name = node.get("property") if isinstance(node, dict) else None
    return known.get(name) if isinstance(name, str) else None


def _joined(parts: list[Title | None], op: str) -> Title | None:
    said = [part for part in parts if part is not None]
    if len(said) < len(parts):
        return None
    zh, en = ("且", " and ") if op == "and" else ("或", " or ")
    # An OR within an AND would read wrongly without parentheses.
    open_, close = ("", "") if op == "and" else ("(", ")")
    return Title(f"{open_}{zh.join(p.zh for p in said)}{close}", f"{open_}{en.join(p.en for p in said)}{close}")


def _compared(of: Queryable, op: str, values: Sequence[Any]) -> Title | None:
    value, verb = _value(of, values[0]), _COMPARED[op]
    if value is None:
        return None
    return Title(f"{of.title.zh}{verb.zh}{value.zh}", f"{of.title.en} {verb.en} {value.en}")


def _listed(of: Queryable, _: str, values: Sequence[Any]) -> Title | None:
    found = [_value(of, one) for one in values[0]]
    # Editions of a book may have one word for two codes.
    said = list(dict.fromkeys(value for value in found if value is not None))
    if None in found:
        return None
    if len(said) == 1:
        return Title(f"{of.title.zh}为{said[0].zh}", f"{of.title.en} is {said[0].en}")
    return Title(
        f"{of.title.zh}为{'、'.join(value.zh for value in said)}之一",
        f"{of.title.en} is one of {', '.join(value.en for value in said)}",
    )


def _between(of: Queryable, _: str, values: Sequence[Any]) -> Title | None:
    low, high = (_value(of, value) for value in values)
    if low is None or high is None:
        return None
    return Title(f"{of.title.zh}在{low.zh}与{high.zh}之间", f"{of.title.en} is between {low.en} and {high.en}")


def _value(of: Queryable, value: Any) -> Title | None:
    if isinstance(value, bool):
        return Title("是", "yes") if value else Title("否", "no")
    if isinstance(value, int | float):
        unit = f" {of.unit}" if of.unit else ""
        return Title(f" {value:,}{unit}", f"{value:,}{unit}")
    if isinstance(value, dict):
        text = value.get("date") or value.get("timestamp")
        return Title(f" {text}", str(text)) if isinstance(text, str) else None
    if not isinstance(value, str):
        return None
    book = None if of.book is None else book_of(of.book)
    if book is not None and value in book:
        return Title(f"“{book.word(value, 'zh')}”", f"“{book.word(value, 'en')}”")
    return Title(f"“{value}”", f"“{value}”")
