"""What a city with ten times as many records changes, beside the city of the usual size."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from urllib.parse import quote

from tests.bench.browsing import Asked, tiles_by_count
from tests.bench.cpus import SERVING
from tests.bench.fetch import fetch
from tests.bench.measure import percentile, serving
from tests.bench.polygons import ask, ragged
from tests.bench.queries import queries
from tests.bench.rows import Aim, Row, beside
from tests.bench.stage import Stage

_LAYER = "component"
_FULL = 300  # records of the tiles that are compared at equal numbers
_RADIUS_M = 5_000.0


@dataclass(frozen=True)
class Side:
    """A city that is served, and its tiles of about equal numbers of records."""

    port: int
    equal: Sequence[Asked]


def bigger(stage: Stage) -> list[Row]:
    """Both cities served at once and asked in turns: tiles, searches and counts that neither has in memory."""
    usual, big = stage.city, stage.city_of(stage.sizes.bigger)
    with stage.reader("city").connect() as connection:
        drawn = ragged(connection, stage.sizes.polygons, least_m=_RADIUS_M, most_m=_RADIUS_M)
        same = tiles_by_count(connection, stage.sizes.places, layer=_LAYER)
        searches = [f"/search?q={quote(query)}" for _, query in queries(connection, stage.sizes.queries)]
    random.Random(1).shuffle(searches)
    equal = []
    for name in ("bigger", "city"):
        with stage.reader(name).connect() as connection:
            equal.append(tiles_by_count(connection, stage.sizes.places, layer=_LAYER, near=_FULL))
    with (
        stage.apart(),
        serving(big, cpu=SERVING, tile_cache_mb="0") as ten,
        serving(usual, cpu=SERVING, tile_cache_mb="0") as one,
    ):
        sides = [Side(ten.port, equal[0]), Side(one.port, equal[1])]

        def row(name: str, most: float, measure: Callable[[Side], float]) -> Row:
            turns = [[measure(side) for side in sides] for _ in range(stage.sizes.repeats + 1)][1:]
            what = f"{stage.sizes.bigger / stage.sizes.scale:g} times the records: {name}"
            return beside(what, *zip(*turns, strict=True), unit="ms", aim=Aim(most=most, of="ratio"))

        return [
            row(f"uncached z14 tile of some {_FULL} records", 1.3, lambda side: _tile_ms(side.port, side.equal)),
            row("uncached z14 tile of the same place", 4, lambda side: _tile_ms(side.port, same)),
            row("search p95", 2, lambda side: percentile(fetch(side.port, searches).each_ms, 95)),
            row("count in a polygon of 5 km", 3, lambda side: median(ask(side.port, drawn))),
        ]


def _tile_ms(port: int, tiles: Sequence[Asked]) -> float:
    return median(fetch(port, [one.path for one in tiles]).each_ms)
