"""New cases at a constant rate, by HTTP with keys of machines, however long the answers take."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import random
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from layers.people.access import Scope
from layers.people.accounts import listed
from layers.people.sessions import digest_of
from layers.people.tables import API_KEY
from layers.store.engine import begin
from tests.bench.fetch import Line

Spot = tuple[float, float]
_LINES = 64
_HEADS = {"Prefer": "return=minimal", "Connection": "keep-alive"}


@dataclass
class Reported:
    """What came of the reports: how many of each answer, the cases that were acknowledged, and how long each took."""

    answers: Counter[int] = field(default_factory=Counter)
    cases: list[str] = field(default_factory=list)
    each_ms: list[float] = field(default_factory=list)


def keys(writer: sa.Engine, scopes: Sequence[Scope], *, role: str) -> list[str]:
    """New keys of machines with one role, for a day, one for each scope."""
    made = [secrets.token_urlsafe(32) for _ in scopes]
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    rows = [
        {
            **{"digest": digest_of(key), "title": "bench", "roles": [role], "ends_at": until},
            **{"areas": listed(scope.areas), "departments": listed(scope.departments)},
        }
        for key, scope in zip(made, scopes, strict=True)
    ]
    with begin(writer, actor="bench") as connection:
        connection.execute(API_KEY.insert(), rows)
    return made


async def reporting(port: int, key: str, spots: Sequence[Spot], *, rate: float, seconds: float) -> Reported:
    """Report `rate` cases a second; a report waits for a free connection, and its time counts from when it was due."""
    done, free = Reported(), asyncio.Queue[Line]()
    for _ in range(_LINES):
        free.put_nowait(await Line.open(port))
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for turn in range(round(rate * seconds)):
            due = began + turn / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(_report(free, key, random.choice(spots), turn, due, done))
    while not free.empty():
        free.get_nowait().close()
    return done


async def _report(free: asyncio.Queue[Line], key: str, spot: Spot, turn: int, due: float, done: Reported) -> None:
    line = await free.get()
    told = {
        **{"channel": "hotline", "matter": "01001", "line": "12345", "lon": spot[0], "lat": spot[1]},
        **{"description": f"路口的井盖坏了，第 {turn} 次有人说", "contact": {"name": "王某", "phone": "13800000000"}},
    }
    heads = {**_HEADS, "Authorization": f"Bearer {key}", "Idempotency-Key": secrets.token_hex(8)}
    answer = await line.ask("/incidents", headers=heads, body=json.dumps(told).encode())
    done.each_ms.append((time.perf_counter() - due) * 1000)
    free.put_nowait(line)
    done.answers[answer.status] += 1
    if answer.status == 201:
        receipt: Mapping[str, str] = json.loads(answer.body)["receipt"]
        done.cases.append(receipt["incident"])
