"""Tiles that no cache and no archive holds, beside the same prepared statements run by pgbench, and beside tipg."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from tests.bench import peers
from tests.bench.browsing import Asked, browsing, small_tiles
from tests.bench.cpus import SERVING
from tests.bench.fetch import Fetched, fetch
from tests.bench.measure import Serving, percentile, serving
from tests.bench.pgbench import has_pgbench, script_of
from tests.bench.rows import Aim, Row, beside
from tests.bench.stage import Stage

_CLIENTS = 8
_ZOOMS = range(8, 17)


def uncached(stage: Stage) -> list[Row]:
    """Every tile asked for once a round; a walk through a list weighs each tile by what it costs."""
    url = stage.city
    with stage.reader("city").connect() as connection:
        mix = browsing(connection, stage.sizes.tiles, zooms=_ZOOMS)
        small = small_tiles(connection, stage.sizes.small)
    with ExitStack() as block:
        block.enter_context(stage.apart())
        ours = block.enter_context(serving(url, cpu=SERVING, tile_cache_mb="0", pool_size=str(_CLIENTS)))
        rows = [
            *_beside_pgbench(stage, ours, mix, name="browsing z8–16", least=0.75),
            *_beside_pgbench(stage, ours, small, name="small z14", least=0.4),
        ]
        rows += _beside_tipg(stage, ours, [one for one in mix if one.of_records])
    return [*rows, Row("uncached: peak memory", ours.peak_mb, "MB")]


def _beside_pgbench(stage: Stage, ours: Serving, asked: Sequence[Asked], *, name: str, least: float) -> list[Row]:
    walk = _walk(ours, [one.path for one in asked])
    walk()  # both begin with warm buffers
    lacks = stage.lacks([] if has_pgbench() else ["pgbench"])
    script = script_of(asked, stage.folder / f"{name.split()[0]}.sql")
    mine, other = [], []
    for _ in range(stage.sizes.rounds):
        mine.append(walk())
        other += [] if lacks else [script.rate(stage, clients=_CLIENTS)]
    rates = [len(asked) / done.seconds for done in mine]
    size_kb = sum(mine[0].sizes) / len(asked) / 1000
    what = f"uncached: {name} ({len(asked):,} of {size_kb:.1f} kB); pgbench"
    slow = sorted(percentile(done.each_ms, 95) for done in mine)[len(mine) // 2]
    return [
        beside(what, rates, other, unit="tiles/s", aim=Aim(least=least, of="ratio")),
        Row(f"uncached: {name}, p95 with {_CLIENTS} clients", slow, "ms"),
    ]


def _beside_tipg(stage: Stage, ours: Serving, asked: Sequence[Asked]) -> list[Row]:
    """Of the mix, the tiles that show records: tipg makes no cells."""
    if stage.lacks([] if peers.has_tipg() else ["tipg"]):
        return []
    with peers.tipg(stage, pool=_CLIENTS) as server:
        walk, theirs = _walk(ours, [one.path for one in asked]), _walk(server, [peers.tipg_path(one) for one in asked])
        theirs()
        turns = [(walk().seconds, theirs().seconds) for _ in range(max(1, stage.sizes.rounds // 2))]
    rates = [[len(asked) / seconds for seconds in side] for side in zip(*turns, strict=True)]
    what = f"uncached: browsing, records only ({len(asked):,}); tipg"
    return [beside(what, *rates, unit="tiles/s", aim=Aim(least=3.5, of="ratio"))]


def _walk(server: Serving, paths: Sequence[str]) -> Callable[[], Fetched]:
    return lambda: fetch(server.port, paths, clients=_CLIENTS)
