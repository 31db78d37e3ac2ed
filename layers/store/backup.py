"""Backup: the database and what of the data folder cannot be made again, in one file; the keys in another.

The file is a tar of `database.dump`, `files/…` and `manifest.json`, and ends with a line that holds the SHA-256 of all
before it. The dump and the counts of the manifest are of one moment; files are read after it, and a record never points
to a file that came later than itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
import secrets
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import sqlalchemy as sa

from layers.store.engine import driver_url
from layers.store.programs import SEES_ALL, BackupFailed, program, run

VERSION: Final = 1
DUMP: Final = "database.dump"
FILES: Final = "files/"
MANIFEST: Final = "manifest.json"
KEYS: Final = "keys"
BASEMAP: Final = "basemap"
LEFT_OUT: Final = frozenset({
    "pg", "postgres.log", "cluster.lock",  # the private database: it is dumped
    "archives", "results", "print", "uploads",  # made again, or on its way in
    "backups", KEYS,
})  # fmt: skip
LAST: Final = ".last-backup.json"
"""What the data folder remembers of its last backup."""
SEAL: Final = b"\nchengtu sha256 %s\n"
SEAL_BYTES: Final = len(SEAL % (b"0" * 64))
SCHEMAS: Final = ("core", "city", "jobs")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Backup:
    """What was written; `keys` is None where there are no keys yet."""

    path: Path
    keys: Path | None
    manifest: dict[str, Any]


def back_up(
    url: str,
    folder: Path,
    to: Path,
    *,
    now: dt.datetime,
    basemap: bool = False,
    progress: Progress = lambda _: None,
) -> Backup:
    """Write a backup of a database and its data folder into the folder `to`; BackupFailed when it cannot be whole."""
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = to / f"chengtu-{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}.tar"
    if path.exists():
        raise BackupFailed(f"{path} is there already")
    dump = to / f"new-{secrets.token_hex(8)}.dump"
    try:
        manifest = {"chengtu_backup": VERSION, "made_at": now.isoformat(), **_dump(url, dump, progress)}
        with sealed_file(path) as file, tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            manifest["database"] = _add(tar, dump, DUMP)
            manifest["files"] = _add_files(tar, folder, basemap=basemap, progress=progress)
            manifest["keys"] = key_ids(folder)
            _add_text(tar, MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False), now)
    finally:
        dump.unlink(missing_ok=True)
    keys = _keys(folder, path, progress)
    told = {"at": manifest["made_at"], "path": str(path), "keys": manifest["keys"]}
    (folder / LAST).write_text(json.dumps(told), encoding="utf-8")
    return Backup(path, keys, manifest)


def key_ids(folder: Path) -> list[str]:
    """The ids of the keys of a data folder; the store knows no more of them."""
    try:
        return sorted(json.loads((folder / KEYS / "personal.json").read_text(encoding="utf-8"))["keys"])
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError) as error:
        raise BackupFailed(f"the keys in {folder / KEYS} cannot be read: {error}") from error


def row_counts(connection: sa.Connection) -> dict[str, int]:
    """How many rows each table has."""
    tables = connection.execute(
        sa.text("select schemaname, tablename from pg_tables where schemaname = any(:schemas) order by 1, 2"),
        {"schemas": list(SCHEMAS)},
    ).all()
    return {
        f"{schema}.{name}": int(
            connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name, schema=schema))) or 0
        )
        for schema, name in tables
    }


def _dump(url: str, path: Path, progress: Progress) -> dict[str, Any]:
    """Dump the database; what the manifest says of it, of the same moment."""
    engine = sa.create_engine(
        driver_url(url), poolclass=sa.NullPool, isolation_level="REPEATABLE READ", connect_args={"options": SEES_ALL}
    )
    with engine.connect() as connection:
        major = int(connection.scalar(sa.text("show server_version_num")) or 0) // 10_000
        moment = str(connection.scalar(sa.text("select pg_export_snapshot()")))
        facts = {
            "postgres": str(connection.scalar(sa.text("show server_version"))),
            "postgis": str(connection.scalar(sa.text("select postgis_lib_version()"))),
            "revision": str(connection.scalar(sa.text("select version_num from core.migration"))),
            "rows": row_counts(connection),
        }
        progress("database")
        dumper = program("pg_dump", major)
        schemas = [f"--schema={name}" for name in SCHEMAS]
        options = ["--format=custom", "--compress=3", "--enable-row-security", f"--snapshot={moment}"]
        run(dumper, *options, *schemas, f"--file={path}", url=url)
    engine.dispose()
    return facts


def _add_files(tar: tarfile.TarFile, folder: Path, *, basemap: bool, progress: Progress) -> dict[str, Any]:
    found = {}
    for part in sorted(folder.iterdir()) if folder.is_dir() else ():
        if left_out(part.name) or (part.name == BASEMAP and not basemap):
            continue
        progress(part.name)
        for path in sorted(part.rglob("*")) if part.is_dir() else [part]:
            if path.is_file() and not path.is_symlink() and not path.name.startswith("new-"):
                name = path.relative_to(folder).as_posix()
                found[name] = _add(tar, path, FILES + name)
    return found


def left_out(name: str) -> bool:
    """Is this entry of a data folder made again by itself, or half made?"""
    return name in LEFT_OUT or name.startswith((".", "new-", "before-"))


class _Hashed(io.RawIOBase):
    """A file that is hashed while it is read or written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        part = self._file.read(size)
        self.digest.update(part)
        return part

    def write(self, part: Any) -> int:
        self.digest.update(part)
        return self._file.write(part)


def _add(tar: tarfile.TarFile, path: Path, name: str) -> dict[str, Any]:
    with path.open("rb") as file:
        held = os.fstat(file.fileno())
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = held.st_size, int(held.st_mtime), held.st_mode & 0o777
        hashed = _Hashed(file)
        try:
            tar.addfile(info, hashed)
        except OSError as error:  # it became shorter meanwhile, or the disk is full
            raise BackupFailed(f"{path} could not be written into the backup: {error}") from error
    return {"bytes": held.st_size, "sha256": hashed.digest.hexdigest()}


def _add_text(tar: tarfile.TarFile, name: str, text: str, now: dt.datetime) -> None:
    data = text.encode()
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(data), int(now.timestamp()), 0o600
    tar.addfile(info, io.BytesIO(data))


def _keys(folder: Path, path: Path, progress: Progress) -> Path | None:
    source = folder / KEYS
    if not source.is_dir():
        return None
    progress("keys")
    to = path.with_name(f"{path.stem}.keys.tar")
    with sealed_file(to) as file, tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for one in sorted(source.iterdir()):
            if one.is_file() and not left_out(one.name):
                _add(tar, one, f"{KEYS}/{one.name}")
    return to


@contextmanager
def sealed_file(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when it is whole and safe on the disk, and ends with its own digest."""
    new = path.with_name(f"new-{secrets.token_hex(8)}.tar")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            hashed = _Hashed(file)
            yield hashed  # type: ignore[misc]
            file.write(SEAL % hashed.digest.hexdigest().encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
