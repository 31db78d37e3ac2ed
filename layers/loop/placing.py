"""Where an incident is: by coordinates, by the component, by a grid, or by the words of an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import shapely
import sqlalchemy as sa

from layers.ask.geocode import Placed, geocode
from layers.catalog import component, county, incident
from layers.errors import BadField
from layers.store.edits import placed


@dataclass(frozen=True)
class Where:
    """What was told of the place; the first that is there counts: lon and lat, the component, the grid, the address."""

    lon: float | None = None
    lat: float | None = None
    grid_id: str | None = None
    address: str | None = None


class Spot(NamedTuple):
    """A place that was found: lon, lat, by which method (book place_method), how precisely (book place_precision)."""

    lon: float
    lat: float
    method: str
    precision: str


def place_of(connection: sa.Connection, where: Where, component_id: str | None) -> dict[str, Any]:
    """The columns of the place: geometry, cell, grid, administrative code, method and precision.

    BadField when nothing tells a place, when it is not found, when an address may be several places, or when it lies
    outside the city.
    """
    spot = spot_of(connection, where, component_id)
    place = placed(connection, incident.LAYER, shapely.Point(spot.lon, spot.lat), bound=False)
    if place["admin_code"] is None and _has_borders(connection):
        raise BadField({"geometry": "lies outside the city"}).because("outside_city")
    return {**place, "place_method": spot.method, "place_precision": spot.precision}


def spot_of(connection: sa.Connection, where: Where, component_id: str | None) -> Spot:
    """The point that was meant; BadField as `place_of` raises it, but for the city's border."""
    if (where.lon is None) != (where.lat is None):
        raise BadField({"place": "lon and lat belong together"}).because("no_place")
    if where.lon is not None and where.lat is not None:
        if not (abs(where.lon) <= 180 and abs(where.lat) <= 85):
            raise BadField({"place": "is no longitude and latitude"}).because("no_place")
        return Spot(where.lon, where.lat, "surveyed", "B")
    if component_id is not None and (found := _of_component(connection, component_id)) is not None:
        return found
    if where.grid_id is not None:
        return _only(geocode(connection, where.grid_id, kinds=("grid",)), "grid_id")
    if where.address is not None:
        return _only(geocode(connection, where.address[:100], kinds=("address", "place", "coordinate")), "address")
    raise BadField({"place": "a place is needed: lon and lat, a component, a grid or an address"}).because("no_place")


def _of_component(connection: sa.Connection, id: str) -> Spot | None:
    table = component.TABLE
    at = sa.select(sa.func.st_x(table.c.geom).label("lon"), sa.func.st_y(table.c.geom).label("lat"))
    row = connection.execute(at.where(table.c.id == id)).first()
    return None if row is None else Spot(row.lon, row.lat, "component", "A")


def _only(found: list[Placed], name: str) -> Spot:
    """The surest of the places, if it is not one of several that are as sure."""
    if not found:
        raise BadField({name: "no such place is known"}).because("place_unknown")
    first = found[0]
    alike = [p for p in found if (p.method, p.precision) == (first.method, first.precision)]
    if len({(round(p.lon, 3), round(p.lat, 3)) for p in alike}) > 1:
        places = "; ".join(dict.fromkeys(p.label for p in alike[:5]))
        raise BadField({name: f"may be one of several: {places}"}).because("place_several", places=places)
    return Spot(first.lon, first.lat, "surveyed" if first.method == "coordinate" else first.method, first.precision)


def _has_borders(connection: sa.Connection) -> bool:
    return connection.scalar(sa.select(sa.exists().select_from(county.TABLE))) is True
