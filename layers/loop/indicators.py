"""The figures of the loop: what its counters count in a period, by place, by who answers, or by time."""

from __future__ import annotations

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa

from layers.loop.measures import MOMENTS, Moment, counters_of
from layers.loop.routing_tables import STAGE_FACT
from layers.people.scope import Slice

By = Literal[
    "city", "county", "town", "grid", "department", "role", "channel", "major", "matter", "month", "week", "day"
]
MOST_ROWS: Final = 1_000
_AT: Final[Mapping[Moment, str]] = {"due": "due_at", "begun": "begun_at", "done": "done_at"}
_TIMES: Final = {"month": "YYYY-MM", "week": 'IYYY-"W"IW', "day": "YYYY-MM-DD"}
_PLACES: Final[Mapping[str, Callable[[Any], sa.ColumnElement[Any]]]] = {
    "city": lambda _: sa.literal("city"),
    "county": lambda fact: sa.func.left(fact.admin_code, 6),
    "town": lambda fact: sa.func.left(fact.admin_code, 9),
    "grid": lambda fact: fact.grid_id,
    "department": lambda fact: fact.department,
    "role": lambda fact: fact.role,
    "channel": lambda fact: fact.channel,
    "major": lambda fact: sa.func.left(fact.matter, 2),
    "matter": lambda fact: fact.matter,
}


@dataclass(frozen=True)
class Period:
    """From when (included) until when (not included)."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Counted:
    """What was counted for one key (None: for what has none); counters that are not there counted nothing."""

    key: str | None
    counts: Mapping[str, int]


def counted(
    connection: sa.Connection,
    period: Period,
    *,
    by: By,
    now: datetime,
    part: Slice,
    area: str | None = None,
    department: str | None = None,
    most: int = MOST_ROWS,
    facts: sa.FromClause = STAGE_FACT,
) -> tuple[list[Counted], bool]:
    """The counters by key, in the order of the keys, and whether there were more; of what `part` may see.

    A task counts as due once its time has come: one that is open and not due yet must not lower a rate. What is kept of
    tasks is what really happened; of an exercise `facts` are those that `layers.loop.rehearsed` told of it.
    """
    where = [*_seen(part, facts), *_chosen(facts.c, area, department)]
    found: defaultdict[str | None, Tally[str]] = defaultdict(Tally)
    more = False
    for moment in MOMENTS:
        statement = _statement(facts.c, period, moment, by=by, now=now, where=where)
        rows = connection.execute(statement.limit(most + 1)).all()
        more = more or len(rows) > most
        for key, groups in rows:
            for kind, n in groups:
                for name in counters_of(kind, moment):
                    found[key][name] += n
    keys = sorted(found, key=lambda key: (key is None, key or ""))
    return [Counted(key, dict(found[key])) for key in keys[:most]], more or len(keys) > most


def _statement(
    fact: Any, period: Period, moment: Moment, *, by: By, now: datetime, where: list[sa.ColumnElement[bool]]
) -> sa.Select[Any]:
    """By key, how many tasks there are of each kind that a counter can tell apart: one pass, however many counters."""
    at = fact[_AT[moment]]
    key = sa.func.to_char(at, _TIMES[by]) if by in _TIMES else _PLACES[by](fact)
    end = min(period.end, now) if moment == "due" else period.end
    # Only reports are counted by when they began, which is what the index of that moment holds.
    only = [fact.stage == "report"] if moment == "begun" else []
    kinds = (
        sa.select(key.label("key"), fact.kind, sa.func.count().label("n"))
        .where(at >= period.start, at < end, *only, *where)
        .group_by(sa.text("1"), sa.text("2"))
        .subquery()
    )
    group = sa.func.jsonb_build_array(kinds.c.kind, kinds.c.n)
    return sa.select(kinds.c.key, sa.func.jsonb_agg(group)).group_by(kinds.c.key).order_by(kinds.c.key)


def _seen(part: Slice, facts: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    """Facts that are kept are of what really happened: who is in an exercise sees none of them."""
    found: list[sa.ColumnElement[bool]] = []
    if part.scenario is not None and facts is STAGE_FACT:
        found.append(sa.false())
    if part.areas is not None:
        found.append(sa.or_(sa.false(), *(_inside(facts.c, area) for area in sorted(part.areas))))
    if part.departments is not None:
        found.append(facts.c.department.in_(sorted(part.departments)))
    return found


def _chosen(fact: Any, area: str | None, department: str | None) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if area is not None:
        found.append(_inside(fact, area))
    if department is not None:
        found.append(fact.department == department)
    return found


def _inside(fact: Any, area: str) -> sa.ColumnElement[bool]:
    return sa.or_(*(column.startswith(area, autoescape=True) for column in (fact.admin_code, fact.grid_id)))
