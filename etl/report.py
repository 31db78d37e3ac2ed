"""What a person sees of a load: the mapping as a table, findings, counts, rejects, and progress while it lasts."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid

from etl.findings import REJECT_COLUMNS
from etl.load import Loaded
from etl.mapping import Mapping
from etl.readers import Table
from layers.spec import Layer, Title

# Where output goes to a file there is no width to fit into.
OUT = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 180)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)

_MARKS = {"note": "[cyan]·[/]", "warning": "[yellow]![/]", "refusal": "[red]×[/]"}
_MOST_KINDS = 20
_DELIVERY_COLUMNS = (
    *("delivery", "at", "layer", "source", "title", "new", "changed", "unchanged", "retired", "undone"),
)
_SAMPLES = 3
# A spreadsheet would take a cell that begins so for a formula.
_FORMULA = ("=", "@", "\t", "\r")


class Screen:
    """Tells a person how a load goes: progress on the error stream, the report on the output."""

    def __init__(self, out: Console = OUT, err: Console = ERR) -> None:
        self._out, self._err = out, err
        self._progress: Progress | None = None
        self._stage = self._stages = 0

    @contextmanager
    def shown(self, stages: int) -> Iterator[Screen]:
        """Show progress while the block lasts, where somebody can see it: the stage of so many, and that it goes on."""
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=self._err,
            transient=True,
            disable=not self._err.is_terminal,
        )
        with bar:
            self._progress = bar
            # Nobody knows how long a stage takes: the bar pulses, and the count of stages says how far it is.
            bar.add_task("starting", total=None)
            self._stage, self._stages = 0, stages
            yield self
        self._progress = None

    def stage(self, text: str) -> None:
        """A new stage begins."""
        if self._progress is not None:
            self._stage += 1
            described = f"{self._stage}/{self._stages} {escape(text)}"
            self._progress.update(self._progress.task_ids[0], description=described, completed=0, total=None)

    def now(self, text: str) -> None:
        """How far a stage is, in words."""
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], description=escape(text))

    def amount(self, done: int, total: int | None) -> None:
        """So much of the stage is done, where that is known: the bar fills."""
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], completed=done, total=total)

    def mapped(self, table: Table, mapping: Mapping, layer: Layer) -> None:
        """Show what each column of the file means."""
        grid = Grid(title=f"{escape(table.path.name)} → {layer.name}", title_justify="left")
        for heading in ("column", "field", "title", "first value"):
            grid.add_column(heading, overflow="fold")
        for header, name, title in _meanings(table, mapping, layer):
            values = table.columns[header].dropna() if header in table.columns else pd.Series(dtype=object)
            first = mapping.constants.get(name, "") if header not in table.columns else str(next(iter(values), ""))
            grid.add_row(escape(header), escape(name), escape(title), escape(first[:40]))
        self._out.print(grid)

    def loaded(self, loaded: Loaded, rejects_file: Path | None) -> None:
        """Show what came of a load."""
        for finding in loaded.findings:
            hint = f" ({finding.hint})" if finding.hint else ""
            self._out.print(f"{_MARKS[finding.severity]} {escape(finding.text + hint)}")
        self._rejects(loaded.rejects)
        whole = loaded.rejects[loaded.rejects["whole"]]["row"].nunique()
        self._out.print(f"{loaded.read:,} rows read, {whole:,} rejected")
        if loaded.outcome is not None:
            o = loaded.outcome
            counts = f"{o.inserted:,} new, {o.updated:,} changed, {o.unchanged:,} unchanged, {o.retired:,} retired"
            number = "dry run: nothing was changed" if loaded.dry_run else f"delivery {o.delivery}"
            self._out.print(f"[bold]{loaded.layer.name}[/] of source {escape(loaded.source)}: {counts} ({number})")
        if rejects_file is not None:
            self._out.print(f"rejects: {escape(str(rejects_file))}")
        if loaded.recipe is not None:
            self._out.print(f"recipe: {escape(str(loaded.recipe))}")

    def deliveries(self, rows: Sequence[sa.RowMapping]) -> None:
        """Show the deliveries, the newest first."""
        grid = Grid()
        for heading in _DELIVERY_COLUMNS:
            grid.add_column(heading, overflow="fold")
        for row in rows:
            counts = (f"{row[key]:,}" for key in ("inserted", "updated", "unchanged", "retired"))
            undone = f"{row['undone_at']:%Y-%m-%d %H:%M}" if row["undone_at"] else ""
            texts = (row["layer"], escape(row["source"]), escape(row["title"]))
            grid.add_row(str(row["id"]), f"{row['at']:%Y-%m-%d %H:%M}", *texts, *counts, undone)
        self._out.print(grid)

    def line(self, text: str) -> None:
        """Show one line."""
        self._out.print(escape(text))

    def error(self, text: str) -> None:
        """Show why nothing was done, in one line on the error stream."""
        self._err.print(escape(" ".join(text.split())), style="red")

    def _rejects(self, rejects: pd.DataFrame) -> None:
        if not len(rejects):
            return
        grid = Grid(title="rejects and flags", title_justify="left")
        for heading in ("rows", "field", "code", "reason", "for example"):
            grid.add_column(heading, justify="right" if heading == "rows" else "left", overflow="fold")
        kinds = rejects.groupby(["whole", "code", "field"], dropna=False, sort=False)
        ordered = sorted(kinds, key=lambda kind: (not kind[0][0], -len(kind[1])))
        for (_, code, field), rows in ordered[:_MOST_KINDS]:
            raw = rows["raw"].dropna().value_counts().head(_SAMPLES)
            samples = ", ".join(f"{str(value)[:40]} (row {_row(rows, value)})" for value in raw.index)
            reason = str(rows["reason"].iloc[0])
            grid.add_row(f"{len(rows):,}", escape(str(field or "")), str(code), escape(reason), escape(samples))
        self._out.print(grid)
        if len(ordered) > _MOST_KINDS:
            self._out.print(f"… and {len(ordered) - _MOST_KINDS} further kinds in the file of rejects")


def write_rejects(path: Path, rejects: pd.DataFrame) -> Path:
    """Write rejects as a CSV for spreadsheets: row, field, code, reason, raw value, and if row or value is out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*REJECT_COLUMNS[:-1], "rejected"])
        for row, field, code, reason, raw, whole in rejects[list(REJECT_COLUMNS)].itertuples(index=False):
            shown = f"'{raw}" if isinstance(raw, str) and raw.startswith(_FORMULA) else raw
            writer.writerow([row, field, code, reason, shown, "row" if whole else "value"])
    return path


def _row(rows: pd.DataFrame, value: object) -> int:
    return int(rows.loc[rows["raw"] == value, "row"].iloc[0])


def _meanings(table: Table, mapping: Mapping, layer: Layer) -> Iterator[tuple[str, str, str]]:
    """Header, meaning and its title for every column of the file, then for fields with one value for all."""
    fields = {header: name for name, header in mapping.fields.items()}
    roles = {header: role for role, header in mapping.roles.items()}
    for header in table.headers:
        if header in fields:
            found = layer.field(fields[header])
            guess = " (alike)" if fields[header] in mapping.approximate else ""
            role = f", {roles[header]}" if header in roles else ""
            yield header, fields[header] + role, (_both(found.title) + guess) if found else ""
        elif header in roles:
            yield header, roles[header], "where it is" if roles[header] != "id" else "id"
        else:
            yield header, "", "kept, not shown"
    for name in mapping.constants:
        found = layer.field(name)
        yield "--set", name, _both(found.title) if found else ""


def _both(title: Title) -> str:
    return title.zh if title.zh == title.en else f"{title.zh} {title.en}"
