"""What the catalogue says of a layer: how much it holds, and how its codes and colours read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from layers.look import DENSITY_STOPS, legend
from layers.palette import PALETTES, colours
from layers.people.scope import seen_by
from layers.spec import Layer
from layers.store.core import CELL_COUNT, DELIVERY
from layers.store.schema import class_expression
from layers.words import book_of, standard_of

SYNTHETIC = "synthetic"
_COARSEST = 5
_PLACE_BOOKS = ("place_method", "place_precision")  # of the context that every record has


@dataclass(frozen=True)
class Summary:
    """How many records a layer holds, in all and by class, whether all are synthetic, when it was last delivered."""

    layer: Layer
    count: int
    by_class: dict[str, int] | None
    synthetic: bool
    updated: dt.datetime | None


def summaries(connection: sa.Connection, layers: Sequence[Layer]) -> list[Summary]:
    """One summary for each layer, from the cell counts: no table is scanned but those of scoped layers."""
    counts = {layer.name: _seen(connection, layer) for layer in layers if layer.scoped}
    kept = [layer.name for layer in layers if not layer.scoped]
    counted = (
        sa.select(CELL_COUNT.c.layer, CELL_COUNT.c["class"], sa.cast(sa.func.sum(CELL_COUNT.c.n), sa.BigInteger))
        .where(CELL_COUNT.c.res == _COARSEST, CELL_COUNT.c.layer.in_(kept))
        .group_by(CELL_COUNT.c.layer, CELL_COUNT.c["class"])
        .having(sa.func.sum(CELL_COUNT.c.n) > 0)
    )
    for name, value, n in connection.execute(counted):
        counts.setdefault(name, {})[value] = n
    delivered = {
        row.layer: row
        for row in connection.execute(
            sa.select(
                DELIVERY.c.layer,
                sa.func.max(DELIVERY.c.at).label("updated"),
                sa.func.bool_and(DELIVERY.c.source == SYNTHETIC).label("synthetic"),
            )
            .where(DELIVERY.c.undone_at.is_(None))
            .group_by(DELIVERY.c.layer)
        )
    }
    return [_summary(layer, counts.get(layer.name, {}), delivered.get(layer.name)) for layer in layers]


def _seen(connection: sa.Connection, layer: Layer) -> dict[str, int]:
    """How many records of a scoped layer are seen, by class."""
    value = sa.literal_column(class_expression(layer), sa.Text).label("class")
    seen = sa.select(value, sa.func.count()).select_from(layer.table).where(*seen_by(connection, [layer]))
    return {row[0]: row[1] for row in connection.execute(seen.group_by(sa.literal_column("1")))}


def _summary(layer: Layer, counts: dict[str, int], delivered: sa.Row[Any, Any, Any] | None) -> Summary:
    return Summary(
        layer=layer,
        count=sum(counts.values()),
        by_class=None if layer.classes is None else counts,
        synthetic=delivered is not None and delivered.synthetic,
        updated=None if delivered is None else delivered.updated,
    )


def describe(layer: Layer) -> dict[str, Any]:
    """The fields of a layer, the books of its codes, its legend and the ramp of its cells, as JSON."""
    named = [*(f.book for f in layer.fields if f.book is not None), *_PLACE_BOOKS]
    books = {name: book_of(name).labels() for name in dict.fromkeys(named)}
    by = layer.field(layer.look.column or "")
    words = books.get(by.book, {}) if by is not None and by.book else {}
    complete = by is not None and by.required and bool(words) and set(words) <= {value for value, _ in layer.look.by}
    ramp = {p: [colours(p)[f"ramp{i + 1}"] for i in range(len(DENSITY_STOPS))] for p in PALETTES}
    return {
        "fields": [_field(asdict(f)) for f in layer.fields],
        "books": books,
        "standards": _standards(books),
        "legend": {palette: legend(layer.look, words, palette, complete=complete) for palette in PALETTES},
        "density": {
            "unit": {"zh": "个/km²", "en": "per km²"},
            "stops": list(DENSITY_STOPS),
            "colours": ramp,
        },
    }


def _standards(books: dict[str, dict[str, dict[str, str]]]) -> dict[str, dict[str, list[str]]]:
    """For each book that follows standards, the codes that stand in each of them."""
    told: dict[str, dict[str, list[str]]] = {}
    for name, codes in books.items():
        for code in codes:
            standard = standard_of(name, code)
            if standard is not None:
                told.setdefault(name, {}).setdefault(standard, []).append(code)
    return told


_FIELD_KEYS = {
    "name": "name", "kind": "kind", "unit": "unit", "book": "book", "tile": "tile", "filter": "filter", "edit": "edit",
    "required": "required", "minimum": "minimum", "maximum": "maximum", "max_length": "maxLength",
}  # fmt: skip


def _field(declared: dict[str, Any]) -> dict[str, Any]:
    zh, en = declared["title"]
    return {"title": {"zh": zh, "en": en}, **{out: declared[key] for key, out in _FIELD_KEYS.items()}}
