"""The archives that answer for the database, each until what it holds is touched."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from gis.archive import Archive
from gis.drawn import pack
from gis.errors import BadArchive, GisError
from gis.tilegrid import tile_id
from layers.ask.tile import DEEPEST, MIN_ZOOM, fingerprint
from layers.ask.touched import Touched, touched
from layers.errors import BadField
from layers.spec import Layer
from layers.store import archives, changes

log = logging.getLogger("chengtu.tiles")
_PAGE = 1_000


@dataclass(frozen=True)
class Shelved:
    """An archive in use, where it lies, what was touched since its bake, and how much which of its tiles leave out."""

    path: Path
    archive: Archive
    layer: Layer
    since: Touched
    cuts: Mapping[int, int]


class Shelf:
    """Archives by layer. One event loop reads and marks; `fetch` may run beside it, since it changes nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, Shelved] = {}

    def get(self, layer: Layer, z: int, x: int, y: int) -> tuple[bytes, int] | None:
        """A tile as gzip and how much it leaves out; empty where nothing is; None when the archive cannot tell."""
        held = self._held.get(layer.name)
        # A layer that people brought may be declared anew.
        if held is None or held.layer is not layer or not MIN_ZOOM <= z <= DEEPEST or pack(z, x, y) in held.since:
            return None
        try:
            return held.archive.get(tile_id(z, x, y)) or b"", held.cuts.get(pack(z, x, y), 0)
        except BadArchive as error:
            log.warning("the database answers for an archive: %s", error)
            return None

    def mark(self, of_layers: Mapping[str, Touched]) -> None:
        """Note what changes touched: these tiles come from the database from now on."""
        for name, of_layer in of_layers.items():
            if name in self._held:
                self._held[name].since.update(of_layer)

    def put(self, fetched: Mapping[str, Shelved | None]) -> None:
        """Take new archives into use, and those that went out of it."""
        for name, shelved in fetched.items():
            if shelved is None:
                self._held.pop(name, None)
            else:
                self._held[name] = shelved

    def clear(self) -> None:
        """Take all archives out of use, until they are fetched anew."""
        self._held.clear()

    def fetch(self, connection: sa.Connection, layers: Mapping[str, Layer]) -> dict[str, Shelved | None]:
        """What lies in the folder otherwise than in use, with what was touched since its bake; not of scoped layers."""
        database = changes.identity(connection)
        layers = {name: layer for name, layer in layers.items() if not layer.scoped}
        found: dict[str, Shelved | None] = dict.fromkeys(self._held.keys() - layers.keys())
        for name, layer in layers.items():
            path = archives.current(self._folder, name, fingerprint=fingerprint(layer), database=database)
            held = self._held.get(name)
            if path == (held.path if held else None) and (held is None or held.layer is layer):
                continue
            found[name] = None if path is None else _opened(connection, layer, path)
        return found


def _opened(connection: sa.Connection, layer: Layer, path: Path) -> Shelved | None:
    try:
        archive = Archive.open(path)
        facts = archives.facts(archive)
        position = changes.Position.parse(facts.position)
    except (GisError, BadField, OSError) as error:
        log.warning("the archive %s cannot be used: %s", path.name, error)
        return None
    return Shelved(path, archive, layer, _since(connection, layer, position), facts.cuts)


def _since(connection: sa.Connection, layer: Layer, position: changes.Position) -> Touched:
    """What was touched since a position; everything when that is too long ago to be read again."""
    found = Touched()
    for _ in range(archives.MOST_CHANGES // _PAGE + 1):
        page = changes.since(connection, position, limit=_PAGE, layer=layer.name)
        for of_layer in touched(page.rows, {layer.name: layer}).values():
            found.update(of_layer)
        if not page.more or found.whole:
            return found
        position = page.position
    return Touched(whole=True)
