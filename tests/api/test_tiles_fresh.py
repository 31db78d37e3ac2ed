"""Tiles are as fresh as the database, wherever they come from: memory, archive or SQL."""

from __future__ import annotations

import asyncio
import itertools
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import mapbox_vector_tile
import pytest
import sqlalchemy as sa
from psycopg_pool import PoolTimeout

from api.app import Application
from api.cache import Entry
from api.service import Service
from api.settings import Settings
from api.shelf import Shelf, Shelved
from api.tiles import Order, Tiles
from etl.bake import bake, bake_layer, snapshot
from gis.archive import Archive
from gis.drawn import Drawn, pack
from gis.errors import BadArchive
from gis.tilegrid import Box, tile_of, tiles_of_box
from layers.ask.tile import making, run
from layers.ask.touched import Touched
from layers.catalog import built_in
from layers.look import Look
from layers.spec import Access, Layer, Title, field, layer_table
from layers.store import archives
from layers.store.definitions import from_spec, save_definition, to_spec
from layers.store.engine import begin
from layers.store.schema import add_layer
from tests.api.streams import listening
from tests.conftest import Database, Server, serving

LAYERS = {name: layer for name, layer in built_in().items() if not layer.scoped}
CITY = Box(120.19, 31.63, 121.96, 32.72)
_numbers = itertools.count()


@pytest.fixture
def own(own_server: Server) -> Server:
    return own_server


@pytest.fixture
def apart(city: Database, tmp_path: Path) -> Iterator[Server]:
    """A server on a city of one test's own."""
    with serving(city, tmp_path) as running:
        yield running


def get(server: Server, names: str, z: int, x: int, y: int, **query: str) -> httpx.Response:
    return httpx.get(f"{server.url}/tiles/{names}/{z}/{x}/{y}.mvt", params=query)


def features(response: httpx.Response, layer: str) -> dict[str, dict[str, Any]]:
    assert response.status_code in (200, 204), response.text
    tile = mapbox_vector_tile.decode(response.content) if response.content else {}
    return {f["properties"]["id"]: f["properties"] for f in tile.get(layer, {}).get("features", [])}


def one(database: Database, layer: str, place: int = 5) -> tuple[str, float, float]:
    query = f"select id, st_x(p), st_y(p) from (select id, st_pointonsurface(geom) p from city.{layer}) q order by id"
    with database.reader.connect() as connection:
        row = connection.execute(sa.text(f"{query} offset {place} limit 1")).one()
    return row[0], row[1], row[2]


def change(database: Database, sql: str, **values: Any) -> None:
    with begin(database.engine, actor="test") as connection:
        connection.execute(sa.text(sql), values)


def metric(server: Server, name: str) -> float:
    page = httpx.get(f"{server.url}/metrics", headers=server.admin).text
    return float(next(line.split()[-1] for line in page.splitlines() if line.startswith(name)))


def becomes(check: Callable[[], bool], *, patience_s: float = 5.0) -> bool:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if check():
            return True
    return False


def after(server: Server, layer: str, edit: Callable[[], None]) -> None:
    """Make an edit and return when the server has heard of it."""
    with listening(f"{server.url}/live?layers={layer}") as events:
        events.next()
        edit()
        events.next()


def test_an_edit_changes_the_tile_that_is_in_memory_and_no_other_leaves(own: Server) -> None:
    id, lon, lat = one(own.database, "component")
    here = tile_of(lon, lat, 14)
    others = [t for t in tiles_of_box(CITY, [9]) if t != tile_of(lon, lat, 9)][:10]
    for tile in others:
        get(own, "road", *tile)
    before = get(own, "component", *here)
    assert get(own, "component", *here).headers["etag"] == before.headers["etag"]
    kept, dropped = metric(own, "chengtu_tile_cache_entries"), metric(own, "chengtu_tile_cache_dropped")
    after(
        own, "component", lambda: change(own.database, "update city.component set state = 'lost' where id = :i", i=id)
    )
    assert metric(own, "chengtu_tile_cache_dropped") == dropped + 1
    assert metric(own, "chengtu_tile_cache_entries") == kept - 1
    fresh = get(own, "component", *here)
    assert fresh.headers["etag"] != before.headers["etag"]
    assert features(fresh, "component")[id]["state"] == "lost"


def test_a_moved_record_leaves_its_old_tile_and_stands_in_its_new_one(own: Server) -> None:
    id, lon, lat = one(own.database, "video")
    old, new = tile_of(lon, lat, 14), tile_of(lon + 0.05, lat, 14)
    assert id in features(get(own, "video", *old), "video")
    assert id not in features(get(own, "video", *new), "video")
    move = "update city.video set geom = st_translate(geom, 0.05, 0) where id = :i"
    after(own, "video", lambda: change(own.database, move, i=id))
    assert id not in features(get(own, "video", *old), "video")
    assert id in features(get(own, "video", *new), "video")


def test_every_process_is_fresh_after_an_edit(city: Database, tmp_path: Path) -> None:
    with serving(city, tmp_path, workers="2") as own:
        id, lon, lat = one(city, "pollution")
        here = tile_of(lon, lat, 14)
        for _ in range(20):  # each a connection of its own, so that both processes hold it
            get(own, "pollution", *here)
        change(city, "update city.pollution set name = 'neu' where id = :i", i=id)

        def fresh() -> bool:
            return all(features(get(own, "pollution", *here), "pollution")[id]["name"] == "neu" for _ in range(20))

        assert becomes(fresh)


def test_what_was_rolled_back_touches_nothing(own: Server) -> None:
    id, lon, lat = one(own.database, "pollution")
    here = tile_of(lon, lat, 12)
    get(own, "pollution", *here)
    dropped = metric(own, "chengtu_tile_cache_dropped")
    with own.database.engine.connect() as connection:
        connection.execute(sa.text("update city.pollution set name = 'never' where id = :i"), {"i": id})
        connection.rollback()
    other, _, _ = one(own.database, "duty_grid", 0)  # whose tiles nobody asked for
    edit = "update city.duty_grid set changed_at = now() where id = :i"
    after(own, "duty_grid", lambda: change(own.database, edit, i=other))
    assert metric(own, "chengtu_tile_cache_dropped") == dropped
    assert features(get(own, "pollution", *here), "pollution")[id]["name"] != "never"


def test_archive_memory_and_database_give_the_same_features(own: Server) -> None:
    chosen = [
        (name, *tile) for name in LAYERS for tile in (tile_of(*one(own.database, name)[1:], z) for z in (6, 9, 12, 14))
    ]
    live = {key: get(own, *key) for key in chosen}
    remembered = {key: get(own, *key) for key in chosen}
    for layer in LAYERS.values():
        bake_layer(own.database.url, layer, own.data / "archives")
    places = [(z, *tile_of(121.0, 32.0, z)[1:]) for z in range(6, 15)]
    together = {place: get(own, ",".join(LAYERS), *place).content for place in places}
    with serving(own.database, own.data) as anew:
        baked = {key: get(anew, *key) for key in chosen}
        for place in places:  # where some archives have nothing, too
            assert mapbox_vector_tile.decode(get(anew, ",".join(LAYERS), *place).content) == mapbox_vector_tile.decode(
                together[place]
            )
    for key in chosen:
        assert live[key].content == remembered[key].content
        assert mapbox_vector_tile.decode(live[key].content) == mapbox_vector_tile.decode(baked[key].content)


def answers_from_archive(server: Server, layer: str, tile: tuple[int, int, int]) -> bool:
    """Does the tile come although the table cannot be read now?"""
    with server.database.owner.connect() as connection:
        connection.execute(sa.text(f"lock table city.{layer} in access exclusive mode"))
        answer = get(server, layer, *tile)
        connection.rollback()
    return answer.status_code in (200, 204)


def test_a_new_archive_is_taken_into_use_while_serving_and_folds_the_edits_before_it(own: Server) -> None:
    id, lon, lat = one(own.database, "pollution")
    here = tile_of(lon, lat, 13)
    change(own.database, "update city.pollution set name = 'first' where id = :i", i=id)
    bake_layer(own.database.url, LAYERS["pollution"], own.data / "archives")
    assert becomes(lambda: answers_from_archive(own, "pollution", here))
    assert features(get(own, "pollution", *here), "pollution")[id]["name"] == "first"
    edit = "update city.pollution set name = 'second' where id = :i"
    after(own, "pollution", lambda: change(own.database, edit, i=id))
    assert features(get(own, "pollution", *here), "pollution")[id]["name"] == "second"
    # A server that starts later knows of the edit, too.
    with serving(own.database, own.data) as anew:
        assert features(get(anew, "pollution", *here), "pollution")[id]["name"] == "second"


def test_an_edit_during_a_bake_is_not_lost(own: Server) -> None:
    id, lon, lat = one(own.database, "pollution")
    here, cell = tile_of(lon, lat, 13), tile_of(lon, lat, 7)
    with snapshot(own.database.url, threads=1) as moment:
        change(own.database, "update city.pollution set name = 'meanwhile' where id = :i", i=id)
        gone, _, _ = one(own.database, "pollution", 6)
        change(own.database, "delete from city.pollution where id = :i", i=gone)
        bake(moment, LAYERS["pollution"], own.data / "archives")
    with serving(own.database, own.data) as anew:
        assert features(get(anew, "pollution", *here), "pollution")[id]["name"] == "meanwhile"
        counted = {
            f["id"]: f["n"]
            for t in tiles_of_box(CITY, [7])
            for f in features(get(anew, "pollution", *t), "pollution_cells").values()
        }  # noqa: E501
    with own.database.reader.connect() as connection:
        assert sum(counted.values()) == connection.scalar(sa.text("select count(*) from city.pollution"))
    assert cell


@pytest.mark.parametrize("edit", ["truncate city.pollution", "delete from city.pollution"])
def test_emptying_a_layer_empties_its_tiles_whatever_the_archive_says(apart: Server, edit: str) -> None:
    _, lon, lat = one(apart.database, "pollution")
    bake_layer(apart.database.url, LAYERS["pollution"], apart.data / "archives")
    places = [tile_of(lon, lat, z) for z in (6, 8, 12)]
    for place in places:
        assert get(apart, "pollution", *place).status_code == 200

    def empty() -> None:
        with apart.database.owner.begin() as connection:
            connection.execute(sa.text(edit))

    after(apart, "pollution", empty)
    for place in places:
        assert get(apart, "pollution", *place).status_code == 204


def test_an_archive_of_another_declaration_or_another_database_is_not_used(apart: Server, database: Database) -> None:
    folder = apart.data / "archives"
    bake_layer(database.url, LAYERS["pollution"], folder)  # of an empty city
    _, lon, lat = one(apart.database, "pollution")
    with serving(apart.database, apart.data) as anew:
        assert get(anew, "pollution", *tile_of(lon, lat, 12)).status_code == 200
    assert [archives.version(path) for path in folder.glob("pollution.*.pmtiles")]


class Gated(Tiles):
    """Tiles that are made at once and handed over only when the gate opens."""

    gate: asyncio.Event

    async def _make(self, order: Order) -> Entry:
        made = await super()._make(order)
        await self.gate.wait()
        return made


def test_a_build_that_began_before_an_edit_is_sent_but_not_kept(city: Database, tmp_path: Path) -> None:
    service = Service.open(Settings(data_dir=tmp_path, database_url=city.url), city.url)
    _, lon, lat = one(city, "pollution")
    z, x, y = tile_of(lon, lat, 12)
    scope = {"method": "GET", "path": f"/tiles/pollution/{z}/{x}/{y}.mvt", "query_string": b"", "headers": []}

    async def run() -> tuple[int, int, int]:
        app = Application(service)
        tiles = Gated(service, app.pool, app.shelf, metrics=app.metrics, headers=[])
        tiles.gate = asyncio.Event()
        tiles.follower = app.live.follower
        sent: list[int] = []

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                sent.append(message["status"])

        async def receive() -> Any:
            await asyncio.Event().wait()

        async with app._running():
            tiles.follower = app.live.follower
            while tiles.follower is None or tiles.follower.position is None:
                await asyncio.wait([asyncio.ensure_future(asyncio.to_thread(lambda: None))])
            first = asyncio.create_task(tiles(dict(scope), receive, send))
            await asyncio.to_thread(lambda: None)
            while not tiles._flights:
                await asyncio.to_thread(lambda: None)
            tiles.drop({"pollution": Touched(drawn=Drawn(keys={pack(z, x, y)}))})
            second = asyncio.create_task(tiles(dict(scope), receive, send))
            while not tiles._flights:
                await asyncio.to_thread(lambda: None)
            flights = len(tiles._flights)
            tiles.gate.set()
            await first
            kept_early = len(tiles.cache) if not second.done() else 0
            await second
            return flights, kept_early, len(tiles.cache) if sent == [200, 200] else -1

    flights, kept_early, kept = asyncio.run(run())
    service.close()
    assert flights == 1, "the second request began a build of its own"
    assert kept_early <= 1
    assert kept == 1


def test_a_build_that_began_before_the_change_log_was_followed_is_not_kept(city: Database, tmp_path: Path) -> None:
    service = Service.open(Settings(data_dir=tmp_path, database_url=city.url), city.url)
    bake_layer(city.url, LAYERS["town"], tmp_path / "archives")
    z, x, y = tile_of(*one(city, "pollution")[1:], 12)
    scope = {"method": "GET", "path": f"/tiles/pollution/{z}/{x}/{y}.mvt", "query_string": b"", "headers": []}

    async def run() -> int:
        app = Application(service)
        tiles = Gated(service, app.pool, app.shelf, metrics=app.metrics, headers=[])
        tiles.gate = asyncio.Event()

        async def ignore(_: Any) -> None:
            """What is sent is the same anyway."""

        async with app._running():
            asked = asyncio.create_task(tiles(dict(scope), lambda: asyncio.Event().wait(), ignore))
            while not tiles._flights:
                await asyncio.to_thread(lambda: None)
            tiles.follower = app.live.follower
            while app.shelf.get(LAYERS["town"], 6, 0, 0) is None:  # the follower has done all that it does at first
                await asyncio.to_thread(lambda: None)
            tiles.gate.set()
            await asked
        return len(tiles.cache)

    assert asyncio.run(run()) == 0
    service.close()


def test_when_following_breaks_everything_kept_is_forgotten_and_it_begins_anew(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service.open(Settings(data_dir=tmp_path, database_url=city.url), city.url)
    bake_layer(city.url, LAYERS["pollution"], tmp_path / "archives")
    id, lon, lat = one(city, "pollution")
    z, x, y = tile_of(lon, lat, 12)
    scope = {"method": "GET", "path": f"/tiles/pollution/{z}/{x}/{y}.mvt", "query_string": b"", "headers": []}

    def edit() -> None:
        change(city, "update city.pollution set name = name where id = :i", i=id)

    def broken(*_: Any) -> None:
        monkeypatch.undo()
        raise ZeroDivisionError

    async def run() -> None:
        app = Application(service)

        async def ignore(_: Any) -> None:
            """What is sent does not matter."""

        async def until(check: Callable[[], object]) -> None:
            async with asyncio.timeout(10):
                while not check():
                    await asyncio.to_thread(lambda: None)

        async with app._running():
            await until(lambda: app.shelf.get(LAYERS["pollution"], z, x, y))
            await app.tiles(dict(scope), lambda: asyncio.Event().wait(), ignore)
            assert len(app.tiles.cache) == 1
            monkeypatch.setattr("api.follow.touched", broken)
            await asyncio.to_thread(edit)
            await until(lambda: not len(app.tiles.cache))
            await until(lambda: app.shelf.get(LAYERS["pollution"], 6, 0, 0))
            assert app.shelf.get(LAYERS["pollution"], z, x, y) is None, "touched since the bake"
            await app.tiles(dict(scope), lambda: asyncio.Event().wait(), ignore)
            assert len(app.tiles.cache) == 1
            await asyncio.to_thread(edit)
            await until(lambda: not len(app.tiles.cache))

    asyncio.run(run())
    service.close()


def test_who_waited_in_vain_for_a_connection_does_not_wait_again(city: Database, tmp_path: Path) -> None:
    service = Service.open(Settings(data_dir=tmp_path, database_url=city.url), city.url)
    asked: list[int] = []

    class Full(Tiles):
        async def _ask_once(self, _order: Order, layers: Any, _budgets: Any) -> list[Any]:
            asked.append(len(layers))
            raise PoolTimeout

    async def run() -> int:
        app = Application(service)
        tiles = Full(service, app.pool, app.shelf, metrics=app.metrics, headers=[])
        told: list[int] = []

        async def send(message: Any) -> None:
            told.append(message.get("status", 0))

        path = "/tiles/pollution/12/3423/1663.mvt"
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
        await tiles(scope, lambda: asyncio.Event().wait(), send)
        return told[0]

    assert asyncio.run(run()) == 503
    assert asked == [1]
    service.close()


def test_a_bell_for_an_archive_is_heard_among_others(own: Server, tmp_path: Path) -> None:
    here = tile_of(*one(own.database, "town")[1:], 13)
    baked = bake_layer(own.database.url, LAYERS["town"], tmp_path)
    (own.data / "archives").mkdir(exist_ok=True)
    shutil.copy(baked.path, own.data / "archives" / baked.path.name)
    with own.database.engine.begin() as connection:
        connection.execute(sa.text("select pg_notify('archive', 'town'), pg_notify('change', 'town')"))
    assert becomes(lambda: answers_from_archive(own, "town", here))


def test_a_layer_that_is_declared_anew_is_shown_as_it_is_declared(own: Server) -> None:
    layer = heavy(own, records=10, text=4)
    with begin(own.database.owner, actor="test") as connection:
        save_definition(connection, replace(layer, minzoom=12))
    here, lower = tile_of(120.9, 32.0, 14), tile_of(120.9, 32.0, 11)
    assert becomes(lambda: get(own, layer.name, *lower).status_code == 204)  # there are no cells of these
    bake_layer(own.database.url, from_spec(layer.name, to_spec(replace(layer, minzoom=12))), own.data / "archives")
    assert becomes(lambda: answers_from_archive(own, layer.name, here))
    with begin(own.database.owner, actor="test") as connection:
        save_definition(connection, replace(layer, minzoom=6))
    assert becomes(lambda: len(features(get(own, layer.name, *lower), layer.name)) == 10)


def test_a_damaged_archive_leaves_the_word_to_the_database(tmp_path: Path) -> None:
    layer = LAYERS["pollution"]

    class Damaged(Archive):
        def __init__(self) -> None:
            """Only what it answers matters."""

        def get(self, tile_id: int) -> bytes | None:
            raise BadArchive(tmp_path, f"no tile {tile_id}")

    shelf = Shelf(tmp_path)
    shelf.put({layer.name: Shelved(tmp_path, Damaged(), layer, Touched(), {})})
    assert shelf.get(layer, 12, 0, 0) is None


def test_an_edit_reaches_cells_that_count_by_a_filter(own: Server) -> None:
    id, lon, lat = one(own.database, "component", 9)
    change(own.database, "update city.component set state = 'intact' where id = :i", i=id)
    asked = "state = 'lost'"
    here = tile_of(lon, lat, 9)

    def counted() -> int:
        return sum(c["n"] for c in features(get(own, "component", *here, filter=asked), "component_cells").values())

    before = counted()
    assert counted() == before
    after(
        own, "component", lambda: change(own.database, "update city.component set state = 'lost' where id = :i", i=id)
    )
    assert counted() == before + 1


def test_however_a_path_is_spelled_one_tile_is_kept(own: Server) -> None:
    z, x, y = tile_of(*one(own.database, "road")[1:], 10)
    get(own, "road,town", z, x, y)
    kept = metric(own, "chengtu_tile_cache_entries")
    for path in (f"road,town,road/{z}/{x}/{y}", f"road,town/{z}/0{x}/00{y}"):
        assert httpx.get(f"{own.url}/tiles/{path}.mvt").status_code == 200
    assert metric(own, "chengtu_tile_cache_entries") == kept


def heavy(server: Server, *, records: int, text: int) -> Layer:
    """A new layer with very many points in one place, of which the server has heard."""
    database = server.database
    name = f"heavy_{next(_numbers)}"
    columns = [
        field("name", "text", zh="名", en="Name", tile=True, max_length=4000),
        field("kind", "text", zh="类", en="Kind", tile=True, filter=True),
    ]
    table = layer_table(name, "Point", *columns, metadata=sa.MetaData(schema="city"))
    titles = Title("重", "Heavy")
    public = Access(view="public")
    layer = Layer(table, titles, titles, "facility", "Point", Look("circle"), "name", classes="kind", access=public,
                  shown_from=(("rare", 6), ("common", 7)))  # fmt: skip
    with begin(database.owner, actor="test") as connection:
        add_layer(connection, layer)
    values = (
        f"insert into city.{name} (id, name, kind, geom, cell, source) select 'n' || i, "
        f"left((select string_agg(md5(i || 'x' || j), '') from generate_series(1, 30) j), {text}), "
        "case when i % 100 = 0 then 'rare' else 'common' end, "
        "st_setsrid(st_makepoint(120.9 + i * 1e-7, 32 + (i % 100) * 1e-6), 4326), 622236721348804607, 'test' "
        f"from generate_series(1, {records}) i"
    )
    with begin(database.engine, actor="test") as connection:
        connection.execute(sa.text(values))
    assert becomes(lambda: httpx.get(f"{server.url}/layers/{name}").status_code == 200)
    return layer


def test_a_tile_holds_no_more_than_it_may_and_tells_what_it_leaves_out(own: Server) -> None:
    layer = heavy(own, records=20_500, text=4)
    answer = get(own, layer.name, *tile_of(120.9, 32.0, 14))
    found = features(answer, layer.name)
    assert len(found) == 20_000
    assert answer.headers["x-truncated"] == "500"
    tile = mapbox_vector_tile.decode(answer.content)
    assert [f["properties"]["n"] for f in tile[f"{layer.name}_cut"]["features"]] == [500]
    with own.database.reader.connect() as connection:
        made = run(connection.connection.cursor(), making(layer, *tile_of(120.9, 32.0, 14)))
    kept = mapbox_vector_tile.decode(made.data)[layer.name]["features"]
    assert made.cut == 500
    assert sum(f["properties"]["kind"] == "rare" for f in kept) == 205, "what ranks highest stays"


def test_a_tile_is_never_heavier_than_it_may_be(own: Server) -> None:
    layer = heavy(own, records=3_000, text=900)
    address = f"{own.url}/tiles/{layer.name}/{'/'.join(map(str, tile_of(120.9, 32.0, 14)))}.mvt"
    with httpx.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
        size = len(b"".join(answer.iter_raw()))
    assert 250_000 < size <= 500_000
    told = int(answer.headers["x-truncated"])
    assert len(features(httpx.get(address), layer.name)) + told == 3_000


def test_layers_that_share_a_tile_share_its_budget(own: Server) -> None:
    many, big = heavy(own, records=15_000, text=4), heavy(own, records=12_000, text=30)
    names = f"{many.name},{big.name},county"
    here = tile_of(120.9, 32.0, 14)
    answer = get(own, names, *here)
    kept = len(features(answer, many.name)) + len(features(answer, big.name))
    assert kept <= 20_000
    assert kept + int(answer.headers["x-truncated"]) == 27_000
    assert len(features(answer, "county")) <= 1
    with httpx.stream("GET", f"{own.url}/tiles/{names}/{'/'.join(map(str, here))}.mvt",
                      headers={"Accept-Encoding": "gzip"}) as pressed:  # fmt: skip
        assert len(b"".join(pressed.iter_raw())) <= 500_000


def test_an_archive_tells_what_its_tiles_leave_out(own: Server) -> None:
    layer = heavy(own, records=20_500, text=4)
    live = get(own, layer.name, *tile_of(120.9, 32.0, 14))
    bake_layer(own.database.url, layer, own.data / "archives")
    with serving(own.database, own.data) as anew:
        baked = get(anew, layer.name, *tile_of(120.9, 32.0, 14))
    assert baked.headers["x-truncated"] == live.headers["x-truncated"] == "500"
    assert mapbox_vector_tile.decode(baked.content) == mapbox_vector_tile.decode(live.content)


def test_a_filter_shows_those_records_only_and_counts_them_below_the_minzoom(own: Server) -> None:
    asked = "state = 'broken'"
    with own.database.reader.connect() as connection:
        row = connection.execute(
            sa.text("select id, st_x(geom), st_y(geom) from city.component where state = 'broken' limit 1")
        ).one()
        total = connection.scalar(sa.text("select count(*) from city.component where state = 'broken'"))
    id, lon, lat = row
    found = features(get(own, "component", *tile_of(lon, lat, 14), filter=asked), "component")
    assert id in found
    assert {p["state"] for p in found.values()} == {"broken"}
    cells: dict[str, dict[str, Any]] = {}
    for tile in tiles_of_box(CITY, [8]):
        cells |= features(get(own, "component", *tile, filter=asked), "component_cells")
    assert sum(cell["n"] for cell in cells.values()) == total
    for cell in cells.values():
        assert sum(n for key, n in cell.items() if key.startswith("c_")) == cell["n"]


def test_two_ways_to_write_a_filter_share_one_tile(own: Server) -> None:
    _, lon, lat = one(own.database, "component")
    here = tile_of(lon, lat, 14)
    first = get(own, "component", *here, filter="state='broken'")
    kept = metric(own, "chengtu_tile_cache_entries")
    second = get(own, "component", *here, filter="  state  =  'broken' ")
    as_json = get(own, "component", *here, **{
        "filter": '{"op":"=","args":[{"property":"state"},"broken"]}', "filter-lang": "cql2-json"
    })  # fmt: skip
    assert first.headers.get("etag") == second.headers.get("etag") == as_json.headers.get("etag")
    assert metric(own, "chengtu_tile_cache_entries") == kept


def test_an_edit_reaches_filtered_tiles_too(own: Server) -> None:
    id, lon, lat = one(own.database, "component")
    change(own.database, "update city.component set state = 'intact' where id = :i", i=id)
    here = tile_of(lon, lat, 14)

    def shown() -> bool:
        return id in features(get(own, "component", *here, filter="state = 'lost'"), "component")

    assert not shown()
    after(
        own, "component", lambda: change(own.database, "update city.component set state = 'lost' where id = :i", i=id)
    )
    assert shown()


@pytest.mark.parametrize(
    "filter",
    [
        "pg_sleep(3) IS NOT NULL",
        "delivery = 1",
        "state =",
        "query_to_xml('select 1', true, true, '') IS NULL",
        "(" * 3000,
    ],
)
def test_a_filter_that_is_not_allowed_is_refused(server: Server, filter: str) -> None:
    answer = get(server, "component", 14, 13694, 6654, filter=filter)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def waiting(database: Database) -> int:
    with database.owner.connect() as connection:
        query = "select count(*) from pg_locks where not granted and relation = 'city.pollution'::regclass"
        return int(connection.scalar(sa.text(query)) or 0)


def test_when_the_client_leaves_the_database_stops(own: Server) -> None:
    z, x, y = tile_of(*one(own.database, "pollution")[1:], 12)
    with own.database.owner.connect() as connection:
        connection.execute(sa.text("lock table city.pollution in access exclusive mode"))
        host, port = own.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(f"GET /tiles/pollution/{z}/{x}/{y}.mvt HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert becomes(lambda: waiting(own.database) == 1)
        assert becomes(lambda: waiting(own.database) == 0, patience_s=2.0)
        connection.rollback()


def tiles_in_memory(server: Server) -> int:
    told = re.search(r"^chengtu_tile_cache_entries (\S+)$", httpx.get(f"{server.url}/metrics").text, re.MULTILINE)
    assert told
    return int(float(told[1]))


def test_too_much_at_once_is_503_while_known_tiles_keep_flowing(city: Database, tmp_path: Path) -> None:
    with serving(city, tmp_path, pool_size="2") as own:
        place = tile_of(*one(city, "road")[1:], 10)
        # A tile is kept from when the server follows the change log, which is a moment after it is ready.
        assert becomes(lambda: get(own, "road", *place).status_code == 200 and tiles_in_memory(own) == 1)
        with city.owner.connect() as connection:
            connection.execute(sa.text("lock table city.pollution in access exclusive mode"))
            wanted = list(tiles_of_box(CITY, [13]))[:40]
            with ThreadPoolExecutor(40) as pool, httpx.Client(timeout=30) as client:
                asked = [pool.submit(client.get, f"{own.url}/tiles/pollution/{z}/{x}/{y}.mvt") for z, x, y in wanted]
                meanwhile = [get(own, "road", *place).status_code for _ in range(20)]
                answers = [future.result() for future in asked]
            connection.rollback()
        assert meanwhile == [200] * 20
        assert {answer.status_code for answer in answers} == {503}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
        assert get(own, "pollution", *wanted[0]).status_code in (200, 204)


def test_encodings_have_etags_of_their_own_and_304_holds_for_each(own: Server) -> None:
    z, x, y = tile_of(*one(own.database, "road")[1:], 9)
    url = f"{own.url}/tiles/road,county/{z}/{x}/{y}.mvt"
    tags = {}
    for coding in ("identity", "gzip", "zstd"):
        for _ in range(2):  # made, then from memory
            with httpx.stream("GET", url, headers={"Accept-Encoding": coding}) as answer:
                assert answer.headers.get("content-encoding", "identity") == coding
                assert "Accept-Encoding" in answer.headers["vary"]
                assert answer.headers["cache-control"] == "no-cache"
                assert answer.headers["x-content-type-options"] == "nosniff"
            again = httpx.get(url, headers={"Accept-Encoding": coding, "If-None-Match": answer.headers["etag"]})
            assert again.status_code == 304
            assert again.content == b""
        tags[coding] = answer.headers["etag"]
    assert len(set(tags.values())) == 3


def test_those_who_want_one_tile_at_one_moment_wait_for_one_answer(own: Server) -> None:
    z, x, y = tile_of(*one(own.database, "pollution")[1:], 12)
    with own.database.owner.connect() as connection:
        connection.execute(sa.text("lock table city.pollution in access exclusive mode"))
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(get, own, "pollution", z, x, y) for _ in range(8)]
            assert becomes(lambda: waiting(own.database) >= 1)
            threading.Event().wait(0.3)
            assert waiting(own.database) == 1
            connection.rollback()
            answers = [future.result() for future in asked]
    assert len({answer.headers["etag"] for answer in answers}) == 1
