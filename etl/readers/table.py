"""What every reader gives: the rows of a file as they are, before anything is known about their meaning."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from etl.findings import Finding, Rows, no_rejects

Cells = tuple[str | None, ...]
# Hears how many rows are done, and of how many where that is known; what it raises ends the work.
Progress = Callable[[int, int | None], None]
HEARD_EVERY = 5_000  # rows of what is done row by row


def unheard(_: int, __: int | None) -> None:
    """A progress that nobody follows."""


@dataclass(frozen=True)
class Limits:
    """Bounds that protect the machine from a file, an archive or a spreadsheet that is not what it seems."""

    file_bytes: int = 8 * 2**30
    rows: int = 20_000_000
    columns: int = 1_000
    unpacked_bytes: int = 16 * 2**30
    unpacked_ratio: int = 200
    archive_entries: int = 20_000


LIMITS = Limits()


@dataclass(frozen=True)
class Table:
    """The rows of one table of a file.

    `columns` are texts where the format has only texts, else typed; `geometry` is None for a table without shapes;
    `frame` is what the file declares, a name of `gis.frames` or else the WKT of another reference system; `rows`
    numbers them as a person would (a spreadsheet's header is row 1); `rejects` are rows that could not be read, and
    `ragged` the cells of those among them that have more or fewer than the header, by row.
    """

    path: Path
    name: str
    columns: pd.DataFrame
    rows: Rows
    geometry: NDArray[np.object_] | None = None
    frame: str | None = None
    findings: tuple[Finding, ...] = ()
    rejects: pd.DataFrame = field(default_factory=no_rejects)
    ragged: Mapping[int, Cells] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def headers(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.columns.columns)

    def noting(self, *findings: Finding) -> Self:
        """The same table with further findings."""
        return replace(self, findings=(*self.findings, *findings))


def unique_headers(names: list[str]) -> list[str]:
    """Headers without surrounding space, none empty and none twice: `column 3`, `name (2)`."""
    taken: dict[str, int] = {}
    result: list[str] = []
    for position, name in enumerate(names, start=1):
        clean = " ".join(name.replace("\ufeff", "").replace("\x00", "").split()) or f"column {position}"
        taken[clean] = taken.get(clean, 0) + 1
        while taken[clean] > 1 and f"{clean} ({taken[clean]})" in taken:
            taken[clean] += 1
        unique = clean if taken[clean] == 1 else f"{clean} ({taken[clean]})"
        taken.setdefault(unique, 1)
        result.append(unique)
    return result
