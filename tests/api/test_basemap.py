"""The base map: a city's own archive is served, an online one is declared, and the page may only reach that one."""

from __future__ import annotations

import gzip
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from api.headers import safe_headers
from api.routes.basemap import _online
from api.settings import Settings
from etl.basemap import add
from etl.errors import CorruptFile, EmptyFile
from gis.archive import Encoding, Kind
from gis.new_archive import write_archive
from gis.tilegrid import Box, tile_id
from layers.spec import Title
from layers.store.basemap import FOLDER, kept
from tests.conftest import ROOT, Server
from tests.etl.loading import Terminal

TIANDITU = "https://t0.tianditu.gov.cn/vec_w/wmts?tk=KEY&TILEMATRIX={z}&TILECOL={x}&TILEROW={y}"
CITY = Box(120.2, 31.6, 122.0, 32.7)


def png(side: int) -> bytes:
    """A black picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\x00" * (side + 1)) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def archive(path: Path, data: bytes, kind: Kind, compression: Encoding = "none", **metadata: object) -> Path:
    tiles = [(tile_id(6, 53, 25), data)]
    write_archive(path, tiles, kind=kind, compression=compression, zooms=(6, 6), bounds=CITY, metadata=lambda: metadata)
    return path


@pytest.fixture
def based(server: Server) -> Iterator[Server]:
    """The server, without a base map again afterwards."""
    yield server
    for path in (server.data / FOLDER).glob("*"):
        path.unlink()


def test_without_any_there_is_none(server: Server) -> None:
    assert httpx.get(f"{server.url}/basemap").json() == {"base": None}
    assert httpx.get(f"{server.url}/basemap/6/53/25").status_code == 204


def test_pictures_lie_under_everything_as_soon_as_they_are_added(based: Server, tmp_path: Path) -> None:
    file = archive(tmp_path / "city.pmtiles", png(512), "png", attribution="<a href='x'>测绘院</a> 2026")
    add(file, based.data / FOLDER, name=None, attribution=None, approval="苏S(2026)001号")
    base = httpx.get(f"{based.url}/basemap").json()["base"]
    assert base == {
        "type": "raster",
        "name": "city",
        "tiles": ["/basemap/{z}/{x}/{y}"],
        "minzoom": 6,
        "maxzoom": 6,
        "bounds": list(CITY),
        "tileSize": 512,
        "vectorLayers": [],
        "attribution": {"zh": "测绘院 2026", "en": "测绘院 2026"},
        "approval": "苏S(2026)001号",
        "frame": "EPSG:3857",
        "warning": None,
    }
    tile = httpx.get(f"{based.url}/basemap/6/53/25")
    assert (tile.content, tile.headers["content-type"]) == (png(512), "image/png")
    again = httpx.get(f"{based.url}/basemap/6/53/25", headers={"If-None-Match": tile.headers["etag"]})
    assert again.status_code == 304
    assert httpx.get(f"{based.url}/basemap/6/0/0").status_code == 204
    assert httpx.get(f"{based.url}/basemap/15/0/0").status_code == 204
    assert httpx.get(f"{based.url}/basemap/6/64/0").json()["code"] == "bad_tile"
    assert httpx.get(f"{based.url}/basemap/6/a/0").status_code == 422


def test_another_base_map_takes_its_place_at_once(based: Server, tmp_path: Path) -> None:
    first = archive(tmp_path / "a.pmtiles", png(256), "png")
    tile = gzip.compress(b"tile")
    second = archive(tmp_path / "b.pmtiles", tile, "mvt", "gzip", vector_layers=[{"id": "water"}], name="B")
    told = {"name": None, "attribution": Title("甲", "A"), "approval": None}
    for file in (first, second):
        add(file, based.data / FOLDER, **told)  # type: ignore[arg-type]
        etag = httpx.get(f"{based.url}/basemap/6/53/25").headers["etag"]
    base = httpx.get(f"{based.url}/basemap").json()["base"]
    assert (base["type"], base["name"], base["vectorLayers"], base["tileSize"]) == ("vector", "B", ["water"], 512)
    assert base["attribution"] == {"zh": "甲", "en": "A"}
    assert len(list((based.data / FOLDER).iterdir())) == 2
    assert httpx.get(f"{based.url}/basemap/6/53/25", headers={"If-None-Match": etag}).status_code == 304


def test_a_base_map_is_taken_away_at_once(based: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHENGTU_DATA_DIR", str(based.data))
    add(
        archive(tmp_path / "a.pmtiles", png(256), "png"),
        based.data / FOLDER,
        name="底图",
        attribution=None,
        approval=None,
    )
    assert httpx.get(f"{based.url}/basemap/6/53/25").status_code == 200
    terminal = Terminal()
    assert terminal.run("remove-basemap") == 0
    assert "底图" in terminal.said
    assert httpx.get(f"{based.url}/basemap").json() == {"base": None}
    assert httpx.get(f"{based.url}/basemap/6/53/25").status_code == 204
    assert list((based.data / FOLDER).iterdir()) == []
    assert terminal.run("remove-basemap") == 1
    assert "no base map" in terminal.complaint


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [("gzip", "gzip"), ("br, GZIP;q=0.5", "gzip"), ("identity", None), ("br", None), ("gzip;q=0, identity", None)],
)
def test_a_vector_tile_comes_as_it_is_stored_or_plain(
    based: Server, tmp_path: Path, accepts: str, coding: str | None
) -> None:
    file = archive(tmp_path / "a.pmtiles", gzip.compress(b"tile"), "mvt", "gzip")
    add(file, based.data / FOLDER, name=None, attribution=None, approval=None)
    tile = httpx.get(f"{based.url}/basemap/6/53/25", headers={"Accept-Encoding": accepts})
    assert tile.content == b"tile"
    assert tile.headers.get("content-encoding") == coding
    assert tile.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert "Accept-Encoding" in tile.headers["vary"]


@pytest.mark.parametrize("name", ["empty", "invalid", "invalid_v4", "test_fixture_mlt"])
def test_a_file_that_cannot_be_served_gives_one_line_and_changes_nothing(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("CHENGTU_DATA_DIR", str(tmp_path))
    terminal = Terminal()
    path = shared / "data" / "tiles" / "pmtiles" / f"{name}.pmtiles"
    assert terminal.run("add-basemap", path) == 1
    assert terminal.complaint.startswith(f"{name}.pmtiles: ")
    assert terminal.complaint.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_command_keeps_real_archives(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHENGTU_DATA_DIR", str(tmp_path))
    terminal = Terminal()
    for name, kind in (("test_fixture_1", "mvt"), ("go-pmtiles_unclustered", "png")):
        words = ["--name", "底图", "--attribution", "甲|A", "--approval", "GS(2026)1号"]
        assert terminal.run("add-basemap", shared / "data" / "tiles" / "pmtiles" / f"{name}.pmtiles", *words) == 0
        held = kept(tmp_path / FOLDER)
        assert held is not None
        assert (held.archive.header.kind, held.name, held.attribution) == (kind, "底图", Title("甲", "A"))
        assert held.approval == "GS(2026)1号"


@pytest.mark.parametrize(
    ("data", "kind", "compression"),
    [(b"no picture", "png", "none"), (b"not gzip", "mvt", "gzip"), (gzip.compress(bytes(20_000_000)), "mvt", "gzip")],
    ids=["no picture", "not gzip", "bomb"],
)
def test_an_archive_whose_tiles_are_something_else_is_refused(
    tmp_path: Path, data: bytes, kind: Kind, compression: Encoding
) -> None:
    with pytest.raises(CorruptFile, match="its first tile is|a tile is not gzip, or larger than 16 MB"):
        add(
            archive(tmp_path / "a", data, kind, compression), tmp_path / "b", name=None, attribution=None, approval=None
        )
    assert not (tmp_path / "b").exists()


def test_a_damaged_tile_does_not_fill_the_memory_and_is_not_the_clients_fault(based: Server, tmp_path: Path) -> None:
    tiles = [(tile_id(6, 53, 25), gzip.compress(b"tile")), (tile_id(6, 54, 25), gzip.compress(bytes(20_000_000)))]
    file = tmp_path / "a.pmtiles"
    write_archive(file, sorted(tiles), kind="mvt", compression="gzip", zooms=(6, 6), bounds=CITY, metadata=dict)
    add(file, based.data / FOLDER, name=None, attribution=None, approval=None)
    plain = {"Accept-Encoding": "identity"}
    assert httpx.get(f"{based.url}/basemap/6/53/25", headers=plain).content == b"tile"
    refused = httpx.get(f"{based.url}/basemap/6/54/25", headers=plain)
    assert (refused.status_code, refused.json()["code"]) == (500, "bad_archive")


def test_an_archive_without_tiles_is_refused(tmp_path: Path) -> None:
    write_archive(tmp_path / "a", [], kind="png", compression="none", zooms=(0, 1), bounds=CITY, metadata=dict)
    with pytest.raises(EmptyFile):
        add(tmp_path / "a", tmp_path / "b", name=None, attribution=None, approval=None)


def online(**settings: object) -> Settings:
    return Settings(**{f"basemap_{name}": value for name, value in settings.items()})  # type: ignore[arg-type]


def test_an_online_base_map_is_described_and_is_the_only_host_that_the_page_may_reach() -> None:
    settings = online(
        url=TIANDITU, frame="EPSG:3857", attribution_zh="天地图", attribution_en="Tianditu", approval="GS1"
    )
    base = _online(settings)
    assert base is not None
    assert (base["tiles"], base["frame"], base["warning"], base["approval"]) == ([TIANDITU], "EPSG:3857", None, "GS1")
    policy = dict(safe_headers(settings))[b"content-security-policy"].decode()
    directives = {part.split()[0]: part.split()[1:] for part in policy.split(";")}
    reached = {name: [s for s in sources if "://" in s] for name, sources in directives.items()}
    assert {name: hosts for name, hosts in reached.items() if hosts} == {
        "img-src": ["https://t0.tianditu.gov.cn"],
        "connect-src": ["https://t0.tianditu.gov.cn"],
    }
    assert b"://" not in dict(safe_headers(Settings()))[b"content-security-policy"]


def test_a_map_in_gcj_02_is_shown_with_a_warning_in_both_languages() -> None:
    base = _online(online(url="https://webst01.example.cn/{z}/{x}/{y}.png", frame="gcj02"))
    assert base is not None
    assert base["frame"] == "GCJ-02"
    assert "480" in base["warning"]["zh"]
    assert "480" in base["warning"]["en"]


@pytest.mark.parametrize(
    ("settings", "field", "reason"),
    [
        ({"url": TIANDITU}, "basemap_frame", "say the frame"),
        ({"url": TIANDITU, "frame": "BD-09"}, "basemap_frame", "a grid of their own"),
        ({"url": TIANDITU, "frame": "EPSG:4490"}, "basemap_frame", "take the _w layers"),
        ({"url": TIANDITU, "frame": "nonsense"}, "basemap_frame", "unknown coordinate frame"),
        ({"url": "ftp://a.cn/{z}/{x}/{y}", "frame": "EPSG:3857"}, "basemap_url", "https://"),
        ({"url": "https://a.cn/{z}/{x}", "frame": "EPSG:3857"}, "basemap_url", "{y}"),
        ({"url": "https://{s}.a.cn/{z}/{x}/{y}", "frame": "EPSG:3857"}, "basemap_url", "https://"),
        ({"url": "https://a.cn/{z}/{x}/{y}?{q}", "frame": "EPSG:3857"}, "basemap_url", "nothing else"),
        ({"url": "https://a.cn; script-src */{z}/{x}/{y}", "frame": "EPSG:3857"}, "basemap_url", "https://"),
        ({"url": "https://me:secret@a.cn/{z}/{x}/{y}", "frame": "EPSG:3857"}, "basemap_url", "https://"),
    ],
)
def test_an_online_base_map_that_cannot_be_shown_is_refused(settings: dict[str, str], field: str, reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        online(**settings)
    first = refused.value.errors()[0]
    assert first["loc"] == (field,)
    assert reason in first["msg"]


def test_a_refused_setting_is_one_line_at_start_up(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "CHENGTU_DATA_DIR": str(tmp_path),
        "CHENGTU_BASEMAP_URL": "https://a.cn/{z}/{x}/{y}",
        "CHENGTU_BASEMAP_FRAME": "BD-09",
    }
    result = subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "basemap_frame: Value error, tiles in BD-09" in result.stderr
