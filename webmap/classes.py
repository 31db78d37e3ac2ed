"""The classes by which a page colours records: the codes of a column, or ranges of a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from layers.codes.books import Language
from layers.export.sheet import Sheet, SheetColumn
from layers.export.values import heading, word
from layers.palette import colours
from layers.words import book_of
from webmap.drawn import number_text

PALETTE: Final = "light"
_MOST: Final = 8
_RANGES: Final = 5
_NONE: Final = {"zh": "无", "en": "none"}
_OTHER: Final = {"zh": "其他", "en": "other"}
_ROLES: Final = tuple(f"series{n}" for n in range(1, _MOST))
_REST: Final = "series8"


@dataclass(frozen=True)
class Class:
    """Records of one colour; `members` marks their rows."""

    label: str
    colour: str
    members: np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Classes:
    """A legend: what it is about and its rows, none of them empty."""

    title: str
    rows: tuple[Class, ...]


def classes(sheet: Sheet, table: pd.DataFrame, *, areas: bool, lang: Language) -> Classes:
    """The classes of the records in `table` by the sheet's own column or else by the one that tells most.

    That is the first coded column with a handful of values, else, for areas, the first number that is not always the
    same.
    """
    column = _chosen(sheet, table, areas=areas)
    if column is None:
        everything = np.ones(len(table), dtype=bool)
        title = sheet.title.zh if lang == "zh" else sheet.title.en
        return Classes("", (Class(title, colours(PALETTE)["series1"], everything),))
    series = table[column.name]
    found = _ranges(series) if column.kind in ("integer", "number") else _codes(column, series, lang=lang)
    nothing = series.isna().to_numpy(dtype=bool)
    rest = Class(_NONE[lang], colours(PALETTE)["quiet"], nothing)
    return Classes(heading(column, lang), tuple(row for row in (*found, rest) if row.members.any()))


def _chosen(sheet: Sheet, table: pd.DataFrame, *, areas: bool) -> SheetColumn | None:
    if sheet.colour_by is not None:
        return next((column for column in sheet.columns if column.name == sheet.colour_by), None)
    kinds = {column.name: table[column.name].nunique() for column in sheet.columns}
    coded = [c for c in sheet.columns if c.book is not None and 2 <= kinds[c.name] <= _MOST]
    measured = [c for c in sheet.columns if areas and c.kind in ("integer", "number") and kinds[c.name] >= 2]
    return next(iter([*coded, *measured]), None)


def _codes(column: SheetColumn, series: pd.Series[Any], *, lang: Language) -> list[Class]:
    """One class for each of the most frequent values, in the order of their book, and one for all others."""
    counts = series.value_counts()
    frequent = counts.index[: _MOST if len(counts) <= _MOST else _MOST - 1]
    order = {} if column.book is None else {code: n for n, code in enumerate(book_of(column.book).codes)}
    ordered = sorted(frequent, key=lambda value: (order.get(str(value), len(order)), str(value)))
    roles = colours(PALETTE)
    found = [
        Class(word(column, value, lang) or str(value), roles[role], (series == value).to_numpy(dtype=bool))
        for value, role in zip(ordered, (*_ROLES, _REST), strict=False)
    ]
    others = ~series.isin(frequent) & series.notna()
    return [*found, Class(_OTHER[lang], roles[_REST], others.to_numpy(dtype=bool))]


def _ranges(series: pd.Series[Any]) -> list[Class]:
    """Classes of about equally many records, each named by its least and its greatest value.

    The greatest come first, so that they are drawn beneath: what is reached in 20 minutes holds what is in ten.
    """
    numbers = pd.to_numeric(series).to_numpy(dtype=float, na_value=np.nan)
    known = numbers[~np.isnan(numbers)]
    if known.size == 0:
        return []
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _RANGES + 1)))
    index = np.clip(np.searchsorted(edges, numbers, side="left") - 1, 0, max(len(edges) - 2, 0))
    roles = colours(PALETTE)
    found = []
    for n in range(max(len(edges) - 1, 1)):
        members = (index == n) & ~np.isnan(numbers)
        # The darkest ones stand out on the light ground, so fewer classes take the dark end.
        role = f"ramp{_RANGES - max(len(edges) - 1, 1) + n + 1}"
        found.append(Class(_span(numbers[members]), roles[role], members))
    return found[::-1]


def _span(numbers: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    if numbers.size == 0:
        return ""
    least, most = number_text(float(numbers.min())), number_text(float(numbers.max()))
    return least if least == most else f"{least} – {most}"
