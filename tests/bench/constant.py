"""The ceiling: Granian with an application that sends bytes it holds, and asks nothing; settings are those of ours."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Constant:
    """A bare ASGI application: a look-up, and two messages."""

    def __init__(self, root: Path, headers: list[tuple[bytes, bytes]]) -> None:
        self._answers = {}
        for file in root.rglob("*.mvt.gz"):
            body = file.read_bytes()
            start = {
                "type": "http.response.start",
                "status": 200,
                "headers": [*headers, (b"content-length", str(len(body)).encode())],
            }
            path = f"/{file.relative_to(root)}".removesuffix(".gz")
            self._answers[path] = (start, {"type": "http.response.body", "body": body})

    async def __call__(self, scope: dict[str, Any], _: object, send: Send) -> None:
        """Send what is held for the path."""
        if scope["type"] == "http":
            start, body = self._answers[scope["path"]]
            await send(start)
            await send(body)


def from_environment() -> Constant:
    """The application of a worker process."""
    named = [line.split(": ", 1) for line in os.environ["BENCH_HEADERS"].splitlines()]
    return Constant(Path(os.environ["BENCH_ROOT"]), [(name.encode(), value.encode()) for name, value in named])


def main() -> None:
    """Serve until SIGTERM."""
    Granian(
        "tests.bench.constant:from_environment",
        factory=True,
        address=os.environ["HOST"],
        port=int(os.environ["PORT"]),
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    main()
