"""What dispatchers corrected: kept as features of the scrubbed words, from which the next training learns."""

from __future__ import annotations

from typing import Final

import numpy as np
import sqlalchemy as sa

from layers.codes.books import book
from layers.errors import BadField
from layers.loop.hotline.classify import FEATURES, Correction, features
from layers.loop.hotline.phrases import ENQUIRY
from layers.loop.hotline.tables import CORRECTION

MOST_LEARNT: Final = 20_000
"""So many are learnt from, the newest."""


def correct(
    connection: sa.Connection, text: str, matter: str, *, guessed: str | None, model: str | None, actor: str
) -> int:
    """Keep that these words are about this matter (or, `none`, an enquiry); returns the number of the correction.

    BadField for a matter that the book has not, or for words of which nothing is left without numbers and names.
    """
    for name, code in (("matter", matter), ("guessed", guessed)):
        if code is not None and code != ENQUIRY and code not in book("matter"):
            raise BadField({name: f"{code!r} is not in the book of matters"}).because("matter_unknown")
    buckets = features(text)
    if not buckets.size:
        raise BadField({"text": "says nothing that could be learnt from"}).because("correction_empty")
    values = {
        "features": FEATURES, "buckets": buckets.tolist(), "guessed": guessed, "matter": matter, "model": model,
        "actor": actor,
    }  # fmt: skip
    return int(connection.execute(sa.insert(CORRECTION).values(values).returning(CORRECTION.c.id)).scalar_one())


def corrections(connection: sa.Connection) -> list[Correction]:
    """The newest 20,000 that this version can learn from, oldest first."""
    table = CORRECTION
    newest = (
        sa.select(table.c.buckets, table.c.matter)
        .where(table.c.features == FEATURES)
        .order_by(table.c.id.desc())
        .limit(MOST_LEARNT)
    )
    found = [(np.array(row.buckets, dtype=np.int32), row.matter) for row in connection.execute(newest)]
    return found[::-1]


def count(connection: sa.Connection) -> int:
    """How many of them the next training would learn from."""
    known = sa.select(sa.func.count()).select_from(CORRECTION).where(CORRECTION.c.features == FEATURES)
    return min(int(connection.scalar(known) or 0), MOST_LEARNT)
