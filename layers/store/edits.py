"""Single records changed by a person: one is made, changed, retired, or put back to what it was.

History, cell counts and the change log follow by trigger, as for deliveries (`writer.py`).
"""

from __future__ import annotations

import datetime as dt
import math
from functools import cache
from typing import Any, Final

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningInsert

from gis import cells
from layers.errors import BadField, Conflict
from layers.spec import Layer
from layers.store.core import HISTORY
from layers.store.terms import ensure_few_terms
from layers.store.writer import ensure_cells, populated

HAND: Final = "hand"
"""The source of records that people make on the map."""

NEAR_M: Final = 50.0  # as the loader: a point just outside (on a sea wall, by rounding) belongs to the grid beside it


def update_record(
    connection: sa.Connection,
    layer: Layer,
    id: str,
    *,
    values: dict[str, object],
    geometry: shapely.Geometry | None = None,
) -> None:
    """Write checked values, and the geometry with the place that follows from it, into one record."""
    changes: dict[str, object] = {**values, "delivery": None}
    if geometry is not None:
        changes |= placed(connection, layer, geometry, bound=_is_bound(connection, layer, id))
    connection.execute(sa.update(layer.table).where(layer.table.c.id == id).values(changes))
    _ensure_searched(connection, layer, values)


def insert_record(
    connection: sa.Connection,
    layer: Layer,
    id: str,
    *,
    values: dict[str, object],
    place: dict[str, object],
    source: str = HAND,
) -> None:
    """Make one record of checked values at a place that `placed` told; Conflict when the id is taken."""
    row = {**dict.fromkeys(layer.written), **values, **place, "id": id, "source": source, "delivery": None}
    if connection.scalar(_new_record(layer.table), row) is None:
        raise Conflict(f"layer {layer.name!r} already has a record {id!r}").because("id_taken", id=id)
    _ensure_searched(connection, layer, values)


@cache
def _new_record(table: sa.Table) -> ReturningInsert[Any]:
    """Made once: what is built anew for every record costs more than the record."""
    return postgresql.insert(table).on_conflict_do_nothing(index_elements=[table.c.id]).returning(table.c.id)


def retire_record(connection: sa.Connection, layer: Layer, id: str) -> None:
    """Take one record out of the layer; history keeps what it was."""
    connection.execute(sa.delete(layer.table).where(layer.table.c.id == id))


def restore_record(
    connection: sa.Connection, layer: Layer, id: str, *, since: dt.datetime | None = None, gone: bool = False
) -> None:
    """Put a record back, changed or retired, to the version that began at `since` (without it the last before now).

    It comes back whole, with its place, source and delivery. Conflict when history has no such version, and when one
    that was seen to be `gone` has come back meanwhile.
    """
    table = layer.table
    begin = sa.func.lower(HISTORY.c.valid)
    chosen = sa.select(begin).where(HISTORY.c.layer == layer.name, HISTORY.c.id == id)
    if since is not None:
        chosen = chosen.where(begin == since)
    at = connection.scalar(chosen.order_by(begin.desc()).limit(1))
    if at is None:
        raise Conflict(f"record {id!r} has no {'such' if since else 'earlier'} version").because("no_version")
    was = populated(table, sa.and_(HISTORY.c.layer == layer.name, HISTORY.c.id == id, begin == at))
    names = [c.name for c in table.columns if c.computed is None and c.name not in ("changed_at", "changed_by")]
    values = {name: was.c[name] for name in names if name != "id"}
    there = sa.update(table).where(table.c.id == id, was.c.id == id).values(values)
    if gone or connection.scalar(there.returning(table.c.id)) is None:
        come = postgresql.insert(table).from_select(names, sa.select(*(was.c[name] for name in names)))
        come = come.on_conflict_do_nothing(index_elements=[table.c.id])
        if connection.scalar(come.returning(table.c.id)) is None:
            raise Conflict(f"record {id!r} has come back meanwhile").because("come_back")
    searched = sa.select(table.c.cell, *(table.c[name] for name in layer.searched)).where(table.c.id == id)
    back = connection.execute(searched).mappings().one()
    ensure_cells(connection, np.array([back["cell"]], dtype=np.int64))
    _ensure_searched(connection, layer, dict(back))


def placed(connection: sa.Connection, layer: Layer, geometry: shapely.Geometry, *, bound: bool) -> dict[str, object]:
    """A geometry and what follows from it, by the rules of the loader; BadField when it must not leave the city."""
    at = geometry if layer.geometry == "Point" else shapely.point_on_surface(geometry)
    cell = cells.cells_of([at.x], [at.y])
    ensure_cells(connection, cell)
    place: dict[str, object] = {
        "geom": shapely.to_wkb(shapely.set_srid(geometry, 4326), hex=True, include_srid=True),
        "cell": int(cell[0]),
        "place_method": "surveyed",
        "place_precision": "A",
    }
    if layer.load.identifier in ("grid", "admin"):
        return place  # such an area is its own grid or unit, wherever its border runs
    grid_id, admin_code = area_of(connection, at)
    if bound and admin_code is None:
        raise BadField({"geometry": "lies outside the city"})
    return {**place, "grid_id": grid_id, "admin_code": admin_code}


def _is_bound(connection: sa.Connection, layer: Layer, id: str) -> bool:
    """Whether a record lies in the city, so that it may not be moved out of it."""
    code = connection.scalar(sa.select(layer.table.c.admin_code).where(layer.table.c.id == id))
    return code is not None


def _ensure_searched(connection: sa.Connection, layer: Layer, values: dict[str, Any]) -> None:
    ensure_few_terms(connection, layer, {name: values[name] for name in layer.searched if values.get(name)})


def area_of(connection: sa.Connection, at: shapely.Point) -> tuple[str | None, str | None]:
    """Grid and administrative code of a point: its grid, or the nearest one within reach; else its town, its county."""
    # Web Mercator stretches lengths by 1/cos(latitude).
    stretch = 1 / math.cos(math.radians(at.y))
    for name, reach_m in (("grid", NEAR_M), ("town", 0.0), ("county", 0.0)):
        asked = {"lon": at.x, "lat": at.y, "reach": reach_m * stretch}
        found = connection.execute(_nearest_area(name), asked).first()
        if found is not None:
            return (found.id if name == "grid" else None), found.admin_code
    return None, None


@cache
def _nearest_area(name: str) -> sa.Select[Any]:
    """The area of a layer that is nearest to `lon`, `lat` and within `reach` (units of Web Mercator)."""
    place = sa.func.st_makepoint(sa.bindparam("lon", type_=sa.Float), sa.bindparam("lat", type_=sa.Float))
    point = sa.func.st_transform(sa.func.st_setsrid(place, 4326), 3857)
    area = sa.table(name, sa.column("id"), sa.column("admin_code"), sa.column("geom3857"), schema="city")
    near = sa.func.st_dwithin(area.c.geom3857, point, sa.bindparam("reach", type_=sa.Float))
    nearest = sa.func.st_distance(area.c.geom3857, point)
    return sa.select(area.c.id, area.c.admin_code).where(near).order_by(nearest, area.c.id).limit(1)
