"""Fixtures that several folders share: real PostGIS, a fresh database for each test, the real input files."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import settings

from layers.catalog import built_in
from layers.store.cluster import Cluster
from layers.store.engine import engine_for
from layers.store.schema import prepare

ROOT = Path(__file__).resolve().parent.parent
# The first call of a projection or a query is slow; what is tested here is never how long an example takes.
settings.register_profile("chengtu", deadline=None, print_blob=True)
settings.load_profile("chengtu")
_numbers = itertools.count()


@dataclass(frozen=True)
class Database:
    """A database of its own for one test; `engine` writes, `reader` asks, `owner` may do anything."""

    url: str

    @cached_property
    def engine(self) -> sa.Engine:
        return engine_for(self.url, "writer")

    @cached_property
    def reader(self) -> sa.Engine:
        return engine_for(self.url, "reader")

    @cached_property
    def owner(self) -> sa.Engine:
        return engine_for(self.url, "owner")

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


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A private PostGIS of this test process, thrown away at the end."""
    home = Path(tempfile.mkdtemp(prefix="chengtu-test-"))
    home.chmod(0o755)
    with Cluster(home, fast=True) as running:
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


def clone(cluster: Cluster, template: str) -> Database:
    """A new database like the template."""
    name = f"t{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
    return Database(cluster.url(name))


@pytest.fixture
def database(cluster: Cluster, template: str) -> Iterator[Database]:
    """An empty database of this test's own."""
    fresh = clone(cluster, template)
    yield fresh
    fresh.close()
