"""`pg_dump` and `pg_restore`: the ones that fit the server, given its address by environment, never by argument."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from layers.errors import StoreError
from layers.store.engine import driver_url
from layers.store.postgres import VERSIONS
from layers.store.row_security import EVERYWHERE

_PASSED_ON: Final = ("sslmode", "sslrootcert", "sslcert", "sslkey")


SEES_ALL: Final = f"-c {EVERYWHERE}=on"
"""Connection options with which policies of scoped layers keep nothing back, also from a login that owns no server."""


class BackupFailed(StoreError):
    """A backup or a restore did not come to its end; nothing was changed."""


def program(name: str, server_major: int, *, versions: Path = VERSIONS) -> Path:
    """The program of the server's own version, or the next newer one; BackupFailed says what to install."""
    found = [versions / str(server_major) / "bin" / name, *sorted(versions.glob(f"*/bin/{name}"))]
    if on_path := shutil.which(name):
        found.insert(1, Path(on_path))
    for path in found:
        if path.exists() and _major(path) >= server_major:
            return path
    raise BackupFailed(f"{name} of PostgreSQL {server_major} is missing: install postgresql-client-{server_major}")


def _major(path: Path) -> int:
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, cwd="/").stdout
    version = re.search(r"\(PostgreSQL\) (\d+)", told)
    return int(version[1]) if version else 0


def run(path: Path, *arguments: str, url: str | sa.URL) -> None:
    """Run it on a database; BackupFailed with what it said. A password is not seen in the list of processes."""
    done = subprocess.run(
        [path, *arguments], env=_environment(url), capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode:
        raise BackupFailed(f"{path.name} failed: {done.stderr.strip()[-600:]}")


def _environment(url: str | sa.URL) -> dict[str, str]:
    parsed = driver_url(url) if isinstance(url, str) else url
    told = {
        "PGHOST": parsed.host or parsed.query.get("host"),
        "PGPORT": parsed.port or parsed.query.get("port"),
        "PGUSER": parsed.username or parsed.query.get("user"),
        "PGPASSWORD": parsed.password or parsed.query.get("password"),
        "PGDATABASE": parsed.database,
        "PGOPTIONS": SEES_ALL,
        **{f"PG{name.upper()}": parsed.query.get(name) for name in _PASSED_ON},
    }
    return {**os.environ, **{key: str(value) for key, value in told.items() if value is not None}}
