"""The figures of a run as the last section of a Markdown file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from tests.bench.rows import HEADINGS, Row

_HEADING = "## Figures"


def write_figures(
    file: Path, measured: Mapping[str, Sequence[Row]], *, machine: str, command: str, day: date, summary: str
) -> None:
    """Replace the last section of the file by the rows of this run; raises ValueError where the file has none."""
    text = file.read_text(encoding="utf-8")
    if text.count(_HEADING) != 1:
        raise ValueError(f"{file} has no single section {_HEADING!r}")
    parts = [f"{_HEADING}\n\n{day}. {machine}.\n\n    {command}\n\n{summary}\n"]
    parts += [f"### {name}\n\n{_table(rows)}\n" for name, rows in measured.items() if rows]
    file.write_text(text.partition(_HEADING)[0] + "\n".join(parts), encoding="utf-8")


def _table(rows: Sequence[Row]) -> str:
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
