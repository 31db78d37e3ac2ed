"""Baking: the archive is the database at one moment, what came later is not in it and is known not to be."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import bake as baking
from etl.bake import NotBaked, TooWide, bake, bake_layer, snapshot, stale_layers
from etl.jobs import baking as baking_job
from gis.archive import Archive
from gis.drawn import unpack
from gis.tilegrid import Box, Tile, bounds_3857, tile_id, tiles_of_box
from layers.ask.tile import Budget, fingerprint, making, run
from layers.catalog import built_in
from layers.spec import Layer
from layers.store import archives, changes
from layers.store.core import CHANGE
from layers.store.engine import begin, libpq_url, session_options
from layers.store.jobs import job_app
from tests.conftest import Database
from tests.etl.loading import Terminal

LAYERS = built_in()
CITY = Box(120.1973, 31.6327, 121.9538, 32.7147)


@contextmanager
def asking(database: Database) -> Iterator[Callable[[Layer, Tile], bytes]]:
    """What the database answers for a tile now."""
    conninfo = libpq_url(database.url)
    connection = psycopg.connect(conninfo, options=session_options("reader"), autocommit=True)
    with connection, connection.cursor() as cursor:
        yield lambda layer, tile: run(cursor, making(layer, *tile)).data


def current(database: Database, layer: Layer, folder: Path) -> Path | None:
    with database.reader.connect() as connection:
        told = changes.identity(connection)
    return archives.current(folder, layer.name, fingerprint=fingerprint(layer), database=told)


def stale(database: Database, folder: Path, *layers: Layer) -> list[str]:
    with database.reader.connect() as connection:
        return [layer.name for layer in stale_layers(connection, layers, folder)]


def test_a_layer_whose_records_depend_on_who_asks_is_never_baked(city: Database, tmp_path: Path) -> None:
    with pytest.raises(NotBaked, match="incident"):
        bake_layer(city.url, LAYERS["incident"], tmp_path)
    assert current(city, LAYERS["incident"], tmp_path) is None
    assert stale(city, tmp_path, LAYERS["incident"]) == []


def scalar(database: Database, sql: str) -> object:
    with database.owner.begin() as connection:
        return connection.scalar(sa.text(sql))


@pytest.mark.parametrize("name", ["component", "road", "county"])
def test_the_archive_holds_the_tiles_of_the_database(city: Database, tmp_path: Path, name: str) -> None:
    layer = LAYERS[name]
    baked = bake_layer(city.url, layer, tmp_path, threads=2)
    archive = Archive.open(baked.path)
    deep = [unpack(key) for key in baking._tiles_under(np.array([[1.3450e7, 3.76e6, 1.3460e7, 3.77e6]]), 14, name)]
    with asking(city) as ask:
        for tile in [*tiles_of_box(CITY, range(6, 12)), *deep]:
            stored = archive.get(tile_id(*tile))
            assert (gzip.decompress(stored) if stored else b"") == ask(layer, tile), tile
        held = [(number, data) for number, data in archive.tiles()]
    assert len(held) == baked.tiles == archives.facts(archive).tiles > 0
    assert baked.bytes == baked.path.stat().st_size
    assert (archive.header.minzoom, archive.header.maxzoom) == (6, 14)
    assert {entry["id"] for entry in archive.metadata["vector_layers"]} >= {name}


def test_a_tile_that_leaves_something_out_says_so(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layers.ask.tile.WHOLE", Budget(records=20))
    layer = LAYERS["road"]
    archive = Archive.open(bake_layer(city.url, layer, tmp_path).path)
    cuts = archives.facts(archive).cuts
    assert sum(cuts.values()) == archives.facts(archive).cut > 0
    for key, left_out in list(cuts.items())[:20]:
        stored = archive.get(tile_id(*unpack(key)))
        assert stored is not None
        tile = mapbox_vector_tile.decode(gzip.decompress(stored))
        assert tile["road_cut"]["features"][0]["properties"]["n"] == left_out


def test_an_edit_during_the_bake_is_not_in_it_and_is_the_first_thing_after_it(city: Database, tmp_path: Path) -> None:
    layer = LAYERS["pollution"]
    id = scalar(city, "select min(id) from city.pollution")
    with snapshot(city.url, threads=1) as moment:
        with begin(city.engine, actor="test") as connection:
            connection.execute(sa.text("update city.pollution set name = 'new' where id = :id"), {"id": id})
        archive = Archive.open(bake(moment, layer, tmp_path).path)
    assert all(b"new" not in gzip.decompress(data) for _, data in archive.tiles())
    told = archives.facts(archive)
    with city.reader.connect() as connection:
        later = changes.since(connection, changes.Position.parse(told.position))
    assert [(row["layer"], row["id"]) for row in later.rows] == [("pollution", id)]


def test_an_empty_layer_has_an_archive_without_tiles(database: Database, tmp_path: Path) -> None:
    baked = bake_layer(database.url, LAYERS["component"], tmp_path)
    assert baked.tiles == 0
    assert list(Archive.open(baked.path).tiles()) == []
    assert stale(database, tmp_path, LAYERS["component"]) == []


def test_an_archive_serves_the_layer_as_declared_in_its_own_database(city: Database, tmp_path: Path) -> None:
    layer = LAYERS["pollution"]
    assert current(city, layer, tmp_path) is None
    baked = bake_layer(city.url, layer, tmp_path)
    assert current(city, layer, tmp_path) == baked.path
    assert current(city, LAYERS["place"], tmp_path) is None
    assert current(city, replace(layer, minzoom=9), tmp_path) is None
    assert archives.current(tmp_path, "pollution", fingerprint=fingerprint(layer), database="another") is None


def test_a_damaged_archive_is_passed_over(city: Database, tmp_path: Path) -> None:
    layer = LAYERS["pollution"]
    older, newer = (bake_layer(city.url, layer, tmp_path).path for _ in range(2))
    assert current(city, layer, tmp_path) == newer
    newer.write_bytes(newer.read_bytes()[:500])
    assert current(city, layer, tmp_path) == older


def test_two_archives_are_kept(city: Database, tmp_path: Path) -> None:
    paths = [bake_layer(city.url, LAYERS["pollution"], tmp_path).path for _ in range(3)]
    assert sorted(tmp_path.iterdir()) == sorted(paths[1:])


@pytest.mark.parametrize(
    ("rows", "id", "worn"),
    [(archives.MOST_CHANGES, "'a' || i", False), (archives.MOST_CHANGES + 1, "'a' || i", True), (1, "null", True)],
)
def test_a_layer_is_baked_again_when_much_has_changed(
    city: Database, tmp_path: Path, rows: int, id: str, worn: bool
) -> None:
    bake_layer(city.url, LAYERS["pollution"], tmp_path)
    bake_layer(city.url, LAYERS["place"], tmp_path)
    assert stale(city, tmp_path, LAYERS["pollution"], LAYERS["place"], LAYERS["duty_grid"]) == ["duty_grid"]
    told = f"select 'x', 'pollution', 'update', {id}, 1 from generate_series(1, {rows}) i"
    with city.owner.begin() as connection:
        connection.execute(sa.text(f"insert into {CHANGE} (actor, layer, op, id, records) {told}"))
    assert stale(city, tmp_path, LAYERS["pollution"], LAYERS["place"]) == (["pollution"] if worn else [])


def test_a_bake_that_is_stopped_leaves_nothing(city: Database, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise InterruptedError(f"{done} of {total}")

    with pytest.raises(InterruptedError):
        bake_layer(city.url, LAYERS["pollution"], tmp_path, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_progress_goes_up_to_all(city: Database, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    bake_layer(city.url, LAYERS["pollution"], tmp_path, progress=lambda *amount: told.append(amount), threads=2)
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] > 20


def test_servers_hear_of_a_new_archive(city: Database, tmp_path: Path) -> None:
    with psycopg.connect(city.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("listen archive")
        baked = bake_layer(city.url, LAYERS["pollution"], tmp_path)
        (bell,) = connection.notifies(timeout=5, stop_after=1)
    assert (bell.channel, bell.payload) == ("archive", "pollution")
    assert baked.path.exists()


@settings(max_examples=40)
@given(st.lists(st.tuples(*[st.floats(-2.0e7, 2.0e7)] * 2, *[st.floats(0, 1e5)] * 2), min_size=1, max_size=5))
def test_no_tile_that_a_box_may_be_drawn_on_is_missed(placed: list[tuple[float, float, float, float]]) -> None:
    boxes = np.array([(x, y, min(x + w, 2.0e7), min(y + h, 2.0e7)) for x, y, w, h in placed])
    found = {unpack(key) for key in baking._tiles_under(boxes, 6, "test")}
    grid = [Tile(6, x, y) for x in range(1 << 6) for y in range(1 << 6)]
    west, south, east, north = np.array([bounds_3857(tile) for tile in grid]).T[:, :, None]
    reach = (east - west) * 64 / 4096
    near = (boxes[:, 0] <= east + reach) & (boxes[:, 2] >= west - reach)
    near &= (boxes[:, 1] <= north + reach) & (boxes[:, 3] >= south - reach)
    assert {tile for tile, is_near in zip(grid, near.any(axis=1), strict=True) if is_near} <= found


@pytest.fixture
def terminal(city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("CHENGTU_DATABASE_URL", city.url)
    monkeypatch.setenv("CHENGTU_DATA_DIR", str(tmp_path))
    return Terminal()


def test_the_command_bakes_what_is_named(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal.run("bake", "pollution", "place") == 0
    assert sorted(path.name.partition(".")[0] for path in (tmp_path / "archives").iterdir()) == ["place", "pollution"]
    assert [line.split()[0] for line in terminal.said.splitlines()] == ["pollution", "place"]
    assert "tiles" in terminal.said


def test_the_command_refuses_a_layer_that_there_is_not_before_it_bakes(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal.run("bake", "county", "nothing") == 1
    assert terminal.complaint == "there is no layer 'nothing'\n"
    assert not (tmp_path / "archives").exists()


def test_a_layer_that_lies_on_too_many_tiles_is_not_baked(
    terminal: Terminal, city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baking, "MOST_TILES", 20)
    with pytest.raises(TooWide):
        bake_layer(city.url, LAYERS["county"], tmp_path)
    assert terminal.run("bake", "county", "pollution") == 1
    assert "layer county may lie on" in terminal.complaint


def test_the_worker_bakes_what_is_stale(city: Database, tmp_path: Path) -> None:
    chosen = [LAYERS["pollution"], LAYERS["place"]]
    bake_layer(city.url, LAYERS["pollution"], tmp_path)

    async def once() -> None:
        app = job_app(city.url, lambda: chosen, more=[baking_job(city.url, lambda: chosen, tmp_path)])
        async with app.open_async():
            await app.configure_task("chengtu.bake").defer_async(timestamp=0)
            await app.run_worker_async(wait=False, install_signal_handlers=False)

    asyncio.run(once())
    assert sorted(path.name.partition(".")[0] for path in tmp_path.iterdir()) == ["place", "pollution"]
    assert scalar(city, "select status::text from jobs.procrastinate_jobs") == "succeeded"


def test_a_layer_that_cannot_be_baked_does_not_keep_the_others_from_it(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [LAYERS["pollution"], LAYERS["place"]]

    def too_slow(url: str, layer: Layer, *more: Any, **options: Any) -> baking.Baked:
        if layer.name == "pollution":
            raise psycopg.errors.QueryCanceled("canceling statement due to statement timeout")
        return bake_layer(url, layer, *more, **options)

    monkeypatch.setattr("etl.jobs.bake_layer", too_slow)

    async def once() -> None:
        app = job_app(city.url, lambda: chosen, more=[baking_job(city.url, lambda: chosen, tmp_path)])
        async with app.open_async():
            await app.configure_task("chengtu.bake").defer_async(timestamp=0)
            await app.run_worker_async(wait=False, install_signal_handlers=False)

    asyncio.run(once())
    assert [path.name.partition(".")[0] for path in tmp_path.iterdir()] == ["place"]


def test_a_bake_does_not_mind_that_another_takes_its_unfinished_file_away(city: Database, tmp_path: Path) -> None:
    (tmp_path / ".pollution.unfinished").symlink_to(tmp_path / "gone")  # named, and no more there when looked at
    assert bake_layer(city.url, LAYERS["pollution"], tmp_path).path.exists()


def test_a_bake_ends_when_the_worker_stops(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started, ended, never = threading.Event(), threading.Event(), threading.Event()

    def endless(*_: object, progress: Callable[[int, int], None]) -> None:
        started.set()
        try:
            while not never.wait(0.01):
                progress(0, 1)
        finally:
            ended.set()

    monkeypatch.setattr("etl.jobs.bake_layer", endless)
    chosen = [LAYERS["pollution"]]

    async def begin_and_stop() -> None:
        app = job_app(database.url, lambda: chosen, more=[baking_job(database.url, lambda: chosen, tmp_path)])
        async with app.open_async():
            await app.configure_task("chengtu.bake").defer_async(timestamp=0)
            working = asyncio.create_task(
                app.run_worker_async(wait=False, install_signal_handlers=False, shutdown_graceful_timeout=0.1)
            )
            assert await asyncio.to_thread(started.wait, 60)
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working

    asyncio.run(begin_and_stop())
    assert ended.wait(10)
