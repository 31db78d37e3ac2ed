"""The demo city into the database: all its layers in one transaction, so that a killed load leaves an empty city."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import sqlalchemy as sa

from etl.demo.ahead import Year, made_ahead
from etl.demo.callers import Callers
from etl.demo.city import SEED, build
from etl.demo.ground import Ground, settle
from etl.demo.incident_mix import MATTERS
from etl.demo.incidents import DAYS, Happenings, Lead, happenings
from etl.demo.past import make_past
from etl.demo.people_load import write_calls, write_care
from etl.demo.providers import demo_providers
from layers.ask.catalogue import SYNTHETIC
from layers.ask.period import CITY_TIME
from layers.catalog import built_in, incident
from layers.errors import Conflict
from layers.loop.care.providers import providers, write_providers
from layers.loop.hotline.seeds import seed_answers
from layers.loop.routing import decide
from layers.loop.routing_tables import STALE_CASE
from layers.loop.rules import Rules, shipped_rules
from layers.loop.tables import STEP
from layers.people.privacy import Keyring
from layers.store.copying import copy_by_way
from layers.store.core import DELIVERY, TERM
from layers.store.engine import begin
from layers.store.writer import without_indexes, write_delivery
from layers.terms import refresh_grams

Progress = Callable[[str, int], None]
_DAYS_AT_ONCE: Final = 14


def load_demo(
    engine: sa.Engine,
    *,
    scale: float = 1.0,
    seed: int = SEED,
    at: dt.datetime | None = None,
    days: int = DAYS,
    keyring: Keyring | None = None,
    progress: Progress = lambda *_: None,
) -> dict[str, int]:
    """Build and load the synthetic city, and make up a past of its figures; returns the records of each layer.

    Its incidents are those of the `days` up to `at` (now). The same again changes nothing; cases that are there already
    stay as they are. Names and numbers are sealed with `keyring`; without one nobody called or asked for anything.
    Raises Conflict in a database that holds real deliveries.
    """
    layers, counts = built_in(), dict[str, int]()
    ground = settle(scale=scale, seed=seed)
    told = f"demo scale={scale:g} seed={seed}"
    moment = at or dt.datetime.now(CITY_TIME).replace(second=0, microsecond=0)
    with begin(engine, actor="etl demo") as connection, ExitStack() as during:
        _require_synthetic(connection)
        if days > DAYS:
            _index_later(connection, during)
        coming: Iterator[Happenings] = iter(())
        for name, frame in build(scale=scale, seed=seed, ground=ground):
            if name == "component":
                what = _Cases(
                    ground, frame, shipped_rules(), at=moment, days=days, scale=scale, seed=seed, keyring=keyring
                )
                coming = during.enter_context(_begun(connection, what))
            if name == "place" and not providers(connection):
                write_providers(connection, demo_providers(frame), actor="etl demo")
            progress(name, len(frame))
            _write(connection, name, frame, told, partial=False)
            counts[name] = len(frame)
        seed_answers(connection, today=moment.date())
        progress(incident.LAYER.name, days)
        counts[incident.LAYER.name] = _incidents(
            connection, coming, f"demo cases scale={scale:g} seed={seed} at={moment}"
        )
        if keyring is not None:
            counts |= write_care(connection, ground, keyring, at=moment, scale=scale, seed=seed)
        during.close()
        refresh_grams(connection)
    # Afterwards, since figures are counted from what is committed.
    make_past(engine, layers, seed=seed)
    return counts


def _require_synthetic(connection: sa.Connection) -> None:
    real = sa.select(sa.exists().where(DELIVERY.c.source != SYNTHETIC))
    if connection.scalar(real):
        raise Conflict("this database holds real deliveries; the synthetic demo city is not mixed with them")


def _index_later(connection: sa.Connection, during: ExitStack) -> None:
    """A history's steps and texts are millions: of an empty city their indexes are built when they are there."""
    for table in (TERM, STEP):
        if connection.scalar(sa.select(~sa.exists().select_from(table))):
            during.enter_context(without_indexes(connection, table))


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


@dataclass(frozen=True)
class _Cases:
    """What cases are made of."""

    ground: Ground
    components: gpd.GeoDataFrame
    rules: Rules
    at: dt.datetime
    days: int
    scale: float
    seed: int
    keyring: Keyring | None

    @property
    def callers(self) -> Callers | None:
        """Who calls about them."""
        keyring, attempts = self.keyring, self.rules.rates.attempts
        return None if keyring is None else Callers(keyring, attempts, self.scale, self.seed)


@contextmanager
def _begun(connection: sa.Connection, what: _Cases) -> Iterator[Iterator[Happenings]]:
    """The days of cases: those of a history are made by other processes from now on, a few when they are asked for."""
    how: dict[str, Any] = {"at": what.at, "scale": what.scale, "seed": what.seed, "callers": what.callers}
    if what.days <= DAYS:
        lead = _leads(connection, what.rules, at=what.at)
        yield happenings(what.ground, what.components, what.rules, lead_for=lead, days=what.days, **how)
        return
    year = Year(what.ground, what.components, what.rules, _every_lead(connection, what), how)
    with made_ahead(year, days=what.days) as coming:
        yield coming


def _incidents(connection: sa.Connection, coming: Iterator[Happenings], told: str) -> int:
    """The cases that are not there yet, with their steps; returns how many synthetic ones there are then."""
    table = incident.TABLE
    known = set(connection.scalars(sa.select(table.c.id)))
    fresh: list[gpd.GeoDataFrame] = []
    for days in iter(lambda: list(islice(coming, _DAYS_AT_ONCE)), []):
        new_days = [day for day in days if not day.incidents["id"].isin(known).all()]
        if new_days:
            fresh += [day.incidents[~day.incidents["id"].isin(known)] for day in new_days]
            steps = pd.concat([day.steps for day in new_days], ignore_index=True)
            copy_by_way(connection, STEP, steps[~steps["incident"].isin(known)])
            write_calls(connection, new_days, known)
    if fresh:
        frame = gpd.GeoDataFrame(pd.concat(fresh, ignore_index=True), crs="EPSG:4326")
        fresh.clear()
        _write(connection, incident.LAYER.name, frame, told, partial=True)
        # A case that was noted for its steps and for its callers is told anew once.
        twin = STALE_CASE.alias()
        later = sa.exists().where(twin.c.incident == STALE_CASE.c.incident, twin.c.id > STALE_CASE.c.id)
        connection.execute(sa.delete(STALE_CASE).where(later))
    synthetic = sa.select(sa.func.count()).select_from(table).where(table.c.source == SYNTHETIC)
    return connection.scalar(synthetic) or 0


def _every_lead(connection: sa.Connection, what: _Cases) -> Lead:
    """The same as `_leads`, asked for everything beforehand: who asks later has no database."""
    asked = _leads(connection, what.rules, at=what.at)
    matters = {matter.code for matter in MATTERS} | set(what.components["class_code"])
    known = {(matter, county): asked(matter, county) for matter in matters for county in what.ground.land.codes}
    return lambda matter, town: known[matter, town[:6]]


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
