"""The figures of the weekly bulletin: received, against the week before, repeats, topics, units below the floor."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import sqlalchemy as sa

from layers.ask.period import CITY_TIME
from layers.codes.books import book
from layers.errors import BadParameter
from layers.loop.answered import REPEATED, RateRules
from layers.loop.departments import Departments
from layers.loop.hotline.rates import Counts, Rate, rates

TOP: Final = 10
_COUNTED: Final = """
    select count(*) filter (where t.begun) as received, count(*) filter (where not t.begun) as before,
      count(*) filter (where t.begun and t.dispatched_at is not null) as assigned
    from (
      select i.dispatched_at, i.reported_at >= :first as begun from city.incident i
      where i.scenario is null and i.channel = 'hotline' and i.reported_at >= :before and i.reported_at < :after
    ) as t
"""
_REPEATS: Final = f"""
    select count(*) from core.caller c join city.incident i on i.id = c.incident
    where c.scenario is null and i.scenario is null and i.channel = 'hotline' and c.at >= :first and c.at < :after
      and {REPEATED}
"""
_TOPICS: Final = """
    select i.matter, count(*) filter (where i.reported_at >= :first) as n,
      count(*) filter (where i.reported_at < :first) as before
    from city.incident i
    where i.scenario is null and i.channel = 'hotline' and i.reported_at >= :before and i.reported_at < :after
    group by i.matter having count(*) filter (where i.reported_at >= :first) > 0 order by 2 desc, 1 limit :top
"""


def week_of(text: str) -> tuple[dt.datetime, dt.datetime]:
    """Monday and the Monday after it, in the city's time, of a week like 2026-W47; BadParameter otherwise."""
    year, _, week = text.partition("-W")
    try:
        monday = dt.date.fromisocalendar(int(year), int(week), 1)
    except ValueError:
        raise BadParameter("week", f"{text!r} is not a week like 2026-W47") from None
    begin = dt.datetime.combine(monday, dt.time(), CITY_TIME)
    return begin, begin + dt.timedelta(days=7)


def bulletin(connection: sa.Connection, rules: RateRules, departments: Departments, *, week: str) -> dict[str, Any]:
    """The figures of a week as the routes tell them, of what the connection sees."""
    begin, end = week_of(week)
    values = {
        "first": begin, "after": end, "before": begin - dt.timedelta(days=7), "repeat_days": rules.repeat_days,
        "top": TOP,
    }  # fmt: skip
    counted = connection.execute(sa.text(_COUNTED), values).one()
    repeats = connection.scalar(sa.text(_REPEATS), values) or 0
    topics = connection.execute(sa.text(_TOPICS), values).all()
    units = rates(connection, rules, by="department", begin=begin, end=end)
    return {
        "week": week, "from": begin.date().isoformat(), "to": (end - dt.timedelta(days=1)).date().isoformat(),
        "received": counted.received, "received_before": counted.before, "change": counted.received - counted.before,
        "assigned": counted.assigned, "repeats": repeats,
        "topics": [
            {"matter": row.matter, "zh": _word(row.matter, "zh"), "en": _word(row.matter, "en"), "n": row.n,
             "before": row.before}
            for row in topics
        ],
        "floor": rules.floor, "below_floor": _below(units, rules.floor, departments),
    }  # fmt: skip


def _word(matter: str, lang: Any) -> str:
    return book("matter").word(matter, lang) if matter in book("matter") else matter


def _below(units: dict[str | None, Counts], floor: float, departments: Departments) -> list[dict[str, Any]]:
    """The units whose share of satisfied callers lies below the floor, the lowest first."""
    below = []
    for code, counts in units.items():
        if code is None or not counts.valid or counts.satisfied / counts.valid >= floor:
            continue
        title = departments.find(code).title._asdict() if code in departments else {"zh": code, "en": code}
        below.append({"department": code, "title": title, **Rate(counts.satisfied, counts.valid).as_json()})
    return sorted(below, key=lambda one: (one["rate"], one["department"]))
