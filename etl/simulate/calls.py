"""The calls of a simulated day: departments speak with callers, and the clerk calls back when a case is over."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from etl.demo.callers import MISSED, SPOKEN, answer_of
from layers.loop.hotline.contacts import write_contact
from layers.loop.hotline.tables import CONTACT
from layers.loop.tables import CALLER
from layers.people.access import Actor

CALL: Final = "callback"
"""By what name a call-back is planned and counted, beside the steps."""
OVER: Final = ("closed", "rejected")
_AFTER_MIN, _ANSWERS = 60.0, 0.8
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Waiting:
    """A caller who was not reached yet, and how often somebody tried."""

    caller: int
    tries: int


def waiting(connection: sa.Connection, id: str, *, attempts: int) -> Waiting | None:
    """Who waits to be called back about a case; None when nobody does, or was tried so often."""
    tries = (
        sa.select(sa.func.count()).where(CONTACT.c.caller == CALLER.c.id, CONTACT.c.kind == "callback")
    ).scalar_subquery()
    wanted = sa.select(CALLER.c.id, tries).where(unreached(id), tries < attempts)
    row = connection.execute(wanted.order_by(CALLER.c.id).limit(1)).first()
    return None if row is None else Waiting(*row)


def unreached(id: str | sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The condition on callers of a case who left a number and were not reached yet."""
    return sa.and_(CALLER.c.incident == id, CALLER.c.phone.is_not(None), CALLER.c.reached_at.is_(None))


def after_min(chance: random.Random) -> float:
    """After so many minutes of the day somebody is called back, so that a day shows it."""
    return _AFTER_MIN * math.exp(chance.gauss(0.0, 0.6))


def call_back(
    connection: sa.Connection, row: Row, steps: Sequence[Row], one: Waiting, *, actor: Actor, chance: random.Random,
    seed: int, now: dt.datetime,
) -> None:  # fmt: skip
    """Call somebody back about a case that is over; most of them answer, as callers of the demo city do."""
    answer = answer_of(row["lead"], {step["step"] for step in steps}, chance, seed=seed)
    told = answer if chance.random() < _ANSWERS else MISSED
    write_contact(connection, row["id"], one.caller, told, actor=actor.name, now=now)


def speak(connection: sa.Connection, id: str, *, actor: Actor, now: dt.datetime) -> None:
    """The department that has the case at work speaks with who called."""
    for caller in connection.scalars(sa.select(CALLER.c.id).where(unreached(id)).order_by(CALLER.c.id)).all():
        write_contact(connection, id, caller, SPOKEN, actor=actor.name, now=now)
