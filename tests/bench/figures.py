"""The city's figures: summed from nothing, kept fresh after edits, and told to panels."""

from __future__ import annotations

import time
from collections.abc import Mapping
from statistics import median

import sqlalchemy as sa

from layers.ask.indicator.counter import count_all
from layers.ask.indicator.counting import count
from layers.ask.indicator.figures import offered
from layers.ask.indicator.indicator import Indicator
from layers.ask.indicator.plan import plans
from layers.ask.indicator.reading import SHIPPED, indicators_in
from layers.catalog import built_in
from layers.store.engine import begin, engine_for
from tests.bench.fetch import fetch
from tests.bench.measure import percentile, serving
from tests.bench.rows import Row
from tests.bench.stage import Stage

_MANY = 2_000
_BY = ("city", "county", "town", "grid")
# To and fro, so that the city is the same in the end.
_EDIT = sa.text(
    "update city.component set state = case state when 'broken' then 'intact' else 'broken' end"
    " where id = any(array(select id from city.component where state in ('broken', 'intact') order by md5(id)"
    " limit :rows))"
)
_PLAIN = sa.text("select grid_id, count(*) filter (where state in ('broken', 'lost')) from city.component group by 1")


def figures(stage: Stage) -> list[Row]:
    """Counting by the log, and answers by area; the limit is the same sum as plain SQL over the records."""
    every = indicators_in([SHIPPED], built_in())
    engine = engine_for(stage.city, "writer", pool_size=1)
    rows = [_from_nothing(stage, engine, every), *_after_edits(stage, engine, every), *_told(stage, every)]
    engine.dispose()
    stage.changed()
    return rows


def _from_nothing(stage: Stage, engine: sa.Engine, every: Mapping[str, Indicator]) -> Row:
    with stage.connect("city") as connection:
        connection.execute("delete from core.figure_layer")
    started = time.perf_counter()
    count_all(engine, every.values(), built_in())
    return Row(f"all sums of {len(every)} indicators, from nothing", time.perf_counter() - started, "s")


def _after_edits(stage: Stage, engine: sa.Engine, every: Mapping[str, Indicator]) -> list[Row]:
    component = [plan for plan in plans(every.values(), built_in()).values() if plan.layer.name == "component"]

    def recounted(rows: int) -> float:
        with begin(engine, actor="bench") as connection:
            connection.execute(_EDIT, {"rows": rows})
        started = time.perf_counter()
        with begin(engine, actor="bench") as connection:
            count(connection, component)
        return 1000 * (time.perf_counter() - started)

    # An even number of rounds undoes itself.
    single, many = ([recounted(rows) for _ in range(2 * stage.sizes.repeats)] for rows in (1, _MANY))
    return [
        Row("sums of components after one edit", median(single), "ms"),
        Row(f"sums of components after {_MANY:,} edits at once", median(many), "ms"),
    ]


def _told(stage: Stage, every: Mapping[str, Indicator]) -> list[Row]:
    layers = built_in()
    offering = {
        area: [name for name, each in every.items() if area in ("city", *offered(each, layers))] for area in _BY
    }
    with serving(stage.city) as server:
        for name in every:
            fetch(server.port, [f"/indicators/{name}"])
        return [
            *(_by(server.port, names, area) for area, names in offering.items()),
            _beside_plain(stage, server.port),
        ]


def _by(port: int, names: list[str], area: str) -> Row:
    times = fetch(port, [f"/indicators/{name}?by={area}&limit=10000" for name in names * 3]).each_ms
    return Row(f"a figure by {area}: p95 of {len(names)} indicators", percentile(times, 95), "ms")


def _beside_plain(stage: Stage, port: int) -> Row:
    times = fetch(port, ["/indicators/components-to-repair?by=grid&limit=10000"] * 9).each_ms
    plain = []
    with stage.reader("city").connect() as connection:
        for _ in range(9):
            started = time.perf_counter()
            connection.execute(_PLAIN).all()
            plain.append(1000 * (time.perf_counter() - started))
    return Row("components to repair by grid, as JSON (limit: plain SQL)", median(times), "ms", limit=median(plain))
