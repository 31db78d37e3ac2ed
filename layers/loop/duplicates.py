"""Open cases that may be the same as one that is about to be filed: like in matter, near, recent, told alike."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from gis.frames import distance_m
from layers.ask.records import here_3857
from layers.catalog.incident import TABLE
from layers.loop.states import OPEN
from layers.spec import Title
from layers.terms import fold


class Reach(NamedTuple):
    """How far and how long ago an open case of a major class may lie and still be the same."""

    metres: float
    days: int


# A lamp does not move, and stays out of order for weeks; a hawker moves on within the day.
REACH: Final[dict[str, Reach]] = {
    "01": Reach(30, 30), "02": Reach(50, 30), "03": Reach(50, 30), "04": Reach(50, 30), "05": Reach(100, 30),
    "06": Reach(100, 7), "07": Reach(100, 14), "08": Reach(250, 14), "09": Reach(150, 2), "10": Reach(300, 3),
}  # fmt: skip
_ANY: Final = Reach(100, 7)
MOST_OFFERED: Final = 10
_MOST_LOOKED_AT: Final = 300
LEAST_SCORE: Final = 0.5
_SAME, _NEAR, _LATE, _ALIKE = 0.3, 0.3, 0.15, 0.25
_OF_CLASS: Final = 0.5


@dataclass(frozen=True)
class Duplicate:
    """An open case that may be the same: `score` and `similarity` (of the texts) from 0 to 1, and why."""

    id: str
    title: str
    state: str
    lon: float
    lat: float
    distance_m: float
    similarity: float
    score: float
    reported_at: dt.datetime
    why: tuple[Title, ...]


def duplicates_of(
    connection: sa.Connection,
    *,
    matter: str,
    lon: float,
    lat: float,
    text: str,
    now: dt.datetime,
    where: sa.ColumnElement[bool] | None = None,
    scenario: str | None = None,
) -> list[Duplicate]:
    """The open cases that may be the same, the likeliest first; `where` leaves those that the asker may see."""
    reach = REACH.get(matter[:2], _ANY)
    statement = _near(matter, lat, reach, now=now, scenario=scenario)
    if where is not None:
        statement = statement.where(where)
    rows = connection.execute(statement, {"lon": lon, "lat": lat}).mappings().all()
    scored = [_scored(dict(row), matter, (lon, lat), text, reach, now=now) for row in rows]
    likely = [one for one in scored if one.score >= LEAST_SCORE]
    return sorted(likely, key=lambda one: (-one.score, one.id))[:MOST_OFFERED]


def similarity(one: str, other: str) -> float:
    """How alike two texts are: the share of pairs of neighbouring characters that both have (Dice), from 0 to 1."""
    pairs, others = _pairs(one), _pairs(other)
    together = sum(pairs.values()) + sum(others.values())
    return 2 * sum((pairs & others).values()) / together if together else 0.0


def _pairs(text: str) -> Counter[str]:
    plain = "".join(c for c in fold(text) if c.isalnum())
    return Counter(a + b for a, b in zip(plain, plain[1:], strict=False))


def _near(matter: str, lat: float, reach: Reach, *, now: dt.datetime, scenario: str | None) -> sa.Select[Any]:
    here = here_3857()
    metres = reach.metres / math.cos(math.radians(lat))
    names = ("id", "title", "matter", "state", "description", "reported_at")
    spot = (sa.func.st_x(TABLE.c.geom).label("lon"), sa.func.st_y(TABLE.c.geom).label("lat"))
    return (
        sa.select(*(TABLE.c[name] for name in names), *spot)
        .where(
            TABLE.c.state.in_(OPEN),
            TABLE.c.scenario.is_not_distinct_from(scenario),
            TABLE.c.reported_at > now - dt.timedelta(days=reach.days),
            TABLE.c.matter.startswith(matter[:2]),
            sa.func.st_dwithin(TABLE.c.geom3857, here, metres),
        )
        .order_by(TABLE.c.reported_at.desc(), TABLE.c.id)
        .limit(_MOST_LOOKED_AT)
    )


def _scored(
    row: dict[str, Any], matter: str, at: tuple[float, float], text: str, reach: Reach, *, now: dt.datetime
) -> Duplicate:
    metres = float(distance_m(row["lon"], row["lat"], *at))
    age = max(now - row["reported_at"], dt.timedelta())
    same = row["matter"] == matter
    told = row["description"] or ""
    alike = max(similarity(text, told), similarity(text, f"{row['title']} {told}"))
    nearness = max(0.0, 1 - metres / reach.metres)
    freshness = max(0.0, 1 - age / dt.timedelta(days=reach.days))
    score = _SAME * (1 if same else _OF_CLASS) + _NEAR * nearness + _LATE * freshness + _ALIKE * alike
    hours = int(age.total_seconds() // 3600)
    why = (
        Title("同一事项", "The same matter") if same else Title("同一大类", "The same major class"),
        Title(f"相距{metres:.0f}米", f"{metres:.0f} m away"),
        Title(f"{hours}小时前上报", f"Reported {hours} h ago"),
        *([Title(f"描述相似{alike:.0%}", f"Told alike by {alike:.0%}")] if alike >= _OF_CLASS / 2 else []),
    )
    shown = {name: row[name] for name in ("id", "title", "state", "lon", "lat", "reported_at")}
    return Duplicate(**shown, distance_m=round(metres, 1), similarity=round(alike, 3), score=round(score, 3), why=why)
