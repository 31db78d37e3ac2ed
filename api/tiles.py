"""Tiles: a bare ASGI function in front of FastAPI, since every screen asks for hundreds of them."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import cramjam
import psycopg
import sqlalchemy as sa
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests
from starlette.responses import JSONResponse, Response

from api.deps import actor_from
from api.errors import PROBLEM, problem, refusal, unavailable, unexpected
from api.metrics import Metrics
from api.service import Service
from gis.errors import GisError
from gis.tilegrid import check_tile
from layers.ask.style import MIN_ZOOM
from layers.ask.tile import MAX_ZOOM, parameters, tile_query
from layers.errors import BadField, LayersError
from layers.people.access import ANYONE
from layers.spec import Layer
from layers.store.engine import driver_url, session_options

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
PATH = re.compile(r"/tiles/([a-z0-9_,]{1,900})/([0-9]{1,2})/([0-9]{1,8})/([0-9]{1,8})\.mvt")
MVT = "application/vnd.mapbox-vector-tile"
MOST_LAYERS = 20
TILE_TIMEOUT_MS = 4_000
_WAIT_S = 3.0


def open_pool(service: Service) -> AsyncConnectionPool[psycopg.AsyncConnection[Any]]:
    """The read-only connections of the tiles, whose statements stay prepared; not open yet."""
    conninfo = driver_url(service.url).set(drivername="postgresql").render_as_string(hide_password=False)
    size = service.settings.pool_size
    return AsyncConnectionPool(
        conninfo,
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


class Tiles:
    """The ASGI function of `/tiles/{names}/{z}/{x}/{y}.mvt`."""

    def __init__(
        self, service: Service, pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]], metrics: Metrics
    ) -> None:
        self._service, self._pool, self._metrics = service, pool, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one tile request."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        try:
            response = await self._answer(scope, headers)
        except (LayersError, GisError) as error:
            status, body, extra = refusal(error)
            response = JSONResponse(body, status, extra, PROBLEM)
        except _BUSY as error:
            self._metrics.busy.inc()
            response = unavailable(error)
        except (psycopg.Error, sa.exc.SQLAlchemyError) as error:
            response = unexpected(error)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, headers: dict[bytes, str]) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return JSONResponse(
                problem(405, "tiles are only read", code="method"), 405, {"Allow": "GET, HEAD"}, PROBLEM
            )
        found = PATH.fullmatch(scope["path"])
        if found is None:
            body = problem(404, "a tile is /tiles/{names}/{z}/{x}/{y}.mvt", code="no_tile")
            return JSONResponse(body, 404, media_type=PROBLEM)
        names, *zxy = found.groups()
        z, x, y = check_tile(*map(int, zxy))
        layers = await self._layers(names, headers.get(b"authorization"))
        data = b""
        if MIN_ZOOM <= z <= MAX_ZOOM:
            try:
                data = await self._make(layers, z, x, y)
            except psycopg.OperationalError as error:
                if not _lost(error):
                    raise
                # The database was started anew: connections of before are dead. Reading twice harms nobody.
                await self._pool.check()
                data = await self._make(layers, z, x, y)
        return _response(data, headers)

    async def _layers(self, names: str, authorization: str | None) -> list[Layer]:
        distinct = list(dict.fromkeys(names.split(",")))
        if len(distinct) > MOST_LAYERS:
            raise BadField({"names": f"at most {MOST_LAYERS} layers in one tile"})

        def find() -> list[Layer]:
            actor = ANYONE if authorization is None else actor_from(self._service, authorization)
            return [self._service.registry.find(name, actor) for name in distinct]

        if authorization is None and (known := self._service.registry.known(distinct, ANYONE)) is not None:
            return known
        return await asyncio.to_thread(find)  # a token or a new layer is looked up in the database

    async def _make(self, layers: Sequence[Layer], z: int, x: int, y: int) -> bytes:
        async with self._pool.connection() as connection:
            parts = []
            for layer in layers:
                query = tile_query(layer, z)
                cursor = await connection.execute(query.sql, parameters(query, z, x, y), binary=True)
                row = await cursor.fetchone()
                parts.append(bytes(row[0]) if row and row[0] else b"")
        data = b"".join(parts)
        self._metrics.tile_bytes.inc(len(data))
        return data


_BUSY = (PoolTimeout, TooManyRequests, psycopg.OperationalError, sa.exc.OperationalError, sa.exc.TimeoutError)


def _lost(error: psycopg.OperationalError) -> bool:
    """Is the connection gone (and not only the statement's time used up)?"""
    return error.sqlstate is None or error.sqlstate.startswith(("57P", "08"))


def _response(data: bytes, headers: dict[bytes, str]) -> Response:
    """The tile in the best encoding that the client takes; composite tiles are compressed once, as a whole."""
    encoding = "gzip" if len(data) > 200 and "gzip" in headers.get(b"accept-encoding", "") else "identity"
    etag = f'"{hashlib.blake2b(data, digest_size=12).hexdigest()}-{encoding[0]}"'
    common = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding, Authorization"}
    if etag in headers.get(b"if-none-match", ""):
        return Response(status_code=304, headers=common)
    if not data:
        return Response(status_code=204, headers=common)
    if encoding == "gzip":
        data = bytes(cramjam.gzip.compress(data, level=1))
        common["Content-Encoding"] = "gzip"
    return Response(data, headers=common, media_type=MVT)
