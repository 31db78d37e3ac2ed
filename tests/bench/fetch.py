"""A lean HTTP client: several connections that are kept open, so that the server is measured and not the client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import uvloop


@dataclass(frozen=True)
class Fetched:
    """What came of a list of requests: the seconds of all, and the milliseconds and body bytes of each, in order."""

    seconds: float
    each_ms: Sequence[float]
    sizes: Sequence[int]


class BadAnswer(Exception):
    """The server did not answer 200 or 204."""


def fetch(port: int, paths: Sequence[str], *, clients: int = 1) -> Fetched:
    """Ask for all paths, each client for the next one as soon as it has its answer; BadAnswer for the first failure."""
    return uvloop.run(_fetch(port, paths, clients))


async def _fetch(port: int, paths: Sequence[str], clients: int) -> Fetched:
    each_ms, sizes = [0.0] * len(paths), [0] * len(paths)
    waiting = iter(enumerate(paths))
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(_client(port, waiting, each_ms, sizes))
    return Fetched(time.perf_counter() - started, each_ms, sizes)


async def _client(port: int, waiting: Iterator[tuple[int, str]], each_ms: list[float], sizes: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for position, path in waiting:
        started = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\n\r\n".encode())
        status, *headers = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        size = _length(headers)
        await reader.readexactly(size)
        each_ms[position], sizes[position] = (time.perf_counter() - started) * 1000, size
        if status.split()[1] not in ("200", "204"):
            raise BadAnswer(f"{path}: {status}")
    writer.close()


def _length(headers: Iterable[str]) -> int:
    for header in headers:
        name, _, value = header.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0
