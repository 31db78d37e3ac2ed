"""Which sums are kept of which layer, so that every indicator can be told."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from layers.ask.indicator.indicator import Indicator
from layers.ask.indicator.measure import COUNT, KM, KM2, Measure, met
from layers.errors import BadFilter
from layers.spec import Layer

log = logging.getLogger("chengtu.figures")


@dataclass(frozen=True)
class Plan:
    """The measures that are summed up over one layer by place, and those that are by a column, too."""

    layer: Layer
    measures: tuple[Measure, ...]
    by: tuple[tuple[str, tuple[Measure, ...]], ...]

    @cached_property
    def digest(self) -> str:
        """Changes with the plan."""
        kept = [[m.key for m in self.measures], [[field, [m.key for m in kept]] for field, kept in self.by]]
        return hashlib.blake2b(json.dumps(kept).encode(), digest_size=12).hexdigest()


def there(indicators: Iterable[Indicator], layers: Mapping[str, Layer]) -> list[Indicator]:
    """The indicators whose layers exist and have what is asked of them."""
    return [indicator for indicator in indicators if _fits(indicator, layers)]


def _fits(indicator: Indicator, layers: Mapping[str, Layer]) -> bool:
    if any(measure.layer not in layers for measure in indicator.measures):
        return False
    columns = layers[indicator.layer].table.columns
    numbers = (m for m in indicator.measures if m.what not in (COUNT, KM, KM2))
    rolling = [] if indicator.period is None else [indicator.period.column]
    if any(name not in columns for name in [*indicator.columns, *rolling]):
        return False
    if any(m.what not in layers[m.layer].table.columns for m in numbers):
        return False
    try:
        for measure in indicator.measures:
            met(measure, layers[measure.layer])
    except BadFilter as refused:
        log.warning("indicator %s does not fit its layer: %s", indicator.name, refused)
        return False
    return True


def plans(indicators: Collection[Indicator], layers: Mapping[str, Layer]) -> dict[str, Plan]:
    """The plan of every layer that these indicators count or measure."""
    by_layer: dict[str, dict[str, Measure]] = {}
    by_field: dict[str, dict[str, dict[str, Measure]]] = {}
    for indicator in indicators:
        for measure in indicator.measures:  # also where no sums are kept it is seen when the layer changed
            by_layer.setdefault(measure.layer, {})
        for measure in indicator.sums:
            by_layer[measure.layer][measure.key] = measure
        for field in indicator.columns if indicator.period is None else ():
            held = by_field.setdefault(indicator.layer, {}).setdefault(field, {})
            held |= {m.key: m for m in own_parts(indicator)}
    found = {}
    for name, measures in sorted(by_layer.items()):
        fields = sorted(by_field.get(name, {}).items())
        by = tuple((field, _in_order(kept)) for field, kept in fields)
        found[name] = Plan(layers[name], _in_order(measures), by)
    return found


def _in_order(measures: Mapping[str, Measure]) -> tuple[Measure, ...]:
    return tuple(measures[key] for key in sorted(measures))


def own_parts(indicator: Indicator) -> tuple[Measure, ...]:
    """The parts of an indicator that its own columns tell apart; a rate's other part is the same for all values."""
    own_bottom = [indicator.bottom] if indicator.kind == "share" and indicator.bottom else []
    return (indicator.top, *own_bottom)
