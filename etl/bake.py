"""Bakes layers into archives: every tile of z6 to z14 by the statements that serve requests, of one moment.

All connections read the same exported snapshot. What is changed meanwhile is not in the archive, and its position in
the change log says so: servers go on from there.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import psycopg.sql
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.dialects import postgresql

from etl.errors import EtlError
from gis.archive import Archive, Encoding, Kind
from gis.cells import resolution_for_zoom
from gis.drawn import pack, unpack
from gis.frames import convert
from gis.new_archive import gzipped, write_archive
from gis.tilegrid import Box, Tile, bounds_3857, tile_id
from layers.ask.style import tilejson
from layers.ask.tile import DEEPEST, MIN_ZOOM, fingerprint, making, run
from layers.ask.tile_sql import BUFFER, EXTENT
from layers.spec import Layer
from layers.store import archives, changes
from layers.store.core import CELL, CELL_COUNT
from layers.store.engine import engine_for, libpq_url, session_options

KIND: Kind = "mvt"
COMPRESSION: Encoding = "gzip"
# A layer whose boxes lie on more tiles is spread over half a continent: it is served from the database.
MOST_TILES = 300_000
STATEMENT_TIMEOUT_MS = 120_000
_AHEAD = 24  # parts that may wait for one that takes long
_ROWS_AT_ONCE = 10_000
_MOST_AT_ONCE = 5_000_000
_HALF_M = bounds_3857(Tile(0, 0, 0)).east
# Half a unit more: a tile's coordinates are rounded before they are clipped to its buffer. On the very edge the last
# bit decides.
_MARGIN = (BUFFER + 0.5) / EXTENT + 1e-9

Progress = Callable[[int, int], None]
Connection = psycopg.Connection[Any]
Boxes = NDArray[np.float64]


class TooWide(EtlError):
    """A layer that lies on too many tiles for an archive."""

    def __init__(self, layer: str, found: int) -> None:
        super().__init__(f"layer {layer} may lie on {found:,} tiles; an archive holds {MOST_TILES:,}")
        self.layer, self.found = layer, found


class NotBaked(EtlError):
    """A layer whose records depend on who asks: an archive would show everybody the same."""

    def __init__(self, layer: str) -> None:
        super().__init__(f"layer {layer} is never baked: its records depend on who asks")
        self.layer = layer


@dataclass(frozen=True)
class Baked:
    """A new archive of a layer; `cut` counts the records that its tiles leave out, once a tile."""

    layer: str
    path: Path
    tiles: int
    bytes: int
    seconds: float
    cut: int


@dataclass(frozen=True)
class Snapshot:
    """One moment of one database, and connections that all see it."""

    url: str
    database: str
    position: str
    at: datetime
    connections: Sequence[Connection]


def bake_layer(url: str, layer: Layer, folder: Path, *, progress: Progress | None = None, threads: int = 1) -> Baked:
    """Bake one layer as it is now; see `bake`."""
    with snapshot(url, threads=threads) as moment:
        return bake(moment, layer, folder, progress=progress)


def bake(moment: Snapshot, layer: Layer, folder: Path, *, progress: Progress | None = None) -> Baked:
    """Bake one layer as it was at a moment, and let the servers know.

    TooWide when it lies on too many tiles, NotBaked when its records depend on who asks.

    `progress` is told how many tiles are done of how many; when it raises, nothing is left of the archive.
    """
    if layer.scoped:
        raise NotBaked(layer.name)
    folder.mkdir(parents=True, exist_ok=True)
    baked = _write(moment, layer, folder, progress or _silent)
    _announce(moment.url, layer.name)
    archives.prune(folder, layer.name)
    return baked


def stale_layers(connection: sa.Connection, layers: Iterable[Layer], folder: Path) -> list[Layer]:
    """The layers that deserve a bake: those without an archive that fits, and those whose archive is worn."""
    database, stale = changes.identity(connection), []
    for layer in layers:
        if layer.scoped:
            continue
        path = archives.current(folder, layer.name, fingerprint=fingerprint(layer), database=database)
        if path is None or archives.worn(connection, layer.name, _position(path)):
            stale.append(layer)
    return stale


def _position(path: Path) -> changes.Position:
    return changes.Position.parse(archives.facts(Archive.open(path)).position)


def _announce(url: str, layer: str) -> None:
    engine = engine_for(url, "writer", pool_size=0)
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_notify(archives.BELL, layer)))


@contextmanager
def snapshot(url: str, *, threads: int) -> Iterator[Snapshot]:
    """The database as it is now, for as long as the block lasts, through one connection for each thread."""
    engine = engine_for(url, "reader", pool_size=0).execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as leader, ExitStack() as opened:
        name = leader.scalar(sa.text("select pg_export_snapshot()"))
        at = leader.execute(sa.select(sa.func.now())).scalar_one()
        position, database = changes.now(leader), changes.identity(leader)
        with engine.connect() as beside:  # the archive keeps it outside of the database
            changes.settle(beside)
        connections = [opened.enter_context(_connected(url, str(name))) for _ in range(threads)]
        yield Snapshot(url, database, str(position), at, connections)


@contextmanager
def _connected(url: str, snapshot_name: str) -> Iterator[Connection]:
    options = f"{session_options('reader')} -c statement_timeout={STATEMENT_TIMEOUT_MS}"
    with psycopg.connect(
        libpq_url(url), options=options, application_name="chengtu bake", prepare_threshold=0
    ) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute(psycopg.sql.SQL("set transaction snapshot {}").format(snapshot_name), prepare=False)
        yield connection


def _write(moment: Snapshot, layer: Layer, folder: Path, progress: Progress) -> Baked:
    started = time.perf_counter()
    wanted, bounds = _candidates(moment.connections[0], layer)
    statement = fingerprint(layer)
    path = archives.place_for(folder, layer=layer.name, statement=statement, position=moment.position, at=moment.at)
    cuts: dict[int, int] = {}
    tiles = 0

    def made() -> Generator[tuple[int, bytes], None, None]:
        nonlocal tiles
        done = 0
        with closing(_in_order(moment.connections, layer, _parts(wanted))) as parts:
            for part in parts:
                for tile, data, cut in part:
                    if cut:
                        cuts[pack(*tile)] = cut
                    if data:
                        tiles += 1
                        yield tile_id(*tile), data
                done += len(part)
                progress(done, len(wanted))

    def metadata() -> Mapping[str, Any]:
        told = archives.Facts(layer.name, statement, moment.database, moment.position, moment.at, tiles, cuts)
        return _metadata(layer, bounds, told)

    zooms = (MIN_ZOOM, DEEPEST)
    with closing(made()) as coming:
        written = write_archive(
            path, coming, kind=KIND, compression=COMPRESSION, zooms=zooms, bounds=bounds, metadata=metadata
        )
    cut = sum(cuts.values())
    return Baked(layer.name, path, written.tiles, written.bytes, time.perf_counter() - started, cut)


def _metadata(layer: Layer, bounds: Box, told: archives.Facts) -> dict[str, Any]:
    described = tilejson([layer], bounds=bounds)
    return {
        "name": layer.title.zh,
        "description": layer.about.en,
        "type": "overlay",
        "version": "1",
        "vector_layers": described["vector_layers"],
        "chengtu": told.metadata(),
    }


Part = list[tuple[Tile, bytes, int]]


def _in_order(
    connections: Sequence[Connection], layer: Layer, parts: Iterable[list[Tile]]
) -> Generator[Part, None, None]:
    """The parts as they come in, made by all connections at once, but for those that would run too far ahead."""
    idle: queue.SimpleQueue[Connection] = queue.SimpleQueue()
    for connection in connections:
        idle.put(connection)

    def make(tiles: list[Tile]) -> Part:
        connection = idle.get()
        try:
            return _made(connection, layer, tiles)
        finally:
            idle.put(connection)

    waiting: deque[Future[Part]] = deque()
    workers = ThreadPoolExecutor(len(connections))
    try:
        for part in parts:
            waiting.append(workers.submit(make, part))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        workers.shutdown(cancel_futures=True)


def _made(connection: Connection, layer: Layer, tiles: list[Tile]) -> Part:
    with connection.cursor() as cursor:
        part = []
        for tile in tiles:
            made = run(cursor, making(layer, *tile))
            part.append((tile, gzipped(made.data) if made.data else b"", made.cut))
        return part


def _parts(tiles: Sequence[Tile]) -> Iterator[list[Tile]]:
    """Neighbours together, since the database finds them warm; the deeper the quicker made, and the more in a part."""
    for z, level in groupby(tiles, key=lambda tile: tile.z):
        size = min(32, max(1, 4 ** (z - 9)))
        of_zoom = list(level)
        yield from (of_zoom[start : start + size] for start in range(0, len(of_zoom), size))


def _candidates(connection: Connection, layer: Layer) -> tuple[list[Tile], Box]:
    """The tiles that may hold something, in the order of an archive, and the lon, lat box of it all."""
    found: set[int] = set()
    extent = np.array([np.inf, np.inf, -np.inf, -np.inf])
    for zooms, statement in _box_statements(layer):
        for boxes in _boxes(connection, statement):
            extent[:2] = np.minimum(extent[:2], boxes[:, :2].min(axis=0))
            extent[2:] = np.maximum(extent[2:], boxes[:, 2:].max(axis=0))
            for z in zooms:
                found.update(_tiles_under(boxes, z, layer.name))
            if len(found) > MOST_TILES:
                raise TooWide(layer.name, len(found))
    tiles = sorted(map(unpack, found), key=lambda tile: tile_id(*tile))
    return tiles, _lonlat(extent)


def _box_statements(layer: Layer) -> Iterator[tuple[range, sa.Select[Any]]]:
    """Zooms, and the boxes (3857) of what is drawn at them: the records, and below `minzoom` the cells that count."""
    own = layer.table.c.geom3857
    if layer.minzoom <= DEEPEST:
        yield range(max(MIN_ZOOM, layer.minzoom), DEEPEST + 1), _edges(own).where(~sa.func.st_isempty(own))
    below = range(MIN_ZOOM, min(layer.minzoom, DEEPEST + 1))
    for res, zooms in groupby(below, key=resolution_for_zoom):
        counted = sa.select(CELL_COUNT.c.cell).where(CELL_COUNT.c.layer == layer.name, CELL_COUNT.c.res == res)
        same = list(zooms)
        yield range(same[0], same[-1] + 1), _edges(CELL.c.geom3857).where(CELL.c.h3.in_(counted))


def _edges(shape: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(*(sa.cast(edge(shape), sa.Double) for edge in _EDGES))


_EDGES = (sa.func.st_xmin, sa.func.st_ymin, sa.func.st_xmax, sa.func.st_ymax)


def _boxes(connection: Connection, statement: sa.Select[Any]) -> Iterator[Boxes]:
    dialect: Any = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
    compiled = statement.compile(dialect=dialect)
    with connection.cursor(name="boxes", binary=True) as cursor:
        cursor.execute(str(compiled), compiled.params)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield np.array(rows, np.float64)


def _tiles_under(boxes: Boxes, z: int, layer: str) -> list[int]:
    """The tiles, packed, on which something in boxes of Web Mercator metres may be drawn."""
    n = 1 << z
    reach = np.array([-_MARGIN, _MARGIN])
    columns = np.floor((boxes[:, [0, 2]] + _HALF_M) / (2 * _HALF_M) * n + reach).clip(0, n - 1).astype(np.int64)
    rows = np.floor((_HALF_M - boxes[:, [3, 1]]) / (2 * _HALF_M) * n + reach).clip(0, n - 1).astype(np.int64)
    wide = columns[:, 1] - columns[:, 0] + 1
    count = wide * (rows[:, 1] - rows[:, 0] + 1)
    total = int(count.sum())
    if total > _MOST_AT_ONCE:
        raise TooWide(layer, total)
    owner = np.repeat(np.arange(len(boxes)), count)
    along = np.arange(total) - np.repeat(np.cumsum(count) - count, count)
    x, y = columns[owner, 0] + along % wide[owner], rows[owner, 0] + along // wide[owner]
    packed: list[int] = np.unique(z << 48 | x << 24 | y).tolist()
    return packed


def _lonlat(extent: NDArray[np.float64]) -> Box:
    if not np.isfinite(extent).all():  # an empty layer is nowhere: the archive says the world
        return Box(-180.0, -85.0, 180.0, 85.0)
    lon, lat = convert(extent[[0, 2]], extent[[1, 3]], source="EPSG:3857")
    return Box(float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1]))


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""
