"""The figures of the loop: how incidents are taken up, disposed of and closed, with what each figure leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from api.deps import ActorDep, ReadDep, ServiceDep
from layers.ask.period import CITY_TIME
from layers.codes.admin import shipped_register
from layers.codes.books import shipped_books
from layers.errors import BadParameter
from layers.loop.departments import Departments
from layers.loop.indicators import By, Counted, Period, counted
from layers.loop.measures import Measure, daily_score
from layers.loop.rules import Rules
from layers.loop.tally import waiting
from layers.people.access import require_right
from layers.people.scope import slice_of

router = APIRouter(tags=["loop"])
_LONGEST = timedelta(days=3 * 366)
_BOOKS = {"channel": "incident_channel", "matter": "matter", "major": "matter_major"}
Area = Annotated[str | None, Query(pattern=r"^[0-9]{4,15}$", description="how the code of an area or a grid begins")]
Code = Annotated[str | None, Query(pattern=r"^[a-z0-9-]{1,20}$", description="code of a department")]


@router.get("/loop/indicators")
def loop_indicators(
    service: ServiceDep,
    actor: ActorDep,
    connection: ReadDep,
    by: By = "city",
    start: Annotated[date | None, Query(alias="from", description="first day; else the first of this month")] = None,
    end: Annotated[date | None, Query(alias="to", description="the day after the last; else tomorrow")] = None,
    area: Area = None,
    department: Code = None,
) -> JSONResponse:
    """Counters, rates and scores in a period by a key, of what the caller may see; at most a thousand keys.

    `complete` is false while incidents that changed just now are still to be counted.
    """
    require_right(actor, "incident.view")
    now = datetime.now(UTC)
    rows, more = counted(
        connection, _period(start, end, now), by=by, now=now, part=slice_of(actor), area=area, department=department
    )  # fmt: skip
    told = {
        "at": now.astimezone(CITY_TIME),
        "complete": not waiting(connection),
        "truncated": more,
        **told_figures(rows, by, service.rules),
    }
    return JSONResponse(jsonable_encoder(told), headers={"Cache-Control": "no-store"})


def told_figures(rows: Sequence[Counted], by: By, rules: Rules) -> dict[str, Any]:
    """What was counted by a key, with the indicators and their rates."""
    return {
        "by": by,
        "indicators": [_measure_told(one) for one in rules.measures.values()],
        "rows": [_row_told(one, by, rules.measures, rules.departments) for one in rows],
    }


def _period(start: date | None, end: date | None, now: datetime) -> Period:
    today = now.astimezone(CITY_TIME).date()
    first, last = start or today.replace(day=1), end or today + timedelta(days=1)
    if not first < last:
        raise BadParameter("to", "must lie after 'from'")
    if last - first > _LONGEST:
        raise BadParameter("from", "a period is three years at most")
    return Period(datetime.combine(first, time(), CITY_TIME), datetime.combine(last, time(), CITY_TIME))


def _measure_told(one: Measure) -> dict[str, Any]:
    return {
        "name": one.name, "title": one.title._asdict(), "numerator": one.numerator, "denominator": one.denominator,
        "better": one.better, "left_out": one.left_out._asdict(), "source": one.source,
    }  # fmt: skip


def _row_told(row: Counted, by: By, measures: Mapping[str, Measure], departments: Departments) -> dict[str, Any]:
    rates = {
        name: {
            "numerator": row.counts.get(one.numerator, 0),
            "denominator": row.counts.get(one.denominator, 0),
            "value": one.rate(row.counts),
        }
        for name, one in measures.items()
    }
    title = _title(row.key, by, departments)
    return {"key": row.key, "title": title, "counts": row.counts, "rates": rates, "score": daily_score(row.counts)}


def _title(key: str | None, by: By, departments: Departments) -> dict[str, str] | None:
    """What a key is called; None for what has no name of its own."""
    if key is None:
        return None
    if by == "department" and key in departments:
        return departments.find(key).title._asdict()
    if by in ("county", "town") and key in (units := shipped_register().units):
        return {"zh": units[key].name, "en": units[key].name_en}
    if by in _BOOKS and key in (book := shipped_books().book(_BOOKS[by])):
        entry = book.entry(key)
        return {"zh": entry.zh, "en": entry.en}
    return None
