"""The number of a case (案卷号): its day and six digits, given by the database without a gap.

Those of exercises begin at 900,001, in a row of their own: no real number tells that something was rehearsed.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningUpdate

from layers.ask.period import CITY_TIME
from layers.catalog.incident import TABLE
from layers.errors import Conflict
from layers.loop.case_tables import CASE_NUMBER, REHEARSED_NUMBER

ID_PATTERN: Final = r"[0-9]{14}"
_DIGITS: Final = 6
_MOST: Final = 10**_DIGITS - 1
_BELOW_REHEARSED: Final = 900_000


def next_number(connection: sa.Connection, now: dt.datetime, *, scenario: str | None = None) -> str:
    """The next free number of the city's day, in reality or in exercises; Conflict when it has had 999,999.

    Who asks next waits for the end of this transaction, and takes the same number when that is rolled back; so ask
    last.
    """
    day, table = now.astimezone(CITY_TIME).date(), CASE_NUMBER if scenario is None else REHEARSED_NUMBER
    number = connection.scalar(_following(table), {"today": day})
    if number is None:
        number = _first_number(connection, day, table)
    return f"{day:%Y%m%d}{number:0{_DIGITS}d}"


@cache
def _following(table: sa.Table) -> ReturningUpdate[int]:
    """The next number of a day that has some."""
    more = sa.update(table).where(table.c.day == sa.bindparam("today"), table.c.last < _MOST)
    return more.values(last=table.c.last + 1).returning(table.c.last)


def _first_number(connection: sa.Connection, day: dt.date, table: sa.Table) -> int:
    """The first number of a day, or the next one when another transaction took the first meanwhile."""
    rehearsed = table is REHEARSED_NUMBER
    begin = _BELOW_REHEARSED if rehearsed else 0
    first = sa.select(sa.literal(day), sa.func.coalesce(_highest(day, rehearsed=rehearsed), begin) + 1)
    statement = postgresql.insert(table).from_select(["day", "last"], first)
    again = statement.on_conflict_do_update(
        index_elements=[table.c.day], set_={"last": table.c.last + 1}, where=table.c.last < _MOST
    )
    number: int | None = connection.scalar(again.returning(table.c.last))
    if number is None or number > _MOST:
        raise Conflict(f"{day} has had {_MOST:,} cases").because("day_full", most=_MOST)
    return number


def _highest(day: dt.date, *, rehearsed: bool) -> sa.ScalarSelect[int]:
    """The highest number that records of this day bear already: those of a demo city were not given here."""
    prefix = f"{day:%Y%m%d}"
    alike = sa.and_(TABLE.c.id >= prefix, TABLE.c.id < f"{prefix}:", TABLE.c.id.op("~")(rf"^{prefix}[0-9]{{6}}$"))
    serial = sa.cast(sa.func.substr(TABLE.c.id, len(prefix) + 1), sa.Integer)
    of = TABLE.c.scenario.is_not(None) if rehearsed else TABLE.c.scenario.is_(None)
    above = _BELOW_REHEARSED if rehearsed else 0
    return sa.select(sa.func.max(sa.func.greatest(serial, above))).where(alike, of).scalar_subquery()
