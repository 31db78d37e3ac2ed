"""The application: wires settings, connections, routes and the map together, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api import errors
from api.compressed import Compressed
from api.follow import Batch, Follower
from api.headers import FOR_OTHERS, PREFLIGHT, for_one, is_for_others, is_for_programs, is_known, safe_headers
from api.live import Live
from api.metrics import Metrics
from api.pages import Pages, release
from api.presses import Presses
from api.routes import (
    accounts,
    answers,
    archives,
    audit,
    basemap,
    callbacks,
    callers,
    catalogue,
    channels,
    client,
    clocks,
    departments,
    duties,
    exchange,
    exercises,
    hotline,
    incidents,
    indicators,
    items,
    join,
    keys,
    loop_indicators,
    needs,
    notices,
    ogc,
    oidc,
    open311,
    photos,
    places,
    prints,
    providers,
    public_reports,
    query,
    questions,
    rasters,
    receipts,
    reports,
    rosters,
    session,
    sight,
    system,
    topics,
    visits,
    webhooks,
)
from api.routes.deliveries import router as deliveries_router
from api.routes.photos import is_photo
from api.routes.uploads import is_file
from api.routes.uploads import router as uploads_router
from api.service import Service
from api.settings import ROOT, Settings
from api.shelf import Shelf
from api.tiles import Receive, Scope, Send, Tiles, open_pool
from api.watched import Watched
from layers.loop.photos import MOST_BYTES
from layers.store.archives import FOLDER as ARCHIVES
from layers.store.basemap import FOLDER as BASEMAPS
from layers.store.basemap import kept

MOST_BODY = 4 * 1024 * 1024
TILE_ROUTE = "/tiles/{names}/{z}/{x}/{y}.mvt"
_METHODS = ("GET", "HEAD", "PATCH", "POST", "PUT", "DELETE", "OPTIONS")
DIST = ROOT / "webmap" / "dist"


class Application:
    """One ASGI callable: tiles first, everything else to FastAPI, every answer measured and given safe headers."""

    def __init__(self, service: Service, *, dist: Path = DIST) -> None:
        self.metrics = Metrics()
        self.service = service
        self.headers = safe_headers(service.settings)
        self.pool = open_pool(service)
        self.shelf = Shelf(service.settings.data_dir / ARCHIVES)
        # A tile is no page: of the safe headers only the first means something to who reads it.
        self.tiles = Tiles(service, self.pool, self.shelf, metrics=self.metrics, headers=self.headers[:1])
        self.live = Live(service)
        self.metrics.watch(self.tiles.cache, self.live)
        self.api = Compressed(self._api(dist))

    def _follow(self, batch: Batch) -> None:
        self.tiles.drop(batch.touched)
        self.live.publish(batch)

    def _forget(self) -> None:
        """Keep nothing, and let the streams come back and say where they stood."""
        self.tiles.forget()
        self.shelf.clear()
        self.live.bye()

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        """The connections of the tiles, and the task that follows the change log."""
        service = self.service
        follower = Follower(
            *(service.url, service.registry, self.shelf),
            follow=self._follow,
            ring=self.live.ring,
            forget=self._forget,
            bye=self.live.bye,
        )
        self.live.follower = self.tiles.follower = follower
        await self.pool.open()
        tasks = [asyncio.create_task(follower.run()), asyncio.create_task(self.live.watch())]
        yield
        self.live.bye()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(follower.close)
        await self.pool.close()

    def _api(self, dist: Path) -> FastAPI:
        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            async with self._running():
                yield
            self.service.close()

        api = Described(
            title="Chengtu 城图",
            description="One map for running a city: layers, tiles, search, records.",
            version="0.1.0",
            lifespan=lifespan,
            docs_url=None,
            redoc_url=None,
        )
        api.state.service, api.state.metrics = self.service, self.metrics
        api.state.release = release(dist)
        api.state.archives = archives.Archives(self.service)
        api.state.basemap = Watched(self.service.settings.data_dir / BASEMAPS, kept)
        api.state.presses, api.state.answering = Presses(self.service.settings.data_dir), self
        errors.install(api)
        # The routes are tried one after the other: what screens and phones ask for most stands first.
        for part in (
            exchange,  # before the cases: its names are no numbers
            incidents,
            items,
            query,
            system,
            session,
            oidc,
            accounts,
            rosters,
            audit,
            keys,
            catalogue,
            topics,
            photos,
            public_reports,
            receipts,
            indicators,
            reports,
            places,
            rasters,
            questions,
            ogc,
            archives,
            basemap,
            client,
            prints,
            sight,
            departments,
            duties,
            exercises,
            loop_indicators,
            needs,
            providers,
            visits,
            clocks,
            callers,
            hotline,
            answers,
            callbacks,
            open311,
            webhooks,
            notices,
            channels,
            join,
        ):
            api.include_router(part.router)
        for router in (uploads_router, deliveries_router):
            api.include_router(router)
        if dist.is_dir():
            api.mount("/", Pages(directory=dist, html=True), name="map")
        return api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI scope."""
        if scope["type"] != "http":
            await self.api(scope, receive, send)
            return
        if (ogc_tile := ogc.tile_path(scope["path"])) is not None:
            scope = {**scope, "path": ogc_tile}
        path = scope["path"]
        tile = path.startswith("/tiles/") and path.endswith(".mvt")
        if tile and (hit := self.tiles.hit(scope)) is not None:
            for message in hit:
                await send(message)
            return
        started = time.perf_counter()
        status = 500
        method = scope["method"]
        more = FOR_OTHERS if is_for_others(scope) else []
        known = is_known(scope)
        if method == "HEAD":  # every resource that can be read has a head
            scope = {**scope, "method": "GET"}

        async def measured(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self.headers[0] not in message["headers"]:  # a tile that is kept in memory has them already
                    own = for_one(message["headers"]) if known else message["headers"]
                    message = {**message, "headers": [*own, *self.headers, *more]}
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        live = path == "/live"
        try:
            most = MOST_BODY
            if is_file(method, path):
                most = self.service.settings.upload_mb * 2**20
            elif is_photo(method, path):
                most = MOST_BYTES
            if _declared(scope, most) > most:
                await errors.too_large()(scope, receive, measured)
            elif method == "OPTIONS" and is_for_programs(path):
                await Response(status_code=204, headers=PREFLIGHT)(scope, receive, measured)
            else:
                answer = self.tiles if tile else self.live if live else self.api
                await answer(scope, _bounded(receive, most), measured)
        finally:
            route = TILE_ROUTE if tile else path if live else _route(scope)
            self.metrics.requests.labels(route, method if method in _METHODS else "other", status).inc()
            if not live:  # a stream that lasted a day was not a slow answer
                self.metrics.seconds.labels(route).observe(time.perf_counter() - started)


class Described(FastAPI):
    """Its OpenAPI document tells of the tiles, too; it is made when somebody asks for it."""

    def openapi(self) -> dict[str, Any]:
        """The document, the same each time."""
        if self.openapi_schema is None:
            self.openapi_schema = described(super().openapi())
        return self.openapi_schema


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the tiles, which FastAPI does not serve."""
    names = [("names", "string"), ("z", "integer"), ("x", "integer"), ("y", "integer")]
    tile = {
        "summary": "Tile",
        "tags": ["layers"],
        "description": "A Mapbox vector tile of one or several layers; 204 when it is empty.",
        "parameters": [{"name": n, "in": "path", "required": True, "schema": {"type": kind}} for n, kind in names],
        "responses": {
            "200": {"description": "the tile", "content": {"application/vnd.mapbox-vector-tile": {}}},
            "204": {"description": "nothing is here"},
            "304": {"description": "the tile that If-None-Match names is the current one"},
            "503": {"description": "the database is busy; Retry-After says when to ask again"},
        },
    }
    schema["paths"][TILE_ROUTE] = {"get": tile}
    return schema


def _declared(scope: Scope, most: int) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else most + 1


def _bounded(receive: Receive, most: int) -> Receive:
    """Bodies that do not say how long they are end with 413, too."""
    read = 0

    async def next_part() -> Any:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            raise HTTPException(413, "the body is too large")
        return message

    return next_part


def _route(scope: Scope) -> str:
    """The template of the route: never the path itself, which would let strangers invent meters."""
    return str(getattr(scope.get("route"), "path", "other")) or "map"


def from_environment() -> Application:
    """The application of a worker process; the supervisor names the database in CHENGTU_DATABASE_URL."""
    settings = Settings()
    if settings.database_url is None:
        raise RuntimeError("CHENGTU_DATABASE_URL is not set: start Chengtu with `make run` or `python -m api`")
    return Application(Service.open(settings, settings.database_url))
