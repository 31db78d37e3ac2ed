"""Facets of a layer: which values its codes, classes and short texts have under a filter, and how many records each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from layers.ask.filter import Filter, condition
from layers.ask.question.errors import TooMuch
from layers.people.scope import seen_by
from layers.spec import Field, Layer, Title
from layers.store.engine import set_local
from layers.words import book_of

MOST_VALUES: Final = 60
MOST_CODES: Final = 500  # a class that is rare can be chosen, too
SHORT: Final = 120
FACET_TIMEOUT_MS: Final = 5_000


@dataclass(frozen=True)
class FacetValue:
    """One value, what it means where it is a code, and how many records have it; None stands for those without."""

    value: str | None
    title: Title | None
    count: int


@dataclass(frozen=True)
class Facet:
    """The values of one column, the most frequent first, and whether there are more than are told."""

    field: Field
    values: list[FacetValue]
    truncated: bool


@dataclass(frozen=True)
class Facets:
    """The facets of a layer, and how many records there are in all."""

    facets: list[Facet]
    total: int


def faceted(layer: Layer) -> list[Field]:
    """The fields that have facets: those that may be filtered by and hold codes, classes or short texts."""
    return [
        f
        for f in layer.fields
        if f.filter and (f.kind == "code" or (f.kind == "text" and (f.max_length <= SHORT or f.name == layer.classes)))
    ]


def facets(connection: sa.Connection, layer: Layer, filter: Filter | None) -> Facets:
    """All facets in one reading of the records that pass the filter; BadFilter, or TooMuch when it takes too long."""
    fields, table = faceted(layer), layer.table
    conditions = seen_by(connection, [layer]) + ([] if filter is None else [condition(layer, filter)])
    columns = [table.c[f.name] for f in fields]
    which = sa.func.grouping(*columns) if columns else sa.literal(0)
    n = sa.func.count().label("n")
    sets = sa.func.grouping_sets(*(sa.tuple_(column) for column in columns), sa.tuple_())
    statement = sa.select(which.label("which"), n, *columns).select_from(table).where(*conditions).group_by(sets)
    try:
        set_local(connection, "statement_timeout", str(FACET_TIMEOUT_MS))
        rows = connection.execute(statement).all()
    except sa.exc.OperationalError as error:
        if isinstance(error.orig, psycopg.errors.QueryCanceled):
            raise TooMuch("counting the values took too long; narrow the filter") from error
        raise
    everything = (1 << len(fields)) - 1
    total = next((row.n for row in rows if row.which == everything), 0)
    found = [
        # GROUPING tells with a 0 bit which column a row is about, the last column being the lowest bit.
        _facet(f, [(row[2 + i], row.n) for row in rows if row.which == everything ^ (1 << (len(fields) - 1 - i))])
        for i, f in enumerate(fields)
    ]
    return Facets(found, total)


def _facet(field: Field, counted: list[tuple[Any, int]]) -> Facet:
    labels = {} if field.book is None else book_of(field.book).labels()
    ranked = sorted(counted, key=lambda pair: (-pair[1], pair[0] is None, pair[0] or ""))
    most = MOST_VALUES if field.book is None else MOST_CODES
    values = [FacetValue(value, _title(labels.get(value)), n) for value, n in ranked[:most]]
    return Facet(field, values, len(ranked) > most)


def _title(label: dict[str, str] | None) -> Title | None:
    return None if label is None else Title(label["zh"], label["en"])
