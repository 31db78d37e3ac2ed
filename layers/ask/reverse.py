"""What lies at a point: its coordinates in the usual frames, its H3 cell, its areas, and the nearest address."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import sqlalchemy as sa

from gis.cells import cells_of, to_hex
from gis.frames import convert, distance_m
from layers.ask.locate import NEAR_M
from layers.ask.records import here_3857
from layers.errors import BadField
from layers.spec import Layer

FRAMES: Final = ("EPSG:4326", "EPSG:4549", "GCJ-02", "BD-09")
REACH_M: Final = 300.0


@dataclass(frozen=True)
class Named:
    """An area by its id and its name."""

    id: str
    name: str | None


@dataclass(frozen=True)
class NearAddress:
    """The nearest address text; the point lies `distance_m` from it in the direction `bearing` (degrees from north)."""

    text: str
    distance_m: float
    bearing: float


@dataclass(frozen=True)
class Reverse:
    """A point (lon, lat in EPSG:4326) in `frames` (x, y: degrees or metres), its cell, areas and nearest address."""

    lon: float
    lat: float
    frames: Mapping[str, tuple[float, float]]
    cell: str
    grid: Named | None
    duty_grid: Named | None
    town: Named | None
    county: Named | None
    address: NearAddress | None

    def as_json(self) -> dict[str, Any]:
        """The answer of `/reverse`."""
        plain = asdict(self)
        return {"dutyGrid" if name == "duty_grid" else name: value for name, value in plain.items()}


def reverse(connection: sa.Connection, lon: float, lat: float, *, layers: Sequence[Layer]) -> Reverse:
    """What the given layers know of a point; BadField when lon, lat is no place on the globe.

    A point up to 50 m outside every area counts to the nearest, and one on a border to the lowest id. An address is at
    most 300 m away; where no record has one it is the name of a place or of a road.
    """
    _check(lon, lat)
    by_name = {layer.name: layer for layer in layers}
    areas = {name: area_at(connection, by_name.get(name), lon, lat) for name in ("grid", "duty_grid", "town", "county")}
    return Reverse(
        lon=lon,
        lat=lat,
        frames={frame: _in_frame(lon, lat, frame) for frame in FRAMES},
        cell=to_hex(cells_of(lon, lat))[0],
        **areas,
        address=_nearest_address(connection, layers, lon, lat),
    )


def area_at(connection: sa.Connection, layer: Layer | None, lon: float, lat: float) -> Named | None:
    """The area of a layer in which a point lies; None where there is none, or no layer."""
    if layer is None:
        return None
    table, here = layer.table, here_3857()
    reach = NEAR_M / math.cos(math.radians(lat))
    statement = (
        sa.select(table.c.id, table.c[layer.label].label("name"))
        .where(sa.func.st_dwithin(table.c.geom3857, here, reach))
        .order_by(sa.func.st_distance(table.c.geom3857, here), table.c.id)
        .limit(1)
    )
    row = connection.execute(statement, {"lon": lon, "lat": lat}).first()
    return None if row is None else Named(row.id, row.name)


def _check(lon: float, lat: float) -> None:
    limits = (("lon", lon, 180.0), ("lat", lat, 85.0))
    problems = {
        name: f"must be a number between -{limit:g} and {limit:g} degrees"
        for name, value, limit in limits
        if not abs(value) <= limit  # NaN is not
    }
    if problems:
        raise BadField(problems)


def _in_frame(lon: float, lat: float, frame: str) -> tuple[float, float]:
    """The pair rounded to about a centimetre, or a millimetre in metres."""
    x, y = convert(lon, lat, source="EPSG:4326", target=frame)
    digits = 3 if frame == "EPSG:4549" else 7
    return round(float(x), digits), round(float(y), digits)


def _nearest_address(connection: sa.Connection, layers: Sequence[Layer], lon: float, lat: float) -> NearAddress | None:
    """By the text of an address, else by the name of a place, else by that of a road."""
    addressed = [(layer, "address") for layer in layers if layer.field("address") is not None]
    named = [[(layer, layer.label)] for name in ("place", "road") for layer in layers if layer.name == name]
    for sources in (addressed, *named):
        found = [near for layer, column in sources if (near := _nearest(connection, layer, column, lon, lat))]
        if found:
            return min(found, key=lambda near: (near.distance_m, near.text))
    return None


def _nearest(connection: sa.Connection, layer: Layer, column: str, lon: float, lat: float) -> NearAddress | None:
    table, here = layer.table, here_3857()
    reach = REACH_M / math.cos(math.radians(lat))
    closest: Any = sa.func.st_transform(sa.func.st_closestpoint(table.c.geom3857, here), 4326)
    text = table.c[column]
    statement = (
        sa.select(text.label("text"), sa.func.st_x(closest).label("lon"), sa.func.st_y(closest).label("lat"))
        .where(text.is_not(None), text != "", sa.func.st_dwithin(table.c.geom3857, here, reach))
        .order_by(table.c.geom3857.op("<->")(here), table.c.id)
        .limit(1)
    )
    row = connection.execute(statement, {"lon": lon, "lat": lat}).first()
    if row is None:
        return None
    away_m = float(distance_m(row.lon, row.lat, lon, lat))
    return NearAddress(row.text, round(away_m, 1), round(_bearing_deg(row.lon, row.lat, lon, lat), 1) % 360.0)


def _bearing_deg(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """The direction from the first point to the second, degrees clockwise from north, for points near each other."""
    east = (lon2 - lon1) * math.cos(math.radians((lat1 + lat2) / 2))
    return math.degrees(math.atan2(east, lat2 - lat1)) % 360.0
