"""The commands of `python -m etl`, each a function that returns the exit status."""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Iterator, Mapping, Sequence
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
from layers.declared import declaration_files
from layers.errors import UnknownLayer
from layers.people.access import ADMIN
from layers.people.privacy import keyring_in
from layers.rasters import FOLDER as RASTERS_FOLDER
from layers.rasters import Rasters
from layers.registry import Registry
from layers.spec import Layer, Title
from layers.store.archives import FOLDER as ARCHIVES
from layers.store.basemap import FOLDER as BASEMAPS
from layers.store.basemap import remove
from layers.store.core import DELIVERY
from layers.store.definitions import saved_layers
from layers.store.engine import begin, engine_for
from layers.store.home import Home, database, home_from
from layers.store.schema import prepare
from layers.store.uploads import FOLDER as UPLOADS
from layers.store.writer import undo_delivery
from layers.topics import FOLDER as TOPICS
from layers.topics import SHIPPED, Known, read_topic

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
    from etl.demo.incidents import DAYS, HISTORY_DAYS
    from etl.demo.load import load_demo  # the generator is not needed for anything else
    from etl.demo.rasters import RASTERS, make_rasters

    home = home_from(os.environ)
    # Every layer of the city is a stage, and all of the layers that are built in are layers of the city.
    with _no_collector(), screen.shown(len(built_in()) + len(RASTERS)), _engine(home) as engine:
        counts = load_demo(
            engine,
            scale=arguments.scale,
            seed=arguments.seed,
            days=HISTORY_DAYS if arguments.history else DAYS,
            keyring=keyring_in(home.folder),
            progress=lambda name, n: screen.stage(f"{name} ({n:,})"),
        )
        with engine.connect() as connection:
            made = make_rasters(connection, home.folder / RASTERS_FOLDER, seed=arguments.seed, progress=screen.stage)
    for name, count in counts.items():
        screen.line(f"{name:<12}{count:>12,}")
    for name in made:
        screen.line(f"{name:<12}{'raster':>12}")
    screen.line("the demo city is synthetic; only the county outlines and names of places are real")
    return OK


def simulate(arguments: argparse.Namespace, screen: Screen) -> int:
    """Play a live day in a made-up city."""
    from etl.simulate.command import pace_of, play  # the generator is not needed for anything else

    home, pace = home_from(os.environ), pace_of(arguments, _today())
    with _engine(home) as engine:
        play(engine, home, pace, arguments, screen)
    return OK


def import_dispatches(arguments: argparse.Namespace, screen: Screen) -> int:
    """Bring the history of another dispatch system in; 1 when nothing of the file can be used."""
    from etl.dispatches.command import bring

    home = home_from(os.environ)
    with _engine(home) as engine:
        return OK if bring(engine, home, arguments.file, arguments.source, screen) else REFUSED


def worker(_: argparse.Namespace, screen: Screen) -> int:
    """Do background jobs until a signal comes."""
    import asyncio

    from etl.jobs import baking
    from etl.upload_jobs import uploading
    from layers.ask.indicator.counter import counting
    from layers.ask.indicator.reading import FOLDER as INDICATORS
    from layers.ask.indicator.reading import SHIPPED, indicators_in
    from layers.loop.care.clearing import DAYS as NEED_DAYS
    from layers.loop.care.clearing import clearing
    from layers.loop.firing import firing
    from layers.loop.hotline.training_job import training
    from layers.loop.mail import mailbox_from
    from layers.loop.notice_sending import Ways, sending
    from layers.loop.pruning import pruning, terms_from
    from layers.loop.rules import rules_in
    from layers.loop.sms import gateway_in
    from layers.loop.tally import tallying
    from layers.loop.webhook_address import networks_of
    from layers.loop.webhook_sending import telling
    from layers.people.privacy import keyring_in
    from layers.store.jobs import work
    from layers.store.roots import FOLDER as AUDIT
    from layers.store.sealer import sealing

    del screen
    home = home_from(os.environ)
    with _running(home) as url:
        engine = engine_for(url, "reader", pool_size=1)

        registry = Registry(engine)  # keeps layers the values that they were: statements are kept by them

        def layers() -> list[Layer]:
            return list(registry.all().values())

        indicators = indicators_in([SHIPPED, home.folder / INDICATORS], built_in())
        rules = rules_in(home.folder)
        keyring, networks = keyring_in(home.folder), networks_of(os.environ.get("CHENGTU_WEBHOOK_NETWORKS", ""))
        more = [
            baking(url, layers, home.folder / ARCHIVES),
            counting(url, layers, indicators),
            uploading(url, home.folder / UPLOADS),
            training(url, home.folder),
            firing(url, rules.calendar),
            tallying(url, rules),
            telling(url, keyring, networks),
            sending(url, Ways(keyring, networks, mailbox_from(os.environ), gateway_in(home.folder))),
            clearing(url, days=int(os.environ.get("CHENGTU_NEED_DAYS") or NEED_DAYS)),
            pruning(url, terms_from(os.environ)),
        ]
        beside = [lambda: sealing(url, home.folder / AUDIT)]
        asyncio.run(work(url, layers, more=more, beside=beside))
        engine.dispose()
    return OK


def bake(arguments: argparse.Namespace, screen: Screen) -> int:
    """Bake archives of some layers, or of all; 1 when one of them cannot be baked."""
    from etl.bake import NotBaked, TooWide, snapshot
    from etl.bake import bake as bake_layer

    home, status = home_from(os.environ), OK
    with _running(home) as url:
        with engine_for(url, "reader", pool_size=0).connect() as connection:
            known = {**built_in(), **saved_layers(connection)}
        chosen = _chosen(known, arguments.layers)
        with screen.shown(len(chosen)), snapshot(url, threads=min(4, len(os.sched_getaffinity(0)))) as moment:
            for layer in chosen:
                screen.stage(layer.name)
                try:
                    baked = bake_layer(moment, layer, home.folder / ARCHIVES, progress=screen.amount)
                except (NotBaked, TooWide) as error:
                    screen.error(str(error))
                    status = REFUSED
                    continue
                cut = f"  {baked.cut:,} left out" if baked.cut else ""
                told = f"{baked.tiles:>9,} tiles{baked.bytes / 1e6:>9,.1f} MB{baked.seconds:>8,.1f} s{cut}"
                screen.line(f"{layer.name:<16}{told}")
    return status


def _chosen(layers: Mapping[str, Layer], names: Sequence[str]) -> list[Layer]:
    """The layers of these names, or all that can be baked; UnknownLayer before anything is done."""
    for name in names:
        if name not in layers:
            raise UnknownLayer(name)
    every = [name for name, layer in layers.items() if not layer.scoped]
    return [layers[name] for name in dict.fromkeys(names or every)]


def add_basemap(arguments: argparse.Namespace, screen: Screen) -> int:
    """Put a base map of the city's own under everything."""
    from etl.basemap import add

    attribution = _title(arguments.attribution)
    kept = add(
        arguments.file,
        home_from(os.environ).folder / BASEMAPS,
        name=arguments.name,
        attribution=attribution,
        approval=arguments.approval,
    )
    header = kept.archive.header
    zooms = f"zoom {header.minzoom} to {header.maxzoom}"
    screen.line(f"{kept.name}: {header.kind} tiles of {zooms} lie under every layer from now on")
    return OK


def remove_basemap(_: argparse.Namespace, screen: Screen) -> int:
    """Take the city's own base map away; 1 when there is none."""
    name = remove(home_from(os.environ).folder / BASEMAPS)
    if name is None:
        screen.error("there is no base map of the city's own")
        return REFUSED
    screen.line(f"{name}: removed; it lies under nothing from now on")
    return OK


def add_raster(arguments: argparse.Namespace, screen: Screen) -> int:
    """Put a raster of the city's own on the map."""
    from etl.rasters import RasterOrder, add_raster, numbers

    title = _title(arguments.title) or Title(arguments.name, arguments.name)
    order = RasterOrder(
        path=arguments.file,
        name=arguments.name,
        title=title,
        unit=arguments.unit,
        attribution=_title(arguments.attribution) or Title("", ""),
        ramp=arguments.look,
        breaks=numbers("--breaks", arguments.breaks),
        people=arguments.people,
        synthetic=arguments.synthetic,
        public=arguments.public,
    )
    with screen.shown(1):
        screen.stage(arguments.file.name)
        raster, found = add_raster(order, home_from(os.environ).folder / RASTERS_FOLDER)
    seen = "everyone" if raster.access.view == "public" else "administrators only"
    values = f"values from {found.least:g} to {found.most:g} {raster.unit}".rstrip()
    screen.line(f"raster {raster.name}: {values}; seen by {seen}")
    return OK


def check_topics(arguments: argparse.Namespace, screen: Screen) -> int:
    """Hold topic files against the layers, rasters and indicators that there are."""
    from layers.ask.indicator.reading import FOLDER as OWN_INDICATORS
    from layers.ask.indicator.reading import SHIPPED as INDICATORS
    from layers.ask.indicator.reading import indicators_in

    home = home_from(os.environ)
    rasters = [stored.raster.name for stored in Rasters(home.folder / RASTERS_FOLDER).visible(ADMIN)]
    with _engine(home) as engine:
        known = Known(
            Registry(engine).all(), rasters, indicators_in([INDICATORS, home.folder / OWN_INDICATORS], built_in())
        )
    served = [path for folder in (SHIPPED, home.folder / TOPICS) for path in declaration_files(folder)]
    for path in arguments.files or served:
        topic = read_topic(path, known)
        title = f"{topic.title.zh} {topic.title.en}"
        screen.line(f"{path.name}: {title}, {len(topic.layers)} layers, {len(topic.panels)} panels")
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
