"""The limit of live events: a trigger's `NOTIFY` with the words themselves, and a loop that writes them to sockets.

It asks nobody who may hear what, keeps no position, joins nothing and forgets what was missed.
"""

from __future__ import annotations

import asyncio
import json
import time

import psycopg
import uvloop

from tests.bench.stage import Stage

_WORDS = "x" * 300  # about as many as an event has


def fanned_out(stage: Stage, *, clients: int, rate: float, seconds: float) -> list[float]:
    """Milliseconds from each commit to its arrival at each of so many clients."""
    return uvloop.run(_fan(stage.cluster.conninfo("postgres"), clients, rate, seconds))


async def _fan(conninfo: str, clients: int, rate: float, seconds: float) -> list[float]:
    writers: list[asyncio.StreamWriter] = []
    taken: list[float] = []

    async def welcome(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(welcome, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(clients)]
    reading = [asyncio.create_task(_read(reader, taken)) for reader, _ in lines]
    async with (
        await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as listener,
        await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as teller,
    ):
        await listener.execute("listen bench")
        telling = asyncio.create_task(_tell(teller, rate, seconds))
        async for heard in listener.notifies(timeout=seconds + 1):
            for writer in writers:
                writer.write(heard.payload.encode() + b"\n")
        await telling
    for task in reading:
        task.cancel()
    server.close()
    for _, writer in lines:
        writer.close()
    return taken


async def _tell(connection: psycopg.AsyncConnection[tuple[object, ...]], rate: float, seconds: float) -> None:
    began = time.perf_counter()
    for turn in range(round(rate * seconds)):
        await asyncio.sleep(max(0.0, began + turn / rate - time.perf_counter()))
        await connection.execute("select pg_notify('bench', %s)", [json.dumps([time.time(), _WORDS])])


async def _read(reader: asyncio.StreamReader, taken: list[float]) -> None:
    while line := await reader.readline():
        taken.append((time.time() - float(json.loads(line)[0])) * 1000)
