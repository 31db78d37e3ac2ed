"""What is reported on a simulated day: the mix of the demo city, at places that this city has."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import sqlalchemy as sa

from etl.demo.incident_mix import (
    APPEALS,
    BY_MONTH,
    CASES_A_DAY,
    CHANNELS,
    FAULT_WORDS,
    FAULTS,
    MATTERS,
    WEEKEND,
)
from etl.demo.incidents import levels_of, minutes_of_day, names_of
from etl.demo.people import NUMBERS, name_of, phone_of
from etl.demo.shares import pick
from layers.ask.catalogue import SYNTHETIC
from layers.ask.period import CITY_TIME
from layers.catalog import component, grid, incident
from layers.errors import Conflict
from layers.loop.callers import Contact
from layers.loop.carried import MOST_TITLE
from layers.loop.placing import Where
from layers.loop.reports import Report

MARK: Final = "（模拟数据，并非真实事件）"
"""Ends every text that a simulation writes."""
NAME_MARK: Final = "（模拟）"
"""Ends every name of one."""
MOST_CASES: Final = 100_000
_MOST_SPOTS: Final = 5_000
_STREAM: Final = 41
_LINE: Final = "12345"


@dataclass(frozen=True)
class Spot:
    """A place where something may happen: what stands there (`component`, its class and name), or nothing."""

    lon: float
    lat: float
    address: str | None
    component: str | None = None
    class_code: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Told:
    """One report of the day: its `number` within the script, and the moment of the day at which it is made."""

    number: str
    at: dt.datetime
    report: Report


def spots_of(connection: sa.Connection, *, seed: int) -> list[Spot]:
    """Components of the city by the chance of a seed, at most 5,000; without any the middles of grids.

    Raises Conflict in a city that has neither.
    """
    c, g = component.TABLE.c, grid.TABLE.c
    things = (
        sa.select(sa.func.st_x(c.geom), sa.func.st_y(c.geom), c.address, c.id, c.class_code, c.name)
        .where(c.admin_code.is_not(None))
        .order_by(sa.func.hashtextextended(c.id, seed), c.id)
        .limit(_MOST_SPOTS)
    )
    found = [Spot(*row) for row in connection.execute(things)]
    if not found:
        middle = sa.func.st_pointonsurface(g.geom)
        areas = sa.select(sa.func.st_x(middle), sa.func.st_y(middle), sa.null()).order_by(
            sa.func.hashtextextended(g.id, seed), g.id
        )
        found = [Spot(*row) for row in connection.execute(areas.limit(_MOST_SPOTS))]
    if not found:
        raise Conflict("the city has no components and no grids: there is no place where anything could happen")
    return found


def usual_rate(connection: sa.Connection) -> float:
    """The cases a day of the demo city that is there; of one at scale 1 where there is none."""
    c = incident.TABLE.c
    days = sa.func.count(sa.distinct(sa.func.date(c.reported_at)))
    n, on = connection.execute(sa.select(sa.func.count(), days).where(c.source == SYNTHETIC)).one()
    return float(n / on) if on else CASES_A_DAY


def day_of(day: dt.date, spots: Sequence[Spot], *, rate: float, seed: int, scenario: str | None = None) -> list[Told]:
    """What is reported on a day, the earliest first: about `rate` cases, fewer in winter and on a weekend.

    The same day, seed, rate and places make the same reports.
    """
    rng = np.random.default_rng([seed, _STREAM, day.toordinal()])
    usual = rate * BY_MONTH[day.month - 1] * (WEEKEND if day.weekday() >= 5 else 1.0)
    count = min(max(1, int(rng.poisson(usual))), MOST_CASES)
    channel = pick(rng, CHANNELS, count)
    seconds = np.sort(minutes_of_day(channel, rng)) * 60.0 + rng.integers(0, 60, count)
    where = [spots[n] for n in rng.integers(0, len(spots), count).tolist()]
    share = np.array([matter.share for matter in MATTERS])
    drawn = rng.choice(len(MATTERS), size=count, p=share / share.sum()).tolist()
    fault = (rng.random(count) < FAULTS).tolist()
    of_fault = [broken and spot.class_code is not None for broken, spot in zip(fault, where, strict=True)]
    matter = np.array(
        [spot.class_code if of else MATTERS[n].code for of, spot, n in zip(of_fault, where, drawn, strict=True)],
        dtype=object,
    )
    level, appeal, words = levels_of(matter, rng), pick(rng, APPEALS, count), rng.integers(0, 1_000, count).tolist()
    midnight = dt.datetime.combine(day, dt.time.min, CITY_TIME)
    every = zip(names_of(matter), matter, channel, level, appeal, where, of_fault, drawn, words, strict=True)
    made = []
    for n, (title, code, by, urgent, wish, spot, of, number, word) in enumerate(every):
        made.append(
            Told(
                f"{day:%Y%m%d}-{seed}-{n}",
                midnight + dt.timedelta(seconds=float(seconds[n])),
                _report(spot, title, code, by=by, level=urgent, appeal=wish, words=_words(spot, of, number, word),
                        fault=of, contact=_contact(by, random.Random(f"{day} {seed} {n}")), scenario=scenario),
            )
        )  # fmt: skip
    return made


def _words(spot: Spot, fault: bool, matter: int, chance: int) -> str:
    if fault:
        return FAULT_WORDS[chance % len(FAULT_WORDS)].format(name=spot.name or "设施") + MARK
    sayings = MATTERS[matter].words
    return sayings[chance % len(sayings)] + MARK


def _contact(channel: str, chance: random.Random) -> Contact:
    """Who calls the hotline says who they are."""
    if channel != "hotline":
        return Contact()
    return Contact(name_of(chance, mark=NAME_MARK), phone_of(chance.randrange(NUMBERS)))


def _report(
    spot: Spot,
    title: str,
    matter: str,
    *,
    by: str,
    level: str,
    appeal: str,
    words: str,
    fault: bool,
    contact: Contact,
    scenario: str | None,
) -> Report:
    beside = spot.address and not fault and not spot.address.endswith("附近")
    address = f"{spot.address}附近" if beside else spot.address
    return Report(
        where=Where(spot.lon, spot.lat, address=address),
        channel=by,
        matter=None if fault else matter,
        component=spot.component if fault else None,
        title=f"{address or ''}{title}"[:MOST_TITLE],
        text=words,
        level=level,
        line=_LINE if by == "hotline" else None,
        appeal=appeal if by in ("hotline", "public") else None,
        contact=contact,
        scenario=scenario,
    )
