"""An indicator as a value: what is put over what, by which areas and columns, and when it is good or bad."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from layers.ask.indicator.measure import KM2, Measure
from layers.ask.indicator.rolling import Rolling
from layers.spec import Layer, Title

Kind = Literal["count", "sum", "share", "rate"]
Better = Literal["up", "down"]
Status = Literal["ok", "warn", "bad"]
KINDS: Final[tuple[Kind, ...]] = ("count", "sum", "share", "rate")
AREAS: Final = ("county", "town", "grid")
CITY: Final = "city"
_AREA_LAYERS: Final = {CITY: "county", "county": "county", "town": "town", "grid": "grid"}


@dataclass(frozen=True)
class Norm:
    """What a value should be.

    Where better is up, values from `high` on are ok, from `low` on a warning, below bad; where it is down, values to
    `low` are ok, to `high` a warning, above bad. With one bound there are two states: beyond `low` alone (better up) or
    `high` alone (better down) is bad, beyond the other alone a warning. Without a better way, outside is a warning.
    """

    low: float | None = None
    high: float | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is said of what a value should be."""
        return self.low is None and self.high is None

    def status(self, value: float | None, better: Better | None) -> Status | None:
        """How good a value is; None where there is no value or no norm."""
        if value is None or self.empty:
            return None
        under = self.low is not None and value < self.low
        over = self.high is not None and value > self.high
        if better is None:
            return "warn" if under or over else "ok"
        if better == "up":
            return "bad" if under else "warn" if self.high is not None and value < self.high else "ok"
        return "bad" if over else "warn" if self.low is not None and value > self.low else "ok"


@dataclass(frozen=True)
class Holding:
    """Of grids, those that hold something of a measure, or (`some` is false) nothing."""

    measure: Measure
    some: bool


@dataclass(frozen=True)
class Indicator:
    """One figure of the city.

    Its value is `top`, or `top` ÷ `bottom` × `each`; with `per_km2`, `top` ÷ the area in km². `holding` narrows `top`,
    which then counts grids, to those that hold something or nothing. `period` narrows `top` to the last days: what it
    counts changes at midnight, and is therefore counted when someone asks.
    """

    name: str
    title: Title
    about: Title
    kind: Kind
    top: Measure
    by: tuple[str, ...] = ()
    bottom: Measure | None = None
    per_km2: bool = False
    each: float = 1.0
    holding: Holding | None = None
    period: Rolling | None = None
    unit: Title | None = None
    better: Better | None = None
    norm: Norm = Norm()
    decimals: int = 0

    @property
    def layer(self) -> str:
        """The layer whose records it is about."""
        return self.top.layer

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer that it counts or measures, its own first."""
        more = [m.layer for m in (self.bottom, self.holding and self.holding.measure) if m]
        return tuple(dict.fromkeys([self.layer, *more, *(["county"] if self.per_km2 else [])]))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns among what it can be told apart by."""
        return tuple(name for name in self.by if name not in AREAS)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every measure that it is made of; of the period's, what it would be without one."""
        found = [self.top, *([self.bottom] if self.bottom else []), *([self.holding.measure] if self.holding else [])]
        areas = [area_measure(by) for by in (CITY, *self.by) if by in _AREA_LAYERS] if self.per_km2 else []
        return tuple(dict.fromkeys([*found, *areas]))

    @property
    def sums(self) -> tuple[Measure, ...]:
        """Those of its measures of which sums are kept: of a period's own layer everything is counted when asked."""
        return tuple(m for m in self.measures if self.period is None or m.layer != self.layer)

    def top_on(self, layer: Layer, day: dt.date) -> Measure:
        """What stands above the line on a day."""
        return self.top if self.period is None else self.period.narrowed(self.top, layer, day)

    def value(self, top: float, bottom: float | None) -> float | None:
        """The value of its two parts; None where nothing can be divided by."""
        if self.kind in ("count", "sum"):
            return top * self.each
        return top / bottom * self.each if bottom else None


@cache
def area_measure(by: str) -> Measure:
    """The km² of the areas of a level; a city is as large as its counties."""
    return Measure(_AREA_LAYERS[by], KM2)
