"""What residents of the demo city needed of late: wishes at homes that do not exist, and how far each has come.

They go through the states of `layers/loop/care/needs.py`, to providers that do this, there and then.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import shapely

from etl.demo import care_mix as mix
from etl.demo.ground import Ground
from etl.demo.people import MARK, NUMBERS, by_day, home_of, later, name_of, phone_of
from etl.demo.plane import Array
from etl.demo.shares import pick
from etl.demo.sites import spots
from gis.cells import cells_of, centre
from layers.ask.period import CITY_TIME
from layers.loop.callers import Contact
from layers.loop.care.needs import MOVES
from layers.loop.care.opening import Span, is_open, weekly
from layers.loop.care.providers import Provider

STREAM: Final = 42
_WISHED, _NUMBERED, _AT_HOME = 0.55, 0.92, 0.8
_DEGREE_M: Final = 111_320.0
_SURE: Final = 0.99  # of a reach, since these distances are rough


@dataclass(frozen=True)
class Spot:
    """Where somebody lives or something was visited: the middle of the cell, the grid, the town, and the address."""

    lon: float
    lat: float
    grid_id: str
    admin_code: str
    address: str


@dataclass(frozen=True)
class Step:
    """A step of a need: who took it when, and what came with it."""

    step: str
    at: dt.datetime
    actor: str
    provider: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Need:
    """One need with the steps that it took, the first its taking down; `contact` is in the clear."""

    kind: str
    spot: Spot
    words: str
    wish_at: dt.datetime | None
    contact: Contact
    steps: tuple[Step, ...]

    @property
    def state(self) -> str:
        """How it stands."""
        return next((after for step in reversed(self.steps) if (after := after_of(step.step)) is not None), "open")


def after_of(step: str) -> str | None:
    """The state that a step of a need leads to; None where it stays."""
    return MOVES[step].after if step in MOVES else "open"


def needs(ground: Ground, providers: Iterable[Provider], *, at: dt.datetime, scale: float, seed: int) -> list[Need]:
    """The needs of the 28 days up to `at`, the oldest first, as they stand then: about 6,000 × scale."""
    rng = np.random.default_rng([seed, STREAM])
    when = moments(mix.NEEDS_A_DAY * scale, at, rng)
    where = places(ground, len(when), rng)
    wishes = {wish.kind: wish for wish in mix.WISHES}
    kinds = pick(rng, {wish.kind: wish.share for wish in mix.WISHES}, len(when))
    serving, made = _Serving(providers), []
    for told_at, spot, kind, number in zip(when, where, kinds.tolist(), _chances(rng, len(when)), strict=True):
        chance = random.Random(number)
        made.append(_need(wishes[kind], spot, told_at, serving, chance, until=at))
    return made


def moments(a_day: float, at: dt.datetime, rng: np.random.Generator) -> list[dt.datetime]:
    """Moments by day of the 28 days up to `at`, the earliest first."""
    count = max(3, round(a_day * mix.DAYS))
    midnight = dt.datetime.combine(at.astimezone(CITY_TIME).date(), dt.time.min, CITY_TIME)
    hour = rng.choice(24, size=count, p=np.array(mix.HOURS) / sum(mix.HOURS))
    ago, seconds = rng.integers(0, mix.DAYS, count), hour * 3600 + rng.integers(0, 3600, count)
    pairs = zip(ago.tolist(), seconds.tolist(), strict=True)
    return sorted(moment for days, s in pairs if (moment := midnight + dt.timedelta(seconds=s - days * 86_400)) <= at)


def places(ground: Ground, count: int, rng: np.random.Generator) -> list[Spot]:
    """So many spots where people live, each the middle of its cell."""
    found = spots(ground, "any", count, rng)
    shapes, grid = ground.stand(found.points)
    # The roads are in their order: who lives where has nothing to do with when.
    order = rng.permutation(count)
    at = shapely.get_coordinates(shapes)[order]
    cells = cells_of(at[:, 0], at[:, 1]).tolist()
    codes = zip(ground.grid_id[grid[order]], ground.town_code[grid[order]], found.address[order], strict=True)
    return [Spot(*centre(cell), *map(str, told)) for cell, told in zip(cells, codes, strict=True)]


def _chances(rng: np.random.Generator, count: int) -> list[int]:
    drawn: list[int] = rng.integers(0, 2**62, count).tolist()
    return drawn


def _need(
    wish: mix.Wish, spot: Spot, told_at: dt.datetime, serving: _Serving, chance: random.Random, *, until: dt.datetime
) -> Need:
    wished = told_at + dt.timedelta(days=chance.randint(1, 5))
    wish_at = wished.replace(hour=chance.choice((9, 10, 14, 15)), minute=0, second=0)
    wanted = wish_at if chance.random() < _WISHED else None
    contact = Contact(
        name_of(chance, old=wish.old),
        phone_of(chance.randrange(NUMBERS)) if chance.random() < _NUMBERED else None,
        home_of(spot.address, chance) if chance.random() < _AT_HOME else None,
    )
    words, role = chance.choice(wish.words) + MARK, _one(mix.TAKEN_BY, chance)
    found = serving.at(wish.kind, spot, wanted)
    first = Step("take_down", told_at, office(role, spot))
    takes = "worker" if role == "volunteer" else role
    course = _course(first, wanted, found, office(takes, spot), chance)
    return Need(wish.kind, spot, words, wanted, contact, (first, *(step for step in course if step.at <= until)))


def office(role: str, spot: Spot) -> str:
    """Who did something there: an office, never a person."""
    return f"{role} {({'worker': spot.grid_id, 'volunteer': spot.admin_code}).get(role, spot.admin_code[:6])}"


def _one(shares: dict[str, float], chance: random.Random) -> str:
    return chance.choices(list(shares), list(shares.values()))[0]


def _course(
    first: Step, wish_at: dt.datetime | None, found: Sequence[Provider], by: str, chance: random.Random
) -> Iterator[Step]:
    """The steps after the taking down, as if it were over."""
    at, way = first.at, chance.random()

    def after(hours: float) -> dt.datetime:
        return by_day(later(at, hours, chance), chance)

    def arranged(which: int) -> Step:
        provider = found[min(which, len(found) - 1)].id if found else None
        return Step("arrange", at, by, provider, None if found else mix.OWN_HANDS)

    if way < mix.NEVER:
        return
    at = after(mix.ARRANGED_H)
    if way < mix.NEVER + mix.WITHDRAWN:
        yield Step("withdraw", at, by, note=chance.choice(mix.WITHDRAWALS))
        return
    if chance.random() < mix.NOTED:
        yield Step("note", at, by, note=chance.choice(mix.NOTES))
        at = after(mix.ARRANGED_H / 2)
    yield arranged(0)
    if chance.random() < mix.REOPENED:
        at = after(mix.DONE_H)
        yield Step("reopen", at, by, note=chance.choice(mix.REOPENINGS))
        at = after(mix.ARRANGED_H / 2)
        yield arranged(1)
    at = max(at, wish_at or at)
    at = after(mix.DONE_H)
    if chance.random() < mix.FULFILLED:
        yield Step("done", at, by, note=chance.choice(mix.FULFILMENTS) or None)


class _Serving:
    """Who serves which kind of need at a place, for very many questions: distances by arrays, areas by their codes."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        by_kind: defaultdict[str, list[Provider]] = defaultdict(list)
        for one in providers:
            for kind in one.kinds:
                by_kind[kind].append(one)
        self._by_kind = {kind: (every, _columns(every), _areas(every)) for kind, every in by_kind.items()}

    def at(self, kind: str, spot: Spot, when: dt.datetime | None, *, most: int = 3) -> list[Provider]:
        """The nearest that serve it there and are open then; none where nobody does."""
        if kind not in self._by_kind:
            return []
        every, (lon, lat, reach_m), areas = self._by_kind[kind]
        away_m = np.hypot((lon - spot.lon) * math.cos(math.radians(spot.lat)), lat - spot.lat) * _DEGREE_M
        fits = set(np.flatnonzero(away_m <= reach_m * _SURE).tolist())
        fits.update(*(areas.get(spot.admin_code[:digits], ()) for digits in (4, 6, 9)))
        nearest = (every[n] for n in sorted(fits, key=lambda n: (away_m[n], n)))
        return [one for one in nearest if _open(one.hours, when)][:most]


def _areas(every: Sequence[Provider]) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for n, one in enumerate(every):
        for area in one.areas:
            found[area].append(n)
    return dict(found)


def _columns(every: Sequence[Provider]) -> tuple[Array, Array, Array]:
    lon, lat, reach_m = (
        np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        for values in zip(*((one.lon, one.lat, one.reach_m) for one in every), strict=True)
    )
    return lon, lat, reach_m


@cache
def _spans(hours: str) -> tuple[Span, ...] | None:
    return weekly(hours)


def _open(hours: str, when: dt.datetime | None) -> bool:
    spans = _spans(hours)
    return when is None or spans is None or is_open(spans, when)
