"""Cases and steps that came from another system, by the numbers that they have there."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from layers.loop.elsewhere_tables import ELSEWHERE
from layers.loop.incidents import Outcome


@dataclass(frozen=True)
class Foreign:
    """What another system calls a case (`number`), and a step of it (`entry`, empty for its report)."""

    system: str
    number: str
    entry: str = ""


def known(connection: sa.Connection, named: Foreign, *, scenario: str | None) -> str | None:
    """The case that this is here; None for what never came, and for what came in another exercise."""
    return connection.scalar(sa.select(ELSEWHERE.c.incident).where(_is(named, scenario)))


def remember(connection: sa.Connection, named: Foreign, outcome: Outcome, *, actor: str, scenario: str | None) -> None:
    """Keep, in the transaction that took it, what it is called elsewhere."""
    row = {"system": named.system, "number": named.number, "entry": named.entry, "scenario": scenario or ""}
    connection.execute(
        sa.insert(ELSEWHERE).values({**row, "incident": outcome.incident, "step": outcome.step, "actor": actor})
    )


def _is(named: Foreign, scenario: str | None) -> sa.ColumnElement[bool]:
    c = ELSEWHERE.c
    return sa.and_(
        c.scenario == (scenario or ""), c.system == named.system, c.number == named.number, c.entry == named.entry
    )
