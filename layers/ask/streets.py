"""Addresses that are a road and a house number: read, and placed between the numbers that are known on that road."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely
import sqlalchemy as sa

from gis.frames import distance_m
from layers.spec import Layer

_ROAD: Final = r"(?:大道|公路|国道|省道|县道|大街|胡同|路|街|道|巷|弄|里|线)"
_NUMBERED: Final = re.compile(
    rf"(?P<road>.{{1,40}}?{_ROAD}(?:[东南西北中一二三四五六七八九十]段)?)"
    r"(?P<number>\d{1,5})(?:[-~至]\d{1,5})?(?:号|號|弄|#|$)"
)
_CROSSING: Final = re.compile(
    rf"(?P<road>.{{1,30}}?{_ROAD})(?:与|和|、|/|-|交)(?P<other>.{{1,30}}?{_ROAD})(?:交叉口|交汇处|交界处|路口|口|$)"
)
_BARE: Final = re.compile(rf"(?P<road>.{{1,40}}{_ROAD})")

_SAME_STREET_3857 = 300
_BESIDE_M = 150.0
_NEIGHBOURS = 20  # so many numbers away from a known house is still near it
_CLASSES: Final = ((100.0, "C"), (1_200.0, "grid"), (12_000.0, "town"))


@dataclass(frozen=True)
class Address:
    """An address as it was read: a road, and a number on it or the road that it crosses."""

    road: str
    number: int | None = None
    crossing: str | None = None

    @property
    def text(self) -> str:
        """The address in its usual form."""
        if self.crossing:
            return f"{self.road}与{self.crossing}路口"
        return f"{self.road}{self.number}号" if self.number is not None else self.road


@dataclass(frozen=True)
class Found:
    """A place on a road; `admin_codes` are the areas that the road runs through."""

    lon: float
    lat: float
    precision: str
    admin_codes: frozenset[str]


@dataclass
class Street:
    """One road, or one of several of its name: its line in lon, lat (None: only houses are known) and its houses."""

    line: shapely.Geometry | None
    admin_codes: set[str]
    houses: dict[int, tuple[float, float]] = field(default_factory=dict)

    def at(self, number: int | None) -> Found | None:
        """Where a number is: at the known house, between its known neighbours, beside the last one, else mid-road."""
        if number is None:
            return self._middle()
        if number in self.houses:
            return self._found(self.houses[number], 50.0)
        return self._between(number) or self._beside(number) or self._middle()

    def crossing(self, other: Street) -> Found | None:
        """Where two roads meet; None when they do not."""
        if self.line is None or other.line is None:
            return None
        gap = shapely.shortest_line(self.line, other.line)
        (lon1, lat1), (lon2, lat2) = shapely.get_coordinates(gap)[[0, -1]].tolist()
        if float(distance_m(lon1, lat1, lon2, lat2)) > _BESIDE_M / 3:
            return None
        return self._found((lon1, lat1), 30.0)

    def _between(self, number: int) -> Found | None:
        # Even and odd numbers usually stand on opposite sides of the road.
        for step in (2, 1):
            side = [n for n in self.houses if n % step == number % step]
            below = max((n for n in side if n < number), default=None)
            above = min((n for n in side if n > number), default=None)
            if below is None or above is None:
                continue
            (lon1, lat1), (lon2, lat2) = self.houses[below], self.houses[above]
            share = (number - below) / (above - below)
            at = (lon1 + (lon2 - lon1) * share, lat1 + (lat2 - lat1) * share)
            apart_m = float(distance_m(lon1, lat1, lon2, lat2))
            return self._found(self._on_line(at, apart_m), apart_m / 2)
        return None

    def _beside(self, number: int) -> Found | None:
        nearest = min(self.houses, key=lambda n: (abs(n - number), n), default=None)
        if nearest is None or abs(nearest - number) > _NEIGHBOURS:
            return None
        return self._found(self.houses[nearest], 110.0)

    def _middle(self) -> Found | None:
        if self.line is not None:
            west, south, east, north = shapely.bounds(self.line).tolist()
            at = self._on_line(((west + east) / 2, (south + north) / 2), np.inf)
            return self._found(at, float(distance_m(west, south, east, north)) / 2)
        if not self.houses:
            return None
        points = np.array(list(self.houses.values()))
        (west, south), (east, north) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        middle = points[np.argsort(points.sum(axis=1), kind="stable")[len(points) // 2]].tolist()
        return self._found((middle[0], middle[1]), max(50.0, float(distance_m(west, south, east, north)) / 2))

    def _on_line(self, at: tuple[float, float], reach_m: float) -> tuple[float, float]:
        """The nearest place on the road's line, if that is not farther than `reach_m`: a bent road leaves the chord."""
        if self.line is None:
            return at
        lon, lat = shapely.get_coordinates(shapely.shortest_line(self.line, shapely.Point(at)))[0].tolist()
        return (lon, lat) if float(distance_m(lon, lat, *at)) <= reach_m else at

    def _found(self, at: tuple[float, float], off_m: float) -> Found:
        precision = next((name for limit, name in _CLASSES if off_m <= limit), "county")
        return Found(at[0], at[1], precision, frozenset(self.admin_codes))


def read_address(folded: str) -> Address | None:
    """The road and number, or the two roads, that a folded text begins with; what follows is dropped."""
    if match := _CROSSING.match(folded):
        return Address(match["road"], crossing=match["other"])
    if match := _NUMBERED.match(folded):
        return Address(match["road"], int(match["number"]))
    match = _BARE.match(folded)
    return Address(match["road"]) if match else None


def streets_of(
    connection: sa.Connection, layers: Iterable[Layer], names: Sequence[str], *, heads: Mapping[str, str] | None = None
) -> dict[str, list[Street]]:
    """The roads of these folded names, each with the houses whose address text begins with the name.

    Touching segments are one road, so a name that several towns use gives several. `heads` maps further beginnings of
    address texts ("崇川区人民路") to the name of the road they mean.
    """
    found: dict[str, list[Street]] = {name: [] for name in names}
    begun = {**{name: name for name in names}, **(heads or {})}
    houses: dict[str, list[_House]] = {}
    for layer in layers:
        if layer.name == "road":
            _add_lines(connection, layer, found)
        if "address" in layer.searched:
            for name, more in _houses(connection, layer, begun).items():
                houses.setdefault(name, []).extend(more)
    for name, known in houses.items():
        _settle(found[name], known)
    return {name: streets for name, streets in found.items() if streets}


_LINES = """
    with part as (
      select term.folded as name, item.admin_code, item.geom,
        st_clusterdbscan(item.geom3857, {gap}, 1) over (partition by term.folded) as cluster
      from unnest(cast(:names as text[])) as wanted(name)
      join core.term on term.folded = wanted.name and term.layer = :layer and term.field = :field
      join {table} as item on item.{column} = term.text
    )
    select name, st_asbinary(st_collect(geom)) as shape, array_agg(distinct admin_code) as codes
    from part group by name, cluster order by name, cluster
"""


def _add_lines(connection: sa.Connection, layer: Layer, found: dict[str, list[Street]]) -> None:
    quote = connection.dialect.identifier_preparer
    statement = sa.text(
        _LINES.format(gap=_SAME_STREET_3857, table=quote.format_table(layer.table), column=quote.quote(layer.label))
    )
    values = {"names": list(found), "layer": layer.name, "field": layer.label}
    for row in connection.execute(statement, values):
        line = shapely.from_wkb(bytes(row.shape))
        found[row.name].append(Street(line, {code for code in row.codes if code}))


_HOUSES = """
    select wanted.name, substring(known.folded from char_length(wanted.name) + 1 for 8) as tail, item.admin_code,
      avg(st_x(item.spot)) as lon, avg(st_y(item.spot)) as lat
    from unnest(cast(:names as text[])) as wanted(name)
    cross join lateral (
      select layer, field, text, folded from core.term
      where folded ~>=~ (wanted.name || '0') and folded ~<~ (wanted.name || ':') offset 0
    ) as known
    join (select address, admin_code, {point} as spot from {table}) as item on item.address = known.text
    where known.layer = :layer and known.field = 'address'
    group by wanted.name, tail, item.admin_code
    order by wanted.name, tail, item.admin_code
"""
_HOUSE: Final = re.compile(r"(\d{1,5})(?:[-~]\d{1,5})?(?:号|號|弄|#|$)")


@dataclass(frozen=True)
class _House:
    number: int
    admin_code: str | None
    lon: float
    lat: float


def _houses(connection: sa.Connection, layer: Layer, begun: Mapping[str, str]) -> dict[str, list[_House]]:
    """The houses that a layer's addresses know, by the name of their road."""
    quote = connection.dialect.identifier_preparer
    point = "geom" if layer.geometry == "Point" else "st_pointonsurface(geom)"
    # From "name0" up to "name:", the character behind 9: the addresses that go on with a number. The fence (offset 0)
    # keeps the planner from reading all terms of the layer for each name.
    statement = sa.text(_HOUSES.format(table=quote.format_table(layer.table), point=point))
    houses: dict[str, list[_House]] = {}
    for row in connection.execute(statement, {"names": list(begun), "layer": layer.name}):
        if number := _HOUSE.match(row.tail):
            known = _House(int(number[1]), row.admin_code, row.lon, row.lat)
            houses.setdefault(begun[row.name], []).append(known)
    return houses


def _settle(streets: list[Street], houses: list[_House]) -> None:
    """Give each house to the road beside it; houses beside no line make a road of their own in their town."""
    lines = [street.line for street in streets if street.line is not None]
    spots = shapely.points([(house.lon, house.lat) for house in houses])
    nearest = np.full(len(houses), -1)
    if lines:
        gaps = np.stack([shapely.distance(line, spots) for line in lines])
        best = np.argmin(gaps, axis=0)
        at = shapely.get_coordinates(shapely.shortest_line(np.array(lines)[best], spots)).reshape(-1, 2, 2)
        beside = distance_m(at[:, 0, 0], at[:, 0, 1], at[:, 1, 0], at[:, 1, 1]) <= _BESIDE_M
        nearest = np.where(beside, best, -1)
    own: dict[str, int] = {}
    known: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for house, position in zip(houses, nearest.tolist(), strict=True):
        if position < 0:
            position = own.setdefault(house.admin_code or "", len(streets))
            if position == len(streets):
                streets.append(Street(None, set()))
        if house.admin_code:
            streets[position].admin_codes.add(house.admin_code)
        known.setdefault((position, house.number), []).append((house.lon, house.lat))
    for (position, number), places in known.items():
        lons, lats = zip(*places, strict=True)
        streets[position].houses[number] = (sum(lons) / len(lons), sum(lats) / len(lats))
