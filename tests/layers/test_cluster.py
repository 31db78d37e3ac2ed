"""The private cluster on a real PostgreSQL: every test has its own data folder, a copy of one made once."""

import logging
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from layers.errors import ClusterUnavailable
from layers.store.cluster import Cluster, find_programs, open_cluster
from layers.store.place import socket_folder
from layers.store.postgres import server_processes
from tests.conftest import in_memory

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another account to run the server")

# A second program; what comes on its standard input decides when it ends.
PROGRAM = """
import sys
from pathlib import Path
from layers.store.cluster import open_cluster
with open_cluster(Path(sys.argv[1]), spare=Path(sys.argv[2])) as cluster:
    print(cluster.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def top() -> Iterator[Path]:
    """A folder that every account may pass through, which pytest's own is not when root runs it."""
    folder = Path(tempfile.mkdtemp(prefix=f"chengtu-test-{os.getpid()}-", dir=in_memory()))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def made(top: Path) -> Path:
    """The home of a cluster that was started once and stopped."""
    with Cluster(top / "made", fast=True, spare=top / "spare"):
        pass
    return top / "made"


@pytest.fixture
def home(top: Path, made: Path) -> Path:
    folder = Path(tempfile.mkdtemp(dir=top))
    folder.chmod(0o711)
    subprocess.run(["cp", "-a", f"{made}/.", folder], check=True)
    return folder


@pytest.fixture
def cluster(home: Path) -> Iterator[Cluster]:
    """A cluster with the settings of everyday use, not yet started."""
    cluster = Cluster(home, spare=home / "spare")
    yield cluster
    cluster.stop()


@pytest.fixture
def program(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another living program that runs the cluster of `home`; its server answers."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, home, home / "spare"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        yield process
        process.communicate("", timeout=PATIENCE_S)


def first_line(process: subprocess.Popen[str]) -> int:
    """The process id of the server that the program has started; waits until it has."""
    assert process.stdout is not None
    return int(process.stdout.readline())


def await_end(pid: int) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([handle], [], [], PATIENCE_S)
    os.close(handle)
    return bool(ended)


def query(cluster: Cluster, text: str, database: str = "postgres") -> object:
    with psycopg.connect(cluster.conninfo(database), autocommit=True) as connection:
        cursor = connection.execute(text)
        return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]


def kill_server(cluster: Cluster) -> None:
    assert cluster.pid is not None
    os.kill(cluster.pid, signal.SIGKILL)
    assert await_end(cluster.pid or 0)


def test_a_new_folder_becomes_a_postgis_and_leaves_nothing_running(top: Path) -> None:
    cluster = Cluster(top / "new", fast=True, spare=top / "spare")
    with cluster:
        cluster.ensure_database()
        cluster.ensure_database()
        engine = sa.create_engine(cluster.url())
        with engine.begin() as connection:
            connection.execute(sa.text("create extension postgis"))
            assert connection.scalar(sa.text("select st_astext(st_point(120.9, 32))")) == "POINT(120.9 32)"
        engine.dispose()
        listening = Path(str(query(cluster, "show unix_socket_directories")))
        assert listening.stat().st_mode & 0o777 == 0o700
    assert not cluster.running
    assert not listening.exists()
    assert not server_processes(top / "new" / "pg" / "data")


def test_the_server_is_not_root_and_has_no_network_socket(cluster: Cluster) -> None:
    cluster.start()
    assert os.stat(f"/proc/{cluster.pid}").st_uid != 0
    links = {os.readlink(link) for link in Path(f"/proc/{cluster.pid}/fd").iterdir()}
    network = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    assert not links & {f"socket:[{row[9]}]" for row in network}


def test_starting_a_running_server_again_does_nothing(cluster: Cluster) -> None:
    cluster.start()
    pid = cluster.pid
    cluster.start()
    assert cluster.pid == pid


def test_settings_of_the_caller_win_and_hold_at_the_next_start(home: Path) -> None:
    for value in ("13MB", "17MB"):
        with Cluster(home, settings={"work_mem": value}, fast=True) as cluster:
            assert query(cluster, "show work_mem") == value
            assert query(cluster, "show fsync") == "off"


def test_a_wrong_setting_is_told_in_the_words_of_the_server(home: Path) -> None:
    cluster = Cluster(home, settings={"no_such_setting": "1"})
    with pytest.raises(ClusterUnavailable, match="no_such_setting"):
        cluster.start()
    assert not cluster.owned


def test_a_committed_row_survives_the_killing_of_the_server(cluster: Cluster) -> None:
    cluster.start()
    query(cluster, "create table kept as select 7 as n")
    kill_server(cluster)
    assert not cluster.running
    cluster.start()
    assert query(cluster, "select n from kept") == 7


def test_a_busy_backend_that_outlives_its_server_is_ended(cluster: Cluster) -> None:
    cluster.start()
    busy = psycopg.connect(cluster.conninfo("postgres"), autocommit=True)
    backend = busy.info.backend_pid
    busy.pgconn.send_query(b"select count(*) from generate_series(1, 1e12)")
    kill_server(cluster)
    cluster.start()
    busy.close()
    assert await_end(backend)
    assert query(cluster, "select 1") == 1


def test_the_server_ends_with_its_killed_program(program: subprocess.Popen[str], cluster: Cluster) -> None:
    server = first_line(program)
    program.kill()
    assert await_end(server)
    cluster.start()
    assert cluster.owned


def test_a_program_killed_a_moment_ago_is_no_obstacle(program: subprocess.Popen[str], cluster: Cluster) -> None:
    first_line(program)
    program.kill()
    program.wait(PATIENCE_S)
    cluster.start()  # its server is still stopping
    assert query(cluster, "select 1") == 1


def test_a_stale_pid_file_that_names_another_process_is_cleared(cluster: Cluster, home: Path) -> None:
    data = home / "pg" / "data"
    owner = data.stat()
    account = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, cwd="/", **account) as other:  # type: ignore[call-overload]
        (data / "postmaster.pid").write_text(f"{other.pid}\n{data}\n1\n5432\n/nowhere\n\n")
        cluster.start()
        assert other.poll() is None
        other.communicate(b"")


def test_a_second_owner_is_refused_by_the_name_of_the_first(program: subprocess.Popen[str], cluster: Cluster) -> None:
    first_line(program)
    with pytest.raises(ClusterUnavailable, match=f"process {program.pid}"):
        cluster.start()


def test_a_second_program_joins_and_leaves_the_server_running(program: subprocess.Popen[str], home: Path) -> None:
    server = first_line(program)
    with open_cluster(home, spare=home / "spare") as joined:
        assert joined.running
        assert not joined.owned
        joined.ensure_database("shared")
        assert query(joined, "select 1", "shared") == 1
    assert Path(f"/proc/{server}/comm").read_text() == "postgres\n"


@pytest.mark.usefixtures("program")
def test_programs_that_open_at_the_same_time_share_one_server(home: Path) -> None:
    with open_cluster(home, spare=home / "spare") as cluster:  # at whatever point of its start the other one is
        assert query(cluster, "select 1") == 1
        assert len([pid for pid, first in server_processes(home / "pg" / "data").items() if first]) == 1


def test_a_forked_child_neither_stops_nor_holds_the_server_of_its_parent(cluster: Cluster) -> None:
    cluster.start()
    child = os.fork()
    if child == 0:
        cluster.stop()
        os._exit(3 if cluster.owned else 0)
    assert os.waitpid(child, 0)[1] == 0
    assert cluster.running
    assert query(cluster, "select 1") == 1


def test_the_server_is_not_started_from_a_thread_that_may_end_first(cluster: Cluster) -> None:
    said: list[str] = []

    def start() -> None:
        try:
            cluster.start()
        except RuntimeError as error:
            said.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert said == ["start the cluster from the main thread"]
    assert not cluster.owned


def test_a_folder_of_another_major_version_names_both_and_the_way_out(cluster: Cluster, home: Path) -> None:
    (home / "pg" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ClusterUnavailable, match=r"PostgreSQL 9, but .* is PostgreSQL \d+: .*pg_upgrade.*move the"):
        cluster.start()


@pytest.mark.parametrize("lost", ["PG_VERSION", "global/pg_control"])
def test_a_half_copied_folder_is_named_with_what_it_lacks(cluster: Cluster, home: Path, lost: str) -> None:
    (home / "pg" / "data" / lost).unlink()
    with pytest.raises(ClusterUnavailable, match=f"damaged or only half copied .{lost} missing"):
        cluster.start()


def test_a_damaged_folder_is_told_in_the_words_of_the_server(cluster: Cluster, home: Path) -> None:
    (home / "pg" / "data" / "global" / "pg_control").write_bytes(b"\0" * 8192)
    with pytest.raises(ClusterUnavailable, match="PG_CONTROL_VERSION 0"):
        cluster.start()


def test_what_an_interrupted_first_start_left_is_made_anew(home: Path) -> None:
    pg = home / "pg"
    (pg / "data").rename(pg / "data.new")
    (pg / "data.new" / "PG_VERSION").unlink()
    with Cluster(home, fast=True) as cluster:
        assert query(cluster, "select 1") == 1
    assert [folder.name for folder in pg.iterdir()] == ["data"]


@as_root
def test_a_home_that_the_account_cannot_enter_gets_a_place_elsewhere(
    home: Path, top: Path, caplog: pytest.LogCaptureFixture
) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    with caplog.at_level(logging.WARNING, "chengtu.store"), Cluster(closed, fast=True, spare=top / "spare") as cluster:
        query(cluster, "create table kept as select 7 as n")
        assert cluster.data.is_relative_to(top / "spare")
    assert f"is kept in {cluster.data.parents[1]}" in caplog.text
    assert "lacks o+x" in caplog.text

    closed.chmod(0o711)
    with Cluster(closed, fast=True, spare=top / "spare") as again:  # opened later: the data is still found
        assert query(again, "select n from kept") == 7


@as_root
def test_a_home_and_a_spare_place_that_are_closed_are_both_named(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ClusterUnavailable, match=r"no place .*/closed: .*o\+x.*/closed/spare/.*o\+x"):
        Cluster(closed, spare=closed / "spare").start()


@as_root
def test_a_closed_home_with_data_in_it_is_refused_not_replaced(cluster: Cluster, home: Path) -> None:
    home.chmod(0o700)
    with pytest.raises(ClusterUnavailable, match=r"lacks o\+x"):
        cluster.start()
    assert not (home / "spare").exists()


@as_root
def test_a_filled_folder_of_root_is_not_taken_over(cluster: Cluster, home: Path) -> None:
    os.chown(home / "pg", 0, 0)
    with pytest.raises(ClusterUnavailable, match="is not empty and belongs to root"):
        cluster.start()
    assert (home / "pg").stat().st_uid == 0


def test_a_home_with_a_very_long_path_works(home: Path) -> None:
    long = home / "/".join(["a long name 名" * 5] * 4)
    long.parent.mkdir(parents=True)
    assert len(os.fsencode(long)) > 200
    for folder in [long.parent, *long.parents]:
        if folder.is_relative_to(home):
            folder.chmod(0o711)
    (home / "moved").mkdir()
    (home / "pg").rename(home / "moved" / "pg")
    (home / "moved").rename(long)
    long.chmod(0o711)
    with Cluster(long, fast=True) as cluster:
        assert query(cluster, "select 1") == 1
        assert len(os.fsencode(cluster.conninfo())) < 200


def test_a_socket_folder_planted_by_someone_else_is_refused(cluster: Cluster, home: Path) -> None:
    cluster.start()
    place = cluster._place
    assert place is not None
    cluster.stop()
    planted = socket_folder(place)
    planted.rmdir()
    planted.symlink_to(home)
    try:
        with pytest.raises(ClusterUnavailable, match="made by someone else"):
            cluster.start()
    finally:
        planted.unlink()


@as_root
def test_an_ordinary_user_runs_the_server_under_the_own_account(top: Path) -> None:
    user = pwd.getpwnam("nobody")
    own = Path(tempfile.mkdtemp(dir=top))
    os.chown(own, user.pw_uid, user.pw_gid)
    ours, theirs = socket.socketpair()
    child = os.fork()  # not a new program: the interpreter may lie where the user cannot go
    if child == 0:
        theirs.send(run_as(user, own))
        os._exit(0)
    os.waitpid(child, 0)
    assert ours.recv(4096).decode() == f"{user.pw_uid} {own}/pg/data"
    ours.close()
    theirs.close()


def run_as(user: pwd.struct_passwd, own: Path) -> bytes:
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    try:
        with Cluster(own, fast=True) as cluster:
            data = query(cluster, "show data_directory")
            return f"{os.stat(f'/proc/{cluster.pid}').st_uid} {data}".encode()
    except (ClusterUnavailable, OSError, psycopg.Error) as error:
        return repr(error).encode()


@as_root
def test_root_keeps_running_the_cluster_of_an_ordinary_user_as_that_user(home: Path) -> None:
    user = pwd.getpwnam("nobody")
    subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", home], check=True)
    with Cluster(home, fast=True) as cluster:
        assert os.stat(f"/proc/{cluster.pid}").st_uid == user.pw_uid


@as_root
def test_an_ordinary_user_is_told_whose_cluster_it_is(home: Path) -> None:
    user = pwd.getpwnam("nobody")
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        theirs.send(run_as(user, home))
        os._exit(0)
    os.waitpid(child, 0)
    assert f"belongs to account {home.joinpath('pg').owner()}" in ours.recv(4096).decode()
    ours.close()
    theirs.close()


def test_an_address_before_the_start_is_refused(cluster: Cluster) -> None:
    with pytest.raises(ClusterUnavailable, match="is not started"):
        cluster.url()


def test_a_database_with_an_odd_name_can_be_made_and_reached(cluster: Cluster) -> None:
    cluster.start()
    name = "tö wn/'1'?"
    cluster.ensure_database(name)
    assert query(cluster, "select current_database()", name) == name
    engine = sa.create_engine(cluster.url(name))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("select current_database()")) == name
    engine.dispose()


def test_programs_are_found_on_the_path_first(tmp_path: Path) -> None:
    programs = find_programs(path="")
    (tmp_path / "postgres").symlink_to(programs / "postgres")
    assert find_programs(path=str(tmp_path), versions=tmp_path) == programs


def test_missing_programs_name_the_package_to_install(tmp_path: Path) -> None:
    with pytest.raises(ClusterUnavailable, match="install postgresql-15-postgis-3"):
        find_programs(path=str(tmp_path), versions=tmp_path)


def test_a_postgresql_without_postgis_names_the_package_of_its_version(tmp_path: Path) -> None:
    programs = tmp_path / "99" / "bin"
    programs.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (programs / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 99.1'\n")
        (programs / name).chmod(0o755)
    with pytest.raises(ClusterUnavailable, match="install postgresql-99-postgis-3"):
        find_programs(path="", versions=tmp_path)


def test_the_newest_version_wins_by_number_not_by_letters(tmp_path: Path) -> None:
    real = find_programs(path="").parent
    for name in ("9", "15"):
        (tmp_path / name).symlink_to(real)
    assert find_programs(path="", versions=tmp_path) == tmp_path / "15" / "bin"
