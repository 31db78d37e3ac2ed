"""The three clocks: laws that hold for every moment, and the holidays of real years."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.ask.period import CITY_TIME
from layers.errors import BadDeclaration
from layers.loop.calendar import Calendar, calendar_in
from layers.loop.clocks import UNITS, Limit, Unit, due, elapsed, length, unannounced

CALENDAR = calendar_in()
moments = st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 30)).map(
    lambda at: at.replace(microsecond=0, tzinfo=CITY_TIME)
)
amounts = st.integers(1, 80).map(lambda n: n / 4)
limits = st.builds(Limit, amounts, st.sampled_from(UNITS))
spans = st.tuples(moments, st.timedeltas(timedelta(0), timedelta(days=12))).map(lambda s: (s[0], s[0] + s[1]))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CITY_TIME)


@given(limits, moments)
def test_the_clock_ran_exactly_as_long_as_the_limit_when_it_is_due(limit: Limit, begun: datetime) -> None:
    end = due(limit, begun, CALENDAR)
    assert end > begun
    assert elapsed(limit.unit, begun, end, CALENDAR) == length(limit, CALENDAR)
    assert elapsed(limit.unit, begun, end - timedelta(seconds=1), CALENDAR) < length(limit, CALENDAR)


@given(limits, st.lists(spans, max_size=4), moments)
def test_a_pause_is_time_that_does_not_count(
    limit: Limit, pauses: list[tuple[datetime, datetime]], begun: datetime
) -> None:
    end = due(limit, begun, CALENDAR, pauses=pauses)
    assert end >= due(limit, begun, CALENDAR)
    assert elapsed(limit.unit, begun, end, CALENDAR, pauses=pauses) == length(limit, CALENDAR)
    assert not any(start < end <= stop for start, stop in pauses)


@given(amounts, moments, st.timedeltas(timedelta(seconds=1), timedelta(days=9)), st.floats(0.01, 0.99))
def test_round_the_clock_a_pause_shifts_the_due_time_by_its_own_length(
    amount: float, begun: datetime, pause: timedelta, share: float
) -> None:
    limit = Limit(amount, "hours24")
    start = begun + timedelta(seconds=round(length(limit, CALENDAR).total_seconds() * share))
    assert due(limit, begun, CALENDAR, pauses=[(start, start + pause)]) == due(limit, begun, CALENDAR) + pause


@given(limits, moments, moments)
def test_what_begins_later_is_not_due_earlier(limit: Limit, one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))
    assert due(limit, first, CALENDAR) <= due(limit, second, CALENDAR)


@given(amounts, amounts, st.sampled_from(UNITS), moments)
def test_a_longer_limit_is_due_later(one: float, more: float, unit: Unit, begun: datetime) -> None:
    assert due(Limit(one, unit), begun, CALENDAR) < due(Limit(one + more, unit), begun, CALENDAR)


@given(amounts, amounts, st.sampled_from(("hours24", "work_hours")), moments)
def test_limits_add_up(one: float, other: float, unit: Unit, begun: datetime) -> None:
    between = due(Limit(one, unit), begun, CALENDAR)
    assert due(Limit(other, unit), between, CALENDAR) == due(Limit(one + other, unit), begun, CALENDAR)


@given(st.integers(1, 40), st.integers(1, 40), moments)
def test_whole_working_days_add_up(one: int, other: int, begun: datetime) -> None:
    between = due(Limit(one, "work_days"), begun, CALENDAR)
    assert due(Limit(other, "work_days"), between, CALENDAR) == due(Limit(one + other, "work_days"), begun, CALENDAR)


@given(st.sampled_from(("hours24", "work_hours")), st.lists(moments, min_size=3, max_size=3).map(sorted))
@settings(max_examples=50)
def test_time_that_ran_adds_up(unit: Unit, three: list[datetime]) -> None:
    a, b, c = three
    whole = elapsed(unit, a, c, CALENDAR)
    assert elapsed(unit, a, b, CALENDAR) + elapsed(unit, b, c, CALENDAR) == whole


# The National Day week of 2026: 1 to 7 October are free; Sunday 20 September and Saturday 10 October are worked.
@pytest.mark.parametrize(
    ("amount", "unit", "begun", "end"),
    [
        (2, "hours24", "2026-10-01T23:30", "2026-10-02T01:30"),
        (4, "work_hours", "2026-09-30T16:30", "2026-10-08T11:30"),
        (4, "work_hours", "2026-10-09T16:30", "2026-10-10T11:30"),
        (4, "work_hours", "2026-10-10T16:30", "2026-10-12T11:30"),
        (1, "work_days", "2026-09-30T09:00", "2026-10-08T17:30"),
        (2, "work_days", "2026-10-08T20:00", "2026-10-10T17:30"),
        (3, "work_days", "2026-10-08T09:00", "2026-10-12T17:30"),
        (1, "work_days", "2026-09-19T09:00", "2026-09-20T17:30"),
        # Around the Spring Festival of 2026 (15 to 23 February), with Saturdays 14 and 28 worked.
        (1, "work_days", "2026-02-13T10:00", "2026-02-14T17:30"),
        (1, "work_days", "2026-02-14T10:00", "2026-02-24T17:30"),
        (5, "work_days", "2026-02-14T10:00", "2026-02-28T17:30"),
        # Hours of one day: over noon, before work, after work, at a weekend.
        (2, "work_hours", "2026-11-18T11:00", "2026-11-18T15:00"),
        (2, "work_hours", "2026-11-18T06:00", "2026-11-18T10:30"),
        (2, "work_hours", "2026-11-18T19:00", "2026-11-19T10:30"),
        (2, "work_hours", "2026-11-21T19:00", "2026-11-23T10:30"),
        (7, "work_hours", "2026-11-18T08:30", "2026-11-18T17:30"),
        (0.5, "work_days", "2026-11-18T08:30", "2026-11-19T12:00"),
    ],
)
def test_due_times_around_real_holidays(amount: float, unit: Unit, begun: str, end: str) -> None:
    assert due(Limit(amount, unit), at(begun), CALENDAR) == at(end)


def test_the_official_days_of_2026() -> None:
    free = [date(2026, 10, day) for day in range(1, 8)]
    worked = [date(2026, 9, 20), date(2026, 10, 10), date(2026, 1, 4), date(2026, 5, 9)]
    assert not any(map(CALENDAR.works, free))
    assert all(map(CALENDAR.works, worked))
    assert all(day.weekday() >= 5 for day in worked)
    assert CALENDAR.announced(2026)


def test_of_a_year_that_is_not_announced_only_weekends_are_left_out_and_that_is_said() -> None:
    far = 2099
    assert not CALENDAR.announced(far)
    first = datetime(far, 1, 1, 10, tzinfo=CITY_TIME)
    end = due(Limit(5, "work_days"), first, CALENDAR)
    assert unannounced("work_days", first, end, CALENDAR) == (far,)
    assert unannounced("hours24", first, end, CALENDAR) == ()
    days = [date(far, 1, 1) + timedelta(days=n) for n in range(14)]
    assert [CALENDAR.works(day) for day in days] == [day.weekday() < 5 for day in days]


def test_a_table_of_the_city_says_which_days_of_the_next_year_are_worked(tmp_path: Path) -> None:
    (tmp_path / "loop").mkdir()
    rows = "2099-01-01,rest,元旦,通知\n2099-01-03,work,调休,通知\n"
    (tmp_path / "loop" / "calendar.csv").write_text("day,kind,name,source\n" + rows, encoding="utf-8")
    (tmp_path / "loop" / "working_hours.csv").write_text("begins,ends\n09:00,17:00\n", encoding="utf-8")
    own = calendar_in(tmp_path)
    assert (own.works(date(2099, 1, 1)), own.works(date(2099, 1, 3)), own.announced(2099)) == (False, True, True)
    assert own.day == timedelta(hours=8)
    assert due(Limit(1, "work_days"), datetime(2098, 12, 31, 12, tzinfo=CITY_TIME), own).time() == time(17)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("calendar.csv", "day,kind,name,source\n2099-01-01,free,,\n", 2),
        ("calendar.csv", "day,kind,name,source\n2099-01-01,rest,,\n2099-01-01,rest,,\n", 3),
        ("calendar.csv", "day,kind,name,source\n1 January,rest,,\n", 2),
        ("calendar.csv", "day,kind\n", 1),
        ("working_hours.csv", "begins,ends\n", None),
        ("working_hours.csv", "begins,ends\n12:00,08:30\n", 2),
        ("working_hours.csv", "begins,ends\n08:30,12:00\n11:00,17:00\n", 3),
        ("working_hours.csv", "begins,ends\n08.30,12:00\n", 2),
    ],
)
def test_a_bad_table_is_refused_with_its_line(tmp_path: Path, name: str, text: str, line: int | None) -> None:
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadDeclaration) as caught:
        calendar_in(tmp_path)
    assert caught.value.line == line


def test_a_moment_without_a_zone_is_one_of_the_city() -> None:
    limit = Limit(3, "work_hours")
    told = due(limit, datetime(2026, 11, 18, 1, tzinfo=UTC), CALENDAR)
    assert due(limit, datetime(2026, 11, 18, 9), CALENDAR) == told == at("2026-11-18T12:00:00")


@pytest.mark.parametrize("amount", [0, -1, 10_001, float("nan"), float("inf")])
def test_a_limit_is_a_bounded_length(amount: float) -> None:
    with pytest.raises(ValueError, match="a limit of"):
        Limit(amount, "hours24")


def test_a_calendar_with_other_hours_counts_the_same_days() -> None:
    other = Calendar(((time(9), time(17)),))
    begun = at("2026-10-08T09:00")
    assert due(Limit(2, "work_days"), begun, other).date() == due(Limit(2, "work_days"), begun, CALENDAR).date()
