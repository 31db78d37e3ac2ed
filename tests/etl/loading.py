"""What the tests of the loader share: a quiet listener, one call for a whole delivery, a terminal that remembers."""

import io
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console

from etl.__main__ import main
from etl.load import Loaded, Order, load_delivery, read_delivery
from etl.mapping import Mapping
from etl.readers import Table
from etl.report import Screen
from layers.catalog import built_in
from layers.spec import Layer
from tests.conftest import Database

TODAY = date(2026, 11, 22)
COMPONENT = built_in()["component"]


class Quiet:
    """A listener that remembers the stages."""

    def __init__(self, stop_at: str | None = None) -> None:
        self.stages: list[str] = []
        self._stop_at = stop_at
        self.amounts: list[tuple[int, int | None]] = []

    def stage(self, text: str) -> None:
        self.stages.append(text)
        if text.partition(" (")[0] == self._stop_at:
            raise InterruptedError(text)

    def amount(self, done: int, total: int | None) -> None:
        self.amounts.append((done, total))

    def mapped(self, table: Table, mapping: Mapping, layer: Layer) -> None:
        self.stages.append(f"{len(mapping.fields)} of {len(table.headers)} columns are fields of {layer.name}")


def load(database: Database, path: Path, layer: str | None = "component", **options: object) -> Loaded:
    order = Order(path=path, layer=layer, **options)  # type: ignore[arg-type]
    return load_delivery(database.engine, read_delivery(order, Quiet()), Quiet(), today=TODAY)


def held(database: Database, layer: Layer = COMPONENT) -> dict[str, dict[str, object]]:
    with database.reader.connect() as connection:
        rows = connection.execute(sa.select(layer.table)).mappings().all()
    return {row["id"]: dict(row) for row in rows}


def count(database: Database, table: sa.Table) -> int:
    with database.owner.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def counts(loaded: Loaded) -> tuple[int, int, int, int]:
    assert loaded.outcome is not None
    return loaded.outcome.inserted, loaded.outcome.updated, loaded.outcome.unchanged, loaded.outcome.retired


class Terminal:
    """Runs commands against a database and keeps what they say."""

    def __init__(self) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()

    def run(self, *words: object) -> int:
        for stream in (self.out, self.err):
            stream.seek(0)
            stream.truncate()
        console = [Console(file=stream, width=160, soft_wrap=True) for stream in (self.out, self.err)]
        return main([str(word) for word in words], screen=Screen(*console))

    @property
    def said(self) -> str:
        return self.out.getvalue()

    @property
    def complaint(self) -> str:
        return self.err.getvalue()
