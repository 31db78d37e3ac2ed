"""One delivery, from a file to the records of a layer, in one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import sqlalchemy as sa

from etl.clean.coordinates import known_frame
from etl.clean.extent import Extent, city_extent, extent_of
from etl.clean.identity import source_name, source_of_file
from etl.clean.records import Cleaned, clean, say_grid_shift, say_shift
from etl.clean.shift import shift_of_grids, shift_of_pairs
from etl.corrections import corrected
from etl.errors import BadOption, NothingMapped, Refused
from etl.findings import Finding, join_rejects
from etl.mapping import Mapping, guess_mapping, with_constants, with_field
from etl.new_layer import infer_layer, mapping_for
from etl.placing import Geocoder, place_records
from etl.readers import Table, read
from etl.recipe import Recipe, checked, load_recipe, save_recipe
from layers.ask.geocode import geocode_many
from layers.ask.locate import Locator
from layers.catalog import built_in
from layers.spec import Layer, Title
from layers.store.choices import Correction
from layers.store.definitions import saved_layers
from layers.store.engine import begin
from layers.store.schema import add_layer
from layers.store.writer import Outcome, keep_rejects, write_delivery

_SAMPLE = 2_000
_TRUE_FRAMES = ("EPSG:4326", "EPSG:4490")


@dataclass(frozen=True)
class Order:
    """What a person asked for; None where the file, the recipe or a guess decides."""

    path: Path
    layer: str | None = None
    new_layer: str | None = None
    title: Title | None = None
    public: bool = False
    source: str | None = None
    constants: AnyMapping[str, str] = field(default_factory=dict)
    columns: AnyMapping[str, str] = field(default_factory=dict)
    extent: str | None = None
    frame: str | None = None
    swap: bool = False
    encoding: str | None = None
    table: str | None = None
    recipe: Path | None = None
    save_recipe: Path | None = None
    partial: bool = False
    allow_retire: bool = False
    dry_run: bool = False
    actor: str = "etl"
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """What came of an order; `outcome` is None where nothing could be loaded, and then `refusal` says why."""

    layer: Layer
    source: str
    read: int
    outcome: Outcome | None
    rejects: pd.DataFrame
    findings: tuple[Finding, ...]
    mapping: Mapping
    refusal: str | None = None
    dry_run: bool = False
    recipe: Path | None = None
    coordinates: str = "EPSG:4326"


class Listener(Protocol):
    """Who is told while a load goes on."""

    def stage(self, text: str) -> None:
        """A new stage begins."""

    def amount(self, done: int, total: int | None) -> None:
        """So many rows of the stage are done, of how many where that is known."""

    def mapped(self, table: Table, mapping: Mapping, layer: Layer) -> None:
        """The meaning of every column is settled."""


Look = Callable[[sa.Connection, "Loaded"], None]


class _RolledBack(Exception):
    """Ends the transaction of a dry run."""

    def __init__(self, loaded: Loaded) -> None:
        super().__init__("dry run")
        self.loaded = loaded


@dataclass(frozen=True)
class Delivery:
    """A file that was read, with everything that was decided about it before the database is asked."""

    order: Order
    recipe: Recipe | None
    table: Table
    extent: Extent
    source: str
    frame: str | None


def read_delivery(order: Order, listener: Listener) -> Delivery:
    """Read the file of an order and check its options; needs no database, so a file that is no use fails at once."""
    recipe = load_recipe(order.recipe) if order.recipe else None
    order = _completed(order, recipe)
    if (order.layer is None) == (order.new_layer is None):
        raise BadOption("--layer", order.layer or "", "name the layer of the file, or a new one with --new-layer")
    if order.save_recipe is not None and (order.save_recipe.is_dir() or not order.save_recipe.parent.is_dir()):
        raise BadOption("--save-recipe", str(order.save_recipe), "name a file in a folder that is there")
    source = source_name(order.source) if order.source else source_of_file(order.path.stem)
    frame = known_frame(order.frame) if order.frame else None
    extent = extent_of(order.extent) if order.extent else city_extent()
    listener.stage("reading")
    known = built_in().get(order.layer or "")
    shape = known.geometry if known else None
    found = read(order.path, table=order.table, shape=shape, encoding=order.encoding, progress=listener.amount)
    table = corrected(found, order.corrections)
    return Delivery(order, recipe, table, extent, source, frame)


def load_delivery(
    engine: sa.Engine, delivery: Delivery, listener: Listener, *, today: date, look: Look = lambda *_: None
) -> Loaded:
    """Bring a delivery into its layer in one transaction; a dry run does the same and takes it back.

    `look` is called before the end of the transaction, when all that was loaded can be seen in it. Raises EtlError or
    LayersError, and then nothing has changed.
    """
    try:
        with begin(engine, actor=delivery.order.actor) as connection:
            loaded = _load(connection, delivery, listener, today=today)
            look(connection, loaded)
            if delivery.order.dry_run or loaded.outcome is None:
                raise _RolledBack(loaded)
    except _RolledBack as ended:
        loaded = ended.loaded
    return loaded if loaded.outcome is None else _with_recipe(delivery, loaded)


def _load(connection: sa.Connection, delivery: Delivery, listener: Listener, *, today: date) -> Loaded:
    layer, mapping = _settled(connection, delivery, today=today)
    if delivery.order.new_layer is not None:
        add_layer(connection, layer)
    listener.mapped(delivery.table, mapping, layer)
    listener.stage("checking")
    cleaned = clean(
        delivery.table,
        mapping,
        layer=layer,
        extent=delivery.extent,
        source=delivery.source,
        today=today,
        frame=delivery.frame,
        swap=delivery.order.swap,
        progress=listener.amount,
    )
    shifted = _compare_places(connection, layer, cleaned, sure=delivery.frame is not None)
    listener.stage("placing")
    locator = Locator.from_database(connection)
    shifted = shifted or _compare_grids(locator, layer, cleaned, sure=delivery.frame is not None)
    geocoder = _geocoder(connection, delivery.extent)
    placed = place_records(
        cleaned, geocoder, layer=layer, extent=delivery.extent, locator=locator, progress=listener.amount
    )
    loaded = Loaded(
        layer,
        delivery.source,
        cleaned.read,
        None,
        rejects=join_rejects([cleaned.rejects, placed.rejects]),
        findings=(*cleaned.findings, *shifted, *placed.findings),
        mapping=mapping,
        dry_run=delivery.order.dry_run,
        coordinates=cleaned.coordinates,
    )
    if len(placed.frame) == 0:
        return replace(loaded, refusal=_nothing_left(loaded))
    return replace(loaded, outcome=_write(connection, delivery, loaded, placed.frame, listener))


def _write(
    connection: sa.Connection, delivery: Delivery, loaded: Loaded, frame: gpd.GeoDataFrame, listener: Listener
) -> Outcome:
    order = delivery.order
    outcome = write_delivery(
        connection,
        loaded.layer,
        frame,
        source=delivery.source,
        actor=order.actor,
        digest=digest_of(order.path, order.corrections),
        title=order.path.name,
        partial=order.partial,
        allow_retire=order.allow_retire,
        progress=lambda text: listener.stage(f"{text} ({len(frame):,})"),
        written=lambda rows: listener.amount(rows, len(frame)),
    )
    keep_rejects(connection, outcome.delivery, loaded.rejects)
    return outcome


def digest_of(path: Path, corrections: tuple[Correction, ...] = ()) -> str:
    """The SHA-256 of a file, or of all files of a folder by their names, and of what was corrected in it."""
    digest = hashlib.sha256()
    for part in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(part.name.encode())
        with part.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    if corrections:
        digest.update(json.dumps([one.model_dump() for one in corrections], sort_keys=True).encode())
    return digest.hexdigest()


def _completed(order: Order, recipe: Recipe | None) -> Order:
    """The order with what the recipe says where the person said nothing."""
    if recipe is None:
        return order
    layer = order.layer if order.layer or order.new_layer else recipe.layer
    return replace(
        order,
        layer=layer,
        source=order.source or recipe.source,
        table=order.table or recipe.table,
        encoding=order.encoding or recipe.encoding,
        extent=order.extent or recipe.extent,
        frame=order.frame or recipe.mapping.frame,
        swap=order.swap or recipe.mapping.swap,
    )


def _settled(connection: sa.Connection, delivery: Delivery, *, today: date) -> tuple[Layer, Mapping]:
    """The layer of a delivery and the meaning of every column."""
    order, table = delivery.order, delivery.table
    brought = saved_layers(connection)
    if order.new_layer is not None and order.new_layer in built_in():
        told = BadOption("--new-layer", order.new_layer, "this layer is there already; load into it with --layer")
        raise told.because("layer_exists", layer=order.new_layer)
    name = order.layer or order.new_layer or ""
    layer = built_in().get(name) or brought.get(name)
    if layer is None and order.new_layer is None:
        told = BadOption("--layer", name, f"there is no such layer; there are {', '.join([*built_in(), *brought])}")
        raise told.because("layer_gone", layer=name)
    if layer is None:
        layer, mapping = infer_layer(table, name, title=order.title, public=order.public, today=today)
    elif name in brought:
        mapping = mapping_for(table, layer)
    else:
        mapping = guess_mapping(table, layer)
    if delivery.recipe is not None:
        mapping = checked(delivery.recipe, table, layer=layer, name=str(order.recipe and order.recipe.name))
    mapping = with_constants(with_field(mapping, layer, order.columns, table), layer, order.constants)
    if layer.name not in built_in():
        mapping = replace(mapping, own_id=False)  # a layer that was made from files has its ids from them
    if not mapping.fields and not mapping.roles and table.geometry is None:
        raise NothingMapped(layer.name, table.headers)
    return layer, mapping


def _with_recipe(delivery: Delivery, loaded: Loaded) -> Loaded:
    """Keep the mapping of a delivery that went well, also of one that was only tried."""
    order, mapping = delivery.order, loaded.mapping
    if order.save_recipe is None:
        return loaded
    kept = replace(mapping, frame=order.frame or mapping.frame, swap=order.swap or mapping.swap)
    recipe = Recipe(kept, str(loaded.layer.name), delivery.source, order.table, order.encoding, order.extent)
    save_recipe(order.save_recipe, recipe)
    return replace(loaded, recipe=order.save_recipe)


def _geocoder(connection: sa.Connection, extent: Extent) -> Geocoder | None:
    """Finds texts in the city; None for a delivery of another area, whose texts mean other places."""
    if not extent.is_city and not shapely.intersects(extent.area, city_extent().area):
        return None
    return lambda texts, kinds: geocode_many(connection, texts, kinds=kinds)


def _compare_places(connection: sa.Connection, layer: Layer, cleaned: Cleaned, *, sure: bool) -> list[Finding]:
    """Compare points with the places that the layer holds for the same ids: are all of them off in the same way?"""
    if layer.geometry != "Point" or cleaned.coordinates not in _TRUE_FRAMES or not len(cleaned.frame):
        return []
    sample = np.unique(np.linspace(0, len(cleaned.frame) - 1, _SAMPLE).astype(np.intp))
    shapes = cleaned.frame.geometry.to_numpy()[sample]
    ids = cleaned.frame["id"].iloc[sample]
    given = pd.DataFrame({"x": shapely.get_x(shapes), "y": shapely.get_y(shapes)}, index=ids)
    table = layer.table
    held = sa.select(table.c.id, sa.func.st_x(table.c.geom), sa.func.st_y(table.c.geom)).where(
        table.c.id.in_(given.index.tolist()), table.c.place_method == "surveyed"
    )
    known = pd.DataFrame(connection.execute(held).all(), columns=["id", "true_x", "true_y"]).set_index("id")
    both = given.join(known, how="inner").astype("float64")
    columns = (both[name].to_numpy() for name in ("x", "y", "true_x", "true_y"))
    shift = shift_of_pairs(*columns)
    return [] if shift is None else say_shift(shift, declared=cleaned.coordinates, sure=sure)


def _compare_grids(locator: Locator, layer: Layer, cleaned: Cleaned, *, sure: bool) -> list[Finding]:
    """Compare points with the grids that the file names for them: do they agree much better in another frame?"""
    if layer.geometry != "Point" or cleaned.coordinates not in _TRUE_FRAMES or cleaned.grids is None:
        return []
    named = cleaned.grids.to_numpy(dtype=object)
    shapes = cleaned.frame.geometry.to_numpy()
    both = np.flatnonzero(~pd.isna(named) & ~shapely.is_missing(shapes))
    if layer.load.identifier == "grid" or not both.size:
        return []
    sample = both[np.unique(np.linspace(0, both.size - 1, _SAMPLE).astype(np.intp))]
    lon, lat = shapely.get_x(shapes[sample]), shapely.get_y(shapes[sample])
    shift = shift_of_grids(lon, lat, named[sample], lambda points: locator.place(points)[0])
    return [] if shift is None else say_grid_shift(shift, declared=cleaned.coordinates, sure=sure)


def _nothing_left(loaded: Loaded) -> str:
    """Why no row became a record: the commonest cause, and what it says can be done."""
    whole = loaded.rejects[loaded.rejects["whole"]]
    causes = whole.groupby(["code", "field", "reason"], dropna=False).size().sort_values(ascending=False)
    if not len(causes):
        return f"none of the {loaded.read:,} rows can be loaded"
    (_, name, reason), count = causes.index[0], int(causes.iloc[0])
    hint = next((f.hint for f in loaded.findings if f.hint and f.code == causes.index[0][0]), None)
    told = f"none of the {loaded.read:,} rows can be loaded; {count:,} of them: {name}: {reason}"
    return str(Refused(told, hint=hint)) if hint else told
