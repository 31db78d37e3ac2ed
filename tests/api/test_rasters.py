"""Rasters, as a map receives them."""

from __future__ import annotations

import asyncio
import math
import os
import select
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from rasterio.io import MemoryFile

from api.errors import TooBusy
from api.pictures import Pictures
from etl.rasters import RasterOrder, add_raster
from gis.raster import write_grid
from gis.tilegrid import tile_of
from layers.palette import PALETTES
from layers.spec import Title
from tests.conftest import Server

pytestmark = [
    pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning"),
    # A picture knows nothing of the globe.
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
]

Z, X, Y = tile_of(120.905, 32.045, 12)


@pytest.fixture(scope="module")
def rasters(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The server with two rasters: `t_public`, a hole of unknown values in its south-west, and `t_internal`."""
    values = np.add.outer(np.arange(200.0), np.arange(200.0))
    values[150:, :50] = np.nan
    folder = tmp_path_factory.mktemp("source")
    write_grid(values, folder / "a.tif", west=120.8, north=32.1, cell=(0.001, 0.0005))
    for name, public in (("t_public", True), ("t_internal", False)):
        title, credit = Title("测试", "Test"), Title("测试数据", "Test data")
        order = RasterOrder(folder / "a.tif", name, title, "mm", credit, synthetic=True, public=public)
        add_raster(order, server.data / "rasters")
        wait_for(server, name)
    return server


def wait_for(server: Server, name: str) -> None:
    """Return when the server, which looks at its folder every two seconds, knows of the raster."""
    deadline = time.monotonic() + 20
    while httpx.get(f"{server.url}/rasters/{name}/point?lon=0&lat=0", headers=server.admin).status_code != 200:
        assert time.monotonic() < deadline
        select.select([], [], [], 0.05)


def get(server: Server, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{server.url}/rasters{path}", headers=headers)


def pixels(picture: bytes) -> Any:
    with MemoryFile(picture) as file, file.open() as opened:
        return opened.read()


def listed(server: Server, *, palette: str = "dark", **headers: str) -> dict[str, Any]:
    return {raster["name"]: raster for raster in get(server, f"?palette={palette}", **headers).json()["rasters"]}


def test_a_raster_is_described_with_all_that_a_map_needs(rasters: Server) -> None:
    found = listed(rasters)["t_public"]
    assert found["title"] == {"zh": "测试", "en": "Test"}
    assert (found["unit"], found["synthetic"], found["minzoom"]) == ("mm", True, 0)
    assert found["attribution"] == {"zh": "测试数据", "en": "Test data"}
    assert found["bounds"] == pytest.approx([120.8, 32.0, 121.0, 32.1])
    assert 10 <= found["maxzoom"] <= 14
    assert [row["value"] for row in found["legend"]] == sorted(row["value"] for row in found["legend"])
    path = found["tiles"].format(z=Z, x=X, y=Y)
    assert httpx.get(f"{rasters.url}{path}").headers["content-type"] == "image/webp"


@pytest.mark.parametrize("kind", ["png", "webp"])
@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("size", [256, 512])
def test_a_tile_is_a_picture_in_the_colours_of_the_legend(rasters: Server, kind: str, palette: str, size: int) -> None:
    answer = get(rasters, f"/t_public/{Z}/{X}/{Y}.{kind}?palette={palette}&size={size}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"image/{kind}"
    picture = pixels(answer.content)
    assert picture.shape == (4, size, size)
    inside = picture[:3, picture[3] == 255]
    ends = np.array(
        [list(bytes.fromhex(row["colour"][1:])) for row in listed(rasters, palette=palette)["t_public"]["legend"]]
    )
    tolerance = 12  # WebP loses a little
    assert (inside.min(axis=1) >= ends.min(axis=0) - tolerance).all()
    assert (inside.max(axis=1) <= ends.max(axis=0) + tolerance).all()


def test_a_tile_is_transparent_where_nothing_is_known(rasters: Server) -> None:
    z, x, y = tile_of(120.82, 32.01, 13)
    alpha = pixels(get(rasters, f"/t_public/{z}/{x}/{y}.png").content)[3]
    assert set(np.unique(alpha)) == {0, 255}


def test_a_tile_that_is_known_already_is_not_sent_again(rasters: Server) -> None:
    path = f"/t_public/{Z}/{X}/{Y}.png"
    first = get(rasters, path)
    assert first.headers["cache-control"] == "no-cache"
    again = get(rasters, path, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    others = [
        f"/t_public/{Z}/{X}/{Y}.webp",
        f"{path}?palette=light",
        f"{path}?size=512",
        f"/t_public/{Z}/{X}/{Y + 1}.png",
    ]
    assert len({first.headers["etag"], *(get(rasters, other).headers["etag"] for other in others)}) == 5


def test_a_raster_that_is_replaced_has_other_tags(rasters: Server, tmp_path: Path) -> None:
    tags = []
    for value in (1.0, 2.0):
        grid = np.full((8, 8), value)
        grid[0, 0] = 0.0
        write_grid(grid, tmp_path / "a.tif", west=120.8, north=32.1, cell=(0.02, 0.01))
        order = RasterOrder(tmp_path / "a.tif", "t_replaced", Title("替换", "Replaced"), public=True)
        add_raster(order, rasters.data / "rasters")
        deadline = time.monotonic() + 20
        while get(rasters, "/t_replaced/point?lon=120.9&lat=32.05").json().get("value") != value:
            assert time.monotonic() < deadline
        answer = get(rasters, f"/t_replaced/{Z}/{X}/{Y}.png")
        while tags and answer.headers["etag"] == tags[0]:  # the file is known at once, the look after two seconds
            assert time.monotonic() < deadline
            select.select([], [], [], 0.05)
            answer = get(rasters, f"/t_replaced/{Z}/{X}/{Y}.png")
        tags.append(answer.headers["etag"])
    assert len(set(tags)) == 2


@pytest.mark.parametrize("path", ["9/0/0.png", f"{Z}/{X + 50}/{Y}.webp", "24/0/0.png"])
def test_a_tile_outside_the_raster_is_empty(rasters: Server, path: str) -> None:
    answer = get(rasters, f"/t_public/{path}")
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing/9/0/0.png", 404),
        ("/nothing/point?lon=120&lat=32", 404),
        ("/..%2Ft_public/9/0/0.png", 404),
        ("/t_public.tif/9/0/0.png", 422),
        ("/t_public/9/512/0.png", 400),
        ("/t_public/25/0/0.png", 400),
        ("/t_public/-1/0/0.png", 400),
        ("/t_public/9/0/0.gif", 422),
        ("/t_public/9/0/x.png", 422),
        ("/t_public/9/0/0.png?palette=pink", 422),
        ("/t_public/9/0/0.png?size=100000", 422),
        ("/t_public/point?lon=1000&lat=32", 422),
        ("/t_public/point?lon=nan&lat=32", 422),
        ("/t_public/point?lon=120", 422),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_problem(rasters: Server, path: str, status: int) -> None:
    answer = get(rasters, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_place_has_the_value_of_its_cell(rasters: Server) -> None:
    found = get(rasters, "/t_public/point?lon=120.8105&lat=32.09725").json()
    assert (found["value"], found["unit"], found["reason"]) == (15.0, "mm", None)
    assert found["title"] == {"zh": "测试", "en": "Test"}
    assert found["synthetic"] is True


@pytest.mark.parametrize(("lon", "lat", "reason"), [(120.82, 32.01, "no_data"), (0.0, 0.0, "outside")])
def test_a_place_without_a_value_says_why(rasters: Server, lon: float, lat: float, reason: str) -> None:
    found = get(rasters, f"/t_public/point?lon={lon}&lat={lat}").json()
    assert (found["value"], found["reason"]) == (None, reason)


def test_an_internal_raster_looks_as_if_it_did_not_exist(rasters: Server) -> None:
    assert "t_internal" not in listed(rasters)
    for path in (f"/{{}}/{Z}/{X}/{Y}.png", "/{}/point?lon=120.9&lat=32.05"):
        hidden, absent = (get(rasters, path.format(name)) for name in ("t_internal", "t_nothing"))
        assert hidden.status_code == absent.status_code == 404
        assert hidden.text.replace("t_internal", "t_nothing") == absent.text
    assert "t_internal" in listed(rasters, **rasters.admin)
    answer = get(rasters, f"/t_internal/{Z}/{X}/{Y}.png", **rasters.admin)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-cache"


def test_files_that_are_no_rasters_of_ours_are_not_served(rasters: Server) -> None:
    folder = rasters.data / "rasters"
    (folder / "t_broken.tif").write_bytes(b"II*\x00")
    (folder / "t_other.tif").write_bytes((folder / "t_public.tif").read_bytes())
    (folder / "T_Public.tif").write_bytes((folder / "t_public.tif").read_bytes())
    order = RasterOrder(folder / "t_public.tif", "t_after", Title("后", "After"), public=True)
    add_raster(order, folder)
    wait_for(rasters, "t_after")
    assert {"t_broken", "t_other", "T_Public"} & set(listed(rasters, **rasters.admin)) == set()


@pytest.mark.parametrize("path", ["/{}/point?lon=120.9&lat=32.05", f"/{{}}/{Z}/{X}/{Y}.png"])
def test_a_raster_that_was_just_taken_away_or_damaged_is_404(rasters: Server, tmp_path: Path, path: str) -> None:
    rng = np.random.default_rng(5)
    write_grid(rng.normal(size=(200, 200)), tmp_path / "a.tif", west=120.8, north=32.1, cell=(0.001, 0.0005))
    order = RasterOrder(tmp_path / "a.tif", "t_gone", Title("走", "Gone"), public=True)
    made, _ = add_raster(order, rasters.data / "rasters")
    wait_for(rasters, made.name)
    file = rasters.data / "rasters" / "t_gone.tif"
    os.truncate(file, file.stat().st_size // 3)  # the same file still, of which less is there
    assert get(rasters, path.format("t_gone")).status_code == 404
    file.unlink()
    gone, absent = get(rasters, path.format("t_gone")), get(rasters, path.format("t_none"))
    assert gone.status_code == 404
    assert gone.text.replace("t_gone", "t_none") == absent.text


def test_a_picture_is_drawn_once_however_many_ask_for_it() -> None:
    drawn: list[str] = []

    async def ask() -> list[bytes]:
        pictures = Pictures()
        return [*await asyncio.gather(*(pictures.get("a", draw) for _ in range(50))), await pictures.get("a", draw)]

    def draw() -> bytes:
        drawn.append("a")
        return b"picture"

    assert asyncio.run(ask()) == [b"picture"] * 51
    assert drawn == ["a"]


def test_pictures_beyond_the_queue_are_refused_at_once_and_the_others_are_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("api.pictures._MOST_WAITING", 5)
    go = threading.Event()
    at_once, most = 0, 0

    def draw() -> bytes:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        go.wait(10)
        at_once -= 1
        return b"picture"

    async def ask() -> list[Any]:
        pictures = Pictures()
        waiting = [asyncio.create_task(pictures.get(str(i), draw)) for i in range(8)]
        refused, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert all(isinstance(task.exception(), TooBusy) for task in refused)
        go.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    found = asyncio.run(ask())
    assert found.count(b"picture") == 5
    assert sum(isinstance(answer, TooBusy) for answer in found) == 3
    assert most <= 2


def test_pictures_that_are_slow_to_come_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.pictures._WAIT_S", 0.05)
    go = threading.Event()

    async def ask() -> None:
        with pytest.raises(TooBusy):
            await Pictures().get("a", lambda: go.wait(10) and b"" or b"")
        go.set()

    asyncio.run(ask())


def test_a_picture_that_cannot_be_drawn_may_be_tried_again() -> None:
    async def ask() -> bytes:
        pictures = Pictures()
        with pytest.raises(ZeroDivisionError):
            await pictures.get("a", lambda: bytes(math.floor(1 / 0)))
        return await pictures.get("a", lambda: b"picture")

    assert asyncio.run(ask()) == b"picture"


def test_old_pictures_leave_when_there_is_no_more_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.pictures._MOST_BYTES", 3_000)
    drawn: list[str] = []

    async def ask() -> None:
        pictures = Pictures()
        for key in "abacadaea":
            await pictures.get(key, lambda key=key: (drawn.append(key), b"x" * 700)[1])  # type: ignore[misc]

    asyncio.run(ask())
    assert drawn == ["a", "b", "c", "d", "e"]
