"""Encodings told from bytes: of text files, of attribute tables with right, wrong and missing labels."""

from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from etl.errors import BadOption, CorruptFile
from etl.readers import read
from etl.readers.encodings import encoding_of_values, parse_encoding

CHINESE = "名称,位置\n崇川区路灯,人民中路128号\n通州区井盖,金沙街道建设路与青年路交叉口\n" * 3
KOREAN = "이름,주소\n오산시 가로등,경기도 오산시 오산동 123\n화성시 가로등,경기도 화성시 동탄대로\n" * 3
TRADITIONAL = "名稱,地址\n臺北市路燈,臺北市中正區重慶南路一段\n高雄市人孔蓋,高雄市苓雅區四維三路\n" * 3
WESTERN = "nom,rue\nCafé Élysée,Rue de l’Église\nMusée,Allée des Façades\n" * 3


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (CHINESE, "gbk"),
        (CHINESE, "gb18030"),
        (CHINESE, "utf-8"),
        (CHINESE, "utf-8-sig"),
        (CHINESE, "utf-16"),
        (KOREAN, "euc-kr"),
        (KOREAN, "cp949"),
        (KOREAN, "utf-8"),
        (TRADITIONAL, "big5"),
        (WESTERN, "cp1252"),
    ],
)
def test_texts_of_every_encoding_come_out_right(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    header, first = (line.split(",") for line in text.splitlines()[:2])
    table = read(path)
    assert list(table.headers) == header
    assert table.columns.iloc[0].tolist() == first


def test_headers_alone_tell_korean_from_chinese(tmp_path: Path) -> None:
    (tmp_path / "k.csv").write_bytes("위도,경도\n37.1,127.0\n".encode("euc-kr"))
    (tmp_path / "c.csv").write_bytes("经度,纬度,名称\n120.8,32.0,崇川\n".encode("gbk"))
    assert read(tmp_path / "k.csv").headers == ("위도", "경도")
    assert read(tmp_path / "c.csv").headers == ("经度", "纬度", "名称")


def test_chinese_deep_in_a_long_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 600_000 + "3,测试\n".encode("gbk"))
    assert read(path).columns["b"].iloc[-1] == "测试"


def test_an_encoding_that_a_person_names_is_taken_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(CHINESE.encode("gbk"))
    assert read(path, encoding="GBK").headers == ("名称", "位置")
    with pytest.raises(CorruptFile):
        read(path, encoding="utf-8")
    with pytest.raises(BadOption, match="no such encoding"):
        read(path, encoding="klingon")


@pytest.mark.parametrize(
    ("name", "codec"), [("936", "gb18030"), ("GB2312", "gb18030"), ("65001", "utf-8"), ("EUC-KR", "cp949")]
)
def test_usual_names_of_encodings_are_known(name: str, codec: str) -> None:
    assert parse_encoding(name) == codec


def shapefile(folder: Path, encoding: str, label: str | None) -> Path:
    points = shapely.points([120, 121], [32, 32])
    frame = gpd.GeoDataFrame({"名称": ["人民中路", "青年路路灯"]}, geometry=points, crs="EPSG:4326")
    frame.to_file(folder / "a.shp", encoding=encoding)
    (folder / "a.cpg").unlink(missing_ok=True)
    if label is not None:
        (folder / "a.cpg").write_text(label)
    return folder / "a.shp"


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8"])
@pytest.mark.parametrize("label", [None, "UTF-8", "GBK", "936", "ISO-8859-1", "88591", "nonsense", ""])
def test_no_label_of_a_shapefile_spoils_its_texts(tmp_path: Path, encoding: str, label: str | None) -> None:
    table = read(shapefile(tmp_path, encoding, label))
    assert table.headers == ("名称",)
    assert table.columns["名称"].tolist() == ["人民中路", "青年路路灯"]


def test_a_last_character_cut_in_half_does_not_spoil_the_rest() -> None:
    assert encoding_of_values(["人民中路".encode("gbk"), "青年路路灯".encode("gbk")[:-1]]) == ("gb18030", False)


COMMON = (
    "的一是在有人这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没"
)


@given(st.text(alphabet=COMMON, min_size=12).filter(lambda text: len(set(text)) > 4))
def test_common_chinese_in_gbk_is_never_taken_for_something_else(text: str) -> None:
    assert encoding_of_values([text.encode("gbk")])[0] == "gb18030"


@given(st.text(min_size=1).filter(lambda text: not text.isascii() and "\x00" not in text))
def test_valid_utf8_without_a_label_is_utf8(text: str) -> None:
    raw = text.encode("utf-8", errors="ignore")
    if not raw.isascii():
        assert encoding_of_values([raw])[0] == "utf-8"
