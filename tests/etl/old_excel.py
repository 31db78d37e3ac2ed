"""Writes a workbook as Excel 97 did ([MS-XLS], [MS-CFB]): texts and numbers as BIFF8 records in a compound file."""

import struct
from collections.abc import Mapping, Sequence

_SECTOR = 512
_LEAST_STREAM = 4096
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def old_workbook(sheets: Mapping[str, Sequence[Sequence[str | float]]]) -> bytes:
    """The bytes of an .xls file with these sheets."""
    parts = [_sheet(rows) for rows in sheets.values()]
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    names = [_text(name, "<B") for name in sheets]
    at = len(begin) + sum(4 + 6 + len(name) for name in names) + 4
    listed = b""
    for name, part in zip(names, parts, strict=True):
        listed += _record(0x0085, struct.pack("<IH", at, 0) + name)
        at += len(part)
    return _compound(begin + listed + _record(0x000A, b"") + b"".join(parts))


def _sheet(rows: Sequence[Sequence[str | float]]) -> bytes:
    cells = b""
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            place = struct.pack("<HHH", y, x, 0)
            if isinstance(value, str):
                cells += _record(0x0204, place + _text(value, "<H"))
            else:
                cells += _record(0x0203, place + struct.pack("<d", value))
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    return begin + cells + _record(0x000A, b"")


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _text(text: str, length: str) -> bytes:
    return struct.pack(length, len(text)) + b"\x01" + text.encode("utf-16-le")


def _compound(stream: bytes) -> bytes:
    """A compound file with one stream: sector 0 is the FAT, sector 1 the directory, the stream follows."""
    size = max(_LEAST_STREAM, -(-len(stream) // _SECTOR) * _SECTOR)
    last = 1 + size // _SECTOR
    fat = [_FAT, _END, *range(3, last + 1), _END]
    fat += [_FREE] * (_SECTOR // 4 - len(fat))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, _LEAST_STREAM, _END, 0, _END, 0)
    head += struct.pack("<109I", 0, *[_FREE] * 108)
    entries = _entry("Root Entry", 5, child=1, start=_END, size=0) + _entry(
        "Workbook", 2, child=_FREE, start=2, size=size
    )
    directory = entries + _entry("", 0, child=_FREE, start=0, size=0) * 2
    return head + struct.pack(f"<{len(fat)}I", *fat) + directory + stream.ljust(size, b"\0")


def _entry(name: str, kind: int, *, child: int, start: int, size: int) -> bytes:
    text = (name + "\0").encode("utf-16-le") if name else b""
    links = struct.pack("<BBIII", kind, 1, _FREE, _FREE, child)
    return text.ljust(64, b"\0") + struct.pack("<H", len(text)) + links + bytes(36) + struct.pack("<IQ", start, size)
