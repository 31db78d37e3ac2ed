"""The gazetteer: records by their exact name, by a part of their name, or by a name that stands in a longer text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from layers.ask.records import Record, records_by_text
from layers.ask.streets import read_address
from layers.spec import Layer
from layers.terms import grams, layer_gram

_SHORTEST_NAME: Final = 3
_MANY: Final = 8

_EXACT = sa.text("""
    select folded as name, field, text from core.term
    where layer = :layer and folded = any(cast(:names as text[])) and field = any(cast(:fields as text[]))
    order by name, field, text
""")
_LONGER = sa.text("""
    select wanted.name, near.field, near.text
    from unnest(cast(:names as text[]), cast(:grams as text[])) as wanted(name, grams), lateral (
      select field, text from core.term
      where grams @> string_to_array(wanted.grams, chr(31)) and position(wanted.name in folded) > 0
        and field = any(cast(:fields as text[]))
      order by char_length(folded), folded, field, text limit 9
    ) near
""")


def records_named(
    connection: sa.Connection, layer: Layer, names: Sequence[str], *, fields: Sequence[str] | None = None
) -> dict[str, list[Record]]:
    """Records that bear exactly these folded names (or have them in other `fields`), by name."""
    values = {"names": list(names), "layer": layer.name, "fields": list(fields or _name_fields(layer))}
    return _records(connection, layer, connection.execute(_EXACT, values).all())


def records_named_longer(connection: sa.Connection, layer: Layer, names: Sequence[str]) -> dict[str, list[Record]]:
    """Places whose names contain a name without a house number: "人民中路128号" is not a part of a name."""
    wanted = [name for name in names if len(name) >= _SHORTEST_NAME and not _is_address(name)]
    mark = layer_gram(layer.name)
    pairs = [chr(31).join([mark, *(gram for gram in grams(name) if len(gram) == 2)]) for name in wanted]
    values = {"names": wanted, "grams": pairs, "fields": _name_fields(layer)}
    return _records(connection, layer, connection.execute(_LONGER, values).all())


def records_named_within(connection: sa.Connection, layer: Layer, names: Sequence[str]) -> dict[str, list[Record]]:
    """Places whose names stand in a longer text, the longest that any place bears: "人民公园北门"."""
    inner = {name: _parts(name) for name in names if not _is_address(name)}
    every = dict.fromkeys(part for parts in inner.values() for part in parts)
    found = records_named(connection, layer, list(every)) if every else {}
    longest = {name: next((part for part in parts if part in found), None) for name, parts in inner.items()}
    return {name: found[part] for name, part in longest.items() if part is not None}


def _parts(name: str) -> list[str]:
    """The parts of a text that may be the name of a place, longest and foremost first."""
    longest = min(len(name) - 1, 20)
    return [
        name[start : start + length]
        for length in range(longest, _SHORTEST_NAME - 1, -1)
        for start in range(len(name) - length + 1)
    ]


def _is_address(name: str) -> bool:
    address = read_address(name)
    return address is not None and (address.number is not None or address.crossing is not None)


def _name_fields(layer: Layer) -> list[str]:
    return [name for name in layer.searched if name != "address"]


def _records(
    connection: sa.Connection, layer: Layer, rows: Sequence[sa.Row[tuple[str, str, str]]]
) -> dict[str, list[Record]]:
    """The records of terms, by the name that each term was found for."""
    by_text: dict[tuple[str, str], list[Record]] = {}
    for field in dict.fromkeys(row.field for row in rows):
        texts = sorted({row.text for row in rows if row.field == field})
        for record in records_by_text(connection, layer, field, texts, each=_MANY):
            by_text.setdefault((field, record.text), []).append(record)
    found: dict[str, list[Record]] = {}
    for row in rows:
        held = found.setdefault(row.name, [])
        held += [record for record in by_text.get((row.field, row.text), ()) if record not in held]
    return {name: records for name, records in found.items() if records}
