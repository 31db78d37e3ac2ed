"""`python -m etl simulate`: a live day of a made-up city."""

from __future__ import annotations

import argparse
import datetime as dt
import time
from typing import Final

import sqlalchemy as sa

from etl.errors import BadOption
from etl.report import Screen
from etl.simulate.city import alone, require_made_up
from etl.simulate.day import MOST_CASES, day_of, spots_of, usual_rate
from etl.simulate.play import Pace, Player, Tally, played_until
from layers.ask.period import CITY_TIME
from layers.loop.incidents import Office
from layers.loop.rules import rules_in
from layers.people.exercises import require_open
from layers.people.privacy import keyring_in
from layers.store.home import Home

_MOST_SPEED: Final = 86_400.0


class WallClock:
    """The clock on the wall."""

    def now(self) -> dt.datetime:
        """The time."""
        return dt.datetime.now(dt.UTC)

    def wait(self, until: dt.datetime) -> None:
        """Sleep until then."""
        time.sleep(max(0.0, (until - self.now()).total_seconds()))


def play(engine: sa.Engine, home: Home, pace: Pace, arguments: argparse.Namespace, screen: Screen) -> None:
    """Play a day until it is over or somebody stops it; either way every step that was taken is whole."""
    exercise: str | None = arguments.exercise
    with alone(engine):
        with engine.connect() as connection:
            if exercise is None:
                require_made_up(connection)
            else:
                require_open(connection, exercise)
            rate = usual_rate(connection) if arguments.rate is None else arguments.rate
            spots = spots_of(connection, seed=arguments.seed)
            script = day_of(pace.begins.date(), spots, rate=rate, seed=arguments.seed, scenario=exercise)
            since = played_until(connection, script, scenario=exercise)
        if since is not None and since > pace.begins:
            screen.line(f"goes on at {since:%H:%M:%S}, where it was stopped")
            pace = Pace(min(since, pace.ends), pace.ends, pace.speed)
        office = Office(rules_in(home.folder), keyring_in(home.folder))
        player = Player(engine, office, WallClock(), arguments.seed, scenario=exercise)
        with screen.shown(1):
            try:
                player.play(script, pace, heard=lambda at, tally: screen.now(_line(at, tally)))
            except KeyboardInterrupt:
                screen.line("stopped; everything that was played is whole, and goes on from here the next time")
    _summary(player.tally, screen)


def pace_of(arguments: argparse.Namespace, day: dt.date) -> Pace:
    """Which hours of the day, and how fast; BadOption for what makes no day."""
    if not 0 < arguments.speed <= _MOST_SPEED:
        raise BadOption("--speed", f"{arguments.speed:g}", f"above 0, and at most {_MOST_SPEED:g}")
    if arguments.rate is not None and not 0 < arguments.rate <= MOST_CASES:
        raise BadOption("--rate", f"{arguments.rate:g}", f"above 0, and at most {MOST_CASES:,} cases a day")
    begins, ends = (dt.datetime.combine(day, each, CITY_TIME) for each in (arguments.begin, arguments.end))
    if arguments.end <= arguments.begin:
        raise BadOption("--to", f"{arguments.end:%H:%M}", f"after {arguments.begin:%H:%M}, when it begins")
    return Pace(begins, ends, arguments.speed)


def _line(at: dt.datetime, tally: Tally) -> str:
    steps = sum(tally.steps.values())
    late = f", {tally.late_s:,.0f} s behind" if tally.late_s >= 1 else ""
    return f"{at:%H:%M:%S}  {tally.steps['report']:,} reported, {steps:,} steps{late}"


def _summary(tally: Tally, screen: Screen) -> None:
    for name, count in tally.steps.most_common():
        screen.line(f"{name:<12}{count:>10,}")
    for cause, count in tally.refused.most_common():
        screen.line(f"refused: {cause:<24}{count:>6,}")
    screen.line("all of it is simulated: no such thing happened")
