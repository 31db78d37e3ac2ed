"""About how many records meet conditions, by the statistics of the database: nothing is read."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from layers.ask.question.wanted import Wanted


class _Explained(sa.Executable, sa.ClauseElement):
    inherit_cache = False

    def __init__(self, statement: sa.Select[Any]) -> None:
        self.statement = statement


@compiles(_Explained, "postgresql")
def _explained(element: _Explained, compiler: Any, **options: Any) -> str:
    return "explain (format json) " + str(compiler.process(element.statement, **options))


def rows_expected(connection: sa.Connection, wanted: Wanted) -> int:
    """The estimate of the planner, at least 0."""
    statement = sa.select(wanted.layer.table.c.id).where(*wanted.conditions())
    plan = connection.execute(_Explained(statement)).scalar_one()
    return int(plan[0]["Plan"]["Plan Rows"])
