"""What a person does to one record: make it, change it, retire it, or put it back to what it was."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from typing import Any, Final

import numpy as np
import shapely
import shapely.geometry
import sqlalchemy as sa

from gis.repair import repair
from layers.ask.items import version_of
from layers.ask.question.drawn import MOST_CROSSINGS, tangled
from layers.check import checked
from layers.codes.errors import BadId
from layers.codes.ids import CameraId, ComponentId
from layers.errors import BadField, Conflict, Stale, UnknownItem
from layers.people.access import Actor, Decision, may
from layers.spec import ID_PATTERN, Layer
from layers.store.core import HISTORY
from layers.store.edits import HAND, insert_record, placed, restore_record, retire_record, update_record
from layers.words import book_of, standard_of

MOST_VERTICES: Final = 20_000
_GEOJSON: Final = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")
_AREAS: Final = ("grid", "admin")
_BY_DELIVERY: Final = "areas of the city come and go by deliveries only"
_SERIAL_DIGITS: Final = 6
_SERIALS: Final = 2  # of the advisory locks, those under which new serial numbers are taken


def may_add(actor: Actor, layer: Layer) -> Decision:
    """Whether `actor` may make and retire records of a layer by hand: the areas of the city come by delivery only."""
    if layer.load.identifier in _AREAS:
        return Decision(False, _BY_DELIVERY)
    return may(actor, "edit", layer)


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
    _hold(connection, layer, id, versions)
    shape = None if geometry is None else shape_of(layer, geometry)
    if values or shape is not None:
        update_record(connection, layer, id, values=values, geometry=shape)


def create(
    connection: sa.Connection, layer: Layer, *, id: str | None, properties: dict[str, Any], geometry: dict[str, Any]
) -> str:
    """Make a record in the caller's transaction and return its id, which is made where none is given.

    Raises BadField naming every field that does not take its value, Conflict when the id is taken.
    """
    values = checked(layer, _completed(layer, properties), new=True)
    bound = _has_borders(connection)
    place = placed(connection, layer, shape_of(layer, geometry), bound=bound)
    chosen = _new_id(connection, layer, values, place) if id is None else _checked_id(layer, id, values)
    insert_record(connection, layer, chosen, values=values, place=place)
    return chosen


def retire(connection: sa.Connection, layer: Layer, id: str, *, versions: frozenset[str] | None) -> None:
    """Take a record out of its layer, in the caller's transaction; raises UnknownItem, Stale."""
    _hold(connection, layer, id, versions)
    retire_record(connection, layer, id)


def restore(
    connection: sa.Connection, layer: Layer, id: str, *, versions: frozenset[str] | None, since: dt.datetime | None
) -> None:
    """Put a record back to the version that began at `since`, without it to the last before now.

    A record that is retired comes back. Raises Stale when it was changed, Conflict when there is no such version.
    """
    gone = False
    try:
        _hold(connection, layer, id, versions)
    except UnknownItem:
        gone = True
        known = sa.select(sa.exists().where(HISTORY.c.layer == layer.name, HISTORY.c.id == id))
        if connection.scalar(known) is not True:
            raise
        if layer.load.identifier in _AREAS:
            raise Conflict(_BY_DELIVERY).because("by_delivery") from None
    restore_record(connection, layer, id, since=since, gone=gone)


def _hold(connection: sa.Connection, layer: Layer, id: str, versions: frozenset[str] | None) -> None:
    """Lock a record until the end of the transaction; UnknownItem, Stale."""
    table = layer.table
    row = connection.execute(sa.select(table.c.changed_at).where(table.c.id == id).with_for_update()).first()
    if row is None:
        raise UnknownItem(layer.name, id)
    current = version_of(row.changed_at)
    if versions is not None and current not in versions:
        raise Stale(current)


def _completed(layer: Layer, given: dict[str, Any]) -> dict[str, Any]:
    """With the standard that the class code stands in and, where no name is given, the name of the class."""
    declared = layer.field("class_code")
    if declared is None or declared.book is None or layer.field("standard") is None:
        return given
    book = book_of(declared.book)
    code = book.code_for(str(given.get("class_code") or ""))
    if code is None:
        return given
    standard = standard_of(declared.book, code)
    if given.get("standard") not in (None, "", standard):
        raise BadField({"standard": f"the class {code} stands in {standard}"})
    return {**given, "standard": standard, "name": given.get("name") or book.word(code)}


def _has_borders(connection: sa.Connection) -> bool:
    """Whether the city says where it ends."""
    county = sa.table("county", sa.column("id"), schema="city")
    return connection.scalar(sa.select(sa.exists().select_from(county))) is True


def _checked_id(layer: Layer, id: str, values: dict[str, Any]) -> str:
    try:
        if layer.load.identifier == "component":
            told = ComponentId.parse(id)
            if told.class_code != values.get("class_code"):
                raise BadField({"id": f"its class {told.class_code} is not that of the record"})
            return str(told)
        if layer.load.identifier == "camera":
            return str(CameraId.parse(id))
    except BadId as error:
        raise BadField({"id": str(error)}) from error
    if not re.fullmatch(ID_PATTERN, id):
        raise BadField({"id": "has 1 to 64 characters, no space and none of / ? # %, and is not . or .."})
    return id


def _new_id(connection: sa.Connection, layer: Layer, values: dict[str, Any], place: dict[str, Any]) -> str:
    """An id as the layer's records bear them; BadField where only another system can give it."""
    if layer.load.identifier == "component":
        if place["admin_code"] is None:
            raise BadField({"id": "a value is needed where no county is known"})
        return _next_serial(connection, layer, f"{place['admin_code'][:6]}{values['class_code']}")
    if layer.load.identifier == "camera":
        raise BadField({"id": "a value is needed"})
    return f"{HAND}:{secrets.token_hex(6)}"


def _next_serial(connection: sa.Connection, layer: Layer, prefix: str) -> str:
    """The prefix with a serial number that no record has, nor ever had."""
    lock = sa.func.hashtextextended(f"{layer.name} {prefix}", _SERIALS)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
    last = 0
    for taken, among in ((layer.table.c.id, sa.true()), (HISTORY.c.id, HISTORY.c.layer == layer.name)):
        alike = sa.and_(taken >= prefix, taken < f"{prefix}~", sa.func.length(taken) == len(prefix) + _SERIAL_DIGITS)
        found = connection.scalar(sa.select(sa.func.max(taken)).where(among, alike))
        last = max(last, int(found[-_SERIAL_DIGITS:]) if found is not None else 0)
    if last >= 10**_SERIAL_DIGITS - 1:
        raise Conflict(f"no serial number is left after {prefix}").because("no_serial", prefix=prefix)
    return f"{prefix}{last + 1:0{_SERIAL_DIGITS}d}"


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
    # What does not cross itself is not mended either, however many vertices it has.
    if shapely.get_dimensions(shape) == 2 and not shapely.is_valid(shape) and tangled(shape):
        raise BadField({"geometry": f"is too tangled: more than {MOST_CROSSINGS:,} pairs of its sides may cross"})

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
