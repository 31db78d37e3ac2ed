"""Figures as a file: those of a topic, or of some indicators, as CSV or Excel."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.deps import ActorDep, ReadDep, ServiceDep
from api.routes.indicators import By, Code, Seen, SeenDep, known
from api.routes.query import Turn, attached, chunks, written
from api.routes.topics import there_for
from api.service import Service
from layers.ask.catalogue import Summary, summaries
from layers.ask.clauses import Among, Starts, cql2
from layers.ask.facets import facets
from layers.ask.filter import parse
from layers.ask.indicator.amounts import Area
from layers.ask.indicator.figures import area_of, figures
from layers.ask.indicator.indicator import CITY, Indicator
from layers.ask.indicator.report import Line, Source, lines_of, lines_of_states, sheet
from layers.ask.period import CITY_TIME
from layers.errors import BadParameter, UnknownIndicator, UnknownTopic
from layers.export.formats import FORMATS
from layers.export.sheet import of_exercise
from layers.people.access import Actor, may
from layers.spec import Title
from layers.topics import Topic, arranged

router = APIRouter(tags=["indicators"])
MOST_INDICATORS = 20
MOST_VALUES = 10_000
Names = Annotated[
    str | None,
    Query(pattern=r"^[a-z][a-z0-9-]*(,[a-z][a-z0-9-]*)*$", max_length=1_000, description="names, with commas between"),
]
Called = Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9-]{0,40}$", description="see /topics")]


@router.get("/indicators.{format}", response_class=StreamingResponse)
def report(
    format: Literal["csv", "xlsx"],
    service: ServiceDep,
    actor: ActorDep,
    seen: SeenDep,
    _: Turn,
    connection: ReadDep,
    of: Names = None,
    topic: Called = None,
    by: By | None = None,
    area: Code = None,
) -> StreamingResponse:
    """The figures of a topic's panels, or of the indicators `of` by area or column, one row each.

    A row has the unit, both parts, the norm and how it is kept, the time, the source, and whether it is invented.
    """
    if (of is None) == (topic is None) or (topic is not None and by is not None):
        raise BadParameter("of", "give either `of`, and `by` if wished, or `topic`")
    within = None if area is None else area_of(connection, area, seen)
    writing = _Writing(service, connection, seen, within)
    if topic is not None:
        found = service.topics.all().get(topic)
        there = there_for(service, actor, connection)
        shown = arranged(found, there) if found is not None and may(actor, "view", found) else None
        if found is None or shown is None:
            raise UnknownTopic(topic)
        writing.topic(found, shown["panels"])
        return _file(format, service, actor, writing, found.title)
    names = list(dict.fromkeys((of or "").split(",")))
    if len(names) > MOST_INDICATORS:
        raise BadParameter("of", f"names more than {MOST_INDICATORS} indicators")
    for name in names:
        writing.indicator(name, by or CITY, wanted=True)
    return _file(format, service, actor, writing, Title("指标", "Figures"))


class _Writing:
    """The rows of a report, collected one indicator after the other."""

    def __init__(self, service: Service, connection: sa.Connection, seen: Seen, area: Area | None) -> None:
        self._service, self._connection, self._seen, self._area = service, connection, seen, area
        self._done: set[tuple[str, str]] = set()
        self.lines: list[Line] = []
        self.truncated = False

    def topic(self, topic: Topic, panels: Iterable[Mapping[str, Any]]) -> None:
        """What those panels of a topic tell that are there for the caller, each figure once."""
        for panel in panels:
            for name in panel.get("indicators", filter(None, [panel.get("indicator")])):
                self.indicator(name, panel.get("by", CITY), wanted=False)
            if panel["kind"] == "statuses":
                self._states(topic, panel["layer"], panel["column"])

    def indicator(self, name: str, by: str, *, wanted: bool) -> None:
        """The figures of one indicator; UnknownIndicator where it was `wanted` and there is none for the caller."""
        indicator: Indicator | None = self._service.indicators.get(name)
        if indicator is None or not known([indicator], self._seen):
            if wanted:
                raise UnknownIndicator(name)
            return
        if (name, by) in self._done:
            return
        self._done.add((name, by))
        at = self._service.counter.fresh(self._connection, indicator, self._service.registry.all())
        found = figures(self._connection, indicator, self._seen, by=by, area=self._area, limit=MOST_VALUES)
        self.truncated = self.truncated or found.truncated
        self.lines += lines_of(indicator, by, found, _source(self._summaries(indicator.layers), at))

    def _states(self, topic: Topic, layer: str, column: str) -> None:
        conditions = next((shown.conditions for shown in topic.layers if shown.layer == layer), {})
        asked = " AND ".join(filter(None, [cql2(conditions), self._inside()]))
        found = facets(self._connection, self._seen[layer], parse(asked) if asked else None)
        facet = next((each for each in found.facets if each.field.name == column), None)
        if facet is None:
            return
        self.truncated = self.truncated or facet.truncated
        source = _source(self._summaries([layer]), dt.datetime.now(dt.UTC))
        self.lines += lines_of_states(self._seen[layer], facet, source)

    def _inside(self) -> str:
        if self._area is None:
            return ""
        by_grid = self._area.level == "grid"
        return cql2({"grid_id": Among((self._area.code,))} if by_grid else {"admin_code": Starts(self._area.code)})

    def _summaries(self, names: Iterable[str]) -> list[Summary]:
        return summaries(self._connection, [self._seen[name] for name in names])


def _source(used: list[Summary], at: dt.datetime) -> Source:
    updated = [each.updated for each in used if each.updated is not None]
    names = "、".join(each.layer.title.zh for each in used)
    return Source(at, names, max(updated, default=None), any(each.synthetic for each in used))


def _file(format: str, service: Service, actor: Actor, writing: _Writing, title: Title) -> StreamingResponse:
    settings, wanted = service.settings, FORMATS[format]
    credit = Title(settings.attribution_zh, settings.attribution_en)
    statement = Title(f"{title.zh}：各指标的数值、分子与分母", f"{title.en}: values with their parts")
    made = sheet(title, statement, writing.lines, truncated=writing.truncated, credit=credit)
    made = of_exercise(made, actor.scenario)
    file = written(lambda path: wanted.write(made, path), service.results.scratch(wanted.name))
    day = made.made_at.astimezone(CITY_TIME).date()
    headers = {
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization, Cookie",
        "Content-Length": str(os.fstat(file.fileno()).st_size),
        "Content-Disposition": attached(f"figures{wanted.suffix}", f"{made.title.zh} {day}{wanted.suffix}"),
    }
    return StreamingResponse(chunks(file), media_type=wanted.media_type, headers=headers)
