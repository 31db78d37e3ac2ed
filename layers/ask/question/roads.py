"""The road layer as a network to walk and to drive on, held in memory and made anew when the layer has changed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray

from gis.network import Network, network
from gis.ways import Ways
from layers.ask.question.asked import Travel
from layers.ask.question.errors import TooMuch
from layers.catalog import road
from layers.store.changes import log_end, now, on_disk

WALKING_M_S: Final = 1.3
"""How fast people walk, on every road but motorways, in both directions."""

DRIVING_KMH: Final[Mapping[str, float]] = MappingProxyType({
    "motorway": 90.0, "trunk": 60.0, "primary": 40.0, "secondary": 35.0, "tertiary": 30.0, "residential": 20.0,
})  # fmt: skip
"""Travel speeds by class with crossings and traffic counted in, never above a road's own limit."""

OTHER_KMH: Final = 20.0
_SLOWEST_KMH: Final = 3.0
MOST_ROADS: Final = 1_000_000

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RoadNetwork:
    """The network at one moment, as each traveller sees it; `names` are those of the lines of the network."""

    network: Network
    ways: Mapping[Travel, Ways]
    names: NDArray[np.object_]


class Roads:
    """Hands out the network of the road layer as it is; one thread makes it, the others wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: tuple[str, RoadNetwork] | None = None

    def current(self, connection: sa.Connection) -> RoadNetwork:
        """The network of all roads that are committed now; TooMuch when the layer is too large to be held."""
        with self._lock:
            if self._held is None or _changed(connection, self._held[0]):
                # The position first: what is committed in between is read twice rather than missed.
                seen, end = now(connection).seen, log_end(connection)
                made = _read(connection)
                # What a crash could still undo is not held: a change under the same number would go unnoticed.
                self._held = (seen, made) if on_disk(connection, end) else None
                return made
            return self._held[1]


_CHANGED = sa.text(
    "select exists (select from core.change where layer = :layer"
    " and xid >= pg_snapshot_xmin(cast(:seen as pg_snapshot))"
    " and not pg_visible_in_snapshot(xid, cast(:seen as pg_snapshot)))"
)


def _changed(connection: sa.Connection, seen: str) -> bool:
    return bool(connection.scalar(_CHANGED, {"layer": road.LAYER.name, "seen": seen}))


def _read(connection: sa.Connection) -> RoadNetwork:
    table = road.TABLE
    names = ("name", "kind", "oneway", "maxspeed_kmh", "from_node", "to_node")
    statement = sa.select(sa.func.st_asbinary(table.c.geom), *(table.c[name] for name in names)).order_by(table.c.id)
    rows = connection.execute(statement.limit(MOST_ROADS + 1)).all()
    if len(rows) > MOST_ROADS:
        raise TooMuch(f"the road layer has more than {MOST_ROADS:,} records: too many to find ways on")
    columns = list(zip(*rows, strict=True)) if rows else [()] * (1 + len(names))
    lines = shapely.from_wkb(np.array([bytes(wkb) for wkb in columns[0]], dtype=object))
    titles, kinds, oneway, limits, tails, heads = columns[1:]
    net = network(np.asarray(lines, dtype=object), (list(tails), list(heads)))
    one_way = np.array([flag is True for flag in oneway], dtype=bool)[net.line]
    speeds = [speed_kmh(kind, limit) for kind, limit in zip(kinds, limits, strict=True)]
    return RoadNetwork(
        network=net,
        ways={
            "walking": _walking(net, np.array([kind == "motorway" for kind in kinds], dtype=bool)),
            "driving": _driving(net, np.array(speeds, dtype=np.float64), one_way),
        },
        names=np.array(titles, dtype=object),
    )


def speed_kmh(kind: str | None, limit_kmh: float | None) -> float:
    """How fast one drives on a road of a class and a limit, either of which may be unknown."""
    usual = DRIVING_KMH.get(kind or "", OTHER_KMH)
    return max(_SLOWEST_KMH, min(usual, limit_kmh)) if limit_kmh else usual


def _walking(net: Network, barred: NDArray[np.bool_]) -> Ways:
    seconds = np.where(barred[net.line], np.inf, net.length_m / WALKING_M_S)
    return Ways(net, seconds, seconds)


def _driving(net: Network, speeds_kmh: Array, one_way: NDArray[np.bool_]) -> Ways:
    seconds = net.length_m / (speeds_kmh[net.line] / 3.6)
    return Ways(net, seconds, np.where(one_way, np.inf, seconds))
