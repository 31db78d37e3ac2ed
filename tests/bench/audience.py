"""Live screens, many in one light process: what each was told and when. `python -m tests.bench.audience PORT FILE`

Reads `{"keys": [...]}` as one line, says `ready` when every screen was greeted, listens until its input ends, and then
writes down of each screen the cases that it was told of with the moments of their change and of their arrival, and the
number of messages. One key a screen.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from functools import partial
from pathlib import Path
from typing import cast

import uvloop

_RECORD = re.compile(rb'data: \{"layer":"incident","op":"insert","id":"(\d+)","at":"([^"]+)"')
_CHUNK = re.compile(rb"\r\n[0-9a-f]+\r\n")
_FEW = 50  # connections that are opened at once


class Screen(asyncio.Protocol):
    """One open stream; events are read where they lie, and the chunks of HTTP only counted."""

    def __init__(self, key: str, greeted: asyncio.Future[None]) -> None:
        self._key, self._greeted, self._rest = key, greeted, b""
        self.told: list[tuple[str, str, float]] = []
        self.messages = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the incidents."""
        asked = f"GET /live?layers=incident HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self._key}\r\n\r\n"
        cast(asyncio.Transport, transport).write(asked.encode())  # uvloop has transports of its own

    def data_received(self, data: bytes) -> None:
        """Note what came, up to the last whole event; a message is a chunk."""
        arrived = time.time()
        whole, end, self._rest = (self._rest + data).rpartition(b"\n\n")
        if not end:
            return
        self.messages += len(_CHUNK.findall(whole))
        if not self._greeted.done() and b"event: hello" in whole:
            self._greeted.set_result(None)
        self.told += [(id.decode(), at.decode(), arrived) for id, at in _RECORD.findall(whole)]


async def _listen(port: int, file: Path) -> None:
    loop = asyncio.get_running_loop()
    keys = json.loads(await loop.run_in_executor(None, sys.stdin.readline))["keys"]
    screens: list[Screen] = []
    for start in range(0, len(keys), _FEW):
        greeted = [loop.create_future() for _ in keys[start : start + _FEW]]
        for key, future in zip(keys[start:], greeted, strict=False):
            screens.append(Screen(key, future))
            await loop.create_connection(partial(_itself, screens[-1]), "127.0.0.1", port)
        await asyncio.wait_for(asyncio.gather(*greeted), 60)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    file.write_text(json.dumps([{"told": screen.told, "messages": screen.messages} for screen in screens]))


def _itself(screen: Screen) -> Screen:
    return screen


if __name__ == "__main__":
    uvloop.run(_listen(int(sys.argv[1]), Path(sys.argv[2])))
