"""Plays a day: reports come in and cases go on at the moments of the day, each in a transaction, in less time.

Steps are taken now, by the clock on the wall, and limits are real hours; only the waits between steps are shortened.
What was played is remembered with each case, so that a simulation that was killed goes on where it stopped.
"""

from __future__ import annotations

import datetime as dt
import heapq
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import sqlalchemy as sa

from etl.simulate.calls import CALL, OVER, after_min, call_back, speak, unreached, waiting
from etl.simulate.course import actor_of, next_of, reporter_of, taker_of
from etl.simulate.day import Told
from layers.catalog.incident import TABLE
from layers.errors import LayersError
from layers.loop.cases import held
from layers.loop.elsewhere import Foreign, known, remember
from layers.loop.elsewhere_tables import ELSEWHERE
from layers.loop.incidents import SIMULATED, Office, report, take_step
from layers.loop.states import FINAL
from layers.store.engine import begin, set_local

SYSTEM: Final = "simulation"
"""By what name the cases of a simulation are remembered (`core.elsewhere`)."""
MOST_OPEN: Final = 20_000
"""More open cases are not taken further; the oldest stay as they are."""


class Clock(Protocol):
    """What time it is, and waiting until it is another."""

    def now(self) -> dt.datetime:
        """The time, with its zone."""

    def wait(self, until: dt.datetime) -> None:
        """Return at that time; at once when it is over."""


@dataclass
class Tally:
    """What was played: steps by name, reports and steps that were refused by cause, and how late the last one came."""

    steps: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    left: int = 0
    late_s: float = 0.0


@dataclass(frozen=True)
class Pace:
    """Which part of the day is played, and how many of its seconds pass in one."""

    begins: dt.datetime
    ends: dt.datetime
    speed: float


@dataclass(frozen=True, order=True)
class _Due:
    """A case that goes on at a moment of the day; `after` is the step that it had taken last when this was planned."""

    at: dt.datetime
    incident: str
    number: str = field(compare=False)
    step: str = field(compare=False)
    after: int = field(compare=False)


Heard = Callable[[dt.datetime, Tally], None]


@dataclass
class Player:
    """One simulation on one database; `tally` says at any moment what was played until then."""

    engine: sa.Engine
    office: Office
    clock: Clock
    seed: int
    scenario: str | None = None
    tally: Tally = field(default_factory=Tally)
    _open: list[_Due] = field(default_factory=list)

    def play(self, script: Sequence[Told], pace: Pace, *, heard: Heard = lambda *_: None) -> Tally:
        """Play what the script has of the pace's hours, and the cases that are open, until the hours are over.

        `heard` hears the moment of the day after everything that was done. Whoever stops it by an exception finds every
        step whole: each is a transaction.
        """
        started = self.clock.now()
        coming = [told for told in script if pace.begins <= told.at < pace.ends]
        self._resume(pace.begins)
        index = 0
        while True:
            reports_at = coming[index].at if index < len(coming) else pace.ends
            at = min(reports_at, self._open[0].at if self._open else pace.ends)
            if at >= pace.ends:
                break
            wall = started + (at - pace.begins) / pace.speed
            self.clock.wait(wall)
            self.tally.late_s = max(0.0, (self.clock.now() - wall).total_seconds())
            if reports_at <= at:
                self._report(coming[index])
                index += 1
            else:
                self._go_on(heapq.heappop(self._open))
            heard(at, self.tally)
        self.clock.wait(started + (pace.ends - pace.begins) / pace.speed)
        return self.tally

    def _resume(self, at: dt.datetime) -> None:
        """Plan the cases of earlier simulations that are open, or of which somebody is to be called back."""
        c = TABLE.c
        wanted = (
            sa.select(c.id, sa.func.coalesce(ELSEWHERE.c.number, c.id))
            .outerjoin(ELSEWHERE, sa.and_(ELSEWHERE.c.incident == c.id, ELSEWHERE.c.system == SYSTEM))
            .where(c.source == SIMULATED, c.scenario.is_not_distinct_from(self.scenario))
            .where(sa.or_(c.state.not_in(FINAL), sa.exists().where(unreached(c.id))))
            .order_by(c.id.desc())
            .limit(MOST_OPEN)
        )
        with self.engine.connect() as connection:
            rows = connection.execute(wanted).all()
        for id, number in rows:
            with begin(self.engine, actor="simulated") as connection:
                self._plan(connection, id, number, at)

    def _report(self, told: Told) -> None:
        actor, now = reporter_of(told.report.channel, scenario=self.scenario), self.clock.now()
        named = Foreign(SYSTEM, told.number)
        try:
            with begin(self.engine, actor=actor.name) as connection:
                if known(connection, named, scenario=self.scenario) is not None:
                    return
                outcome = report(connection, self.office, told.report, actor=actor, now=now, source=SIMULATED)
                remember(connection, named, outcome, actor=actor.name, scenario=self.scenario)
                self._plan(connection, outcome.incident, told.number, told.at)
        except LayersError as error:
            self.tally.refused[error.cause or type(error).__name__] += 1
        else:
            self.tally.steps["report"] += 1

    def _go_on(self, due: _Due) -> None:
        """Take the step that was planned, unless somebody took another one meanwhile; then plan what comes next."""
        try:
            # Whoever takes it is known from the record, which is locked first.
            with begin(self.engine, actor="simulated") as connection:
                row, steps = held(connection, due.incident)
                taken = steps[0]["id"] == due.after and self._take(connection, row, steps, due)
                self._plan(connection, due.incident, due.number, due.at)
        except LayersError as error:
            self.tally.refused[error.cause or type(error).__name__] += 1
            self.tally.left += 1
        else:
            if taken:
                self.tally.steps[due.step] += 1

    def _take(self, connection: sa.Connection, row: dict[str, Any], steps: Sequence[dict[str, Any]], due: _Due) -> bool:
        if due.step == CALL:
            return self._call(connection, row, steps, due)
        now = self.clock.now()
        planned = next_of(row, steps, self.office.rules, chance=self._chance(due.number, len(steps)), now=now)
        if planned is None:
            return False
        actor = taker_of(planned.step, row)
        set_local(connection, "chengtu.actor", actor.name)
        take_step(
            *(connection, self.office, due.incident, planned.step),
            actor=actor, carried=planned.carried, expected=due.after, now=now,
        )  # fmt: skip
        if planned.step == "dispose":
            speak(connection, due.incident, actor=actor, now=now)
        return True

    def _call(self, connection: sa.Connection, row: dict[str, Any], steps: Sequence[dict[str, Any]], due: _Due) -> bool:
        one = waiting(connection, due.incident, attempts=self.office.rules.rates.attempts)
        if one is None:
            return False
        actor = actor_of("dispatcher", lead=None, scenario=self.scenario)
        set_local(connection, "chengtu.actor", actor.name)
        chance = self._chance(due.number, len(steps) + 1 + one.tries)
        call_back(connection, row, steps, one, actor=actor, chance=chance, seed=self.seed, now=self.clock.now())
        return True

    def _plan(self, connection: sa.Connection, id: str, number: str, since: dt.datetime) -> None:
        row, steps = held(connection, id)
        chance = self._chance(number, len(steps))
        planned = next_of(row, steps, self.office.rules, chance=chance, now=self.clock.now())
        if planned is not None:
            step, after = planned.step, planned.after_min
        elif row["state"] in OVER and waiting(connection, id, attempts=self.office.rules.rates.attempts) is not None:
            step, after = CALL, after_min(chance)
        else:
            return
        if len(self._open) < MOST_OPEN:
            heapq.heappush(self._open, _Due(since + dt.timedelta(minutes=after), id, number, step, steps[0]["id"]))

    def _chance(self, number: str, taken: int) -> random.Random:
        """What becomes of a case hangs on what it is called and how far it is, not on when it is asked."""
        return random.Random(f"{self.seed} {number} {taken}")


def played_until(connection: sa.Connection, script: Sequence[Told], *, scenario: str | None) -> dt.datetime | None:
    """The moment of the last report of the script that was played already; None when none was."""
    numbers = [told.number for told in script]
    known_ones = sa.select(ELSEWHERE.c.number).where(
        ELSEWHERE.c.system == SYSTEM, ELSEWHERE.c.scenario == (scenario or ""), ELSEWHERE.c.number.in_(numbers)
    )
    found = set(connection.scalars(known_ones))
    return max((told.at for told in script if told.number in found), default=None)
