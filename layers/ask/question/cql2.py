"""Records of a question as one CQL2 filter, as far as CQL2 can say which they are: for OGC clients, who ask no more."""

from __future__ import annotations

import json
from typing import Any, Final

import shapely

from layers.ask.filter import parse
from layers.ask.filter.parse import MOST_CHARACTERS
from layers.ask.filter.write import as_text
from layers.ask.question.wanted import Towards, Wanted
from layers.errors import BadFilter

_DIGITS: Final = 7


def as_cql2(wanted: Wanted) -> tuple[str, dict[str, Any]] | None:
    """The filter as CQL2 text and as CQL2 JSON; None where it relates records to records, or is too long for a URL.

    Without a filter and conditions the text is empty.
    """
    parts = [] if wanted.filter is None else [wanted.filter.tree]
    for towards in wanted.towards:
        part = _drawn(towards, points=wanted.layer.geometry == "Point")
        if part is None:
            return None
        parts.append(part)
    if not parts:
        return "", {}
    try:
        whole = parse(json.dumps({"op": "and", "args": parts} if len(parts) > 1 else parts[0]), "cql2-json")
    except BadFilter:  # too many vertices or parts
        return None
    text = as_text(whole.tree)
    return (text, whole.tree) if len(text) <= MOST_CHARACTERS["cql2-text"] else None


def _drawn(towards: Towards, *, points: bool) -> dict[str, Any] | None:
    if towards.area is None:
        return None
    geom: list[Any] = [{"property": "geom"}, _geometry(towards.area.shape)]
    match towards.asked.relation:
        case "within" if not points:
            return {"op": "s_within", "args": geom}
        # What is within for points includes the border.
        case "within" | "crossing":
            return {"op": "s_intersects", "args": geom}
        case "near" | "not_near":
            near = {"op": "near_m", "args": [*geom, towards.asked.distance_m]}
            return near if towards.asked.relation == "near" else {"op": "not", "args": [near]}
        case _:
            return None


def _geometry(shape: shapely.Geometry) -> dict[str, Any]:
    """As GeoJSON to the centimetre, single where it has one part."""
    parts = shapely.get_parts(shape)
    single = parts[0] if len(parts) == 1 else shape
    geometry: dict[str, Any] = json.loads(shapely.to_geojson(single))
    return {"type": geometry["type"], "coordinates": _rounded(geometry["coordinates"])}


def _rounded(node: Any) -> Any:
    return [_rounded(part) for part in node] if isinstance(node, list) else round(node, _DIGITS)
