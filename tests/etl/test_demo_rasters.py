"""The rasters of the demo city, and a person's own raster by the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import sqlalchemy as sa

from etl.demo.rasters import PEOPLE_CELL, RASTERS, RELIEF_CELL, make_rasters, relief
from etl.rasters import RasterOrder, add_raster
from gis.frames import distance_m
from gis.raster import value_at, write_grid
from layers.catalog import built_in
from layers.people.access import ADMIN, ANYONE
from layers.rasters import LEAST_PEOPLE, Rasters, legend
from layers.spec import Title
from layers.store.cluster import Cluster
from layers.store.engine import engine_for
from tests.etl.loading import Terminal

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

WOLF_HILL = (120.8845, 31.9497)


@pytest.fixture(scope="module")
def small_city(cluster: Cluster, city_template: str) -> sa.Engine:
    """To read the small city from; no connection stays open, since others clone it."""
    return engine_for(cluster.url(city_template), "reader", pool_size=0)


@pytest.fixture(scope="module")
def made(small_city: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rasters")
    with small_city.connect() as connection:
        assert make_rasters(connection, folder, seed=1) == list(RASTERS)
    return folder


def values(path: Path) -> np.ndarray:
    with rasterio.open(path) as opened:
        return np.asarray(opened.read(1), dtype=np.float64)


def test_the_plain_is_flat_the_hills_stand_at_the_river_and_the_flats_lie_low(made: Path) -> None:
    heights = values(made / "relief.tif")
    known = heights[np.isfinite(heights)]
    low, middle, high = np.quantile(known, [0.1, 0.5, 0.95])
    assert 0.0 < low < middle < high < 7.0
    assert 3.0 < middle < 4.5
    assert known.min() >= -2.0
    assert 95.0 < value_at(made / "relief.tif", *WOLF_HILL).value < 110.0  # type: ignore[operator]
    # Nothing but the hills is higher than a dyke.
    rows, columns = np.nonzero(heights > 12.0)
    with rasterio.open(made / "relief.tif") as opened:
        lon, lat = opened.transform * np.array([columns + 0.5, rows + 0.5])
    assert (np.asarray(distance_m(lon, lat, *WOLF_HILL)) < 4_000).all()


def test_heights_are_not_finer_than_a_hundred_metres() -> None:
    lon, lat = 121.0, 32.0
    assert float(distance_m(lon, lat, lon + RELIEF_CELL[0], lat)) > 100.0
    assert float(distance_m(lon, lat, lon, lat + RELIEF_CELL[1])) > 100.0


def test_the_people_of_the_raster_are_those_of_the_grids(made: Path, small_city: sa.Engine) -> None:
    table = built_in()["grid"].table
    with small_city.connect() as connection:
        people = int(connection.scalar(sa.select(sa.func.sum(table.c.population))) or 0)
    assert 7_000_000 < people < 8_500_000
    # What is missing lives where fewer than ten do.
    assert 0.96 * people < np.nansum(values(made / "population.tif")) <= people * 1.001


def test_no_cell_of_the_population_tells_of_fewer_people_than_it_may(made: Path) -> None:
    assert LEAST_PEOPLE["public"] >= 10
    with rasterio.open(made / "population.tif") as opened:
        for level in (1, *opened.overviews(1)):
            told = opened.read(1, out_shape=tuple(-(-side // level) for side in opened.shape))
            assert np.nanmin(told) >= LEAST_PEOPLE["public"]
    assert float(distance_m(121.0, 32.0, 121.0 + PEOPLE_CELL[0], 32.0)) > 240.0
    assert float(distance_m(121.0, 32.0, 121.0, 32.0 + PEOPLE_CELL[1])) > 240.0


def test_both_say_everywhere_that_they_are_synthetic(made: Path) -> None:
    for stored in Rasters(made).visible(ANYONE):
        assert stored.raster.synthetic
        assert "合成" in stored.raster.title.zh
        assert "synthetic" in stored.raster.title.en
        assert "synthetic" in stored.raster.attribution.en.lower()
        with rasterio.open(stored.path) as opened:
            assert opened.tags()["SYNTHETIC"] == "yes"
            assert "synthetic data" in opened.tags()["TIFFTAG_IMAGEDESCRIPTION"]


def test_the_same_seed_gives_the_same_files_and_another_one_another_relief(
    made: Path, small_city: sa.Engine, tmp_path: Path
) -> None:
    with small_city.connect() as connection:
        make_rasters(connection, tmp_path, seed=1)
    for name in RASTERS:
        assert (tmp_path / f"{name}.tif").read_bytes() == (made / f"{name}.tif").read_bytes()
    _, heights = relief(seed=2)
    assert not np.allclose(heights, values(made / "relief.tif"), atol=0.1, equal_nan=True)


def test_the_demo_leaves_a_persons_raster_alone(small_city: sa.Engine, shared: Path, tmp_path: Path) -> None:
    dem = shared / "data" / "raster" / "tileserver-rs_test-dem.cog.tif"
    add_raster(RasterOrder(dem, "relief", Title("地形", "Relief")), tmp_path)
    before = (tmp_path / "relief.tif").read_bytes()
    with small_city.connect() as connection:
        assert make_rasters(connection, tmp_path, seed=1) == ["population"]
    assert (tmp_path / "relief.tif").read_bytes() == before


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    # Rasters need no database.
    monkeypatch.setenv("CHENGTU_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("CHENGTU_DATA_DIR", str(tmp_path / "var"))
    return Terminal()


def test_a_raster_is_added_by_one_command(terminal: Terminal, shared: Path, tmp_path: Path) -> None:
    dem = shared / "data" / "raster" / "tileserver-rs_test-dem.cog.tif"
    words = ("add-raster", dem, "--name", "dem", "--title", "地形|Relief", "--unit", "m", "--look", "relief")
    assert terminal.run(*words, "--attribution", "测绘院|Survey") == 0
    assert "raster dem: values from -41.3857 to 1041.05 m; seen by administrators only" in terminal.said
    held = Rasters(tmp_path / "var" / "rasters")
    assert held.visible(ANYONE) == []
    raster = held.find("dem", ADMIN).raster
    assert (raster.title, raster.unit, raster.attribution) == (Title("地形", "Relief"), "m", Title("测绘院", "Survey"))
    assert raster.look.ramp == "relief"
    assert len(legend(raster.look, "dark")) == 6
    assert not raster.synthetic
    assert [path.name for path in (tmp_path / "var" / "rasters").iterdir()] == ["dem.tif"]


def test_classes_begin_at_the_breaks(terminal: Terminal, shared: Path, tmp_path: Path) -> None:
    source = shared / "data" / "raster" / "rio-tiler_nocog.tif"
    assert terminal.run("add-raster", source, "--name", "a", "--breaks", "-5,100,2000", "--public") == 0
    rows = legend(Rasters(tmp_path / "var" / "rasters").find("a", ANYONE).raster.look, "light")
    assert [(row["value"], row["to"]) for row in rows] == [(-5.0, 100.0), (100.0, 2000.0), (2000.0, None)]
    assert [row["colour"] for row in rows] == ["#deecf1", "#6fb3c4", "#0d4a6b"]


@pytest.mark.parametrize("value", [0.0, 7.0, -3e38, 1e17])
def test_a_raster_of_one_value_is_shown(terminal: Terminal, tmp_path: Path, value: float) -> None:
    write_grid(np.full((10, 10), value), tmp_path / "a.tif", west=120.8, north=32.1, cell=(0.01, 0.01))
    assert terminal.run("add-raster", tmp_path / "a.tif", "--name", "a", "--public") == 0
    low, high = Rasters(tmp_path / "var" / "rasters").find("a", ANYONE).raster.look.stops
    assert low == np.float32(value) < high


@pytest.mark.parametrize(("public", "least"), [(True, 10.0), (False, 5.0)])
def test_counts_of_people_are_never_kept_below_the_threshold(
    shared: Path, tmp_path: Path, public: bool, least: float
) -> None:
    source = shared / "data" / "raster" / "rio-tiler_cog_nodata_nan.tif"
    order = RasterOrder(source, "people", Title("人", "People"), people=True, public=public)
    raster, found = add_raster(order, tmp_path)
    assert raster.least == least
    assert found.least >= least
    assert np.nanmin(values(tmp_path / "people.tif")) >= least


@pytest.mark.parametrize(
    "words",
    [
        ["--name", "Dem"],
        ["--name", "../dem"],
        ["--name", "dem", "--breaks", "3,2,1"],
        ["--name", "dem", "--breaks", "1"],
        ["--name", "dem", "--breaks", "1,x"],
        ["--name", "dem", "--breaks", "1,nan"],
    ],
)
def test_a_wrong_option_gives_one_line_and_changes_nothing(
    terminal: Terminal, shared: Path, tmp_path: Path, words: list[str]
) -> None:
    dem = shared / "data" / "raster" / "tileserver-rs_test-dem.cog.tif"
    assert terminal.run("add-raster", dem, *words) == 1
    assert terminal.complaint.count("\n") == 1
    assert not list((tmp_path / "var").rglob("*.tif"))


@pytest.mark.parametrize("name", ["a.tif", "a.vrt", "a.png", "none.tif"])
def test_a_file_that_is_no_raster_gives_one_line_and_changes_nothing(
    terminal: Terminal, tmp_path: Path, name: str
) -> None:
    if name != "none.tif":
        (tmp_path / name).write_bytes(b"II*\x00 not really")
    assert terminal.run("add-raster", tmp_path / name, "--name", "dem") == 1
    assert terminal.complaint.startswith(name)
    assert terminal.complaint.count("\n") == 1
    assert not list((tmp_path / "var").rglob("*.tif"))
