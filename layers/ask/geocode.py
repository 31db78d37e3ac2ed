"""Places for texts: coordinates, grid and component ids, administrative codes and names, place names, addresses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import sqlalchemy as sa

from gis.frames import distance_m
from layers.ask.areas import Areas, Language, areas_of, current_code
from layers.ask.coordinates import Spot, read_cell, read_coordinates
from layers.ask.gazetteer import records_named, records_named_longer, records_named_within
from layers.ask.records import Record, records_by_id
from layers.ask.streets import Address, Found, Street, read_address, streets_of
from layers.catalog import built_in
from layers.codes.errors import BadId
from layers.codes.ids import ComponentId, clean_id
from layers.errors import BadField
from layers.spec import Layer
from layers.terms import fold

Kind = Literal["coordinate", "cell", "grid", "component", "admin", "place", "address"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_ONE_PLACE_M: Final = 500.0
_LONGEST: Final = 100
_COARSENESS: Final = ("A", "B", "C", "grid", "town", "county")
# A named place is as wide as what bears the name.
_WIDE: Final = {
    "county_seat": "county", "town_seat": "town", "village": "grid", "community": "grid", "industrial_park": "grid",
    "scenic": "grid",
}  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """Where a text is: lon, lat in EPSG:4326, by which method, how precisely (book place_precision), and what it is.

    `layer` and `id` name the record that gave the place, where one did.
    """

    lon: float
    lat: float
    method: Kind
    precision: str
    label: str
    layer: str | None = None
    id: str | None = None


Answers = dict[str, list[Placed]]


@dataclass(frozen=True)
class _City:
    """What every method needs: the connection, the layers that may be used, the areas, the language of labels."""

    connection: sa.Connection
    layers: Mapping[str, Layer]
    areas: Areas
    lang: Language

    def named(self, code: str | None, name: str) -> str:
        return f"{self.areas.describe(code, self.lang)}{' ' if self.lang == 'en' else ''}{name}".strip()


def geocode(
    connection: sa.Connection,
    q: str,
    *,
    layers: Sequence[Layer] | None = None,
    kinds: Sequence[Kind] = KINDS,
    lang: Language = "zh",
    limit: int = 10,
) -> list[Placed]:
    """Every place that a text may mean, the surest first; only `layers` (all that are built in) are used.

    Raises BadField for a text over 100 characters or with control characters.
    """
    text = checked_text(q)
    if not text:
        return []
    city = _city(connection, layers, lang)
    found = [placed for kind in kinds for placed in _METHODS[kind](city, [text]).get(text, ())]
    return found[:limit]


def geocode_many(
    connection: sa.Connection,
    texts: Sequence[str],
    *,
    kinds: Sequence[Kind],
    layers: Sequence[Layer] | None = None,
    lang: Language = "zh",
) -> list[Placed | None]:
    """The place of each text by the first of the methods that gives exactly one; None where none does.

    Candidates within 500 m of each other count as one. Texts that are empty, longer than 100 characters or hold
    control characters have no place.
    """
    clean = [_printable(text) for text in texts]
    city = _city(connection, layers, lang)
    placed: dict[str, Placed] = {}
    for kind in kinds:
        left = [text for text in dict.fromkeys(clean) if text and text not in placed]
        answers = _METHODS[kind](city, left) if left else {}
        placed |= {text: only for text, found in answers.items() if (only := _only(found)) is not None}
    return [placed.get(text) for text in clean]


def geocode_each(
    connection: sa.Connection, texts: Sequence[str], *, kind: Kind, layers: Sequence[Layer], lang: Language = "zh"
) -> dict[str, list[Placed]]:
    """Every place that each of the texts may mean by one method, in a few queries for all; others are absent."""
    wanted = list(dict.fromkeys(text for text in map(_printable, texts) if text))
    return dict(_METHODS[kind](_city(connection, layers, lang), wanted)) if wanted else {}


def checked_text(q: str) -> str:
    """A query without white space around it; BadField when it is too long or holds control characters."""
    text = q.strip() if len(q) <= 4 * _LONGEST else q
    if len(text) > _LONGEST:
        raise BadField({"q": f"longer than {_LONGEST} characters"})
    if not _is_printable(text):
        raise BadField({"q": "holds control characters"})
    return text


def _is_printable(text: str) -> bool:
    # Cc are control characters, Cs halves of characters that no database takes.
    return not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)


def _printable(text: str) -> str:
    stripped = text.strip()
    return stripped if len(stripped) <= _LONGEST and _is_printable(stripped) else ""


def _city(connection: sa.Connection, layers: Sequence[Layer] | None, lang: Language) -> _City:
    usable = list(built_in().values()) if layers is None else list(layers)
    return _City(connection, {layer.name: layer for layer in usable}, areas_of(connection, usable), lang)


def _only(found: Sequence[Placed]) -> Placed | None:
    """The first of the candidates if all are one place."""
    if not found:
        return None
    first = found[0]
    lon, lat = [placed.lon for placed in found], [placed.lat for placed in found]
    return first if float(distance_m(first.lon, first.lat, lon, lat).max()) <= _ONE_PLACE_M else None


def _by_numbers(read: Callable[[str], Spot | None], method: Kind) -> Callable[[_City, Sequence[str]], Answers]:
    def answers(_city: _City, texts: Sequence[str]) -> Answers:
        spots = ((text, read(text)) for text in texts)
        return {
            text: [Placed(spot.lon, spot.lat, method, spot.precision, text)] for text, spot in spots if spot is not None
        }

    return answers


def _by_grid(city: _City, texts: Sequence[str]) -> Answers:
    layer = city.layers.get("grid")
    ids = {text: clean_id(text) for text in texts}
    records = _by_id(city.connection, layer, ids.values())
    return {text: [_placed(city, records[id], "grid", at_best="grid")] for text, id in ids.items() if id in records}


def _by_component(city: _City, texts: Sequence[str]) -> Answers:
    """By the component's own point; one that the layer lacks lies somewhere in the county that its id begins with."""
    ids = {text: clean_id(text) for text in texts}
    records = _by_id(city.connection, city.layers.get("component"), ids.values())
    counties = {text: _county_of(id) for text, id in ids.items() if id not in records}
    areas = _area_places(city, {code for code in counties.values() if code}, "component")
    found = {text: [_placed(city, records[id], "component")] for text, id in ids.items() if id in records}
    return found | {text: [areas[code]] for text, code in counties.items() if code and code in areas}


def _county_of(id: str) -> str | None:
    try:
        county = ComponentId.parse(id).county
    except BadId:
        return None
    return current_code(county)


def _by_admin(city: _City, texts: Sequence[str]) -> Answers:
    wanted: dict[str, list[str]] = {}
    for text in texts:
        code = current_code(unicodedata.normalize("NFKC", text))
        area = city.areas.find(code) if code else None
        wanted[text] = [area.code] if area else [named.code for named in city.areas.named(text)]
    areas = _area_places(city, {code for codes in wanted.values() for code in codes}, "admin")
    return {text: [areas[code] for code in codes if code in areas] for text, codes in wanted.items() if codes}


def _area_places(city: _City, codes: Iterable[str], method: Kind) -> dict[str, Placed]:
    """A point in each county and town."""
    found = {}
    for name in ("county", "town"):
        of_level = [code for code in codes if len(code) == (6 if name == "county" else 9)]
        for record in _by_id(city.connection, city.layers.get(name), of_level).values():
            found[record.id] = _placed(city, record, method, at_best=name)
    return found


def _by_id(connection: sa.Connection, layer: Layer | None, ids: Iterable[str]) -> dict[str, Record]:
    wanted = sorted({id for id in ids if id})
    if layer is None or not wanted:
        return {}
    return {record.id: record for record in records_by_id(connection, layer, wanted)}


def _placed(city: _City, record: Record, method: Kind, *, at_best: str = "A") -> Placed:
    """The place of a record, not more precise than `at_best`, than its own place and than what it is."""
    wide = _WIDE.get(record.class_code or "", "A") if record.layer == "place" else "A"
    known = record.precision if record.precision in _COARSENESS else "A"
    precision = max(known, at_best, wide, key=_COARSENESS.index)
    title = record.label_en if city.lang == "en" and record.label_en else record.label or record.id
    of_area = record.layer in ("county", "town") and city.areas.find(record.id) is not None
    label = city.areas.describe(record.id, city.lang) if of_area else city.named(record.admin_code, title)
    return Placed(record.lon, record.lat, method, precision, label, record.layer, record.id)


def _by_place(city: _City, texts: Sequence[str]) -> Answers:
    """By the exact name of a place, else by a name that contains the text, else by the longest name in the text."""
    layer = city.layers.get("place")
    if layer is None:
        return {}
    readings = {text: city.areas.split(fold(text)) for text in texts}
    answers: Answers = {}
    for find, at_best in ((records_named, "C"), (records_named_longer, "C"), (records_named_within, "grid")):
        left = [text for text in texts if text not in answers]
        names = {name: None for text in left for _, name in readings[text] if len(name) >= 2}
        found = find(city.connection, layer, list(names)) if names else {}
        for text in left:
            if records := _of_best_reading(readings[text], found):
                answers[text] = [_placed(city, record, "place", at_best=at_best) for record in records]
    return answers


def _of_best_reading(readings: Sequence[tuple[str | None, str]], found: Mapping[str, list[Record]]) -> list[Record]:
    """What was found for the most trusted reading that has anything in the area that it names."""
    for area, name in readings:
        if inside := [record for record in found.get(name, ()) if (record.admin_code or "").startswith(area or "")]:
            return inside
    return []


def _by_address(city: _City, texts: Sequence[str]) -> Answers:
    """At the known place of the very address, else on its road: at or between known house numbers, or mid-road."""
    answers = _by_known_address(city, texts)
    readings = {text: _read(city, text) for text in texts if text not in answers}
    roads: dict[str, None] = {}
    heads: dict[str, str] = {}
    for found in readings.values():
        for _, head, address in found:
            roads |= dict.fromkeys(road for road in (address.road, address.crossing) if road)
            if head:
                heads[head + address.road] = address.road
    streets = streets_of(city.connection, list(city.layers.values()), list(roads), heads=heads) if roads else {}
    for text, found in readings.items():
        for area, _, address in found:
            if placed := [_on_street(city, spot, address, area) for spot in _spots(streets, address, area)]:
                answers[text] = placed
                break
    return answers


def _by_known_address(city: _City, texts: Sequence[str]) -> Answers:
    """Only texts with a digit: an address text that is just a road may be any of its houses."""
    folded = {text: fold(text) for text in texts if re.search(r"\d", text)}
    answers: Answers = {}
    for layer in city.layers.values():
        if "address" not in layer.searched or not folded:
            continue
        found = records_named(city.connection, layer, sorted(set(folded.values())), fields=("address",))
        for text, name in folded.items():
            known = [_placed(city, record, "address", at_best="C") for record in found.get(name, ())]
            answers.setdefault(text, []).extend(replace(place, label=text) for place in known)
    return {text: placed for text, placed in answers.items() if placed}


def _read(city: _City, text: str) -> list[tuple[str | None, str, Address]]:
    """The readings of an address: the area it names, the text that names it, and the rest."""
    folded = fold(text)
    readings = []
    for area, rest in city.areas.split(folded):
        if (address := read_address(rest)) is not None:
            readings.append((area, folded[: len(folded) - len(rest)], address))
    return readings


def _spots(streets: Mapping[str, list[Street]], address: Address, area: str | None) -> list[Found]:
    found: list[Found | None] = []
    for street in streets.get(address.road, ()):
        if not any(code.startswith(area or "") for code in street.admin_codes or {""}):
            continue
        if address.crossing is None:
            found.append(street.at(address.number))
        else:
            found += [street.crossing(other) for other in streets.get(address.crossing, ())]
    return sorted((spot for spot in found if spot is not None), key=lambda spot: _COARSENESS.index(spot.precision))


def _on_street(city: _City, spot: Found, address: Address, area: str | None) -> Placed:
    code = area or _common(spot.admin_codes)
    return Placed(spot.lon, spot.lat, "address", spot.precision, city.named(code, address.text))


def _common(codes: Iterable[str]) -> str | None:
    """The town that the codes share, else the county."""
    known = set(codes)
    if len(known) == 1:
        return known.pop()
    counties = {code[:6] for code in known}
    return counties.pop() if len(counties) == 1 else None


_METHODS: Final[dict[Kind, Callable[[_City, Sequence[str]], Answers]]] = {
    "coordinate": _by_numbers(read_coordinates, "coordinate"),
    "cell": _by_numbers(read_cell, "cell"),
    "grid": _by_grid,
    "component": _by_component,
    "admin": _by_admin,
    "place": _by_place,
    "address": _by_address,
}
