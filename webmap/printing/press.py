"""Pictures by MapLibre Native: one process for each, a few at a time, none for longer than half a minute."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from webmap.printing.errors import BadStyle, CannotPrint, NotDrawn
from webmap.printing.native import HEAD, pack
from webmap.printing.symbols import symbols

log = logging.getLogger("chengtu.print")

ROOT: Final = Path(__file__).resolve().parents[2]
TIME_LIMIT_S: Final = 30.0
MOST_TILES: Final = 600
_TILES_AT_ONCE: Final = 4
_LONGEST_HEAD: Final = 64 * 1024
_LONGEST_BODY: Final = 64 * 1024 * 1024
_PACKAGES: Final = "libegl1 libegl-mesa0 libgl1 libgl1-mesa-dri libcurl4"

Fetch = Callable[[str], Awaitable[tuple[int, bytes]]]


@dataclass(frozen=True)
class View:
    """What is drawn: the middle (degrees), the zoom, and the size in pixels of the map and of the picture for each."""

    lon: float
    lat: float
    zoom: float
    width: int
    height: int
    pixel_ratio: float


async def draw(style: dict[str, Any], view: View, fetch: Fetch) -> bytes:
    """The PNG of a printable style.

    `fetch` answers each path that the style's sources name with a status and a body. Raises NotDrawn, BadStyle when a
    source is refused, and CannotPrint where the machine lacks a library.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "webmap.printing.native", cwd=ROOT, env=_surroundings(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(TIME_LIMIT_S):
            return await _Visit(process, fetch).result(style, view)
    except TimeoutError:
        raise NotDrawn(f"the map could not be drawn within {TIME_LIMIT_S:.0f} s; print a smaller area") from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _surroundings() -> dict[str, str]:
    """The environment of the drawing process: nothing that it does not need, least of all passwords."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")}
    # No style gets this far with an address in it; should one, it leads nowhere.
    nowhere = "http://127.0.0.1:9"
    return {**kept, "HOME": "/nonexistent", "http_proxy": nowhere, "https_proxy": nowhere, "LP_NUM_THREADS": "2"}


class _Visit:
    """The talk with one drawing process."""

    def __init__(self, process: asyncio.subprocess.Process, fetch: Fetch) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._down, self._up, self._fetch = process.stdin, process.stdout, fetch
        self._slots = asyncio.Semaphore(_TILES_AT_ONCE)
        self._refused: BadStyle | None = None

    async def result(self, style: dict[str, Any], view: View) -> bytes:
        """Send the order, answer what the process asks, and return the picture."""
        await self._say(asdict(view), json.dumps(style).encode())
        serving: set[asyncio.Task[None]] = set()
        try:
            head, body = await self._heard()
            while "ask" in head:
                if len(serving) >= MOST_TILES:
                    raise NotDrawn(f"the map takes more than {MOST_TILES} tiles; print a smaller area or fewer layers")
                serving.add(asyncio.create_task(self._serve(head["ask"], head["path"])))
                head, body = await self._heard()
        finally:
            for task in serving:
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)
        if self._refused is not None:
            raise self._refused
        return _picture(head, body)

    async def _serve(self, number: int, path: str) -> None:
        async with self._slots:
            drawn = symbols(path)
            status, body = await self._fetch(path) if drawn is None else (200, drawn)
            if status not in (200, 204):
                self._refused = self._refused or BadStyle("sources", f"{path.partition('?')[0]} answered {status}")
                body = b""
            await self._say({"ask": number, "status": status}, body)

    async def _say(self, head: dict[str, Any], body: bytes) -> None:
        with suppress(ConnectionError):  # a process that ended tells why by what it said last
            self._down.write(pack(head, body))
            await self._down.drain()

    async def _heard(self) -> tuple[dict[str, Any], bytes]:
        try:
            text, body = HEAD.unpack(await self._up.readexactly(HEAD.size))
            if text > _LONGEST_HEAD or body > _LONGEST_BODY:
                raise NotDrawn("the picture is too large")
            return json.loads(await self._up.readexactly(text)), await self._up.readexactly(body)
        except asyncio.IncompleteReadError:
            raise NotDrawn("the map could not be drawn: the drawing program ended without a picture") from None


def _picture(head: dict[str, Any], body: bytes) -> bytes:
    if "drawn" in head:
        return body
    if "missing" in head:
        log.error("cannot print: %s", head["missing"])
        raise CannotPrint(f"drawing maps on the server takes the packages {_PACKAGES}")
    raise BadStyle("style", str(head.get("failed", ""))[:300])
