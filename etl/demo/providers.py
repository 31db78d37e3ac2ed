"""Who serves residents in the demo city: clinics and centres of its places, and made-up canteens, shops and teams.

Every line says that it is synthetic; the numbers begin with 0513-0000, which nobody can dial.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import geopandas as gpd

from layers.ask.catalogue import SYNTHETIC
from layers.loop.care.providers import MOST_PROVIDERS, Provider

_HOME: Final = ("cleaning", "errands", "removal")
_REPAIR: Final = ("water", "power", "lift", "door", "appliance")
_WEEK: Final = "Mo-Fr 08:30-11:30,14:00-17:30"


@dataclass(frozen=True)
class _Office:
    """What stands at a place of some kind: the words behind its stem, what it does, how far, and when."""

    word: str
    sort: str
    kinds: tuple[str, ...]
    hours: str
    reach_m: int | None = None


_OWN: Final = {
    "clinic": _Office("", "clinic", ("hospital", "bathing"), "Mo-Su 08:00-17:00", 3_000),
    "government": _Office("", "service_point", ("papers", "legal"), _WEEK),
    "kindergarten": _Office("托育点", "childcare", ("childcare", "afterschool"), "Mo-Fr 07:30-18:00", 2_500),
}
_OF_COMMUNITY: Final = (
    _Office("助老食堂", "canteen", ("meals",), "Mo-Su 06:30-18:30", 2_000),
    _Office("养老服务站", "care", ("company", "bathing", "hospital", "fitting"), "Mo-Sa 08:00-17:00", 2_500),
    _Office("便民维修点", "repair", _REPAIR, "Mo-Su 08:00-20:00", 3_000),
    _Office("家政服务点", "service_point", _HOME, "Mo-Sa 08:00-18:00", 3_000),
    _Office("党员服务队", "party_team", ("company", "errands", "papers"), _WEEK),
    _Office("志愿服务队", "volunteer_team", ("company", "meals", "afterschool"), ""),
)


def demo_providers(places: gpd.GeoDataFrame) -> list[Provider]:
    """The providers of these places: teams serve the town of their community, offices around them."""
    made = [one for row in _rows(places) for one in _at(row)]
    return made[:MOST_PROVIDERS]


@dataclass(frozen=True)
class _Place:
    id: str
    name: str
    kind: str
    town: str
    lon: float
    lat: float


def _rows(places: gpd.GeoDataFrame) -> Iterator[_Place]:
    columns = (places[name].tolist() for name in ("id", "name", "kind", "admin_code"))
    for id, name, kind, town, at in zip(*columns, places.geometry, strict=True):
        yield _Place(id, name, kind, town, round(at.x, 6), round(at.y, 6))


def _at(place: _Place) -> list[Provider]:
    if place.kind in _OWN:
        return [_provider(place, _OWN[place.kind], 0)]
    if place.kind not in ("community", "village"):
        return []
    return [_provider(place, office, n) for n, office in enumerate(_OF_COMMUNITY, start=1)]


def _provider(place: _Place, office: _Office, n: int) -> Provider:
    number = int(place.id[-5:])
    return Provider(
        id=f"{place.id}-{n}",
        name=place.name + office.word,
        sort=office.sort,
        kinds=office.kinds,
        lon=place.lon,
        lat=place.lat,
        reach_m=office.reach_m,
        areas=() if office.reach_m is not None else (place.town,),
        hours=office.hours,
        phone=f"0513-0000 {(number * 7 + n) % 10_000:04d}",
        source=SYNTHETIC,
    )
