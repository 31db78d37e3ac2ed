"""Cases as files: a line a case as it stands, or a line a step, which another city can take in again."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import sqlalchemy as sa

from layers.ask.catalogue import SYNTHETIC
from layers.catalog import incident
from layers.catalog.incident import TABLE
from layers.export.sheet import Sheet, SheetColumn
from layers.loop.exchange_columns import COLUMNS, PERSONAL
from layers.loop.incidents import SIMULATED
from layers.loop.queues import Asked, conditions
from layers.loop.tables import STEP
from layers.people.access import Actor
from layers.spec import Title

MOST_CASES: Final = 20_000
MOST_STEPS: Final = 100_000
_NUMBERS: Final = re.compile(r"\d[\d\- ]{5,}\d")
_WORDS: Final = ("title", "description", "address", "text", "note")
_MADE_UP: Final = (SYNTHETIC, SIMULATED)
_REPORTED: Final = ("channel", "matter", "level", "address", "grid_id", "line", "appeal", "title")
_CASES: Final = Title("案卷", "Cases")
_STEPS: Final = Title("案卷步骤", "Steps of cases")


@dataclass(frozen=True)
class Wanted:
    """Which cases somebody asks for, and as whom; `seen` is what they see."""

    asked: Asked
    actor: Actor
    seen: sa.ColumnElement[bool]
    now: dt.datetime


def cases_sheet(connection: sa.Connection, wanted: Wanted, *, credit: Title) -> Sheet:
    """The cases of a queue as they stand, at most 20,000; who told of them is not in it, nor are numbers in texts."""
    fields = [f for f in incident.LAYER.fields if f.name in TABLE.c]
    columns = (
        SheetColumn("id", Title("案卷编号", "Number"), "text"),
        *(SheetColumn(f.name, f.title, f.kind, book=f.book) for f in fields if f.kind in _KINDS),
    )
    place = (sa.func.st_x(TABLE.c.geom).label("lon"), sa.func.st_y(TABLE.c.geom).label("lat"))
    statement = _chosen(wanted, *(TABLE.c[column.name] for column in columns), TABLE.c.source, *place)
    rows = [dict(row) for row in connection.execute(statement.limit(MOST_CASES + 1)).mappings()]
    more, rows = len(rows) > MOST_CASES, rows[:MOST_CASES]
    points = gpd.points_from_xy([row["lon"] for row in rows], [row["lat"] for row in rows], crs="EPSG:4326")
    frame = gpd.GeoDataFrame(_frame(rows, [column.name for column in columns]), geometry=points)
    return _sheet(_CASES, columns, frame, rows, wanted, truncated=more, credit=credit, spatial=True)


def steps_sheet(connection: sa.Connection, wanted: Wanted, *, credit: Title) -> Sheet:
    """The steps of the cases of a queue, at most 100,000, as `exchange.take_lines` takes them in elsewhere."""
    place = (sa.func.st_x(TABLE.c.geom).label("lon"), sa.func.st_y(TABLE.c.geom).label("lat"))
    told = [TABLE.c[name] for name in (*_REPORTED, "component_id", "description", "source")]
    chosen = _chosen(wanted, TABLE.c.id, *told, *place).limit(MOST_CASES + 1).cte("chosen")
    statement = sa.select(STEP, chosen).join(chosen, chosen.c.id == STEP.c.incident).order_by(STEP.c.id)
    own = [column.name for column in STEP.c]
    rows = []
    for row in connection.execute(statement.limit(MOST_STEPS + 1)):
        rows.append(
            (dict(zip(own, row[: len(own)], strict=True)), dict(zip(chosen.c.keys(), row[len(own) :], strict=True)))
        )
    more, rows = len(rows) > MOST_STEPS, rows[:MOST_STEPS]
    names = [name for name in COLUMNS if name not in PERSONAL]
    lines = [_line(step, case) for step, case in rows]
    columns = tuple(SheetColumn(name, COLUMNS[name], "text") for name in names)
    frame = gpd.GeoDataFrame(_frame(lines, names))
    cases = [case for _, case in rows]
    return _sheet(_STEPS, columns, frame, cases, wanted, truncated=more, credit=credit, spatial=False)


_KINDS: Final = ("text", "code", "integer", "number", "date", "time", "boolean")


def _chosen(wanted: Wanted, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    within = conditions(wanted.asked, wanted.actor, now=wanted.now)
    return sa.select(*columns).where(wanted.seen, *within).order_by(TABLE.c.id)


def _line(step: Mapping[str, Any], case: Mapping[str, Any]) -> dict[str, Any]:
    """A step as a line: the report with what the case is, the others with what they carried."""
    line: dict[str, Any] = {"number": case["id"], "entry": str(step["id"]), "step": step["step"], "note": step["note"]}
    carried = step["carries"]
    if step["step"] == "report":
        line |= {name: case[name] for name in _REPORTED}
        line |= {"component": case["component_id"], "text": case["description"]}
        if line["component"] is not None:
            line["matter"] = None  # the component says it
        return line | {"lon": f"{case['lon']:.7f}", "lat": f"{case['lat']:.7f}"}
    line |= {
        name: carried.get(name)
        for name in ("reason", "finding", "until", "lead", "assignee", "into", "matter", "level")
    }
    line["co"] = ",".join(carried.get("co") or ()) or None
    if place := carried.get("place"):
        line |= {"lon": f"{place[0]:.7f}", "lat": f"{place[1]:.7f}"}
    return line if step["step"] != "dispatch" else line | {"until": None}


def _frame(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([_told(name, row.get(name)) for row in rows], dtype=object) for name in names})


def _told(name: str, value: Any) -> Any:
    """Numbers of telephones and identity cards are starred wherever people wrote them."""
    return _NUMBERS.sub("***", value) if name in _WORDS and isinstance(value, str) else value


def _sheet(
    title: Title,
    columns: tuple[SheetColumn, ...],
    frame: gpd.GeoDataFrame,
    rows: Sequence[Mapping[str, Any]],
    wanted: Wanted,
    *,
    truncated: bool,
    credit: Title,
    spatial: bool,
) -> Sheet:
    def batches() -> Iterator[gpd.GeoDataFrame]:
        for start in range(0, len(frame), 2_000):
            yield frame.iloc[start : start + 2_000]

    drill = wanted.actor.scenario
    mark = Title("", "") if drill is None else Title(f"【演练 {drill}】", f"[exercise {drill}] ")
    return Sheet(
        title=Title(f"{mark.zh}{title.zh}", f"{mark.en}{title.en}"),
        statement=Title(f"{mark.zh}队列 {wanted.asked.queue}", f"{mark.en}queue {wanted.asked.queue}"),
        columns=columns,
        spatial=spatial,
        rows=len(frame),
        truncated=truncated,
        synthetic=any(row["source"] in _MADE_UP for row in rows),
        made_at=wanted.now,
        batches=batches,
        attribution=credit,
    )
