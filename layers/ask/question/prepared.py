"""A question made ready: its layers found, its filters read, its words said, and what is left to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from layers.ask.question import wording
from layers.ask.question.answer import Found
from layers.ask.question.around import buffered, gaps, uncovered
from layers.ask.question.asked import Buffer, Count, CoverageGap, Isochrone, Nearest, Question, Records, Route, Select
from layers.ask.question.counts import class_field, counted, measured_field
from layers.ask.question.drawn import drawn
from layers.ask.question.records import nearest, selected
from layers.ask.question.roads import Roads
from layers.ask.question.travel import quickest, reached
from layers.ask.question.wanted import Find, FindResult, Wanted, no_results, wanted
from layers.catalog import road
from layers.errors import BadField
from layers.spec import Layer, Title

_AREAS = ("grid", "town", "county")


@dataclass(frozen=True)
class Prepared:
    """What a question means, in words and as JSON (`asked`), before it is run.

    `records` are the records that it is about, as far as it is about some; `layers` all layers that it tells of.
    """

    title: Title
    statement: Title
    asked: dict[str, Any]
    layers: tuple[Layer, ...]
    records: Wanted | None
    run: Callable[[sa.Connection], Found]


def go_on() -> None:
    """What is called between the long steps of a question that nobody gives up."""


def prepared(
    question: Question,
    find: Find,
    roads: Roads,
    results: FindResult = no_results,
    *,
    between: Callable[[], None] = go_on,
) -> Prepared:
    """The question made ready; UnknownLayer, UnknownResult, BadFilter or BadField when it cannot be asked.

    `between` is called between those of its long steps that the database does not do, and ends it by what it raises.
    """
    match question:
        case Select():
            records = wanted(question, find, results)
            return _about(
                question, records, wording.of_select(question, records),
                run=lambda connection: selected(connection, records, limit=question.limit),
            )  # fmt: skip
        case Nearest():
            records = wanted(question, find, results)
            return _about(
                question, records, wording.of_nearest(question, records),
                run=lambda connection: nearest(connection, records, question),
            )  # fmt: skip
        case Count():
            return _count(question, find, results)
        case Buffer():
            return _buffer(question, find, results)
        case CoverageGap():
            return _gap(question, find, results)
        case Isochrone():
            layer = find(road.LAYER.name)
            return _whole(
                question, wording.of_isochrone(question), (layer,), None,
                lambda c: reached(c, roads, question, between=between),
            )  # fmt: skip
        case Route():
            layer = find(road.LAYER.name)
            statement = wording.of_route(question, found=True)
            return _whole(question, statement, (layer,), None, lambda c: quickest(c, roads, question, between=between))


def _count(question: Count, find: Find, results: FindResult) -> Prepared:
    records = wanted(question, find, results)
    per = None if question.per is None else wanted(question.per, find, results)
    areas = (find(question.by),) if question.by in _AREAS else ()
    classes = class_field(records.layer, question) if question.by == "class" else None
    field = measured_field(records.layer, question)
    statement = wording.of_count(question, records, field=field, classes=classes, per=per)
    also = () if per is None else tuple(per.layers())
    if per is not None:
        per.conditions()
    return _about(
        question, records, statement, *areas, *also,
        run=lambda connection: counted(connection, records, question, find, per=per),
    )  # fmt: skip


def _buffer(question: Buffer, find: Find, results: FindResult) -> Prepared:
    area = None if question.geometry is None else drawn(question.geometry)
    records = None if question.records is None else wanted(question.records, find, results)
    layers = () if records is None else tuple(records.layers())
    if records is not None:
        records.conditions()
    statement = wording.of_buffer(question, area=area, records=records)
    return _whole(
        question, statement, layers, records, lambda c: buffered(c, question, area=area, records=records)
    )  # fmt: skip


def _gap(question: CoverageGap, find: Find, results: FindResult) -> Prepared:
    records, of = wanted(question, find, results), wanted(question.of, find, results)
    of.conditions()
    if question.reading == "uncovered" and records.layer.geometry != "MultiPolygon":
        raise BadField({"reading": "'uncovered' is for layers of areas"}).because("not_areas")
    find_gaps = gaps if question.reading == "distance" else uncovered
    statement = wording.of_gap(question, records, of)
    return _about(
        question, records, statement, *of.layers(), run=lambda connection: find_gaps(connection, records, of, question)
    )


def _about(
    question: Question, records: Wanted, statement: Title, *more: Layer, run: Callable[[sa.Connection], Found]
) -> Prepared:
    # Conditions are checked when they become SQL: a filter that does not fit is refused before anything runs.
    records.conditions()
    return _whole(question, statement, (*records.layers(), *more), records, run)


def _whole(
    question: Question,
    statement: Title,
    layers: tuple[Layer, ...],
    records: Wanted | None,
    run: Callable[[sa.Connection], Found],
) -> Prepared:
    return Prepared(_title(question, layers), statement, _canonical(question), layers, records, run)


def _title(question: Question, layers: tuple[Layer, ...]) -> Title:
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
