"""The doors of a figure: the conditions that exactly the records meet which stand above, or below, its line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from layers.ask.clauses import Among, Clause, Starts
from layers.ask.indicator.amounts import DIGITS, Area, Ids, over
from layers.ask.indicator.indicator import CITY, Indicator
from layers.ask.indicator.measure import keys_of
from layers.spec import Layer

Conditions = dict[str, Clause]


class Door(NamedTuple):
    """The records of a layer that meet conditions."""

    layer: str
    conditions: Conditions


class Asked(NamedTuple):
    """Which figure is meant: one key of `by` within an area on a day."""

    by: str
    area: Area | None
    key: str | None
    day: dt.date


def door_to_top(indicator: Indicator, layer: Layer, asked: Asked, *, ids: Ids | None, empty: bool) -> Conditions | None:
    """The conditions of the numerator's records, of which there are none (`empty`); None where none can say that."""
    if ids is not None:  # grids are told by their ids, or not at all where they are many
        few = ids.get(asked.key)
        return {"id": Among(few)} if few else None
    return _narrowed(indicator.top_on(layer, asked.day).conditions, layer, asked, empty=empty)


def door_to_bottom(indicator: Indicator, layers: Mapping[str, Layer], asked: Asked) -> Door | None:
    """The door to what the denominator counts or measures; None where there is none, or conditions cannot say it."""
    below = over(indicator, by=asked.by, area=asked.area)
    if below is None or below.measure.layer not in layers:
        return None
    layer = layers[below.measure.layer]
    conditions = _narrowed(below.measure.conditions, layer, asked._replace(by=below.by), empty=False)
    return None if conditions is None else Door(layer.name, conditions)


def _narrowed(given: Mapping[str, Clause], layer: Layer, asked: Asked, *, empty: bool) -> Conditions | None:
    door, keys = dict(given), keys_of(layer)
    wanted = [] if asked.area is None else [(asked.area.level, asked.area.code)]
    for level, code in [*wanted, *([] if asked.by == CITY else [(asked.by, asked.key)])]:
        digits = DIGITS.get(level)
        if digits is None:
            column = (keys.grid or "grid_id") if level == "grid" else level
            if column in door and empty:  # the indicator's own clause is what leaves nothing here
                return None
            door[column] = Among((code,))
        elif code is None or not _begins(door, keys.admin, code):
            return None
    return door


def _begins(door: Conditions, column: str, code: str) -> bool:
    """Put the beginning of a code into the door, if what stands there already leaves room for it."""
    given = door.setdefault(column, Starts(code))
    if not isinstance(given, Starts):
        return False
    if code.startswith(given.text):
        door[column] = Starts(code)
        return True
    return given.text.startswith(code)
