"""Cells that a person set right after a file was refused in part: put into its table before anything else is done."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from etl.clean.values import plain_text
from etl.errors import BadOption
from etl.findings import RAGGED, RAGGED_ROWS, Finding
from etl.readers.table import Table
from layers.store.choices import Correction


def corrected(table: Table, corrections: Iterable[Correction]) -> Table:
    """The table with these cells; BadOption for a row or a column that the file does not have.

    A column of numbers or dates stays one as long as every correction is one, else all of it becomes text. A row that
    had not the cells of the header is one of the table as soon as a cell of it was corrected.
    """
    given = tuple(corrections)
    table = _mended(table, {one.row for one in given} & table.ragged.keys())
    columns: dict[str, dict[int, str | None]] = defaultdict(dict)
    for one in given:
        columns[one.column][one.row] = one.value
    if not columns:
        return table
    frame = table.columns.copy(deep=False)
    for name, cells in columns.items():
        if name not in frame.columns:
            raise BadOption("correction", name, "the file has no such column").because("column_gone", column=name)
        frame[name] = _corrected(frame[name], _positions(table, cells), list(cells.values()))
    return replace(table, columns=frame)


def _mended(table: Table, rows: set[int]) -> Table:
    """The table with these ragged rows: their cells from the left, as many as the header has."""
    if not rows:
        return table
    width, ordered = len(table.headers), sorted(rows)
    cells = [[*table.ragged[row][:width], *[None] * (width - len(table.ragged[row]))] for row in ordered]
    added = pd.DataFrame(cells, columns=table.columns.columns).astype(table.columns.dtypes.to_dict())
    numbers = np.concatenate([table.rows, np.array(ordered, dtype=np.int64)])
    order = np.argsort(numbers, kind="stable")
    columns = pd.concat([table.columns, added], ignore_index=True).iloc[order].reset_index(drop=True)
    mine = (table.rejects["code"] == RAGGED) & table.rejects["row"].isin(ordered)
    return replace(
        table,
        columns=columns,
        rows=numbers[order],
        rejects=table.rejects[~mine].reset_index(drop=True),
        ragged={row: found for row, found in table.ragged.items() if row not in rows},
        findings=_still_ragged(table.findings, len(rows)),
    )


def _still_ragged(findings: tuple[Finding, ...], mended: int) -> tuple[Finding, ...]:
    """What was noticed, with so many ragged rows fewer."""
    left = {one.code: (one.count or 0) - mended for one in findings if one.code == RAGGED_ROWS}
    told = [one if one.code not in left else _ragged(left[one.code]) for one in findings]
    return tuple(one for one in told if one.code != RAGGED_ROWS or one.count)


def _ragged(count: int) -> Finding:
    return Finding(RAGGED_ROWS, f"{count:,} lines have not the cells of the header", "warning", count=count)


def _positions(table: Table, cells: dict[int, str | None]) -> list[int]:
    """Where the rows of the file stand in the table."""
    at = {int(row): position for position, row in enumerate(table.rows)} if cells else {}
    missing = [row for row in cells if row not in at]
    if missing:
        told = BadOption("correction", f"row {missing[0]}", "the file has no such row that could be read")
        raise told.because("row_gone", row=missing[0])
    return [at[row] for row in cells]


def _corrected(column: "pd.Series[Any]", positions: list[int], values: list[str | None]) -> "pd.Series[Any]":
    fitting = _as_kind(column, values)
    if fitting is None:
        column, fitting = plain_text(column), pd.Series(values, dtype="str")
    changed = column.copy()
    changed.iloc[np.array(positions, dtype=np.intp)] = fitting.to_numpy()
    return changed


def _as_kind(column: "pd.Series[Any]", values: list[str | None]) -> "pd.Series[Any] | None":
    """The values as the column's kind; None where one of them is none, or the column is of text."""
    kind = column.dtype
    try:
        if pd.api.types.is_float_dtype(kind):
            return pd.Series([np.nan if value in (None, "") else float(value) for value in values], dtype="float64")
        if pd.api.types.is_datetime64_any_dtype(kind):
            return pd.Series(
                pd.to_datetime(pd.Series([value or None for value in values], dtype=object), format="ISO8601")
            ).astype(kind)
    except (ValueError, TypeError):
        return None
    return None
