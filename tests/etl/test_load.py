"""Deliveries into a real database: new, again, newer, partial, undone, killed."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray

from etl.clean.shift import shift_of_grids
from etl.errors import BadOption, Refused
from etl.load import Order, load_delivery, read_delivery
from gis.frames import convert
from layers.catalog import built_in
from layers.errors import Conflict
from layers.store.core import CHANGE, DELIVERY, HISTORY, REJECT
from layers.store.engine import begin
from layers.store.writer import RetireRefused, undo_delivery
from tests.conftest import ROOT, Database
from tests.etl.loading import TODAY, Quiet, count, counts, held, load

PLACE = built_in()["place"]


def lamps(path: Path, serials: range, *, state: str = "完好", shift: float = 0.0) -> Path:
    rows = {
        "部件标识码": [f"32061301037{serial:06d}" for serial in serials],
        "部件状态": [state] * len(serials),
        "经度": [f"{120.86 + serial * 1e-4 + shift:.6f}" for serial in serials],
        "纬度": ["32.010000"] * len(serials),
    }
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_a_delivery_is_loaded_with_its_cells_and_codes(database: Database, tmp_path: Path) -> None:
    loaded = load(database, lamps(tmp_path / "lamps.csv", range(10)))
    assert counts(loaded) == (10, 0, 0, 0)
    row = held(database)["32061301037000003"]
    assert (row["class_code"], row["major"], row["name"], row["state"]) == ("01037", "01", "路灯", "intact")
    assert (row["source"], row["place_method"], row["place_precision"]) == ("lamps", "surveyed", "A")


def test_the_same_delivery_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    path = lamps(tmp_path / "lamps.csv", range(10))
    load(database, path)
    before, changes = held(database), count(database, CHANGE)
    assert counts(load(database, path)) == (0, 0, 10, 0)
    assert held(database) == before
    assert count(database, CHANGE) == changes


def test_a_newer_delivery_updates_and_retires_and_history_keeps_what_was(database: Database, tmp_path: Path) -> None:
    load(database, lamps(tmp_path / "old.csv", range(10)), source="bureau")
    newer = lamps(tmp_path / "new.csv", range(1, 12), state="破损")
    assert counts(load(database, newer, source="bureau")) == (2, 9, 0, 1)
    assert len(held(database)) == 11
    assert count(database, HISTORY) == 10


def test_only_records_of_the_same_source_are_retired(database: Database, tmp_path: Path) -> None:
    load(database, lamps(tmp_path / "a.csv", range(10)), source="a")
    load(database, lamps(tmp_path / "b.csv", range(100, 110)), source="b")
    load(database, lamps(tmp_path / "a2.csv", range(9)), source="a")
    assert len(held(database)) == 19


def test_a_file_that_lacks_a_fifth_of_its_source_needs_a_word(database: Database, tmp_path: Path) -> None:
    load(database, lamps(tmp_path / "a.csv", range(10)), source="a")
    part = lamps(tmp_path / "part.csv", range(5))
    with pytest.raises(RetireRefused, match="--allow-retire"):
        load(database, part, source="a")
    assert len(held(database)) == 10
    assert counts(load(database, part, source="a", partial=True)) == (0, 0, 5, 0)
    assert counts(load(database, part, source="a", allow_retire=True)) == (0, 0, 5, 5)


def test_a_dry_run_reports_the_same_and_changes_nothing(database: Database, tmp_path: Path) -> None:
    path = lamps(tmp_path / "lamps.csv", range(10))
    tried = load(database, path, dry_run=True)
    assert held(database) == {}
    assert count(database, DELIVERY) == count(database, CHANGE) == 0
    done = load(database, path)
    assert counts(tried) == counts(done)
    assert [f.text for f in tried.findings] == [f.text for f in done.findings]


def test_a_delivery_can_be_undone(database: Database, tmp_path: Path) -> None:
    load(database, lamps(tmp_path / "old.csv", range(10)), source="a")
    before = {id: row["state"] for id, row in held(database).items()}
    second = load(database, lamps(tmp_path / "new.csv", range(1, 12), state="破损"), source="a")
    assert second.outcome is not None
    with begin(database.engine, actor="test") as connection:
        undo_delivery(connection, second.outcome.delivery)
    assert {id: row["state"] for id, row in held(database).items()} == before


def test_rows_without_ids_are_known_by_their_content(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "lamps.csv"
    rows = ["120.86,32.01,a", "120.86,32.01,a", "120.87,32.01,b", "120.88,32.01,c", "120.89,32.01,d", "120.9,32.01,e"]
    path.write_text("\n".join(["lon,lat,备注", *rows]))
    constants = {"class": "01037", "state": "intact"}
    assert counts(load(database, path, constants=constants)) == (6, 0, 0, 0)
    path.write_text("\n".join(["lon,lat,备注", *reversed(rows)]))
    assert counts(load(database, path, constants=constants)) == (0, 0, 6, 0)
    path.write_text("\n".join(["lon,lat,备注", *rows[1:]]))
    assert counts(load(database, path, constants=constants)) == (0, 0, 5, 1)


def test_every_reject_is_kept_with_row_reason_and_raw_value(database: Database, tmp_path: Path) -> None:
    path = lamps(tmp_path / "lamps.csv", range(3))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[1], "32061301037000009,完好,116.4,39.9", "1,完好,120.86,32.01", "x,y"]))
    loaded = load(database, path)
    assert loaded.outcome is not None
    with database.owner.connect() as connection:
        kept = connection.execute(sa.select(REJECT).order_by(REJECT.c.row)).mappings().all()
    assert [(row["row"], row["code"]) for row in kept] == [
        (5, "duplicate_id"), (6, "outside"), (7, "bad_id"), (8, "ragged_row"),
    ]  # fmt: skip
    assert {row["delivery"] for row in kept} == {loaded.outcome.delivery}
    assert kept[1]["raw"] == "116.4, 39.9"
    assert loaded.read == 7


def test_a_file_of_which_nothing_is_left_is_refused_and_changes_nothing(database: Database, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("lon,lat\n116.4,39.9\n")
    loaded = load(database, tmp_path / "a.csv", constants={"class": "01037", "state": "intact"})
    assert loaded.outcome is None
    assert "none of the 1 rows" in str(loaded.refusal)
    assert "--extent" in str(loaded.refusal)
    assert count(database, DELIVERY) == 0


def test_an_id_of_another_source_is_a_conflict(database: Database, tmp_path: Path) -> None:
    path = lamps(tmp_path / "a.csv", range(3))
    load(database, path, source="a")
    with pytest.raises(Conflict, match="another source"):
        load(database, path, source="b")


def test_points_that_all_moved_alike_betray_a_wrong_frame(database: Database, tmp_path: Path) -> None:
    load(database, lamps(tmp_path / "a.csv", range(60)), source="a")
    newer = pd.read_csv(tmp_path / "a.csv", dtype="str")
    x, y = convert(newer["经度"].astype(float), newer["纬度"].astype(float), source="EPSG:4326", target="GCJ-02")
    newer["经度"], newer["纬度"] = x, y
    newer.to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(Refused, match="GCJ-02"):
        load(database, tmp_path / "b.csv", source="a")
    load(database, tmp_path / "b.csv", source="a", frame="GCJ-02")
    moved = shapely.from_wkb(bytes.fromhex(str(held(database)["32061301037000000"]["geom"])))
    assert (moved.x, moved.y) == pytest.approx((120.86, 32.01), abs=1e-7)


def test_a_new_layer_is_made_and_filled_and_found_again(database: Database, tmp_path: Path) -> None:
    (tmp_path / "shops.csv").write_text("编号,店名,类型,lon,lat\n1,甲,餐饮,120.86,32.01\n2,乙,零售,120.87,32.01\n")
    first = load(database, tmp_path / "shops.csv", None, new_layer="shops")
    assert counts(first) == (2, 0, 0, 0)
    for options in ({"layer": "shops"}, {"layer": None, "new_layer": "shops"}):
        assert counts(load(database, tmp_path / "shops.csv", **options)) == (0, 0, 2, 0)
    assert {row["dian_ming"] for row in held(database, first.layer).values()} == {"甲", "乙"}


def test_a_dry_run_of_a_new_layer_leaves_no_table(database: Database, tmp_path: Path) -> None:
    (tmp_path / "shops.csv").write_text("店名,lon,lat\n甲,120.86,32.01\n")
    assert counts(load(database, tmp_path / "shops.csv", None, new_layer="shops", dry_run=True)) == (1, 0, 0, 0)
    with database.owner.connect() as connection:
        assert not sa.inspect(connection).has_table("shops", schema="city")


def test_unknown_layers_and_taken_names_are_refused(database: Database, tmp_path: Path) -> None:
    path = lamps(tmp_path / "a.csv", range(2))
    with pytest.raises(BadOption, match="there are .*county"):
        load(database, path, "nothing")
    with pytest.raises(BadOption, match="already"):
        load(database, path, None, new_layer="component")
    with pytest.raises(BadOption, match="--new-layer"):
        load(database, path, None)


def test_a_recipe_saved_once_loads_the_next_delivery(database: Database, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("杆号,东经E,北纬N,好坏\nA1,120.86,32.01,OK\n")
    (tmp_path / "r.yaml").write_text(
        "layer: component\nsource: poles\ncoordinates: {lon: 东经E, lat: 北纬N}\nfields: {state: 好坏, note: 杆号}\n"
        'set: {class_code: "01037"}\nvalues: {state: {OK: intact}}\n'
    )
    first = load(database, tmp_path / "a.csv", None, recipe=tmp_path / "r.yaml", save_recipe=tmp_path / "s.yaml")
    assert (first.source, counts(first)) == ("poles", (1, 0, 0, 0))
    again = load(database, tmp_path / "a.csv", None, recipe=tmp_path / "s.yaml")
    assert counts(again) == (0, 0, 1, 0)


@pytest.mark.parametrize("stage", ["checking", "placing", "cells", "search terms", "records"])
def test_a_load_that_breaks_at_any_stage_leaves_the_layer_as_it_was(
    database: Database, tmp_path: Path, stage: str
) -> None:
    load(database, lamps(tmp_path / "a.csv", range(10)), source="a")
    before = held(database)
    order = Order(path=lamps(tmp_path / "b.csv", range(1, 12), state="破损"), layer="component", source="a")
    with pytest.raises(InterruptedError):
        load_delivery(database.engine, read_delivery(order, Quiet()), Quiet(stop_at=stage), today=TODAY)
    assert held(database) == before
    assert count(database, DELIVERY) == 1


def test_a_load_killed_in_the_middle_of_writing_leaves_the_layer_as_it_was(database: Database, tmp_path: Path) -> None:
    load(database, lamps(tmp_path / "a.csv", range(10)), source="a")
    before = held(database)
    path = lamps(tmp_path / "b.csv", range(1, 12), state="破损")
    environment = {**os.environ, "CHENGTU_DATABASE_URL": database.url, "CHENGTU_DATA_DIR": str(tmp_path)}
    words = [sys.executable, "-m", "etl", "load", str(path), "--layer", "component", "--source", "a"]
    waiting = sa.text("select count(*) from pg_locks where not granted and relation = 'city.component'::regclass")
    with database.owner.connect() as blocker, database.owner.connect() as watcher:
        blocker.execute(sa.text("lock table city.component in share mode"))
        with subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
            _await(lambda: bool(watcher.scalar(waiting)), process)
            process.send_signal(signal.SIGKILL)
        blocker.rollback()
    assert held(database) == before


def _await(done: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if done():
            return
        assert process.poll() is None, "the load ended before it was killed"
        select.select([], [], [], 0.05)
    raise AssertionError("the load never came to writing")


# Geocoding needs a city.


def id_of(city: Database, layer: str, condition: str = "true") -> sa.RowMapping:
    with city.reader.connect() as connection:
        statement = sa.text(
            f"select *, st_x(st_pointonsurface(geom)) x, st_y(st_pointonsurface(geom)) y from city.{layer} "
            f"where {condition} order by id limit 1"
        )
        row = connection.execute(statement).mappings().first()
    assert row is not None
    return row


def test_records_stand_in_their_grid_and_town(city: Database, tmp_path: Path) -> None:
    grid = id_of(city, "grid")
    (tmp_path / "a.csv").write_text(f"name,lon,lat\n新公园,{grid['x']},{grid['y']}\n")
    load(city, tmp_path / "a.csv", "place", constants={"kind": "park"}, source="a")
    row = next(row for row in held(city, PLACE).values() if row["source"] == "a")
    assert (row["grid_id"], row["admin_code"]) == (grid["id"], grid["admin_code"])


def test_records_without_coordinates_are_found_by_every_clue(city: Database, tmp_path: Path) -> None:
    grid, town, place = id_of(city, "grid"), id_of(city, "town"), id_of(city, "place", "kind = 'hospital'")
    lamp = id_of(city, "component", "address is not null")
    rows = [
        ("by grid", grid["id"], "", "", "", ""),
        ("by component", "", lamp["id"], "", "", ""),
        ("by town", "", "", town["id"], "", ""),
        ("by place", "", "", "", place["name"], ""),
        ("by address", "", "", "", "", lamp["address"]),
        ("by nothing", "", "", "", "", ""),
        ("by a wrong id", "000000000000000", "", "", "", ""),
    ]
    names = ["部件名称", "网格编码", "关联部件编码", "街道代码", "地名", "地址"]
    frame = pd.DataFrame(rows, columns=names).assign(lon="0", lat="0")
    frame.to_csv(tmp_path / "a.csv", index=False)
    constants = {"class": "01037", "state": "intact"}
    loaded = load(city, tmp_path / "a.csv", constants=constants, source="a")
    found = {row["name"]: row for row in held(city).values() if row["source"] == "a"}
    methods = {str(name).removeprefix("by "): row["place_method"] for name, row in found.items()}
    expected = {"grid": "grid", "component": "component", "town": "admin", "place": "place", "address": "address"}
    assert {name: methods.get(name) for name in expected} == expected
    assert found["by grid"]["place_precision"] == "grid"
    assert found["by grid"]["grid_id"] == grid["id"]
    assert found["by town"]["place_precision"] == "town"
    lost = loaded.rejects[loaded.rejects["whole"]]
    assert lost["row"].tolist() == [7, 8]
    assert set(lost["code"]) == {"null_island"}
    assert "geocoded" in [finding.code for finding in loaded.findings]


def test_a_grid_that_contradicts_the_place_is_flagged(city: Database, tmp_path: Path) -> None:
    grid, other = id_of(city, "grid"), id_of(city, "grid", "id > (select min(id) from city.grid)")
    (tmp_path / "a.csv").write_text(f"name,网格编码,lon,lat\n甲,{other['id']},{grid['x']},{grid['y']}\n")
    loaded = load(city, tmp_path / "a.csv", "place", constants={"kind": "park"}, source="a")
    assert loaded.rejects["code"].tolist() == ["grid_differs"]
    assert counts(loaded) == (1, 0, 0, 0)


def test_texts_of_another_area_are_not_looked_for_in_the_city(city: Database, tmp_path: Path) -> None:
    place = id_of(city, "place", "kind = 'hospital'")
    (tmp_path / "a.csv").write_text(f"name,地名,lon,lat\n甲,{place['name']},0,0\n乙,x,127,37\n")
    loaded = load(city, tmp_path / "a.csv", "place", constants={"kind": "park"}, source="a", extent="126,36,128,38")
    assert counts(loaded) == (1, 0, 0, 0)


def test_an_order_that_a_recipe_completes_keeps_what_the_person_said(database: Database, tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("layer: place\nsource: recipe\n")
    (tmp_path / "a.csv").write_text("name,kind,lon,lat\n甲,park,120.86,32.01\n")
    order = Order(path=tmp_path / "a.csv", recipe=tmp_path / "r.yaml")
    assert read_delivery(order, Quiet()).source == "recipe"
    assert read_delivery(replace(order, source="mine"), Quiet()).source == "mine"
    assert np.isfinite(count(database, DELIVERY))


def cells_of_a_mesh(points: NDArray[np.object_]) -> NDArray[np.object_]:
    """The square of 200 m or so in which each point stands."""
    squares = np.floor(shapely.get_coordinates(points) * 500).astype(int)
    return np.array([f"{x}/{y}" for x, y in squares], dtype=object)


@pytest.mark.parametrize("frame", ["GCJ-02", "BD-09"])
def test_points_that_name_their_grids_betray_a_wrong_frame(frame: str) -> None:
    random = np.random.default_rng(1)
    lon, lat = random.uniform(120.7, 121.0, 500), random.uniform(31.9, 32.1, 500)
    named = cells_of_a_mesh(shapely.points(lon, lat))
    shift = shift_of_grids(*convert(lon, lat, source="EPSG:4326", target=frame), named, cells_of_a_mesh)
    assert shift is not None
    assert (shift.frame, shift.before < 0.2, shift.after > 0.9) == (frame, True, True)
    assert shift_of_grids(lon, lat, named, cells_of_a_mesh) is None
    assert shift_of_grids(lon, lat, named[::-1], cells_of_a_mesh) is None
