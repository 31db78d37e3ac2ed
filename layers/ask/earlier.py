"""What an earlier result found, for the next question to stand on: its records, or the area that it drew."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely

from layers.ask.question.drawn import MOST_VERTICES, Drawn
from layers.ask.question.errors import TooMuch
from layers.ask.question.wanted import Earlier
from layers.ask.results import Kept
from layers.errors import BadField
from layers.spec import Title

MOST_UNITED: Final = 500_000
"""Outlines of so many vertices are put together as one area, at most."""
_OF_RECORDS: Final = ("select", "nearest", "coverage_gap")
_OF_AREAS: Final = ("grid", "town", "county")


def earlier(kept: Kept) -> Earlier:
    """The records of a result by their ids, else all its areas as one, else its lines.

    BadField when it has no place, TooMuch when its outline has more vertices than may be drawn.
    """
    layer, column = _records_of(kept.asked)
    title = _cut(kept.sheet.title) if kept.sheet.truncated else kept.sheet.title
    if layer is not None:
        ids = tuple(str(id) for batch in kept.sheet.batches() for id in batch[column] if id is not None)
        return Earlier(title, kept.layers, layer=layer, ids=ids)
    return Earlier(title, kept.layers, area=_area(kept))


def _cut(title: Title) -> Title:
    """What stands on a part of an answer must not read as if it stood on the whole."""
    return Title(f"{title.zh}（不全）", f"{title.en} (cut)")


def _records_of(asked: dict[str, Any]) -> tuple[str | None, str]:
    if asked["ask"] in _OF_RECORDS:
        return asked["layer"], "id"
    if asked["ask"] == "count" and asked["by"] in _OF_AREAS:
        return asked["by"], "key"
    return None, ""


def _area(kept: Kept) -> Drawn:
    shapes = [shape for batch in kept.sheet.batches() if kept.sheet.spatial for shape in batch.geometry]
    drawn = np.array([shape for shape in shapes if shape is not None and not shape.is_empty], dtype=object)
    if drawn.size == 0:
        raise BadField({"where": f"the result {kept.id!r} has no places"}).because("no_places")
    if shapely.get_num_coordinates(drawn).sum() > MOST_UNITED:
        raise TooMuch(f"the result {kept.id!r} has more than {MOST_UNITED:,} vertices to be put together")
    dimensions = shapely.get_dimensions(drawn)
    united = shapely.union_all(drawn[dimensions == dimensions.max()])
    if shapely.get_num_coordinates(united) > MOST_VERTICES:
        raise TooMuch(f"the outline of the result {kept.id!r} has more than {MOST_VERTICES:,} vertices")
    parts = shapely.get_parts(united).tolist()
    whole = {2: shapely.MultiPolygon, 1: shapely.MultiLineString}.get(int(dimensions.max()))
    return Drawn(united if whole is None else whole(parts))
