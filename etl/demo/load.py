"""The demo city into the database: all its layers in one transaction, so that a killed load leaves an empty city."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import geopandas as gpd
import pandas as pd
import sqlalchemy as sa

from etl.demo.city import SEED, build
from etl.demo.ground import Ground, settle
from etl.demo.incidents import DAYS, Lead, happenings
from etl.demo.past import make_past
from layers.ask.catalogue import SYNTHETIC
from layers.ask.period import CITY_TIME
from layers.catalog import built_in, incident
from layers.errors import Conflict
from layers.loop.hotline.seeds import seed_answers
from layers.loop.routing import decide
from layers.loop.rules import Rules, shipped_rules
from layers.loop.tables import STEP
from layers.store.copying import copy_by_way
from layers.store.core import DELIVERY
from layers.store.engine import begin
from layers.store.writer import write_delivery
from layers.terms import refresh_grams

Progress = Callable[[str, int], None]


def load_demo(
    engine: sa.Engine,
    *,
    scale: float = 1.0,
    seed: int = SEED,
    at: dt.datetime | None = None,
    days: int = DAYS,
    progress: Progress = lambda *_: None,
) -> dict[str, int]:
    """Build and load the synthetic city, and make up a past of its figures; returns the records of each layer.

    Its incidents are those of the `days` up to `at` (now). The same again changes nothing; cases that are there already
    stay as they are. Raises Conflict in a database that holds real deliveries.
    """
    layers, counts = built_in(), {}
    ground, components = settle(scale=scale, seed=seed), gpd.GeoDataFrame()
    told = f"demo scale={scale:g} seed={seed}"
    with begin(engine, actor="etl demo") as connection:
        real = sa.select(sa.exists().where(DELIVERY.c.source != SYNTHETIC))
        if connection.scalar(real):
            raise Conflict("this database holds real deliveries; the synthetic demo city is not mixed with them")
        for name, frame in build(scale=scale, seed=seed, ground=ground):
            components = frame if name == "component" else components
            progress(name, len(frame))
            _write(connection, name, frame, told, partial=False)
            counts[name] = len(frame)
        moment = at or dt.datetime.now(CITY_TIME).replace(second=0, microsecond=0)
        seed_answers(connection, today=moment.date())
        progress(incident.LAYER.name, days)
        counts[incident.LAYER.name] = _incidents(
            connection, ground, components, shipped_rules(), at=moment, days=days, scale=scale, seed=seed
        )
        refresh_grams(connection)
    # Afterwards, since figures are counted from what is committed.
    make_past(engine, layers, seed=seed)
    return counts


def _write(connection: sa.Connection, name: str, frame: gpd.GeoDataFrame, told: str, *, partial: bool) -> None:
    write_delivery(
        connection,
        built_in()[name],
        frame,
        source=SYNTHETIC,
        actor="etl demo",
        digest=told,
        title="synthetic demo city",
        partial=partial,
        allow_retire=True,
    )


def _incidents(
    connection: sa.Connection,
    ground: Ground,
    components: gpd.GeoDataFrame,
    rules: Rules,
    *,
    at: dt.datetime,
    days: int,
    scale: float,
    seed: int,
) -> int:
    """The cases that are not there yet, with their steps; returns how many synthetic ones there are then."""
    table = incident.TABLE
    known = set(connection.scalars(sa.select(table.c.id)))
    fresh = []
    for day in happenings(
        ground, components, rules, lead_for=_leads(connection, rules, at=at), at=at, days=days, scale=scale, seed=seed
    ):
        new = day.incidents[~day.incidents["id"].isin(known)]
        if len(new):
            fresh.append(new)
            copy_by_way(connection, STEP, day.steps[day.steps["incident"].isin(set(new["id"]))])
    if fresh:
        frame = gpd.GeoDataFrame(pd.concat(fresh, ignore_index=True), crs="EPSG:4326")
        _write(connection, incident.LAYER.name, frame, f"demo cases scale={scale:g} seed={seed} at={at}", partial=True)
    synthetic = sa.select(sa.func.count()).select_from(table).where(table.c.source == SYNTHETIC)
    return connection.scalar(synthetic) or 0


def _leads(connection: sa.Connection, rules: Rules, *, at: dt.datetime) -> Lead:
    """Who answers by the duty table: asked once for a matter and a county, as it tells no towns apart when it ships."""
    known: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {}

    def lead_for(matter: str, town: str) -> tuple[str, tuple[str, ...]]:
        key = matter, town[:6]
        if key not in known:
            found = decide(connection, rules.departments, matter=matter, admin_code=key[1], grid_id=None, at=at)
            known[key] = found.lead, found.co
        return known[key]

    return lead_for
