"""One record with its context, and what it was before."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gis import cells
from layers.ask.catalogue import SYNTHETIC
from layers.ask.reverse import area_at
from layers.errors import UnknownItem
from layers.people.scope import seen_by
from layers.spec import Layer
from layers.store.core import DELIVERY, HISTORY
from layers.words import standard_of

MOST_VERSIONS = 100
_RESPONSIBLE = ("department", "team", "duty_phone")


@dataclass(frozen=True)
class Item:
    """A record: GeoJSON geometry, its declared fields, and what is known of its place and making."""

    id: str
    geometry: dict[str, Any]
    properties: dict[str, Any]
    context: dict[str, Any]
    version: str


@dataclass(frozen=True)
class Version:
    """What a record was, from and until when, and who or which delivery made it so."""

    since: dt.datetime
    until: dt.datetime | None
    actor: str
    delivery: dict[str, Any] | None
    properties: dict[str, Any]
    geometry: dict[str, Any]


def item(connection: sa.Connection, layer: Layer, id: str, *, layers: Mapping[str, Layer]) -> Item:
    """The record as it is now; UnknownItem when there is none."""
    table = layer.table
    statement = sa.select(
        table.c.id,
        *(table.c[f.name] for f in layer.fields),
        sa.func.st_asgeojson(table.c.geom, 7).label("geojson"),
        *(table.c[name] for name in ("cell", "grid_id", "admin_code", "place_method", "place_precision", "source")),
        *(table.c[name] for name in ("delivery", "changed_at", "changed_by")),
        sa.func.st_x(_on_it(table)).label("lon"),
        sa.func.st_y(_on_it(table)).label("lat"),
    ).where(table.c.id == id, *seen_by(connection, [layer]))
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise UnknownItem(layer.name, id)
    return Item(
        id=row["id"],
        geometry=json.loads(row["geojson"]),
        properties={f.name: row[f.name] for f in layer.fields},
        context={**_context(connection, row, layers), "standards": _standards(layer, row)},
        version=version_of(row["changed_at"]),
    )


def version_of(changed_at: dt.datetime) -> str:
    """The version of a record, for ETags: the microsecond of its last change."""
    return f"{round(changed_at.timestamp() * 1_000_000):x}"


def _on_it(table: sa.Table) -> sa.ColumnElement[Any]:
    return sa.func.st_pointonsurface(table.c.geom)


def _context(connection: sa.Connection, row: sa.RowMapping, layers: Mapping[str, Layer]) -> dict[str, Any]:
    admin = row["admin_code"] or ""
    return {
        "cell": cells.to_hex([row["cell"]])[0],
        "grid": _named(connection, layers.get("grid"), row["grid_id"]),
        "dutyGrid": _duty(connection, layers.get("duty_grid"), row["lon"], row["lat"]),
        "town": _named(connection, layers.get("town"), admin if len(admin) == 9 else None),
        "county": _named(connection, layers.get("county"), admin[:6] or None),
        "placeMethod": row["place_method"],
        "placePrecision": row["place_precision"],
        "source": row["source"],
        "delivery": _deliveries(connection, [row["delivery"]]).get(row["delivery"]),
        "changedAt": row["changed_at"],
        "changedBy": row["changed_by"],
    }


def _named(connection: sa.Connection, layer: Layer | None, id: str | None) -> dict[str, str] | None:
    if layer is None or id is None:
        return None
    name = connection.scalar(sa.select(layer.table.c[layer.label]).where(layer.table.c.id == id))
    return {"id": id, "name": name or id}


def _duty(connection: sa.Connection, layer: Layer | None, lon: float, lat: float) -> dict[str, Any] | None:
    """The duty grid of a place with the department and the team that answer for it, and the line of its duty desk."""
    found = area_at(connection, layer, lon, lat)
    if layer is None or found is None:
        return None
    named = [layer.table.c[name] for name in _RESPONSIBLE if layer.field(name) is not None]
    wanted = sa.select(layer.table.c.source, *named).where(layer.table.c.id == found.id)
    row = connection.execute(wanted).mappings().one()
    told = {name: row.get(name) for name in _RESPONSIBLE}
    return {"id": found.id, "name": found.name or found.id, **told, "synthetic": row["source"] == SYNTHETIC}


def _standards(layer: Layer, row: sa.RowMapping) -> dict[str, str]:
    """For each coded field whose code stands in a standard, that standard."""
    coded = [(f.name, f.book, row[f.name]) for f in layer.fields if f.book is not None and row[f.name] is not None]
    told = {name: standard_of(str(book), str(code)) for name, book, code in coded}
    return {name: standard for name, standard in told.items() if standard is not None}


def _deliveries(connection: sa.Connection, ids: list[int | None]) -> dict[int | None, dict[str, Any]]:
    """Number, title and source of each of these deliveries."""
    wanted = {id for id in ids if id is not None}
    if not wanted:
        return {}
    found = sa.select(DELIVERY.c.id, DELIVERY.c.title, DELIVERY.c.source).where(DELIVERY.c.id.in_(wanted))
    return {row["id"]: dict(row) for row in connection.execute(found).mappings()}


def history(
    connection: sa.Connection,
    layer: Layer,
    id: str,
    *,
    before: dt.datetime | None = None,
    limit: int = MOST_VERSIONS,
) -> tuple[list[Version], bool]:
    """The earlier versions of a record that began before `before`, newest first, and whether there are more.

    UnknownItem when the record never existed. Of a scoped layer each version is told to whose it was.
    """
    lower, upper = sa.func.lower(HISTORY.c.valid), sa.func.upper(HISTORY.c.valid)
    geojson = sa.func.st_asgeojson(sa.func.st_geomfromewkb(_ewkb()), 7)
    statement = (
        sa.select(lower.label("since"), upper.label("until"), HISTORY.c.actor, HISTORY.c.delivery, HISTORY.c.row)
        .add_columns(geojson.label("geojson"))
        .where(HISTORY.c.layer == layer.name, HISTORY.c.id == id)
        .order_by(lower.desc())
        .limit(limit + 1)
    )
    if before is not None:
        statement = statement.where(lower < before)
    rows = connection.execute(statement).mappings().all()
    if not rows and before is None:
        there = sa.exists().where(layer.table.c.id == id, *seen_by(connection, [layer]))
        if connection.scalar(sa.select(there)) is not True:
            raise UnknownItem(layer.name, id)
    deliveries = _deliveries(connection, [row["delivery"] for row in rows])
    versions = [
        Version(
            since=row["since"],
            until=row["until"],
            actor=row["actor"],
            delivery=deliveries.get(row["delivery"]),
            properties={f.name: row["row"].get(f.name) for f in layer.fields},
            geometry=json.loads(row["geojson"]),
        )
        for row in rows[:limit]
    ]
    return versions, len(rows) > limit


def _ewkb() -> sa.ColumnElement[bytes]:
    return sa.func.decode(HISTORY.c.row["geom"].astext, sa.literal_column("'hex'"))
