"""Conditions as the map keeps them in its address: for each column the values, the range or the beginning that is met.

They mean the same as the CQL2 text that `cql2` makes of them, which is how they are checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from layers.ask.filter import Queryable, condition, parse, queryables
from layers.declared import Written, close_to
from layers.errors import BadFilter
from layers.spec import Layer
from layers.words import book_of

_KEYS: Final = ("in", "from", "to", "starts")
# As the map does: RFC 3339 dates and times are written as such, numbers without quotes; anything else is a text.
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True)
class Among:
    """One of these values; None stands for a record without one."""

    values: tuple[str | None, ...]


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, both included; None where it is open."""

    low: str | None = None
    high: str | None = None


@dataclass(frozen=True)
class Starts:
    """A text that begins so."""

    text: str


Clause = Among | Range | Starts
Conditions = Mapping[str, Clause]


def told(conditions: Conditions) -> dict[str, Any]:
    """The conditions as JSON, as the map takes them."""
    return {column: _told(clause) for column, clause in conditions.items()}


def _told(clause: Clause) -> dict[str, Any]:
    if isinstance(clause, Among):
        return {"in": list(clause.values)}
    if isinstance(clause, Starts):
        return {"starts": clause.text}
    return {key: value for key, value in (("from", clause.low), ("to", clause.high)) if value is not None}


def cql2(conditions: Conditions) -> str:
    """The same as CQL2 text."""
    return " AND ".join(part for column, clause in sorted(conditions.items()) for part in _parts(column, clause))


def _parts(column: str, clause: Clause) -> list[str]:
    if isinstance(clause, Starts):
        escaped = re.sub(r"([\\%_])", r"\\\1", clause.text)
        return [f"{column} LIKE {_quoted(escaped + '%')}"]
    if isinstance(clause, Range):
        ends = ((">=", clause.low), ("<=", clause.high))
        return [f"{column} {sign} {_scalar(end)}" for sign, end in ends if end is not None]
    texts = [_quoted(value) for value in clause.values if value is not None]
    either = [f"{column} IN ({', '.join(texts)})"] if texts else []
    either += [f"{column} IS NULL"] if None in clause.values else []
    return [either[0] if len(either) == 1 else f"({' OR '.join(either)})"]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _scalar(text: str) -> str:
    if _DATE.fullmatch(text):
        return f"DATE('{text}')"
    if _TIME.fullmatch(text):
        return f"TIMESTAMP('{text}')"
    return text if _NUMBER.fullmatch(text) else _quoted(text)


def read_conditions(written: Written, layer: Layer | None) -> dict[str, Clause]:
    """The conditions of a declaration; BadDeclaration for what `layer` does not offer (None: that is not known yet)."""
    found: dict[str, Clause] = {}
    offered = None if layer is None else {q.name: q for q in queryables(layer).values() if not q.geometry}
    for key, value in written.pairs():
        column, clause = key.text(), _clause(value)
        if layer is not None and offered is not None:
            if column not in offered:
                raise key.error(f"layer {layer.name!r} has no column {column!r} to ask for{close_to(column, offered)}")
            _check(value, layer, offered[column], clause)
        found[column] = clause
    return found


def _clause(written: Written) -> Clause:
    given = written.section(optional=_KEYS)
    kinds = {"range" if key in ("from", "to") else key for key in given}
    if len(kinds) != 1:
        raise written.error("a condition is one of {in: […]}, {from: …, to: …} and {starts: …}")
    if "in" in given:
        return Among(tuple(None if each.empty else each.text() for each in given["in"].entries()))
    if "starts" in given:
        return Starts(given["starts"].text())
    ends = (given[key].plain() if key in given else None for key in ("from", "to"))
    return Range(*ends)


def _check(written: Written, layer: Layer, asked: Queryable, clause: Clause) -> None:
    if asked.book is not None and isinstance(clause, Among):
        codes = book_of(asked.book).codes
        if unknown := [value for value in clause.values if value is not None and value not in codes]:
            raise written.error(f"the book {asked.book!r} has no code {unknown[0]!r}{close_to(unknown[0], codes)}")
    try:
        condition(layer, parse(cql2({asked.name: clause})))
    except BadFilter as refused:
        raise written.error(f"the condition cannot be asked: {refused.reason}") from refused
