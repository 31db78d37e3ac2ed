"""Files of every format, as people send them, read into tables."""

import json
import shutil
import socket
import struct
import warnings
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely

from etl.errors import ChoiceNeeded, CorruptFile, EmptyFile, EtlError, TooLarge, UnknownFormat, UnreadableFile
from etl.readers import Limits, read
from etl.readers.table import unique_headers
from tests.etl.old_excel import old_workbook


@pytest.fixture
def lamps() -> gpd.GeoDataFrame:
    columns = {"编码": ["a", "b"], "名称": ["路灯", "井盖"], "层数": [3, None]}
    return gpd.GeoDataFrame(columns, geometry=shapely.points([120.8, 120.9], [32.0, 32.1]), crs="EPSG:4490")


def write_csv(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("suffix", "driver"),
    [
        (".geojson", "GeoJSON"),
        (".gpkg", "GPKG"),
        (".shp", "ESRI Shapefile"),
        (".fgb", "FlatGeobuf"),
        (".gdb", "OpenFileGDB"),
    ],
)
def test_every_vector_format_gives_the_same_rows(
    tmp_path: Path, lamps: gpd.GeoDataFrame, suffix: str, driver: str
) -> None:
    path = tmp_path / f"lamps{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lamps.to_file(path, driver=driver)
    table = read(path)
    order = table.columns["编码"].argsort()  # FlatGeobuf sorts by place
    assert table.columns["名称"].iloc[order].tolist() == ["路灯", "井盖"]
    assert table.geometry is not None
    assert shapely.equals_exact(table.geometry[order], lamps.geometry.to_numpy(), tolerance=1e-9).all()
    # RFC 7946 knows WGS-84 only, and CGCS2000 counts as equal to it
    assert table.frame in ("EPSG:4490", "EPSG:4326")
    assert table.rows.tolist() == [1, 2]


def test_geoparquet_and_plain_parquet_are_read(tmp_path: Path, lamps: gpd.GeoDataFrame) -> None:
    lamps.to_parquet(tmp_path / "with.parquet")
    pd.DataFrame({"lon": [120.8], "lat": [32.0]}).to_parquet(tmp_path / "without.parquet")
    assert read(tmp_path / "with.parquet").frame == "EPSG:4490"
    assert read(tmp_path / "without.parquet").geometry is None


KML = """<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>灯</name>
<Placemark><name>路灯1</name><ExtendedData><Data name="状态"><value>完好</value></Data></ExtendedData>
<Point><coordinates>120.8,32.0,5</coordinates></Point></Placemark></Document></kml>"""


def test_kml_and_kmz_come_keep_the_names_of_their_data(tmp_path: Path) -> None:
    plain = write_csv(tmp_path / "doc.kml", KML)
    with zipfile.ZipFile(tmp_path / "lamps.kmz", "w") as archive:
        archive.write(plain, "doc.kml")
    for name in ("doc.kml", "lamps.kmz"):
        table = read(tmp_path / name)
        assert table.columns["name"].tolist() == ["路灯1"]
        assert table.columns["状态"].tolist() == ["完好"]


OSM = """<?xml version="1.0"?><osm version="0.6"><node id="1" lat="32.0" lon="120.8" version="1"/>
<node id="2" lat="32.01" lon="120.81" version="1"/><way id="7" version="1"><nd ref="1"/><nd ref="2"/>
<tag k="highway" v="primary"/>
<tag k="name" v="人民路"/><tag k="lanes" v="4"/><tag k="surface" v="a &quot;b&quot;"/></way></osm>"""


def test_an_osm_extract_gives_lines_for_a_layer_of_lines_with_all_tags(tmp_path: Path) -> None:
    table = read(write_csv(tmp_path / "roads.osm", OSM), shape="MultiLineString")
    assert table.columns["name"].tolist() == ["人民路"]
    assert table.columns["lanes"].tolist() == ["4"]
    assert table.columns["surface"].tolist() == ['a "b"']


def test_an_extract_with_unsorted_nodes_is_read(tmp_path: Path) -> None:
    # The fixture that comes with pyogrio is such a file.
    shutil.copy(Path(pyogrio.__file__).parent / "tests" / "fixtures" / "sample.osm.pbf", tmp_path / "a.osm.pbf")
    for shape, count in (("Point", 8), ("MultiLineString", 36), ("MultiPolygon", 8)):
        table = read(tmp_path / "a.osm.pbf", shape=shape)  # type: ignore[arg-type]
        assert len(table) == count
        assert [finding.code for finding in table.findings] == ["tables_not_read"]
    with pytest.raises(ChoiceNeeded, match="--table: points, lines"):
        read(tmp_path / "a.osm.pbf")
    assert len(read(tmp_path / "a.osm.pbf", table="other_relations")) == 4


def test_an_extract_without_the_shape_of_the_layer_says_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(EmptyFile, match="no points; it has lines"):
        read(write_csv(tmp_path / "roads.osm", OSM), shape="Point")


def test_rare_tags_stand_together_in_one_column(tmp_path: Path) -> None:
    nodes = "".join(
        f'<node id="{i}" lat="32.0" lon="120.8" version="1"><tag k="name" v="n"/><tag k="bench" v="yes"/></node>'
        for i in range(1, 2_002)
    )
    tags = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in (("name", "n"), ("odd", 1), ("seldom", 2)))
    rare = f'<node id="3000" lat="32" lon="120.8" version="1">{tags}</node>'
    table = read(write_csv(tmp_path / "a.osm", f'<?xml version="1.0"?><osm version="0.6">{nodes}{rare}</osm>'))
    assert table.columns["bench"].notna().sum() == 2_001
    assert table.columns["other_tags"].dropna().tolist() == ["odd=1; seldom=2"]
    assert table.findings == ()


def test_csv_delimiters_quotes_and_blank_lines_are_understood(tmp_path: Path) -> None:
    for delimiter in (",", "\t", ";", "|"):
        text = f'\n名称{delimiter}说明\n甲{delimiter}"两{delimiter}行\n文字"\n\n乙{delimiter}NULL\n'
        table = read(write_csv(tmp_path / "a.csv", text))
        assert table.headers == ("名称", "说明")
        assert table.columns["说明"].tolist()[0] == f"两{delimiter}行\n文字"
        assert table.columns["说明"].isna().tolist() == [False, True]
        assert table.rows[0] == 3


def test_lines_of_another_width_are_rejected_with_their_row(tmp_path: Path) -> None:
    table = read(write_csv(tmp_path / "a.csv", "a,b\n1,2\n3\n4,5\n6,7,8\n"))
    assert table.columns["a"].tolist() == ["1", "4"]
    assert table.rows.tolist() == [2, 4]
    assert table.rejects["row"].tolist() == [3, 5]
    assert table.rejects["raw"].tolist() == ["3", "6,7,8"]
    assert set(table.rejects["code"]) == {"ragged_row"}


class Enough(Exception):
    """Somebody does not want it any more."""


@pytest.mark.parametrize("kind", ["csv", "gbk.csv", "xlsx", "kml", "geojson", "parquet"])
def test_reading_tells_its_rows_and_can_be_ended_at_any_of_them(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    frame = gpd.GeoDataFrame({"名称": ["甲"] * 6_000}, geometry=[shapely.Point(120.8, 32)] * 6_000, crs="EPSG:4326")
    if kind.endswith("csv"):
        frame[["名称"]].assign(号=range(6_000)).to_csv(path, encoding="gb18030" if "gbk" in kind else "utf-8")
    elif kind == "xlsx":
        frame[["名称"]].to_excel(path)
    elif kind == "kml":
        point = "<Placemark><name>甲</name><Point><coordinates>120.8,32</coordinates></Point></Placemark>"
        path.write_text(f"<kml><Document>{point * 6_000}</Document></kml>", encoding="utf-8")
    elif kind == "geojson":
        frame.to_file(path)
    else:
        frame.to_parquet(path)
    told: list[tuple[int, int | None]] = []
    assert len(read(path, progress=lambda done, total: told.append((done, total)))) == 6_000
    assert told
    assert all(done <= (total or done) for done, total in told)

    def end(_: int, __: int | None) -> None:
        raise Enough

    with pytest.raises(Enough):
        read(path, progress=end)


def test_a_first_line_of_values_is_not_taken_for_headers(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="not headers"):
        read(write_csv(tmp_path / "a.csv", "120.8,32.0\n120.9,32.1\n"))


def test_an_open_quote_makes_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(CorruptFile) as refused:
        read(write_csv(tmp_path / "a.csv", 'a,b\n1,"2\n' + "3,4\n" * 10))
    assert "\n" not in str(refused.value)


def test_headers_are_never_empty_nor_twice() -> None:
    assert unique_headers(["a", " a ", "", "a", "\ufeffb"]) == ["a", "a (2)", "column 3", "a (3)", "b"]


def workbook(path: Path, **sheets: Sequence[Sequence[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_a_title_above_the_headers_of_a_sheet_is_left_out(tmp_path: Path) -> None:
    rows = [
        ["南通市路灯台账", None, None],
        ["编号", "经度", "安装日期"],
        ["001", 120.8, datetime(2020, 5, 1)],
        [None] * 3,
    ]
    table = read(workbook(tmp_path / "a.xlsx", 台账=[*rows, ["002", 120.9, datetime(2021, 5, 1)]]))
    assert table.headers == ("编号", "经度", "安装日期")
    assert table.columns["编号"].tolist() == ["001", "002"]
    assert table.columns["安装日期"].dt.year.tolist() == [2020, 2021]
    assert table.rows.tolist() == [3, 5]
    assert [finding.code for finding in table.findings] == ["title_rows"]


def test_a_workbook_with_several_filled_sheets_asks_for_one(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", 一=[["a"], ["x"]], 二=[["a"], ["y"]], 空=[])
    with pytest.raises(ChoiceNeeded, match="--sheet: 一, 二"):
        read(path)
    assert read(path, table="二").columns["a"].tolist() == ["y"]


def test_broken_and_protected_workbooks_are_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    (tmp_path / "b.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600)
    for name in ("a.xls", "b.xlsx"):
        with pytest.raises(UnreadableFile, match=r"save it as \.xlsx"):
            read(tmp_path / name)


@pytest.mark.parametrize("name", ["a.xls", "a.xlsx"])
def test_an_old_workbook_is_read_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    rows = [["路灯台账"], ["编号", "经度", "杆数"], ["001", 120.8, 3.0], [], ["002", 120.9, 4.0]]
    (tmp_path / name).write_bytes(old_workbook({"台账": rows}))
    table = read(tmp_path / name)
    assert table.headers == ("编号", "经度", "杆数")
    assert table.columns["编号"].tolist() == ["001", "002"]
    assert table.columns["经度"].tolist() == [120.8, 120.9]
    assert table.rows.tolist() == [3, 5]


def test_an_old_workbook_with_several_filled_sheets_asks_for_one(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_bytes(old_workbook({"一": [["a"], ["x"]], "二": [["a"], ["y"]], "空": []}))
    with pytest.raises(ChoiceNeeded, match="--sheet: 一, 二"):
        read(tmp_path / "a.xls")
    assert read(tmp_path / "a.xls", table="二").columns["a"].tolist() == ["y"]


def test_a_new_workbook_called_xls_is_read(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", 台账=[["a"], ["x"]]).rename(tmp_path / "a.xls")
    assert read(tmp_path / "a.xls").columns["a"].tolist() == ["x"]


def test_a_zip_with_junk_and_folders_is_read(tmp_path: Path, lamps: gpd.GeoDataFrame) -> None:
    lamps.to_file(tmp_path / "lamps.shp", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for part in tmp_path.glob("lamps.*"):
            archive.write(part, f"数据/{part.name}")
            archive.writestr(f"__MACOSX/数据/._{part.name}", b"junk")
        archive.writestr("数据/.DS_Store", b"junk")
        archive.writestr("数据/readme.pdf", b"junk")
    assert read(tmp_path / "a.zip").columns["名称"].tolist() == ["路灯", "井盖"]


def test_a_zip_with_several_files_asks_for_one(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one.csv", "a,b\n1,2\n")
        archive.writestr("two.csv", "a,b\n3,4\n")
    with pytest.raises(ChoiceNeeded, match="--table: one, two"):
        read(tmp_path / "a.zip")
    assert read(tmp_path / "a.zip", table="two").columns["a"].tolist() == ["3"]


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * 2_000_000)
    with pytest.raises(TooLarge, match="unpacked bytes"):
        read(tmp_path / "a.zip", limits=Limits(unpacked_bytes=1_000_000))


@pytest.mark.parametrize("name", ["../../evil.csv", "/evil.csv", "C:\\evil.csv"])
def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "a,b\n1,2\n")
    with pytest.raises(UnreadableFile, match="leave its folder"):
        read(tmp_path / "a.zip")


def test_bounds_on_bytes_rows_and_columns_hold(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", "a,b\n1,2\n3,4\n")
    for limits, what in ((Limits(file_bytes=5), "bytes"), (Limits(rows=1), "rows"), (Limits(columns=1), "columns")):
        with pytest.raises(TooLarge, match=what):
            read(path, limits=limits)


@pytest.mark.parametrize("name", ["a.shp", "a.geojson", "a.gpkg", "a.zip", "a.xlsx", "a.parquet", "a.kml"])
@pytest.mark.parametrize("content", [b"", b"\x00\x01garbage", b"\n\n"])
def test_empty_and_broken_files_of_every_format_give_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EtlError) as refused:
        read(tmp_path / name)
    assert str(refused.value).startswith("a.")
    assert "\n" not in str(refused.value)


def test_a_file_whose_content_is_another_format_is_not_let_through(tmp_path: Path) -> None:
    secret = write_csv(tmp_path / "secret.csv", "a,b\n1,2\n")
    layer = f"<OGRVRTLayer name='s'><SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer>"
    vrt = f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>"
    for name in ("a.geojson", "a.kml", "a.gpkg", "a.fgb", "a.osm"):
        with pytest.raises((UnknownFormat, CorruptFile)):
            read(write_csv(tmp_path / name, vrt))


@pytest.mark.parametrize("name", ["a.geojson", "a.json", "a.gpkg", "a.fgb", "a.osm"])
def test_no_file_makes_the_reader_ask_another_file_or_server(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"/vsicurl/http://127.0.0.1:{other.getsockname()[1]}/a.geojson"
        vrt = f"<OGRVRTLayer name='a'><SrcDataSource>{url}</SrcDataSource></OGRVRTLayer>"
        pipeline = {"type": "gdal_streamed_alg", "command_line": f"gdal vector filter {url} a --where 1=1"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for text in (f"<OGRVRTDataSource>{vrt}</OGRVRTDataSource>", json.dumps(pipeline)):
                with pytest.raises((UnknownFormat, CorruptFile)):
                    read(write_csv(tmp_path / name, text))
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()


def test_a_row_of_any_number_does_not_keep_the_reader_busy(tmp_path: Path) -> None:
    plain = tmp_path / "plain.xlsx"
    book = openpyxl.Workbook()
    for row in (("a", "b"), ("1", "2")):
        book.active.append(row)
    book.save(plain)
    with zipfile.ZipFile(plain) as whole, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as far:
        for name in whole.namelist():
            far.writestr(name, whole.read(name).replace(b'<row r="2"', b'<row r="500000000000"'))
    with pytest.raises(TooLarge, match="rows of a sheet"):
        read(tmp_path / "a.xlsx")


def test_what_cannot_be_read_says_what_can(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"\.geojson"):
        read(write_csv(tmp_path / "a.dwg", "x"))
    with pytest.raises(UnreadableFile, match="no such file"):
        read(tmp_path / "nothing.csv")
    (tmp_path / "folder").mkdir()
    write_csv(tmp_path / "folder" / "a.csv", "a\n1\n")
    with pytest.raises(UnknownFormat, match="folder"):
        read(tmp_path / "folder")


def test_a_shapefile_cut_off_anywhere_is_refused(tmp_path: Path, lamps: gpd.GeoDataFrame) -> None:
    lamps.to_file(tmp_path / "lamps.shp", encoding="utf-8")
    whole = (tmp_path / "lamps.shp").read_bytes()
    for length in (1, 50, 100, len(whole) - 1):
        (tmp_path / "lamps.shp").write_bytes(whole[:length])
        with pytest.raises((CorruptFile, EmptyFile)):
            read(tmp_path / "lamps.shp")


def test_a_record_that_runs_over_the_end_is_found_without_an_index(tmp_path: Path, lamps: gpd.GeoDataFrame) -> None:
    lamps.to_file(tmp_path / "lamps.shp", encoding="utf-8")
    (tmp_path / "lamps.shx").unlink()
    data = bytearray((tmp_path / "lamps.shp").read_bytes())
    data[104:108] = struct.pack(">i", 10_000)
    (tmp_path / "lamps.shp").write_bytes(bytes(data))
    with pytest.raises(CorruptFile, match="record 1"):
        read(tmp_path / "lamps.shp")


def test_a_missing_index_is_rebuilt_beside_a_copy(tmp_path: Path, lamps: gpd.GeoDataFrame) -> None:
    lamps.to_file(tmp_path / "lamps.shp", encoding="utf-8")
    (tmp_path / "lamps.shx").unlink()
    table = read(tmp_path / "lamps.shp")
    assert table.columns["名称"].tolist() == ["路灯", "井盖"]
    assert "index_rebuilt" in [finding.code for finding in table.findings]
    assert not (tmp_path / "lamps.shx").exists()


def test_a_shapefile_without_records_is_empty(tmp_path: Path, lamps: gpd.GeoDataFrame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lamps.iloc[:0].to_file(tmp_path / "none.shp", encoding="utf-8")
    with pytest.raises(EmptyFile):
        read(tmp_path / "none.shp")


def test_a_file_with_several_tables_asks_for_one(tmp_path: Path, lamps: gpd.GeoDataFrame) -> None:
    for name in ("lamps", "covers"):
        lamps.to_file(tmp_path / "a.gpkg", layer=name, driver="GPKG")
    with pytest.raises(ChoiceNeeded, match="--table: lamps, covers"):
        read(tmp_path / "a.gpkg")
    with pytest.raises(ChoiceNeeded, match="none called bins"):
        read(tmp_path / "a.gpkg", table="bins")
    assert len(read(tmp_path / "a.gpkg", table="covers")) == 2


def test_a_zipped_geodatabase_is_read(tmp_path: Path, lamps: gpd.GeoDataFrame) -> None:
    lamps.to_file(tmp_path / "lamps.gdb", driver="OpenFileGDB")
    shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path, "lamps.gdb")
    assert read(tmp_path / "a.zip").columns["名称"].tolist() == ["路灯", "井盖"]
