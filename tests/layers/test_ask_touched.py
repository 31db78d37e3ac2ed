"""An edit touches exactly the tiles that it changes: compared with all tiles of the city, made before and after."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from gis.drawn import pack
from gis.tilegrid import Box, Tile, bounds_3857, tile_of, tiles_of_box
from layers.ask.tile import making, run
from layers.ask.touched import Touched, touched
from layers.catalog import built_in
from layers.store import changes
from layers.store.engine import begin
from tests.conftest import Database

LAYERS = built_in()
CITY = Box(120.19, 31.63, 121.96, 32.72)
Edit = Callable[[sa.Connection], None]


def sql(text: str) -> Edit:
    def edit(connection: sa.Connection) -> None:
        connection.execute(sa.text(text))

    return edit


def some(layer: str, place: int = 5) -> str:
    return f"(select id from city.{layer} order by id offset {place} limit 1)"


def tiles(database: Database, layer: str, near: Box, *, deepest: int) -> dict[int, bytes]:
    """Every tile of the city to zoom 11, and the deeper ones around a place."""
    wanted = [*tiles_of_box(CITY, range(6, 12)), *tiles_of_box(near, range(12, deepest + 1))]
    with database.reader.connect() as connection:
        cursor = connection.connection.cursor()
        return {pack(*tile): run(cursor, making(LAYERS[layer], *tile)).data for tile in wanted}


def box_of(database: Database, layer: str, id: str) -> Box:
    record = f"(select geom g from city.{layer} where id = {id}) q"
    query = f"select st_xmin(g), st_ymin(g), st_xmax(g), st_ymax(g) from {record}"
    with database.reader.connect() as connection:
        west, south, east, north = connection.execute(sa.text(query)).one()
    return Box(west - 0.02, south - 0.02, east + 0.02, north + 0.02)


EDITS = {
    "a moved component": ("component", f"update city.component set geom = st_translate(geom, 0.007, 0.004), cell = cell where id = {some('component')}"),  # noqa: E501
    "a broken component": ("component", f"update city.component set state = 'lost' where id = {some('component')}"),
    "another class": ("component", f"update city.component set class_code = '0201' where id = {some('component')}"),
    "a component that is gone": ("component", f"delete from city.component where id = {some('component')}"),
    "a moved camera": ("video", f"update city.video set geom = st_translate(geom, 0.003, -0.002) where id = {some('video')}"),  # noqa: E501
    "a road": ("road", f"update city.road set name = 'x' where id = {some('road')}"),
    "a road that is gone": ("road", f"delete from city.road where id = {some('road')}"),
    "a grid": ("grid", f"update city.grid set geom = st_translate(geom, 0.004, 0.004) where id = {some('grid')}"),
    "a town": ("town", f"update city.town set name = 'x' where id = {some('town')}"),
}  # fmt: skip


@pytest.mark.parametrize(("layer", "edit"), EDITS.values(), ids=EDITS)
def test_a_tile_that_an_edit_changes_is_told_as_touched(layer: str, edit: str, city: Database) -> None:
    near = box_of(city, layer, some(layer))
    deepest = 12 if layer == "town" else 15
    before = tiles(city, layer, near, deepest=deepest)
    with city.reader.connect() as connection:
        start = changes.now(connection)
    with begin(city.engine, actor="test") as connection:
        connection.execute(sa.text(edit))
    after = tiles(city, layer, near, deepest=deepest)
    with city.reader.connect() as connection:
        found = touched(changes.since(connection, start).rows, LAYERS)
    assert set(found) == {layer}
    assert not found[layer].whole
    changed = {key for key in before if before[key] != after[key]}
    told = {key for key in before if key in found[layer]}
    assert changed
    assert changed <= told
    # Nothing else leaves the caches, but for tiles in whose buffer the thing lies without being seen there.
    assert len(told - changed) <= 0.5 * len(changed) + 6


def test_a_statement_over_very_many_records_touches_the_whole_layer(city: Database) -> None:
    with city.reader.connect() as connection:
        start = changes.now(connection)
    with begin(city.engine, actor="test") as connection:
        connection.execute(
            sa.text("update city.component set note = 'x' where id in (select id from city.component limit 2001)")
        )
    with city.reader.connect() as connection:
        found = touched(changes.since(connection, start).rows, LAYERS)
    assert found["component"].whole


def test_emptying_a_table_touches_the_whole_layer(city: Database) -> None:
    with city.reader.connect() as connection:
        start = changes.now(connection)
    with city.owner.begin() as connection:
        connection.execute(sa.text("truncate city.pollution"))
    with city.reader.connect() as connection:
        found = touched(changes.since(connection, start).rows, LAYERS)
    assert found["pollution"].whole
    assert pack(9, 427, 207) in found["pollution"]


def test_an_edit_that_changes_no_count_leaves_the_cells_alone(city: Database) -> None:
    with city.reader.connect() as connection:
        start = changes.now(connection)
    with begin(city.engine, actor="test") as connection:
        connection.execute(sa.text(f"update city.component set state = 'lost' where id = {some('component')}"))
    with city.reader.connect() as connection:
        found = touched(changes.since(connection, start).rows, LAYERS)["component"]
    assert {key >> 48 for key in found.drawn.keys} == set(range(LAYERS["component"].minzoom, 17))


def told_of(city: Database, edit: str, **values: object) -> dict[str, Touched]:
    with city.reader.connect() as connection:
        start = changes.now(connection)
    with begin(city.engine, actor="test") as connection:
        connection.execute(sa.text(edit), values)
    with city.reader.connect() as connection:
        return touched(changes.since(connection, start).rows, LAYERS)


def test_an_edit_that_changes_no_count_is_told_to_filtered_cells(city: Database) -> None:
    found = told_of(city, f"update city.component set state = 'lost' where id = {some('component')}")["component"]
    assert {key >> 48 for key in found.filtered.keys} == set(range(6, LAYERS["component"].minzoom))
    assert not found.filtered.keys & found.drawn.keys


@pytest.mark.parametrize("z", [12, 14, 16])
def test_a_point_that_is_rounded_into_the_buffer_is_told(city: Database, z: int) -> None:
    x, y = tile_of(120.9, 32.0, z)[1:]
    box = bounds_3857(Tile(z, x, y))
    values = {"x": box.west + (box.east - box.west) * 4160.45 / 4096, "y": (box.north + box.south) / 2}
    there = "st_transform(st_setsrid(st_makepoint(:x, :y), 3857), 4326)"
    everything = f"update city.pollution set geom = {there} where id = {some('pollution')}"
    found = told_of(city, everything, **values)["pollution"]
    with city.reader.connect() as connection:
        assert run(connection.connection.cursor(), making(LAYERS["pollution"], z, x, y)).data
    assert pack(z, x, y) in found


def test_a_record_that_gets_another_id_is_told(city: Database) -> None:
    found = told_of(city, f"update city.pollution set id = 'anew' where id = {some('pollution')}")["pollution"]
    assert {key >> 48 for key in found.drawn.keys} >= set(range(8, 17))
    with city.reader.connect() as connection:
        rows = connection.execute(sa.text("select op, id = 'anew' from core.change order by seq desc limit 2")).all()
    assert sorted((op, anew) for op, anew in rows) == [("delete", False), ("insert", True)]


def test_a_record_in_no_real_cell_touches_the_whole_layer(city: Database) -> None:
    assert told_of(city, f"update city.pollution set cell = 5 where id = {some('pollution')}")["pollution"].whole


def test_a_tile_that_hardly_grows_smaller_is_cut_in_few_statements() -> None:
    tile = making(LAYERS["road"], 12, 3422, 1662)
    next(tile)
    heavy = random.Random(1).randbytes(600_000)
    statement, asked = tile.send((heavy, 20_000)), 2
    while statement.parameters.get("most", 2) > 1:
        statement, asked = tile.send((heavy, statement.parameters["most"])), asked + 1
        assert asked < 16


def test_changes_of_a_layer_that_is_no_more_touch_nothing(city: Database) -> None:
    with begin(city.engine, actor="test") as connection:
        connection.execute(sa.text(f"update city.road set name = 'x' where id = {some('road')}"))
    with city.reader.connect() as connection:
        rows = changes.since(connection, changes.beginning()).rows
    assert touched(rows, {}) == {}
