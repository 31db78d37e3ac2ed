"""A backup holds everything that cannot be made again, and a restore brings back exactly that or changes nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.catalog import built_in
from layers.loop.tables import CALLER, PHOTO
from layers.people.access import EVERYWHERE, Actor
from layers.people.keys import file_in
from layers.people.privacy import keyring_in
from layers.people.reads import unmask
from layers.store import backup as making
from layers.store.audit import seal
from layers.store.backup import MANIFEST, SEAL, SEAL_BYTES, Backup, back_up
from layers.store.chain import CHAINED
from layers.store.cluster import Cluster
from layers.store.engine import begin, driver_url, engine_for
from layers.store.programs import BackupFailed, program
from layers.store.restore import BadBackup, NotEmpty, check_digest, read_manifest, restore
from layers.store.schema import prepare
from layers.store.verdict import moment, verify
from tests.conftest import ROOT, Database, cloned, in_memory

NOW = dt.datetime(2026, 7, 1, 4, tzinfo=dt.UTC)
OFFICER = Actor("officer", frozenset({"officer"}), EVERYWHERE)
PHONE = "13812340099"
PICTURE = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with everything that one may have."""
    folder = tmp_path_factory.mktemp("home")
    for name, data in {
        f"photos/{hashlib.sha256(PICTURE).hexdigest()}": PICTURE, "topics/own.yaml": "标题: 夜间\n".encode(),
        "indicators/own.yaml": b"a: 1\n", "rasters/relief.tif": b"II*\0" + PICTURE, "audit/2026-06-30.root.json": b"{}",
        "loop/departments.csv": b"code\n", "basemap/city.pmtiles": b"PMTiles", "archives/place/a.pmtiles": b"x",
        "uploads/abc/files/coming.csv": b"x", "results/r.json": b"{}", "photos/new-1234": b"half", "postgres.log": b"x",
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def city_with_people(cluster: Cluster, city_template: str, home: Path) -> Iterator[Database]:
    """A small city with callers whose names are sealed, a photo, and an audit chain."""
    keyring = keyring_in(home)
    with cloned(cluster, city_template) as database:
        with begin(database.engine, actor="dispatcher") as connection:
            for number in range(3):
                sealed = {"name": keyring.seal(f"张{number}", about="caller.name"),
                          "phone": keyring.seal(PHONE, about="caller.phone")}  # fmt: skip
                connection.execute(sa.insert(CALLER).values(incident=str(number), channel="hotline", **sealed))
            picture = {"digest": hashlib.sha256(PICTURE).hexdigest(), "media_type": "image/jpeg", "bytes": len(PICTURE)}
            connection.execute(
                sa.insert(PHOTO).values(id="p", incident="1", width=10, height=10, actor="worker", **picture)
            )
            unmask(connection, keyring, OFFICER, 1, purpose="callback")
        for _ in range(2):
            with begin(database.owner, actor="sealer") as connection:
                seal(connection, now=NOW)
        yield database


@pytest.fixture(scope="module")
def made(city_with_people: Database, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Backup:
    return back_up(city_with_people.url, home, tmp_path_factory.mktemp("backups"), now=NOW)


@pytest.fixture(scope="module")
def scratch() -> Iterator[Cluster]:
    """Another server, which knows nothing of ours."""
    folder = Path(tempfile.mkdtemp(prefix=f"chengtu-test-{os.getpid()}-", dir=in_memory()))
    folder.chmod(0o755)
    with Cluster(folder, fast=True) as running:
        data = running.data
        yield running
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)


def rows(url: str) -> dict[str, str]:
    """A digest of every row of every table, in an order of its own."""
    engine = sa.create_engine(driver_url(url), poolclass=sa.NullPool)
    told = {}
    with engine.connect() as connection:
        connection.execute(sa.text("set timezone = 'UTC'"))
        listed = "select schemaname, tablename from pg_tables where schemaname in ('core', 'city', 'jobs')"
        for schema, name in connection.execute(sa.text(listed)).all():
            digest = "count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '')"
            told[f"{schema}.{name}"] = str(connection.scalar(sa.text(f"select {digest} from {schema}.{name} t")))
    engine.dispose()
    return told


def files(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def everything_of(url: str, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    return rows(url), files(folder)


def test_a_whole_city_comes_back_row_for_row_and_file_for_file(
    made: Backup, city_with_people: Database, home: Path, scratch: Cluster, tmp_path: Path
) -> None:
    scratch.ensure_database("chengtu")
    url, folder = scratch.url("chengtu"), tmp_path / "var"
    done = restore(made.path, url, folder, keys=made.keys)
    assert rows(url) == rows(city_with_people.url)
    left_out = ("basemap/", "archives/", "uploads/", "results/", "photos/new-", "postgres.log", ".last-backup")
    assert files(folder) == {name: told for name, told in files(home).items() if not name.startswith(left_out)}
    assert done.keys_missing == ()
    assert file_in(folder).stat().st_mode & 0o777 == 0o600

    prepare(url, built_in())  # it works on there: people open, the chain holds and goes on, changes are followed
    owner = engine_for(url, "owner", pool_size=0)
    with moment(owner) as connection:
        assert verify(connection).fault is None
    with begin(engine_for(url, "writer", pool_size=0), actor="clerk") as connection:
        assert unmask(connection, keyring_in(folder), OFFICER, 2, purpose="callback").phone == PHONE
        connection.execute(
            sa.text("update city.place set name = name || '！' where id = (select min(id) from city.place)")
        )
    for _ in range(3):
        with begin(owner, actor="sealer") as connection:
            seal(connection, now=NOW)
    with moment(owner) as connection:
        found = verify(connection)
    assert found.fault is None
    with owner.connect() as connection:
        counted = (sa.select(sa.func.count()).select_from(one.rows).scalar_subquery() for one in CHAINED)
        assert found.records == sum(connection.execute(sa.select(*counted)).one())


def test_the_manifest_says_what_is_in_it(made: Backup) -> None:
    told = read_manifest(made.path)
    assert told == made.manifest
    assert told["rows"]["core.caller"] == 3
    assert told["files"][f"photos/{hashlib.sha256(PICTURE).hexdigest()}"]["bytes"] == len(PICTURE)
    assert told["postgres"][:2].isdigit()
    assert told["postgis"].startswith("3.")


def test_neither_the_keys_nor_a_number_are_in_the_backup(made: Backup, home: Path) -> None:
    data = made.path.read_bytes()
    secrets = json.loads(file_in(home).read_text())
    assert not any(key["secret"].encode() in data for key in secrets["keys"].values())
    assert PHONE.encode() not in data
    assert made.keys is not None
    assert [path.stat().st_mode & 0o077 for path in (made.path, made.keys)] == [0, 0]


def test_a_login_that_owns_no_server_backs_up_every_record_too(
    city_with_people: Database, made: Backup, home: Path, tmp_path: Path
) -> None:
    with begin(city_with_people.owner, actor="test") as connection:
        connection.execute(sa.text("set local role none"))
        connection.execute(sa.text("create role plain_login login in role chengtu_owner"))
    plain = driver_url(city_with_people.url).set(username="plain_login").render_as_string()
    try:
        theirs = back_up(plain, home, tmp_path, now=NOW)
    finally:
        with begin(city_with_people.owner, actor="test") as connection:
            connection.execute(sa.text("set local role none"))
            connection.execute(sa.text("drop role plain_login"))
    assert theirs.manifest["rows"] == made.manifest["rows"]
    assert theirs.manifest["rows"]["city.incident"] > 0


def test_with_a_base_map_when_asked_for(city_with_people: Database, home: Path, tmp_path: Path) -> None:
    with_it = back_up(city_with_people.url, home, tmp_path, now=NOW, basemap=True)
    assert "basemap/city.pmtiles" in with_it.manifest["files"]
    with pytest.raises(BackupFailed, match="there already"):
        back_up(city_with_people.url, home, tmp_path, now=NOW)


@settings(max_examples=12)
@given(st.data())
def test_a_cut_or_altered_file_is_refused(
    made: Backup, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = made.path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    spoiled = data.draw(
        st.sampled_from([whole[:place], whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :], whole + b"\n"])
    )
    other = tmp_path_factory.mktemp("spoiled") / made.path.name
    other.write_bytes(spoiled)
    with pytest.raises(BadBackup, match="cut off, altered"):
        check_digest(other)


@pytest.fixture(scope="module")
def inhabited(
    cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, Path]]:
    """A city with a data folder of its own, where a backup may go or not."""
    folder = tmp_path_factory.mktemp("inhabited")
    (folder / "topics").mkdir()
    (folder / "topics" / "mine.yaml").write_text("mine")
    keyring_in(folder).seal("x", about="caller.name")
    with cloned(cluster, template) as database:
        with begin(engine_for(database.url, "owner", pool_size=0), actor="x") as connection:
            connection.execute(sa.text("insert into core.change (actor, layer, op, records) values ('x', 'y', 'z', 1)"))
        yield database, folder


def resealed(path: Path, data: bytes) -> Path:
    """A file with a digest that fits, as somebody makes it who means harm."""
    path.write_bytes(data + SEAL % hashlib.sha256(data).hexdigest().encode())
    return path


def with_member(made: Backup, name: str, content: bytes) -> bytes:
    """The backup with a member more, before its manifest."""
    out = io.BytesIO()
    with tarfile.open(made.path) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in old:
            if member.name == MANIFEST:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                new.addfile(info, io.BytesIO(content))
            new.addfile(member, old.extractfile(member))
    return out.getvalue()


def test_what_is_refused_changes_nothing(made: Backup, inhabited: tuple[Database, Path], tmp_path: Path) -> None:
    database, folder = inhabited
    before = everything_of(database.url, folder)
    whole = made.path.read_bytes()
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole[: len(whole) // 2])
    tar = whole[:-SEAL_BYTES]
    manifest = json.dumps({**made.manifest, "revision": "9999"}).encode()
    spoiled = [
        cut,
        tmp_path / "missing.tar",
        resealed(tmp_path / "escape.tar", with_member(made, "files/../../escape", b"x")),
        resealed(tmp_path / "absolute.tar", with_member(made, "/tmp/absolute", b"x")),
        resealed(tmp_path / "stranger.tar", with_member(made, "files/stranger", b"x")),
        resealed(tmp_path / "newer.tar", with_member(made, MANIFEST, manifest).replace(b'"0', b'"9')),
        resealed(tmp_path / "text.tar", b"no tar at all" * 100),
        resealed(tmp_path / "picture.tar", tar.replace(PICTURE, PICTURE[::-1])),
    ]
    for path in spoiled:
        with pytest.raises(BadBackup):
            restore(path, database.url, folder, replace=True)
        assert everything_of(database.url, folder) == before, path.name
    with pytest.raises(BadBackup):
        restore(made.path, database.url, folder, keys=cut, replace=True)
    with pytest.raises(NotEmpty, match="--replace"):
        restore(made.path, database.url, folder)
    assert everything_of(database.url, folder) == before


def test_a_restore_that_fails_at_its_last_step_leaves_everything_as_it_was(
    made: Backup, inhabited: tuple[Database, Path], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, folder = inhabited
    before = everything_of(database.url, folder)

    def fail(*_: object) -> None:
        raise BackupFailed("the disk is full")

    for step in ("_swap_databases", "_fill", "_unpack"):
        with monkeypatch.context() as patched:
            patched.setattr(f"layers.store.restore.{step}", fail)
            with pytest.raises(BackupFailed, match="the disk is full"):
                restore(made.path, database.url, folder, keys=made.keys, replace=True)
        assert everything_of(database.url, folder) == before, step
        assert databases(cluster) == {name for name in databases(cluster) if not name.startswith("chengtu_")}


def databases(cluster: Cluster) -> set[str]:
    engine = sa.create_engine(cluster.url("postgres"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        return set(connection.scalars(sa.text("select datname from pg_database")))


def test_while_others_are_connected_nothing_is_replaced(made: Backup, inhabited: tuple[Database, Path]) -> None:
    database, folder = inhabited
    refused = pytest.raises(NotEmpty, match="stop Chengtu first")
    with engine_for(database.url, "reader", pool_size=0).connect(), refused:
        restore(made.path, database.url, folder, replace=True)


def test_a_city_is_replaced_as_a_whole(
    made: Backup, inhabited: tuple[Database, Path], city_with_people: Database, cluster: Cluster
) -> None:
    database, folder = inhabited
    done = restore(made.path, database.url, folder, replace=True)
    assert rows(database.url) == rows(city_with_people.url)
    assert not (folder / "topics" / "mine.yaml").exists()
    assert (folder / "topics" / "own.yaml").exists()
    assert done.keys_missing == tuple(made.manifest["keys"]), "keys that were here stay, and do not open what came"
    assert not [name for name in databases(cluster) if name.startswith("chengtu_")]
    assert not [path for path in folder.iterdir() if path.name.startswith(("new-", "before-"))]


def test_the_programs_fit_the_server_or_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "15" in str(program("pg_dump", 15)) or program("pg_dump", 15).exists()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupFailed, match="install postgresql-client-99"):
        program("pg_dump", 99)


def test_a_folder_of_the_data_that_nobody_knows_is_kept_rather_than_lost() -> None:
    assert not making.left_out("something-new")
    assert all(making.left_out(name) for name in ("pg", "keys", "uploads", "archives", "new-12", ".last-backup.json"))


def test_the_image_brings_the_backup_programs_of_the_database_that_stands_beside_it() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    server = re.search(r"image: postgis/postgis:(\d+)-", compose)
    clients = re.findall(r"postgresql-client-(\d+)", image)
    assert server is not None
    assert clients == [server[1]]
