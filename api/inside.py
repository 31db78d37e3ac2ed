"""Asking this server itself, as the one who asks from outside: the same rights, the same limits, the same answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answering = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_BUSY = 503
_ATTEMPTS = 4
_PAUSE_S = 0.5


async def fetched(app: Answering, path: str, authorization: str | None) -> tuple[int, bytes]:
    """Status and body of GET path, uncompressed; asked again a few times while the server is busy."""
    status, body = await _once(app, path, authorization)
    for attempt in range(1, _ATTEMPTS):
        if status != _BUSY:
            break
        await asyncio.sleep(_PAUSE_S * attempt)
        status, body = await _once(app, path, authorization)
    return status, body


async def _once(app: Answering, path: str, authorization: str | None) -> tuple[int, bytes]:
    plain, _, query = path.partition("?")
    headers = [(b"accept-encoding", b"identity")]
    if authorization is not None:
        headers.append((b"authorization", authorization.encode("latin-1")))
    scope: MutableMapping[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": unquote(plain), "raw_path": plain.encode(), "query_string": query.encode("latin-1"), "root_path": "",
        "headers": headers, "server": None, "client": None, "state": {},
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
