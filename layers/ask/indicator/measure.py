"""What one number of the city is made of: the records of a layer that meet conditions, counted or measured."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from layers.ask.clauses import Clause, Conditions, cql2, told
from layers.ask.filter import condition, parse
from layers.spec import Layer

COUNT: Final = "count"
KM: Final = "km"
KM2: Final = "km2"
# Neither NaN nor infinity, which would swallow every other number of a sum.
_LARGEST: Final = 1e300


@dataclass(frozen=True)
class Measure:
    """A sum over the records of a layer that meet conditions.

    `what` is "count" (one each), "km" or "km2" (of the geometry, on the ellipsoid) or the name of a numeric field.
    """

    layer: str
    what: str = COUNT
    clauses: tuple[tuple[str, Clause], ...] = ()

    @property
    def conditions(self) -> Conditions:
        """The conditions by column."""
        return dict(self.clauses)

    @cached_property
    def key(self) -> str:
        """A name under which its sums are kept; equal measures have the same."""
        text = json.dumps([self.layer, self.what, told(self.conditions)], sort_keys=True, ensure_ascii=False)
        return f"{self.layer}:{hashlib.blake2b(text.encode(), digest_size=9).hexdigest()}"


class Keys(NamedTuple):
    """The columns of a layer that say in which administrative unit and in which grid a record lies."""

    admin: str
    grid: str | None


def keys_of(layer: Layer) -> Keys:
    """A county and a town lie in themselves, and in no grid; a grid lies in itself."""
    if layer.name in ("county", "town"):
        return Keys("id", None)
    return Keys("admin_code", "id" if layer.name == "grid" else "grid_id")


@lru_cache(maxsize=1_000)
def met(measure: Measure, layer: Layer) -> sa.ColumnElement[bool]:
    """Whether a record meets the measure's conditions; BadFilter when the layer has no such column."""
    text = cql2(measure.conditions)
    return condition(layer, parse(text)) if text else sa.true()


def total(measure: Measure, layer: Layer) -> sa.ColumnElement[Any]:
    """The sum as an aggregate over the layer's table; 0 where there is nothing to add up."""
    holds = met(measure, layer)
    if measure.what == COUNT:
        return sa.cast(sa.func.count().filter(holds), sa.Double)
    amount = _amount(measure.what, layer)
    finite = amount.between(-_LARGEST, _LARGEST)
    return sa.func.coalesce(sa.func.sum(amount).filter(sa.and_(holds, finite)), 0.0, type_=sa.Double)


def _amount(what: str, layer: Layer) -> sa.ColumnElement[Any]:
    table = layer.table
    if what == KM:
        return sa.func.st_length(sa.func.geography(table.c.geom), type_=sa.Double) / 1_000.0
    if what == KM2:
        return sa.func.st_area(sa.func.geography(table.c.geom), type_=sa.Double) / 1_000_000.0
    return sa.cast(table.c[what], sa.Double)
