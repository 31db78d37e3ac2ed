"""What search is to know of one record that a person made or changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from layers.spec import Layer
from layers.store.core import TERM
from layers.terms import term_rows

_COLUMNS: Final = ("layer", "field", "text", "folded", "grams", "pinyin", "initials")
# Each field with each text: a few more than were asked for, and one statement for records of every kind.
_KNOWN: Final = sa.select(TERM.c.field, TERM.c.text).where(
    TERM.c.layer == sa.bindparam("layer"),
    TERM.c.field == sa.func.any(sa.bindparam("fields", type_=postgresql.ARRAY(sa.Text))),
    TERM.c.text == sa.func.any(sa.bindparam("texts", type_=postgresql.ARRAY(sa.Text))),
)
_NEW: Final = postgresql.insert(TERM).on_conflict_do_nothing()


def ensure_few_terms(connection: sa.Connection, layer: Layer, texts: Mapping[str, Any]) -> None:
    """Let search know the texts of one record, by field; most are known already, and cost one question."""
    if not texts:
        return
    fields, wanted = zip(*sorted(texts.items()), strict=True)
    rows = connection.execute(_KNOWN, {"layer": layer.name, "fields": fields, "texts": wanted})
    held = {(field, text) for field, text in rows}
    new = [
        dict(zip(_COLUMNS, row, strict=True))
        for name, text in texts.items()
        if (name, text) not in held
        for row in term_rows(layer.name, name, [text])
    ]
    if new:
        connection.execute(_NEW, new)
