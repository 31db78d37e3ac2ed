"""Fields of a layer as JSON Schema: what its features hold, and what they can be found by (Features Parts 3 and 5)."""

from __future__ import annotations

from typing import Any

from api.routes.ogc.request import Ask
from layers.ask.filter import queryables
from layers.spec import Field, FieldKind, Layer
from layers.words import book_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MOST_CODES = 500
_TYPES: dict[FieldKind, dict[str, str]] = {
    "text": {"type": "string"},
    "code": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "date-time"},
}
# The codes of UCUM, which Part 5 takes units from; units that only count (人, 条) have none.
_UCUM = {"m": "m", "km²": "km2", "°": "deg", "km/h": "km/h"}


def features_schema(ask: Ask, layer: Layer) -> dict[str, Any]:
    """The schema of the layer's features: the id, the geometry, and each declared field."""
    declared = {field.name: _of_field(ask, field) for field in layer.fields}
    always = {
        "id": {"title": "id", **_TYPES["text"], "readOnly": True, "x-ogc-role": "id"},
        "geom": _of_geometry(ask, layer),
    }
    required = [field.name for field in layer.fields if field.required]
    return {**_schema(ask, layer, "schema", {**always, **declared}), "required": ["id", "geom", *required]}


def queryables_schema(ask: Ask, layer: Layer) -> dict[str, Any]:
    """The schema of what `filter`, `sortby` and parameters of the same names may name."""
    properties = {}
    for name, known in queryables(layer).items():
        field = layer.field(name)
        if known.kind == "geometry":
            properties[name] = _of_geometry(ask, layer)
        elif field is not None:
            properties[name] = _of_field(ask, field)
        else:
            role = {"x-ogc-role": "id"} if name == "id" else {}
            properties[name] = {"title": ask.say(*known.title), **_TYPES[known.kind], **role}
    return {**_schema(ask, layer, "queryables", properties), "additionalProperties": False}


def _schema(ask: Ask, layer: Layer, resource: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": DIALECT,
        "$id": f"{ask.root}/collections/{layer.name}/{resource}",
        "type": "object",
        "title": ask.say(*layer.title),
        "description": ask.say(*layer.about),
        "properties": properties,
    }


def _of_geometry(ask: Ask, layer: Layer) -> dict[str, Any]:
    return {
        "title": ask.say("几何", "Geometry"),
        "x-ogc-role": "primary-geometry",
        "format": f"geometry-{layer.geometry.lower()}",
    }


def _of_field(ask: Ask, field: Field) -> dict[str, Any]:
    told: dict[str, Any] = {"title": ask.say(*field.title), **_TYPES[field.kind]}
    if field.kind == "text":
        told["maxLength"] = field.max_length
    if field.unit is not None:
        told["description"] = ask.say(f"单位：{field.unit}", f"unit: {field.unit}")
        if field.unit in _UCUM:
            told["x-ogc-unit"] = _UCUM[field.unit]
    told |= {"minimum": field.minimum} if field.minimum is not None else {}
    told |= {"maximum": field.maximum} if field.maximum is not None else {}
    if field.book is not None:
        words = [(entry.code, ask.say(entry.zh, entry.en)) for entry in book_of(field.book).entries]
        if len(words) <= MOST_CODES:
            told["oneOf"] = [{"const": code, "title": word} for code, word in words]
    return told
