"""The query parameters of the OGC resources: described once, for both API descriptions, and read into a question."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from api.routes.ogc.request import COMMON
from layers.ask.crs import CRS84, CRSS, Crs, crs_named, inside
from layers.ask.features import MOST_FEATURES, Drawn, Question
from layers.ask.filter import Language, condition, parse, queryables
from layers.ask.keyset import Place, keys_of, place_at
from layers.ask.period import during, period
from layers.ask.values import value_of
from layers.errors import BadParameter
from layers.spec import Layer

USUAL_LIMIT = 100
_LANGUAGES: dict[str, Language] = {"cql2-text": "cql2-text", "cql2-json": "cql2-json"}
_TEXT = {"type": "string"}
_CRS = {"type": "string", "enum": [crs.uri for crs in CRSS], "default": CRS84.uri}

# Each is described once: as it stands in the API description, where a parameter is a name, a schema and a sentence.
_DESCRIBED: dict[str, tuple[dict[str, Any], str]] = {
    "f": ({"type": "string", "enum": ["json", "html"]}, "form of the answer; the Accept header decides without it"),
    "lang": ({"type": "string", "enum": ["zh", "en"], "default": "zh"}, "language of titles and pages"),
    "limit": (
        {"type": "integer", "minimum": 1, "maximum": MOST_FEATURES, "default": USUAL_LIMIT},
        "most features of a page; a larger number means the largest",
    ),
    "bbox": (_TEXT, "4 or 6 numbers: the lower corner, then the upper one, in bbox-crs"),
    "bbox-crs": (_CRS, "coordinate system of bbox"),
    "crs": (_CRS, "coordinate system of the answer, in its authority's order of axes"),
    "datetime": (_TEXT, "a date or time, or an interval with a slash, of which one end may be .."),
    "filter": (_TEXT, "a CQL2 expression over the queryables"),
    "filter-lang": ({"type": "string", "enum": list(_LANGUAGES), "default": "cql2-text"}, "language of filter"),
    "filter-crs": (_CRS, "coordinate system of the geometries in filter"),
    "sortby": (_TEXT, "queryables in order of weight, each with + or - before it"),
    "properties": (_TEXT, "the fields to tell, separated by commas; all without it"),
    "cursor": (_TEXT, "where the page begins; taken from the links of another page"),
}
ITEMS = tuple(name for name in _DESCRIBED if name not in COMMON)
ITEM = ("crs", "properties")
# What chooses the coordinates and the form of a page, but not which records stand in it nor their order.
_PRESENTING = {*COMMON, "limit", "crs", "properties", "cursor"}


def description(name: str) -> dict[str, Any]:
    """A parameter as API descriptions have it."""
    schema, text = _DESCRIBED[name]
    listed = {"style": "form", "explode": False} if name in ("bbox", "sortby", "properties") else {}
    return {"name": name, "in": "query", "required": False, "description": text, "schema": schema, **listed}


def described(*names: str) -> dict[str, Any]:
    """What a route tells the API description of its query parameters."""
    return {"parameters": [description(name) for name in (*COMMON, *names)]}


def filtered_by(layer: Layer) -> list[str]:
    """The queryables whose names are parameters, for equality."""
    return [name for name, known in queryables(layer).items() if not known.geometry and name not in _DESCRIBED]


def question_of(layer: Layer, values: Mapping[str, str]) -> Question:
    """Which records the parameters of items choose, and in which order; BadParameter, BadFilter."""
    conditions: list[sa.ColumnElement[bool]] = []
    if "bbox" in values:
        crs = crs_named(values.get("bbox-crs", CRS84.uri), parameter="bbox-crs")
        conditions.append(inside(layer, values["bbox"], crs))
    if "datetime" in values:
        conditions.append(during(layer, period(values["datetime"])))
    conditions += [_equal(layer, name, values[name]) for name in filtered_by(layer) if name in values]
    if "filter" in values:
        conditions.append(_filtered(layer, values))
    _reject_orphans(values)
    return Question(layer, keys_of(layer, values.get("sortby", "")), tuple(conditions))


def _equal(layer: Layer, name: str, text: str) -> sa.ColumnElement[bool]:
    known = queryables(layer)[name]
    if known.kind == "geometry":
        raise BadParameter(name, "is a geometry; use bbox or filter")
    try:
        equal: sa.ColumnElement[bool] = known.column == value_of(known.kind, text)
    except ValueError as error:
        raise BadParameter(name, str(error)) from None
    return equal


def _filtered(layer: Layer, values: Mapping[str, str]) -> sa.ColumnElement[bool]:
    crs = crs_named(values.get("filter-crs", CRS84.uri), parameter="filter-crs")
    lang: Language | None = _LANGUAGES.get(values.get("filter-lang", "cql2-text"))
    if lang is None:
        raise BadParameter("filter-lang", f"must be one of {', '.join(_LANGUAGES)}")
    return condition(layer, parse(values["filter"], lang), srid=crs.srid, axes_swapped=crs.axes_swapped)


def _reject_orphans(values: Mapping[str, str]) -> None:
    for name, of in (("bbox-crs", "bbox"), ("filter-lang", "filter"), ("filter-crs", "filter")):
        if name in values and of not in values:
            raise BadParameter(name, f"means nothing without {of}")


def saying(layer: Layer, values: Mapping[str, str]) -> str:
    """What was asked of a layer, as one text: cursors are good for the same text only."""
    return json.dumps([layer.name, sorted((k, v) for k, v in values.items() if k not in _PRESENTING)])


def place_of(layer: Layer, values: Mapping[str, str], question: Question) -> Place | None:
    """Where the page begins; None at the beginning."""
    if "cursor" not in values:
        return None
    return place_at(values["cursor"], question.keys, question=saying(layer, values))


def limit_of(values: Mapping[str, str]) -> int:
    """How many records a page may hold; a number above the ceiling is taken as the ceiling."""
    text = values.get("limit", str(USUAL_LIMIT))
    if not re.fullmatch(r"0{0,20}[1-9][0-9]{0,20}", text):
        raise BadParameter("limit", f"must be a whole number from 1 to {MOST_FEATURES}")
    return min(int(text), MOST_FEATURES)


def drawn_of(layer: Layer, values: Mapping[str, str]) -> Drawn:
    """In which coordinates, and with which fields, records are told."""
    return Drawn(crs_of(values), _fields(layer, values.get("properties")))


def crs_of(values: Mapping[str, str]) -> Crs:
    """The coordinate system of the answer."""
    return crs_named(values["crs"]) if "crs" in values else CRS84


def _fields(layer: Layer, text: str | None) -> tuple[Any, ...]:
    if text is None:
        return layer.fields
    names = text.split(",")
    for name in names:
        if layer.field(name) is None:
            raise BadParameter("properties", f"layer {layer.name!r} has no field {name[:60]!r}")
    return tuple(field for field in layer.fields if field.name in names)
