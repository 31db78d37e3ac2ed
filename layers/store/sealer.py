"""The sealer: a round every second beside the jobs of the worker; roots of past days go into the data folder."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from layers.store.audit import Made, seal
from layers.store.engine import begin, engine_for
from layers.store.roots import keep_roots

log = logging.getLogger("chengtu.audit")
EVERY_S: Final = 1.0
ROOTS_EVERY_S: Final = 600.0
_REST: Final = 4  # so many times as long as a round took is waited for the next: it never takes a core for itself
_LONGEST_REST_S: Final = 30.0


async def sealing(url: str, roots: Path) -> None:
    """Seal until cancelled; a database that is busy or gone is tried again."""
    engine = engine_for(url, "owner", pool_size=1)
    failing, rooted = False, float("-inf")
    try:
        while True:
            began = time.monotonic()
            try:
                await asyncio.to_thread(seal_once, engine, now=dt.datetime.now(dt.UTC))
                if began - rooted >= ROOTS_EVERY_S:
                    await asyncio.to_thread(_put_roots_down, engine, roots)
                    rooted = began
                failing = False
            except (sa.exc.DBAPIError, sa.exc.TimeoutError, OSError) as error:
                if not failing:
                    log.warning("the audit chain waits: %s", str(error).splitlines()[0])
                failing = True
            took = time.monotonic() - began
            await asyncio.sleep(min(_LONGEST_REST_S, max(EVERY_S - took, (_REST - 1) * took)))
    finally:
        engine.dispose()


def seal_once(engine: sa.Engine, *, now: dt.datetime) -> Made | None:
    """One round in a transaction of its own; None when another program is sealing."""
    with begin(engine, actor="sealer") as connection:
        return seal(connection, now=now)


def _put_roots_down(engine: sa.Engine, folder: Path) -> None:
    with engine.connect() as connection:
        for path in keep_roots(connection, folder, now=dt.datetime.now(dt.UTC)):
            log.info("root of the audit chain: %s", path.name)
