"""A dispatch history into a city: calls that it does not have yet, with their steps, in one transaction."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from etl.dispatches.history import CHANNEL, Life, life_of
from etl.dispatches.reading import STAGES, Calls
from etl.findings import join_rejects, rejects
from layers.ask.locate import Locator
from layers.ask.period import CITY_TIME
from layers.catalog import built_in, county, incident
from layers.codes.books import book
from layers.errors import Conflict
from layers.loop.call_types import ANY, CallType
from layers.loop.carried import MOST_TITLE
from layers.loop.case_tables import CASE_NUMBER
from layers.loop.elsewhere_tables import ELSEWHERE
from layers.loop.incidents import SIMULATED, SOURCE
from layers.loop.rules import Rules
from layers.loop.tables import STEP
from layers.store.copying import copy_by_way, copy_frame
from layers.store.writer import analyze, write_delivery

_MOST_A_DAY: Final = 999_999
# Steps, of which the planner should know: else a figure over them takes a minute until the database counts by itself.
_MANY: Final = 1_000
_TAKEN: Final = (SOURCE, SIMULATED, "synthetic")
Row = dict[str, Any]


@dataclass(frozen=True)
class Imported:
    """What came of an import: new calls and their steps, calls that were there, those told by the line for any other
    kind, calls at a place where another one was, and the rows that could not be used.
    """

    new: int
    steps: int
    there: int
    other_kind: int
    coincident: int
    rejects: pd.DataFrame


def import_calls(
    connection: sa.Connection,
    calls: Calls,
    kinds: Mapping[str, CallType],
    rules: Rules,
    *,
    source: str,
    title: str,
    now: dt.datetime,
) -> Imported:
    """Write the calls of a source that are not there yet, in the caller's transaction.

    In a city with borders, what lies outside of it is refused. Raises Conflict for a source that is not another system.
    """
    if source in _TAKEN:
        raise Conflict(f"{source!r} is the city's own: name the other system (--source)")
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"calls {source}", 1))))
    inside, outside = _placed(connection, calls.rows)
    units = _units(inside)
    known = set(connection.scalars(sa.select(ELSEWHERE.c.number).where(ELSEWHERE.c.system == source)))
    fresh = {number: rows for number, rows in units.items() if number not in known}
    ids = _numbered(connection, fresh)
    lives = {n: life_of(rows, kinds.get(rows[0]["call_type"], kinds[ANY]), rules, now=now) for n, rows in fresh.items()}
    steps = 0
    if fresh:
        steps = _write(connection, fresh, lives, ids, source=source, title=title)
    first = inside.drop_duplicates("call_number")
    return Imported(
        new=len(fresh),
        steps=steps,
        there=len(units) - len(fresh),
        other_kind=sum(rows[0]["call_type"] not in kinds for rows in fresh.values()),
        coincident=int(first.duplicated(["lon", "lat"], keep=False).sum()),
        rejects=join_rejects([calls.rejects, outside]),
    )


def _placed(connection: sa.Connection, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows with grid and administrative code, and as rejects those outside of a city that has borders."""
    grid_id, admin_code = Locator.from_database(connection).place(
        np.asarray(shapely.points(rows["lon"], rows["lat"]), dtype=object)
    )
    placed = rows.assign(grid_id=grid_id, admin_code=admin_code)
    if connection.scalar(sa.select(sa.exists().select_from(county.TABLE))) is not True:
        return placed, join_rejects([])
    out = np.flatnonzero(pd.isna(admin_code))
    told = rejects(rows["row"].to_numpy()[out], code="outside_city", field="longitude", reason="lies outside the city")
    return placed.drop(index=placed.index[out]), told


def _units(rows: pd.DataFrame) -> dict[str, list[Row]]:
    """The rows of each call, times as datetimes, None where there is nothing."""
    plain = rows.astype(object).where(rows.notna(), None)
    for stage in STAGES:
        times = [None if at is None else at.to_pydatetime() for at in plain[stage]]
        plain[stage] = pd.Series(times, dtype=object, index=plain.index)  # else they become Timestamps again
    found: dict[str, list[Row]] = {}
    for row in plain.sort_values(["call_number", "row"]).to_dict("records"):
        found.setdefault(str(row["call_number"]), []).append({str(name): value for name, value in row.items()})
    return found


def _numbered(connection: sa.Connection, calls: Mapping[str, Sequence[Row]]) -> dict[str, str]:
    """A number of the city for each call, in the order of their days; reports that follow are numbered after them."""
    order = sorted((min(row["received"] for row in rows), number) for number, rows in calls.items())
    days = [(f"{at.astimezone(CITY_TIME):%Y%m%d}", number) for at, number in order]
    day, serial = sa.func.left(incident.TABLE.c.id, 8), sa.cast(sa.func.substr(incident.TABLE.c.id, 9), sa.Integer)
    plain = incident.TABLE.c.id.op("~")("^[0-9]{14}$")
    held = sa.select(day, sa.func.max(serial)).where(plain, day.in_({d for d, _ in days})).group_by(day)
    last: Counter[str] = Counter(dict(_pairs(connection, held)))
    given = {}
    for at, number in days:
        last[at] += 1
        if last[at] > _MOST_A_DAY:
            raise Conflict(f"{at} has had {_MOST_A_DAY:,} cases").because("day_full", most=_MOST_A_DAY)
        given[number] = f"{at}{last[at]:06d}"
    if last:
        rows = [{"day": dt.datetime.strptime(at, "%Y%m%d").date(), "last": n} for at, n in sorted(last.items())]
        new = postgresql.insert(CASE_NUMBER).values(rows)
        higher = sa.func.greatest(CASE_NUMBER.c.last, new.excluded.last)
        connection.execute(new.on_conflict_do_update(index_elements=[CASE_NUMBER.c.day], set_={"last": higher}))
    return given


def _write(
    connection: sa.Connection,
    calls: Mapping[str, Sequence[Row]],
    lives: Mapping[str, Life],
    ids: Mapping[str, str],
    *,
    source: str,
    title: str,
) -> int:
    """The records, their steps, and what they are called elsewhere; returns the number of steps."""
    records = [_record(ids[number], rows[0], lives[number]) for number, rows in calls.items()]
    points = shapely.points([rows[0]["lon"] for rows in calls.values()], [rows[0]["lat"] for rows in calls.values()])
    frame = gpd.GeoDataFrame(pd.DataFrame(records), geometry=points, crs="EPSG:4326")
    steps = pd.DataFrame(
        [row for number, rows in calls.items() for row in _step_rows(ids[number], rows[0], lives[number], source)]
    )
    copy_by_way(connection, STEP, steps)
    if len(steps) > _MANY:
        analyze(connection, STEP)
    layer, actor = built_in()["incident"], f"import {source}"
    write_delivery(connection, layer, frame, source=source, actor=actor, digest=actor, title=title, partial=True)
    reports = sa.select(STEP.c.incident, STEP.c.id).where(STEP.c.step == "report", STEP.c.incident.in_(ids.values()))
    numbers = dict(_pairs(connection, reports))
    there = [
        {"system": source, "number": number, "incident": id, "step": numbers[id], "actor": f"import {source}"}
        for number, id in ids.items()
    ]
    copy_frame(connection, ELSEWHERE.fullname, pd.DataFrame(there))
    return len(steps)


def _record(id: str, unit: Row, life: Life) -> Row:
    kind = unit["call_type"]
    address = unit["address"]
    return {
        **life.record,
        "id": id,
        "title": f"{kind} {address or ''}".strip()[:MOST_TITLE],
        "description": f"{kind}（{book('matter').word(life.record['matter'])}），历史出警记录",
        "address": None if address is None else str(address)[:256],
        **{name: unit[name] for name in ("grid_id", "admin_code")},
        **{"place_method": "surveyed", "place_precision": "B", "channel": CHANNEL},
    }


def _step_rows(id: str, unit: Row, life: Life, source: str) -> list[Row]:
    before, rows = None, []
    for step, note in life.steps:
        rows.append({
            "incident": id, "step": step.step, "before": before, "after": step.after, "at": step.at.isoformat(),
            "actor": f"import {source}", "role": None,
            "department": life.record["lead"] if step.step in _OF_DEPARTMENT else None, "grid_id": unit["grid_id"],
            "note": note, "carries": json.dumps(dict(step.carries), ensure_ascii=False), "scenario": None,
        })  # fmt: skip
        before = step.after
    return rows


_OF_DEPARTMENT: Final = ("sign", "arrive", "dispose", "note", "feedback")


def _pairs(connection: sa.Connection, statement: sa.Select[Any]) -> list[tuple[Any, Any]]:
    return [(row[0], row[1]) for row in connection.execute(statement)]
