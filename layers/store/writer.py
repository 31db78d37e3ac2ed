"""Whole deliveries of records, and taking one back; single records are changed in `edits.py`, and nowhere else.

History, cell counts and the change log follow by trigger in the same transaction (`sql/core.sql`), so no writer can
forget them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.dialects import postgresql

from gis import cells
from gis.frames import convert
from layers.errors import Conflict, LayersError
from layers.spec import Layer
from layers.store.copying import copy_by_way, copy_frame
from layers.store.core import CELL, CELL_COUNT, DELIVERY, HISTORY, REJECT, TERM
from layers.store.engine import set_local
from layers.terms import term_rows

RETIRE_SHARE = 0.2
BUILD_ANEW = 20_000  # from so many rows on, an empty table gets its indexes after them
PLACE_COLUMNS = ("grid_id", "admin_code", "place_method", "place_precision", "extra")
CELL_RESOLUTIONS = (5, 6, 7, 8, 9)
_FEW = 200  # what is known already of so few is asked by name: a single report does not read the whole table
_HELD_OF = sa.select(CELL.c.h3).where(
    CELL.c.h3 == sa.func.any(sa.bindparam("cells", type_=postgresql.ARRAY(sa.BigInteger)))
)
Progress = Callable[[str], None]
Written = Callable[[int], None]


class RetireRefused(LayersError):
    """A delivery lacks so many records of its source that it is probably only a part of the file."""

    def __init__(self, source: str, *, gone: int, held: int) -> None:
        super().__init__(
            f"this delivery would retire {gone:,} of the {held:,} records of source {source!r} "
            f"(more than {RETIRE_SHARE:.0%}): is the file complete? Use --allow-retire if it is, --partial if it is not"
        )
        self.gone, self.held = gone, held
        self.because("many_retired", gone=gone, held=held)


@dataclass(frozen=True)
class Outcome:
    """What a delivery did, in records; one that changed nothing is on record too."""

    inserted: int
    updated: int
    unchanged: int
    retired: int
    delivery: int


def write_delivery(
    connection: sa.Connection,
    layer: Layer,
    frame: gpd.GeoDataFrame,
    *,
    source: str,
    actor: str,
    digest: str,
    title: str,
    partial: bool = False,
    allow_retire: bool = False,
    progress: Progress = lambda _: None,
    written: Written = lambda _: None,
) -> Outcome:
    """Make the layer's records of `source` equal to `frame`, in the caller's transaction.

    `frame` has one row a record: a unique text `id`, EPSG:4326 geometry, the declared columns (a missing one is null),
    the columns of `PLACE_COLUMNS`, and such of the layer's untold columns as the source knows. Records of other sources
    are never touched. Raises RetireRefused when more than 20 % of the source would vanish, Conflict when an id belongs
    to another source. `progress` hears each stage, `written` how many rows of the last one the database has.
    """
    _one_at_a_time(connection, layer.name, source)
    held = _count(connection, layer, source)
    prepared = _with_cells(layer, frame, source)
    delivery = _open_delivery(connection, layer, source=source, title=title, digest=digest, actor=actor)
    set_local(connection, "chengtu.delivery", str(delivery))
    set_local(connection, "chengtu.digest", digest)
    prepared["delivery"] = delivery
    progress("cells")
    ensure_cells(connection, prepared["cell"].to_numpy())
    progress("search terms")
    ensure_terms(connection, layer, prepared)
    progress("records")
    if held == 0:
        outcome = _first(connection, layer, prepared, source, delivery, written)
    else:
        outcome = _next(
            connection,
            layer,
            prepared,
            source,
            delivery,
            held=held,
            partial=partial,
            allow_retire=allow_retire,
            written=written,
        )
    set_local(connection, "chengtu.delivery", "")
    set_local(connection, "chengtu.digest", "")
    counts = {k: getattr(outcome, k) for k in ("inserted", "updated", "unchanged", "retired")}
    connection.execute(sa.update(DELIVERY).where(DELIVERY.c.id == delivery).values(**counts))
    if outcome.inserted > 1000:
        analyze(connection, layer.table, TERM, CELL, CELL_COUNT)
    return outcome


def keep_rejects(connection: sa.Connection, delivery: int, rejects: pd.DataFrame) -> None:
    """Keep what a delivery could not use; columns row, field, code, reason, raw, and whether the whole row is out."""
    kept = rejects[["row", "field", "code", "reason", "raw", "whole"]].assign(delivery=delivery)
    copy_frame(connection, REJECT.fullname, kept)


def undo_delivery(connection: sa.Connection, delivery: int) -> Outcome:
    """Put every record that a delivery touched back to what it was.

    Raises Conflict when the delivery is unknown or undone already, or when one of its records has changed since.
    """
    row = connection.execute(sa.select(DELIVERY).where(DELIVERY.c.id == delivery).with_for_update()).mappings().first()
    if row is None or row["undone_at"] is not None:
        raise Conflict(f"there is no delivery {delivery} that could be undone").because("undone")
    _one_at_a_time(connection, row["layer"], row["source"])
    table = sa.Table(row["layer"], sa.MetaData(schema="city"), autoload_with=connection, resolve_fks=False)
    _refuse_if_changed_since(connection, table, delivery, expected=row["inserted"] + row["updated"])
    mine = sa.and_(HISTORY.c.layer == row["layer"], HISTORY.c.ended_by == delivery)
    names = [c.name for c in table.columns if c.computed is None]
    was = populated(table, mine)
    _refuse_if_come_back(connection, table, was, delivery)
    removed = _affected(
        connection,
        sa.delete(table).where(table.c.delivery == delivery, table.c.id.not_in(sa.select(HISTORY.c.id).where(mine))),
    )
    values = {name: was.c[name] for name in names if name not in ("id", "changed_at", "changed_by")}
    restored = _affected(connection, sa.update(table).where(table.c.id == was.c.id).values(values))
    # A record that comes back begins a new version; its earlier one ended when it was retired.
    names = [name for name in names if name not in ("changed_at", "changed_by")]
    missing = sa.select(*(was.c[n] for n in names)).where(was.c.id.not_in(sa.select(table.c.id)))
    revived = _affected(connection, sa.insert(table).from_select(names, missing))
    connection.execute(sa.update(DELIVERY).where(DELIVERY.c.id == delivery).values(undone_at=sa.func.now()))
    return Outcome(inserted=revived, updated=restored, unchanged=0, retired=removed, delivery=delivery)


def populated(table: sa.Table, condition: sa.ColumnElement[bool]) -> sa.Subquery:
    """History rows as rows of the table again."""
    empty = sa.text(f"null::{table.fullname}")
    columns = [sa.column(c.name, c.type) for c in table.columns]
    record = sa.func.jsonb_populate_record(empty, HISTORY.c.row).table_valued(*columns, name="record").lateral()
    return sa.select(*record.c).select_from(HISTORY.join(record, sa.true())).where(condition).subquery("was")


def _refuse_if_changed_since(connection: sa.Connection, table: sa.Table, delivery: int, *, expected: int) -> None:
    # A record leaves its delivery when it is edited by hand, delivered anew, or deleted.
    still = connection.scalar(sa.select(sa.func.count()).where(table.c.delivery == delivery)) or 0
    if expected > still:
        told = f"{expected - still:,} records of delivery {delivery} have changed since; it cannot be undone as a whole"
        raise Conflict(told).because("changed_since", count=expected - still)


def _refuse_if_come_back(connection: sa.Connection, table: sa.Table, was: sa.Subquery, delivery: int) -> None:
    # Locked, so that no edit comes between this question and what follows from it.
    there = sa.select(table.c.delivery).where(table.c.id.in_(sa.select(was.c.id))).with_for_update()
    newer = sum(now != delivery for now in connection.scalars(there))
    if newer:
        told = f"{newer:,} records that delivery {delivery} retired or changed have newer content since"
        raise Conflict(told).because("changed_since", count=newer)


def _one_at_a_time(connection: sa.Connection, layer: str, source: str) -> None:
    """Deliveries of one source wait for each other, until the end of the transaction."""
    key = sa.func.hashtextextended(f"{layer} {source}", 1)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def _affected(connection: sa.Connection, statement: sa.Insert | sa.Update | sa.Delete) -> int:
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount


def _count(connection: sa.Connection, layer: Layer, source: str) -> int:
    return connection.scalar(sa.select(sa.func.count()).where(layer.table.c.source == source)) or 0


def _open_delivery(connection: sa.Connection, layer: Layer, *, source: str, title: str, digest: str, actor: str) -> int:
    values = {"layer": layer.name, "source": source, "title": title, "digest": digest, "actor": actor}
    return int(connection.scalar(sa.insert(DELIVERY).values(**values).returning(DELIVERY.c.id)) or 0)


def _with_cells(layer: Layer, frame: gpd.GeoDataFrame, source: str) -> pd.DataFrame:
    """The frame with exactly the columns of the table that a writer gives."""
    geometry = frame.geometry.to_numpy()
    at = geometry if layer.geometry == "Point" else shapely.point_on_surface(geometry)
    columns = {name: frame.get(name, None) for name in (*layer.written, *PLACE_COLUMNS)}
    untold = {name: frame[name] for name in layer.untold if name in frame}
    prepared = pd.DataFrame({"id": frame["id"], **columns, **untold}, index=frame.index)
    prepared["place_method"] = prepared["place_method"].fillna("surveyed")
    prepared["place_precision"] = prepared["place_precision"].fillna("A")
    prepared["source"] = source
    prepared["cell"] = cells.cells_of(shapely.get_x(at), shapely.get_y(at))
    prepared["geom"] = geometry
    return prepared


def ensure_cells(connection: sa.Connection, leaves: NDArray[np.int64]) -> None:
    """Polygons of all parents of these cells, so that tiles can draw them."""
    parents = np.unique(cells.parents(np.unique(leaves), CELL_RESOLUTIONS[-1]))
    wanted = [parents]
    for res in reversed(CELL_RESOLUTIONS[:-1]):
        wanted.append(np.unique(cells.parents(wanted[-1], res)))
    every = np.concatenate(wanted)
    if every.size <= _FEW:
        known = set(connection.scalars(_HELD_OF, {"cells": every.tolist()}))
    else:
        known = set(connection.scalars(sa.select(CELL.c.h3)))
    new = np.array([cell for cell in every.tolist() if cell not in known], dtype=np.int64)
    if new.size == 0:
        return
    _use_temp(connection, "incoming_cell", CELL)
    outlines = cells.cell_polygons(new)
    frame = pd.DataFrame(
        {
            "h3": new,
            "res": cells.resolution(new),
            "area_km2": cells.areas_km2(new),
            "geom3857": shapely.transform(outlines, _mercator),
        }
    )
    copy_frame(connection, "incoming_cell", frame, srid=3857)
    connection.execute(sa.text("insert into core.cell select * from incoming_cell on conflict do nothing"))


def _mercator(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y = convert(lonlat[:, 0], lonlat[:, 1], source="EPSG:4326", target="EPSG:3857")
    return np.column_stack([x, y])


def ensure_terms(connection: sa.Connection, layer: Layer, frame: pd.DataFrame) -> None:
    """Let search know the texts of these records; `frame` has the layer's searched columns."""
    for name in layer.searched:
        texts = frame[name].dropna().unique()
        known = sa.select(TERM.c.text).where(TERM.c.layer == layer.name, TERM.c.field == name)
        if texts.size <= _FEW:
            known = known.where(TERM.c.text.in_(texts.tolist()))
        held = set(connection.scalars(known).all())
        new = [text for text in texts.tolist() if text and text not in held]
        if not new:
            continue
        columns = ["layer", "field", "text", "folded", "grams", "pinyin", "initials"]
        if len(new) <= _FEW:
            one_by_one = [dict(zip(columns, row, strict=True)) for row in term_rows(layer.name, name, new)]
            if one_by_one:
                connection.execute(postgresql.insert(TERM).values(one_by_one).on_conflict_do_nothing())
            continue
        _use_temp(connection, "incoming_term", TERM)
        rows = pd.DataFrame(term_rows(layer.name, name, new), columns=columns)
        copy_frame(connection, "incoming_term", rows)
        connection.execute(sa.text("insert into core.term select * from incoming_term on conflict do nothing"))


def _use_temp(connection: sa.Connection, name: str, like: sa.Table) -> None:
    """An empty table like another, for the rest of the transaction; one of that name that was like a third goes."""
    connection.execute(sa.text(f"drop table if exists pg_temp.{name}"))
    connection.execute(sa.text(f"create temp table {name} (like {like.fullname} including defaults) on commit drop"))


def _first(
    connection: sa.Connection, layer: Layer, frame: pd.DataFrame, source: str, delivery: int, written: Written
) -> Outcome:
    """A source's first delivery goes straight into the table."""
    anew = len(frame) > BUILD_ANEW and connection.scalar(sa.select(~sa.exists().select_from(layer.table))) is True
    try:
        with without_indexes(connection, layer.table) if anew else nullcontext():
            if layer.scoped:
                copy_by_way(connection, layer.table, frame, written=written)
            else:
                copy_frame(connection, layer.table.fullname, frame, written=written)
    except (psycopg.errors.UniqueViolation, sa.exc.IntegrityError) as error:
        raise _taken(layer, source) from error
    return Outcome(inserted=len(frame), updated=0, unchanged=0, retired=0, delivery=delivery)


@contextmanager
def without_indexes(connection: sa.Connection, table: sa.Table) -> Iterator[None]:
    """Building the key and the indexes of an empty table after its rows is several times faster than row by row.

    Others wait for the table until the transaction is over.
    """
    key = ", ".join(column.name for column in table.primary_key.columns)
    with _as_owner(connection):
        for index in table.indexes:
            index.drop(connection, checkfirst=True)
        connection.execute(sa.text(f"alter table {table.fullname} drop constraint {table.name}_pkey"))
    yield
    with _as_owner(connection):
        connection.execute(sa.text(f"alter table {table.fullname} add primary key ({key})"))
        for index in table.indexes:
            index.create(connection)


@contextmanager
def _as_owner(connection: sa.Connection) -> Iterator[None]:
    connection.execute(sa.text("set local role chengtu_owner"))
    yield
    connection.execute(sa.text("set local role chengtu_writer"))


def analyze(connection: sa.Connection, *tables: sa.Table) -> None:
    """Count what is in tables that a writer has just filled, for the planner of whoever asks next.

    Only its owner may analyze a table: for others PostgreSQL skips it with a warning that nobody sees.
    """
    with _as_owner(connection):
        for table in tables:
            connection.execute(sa.text(f"analyze {table.fullname}"))


def _taken(layer: Layer, source: str) -> Conflict:
    return Conflict(
        f"an id of this delivery belongs to another source of layer {layer.name!r}; name that source with --source "
        f"instead of {source!r}, or give the records other ids"
    ).because("other_source", source=source)


def _next(
    connection: sa.Connection,
    layer: Layer,
    frame: pd.DataFrame,
    source: str,
    delivery: int,
    *,
    held: int,
    partial: bool,
    allow_retire: bool,
    written: Written,
) -> Outcome:
    table = layer.table
    _use_temp(connection, "incoming", table)
    copy_frame(connection, "incoming", frame, written=written)
    connection.execute(sa.text("analyze incoming"))
    incoming = sa.table("incoming", *(sa.column(c.name, c.type) for c in table.columns))
    if connection.scalar(sa.select(sa.exists().where(table.c.id == incoming.c.id, table.c.source != source))):
        raise _taken(layer, source)
    vanished = sa.and_(table.c.source == source, ~sa.exists().where(incoming.c.id == table.c.id))
    gone = 0 if partial else connection.scalar(sa.select(sa.func.count()).select_from(table).where(vanished)) or 0
    if gone > RETIRE_SHARE * held and not allow_retire:
        raise RetireRefused(source, gone=gone, held=held)

    given = [*layer.written, *PLACE_COLUMNS, *(name for name in layer.untold if name in frame)]
    differs = sa.or_(
        table.c.geom.is_distinct_from(incoming.c.geom),  # `=` on geometries compares every coordinate
        *(table.c[name].is_distinct_from(incoming.c[name]) for name in given),
    )
    values = {name: incoming.c[name] for name in (*given, "geom", "cell", "delivery")}
    updated = _affected(connection, sa.update(table).where(table.c.id == incoming.c.id, differs).values(values))
    names = [str(name) for name in frame.columns]
    fresh = sa.select(*(incoming.c[name] for name in names)).where(~sa.exists().where(table.c.id == incoming.c.id))
    inserted = _affected(connection, sa.insert(table).from_select(names, fresh))
    retired = _affected(connection, sa.delete(table).where(vanished)) if gone else 0
    return Outcome(inserted, updated, len(frame) - inserted - updated, retired, delivery)
