"""Writing tile archives (PMTiles version 3): clustered, every different tile once, put in place whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pmtiles.tile import Compression, Entry, HeaderDict, TileType, serialize_header
from pmtiles.writer import optimize_directories

from gis.archive import E7, HEADER_BYTES, Encoding, Kind
from gis.tilegrid import Box

_ROOT_WITHIN = 16_384  # a client fetches so much at once, and must find header and root directory in it


@dataclass(frozen=True)
class Written:
    """A new archive: its bytes and how many tiles it addresses."""

    bytes: int
    tiles: int


def write_archive(
    path: Path,
    tiles: Iterable[tuple[int, bytes]],
    *,
    kind: Kind,
    compression: Encoding,
    zooms: tuple[int, int],
    bounds: Box,
    metadata: Callable[[], Mapping[str, Any]],
) -> Written:
    """Write tiles, compressed already and in ascending order of their numbers, and put the archive in place at once.

    Equal tiles are stored once. `metadata` is asked when all tiles are there. Nothing is left of an archive that was
    not finished. ValueError for tiles out of order.
    """
    with tempfile.TemporaryFile(dir=path.parent) as data:
        contents = _Contents(data)
        for tile_id, tile in tiles:
            contents.add(tile_id, tile)
        # Small enough for the root to fit beside the header into what a client fetches first.
        root, leaves, _ = optimize_directories(contents.entries, _ROOT_WITHIN - HEADER_BYTES)  # type: ignore[no-untyped-call]
        told = gzipped(json.dumps(metadata(), ensure_ascii=False).encode())
        header = _header_bytes(contents, (root, told, leaves), kind, compression, zooms, bounds)
        with replacing(path) as file:
            file.writelines((header, root, told, leaves))
            data.seek(0)
            shutil.copyfileobj(data, file, 1 << 20)
            size = file.tell()
    return Written(size, contents.tiles)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that is at `path`, whole and on the disk, once the block has ended well; nobody sees a part of it."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        unfinished = Path(file.name)
        try:
            yield file
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def gzipped(data: bytes, level: int = 6) -> bytes:
    """Gzip without a time in it, so that equal content is equal bytes; other threads run meanwhile."""
    stream = zlib.compressobj(level, zlib.DEFLATED, 31)
    return stream.compress(data) + stream.flush()


class _Contents:
    """The tile section while it grows, and the entries that lead into it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._known: dict[bytes, int] = {}
        self.entries: list[Entry] = []
        self.size = self.tiles = 0

    @property
    def different(self) -> int:
        return len(self._known)

    def add(self, tile_id: int, data: bytes) -> None:
        last = self.entries[-1] if self.entries else None
        if last is not None and tile_id < last.tile_id + last.run_length:
            raise ValueError(f"tile {tile_id} comes after tile {last.tile_id + last.run_length - 1}")
        self.tiles += 1
        digest = hashlib.blake2b(data, digest_size=16).digest()
        start = self._known.get(digest)
        if start is None:
            start = self._known[digest] = self.size
            self._file.write(data)
            self.size += len(data)
        elif last is not None and last.offset == start and tile_id == last.tile_id + last.run_length:
            last.run_length += 1
            return
        self.entries.append(Entry(tile_id, start, len(data), 1))


def _header_bytes(
    contents: _Contents,
    sections: tuple[bytes, bytes, bytes],
    kind: Kind,
    compression: Encoding,
    zooms: tuple[int, int],
    bounds: Box,
) -> bytes:
    root, metadata, leaves = map(len, sections)
    west, south, east, north = (round(degrees * E7) for degrees in bounds)
    header: HeaderDict = {
        "version": 3,
        "root_offset": HEADER_BYTES,
        "root_length": root,
        "metadata_offset": HEADER_BYTES + root,
        "metadata_length": metadata,
        "leaf_directory_offset": HEADER_BYTES + root + metadata,
        "leaf_directory_length": leaves,
        "tile_data_offset": HEADER_BYTES + root + metadata + leaves,
        "tile_data_length": contents.size,
        "addressed_tiles_count": contents.tiles,
        "tile_entries_count": len(contents.entries),
        "tile_contents_count": contents.different,
        "clustered": True,
        "internal_compression": Compression.GZIP,
        "tile_compression": Compression[compression.upper()],
        "tile_type": TileType[kind.upper()],
        "min_zoom": zooms[0],
        "max_zoom": zooms[1],
        "min_lon_e7": west,
        "min_lat_e7": south,
        "max_lon_e7": east,
        "max_lat_e7": north,
        "center_zoom": zooms[0],
        "center_lon_e7": (west + east) // 2,
        "center_lat_e7": (south + north) // 2,
    }
    return bytes(serialize_header(header))
