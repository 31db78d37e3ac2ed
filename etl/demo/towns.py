"""The towns of the demo city: real codes and names, seats at real positions, people in proportion to the census."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from etl.demo.land import Land, RealPlace
from etl.demo.plane import Array, Numbers, on_plane
from layers.codes.admin import Unit, towns, unit

# Zones that the statistics book under their own code and that are towns to those who live there: without them
# Haimen, for one, would lack its own seat.
_TOWN_LIKE = frozenset(
    {"320613401", "320613402", "320613403", "320614400", "320614414", "320614415", "320614416", "320614418",
     "320623401", "320623402", "320681400", "320681401", "320681404", "320681407", "320682400", "320682401"}
)  # fmt: skip
_GAZETTEER_NAME = {
    "320614400": "海门", "320614414": "临江", "320614415": "东灶港", "320614416": "三星", "320614418": "三厂",
    "320623401": "环港", "320681401": "近海", "320681404": "启隆", "320681407": "寅阳",
}  # fmt: skip
# Seats that the gazetteer lacks, placed roughly (lon, lat).
_PLACED = {
    "320612004": (121.030, 32.105), "320612120": (121.052, 31.960), "320613001": (120.884, 32.013),
    "320613002": (120.862, 32.012), "320613004": (120.868, 31.995), "320613005": (120.850, 31.992),
    "320613006": (120.887, 31.998), "320613007": (120.880, 32.031), "320613008": (120.902, 31.985),
    "320613018": (120.765, 32.056), "320613401": (120.958, 31.947), "320613402": (120.782, 32.080),
    "320613403": (120.862, 32.088), "320614102": (121.420, 31.792), "320623002": (121.172, 32.336),
    "320623402": (121.340, 32.375), "320681400": (121.705, 31.822), "320682400": (120.600, 32.415),
    "320682401": (120.532, 32.360),
}  # fmt: skip
COUNTY_SEATS = {
    "320612": "320612001", "320613": "320613002", "320614": "320614400", "320623": "320623001",
    "320681": "320681100", "320682": "320682001", "320685": "320685100",
}  # fmt: skip
ISLAND_TOWNS = frozenset({"320614102", "320681404"})
_URBAN_PER_KM2 = 7_000.0
_METROPOLIS = "320613"


@dataclass(frozen=True)
class Town:
    """One town: its county (position in `Land.codes`), its seat in the plane, how many live in its streets."""

    unit: Unit
    county: int
    seat: tuple[float, float]
    real: RealPlace | None
    urban: float
    is_county_seat: bool

    @property
    def short(self) -> str:
        """The name as people say it: 金沙 for 金沙街道."""
        name = self.unit.name.partition("（")[0]
        for ending in ("街道", "镇", "乡"):
            name = name.removesuffix(ending) if len(name) > len(ending) + 1 else name
        return name

    @property
    def radius_m(self) -> float:
        """How far the streets reach from the seat."""
        return max(500.0, float(np.sqrt(self.urban / _URBAN_PER_KM2 / np.pi)) * 1000.0)


def county_population(land: Land) -> Numbers:
    """The census population of each county, in the order of `land.codes`."""
    return np.array([unit(code).population or 0 for code in land.codes], dtype=np.int64)


def town_list(land: Land, rng: np.random.Generator) -> list[Town]:
    """The towns in the order of their codes."""
    people = county_population(land)
    found: list[Town] = []
    for county, code in enumerate(land.codes):
        units = [u for u in towns(code) if u.code.startswith(code) and _is_town(u)]
        shares = _urban_shares(units, code, rng)
        for u, share in zip(units, shares, strict=True):
            seat, real = _seat(u, county, land)
            urban = float(people[county]) * float(share)
            found.append(Town(u, county, seat, real, urban, COUNTY_SEATS[code] == u.code))
    return sorted(found, key=lambda town: town.unit.code)


def seats_of(towns: list[Town]) -> Array:
    """The seats as (n, 2) metres in the plane."""
    return np.array([town.seat for town in towns], dtype=np.float64)


def _is_town(u: Unit) -> bool:
    return u.hierarchy == "administrative" or u.code in _TOWN_LIKE


def _urban_shares(units: list[Unit], county: str, rng: np.random.Generator) -> Array:
    """The part of the county's people who live in the streets of each town: more in the seat and in the metropolis."""
    weights = rng.lognormal(0.0, 0.35, len(units))
    if county == _METROPOLIS:
        return np.asarray(0.85 * weights / weights.sum())
    seat = np.array([u.code == COUNTY_SEATS[county] for u in units])
    weights = np.where(seat, 0.0, weights)
    return np.asarray(np.where(seat, 0.2, 0.25 * weights / weights.sum()))


def _seat(u: Unit, county: int, land: Land) -> tuple[tuple[float, float], RealPlace | None]:
    wanted = {u.name, _GAZETTEER_NAME.get(u.code, u.name)}
    wanted |= {u.name.removesuffix("街道"), u.name.removesuffix("街道").removesuffix("镇")}
    for place, code in zip(land.places, land.place_county, strict=True):
        if code == land.codes[county] and wanted & set(place.names) and u.code not in _PLACED:
            return place.xy, place
    spot = shapely.Point(on_plane(*_PLACED[u.code])[0])
    if not land.dry[county].contains(spot):
        inner = land.dry[county].buffer(-100.0)
        spot = shapely.get_point(shapely.shortest_line(inner, spot), 0)
    return (float(spot.x), float(spot.y)), None
