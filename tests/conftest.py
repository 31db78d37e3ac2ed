"""Fixtures that several folders share: real PostGIS, a fresh database for each test, the real input files."""

from __future__ import annotations

import datetime as dt
import functools
import os
import secrets
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx
import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import settings
from psycopg import sql

from etl.demo.load import load_demo
from layers.ask.period import CITY_TIME
from layers.catalog import built_in
from layers.people.access import new_admin_token
from layers.store.cluster import Cluster
from layers.store.engine import begin, engine_for
from layers.store.schema import prepare
from tests.nursery import Child, nursery

ROOT = Path(__file__).resolve().parent.parent
# The first call of a projection or a query is slow; what is tested here is never how long an example takes.
settings.register_profile("chengtu", deadline=None, print_blob=True)
settings.load_profile("chengtu")
# Every call of httpx reads all certificates of the world anew: 25 of the 30 ms that it works.
httpx._transports.default.create_ssl_context = functools.cache(httpx.create_ssl_context)
MOMENT = dt.datetime(2026, 11, 20, 10, 30, tzinfo=CITY_TIME)
"""The moment at which the incidents of the small demo city stand: a Friday morning."""


@dataclass(frozen=True)
class Database:
    """A database of its own for one test: `engine` writes, `reader` asks and sees all, `owner` may do anything."""

    url: str

    @cached_property
    def engine(self) -> sa.Engine:
        return engine_for(self.url, "writer")

    @cached_property
    def reader(self) -> sa.Engine:
        return engine_for(self.url, "reader", everywhere=True)

    @cached_property
    def owner(self) -> sa.Engine:
        return engine_for(self.url, "owner")

    @cached_property
    def admin_token(self) -> str:
        with begin(self.engine, actor="test") as connection:
            return new_admin_token(connection)

    def close(self) -> None:
        for name in ("engine", "reader", "owner"):
            if name in vars(self):
                getattr(self, name).dispose()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real input files beside the project; skips where a user cloned the project alone."""
    folder = ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("../shared/data is not here: the real input files are not part of the repository")
    return folder


def in_memory() -> str | None:
    """A folder in memory with room for a cluster, where a database is copied in a quarter of the time; else None."""
    folder = Path("/dev/shm")
    if not folder.is_dir():
        return None
    for left in folder.glob("chengtu-test-*-*"):  # by processes that were killed: it would hold memory for ever
        if not Path("/proc", left.name.split("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)
    return str(folder) if shutil.disk_usage(folder).free > 6_000_000_000 else None


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A private PostGIS of this test process, thrown away at the end."""
    home = Path(tempfile.mkdtemp(prefix=f"chengtu-test-{os.getpid()}-", dir=in_memory()))
    home.chmod(0o755)
    with Cluster(home, fast=True, settings={"max_wal_size": "1GB"}) as running:
        data = running.data
        yield running
    shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """The name of a database with all tables and no rows."""
    cluster.ensure_database("template_empty")
    prepare(cluster.url("template_empty"), built_in())
    return "template_empty"


@contextmanager
def cloned(cluster: Cluster, template: str) -> Iterator[Database]:
    """A new database like the template, gone after the block: hundreds of them would fill a disk."""
    # By chance: pytest and the tests that import this file each have a module of it, and would count from the same one.
    name = f"t{os.getpid()}_{secrets.token_hex(6)}"
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        # Files are copied in half of the time that their pages take by way of the log.
        connection.execute(f"create database {name} template {template} strategy file_copy")
        fresh = Database(cluster.url(name))
        yield fresh
        fresh.close()
        connection.execute(f"drop database {name} with (force)")


@contextmanager
def unchanged(cluster: Cluster, template: str) -> Iterator[Database]:
    """A new database like the template, in which every statement that would change something fails."""
    with cloned(cluster, template) as fresh:
        with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
            name = sql.Identifier(sa.make_url(fresh.url).database or "")
            connection.execute(sql.SQL("alter database {} set default_transaction_read_only = on").format(name))
        yield fresh


@pytest.fixture
def database(cluster: Cluster, template: str) -> Iterator[Database]:
    """An empty database of this test's own."""
    with cloned(cluster, template) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def read_database(cluster: Cluster, template: str) -> Iterator[Database]:
    """An empty database that all tests of this process read, and that none can change."""
    with unchanged(cluster, template) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def city_template(cluster: Cluster) -> str:
    """The name of a database with a small demo city."""
    cluster.ensure_database("template_city")
    url = cluster.url("template_city")
    prepare(url, built_in())
    engine = engine_for(url, "writer")
    load_demo(engine, scale=0.02, at=MOMENT)
    engine.dispose()
    return "template_city"


@pytest.fixture
def city(cluster: Cluster, city_template: str) -> Iterator[Database]:
    """A small demo city of this test's own."""
    with cloned(cluster, city_template) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def read_city(cluster: Cluster, city_template: str) -> Iterator[Database]:
    """A small demo city that all tests of this process read, and that none can change."""
    with unchanged(cluster, city_template) as fresh:
        yield fresh


@dataclass(frozen=True)
class Server:
    """A running Chengtu: where it answers, the administrator's token, its database, and its data folder."""

    url: str
    token: str
    database: Database
    data: Path

    @property
    def admin(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(database: Database, data: Path, **settings: str) -> Iterator[Server]:
    """The real server on a prepared database; `settings` are CHENGTU_ variables in lower case (`workers="2"`)."""
    token = database.admin_token
    port = free_port()
    chosen = {"database_url": database.url, "data_dir": str(data), **settings}
    environment = {
        **os.environ,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        **{f"CHENGTU_{name.upper()}": value for name, value in chosen.items()},
    }
    process = nursery().serve(environment)
    try:
        url = f"http://127.0.0.1:{port}"
        await_ready(url, process)
        yield Server(url, token, database, data)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def server(cluster: Cluster, city_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real server on a small demo city, shared by the tests of this process: change only records of your own."""
    # All tests come from one address, and many of them sign in wrongly on purpose.
    with (
        cloned(cluster, city_template) as fresh,
        serving(fresh, tmp_path_factory.mktemp("data"), sign_in_tries_address="5000") as running,
    ):
        yield running


def await_ready(url: str, process: subprocess.Popen[bytes] | Child, *, patience_s: float = 60) -> None:
    """Return when the server answers; fail when it ends or takes too long."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        assert (status := process.poll()) is None, f"the server ended with status {status}"
        try:
            if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            select.select([], [], [], 0.05)
    raise AssertionError(f"{url} does not answer")


@pytest.fixture(scope="module")
def own_server(cluster: Cluster, city_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a small demo city of one test file's own, whose records its tests may change."""
    with cloned(cluster, city_template) as fresh, serving(fresh, tmp_path_factory.mktemp("own")) as running:
        yield running


@pytest.fixture(scope="module")
def own_city(cluster: Cluster, city_template: str) -> Iterator[Database]:
    """A small demo city of one test file's own, without a server."""
    with cloned(cluster, city_template) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def server_url(server: Server) -> str:
    return server.url
