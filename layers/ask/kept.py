"""Questions that planners keep, and what each run of them found: so that next month's answer can be compared."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from layers.ask.question.errors import NoRoom, UnknownQuestion
from layers.ask.results import Kept
from layers.ask.summary import Summary
from layers.errors import BadField
from layers.spec import Access
from layers.store.core import KEPT_QUESTION, QUESTION_RUN

ID_PATTERN: Final = r"[a-z][a-z0-9-]{0,60}"
MOST_KEPT: Final = 500
MOST_RUNS: Final = 60
MOST_CHARACTERS: Final = 50_000
"""So long may a kept question be, as JSON: an area of some 1,500 corners."""
KEPT_ACCESS: Final = Access(view="internal", edit="admin")
"""Who may see, keep, run and take away kept questions, until there are accounts: administrators."""


@dataclass(frozen=True)
class KeptQuestion:
    """A question as someone keeps it: `question` is its canonical JSON, `layers` are all that it tells of."""

    id: str
    title: str
    question: dict[str, Any]
    layers: tuple[str, ...]
    actor: str
    at: Any

    @property
    def access(self) -> Access:
        """Who may see and who may change it."""
        return KEPT_ACCESS


@dataclass(frozen=True)
class Run:
    """One run: when, by whom, what was asked in words, how many rows; `summary` holds them by key where it was read."""

    id: int
    question: str
    actor: str
    at: Any
    layers: tuple[str, ...]
    statement: dict[str, str]
    rows: int
    truncated: bool
    synthetic: bool
    summary: dict[str, Any] | None = None


def keep(
    connection: sa.Connection, *, title: str, question: dict[str, Any], layers: Iterable[str], actor: str
) -> KeptQuestion:
    """Keep a question under a new id; NoRoom when 500 are kept, BadField for one that is too long."""
    table = KEPT_QUESTION
    if len(json.dumps(question)) > MOST_CHARACTERS:  # all of them are listed at once
        told = f"is longer than {MOST_CHARACTERS:,} characters; draw its area with fewer corners"
        raise BadField({"question": told}).because("question_long", most=MOST_CHARACTERS)
    # One at a time, so that two do not both take the last place.
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("kept_question"))))
    if (connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0) >= MOST_KEPT:
        raise NoRoom(f"{MOST_KEPT} questions are kept; take one away first")
    id = f"q-{secrets.token_hex(6)}"
    values = {"id": id, "title": title, "question": question, "layers": sorted(layers), "actor": actor}
    row = connection.execute(sa.insert(table).values(values).returning(*table.c)).one()
    return _question(row)


def kept_questions(connection: sa.Connection) -> list[KeptQuestion]:
    """All that are kept, the newest first."""
    table = KEPT_QUESTION
    rows = connection.execute(sa.select(*table.c).order_by(table.c.at.desc(), table.c.id).limit(MOST_KEPT))
    return [_question(row) for row in rows]


def kept_question(connection: sa.Connection, id: str) -> KeptQuestion:
    """The one of this id; UnknownQuestion when there is none."""
    row = connection.execute(sa.select(*KEPT_QUESTION.c).where(KEPT_QUESTION.c.id == id)).first()
    if row is None:
        raise UnknownQuestion(id)
    return _question(row)


def forget(connection: sa.Connection, id: str) -> None:
    """Take a question away, and all its runs; UnknownQuestion when there is none."""
    gone = connection.execute(sa.delete(KEPT_QUESTION).where(KEPT_QUESTION.c.id == id))
    if gone.rowcount == 0:
        raise UnknownQuestion(id)
    connection.execute(sa.delete(QUESTION_RUN).where(QUESTION_RUN.c.question == id))


def keep_run(connection: sa.Connection, *, question: str, kept: Kept, short: Summary, actor: str) -> Run:
    """Write a run down; of one question the last 60 stay."""
    table = QUESTION_RUN
    values = {
        "question": question, "actor": actor, "at": kept.sheet.made_at, "layers": list(kept.layers),
        "statement": kept.sheet.statement._asdict(), "rows": kept.sheet.rows, "truncated": kept.sheet.truncated,
        "synthetic": kept.sheet.synthetic, "summary": as_json(short),
    }  # fmt: skip
    row = connection.execute(sa.insert(table).values(values).returning(*table.c)).one()
    last = sa.select(table.c.id).where(table.c.question == question).order_by(table.c.id.desc())
    oldest = last.offset(MOST_RUNS - 1).limit(1).scalar_subquery()
    connection.execute(sa.delete(table).where(table.c.question == question, table.c.id < oldest))
    return _run(row, row.summary)


def runs(connection: sa.Connection, question: str) -> list[Run]:
    """The runs of a question, the newest first, without what they found."""
    table = QUESTION_RUN
    columns = [column for column in table.c if column.name != "summary"]
    rows = connection.execute(
        sa.select(*columns).where(table.c.question == question).order_by(table.c.id.desc()).limit(MOST_RUNS)
    )
    return [_run(row, None) for row in rows]


def last_runs(connection: sa.Connection) -> dict[str, Run]:
    """The newest run of every question, by the question's id."""
    table = QUESTION_RUN
    columns = [column for column in table.c if column.name != "summary"]
    newest = sa.select(*columns).distinct(table.c.question).order_by(table.c.question, table.c.id.desc())
    return {row.question: _run(row, None) for row in connection.execute(newest)}


def run(connection: sa.Connection, question: str, id: int) -> Run:
    """One run with what it found; UnknownQuestion when there is none."""
    table = QUESTION_RUN
    row = connection.execute(sa.select(*table.c).where(table.c.question == question, table.c.id == id)).first()
    if row is None:
        raise UnknownQuestion(f"{question}/{id}")
    return _run(row, row.summary)


def as_json(short: Summary) -> dict[str, Any]:
    """A summary as it is kept and sent."""

    def column(of: Any) -> dict[str, Any] | None:
        return None if of is None else {"name": of.name, "title": of.title._asdict(), "unit": of.unit}

    return {
        "rows": [list(row) for row in short.rows],
        "cut": short.cut,
        "measure": column(short.measure),
        "classes": column(short.classes),
        "bars": [{"value": bar.value, "title": bar.title._asdict(), "n": bar.n} for bar in short.bars],
    }


def _question(row: sa.Row[Any]) -> KeptQuestion:
    return KeptQuestion(row.id, row.title, row.question, tuple(row.layers), row.actor, row.at)


def _run(row: sa.Row[Any], found: dict[str, Any] | None) -> Run:
    return Run(
        row.id, row.question, row.actor, row.at, tuple(row.layers), row.statement, row.rows, row.truncated,
        row.synthetic, found,
    )  # fmt: skip
