"""Pictures drawn on demand: in threads, a few at a time, each only once however many ask, and kept while there is room.

A picture's key must stand for its content (a digest), so that nothing here ever is out of date.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from api.errors import TooBusy

_AT_ONCE = 2
_MOST_WAITING = 100
_WAIT_S = 4.0
_MOST_BYTES = 48 * 1024 * 1024
_OVERHEAD = 300  # of a key and its place, bytes


class Pictures:
    """The pictures of this process; one event loop owns them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._begun: dict[str, asyncio.Task[bytes]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def get(self, key: str, draw: Callable[[], bytes]) -> bytes:
        """The picture of a key, drawn by `draw` unless it is here; TooBusy when that would take too long."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        task = self._begun.get(key) or self._begin(key, draw)
        try:
            async with asyncio.timeout(_WAIT_S):
                # Others may wait for it as well: one who leaves does not end it.
                return await asyncio.shield(task)
        except TimeoutError:
            raise TooBusy("too many pictures are being drawn; try again shortly") from None

    def _begin(self, key: str, draw: Callable[[], bytes]) -> asyncio.Task[bytes]:
        if len(self._begun) >= _MOST_WAITING:
            raise TooBusy("too many pictures are waiting to be drawn; try again shortly")
        task = asyncio.create_task(self._drawn(key, draw))
        self._begun[key] = task
        task.add_done_callback(lambda _: self._begun.pop(key, None))
        return task

    async def _drawn(self, key: str, draw: Callable[[], bytes]) -> bytes:
        async with self._slots:
            picture = await run_in_threadpool(draw)
        self._kept[key] = picture
        self._bytes += len(picture) + _OVERHEAD
        while self._bytes > _MOST_BYTES:
            self._bytes -= len(self._kept.popitem(last=False)[1]) + _OVERHEAD
        return picture
