"""The incidents of the demo city: synthetic cases of some days, each with its steps as far as it has come by now.

Every day draws from its own stream of chance, so that a day is the same whether a week or a year is made.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from etl.demo.callers import CALL, CALLER, Callers, written
from etl.demo.ground import Ground, layer_frame
from etl.demo.incident_life import NOTES, ROLES, Told, lived, story
from etl.demo.incident_mix import (
    APPEALS,
    AT_HOME,
    BY_MONTH,
    CASES_A_DAY,
    CHANNELS,
    FAULT_WORDS,
    FAULTS,
    LEVELS,
    MATTERS,
    ON_DUTY,
    WEEKEND,
)
from etl.demo.plane import Array, Flags, Numbers, Shapes, Texts
from etl.demo.shares import pick
from etl.demo.sites import spots
from layers.ask.period import CITY_TIME
from layers.codes.books import NATIONAL, book
from layers.loop import paces
from layers.loop.effects import Taken
from layers.loop.rules import Rules
from layers.loop.timers import WARN_AT

DAYS: Final = 7
"""The days up to now that a city without a history has cases of."""

HISTORY_DAYS: Final = 365
"""The days that one with a history has."""

_STREAM: Final = 40
# Below these, numbers of a day belong to cases that are really reported.
_FIRST_NUMBER: Final = 500_001
_PRESSING: Final = frozenset({"09012", "10002", "06048", "01001", "01002", "01003", "01005"})
_COUNTED: Final = ("command", "returns", "reworks", "urges", "deferrals")

Lead = Callable[[str, str], tuple[str, tuple[str, ...]]]
Written = dict[str, Any]


@dataclass(frozen=True)
class Happenings:
    """The cases of some days, as the layer takes them, and their steps, as `core.step` does.

    Who called about them, and who was called, as `core.caller` and `core.contact` hold it, but for their numbers.
    """

    incidents: gpd.GeoDataFrame
    steps: pd.DataFrame
    callers: pd.DataFrame
    contacts: pd.DataFrame


@dataclass(frozen=True)
class _Places:
    """Where the cases of a day are and what they are about; arrays of the same length."""

    matter: Texts
    component: Texts
    points: Shapes
    grid: Numbers
    address: Texts
    words: Texts


def happenings(
    ground: Ground,
    components: gpd.GeoDataFrame,
    rules: Rules,
    *,
    lead_for: Lead,
    at: dt.datetime,
    days: int,
    scale: float,
    seed: int,
    ago: int = 0,
    callers: Callers | None = None,
) -> Iterator[Happenings]:
    """Day by day, the oldest first: about 805 × scale cases of each, as they stand at the moment `at`.

    The last of the days is that of `at`, or so many days `ago`.

    `components` are those of the demo city, some of which are out of order; `lead_for` tells who answers for a matter
    in a town (code of 9 digits) and who helps. No case is reported after `at`. Without `callers` nobody called.
    """
    last = at.astimezone(CITY_TIME).date()
    for before in range(ago + days - 1, ago - 1, -1):
        told = reports(ground, components, last - dt.timedelta(days=before), lead_for=lead_for, scale=scale, seed=seed)
        yield _lived_day(told, rules=rules, at=at, callers=callers)


def reports(
    ground: Ground, components: gpd.GeoDataFrame, day: dt.date, *, lead_for: Lead, scale: float, seed: int
) -> gpd.GeoDataFrame:
    """What is reported on a day, in the order of time: the columns that a case begins with, and who will answer."""
    rng = np.random.default_rng([seed, _STREAM, day.toordinal()])
    usual = CASES_A_DAY * scale * BY_MONTH[day.month - 1] * (WEEKEND if day.weekday() >= 5 else 1.0)
    count = max(1, int(rng.poisson(usual)))
    found = _found(ground, components, count, rng)
    order = rng.permutation(count)
    matter, channel, grid = found.matter[order], pick(rng, CHANNELS, count), found.grid[order]
    towns = ground.town_code[grid]
    answer = [lead_for(*pair) for pair in zip(matter.tolist(), towns.tolist(), strict=True)]
    midnight = dt.datetime.combine(day, dt.time.min, CITY_TIME).timestamp()
    spoken = np.isin(channel, ("hotline", "public"))
    columns = {
        "id": [f"{day:%Y%m%d}{_FIRST_NUMBER + n:06d}" for n in range(count)],
        "title": [f"{a}{n}" for a, n in zip(found.address[order], names_of(matter), strict=True)],
        "matter": matter,
        "description": found.words[order],
        "level": levels_of(matter, rng),
        "channel": channel,
        "line": _only(channel == "hotline", np.full(count, "12345", dtype=object)),
        "appeal": _only(spoken, pick(rng, APPEALS, count)),
        "component_id": found.component[order],
        "address": found.address[order],
        "reported": midnight + np.sort(minutes_of_day(channel, rng)) * 60.0 + rng.integers(0, 60, count),
        "lead": [lead for lead, _ in answer],
        "co": [co for _, co in answer],
        "chance": rng.integers(0, 2**62, count),
    }
    return layer_frame(columns, found.points[order], grid_id=ground.grid_id[grid], admin_code=towns)


def _found(ground: Ground, components: gpd.GeoDataFrame, count: int, rng: np.random.Generator) -> _Places:
    """Faults of components that stand somewhere, and matters beside the roads where such things happen."""
    faults = int(rng.binomial(count, FAULTS))
    parts = [_faults(ground, components, faults, rng)]
    share = np.array([matter.share for matter in MATTERS])
    drawn = rng.multinomial(count - faults, share / share.sum())
    for matter, number in zip(MATTERS, drawn.tolist(), strict=True):
        if number:
            stand = spots(ground, matter.where, number, rng)
            points, grid = ground.stand(stand.points)
            words = np.array(matter.words, dtype=object)[rng.integers(0, len(matter.words), number)]
            code, none = np.full(number, matter.code, dtype=object), np.full(number, None, dtype=object)
            address = np.array([f"{text}附近" for text in stand.address], dtype=object)
            parts.append(_Places(code, none, points, grid, address, words))
    return _Places(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Places.__annotations__))


def _faults(ground: Ground, components: gpd.GeoDataFrame, count: int, rng: np.random.Generator) -> _Places:
    which = components.iloc[np.sort(rng.choice(len(components), size=count, replace=True))]
    points = np.asarray(which.geometry.array, dtype=object)
    sayings = [FAULT_WORDS[n] for n in rng.integers(0, len(FAULT_WORDS), count).tolist()]
    words = [saying.format(name=name) for saying, name in zip(sayings, which["name"], strict=True)]
    return _Places(
        matter=which["class_code"].to_numpy(dtype=object), component=which["id"].to_numpy(dtype=object),
        points=points, grid=ground.grid_of(points), address=which["address"].to_numpy(dtype=object),
        words=np.array(words, dtype=object),
    )  # fmt: skip


def minutes_of_day(channel: Texts, rng: np.random.Generator) -> Array:
    """The minute of the day of each report: grid workers on duty, the hotline and residents round the clock."""
    count = len(channel)
    on_duty, at_home = (rng.choice(24, size=count, p=np.array(by) / sum(by)) for by in (ON_DUTY, AT_HOME))
    hour = np.where(np.isin(channel, ("worker", "order", "proposal")), on_duty, at_home)
    return np.asarray(hour * 60 + rng.integers(0, 60, count), dtype=np.float64)


def levels_of(matter: Texts, rng: np.random.Generator) -> Texts:
    """How urgent each report is: a few of them, and matters that press."""
    level = pick(rng, LEVELS, len(matter))
    return np.where(np.isin(matter, tuple(_PRESSING)) & (level == "general"), "urgent", level)


def _only(there: Flags, texts: Texts) -> Texts:
    texts[~there] = None
    return texts


def names_of(matter: Texts) -> list[str]:
    """What each matter is called."""
    words = {entry.code: entry.zh for entry in book("matter", standard=NATIONAL).entries}
    return [words[code] for code in matter.tolist()]


def _lived_day(told: gpd.GeoDataFrame, *, rules: Rules, at: dt.datetime, callers: Callers | None) -> Happenings:
    """The cases of a day with what became of them by `at`, the steps that they took, and who called."""
    told = told[told["reported"] <= at.timestamp()]
    records: list[Written] = []
    steps: list[Written] = []
    called: list[Written] = []
    contacts: list[Written] = []
    for row in _rows(told):
        record, taken = _lived(row, rules, at=at)
        records.append(record)
        steps += _step_rows(row, taken)
        if callers is not None and (caller := callers.of(row, taken, until=at)) is not None:
            sealed, calls = written(row, caller, callers.keyring)
            called.append(sealed)
            contacts += calls
    made = pd.DataFrame(records, index=told.index)
    kept = told.drop(columns=["reported", "chance", "lead", "co"])
    incidents = gpd.GeoDataFrame(kept.assign(**{str(name): made[name] for name in made}), crs="EPSG:4326")
    who = (pd.DataFrame(rows, columns=columns, dtype=object) for rows, columns in ((called, CALLER), (contacts, CALL)))
    return Happenings(incidents, pd.DataFrame(steps), *who)


def _rows(told: gpd.GeoDataFrame) -> list[Written]:
    return [{str(name): value for name, value in row.items()} for row in told.to_dict("records")]


def _lived(row: Written, rules: Rules, *, at: dt.datetime) -> tuple[Written, list[Taken]]:
    """What the steps of a case make of its record: the columns that a step may change, and those of its beginning."""
    reported = dt.datetime.fromtimestamp(row["reported"], CITY_TIME)
    case = Told(row["matter"], row["level"], row["channel"], reported, row["lead"], tuple(row["co"]))
    first: Written = {
        **dict.fromkeys(_EMPTY), **dict.fromkeys(_COUNTED, 0), "co": [], "suspended": False, "light": "green",
        "state": "reported", "reported_at": reported,
    }  # fmt: skip
    known = {name: row[name] for name in ("matter", "level", "channel")}
    due = paces.stage_due(rules, known, "reported", now=reported)
    record, taken = lived(
        {**first, **known, "stage_due_at": due}, story(case, rules, random.Random(row["chance"])), rules, until=at
    )
    report = Taken("report", "reported", reported, {"stage_due_at": paces.as_text(due), "channel": row["channel"]})
    told: Written = {name: record[name] for name in (*first, "stage_due_at")}
    return told | {"light": light_of(record, [report, *taken], at)}, [report, *taken]


def light_of(record: Written, taken: list[Taken], at: dt.datetime) -> str:
    """Lights turn by themselves as time goes by: what the clocks of the loop would have done until now."""
    over: dt.datetime | None = record["stage_due_at"]
    if over is None:
        return str(record["light"])
    begun = record["dispatched_at"] if over == record["due_at"] else taken[-1].at
    warned = begun + (over - begun) * WARN_AT
    return "red" if over <= at else "yellow" if warned <= at else "green"


_EMPTY: Final = (
    *("accepted_at", "registered_at", "dispatched_at", "signed_at", "disposed_at", "checked_at", "closed_at"),
    *("due_at", "lead", "merged_into", "assignee", "reporter", "scenario"),
)


def _step_rows(row: Written, taken: Iterable[Taken]) -> Iterator[Written]:
    before = None
    for step in taken:
        role = ROLES.get(step.step, "worker" if row["channel"] == "worker" else "dispatcher")
        office = {"worker": row["grid_id"], "officer": row["lead"], "system": ""}.get(role, row["admin_code"][:6])
        yield {
            "incident": row["id"],
            "step": step.step,
            "before": before,
            "after": step.after,
            "at": step.at.isoformat(),
            # An office, never a person: nobody works in a synthetic city.
            "actor": f"{role} {office}".strip(),
            "role": None if role == "system" else role,
            "department": row["lead"] if role == "officer" else None,
            "grid_id": row["grid_id"],
            "note": NOTES.get(step.step),
            "carries": json.dumps(dict(step.carries), ensure_ascii=False, separators=(",", ":")),
            "scenario": None,
        }
        before = step.after
