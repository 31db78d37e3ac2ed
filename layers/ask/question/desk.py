"""The desk to which questions are brought: has them made ready, and answered, or only told what they would ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import sqlalchemy as sa

from layers.ask.question import wording
from layers.ask.question.answer import Answer, is_synthetic, sheet_of
from layers.ask.question.asked import Count, Question, Route
from layers.ask.question.errors import TooMuch
from layers.ask.question.estimate import rows_expected
from layers.ask.question.prepared import Prepared, go_on, prepared
from layers.ask.question.roads import Roads
from layers.ask.question.wanted import Find, FindResult, no_results
from layers.errors import BadField
from layers.people.scope import sees_all


@dataclass(frozen=True)
class Desk:
    """Answers questions; holds the road network between them."""

    roads: Roads = field(default_factory=Roads)

    def answer(
        self,
        connection: sa.Connection,
        question: Question,
        find: Find,
        results: FindResult = no_results,
        *,
        between: Callable[[], None] = go_on,
    ) -> Answer:
        """The answer to a question of someone who may know of the layers and results that these find.

        Raises UnknownLayer, UnknownResult, BadFilter or BadField when it cannot be asked, TooMuch when it takes too
        long or too much, and what `between` raises, which is called between its long steps.
        """
        with _bounded(question):
            ready = prepared(question, find, self.roads, results, between=between)
            found = ready.run(connection)
            between()
            synthetic = is_synthetic(connection, ready.layers)
        statement = ready.statement
        if isinstance(question, Route) and not found.rows:
            statement = wording.of_route(question, found=False)
        names = tuple(sorted({layer.name for layer in ready.layers}))
        return Answer(sheet_of(found, title=ready.title, statement=statement, synthetic=synthetic), ready.asked, names)

    def plan(
        self, connection: sa.Connection, question: Question, find: Find, results: FindResult = no_results
    ) -> tuple[Prepared, int | None]:
        """What the question would ask, without asking it, and about how many records it is about, where it is.

        Raises as `answer` does; the number is the database's own estimate, from its statistics, which are of all
        records: of scoped layers only those who see all are told it.
        """
        with _bounded(question):
            ready = prepared(question, find, self.roads, results)
            told = ready.records is not None and sees_all(connection, ready.layers)
            return ready, rows_expected(connection, ready.records) if told and ready.records is not None else None


@contextmanager
def _bounded(question: Question) -> Iterator[None]:
    """What the database refuses for its bounds, said in terms of the question."""
    try:
        yield
    except sa.exc.OperationalError as error:
        if isinstance(error.orig, psycopg.errors.QueryCanceled):
            raise TooMuch("the question took too long; narrow it by an area, a filter or a distance") from error
        raise
    except sa.exc.DataError as error:
        if isinstance(error.orig, psycopg.errors.NumericValueOutOfRange) and isinstance(question, Count):
            told = f"the numbers of {question.field!r} add up to more than can be told"
        raise BadField({"field": told}).because("sum_too_large") from error
        raise
