"""Which tiles a change touched: the drawn thing at its old and its new place, below `minzoom` the cell it counts in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
import shapely

from gis.cells import cell_polygons, parents, resolution_for_zoom
from gis.drawn import Drawn, drawn
from gis.errors import GisError
from layers.ask.tile import MAX_ZOOM, MIN_ZOOM
from layers.ask.tile_sql import BUFFER, EXTENT
from layers.spec import Layer

# Half a unit more: a tile's coordinates are rounded before they are clipped to its buffer.
_MARGIN = (BUFFER + 0.5) / EXTENT
# As many changes as make an archive worn (layers.store.archives.MOST_CHANGES) touch fewer tiles than this.
MOST_KEYS = 300_000


@dataclass
class Touched:
    """What of one layer's tiles is not what it was: all of them, or those in `drawn`.

    `filtered` are tiles that count the same as before, but may not when they count by a filter.
    """

    whole: bool = False
    drawn: Drawn = field(default_factory=Drawn)
    filtered: Drawn = field(default_factory=Drawn)

    def __contains__(self, key: int) -> bool:
        return self.whole or key in self.drawn

    def shows(self, key: int, *, filtered: bool) -> bool:
        """Is this tile, made with a filter or without, one of them?"""
        return key in self or (filtered and key in self.filtered)

    def update(self, other: Touched) -> None:
        """Add all that another says of tiles without a filter; too many tiles to list are all of them."""
        self.whole = self.whole or other.whole or len(self.drawn) + len(other.drawn) > MOST_KEYS
        if self.whole:
            self.drawn = Drawn()
        else:
            self.drawn.update(other.drawn)


def touched(changes: Sequence[Mapping[Any, Any]], layers: Mapping[str, Layer]) -> dict[str, Touched]:
    """What rows of the change log touched, by layer; changes of a layer that is no more touch nothing."""
    by_layer = groupby(sorted(changes, key=lambda row: str(row["layer"])), key=lambda row: str(row["layer"]))
    return {name: _of_layer(layers[name], list(rows)) for name, rows in by_layer if name in layers}


def _of_layer(layer: Layer, rows: list[Mapping[Any, Any]]) -> Touched:
    if any(row["id"] is None for row in rows):
        return Touched(whole=True)  # a statement over very many records, told in one row
    stayed = [row for row in rows if row["op"] == "update" and row["cell_before"] is None]
    moved = [row for row in rows if row["op"] != "update" or row["cell_before"] is not None]
    try:
        shapes = shapely.from_wkb([bytes(row[side].data) for row in rows for side in ("before", "after") if row[side]])
        found = drawn(shapes, range(max(MIN_ZOOM, layer.minzoom), MAX_ZOOM + 1), margin=_MARGIN)
        found.update(_of_cells(layer, moved))
        return Touched(drawn=found, filtered=_of_cells(layer, stayed))
    except (GisError, shapely.errors.ShapelyError):
        return Touched(whole=True)  # a place or a cell that is none, by a hand that wrote past the program


def _of_cells(layer: Layer, rows: Iterable[Mapping[Any, Any]]) -> Drawn:
    """The tiles of the whole cell in which a record counts: it may lie outside that cell's own hexagon."""
    cells = {row[side] for row in rows for side in ("cell_before", "cell_after")} - {None}
    leaves = np.array(sorted(cells), dtype=np.int64)
    found = Drawn()
    if not len(leaves):
        return found
    by_res: dict[int, list[int]] = {}
    for z in range(MIN_ZOOM, layer.minzoom):
        by_res.setdefault(resolution_for_zoom(z), []).append(z)
    for res, zooms in by_res.items():
        for cell in np.unique(parents(leaves, res)).tolist():
            found.update(_of_cell(cell, zooms[0], zooms[-1]))
    return found


@lru_cache(maxsize=8_192)
def _of_cell(cell: int, first: int, last: int) -> Drawn:
    """The tiles of one cell from one zoom to another; what changes one place soon changes it again."""
    return drawn(cell_polygons(np.array([cell], dtype=np.int64)), range(first, last + 1), margin=_MARGIN)
