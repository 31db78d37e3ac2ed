"""Every format, read back by a program that is not ours."""

from __future__ import annotations

import csv
import datetime as dt
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.export import excel
from layers.export.formats import FORMATS
from layers.export.sheet import Sheet, SheetColumn
from layers.export.text import free
from layers.spec import Title
from layers.words import book_of

ROOT = Path(__file__).resolve().parents[2]
SHANGHAI = dt.timezone(dt.timedelta(hours=8))
STATE, MISSING = book_of("component_state").entries[:2]
ID = "32060200101000001"
SQUARE = shapely.box(120.5, 31.5, 121, 32)
COLUMNS = (
    SheetColumn("id", Title("标识码", "Id"), "text"),
    SheetColumn("name", Title("部件名称", "Name"), "text"),
    SheetColumn("state", Title("状态", "State"), "code", book="component_state"),
    SheetColumn("count", Title("数量", "Count"), "integer", unit="个"),
    SheetColumn("length_m", Title("长度", "Length"), "number", unit="m"),
    SheetColumn("since", Title("初始日期", "Since"), "date"),
    SheetColumn("seen", Title("更新时间", "Seen"), "time"),
    SheetColumn("open", Title("开放", "Open"), "boolean"),
)
FULL: dict[str, Any] = {
    "id": ID,
    "name": "雨水井盖",
    "state": STATE.code,
    "count": 3,
    "length_m": 1.5,
    "since": dt.date(2024, 5, 1),
    "seen": pd.Timestamp("2024-05-01T01:30:00Z"),
    "open": True,
}
BARE: dict[str, Any] = {**dict.fromkeys(FULL), "id": "2", "length_m": np.nan, "seen": pd.NaT}


def frame(records: list[dict[str, Any]], shapes: list[Any] | None) -> gpd.GeoDataFrame:
    table = pd.DataFrame(records, columns=list(FULL))
    return gpd.GeoDataFrame(table) if shapes is None else gpd.GeoDataFrame(table, geometry=shapes, crs=4326)


def sheet(*batches: gpd.GeoDataFrame, spatial: bool = True, rows: int | None = None) -> Sheet:
    return Sheet(
        title=Title("城市部件", "City component"),
        statement=Title("缺失的部件", "Components that are missing"),
        columns=COLUMNS,
        spatial=spatial,
        rows=sum(map(len, batches)) if rows is None else rows,
        truncated=True,
        synthetic=True,
        made_at=dt.datetime(2026, 1, 2, 0, 0, tzinfo=dt.UTC),
        batches=lambda: iter(batches),
        attribution=Title("演示", "Demo"),
    )


@pytest.fixture
def answer() -> Sheet:
    """Two batches: a point, a record with nothing but its id, and one whose geometry is an area."""
    first = frame([FULL, BARE], [shapely.Point(120.123456789, 31.9), None])
    return sheet(first, frame([{**BARE, "id": "3"}], [SQUARE]))


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, Sheet], Path]:
    def write(name: str, what: Sheet) -> Path:
        path = tmp_path / f"answer{FORMATS[name].suffix}"
        FORMATS[name].write(what, path)
        return path

    return write


Written = Callable[[str, Sheet], Path]


def said(text: str) -> bool:
    return all(part in text for part in ("缺失的部件", "2026-01-02T08:00:00+08:00", "已截断", "合成演示数据", "演示"))


def test_geojson_follows_the_rfc_and_says_what_it_is(answer: Sheet, written: Written) -> None:
    document = json.loads(written("geojson", answer).read_text("utf-8"))
    point, nowhere, area = document.pop("features")
    assert document == {
        "type": "FeatureCollection",
        "timeStamp": "2026-01-02T08:00:00+08:00",
        "title": {"zh": "城市部件", "en": "City component"},
        "statement": {"zh": "缺失的部件", "en": "Components that are missing"},
        "truncated": True,
        "synthetic": True,
        "attribution": {"zh": "演示", "en": "Demo"},
        "numberReturned": 3,
    }
    assert point["id"] == ID
    assert point["geometry"] == {"type": "Point", "coordinates": [120.1234568, 31.9]}
    assert point["properties"] == {**FULL, "since": "2024-05-01", "seen": "2024-05-01T09:30:00+08:00"}
    assert nowhere["geometry"] is None
    assert set(nowhere["properties"].values()) == {"2", None}
    assert shapely.geometry.shape(area["geometry"]).exterior.is_ccw


def test_geojson_is_read_by_gdal(answer: Sheet, written: Written) -> None:
    read = gpd.read_file(written("geojson", answer))
    assert read["id"].tolist() == [ID, "2", "3"]
    assert read["name"][0] == "雨水井盖"
    assert read["since"][0] == pd.Timestamp("2024-05-01")
    assert read.geometry.isna().tolist() == [False, True, False]


def test_geopackage_keeps_types_and_mixed_geometries(answer: Sheet, written: Written) -> None:
    path = written("gpkg", answer)
    info = pyogrio.read_info(path, layer="answer")
    kinds = dict(zip(info["fields"], info["ogr_types"], strict=True))
    assert info["geometry_type"] == "Unknown"
    assert info["crs"] == "EPSG:4326"
    assert kinds == {
        "id": "OFTString", "name": "OFTString", "state": "OFTString", "count": "OFTInteger64", "length_m": "OFTReal",
        "since": "OFTDate", "seen": "OFTDateTime", "open": "OFTInteger",
    }  # fmt: skip
    read = gpd.read_file(path)
    assert read["id"].tolist() == [ID, "2", "3"]
    assert read["since"][0] == pd.Timestamp("2024-05-01")
    assert read["seen"][0] == pd.Timestamp("2024-05-01T01:30:00")  # GDAL keeps UTC
    assert [None if g is None else g.geom_type for g in read.geometry] == ["Point", None, "Polygon"]


def test_geopackage_tells_other_programs_its_titles_and_the_words_of_its_codes(answer: Sheet, written: Written) -> None:
    path = written("gpkg", answer)
    told = subprocess.run(["ogrinfo", "-so", "-al", path], capture_output=True, text=True, check=True)
    assert said(told.stdout)
    assert "IDENTIFIER=城市部件" in told.stdout
    assert "state: String (0.0), domain name=component_state" in told.stdout
    domain = subprocess.run(
        ["ogrinfo", "-fielddomain", "component_state", path], capture_output=True, text=True, check=True
    )
    assert f"{STATE.code}: {STATE.zh}" in domain.stdout
    with sqlite3.connect(path) as file:
        titles = dict(file.execute("select column_name, title from gpkg_data_columns").fetchall())
        assert file.execute("pragma integrity_check").fetchone() == ("ok",)
    file.close()
    assert titles["count"] == "数量（个）"


def test_csv_has_a_mark_for_excel_and_names_for_programs(answer: Sheet, written: Written) -> None:
    path = written("csv", answer)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfid,name,")
    with path.open(encoding="utf-8-sig", newline="") as file:
        point, nowhere, area = csv.DictReader(file)
    about = point.pop("about")
    assert said(about)
    assert point == {
        "id": ID, "name": "雨水井盖", "state": STATE.code, "count": "3", "length_m": "1.5", "since": "2024-05-01",
        "seen": "2024-05-01T09:30:00+08:00", "open": "true", "lon": "120.1234568", "lat": "31.9",
        "wkt": "POINT (120.1234568 31.9)",
    }  # fmt: skip
    assert [value for value in nowhere.values() if value] == ["2"]
    assert shapely.from_wkt(area["wkt"]).equals(SQUARE)
    assert area["lon"] == ""


@given(st.sampled_from("=+-@\t\r＝"), st.text(max_size=5))
def test_no_text_in_a_csv_can_run_as_a_formula(first: str, rest: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.csv"
        FORMATS["csv"].write(sheet(frame([{**FULL, "name": first + rest}], None), spatial=False), path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            assert next(csv.DictReader(file))["name"] == f"'{first}{rest}"


def test_a_column_of_the_same_name_as_one_of_ours_keeps_it() -> None:
    assert free("lon", ["id", "lon", "lon_"]) == "lon__"


def test_excel_shows_titles_words_and_dates(answer: Sheet, written: Written) -> None:
    book = openpyxl.load_workbook(written("xlsx", answer))
    assert book.sheetnames == ["城市部件", "说明"]
    head, point, nowhere, area = book["城市部件"].iter_rows(values_only=True)
    assert head == (
        "标识码", "部件名称", "状态", "状态代码", "数量（个）", "长度（m）", "初始日期", "更新时间", "开放",
        "经度", "纬度",
    )  # fmt: skip
    assert point == (
        ID, "雨水井盖", STATE.zh, STATE.code, 3, 1.5, dt.datetime(2024, 5, 1), dt.datetime(2024, 5, 1, 9, 30), "是",
        120.1234568, 31.9,
    )  # fmt: skip
    assert [value for value in nowhere if value is not None] == ["2"]
    assert area[-2:] == (120.75, 31.75)
    assert book["城市部件"]["A2"].data_type == "s"
    assert book["城市部件"].freeze_panes == "A2"
    notes = dict(book["说明"].iter_rows(values_only=True))
    assert notes["问题"] == "缺失的部件"
    assert notes["生成时间"] == "2026-01-02 08:00:00（北京时间）"
    assert notes["是否完整"].startswith("已截断")
    assert notes["数据性质"].startswith("合成演示数据")
    assert "未写入" not in notes


def test_excel_takes_what_it_has_no_room_for(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "MOST_ROWS", 2)
    odd = {**FULL, "name": "=1+1", "count": 10**16, "since": dt.date(1850, 1, 1), "length_m": np.inf}
    long = {**FULL, "name": "长" * 40_000}
    many = replace(sheet(frame([odd, long, FULL], None), spatial=False), title=Title("部件[1/2]:" * 9, "C"))
    book = openpyxl.load_workbook(written("xlsx", many))
    page = book.worksheets[0]
    assert page.title == "部件 1 2  部件 1 2  部件 1 2  部件 1"
    assert page["B2"].data_type == "s"
    assert page["B2"].value == "=1+1"
    assert [page["E2"].value, page["F2"].value, page["G2"].value] == ["10000000000000000", None, "1850-01-01"]
    assert len(page["B3"].value) == 32_767
    assert page.max_row == 3
    assert "2 行" in dict(book["说明"].iter_rows(values_only=True))["未写入"]


def test_geoparquet_is_read_by_geopandas_with_its_types(answer: Sheet, written: Written) -> None:
    path = written("parquet", answer)
    read = gpd.read_parquet(path)
    assert read.crs == "OGC:CRS84"
    assert read["id"].tolist() == [ID, "2", "3"]
    assert read["since"][0] == dt.date(2024, 5, 1)
    assert read["seen"][0] == FULL["seen"]
    assert read.geometry.isna().tolist() == [False, True, False]
    foot = pq.read_metadata(path)
    assert foot.num_row_groups == 2
    geo = json.loads(foot.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["geometry_types"] == ["Point", "Polygon"]
    assert geo["columns"]["geometry"]["bbox"] == [120.1234568, 31.5, 121.0, 32.0]
    about = json.loads(foot.metadata[b"chengtu"])
    assert about["statement"]["zh"] == "缺失的部件"
    assert about["truncated"]
    assert about["synthetic"]
    assert pq.read_schema(path).field("since").metadata[b"title_zh"].decode() == "初始日期"


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("spatial", [True, False])
def test_an_empty_answer_is_a_valid_file(name: str, spatial: bool, written: Written) -> None:
    path = written(name, sheet(frame([], [] if spatial else None), spatial=spatial))
    match name:
        case "geojson":
            assert json.loads(path.read_text("utf-8"))["features"] == []
        case "gpkg":
            assert pyogrio.read_info(path)["features"] == 0
        case "csv":
            assert len(path.read_text("utf-8-sig").splitlines()) == 1
        case "xlsx":
            assert openpyxl.load_workbook(path).worksheets[0].max_row == 1
        case "parquet":
            assert len((gpd.read_parquet if spatial else pd.read_parquet)(path)) == 0


@pytest.mark.parametrize("name", FORMATS)
def test_an_answer_without_batches_or_geometries_is_a_valid_file(name: str, written: Written) -> None:
    for what in (sheet(), sheet(frame([BARE], [None])), sheet(frame([BARE], [shapely.Point()]))):
        path = written(name, what)
        if name == "parquet":
            assert gpd.read_parquet(path).geometry.isna().all()
        path.unlink()


@pytest.mark.parametrize("name", FORMATS)
def test_a_table_without_geometry_has_no_columns_for_it(name: str, written: Written) -> None:
    path = written(name, sheet(frame([FULL, BARE], None), spatial=False))
    match name:
        case "geojson":
            assert [f["geometry"] for f in json.loads(path.read_text("utf-8"))["features"]] == [None, None]
        case "gpkg":
            assert pyogrio.read_info(path)["geometry_type"] is None
        case "csv":
            assert path.read_text("utf-8-sig").splitlines()[0].endswith("seen,open,about")
        case "xlsx":
            assert openpyxl.load_workbook(path).worksheets[0].max_column == 9
        case "parquet":
            assert pd.read_parquet(path)["id"].tolist() == [ID, "2"]
            assert b"geo" not in pq.read_metadata(path).metadata


def thousands(rows: int) -> Iterator[gpd.GeoDataFrame]:
    """The same 2,000 rows again and again, each with 600 bytes of text."""
    records = [{**FULL, "id": f"{n:017d}", "name": "管理" * 100} for n in range(2_000)]
    batch = frame(records, [shapely.Point(120 + n / 1e6, 32) for n in range(2_000)])
    return (batch for _ in range(0, rows, 2_000))


@pytest.mark.parametrize("name", FORMATS)
def test_sixty_thousand_rows_take_no_more_memory_than_a_few(name: str, tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, __file__, name, tmp_path],
        capture_output=True, text=True, check=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    few_kb, many_kb = map(int, told.stdout.split())
    # Held at once, 60,000 rows are 36 MB of text alone, several times that as Python objects.
    assert many_kb - few_kb < 20_000


def main() -> None:
    """Print the peak memory in kB after writing 4,000 rows and after 60,000, in a process of its own."""
    name, folder = sys.argv[1:]
    for rows in (4_000, 60_000):
        FORMATS[name].write(
            replace(sheet(rows=rows), batches=partial(thousands, rows)), Path(folder, f"{rows}{FORMATS[name].suffix}")
        )
        sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss} ")


if __name__ == "__main__":
    main()
