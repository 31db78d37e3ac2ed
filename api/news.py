"""What happened, put into words for the streams: which tiles changed, and which records did.

Of a layer whose records depend on who asks, everybody is told of what they see: what comes into their scope is made for
them, and what leaves it is gone.
"""

from __future__ import annotations

import heapq
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any, Self

import shapely

from api.follow import Batch
from gis.drawn import unpack
from layers.ask.touched import Touched, touched
from layers.people.access import Actor, may, rights
from layers.people.scope import Slice, slice_of
from layers.spec import Layer
from layers.store import changes
from layers.store.changes import Position

MOST_TILES = 5_000  # of an event; beyond these the whole layer is named
_FEW = 50  # changes of scoped layers whose tiles are found one by one, so that those who see some of them share that
Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Ear:
    """What decides what a stream is told: its part of scoped layers, the rights, the layers that it wants (None: all).

    Equal ears hear the same, whoever has them.
    """

    part: Slice
    rights: frozenset[str]
    names: frozenset[str] | None

    @classmethod
    def of(cls, actor: Actor, names: frozenset[str] | None) -> Self:
        """The ear of an actor who wants these layers."""
        return cls(slice_of(actor), rights(actor), names)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.part.digest, self.rights, self.names))

    @cached_property
    def _actor(self) -> Actor:
        return Actor("somebody", rights=self.rights)

    def wants(self, name: str, layers: Mapping[str, Layer]) -> bool:
        """May it be told of this layer, and does it want to be?"""
        named = self.names is None or name in self.names
        return named and name in layers and bool(may(self._actor, "view", layers[name]))


@dataclass(frozen=True)
class Told:
    """The event of a record, with its place in the change log and the transaction that changed it."""

    layer: str
    text: bytes
    seq: int
    xid: int


@dataclass(frozen=True)
class News:
    """What there is to tell of a batch: which tiles changed, and the records, put into words once for all streams.

    Of scoped layers each part hears its own; what several parts hear of one record is put into words once.
    """

    batch: Batch
    open: Mapping[str, Touched]
    records: Sequence[Told]
    scoped: Sequence[Row]
    _of_slices: dict[Slice, tuple[Mapping[str, Touched], list[Told]]] = field(default_factory=dict)
    _of_rows: dict[tuple[int, str], tuple[Touched | None, Told]] = field(default_factory=dict)

    @property
    def layers(self) -> Mapping[str, Layer]:
        """The layers that there were."""
        return self.batch.layers

    @cached_property
    def names(self) -> set[str]:
        """Of the layers that anything is told of."""
        return {*self.open, *(told.layer for told in self.records), *(row["layer"] for row in self.scoped)}

    @cached_property
    def _first(self) -> int:
        return min((int(row["xid"]) for row in self.batch.rows), default=sys.maxsize)

    def repeats(self, known: Sequence[str]) -> bool:
        """Can any of it have been seen by one of these snapshots?"""
        return any(self._first < int(snapshot.split(":")[1]) for snapshot in known)

    def to(self, part: Slice) -> tuple[Mapping[str, Touched], Iterable[Told]]:
        """Which tiles, and which records in the order of the change log, are told to who sees this part."""
        if not self.scoped:
            return self.open, self.records
        if part not in self._of_slices:
            self._of_slices[part] = self._seen(part)
        tiles, records = self._of_slices[part]
        # In order, since who comes back goes on behind the last one that arrived.
        return {**self.open, **tiles}, heapq.merge(self.records, records, key=attrgetter("seq"))

    def _seen(self, part: Slice) -> tuple[Mapping[str, Touched], list[Told]]:
        """The tiles and the records among changes of scoped layers that are told to who sees this part of them.

        Of very many that changed at once nobody is told how many they were.
        """
        rows = [row if row["id"] is None else change_seen(row, part) for row in self.scoped]
        seen = [row for row in rows if row is not None]
        told = [self._of_row(row) for row in seen if row["id"] is not None]
        if len(told) < len(seen) or len(told) > _FEW:  # many are quicker together
            return touched(seen, self.layers), [record for _, record in told]
        tiles: dict[str, Touched] = {}
        for touching, record in told:
            if touching is not None:
                tiles.setdefault(record.layer, Touched()).update(touching)
        return tiles, [record for _, record in told]

    def _of_row(self, row: Row) -> tuple[Touched | None, Told]:
        key = (row["seq"], row["op"])
        if key not in self._of_rows:
            few = len(self.scoped) <= _FEW
            touching = touched([row], self.layers).get(row["layer"]) if few else None
            self._of_rows[key] = (touching, _record_told(self.batch, row))
        return self._of_rows[key]


def news(batch: Batch) -> News:
    """What there is to tell of a batch."""
    scoped = {name for name, layer in batch.layers.items() if layer.scoped}
    return News(
        batch,
        {name: of_layer for name, of_layer in batch.touched.items() if name not in scoped},
        [_record_told(batch, row) for row in batch.rows if row["layer"] in batch.layers.keys() - scoped],
        [row for row in batch.rows if row["layer"] in scoped],
    )


def joined(said: Sequence[News], ear: Ear, *, known: Sequence[str] = ()) -> bytes:
    """One message of all that is for an ear: first the tiles of each layer, once, then the records in their order.

    Records whose changes one of the snapshots `known` saw are left out. Whoever breaks off between two records goes on
    behind the first of them; tiles come again then, and nothing is missed.
    """
    tiles: dict[str, Touched] = {}
    records: list[bytes] = []
    for one in said:
        wanted = {name for name in one.names if ear.wants(name, one.layers)}
        if not wanted:
            continue
        touching, told = one.to(ear.part)
        for name in wanted & touching.keys():
            tiles.setdefault(name, Touched()).update(touching[name])
        records += [
            each.text
            for each in told
            if each.layer in wanted and not any(changes.visible(each.xid, snapshot) for snapshot in known)
        ]
    return b"".join([*(event("tiles", _addresses(name, of_layer)) for name, of_layer in tiles.items()), *records])


def change_seen(row: Row, part: Slice) -> Row | None:
    """A change of one record of a scoped layer as it looks to who sees this part of it; None when it does not."""
    before, after = (row[side] is not None and part.holds(row[side]) for side in ("scope_before", "scope_after"))
    if before and after:
        return row
    if after:
        return {**row, "op": "insert", "before": None, "cell_before": None}
    if before:
        # A record that stayed in its cell tells that cell once.
        left = row["cell_after"] if row["cell_before"] is None else row["cell_before"]
        return {**row, "op": "delete", "after": None, "cell_before": left, "cell_after": None}
    return None


def _record_told(batch: Batch, row: Row) -> Told:
    reading = batch.after.reading or batch.after.seen
    position = Position(batch.before.seen, reading, row["seq"], batch.before.database)
    return Told(row["layer"], event("record", _record(row), position), row["seq"], int(row["xid"]))


def _addresses(name: str, of_layer: Touched) -> dict[str, Any]:
    found = of_layer.drawn
    if of_layer.whole or len(found.keys) + len(found.under) > MOST_TILES:
        return {"layer": name, "all": True}
    under = {"under": [_address(key) for key in sorted(found.under)]} if found.under else {}
    return {"layer": name, "tiles": [_address(key) for key in sorted(found.keys)], **under}


def _address(key: int) -> str:
    z, x, y = unpack(key)
    return f"{z}/{x}/{y}"


def _record(row: Row) -> dict[str, Any]:
    told = {"layer": row["layer"], "op": row["op"], "id": row["id"], "at": row["at"].isoformat()}
    place = row["after"] if row["after"] is not None else row["before"]
    if place is None:
        return {**told, "records": row["records"]}
    point = shapely.point_on_surface(shapely.from_wkb(bytes(place.data)))
    return {**told, "lon": round(point.x, 7), "lat": round(point.y, 7)}


def event(kind: str, data: Mapping[str, Any], position: Position | None = None) -> bytes:
    """One event as `text/event-stream` has it."""
    id = f"id: {position}\n" if position is not None else ""
    return f"event: {kind}\n{id}data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
