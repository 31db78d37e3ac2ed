"""The private PostgreSQL of one data folder: started, shared between programs, stopped.

The server listens on a unix socket only and never runs as root. It lives exactly as long as the program that started
it, even if that one is killed; other programs of the same folder may join it meanwhile.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from layers.errors import ClusterUnavailable
from layers.store.place import PORT, SPARE, Held, Lock, Place, child_options, choose_place, socket_folder
from layers.store.postgres import POLL_S, SUPERUSER, check_data, end, end_leftovers, find_programs, make_data

__all__ = ["FAST", "SETTINGS", "Cluster", "find_programs", "open_cluster"]

SETTINGS: Mapping[str, str] = MappingProxyType({
    "listen_addresses": "", "unix_socket_permissions": "0770", "max_connections": "60",
    "shared_buffers": "512MB", "work_mem": "32MB", "maintenance_work_mem": "256MB", "effective_cache_size": "2GB",
    # `off` loses committed rows when the server is killed; loads that can be repeated set it for themselves
    "synchronous_commit": "on",
    "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "4GB", "wal_compression": "on",
    "checkpoint_timeout": "15min", "jit": "off", "random_page_cost": "1.1", "effective_io_concurrency": "200",
    "logging_collector": "off", "log_min_messages": "warning",
})  # fmt: skip
FAST: Mapping[str, str] = MappingProxyType(
    {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
)

_START_S = 60.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_log = logging.getLogger("chengtu.store")


class Cluster:
    """The private PostgreSQL of the folder `home`; `settings` go above `SETTINGS`, `fast` (unsafe) is for tests only.

    Settings are given to the server at each start, so a changed value holds for an old data folder, too.
    """

    def __init__(
        self, home: Path, *, settings: Mapping[str, str] | None = None, fast: bool = False, spare: Path = SPARE
    ) -> None:
        self.home = Path(home).resolve()
        self.settings = {**SETTINGS, **(FAST if fast else {}), **(settings or {})}
        self._fast = fast
        self._spare = spare
        self._place: Place | None = None
        self._lock: Lock | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: Path | None = None

    def __enter__(self) -> Self:
        if self._socket is None:  # else `open_cluster` made or joined it
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def owned(self) -> bool:
        """Did this very process start the server (False: it joined one, or none runs)?"""
        return self._lock is not None and self._lock.held

    @property
    def running(self) -> bool:
        """Does the server live? If it died while owned, `start` brings it back."""
        if self.owned:
            return self._process is not None and self._process.poll() is None
        return self._socket is not None and _ping(self._socket) == Ping.OK

    @property
    def pid(self) -> int | None:
        """The server's first process, while owned and running."""
        return self._process.pid if self._process is not None and self.owned and self.running else None

    @property
    def data(self) -> Path:
        """The data folder of the server that runs."""
        return self._started_place().data

    def conninfo(self, database: str = "chengtu") -> str:
        """Return the libpq connection string of a database; raises ClusterUnavailable before `start`."""
        if self._socket is None:
            raise ClusterUnavailable(f"the database of {self.home} is not started")
        return _conninfo(self._socket, database)

    def url(self, database: str = "chengtu") -> str:
        """Return the `postgresql+psycopg://` address of a database; raises ClusterUnavailable before `start`."""
        if self._socket is None:
            raise ClusterUnavailable(f"the database of {self.home} is not started")
        host = quote(str(self._socket), safe="")
        return f"postgresql+psycopg://{SUPERUSER}@/{quote(database, safe='')}?host={host}&port={PORT}"

    def ensure_database(self, name: str = "chengtu") -> None:
        """Make the database unless it is there."""
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            if connection.execute("select from pg_database where datname = %s", [name]).fetchone() is None:
                # two programs may come here at once; the other one's is as good
                with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))

    def start(self) -> None:
        """Start the server, or again after it died; do nothing while it runs.

        Raises ClusterUnavailable if PostgreSQL is missing, the folder cannot be used, is damaged or of another version,
        or is held by another living program; RuntimeError off the main thread.
        """
        if self.running:
            return
        self._place = choose_place(self.home, spare=self._spare)
        if not self.owned:
            self._lock = Lock(self._place)
        try:
            self._launch(self._place)
        except BaseException:  # also Ctrl-C: nothing stays behind
            self._let_go()
            raise

    def stop(self) -> None:
        """Stop the server in order if this program started it; leave it running if this one only joined."""
        if not self.owned:
            self._socket = None
            return
        try:
            if self._lock is not None:
                self._lock.write(None)
            if self._process is not None:
                end(self._process)
                end_leftovers(self.data)
        finally:
            self._let_go()

    def _join(self, held: Held) -> bool:
        """Share the server of the program that holds the folder; False if it is not ready (any more)."""
        if held.socket is None or _ping(held.socket) != Ping.OK:
            return False
        self._socket = held.socket
        return True

    def _started_place(self) -> Place:
        if self._place is None:
            raise ClusterUnavailable(f"the database of {self.home} is not started")
        return self._place

    def _launch(self, place: Place) -> None:
        if threading.current_thread() is not threading.main_thread():
            # the kernel ties PR_SET_PDEATHSIG to the thread that forked: the server would end with it
            raise RuntimeError("start the cluster from the main thread")
        programs = find_programs()
        if not place.data.exists() or not any(place.data.iterdir()):
            make_data(place, programs, sync=not self._fast)
        check_data(place.data, programs)
        end_leftovers(place.data)
        (place.data / "postmaster.pid").unlink(missing_ok=True)  # its pid may belong to something else by now
        self._socket = socket_folder(place)
        (self._socket / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
        command = [str(programs / "postgres"), "-D", str(place.data), "-k", str(self._socket), "-p", str(PORT)]
        command += [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        log_start = place.log.stat().st_size if place.log.exists() else 0
        with place.log.open("ab") as log:
            place.give(log.fileno())
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, preexec_fn=_die_with(os.getpid()), **child_options(place.account)
            )
        self._await_ready(place, self._process, log_start)
        if self._lock is not None:
            self._lock.write(self._socket)

    def _await_ready(self, place: Place, process: subprocess.Popen[bytes], log_start: int) -> None:
        assert self._socket is not None
        deadline = time.monotonic() + _START_S
        while (answer := _ping(self._socket)) != Ping.OK:
            if process.poll() is not None:
                said = place.log.read_bytes()[log_start:].decode(errors="replace").strip()[-800:]
                raise ClusterUnavailable(f"PostgreSQL ended at once ({place.log}): {said}")
            if answer == Ping.REJECT:  # it repairs itself after a crash, which may take long but moves on
                deadline = time.monotonic() + _START_S
            if time.monotonic() > deadline:
                raise ClusterUnavailable(f"PostgreSQL did not answer for {_START_S:.0f} s: see {place.log}")
            time.sleep(POLL_S)

    def _let_go(self) -> None:
        try:
            if self._process is not None:
                end(self._process)
            if self._socket is not None:
                with suppress(OSError):  # something else may be in it
                    self._socket.rmdir()
        finally:
            self._process = self._socket = None
            if self._lock is not None:
                self._lock.release()


def open_cluster(
    home: Path,
    *,
    settings: Mapping[str, str] | None = None,
    fast: bool = False,
    spare: Path = SPARE,
    patience_s: float = 60.0,
) -> Cluster:
    """Return the running cluster of `home`: the one another living program runs, else a new one that is owned.

    Waits up to `patience_s` for a program that is just starting or stopping it; then raises ClusterUnavailable.
    """
    cluster = Cluster(home, settings=settings, fast=fast, spare=spare)
    deadline = time.monotonic() + patience_s
    while True:
        try:
            cluster.start()
            return cluster
        except Held as held:
            if cluster._join(held):
                _log.info("joined the database of %s, run by process %s", cluster.home, held.pid)
                return cluster
            if time.monotonic() > deadline:
                raise
        time.sleep(POLL_S)


def _conninfo(socket: Path, database: str) -> str:
    return make_conninfo(host=str(socket), port=PORT, user=SUPERUSER, dbname=database)


def _ping(socket: Path) -> Ping:
    return Ping(PGconn.ping(_conninfo(socket, "postgres").encode()))


def _die_with(program: int) -> Callable[[], None]:
    """Return what the forked child does before it becomes PostgreSQL: ask to be stopped when the program dies."""

    def ask() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != program:  # it died before we could ask
            os._exit(1)

    return ask
