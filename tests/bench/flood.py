"""More tile requests than the database can answer: what the others get, what a cached tile takes, who is let go."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator

import psycopg
import uvloop

from gis.tilegrid import tile_of
from tests.bench.browsing import LAYERS
from tests.bench.cpus import SERVING
from tests.bench.fetch import Line
from tests.bench.measure import percentile, serving
from tests.bench.rows import Aim, Row
from tests.bench.stage import Stage

_POOL = 8
_WAITING = 20 * _POOL
_CENTRE = (120.894, 31.98)
_PROBE = "/tiles/town/9/427/207.mvt"
_PROBE_EVERY_S = 0.01
_PATIENCE_S = 5.0
_BUSY = (
    "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' "
    "and pid <> pg_backend_pid() and query ilike '%%st_asmvt%%'"
)


def flood(stage: Stage) -> list[Row]:
    """160 connections that want another heavy tile as soon as they have an answer, and one that wants a cached tile."""
    url = stage.city
    with stage.apart(), serving(url, cpu=SERVING, pool_size=str(_POOL)) as server:
        statuses, probes = uvloop.run(_flood(server.port, stage.sizes.flood_s))
        with stage.connect("city") as watcher, stage.connect("city") as holder:
            gone = uvloop.run(_leave(server.port, watcher, holder, stage.sizes.edits // 5 or 1))
    bad = sum(count for status, count in statuses.items() if status not in (200, 204, 503))
    told = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
    return [
        Row(f"flood of {_WAITING} clients on {_POOL} connections ({told}): failures", bad, "answers", aim=Aim(most=0)),
        Row(f"cached tile meanwhile, p99 of {len(probes):,}", percentile(probes, 99), "ms", aim=Aim(most=50)),
        Row("cached tile meanwhile, p50", percentile(probes, 50), "ms"),
        Row(f"client gone to statement cancelled, slowest of {len(gone)}", max(gone), "ms", aim=Aim(most=200)),
    ]


async def _flood(port: int, seconds: float) -> tuple[Counter[int], list[float]]:
    probe = await Line.open(port)
    while (await probe.ask(_PROBE)).status not in (200, 204):
        await asyncio.sleep(0.1)
    statuses: Counter[int] = Counter()
    probes: list[float] = []
    paths, end = _heavy(), time.perf_counter() + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(_WAITING):
            group.create_task(_want(port, paths, statuses, end))
        group.create_task(_probe(probe, probes, end))
    return statuses, probes


async def _want(port: int, paths: Iterator[str], statuses: Counter[int], end: float) -> None:
    """Status 0 stands for a connection that was lost."""
    while time.perf_counter() < end:
        line = await Line.open(port)
        try:
            while time.perf_counter() < end:
                statuses[(await line.ask(next(paths))).status] += 1
        except (OSError, asyncio.IncompleteReadError):
            statuses[0] += 1
        line.close()


async def _probe(line: Line, times_ms: list[float], end: float) -> None:
    """Ask until `end`, once at least: a short run on a busy machine is over before the first turn."""
    while not times_ms or time.perf_counter() < end:
        started = time.perf_counter()
        await line.ask(_PROBE)
        times_ms.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(_PROBE_EVERY_S)


def _heavy() -> Iterator[str]:
    """Composite tiles around the middle of the city; no two are the same request."""
    _, x, y = tile_of(*_CENTRE, 13)
    near = list(itertools.product(range(-6, 7), repeat=2))
    for names in itertools.permutations(LAYERS):
        yield from (f"/tiles/{','.join(names)}/13/{x + i}/{y + j}.mvt" for i, j in near)


async def _leave(port: int, watcher: psycopg.Connection, holder: psycopg.Connection, count: int) -> list[float]:
    """Milliseconds from hanging up to the end of the statement, which a lock keeps from ending by itself."""
    paths, times = _heavy(), []
    await _until(watcher, 0)
    with holder.transaction():
        holder.execute("lock table city.component in access exclusive mode")
        for path in itertools.islice(paths, count):
            line = await Line.open(port)
            line.say(path.replace("/13/", "/14/"))
            await _until(watcher, 1)
            left = time.perf_counter()
            line.close()
            await _until(watcher, 0)
            times.append((time.perf_counter() - left) * 1000)
    return times


async def _until(watcher: psycopg.Connection, busy: int) -> None:
    deadline = time.perf_counter() + _PATIENCE_S
    while time.perf_counter() < deadline:
        row = watcher.execute(_BUSY).fetchone()
        if row == (busy,):
            return
        await asyncio.sleep(0.001)
    raise TimeoutError(f"after {_PATIENCE_S} s there are still not {busy} statements")
