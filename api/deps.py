"""Request parameters, named once and shared by the routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import Depends, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from api.rights import allowed, require_rehearsed
from api.service import Service
from layers.people.access import Actor, refuse_unless
from layers.people.holders import Holder
from layers.people.scope import acting, slice_of
from layers.spec import ID_PATTERN, Layer

WAIT_S = 5.0


def service_of(request: Request) -> Service:
    """The service that this process opened."""
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(service_of)]


def _holder(request: Request, service: ServiceDep) -> Holder:
    """Who asks; NotAllowed when the route asks for a right that they do not have."""
    holder = service.door.holder(request.scope)
    path = getattr(request.scope.get("route"), "path", "")
    refuse_unless(holder.actor, allowed(holder.actor, request.method, path))
    require_rehearsed(holder.actor, request.method, path)
    return holder


HolderDep = Annotated[Holder, Depends(_holder)]


def _actor(holder: HolderDep) -> Actor:
    return holder.actor


ActorDep = Annotated[Actor, Depends(_actor)]
LayerName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,40}$", description="name of a layer, see /layers")]


def _layer(name: LayerName, service: ServiceDep, actor: ActorDep) -> Layer:
    return service.registry.find(name, actor)


LayerDep = Annotated[Layer, Depends(_layer)]


async def _reading(service: ServiceDep, actor: ActorDep) -> AsyncIterator[sa.Connection]:
    # Waiting happens here, on the event loop: threads that waited for a connection would leave none for those who hold
    # one to finish with.
    async with asyncio.timeout(WAIT_S):
        await service.slots.acquire()
    try:
        connection = await run_in_threadpool(service.reader.connect)
        try:
            # Of scoped layers every statement of every route sees what its caller may see.
            yield acting(connection, slice_of(actor))
        finally:
            await run_in_threadpool(connection.close)
    finally:
        service.slots.release()


async def _in_line(service: ServiceDep, _: ActorDep) -> AsyncIterator[None]:  # who may not, does not wait
    # Of very many reports at once those wait here that would otherwise hold every thread; too long is told as 503.
    async with asyncio.timeout(WAIT_S):
        await service.writing.acquire()
    try:
        yield
    finally:
        service.writing.release()


InLine = Depends(_in_line, scope="function")
# For those who need a connection for a moment of a long answer.
reading = asynccontextmanager(_reading)
# Given back before the answer is sent: a slow client holds no connection.
ReadDep = Annotated[sa.Connection, Depends(_reading, scope="function")]
ItemId = Annotated[str, Path(pattern=rf"^{ID_PATTERN}$", description="id of a record")]
QueryText = Annotated[str, Query(alias="q", min_length=1, max_length=100)]
Limit = Annotated[int, Query(ge=1, le=100)]
Lang = Annotated[Literal["zh", "en"], Query()]
Lon = Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)]
