"""How long it took from one step to another: half of the cases, nine of ten, by what they were or who had them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from layers.catalog.incident import TABLE
from layers.errors import BadParameter
from layers.loop.states import STEPS
from layers.loop.tables import STEP

By = Literal["all", "kind", "matter", "level", "channel", "lead"]
MOST_KEYS: Final = 200
_KEYS: Final[Mapping[By, sa.ColumnElement[Any]]] = {
    "all": sa.literal(None, sa.Text),
    "matter": TABLE.c.matter,
    "level": TABLE.c.level,
    "channel": TABLE.c.channel,
    "lead": TABLE.c.lead,
}


@dataclass(frozen=True)
class Asked:
    """From the first `first` step of a case to its first `then` step after it, of cases reported from `start` on."""

    first: str
    then: str
    by: By
    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True)
class Span:
    """What it took the cases of one key, in seconds; `count` of them had both steps."""

    key: str | None
    count: int
    half_s: float
    most_s: float
    longest_s: float


def spans(connection: sa.Connection, asked: Asked, *, seen: sa.ColumnElement[bool]) -> list[Span]:
    """By key, the one with the most cases first, at most 200; of what is `seen`. BadParameter for no such step.

    `kind` is what another dispatch system called it (`docs/dispatch-history.md`); exercises are never counted.
    """
    for name, step in (("first", asked.first), ("then", asked.then)):
        if step not in STEPS:
            raise BadParameter(name, f"there is no step {step[:40]!r}")
    c = TABLE.c
    begun = sa.func.min(STEP.c.at).filter(STEP.c.step == asked.first)
    ended = sa.func.min(STEP.c.at).filter(STEP.c.step == asked.then)
    kind = sa.func.max(STEP.c.carries["kind"].astext).filter(STEP.c.step == "report")
    key = kind if asked.by == "kind" else _KEYS[asked.by]
    # One join over all: a look for each case would be left to the planner's luck with the table's statistics.
    told = (
        sa.select(key.label("key"), begun.label("begun"), ended.label("ended"))
        .join(STEP, sa.and_(STEP.c.incident == c.id, STEP.c.step.in_({asked.first, asked.then, "report"})))
        .where(c.reported_at >= asked.start, c.reported_at < asked.end, c.scenario.is_(None), seen)
        .group_by(c.id)
        .subquery()
    )
    took = sa.func.extract("epoch", told.c.ended - told.c.begun)
    each = sa.select(told.c.key, took.label("took")).where(told.c.ended >= told.c.begun).subquery()
    share = [sa.func.percentile_cont(p).within_group(each.c.took) for p in (0.5, 0.9)]
    count = sa.func.count()
    statement = sa.select(each.c.key, count, *share, sa.func.max(each.c.took)).group_by(each.c.key)
    rows = connection.execute(statement.order_by(count.desc(), each.c.key).limit(MOST_KEYS))
    return [Span(row[0], row[1], float(row[2]), float(row[3]), float(row[4])) for row in rows]
