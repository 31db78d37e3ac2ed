"""`etl load` of components, beside ogr2ogr into a table of the same columns and indexes in the same PostGIS."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from layers.catalog import built_in
from tests.bench.measure import Run, run, run_module
from tests.bench.rows import Aim, Row
from tests.bench.stage import Stage

_TABLE = built_in()["component"].table
_GIVEN = [column for column in _TABLE.columns if column.computed is None]
_COMPUTED = [column for column in _TABLE.columns if column.computed is not None]


@dataclass(frozen=True)
class Peer:
    """ogr2ogr and what is left to do after it: its own run, and the seconds of both together."""

    copied: Run
    seconds: float


def load(stage: Stage) -> list[Row]:
    """Ours from the file as a department delivers it, ogr2ogr from a file that holds every column ready."""
    count, ready = stage.sizes.components, stage.folder / "ready.gpkg"
    delivered = stage.deliver(count)
    ours, peers = [], []
    for _ in range(stage.sizes.repeats):
        stage.recreate("load", template="areas")
        stage.settle()
        words = ("load", str(delivered), "--layer=component")
        ours.append(run_module("etl", *words, environment=stage.environment("load")))
        stage.settle()
        if shutil.which("ogr2ogr"):
            peers.append(_ogr2ogr(stage, ready, count))
    seconds = median(done.seconds for done in ours)
    other = median(peer.seconds for peer in peers) if peers else None
    rate = count / other if other else None
    memory = median(peer.copied.peak_mb for peer in peers) if peers else None
    return [
        Row(f"load: {count:,} components", seconds, "s", peer=other, aim=Aim(most=2, of="ratio")),
        Row("load: rate", count / seconds, "rows/s", peer=rate),
        Row("load: peak memory", median(done.peak_mb for done in ours), "MB", peer=memory),
    ]


def _ogr2ogr(stage: Stage, ready: Path, count: int) -> Peer:
    """COPY by ogr2ogr into a bare table, then the computed columns, the key and the indexes in one go.

    Where a table has computed columns, or defaults for what the file lacks, ogr2ogr leaves COPY for INSERT, which is
    ten times slower.
    """
    connection_of = f"PG:{stage.cluster.conninfo('load')}"
    if not ready.exists():
        columns = ", ".join("extra::text as extra" if c.name == "extra" else c.name for c in _GIVEN)
        options = ["-nln", "component", "-lco", "GEOMETRY_NAME=geom", "-lco", "SPATIAL_INDEX=NO"]
        select = f"select {columns} from city.component"
        run(["ogr2ogr", "-f", "GPKG", str(ready), connection_of, "-sql", select, *options])
    with stage.connect("load") as connection:
        connection.execute("create schema bench")
        connection.execute("create table bench.component (like city.component)")
        connection.execute(_alter("drop column {name}"))
        stage.settle()
        options = ["-append", "-nln", "bench.component", "--config", "PG_USE_COPY", "YES"]
        copied = run(["ogr2ogr", "-f", "PostgreSQL", f"{connection_of} schemas=bench,public", str(ready), *options])
        started = time.monotonic()
        for statement in _finish():
            connection.execute(statement)
        seconds = copied.seconds + time.monotonic() - started
        loaded = [_count(connection, table) for table in ("bench.component", "city.component")]
    assert loaded == [count, count], f"loaded {loaded} of {count} rows"
    return Peer(copied, seconds)


def _count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table} where geom3857 is not null").fetchone()
    return int(row[0]) if row else 0


def _finish() -> list[str]:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    added = _alter("add column {ddl}")
    table = _TABLE.to_metadata(sa.MetaData(), schema="bench")
    indexes = [str(sa.schema.CreateIndex(index).compile(dialect=dialect)) for index in table.indexes]
    return [f"{added}, add primary key (id)", *indexes, "analyze bench.component"]


def _alter(action: str) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    parts = [
        action.format(name=column.name, ddl=sa.schema.CreateColumn(column).compile(dialect=dialect))
        for column in _COMPUTED
    ]
    return "alter table bench.component " + ", ".join(parts)
