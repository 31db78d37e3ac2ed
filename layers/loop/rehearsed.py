"""The figures of an exercise: its tasks told from its steps when somebody asks, and counted as those of reality are.

Nothing of them is kept, so that no figure of the city can ever hold one.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from layers.catalog.incident import TABLE
from layers.loop.hotline.rates import Counts, rates
from layers.loop.indicators import By, Counted, Period, counted
from layers.loop.routing_tables import STAGE_FACT
from layers.loop.rules import Rules
from layers.loop.tally import facts_of_cases
from layers.people.exercises import Exercise
from layers.people.scope import Slice

MOST_CASES: Final = 5_000
"""So many cases of an exercise are counted: it is told from their steps while somebody waits."""
_BEGINNING: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Figures:
    """What was counted in an exercise up to `until`: the loop by key, the hotline by department."""

    until: dt.datetime
    rows: Sequence[Counted]
    truncated: bool
    hotline: Mapping[str | None, Counts]


def figures_of(connection: sa.Connection, rules: Rules, exercise: Exercise, *, by: By, now: dt.datetime) -> Figures:
    """The figures of an exercise from its first case to its closing, or to now while it is open.

    What was not due when it was closed lowers no rate. The connection has to see all of it.
    """
    until = exercise.closed_at or now
    ids = connection.scalars(
        sa.select(TABLE.c.id).where(TABLE.c.scenario == exercise.id).order_by(TABLE.c.id).limit(MOST_CASES + 1)
    ).all()
    facts = _as_rows(facts_of_cases(connection, rules, ids[:MOST_CASES], scenario=exercise.id))
    # What happened at the very moment of the closing is counted, too.
    whole = Period(_BEGINNING, until + dt.timedelta(microseconds=1))
    part = Slice(None, None, scenario=exercise.id)
    rows, more = counted(connection, whole, by=by, now=whole.end, part=part, facts=facts)
    called = rates(
        connection, rules.rates, by="department", begin=whole.start, end=whole.end, scenario=exercise.id
    )  # fmt: skip
    return Figures(until, rows, more or len(ids) > MOST_CASES, called)


def _as_rows(facts: Iterable[Mapping[str, Any]]) -> sa.FromClause:
    """Facts as a table of one statement, with the columns of those that are kept."""
    text = json.dumps(list(facts), default=dt.datetime.isoformat)
    columns = [sa.column(column.name, column.type) for column in STAGE_FACT.c]
    blank: sa.ColumnElement[Any] = sa.literal_column(f"null::{STAGE_FACT.fullname}")
    told = sa.func.jsonb_populate_recordset(blank, sa.cast(sa.literal(text, sa.Text), JSONB))
    return told.table_valued(*columns).alias("told")
