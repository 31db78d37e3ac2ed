"""An indicator as it is told: its values by area or column, ranked, each with the door to the records behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from layers.ask import clauses
from layers.ask.clauses import Clause
from layers.ask.indicator.amounts import Area, Ids, Parts, parts
from layers.ask.indicator.door import Asked, Door, door_to_bottom, door_to_top
from layers.ask.indicator.indicator import AREAS, CITY, Indicator, Status
from layers.ask.indicator.measure import keys_of
from layers.ask.indicator.rolling import today
from layers.errors import BadParameter
from layers.spec import Layer, Title
from layers.words import book_of

MOST_KEYS: Final = 10_000
WHOLE: Final = Title("全市", "Whole city")
_ELSEWHERE: Final = {
    "county": Title("不在任何县区", "In no county"),
    "town": Title("不在任何镇街", "In no town"),
    "grid": Title("不在任何网格", "In no grid"),
}
_NOT_GIVEN: Final = Title("未填写", "Not given")


@dataclass(frozen=True)
class Value:
    """One figure: its key (None: the whole city, or what has none), its parts, and the conditions of their records."""

    key: str | None
    title: Title
    value: float | None
    numerator: float
    denominator: float | None
    status: Status | None
    door: Mapping[str, Clause] | None
    below: Door | None


@dataclass(frozen=True)
class Figures:
    """The values of an indicator, worst first, and whether there were more than are told."""

    values: list[Value]
    truncated: bool


def area_of(connection: sa.Connection, code: str, layers: Mapping[str, Layer]) -> Area:
    """The county, town or grid with this code among the layers; BadParameter when there is none."""
    for level in AREAS:
        layer = layers.get(level)
        if layer is not None and connection.scalar(sa.select(sa.exists().where(layer.table.c.id == code))):
            return Area(code, level)
    raise BadParameter("area", f"there is no county, town or grid {code[:40]!r}")


def offered(indicator: Indicator, layers: Mapping[str, Layer]) -> list[str]:
    """What an indicator is told by to someone who may know of these layers; the whole city goes without saying."""
    return [by for by in indicator.by if by not in AREAS or by in layers]


def figures(
    connection: sa.Connection,
    indicator: Indicator,
    layers: Mapping[str, Layer],
    *,
    by: str,
    area: Area | None,
    limit: int,
) -> Figures:
    """The figures of an indicator to someone who may know of `layers`; BadParameter for a `by` that it lacks."""
    if by not in (fit := [CITY, *offered(indicator, layers)]):
        raise BadParameter("by", f"must be one of {', '.join(fit)}")
    day = today()
    found = parts(connection, indicator, layers, by=by, area=area, day=day)
    names, every = _names(connection, indicator, layers, by=by, area=area)
    keys = dict.fromkeys([*every, *found.top, *(found.bottom or ())])
    sums = [_sums(indicator, found, key) for key in keys]
    ranked = sorted((s for s in sums if s.key in every or s.top or s.bottom), key=lambda s: _rank(indicator, s))
    values = []
    for each in ranked[:limit]:
        asked = Asked(by, area, each.key, day)
        values.append(_value(indicator, layers, each, asked, ids=found.ids, name=names.get(each.key)))
    return Figures(values, len(ranked) > limit)


def key_of(
    connection: sa.Connection, indicator: Indicator, layers: Mapping[str, Layer], *, by: str, key: str | None
) -> Value | None:
    """The figure of one key among those of `by`; None when there is no such key."""
    every = figures(connection, indicator, layers, by=by, area=None, limit=MOST_KEYS)
    return next((value for value in every.values if value.key == key), None)


class _Sums(NamedTuple):
    key: str | None
    top: float
    bottom: float | None
    value: float | None


def _sums(indicator: Indicator, found: Parts, key: str | None) -> _Sums:
    top = found.top.get(key, 0.0)
    bottom = None if found.bottom is None else found.bottom.get(key, 0.0)
    return _Sums(key, top, bottom, indicator.value(top, bottom))


def _rank(indicator: Indicator, sums: _Sums) -> tuple[bool, float, bool, str]:
    """The worst first where it is said what is worse, else the largest; what has no value last."""
    size = sums.value or 0.0
    return (sums.value is None, size if indicator.better == "up" else -size, sums.key is None, sums.key or "")


def _value(
    indicator: Indicator, layers: Mapping[str, Layer], sums: _Sums, asked: Asked, *, ids: Ids | None, name: Title | None
) -> Value:
    key, top, bottom, value = sums
    nameless = _ELSEWHERE.get(asked.by, _NOT_GIVEN) if key is None else Title(key, key)
    status = indicator.norm.status(value, indicator.better)
    door = door_to_top(indicator, layers[indicator.layer], asked, ids=ids, empty=not top)
    below = None if bottom is None else door_to_bottom(indicator, layers, asked)
    return Value(key, name or nameless, value, top, bottom, status, door, below)


def _names(
    connection: sa.Connection, indicator: Indicator, layers: Mapping[str, Layer], *, by: str, area: Area | None
) -> tuple[dict[str | None, Title], set[str | None]]:
    """What keys are called, and the keys that are told whether or not they hold something."""
    if by == CITY:
        name = WHOLE if area is None else _area_names(connection, layers[area.level], area).get(area.code)
        return {None: name or Title(area.code, area.code) if area else WHOLE}, {None}
    if by not in AREAS:
        return words_of(layers[indicator.layer], by), set()
    if by == "grid":
        names = _area_names(connection, layers[by], area)
        return names, set(names)
    names = _area_names(connection, layers[by], None)
    return names, {id for id in names if area is None or (id or "").startswith(area.code)}


def _area_names(connection: sa.Connection, layer: Layer, area: Area | None) -> dict[str | None, Title]:
    """The names of the areas of a layer by id, within an area if one is given."""
    table, columns = layer.table, keys_of(layer)
    inside: list[sa.ColumnElement[bool]] = []
    if area is not None and area.level == "grid":
        inside = [table.c.id == area.code] if layer.name == "grid" else [sa.false()]
    elif area is not None:
        inside = [table.c[columns.admin].startswith(area.code, autoescape=True)]
    english = table.c.name_en if "name_en" in table.c else table.c.name
    rows = connection.execute(sa.select(table.c.id, table.c.name, english).where(*inside))
    return {id: Title(name or id, name_en or name or id) for id, name, name_en in rows}


def words_of(layer: Layer, column: str) -> dict[str | None, Title]:
    """What the codes of a column mean; nothing where they are no codes."""
    field = layer.field(column)
    if field is None or field.book is None:
        return {}
    return {code: Title(label["zh"], label["en"]) for code, label in book_of(field.book).labels().items()}


def told(found: Figures, layer: str) -> dict[str, Any]:
    """Figures as JSON."""
    return {
        "values": [
            {
                "key": each.key,
                "title": each.title._asdict(),
                "value": plain(each.value),
                "numerator": plain(each.numerator),
                "denominator": plain(each.denominator),
                "status": each.status,
                "door": None if each.door is None else {"layer": layer, "conditions": clauses.told(each.door)},
                "denominator_door": None
                if each.below is None
                else {"layer": each.below.layer, "conditions": clauses.told(each.below.conditions)},
            }
            for each in found.values
        ],
        "truncated": found.truncated,
    }


def plain(number: float | None) -> float | int | None:
    """A whole number without the point, which JSON would tell."""
    return int(number) if number is not None and number.is_integer() else number
