"""Callers, needs and visits of the demo city into the database: by COPY, under numbers that are taken beforehand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from etl.demo import care_mix as mix
from etl.demo.ground import Ground
from etl.demo.incidents import Happenings
from etl.demo.needs import Need, Spot, after_of, needs
from etl.demo.visits import Case, Place, Visit, visits
from gis.cells import centre
from layers.ask.catalogue import SYNTHETIC
from layers.catalog import incident, place
from layers.loop.care.providers import providers
from layers.loop.care.tables import NEED, NEED_STEP, VISIT
from layers.loop.hotline.tables import CONTACT
from layers.loop.tables import CALLER
from layers.people.privacy import Keyring
from layers.people.sealed import NEED as SEALED
from layers.store.copying import copy_frame

_VISITED_KINDS: Final = ("school", "kindergarten", "hospital", "clinic", "market", "plaza", "community")
_MOST_INSIDE: Final = 2_000
_OVER: Final = ("done", "withdrawn")
Row = dict[str, Any]


def write_calls(connection: sa.Connection, days: Iterable[Happenings], known: set[str]) -> None:
    """Who called about cases that are not known yet, and who was called."""
    every = [(_fresh(day.callers, known), _fresh(day.contacts, known)) for day in days]
    callers = pd.concat([callers for callers, _ in every], ignore_index=True)
    if callers.empty:
        return
    callers["id"] = _numbers(connection, CALLER, len(callers))
    copy_frame(connection, CALLER.fullname, callers)
    calls = pd.concat([calls for _, calls in every], ignore_index=True)
    # A synthetic case has one caller.
    calls["caller"] = calls["incident"].map(callers.set_index("incident")["id"])
    if len(calls):
        copy_frame(connection, CONTACT.fullname, calls.sort_values("at", kind="stable"))


def _fresh(frame: pd.DataFrame, known: set[str]) -> pd.DataFrame:
    return frame[~frame["incident"].isin(known)]


def write_care(
    connection: sa.Connection, ground: Ground, keyring: Keyring, *, at: dt.datetime, scale: float, seed: int
) -> dict[str, int]:
    """Needs and visits of the last weeks, unless there are any; how many callers, needs and visits there are then."""
    if not any(_count(connection, table) for table in (NEED, VISIT)):
        _write_care(connection, ground, keyring, at=at, scale=scale, seed=seed)
    return {table.name: _count(connection, table) for table in (CALLER, NEED, VISIT)}


def _write_care(
    connection: sa.Connection, ground: Ground, keyring: Keyring, *, at: dt.datetime, scale: float, seed: int
) -> None:
    told = needs(ground, providers(connection), at=at, scale=scale, seed=seed)
    ids = _numbers(connection, NEED, len(told))
    numbered = list(zip(ids, told, strict=True))
    copy_frame(connection, NEED.fullname, _frame(_need(id, need, keyring) for id, need in numbered))
    copy_frame(connection, NEED_STEP.fullname, _frame(row for id, need in numbered for row in _steps(id, need)))
    cases = _cases(connection, at=at, most=round(mix.FOUND_CASES_A_DAY * mix.DAYS * scale))
    inside = _inside(connection)
    gone = visits(ground, needs=told, inside=inside, cases=cases, at=at, scale=scale, seed=seed)
    copy_frame(connection, VISIT.fullname, _frame(_visit(one, ids, at) for one in gone))


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _numbers(connection: sa.Connection, table: sa.Table, count: int) -> list[int]:
    """So many numbers that nobody else gets; COPY writes them where an INSERT would not."""
    of_key = sa.func.pg_get_serial_sequence(table.fullname, "id")
    taken = sa.select(sa.func.nextval(of_key)).select_from(sa.func.generate_series(1, count))
    return sorted(connection.scalars(taken))


def _frame(rows: Iterable[Row]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), dtype=object)


def _need(id: int, need: Need, keyring: Keyring) -> Row:
    first, last = need.steps[0], need.steps[-1]
    person = {name: getattr(need.contact, name) for name in SEALED.about}
    arranged = next((step for step in reversed(need.steps) if step.step in ("arrange", "reopen")), None)
    return {
        "id": id, "kind": need.kind, "state": need.state, **_where(need.spot), "words": need.words,
        "wish_at": _text(need.wish_at),
        **{name: text and keyring.seal(text, about=SEALED.about[name]) for name, text in person.items()},
        "provider": arranged and arranged.provider, "told_at": _text(first.at), "taken_by": first.actor,
        "changed_at": _text(last.at), "ended_at": _text(last.at) if need.state in _OVER else None,
    }  # fmt: skip


def _steps(id: int, need: Need) -> Iterable[Row]:
    state = "open"
    for step in need.steps:
        state = after_of(step.step) or state
        yield {
            "need": id, "step": step.step, "after": state, "at": _text(step.at), "actor": step.actor,
            "provider": step.provider, "note": step.note,
        }  # fmt: skip


def _visit(one: Visit, ids: Sequence[int], now: dt.datetime) -> Row:
    return {
        "kind": one.kind, "outcome": one.outcome, **_where(one.spot), "premises": one.premises,
        "words": one.words, "needs": [] if one.need is None else [str(ids[one.need])],
        "incidents": [] if one.case is None else [one.case], "visited_at": _text(one.at),
        "at": _text(min(one.written, now)), "actor": one.actor, "role": one.role,
    }  # fmt: skip


def _where(spot: Spot) -> Row:
    return {"lon": spot.lon, "lat": spot.lat, "grid_id": spot.grid_id, "admin_code": spot.admin_code}


def _text(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _inside(connection: sa.Connection) -> list[Place]:
    """Schools, markets, communities: places of the map that are visited."""
    c = place.TABLE.c
    there = (c.source == SYNTHETIC, c.kind.in_(_VISITED_KINDS), c.grid_id.is_not(None))
    wanted = sa.select(c.id, c.name, c.cell, c.grid_id, c.admin_code).where(*there).order_by(c.id).limit(_MOST_INSIDE)
    return [
        Place(row.id, row.name, Spot(*centre(row.cell), row.grid_id, row.admin_code, ""))
        for row in connection.execute(wanted)
    ]


def _cases(connection: sa.Connection, *, at: dt.datetime, most: int) -> list[Case]:
    """Some cases that grid workers of a synthetic city reported of late, always the same."""
    c = incident.TABLE.c
    theirs = (c.source == SYNTHETIC, c.channel == "worker", c.reported_at >= at - dt.timedelta(days=mix.DAYS))
    wanted = sa.select(c.id, c.cell, c.grid_id, c.admin_code, c.reported_at).where(*theirs)
    return [
        Case(row.id, Spot(*centre(row.cell), row.grid_id, row.admin_code, ""), row.reported_at)
        for row in connection.execute(wanted.order_by(sa.func.hashtext(c.id), c.id).limit(most))
    ]
