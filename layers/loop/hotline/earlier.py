"""Cases that the same telephone number told of lately: a repeat is seen without telling whose number it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from layers.catalog.incident import TABLE as INCIDENT
from layers.loop.tables import CALLER

DAYS: Final = 30
"""A caller's earlier cases are told for so long; longer would be a profile."""
_MOST: Final = 5


@dataclass(frozen=True)
class Earlier:
    """A case that the same number told of."""

    id: str
    title: str
    matter: str
    state: str
    reported_at: dt.datetime

    def as_json(self) -> dict[str, Any]:
        """The case as the desk reads it."""
        return {
            "id": self.id, "title": self.title, "matter": self.matter, "state": self.state,
            "reported_at": self.reported_at.isoformat(),
        }  # fmt: skip


def earlier_cases(connection: sa.Connection, mark: str, *, now: dt.datetime) -> list[Earlier]:
    """The newest five real cases of this mark of the last thirty days, of those that the connection may see."""
    table = INCIDENT.c
    of_mark = sa.select(CALLER.c.incident).where(CALLER.c.phone_mark == mark, CALLER.c.scenario.is_(None))
    query = (
        sa.select(table.id, table.title, table.matter, table.state, table.reported_at)
        .where(table.id.in_(of_mark), table.scenario.is_(None), table.reported_at >= now - dt.timedelta(days=DAYS))
        .order_by(table.reported_at.desc(), table.id)
        .limit(_MOST)
    )
    return [Earlier(*row) for row in connection.execute(query)]
