"""The commands of `python -m etl`, each a function that returns the exit status."""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from etl.clean.dates import ZONE
from etl.errors import BadOption
from etl.load import Loaded, Order, load_delivery, read_delivery
from etl.report import Screen, write_rejects
from layers.catalog import built_in
from layers.spec import Layer, Title
from layers.store.core import DELIVERY
from layers.store.definitions import saved_layers
from layers.store.engine import begin, engine_for
from layers.store.home import Home, database, home_from
from layers.store.schema import prepare
from layers.store.writer import undo_delivery

OK, REFUSED = 0, 1
# Reading, opening the database, checking, placing, cells, search terms, records.
_LOAD_STAGES = 7
_MOST_DELIVERIES = 100


def load(arguments: argparse.Namespace, screen: Screen) -> int:
    """Bring a file into a layer; 0 when it was loaded (or a dry run would have), 1 when it was refused."""
    order = order_of(arguments)
    home = home_from(os.environ)
    with _no_collector(), screen.shown(_LOAD_STAGES):
        delivery = read_delivery(order, screen)
        screen.stage("opening the database")
        with _engine(home) as engine:
            loaded = load_delivery(engine, delivery, screen, today=_today())
    screen.loaded(loaded, _rejects_file(home, loaded))
    if loaded.refusal is not None:
        screen.error(loaded.refusal)
        return REFUSED
    return OK


def undo(arguments: argparse.Namespace, screen: Screen) -> int:
    """Take a delivery back."""
    with _no_collector(), screen.shown(2):
        screen.stage("opening the database")
        with _engine(home_from(os.environ)) as engine, begin(engine, actor="etl") as connection:
            screen.stage(f"putting back what was before delivery {arguments.delivery}")
            outcome = undo_delivery(connection, arguments.delivery)
    told = f"{outcome.retired:,} records removed, {outcome.updated:,} put back, {outcome.inserted:,} brought back"
    screen.line(f"delivery {arguments.delivery} undone: {told}")
    return OK


def deliveries(_: argparse.Namespace, screen: Screen) -> int:
    """List the latest deliveries."""
    with _engine(home_from(os.environ)) as engine, engine.connect() as connection:
        latest = sa.select(DELIVERY).order_by(DELIVERY.c.id.desc()).limit(_MOST_DELIVERIES)
        rows = connection.execute(latest).mappings().all()
    screen.deliveries(rows)
    return OK


def demo(arguments: argparse.Namespace, screen: Screen) -> int:
    """Build the synthetic demo city and load it."""
    from etl.demo.load import load_demo  # the generator is not needed for anything else

    # Every layer of the city is a stage, and all of the layers that are built in are layers of the city.
    with _no_collector(), screen.shown(len(built_in())), _engine(home_from(os.environ)) as engine:
        counts = load_demo(
            engine, scale=arguments.scale, seed=arguments.seed, progress=lambda name, n: screen.stage(f"{name} ({n:,})")
        )
    for name, count in counts.items():
        screen.line(f"{name:<12}{count:>12,}")
    screen.line("the demo city is synthetic; only the county outlines and names of places are real")
    return OK


def worker(_: argparse.Namespace, screen: Screen) -> int:
    """Do background jobs until a signal comes."""
    import asyncio

    from layers.store.jobs import work

    del screen
    with _running(home_from(os.environ)) as url:
        engine = engine_for(url, "reader", pool_size=1)

        def layers() -> list[Layer]:
            with engine.connect() as connection:
                return [*built_in().values(), *saved_layers(connection).values()]

        asyncio.run(work(url, layers))
        engine.dispose()
    return OK


def order_of(arguments: argparse.Namespace) -> Order:
    """The order that the options of `load` make; BadOption for one that cannot be used."""
    return Order(
        path=arguments.file,
        layer=arguments.layer,
        new_layer=arguments.new_layer,
        title=_title(arguments.title),
        public=arguments.public,
        source=arguments.source,
        constants=_pairs("--set", arguments.set),
        columns=_pairs("--map", arguments.map),
        extent=arguments.extent,
        frame=arguments.frame,
        swap=arguments.swap,
        encoding=arguments.encoding,
        table=arguments.table,
        recipe=arguments.recipe,
        save_recipe=arguments.save_recipe,
        partial=arguments.partial,
        allow_retire=arguments.allow_retire,
        dry_run=arguments.dry_run,
    )


def _pairs(option: str, given: list[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise BadOption(option, text, "write it as name=value")
        pairs[name.strip()] = value.strip()
    return pairs


def _title(text: str | None) -> Title | None:
    if text is None:
        return None
    zh, sign, en = text.partition("|")
    return Title(zh.strip(), en.strip() if sign else zh.strip())


def _rejects_file(home: Home, loaded: Loaded) -> Path | None:
    if loaded.dry_run or loaded.rejects.empty:
        return None
    # A refused delivery has no number, but what was wrong with it is what the person wants to see.
    name = str(loaded.outcome.delivery) if loaded.outcome else f"refused-{loaded.source}"
    return write_rejects(home.folder / "rejects" / f"{name}.csv", loaded.rejects)


def _today() -> date:
    return datetime.now(ZoneInfo(ZONE)).date()


@contextmanager
def _no_collector() -> Iterator[None]:
    """Bulk work makes millions of objects that live to its end; to look for cycles in them costs a fifth."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def _running(home: Home) -> Iterator[str]:
    with database(home) as running:
        prepare(running.url, built_in())
        yield running.url


@contextmanager
def _engine(home: Home) -> Iterator[sa.Engine]:
    with _running(home) as url:
        engine = engine_for(url, "writer", pool_size=2)
        try:
            yield engine
        finally:
            engine.dispose()
