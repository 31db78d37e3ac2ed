"""One line of the result: what we reach, what a peer reaches, what the limit is, and whether the aim is met."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from rich.table import Table

Unit = Literal["s", "ms", "MB", "rows/s", "points/s", "tiles/s", "keys", "answers", "features", "messages"]
_DIGITS = {"s": 1, "ms": 1, "messages": 1}


@dataclass(frozen=True)
class Aim:
    """`most` or `least` bounds our own figure; with `of="ratio"`, our figure divided by the peer's (or the limit)."""

    most: float | None = None
    least: float | None = None
    of: Literal["ours", "ratio"] = "ours"

    def met(self, row: Row) -> bool | None:
        """None when there is nothing to compare with."""
        value = row.ours if self.of == "ours" else row.ratio
        if value is None:
            return None
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    def text(self, unit: Unit) -> str:
        if self.most is not None and self.least is not None and self.of == "ratio":
            return f"{self.least:g} … {self.most:g}×"
        sign, bound = ("≤", self.most) if self.most is not None else ("≥", self.least)
        assert bound is not None
        return f"{sign} {bound:.3g}×" if self.of == "ratio" else f"{sign} {figure(bound, unit)}"


@dataclass(frozen=True)
class Row:
    """A measured figure; `peer` does the same work in another way, `limit` is the part that nobody can save.

    `rounds` are the ratios of the single rounds, where ours and the other took turns: their median counts.
    """

    name: str
    ours: float
    unit: Unit
    peer: float | None = None
    limit: float | None = None
    aim: Aim | None = None
    rounds: Sequence[float] = ()

    @property
    def ratio(self) -> float | None:
        """Ours divided by the peer's figure, or by the limit where there is no peer."""
        if self.rounds:
            return median(self.rounds)
        other = self.peer if self.peer is not None else self.limit
        return self.ours / other if other else None

    def cells(self) -> tuple[str, ...]:
        """The eight columns as texts."""
        met = self.aim.met(self) if self.aim else None
        return (
            self.name,
            figure(self.ours, self.unit),
            figure(self.peer, self.unit),
            figure(self.limit, self.unit),
            _ratio(self.ratio) if self.ratio is not None else "–",
            f"{_ratio(min(self.rounds))} … {_ratio(max(self.rounds))}" if self.rounds else "–",
            self.aim.text(self.unit) if self.aim else "–",
            {True: "yes", False: "NO", None: "–"}[met],
        )


HEADINGS = ("name", "ours", "peer", "limit", "ratio", "spread", "aim", "met")


def beside(name: str, ours: Sequence[float], peer: Sequence[float], *, unit: Unit, aim: Aim | None = None) -> Row:
    """A row of rounds in turns: the medians of both sides, and the ratios of the rounds; no peer's rounds, no ratio."""
    ratios = [one / other for one, other in zip(ours, peer, strict=False)]
    return Row(name, median(ours), unit, peer=median(peer) if peer else None, aim=aim, rounds=ratios)


def figure(value: float | None, unit: Unit) -> str:
    """A figure with its unit; a dash for none."""
    if value is None:
        return "–"
    digits = 2 if unit == "MB" and value < 10 else _DIGITS.get(unit, 0)
    return f"{value:,.{digits}f} {unit}"


def table(title: str, rows: Iterable[Row]) -> Table:
    """The rows as a table for the screen."""
    shown = Table(title=title, title_justify="left")
    for heading in HEADINGS:
        left = heading in ("name", "met")
        shown.add_column(heading, justify="left" if left else "right", no_wrap=True)
    for row in rows:
        shown.add_row(*row.cells())
    return shown


def _ratio(value: float) -> str:
    return f"{value:.2f}×" if value < 10 else f"{value:.0f}×"
