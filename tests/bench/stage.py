"""What the benchmarks share: their sizes, a private PostGIS with its normal settings, and the demo city in it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import sqlalchemy as sa

from layers.ask.tile import fingerprint
from layers.catalog import built_in
from layers.store import archives, changes
from layers.store.cluster import Cluster
from layers.store.engine import engine_for
from tests.bench.cpus import ASKING, SERVING, kept_to
from tests.bench.measure import Run, run_module


@dataclass(frozen=True)
class Sizes:
    """How much work each benchmark does, and how often; figures are medians of the repeats."""

    scale: float = 1.0
    bigger: float = 10.0
    components: int = 1_200_000
    features: int = 370_000
    points: int = 1_000_000
    queries: int = 200
    tiles: int = 3_000
    small: int = 400
    edits: int = 300
    polygons: int = 200
    places: int = 40
    blast_s: float = 3.0
    flood_s: float = 15.0
    live_s: float = 15.0
    screens: int = 500
    reports_a_second: float = 50.0
    loop_s: float = 60.0
    turns: int = 120
    rounds: int = 7
    repeats: int = 3


QUICK = Sizes(
    scale=0.005,
    bigger=0.01,
    components=3_000,
    features=3_000,
    points=20_000,
    queries=40,
    tiles=100,
    small=20,
    edits=5,
    polygons=10,
    places=4,
    blast_s=1.0,
    flood_s=1.0,
    live_s=2.0,
    screens=20,
    reports_a_second=5.0,
    loop_s=6.0,
    turns=4,
    rounds=1,
    repeats=1,
)


@dataclass
class Stage:
    """The cluster of this run, and its cities, each loaded when it is first asked for."""

    cluster: Cluster
    folder: Path
    sizes: Sizes
    missing: list[str] = field(default_factory=list)

    def load_city(self, scale: float | None = None) -> Run:
        """Build and load the demo city of a scale into a new database."""
        chosen = self.sizes.scale if scale is None else scale
        name = self._name(chosen)
        self._ready(name).unlink(missing_ok=True)
        self.changed()
        self.recreate(name)
        run = run_module("etl", "demo", "--scale", f"{chosen:g}", environment=self.environment(name))
        with self.connect(name) as connection:
            connection.execute("vacuum analyze")
        self._ready(name).touch()
        return run

    def load_history(self) -> Run:
        """Build and load the demo city with the cases of a year into a database of its own, which goes again."""
        self.recreate("history")
        scale = f"{self.sizes.scale:g}"
        run = run_module("etl", "demo", "--scale", scale, "--history", environment=self.environment("history"))
        with self.connect("postgres") as connection:
            connection.execute("drop database history with (force)")
        return run

    @property
    def city(self) -> str:
        """The URL of a database that holds the demo city."""
        return self.city_of(self.sizes.scale)

    def city_of(self, scale: float) -> str:
        """The URL of a database that holds the demo city of a scale."""
        name = self._name(scale)
        if not self._ready(name).exists():
            self.load_city(scale)
        return self.cluster.url(name)

    def data(self, database: str = "city") -> Path:
        """The data folder of a database: where its archives are."""
        return self.folder / f"{database}.data"

    @property
    def archived(self) -> Path:
        """The data folder of the city with all its archives baked."""
        if not self._ready("archives").exists() or not self._fitting():
            self.bake()
        return self.data()

    def _fitting(self) -> bool:
        """Would a server take the archives that are there? Those of a folder that was kept may be of older code."""
        with self.reader("city").connect() as connection:
            database = changes.identity(connection)
        folder = self.data() / archives.FOLDER
        return all(
            archives.current(folder, name, fingerprint=fingerprint(layer), database=database)
            for name, layer in built_in().items()
            if not layer.scoped
        )

    def bake(self) -> Run:
        """Bake the archives of the city from nothing."""
        _ = self.city
        shutil.rmtree(self.data(), ignore_errors=True)
        run = run_module("etl", "bake", environment=self.environment("city"))
        self._ready("archives").touch()
        return run

    def deliver(self, count: int) -> Path:
        """A file of so many components, as a department delivers them, and a database `areas` that waits for them."""
        self.recreate("areas")
        file = self.folder / f"delivered-{count}.gpkg"
        file.unlink(missing_ok=True)
        wanted = (str(file), str(count), f"{self.sizes.scale:g}")
        run_module("tests.bench.delivery", *wanted, environment=self.environment("areas"))
        return file

    @property
    def crowd(self) -> str:
        """The URL of a database in which the one layer of components holds all the features that are counted."""
        if not self._ready("crowd").exists():
            file = self.deliver(self.sizes.features)
            self.recreate("crowd", template="areas")
            run_module("etl", "load", str(file), "--layer=component", environment=self.environment("crowd"))
            with self.connect("crowd") as connection:
                connection.execute("vacuum analyze")
            self._ready("crowd").touch()
        return self.cluster.url("crowd")

    def changed(self) -> None:
        """Note that records of the city are other ones than in its archives."""
        self._ready("archives").unlink(missing_ok=True)

    def environment(self, database: str) -> dict[str, str]:
        """What a program of ours needs to work on one of these databases."""
        self.data(database).mkdir(exist_ok=True)
        return {"CHENGTU_DATABASE_URL": self.cluster.url(database), "CHENGTU_DATA_DIR": str(self.data(database))}

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
    def apart(self, *, database: bool = True) -> Iterator[None]:
        """What asks (this process) on a CPU of its own, away from servers and, unless told, from new database work."""
        with ExitStack() as block:
            block.enter_context(kept_to(ASKING, 0))
            if database and self.cluster.pid is not None:
                block.enter_context(kept_to(SERVING, self.cluster.pid))
            yield

    def lacks(self, names: Sequence[str]) -> bool:
        """Note peers that are not on this machine; True when there are such."""
        self.missing += [name for name in names if name not in self.missing]
        return bool(names)

    def _name(self, scale: float) -> str:
        return "city" if scale == self.sizes.scale else "bigger"

    def _ready(self, name: str) -> Path:
        return self.folder / f"{name}.ready"


@contextmanager
def staged(sizes: Sizes, *, keep: Path | None = None) -> Iterator[Stage]:
    """A stage in a temporary folder of which nothing stays, or in a folder that is kept for the next time."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    home = keep or Path(tempfile.mkdtemp(prefix="chengtu-bench-"))
    home.chmod(0o755)  # root's server runs under another account
    data = None
    try:
        with Cluster(home) as cluster:
            data = cluster.data
            yield Stage(cluster, home, sizes)
    finally:
        for folder in (home, data):
            if folder is not None and keep is None:
                shutil.rmtree(folder, ignore_errors=True)
