"""Tile archives (PMTiles version 3): the stored bytes of a tile by its number, and new archives in one stroke.

https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md
"""

from __future__ import annotations

import json
import mmap
import os
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from pmtiles.tile import (
    Compression,
    MagicNumberNotFound,
    SpecVersionUnsupported,
    TileType,
    deserialize_header,
)

from gis.errors import BadArchive
from gis.tilegrid import Box

Kind = Literal["mvt", "png", "jpeg", "webp", "avif"]
Encoding = Literal["none", "gzip", "brotli", "zstd"]

HEADER_BYTES = 127
_DEEPEST = 3  # levels of directories below the root
_MOST_INFLATED = 8 * 1024 * 1024
_LEAVES_KEPT = 64
_MOST_FLAT = 1024 * 1024  # bytes of directories: some 250,000 entries
E7 = 10_000_000
_NO_END = (1 << 63) - 1
Column = NDArray[np.int64]


@dataclass(frozen=True)
class Header:
    """What an archive says of itself; `tiles` counts addresses, `contents` different tiles."""

    kind: Kind
    compression: Encoding
    minzoom: int
    maxzoom: int
    bounds: Box
    clustered: bool
    tiles: int
    contents: int


class _Directory(NamedTuple):
    """Entries side by side, in ascending order of `ids`; where `runs` is 0, the entry is a directory further down."""

    ids: array[int]
    runs: array[int]
    starts: array[int]
    lengths: array[int]


class Archive:
    """An archive that is mapped into memory; reads are safe from several threads."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.path = path
        self._data = data
        sections = self._read_header()
        self.header = _header(path, sections)
        self._tiles_at, self._tiles_bytes = _section(path, sections, "tile_data", len(data))
        self._leaves_at, self._leaves_bytes = _section(path, sections, "leaf_directory", len(data))
        self._gzipped = sections["internal_compression"] == Compression.GZIP
        if not self._gzipped and sections["internal_compression"] != Compression.NONE:
            raise BadArchive(path, f"its directories are compressed with {_name(sections['internal_compression'])}")
        self._root = self._decoded(*_section(path, sections, "root", len(data)), first=0, end=_NO_END)
        self.metadata = self._read_metadata(*_section(path, sections, "metadata", len(data)))
        self._leaf = lru_cache(maxsize=_LEAVES_KEPT)(self._read_leaf)
        if self._leaves_bytes <= _MOST_FLAT:
            # One search instead of one a level; and what is damaged shows at once.
            self._root = _directory(np.array([*self._walk(self._root, _NO_END, _DEEPEST)], np.int64).reshape(-1, 4).T)
            self._leaf.cache_clear()

    @classmethod
    def open(cls, path: Path) -> Archive:
        """Map an archive; BadArchive says what is wrong with a file that is none, or none that can be served."""
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size == 0:
                    raise BadArchive(path, "the file is empty")
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise BadArchive(path, error.strerror or "it cannot be read") from None
        return cls(path, data)

    @property
    def compression(self) -> Encoding:
        """How the stored tiles are compressed."""
        return self.header.compression

    def get(self, tile_id: int) -> bytes | None:
        """The stored bytes of a tile, compressed as they are; None when it has none. BadArchive if it is damaged."""
        directory, end = self._root, _NO_END
        for _ in range(_DEEPEST + 1):
            ids, runs, starts, lengths = directory
            at = bisect_right(ids, tile_id) - 1
            if at < 0:
                return None
            if run := runs[at]:
                if tile_id - ids[at] >= run:
                    return None
                start = self._tiles_at + starts[at]
                return self._data[start : start + lengths[at]]
            directory, end = self._below(directory, at, end), self._end(directory, at, end)
        raise BadArchive(self.path, "its directories are nested too deeply")

    def tiles(self) -> Iterator[tuple[int, bytes]]:
        """Every tile with its number, in ascending order. BadArchive if it is damaged."""
        for first, run, start, length in self._walk(self._root, _NO_END, _DEEPEST):
            data = self._data[self._tiles_at + start : self._tiles_at + start + length]
            yield from ((tile_id, data) for tile_id in range(first, first + run))

    def close(self) -> None:
        """Let go of the directories; the file stays mapped until the last reader lets go of the archive."""
        self._leaf.cache_clear()

    def _walk(self, directory: _Directory, end: int, levels: int) -> Iterator[tuple[int, int, int, int]]:
        """The entries that lead to tiles, in this directory and below it."""
        for at, entry in enumerate(zip(*directory, strict=True)):
            if entry[1]:
                yield entry
            elif levels:
                yield from self._walk(self._below(directory, at, end), self._end(directory, at, end), levels - 1)
            else:
                raise BadArchive(self.path, "its directories are nested too deeply")

    def _below(self, directory: _Directory, at: int, end: int) -> _Directory:
        return self._leaf(directory.starts[at], directory.lengths[at], directory.ids[at], self._end(directory, at, end))

    def _end(self, directory: _Directory, at: int, end: int) -> int:
        return directory.ids[at + 1] if at + 1 < len(directory.ids) else end

    def _read_leaf(self, start: int, length: int, first: int, end: int) -> _Directory:
        return self._decoded(self._leaves_at + start, length, first=first, end=end)

    def _decoded(self, start: int, length: int, *, first: int, end: int) -> _Directory:
        """The directory of these bytes, whose tiles must all be from `first` up to before `end`."""
        try:
            columns = _entries(self._inflated(start, length))
        except ValueError as error:
            raise BadArchive(self.path, f"a directory is damaged: {error}") from None
        ids, runs, starts, lengths = columns
        inside = np.where(runs > 0, self._tiles_bytes, self._leaves_bytes)
        # In order and apart: else a directory could lead to itself.
        ends = np.append(ids[1:], end)[: ids.size]
        sound = (ids >= first) & (ids < ends) & (runs <= ends - ids) & (starts >= 0) & (lengths > 0)
        if not (sound & (lengths <= inside) & (starts <= inside - lengths)).all():
            raise BadArchive(self.path, "a directory is damaged: an entry leads outside")
        return _directory(columns)

    def _inflated(self, start: int, length: int) -> bytes:
        stored = self._data[start : start + length]
        if not self._gzipped:
            return stored
        stream = zlib.decompressobj(31)
        try:
            data = stream.decompress(stored, _MOST_INFLATED)
        except zlib.error:
            raise ValueError("it cannot be decompressed") from None
        if not stream.eof:
            raise ValueError("it is cut off, or too large")
        return data

    def _read_header(self) -> dict[str, Any]:
        start = self._data[:HEADER_BYTES]
        if start[:7] != b"PMTiles":
            raise BadArchive(self.path, "not a PMTiles file")
        if len(start) < HEADER_BYTES:
            raise BadArchive(self.path, "the file is cut off")
        try:
            sections: dict[str, Any] = dict(deserialize_header(start))
        except SpecVersionUnsupported:
            raise BadArchive(self.path, f"PMTiles version {start[7]}; only version 3 is read") from None
        except (MagicNumberNotFound, ValueError) as error:
            raise BadArchive(self.path, f"its header is damaged: {error}") from None
        return sections

    def _read_metadata(self, start: int, length: int) -> dict[str, Any]:
        try:
            metadata = json.loads(self._inflated(start, length)) if length else {}
        except (ValueError, RecursionError):
            raise BadArchive(self.path, "its metadata cannot be read") from None
        if not isinstance(metadata, dict):
            raise BadArchive(self.path, "its metadata is not an object")
        return metadata


def _directory(columns: Iterable[Column]) -> _Directory:
    return _Directory(*(array("q", column.tobytes()) for column in columns))


def _name(value: Compression | TileType) -> str:
    return str(value.name)


def _header(path: Path, sections: Mapping[str, Any]) -> Header:
    kind, compression = _name(sections["tile_type"]).lower(), _name(sections["tile_compression"]).lower()
    if kind not in get_args(Kind):
        raise BadArchive(path, f"its tiles are of type {kind.upper()}; only MVT and images are served")
    if compression not in get_args(Encoding):
        raise BadArchive(path, "it does not say how its tiles are compressed")
    if not 0 <= sections["min_zoom"] <= sections["max_zoom"] <= 30:
        raise BadArchive(path, "its zooms are damaged")
    west, south, east, north = (sections[f"{side}_e7"] / E7 for side in ("min_lon", "min_lat", "max_lon", "max_lat"))
    return Header(
        kind=kind,  # type: ignore[arg-type]  # one of Kind, by the check above
        compression=compression,  # type: ignore[arg-type]
        minzoom=sections["min_zoom"],
        maxzoom=sections["max_zoom"],
        bounds=Box(west, south, east, north),
        clustered=sections["clustered"],
        tiles=sections["addressed_tiles_count"],
        contents=sections["tile_contents_count"],
    )


def _section(path: Path, sections: Mapping[str, Any], name: str, size: int) -> tuple[int, int]:
    """Where a section begins and how long it is, all of it inside the file."""
    start, length = sections[f"{name}_offset"], sections[f"{name}_length"]
    if length and start + length > size:
        raise BadArchive(
            path, f"the file is cut off: its {name.replace('_', ' ')} section ends at byte {start + length:,}"
        )
    return start, length


def _entries(data: bytes) -> tuple[Column, Column, Column, Column]:
    """The columns of a directory (ids, runs, starts, lengths); ValueError when it is none."""
    values = _varints(data)
    count = int(values[0])
    if count > values.size // 4 or values.size < 1 + 4 * count:
        raise ValueError("it is cut off")
    deltas, runs, lengths, coded = values[1 : 1 + 4 * count].reshape(4, count)
    # Zero says: right behind the entry before. Wrapped sums come out negative, which the caller refuses.
    told = (coded > 0) | (np.arange(count) == 0)
    before = np.cumsum(lengths) - lengths
    base = np.where(told, coded - 1 - before, 0)
    last_told = np.maximum.accumulate(np.where(told, np.arange(count), 0))
    return np.cumsum(deltas), runs, base[last_told] + before, lengths


def _varints(data: bytes) -> Column:
    raw = np.frombuffer(data, np.uint8)
    last = raw < 0x80
    if not raw.size or not last[-1]:
        raise ValueError("it is cut off")
    starts = np.flatnonzero(np.r_[True, last[:-1]])
    place = np.arange(raw.size) - np.repeat(starts, np.diff(np.r_[starts, raw.size]))
    if int(place.max()) > 8:  # nine times seven bits: more than any tile or file has
        raise ValueError("it has a number that is too large")
    values: Column = np.add.reduceat((raw & 0x7F).astype(np.int64) << (7 * place), starts)
    return values
