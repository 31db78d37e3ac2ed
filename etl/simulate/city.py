"""Which city may be played in: one that is made up, or an exercise; and one simulation at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa

from layers.ask.catalogue import SYNTHETIC
from layers.catalog.incident import TABLE
from layers.errors import Conflict
from layers.loop.incidents import SIMULATED
from layers.store.core import DELIVERY

_LOCK: Final = 8_470_821


def require_made_up(connection: sa.Connection) -> None:
    """Raise Conflict in a city that holds anything real: what somebody delivered, or what somebody reported."""
    if connection.scalar(sa.select(sa.exists().where(DELIVERY.c.source != SYNTHETIC))):
        raise Conflict("this city holds real deliveries: play in an exercise of it (--exercise ID)")
    c = TABLE.c
    real = sa.select(sa.func.count()).where(c.scenario.is_(None), c.source.not_in((SYNTHETIC, SIMULATED)))
    if count := connection.scalar(real):
        raise Conflict(f"people reported {count:,} cases in this city: play in an exercise of it (--exercise ID)")


@contextmanager
def alone(engine: sa.Engine) -> Iterator[None]:
    """While this lasts no other simulation begins on the database; Conflict when one is at work."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK))):
            raise Conflict("another simulation plays in this city")
        try:
            yield
        finally:
            connection.scalar(sa.select(sa.func.pg_advisory_unlock(_LOCK)))
