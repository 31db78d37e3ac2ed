"""A position in the change log that somebody was told outlives a crash of the database, and passes over nothing."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from api.follow import Elsewhere, Follower
from api.shelf import Shelf
from layers.loop.routing_tables import NOTICE
from layers.registry import Registry
from layers.store import changes
from layers.store.changes import Position
from layers.store.cluster import Cluster
from layers.store.core import CHANGE
from layers.store.engine import driver_url
from layers.store.postgres import end_leftovers, server_processes
from layers.store.schema import set_up_roles
from tests.api.test_system import until
from tests.conftest import in_memory


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A database server of this file's own, to be killed, with nothing but a change log."""
    home = Path(tempfile.mkdtemp(prefix=f"chengtu-test-{os.getpid()}-", dir=in_memory()))
    home.chmod(0o755)
    # What was not waited for stays in memory for as long as the test lasts.
    with Cluster(home, fast=True, settings={"wal_writer_delay": "10s", "autovacuum": "off"}) as running:
        running.ensure_database("log")
        data, engine = running.data, engine_of(running)
        with engine.begin() as connection:
            set_up_roles(connection)
            for table in (CHANGE, NOTICE):
                table.create(connection)
                connection.execute(sa.text(f"grant select on {table.fullname} to chengtu_reader"))
        engine.dispose()
        yield running
    shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)


def engine_of(cluster: Cluster) -> sa.Engine:
    return sa.create_engine(driver_url(cluster.url("log")), poolclass=sa.NullPool)


@contextmanager
def unhurried(engine: sa.Engine) -> Iterator[None]:
    """PostgreSQL writes nothing of its log by itself during the block: only who waits for the disk makes it."""
    asked = sa.text("select pid from pg_stat_activity where backend_type = 'walwriter'")
    with engine.connect() as connection:
        writer = int(connection.execute(asked).scalar_one())
    os.kill(writer, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it was killed with its server
            os.kill(writer, signal.SIGCONT)


def crash(cluster: Cluster) -> None:
    """Kill the server with all of its processes, and start it again."""
    processes = server_processes(cluster.data)
    for pid in sorted(processes, key=lambda pid: not processes[pid]):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    end_leftovers(cluster.data)
    until(lambda: not cluster.running)  # its first process is gone from the folder a moment before it has ended
    cluster.start()


def changed(engine: sa.Engine, id: str) -> int:
    """Commit a change, and wait for the disk; the number of its transaction."""
    row = {"actor": "test", "layer": "road", "op": "update", "id": id, "records": 1}
    with engine.begin() as connection:
        connection.execute(sa.text("set local synchronous_commit = on"))
        return int(connection.execute(sa.insert(CHANGE).values(row).returning(CHANGE.c.xid)).scalar_one())


def taken_back(engine: sa.Engine) -> int:
    """Begin a change and roll it back; the number that its transaction had."""
    row = {"actor": "test", "layer": "road", "op": "update", "id": "taken back", "records": 1}
    with engine.connect() as connection:
        return int(connection.execute(sa.insert(CHANGE).values(row).returning(CHANGE.c.xid)).scalar_one())


def following(cluster: Cluster, folder: Path) -> Follower:
    """What a server process follows the log with; here nobody listens."""
    return Follower(
        cluster.url("log"),
        Registry(engine_of(cluster)),
        Shelf(folder),
        follow=lambda _: None,
        ring=lambda _: None,
        forget=lambda: None,
        bye=lambda: None,
    )


def told(engine: sa.Engine, position: Position) -> list[str]:
    with engine.connect() as connection:
        return [row["id"] for row in changes.since(connection, position).rows]


@pytest.mark.parametrize("settled", [False, True])
def test_a_number_that_is_given_again_after_a_crash_hides_no_change(cluster: Cluster, settled: bool) -> None:
    engine = engine_of(cluster)
    changed(engine, "before")
    with unhurried(engine):
        lost = taken_back(engine)
        with engine.connect() as connection:
            position = changes.now(connection)
            if settled:
                changes.settle(connection)
        assert changes.visible(lost, position.seen)
        crash(cluster)
    after = changed(engine, f"after {settled}")
    with engine.connect() as connection:
        assert not changes.ahead(connection, position), "nobody would be told to read everything anew"
    if settled:
        assert after > lost
        assert told(engine, position) == [f"after {settled}"]
    else:
        # This is what settling is for: PostgreSQL gives the number again, and the position has seen it already.
        assert after == lost
        assert told(engine, position) == []


def test_what_streams_and_servers_keep_is_settled(cluster: Cluster, tmp_path: Path) -> None:
    engine = engine_of(cluster)
    follower = following(cluster, tmp_path)
    _, position, _ = follower._read(None)
    for look in (
        lambda: follower._read(None),
        lambda: follower._read(position),
        lambda: follower._notices(None),
        lambda: follower._notices(position.seen),
    ):
        with unhurried(engine):
            lost = taken_back(engine)
            with engine.connect() as connection:
                end = changes.log_end(connection)
                assert not changes.on_disk(connection, end)
                look()
                assert changes.on_disk(connection, end)
    assert changes.visible(lost, follower._read(position)[1].seen)
    follower.close()


def test_settling_writes_nothing_when_all_is_written(cluster: Cluster) -> None:
    engine = engine_of(cluster)
    changed(engine, "written")
    with engine.connect() as connection:
        changes.settle(connection)
        first = changes.now(connection)
        changes.settle(connection)
        changes.settle(connection)
        assert changes.now(connection) == first


def test_a_database_that_was_put_back_to_an_earlier_time_is_another(cluster: Cluster, tmp_path: Path) -> None:
    engine = engine_of(cluster)
    with engine.connect() as connection:
        before, identity = changes.now(connection), changes.identity(connection)
    usual, data = dict(cluster.settings), cluster.data
    try:
        # What a restore to a point in time does, and a replica that takes over: the log branches off.
        cluster.stop()
        cluster.settings |= {"wal_level": "replica", "restore_command": "false", "hot_standby": "off"}
        cluster.start()
        cluster.stop()
        signal_file = data / "recovery.signal"
        signal_file.touch()
        shutil.chown(signal_file, data.stat().st_uid, data.stat().st_gid)
        cluster.start()
        changed(engine, "on another branch")
        with engine.connect() as connection:
            assert changes.identity(connection) == f"{identity}/00000002"
            assert changes.ahead(connection, before)
            assert not changes.ahead(connection, changes.now(connection))
        follower = following(cluster, tmp_path)
        assert follower._read(None)[1].database != before.database
        with pytest.raises(Elsewhere):
            follower._read(before)  # whatever it kept of that other one is forgotten then
        follower.close()
    finally:
        cluster.stop()
        cluster.settings = usual
        cluster.start()
