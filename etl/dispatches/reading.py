"""Rows of a dispatch system, one a call and a unit: checked, and what cannot be used told by row, field and reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from etl.errors import CorruptFile, EmptyFile, TooLarge
from etl.findings import join_rejects, rejects
from etl.readers.encodings import encoding_of_file

STAGES: Final = ("received", "entry", "dispatch", "response", "on_scene", "transport", "hospital", "available")
"""In the order in which a unit passes them; a column `NAME_timestamp` holds each."""
NEEDED: Final = ("received", "entry", "dispatch")
MOST_ROWS: Final = 500_000
MOST_BYTES: Final = 500_000_000
_COLUMNS: Final = ("call_number", "unit_id", "call_type", "latitude", "longitude")
_MORE: Final = ("address", "call_final_disposition")
_NUMBER: Final = r"[A-Za-z0-9._-]{1,40}"


@dataclass(frozen=True)
class Calls:
    """The rows that can be used (times with their zone, `lon`, `lat`), those that cannot, and how many there were."""

    rows: pd.DataFrame
    rejects: pd.DataFrame
    read: int


def read_calls(path: Path) -> Calls:
    """The calls of a CSV; UnreadableFile for one that lacks columns, is empty or too large."""
    if (size := path.stat().st_size) > MOST_BYTES:
        raise TooLarge(path, "bytes", found=size, limit=MOST_BYTES)
    try:
        text = pd.read_csv(path, dtype="str", encoding=encoding_of_file(path), nrows=MOST_ROWS + 1)
    except pd.errors.EmptyDataError:
        raise EmptyFile(path) from None
    except pd.errors.ParserError as error:
        raise CorruptFile(path, f"not a CSV ({str(error).splitlines()[0]})") from error
    lacking = [n for n in (*_COLUMNS, *(f"{s}_timestamp" for s in STAGES)) if n not in text.columns]
    if lacking:
        raise CorruptFile(path, f"it has no column {', '.join(lacking)}")
    if text.empty:
        raise EmptyFile(path)
    if len(text) > MOST_ROWS:
        raise TooLarge(path, "rows", found=len(text), limit=MOST_ROWS)
    return _checked(text)


def _checked(text: pd.DataFrame) -> Calls:
    rows = pd.DataFrame({name: text[name] for name in _COLUMNS[:3]}).assign(**{name: text.get(name) for name in _MORE})
    rows["row"] = np.arange(2, len(text) + 2)  # as an editor counts them, below the header
    unread = {stage: _times(text, rows, stage) for stage in STAGES}
    for name, column in (("lon", "longitude"), ("lat", "latitude")):
        rows[name] = pd.to_numeric(text[column], errors="coerce")
    parts, out = [], np.zeros(len(rows), dtype=bool)
    for wrong, code, field, reason, raw in _problems(text, rows, unread):
        at = wrong.to_numpy(dtype=bool) & ~out
        if at.any():
            told = None if raw is None else raw[at]
            parts.append(rejects(rows["row"].to_numpy()[at], code=code, reason=reason, field=field, raw=told))
            out |= at
    return Calls(rows[~out].reset_index(drop=True), join_rejects(parts), len(text))


def _times(text: pd.DataFrame, rows: pd.DataFrame, stage: str) -> pd.Series[bool]:
    """Put the times of a stage into the rows; returns where one was given that is none."""
    given = text[f"{stage}_timestamp"]
    rows[stage] = pd.to_datetime(given, utc=True, errors="coerce", format="ISO8601")
    return given.notna() & rows[stage].isna()


Problem = tuple["pd.Series[bool]", str, str, str, "pd.Series[str] | None"]


def _problems(text: pd.DataFrame, rows: pd.DataFrame, unread: dict[str, pd.Series[bool]]) -> Iterator[Problem]:
    """What may be wrong with a row, what is worst first: each row is told once."""
    number, unit = rows["call_number"], rows["unit_id"]
    yield ~number.str.fullmatch(_NUMBER).fillna(False), "number_wrong", "call_number", "is no number of a call", number
    yield ~unit.str.fullmatch(_NUMBER).fillna(False), "unit_wrong", "unit_id", "is no unit", unit
    yield (
        rows.duplicated(["call_number", "unit_id"]),
        "unit_twice",
        "unit_id",
        "this unit of the call came before",
        unit,
    )
    yield rows["call_type"].isna(), "type_missing", "call_type", "says of no kind what it is", None
    for stage in STAGES:
        raw = text[f"{stage}_timestamp"]
        yield unread[stage], "time_wrong", f"{stage}_timestamp", "is no time", raw
    for stage in NEEDED:
        yield rows[stage].isna(), "time_missing", f"{stage}_timestamp", "is needed", None
    yield (
        rows["received"] > pd.Timestamp(dt.datetime.now(dt.UTC)),
        "time_ahead",
        "received_timestamp",
        "lies ahead",
        None,
    )
    for earlier, later in _pairs():
        wrong = rows[earlier] > rows[later]
        yield wrong, "time_order", f"{later}_timestamp", f"is before {earlier}", text[f"{later}_timestamp"]
    here = rows["lon"].abs().le(180) & rows["lat"].abs().le(85) & ~(rows["lon"].eq(0) & rows["lat"].eq(0))
    yield ~here, "place_wrong", "longitude", "longitude and latitude are no place", text["longitude"]


def _pairs() -> list[tuple[str, str]]:
    """Every two stages of which the first has to be over when the second begins, neighbours first."""
    count = len(STAGES)
    return [(STAGES[i], STAGES[i + gap]) for gap in range(1, count) for i in range(count - gap)]
