"""Exercises (演练): opened, joined by sessions and keys, closed for good; who may join which.

Who has joined one acts as outside, with the same roles and the same scope, and sees only what happens in it. Of one
that is closed they go on seeing it, and change nothing, until they leave: nobody is put back into reality unawares.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from layers.errors import BadField, Conflict, NotAllowed, UnknownExercise
from layers.people.access import ANYONE, Actor, Decision, has, is_area
from layers.people.accounts import record
from layers.people.exercise_tables import EXERCISE
from layers.people.roles import INTERNAL, roles_now
from layers.people.tables import SESSION

ID_PATTERN: Final = r"drill-[0-9]{8}-[1-9][0-9]{0,3}"
MOST_OPEN: Final = 20
MOST_A_DAY: Final = 200
MOST_LISTED: Final = 200
MOST_ROLES: Final = 20
OPEN: Final = "exercise.open"


@dataclass(frozen=True)
class Exercise:
    """One exercise: for whom it is (`area` None: the whole city; no `roles`: all), by whom and when it was opened."""

    id: str
    title: str
    note: str | None = field(compare=False)
    area: str | None = field(compare=False)
    roles: frozenset[str] = field(compare=False)
    opened_at: dt.datetime = field(compare=False)
    opened_by: str = field(compare=False)
    closed_at: dt.datetime | None
    closed_by: str | None = field(compare=False)

    @property
    def over(self) -> bool:
        """Is it closed?"""
        return self.closed_at is not None


def exercise_of(row: Any) -> Exercise:
    """The exercise of a row of core.exercise."""
    return Exercise(
        row.id, row.title, row.note, row.area, frozenset(row.roles), row.opened_at, row.opened_by, row.closed_at,
        row.closed_by,
    )  # fmt: skip


def open_exercise(
    connection: sa.Connection,
    *,
    title: str,
    note: str | None,
    area: str | None,
    roles: Iterable[str],
    actor: Actor,
    day: dt.date,
    now: dt.datetime,
) -> Exercise:
    """Open an exercise, numbered by the city's day; BadField for its area or a role, Conflict when there are too many.

    Whoever opens one does so within the areas that they answer for.
    """
    wanted = sorted(set(roles))
    _check(connection, actor, area, wanted)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("exercise"))))
    living = sa.select(sa.func.count()).where(EXERCISE.c.closed_at.is_(None))
    if (connection.scalar(living) or 0) >= MOST_OPEN:
        raise Conflict(f"{MOST_OPEN} exercises are open: close one first").because("exercises_full", most=MOST_OPEN)
    begun = f"drill-{day:%Y%m%d}-"
    had = connection.scalar(sa.select(sa.func.count()).where(EXERCISE.c.id.startswith(begun))) or 0
    if had >= MOST_A_DAY:
        raise Conflict(f"{day} has had {MOST_A_DAY} exercises").because("exercises_day_full", most=MOST_A_DAY)
    values = {
        "id": f"{begun}{had + 1}", "title": title, "note": note, "area": area, "roles": wanted, "opened_at": now,
        "opened_by": actor.name,
    }  # fmt: skip
    row = connection.execute(sa.insert(EXERCISE).values(values).returning(*EXERCISE.c)).one()
    record(connection, "exercise_opened", row.id, actor=actor.name, title=title, area=area, roles=wanted)
    return exercise_of(row)


def close_exercise(connection: sa.Connection, id: str, *, actor: Actor, now: dt.datetime) -> Exercise:
    """Close an exercise: what is under way in it is finished first, and nothing begins after.

    UnknownExercise; Conflict when it is closed already.
    """
    table = EXERCISE
    require_hold(actor, find_exercise(connection, id))
    closing = sa.update(table).where(table.c.id == id, table.c.closed_at.is_(None))
    row = connection.execute(closing.values(closed_at=now, closed_by=actor.name).returning(*table.c)).first()
    if row is None:
        raise Conflict(f"exercise {id} is closed already").because("exercise_over", title=id)
    record(connection, "exercise_closed", id, actor=actor.name, title=row.title)
    return exercise_of(row)


def find_exercise(connection: sa.Connection, id: str) -> Exercise:
    """The exercise of this id; UnknownExercise when there is none."""
    row = connection.execute(sa.select(*EXERCISE.c).where(EXERCISE.c.id == id)).first()
    if row is None:
        raise UnknownExercise(id)
    return exercise_of(row)


def exercises(connection: sa.Connection) -> list[Exercise]:
    """The exercises, those that are open first, then the latest; the oldest that are over are left out."""
    order = (EXERCISE.c.closed_at.is_not(None), EXERCISE.c.opened_at.desc(), EXERCISE.c.id)
    found = connection.execute(sa.select(*EXERCISE.c).order_by(*order).limit(MOST_LISTED))
    return [exercise_of(row) for row in found]


def may_join(actor: Actor, exercise: Exercise) -> Decision:
    """Whether this is an exercise for the actor: one of their areas meets its own, and one of their roles is asked for.

    Who opens exercises joins every one in their areas.
    """
    if actor == ANYONE:
        return Decision(False, "sign in first")
    if not _meets(actor, exercise.area):
        return Decision(False, "this exercise is for another area")
    if exercise.roles and exercise.roles.isdisjoint(actor.roles) and not has(actor, OPEN):
        return Decision(False, "this exercise is for other roles")
    return Decision(True, "the exercise is for this area and one of these roles")


def holds(actor: Actor, exercise: Exercise) -> bool:
    """Whether the actor may close it and read all of its record: they open exercises, and its area is theirs."""
    own = actor.scope.areas
    within = own is None or (exercise.area is not None and any(exercise.area.startswith(area) for area in own))
    return bool(has(actor, OPEN)) and within


def require_hold(actor: Actor, exercise: Exercise) -> None:
    """Raise NotAllowed unless the actor may close the exercise."""
    if not holds(actor, exercise):
        raise NotAllowed("this exercise reaches further than you do", known=True).because("exercise_not_yours")


def enter(connection: sa.Connection, digest: str, id: str | None, *, actor: Actor) -> None:
    """Put the session of this digest into an exercise, or back into what really happens.

    UnknownExercise, NotAllowed when it is not for the actor, Conflict when it is over.
    """
    if id == actor.scenario:
        return
    if id is not None:
        require_invited(connection, actor, id)
    connection.execute(sa.update(SESSION).where(SESSION.c.digest == digest).values(exercise=id))
    if actor.scenario is not None:
        record(connection, "exercise_left", actor.name, actor=actor.name, exercise=actor.scenario)
    if id is not None:
        record(connection, "exercise_joined", actor.name, actor=actor.name, exercise=id)


def require_invited(connection: sa.Connection, actor: Actor, id: str) -> Exercise:
    """The exercise, which is open and for the actor.

    UnknownExercise, NotAllowed when it is for others, Conflict when it is over.
    """
    exercise = find_exercise(connection, id)
    if not (decision := may_join(actor, exercise)):
        raise NotAllowed(decision.why, known=True).because("exercise_not_for_you", title=exercise.title)
    require_open(connection, id)
    return exercise


def require_open(connection: sa.Connection, scenario: str | None) -> None:
    """Return when something may happen in this exercise (None: in reality) until the end of the transaction.

    UnknownExercise; Conflict when it is over.
    """
    if scenario is None:
        return
    held = sa.select(EXERCISE.c.title, EXERCISE.c.closed_at).where(EXERCISE.c.id == scenario)
    row = connection.execute(held.with_for_update(read=True)).first()
    if row is None:
        raise UnknownExercise(scenario)
    if row.closed_at is not None:
        raise Conflict(f"exercise {scenario} is over").because("exercise_over", title=row.title)


def _check(connection: sa.Connection, actor: Actor, area: str | None, roles: list[str]) -> None:
    if area is not None and not is_area(area):
        told = "the first 4, 6 or 9 digits of a code or a grid's 15"
        raise BadField({"area": told}).because("areas_unfit", most=1)
    own = actor.scope.areas
    if own is not None and (area is None or not any(area.startswith(one) for one in own)):
        raise BadField({"area": "this reaches further than you do"}).because("exercise_too_far")
    known = roles_now(connection)
    if unknown := [name for name in roles if name not in known or name in INTERNAL]:
        raise BadField({"roles": f"there is no role {unknown[0]!r}"}).because("role_unknown", role=unknown[0])
    if len(roles) > MOST_ROLES:
        raise BadField({"roles": f"{MOST_ROLES} at most"}).because("exercise_roles_many", most=MOST_ROLES)


def _meets(actor: Actor, area: str | None) -> bool:
    own = actor.scope.areas
    return own is None or area is None or any(area.startswith(one) or one.startswith(area) for one in own)
