"""What the job worker does with the tools of `etl`: it bakes the layers whose archives are missing or worn."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import procrastinate
import psycopg
import sqlalchemy as sa

from etl.bake import TooWide, bake_layer, stale_layers
from etl.errors import EtlError
from layers.spec import Layer
from layers.store.engine import engine_for
from layers.store.jobs import QUEUE

log = logging.getLogger("chengtu.jobs")


class _Stopped(Exception):
    """The worker stops."""


def baking(url: str, layers: Callable[[], list[Layer]], folder: Path) -> Callable[[procrastinate.App], None]:
    """Adds the job to a queue: every minute, one stale layer after the other, gently, since people use the map."""
    engine = engine_for(url, "reader", pool_size=0)
    too_wide: set[Layer] = set()

    def bake_all(stop: threading.Event) -> None:
        with engine.connect() as connection:
            stale = stale_layers(connection, [layer for layer in layers() if layer not in too_wide], folder)
        for layer in stale:
            try:
                baked = bake_layer(url, layer, folder, progress=lambda *_: _go_on(stop))
            except TooWide as error:
                log.warning("%s", error)
                too_wide.add(layer)
            except (EtlError, psycopg.Error, sa.exc.SQLAlchemyError) as error:
                log.warning("layer %s could not be baked: %s", layer.name, error)  # the others can, perhaps
            else:
                log.info("baked %s: %d tiles in %.1f s", layer.name, baked.tiles, baked.seconds)

    def add(app: procrastinate.App) -> None:
        @app.periodic(cron="* * * * *")
        @app.task(queue=QUEUE, name="chengtu.bake", queueing_lock="bake", lock="bake")
        async def bake_stale(timestamp: int) -> None:  # noqa: ARG001 - every periodic job is given it
            stop = threading.Event()
            try:
                await asyncio.to_thread(bake_all, stop)
            finally:
                stop.set()  # a thread is not cancelled with the job: it must be told

    return add


def _go_on(stop: threading.Event) -> None:
    if stop.is_set():
        raise _Stopped
