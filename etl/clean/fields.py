"""The declared fields of a layer, filled from the columns of a file and checked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from etl.clean.classes import has_classes, lapsed_codes, settle_classes
from etl.clean.dates import ZONE
from etl.clean.values import Converted, Problem, convert_values, plain_text
from etl.errors import BadOption
from etl.findings import Finding, Rows, rejects
from etl.headers import fold
from etl.mapping import Mapping
from etl.readers.table import Progress, Table, unheard
from layers import words
from layers.codes.books import LEGACY, NATIONAL, Book, book
from layers.codes.errors import UnknownBook
from layers.spec import Field, Layer

_WITHOUT = "; the record is loaded without this value"
_AS_IT_IS = "; the record is loaded as it is"
_UNKNOWN = ("unknown", "UNKNOWN")
_BEGINS = (
    *("created", "opened", "received", "reported", "first", "begin", "start"),
    *("上报", "受理", "创建", "初始", "开始", "发生"),
)
_ENDS = ("closed", "resolved", "finished", "completed", "end", "change", "结案", "办结", "关闭", "变更", "结束", "完成")


@dataclass(frozen=True)
class Filled:
    """The columns of a layer, `bad` rows that cannot become records, and what was noticed."""

    columns: dict[str, "pd.Series[Any]"]
    bad: NDArray[np.bool_]
    rejects: tuple[pd.DataFrame, ...]
    findings: tuple[Finding, ...]


class _Columns:
    """Collects the columns and the problems of one file."""

    def __init__(self, table: Table, mapping: Mapping, layer: Layer, *, today: date) -> None:
        self.table, self.mapping, self.layer, self.today = table, mapping, layer, today
        self.values: dict[str, pd.Series[Any]] = {}
        self.bad = np.zeros(len(table), dtype=bool)
        self.parts: list[pd.DataFrame] = []
        self.findings: list[Finding] = []

    def raw(self, name: str) -> "pd.Series[Any] | None":
        """What the file or a constant gives for a field, words translated; None where neither does."""
        if name in self.mapping.constants:
            return pd.Series([self.mapping.constants[name]] * len(self.table), dtype="str")
        if name not in self.mapping.fields:
            return None
        column = self.table.columns[self.mapping.fields[name]].reset_index(drop=True)
        translated = self.mapping.values.get(name)
        return plain_text(column).replace(dict(translated)) if translated else column

    def note(
        self, name: str, raw: "pd.Series[Any] | None", problem: Problem, *, whole: bool, tail: str = _WITHOUT
    ) -> None:
        """Put down a problem; with `whole` its rows cannot become records."""
        rows = np.flatnonzero(problem.rows)
        told = None if raw is None else raw.iloc[rows]
        reason = problem.reason if whole else problem.reason + tail
        numbers = self.table.rows[rows]
        self.parts.append(rejects(numbers, code=problem.code, reason=reason, field=name, raw=told, whole=whole))
        if whole:
            self.bad |= problem.rows

    def fill(self, appears: Field) -> None:
        """Convert one field and put down what does not fit."""
        raw = self.raw(appears.name)
        if raw is None:
            return
        converted = convert_values(raw, appears, book=book_of(appears), today=self.today)
        if appears.name in self.mapping.constants and converted.problems:
            given = str(raw.iloc[0])
            told = BadOption("--set", f"{appears.name}={given}", converted.problems[0].reason)
            raise told.because("bad_constant", field_zh=appears.title.zh, field_en=appears.title.en, value=given)
        for problem in converted.problems:
            self.note(appears.name, raw, problem, whole=appears.required)
        self.values[appears.name] = converted.values
        self._say_ambiguous(appears, converted)

    def _say_ambiguous(self, appears: Field, converted: Converted) -> None:
        if converted.ambiguous_dates:
            text = f"dates of {appears.title.en} like 3/4/2026 may be read in two ways; the month was taken to be first"
            self.findings.append(Finding("ambiguous_dates", text, "warning"))


def fill_fields(
    table: Table,
    mapping: Mapping,
    *,
    layer: Layer,
    ids: "pd.Series[Any]",
    today: date,
    progress: Progress = unheard,
) -> Filled:
    """Every written field, converted and checked; required ones that stay empty make their row unusable."""
    columns = _Columns(table, mapping, layer, today=today)
    columns.bad |= ids.isna().to_numpy()  # rows that are refused already need no further reasons
    settled = _fill_classes(columns, ids) if has_classes(layer) else ()
    open_fields = [f for f in layer.fields if f.name in layer.written and f.name not in settled]
    for done, appears in enumerate(open_fields):
        progress(len(table) * done // len(open_fields), len(table))
        columns.fill(appears)
    progress(len(table), len(table))
    _fill_missing(columns)
    _flag_order(columns)
    _flag_codes(columns)
    return Filled(columns.values, columns.bad, tuple(columns.parts), tuple(columns.findings))


def book_of(appears: Field) -> Book | None:
    """The code book of a field, None for a field without one or with one that nobody ships."""
    if appears.kind != "code" or appears.book is None:
        return None
    try:
        return words.book_of(appears.book)
    except UnknownBook:
        return None


def extra_of(table: Table, headers: Sequence[str], chosen: Rows) -> NDArray[np.object_] | None:
    """What the file has besides the fields of the layer, as JSON text for each chosen position; None without any."""
    kept = {h: _json_ready(table.columns[h].iloc[chosen]) for h in headers if table.columns[h].notna().any()}
    if not kept:
        return None
    lists = [column.tolist() for column in kept.values()]
    names = [json.dumps(header, ensure_ascii=False) for header in kept]
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    made = [
        "{" + ", ".join(f"{n}: {encode(v)}" for n, v in zip(names, row, strict=True) if v is not None) + "}"
        for row in zip(*lists, strict=True)
    ]
    return np.array([text if text != "{}" else None for text in made], dtype=object)


def _json_ready(column: "pd.Series[Any]") -> "pd.Series[Any]":
    kind = column.dtype
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
        finite = column.where(np.isfinite(column.astype("float64")))
        return finite.astype(object).where(finite.notna(), None)
    if pd.api.types.is_bool_dtype(kind):
        return column.astype(object).where(column.notna(), None)
    text = plain_text(column)
    return text.astype(object).where(text.notna(), None)


def _fill_classes(columns: _Columns, ids: "pd.Series[Any]") -> tuple[str, ...]:
    raw = columns.raw("class_code")
    coded = columns.layer.load.identifier == "component" and "id" in columns.mapping.roles
    national = ids if coded else ids.mask(ids.notna())
    classes = settle_classes(national, raw, standard=columns.raw("standard"))
    if "class_code" in columns.mapping.constants and classes.problems:
        given = columns.mapping.constants["class_code"]
        told = BadOption("--set", f"class_code={given}", classes.problems[0].reason)
        raise told.because("bad_constant", field_zh="类别", field_en="class", value=given)
    for problem in classes.problems:
        columns.note("class_code", raw, problem, whole=True)
    columns.values["class_code"], columns.values["standard"] = classes.code, classes.standard
    if columns.raw("name") is None:
        columns.values["name"] = classes.name
        return ("class_code", "standard", "name")
    return ("class_code", "standard")


def _fill_missing(columns: _Columns) -> None:
    """Required fields that the file does not bring at all get an honest `unknown`; rows without a value are refused."""
    for appears in columns.layer.fields:
        if not appears.required or appears.name not in columns.layer.written:
            continue
        if appears.name not in columns.values:
            columns.values[appears.name] = _unknown(columns, appears)
        missing = np.asarray(columns.values[appears.name].isna()) & ~columns.bad
        if missing.any():
            reason = f"the layer needs a value for {appears.title.en}; --set {appears.name}=… gives all rows one"
            columns.note(appears.name, None, Problem(missing, "missing_required", reason), whole=True)


def _unknown(columns: _Columns, appears: Field) -> "pd.Series[Any]":
    size = len(columns.table)
    found = book_of(appears)
    code = next((code for code in _UNKNOWN if found is not None and code in found), None)
    if code is not None:
        text = f"no column gives {appears.title.en}: it is {code} for every record"
        columns.findings.append(Finding("unknown_for_all", text, hint=f"--set {appears.name}=…"))
        return pd.Series([code] * size, dtype="str")
    if appears.name == columns.layer.label and appears.kind == "text":
        text = f"no column gives {appears.title.en}: records are called after their address, else after the layer"
        columns.findings.append(Finding("named_after_layer", text, hint=f"--set {appears.name}=…"))
        address = columns.values.get("address", pd.Series(None, index=range(size), dtype="str"))
        return address.str.slice(0, appears.max_length).fillna(columns.layer.title.zh)
    return pd.Series(None, index=range(size), dtype="str")


def _flag_order(columns: _Columns) -> None:
    """Flag rows whose end lies before their beginning; they are loaded as they are."""
    times = [f.name for f in columns.layer.fields if f.kind in ("date", "time") and f.name in columns.values]
    begin = next((n for n in times if any(word in fold(n) for word in _BEGINS)), None)
    end = next((n for n in times if any(word in fold(n) for word in _ENDS)), None)
    if begin is None or end is None or begin == end:
        return
    first, last = columns.values[begin], columns.values[end]
    wrong = np.asarray((last < first).fillna(False), dtype=bool)
    if wrong.any():
        raw = first.astype("str") + " → " + last.astype("str")
        problem = Problem(wrong, f"{_word(end)}_before_{_word(begin)}", f"{end} lies before {begin}")
        columns.note(end, raw, problem, whole=False, tail=_AS_IT_IS)


def _flag_codes(columns: _Columns) -> None:
    """Flag codes that are not in force on the day of their record; they are loaded as they are."""
    days = _days(columns)
    for appears in columns.layer.fields:
        found = book_of(appears)
        if found is None or appears.name not in columns.values:
            continue
        codes = columns.values[appears.name]
        if appears.name == "class_code" and has_classes(columns.layer):
            standards = columns.values["standard"]
            parts = [(book("component", standard=one), codes.where(standards == one)) for one in (NATIONAL, LEGACY)]
        else:
            parts = [(found, codes)]
        for edition, here in parts:
            for problem in lapsed_codes(here, days, edition=edition, today=columns.today):
                rows = Problem(problem.rows & ~columns.bad, problem.code, problem.reason)
                if rows.rows.any():
                    columns.note(appears.name, here, rows, whole=False, tail=_AS_IT_IS)


def _days(columns: _Columns) -> "pd.Series[Any]":
    """The day for which each record speaks: the latest of its dates, else the day of the delivery."""
    today = pd.Timestamp(columns.today)
    days = pd.Series(pd.NaT, index=range(len(columns.table)), dtype="datetime64[us]")
    for appears in columns.layer.fields:
        if appears.kind in ("date", "time") and appears.name in columns.values:
            times = columns.values[appears.name]
            plain = times.dt.tz_convert(ZONE).dt.tz_localize(None) if times.dt.tz is not None else times
            days = days.where(~(plain > days) & days.notna() | plain.isna(), plain.astype("datetime64[us]"))
    return days.fillna(today)


def _word(name: str) -> str:
    return name.split("_")[0]
