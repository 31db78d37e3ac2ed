"""The desk to which questions are brought: finds the layers, has the question answered, and puts it into words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
import sqlalchemy as sa

from layers.ask.question import wording
from layers.ask.question.answer import Answer, Found, is_synthetic, sheet_of
from layers.ask.question.around import buffered, gaps, uncovered
from layers.ask.question.asked import Buffer, Count, CoverageGap, Isochrone, Nearest, Question, Records, Route, Select
from layers.ask.question.counts import class_field, counted, measured_field
from layers.ask.question.drawn import drawn
from layers.ask.question.errors import TooMuch
from layers.ask.question.records import nearest, selected
from layers.ask.question.roads import Roads
from layers.ask.question.travel import quickest, reached
from layers.ask.question.wanted import Find, wanted
from layers.catalog import road
from layers.errors import BadField
from layers.spec import Layer, Title

_AREAS = ("grid", "town", "county")


@dataclass(frozen=True)
class Told:
    """What was found, how the question reads, and which layers it tells of."""

    found: Found
    statement: Title
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Desk:
    """Answers questions; holds the road network between them."""

    roads: Roads = field(default_factory=Roads)

    def answer(self, connection: sa.Connection, question: Question, find: Find) -> Answer:
        """The answer to a question of someone who may know of the layers that `find` finds.

        Raises UnknownLayer, BadFilter or BadField when it cannot be asked, TooMuch when it takes too long or too much.
        """
        try:
            told = self._told(connection, question, find)
            synthetic = is_synthetic(connection, told.layers)
        except sa.exc.OperationalError as error:
            if isinstance(error.orig, psycopg.errors.QueryCanceled):
                raise TooMuch("the question took too long; narrow it by an area, a filter or a distance") from error
            raise
        except sa.exc.DataError as error:
            if isinstance(error.orig, psycopg.errors.NumericValueOutOfRange) and isinstance(question, Count):
                raise BadField(
                    {"field": f"the numbers of {question.field!r} add up to more than can be told"}
                ) from error
            raise
        names = tuple(sorted({layer.name for layer in told.layers}))
        sheet = sheet_of(told.found, title=_title(question, told.layers), statement=told.statement, synthetic=synthetic)
        return Answer(sheet, _canonical(question), names)

    def _told(self, connection: sa.Connection, question: Question, find: Find) -> Told:
        match question:
            case Select():
                records = wanted(question, find)
                found = selected(connection, records, limit=question.limit)
                return Told(found, wording.of_select(question, records), tuple(records.layers()))
            case Nearest():
                records = wanted(question, find)
                found = nearest(connection, records, question)
                return Told(found, wording.of_nearest(question, records), tuple(records.layers()))
            case Count():
                return _count(connection, question, find)
            case Buffer():
                return _buffer(connection, question, find)
            case CoverageGap():
                return _gap(connection, question, find)
            case Isochrone():
                layer = find(road.LAYER.name)
                return Told(reached(connection, self.roads, question), wording.of_isochrone(question), (layer,))
            case Route():
                layer = find(road.LAYER.name)
                found = quickest(connection, self.roads, question)
                return Told(found, wording.of_route(question, found=bool(found.rows)), (layer,))


def _count(connection: sa.Connection, question: Count, find: Find) -> Told:
    records = wanted(question, find)
    areas = (find(question.by),) if question.by in _AREAS else ()
    classes = class_field(records.layer, question) if question.by == "class" else None
    field = measured_field(records.layer, question)
    found = counted(connection, records, question, find)
    statement = wording.of_count(question, records, field=field, classes=classes)
    return Told(found, statement, (*records.layers(), *areas))


def _buffer(connection: sa.Connection, question: Buffer, find: Find) -> Told:
    area = None if question.geometry is None else drawn(question.geometry)
    records = None if question.records is None else wanted(question.records, find)
    found = buffered(connection, question, area=area, records=records)
    layers = () if records is None else tuple(records.layers())
    return Told(found, wording.of_buffer(question, area=area, records=records), layers)


def _gap(connection: sa.Connection, question: CoverageGap, find: Find) -> Told:
    records, of = wanted(question, find), wanted(question.of, find)
    find_gaps = gaps if question.reading == "distance" else uncovered
    found = find_gaps(connection, records, of, question)
    return Told(found, wording.of_gap(question, records, of), (*records.layers(), *of.layers()))


def _title(question: Question, layers: Iterable[Layer]) -> Title:
    kind = {
        "select": Title("查询", "selection"), "nearest": Title("最近", "nearest"), "count": Title("统计", "counts"),
        "buffer": Title("周围范围", "area around"), "coverage_gap": Title("覆盖空白", "coverage gaps"),
        "isochrone": Title("可达范围", "reach"), "route": Title("路线", "route"),
    }[question.ask]  # fmt: skip
    first = next(iter(layers), None) if isinstance(question, Records | Buffer) else None
    return kind if first is None else Title(f"{first.title.zh}：{kind.zh}", f"{first.title.en}: {kind.en}")


def _canonical(question: Question) -> dict[str, Any]:
    asked: dict[str, Any] = question.model_dump(mode="json", exclude_none=True)
    return asked
