"""Archives over HTTP: parts of them, versions that never change, and nothing for those who may not see the layer."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import mapbox_vector_tile
import pyogrio
import pytest
import sqlalchemy as sa
from geoalchemy2.shape import from_shape
from pmtiles.reader import Reader
from shapely.geometry import Point

from etl.bake import Baked, bake_layer
from gis.archive import Archive
from gis.tilegrid import tile_from_id
from layers.catalog import built_in
from layers.spec import Title
from layers.store import archives
from layers.store.definitions import layer_from_parts
from layers.store.engine import begin
from layers.store.schema import add_layer
from tests.conftest import Server

LAYER = built_in()["duty_grid"]
CORS = "access-control-allow-origin"


@pytest.fixture(scope="module")
def baked(server: Server) -> Iterator[Baked]:
    """The archive of a small layer, which the server finds in its data folder."""
    folder = server.data / archives.FOLDER
    yield bake_layer(server.database.url, LAYER, folder)
    for path in folder.glob(f"{LAYER.name}.*"):
        path.unlink()


@pytest.fixture
def url(server: Server, baked: Baked) -> str:
    assert baked.path.exists()
    return f"{server.url}/archives/{LAYER.name}.pmtiles"


def get(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_the_whole_archive_is_the_file(url: str, baked: Baked) -> None:
    answer = get(url)
    assert answer.status_code == 200
    assert answer.content == baked.path.read_bytes()
    assert answer.headers["content-type"] == "application/vnd.pmtiles"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "public, no-cache"
    assert answer.headers["etag"] == f'"{archives.version(baked.path)}"'
    head = httpx.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(baked.bytes)


@pytest.mark.parametrize(
    ("asked", "part", "told"),
    [
        ("bytes=0-126", slice(0, 127), "bytes 0-126/{size}"),
        ("bytes=100-", slice(100, None), "bytes 100-{last}/{size}"),
        ("bytes=-10", slice(-10, None), "bytes {tenth}-{last}/{size}"),
        ("bytes=5-999999999999", slice(5, None), "bytes 5-{last}/{size}"),
        ("bytes=-999999999999", slice(None), "bytes 0-{last}/{size}"),
    ],
)
def test_a_part_is_answered_with_206(url: str, baked: Baked, asked: str, part: slice, told: str) -> None:
    answer = get(url, Range=asked)
    size = baked.bytes
    assert answer.status_code == 206
    assert answer.content == baked.path.read_bytes()[part]
    assert answer.headers["content-range"] == told.format(size=size, last=size - 1, tenth=size - 10)
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("asked", ["bytes=999999999999-", "bytes=-0"])
def test_a_part_outside_is_416_with_the_size(url: str, baked: Baked, asked: str) -> None:
    answer = get(url, Range=asked)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{baked.bytes}"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("asked", ["bytes=9-5", "bytes=a-b", "items=0-5", "bytes=0-1,4-5", "bytes=-", "", "bytes=٣-٤"])
def test_what_is_not_one_range_is_answered_with_the_whole(url: str, baked: Baked, asked: str) -> None:
    answer = httpx.get(url, headers={"Range": asked.encode()})
    assert (answer.status_code, len(answer.content)) == (200, baked.bytes)


def test_a_part_of_another_version_is_not_mixed_in(url: str, baked: Baked) -> None:
    etag = get(url).headers["etag"]
    assert get(url, Range="bytes=0-9", If_Range=etag).status_code == 206
    assert get(url, Range="bytes=0-9", If_Range='"another"').status_code == 200
    assert get(url, Range="bytes=0-9", If_None_Match=etag).status_code == 304
    assert get(url, If_None_Match='"another"').status_code == 200
    assert len(get(url, If_None_Match='"another"').content) == baked.bytes


def test_a_version_never_changes_and_may_be_kept(server: Server, baked: Baked) -> None:
    (listed,) = [a for a in httpx.get(f"{server.url}/archives").json()["archives"] if a["name"] == LAYER.name]
    assert listed["version"] == archives.version(baked.path)
    assert (listed["bytes"], listed["tiles"], listed["cut"]) == (baked.bytes, baked.tiles, 0)
    assert listed["bakedAt"].startswith("20")
    answer = get(server.url + listed["url"], Range="bytes=0-6")
    assert answer.content == b"PMTiles"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    gone = server.url + listed["url"].replace(listed["version"], "20200101T000000000000-00000000")
    assert get(gone).json()["code"] == "unknown_archive"


def test_pages_of_other_origins_may_read_archives(url: str) -> None:
    answer = get(url, Range="bytes=0-9", Origin="https://elsewhere.example")
    assert answer.headers[CORS] == "*"
    assert {"etag", "content-range"} <= set(answer.headers["access-control-expose-headers"].lower().split(", "))
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    before = httpx.options(url, headers=asked | {"Access-Control-Request-Headers": "range"})
    assert before.status_code == 204
    assert before.headers[CORS] == "*"
    assert "Range" in before.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "path", ["nothing.pmtiles", "county.pmtiles", "nothing.20200101T000000000000-00000000.pmtiles"]
)
def test_what_there_is_not_is_404(server: Server, path: str) -> None:
    assert httpx.get(f"{server.url}/archives/{path}").status_code == 404


def by_range(url: str) -> Callable[[int, int], bytes]:
    def read(offset: int, length: int) -> bytes:
        answer = get(url, Range=f"bytes={offset}-{offset + length - 1}")
        assert answer.status_code == 206
        return answer.content

    return read


def test_the_usual_reader_reads_it_by_range_requests(url: str, baked: Baked) -> None:
    reader = Reader(by_range(url))
    assert reader.metadata()["chengtu"]["layer"] == LAYER.name
    ours = Archive.open(baked.path)
    tiles = list(ours.tiles())
    for number, data in tiles[:: max(1, len(tiles) // 20)]:
        assert reader.get(*tile_from_id(number)) == data
        assert LAYER.name in str(list(mapbox_vector_tile.decode(gzip.decompress(data))))
    assert reader.get(6, 0, 0) is None


@pytest.mark.skipif("PMTiles" not in pyogrio.list_drivers(), reason="this GDAL has no driver for PMTiles")
def test_gdal_reads_it_over_http(url: str, server: Server, baked: Baked) -> None:
    os.environ.update(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", CPL_VSIL_CURL_ALLOWED_EXTENSIONS=".pmtiles")
    frame = pyogrio.read_dataframe(f"/vsicurl/{url}", layer=LAYER.name)
    with server.database.reader.connect() as connection:
        ids = set(connection.scalars(sa.select(LAYER.table.c.id)))
    assert set(frame["id"]) == ids
    assert str(frame.crs) == "EPSG:3857"
    assert {LAYER.name, f"{LAYER.name}_cells"} <= {name for name, _ in pyogrio.list_layers(baked.path)}


def test_an_internal_layers_archive_looks_as_if_it_did_not_exist(server: Server) -> None:
    fields = [field for field in built_in()["place"].fields if field.name == "name"]
    tanks = layer_from_parts("secret_tanks", Title("储罐", "Tanks"), "Point", fields)
    row = {"id": "1", "name": "储罐一", "geom": from_shape(Point(120.9, 32.0), 4326), "cell": 0, "source": "test"}
    with begin(server.database.engine, actor="test") as connection:
        add_layer(connection, tanks)
        connection.execute(sa.insert(tanks.table), [row])
    held = bake_layer(server.database.url, tanks, server.data / archives.FOLDER)
    for name in ("secret_tanks", f"secret_tanks.{archives.version(held.path)}"):
        path = f"{server.url}/archives/{name}.pmtiles"
        absent = httpx.get(path.replace("secret_tanks", "no_such_tanks"))
        hidden = httpx.get(path)
        assert hidden.status_code == absent.status_code == 404
        assert hidden.text.replace("secret_tanks", "no_such_tanks") == absent.text
        assert httpx.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
        seen = httpx.get(path, headers=server.admin)
        assert seen.content == held.path.read_bytes()
        assert seen.headers["cache-control"].startswith("private, ")
        assert "Authorization" in seen.headers["vary"]
    assert "secret_tanks" not in httpx.get(f"{server.url}/archives").text
    assert "secret_tanks" in httpx.get(f"{server.url}/archives", headers=server.admin).text


def test_an_archive_of_a_layer_that_was_declared_otherwise_is_not_given_out(
    server: Server, baked: Baked, url: str
) -> None:
    before = replace(LAYER, minzoom=LAYER.minzoom + 1)
    other = bake_layer(server.database.url, before, server.data / archives.FOLDER)
    version = archives.version(other.path)
    assert httpx.get(f"{server.url}/archives/{LAYER.name}.{version}.pmtiles").json()["code"] == "unknown_archive"
    assert get(url).headers["etag"] == f'"{archives.version(baked.path)}"'
