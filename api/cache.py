"""Tiles in memory, as they go out: weighed by bytes, the least lately used leave first, and what changed leaves alone.

One event loop owns the cache: nothing here waits, so nothing here needs a lock.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from layers.ask.touched import Touched
from layers.spec import Layer

Key = tuple[str, str, str]  # path, what filters it (a filter, who asks), what the client takes
_OVERHEAD = 1_500  # of keys, headers and dictionaries, bytes an entry


@dataclass(frozen=True)
class Entry:
    """An answer ready to be sent: the ASGI messages, and what it was made of."""

    names: tuple[str, ...]
    tile: int
    etag: bytes
    start: dict[str, Any]
    body: dict[str, Any]
    unchanged: dict[str, Any]
    public: bool  # may be sent without asking who wants it
    layers: tuple[Layer, ...]  # as they were declared when it was made

    def weight(self, key: Key) -> int:
        """What it costs to keep under a key, in bytes."""
        return len(self.body["body"]) + 2 * len(key[1]) + _OVERHEAD


class TileCache:
    """Entries by key, with the keys of every tile at hand."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._of_tile: dict[int, set[Key]] = {}
        self.bytes = self.hits = self.dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Entry | None:
        """The entry, which then is the most lately used."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: Key, entry: Entry) -> None:
        """Keep an entry; older ones make room, and what alone is too big is not kept."""
        self._remove(key)
        if entry.weight(key) > self._most // 8:
            return
        self._entries[key] = entry
        self._of_tile.setdefault(entry.tile, set()).add(key)
        self.bytes += entry.weight(key)
        while self.bytes > self._most:
            self._remove(next(iter(self._entries)))

    def drop(self, touched: Mapping[str, Touched]) -> None:
        """Forget the tiles that changes touched, and no others."""
        for name, of_layer in touched.items():
            gone = [
                key
                for key, entry in self._candidates(of_layer)
                if name in entry.names and of_layer.shows(entry.tile, filtered=bool(key[1]))
            ]
            for key in gone:
                self._remove(key)
            self.dropped += len(gone)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._of_tile.clear()
        self.bytes = 0

    def _candidates(self, touched: Touched) -> Iterable[tuple[Key, Entry]]:
        listed = touched.drawn.keys | touched.filtered.keys
        if touched.whole or touched.drawn.under or touched.filtered.under or len(listed) > len(self._of_tile):
            return self._entries.items()
        return [(key, self._entries[key]) for tile in listed for key in self._of_tile.get(tile, ())]

    def _remove(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.bytes -= entry.weight(key)
        keys = self._of_tile[entry.tile]
        keys.discard(key)
        if not keys:
            del self._of_tile[entry.tile]
