"""The audit chain as values: which tables it covers, how a record is written to be hashed, and what a seal is.

A record is hashed as a line of JSON, a seal as its header followed by the hashes of its records. Anybody computes both
with a JSON library and SHA-256 (docs/verify_audit.py does); docs/audit.md says what that proves.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

GENESIS: Final = "0" * 64
"""What the first seal has for the digest before it."""
LEAF_BYTES: Final = 32
Ranges = list[list[int]]


@dataclass(frozen=True)
class Form:
    """The columns of a record in the order in which they are hashed; `times` are told in UTC with microseconds."""

    columns: tuple[str, ...]
    times: frozenset[str] = frozenset({"at"})


@dataclass(frozen=True)
class Chained:
    """A table of the core schema whose rows are written once: its serial, and its forms, the last one in use.

    It has a column `xid` (default `pg_current_xact_id()`). A column that is added later makes a further form: seals
    say which one they were made with.
    """

    table: str
    key: str
    forms: tuple[Form, ...]

    @property
    def form(self) -> int:
        """The number of the form in use."""
        return len(self.forms) - 1

    @property
    def rows(self) -> sa.TableClause:
        """The table, as far as the chain knows it: rooms above this one declare some of them."""
        names = dict.fromkeys((self.key, "xid", *(name for form in self.forms for name in form.columns)))
        return sa.table(self.table, *(sa.column(name) for name in names), schema="core")

    def line(self, rows: sa.TableClause, form: int) -> sa.ColumnElement[str]:
        """SQL for the record as it is hashed: its table and the texts of its columns, as a JSON array."""
        parts = [sa.literal_column(f"'{self.table}'"), *(_text(rows.c[n], self.forms[form]) for n in self._names(form))]
        return sa.cast(sa.func.json_build_array(*parts), sa.Text)

    def _names(self, form: int) -> tuple[str, ...]:
        return self.forms[form].columns


def _text(column: sa.ColumnClause[Any], form: Form) -> sa.ColumnElement[str]:
    if column.name in form.times:
        utc = sa.func.timezone("UTC", column)
        return sa.func.to_char(utc, sa.literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US'"""))
    return sa.cast(column, sa.Text)


CHAINED: Final = (
    Chained(
        "account_event",
        "id",
        (Form(("id", "xid", "at", "actor", "address", "event", "about", "facts")),),
    ),
    Chained(
        "change",
        "seq",
        (
            Form((
                "seq", "xid", "at", "actor", "layer", "op", "id", "records", "before", "after", "cell_before",
                "cell_after", "delivery", "scenario", "digest", "scope_before", "scope_after",
            )),
        ),
    ),
    Chained(
        "sensitive_read",
        "seq",
        (Form(("seq", "xid", "at", "actor", "address", "thing", "id", "fields", "purpose", "scenario")),),
    ),
    Chained(
        "step",
        "id",
        (
            Form((
                "id", "xid", "incident", "step", "before", "after", "at", "actor", "role", "department", "grid_id",
                "note", "carries", "scenario",
            )),
        ),
    ),
)  # fmt: skip
"""Every table of the chain. One that is added here is sealed from its first record on."""


@dataclass(frozen=True)
class Seal:
    """One batch of records that were committed; `covers` maps a table to its form and ranges of serials."""

    number: int
    at: dt.datetime
    database: str
    position: str
    floor: Mapping[str, int]
    covers: Mapping[str, Mapping[str, Any]]
    records: int
    leaves: bytes
    previous: str
    digest: str = ""

    @property
    def header(self) -> dict[str, Any]:
        """What is hashed of the seal itself."""
        return {
            "number": self.number, "at": stamp(self.at), "database": self.database, "position": self.position,
            "floor": self.floor, "covers": self.covers, "records": self.records, "previous": self.previous,
        }  # fmt: skip

    def computed(self) -> str:
        """The digest that this seal must have."""
        told = json.dumps(self.header, sort_keys=True, separators=(",", ":")).encode()
        return hashlib.sha256(told + b"\n" + self.leaves).hexdigest()

    def ids(self) -> Iterator[tuple[str, int]]:
        """Table and serial of each record, in the order of the leaves."""
        for table in sorted(self.covers):
            for first, last in self.covers[table]["ids"]:
                for id in range(first, last + 1):
                    yield table, id


def leaf(line: str) -> bytes:
    """The hash of a record."""
    return hashlib.sha256(line.encode()).digest()


def stamp(at: dt.datetime) -> str:
    """A time as it is hashed."""
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")


def ranges(ids: Iterable[int]) -> Ranges:
    """Ascending serials as ranges, both ends included."""
    found: Ranges = []
    for id in ids:
        if found and found[-1][1] == id - 1:
            found[-1][1] = id
        else:
            found.append([id, id])
    return found


def chained(name: str, tables: Sequence[Chained] = CHAINED) -> Chained | None:
    """The chained table of this name."""
    return next((one for one in tables if one.table == name), None)
