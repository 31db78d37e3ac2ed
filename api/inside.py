"""Asking this server itself, as the one who asks from outside: the same rights, the same limits, the same answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answering = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_WHO = (b"authorization", b"cookie")
_BUSY = 503
_ATTEMPTS = 4
_PAUSE_S = 0.5


async def fetched(app: Answering, path: str, asking: MutableMapping[str, Any]) -> tuple[int, bytes]:
    """Status and body of GET path, uncompressed, for whoever asked in the scope `asking`; again while we are busy."""
    status, body = await _once(app, path, asking)
    for attempt in range(1, _ATTEMPTS):
        if status != _BUSY:
            break
        await asyncio.sleep(_PAUSE_S * attempt)
        status, body = await _once(app, path, asking)
    return status, body


async def _once(app: Answering, path: str, asking: MutableMapping[str, Any]) -> tuple[int, bytes]:
    plain, _, query = path.partition("?")
    headers = [(b"accept-encoding", b"identity")]
    headers += [(name, value) for name, value in asking["headers"] if name in _WHO]
    scope: MutableMapping[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": asking["scheme"], "path": unquote(plain), "raw_path": plain.encode(), "root_path": "",
        "query_string": query.encode("latin-1"), "headers": headers, "server": None, "client": None, "state": {},
    }  # fmt: skip
    told = {"status": 500}
    parts: list[bytes] = []
    over = asyncio.Event()

    async def receive() -> MutableMapping[str, Any]:
        await over.wait()  # nobody leaves before the answer is there
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            told["status"] = message["status"]
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    try:
        await app(scope, receive, send)
    finally:
        over.set()
    return told["status"], b"".join(parts)
