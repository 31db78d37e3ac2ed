"""Texts of columns as numbers, dates, codes and yes or no."""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.clean.dates import read_times
from etl.clean.values import convert_values, numbers_of, plain_text
from layers.codes.books import book
from layers.spec import Field, FieldKind, Title

TODAY = date(2026, 11, 22)


def field(kind: FieldKind, **more: object) -> Field:
    return Field("f", Title("值", "value"), kind, **more)  # type: ignore[arg-type]


def texts(*values: object) -> "pd.Series[str]":
    return pd.Series(values, dtype="str")


def days(*values: object) -> list[str | None]:
    read = read_times(texts(*values)).times
    return [None if pd.isna(time) else f"{time:%Y-%m-%d %H:%M:%S}" for time in read]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-01", "2026-07-01 00:00:00"),
        ("2026/7/1", "2026-07-01 00:00:00"),
        ("2026.07.01", "2026-07-01 00:00:00"),
        ("2026年7月1日", "2026-07-01 00:00:00"),
        ("2026年7月1日 8时5分", "2026-07-01 08:05:00"),
        ("20260701", "2026-07-01 00:00:00"),
        ("20260701083000", "2026-07-01 08:30:00"),
        ("2026-7-1 8:05:03", "2026-07-01 08:05:03"),
        ("2026", "2026-01-01 00:00:00"),
        ("2026-07", "2026-07-01 00:00:00"),
        ("2016-07-13 15:11:07+00:00", "2016-07-13 23:11:07"),
        ("2016-07-13T15:11:07Z", "2016-07-13 23:11:07"),
        ("２０２６－０７－０１", "2026-07-01 00:00:00"),
        ("13/4/2016 7:54", "2016-04-13 07:54:00"),
        ("4/13/2016 7:54 PM", "2016-04-13 19:54:00"),
    ],
)
def test_dates_in_many_spellings_are_understood_in_the_citys_zone(text: str, expected: str) -> None:
    assert days(text) == [expected]


def test_one_clear_day_tells_the_order_of_a_whole_column() -> None:
    assert days("1/2/2016", "13/4/2016") == ["2016-02-01 00:00:00", "2016-04-13 00:00:00"]
    assert days("1/2/2016", "4/13/2016") == ["2016-01-02 00:00:00", "2016-04-13 00:00:00"]
    assert read_times(texts("1/2/2016")).ambiguous
    assert not read_times(texts("1/2/2016", "13/4/2016")).ambiguous


def test_what_is_no_date_is_told_and_absent_ones_are_not() -> None:
    read = read_times(texts("昨天", None, "2026-13-01", "2026-02-30", "2026-07-01"))
    assert read.bad.tolist() == [True, False, True, True, False]


def test_numbers_of_a_spreadsheet_are_dates() -> None:
    read = read_times(pd.Series([45000.5, 20260701.0, np.nan]))
    assert [f"{t:%Y-%m-%d %H}" for t in read.times.dropna()] == ["2023-03-15 12", "2026-07-01 00"]


@given(st.datetimes(datetime(1993, 1, 1), datetime(2026, 1, 1), timezones=st.none()))
def test_iso_times_come_back_to_the_second(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    assert days(moment.isoformat()) == [f"{moment:%Y-%m-%d %H:%M:%S}"]
    assert days(f"{moment:%Y%m%d%H%M%S}") == [f"{moment:%Y-%m-%d %H:%M:%S}"]


def test_impossible_dates_are_left_out_and_told() -> None:
    tomorrow, later = TODAY + timedelta(days=1), TODAY + timedelta(days=2)
    column = texts("1899-12-31", "1900-01-01", TODAY.isoformat(), tomorrow.isoformat(), later.isoformat())
    converted = convert_values(column, field("date"), book=None, today=TODAY)
    assert converted.values.isna().tolist() == [True, False, False, False, True]
    assert [problem.code for problem in converted.problems] == ["impossible_date"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), (" 12.5 ", 12.5), ("1,234.5", 1234.5), ("１２", 12), ("12.5米", 12.5), ("1e3", 1000)],
)
def test_numbers_in_many_spellings_are_understood(text: str, number: float) -> None:
    assert numbers_of(texts(text)).tolist() == [number]


def test_numbers_out_of_range_and_words_are_told_apart() -> None:
    converted = convert_values(
        texts("5", "-1", "361", "很高", None), field("number", minimum=0, maximum=360, unit="°"), book=None, today=TODAY
    )
    assert converted.values.isna().tolist() == [False, True, True, True, True]
    assert {p.code: p.rows.tolist().count(True) for p in converted.problems} == {"not_a_number": 1, "out_of_range": 2}


def test_whole_numbers_stay_whole() -> None:
    converted = convert_values(texts("3", "3.0", "3.5", None), field("integer"), book=None, today=TODAY)
    assert converted.values.tolist()[:2] == [3, 3]
    assert [p.code for p in converted.problems] == ["not_whole"]


def test_codes_are_found_by_code_name_and_lost_zero() -> None:
    column = texts("01037", "1037", "路灯", book("component").word("01037", "en"), "没有", None)
    converted = convert_values(column, field("code", book="component"), book=book("component"), today=TODAY)
    assert converted.values.tolist()[:4] == ["01037"] * 4
    assert converted.values.isna().tolist()[4:] == [True, True]
    assert [(p.code, p.rows.sum()) for p in converted.problems] == [("unknown_code", 1)]


def test_yes_and_no_are_known_in_three_languages() -> None:
    converted = convert_values(
        texts("是", "否", "Yes", "no", "1", "0", "예", "maybe", None), field("boolean"), book=None, today=TODAY
    )
    assert converted.values.tolist()[:7] == [True, False, True, False, True, False, True]
    assert [p.code for p in converted.problems] == ["not_yes_or_no"]


def test_too_long_texts_and_control_characters_are_taken_care_of() -> None:
    converted = convert_values(texts("ab", "abcd", "a\x00b", "  "), field("text", max_length=3), book=None, today=TODAY)
    assert converted.values.tolist()[0] == "ab"
    assert converted.values.tolist()[2] == "a b"
    assert converted.values.isna().tolist() == [False, True, False, True]


def test_numbers_of_a_file_become_texts_without_a_decimal_point() -> None:
    assert plain_text(pd.Series([1001.0, np.nan])).tolist()[0] == "1001"
    assert plain_text(pd.Series([1.5])).tolist() == ["1.5"]
