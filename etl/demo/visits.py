"""Where grid workers and volunteers of the demo city went of late, what for, and what came of it."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from etl.demo import care_mix as mix
from etl.demo.ground import Ground
from etl.demo.needs import Need, Spot, moments, office, places
from etl.demo.people import MARK
from etl.demo.shares import pick

_STREAM: Final = 43
_INDOORS: Final = "{name}：{words}"
_FOUND_NEED: Final = f"了解到居民需求，已登记。{MARK}"
_FOUND_CASE: Final = f"巡查中发现问题，已上报。{MARK}"


@dataclass(frozen=True)
class Place:
    """A place of the map that is visited: its id, its name, and where it is."""

    id: str
    name: str
    spot: Spot


@dataclass(frozen=True)
class Case:
    """A case that a grid worker reported, and where."""

    id: str
    spot: Spot
    reported_at: dt.datetime


@dataclass(frozen=True)
class Visit:
    """One visit, and when it was `written`; `need` is the position of one that was found, `case` the id of a report."""

    kind: str
    outcome: str
    role: str
    spot: Spot
    at: dt.datetime
    written: dt.datetime
    words: str
    premises: str | None = None
    need: int | None = None
    case: str | None = None

    @property
    def actor(self) -> str:
        """Who wrote it: an office, never a person."""
        return office(self.role, self.spot)


def visits(
    ground: Ground,
    *,
    needs: Sequence[Need],
    inside: Sequence[Place],
    cases: Iterable[Case],
    at: dt.datetime,
    scale: float,
    seed: int,
) -> list[Visit]:
    """The visits of the 28 days up to `at`, the oldest first: rounds, and those that found a need or a case."""
    rng = np.random.default_rng([seed, _STREAM])
    when = moments(mix.VISITS_A_DAY * scale, at, rng)
    where = places(ground, len(when), rng)
    rounds = {one.kind: one for one in mix.ROUNDS}
    kinds = pick(rng, {one.kind: one.share for one in mix.ROUNDS}, len(when)).tolist()
    drawn = rng.integers(0, 2**62, len(when)).tolist()
    made = [
        _round(rounds[kind], spot, moment, inside, random.Random(number))
        for kind, spot, moment, number in zip(kinds, where, when, drawn, strict=True)
    ]
    made += _finding_needs(needs, random.Random(f"{seed} visits"))
    made += (_finding(case) for case in cases)
    return sorted(made, key=lambda one: one.at)


def _round(one: mix.Round, spot: Spot, at: dt.datetime, inside: Sequence[Place], chance: random.Random) -> Visit:
    role = chance.choices(list(mix.VISITED_BY), list(mix.VISITED_BY.values()))[0]
    outcome = chance.choices(list(one.outcomes), list(one.outcomes.values()))[0]
    words, sent = chance.choice(one.words) + MARK, at
    if chance.random() < mix.OUT_OF_REACH:
        sent += dt.timedelta(minutes=chance.randint(20, 150))
    if not inside or chance.random() >= one.indoors:
        return Visit(one.kind, outcome, role, spot, at, sent, words)
    place = chance.choice(inside)
    return Visit(one.kind, outcome, role, place.spot, at, sent, _INDOORS.format(name=place.name, words=words), place.id)


def _finding_needs(needs: Sequence[Need], chance: random.Random) -> Iterator[Visit]:
    """What is needed is often said when somebody calls."""
    for n, need in enumerate(needs):
        role = need.steps[0].actor.partition(" ")[0]
        if role in mix.VISITED_BY and chance.random() < mix.FOUND_NEED:
            at = need.steps[0].at - dt.timedelta(minutes=chance.randint(2, 15))
            kind = chance.choice(("needs", "comfort"))
            yield Visit(kind, "need", role, need.spot, at, at, _FOUND_NEED, need=n)


def _finding(case: Case) -> Visit:
    at = case.reported_at - dt.timedelta(minutes=3)
    return Visit("hazard", "incident", "worker", case.spot, at, at, _FOUND_CASE, case=case.id)
