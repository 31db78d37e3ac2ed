"""The answers that the demo city starts with: general statements, all marked as synthetic."""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa

from layers.codes.tables import Line
from layers.loop.departments import Departments, shipped_departments
from layers.loop.hotline.answers import Wording, add_answer
from layers.loop.hotline.tables import ANSWER
from layers.loop.reading import SHIPPED, rows_of

_COLUMNS: Final = ("question", "answer", "keywords", "source", "number", "dated", "department", "review_months")
_DAYS_OF_MONTH: Final = 30


def demo_answers(*, today: dt.date) -> list[Wording]:
    """The thirty wordings; each is looked at again so many months of thirty days from that day."""

    def made(line: Line) -> Wording:
        return Wording(
            question=line.required("question"),
            answer=line.required("answer"),
            source=line.required("source"),
            department=line.required("department"),
            review_on=today + dt.timedelta(days=_DAYS_OF_MONTH * int(line.required("review_months"))),
            keywords=tuple(line["keywords"].split("/")),
            number=line["number"] or None,
            dated=line.day("dated"),
            synthetic=True,
        )

    return rows_of(SHIPPED / "answers.csv", _COLUMNS, made)


def seed_answers(connection: sa.Connection, *, today: dt.date, departments: Departments | None = None) -> int:
    """Put the demo's answers into a knowledge base that holds none; returns how many."""
    if connection.scalar(sa.select(sa.exists(sa.select(ANSWER.c.id)))):
        return 0
    wordings = demo_answers(today=today)
    for wording in wordings:
        add_answer(connection, wording, departments=departments or shipped_departments(), actor="demo")
    return len(wordings)
