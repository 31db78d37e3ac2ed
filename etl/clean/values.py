"""Values of a column as the kind that its field declares; what does not fit is told row by row."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from etl.clean.dates import ZONE, impossible, read_times
from etl.readers.text import NULLS
from layers.codes.books import Book
from layers.spec import Field

Mask = NDArray[np.bool_]
Column = "pd.Series[Any]"

_TRUE = frozenset(("1", "1.0", "true", "t", "yes", "y", "是", "有", "真", "on", "예", "-1", "ft", "tf"))
_FALSE = frozenset(("0", "0.0", "false", "f", "no", "n", "否", "无", "假", "off", "아니오"))
_UNIT = re.compile(r"^\s*([-+]?[\d,，]*\.?\d+(?:[eE][-+]?\d+)?)\s*[^\d\s.,]{0,8}\s*$")
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"


@dataclass(frozen=True)
class Problem:
    """Rows whose value does not fit their field, and why; the value is left out."""

    rows: Mask
    code: str
    reason: str


@dataclass(frozen=True)
class Converted:
    """A column of its field's kind, null where a value is absent or does not fit."""

    values: "pd.Series[Any]"
    problems: tuple[Problem, ...] = ()
    ambiguous_dates: bool = False


def plain_text(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """A column as texts without surrounding space, control characters and the many spellings of nothing."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column.astype("str").where(column.notna())
    if pd.api.types.is_float_dtype(column.dtype):
        whole = bool((column.dropna() % 1 == 0).all()) and bool((column.dropna().abs() < 2**53).all())
        column = column.astype("Int64").astype("str").where(column.notna()) if whole else column
    text = column.astype("str").where(column.notna())
    if len(text) and bool(text.str.contains(_CONTROL, regex=True).any()):
        text = text.str.replace(_CONTROL, " ", regex=True)
    text = text.str.strip()
    return text.mask(text.isin(NULLS))


def convert_values(column: "pd.Series[Any]", appears: Field, *, book: Book | None, today: date) -> Converted:
    """The column as its field wants it; problems tell what was left out."""
    readers: dict[str, Callable[[], Converted]] = {
        "text": lambda: _texts(column, appears),
        "code": lambda: _codes(column, book) if book else _texts(column, appears),
        "integer": lambda: _numbers(column, appears, whole=True),
        "number": lambda: _numbers(column, appears, whole=False),
        "date": lambda: _dates(column, today, only_date=True),
        "time": lambda: _dates(column, today, only_date=False),
        "boolean": lambda: _booleans(column),
    }
    return readers[appears.kind]()


def numbers_of(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The numbers that a column's texts are, also with thousands separators, full-width or with a unit; else NaN."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype("float64")
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    left = numbers.isna() & column.notna()
    if left.any():
        text = column[left].astype("str").str.normalize("NFKC").str.extract(_UNIT)[0].str.replace(",", "")
        numbers = numbers.where(~left, pd.to_numeric(text, errors="coerce").reindex(numbers.index))
    return numbers.where(np.isfinite(numbers))


def _texts(column: "pd.Series[Any]", appears: Field) -> Converted:
    text = plain_text(column)
    long = np.asarray((text.str.len() > appears.max_length).fillna(False).to_numpy(dtype=bool))
    if not long.any():
        return Converted(text)
    return Converted(text.mask(long), (Problem(long, "too_long", f"longer than {appears.max_length} characters"),))


def _codes(column: "pd.Series[Any]", book: Book) -> Converted:
    text = plain_text(column)
    places, distinct = pd.factorize(text, use_na_sentinel=True)
    known = np.array([*(book.code_for(str(word)) for word in distinct), None], dtype=object)
    codes = pd.Series(known[places], index=text.index, dtype="str")
    unknown = np.asarray(text.notna() & codes.isna())
    problem = Problem(unknown, "unknown_code", f"no code or name of the book {book.name}")
    return Converted(codes, (problem,) if unknown.any() else ())


def _numbers(column: "pd.Series[Any]", appears: Field, *, whole: bool) -> Converted:
    numbers = numbers_of(column if pd.api.types.is_numeric_dtype(column.dtype) else plain_text(column))
    problems = []
    bad = np.zeros(len(column), dtype=bool)
    if numbers.isna().any():
        bad = np.asarray(numbers.isna() & plain_text(column).notna())
    if bad.any():
        problems.append(Problem(bad, "not_a_number", "not a number"))
    if whole:
        broken = np.asarray((numbers % 1 != 0) & numbers.notna())
        if broken.any():
            problems.append(Problem(broken, "not_whole", "not a whole number"))
            numbers = numbers.mask(broken)
    low = -np.inf if appears.minimum is None else appears.minimum
    high = np.inf if appears.maximum is None else appears.maximum
    out = np.asarray((numbers < low) | (numbers > high))
    if out.any():
        unit = f" {appears.unit}" if appears.unit else ""
        problems.append(Problem(out, "out_of_range", f"not between {low:g} and {high:g}{unit}"))
        numbers = numbers.mask(out)
    return Converted(numbers.astype("Int64") if whole else numbers, tuple(problems))


def _dates(column: "pd.Series[Any]", today: date, *, only_date: bool) -> Converted:
    numeric = pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype)
    read = read_times(column if numeric else plain_text(column))
    problems = [Problem(read.bad, "not_a_date", "not a date that can be understood")] if read.bad.any() else []
    wrong = impossible(read.times, today=today)
    if wrong.any():
        problems.append(Problem(wrong, "impossible_date", "before 1900 or in the future"))
    times = read.times.mask(wrong)
    if only_date:
        times = times.dt.tz_convert(ZONE).dt.tz_localize(None).dt.normalize()
    return Converted(times, tuple(problems), read.ambiguous)


def _booleans(column: "pd.Series[Any]") -> Converted:
    if pd.api.types.is_bool_dtype(column.dtype):
        return Converted(column.astype("boolean"))
    text = plain_text(column).str.lower()
    yes, no = text.isin(_TRUE), text.isin(_FALSE)
    values = pd.Series(pd.NA, index=column.index, dtype="boolean").mask(yes, True).mask(no, False)
    odd = np.asarray(text.notna() & ~yes & ~no)
    return Converted(values, (Problem(odd, "not_yes_or_no", "neither yes nor no"),) if odd.any() else ())
