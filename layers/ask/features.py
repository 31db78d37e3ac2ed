"""Records of one layer as features: a page of those that fulfil conditions, how many there are, and one by its id."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from gis.frames import convert
from gis.tilegrid import Box
from layers.ask.catalogue import summaries
from layers.ask.crs import CRS84, Crs, as_geojson
from layers.ask.keyset import Key, Place
from layers.ask.question.errors import TooMuch
from layers.errors import BadParameter, UnknownItem
from layers.people.scope import seen_by, sees_all
from layers.spec import Field, Layer
from layers.store.engine import set_local

MOST_FEATURES = 10_000
MOST_COUNTED = 50_000
COUNT_TIMEOUT_MS = 1_000


@dataclass(frozen=True)
class Question:
    """Which records of a layer, in which order."""

    layer: Layer
    keys: tuple[Key, ...]
    conditions: tuple[sa.ColumnElement[bool], ...] = ()


@dataclass(frozen=True)
class Drawn:
    """How the records found are told: in which coordinates, and with which of the declared fields."""

    crs: Crs = CRS84
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Feature:
    """One record: GeoJSON geometry and the values of its fields as JSON has them."""

    id: str
    geometry: dict[str, Any]
    properties: dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Some records in their order, and the places where the pages before and after this one begin."""

    features: list[Feature]
    previous: Place | None
    next: Place | None


@dataclass(frozen=True)
class Matched:
    """How many records fulfil the conditions: exactly, or about."""

    number: int
    exact: bool


def page(connection: sa.Connection, question: Question, drawn: Drawn, *, limit: int, place: Place | None) -> Page:
    """At most `limit` records from a place on; from the beginning when it is None.

    TooMuch when finding them takes too long; BadParameter when one lies where the answer's coordinate system cannot
    express it.
    """
    backward = place is not None and place.backward
    keys, beyond = question.keys, [] if place is None else [place.condition(question.keys)]
    statement = (
        _selected(question.layer, drawn, [key.column for key in keys])
        .where(*question.conditions, *beyond, *seen_by(connection, [question.layer]))
        .order_by(*(key.order(backward=backward) for key in keys))
        .limit(min(limit, MOST_FEATURES) + 1)
    )
    with _answerable(drawn.crs):
        rows = connection.execute(statement).all()
    more = len(rows) > min(limit, MOST_FEATURES)
    rows = rows[: min(limit, MOST_FEATURES)]
    if backward:
        rows = rows[::-1]
    if not rows:
        return Page([], None, None)
    before, after = (more, True) if backward else (place is not None, more)
    first, last = (tuple(row)[2 : 2 + len(keys)] for row in (rows[0], rows[-1]))
    return Page(
        [_feature(row, drawn, skip=len(keys)) for row in rows],
        previous=Place(first, backward=True) if before else None,
        next=Place(last) if after else None,
    )


def feature(connection: sa.Connection, layer: Layer, id: str, drawn: Drawn) -> Feature:
    """One record; UnknownItem when there is none, BadParameter when the coordinate system cannot express it."""
    with _answerable(drawn.crs):
        wanted = _selected(layer, drawn, []).where(layer.table.c.id == id, *seen_by(connection, [layer]))
        row = connection.execute(wanted).first()
    if row is None:
        raise UnknownItem(layer.name, id)
    return _feature(row, drawn, skip=0)


@contextmanager
def _answerable(crs: Crs) -> Iterator[None]:
    """PostgreSQL stops after its time limit, and PostGIS at a place too far around the globe for the projection."""
    try:
        yield
    except sa.exc.OperationalError as error:
        if _canceled(error):
            raise TooMuch("the question took too long; narrow it by bbox, or ask a simpler filter or order") from error
        raise
    except sa.exc.InternalError as error:
        if crs.degrees:
            raise
        raise BadParameter("crs", f"there are records that EPSG:{crs.srid} cannot express; narrow bbox") from error


def _selected(layer: Layer, drawn: Drawn, more: Sequence[sa.ColumnElement[Any]]) -> sa.Select[*tuple[Any, ...]]:
    table = layer.table
    return sa.select(
        table.c.id,
        as_geojson(table.c.geom, drawn.crs).label("geojson"),
        *(column.label(f"key{i}") for i, column in enumerate(more)),
        *(table.c[field.name].label(f"field{i}") for i, field in enumerate(drawn.fields)),
    )


def _feature(row: sa.Row[*tuple[Any, ...]], drawn: Drawn, *, skip: int) -> Feature:
    id, geojson, *values = row
    told = zip(drawn.fields, map(_as_json, values[skip:]), strict=True)
    return Feature(id, json.loads(geojson), {field.name: value for field, value in told})


def _as_json(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def matched(connection: sa.Connection, question: Question) -> Matched:
    """How many records there are: counted when that is cheap, else what the planner expects.

    Without conditions the cell counts know; with some, up to 50,000 records are counted, for at most a second. What the
    planner expects is of all records: who sees only some of a scoped layer is told what was counted, or TooMuch.
    """
    if not question.conditions:
        (summary,) = summaries(connection, [question.layer])
        return Matched(summary.count, exact=True)
    conditions = [*question.conditions, *seen_by(connection, [question.layer])]
    found = sa.select(sa.literal(1)).select_from(question.layer.table).where(*conditions)
    counted = _counted(connection, found)
    if counted is not None and counted <= MOST_COUNTED:
        return Matched(counted, exact=True)
    if not sees_all(connection, [question.layer]):
        if counted is None:
            raise TooMuch("counting took too long; narrow the question by bbox or a simpler filter")
        return Matched(counted, exact=False)
    (plan,) = connection.scalars(_Explained(found)).one()
    expected = round(plan["Plan"]["Plan Rows"])
    return Matched(expected if counted is None else max(expected, counted), exact=False)


def _counted(connection: sa.Connection, found: sa.Select[Any]) -> int | None:
    """The number of rows, or one more than are counted at most; None when the time was over."""
    some = found.limit(MOST_COUNTED + 1).subquery("some")
    attempt = connection.begin_nested()
    try:
        set_local(connection, "statement_timeout", str(COUNT_TIMEOUT_MS))
        return connection.scalar(sa.select(sa.func.count()).select_from(some))
    except sa.exc.OperationalError as error:
        if not _canceled(error):
            raise
        return None
    finally:
        attempt.rollback()  # which gives the connection its own time limit back, too


def _canceled(error: sa.exc.OperationalError) -> bool:
    return isinstance(error.orig, psycopg.errors.QueryCanceled)


def extents(connection: sa.Connection, layers: Sequence[Layer]) -> dict[str, Box]:
    """The lon, lat box around each layer that holds records, read off its spatial index; never too small.

    Around what of it is seen for a scoped layer, to the centimetre.
    """
    boxes = [
        sa.select(
            sa.literal(layer.name).label("name"),
            sa.func.st_estimatedextent(layer.table.schema, layer.name, "geom3857").label("box"),
        )
        if not layer.scoped
        else sa.select(
            sa.literal(layer.name).label("name"),
            # A centimetre more, so that rounding to degrees leaves nothing out.
            sa.func.st_expand(sa.func.st_extent(layer.table.c.geom3857), 0.01).label("box"),
        ).where(*seen_by(connection, [layer]))
        for layer in layers
    ]
    if not boxes:
        return {}
    box = sa.union_all(*boxes).subquery("box")
    sides = (sa.func.st_xmin, sa.func.st_ymin, sa.func.st_xmax, sa.func.st_ymax)
    rows = connection.execute(sa.select(box.c.name, *(side(box.c.box) for side in sides)).where(box.c.box.is_not(None)))
    return {name: _degrees(*metres) for name, *metres in rows}


def _degrees(west: float, south: float, east: float, north: float) -> Box:
    lons, lats = convert([west, east], [south, north], source="EPSG:3857")
    return Box(float(lons[0]), float(lats[0]), float(lons[1]), float(lats[1]))


class _Explained(sa.Executable, sa.ClauseElement):
    """The plan of a statement, as JSON."""

    inherit_cache = False

    def __init__(self, statement: sa.Select[Any]) -> None:
        self.statement = statement


@compiles(_Explained)
def _explain(element: _Explained, compiler: SQLCompiler, **options: Any) -> str:
    return "EXPLAIN (FORMAT JSON) " + compiler.process(element.statement, **options)
