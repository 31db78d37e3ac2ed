"""The programs, the data folder and the processes of PostgreSQL."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from layers.errors import ClusterUnavailable
from layers.store.place import Place, child_options

SUPERUSER = "chengtu"
VERSIONS = Path("/usr/lib/postgresql")
STOP_S, POLL_S = 60.0, 0.02


def find_programs(*, path: str | None = None, versions: Path = VERSIONS) -> Path:
    """Return the folder with `postgres` and `initdb` of a PostgreSQL that has PostGIS: PATH first, then the newest.

    `path` replaces the PATH of the environment. Raises ClusterUnavailable, which says what to install.
    """
    found = list(dict.fromkeys(_program_folders(path, versions)))
    for folder in found:
        if _has_postgis(folder):
            return folder
    if found:
        raise ClusterUnavailable(
            f"PostgreSQL in {found[0]} has no PostGIS: install postgresql-{_major(found[0])}-postgis-3"
        )
    raise ClusterUnavailable(
        f"PostgreSQL is neither on PATH nor under {versions}: install postgresql-15-postgis-3, "
        "or name a server in CHENGTU_DATABASE_URL"
    )


def _program_folders(path: str | None, versions: Path) -> Iterator[Path]:
    folders = []
    if postgres := shutil.which("postgres", path=path):
        folders.append(Path(postgres).resolve().parent)
    if pg_config := shutil.which("pg_config", path=path):
        folders.append(Path(_output(pg_config, "--bindir")))
    numbered = [p for p in versions.glob("*/bin") if p.parent.name.isdecimal()]
    folders += sorted(numbered, key=lambda p: int(p.parent.name), reverse=True)
    return (f for f in folders if all(os.access(f / name, os.X_OK) for name in ("postgres", "initdb")))


def _output(program: Path | str, option: str) -> str:
    answer = subprocess.run([program, option], capture_output=True, text=True, check=False, cwd="/")
    return answer.stdout.strip()


def _major(programs: Path) -> str:
    version = re.search(r"\(PostgreSQL\) (\d+)", _output(programs / "postgres", "--version"))
    if version is None:
        raise ClusterUnavailable(f"{programs / 'postgres'} does not tell its version: reinstall PostgreSQL")
    return version[1]


def _has_postgis(programs: Path) -> bool:
    shares = [Path("/usr/share/postgresql") / _major(programs)]
    if (programs / "pg_config").exists():
        shares.insert(0, Path(_output(programs / "pg_config", "--sharedir")))
    return any((share / "extension" / "postgis.control").exists() for share in shares)


def make_data(place: Place, programs: Path, *, sync: bool) -> None:
    """Make a new data folder under another name first, so that a half-made one is never taken for a good one."""
    for left in place.data.parent.glob("data.new*"):
        shutil.rmtree(left, ignore_errors=True)
    # a name of its own: the initdb of a program killed a moment ago may still be writing
    new = place.data.with_name(f"data.new-{os.getpid()}")
    command = [str(programs / "initdb"), "-D", str(new), "-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8"]
    command += ["--auth-local=trust", "--auth-host=reject", "--data-checksums", "--no-instructions"]
    command += [] if sync else ["--no-sync"]
    made = subprocess.run(command, capture_output=True, text=True, check=False, **child_options(place.account))
    if made.returncode:
        raise ClusterUnavailable(f"a new database could not be made in {place.data}: {made.stderr.strip()[-800:]}")
    new.rename(place.data)


def check_data(data: Path, programs: Path) -> None:
    """Raise ClusterUnavailable, with what to do, unless these programs can serve the data folder."""
    missing = [name for name in ("PG_VERSION", "global/pg_control") if not (data / name).exists()]
    if missing:
        raise ClusterUnavailable(
            f"{data} is damaged or only half copied ({', '.join(missing)} missing): "
            "restore it, or move it away to start anew"
        )
    kept, ours = (data / "PG_VERSION").read_text().strip(), _major(programs)
    if kept != ours:
        raise ClusterUnavailable(
            f"{data} was made by PostgreSQL {kept}, but {programs} is PostgreSQL {ours}: convert it with pg_upgrade, "
            f"install postgresql-{kept}-postgis-3, or move the folder away to start anew"
        )


def server_processes(data: Path) -> dict[int, bool]:
    """Every process of this data folder, and whether it is the first one: backends may outlive one that was killed."""
    found: dict[int, bool] = {}
    parents: dict[int, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "comm").read_text().strip() != "postgres":
                continue
            command = (process / "cmdline").read_bytes()
            try:
                ours = os.path.samefile(process / "cwd", data)
            except PermissionError:  # root in a container without CAP_SYS_PTRACE
                ours = os.fsencode(data) in command.split(b"\0")
            if ours:
                found[int(process.name)] = not command.startswith(b"postgres:")
                parents[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
    # a child that was forked a moment ago has no title of its own yet
    return {pid: first and parents.get(pid) not in found for pid, first in found.items()}


def end_leftovers(data: Path) -> None:
    """End every server process of this folder: nobody alive owns them once we hold the lock."""
    deadline = time.monotonic() + STOP_S
    while alive := server_processes(data):
        masters = [pid for pid, first in alive.items() if first]
        for pid in masters or alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT if masters else signal.SIGQUIT)
        if time.monotonic() > deadline:
            raise ClusterUnavailable(f"earlier server processes of {data} do not stop: {sorted(alive)}")
        time.sleep(POLL_S)


def end(process: subprocess.Popen[bytes]) -> None:
    """End the first process of a server: in order, else at once."""
    for order, patience_s in ((signal.SIGINT, STOP_S), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        if process.poll() is None:
            process.send_signal(order)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience_s)
