"""A simulated day: what it plays is legal, plausible and says that it is simulated; stopped, it goes on."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from etl.__main__ import main
from etl.simulate.calls import CALL, OVER
from etl.simulate.city import alone, require_made_up
from etl.simulate.day import MARK, NAME_MARK, Told, day_of, spots_of, usual_rate
from etl.simulate.play import Pace, Player, Tally, played_until
from layers.ask.period import CITY_TIME
from layers.catalog.incident import TABLE
from layers.errors import Conflict
from layers.loop.effects import Taken, replayed
from layers.loop.elsewhere_tables import ELSEWHERE
from layers.loop.hotline.tables import CONTACT
from layers.loop.incidents import SIMULATED, Office
from layers.loop.rules import shipped_rules
from layers.loop.states import FINAL, rules_of
from layers.loop.tables import CALLER, STEP
from layers.people.access import ADMIN
from layers.people.exercises import close_exercise, open_exercise
from layers.people.privacy import Keyring, keyring_in
from layers.store.core import CHANGE
from layers.store.engine import begin
from tests.conftest import MOMENT, Database
from tests.incidents import OURS, REHEARSED, report

DAY = MOMENT.date()
MORNING = dt.datetime.combine(DAY, dt.time(7), CITY_TIME)
EVENING = dt.datetime.combine(DAY, dt.time(22), CITY_TIME)


@dataclass
class Hands:
    """A clock that is set by hand: it waits in no time, and somebody may come at a moment."""

    at: dt.datetime = MOMENT
    waits: list[dt.datetime] = field(default_factory=list)
    stops_after: int | None = None

    def now(self) -> dt.datetime:
        return self.at

    def wait(self, until: dt.datetime) -> None:
        self.waits.append(until)
        if self.stops_after is not None and len(self.waits) > self.stops_after:
            raise KeyboardInterrupt
        self.at = max(self.at, until)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(shipped_rules(), keyring_in(tmp_path))


def script_of(city: Database, *, rate: float = 60.0, seed: int = 1, scenario: str | None = None) -> list[Told]:
    with city.engine.connect() as connection:
        return day_of(DAY, spots_of(connection, seed=seed), rate=rate, seed=seed, scenario=scenario)


def play(city: Database, office: Office, script: list[Told], *, clock: Hands | None = None, **how: Any) -> Tally:
    pace = Pace(how.pop("begins", MORNING), how.pop("ends", EVENING), how.pop("speed", 60.0))
    return Player(city.engine, office, clock or Hands(), seed=1, **how).play(script, pace)


def played(city: Database) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """The simulated cases, and the steps of each, the oldest first."""
    with city.engine.connect() as connection:
        cases = [dict(r) for r in connection.execute(sa.select(TABLE).where(TABLE.c.source == SIMULATED)).mappings()]
        wanted = sa.select(STEP).where(STEP.c.incident.in_([c["id"] for c in cases])).order_by(STEP.c.id)
        steps: dict[str, list[dict[str, Any]]] = {c["id"]: [] for c in cases}
        for row in connection.execute(wanted).mappings():
            steps[row["incident"]].append(dict(row))
    return cases, steps


@dataclass(frozen=True)
class Played:
    """A day that was played whole, with what came of it."""

    script: list[Told]
    tally: Tally
    clock: Hands
    cases: list[dict[str, Any]]
    steps: dict[str, list[dict[str, Any]]]
    numbers: dict[str, str]
    writers: set[str]
    callers: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    keyring: Keyring


@pytest.fixture(scope="module")
def whole_day(own_city: Database, tmp_path_factory: pytest.TempPathFactory) -> Played:
    office = Office(shipped_rules(), keyring_in(tmp_path_factory.mktemp("keys")))
    script, clock = script_of(own_city, rate=30.0), Hands()
    tally = play(own_city, office, script, clock=clock, speed=60.0)
    cases, steps = played(own_city)
    with own_city.engine.connect() as connection:
        rows = connection.execute(sa.select(ELSEWHERE.c.incident, ELSEWHERE.c.number))
        numbers = {row.incident: row.number for row in rows}
        changed = sa.select(CHANGE.c.actor).where(CHANGE.c.id.in_(list(numbers)))
        writers = set(connection.scalars(changed))
        every = (connection.execute(sa.select(table).order_by(table.c.id)).mappings() for table in (CALLER, CONTACT))
        callers, calls = ([dict(row) for row in rows] for rows in every)
    return Played(script, tally, clock, cases, steps, numbers, writers, callers, calls, office.keyring)


def test_a_day_is_plausible_and_every_step_is_one_that_the_table_of_states_allows(whole_day: Played) -> None:
    cases, tally = whole_day.cases, whole_day.tally
    assert not tally.refused, tally.refused
    assert len(cases) == tally.steps["report"] == sum(MORNING <= told.at < EVENING for told in whole_day.script) > 20
    states = Counter(case["state"] for case in cases)
    assert states["closed"] > 3
    assert not any("附近附近" in case["title"] for case in cases)
    assert sum(states[state] for state in states if state not in FINAL) > 3, "what takes days is open in the evening"
    channels = Counter(case["channel"] for case in cases)
    assert channels["worker"] > channels["hotline"] > 0
    for case in cases:
        life = whole_day.steps[case["id"]]
        assert life[0]["step"] == "report"
        for earlier, step in zip(life, life[1:], strict=False):
            assert step["before"] == earlier["after"]
            fitting = [rule for rule in rules_of(step["step"]) if step["before"] in rule.before]
            assert step["after"] in {rule.after or step["before"] for rule in fitting}, step
        assert case["state"] == life[-1]["after"]


def test_records_are_what_their_steps_make_of_them(whole_day: Played) -> None:
    for case in whole_day.cases:
        first = {**case, **dict.fromkeys(("accepted_at", "registered_at", "dispatched_at", "signed_at", "closed_at"))}
        first |= {"due_at": None, "lead": None, "co": [], "suspended": False, "assignee": None}
        first |= dict.fromkeys(("command", "returns", "reworks", "urges", "deferrals"), 0)
        taken = [Taken(s["step"], s["after"], s["at"], s["carries"]) for s in whole_day.steps[case["id"]][1:]]
        record = replayed(first, taken)
        for name in ("state", "lead", "returns", "reworks", "registered_at", "dispatched_at", "due_at"):
            assert record[name] == case[name], (case["id"], name)


def test_everything_says_that_it_is_simulated_and_nobody_who_is_named_exists(whole_day: Played) -> None:
    assert all(case["description"].endswith(MARK) for case in whole_day.cases)
    assert all(case["reporter"].startswith("simulated-") for case in whole_day.cases)
    assert all(step["actor"].startswith("simulated-") for life in whole_day.steps.values() for step in life)
    assert whole_day.writers
    assert all(writer.startswith("simulated-") for writer in whole_day.writers)
    assert all(call["actor"].startswith("simulated-") for call in whole_day.calls)
    assert {case["id"] for case in whole_day.cases if case["channel"] == "hotline"} == {
        row["incident"] for row in whole_day.callers
    }
    for row in whole_day.callers:
        assert whole_day.keyring.unseal(row["name"], about="caller.name").endswith(NAME_MARK)
        assert whole_day.keyring.unseal(row["phone"], about="caller.phone").startswith("0513-0"), "nobody can dial it"


def test_a_minute_of_the_day_is_a_second_on_the_wall_and_steps_are_taken_now(whole_day: Played) -> None:
    clock, told = whole_day.clock, {n.number: n for n in whole_day.script}
    assert clock.at - MOMENT == (EVENING - MORNING) / 60
    assert clock.waits == sorted(clock.waits)
    for case in whole_day.cases:
        assert case["reported_at"] == MOMENT + (told[whole_day.numbers[case["id"]]].at - MORNING) / 60


def test_the_same_seed_makes_the_same_day_and_another_seed_another(city: Database) -> None:
    assert script_of(city) == script_of(city)
    assert [told.report for told in script_of(city)] != [told.report for told in script_of(city, seed=2)]
    with city.engine.connect() as connection:
        assert 1 < usual_rate(connection) < 40, "as many as the small demo city has"


def test_stopped_it_left_nothing_half_written_and_goes_on_where_it_was(city: Database, office: Office) -> None:
    script = script_of(city, rate=14)
    with pytest.raises(KeyboardInterrupt):
        play(city, office, script, clock=Hands(stops_after=40))
    before, steps = played(city)
    assert all(case["state"] == steps[case["id"]][-1]["after"] for case in before)
    with city.engine.connect() as connection:
        kept = connection.scalar(sa.select(sa.func.count()).select_from(ELSEWHERE))
        since = played_until(connection, script, scenario=None)
    assert kept == len(before) > 0
    assert since is not None
    still_open = {case["id"] for case in before if case["state"] not in FINAL}

    tally = play(city, office, script, clock=Hands(MOMENT + dt.timedelta(hours=1)), begins=since)
    after, later = played(city)
    assert not tally.refused
    assert len(after) == sum(MORNING <= told.at < EVENING for told in script), "none twice, none left out"
    assert any(len(later[id]) > len(steps[id]) for id in still_open)


def test_departments_speak_with_callers_and_the_clerk_calls_them_back_also_after_a_stop(
    city: Database, office: Office
) -> None:
    script = [told for told in script_of(city, rate=200) if told.report.channel == "hotline"][:8]
    first = play(city, office, script, ends=EVENING + dt.timedelta(days=2))
    over = sa.select(TABLE.c.id).where(TABLE.c.source == SIMULATED, TABLE.c.state.in_(OVER))
    with begin(city.engine, actor="test") as connection:
        # As if it had been stopped before anybody was reached.
        connection.execute(sa.update(CALLER).where(CALLER.c.incident.in_(over)).values(reached_at=None))
    later: dict[str, Any] = {"clock": Hands(MOMENT + dt.timedelta(days=2)), "begins": EVENING + dt.timedelta(days=2)}
    second = play(city, office, [], ends=EVENING + dt.timedelta(days=40), **later)
    assert not first.refused + second.refused
    assert first.steps[CALL] > 0 < second.steps[CALL]
    cases, _ = played(city)
    assert {case["state"] for case in cases} <= set(OVER)
    with city.engine.connect() as connection:
        callers = connection.execute(sa.select(CALLER)).mappings().all()
        calls = connection.execute(sa.select(CONTACT).order_by(CONTACT.c.id)).mappings().all()
    assert len(callers) == len(cases) == len(script)
    dispatched = {case["id"] for case in cases if case["state"] == "closed"}
    spoken = [call for call in calls if call["kind"] == "contact"]
    assert {call["incident"] for call in spoken} >= dispatched
    assert {call["actor"] for call in spoken} == {"simulated-officer"}
    asked = [call for call in calls if call["kind"] == "callback"]
    assert {call["actor"] for call in asked} == {"simulated-dispatcher"}
    assert len(asked) == first.steps[CALL] + second.steps[CALL]
    for row in callers:
        tries = [call["reached"] for call in asked if call["caller"] == row["id"]]
        assert 0 < len(tries) <= office.rules.rates.attempts
        assert row["reached_at"] is not None or len(tries) == office.rules.rates.attempts


def test_a_case_that_somebody_took_further_goes_on_from_there(city: Database, office: Office) -> None:
    """Whoever looks at the day may take part in it."""
    script = script_of(city, rate=8)

    @dataclass
    class Busy(Hands):
        """Somebody supervises every open case whenever nothing happens."""

        def wait(self, until: dt.datetime) -> None:
            super().wait(until)
            if len(self.waits) == 15:
                now, c = self.at, TABLE.c
                with city.engine.begin() as connection:
                    rows = connection.execute(sa.select(c.id, c.state).where(c.source == SIMULATED)).all()
                    made = [
                        {"incident": id, "step": "supervise", "before": state, "after": state, "at": now,
                         "actor": "boss", "note": "督办", "carries": {}}
                        for id, state in rows if state not in FINAL
                    ]  # fmt: skip
                    connection.execute(sa.insert(STEP), made)

    tally = play(city, office, script, clock=Busy())
    assert not tally.refused
    _, steps = played(city)
    seen = [life for life in steps.values() if any(step["actor"] == "boss" for step in life)]
    assert seen
    assert any(life[-1]["actor"] != "boss" for life in seen)


def test_a_city_with_anything_real_is_refused(city: Database) -> None:
    with city.engine.connect() as connection:
        require_made_up(connection)
    report(city, OURS)
    with city.engine.connect() as connection, pytest.raises(Conflict, match="people reported 1 cases"):
        require_made_up(connection)


def test_cases_of_an_exercise_make_no_city_real(city: Database) -> None:
    report(city, REHEARSED)
    with city.engine.connect() as connection:
        require_made_up(connection)


def test_in_an_exercise_it_plays_in_any_city_and_nothing_of_it_is_real(
    city: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report(city, OURS)
    with begin(city.engine, actor="test") as connection:
        about: dict[str, Any] = {"title": "防汛演练", "note": None, "area": None, "roles": ()}
        opened = open_exercise(connection, **about, actor=ADMIN, day=DAY, now=dt.datetime.now(dt.UTC))
    monkeypatch.setenv("CHENGTU_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CHENGTU_DATABASE_URL", city.url)
    words = ["--speed", "86400", "--rate", "8", "--from", "08:00", "--to", "12:00"]
    assert main(["simulate", *words, "--exercise", opened.id]) == 0
    assert "refused" not in capsys.readouterr().out
    cases, steps = played(city)
    assert cases
    assert {case["scenario"] for case in cases} == {opened.id}
    assert {step["scenario"] for life in steps.values() for step in life} == {opened.id}
    with begin(city.engine, actor="test") as connection:
        close_exercise(connection, opened.id, actor=ADMIN, now=dt.datetime.now(dt.UTC))
    assert main(["simulate", *words, "--exercise", opened.id]) == 1
    assert main(["simulate", *words, "--exercise", "drill-20260101-9"]) == 1


def test_two_simulations_do_not_play_at_once(city: Database) -> None:
    with alone(city.engine), pytest.raises(Conflict, match="another simulation"), alone(city.engine):
        pass
    with alone(city.engine):
        pass


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--speed", "0"], "--speed"),
        (["--rate", "-1"], "--rate"),
        (["--from", "9:00", "--to", "08:00"], "--to"),
    ],
)
def test_options_that_make_no_day_are_refused_before_anything_happens(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CHENGTU_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CHENGTU_DATABASE_URL", "postgresql:///none?host=/nowhere")
    assert main(["simulate", *words]) == 1
    assert told in capsys.readouterr().err


def test_the_command_plays_in_the_city_and_refuses_a_real_one(
    city: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CHENGTU_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CHENGTU_DATABASE_URL", city.url)
    assert main(["simulate", "--speed", "86400", "--rate", "8", "--from", "08:00", "--to", "12:00"]) == 0
    assert "all of it is simulated" in capsys.readouterr().out
    cases, _ = played(city)
    assert cases
    report(city, OURS)
    assert main(["simulate"]) == 1
    assert "play in an exercise" in capsys.readouterr().err
