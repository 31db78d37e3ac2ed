"""Tables become records: classes, required fields, flags, what is kept besides, and every reject with its row."""

import json
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from etl.clean.extent import city_extent, extent_of
from etl.clean.records import Cleaned, clean, replaced_rejects, unplaced_rejects
from etl.errors import BadOption, Refused
from etl.mapping import guess_mapping, with_constants
from etl.new_layer import infer_layer
from etl.readers import Table
from gis.frames import convert_geometries
from layers.catalog import built_in
from layers.codes.books import LEGACY, NATIONAL

LAYERS = built_in()
TODAY = date(2026, 11, 22)
CITY = city_extent()


def table(columns: dict[str, list[object]], geometry: list[object] | None = None) -> Table:
    frame = pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in columns.items()})
    shapes = None if geometry is None else np.array(geometry, dtype=object)
    return Table(Path("a.csv"), "a", frame, np.arange(2, len(frame) + 2), geometry=shapes)


def points(**columns: list[object]) -> Table:
    size = len(next(iter(columns.values())))
    return table({**columns, "lon": ["120.86123"] * size, "lat": ["32.01234"] * size})


def cleaned(given: Table, layer: str = "component", **settings: str) -> Cleaned:
    kind = LAYERS[layer]
    mapping = with_constants(guess_mapping(given, kind), kind, settings)
    return clean(given, mapping, layer=kind, extent=CITY, source="s", today=TODAY)


def told(records: Cleaned) -> dict[int, str]:
    return dict(zip(records.rejects["row"], records.rejects["code"], strict=True))


def test_a_class_may_be_a_code_a_name_or_in_the_id() -> None:
    given = points(
        部件标识码=["32061301037000001", "3206130118000001", "32061301002000001", "32061301037000002"],
        部件类别=["01037", "0118", None, "路灯"],
        部件状态=["完好"] * 4,
        初始日期=["2020-05-06"] * 4,
    )
    records = cleaned(given)
    assert records.frame["class_code"].tolist() == ["01037", "0118", "01002", "01037"]
    assert records.frame["standard"].tolist() == [NATIONAL, LEGACY, NATIONAL, NATIONAL]
    assert records.frame["name"].tolist() == ["路灯", "路灯", "污水井盖", "路灯"]
    assert not len(records.rejects)


@pytest.mark.parametrize(("day", "flagged"), [("2026-06-30", False), ("2026-07-01", True), (None, True)])
def test_a_legacy_class_after_its_time_is_flagged_with_its_successor(day: str | None, flagged: bool) -> None:
    given = points(部件标识码=["3206130118000001"], 部件状态=["完好"], 变更日期=[day])
    records = cleaned(given)
    assert len(records.frame) == 1
    assert told(records) == ({2: "code_not_in_force"} if flagged else {})
    if flagged:
        assert "in GB/T 47678.5-2026 it is 01037 路灯" in records.rejects["reason"].iloc[0]
        assert records.rejects["raw"].tolist() == ["0118"]


def test_a_national_class_before_it_came_into_force_is_flagged() -> None:
    given = points(部件类别=["01037"], 部件状态=["完好"])
    mapping = guess_mapping(given, LAYERS["component"])
    early = clean(given, mapping, layer=LAYERS["component"], extent=CITY, source="s", today=date(2026, 6, 30))
    assert told(early) == {2: "code_not_in_force"}


def test_an_id_of_another_class_is_refused() -> None:
    records = cleaned(points(部件标识码=["32061301037000001"], 部件类别=["01002"], 部件状态=["完好"]))
    assert told(records) == {2: "class_contradicts_id"}
    assert not len(records.frame)


def test_a_class_that_no_book_has_is_refused_row_by_row_and_as_a_constant_at_once() -> None:
    given = points(部件类别=["01037", "99999"], 部件状态=["完好", "完好"])
    assert told(cleaned(given)) == {3: "unknown_code"}
    with pytest.raises(BadOption, match="class_code=99999"):
        cleaned(points(部件状态=["完好"]), **{"class": "99999"})


def test_a_constant_fills_what_the_file_lacks() -> None:
    records = cleaned(points(备注=["a", "b"]), state="完好", **{"class": "01037"})
    assert records.frame["class_code"].tolist() == ["01037", "01037"]
    assert records.frame["state"].tolist() == ["intact", "intact"]


def test_values_that_do_not_fit_are_left_out_and_kept_as_rejects() -> None:
    given = points(部件类别=["01037"], 部件状态=["完好"], 数据来源=["天上"], 初始日期=["2999-01-01"], 备注=["x" * 1001])
    records = cleaned(given)
    assert len(records.frame) == 1
    assert not records.rejects["whole"].any()
    assert set(records.rejects["code"]) == {"unknown_code", "impossible_date", "too_long"}
    assert set(records.rejects["raw"].str[:4]) == {"天上", "2999", "xxxx"}


def test_a_change_before_the_beginning_is_flagged_and_loaded() -> None:
    records = cleaned(points(部件类别=["01037"], 部件状态=["完好"], 初始日期=["2020-01-02"], 变更日期=["2020-01-01"]))
    assert len(records.frame) == 1
    assert told(records) == {2: "change_before_first"}


def test_points_outside_the_city_are_rejected_with_their_place() -> None:
    given = table(
        {"lon": ["120.86", "116.4"], "lat": ["32.01", "39.9"], "部件类别": ["01037"] * 2, "部件状态": ["完好"] * 2}
    )
    records = cleaned(given)
    assert told(records) == {3: "outside"}
    assert records.rejects["raw"].tolist() == ["116.4, 39.9"]


def lamps_at(lon: list[object], lat: list[object], **columns: list[object]) -> Table:
    size = len(lon)
    return table({"lon": lon, "lat": lat, "部件类别": ["01037"] * size, "部件状态": ["完好"] * size, **columns})


def test_a_reject_for_its_coordinates_keeps_what_the_file_says_before_the_texts_tried() -> None:
    given = lamps_at(
        ["32.0", "0", "x", "120.86", None],
        ["120.9", "0.0", "32.01", "32.01", None],
        地址=["青年路", None, None, None, None],
    )
    records = cleaned(given)
    left = unplaced_rejects(records, np.flatnonzero(records.why != None))  # noqa: E711  (element by element)
    found = left.set_index("row")
    assert found["raw"].to_dict() == {2: "32.0, 120.9 | 青年路", 3: "0, 0.0", 4: "x, 32.01", 6: None}
    assert found["reason"].str.contains("latitude and longitude look swapped").to_dict() == {
        **{2: True, 3: False, 4: False, 6: False}
    }


def test_coordinates_that_a_geocoded_record_could_not_use_are_kept_as_a_flag() -> None:
    records = cleaned(lamps_at(["32.0", "0", "120.8", "120.9"], ["120.9", "0", "32.0", "32.0"]))
    flags = replaced_rejects(records, np.arange(2))
    assert flags[["code", "raw"]].to_numpy().tolist() == [["bad_coordinate", "32.0, 120.9"], ["null_island", "0, 0"]]
    assert not flags["whole"].any()


def test_text_that_is_no_shape_is_kept_with_its_reject() -> None:
    given = table({"wkt": ["POINT (120.86 32.01)"] * 3 + ["POINT (120.86"], "名称": list("abcd")})
    records = cleaned(given, "place", kind="park")
    assert unplaced_rejects(records, np.array([3]))["raw"].tolist() == ["POINT (120.86"]


def test_a_point_outside_that_would_be_inside_the_other_way_round_says_so() -> None:
    given = table({"위도": ["37.2", "37.3", "37.4", "70.0"], "경도": ["70.0", "70.1", "70.2", "37.2"]})
    layer = LAYERS["component"]
    mapping = with_constants(guess_mapping(given, layer), layer, {"class": "01037", "state": "intact"})
    records = clean(given, mapping, layer=layer, extent=extent_of("69,36,71,38"), source="s", today=TODAY)
    assert records.rejects["reason"].tolist() == ["outside 69,36,71,38; latitude and longitude look swapped"]


def test_rows_without_a_place_wait_for_geocoding_with_their_texts() -> None:
    given = table(
        {
            "lon": ["0", "120.86", None],
            "lat": ["0", "32.01", None],
            "部件类别": ["01037"] * 3,
            "部件状态": ["完好"] * 3,
            "地址": ["人民中路1号", "青年路", None],
            "所属街道": ["城东街道", None, None],
        }
    )
    records = cleaned(given)
    assert records.why.tolist() == ["null_island", None, "no_place"]
    assert records.clues.index.tolist() == [0, 2]
    assert records.clues.loc[0].dropna().to_dict() == {"unit": "城东街道", "address": "人民中路1号"}


def test_columns_that_the_layer_lacks_are_kept_beside_it() -> None:
    records = cleaned(
        points(部件类别=["01037", "01037"], 部件状态=["完好"] * 2, 杆号=["A-1", None], 说明2=['引"号', "b"])
    )
    assert [json.loads(text) for text in records.frame["extra"]] == [{"杆号": "A-1", "说明2": '引"号'}, {"说明2": "b"}]


def test_broken_areas_are_repaired_and_hopeless_ones_rejected() -> None:
    bow = shapely.Polygon([(120.8, 32.0), (120.9, 32.1), (120.9, 32.0), (120.8, 32.1)])
    square, line = shapely.box(120.8, 32.0, 120.81, 32.01), shapely.LineString([(120.8, 32.0), (120.9, 32.1)])
    records = cleaned(table({"名称": ["a", "b", "c", "d"]}, [square, bow, line, None]), "building")
    assert shapely.is_valid(records.frame.geometry.to_numpy()[:2]).all()
    assert (shapely.get_type_id(records.frame.geometry.to_numpy()[:2]) == 6).all()
    assert "repaired" in [finding.code for finding in records.findings]
    assert told(records) == {4: "broken_geometry"}
    assert records.why.tolist() == [None, None, "no_place"]


def test_boundaries_in_the_wrong_frame_are_refused_unless_somebody_insists() -> None:
    assert CITY.borders is not None
    parts = shapely.get_parts(shapely.polygonize([shapely.node(CITY.borders)]))
    shifted = convert_geometries(parts, source="EPSG:4326", target="GCJ-02")
    given = table({"name": [f"区{i}" for i in range(len(parts))]}, list(shifted))
    grid = LAYERS["duty_grid"]
    mapping = guess_mapping(given, grid)
    with pytest.raises(Refused, match=r"toward 11\d°.*--frame GCJ-02"):
        clean(given, mapping, layer=grid, extent=CITY, source="s", today=TODAY)
    insisted = clean(given, mapping, layer=grid, extent=CITY, source="s", today=TODAY, frame="EPSG:4326")
    assert "wrong_frame" in [finding.code for finding in insisted.findings]
    undone = clean(given, mapping, layer=grid, extent=CITY, source="s", today=TODAY, frame="GCJ-02")
    assert "wrong_frame" not in [finding.code for finding in undone.findings]


def test_a_layer_is_made_from_any_data() -> None:
    given = table(
        {
            "编号": ["1", "2", "3"],
            "店名": ["甲", "乙", "丙"],
            "类型": ["餐饮", "零售", "餐饮"],
            "面积(m²)": ["20.5", "30", "41"],
            "员工数": ["3", "4", "5"],
            "开业日期": ["2020-01-01", "2021/5/6", None],
            "邮编": ["226000", "226001", "022600"],
            "营业": ["是", "否", "是"],
            "source": ["x", "y", "z"],
            "经度": ["120.86123"] * 3,
            "纬度": ["32.01234"] * 3,
        }
    )
    layer, mapping = infer_layer(given, "shops", today=TODAY)
    kinds = {f.title.zh: f.kind for f in layer.fields}
    assert kinds == {
        **{"店名": "text", "类型": "text", "面积(m²)": "number", "员工数": "integer", "开业日期": "date"},
        **{"邮编": "text", "营业": "boolean", "source": "text"},
    }
    assert (layer.label, layer.classes, layer.geometry) == ("dian_ming", "lei_xing", "Point")
    assert "source" not in layer.written
    records = clean(given, mapping, layer=layer, extent=CITY, source="s", today=TODAY)
    assert records.frame["id"].tolist() == ["1", "2", "3"]
    assert records.frame["mian_ji_m2"].tolist() == [20.5, 30.0, 41.0]
    assert not len(records.rejects)
    with pytest.raises(BadOption, match="--new-layer"):
        infer_layer(given, "Not A Name", today=TODAY)


def test_lines_and_areas_make_layers_of_their_kind() -> None:
    shapes = [shapely.box(120.8, 32.0, 120.9, 32.1), shapely.box(120.7, 32.0, 120.75, 32.1)]
    layer, _ = infer_layer(table({"name": ["a", "b"]}, shapes), "zones", today=TODAY)
    assert layer.geometry == "MultiPolygon"


def test_a_large_table_is_checked_without_a_loop_over_rows() -> None:
    size = 50_000
    frame = gpd.GeoDataFrame({"name": [f"n{i}" for i in range(size)]})
    given = points(名称=list(frame["name"]))
    records = cleaned(given, "place", kind="village")
    assert len(records.frame) == size


def test_another_area_can_be_named() -> None:
    given = table({"위도": ["37.2", "37.3"], "경도": ["127.0", "127.1"]})
    layer = LAYERS["component"]
    mapping = with_constants(guess_mapping(given, layer), layer, {"class": "01037", "state": "intact"})
    records = clean(given, mapping, layer=layer, extent=extent_of("126,36,128,38"), source="s", today=TODAY)
    assert len(records.frame) == 2
