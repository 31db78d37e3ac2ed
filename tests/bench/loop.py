"""The loop under load: live screens, new cases at a constant rate, and archived tiles as fast as they come, at once."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import sqlalchemy as sa
import uvloop

from layers.ask.tile import DEEPEST
from layers.catalog.incident import TABLE
from layers.people.access import EVERYWHERE, Scope
from layers.people.scope import Slice
from layers.store.engine import engine_for
from tests.bench.blast import blast, can_blast
from tests.bench.browsing import browsing
from tests.bench.cpus import ASKING, SERVING, pinned
from tests.bench.fanout import fanned_out
from tests.bench.fetch import answers
from tests.bench.measure import ROOT, Serving, percentile, serving
from tests.bench.reporting import Reported, Spot, keys, reporting
from tests.bench.rows import Aim, Row
from tests.bench.stage import Stage

_PATIENCE_S = 60.0
_SETTLED_S = 3.0  # for the last events to arrive


@dataclass(frozen=True)
class Heard:
    """What a screen was told: cases with the moment of their change and that of their arrival, in seconds."""

    scope: Scope
    told: Sequence[tuple[str, float, float]]
    messages: int


@dataclass(frozen=True)
class Played:
    """One run: what was reported, what the screens heard, when tiles were asked for, and how fast they came."""

    reported: Reported
    heard: Sequence[Heard]
    blasted: tuple[float, float]
    tiles: float


def loop(stage: Stage) -> list[Row]:
    """Screens of several scopes on one server, which is asked for archived tiles during a third of the time."""
    if stage.lacks([] if can_blast() else ["wrk"]):
        return []
    sizes, url = stage.sizes, stage.city
    writer = engine_for(url, "writer", pool_size=1)
    with stage.reader("city").connect() as connection:
        spots, counties = _spots(connection), _counties(connection)
        tiles = [one.path for one in browsing(connection, sizes.tiles, zooms=range(8, DEEPEST + 1))]
    scopes = _scopes(sizes.screens, counties)
    with ExitStack() as block:
        block.callback(writer.dispose)
        block.enter_context(stage.apart(database=False))
        block.enter_context(_working(stage))
        server = block.enter_context(serving(url, data=stage.archived, cpu=SERVING))
        asked = _asked(stage, server, tiles)
        screens, (reporter,) = keys(writer, scopes, role="commander"), keys(writer, [EVERYWHERE], role="dispatcher")
        alone = [blast(server.port, asked, seconds=sizes.blast_s).rate for _ in range(sizes.repeats)]
        with _audience(stage, server.port, screens) as heard:
            reported, blasted, meanwhile = uvloop.run(_play(stage, server, asked, reporter, spots))
            time.sleep(_SETTLED_S)
            unsealed = _unsealed(stage)
        played = Played(reported, _heard(heard, scopes), blasted, meanwhile)
    limit = fanned_out(stage, clients=sizes.screens, rate=sizes.reports_a_second, seconds=min(10.0, sizes.loop_s))
    places = _places(url, played.reported.cases)
    rows = _rows(stage, played, places, limit)
    return [*rows, *_rest(played, median(alone), unsealed, server, sizes.loop_s + _SETTLED_S)]


async def _play(
    stage: Stage, server: Serving, asked: Path, key: str, spots: Sequence[Spot]
) -> tuple[Reported, tuple[float, float], float]:
    """Report for the whole time; in its middle third tiles are asked for. Their rate, and when that was."""
    sizes = stage.sizes
    working = asyncio.create_task(reporting(server.port, key, spots, rate=sizes.reports_a_second, seconds=sizes.loop_s))
    await asyncio.sleep(sizes.loop_s / 3)
    began = time.time()
    found = await asyncio.to_thread(blast, server.port, asked, seconds=sizes.loop_s / 3)
    blasted = (began, time.time())
    return await working, blasted, found.rate


@contextmanager
def _audience(stage: Stage, port: int, screens: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    """Open screens with these keys; what they heard is in the list after the block."""
    heard: list[dict[str, Any]] = []
    _await_live(port, screens[0])
    file = stage.folder / "heard.json"
    command = pinned([sys.executable, "-m", "tests.bench.audience", str(port), str(file)], ASKING)
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as audience:
        assert audience.stdin is not None
        assert audience.stdout is not None
        audience.stdin.write(json.dumps({"keys": screens}) + "\n")
        audience.stdin.flush()
        assert audience.stdout.readline() == "ready\n", "not all screens were greeted"
        yield heard
        audience.stdin.close()
        audience.wait(60)
    heard += json.loads(file.read_text())
    file.unlink()


def _await_live(port: int, key: str) -> None:
    """Return when streams are opened: a server is ready a little before it follows the changes."""
    heads = {"Authorization": f"Bearer {key}"}
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with httpx.stream("GET", f"http://127.0.0.1:{port}/live", headers=heads) as answer:
            if answer.status_code == 200:
                return
        time.sleep(0.1)
    raise TimeoutError(f"no stream was opened for {_PATIENCE_S} s")


@contextmanager
def _working(stage: Stage) -> Iterator[None]:
    """The worker beside the server: it seals, fires timers and sends what is to be sent, as in a city."""
    environment = {**os.environ, **stage.environment("city")}
    command = [sys.executable, "-m", "etl", "worker"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as worker:
        try:
            yield
        finally:
            worker.terminate()
            with suppress(subprocess.TimeoutExpired):
                worker.wait(30)


def _heard(heard: Sequence[Mapping[str, Any]], scopes: Sequence[Scope]) -> list[Heard]:
    return [
        Heard(
            scope,
            [(id, dt.datetime.fromisoformat(at).timestamp(), arrived) for id, at, arrived in one["told"]],
            one["messages"],
        )
        for one, scope in zip(heard, scopes, strict=True)
    ]


def _rows(stage: Stage, played: Played, places: Mapping[str, Mapping[str, Any]], limit: Sequence[float]) -> list[Row]:
    begun, ended = played.blasted
    taken = [(changed, (arrived - changed) * 1000) for one in played.heard for _, changed, arrived in one.told]
    every = [ms for _, ms in taken]
    busy = [ms for changed, ms in taken if begun <= changed < ended] or every
    lost, doubled, strange = _missed(played.heard, places)
    sizes = stage.sizes
    what = f"{len(played.heard)} screens, {sizes.reports_a_second:g} new cases/s for {sizes.loop_s:g} s"
    limit_ms = percentile(limit, 99)
    return [
        Row(f"{what}: change to screen, p99 of {len(every):,}; limit: NOTIFY and bare sockets", percentile(every, 99),
            "ms", limit=limit_ms, aim=Aim(most=700)),
        Row("change to screen, p50", percentile(every, 50), "ms", limit=percentile(limit, 50)),
        Row("change to screen, slowest", max(every), "ms", limit=max(limit)),
        Row("change to screen while tiles are asked for, p99", percentile(busy, 99), "ms", aim=Aim(most=700)),
        Row("cases that a screen should have been told of, and was not", lost, "answers", aim=Aim(most=0)),
        Row("cases that a screen was told of twice", doubled, "answers", aim=Aim(most=0)),
        Row("cases outside of its scope that a screen was told of", strange, "answers", aim=Aim(most=0)),
    ]  # fmt: skip


def _rest(played: Played, alone: float, unsealed: int, server: Serving, seconds: float) -> list[Row]:
    reported = played.reported
    told = ", ".join(f"{status}: {count:,}" for status, count in sorted(reported.answers.items()))
    refused = sum(count for status, count in reported.answers.items() if status != 201)
    most = max(one.messages / seconds for one in played.heard)
    return [
        Row(f"reports that were not taken ({told})", refused, "answers", aim=Aim(most=0)),
        Row("report to answer, p50", percentile(reported.each_ms, 50), "ms"),
        Row("report to answer, p99", percentile(reported.each_ms, 99), "ms"),
        Row("archived tiles meanwhile; the same alone", played.tiles, "tiles/s", peer=alone,
            aim=Aim(least=0.5, of="ratio")),
        Row("most messages to a screen in a second", most, "messages", aim=Aim(most=5)),
        Row("changes that are not sealed three seconds later", unsealed, "answers", aim=Aim(most=0)),
        Row("peak memory of the server", server.peak_mb, "MB"),
    ]  # fmt: skip


def _missed(heard: Sequence[Heard], places: Mapping[str, Mapping[str, Any]]) -> tuple[int, int, int]:
    """How often a screen was not told of a case within its scope, was told twice, or of one outside of it."""
    lost = doubled = strange = 0
    due: dict[Slice, set[str]] = {}
    for one in heard:
        part = Slice(one.scope.areas, one.scope.departments)
        if part not in due:
            due[part] = {id for id, row in places.items() if part.holds(row)}
        counted = Counter(id for id, _, _ in one.told if id in places)
        lost += len(due[part] - counted.keys())
        doubled += sum(count - 1 for count in counted.values())
        strange += len(counted.keys() - due[part])
    return lost, doubled, strange


def _places(url: str, cases: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Where the cases are, as the program itself knows it."""
    columns = [TABLE.c[name] for name in ("id", "admin_code", "grid_id", "lead", "co", "assignee", "scenario")]
    reader = engine_for(url, "reader", pool_size=1, everywhere=True)
    with reader.connect() as connection:
        rows = connection.execute(sa.select(*columns).where(TABLE.c.id.in_(cases))).mappings()
        found: dict[str, Mapping[str, Any]] = {str(row["id"]): dict(row) for row in rows}
    reader.dispose()
    return found


def _spots(connection: sa.Connection) -> list[Spot]:
    """Places all over the city."""
    inside = "select st_pointonsurface(geom) as p from city.grid order by md5(id) limit 2000"
    found = sa.text(f"select st_x(p), st_y(p) from ({inside}) as g")
    return [(lon, lat) for lon, lat in connection.execute(found)]


def _counties(connection: sa.Connection) -> list[str]:
    return list(connection.scalars(sa.text("select id from city.county order by id")))


def _scopes(count: int, counties: Sequence[str]) -> list[Scope]:
    """Of ten screens two see the city, six a county each, one the same county's cases of a department, one nothing."""
    found = []
    for number in range(count):
        county = frozenset({counties[number // 10 % len(counties)]})
        kind = number % 10
        if kind < 2:
            found.append(EVERYWHERE)
        elif kind < 8:
            found.append(Scope(frozenset({counties[number % len(counties)]}), None))
        else:
            found.append(Scope(county, frozenset({"cgj"} if kind == 8 else ())))
    return found


def _asked(stage: Stage, server: Serving, tiles: Sequence[str]) -> Path:
    """The list of the tiles that there are."""
    full = [path for path, answer in answers(server.port, tiles).items() if answer.status == 200]
    listed = stage.folder / "loop-tiles.txt"
    listed.write_text("\n".join(path for path in tiles if path in set(full)) + "\n")
    return listed


def _unsealed(stage: Stage) -> int:
    """How many changes the audit chain does not hold yet."""
    with stage.connect("city") as owner:
        row = owner.execute(
            "select count(*) from core.change where not pg_visible_in_snapshot(xid, "
            "(select position::pg_snapshot from core.seal order by number desc limit 1))"
        ).fetchone()
    return 0 if row is None else int(row[0])
