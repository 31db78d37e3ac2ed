"""Dates and times as files write them, read a whole column at a time."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ZONE = "Asia/Shanghai"
_ORIGIN = pd.Timestamp("1899-12-30")
# Serial numbers of a spreadsheet between 1950 and 2100; smaller ones are years or counts.
_SERIAL = (18_264.0, 73_051.0)
_YEAR_FIRST = re.compile(r"^\d{4}")
_SLASHED = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(.*)$")
_PLAIN_ISO = r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?"
_DIGITS = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


@dataclass(frozen=True)
class ReadTimes:
    """Times in the city's zone, NaT where a value is absent or `bad`; `ambiguous` when 3/4 may be March or April."""

    times: "pd.Series[Any]"
    bad: NDArray[np.bool_]
    ambiguous: bool = False


def read_times(column: "pd.Series[Any]") -> ReadTimes:
    """The times of a column: ISO and Chinese spellings, 20260701, spreadsheet numbers, day and month in either order.

    Times without a zone are the city's. Dates are times at midnight.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return ReadTimes(_zoned(column), np.zeros(len(column), dtype=bool))
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        serial = column.between(*_SERIAL)
        plain = column.round().astype("Int64").astype("str").where(column.notna() & ~serial)
        texts = plain.where(~serial, (_ORIGIN + pd.to_timedelta(column.where(serial), unit="D")).astype("str"))
    else:
        texts = column.astype("str").where(column.notna())
    codes, distinct = pd.factorize(texts, use_na_sentinel=True)
    values = pd.Series(distinct, dtype="str")
    read, ambiguous = _read_distinct(values)
    table = pd.concat([read, pd.Series([pd.NaT], dtype=read.dtype)], ignore_index=True)
    times = table.iloc[codes].set_axis(column.index)
    bad = np.asarray((codes >= 0) & times.isna().to_numpy())
    return ReadTimes(times, bad, ambiguous)


def impossible(times: "pd.Series[Any]", *, today: date) -> NDArray[np.bool_]:
    """Tell which times lie before 1900 or more than a day in the future."""
    low, high = pd.Timestamp("1900-01-01", tz=ZONE), pd.Timestamp(today, tz=ZONE) + pd.Timedelta(days=2)
    return np.asarray(((times < low) | (times >= high)).fillna(False).to_numpy(dtype=bool))


def _read_distinct(values: "pd.Series[str]") -> tuple["pd.Series[Any]", bool]:
    if bool(values.str.fullmatch(_PLAIN_ISO).all()):
        return _zoned(pd.to_datetime(values, format="ISO8601", errors="coerce")), False
    text = values.str.normalize("NFKC").str.strip()
    text = text.str.replace(r"\s*年\s*|\s*月\s*", "-", regex=True).str.replace("日", " ").str.rstrip("- ")
    text = text.str.replace(r"\s*时\s*|\s*分\s*", ":", regex=True).str.replace("秒", "").str.rstrip(": ")
    result = pd.Series(pd.NaT, index=values.index, dtype=f"datetime64[us, {ZONE}]")
    result = _fill(result, text, text.str.fullmatch(r"\d+(?:\.0)?"), _from_digits)
    year_first = text.str.match(_YEAR_FIRST) & result.isna() & ~text.str.fullmatch(r"\d+(?:\.0)?")
    dashed = text.str.replace(r"^(\d{4})[/.](\d{1,2})(?:[/.](\d{1,2}))?", _dashed, regex=True)
    result = _fill(result, dashed, year_first, _iso)
    parts = text.str.extract(_SLASHED)
    slashed = parts[0].notna() & result.isna()
    if not slashed.any():
        return result, False
    first, second = pd.to_numeric(parts[0][slashed]), pd.to_numeric(parts[1][slashed])
    day_first = bool((first > 12).any())
    ambiguous = not day_first and not bool((second > 12).any())
    order = parts[2] + "-" + (parts[1] + "-" + parts[0] if day_first else parts[0] + "-" + parts[1]) + parts[3]
    return _fill(result, order, slashed, _iso), ambiguous


def _dashed(match: re.Match[str]) -> str:
    return "-".join(part for part in match.groups() if part)


def _fill(result: Any, text: Any, where: Any, read: Any) -> Any:
    chosen = where.fillna(False).astype(bool)
    if chosen.any():
        result = result.where(~chosen, read(text[chosen]).reindex(result.index))
    return result


def _from_digits(text: "pd.Series[str]") -> "pd.Series[Any]":
    plain = text.str.removesuffix(".0")
    result = pd.Series(pd.NaT, index=text.index, dtype=f"datetime64[us, {ZONE}]")
    for length, pattern in _DIGITS.items():
        fits = plain.str.len() == length
        if fits.any():
            read = pd.to_datetime(plain[fits], format=pattern, errors="coerce")
            result = result.where(~fits, _zoned(read).reindex(result.index))
    return result


def _iso(text: "pd.Series[str]") -> "pd.Series[Any]":
    """Times that begin with year, month and day; those that name a zone are read apart from those that do not."""
    zoned = text.str.contains(r"(?:[zZ]|[+-]\d{2}:?\d{2}|\sUTC)$", regex=True) & text.str.contains(":")
    result = pd.Series(pd.NaT, index=text.index, dtype=f"datetime64[us, {ZONE}]")
    if zoned.any():
        read = pd.to_datetime(text[zoned].str.replace(" UTC", "Z"), format="ISO8601", utc=True, errors="coerce")
        result = result.where(~zoned, read.dt.tz_convert(ZONE).dt.as_unit("us").reindex(result.index))
    if not zoned.all():
        padded = text[~zoned].str.replace(r"-(\d)(?!\d)", r"-0\1", regex=True)
        padded = padded.str.replace(r"([ T])(\d):", r"\g<1>0\2:", regex=True)
        read = pd.to_datetime(padded, format="ISO8601", errors="coerce")
        left = read.isna()
        if left.any():  # 12-hour clocks and names of months
            read = read.where(~left, pd.to_datetime(padded.where(left), format="mixed", errors="coerce"))
        result = result.where(zoned, _zoned(read).reindex(result.index))
    return result


def _zoned(times: "pd.Series[Any]") -> "pd.Series[Any]":
    exact = times.dt.as_unit("us")
    zoned: pd.Series[Any] = (
        exact.dt.tz_localize(ZONE, ambiguous="NaT", nonexistent="shift_forward")
        if times.dt.tz is None
        else exact.dt.tz_convert(ZONE)
    )
    return zoned
