"""Which baked archive serves a layer, and what is known of it: from which snapshot of which database it was made.

Archives are files `NAME.VERSION.pmtiles` that never change; a newer one takes the place of an older one by being newer.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gis.archive import Archive
from gis.drawn import pack, unpack
from gis.errors import BadArchive
from layers.store.changes import Position
from layers.store.core import CHANGE

log = logging.getLogger("chengtu.archives")
FOLDER = "archives"
BELL = "archive"
# Baked anew before a server's list of touched tiles grows too long to keep (layers.ask.touched.MOST_KEYS).
MOST_CHANGES = 2_000
_NAME = re.compile(r"([a-z][a-z0-9_]{0,40})\.([0-9]{8}T[0-9]{12}-[0-9a-f]{8})\.pmtiles")
_ABANDONED = timedelta(days=1)


@dataclass(frozen=True)
class Facts:
    """What a bake writes into its archive.

    `statement` is a digest of all that decides what the tiles hold beside the records; `position` is the place in the
    change log up to which changes are in it; `cut` counts what its tiles leave out, `cuts` by tile (`gis.drawn.pack`).
    """

    layer: str
    statement: str
    database: str
    position: str
    baked_at: datetime
    tiles: int
    cuts: Mapping[int, int]

    @property
    def cut(self) -> int:
        """How many records are left out, counted once a tile."""
        return sum(self.cuts.values())

    def metadata(self) -> dict[str, Any]:
        """As it stands in the archive under `chengtu`."""
        return {
            "layer": self.layer,
            "statement": self.statement,
            "database": self.database,
            "position": self.position,
            "bakedAt": self.baked_at.isoformat(),
            "tiles": self.tiles,
            "cut": self.cut,
            "cuts": {"/".join(map(str, unpack(key))): n for key, n in self.cuts.items()},
        }


def facts(archive: Archive) -> Facts:
    """What the bake wrote into an archive; BadArchive for one that was not baked here."""
    told: Any = archive.metadata.get("chengtu")
    try:
        return Facts(
            layer=str(told["layer"]),
            statement=str(told["statement"]),
            database=str(told["database"]),
            position=str(told["position"]),
            baked_at=datetime.fromisoformat(told["bakedAt"]),
            tiles=int(told["tiles"]),
            cuts={pack(*map(int, tile.split("/"))): int(n) for tile, n in told["cuts"].items()},
        )
    except (TypeError, KeyError, ValueError, AttributeError):
        raise BadArchive(archive.path, "it does not say which layer was baked into it, and when") from None


def place_for(folder: Path, *, layer: str, statement: str, position: str, at: datetime) -> Path:
    """Where the archive of a snapshot belongs: newer snapshots sort after older ones."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%f")
    digest = hashlib.blake2b(f"{statement} {position}".encode(), digest_size=4).hexdigest()
    return folder / f"{layer}.{stamp}-{digest}.pmtiles"


def version(path: Path) -> str:
    """The version in the name of an archive."""
    found = _NAME.fullmatch(path.name)
    assert found is not None, path
    return found[2]


@dataclass(frozen=True)
class Held:
    """An archive in the folder, and what its bake wrote into it."""

    path: Path
    bytes: int
    facts: Facts

    def fits(self, layer: str, *, fingerprint: str, database: str) -> bool:
        """Was it baked from this layer as it is declared now, in this database?"""
        told = self.facts
        return (told.layer, told.statement, told.database) == (layer, fingerprint, database)


def current(folder: Path, layer: str, *, fingerprint: str, database: str) -> Path | None:
    """The newest archive of a layer as it is declared now, made from this database; None when there is none."""
    newest = (h.path for h in held(folder, layer) if h.fits(layer, fingerprint=fingerprint, database=database))
    return next(newest, None)


def held(folder: Path, layer: str | None = None) -> Iterator[Held]:
    """The archives of a layer, or of all, the newest first; what cannot be read is told in the log and passed over."""
    for path in _archives(folder, layer):
        try:
            yield Held(path, path.stat().st_size, facts(Archive.open(path)))
        except (BadArchive, OSError) as error:
            log.warning("an archive is passed over: %s", error)


def prune(folder: Path, layer: str, *, keep: int = 2) -> None:
    """Remove all but the newest archives of a layer, and what bakes that were killed left behind.

    The one before the newest is kept for those who are reading it.
    """
    for path in _archives(folder, layer)[keep:]:
        path.unlink(missing_ok=True)
    oldest = (datetime.now(UTC) - _ABANDONED).timestamp()
    for path in folder.glob(f".{layer}.*"):
        with suppress(FileNotFoundError):  # another bake has put it in place
            if path.stat().st_mtime < oldest:
                path.unlink()


def worn(connection: sa.Connection, layer: str, position: Position) -> bool:
    """Have so many records changed since a bake at this position that another is worth it?"""
    later = (
        sa.select(CHANGE.c.id)
        .where(
            CHANGE.c.layer == layer,
            sa.text(
                "core.change.xid >= pg_snapshot_xmin(cast(:seen as pg_snapshot))"
                " and not pg_visible_in_snapshot(core.change.xid, cast(:seen as pg_snapshot))"
            ).bindparams(seen=position.seen),
        )
        .order_by(CHANGE.c.seq)
        .limit(MOST_CHANGES + 1)
        .subquery()
    )
    # A row without an id stands for a statement over very many records.
    rows, whole = connection.execute(sa.select(sa.func.count(), sa.func.count() - sa.func.count(later.c.id))).one()
    return bool(rows > MOST_CHANGES or whole)


def _archives(folder: Path, layer: str | None) -> list[Path]:
    """Those of a layer, or all, the newest first."""
    named = [(found, path) for path in folder.glob("*.pmtiles") if (found := _NAME.fullmatch(path.name))]
    wanted = [(found[2], path) for found, path in named if layer in (None, found[1])]
    return [path for _, path in sorted(wanted, reverse=True)]
