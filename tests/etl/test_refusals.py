"""What a clerk is told of a file that is no use: a sentence, the next step, and the program's own words apart."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from etl.clean.coordinates import known_frame
from etl.clean.extent import extent_of
from etl.clean.identity import source_name
from etl.errors import EtlError
from etl.readers import read
from etl.readers.encodings import parse_encoding
from layers.reasons import finding_text, reject_reason
from layers.refusals import CAUSES, refusal_told
from tests.conftest import ROOT

LATIN = re.compile(r"[A-Za-z]+")
# Names of products and formats, which are no English sentence.
NAMES = {
    "Excel",
    "xlsx",
    "xls",
    "CSV",
    "Shapefile",
    "GeoPackage",
    "GeoJSON",
    "KML",
    "OSM",
    "Parquet",
    "shp",
    "dbf",
    "zip",
}
_WORDS = ROOT / "webmap" / "src" / "words"
WORDS = "".join((_WORDS / name).read_text(encoding="utf-8") for name in ("data.ts", "why.ts"))


def workbook(*sheets: str) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in sheets:
        book.create_sheet(name).append(["编号", "名称"])
        book[name].append([1, "甲"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def archive(name: str, content: bytes, *, locked: bool = False) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(name, content)
    data = bytearray(file.getvalue())
    if locked:
        for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            data[data.index(mark) + at] |= 1
    return bytes(data)


FILES: dict[str, tuple[str, bytes]] = {
    "no_rows": ("只有表头.csv", "编号,名称,经度,纬度\n".encode()),
    "no_header": ("没有表头.csv", b"1,2,120.8,32.0\n2,3,120.9,32.1\n"),
    "open_quote": ("引号.csv", '编号,名称\n1,"甲\n2,乙\n3,丙\n'.encode()),
    "geojson_broken": ("断.geojson", b'{"type":"FeatureCollection","features":[{"type":"Fea'),
    "gpkg_broken": ("断.gpkg", b"SQLite format 3\x00" + b"\x00" * 2000),
    "kml_broken": ("断.kml", b"<kml><Document><Placemark>"),
    "parquet_broken": ("断.parquet", b"PAR1" + b"\x00" * 50),
    "shp_broken": ("断.shp", b"\x00\x00\x27\x0a" + b"\x00" * 200),
    "sheet_broken": ("断.xlsx", archive("xl/workbook.xml", b"<workbook>")),
    "sheet_old_broken": ("断.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600),
    "choose_sheet": ("两张.xlsx", workbook("甲", "乙")),
    "archive_unknown": ("说明.zip", archive("说明.doc", b"x")),
    "archive_password": ("密码.zip", archive("a.csv", b"a,b\n1,2\n" * 9, locked=True)),
    "archive_broken": ("断.zip", archive("a.csv", b"a,b\n1,2\n" * 9)[:-30]),
    "empty": ("空.csv", b""),
}


def assert_plain(told: dict[str, Any], *given: str) -> None:
    """A sentence and a next step in Chinese, neither with words of a command line."""
    for text in (told["zh"], told["next"]["zh"]):
        assert "--" not in text
        assert set(LATIN.findall(text)) <= NAMES | set(given), text
    assert "--" not in str(told["en"])
    assert told["detail"]


@pytest.mark.parametrize("cause", FILES)
def test_a_file_that_is_no_use_is_refused_in_words_of_the_clerk(cause: str, tmp_path: Path) -> None:
    name, content = FILES[cause]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EtlError) as caught:
        read(tmp_path / name)
    told = refusal_told(caught.value)
    assert told["cause"] == cause, str(caught.value)
    assert_plain(told)


@pytest.mark.parametrize(
    ("cause", "ask", "given"),
    [
        ("unknown_frame", known_frame, "Beijing9999"),
        ("unknown_extent", extent_of, "Nowhere"),
        ("bad_extent", extent_of, "1,2,3,x"),
        ("bad_source", lambda text: source_name(text), "a b/c"),
        ("unknown_encoding", parse_encoding, "klingon"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_in_words_of_the_clerk(
    cause: str, ask: Callable[[str], object], given: str
) -> None:
    with pytest.raises(EtlError) as caught:
        ask(given)
    told = refusal_told(caught.value)
    assert told["cause"] == cause
    assert given in told["zh"]
    assert_plain(told, *LATIN.findall(given))


def calls(*folders: str) -> Iterator[ast.Call]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from (n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call))


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def literal(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def test_every_cause_has_its_words() -> None:
    loader = {literal(c.args[0]) for c in calls("etl") if called(c) == "because"} - {None}
    assert len(loader) > 30
    assert loader <= CAUSES.keys()
    server = {str(literal(c.args[0])) for c in calls("layers", "api") if called(c) == "because" and literal(c.args[0])}
    pages = set(re.findall(r"(?:dataNo|why)_(\w+):", WORDS))
    assert server - pages - CAUSES.keys() == set()


def test_every_reason_of_a_row_and_every_finding_has_a_chinese_sentence() -> None:
    rejected = {literal(k.value) for c in calls("etl/clean", "etl/readers") if called(c) == "rejects"
                for k in c.keywords if k.arg == "code"}  # fmt: skip
    rejected |= {literal(c.args[1]) for c in calls("etl/clean") if called(c) == "Problem" and len(c.args) > 1}
    found = {literal(c.args[0]) for c in calls("etl") if called(c) == "Finding"}
    for code in rejected - {None}:
        assert reject_reason(str(code), "x").zh != "x", code
    for code in found - {None}:
        assert finding_text(str(code), "1 x", None).zh != "1 x", code


def test_a_reason_says_nothing_of_the_command_line() -> None:
    told = reject_reason("missing_required", "the layer needs a value for state; --set state=… gives all rows one")
    assert told.en == "the layer needs a value for state"
