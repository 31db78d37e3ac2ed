"""Cells set right by a person, and the guess of what a file is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from etl.corrections import corrected
from etl.errors import BadOption
from etl.guess import likely_layers, new_name
from etl.load import digest_of
from etl.mapping import Mapping
from etl.readers import Table, read
from etl.send_back import came_back, plain_stem, without_notes, write_back
from layers.catalog import built_in
from layers.store.choices import Correction

LAYERS = built_in()


def table(**columns: object) -> Table:
    frame = pd.DataFrame(columns)
    return Table(Path("lamps.xlsx"), "lamps", frame, np.arange(2, 2 + len(frame), dtype=np.int64))


def fix(row: int, column: str, value: str | None) -> Correction:
    return Correction(row=row, column=column, value=value)


def test_a_text_is_corrected_in_its_row_and_the_original_stays() -> None:
    before = table(state=["好", "完好"])
    after = corrected(before, [fix(2, "state", "完好"), fix(3, "state", None)])
    assert after.columns["state"].isna().tolist() == [False, True]
    assert after.columns["state"].iloc[0] == "完好"
    assert before.columns["state"].tolist() == ["好", "完好"]


def test_a_column_of_numbers_or_dates_stays_one_while_the_corrections_are() -> None:
    before = table(lat=[32.5, 320.1], day=pd.to_datetime(["2020-01-01", "2031-01-01"]).astype("datetime64[us]"))
    after = corrected(before, [fix(3, "lat", "32.01"), fix(3, "day", "2021-01-31")])
    assert after.columns["lat"].tolist() == [32.5, 32.01]
    assert after.columns["day"].dt.strftime("%Y-%m-%d").tolist() == ["2020-01-01", "2021-01-31"]


def test_a_number_corrected_to_a_text_makes_the_column_text_without_changing_the_others() -> None:
    after = corrected(table(lat=[32.5, 320.1]), [fix(3, "lat", "32°1′N")])
    assert after.columns["lat"].tolist() == ["32.5", "32°1′N"]


@pytest.mark.parametrize(("row", "column"), [(9, "state"), (2, "colour")])
def test_a_cell_that_the_file_does_not_have_is_refused(row: int, column: str) -> None:
    with pytest.raises(BadOption):
        corrected(table(state=["好"]), [fix(row, column, "完好")])


def test_a_row_that_has_not_the_cells_of_the_header_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("编号,地址,状态\n1,甲路,好\n2,乙路,附近,好\n3,丙路\n4,丁路,好\n", encoding="utf-8")
    before = read(path)
    assert before.ragged == {3: ("2", "乙路", "附近", "好"), 4: ("3", "丙路")}
    after = corrected(before, [fix(3, "地址", "乙路,附近"), fix(3, "状态", "好")])
    assert after.rows.tolist() == [2, 3, 5]
    assert list(after.columns.loc[1]) == ["2", "乙路,附近", "好"]
    assert after.rejects["row"].tolist() == [4]
    assert [one.count for one in after.findings if one.code == "ragged_rows"] == [1]
    every = corrected(before, [fix(3, "状态", "好"), fix(4, "状态", "好")])
    assert every.columns["状态"].tolist() == ["好"] * 4
    assert len(every.rejects) == 0
    assert [one for one in every.findings if one.code == "ragged_rows"] == []


def test_a_ragged_row_goes_back_with_all_that_it_has(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("编号,地址,状态\n1,甲路,好\n2,乙路,附近,好\n", encoding="utf-8")
    table = read(path)
    assert write_back(tmp_path / "back.xlsx", table, table.rejects, Mapping()) == 1
    (_, row) = openpyxl.load_workbook(tmp_path / "back.xlsx").active.values
    assert row == ("2", "乙路", "附近", "这一行的单元格数与表头不一致\n多出的内容：好", 3)


def test_corrections_count_into_the_digest(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    assert digest_of(path) != digest_of(path, (fix(2, "a", "2"),)) != digest_of(path, (fix(2, "a", "3"),))


@pytest.mark.parametrize(
    ("header", "row", "layer"),
    [
        ("部件标识码,部件状态,经度,纬度", "32061301037900001,完好,120.9,32.0", "component"),
        ("国标编码,点位名称,经度,纬度,设备类型", "32061300001320000001,路口,120.9,32.0,球机", "video"),
        ("甲,乙,丙", "1,2,3", None),
    ],
)
def test_a_file_is_meant_for_the_layer_that_its_columns_and_ids_fit(
    tmp_path: Path, header: str, row: str, layer: str | None
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\n{row}\n", encoding="utf-8")
    found = likely_layers(read(path), LAYERS.values())
    assert (found[0].layer.name if found else None) == layer


def test_the_layer_of_the_last_delivery_wins(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("部件标识码,部件状态,名称,经度,纬度\n32061301037900001,完好,灯,120.9,32.0\n", encoding="utf-8")
    assert likely_layers(read(path), LAYERS.values(), earlier="place")[0].layer.name == "place"


@pytest.mark.parametrize(
    ("stem", "name"), [("公园路灯", "gong_yuan_lu_deng"), ("2026 lamps!", "layer_2026_lamps"), ("x_cells", "x_cells_1")]
)
def test_a_new_layer_is_called_after_its_file(stem: str, name: str) -> None:
    assert new_name(stem) == name


def test_a_workbook_that_was_sent_back_is_known_as_such() -> None:
    noted = table(**{"编号": ["a"], "退回原因": ["没有坐标"], "原文件行号": [7.0]})
    assert came_back(noted)
    assert without_notes(noted).headers == ("编号",)
    assert not came_back(table(**{"退回原因": ["x"]}))
    assert [plain_stem(Path(name)) for name in ("灯-退回.xlsx", "灯-退回 (2).xlsx", "灯.xlsx")] == ["灯"] * 3
