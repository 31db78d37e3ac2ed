"""A result in short, so that it can be drawn as bars, kept for years, and compared with one of another month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import shapely

from layers.ask.results import Kept
from layers.export.sheet import SheetColumn
from layers.export.values import values
from layers.spec import Layer, Title
from layers.words import book_of

MOST_KEYS: Final = 5_000
MOST_BARS: Final = 30
_MEASURES: Final = ("n_per", "n", "uncovered_share", "nearest_m", "distance_m", "area_km2", "length_km", "length_m")
_DIGITS: Final = 6

Row = tuple[str, str | None, float | None, float | None, float | None]
"""Key, label, value, lon, lat."""


@dataclass(frozen=True)
class Bar:
    """One bar: the value of a column (None: none recorded), its words, and how many rows have it."""

    value: str | None
    title: Title
    n: int


@dataclass(frozen=True)
class Summary:
    """The rows by key, at most 5,000, with what is measured of each; and how they fall into classes.

    `measure` is the column that `value` comes from, None where a row is only there or not.
    """

    rows: tuple[Row, ...]
    cut: bool
    measure: SheetColumn | None
    classes: SheetColumn | None
    bars: tuple[Bar, ...]


def summary(kept: Kept, layer: Layer | None) -> Summary:
    """A result in short; `layer` is the one whose records it holds, if it is known."""
    columns = {column.name: column for column in kept.sheet.columns}
    measure = next((columns[name] for name in _MEASURES if name in columns), None)
    classes = None if layer is None or layer.classes is None or "id" not in columns else columns.get(layer.classes)
    label = next((columns[name] for name in ("name", layer.label if layer else "name") if name in columns), None)
    rows: list[Row] = []
    counted: Counter[str | None] = Counter()
    total = 0
    for batch in kept.sheet.batches():
        total += len(batch)
        if classes is not None:
            counted.update(None if value is None else str(value) for value in values(batch, classes))
        if len(rows) < MOST_KEYS:
            rows += _rows(batch, kept, label, measure)
    return Summary(tuple(rows[:MOST_KEYS]), total > MOST_KEYS or kept.sheet.truncated, measure, classes,
                   _bars(counted, classes))  # fmt: skip


def _rows(batch: Any, kept: Kept, label: SheetColumn | None, measure: SheetColumn | None) -> Iterator[Row]:
    keys = _keys(batch, kept.sheet.columns)
    first = kept.sheet.columns[0]
    labels: list[Any] = [_word(first, key) for key in keys] if label is None else values(batch, label)
    measured: list[Any] = [None] * len(batch) if measure is None else values(batch, measure)
    points = [(None, None)] * len(batch) if not kept.sheet.spatial else [_point(shape) for shape in batch.geometry]
    for key, name, value, (lon, lat) in zip(keys, labels, measured, points, strict=True):
        yield key, None if name is None else str(name), None if value is None else float(value), lon, lat


def _keys(batch: Any, columns: tuple[SheetColumn, ...]) -> list[str]:
    """The id, or else the first column (of ways and reaches with the next one, of totals nothing)."""
    names = [column.name for column in columns]
    if names[0] == "n":
        return [""] * len(batch)
    key = columns[:2] if names[0] in ("part", "minutes") else columns[:1]
    parts = [values(batch, column) for column in key]
    return ["·".join("" if value is None else str(value) for value in row) for row in zip(*parts, strict=True)]


def _word(column: SheetColumn, key: str) -> str:
    book = None if column.book is None else book_of(column.book)
    return book.word(key, "zh") if book is not None and key in book else key


def _point(shape: shapely.Geometry | None) -> tuple[float | None, float | None]:
    if shape is None or shape.is_empty:
        return None, None
    point = shape if shape.geom_type == "Point" else shape.representative_point()
    return round(point.x, _DIGITS), round(point.y, _DIGITS)


def _bars(counted: Counter[str | None], column: SheetColumn | None) -> tuple[Bar, ...]:
    if column is None:
        return ()
    labels = {} if column.book is None else book_of(column.book).labels()

    def title(value: str | None) -> Title:
        said = labels.get(value or "")
        if said is not None:
            return Title(said["zh"], said["en"])
        return Title("未填", "not given") if value is None else Title(value, value)

    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0] or ""))
    return tuple(Bar(value, title(value), n) for value, n in ordered[:MOST_BARS])
