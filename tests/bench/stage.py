"""What the benchmarks share: their sizes, a private PostGIS with its normal settings, and the demo city in it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import sqlalchemy as sa

from layers.store.cluster import Cluster
from layers.store.engine import engine_for
from tests.bench.measure import Run, run_module


@dataclass(frozen=True)
class Sizes:
    """How much work each benchmark does, and how often; figures are medians of the repeats."""

    scale: float = 1.0
    components: int = 1_200_000
    points: int = 1_000_000
    queries: int = 200
    tiles: int = 2_000
    repeats: int = 3


QUICK = Sizes(scale=0.02, components=3_000, points=20_000, queries=40, tiles=60, repeats=1)


@dataclass
class Stage:
    """The cluster of this run; `city` is loaded when it is first asked for."""

    cluster: Cluster
    folder: Path
    sizes: Sizes
    demo_runs: list[Run] = field(default_factory=list)

    def load_city(self) -> Run:
        """Build and load the demo city into a new database."""
        self.recreate("city")
        run = run_module("etl", "demo", "--scale", f"{self.sizes.scale:g}", environment=self.environment("city"))
        self.demo_runs.append(run)
        return run

    @property
    def city(self) -> str:
        """The URL of a database that holds the demo city."""
        if not self.demo_runs:
            self.load_city()
        return self.cluster.url("city")

    def environment(self, database: str) -> dict[str, str]:
        """What a program of ours needs to work on one of these databases."""
        return {"CHENGTU_DATABASE_URL": self.cluster.url(database), "CHENGTU_DATA_DIR": str(self.folder)}

    def recreate(self, name: str, *, template: str = "template1") -> None:
        """Make a database anew, like another one."""
        with self.connect("postgres") as connection:
            connection.execute(f"drop database if exists {name} with (force)")
            connection.execute(f"create database {name} template {template}")

    def connect(self, database: str) -> psycopg.Connection:
        """A connection of the server's owner, without transactions."""
        return psycopg.connect(self.cluster.conninfo(database), autocommit=True)

    def reader(self, database: str) -> sa.Engine:
        """An engine that only asks."""
        return engine_for(self.cluster.url(database), "reader", pool_size=1)

    def settle(self) -> None:
        """Write everything to disk, so that one measurement does not pay for the one before."""
        with self.connect("postgres") as connection:
            connection.execute("checkpoint")


@contextmanager
def staged(sizes: Sizes) -> Iterator[Stage]:
    """A stage in a temporary folder; nothing of it stays."""
    home = Path(tempfile.mkdtemp(prefix="chengtu-bench-"))
    home.chmod(0o755)  # root's server runs under another account
    data = None
    try:
        with Cluster(home) as cluster:
            data = cluster.data
            yield Stage(cluster, home, sizes)
    finally:
        for folder in (home, data):
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
