"""The folder of uploads: what is kept, under which names, and for how long; how fresh a source is."""

from __future__ import annotations

import datetime as dt
import os
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from layers.ask.deliveries import sources
from layers.errors import BadUpload, Conflict, UnknownUpload
from layers.store.choices import Choices
from layers.store.core import DELIVERY
from layers.store.engine import begin
from layers.store.file_kinds import fitting_name, safe_name
from layers.store.uploads import Uploads
from tests.conftest import Database

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads", most=2)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("路灯 台账.CSV", "路灯 台账.csv"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\x\\a.xlsx", "a.xlsx"),
        ("a\x00b:c*.csv", "a_b_c_.csv"),
        ("..hidden.csv", "hidden.csv"),
        (f"{'长' * 300}.csv", f"{'长' * 65}.csv"),
    ],
)
def test_names_are_made_safe(given: str, kept: str) -> None:
    assert safe_name(given) == kept


def test_a_workbook_is_called_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert fitting_name(path, "a.xls") == "a.xlsx"
    assert fitting_name(path, "a.zip") == "a.xlsx"
    path.write_bytes(b"a,b\n1,2\n")
    assert fitting_name(path, "export.xls") == "export.csv"


def test_the_companions_of_a_shapefile_take_its_name(uploads: Uploads) -> None:
    upload = uploads.new("admin")
    for name, content in (("A.shp", b"\x00\x00\x27\x0a"), ("a.dbf", b"\x03"), ("a.cpg", b"GBK")):
        scratch = upload.scratch()
        scratch.write_bytes(content)
        upload.keep(scratch, name)
    assert sorted(upload.about["files"]) == ["A.cpg", "A.dbf", "A.shp"]
    assert upload.main().name == "A.shp"


def test_companions_alone_are_no_table(uploads: Uploads) -> None:
    upload = uploads.new("admin")
    scratch = upload.scratch()
    scratch.write_bytes(b"\x03")
    upload.keep(scratch, "a.dbf")
    with pytest.raises(BadUpload, match="shp is missing"):
        upload.main()


def test_there_are_only_so_many_uploads(uploads: Uploads) -> None:
    uploads.new("admin")
    uploads.new("admin")
    with pytest.raises(Conflict):
        uploads.new("admin")


@pytest.mark.parametrize("id", ["../uploads", "a" * 24, "undo"])
def test_an_id_that_was_not_given_out_finds_nothing(uploads: Uploads, id: str) -> None:
    with pytest.raises(UnknownUpload):
        uploads.find(id)


def test_uploads_that_nobody_touched_for_a_week_are_removed(uploads: Uploads) -> None:
    old, fresh = uploads.new("admin"), uploads.new("admin")
    for path in (*old.folder.iterdir(), old.folder):
        os.utime(path, (1, 1))
    assert uploads.prune() == 1
    assert [upload.id for upload in uploads.every()] == [fresh.id]


@pytest.mark.parametrize("extent", ["/etc/passwd", "a.geojson", "..\\x", "file:x"])
def test_nobody_names_a_file_of_the_server_as_an_extent(extent: str) -> None:
    with pytest.raises(ValueError, match="extent"):
        Choices(extent=extent)
    assert Choices(extent="120.1,31.5,121.9,32.7").extent
    assert Choices(extent="南通").extent


@pytest.mark.parametrize(
    ("days_ago", "freshness"), [((21, 14, 7), "ok"), ((30, 23, 16), "warn"), ((60, 53, 46), "bad"), ((14, 7), None)]
)
def test_a_source_is_late_by_its_own_rhythm(
    database: Database, days_ago: tuple[int, ...], freshness: str | None
) -> None:
    with begin(database.engine, actor="test") as connection:
        for days in days_ago:
            values = {"layer": "place", "source": "weekly", "title": "a", "digest": "d", "actor": "test"}
            connection.execute(sa.insert(DELIVERY).values(**values, at=NOW - dt.timedelta(days=days)))
    with database.reader.connect() as connection:
        (found,) = sources(connection, ["place"], now=NOW)
        assert sources(connection, ["road"], now=NOW) == []
    assert found.freshness == freshness
    assert found.usual == (dt.timedelta(days=7) if freshness else None)
