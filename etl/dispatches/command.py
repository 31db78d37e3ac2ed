"""`python -m etl import-dispatches`: a file of another dispatch system, and what its stages took."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from etl.dispatches.reading import read_calls
from etl.dispatches.writing import Imported, import_calls
from etl.report import Screen, write_rejects
from layers.catalog.incident import TABLE
from layers.loop.call_types import call_types_in
from layers.loop.rules import rules_in
from layers.loop.stages import Asked, spans
from layers.store.engine import begin
from layers.store.home import Home
from layers.terms import refresh_grams

_ALWAYS: Final = (dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(9000, 1, 1, tzinfo=dt.UTC))
_SHOWN: Final = (("report", "dispatch"), ("dispatch", "arrive"))


def bring(engine: sa.Engine, home: Home, file: Path, source: str, screen: Screen) -> bool:
    """Bring a file in, all of it that can be used or nothing; False when nothing of it can."""
    rules = rules_in(home.folder)
    kinds = call_types_in(home.folder, rules.departments)
    calls = read_calls(file)
    with begin(engine, actor=f"import {source}") as connection:
        now = dt.datetime.now(dt.UTC)
        made = import_calls(connection, calls, kinds, rules, source=source, title=file.name, now=now)
        if made.new:
            refresh_grams(connection)
    _told(made, calls.read, home, source, screen)
    _stages(engine, source, screen)
    return bool(made.new or made.there)


def _told(made: Imported, read: int, home: Home, source: str, screen: Screen) -> None:
    out = made.rejects["row"].nunique()
    screen.line(f"{read:,} rows read, {out:,} rejected")
    for code, count in made.rejects["code"].value_counts().items():
        screen.line(f"  {code:<16}{count:>8,}")
    if out:
        screen.line(f"rejects: {write_rejects(home.folder / 'rejects' / f'dispatches-{source}.csv', made.rejects)}")
    screen.line(f"{made.new:,} calls are new cases with {made.steps:,} steps, {made.there:,} were there")
    screen.line(
        f"{made.coincident:,} calls stand where another one does; {made.other_kind:,} are of no kind in the table"
    )


def _stages(engine: sa.Engine, source: str, screen: Screen) -> None:
    """What two stages took, by kind of call."""
    for first, then in _SHOWN:
        screen.line(f"seconds from {first} to {then}: half, nine of ten, calls")
        with engine.connect() as connection:
            asked = Asked(first, then, by="kind", start=_ALWAYS[0], end=_ALWAYS[1])
            for row in spans(connection, asked, seen=TABLE.c.source == source):
                screen.line(f"  {row.key or '–':<36}{row.half_s:>8,.0f}{row.most_s:>8,.0f}{row.count:>8,}")
