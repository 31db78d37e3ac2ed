"""One record with its context and its history, and a person's edit of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.geometry
import sqlalchemy as sa

from gis import cells
from gis.repair import repair
from layers.check import checked
from layers.errors import BadField, Stale, UnknownItem
from layers.spec import Layer
from layers.store.core import HISTORY
from layers.store.writer import update_record

MOST_VERTICES = 20_000
_GEOJSON = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


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
    """What a record was, from and until when, and who made it so."""

    since: dt.datetime
    until: dt.datetime | None
    actor: str
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
        table.c.changed_at,
        table.c.changed_by,
    ).where(table.c.id == id)
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise UnknownItem(layer.name, id)
    return Item(
        id=row["id"],
        geometry=json.loads(row["geojson"]),
        properties={f.name: row[f.name] for f in layer.fields},
        context=_context(connection, row, layers),
        version=version_of(row["changed_at"]),
    )


def version_of(changed_at: dt.datetime) -> str:
    """The version of a record, for ETags: the microsecond of its last change."""
    return f"{round(changed_at.timestamp() * 1_000_000):x}"


def _context(connection: sa.Connection, row: sa.RowMapping, layers: Mapping[str, Layer]) -> dict[str, Any]:
    admin = row["admin_code"] or ""
    return {
        "cell": cells.to_hex([row["cell"]])[0],
        "grid": _named(connection, layers.get("grid"), row["grid_id"]),
        "town": _named(connection, layers.get("town"), admin if len(admin) == 9 else None),
        "county": _named(connection, layers.get("county"), admin[:6] or None),
        "placeMethod": row["place_method"],
        "placePrecision": row["place_precision"],
        "source": row["source"],
        "changedAt": row["changed_at"],
        "changedBy": row["changed_by"],
    }


def _named(connection: sa.Connection, layer: Layer | None, id: str | None) -> dict[str, str] | None:
    if layer is None or id is None:
        return None
    name = connection.scalar(sa.select(layer.table.c[layer.label]).where(layer.table.c.id == id))
    return {"id": id, "name": name or id}


def history(connection: sa.Connection, layer: Layer, id: str, *, limit: int = 100) -> list[Version]:
    """The earlier versions of a record, newest first; UnknownItem when it never existed."""
    lower, upper = sa.func.lower(HISTORY.c.valid), sa.func.upper(HISTORY.c.valid)
    geojson = sa.func.st_asgeojson(sa.func.st_geomfromewkb(_ewkb()), 7)
    statement = (
        sa.select(lower.label("since"), upper.label("until"), HISTORY.c.actor, HISTORY.c.row, geojson.label("geojson"))
        .where(HISTORY.c.layer == layer.name, HISTORY.c.id == id)
        .order_by(lower.desc())
        .limit(limit)
    )
    rows = connection.execute(statement).mappings().all()
    if not rows and connection.scalar(sa.select(sa.exists().where(layer.table.c.id == id))) is not True:
        raise UnknownItem(layer.name, id)
    return [
        Version(
            since=row["since"],
            until=row["until"],
            actor=row["actor"],
            properties={f.name: row["row"].get(f.name) for f in layer.fields},
            geometry=json.loads(row["geojson"]),
        )
        for row in rows
    ]


def _ewkb() -> sa.ColumnElement[bytes]:
    return sa.func.decode(HISTORY.c.row["geom"].astext, sa.literal_column("'hex'"))


def edit(
    connection: sa.Connection,
    layer: Layer,
    id: str,
    *,
    versions: frozenset[str] | None,
    properties: dict[str, Any],
    geometry: dict[str, Any] | None,
) -> None:
    """Change a record that the client has read as one of `versions` (None: whichever), in the caller's transaction.

    Raises UnknownItem, Stale when it has changed since, BadField naming every field that does not take its value.
    """
    values = checked(layer, properties)
    table = layer.table
    row = connection.execute(sa.select(table.c.changed_at).where(table.c.id == id).with_for_update()).first()
    if row is None:
        raise UnknownItem(layer.name, id)
    current = version_of(row.changed_at)
    if versions is not None and current not in versions:
        raise Stale(current)
    shape = None if geometry is None else shape_of(layer, geometry)
    if values or shape is not None:
        update_record(connection, layer, id, values=values, geometry=shape)


def shape_of(layer: Layer, geometry: dict[str, Any]) -> shapely.Geometry:
    """A GeoJSON geometry in lon, lat as the layer keeps it; BadField when it cannot be one."""
    if geometry.get("type") not in _GEOJSON:
        raise BadField({"geometry": "is not a GeoJSON geometry"})
    try:
        shape = shapely.geometry.shape(geometry)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
        shapely.errors.ShapelyError,
    ) as error:
        raise BadField({"geometry": "is not a GeoJSON geometry"}) from error
    if shapely.get_num_coordinates(shape) > MOST_VERTICES:
        raise BadField({"geometry": f"has more than {MOST_VERTICES:,} vertices"})

    report = repair(np.array([shape], dtype=object), kind=layer.geometry)
    kept = report.geometries[0]
    if kept is None:
        raise BadField({"geometry": str(report.reasons[0])})
    west, south, east, north = shapely.bounds(kept)
    if west == east == south == north == 0:
        raise BadField({"geometry": "stands at (0, 0), which is no place in a city"})
    if west < -180 or east > 180 or south < -85 or north > 85:
        raise BadField({"geometry": "coordinates must be longitude and latitude in degrees"})
    return kept
