"""What kind of file a person brought: told by its content, since names lie."""

from __future__ import annotations

import mmap
import re
import unicodedata
import zipfile
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Final

from layers.errors import BadUpload

_TEXT: Final = (".csv", ".tsv", ".tab", ".txt", ".geojson", ".json", ".geojsonl", ".ndjson", ".kml", ".osm")
_SHEETS: Final = (".xlsx", ".xlsm", ".xls")
_BINARY: Final = (".zip", ".kmz", *_SHEETS, ".gpkg", ".parquet", ".geoparquet", ".shp", ".fgb", ".pbf")
MAIN: Final = frozenset((*_TEXT, *_BINARY))
# What belongs to a Shapefile.
COMPANIONS: Final = frozenset((".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".sld"))
_LONGEST: Final = max(map(len, MAIN))
_MOST_NAME: Final = 200
_MOST_ENTRIES: Final = 100_000
_HEAD: Final = 4096
_SHAPES: Final = b"\x00\x00\x27\x0a"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STRANGERS: Final = (
    (b"%PDF", "pdf", "a PDF"),
    (b"\x89PNG", "picture", "a picture"),
    (b"\xff\xd8\xff", "picture", "a picture"),
    (b"GIF8", "picture", "a picture"),
    (b"MZ", "program", "a program"),
    (b"\x7fELF", "program", "a program"),
    (b"#!", "program", "a program"),
    (b"Rar!", "packed", "a RAR archive: pack it as .zip"),
    (b"7z\xbc\xaf", "packed", "a 7z archive: pack it as .zip"),
    (b"\x1f\x8b", "packed", "a gzip archive: pack it as .zip"),
    (b"AC10", "drawing", "a DWG drawing: export it as a Shapefile or GeoPackage"),
)


def safe_name(name: str) -> str:
    """A name without folders, control characters and what file systems mind, of at most 200 bytes."""
    last = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")).name
    plain = re.sub(r"\s+", " ", re.sub(r'[<>:"|?*\x00-\x1f\x7f]', "_", last)).strip(" .")
    stem, suffix = PurePosixPath(plain).stem, PurePosixPath(plain).suffix.lower()
    if not stem or not suffix or len(suffix) > _LONGEST:
        raise BadUpload(plain or "?", "the name of a file ends in what it is, as in lamps.xlsx").because("no_ending")
    # File systems count bytes: a Chinese character is three of them.
    kept = stem.encode("utf-8", "replace")[: _MOST_NAME - len(suffix.encode())]
    return kept.decode("utf-8", "ignore") + suffix


def fitting_name(path: Path, name: str) -> str:
    """The name with an ending that fits the content; BadUpload for a kind that is not taken."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise BadUpload(name, "the file is empty").because("empty")
    stem, suffix = name[: -len(PurePosixPath(name).suffix)], PurePosixPath(name).suffix
    for magic, cause, what in _STRANGERS:
        if head.startswith(magic) and suffix not in COMPANIONS:
            raise BadUpload(name, f"this is {what}").because(cause)
    return stem + _suffix(path, head, name, suffix)


def _suffix(path: Path, head: bytes, name: str, suffix: str) -> str:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(path, name, suffix)
    if head.startswith(_OLE):
        return ".xls"
    if head.startswith(b"SQLite format 3\x00"):
        return ".gpkg"
    if head.startswith(b"PAR1"):
        return suffix if suffix == ".geoparquet" else ".parquet"
    if head.startswith(b"fgb"):
        return ".fgb"
    if head.startswith(_SHAPES) and suffix in (".shp", ".shx", ".sbn", ".sbx"):
        return suffix
    if suffix == ".pbf" and b"OSMHeader" in head[:64]:
        return suffix
    if suffix in COMPANIONS - {".shx"}:
        return suffix
    if _is_text(head):
        return _written(head, name, suffix)
    raise BadUpload(name, f"what is in it is not what the ending {suffix} says").because("mismatch", ending=suffix)


def _zipped(path: Path, name: str, suffix: str) -> str:
    if _entries(path) > _MOST_ENTRIES:
        told = f"the archive has more than {_MOST_ENTRIES:,} entries"
        raise BadUpload(name, told).because("too_many_entries", found=f"{_MOST_ENTRIES:,}+", limit=_MOST_ENTRIES)
    try:
        with zipfile.ZipFile(path) as archive:
            inside = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise BadUpload(name, "the archive is broken or did not come in whole").because("archive_broken") from error
    if any(one.startswith("xl/workbook.") for one in inside):
        return ".xlsx"
    if any(one.startswith(("word/", "ppt/")) for one in inside):
        raise BadUpload(name, "this is a text or a presentation: save its table as a workbook").because("document")
    return ".kmz" if suffix == ".kmz" else ".zip"


def _entries(path: Path) -> int:
    """At least how many entries an archive has, found without opening it, which would hold every one in memory."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return sum(1 for _ in islice(re.finditer(rb"PK\x01\x02", data), _MOST_ENTRIES + 1))


def _is_text(head: bytes) -> bool:
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" not in head


def _written(head: bytes, name: str, suffix: str) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"<" and (b"<html" in head.lower() or b"<table" in head.lower()):
        raise BadUpload(name, "this is a web page: open it in Excel and save it as .xlsx").because("web_page")
    if suffix in _SHEETS:  # many systems export delimited text and call it a workbook
        return ".csv"
    if suffix in _TEXT:
        return suffix
    raise BadUpload(name, f"files ending in {suffix} are not read").because("unknown_ending", ending=suffix)
