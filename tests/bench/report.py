"""The figures of a run as the last section of a Markdown file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from tests.bench.rows import HEADINGS, Row

_HEADING = "## Figures"


def with_figures(name: str) -> Path:
    """The file of this name; ValueError where it has no section for figures."""
    file = Path(name)
    if not file.is_file() or file.read_text(encoding="utf-8").count(_HEADING) != 1:
        raise ValueError(f"{name} has no single section {_HEADING!r}")
    return file


def write_figures(
    file: Path, measured: Mapping[str, Sequence[Row]], *, machine: str, command: str, day: date, summary: str
) -> None:
    """Replace the last section of the file by the rows of this run."""
    parts = [f"{_HEADING}\n\n{day}. {machine}.\n\n    {command}\n\n{summary}\n"]
    parts += [f"### {name}\n\n{_table(rows)}\n" for name, rows in measured.items() if rows]
    file.write_text(file.read_text(encoding="utf-8").partition(_HEADING)[0] + "\n".join(parts), encoding="utf-8")


def _table(rows: Sequence[Row]) -> str:
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
