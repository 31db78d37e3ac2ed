"""The base map of the city's own that lies under every layer: a tile archive, and whose map it is."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import cramjam

from gis.archive import Archive
from gis.errors import BadArchive
from gis.new_archive import replacing
from layers.spec import Title

log = logging.getLogger("chengtu.archives")
FOLDER = "basemap"
_MOST_TEXT = 300
_MOST_TILE = 16 * 1024 * 1024
_DECODERS = {"gzip": cramjam.gzip, "zstd": cramjam.zstd, "brotli": cramjam.brotli}


@dataclass(frozen=True)
class Basemap:
    """A base map in use; `version` changes whenever another takes its place."""

    archive: Archive
    version: str
    name: str
    attribution: Title
    approval: str | None
    tile_size: int

    @property
    def vector_layers(self) -> list[str]:
        """The names of the layers in its tiles; images have none."""
        told = self.archive.metadata.get("vector_layers")
        named = told if isinstance(told, list) else []
        return [str(entry["id"]) for entry in named if isinstance(entry, dict) and "id" in entry]


def keep(
    archive: Archive,
    folder: Path,
    *,
    name: str | None,
    attribution: Title | None,
    approval: str | None,
    tile_size: int,
) -> Basemap:
    """Copy an archive into the folder, where it takes the place of the one before.

    Without a name or an attribution the archive's own are taken. `tile_size` is the side of its tiles in pixels.
    """
    file, told = archive.path, archive.metadata
    own = _plain(told.get("attribution"))
    facts = {
        "name": name or _plain(told.get("name")) or file.stem,
        "attribution": attribution or Title(own, own),
        "approval": approval,
        "tile_size": tile_size,
    }
    folder.mkdir(parents=True, exist_ok=True)
    before = [*folder.glob("*.pmtiles"), *folder.glob("*.json")]
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    path = folder / f"{stamp}-{hashlib.blake2b(json.dumps(facts).encode(), digest_size=4).hexdigest()}.pmtiles"
    with replacing(path.with_suffix(".json")) as said:
        said.write(json.dumps(facts, ensure_ascii=False).encode())
    with file.open("rb") as source, replacing(path) as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
    for old in before:
        old.unlink(missing_ok=True)
    return _opened(path)


def remove(folder: Path) -> str | None:
    """Take the base map out of the folder, at once for everyone; its name, or None when there was none."""
    held = kept(folder)
    # First the archives: what is said of one that is gone leads nowhere, an archive of which nothing is said warns.
    files = [*folder.glob("*.pmtiles"), *folder.glob("*.json")]
    for file in files:
        file.unlink(missing_ok=True)
    if held is not None:
        return held.name
    return files[0].stem if files else None


def decompressed(archive: Archive, data: bytes) -> bytes:
    """The stored bytes of a tile as they are without compression; BadArchive when they are damaged or above 16 MB."""
    decoder = _DECODERS.get(archive.compression)
    if decoder is None:
        return data
    room = bytearray(_MOST_TILE)
    try:
        return bytes(room[: decoder.decompress_into(data, room)])
    except cramjam.DecompressionError:
        reason = f"a tile is not {archive.compression}, or larger than {_MOST_TILE >> 20} MB"
        raise BadArchive(archive.path, reason) from None


def kept(folder: Path) -> Basemap | None:
    """The base map in the folder, the newest if there are several; None when there is none that can be served."""
    for path in sorted(folder.glob("*.pmtiles"), reverse=True):
        try:
            return _opened(path)
        except BadArchive as error:
            log.warning("a base map is passed over: %s", error)
    return None


def _opened(path: Path) -> Basemap:
    try:
        facts = json.loads(path.with_suffix(".json").read_bytes())
        name, attribution, approval = facts["name"], Title(*facts["attribution"]), facts["approval"]
        tile_size = int(facts["tile_size"])
    except (OSError, ValueError, KeyError, TypeError):
        raise BadArchive(path, "nothing says whose map it is: add it with `python -m etl add-basemap`") from None
    return Basemap(Archive.open(path), path.stem, name, attribution, approval, tile_size)


class _Text(HTMLParser):
    """The text of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def _plain(value: object) -> str:
    """An archive's own words, without the markup that they often have: they are shown on the map."""
    if not isinstance(value, str):
        return ""
    reader = _Text()
    reader.feed(value)
    reader.close()
    return re.sub(r"\s+", " ", reader.text).strip()[:_MOST_TEXT]
