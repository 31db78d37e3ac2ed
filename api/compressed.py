"""Answers in JSON and text, compressed on their way out for clients that take it."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from api.encoding import encoded, takes
from api.tiles import Receive, Scope, Send

_LEAST = 1_000  # bytes that are worth it
_LONG = 200_000  # bytes that take the loop's time
_TYPES = (b"application/json", b"application/geo+json", b"application/schema+json", b"text/html")
Message = MutableMapping[str, Any]


class Compressed:
    """An ASGI application whose whole (not streamed) answers without an ETag are compressed; an ETag names bytes."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI scope."""
        accepted = takes(dict(scope.get("headers", ())).get(b"accept-encoding", b""))
        if scope["type"] != "http" or not accepted:
            await self.app(scope, receive, send)
            return
        start: Message | None = None

        async def sent(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start is not None:
                begun, start = start, None
                if _fits(begun, message):
                    await _send_compressed(begun, message["body"], accepted, send)
                    return
                await send(begun)
            await send(message)

        await self.app(scope, receive, sent)


def _fits(start: Message, first: Message) -> bool:
    headers = dict(start["headers"])
    kind = headers.get(b"content-type", b"").partition(b";")[0]
    whole = not first.get("more_body", False) and len(first.get("body", b"")) >= _LEAST
    return whole and kind in _TYPES and b"etag" not in headers and b"content-encoding" not in headers


async def _send_compressed(start: Message, body: bytes, accepted: str, send: Send) -> None:
    data, coding = await asyncio.to_thread(encoded, body, accepted) if len(body) > _LONG else encoded(body, accepted)
    kept = [(name, value) for name, value in start["headers"] if name not in (b"content-length", b"vary")]
    vary = b", ".join([*(value for name, value in start["headers"] if name == b"vary"), b"Accept-Encoding"])
    added = [(b"content-length", str(len(data)).encode()), (b"content-encoding", coding.encode()), (b"vary", vary)]
    await send({**start, "headers": [*kept, *added]})
    await send({"type": "http.response.body", "body": data, "more_body": False})
