"""Delimited text: CSV, TSV and what spreadsheets save as such, in any encoding that a city's offices use."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from etl.errors import CorruptFile, EmptyFile, TooLarge, UnreadableFile
from etl.findings import Finding, Rows, no_rejects, rejects
from etl.readers.encodings import encoding_of_file, parse_encoding
from etl.readers.table import Cells, Limits, Progress, Table, unheard, unique_headers

NULLS = ("", "NULL", "null", "Null", "None", "NaN", "nan", "N/A", "#N/A", "\\N", "<NA>", "#VALUE!", "#REF!")
_DELIMITERS = (",", "\t", ";", "|", "，")
_HEAD = 1 << 18
_MOST_RAGGED = 20_000  # lines whose cells are kept, to be set right by a person
_NUMBER = re.compile(r"\s*[-+]?\d+([.,]\d+)?\s*")


@dataclass(frozen=True)
class _Bad:
    """A line with another number of cells than the header; `number` is its row, the header being row 1."""

    number: int
    found: int
    wanted: int
    text: str


def read_text(path: Path, *, encoding: str | None, limits: Limits, progress: Progress = unheard) -> Table:
    """The rows of a delimited text file, every cell as text; lines with too few or too many cells are rejected."""
    used = parse_encoding(encoding) if encoding else encoding_of_file(path)
    head = _head(path, used)
    if not head.strip():
        raise EmptyFile(path)
    delimiter = _delimiter(head, path)
    skipped = len(head) - len(head.lstrip("\r\n"))
    names = next(csv.reader(io.StringIO(head[skipped:]), delimiter=delimiter))
    _check_header(path, names, limits)
    headers = unique_headers(names)
    blank = len(re.findall(r"\r\n|\r|\n", head[:skipped]))
    arrow, bad = _parse(path, used, delimiter, headers, blank=blank, progress=progress)
    if arrow.num_rows == 0 and not bad:
        raise EmptyFile(path)
    if arrow.num_rows > limits.rows:
        raise TooLarge(path, "rows", found=arrow.num_rows, limit=limits.rows)
    frame: pd.DataFrame = arrow.to_pandas(split_blocks=True, self_destruct=True)
    _check_quotes(path, frame)
    findings = [] if used in ("utf-8", "utf-8-sig") else [Finding("encoding", f"the text is in {used.upper()}")]
    if bad:
        text = f"{len(bad):,} lines have not the {len(headers)} cells of the header"
        findings.append(Finding("ragged_rows", text, "warning", count=len(bad)))
    rows = _row_numbers(len(frame), [line.number for line in bad], first=blank + 2)
    ragged = {line.number: _cells(line.text, delimiter) for line in bad[:_MOST_RAGGED]}
    return Table(path, path.stem, frame, rows, findings=tuple(findings), rejects=_rejected(bad), ragged=ragged)


def _head(path: Path, encoding: str) -> str:
    with path.open("rb") as file:
        raw = file.read(_HEAD)
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start >= len(raw) - 4:
            return raw[: error.start].decode(encoding)
        told = f"the text is not in {encoding} (byte {error.start + 1})"
        raise CorruptFile(path, told).because("wrong_encoding", encoding=encoding.upper()) from None


def _delimiter(head: str, path: Path) -> str:
    if path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    lines = [line for line in head.splitlines() if line.strip()][:50]
    best, most = ",", 0.0
    for delimiter in _DELIMITERS:
        widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter)]
        agreeing = sum(width == widths[0] for width in widths) / len(widths)
        if widths[0] > 1 and widths[0] * agreeing > most:
            best, most = delimiter, widths[0] * agreeing
    return best


def _check_header(path: Path, names: list[str], limits: Limits) -> None:
    if len(names) > limits.columns:
        raise TooLarge(path, "columns", found=len(names), limit=limits.columns)
    if sum(1 for name in names if _NUMBER.fullmatch(name)) * 2 > len(names):
        told = f"the first line holds values, not headers: {', '.join(names[:6])}"
        raise UnreadableFile(path, told).because("no_header", line="、".join(names[:6]))


def _parse(
    path: Path, encoding: str, delimiter: str, headers: list[str], *, blank: int, progress: Progress
) -> tuple[pa.Table, list[_Bad]]:
    """The table and its bad lines; lines are numbered by a second, slower reading only where there are bad ones."""
    bad: list[_Bad] = []

    def note(row: pa_csv.InvalidRow) -> str:
        bad.append(_Bad(row.number or 0, row.actual_columns, row.expected_columns, row.text))
        return "skip"

    try:
        table = _parse_arrow(path, encoding, delimiter, headers, note, skip=blank + 1, progress=progress)
        if bad:
            bad.clear()
            table = _parse_arrow(
                path, encoding, delimiter, headers, note, skip=blank + 1, progress=progress, threads=False
            )
    except (pa.ArrowInvalid, pa.ArrowKeyError, UnicodeDecodeError) as error:
        raise CorruptFile(path, f"the text cannot be read as a table: {error}").because("table_broken") from error
    return table, bad


def _parse_arrow(
    path: Path,
    encoding: str,
    delimiter: str,
    headers: list[str],
    note: Callable[[pa_csv.InvalidRow], str],
    *,
    skip: int,
    progress: Progress,
    threads: bool = True,
) -> pa.Table:
    plain = encoding in ("utf-8", "utf-8-sig")
    source = path.open("rb") if plain else io.BytesIO(path.read_bytes().decode(encoding).encode())
    with source, _Heard(source, progress) as heard:
        return _read_arrow(heard, delimiter, headers, note, skip=skip, threads=threads)


class _Heard(io.RawIOBase):
    """A file that tells, by its bytes, how many of its lines were read."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file, self._progress = file, progress
        self._lines = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 24), b""))
        self._size = max(1, file.tell())
        file.seek(0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        read = self._file.readinto(buffer)  # type: ignore[attr-defined]
        self._progress(self._lines * self._file.tell() // self._size, self._lines)
        return int(read)


def _read_arrow(
    source: io.RawIOBase,
    delimiter: str,
    headers: list[str],
    note: Callable[[pa_csv.InvalidRow], str],
    *,
    skip: int,
    threads: bool,
) -> pa.Table:
    return pa_csv.read_csv(
        source,
        read_options=pa_csv.ReadOptions(column_names=headers, skip_rows_after_names=skip, use_threads=threads),
        parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(headers, pa.large_string()),
            null_values=list(NULLS),
            strings_can_be_null=True,
        ),
    )


def _check_quotes(path: Path, frame: pd.DataFrame) -> None:
    """Refuse a file whose last cell swallowed the rest of it behind a quote that nobody closes."""
    last = [str(cell) for cell in frame.iloc[-1].tolist()] if len(frame) else []
    if any("\n" in cell for cell in last) and _quotes(path) % 2:
        opened = max(last, key=len).split("\n", 1)[0]
        told = f"a quote is opened before {opened[:40]!r} and never closed"
        raise CorruptFile(path, told).because("open_quote", text=opened[:40])


def _quotes(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b'"') for chunk in iter(lambda: file.read(1 << 24), b""))


def _row_numbers(good: int, bad: list[int], *, first: int) -> Rows:
    """The row of each good line: all rows after the header, without the bad ones."""
    every = np.arange(first, first + good + len(bad), dtype=np.int64)
    return every[~np.isin(every, bad)][:good]


def _cells(line: str, delimiter: str) -> Cells:
    """The cells of a line whose number is not that of the header."""
    found = next(csv.reader(io.StringIO(line), delimiter=delimiter), [])
    return tuple(None if cell.strip() in NULLS else cell for cell in found)


def _rejected(bad: list[_Bad]) -> pd.DataFrame:
    if not bad:
        return no_rejects()
    reasons = np.array([f"the line has {line.found} cells, the header {line.wanted}" for line in bad], dtype=object)
    return rejects([line.number for line in bad], code="ragged_row", reason=reasons, raw=[line.text for line in bad])
