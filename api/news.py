"""What happened, put into words for the streams: which tiles changed, and which records did.

Of a layer whose records depend on who asks, everybody is told of what they see: what comes into their scope is made for
them, and what leaves it is gone.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any

import shapely

from api.follow import Batch
from gis.drawn import unpack
from layers.ask.touched import Touched, touched
from layers.people.scope import Slice
from layers.spec import Layer
from layers.store.changes import Position

MOST_TILES = 5_000  # of an event; beyond these the whole layer is named
Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Told:
    """An event of a layer; of a record with its place in the change log and the transaction that changed it."""

    layer: str
    text: bytes
    seq: int = 0
    xid: int | None = None


@dataclass(frozen=True)
class News:
    """The events of a batch, put into words once for all streams: its tiles first, then the records on them.

    Those of scoped layers are put into words once for all who see the same.
    """

    batch: Batch
    tiles: Sequence[Told]
    records: Sequence[Told]
    scoped: Sequence[Row]
    _of_slices: dict[Slice, tuple[list[Told], list[Told]]] = field(default_factory=dict)

    @property
    def layers(self) -> Mapping[str, Layer]:
        """The layers that there were."""
        return self.batch.layers

    @cached_property
    def names(self) -> set[str]:
        """Of the layers that anything is told of."""
        return {told.layer for told in (*self.tiles, *self.records)} | {row["layer"] for row in self.scoped}

    def to(self, part: Slice) -> Iterator[Told]:
        """What is told to who sees this part of scoped layers, the records in the order of the change log."""
        if not self.scoped:
            yield from self.tiles
            yield from self.records
            return
        if part not in self._of_slices:
            self._of_slices[part] = _to(self.batch, self.scoped, part)
        tiles, records = self._of_slices[part]
        yield from self.tiles
        yield from tiles
        # In order, since who comes back goes on behind the last one that arrived.
        yield from heapq.merge(self.records, records, key=attrgetter("seq"))


def news(batch: Batch) -> News:
    """The events of a batch."""
    scoped = {name for name, layer in batch.layers.items() if layer.scoped}
    return News(
        batch,
        _tiles({name: of_layer for name, of_layer in batch.touched.items() if name not in scoped}),
        _records(batch, [row for row in batch.rows if row["layer"] in batch.layers.keys() - scoped]),
        [row for row in batch.rows if row["layer"] in scoped],
    )


def _to(batch: Batch, rows: Sequence[Row], part: Slice) -> tuple[list[Told], list[Told]]:
    """The tiles and the records among changes of scoped layers that are told to who sees this part of them.

    Of very many that changed at once nobody is told how many they were.
    """
    seen = [told for row in rows if (told := row if row["id"] is None else change_seen(row, part)) is not None]
    of_tiles = _tiles(touched(seen, batch.layers))
    return of_tiles, _records(batch, [row for row in seen if row["id"] is not None])


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


def _records(batch: Batch, rows: Sequence[Row]) -> list[Told]:
    reading = batch.after.reading or batch.after.seen
    return [
        Told(
            row["layer"],
            event("record", _record(row), Position(batch.before.seen, reading, row["seq"])),
            row["seq"],
            int(row["xid"]),
        )
        for row in rows
    ]


def _tiles(by_layer: Mapping[str, Touched]) -> list[Told]:
    return [Told(name, event("tiles", _addresses(name, of_layer))) for name, of_layer in by_layer.items()]


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
