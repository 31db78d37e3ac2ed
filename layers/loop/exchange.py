"""Reports and steps of another system, line by line: what can be taken is taken once, what cannot is told.

Each line is a transaction, and done as whoever sends the file: they need the same rights as one by one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import sqlalchemy as sa

from layers.ask.period import CITY_TIME
from layers.errors import BadField, LayersError
from layers.loop.callers import Contact
from layers.loop.carried import Carried
from layers.loop.elsewhere import Foreign, known, remember
from layers.loop.exchange_file import Line
from layers.loop.incidents import Office, Outcome, report, take_step
from layers.loop.placing import Where
from layers.loop.reports import Report
from layers.people.access import Actor
from layers.store.engine import begin

SYSTEM_PATTERN: Final = r"[a-z][a-z0-9_-]{0,39}"
MOST_NUMBER: Final = 100
Fate = Literal["taken", "known"]


@dataclass(frozen=True)
class RefusedLine:
    """A line that was not taken, and why."""

    row: int
    number: str | None
    step: str | None
    error: LayersError


@dataclass
class Exchanged:
    """What came of a file: lines taken, lines that had come before, and those that were refused."""

    taken: int = 0
    known: int = 0
    refused: list[RefusedLine] = field(default_factory=list)


def take_lines(
    engine: sa.Engine,
    office: Office,
    lines: Sequence[Line],
    *,
    system: str,
    actor: Actor,
    clock: Callable[[], dt.datetime],
) -> Exchanged:
    """Take the lines in their order; a refused one changes nothing, and the ones after it are tried all the same."""
    done = Exchanged()
    for line in lines:
        try:
            with begin(engine, actor=actor.name) as connection:
                fate = _take(connection, office, line, system=system, actor=actor, now=clock())
        except LayersError as error:
            done.refused.append(
                RefusedLine(line.row, line.get("number") or line.get("case_id"), line.get("step"), error)
            )
        else:
            done.taken += fate == "taken"
            done.known += fate == "known"
    return done


def _take(
    connection: sa.Connection, office: Office, line: Line, *, system: str, actor: Actor, now: dt.datetime
) -> Fate:
    # Files of one system wait for each other, so that what comes twice at once is taken once.
    key = sa.func.hashtextextended(f"exchange {system}", 1)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
    named = _named(line, system)
    if known(connection, named, scenario=actor.scenario) is not None:
        return "known"
    if line.get("step") == "report":
        outcome = report(connection, office, _report(line, actor), actor=actor, now=now)
    else:
        outcome = _step(connection, office, line, named, actor=actor, now=now)
    remember(connection, named, outcome, actor=actor.name, scenario=actor.scenario)
    return "taken"


def _named(line: Line, system: str) -> Foreign:
    """What the line is called there; a step without a name of its own is known again by all that it says."""
    number = line.get("number") or (None if line.get("step") == "report" else line.get("case_id"))
    if number is None:
        raise BadField({"number": "the number that it has there is needed"}).because("number_missing")
    if len(number) > MOST_NUMBER:
        raise BadField({"number": f"is longer than {MOST_NUMBER} characters"}).because("text_long", most=MOST_NUMBER)
    if line.get("step") == "report":
        return Foreign(system, number)
    told = json.dumps(sorted(line.cells.items()), ensure_ascii=False)
    entry = line.get("entry") or hashlib.sha256(told.encode()).hexdigest()
    return Foreign(system, number, entry[:MOST_NUMBER])


def _step(
    connection: sa.Connection, office: Office, line: Line, named: Foreign, *, actor: Actor, now: dt.datetime
) -> Outcome:
    report_of = Foreign(named.system, named.number)
    id = line.get("case_id") if line.get("number") is None else known(connection, report_of, scenario=actor.scenario)
    if id is None:
        raise BadField({"number": "no report of this number came"}).because("number_unknown", number=named.number[:40])
    carried = _carried(connection, line, named.system, actor)
    step = line.get("step") or ""
    return take_step(connection, office, id, step, actor=actor, carried=carried, expected=None, now=now)


def _report(line: Line, actor: Actor) -> Report:
    return Report(
        where=Where(_number(line, "lon"), _number(line, "lat"), line.get("grid_id"), line.get("address")),
        channel=line.get("channel") or "",
        matter=line.get("matter"),
        component=line.get("component"),
        title=line.get("title"),
        text=line.get("text"),
        level=line.get("level") or "general",
        line=line.get("line"),
        appeal=line.get("appeal"),
        contact=Contact(line.get("name"), line.get("phone"), line.get("home")),
        scenario=actor.scenario,
    )


def _carried(connection: sa.Connection, line: Line, system: str, actor: Actor) -> Carried:
    lon, lat, into, co = _number(line, "lon"), _number(line, "lat"), line.get("into"), line.get("co")
    if into is not None:
        into = known(connection, Foreign(system, into), scenario=actor.scenario) or into
    return Carried(
        note=line.get("note"),
        reason=line.get("reason"),
        finding=line.get("finding"),
        until=_time(line),
        lead=line.get("lead"),
        co=None if co is None else tuple(code.strip() for code in co.split(",")),
        assignee=line.get("assignee"),
        into=into,
        place=None if lon is None or lat is None else (lon, lat),
        matter=line.get("matter"),
        level=line.get("level"),
    )


def _number(line: Line, name: str) -> float | None:
    text = line.get(name)
    try:
        return None if text is None else float(text)
    except ValueError:
        raise BadField({name: "is no number"}).because("no_place") from None


def _time(line: Line) -> dt.datetime | None:
    """The time that a line names, in the city's time where it has no zone."""
    text = line.get("until")
    try:
        at = None if text is None else dt.datetime.fromisoformat(text)
    except ValueError:
        raise BadField({"until": "is no time like 2026-11-20T17:30:00+08:00"}).because("until_wrong") from None
    return at.replace(tzinfo=CITY_TIME) if at is not None and at.tzinfo is None else at
