"""`/search` through the server, one query after the other."""

from __future__ import annotations

import random
from collections import defaultdict
from statistics import median
from urllib.parse import quote

from tests.bench.fetch import fetch
from tests.bench.measure import percentile, serving
from tests.bench.queries import queries
from tests.bench.rows import Aim, Row
from tests.bench.stage import Stage

_AIM_MS = 50.0


def search(stage: Stage) -> list[Row]:
    """Median and 95th percentile of the fixed list; the limit is an answer of the server that asks nothing."""
    url = stage.city
    with stage.reader("city").connect() as connection:
        asked = queries(connection, stage.sizes.queries)
    random.Random(1).shuffle(asked)
    paths = [f"/search?q={quote(query)}" for _, query in asked]
    with serving(url) as server:
        floor = fetch(server.port, ["/healthz"] * 200).each_ms
        first = fetch(server.port, paths).each_ms
        rounds = [fetch(server.port, paths).each_ms for _ in range(stage.sizes.repeats)]
    typical = [median(times) for times in zip(*rounds, strict=True)]
    aim = Aim(most=_AIM_MS)
    rows = [
        Row("search: p50", median(median(times) for times in rounds), "ms", limit=median(floor)),
        Row(
            "search: p95", median(percentile(times, 95) for times in rounds), "ms", limit=percentile(floor, 95), aim=aim
        ),
        Row("search: p95 of the first round", percentile(first, 95), "ms"),
        Row("search: slowest query", max(typical), "ms"),
    ]
    by_kind = defaultdict(list)
    for (kind, _), time_ms in zip(asked, typical, strict=True):
        by_kind[kind].append(time_ms)
    rows += [Row(f"search: slowest {kind}", max(times), "ms") for kind, times in by_kind.items()]
    return [*rows[:4], *sorted(rows[4:], key=lambda row: -row.ours), Row("search: peak memory", server.peak_mb, "MB")]
