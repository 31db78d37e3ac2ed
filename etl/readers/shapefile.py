"""Shapefiles looked at before they are opened: is the structure whole, and in which encoding are the texts?"""

import re
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etl.errors import BadOption, CorruptFile, EmptyFile
from etl.findings import Finding
from etl.readers.encodings import encoding_of_values, parse_encoding

_HEADER, _MAGIC = 100, 9994
_DBF_HEADER, _DBF_FIELD = 32, 32
_SAMPLE_RECORDS = 5_000


@dataclass(frozen=True)
class Shapefile:
    """A whole shapefile: the path to open (a copy where the index had to be rebuilt) and the encoding of its texts."""

    path: Path
    encoding: str
    findings: tuple[Finding, ...]


def examine(path: Path, scratch: Path, *, encoding: str | None) -> Shapefile:
    """Check the structure and find the encoding; CorruptFile or EmptyFile where nothing can be read."""
    data = _checked(path)
    findings: list[Finding] = []
    opened, records = path, _indexed(path, data)
    if records is None:
        walked = _walked(path, data)
        opened, records = _rebuilt(path, scratch, walked), len(walked)
        findings.append(Finding("index_rebuilt", "the index (.shx) was missing or did not fit and has been rebuilt"))
    table = sibling(path, ".dbf")
    if table is None:
        findings.append(Finding("no_dbf", "the file of attributes (.dbf) is missing: there are shapes only", "warning"))
        return Shapefile(opened, "utf-8", tuple(findings))
    used, finding = _encoding(path, table, encoding, records=records)
    return Shapefile(opened, used, (*findings, *([finding] if finding else [])))


def sibling(path: Path, suffix: str) -> Path | None:
    """The companion file with another ending, in either case, if there is one."""
    for candidate in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
        if candidate.is_file():
            return candidate
    return None


def _checked(path: Path) -> NDArray[np.uint8]:
    """The bytes of a .shp whose header is right about them."""
    size = path.stat().st_size
    if size == 0:
        raise EmptyFile(path, "the file has no bytes").because("empty")
    data: NDArray[np.uint8] = np.memmap(path, dtype=np.uint8, mode="r")
    if size < _HEADER or _int(data, 0) != _MAGIC:
        raise CorruptFile(path, "this is no shapefile: its first bytes are not those of one").because("shp_broken")
    declared = 2 * _int(data, 24)
    if declared != size:
        told = f"the shapefile is corrupt: its header says {declared:,} bytes, the file has {size:,}"
        raise CorruptFile(path, told).because("shp_broken")
    if size == _HEADER:
        raise EmptyFile(path, "the shapefile has no records")
    return data


def _int(data: NDArray[np.uint8], at: int) -> int:
    return int.from_bytes(data[at : at + 4].tobytes(), "big", signed=True)


def _indexed(path: Path, data: NDArray[np.uint8]) -> int | None:
    """The number of records by the index; None where there is no index, or not one of this file."""
    index = sibling(path, ".shx")
    if index is None or index.stat().st_size <= _HEADER or index.stat().st_size % 8 != _HEADER % 8:
        return None
    entries = np.fromfile(index, dtype=">i4", offset=_HEADER).reshape(-1, 2).astype(np.int64) * 2
    offsets, lengths = entries[:, 0], entries[:, 1]
    if (offsets < _HEADER).any() or (lengths < 4).any() or (offsets + 8 + lengths > len(data)).any():
        return None
    said = np.stack([data[offsets + 4 + i] for i in range(4)], axis=1).copy().view(">i4").ravel().astype(np.int64) * 2
    return len(entries) if (said == lengths).all() else None


def _walked(path: Path, data: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Offset and length, in 16-bit words, of every record; CorruptFile unless they fill the file."""
    records: list[tuple[int, int]] = []
    at = _HEADER
    while at < len(data):
        length = 2 * _int(data, at + 4) if at + 8 <= len(data) else -1
        if length < 4 or at + 8 + length > len(data):
            told = f"the shapefile is corrupt: record {len(records) + 1} goes beyond its end"
            raise CorruptFile(path, told).because("shp_broken")
        records.append((at // 2, length // 2))
        at += 8 + length
    return records


def _rebuilt(path: Path, scratch: Path, records: list[tuple[int, int]]) -> Path:
    """A copy of the shapefile with an index made from its records; the person's folder is left alone."""
    folder = scratch / "rebuilt"
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in (".shp", ".dbf", ".prj"):
        if (part := sibling(path, suffix)) is not None:
            shutil.copyfile(part, folder / f"{path.stem}{suffix}")
    header = bytearray(path.read_bytes()[:_HEADER])
    header[24:28] = struct.pack(">i", (_HEADER + 8 * len(records)) // 2)
    index = np.array(records, dtype=">i4").tobytes()
    (folder / f"{path.stem}.shx").write_bytes(bytes(header) + index)
    return folder / f"{path.stem}.shp"


def _encoding(path: Path, table: Path, encoding: str | None, *, records: int) -> tuple[str, Finding | None]:
    """The encoding of the texts and what to say about it: named by the person, by the .cpg, or told from the bytes."""
    values = _dbf_values(table, records)
    if encoding is not None:
        return parse_encoding(encoding), None
    declared = _declared(path)
    used, believed = encoding_of_values(values, declared)
    plain = all(value.isascii() for value in values)
    if plain or (believed and declared is not None):
        return used, None
    if declared is None:
        return used, Finding("encoding", f"there is no .cpg; the texts read as {used.upper()}")
    text = f"the .cpg says {declared.upper()}, but the texts read as {used.upper()}"
    return used, Finding("wrong_cpg", text, "warning")


def _declared(path: Path) -> str | None:
    page = sibling(path, ".cpg")
    if page is None:
        return None
    name = page.read_bytes()[:64].decode("ascii", errors="ignore").strip()
    try:
        return parse_encoding(re.sub(r"^(?:ANSI|OEM|CP)\s*", "", name, flags=re.IGNORECASE))
    except BadOption:
        return None


def _dbf_values(table: Path, records: int) -> list[bytes]:
    """The names of the fields and the texts of records from all over a .dbf, as bytes; CorruptFile if it is none."""
    with table.open("rb") as file:
        head = file.read(_DBF_HEADER)
        if len(head) < _DBF_HEADER:
            raise CorruptFile(table, "the file of attributes (.dbf) is cut off").because("dbf_broken")
        count, start, width = struct.unpack("<IHH", head[4:12])
        fields = file.read(max(start - _DBF_HEADER, 0))
        if count == 0 or records == 0:
            raise EmptyFile(table)
        if width == 0 or table.stat().st_size < start + (count - 1) * width:
            told = f"the file of attributes (.dbf) is cut off: it promises {count:,} records"
            raise CorruptFile(table, told).because("dbf_broken")
        values, texts = _fields(fields)
        for position in np.unique(np.linspace(0, count - 1, min(count, _SAMPLE_RECORDS)).astype(np.int64)).tolist():
            file.seek(start + position * width)
            record = file.read(width)
            values += [record[a:b].rstrip(b" \x00") for a, b in texts]
    return values


def _fields(raw: bytes) -> tuple[list[bytes], list[tuple[int, int]]]:
    """The names of all fields, and where in a record the texts stand."""
    names: list[bytes] = []
    texts: list[tuple[int, int]] = []
    at = 1  # the first byte of a record says whether it is deleted
    for i in range(0, len(raw) - _DBF_FIELD + 1, _DBF_FIELD):
        if raw[i] == 0x0D:
            break
        length = raw[i + 16]
        names.append(raw[i : i + 11].split(b"\x00")[0])
        if raw[i + 11 : i + 12] == b"C":
            texts.append((at, at + length))
        at += length
    return names, texts
