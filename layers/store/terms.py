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
_NEW: Final = postgresql.insert(TERM).on_conflict_do_nothing()


def ensure_few_terms(connection: sa.Connection, layer: Layer, texts: Mapping[str, Any]) -> None:
    """Let search know the texts of one record, by field; most are known already, and cost one question."""
    if not texts:
        return
    asked = sa.or_(*(sa.and_(TERM.c.field == name, TERM.c.text == text) for name, text in sorted(texts.items())))
    known = sa.select(TERM.c.field, TERM.c.text).where(TERM.c.layer == layer.name, asked)
    held = {(field, text) for field, text in connection.execute(known)}
    new = [
        dict(zip(_COLUMNS, row, strict=True))
        for name, text in texts.items()
        if (name, text) not in held
        for row in term_rows(layer.name, name, [text])
    ]
    if new:
        connection.execute(_NEW, new)
