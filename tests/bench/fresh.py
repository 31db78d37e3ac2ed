"""How long after an edit its tile is fresh in every process of the server, and what else was forgotten for it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import sqlalchemy as sa
import uvloop

from gis.tilegrid import Tile, tile_of
from layers.store.engine import begin, engine_for
from tests.bench.browsing import LAYERS
from tests.bench.fetch import Line
from tests.bench.measure import percentile, serving
from tests.bench.rows import Aim, Row
from tests.bench.stage import Stage

_WORKERS = 2
_LINES = 24
_ZOOMS = (14, 13)
_NEAR = 3  # tiles kept around the one that is edited, as the side of a square
_PATIENCE_S = 10.0
_METER = re.compile(r"^chengtu_tile_cache_(\w+?)(?:_total)? ([\d.]+)", re.MULTILINE)
_EDIT = sa.text(
    "update city.component set state = case state when 'broken' then 'intact' else 'broken' end where id = :id"
)


@dataclass(frozen=True)
class Place:
    """A component, and the tiles that are kept before it is edited: its own first."""

    id: str
    paths: Sequence[str]


@dataclass(frozen=True)
class Edit:
    """What came of one edit: the time to the last process, and how many unchanged tiles were forgotten."""

    fresh_ms: float
    needless: int


def fresh(stage: Stage) -> list[Row]:
    """Edits through SQL, one after the other; each process is asked for the tile until it is another."""
    url, data = stage.city, stage.archived
    with stage.reader("city").connect() as connection:
        places = _places(connection, stage.sizes.edits)
    writer = engine_for(url, "writer", pool_size=1)
    try:
        with serving(url, data=data, workers=str(_WORKERS)) as server:
            edits = uvloop.run(_edits(server.port, writer, places))
    finally:
        writer.dispose()
        stage.changed()
    times = [edit.fresh_ms for edit in edits]
    needless = sum(edit.needless for edit in edits)
    return [
        Row(f"edit to fresh tile, {_WORKERS} processes, p50 of {len(edits)}", median(times), "ms"),
        Row("edit to fresh tile, p99", percentile(times, 99), "ms", aim=Aim(most=200)),
        Row("other tiles forgotten, in all", needless, "keys", aim=Aim(most=0)),
    ]


def _places(connection: sa.Connection, total: int) -> list[Place]:
    found = sa.text("select id, st_x(geom), st_y(geom) from city.component order by md5(id) offset 77 limit :total")
    return [Place(id, _paths(lon, lat)) for id, lon, lat in connection.execute(found, {"total": total})]


def _paths(lon: float, lat: float) -> list[str]:
    """Its tile and those around it, at two zooms, and the same tiles of other layers; its own comes first."""
    reach = sorted(range(-(_NEAR // 2), _NEAR // 2 + 1), key=abs)
    tiles = [Tile(z, x + i, y + j) for z, x, y in (tile_of(lon, lat, z) for z in _ZOOMS) for i in reach for j in reach]
    return [f"/tiles/{layer}/{t.z}/{t.x}/{t.y}.mvt" for layer in LAYERS for t in tiles]


async def _edits(port: int, writer: sa.Engine, places: Sequence[Place]) -> list[Edit]:
    deadline = time.perf_counter() + _PATIENCE_S
    while len(lines := await _one_to_each(port)) < _WORKERS:  # a worker that has not begun yet takes no connections
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{_LINES} connections, and not one to each of {_WORKERS} workers")
        await asyncio.sleep(0.1)
    return [await _edit(lines, writer, place) for place in places]


async def _edit(lines: Sequence[Line], writer: sa.Engine, place: Place) -> Edit:
    before = [await _etags(line, place.paths) for line in lines]
    dropped = [(await _meters(line))["dropped"] for line in lines]
    committed = await asyncio.to_thread(_commit, writer, place.id)
    own = place.paths[0]
    times = await asyncio.gather(
        *(_until_other(line, own, known[own], committed) for line, known in zip(lines, before, strict=True))
    )
    needless = 0
    for line, known, count in zip(lines, before, dropped, strict=True):
        gone = (await _meters(line))["dropped"] - count
        after = await _etags(line, place.paths)
        needless += max(0, int(gone) - sum(after[path] != known[path] for path in place.paths))
    return Edit(max(times) * 1000, needless)


def _commit(writer: sa.Engine, id: str) -> float:
    with begin(writer, actor="bench") as connection:
        connection.execute(_EDIT, {"id": id})
    return time.perf_counter()


async def _until_other(line: Line, path: str, etag: str, committed: float) -> float:
    """Seconds from the commit to the moment when a fresh tile was asked for that came."""
    while time.perf_counter() < committed + _PATIENCE_S:
        answer = await line.ask(path)
        if answer.headers["etag"] != etag:
            return time.perf_counter() - committed
        await asyncio.sleep(0.001)
    raise TimeoutError(f"{path} is not fresh after {_PATIENCE_S} s")


async def _etags(line: Line, paths: Sequence[str]) -> dict[str, str]:
    return {path: (await line.ask(path)).headers["etag"] for path in paths}


async def _meters(line: Line) -> dict[str, float]:
    page = (await line.ask("/metrics")).body.decode()
    return {name: float(value) for name, value in _METER.findall(page)}


async def _one_to_each(port: int) -> list[Line]:
    """One connection to each worker: those of the same worker see its cache grow by a tile that one of them wants."""
    found: list[Line] = []
    rest = [await Line.open(port) for _ in range(_LINES)]
    while rest:
        before = [(await _meters(line))["entries"] for line in rest]
        await rest[0].ask(f"/tiles/town/16/{time.perf_counter_ns() % 65_536}/26600.mvt")
        grown = [(await _meters(line))["entries"] > count for line, count in zip(rest, before, strict=True)]
        if not grown[0]:  # it does not keep tiles before it follows the changes
            return []
        found.append(rest[0])
        rest = [line for line, same in zip(rest, grown, strict=True) if not same]
    return found
