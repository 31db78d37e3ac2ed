"""From an upload and what a person chose to a delivery, exactly as the command line would make it."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass

import sqlalchemy as sa

from etl.clean.coordinates import known_frame
from etl.clean.extent import city_extent, extent_of
from etl.clean.identity import source_name, source_of_file
from etl.corrections import corrected
from etl.errors import NothingMapped
from etl.guess import Candidate, likely_layers, new_name
from etl.headers import role_of
from etl.load import Delivery, Listener, Order
from etl.mapping import Mapping
from etl.readers import Table, read
from etl.recipe import Recipe
from etl.send_back import came_back, plain_stem, without_notes
from layers.catalog import built_in
from layers.spec import Layer, Title
from layers.store.choices import Choices, Meanings
from layers.store.core import DELIVERY
from layers.store.definitions import saved_layers
from layers.store.uploads import Upload


@dataclass(frozen=True)
class Brought:
    """A delivery made from an upload; `candidates` are the layers that it may be meant for, `returned` tells that it is
    a workbook that was sent back and came again."""

    delivery: Delivery
    candidates: tuple[Candidate, ...]
    returned: bool
    guessed: bool


def delivery_of(
    connection: sa.Connection, upload: Upload, listener: Listener, *, dry_run: bool, allow_retire: bool
) -> Brought:
    """Read the file of an upload and settle what the person left open; raises as `etl.load.read_delivery` does."""
    choices, path = upload.choices, upload.main()
    listener.stage("reading")
    layers = {**built_in(), **saved_layers(connection)}
    known = layers.get(choices.layer or "")
    shape = known.geometry if known else None
    read_in = read(path, table=choices.table, shape=shape, encoding=choices.encoding, progress=listener.amount)
    returned = came_back(read_in)
    table = corrected(without_notes(read_in), choices.corrections)
    stem = plain_stem(path)
    source = source_name(choices.source) if choices.source else source_of_file(stem)
    candidates = likely_layers(table, layers.values(), earlier=_earlier(connection, source))
    layer, new_layer = _layer(choices, candidates, stem, layers)
    order = Order(
        path=path,
        layer=layer,
        new_layer=new_layer,
        title=Title(choices.title, choices.title) if choices.title else None,
        public=choices.public,
        source=source,
        constants=choices.constants,
        extent=choices.extent,
        frame=choices.frame,
        swap=choices.swap,
        encoding=choices.encoding,
        table=choices.table,
        partial=choices.partial or returned,
        allow_retire=allow_retire,
        dry_run=dry_run,
        actor=str(upload.about["actor"]),
        corrections=choices.corrections,
    )
    recipe = None if choices.meanings is None else Recipe(_mapping(choices.meanings, table))
    extent = extent_of(choices.extent) if choices.extent else city_extent()
    frame = known_frame(choices.frame) if choices.frame else None
    delivery = Delivery(order, recipe, table, extent, source, frame)
    return Brought(delivery, tuple(candidates), returned, guessed=not (choices.layer or choices.new_layer))


def _layer(
    choices: Choices, candidates: list[Candidate], stem: str, layers: AnyMapping[str, Layer]
) -> tuple[str | None, str | None]:
    """The layer that is there, or the new one, that a file goes into."""
    if choices.layer or choices.new_layer:
        return (None, choices.new_layer) if choices.new_layer else (choices.layer, None)
    if candidates:
        return candidates[0].layer.name, None
    name = new_name(stem)
    return (name, None) if name in layers else (None, name)


def _mapping(meanings: Meanings, table: Table) -> Mapping:
    """The meaning of every column as the person settled it; the frame is what the headers of coordinates name."""
    if not meanings.fields and not meanings.roles and table.geometry is None:
        raise NothingMapped("", table.headers)
    where = (role_of(header) for role, header in meanings.roles.items() if role in ("lon", "lat", "x", "y", "pair"))
    frame = next((found[1] for found in where if found is not None and found[1]), None)
    return Mapping(fields=meanings.fields, roles=meanings.roles, values=meanings.values, frame=frame)


def _earlier(connection: sa.Connection, source: str) -> str | None:
    """The layer into which a source delivered the last time."""
    latest = sa.select(DELIVERY.c.layer).where(DELIVERY.c.source == source, DELIVERY.c.undone_at.is_(None))
    return connection.scalar(latest.order_by(DELIVERY.c.id.desc()).limit(1))
