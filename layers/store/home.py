"""Where Chengtu keeps its things, and the database that it uses: a server that was named, or a private cluster."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from layers.store.cluster import Cluster, open_cluster
from layers.store.engine import Role, engine_for

log = logging.getLogger("chengtu.store")
ROOT = Path(__file__).resolve().parents[2]
DATABASE = "chengtu"


@dataclass(frozen=True)
class Home:
    """The data folder, and the URL of a database server when one is named."""

    folder: Path
    database_url: str | None = None


@dataclass(frozen=True)
class Running:
    """A database that answers at `url`."""

    url: str
    cluster: Cluster | None = None

    def keep_alive(self) -> None:
        """Start the private server again if it was killed; from the thread that started it."""
        if self.cluster is not None and self.cluster.owned and not self.cluster.running:
            log.warning("the database was killed; starting it again")
            self.cluster.start()


def home_from(environment: Mapping[str, str]) -> Home:
    """The home that `CHENGTU_DATA_DIR` and `CHENGTU_DATABASE_URL` name; `var/` and a private cluster without them."""
    folder = Path(environment.get("CHENGTU_DATA_DIR") or ROOT / "var").expanduser().resolve()
    return Home(folder, environment.get("CHENGTU_DATABASE_URL") or None)


@contextmanager
def database(home: Home) -> Iterator[Running]:
    """A running database: the named one, or the private cluster, which is stopped again if it was started here."""
    if home.database_url is not None:
        yield Running(home.database_url)
        return
    home.folder.mkdir(parents=True, exist_ok=True)
    cluster = open_cluster(home.folder)
    try:
        cluster.ensure_database(DATABASE)
        yield Running(cluster.url(DATABASE), cluster)
    finally:
        cluster.stop()


@contextmanager
def engine_of(home: Home, role: Role) -> Iterator[sa.Engine]:
    """An engine on the database of a home, for one piece of work."""
    with database(home) as running:
        engine = engine_for(running.url, role, pool_size=1)
        try:
            yield engine
        finally:
            engine.dispose()
