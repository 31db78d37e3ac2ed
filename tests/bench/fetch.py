"""A lean HTTP client: several connections that are kept open, so that the server is measured and not the client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import uvloop


@dataclass(frozen=True)
class Fetched:
    """What came of a list of requests: the seconds of all, and the milliseconds and body bytes of each, in order."""

    seconds: float
    each_ms: Sequence[float]
    sizes: Sequence[int]


@dataclass(frozen=True)
class Answer:
    """What a server said: header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class BadAnswer(Exception):
    """The server did not answer 200 or 204."""


class Line:
    """One connection to a server of this machine, for one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))

    def say(self, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> None:
        """Send a request and do not wait."""
        said = {"Host": "bench", "Accept-Encoding": "gzip", **(headers or {})}
        if body is not None:
            said |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", *(f"{n}: {v}" for n, v in said.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + (body or b""))

    async def hear(self) -> Answer:
        """Wait for the answer."""
        status, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if name}
        if headers.get("transfer-encoding") == "chunked":
            body = await self._chunks()
        else:
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(status.split()[1]), headers, body)

    async def ask(self, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Answer:
        """Send a request (POST when it has a body) and wait for the answer."""
        self.say(path, headers=headers, body=body)
        return await self.hear()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def _chunks(self) -> bytes:
        parts = []
        while size := int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readuntil(b"\r\n")
        return b"".join(parts)


Note = Callable[[int, Answer, float], None]


def fetch(port: int, paths: Sequence[str], *, clients: int = 1) -> Fetched:
    """Ask for all paths, each client for the next one as soon as it has its answer; BadAnswer for the first failure."""
    return _timed(port, [(path, None) for path in paths], clients)


def post(port: int, path: str, bodies: Sequence[bytes]) -> Fetched:
    """Send bodies to a path one after the other; BadAnswer for the first failure."""
    return _timed(port, [(path, body) for body in bodies], 1)


def answers(port: int, paths: Sequence[str]) -> dict[str, Answer]:
    """What the server says to each of the paths; BadAnswer for the first failure."""
    found: dict[str, Answer] = {}
    distinct = list(dict.fromkeys(paths))
    uvloop.run(_fetch(port, [(path, None) for path in distinct], 4, lambda i, a, _: found.update({distinct[i]: a})))
    return found


def _timed(port: int, asked: Sequence[tuple[str, bytes | None]], clients: int) -> Fetched:
    each_ms, sizes = [0.0] * len(asked), [0] * len(asked)

    def note(position: int, answer: Answer, taken_s: float) -> None:
        each_ms[position], sizes[position] = taken_s * 1000, len(answer.body)

    seconds = uvloop.run(_fetch(port, asked, clients, note))
    return Fetched(seconds, each_ms, sizes)


async def _fetch(port: int, asked: Sequence[tuple[str, bytes | None]], clients: int, note: Note) -> float:
    waiting = iter(enumerate(asked))
    lines = [await Line.open(port) for _ in range(clients)]
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for line in lines:
            group.create_task(_client(line, waiting, note))
    return time.perf_counter() - started


async def _client(line: Line, waiting: Iterator[tuple[int, tuple[str, bytes | None]]], note: Note) -> None:
    for position, (path, body) in waiting:
        started = time.perf_counter()
        answer = await line.ask(path, body=body)
        note(position, answer, time.perf_counter() - started)
        if answer.status not in (200, 204):
            raise BadAnswer(f"{path}: {answer.status} {answer.body[:300]!r}")
    line.close()
