"""The maps that are being drawn for paper: few at once, a short queue, and nothing for who has left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from functools import cached_property
from pathlib import Path
from typing import Any

from api.errors import TooBusy
from api.tiles import disconnected
from webmap.printing.errors import NotDrawn
from webmap.printing.face import FOLDER, Face
from webmap.printing.press import Fetch, View, draw

_AT_ONCE = 2
_MOST_WAITING = 6
_WAIT_S = 20.0

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Presses:
    """The drawing processes of this server process; one event loop owns them."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    @cached_property
    def face(self) -> Face:
        """The typeface, made at first (half a second: not on the event loop)."""
        return Face.kept_in(self._folder)

    async def draw(self, style: dict[str, Any], view: View, fetch: Fetch, *, receive: Receive) -> bytes:
        """The picture of a style; TooBusy when others come first for too long."""
        if self._waiting >= _MOST_WAITING:
            raise TooBusy("too many maps are being printed; try again shortly")
        self._waiting += 1
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._slots.acquire()
        except TimeoutError:
            raise TooBusy("too many maps are being printed; try again shortly") from None
        finally:
            self._waiting -= 1
        try:
            return await _unless_left(draw(style, view, fetch), receive)
        finally:
            self._slots.release()


async def _unless_left(drawing: Coroutine[Any, Any, bytes], receive: Receive) -> bytes:
    task, left = asyncio.create_task(drawing), asyncio.create_task(disconnected(receive))
    try:
        await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise NotDrawn("who asked for this map has left")
        return task.result()
    finally:
        left.cancel()
        task.cancel()  # its process ends with it
        await asyncio.gather(task, left, return_exceptions=True)
