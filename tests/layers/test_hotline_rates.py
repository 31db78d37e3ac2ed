"""Calling back and the three rates: hand-computed cases, each exclusion on its own, masked lists, one answer each."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from layers.errors import BadDeclaration, BadField, BadParameter, Conflict
from layers.loop.answered import rate_rules_in
from layers.loop.departments import shipped_departments
from layers.loop.hotline.bulletin import bulletin, week_of
from layers.loop.hotline.contacts import Contacted, due_callbacks, write_contact
from layers.loop.hotline.earlier import earlier_cases
from layers.loop.hotline.rates import rates
from layers.loop.hotline.tables import CONTACT
from layers.loop.tables import CALLER
from layers.people.access import ADMIN
from layers.people.exercises import open_exercise
from layers.people.privacy import Keyring, keyring_in
from layers.people.reads import UnknownCaller
from layers.people.scope import REALITY, Slice, acting
from layers.store.engine import begin
from tests.conftest import Database
from tests.incidents import OURS, change, report

RULES = rate_rules_in()
DAY = dt.datetime(2026, 11, 18, 9, tzinfo=dt.UTC)
BEGIN, END = DAY - dt.timedelta(days=2), DAY + dt.timedelta(days=5)
HOUR = dt.timedelta(hours=1)
YES, NO = Contacted("callback", True, True, True), Contacted("callback", True, False, False)
GONE, SPOKEN = Contacted("callback", False), Contacted("contact", True)


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return keyring_in(tmp_path)


class Week:
    """Cases of a week with a caller each, put straight into the tables."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database, self.keyring, self.number = database, keyring, 0

    def case(
        self, *, lead: str = "cgj", state: str = "closed", phone: str | None = "new", line: str = "12345",
        matter: str = "01001", at: dt.datetime = DAY, scenario: str | None = None,
    ) -> tuple[str, int]:  # fmt: skip
        """A case that was dispatched an hour after the call; returns its id and its caller's number."""
        self.number += 1
        id = f"20261118{self.number:06d}"
        report(self.database, replace(OURS, id=id, lead=lead, matter=matter, scenario=scenario))
        change(
            *(self.database, id), state=state, channel="hotline", reported_at=at, dispatched_at=at + HOUR,
            closed_at=at + 20 * HOUR if state == "closed" else None,
        )  # fmt: skip
        return id, self.caller(id, phone=phone, line=line, at=at, scenario=scenario)

    def caller(
        self, id: str, *, phone: str | None, line: str = "12345", at: dt.datetime = DAY, scenario: str | None = None
    ) -> int:
        number = f"0513-0000{self.number:04d}" if phone == "new" else phone
        about = {"incident": id, "channel": "hotline", "line": line, "at": at, "scenario": scenario}
        if number is not None:
            about |= {
                "phone": self.keyring.seal(number, about="caller.phone"), "phone_mark": self.keyring.mark(number),
                "name": self.keyring.seal("张三", about="caller.name"),
            }  # fmt: skip
        with begin(self.database.engine, actor="test") as connection:
            return int(connection.execute(sa.insert(CALLER).values(about).returning(CALLER.c.id)).scalar_one())

    def called(self, case: tuple[str, int], told: Contacted, *, after: dt.timedelta = 30 * HOUR) -> None:
        with begin(self.database.engine, actor="test") as connection:
            write_contact(connection, *case, told, actor="test", now=DAY + after)

    def rates(self, by: str = "department", **other: Any) -> dict[str | None, object]:
        rules = replace(RULES, **other)
        with self.database.engine.connect() as connection:
            found = rates(acting(connection, REALITY), rules, by=by, begin=BEGIN, end=END)  # type: ignore[arg-type]
        return {key: counts.as_json() for key, counts in found.items()}

    def due(self, *, attempts: int = 3, part: Slice = REALITY) -> list[tuple[str, int]]:
        with self.database.engine.connect() as connection:
            found = due_callbacks(acting(connection, part), self.keyring, attempts=attempts)
            assert all(one.name in ("张*", None) and "****" in one.phone for one in found)
            return [(one.incident, one.tries) for one in found]


@pytest.fixture
def week(database: Database, keyring: Keyring) -> Week:
    return Week(database, keyring)


def test_the_three_rates_of_twelve_cases_are_those_counted_by_hand(week: Week) -> None:
    in_time = [week.case() for _ in range(4)]  # contacted after 3 hours
    late, never = week.case(), week.case()
    for case in in_time:
        week.called(case, SPOKEN, after=3 * HOUR)
    week.called(late, SPOKEN, after=40 * HOUR)
    for case, told in zip(in_time, (YES, YES, NO, Contacted("callback", True, True, False)), strict=True):
        week.called(case, told)
    week.called(never, NO)
    unreachable, trying = week.case(), week.case()
    for _ in range(3):
        week.called(unreachable, GONE)
    week.called(trying, GONE)
    outside = week.case(state="rejected")
    week.called(outside, NO)
    repeated = week.case(phone="0513-00000001", at=DAY + HOUR)  # of the first case, on the same matter
    week.called(repeated, NO)
    week.case(phone=None)
    other = week.case(lead="zjj", line="12319")
    week.called(other, YES)
    found = week.rates()
    assert found["cgj"] == {
        # Of eleven cases one left no number. Reached in 24 hours of the dispatch: the four that were contacted; all the
        # others were first called 30 hours after the call, 29 after the dispatch.
        "response": {"numerator": 4, "denominator": 10, "rate": 0.4},
        "solved": {"numerator": 3, "denominator": 5, "rate": 0.6},
        "satisfied": {"numerator": 2, "denominator": 5, "rate": 0.4},
        "exclusions": {"without_number": 1, "unreachable": 1, "outside_remit": 1, "repeats": 1},
        "pending": 1,
    }
    assert found["zjj"]["satisfied"] == {"numerator": 1, "denominator": 1, "rate": 1.0}  # type: ignore[index]
    by_line = week.rates("line")
    assert by_line["12319"]["solved"]["denominator"] == 1  # type: ignore[index]
    assert by_line["12345"]["solved"]["denominator"] == 5  # type: ignore[index]
    assert list(week.rates("town")) == [OURS.admin_code]


@pytest.mark.parametrize(
    ("rule", "denominator", "left"),
    [
        ({}, 1, {"unreachable": 1, "outside_remit": 1, "repeats": 1}),
        ({"exclude_unreachable": False}, 2, {"unreachable": 0, "outside_remit": 1, "repeats": 1}),
        ({"exclude_outside_remit": False}, 2, {"unreachable": 1, "outside_remit": 0, "repeats": 1}),
        ({"exclude_repeats": False}, 2, {"unreachable": 1, "outside_remit": 1, "repeats": 0}),
        ({"repeat_days": 1, "attempts": 4}, 1, {"unreachable": 0, "outside_remit": 1, "repeats": 1}),
    ],
)
def test_a_city_lays_down_what_is_left_out(
    week: Week, rule: dict[str, Any], denominator: int, left: dict[str, int]
) -> None:
    first, gone, outside = week.case(), week.case(), week.case(state="rejected")
    week.called(first, YES)
    for _ in range(3):
        week.called(gone, GONE)
    week.called(outside, NO)
    week.called(week.case(phone="0513-00000001", at=DAY + HOUR), NO)
    found = week.rates(**rule)["cgj"]
    assert found["solved"]["denominator"] == denominator  # type: ignore[index]
    assert {name: found["exclusions"][name] for name in left} == left  # type: ignore[index]


def test_rehearsals_count_in_no_rate_and_wait_for_no_call(week: Week) -> None:
    with begin(week.database.engine, actor="test") as connection:
        about: dict[str, Any] = {"title": "热线演练", "note": None, "area": None, "roles": (), "actor": ADMIN}
        exercise = open_exercise(connection, **about, day=DAY.date(), now=DAY)
    rehearsed = week.case(scenario=exercise.id)
    week.called(rehearsed, YES)
    assert week.rates() == {}
    assert week.due() == []


def test_who_waits_longest_is_called_first_and_nobody_twice(week: Week) -> None:
    later, first = week.case(at=DAY + HOUR), week.case()
    week.case(state="disposing")
    week.case(phone=None)
    assert week.due() == [(first[0], 0), (later[0], 0)]
    week.called(first, GONE)
    week.called(later, YES)
    assert week.due() == [(first[0], 1)]
    assert week.due(attempts=1) == []
    with pytest.raises(Conflict) as again:
        week.called(later, NO)
    assert again.value.cause == "callback_done"
    with week.database.engine.connect() as connection:
        kept = connection.execute(sa.select(CALLER.c.solved, CALLER.c.reached_at).where(CALLER.c.id == later[1])).one()
    assert kept == (True, DAY + 30 * HOUR)


def test_callers_of_merged_cases_are_called_when_the_one_case_is_done(week: Week) -> None:
    main, joined, deeper = week.case(), week.case(state="cancelled"), week.case(state="cancelled")
    change(week.database, joined[0], merged_into=main[0])
    change(week.database, deeper[0], merged_into=joined[0])
    assert week.due() == [(main[0], 0)] * 3
    week.called((main[0], deeper[1]), YES)
    assert week.due() == [(main[0], 0)] * 2


def test_only_cases_of_ones_own_are_called_about(week: Week) -> None:
    ours, _ = week.case(), week.case(lead="zjj")
    part = Slice(frozenset({(OURS.admin_code or "")[:6]}), frozenset({"cgj"}))
    assert week.due(part=part) == [(ours[0], 0)]
    assert week.due(part=Slice(frozenset({"320681"}), None)) == []


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (Contacted("callback", True), BadField),
        (Contacted("callback", True, True), BadField),
        (Contacted("callback", False, True, True), BadField),
        (Contacted("contact", True, True, True), BadField),
    ],
)
def test_answers_that_cannot_be_are_refused_and_nothing_is_kept(
    week: Week, told: Contacted, error: type[Exception]
) -> None:
    case = week.case()
    with pytest.raises(error):
        week.called(case, told)
    open_case = week.case(state="disposing")
    with pytest.raises(Conflict) as early:
        week.called(open_case, YES)
    assert early.value.cause == "callback_too_early"
    with pytest.raises(UnknownCaller):
        week.called((case[0], open_case[1]), YES)
    with week.database.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(CONTACT)) == 0
        assert connection.scalar(sa.select(sa.func.count()).where(CALLER.c.reached_at.is_not(None))) == 0


def test_what_was_answered_stays_as_it_is(week: Week) -> None:
    week.called(week.case(), YES)
    for change_it in (sa.update(CONTACT).values(solved=False), sa.delete(CONTACT)):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), week.database.engine.begin() as writing:
            writing.execute(change_it)


def test_the_bulletin_of_a_week_tells_what_was_counted(week: Week) -> None:
    before = DAY - dt.timedelta(days=7)
    for _ in range(2):
        week.case(at=before, matter="06010")
    satisfied, not_ = week.case(), week.case(matter="06010")
    week.called(satisfied, YES)
    week.called(not_, NO)
    week.called(week.case(lead="zjj"), YES)
    week.case(phone="0513-00000003", at=DAY + HOUR)
    with week.database.engine.connect() as connection:
        told = bulletin(acting(connection, REALITY), RULES, shipped_departments(), week="2026-W47")
    assert (told["from"], told["to"]) == ("2026-11-16", "2026-11-22")
    assert (told["received"], told["received_before"], told["change"]) == (4, 2, 2)
    assert (told["assigned"], told["repeats"]) == (4, 1)
    assert [(one["matter"], one["n"], one["before"]) for one in told["topics"]] == [("01001", 3, 0), ("06010", 1, 2)]
    assert [(one["department"], one["rate"]) for one in told["below_floor"]] == [("cgj", 0.5)]


@pytest.mark.parametrize("text", ["2026-W60", "2026", "w", "2026-W00"])
def test_a_week_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadParameter):
        week_of(text)


def test_earlier_cases_of_a_number_are_told_for_thirty_days(week: Week, keyring: Keyring) -> None:
    phone = "0513-00001234"
    seen = week.case(phone=phone)
    week.case(phone=phone, at=DAY - dt.timedelta(days=31))
    week.case(phone=phone, scenario="drill-1")
    week.case(phone=phone, lead="zjj")
    with week.database.engine.connect() as connection:
        ours = acting(connection, Slice(None, frozenset({"cgj"})))
        found = earlier_cases(ours, keyring.mark("(0513) 0000 1234"), now=DAY + 20 * HOUR)
    assert [one.id for one in found] == [seen[0]]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("floor,2",), "line 2.*between 0 and 1"),
        (("floor,high",), "line 2.*no number"),
        (("exclude_repeats,maybe",), "line 2"),
        (("unheard,1",), "line 2"),
        (("floor,0.8", "floor,0.9"), "line 3.*already"),
        (("floor,0.8",), "no line for attempts"),
    ],
)
def test_rules_that_cannot_be_are_named(tmp_path: Path, lines: tuple[str, ...], said: str) -> None:
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "rates.csv").write_text("\n".join(("name,value", *lines)), encoding="utf-8")
    with pytest.raises(BadDeclaration, match=said):
        rate_rules_in(tmp_path)
