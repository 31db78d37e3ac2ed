"""Tiles: a bare ASGI function in front of FastAPI, since every screen asks for hundreds of them.

A tile comes from memory, as it was sent before; else from the layer's archive, if nothing touched it since the bake;
else from the database. Many who want the same tile at the same moment wait for one answer, and when all of them have
left, the database stops making it.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import psycopg
import sqlalchemy as sa
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests
from starlette.responses import JSONResponse, Response

from api.cache import Entry, Key, TileCache
from api.encoding import Takes, encoded, gunzipped, takes
from api.errors import PROBLEM, NoTile, problem, refusal, unavailable, unexpected
from api.follow import Follower
from api.headers import FOR_OTHERS, is_for_others
from api.metrics import Metrics
from api.service import Service
from api.shelf import Shelf
from gis.drawn import pack
from gis.errors import GisError
from gis.tilegrid import check_tile
from layers.ask import filter as cql2
from layers.ask.tile import MAX_ZOOM, MIN_ZOOM, WHOLE, Budget, Made, Making, making
from layers.ask.touched import Touched
from layers.errors import BadField, LayersError
from layers.people.access import ANYONE
from layers.people.scope import Slice, slice_of
from layers.spec import Layer
from layers.store.engine import acting_statement, libpq_url, session_options

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Connection = psycopg.AsyncConnection[Any]
PATH = re.compile(r"/tiles/([a-z0-9_,]{1,900})/([0-9]{1,2})/([0-9]{1,8})/([0-9]{1,8})\.mvt")
# One layer, and the address written as we write it: what can be looked up as it stands.
PLAIN = re.compile(r"/tiles/([a-z0-9_]{1,41})/([1-9][0-9]?)/(0|[1-9][0-9]{0,7})/(0|[1-9][0-9]{0,7})\.mvt")
MVT = b"application/vnd.mapbox-vector-tile"
MOST_LAYERS = 20
TILE_TIMEOUT_MS = 4_000
_WAIT_S = 3.0
_LONG = 200_000  # bytes that take the loop's time to compress


def open_pool(service: Service) -> AsyncConnectionPool[Connection]:
    """The read-only connections of the tiles, whose statements stay prepared; not open yet."""
    size = service.settings.pool_size
    return AsyncConnectionPool(
        libpq_url(service.url),
        kwargs={
            "options": f"{session_options('reader')} -c statement_timeout={TILE_TIMEOUT_MS}",
            "autocommit": True,
            "prepare_threshold": 1,
        },
        min_size=1,
        max_size=size,
        max_waiting=size * 32,
        timeout=_WAIT_S,
        open=False,
        name="tiles",
    )


@dataclass(frozen=True)
class Order:
    """The tile that is wanted."""

    layers: tuple[Layer, ...]
    z: int
    x: int
    y: int
    filter: cql2.Filter | None
    takes: Takes
    seen: Slice | None = None  # where what a layer shows depends on who asks

    @property
    def condition(self) -> str:
        """What else than its place tells it from other tiles of these layers; empty where it is counted by no record.

        Those who see the same share what was made for one of them, and nobody else does.
        """
        asked = "" if self.filter is None else self.filter.canonical
        return asked if self.seen is None else f"{asked} seen by {self.seen.digest}"

    @property
    def names(self) -> tuple[str, ...]:
        """Of its layers."""
        return tuple(layer.name for layer in self.layers)


@dataclass
class _Flight:
    """A tile that is being made, for how many; what was touched meanwhile is sent but not kept.

    What nobody would drop is not kept either: it is `followed` when the change log was at the start.
    """

    order: Order
    task: asyncio.Task[Entry]
    followed: bool
    waiting: int = 0


class Tiles:
    """The ASGI function of `/tiles/{names}/{z}/{x}/{y}.mvt`."""

    def __init__(
        self,
        service: Service,
        pool: AsyncConnectionPool[Connection],
        shelf: Shelf,
        *,
        metrics: Metrics,
        headers: Headers,
    ) -> None:
        self._service, self._pool, self._shelf, self._metrics, self._headers = service, pool, shelf, metrics, headers
        self.cache = TileCache(service.settings.tile_cache_mb * 1_000_000)
        self._flights: dict[Key, _Flight] = {}
        self.follower: Follower | None = None

    def hit(self, scope: Scope) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The answer to the commonest of requests: a public tile that is in memory, asked for by nobody special."""
        if scope["query_string"] or scope["method"] != "GET":
            return None
        accepted, known = b"", b""
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                accepted = value
            elif name == b"if-none-match":
                known = value
            elif name == b"authorization":
                return None
        key = (scope["path"], "", takes(accepted))
        entry = self.cache.get(key) or self._from_shelf(key)
        if entry is None or not entry.public:
            return None
        self.cache.hits += 1
        return (entry.unchanged, _NOTHING) if known and entry.etag in known else (entry.start, entry.body)

    def _from_shelf(self, key: Key) -> Entry | None:
        """The same for a tile of one layer that is not in memory, but in its archive as the client takes it."""
        path, _, accepted = key
        found = PLAIN.fullmatch(path)
        if found is None or "g" not in accepted:
            return None
        layers = self._service.registry.known([found[1]], ANYONE)
        if layers is None or not self._service.registry.fixed(layers):
            return None
        z, x, y = int(found[2]), int(found[3]), int(found[4])
        stored = self._shelf.get(layers[0], z, x, y) if max(x, y) < 1 << z else None
        if stored is None:
            return None
        data, cut = stored
        order = Order(tuple(layers), z, x, y, None, accepted)
        entry = self._finished(order, data, "gzip" if data else "identity", cut)
        if self.follower is not None and self.follower.position is not None:
            self.cache.put(key, entry)
        return entry

    def drop(self, touched: Mapping[str, Touched]) -> None:
        """Forget what changes touched; what is being made of it began too early to be kept."""
        self.cache.drop(touched)
        for key, flight in list(self._flights.items()):
            tile = pack(flight.order.z, flight.order.x, flight.order.y)
            filtered = bool(flight.order.condition)
            if any(name in touched and touched[name].shows(tile, filtered=filtered) for name in flight.order.names):
                del self._flights[key]

    def forget(self) -> None:
        """Keep nothing of what was made so far, nor of what is being made."""
        self.cache.clear()
        self._flights.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one tile request."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        response: Response
        try:
            if scope["method"] not in ("GET", "HEAD"):
                body = problem(405, "tiles are only read", code="method")
                response = JSONResponse(body, 405, {"Allow": "GET, HEAD"}, PROBLEM)
            else:
                entry = await self._entry(scope, headers, receive)
                if entry is None:
                    return  # nobody is listening any more
                same = entry.etag in headers.get(b"if-none-match", "").encode("latin-1")
                await send(entry.unchanged if same else entry.start)
                await send(_NOTHING if same else entry.body)
                return
        except (LayersError, GisError) as error:
            status, body, extra = refusal(error)
            response = JSONResponse(body, status, extra, PROBLEM)
        except _BUSY as error:
            self._metrics.busy.inc()
            response = unavailable(error)
        except (psycopg.Error, sa.exc.SQLAlchemyError) as error:
            response = unexpected(error)
        response.raw_headers += [*self._headers, *(FOR_OTHERS if is_for_others(scope) else ())]
        await response(scope, receive, send)

    async def _entry(self, scope: Scope, headers: dict[bytes, str], receive: Receive) -> Entry | None:
        order = await self._order(scope, headers)
        key = (f"/tiles/{','.join(order.names)}/{order.z}/{order.x}/{order.y}.mvt", order.condition, order.takes)
        entry = self.cache.get(key)
        # A layer that people brought may be declared anew.
        return entry if entry is not None and entry.layers == order.layers else await self._join(key, order, receive)

    async def _order(self, scope: Scope, headers: dict[bytes, str]) -> Order:
        found = PATH.fullmatch(scope["path"])
        if found is None:
            raise NoTile("a tile is /tiles/{names}/{z}/{x}/{y}.mvt")
        names, *zxy = found.groups()
        z, x, y = check_tile(*map(int, zxy))
        layers, seen = await self._layers(names, scope)
        filter = _filter(scope["query_string"], layers)
        accepted = takes(headers.get(b"accept-encoding", "").encode("latin-1"))
        return Order(tuple(layers), z, x, y, filter, accepted, seen)

    async def _layers(self, names: str, scope: Scope) -> tuple[list[Layer], Slice | None]:
        distinct = list(dict.fromkeys(names.split(",")))
        if len(distinct) > MOST_LAYERS:
            raise BadField({"names": f"at most {MOST_LAYERS} layers in one tile"})

        door, registry = self._service.door, self._service.registry
        actor = door.glance(scope)
        if actor is None:
            actor = await asyncio.to_thread(door.actor, scope)
        found = registry.known(distinct, actor)
        if found is None:  # a new layer is looked up in the database
            found = await asyncio.to_thread(lambda: [registry.find(name, actor) for name in distinct])
        return found, slice_of(actor) if any(layer.scoped for layer in found) else None

    async def _join(self, key: Key, order: Order, receive: Receive) -> Entry | None:
        """Wait for the tile with all others who want it; None when the client leaves first."""
        flight = self._flights.get(key)
        if flight is None or flight.order.layers != order.layers:
            followed = self.follower is not None and self.follower.position is not None
            flight = _Flight(order, asyncio.create_task(self._make(order)), followed)
            self._flights[key] = flight
            flight.task.add_done_callback(lambda _: self._land(key, flight))
        flight.waiting += 1
        left = asyncio.create_task(disconnected(receive))
        try:
            await asyncio.wait({flight.task, left}, return_when=asyncio.FIRST_COMPLETED)
            return flight.task.result() if flight.task.done() else None
        finally:
            left.cancel()
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                if self._flights.get(key) is flight:
                    del self._flights[key]
                flight.task.cancel()  # psycopg cancels the statement in the server, too

    def _land(self, key: Key, flight: _Flight) -> None:
        failed = flight.task.cancelled() or flight.task.exception() is not None
        if self._flights.get(key) is not flight:
            return
        del self._flights[key]
        if flight.followed and not failed:
            self.cache.put(key, flight.task.result())

    async def _make(self, order: Order) -> Entry:
        z, x, y = order.z, order.x, order.y
        shelved = [None if order.filter else self._shelf.get(layer, z, x, y) for layer in order.layers]
        if len(shelved) == 1 and shelved[0] is not None and "g" in order.takes:
            data, cut = shelved[0]
            return self._finished(order, data, "gzip" if data else "identity", cut)
        missing = [layer for layer, part in zip(order.layers, shelved, strict=True) if part is None]
        made = iter(await self._ask(order, missing) if missing and MIN_ZOOM <= order.z <= MAX_ZOOM else [])
        parts = [next(made, Made(b"")) if part is None else Made(gunzipped(part[0]), part[1]) for part in shelved]
        raw, cut = b"".join(part.data for part in parts), sum(part.cut for part in parts)
        if len(parts) > 1 and len(raw) > _LONG and await asyncio.to_thread(WHOLE.exceeded_by, raw):
            parts = await self._ask(order, order.layers, WHOLE.shared([len(part.data) for part in parts]))
            raw, cut = b"".join(part.data for part in parts), sum(part.cut for part in parts)
        self._metrics.tile_bytes.inc(len(raw))
        work = asyncio.to_thread(encoded, raw, order.takes) if len(raw) > _LONG else None
        data, coding = await work if work else encoded(raw, order.takes)
        return self._finished(order, data, coding, cut)

    async def _ask(self, order: Order, layers: Sequence[Layer], budgets: Sequence[Budget] = ()) -> list[Made]:
        try:
            return await self._ask_once(order, layers, budgets)
        except psycopg.OperationalError as error:
            if not _lost(error):
                raise
            # The database was started anew: connections of before are dead. Reading twice harms nobody.
            await self._pool.check()
            return await self._ask_once(order, layers, budgets)

    async def _ask_once(self, order: Order, layers: Sequence[Layer], budgets: Sequence[Budget]) -> list[Made]:
        z, x, y = order.z, order.x, order.y
        async with self._pool.connection() as connection, _acting(connection, order.seen):
            return [
                await _run(connection, making(layer, z, x, y, filter=order.filter, seen=order.seen, budget=budget))
                for layer, budget in zip(layers, budgets or [WHOLE] * len(layers), strict=True)
            ]

    def _finished(self, order: Order, data: bytes, coding: str, cut: int) -> Entry:
        fixed = self._service.registry.fixed(order.layers)
        public = all(layer.access.view == "public" for layer in order.layers)
        whose = "" if order.seen is None else f"-{order.seen.digest}"
        etag = f'"{hashlib.blake2b(data, digest_size=12).hexdigest()}{whose}-{coding[0]}"'.encode()
        common = [
            (b"etag", etag),
            (b"cache-control", b"no-cache" if public else b"private, no-cache"),
            (b"vary", b"Accept-Encoding, Authorization" + (b"" if public else b", Cookie")),
            *self._headers,
            *(FOR_OTHERS if public else ()),
        ]
        told = [(b"x-truncated", str(cut).encode())] if cut else []
        kind = [(b"content-type", MVT), (b"content-length", str(len(data)).encode())] if data else []
        form = [(b"content-encoding", coding.encode())] if coding != "identity" else []
        start = {"type": "http.response.start", "status": 200 if data else 204, "headers": common + told + kind + form}
        return Entry(
            names=order.names,
            tile=pack(order.z, order.x, order.y),
            etag=etag,
            start=start,
            body={"type": "http.response.body", "body": data},
            unchanged={"type": "http.response.start", "status": 304, "headers": common},
            public=fixed and public,
            layers=order.layers,
        )


_NOTHING = {"type": "http.response.body", "body": b""}
_BUSY = (PoolTimeout, TooManyRequests, psycopg.OperationalError, sa.exc.OperationalError, sa.exc.TimeoutError)


def _filter(query_string: bytes, layers: Sequence[Layer]) -> cql2.Filter | None:
    try:
        asked = parse_qs(query_string.decode("latin-1"), max_num_fields=20)
    except ValueError:
        raise BadField({"filter": "the query has too many parameters"}) from None
    if "filter" not in asked:
        return None
    for layer in layers:
        if not any(field.filter for field in layer.fields):
            raise BadField({"filter": f"layer {layer.name!r} has no field to filter by"})
    lang = asked.get("filter-lang", ["cql2-text"])[-1]
    if lang not in ("cql2-text", "cql2-json"):
        raise BadField({"filter-lang": "is cql2-text or cql2-json"})
    found = cql2.parse(asked["filter"][-1], "cql2-json" if lang == "cql2-json" else "cql2-text")
    for layer in layers:
        cql2.condition(layer, found)  # refused before anything is asked, at every zoom
    return found


async def disconnected(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


@asynccontextmanager
async def _acting(connection: Connection, seen: Slice | None) -> AsyncIterator[None]:
    """A transaction that sees this part of scoped layers; without one the connection sees nothing of them."""
    if seen is None:
        yield
        return
    async with connection.transaction():
        await connection.execute(*acting_statement(seen.settings))
        yield


async def _run(connection: Connection, tile: Making) -> Made:
    row = None
    while True:
        try:
            statement = tile.send(row)  # type: ignore[arg-type]  # a dialogue begins with None
        except StopIteration as end:
            made: Made = end.value
            return made
        cursor = await connection.execute(statement.sql, statement.parameters, binary=True)
        row = await cursor.fetchone()


def _lost(error: psycopg.OperationalError) -> bool:
    """Is the connection gone (and not only the statement's time used up, or none free)?"""
    if isinstance(error, PoolTimeout | TooManyRequests):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(("57P", "08"))
