"""Restore: a backup is checked first, built up beside what is there, and takes its place at once or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

import sqlalchemy as sa

from layers.errors import Conflict
from layers.store.backup import (
    DUMP,
    FILES,
    KEYS,
    MANIFEST,
    SCHEMAS,
    SEAL,
    SEAL_BYTES,
    VERSION,
    Progress,
    left_out,
    row_counts,
)
from layers.store.engine import driver_url
from layers.store.programs import SEES_ALL, BackupFailed, program, run
from layers.store.schema import known_revision, set_up_roles

_PART: Final = 1 << 20
_IN_ORDER: Final = (DUMP, MANIFEST)


class BadBackup(BackupFailed):
    """The file is no whole backup: cut, altered, or not one of ours."""


class NotEmpty(Conflict):
    """There is a city already where the backup would go."""


@dataclass(frozen=True)
class Restored:
    """What is there now, and whether the keys of its sealed values are."""

    manifest: dict[str, Any]
    keys_missing: tuple[str, ...]


def restore(
    path: Path,
    url: str,
    folder: Path,
    *,
    keys: Path | None = None,
    replace: bool = False,
    progress: Progress = lambda _: None,
) -> Restored:
    """Bring a backup into a database and a data folder; with `replace` in the place of the city that is there.

    Raises BadBackup for a file that is not whole, NotEmpty, and BackupFailed; nothing is changed then.
    """
    progress("checking")
    check_digest(path)
    manifest = read_manifest(path)
    if keys is not None:
        check_digest(keys)
    _require_room(url, folder, keys, replace=replace)
    folder.mkdir(parents=True, exist_ok=True)
    with _scratch_folder(folder) as scratch:
        progress("files")
        _unpack(path, scratch, manifest)
        if keys is not None:
            _unpack_keys(keys, scratch)
        with _scratch_database(url) as fresh:
            progress("database")
            _fill(fresh, scratch / DUMP, manifest)
            progress("changing over")
            with _files_swapped(folder, scratch, keys=keys is not None):
                _swap_databases(url, fresh)
    return Restored(manifest, _missing(folder, manifest))


def check_digest(path: Path) -> None:
    """Raise BadBackup unless the file ends with the digest of all that is before it."""
    try:
        size, digest = path.stat().st_size - SEAL_BYTES, hashlib.sha256()
        with path.open("rb") as file:
            left = max(0, size)
            while left:
                part = file.read(min(_PART, left))
                if not part:
                    break
                digest.update(part)
                left -= len(part)
            whole = size > 0 and file.read() == SEAL % digest.hexdigest().encode()
    except OSError as error:
        raise BadBackup(f"{path} cannot be read: {error.strerror}") from error
    if not whole:
        raise BadBackup(f"{path.name} is cut off, altered, or no backup of Chengtu: nothing was changed")


def read_manifest(path: Path) -> dict[str, Any]:
    """What a backup says of itself; BadBackup unless this version can restore it."""
    found: dict[str, Any] = {}
    with _members(path) as tar:
        for member in tar:
            if member.name == MANIFEST and (file := tar.extractfile(member)) is not None:
                found = json.loads(file.read())
    if found.get("chengtu_backup") != VERSION:
        raise BadBackup(f"{path.name} is no backup that this version knows")
    if not known_revision(found["revision"]):
        raise BadBackup(f"{path.name} was made by a newer version ({found['revision']}): restore it with that one")
    return found


@contextmanager
def _members(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield tar
    except (tarfile.TarError, ValueError, KeyError) as error:
        raise BadBackup(f"{path.name} is no backup of Chengtu: {error}") from error


def _require_room(url: str, folder: Path, keys: Path | None, *, replace: bool) -> None:
    engine = sa.create_engine(driver_url(url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        used = connection.scalar(sa.text("select to_regnamespace('core') is not null"))
        others = connection.scalar(
            sa.text(
                "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            )
        )
    engine.dispose()
    held = sorted(one.name for one in folder.iterdir() if not left_out(one.name)) if folder.is_dir() else []
    if (used or held) and not replace:
        there = "the database is not empty" if used else f"{folder} holds {', '.join(held[:3])}"
        raise NotEmpty(f"{there}: restore into an empty place, or say --replace")
    if keys is not None and (folder / KEYS).exists() and not replace:
        raise NotEmpty(f"{folder / KEYS} is there already: say --replace")
    if others:
        raise NotEmpty(f"{others} others are connected to the database: stop Chengtu first")


@contextmanager
def _scratch_folder(folder: Path) -> Iterator[Path]:
    scratch = folder / f"new-{secrets.token_hex(8)}"
    scratch.mkdir(mode=0o700)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unpack(path: Path, scratch: Path, manifest: dict[str, Any]) -> None:
    """Put dump and files into the scratch folder; BadBackup unless they are exactly those of the manifest."""
    wanted = {DUMP: manifest["database"], **{FILES + name: told for name, told in manifest["files"].items()}}
    with _members(path) as tar:
        for member in tar:
            if member.name == MANIFEST:
                continue
            told, file = wanted.pop(member.name, None), tar.extractfile(member)
            if told is None or file is None or not _is_inside(member.name):
                raise BadBackup(f"{path.name} holds {member.name!r}, of which its manifest does not tell")
            target = scratch / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if _copy(file, target, member.mode) != told["sha256"]:  # type: ignore[arg-type]
                raise BadBackup(f"{path.name}: {member.name} is not what the manifest says")
    if wanted:
        raise BadBackup(f"{path.name} lacks {next(iter(wanted))}")


def _unpack_keys(path: Path, scratch: Path) -> None:
    (scratch / KEYS).mkdir(mode=0o700)
    with _members(path) as tar:
        for member in tar:
            file = tar.extractfile(member)
            name = PurePosixPath(member.name)
            if file is None or not _is_inside(member.name) or name.parent != PurePosixPath(KEYS):
                raise BadBackup(f"{path.name} is no backup of keys")
            _copy(file, scratch / member.name, 0o600)  # type: ignore[arg-type]


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _copy(file: BinaryIO, target: Path, mode: int) -> str:
    digest = hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode & 0o777)
    with open(descriptor, "wb") as out:
        while part := file.read(_PART):
            digest.update(part)
            out.write(part)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


@contextmanager
def _maintenance(url: str | sa.URL) -> Iterator[sa.Connection]:
    server = driver_url(url) if isinstance(url, str) else url
    engine = sa.create_engine(server.set(database="postgres"), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@contextmanager
def _scratch_database(url: str) -> Iterator[sa.URL]:
    name = f"chengtu_new_{secrets.token_hex(6)}"
    with _maintenance(url) as connection:
        connection.execute(sa.text(f"create database {name} template template0 encoding 'UTF8'"))
    try:
        yield driver_url(url).set(database=name)
    finally:
        with _maintenance(url) as connection:
            connection.execute(sa.text(f"drop database if exists {name} with (force)"))


def _fill(fresh: sa.URL, dump: Path, manifest: dict[str, Any]) -> None:
    """Restore the dump; BackupFailed unless every table has the rows that were counted when it was made."""
    engine = sa.create_engine(fresh, poolclass=sa.NullPool, connect_args={"options": SEES_ALL})
    with engine.begin() as connection:
        major = int(connection.scalar(sa.text("show server_version_num")) or 0) // 10_000
        set_up_roles(connection)
        for schema in SCHEMAS:  # the dump brings them
            connection.execute(sa.text(f"drop schema {schema}"))
    tool = program("pg_restore", major)
    run(tool, "--exit-on-error", "--single-transaction", f"--dbname={fresh.database}", str(dump), url=fresh)
    with engine.begin() as connection:
        counted = row_counts(connection)
        connection.execute(sa.text("analyze"))
    engine.dispose()
    if counted != manifest["rows"]:
        wrong = sorted(
            name for name in {*counted, *manifest["rows"]} if counted.get(name) != manifest["rows"].get(name)
        )
        raise BackupFailed(f"the restored tables do not have the rows of the backup: {', '.join(wrong[:5])}")


@contextmanager
def _files_swapped(folder: Path, scratch: Path, *, keys: bool) -> Iterator[None]:
    """The restored files in the place of those that were; put back when the block fails."""
    before = folder / f"before-{secrets.token_hex(8)}"
    before.mkdir(mode=0o700)
    come = [(scratch / FILES, path.name) for path in (scratch / FILES).iterdir()] if (scratch / FILES).is_dir() else []
    come += [(scratch, KEYS)] if keys else []
    gone = [path.name for path in folder.iterdir() if not left_out(path.name)] + ([KEYS] if keys else [])
    moved: list[tuple[Path, Path]] = []
    try:
        for name in gone:
            if (folder / name).exists():
                _move(folder / name, before / name, moved)
        for source, name in come:
            _move(source / name, folder / name, moved)
        yield
    except BaseException:
        for source, target in reversed(moved):
            os.replace(target, source)
        before.rmdir()
        raise
    shutil.rmtree(before, ignore_errors=True)


def _move(source: Path, target: Path, moved: list[tuple[Path, Path]]) -> None:
    os.replace(source, target)
    moved.append((source, target))


def _swap_databases(url: str, fresh: sa.URL) -> None:
    """The fresh database under the name of the one that was, which is dropped."""
    name, old = driver_url(url).database, f"chengtu_old_{secrets.token_hex(6)}"
    with _maintenance(url) as connection:
        quote = connection.dialect.identifier_preparer.quote
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql(f"alter database {quote(str(name))} rename to {old}")
        try:
            connection.exec_driver_sql(f"alter database {fresh.database} rename to {quote(str(name))}")
        except BaseException:
            connection.exec_driver_sql(f"alter database {old} rename to {quote(str(name))}")
            raise
        with suppress(sa.exc.DBAPIError):  # it is out of the way, whatever happens
            connection.exec_driver_sql(f"drop database {old} with (force)")


def _missing(folder: Path, manifest: dict[str, Any]) -> tuple[str, ...]:
    try:
        held = json.loads((folder / KEYS / "personal.json").read_text(encoding="utf-8"))["keys"]
    except (OSError, ValueError, KeyError):
        held = {}
    return tuple(sorted(set(manifest["keys"]) - set(held)))
