"""The one search box: coordinates, cells, ids and codes, names, addresses, pinyin, class words, and typing errors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import sqlalchemy as sa

from gis.cells import cell_polygons, from_hex
from gis.frames import distance_m
from layers.ask.areas import Areas, Language, areas_of, current_code
from layers.ask.coordinates import Spot, read_cell, read_coordinates
from layers.ask.geocode import checked_text, geocode
from layers.ask.match import (
    INSIDE,
    PREFIX,
    SCORES,
    WHOLE,
    WORDS,
    Match,
    Scope,
    by_letters,
    by_sound,
    by_typo,
    scope_of,
    words_of,
)
from layers.ask.records import (
    Record,
    class_field,
    ids_by_prefix,
    records_by_class,
    records_by_id,
    records_by_text,
)
from layers.ask.reverse import area_at
from layers.ask.streets import read_address
from layers.codes.books import Book, book
from layers.codes.errors import UnknownBook
from layers.errors import BadField
from layers.spec import Layer
from layers.terms import fold

HitKind = Literal["name", "id", "code", "address", "coordinate", "cell"]
Bounds = tuple[float, float, float, float]

_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z:_.\-]{2,63}")
_FEW_HITS = 5  # with fewer, typing errors are looked for
_EACH_PART = 3  # of a text that only contains the query, so many records
_SPARE = 10  # so many texts more than are asked for, since some have no records any more
_FOUND_FIRST = 9.0
_MOST_ADDRESSES = 3


@dataclass(frozen=True)
class Hit:
    """One answer: a record, or a bare place without layer and id; lon, lat in EPSG:4326, bounds for lines and areas.

    `detail` says where or what it is in the language asked for; `score` falls from 1 with the kind of match.
    """

    layer: str | None
    id: str | None
    label: str
    detail: str
    kind: HitKind
    lon: float
    lat: float
    bounds: Bounds | None
    score: float


@dataclass(frozen=True)
class _Ranked:
    """A hit with what decides its place in the list."""

    hit: Hit
    order: tuple[float, ...]


@dataclass(frozen=True)
class _Asked:
    """One search: what is asked, of what, and what the answers are written in."""

    connection: sa.Connection
    text: str
    words: tuple[str, ...]
    layers: Mapping[str, Layer]
    areas: Areas
    lang: Language
    limit: int
    near: tuple[float, float] | None

    @property
    def whole(self) -> str:
        """The folded query."""
        return "".join(self.words)


def search(
    connection: sa.Connection,
    q: str,
    *,
    layers: Sequence[Layer],
    limit: int = 20,
    lang: Language = "zh",
    near: tuple[float, float] | None = None,
) -> list[Hit]:
    """What a query may mean in these layers (no others are touched), best first, nothing for an empty one.

    Ranked by the kind of match, the layer's rank, the length of the name, the distance from `near` (lon, lat) if it is
    given, and importance. Raises BadField for a query over 100 characters or with control characters, and for a `near`
    off the map.
    """
    if near is not None and not (abs(near[0]) <= 180.0 and abs(near[1]) <= 85.0):
        raise BadField({"near": "must be lon, lat in degrees"})
    text = checked_text(q)
    words = tuple(words_of(text))
    if not words or limit < 1:
        return []
    by_name = {layer.name: layer for layer in layers}
    asked = _Asked(connection, text, words, by_name, areas_of(connection, layers), lang, limit, near)
    if (spot := read_coordinates(text)) is not None:
        return [_coordinate_hit(asked, spot)]
    ranked = [*_cell_hits(asked), *_id_hits(asked), *_area_hits(asked)]
    if not any(one.order[0] == WHOLE and one.hit.kind == "id" for one in ranked):
        ranked += _text_hits(asked, ranked)
    return _best(ranked, limit)


def _best(ranked: Iterable[_Ranked], limit: int) -> list[Hit]:
    """The best hits, each record once."""
    found: dict[tuple[str | None, str], Hit] = {}
    for one in sorted(ranked, key=lambda one: (one.order, one.hit.layer or "", one.hit.id or "")):
        found.setdefault((one.hit.layer, one.hit.id or one.hit.label), one.hit)
    return list(found.values())[:limit]


def _coordinate_hit(asked: _Asked, spot: Spot) -> Hit:
    detail = _place_of(asked, spot.lon, spot.lat) or spot.frame
    return Hit(None, None, f"{spot.lon:.6f}, {spot.lat:.6f}", detail, "coordinate", spot.lon, spot.lat, None, 1.0)


def _cell_hits(asked: _Asked) -> Iterator[_Ranked]:
    if (spot := read_cell(asked.text)) is None:
        return
    cell = asked.text.lower()
    west, south, east, north = cell_polygons(np.array([from_hex(cell)]))[0].bounds
    detail = _place_of(asked, spot.lon, spot.lat) or "H3"
    hit = Hit(None, None, cell, detail, "cell", spot.lon, spot.lat, (west, south, east, north), 1.0)
    yield _Ranked(hit, (WHOLE, 0.0, -_FOUND_FIRST))


def _place_of(asked: _Asked, lon: float, lat: float) -> str:
    for name in ("town", "county"):
        area = area_at(asked.connection, asked.layers.get(name), lon, lat) if abs(lat) <= 85.0 else None
        if area is not None:
            return asked.areas.describe(area.id, asked.lang)
    return ""


def _id_hits(asked: _Asked) -> Iterator[_Ranked]:
    if not _ID.fullmatch(asked.whole) or not re.search(r"\d", asked.whole):
        return
    typed = "".join(unicodedata.normalize("NFKC", asked.text).split())
    for prefix in dict.fromkeys((typed, typed.upper())):
        found = ids_by_prefix(asked.connection, list(asked.layers.values()), prefix, limit=asked.limit)
        for name, ids in found.items():
            for record in records_by_id(asked.connection, asked.layers[name], ids):
                kind = WHOLE if record.id == prefix else PREFIX
                yield _ranked(asked, record, Match(name, "id", record.id, kind), "id")


def _area_hits(asked: _Asked) -> Iterator[_Ranked]:
    """A county or town by a name with larger ones before it or without its 市/区/镇, or by a retired code."""
    code = current_code(asked.whole)
    areas = asked.areas.named(asked.text) if code is None else [asked.areas.find(code)]
    kind: HitKind = "name" if code is None else "id"
    for area in areas:
        layer = asked.layers.get("county" if area and len(area.code) == 6 else "town")
        for record in records_by_id(asked.connection, layer, [area.code]) if layer and area else ():
            yield _ranked(asked, record, Match(record.layer, "id", area.name if area else "", WHOLE), kind)


def _text_hits(asked: _Asked, known: Sequence[_Ranked]) -> list[_Ranked]:
    """Stage by stage, the surer first; the next one only where the last left something to wish for."""
    scope = scope_of(asked.connection, asked.layers.values(), asked.words)
    hits = _of_matches(asked, by_letters(asked.connection, asked.words, scope)) + _class_hits(asked)
    if not _any(INSIDE, known, hits):
        hits += _address_hits(asked) + _hits_in_area(asked, scope)
    # Latin letters may be initials, which count for more than what letters are inside of, however much that is.
    if asked.whole.isascii() or not _any(WORDS, known, hits):
        hits += _of_matches(asked, by_sound(asked.connection, asked.whole, scope))
    if not _any(WORDS, known, hits) and _count(known, hits) < _FEW_HITS:
        hits += _of_matches(asked, by_typo(asked.connection, asked.whole, scope))
    return hits


def _any(kind: int, *groups: Iterable[_Ranked]) -> bool:
    """Is there a hit as sure as this kind of match?"""
    return any(one.order[0] <= kind for group in groups for one in group)


def _count(*groups: Iterable[_Ranked]) -> int:
    return len({(one.hit.layer, one.hit.id or one.hit.label) for group in groups for one in group})


def _of_matches(asked: _Asked, matches: Sequence[Match], *, area: str | None = None) -> list[_Ranked]:
    """The records of the best matching terms: many of a text that is the query, some of one that contains it."""
    groups: dict[tuple[str, str, int], dict[str, Match]] = {}
    for match in matches[: asked.limit + _SPARE]:
        layer = asked.layers.get(match.layer)
        if layer is not None and match.field in layer.searched:
            each = max(_EACH_PART, asked.limit // 2) if match.kind == WHOLE else _EACH_PART
            groups.setdefault((match.layer, match.field, each), {})[match.text] = match
    hits = []
    for (name, field, each), by_text in groups.items():
        records = records_by_text(
            asked.connection, asked.layers[name], field, list(by_text), each=each, near=asked.near, area=area
        )
        hits += [_ranked(asked, record, by_text[record.text], _kind_of(field)) for record in records]
    return hits


def _kind_of(field: str) -> HitKind:
    if field == "address":
        return "address"
    return "code" if field.endswith("_code") else "name"


def _hits_in_area(asked: _Asked, scope: Scope) -> list[_Ranked]:
    """崇川区人民医院: the name in front says where, the rest says what."""
    hits = []
    for area, rest in asked.areas.split(asked.whole)[1:]:
        if area is None:
            continue
        matches = by_letters(asked.connection, [rest], scope)
        told = [Match(m.layer, m.field, m.text, max(m.kind, INSIDE)) for m in matches]
        hits += _of_matches(asked, told, area=area)
    return hits


def _address_hits(asked: _Asked) -> list[_Ranked]:
    """A house number that no record bears, between those that are known on its road; or where two roads cross."""
    readings = [read_address(rest) for _, rest in asked.areas.split(asked.whole)]
    if not any(address and (address.number is not None or address.crossing) for address in readings):
        return []
    hits = []
    layers = list(asked.layers.values())
    found = geocode(
        asked.connection, asked.text, layers=layers, kinds=("address",), lang=asked.lang, limit=_MOST_ADDRESSES
    )
    for place, placed in enumerate(found):
        detail = _place_of(asked, placed.lon, placed.lat)
        score = SCORES[PREFIX] - 0.01 * place
        hit = Hit(
            placed.layer, placed.id, placed.label, detail, "address", placed.lon, placed.lat, None, round(score, 4)
        )
        hits.append(_Ranked(hit, (PREFIX, 0.0, -_FOUND_FIRST, float(place))))
    return hits


def _class_hits(asked: _Asked) -> list[_Ranked]:
    """Records of the class that the query names in either language or by its code."""
    hits = []
    for layer in asked.layers.values():
        name = class_field(layer)
        field = layer.field(name) if name else None
        if field is None or field.book is None:
            continue
        kind: HitKind = "code" if asked.whole.isdigit() else "name"
        codes = _codes_of(_book(field.book), asked.text)
        for record in _records_of_class(asked, layer, _book(field.book), codes) if codes else ():
            hits.append(_ranked(asked, record, Match(layer.name, field.name, record.text, WORDS), kind))
    return hits


def _book(name: str) -> Book | None:
    try:
        return book(name)
    except UnknownBook:
        return None


def _codes_of(of: Book | None, text: str) -> list[str]:
    if of is None:
        return []
    if text.isdigit():
        return [text] if text in of else []
    if code := of.code_for(text):
        return [code]
    wanted = fold(text)
    if not wanted.isascii() or len(wanted) < 4:
        return []
    return [entry.code for entry in of.entries if wanted in fold(entry.en)][:_FEW_HITS]


def _records_of_class(asked: _Asked, layer: Layer, of: Book | None, codes: list[str]) -> list[Record]:
    """By the word where records are named by their class, which the index answers; else by the column."""
    words = [of.word(code) for code in codes] if of else []
    if layer.label in layer.searched:
        found = records_by_text(
            asked.connection, layer, layer.label, words, each=max(_EACH_PART, asked.limit // 2), near=asked.near
        )
        if found:
            return found
    return records_by_class(asked.connection, layer, codes, limit=asked.limit)


def _ranked(asked: _Asked, record: Record, match: Match, kind: HitKind) -> _Ranked:
    rank = asked.layers[record.layer].rank
    away_m = 0.0 if asked.near is None else float(distance_m(record.lon, record.lat, *asked.near))
    score = SCORES[match.kind] - 0.04 * (1.0 - rank / (rank + 5.0)) - 0.02 * match.typos
    hit = Hit(
        layer=record.layer,
        id=record.id,
        label=_label(asked, record),
        detail=_detail(asked, record, match),
        kind=kind,
        lon=record.lon,
        lat=record.lat,
        bounds=record.bounds,
        score=round(max(score, 0.0), 4),
    )
    order = (match.kind, float(match.typos), -rank, float(len(match.text)), away_m, -(record.importance or 0.0))
    return _Ranked(hit, order)


def _label(asked: _Asked, record: Record) -> str:
    if asked.lang == "en" and record.label_en:
        return record.label_en
    return record.label or _class_word(asked, record) or record.id


def _class_word(asked: _Asked, record: Record) -> str:
    layer = asked.layers[record.layer]
    field = layer.field(class_field(layer) or "")
    of = _book(field.book) if field is not None and field.book else None
    if of is None or record.class_code is None or record.class_code not in of:
        return ""
    return of.word(record.class_code, asked.lang)


def _detail(asked: _Asked, record: Record, match: Match) -> str:
    """What it is, the address it was found by, and where it lies, without what the label says already."""
    said = {record.label, _label(asked, record)}
    where = asked.areas.describe(record.admin_code, asked.lang)
    if record.layer in ("county", "town"):
        where = asked.areas.describe(record.id[:6], asked.lang) if record.layer == "town" else ""
    found_by = match.text if match.field == "address" else record.id if match.text == record.id else ""
    parts = (_class_word(asked, record), found_by, where, asked.layers[record.layer].title[asked.lang == "en"])
    told = [part for part in parts[:3] if part and part not in said]
    return " · ".join(dict.fromkeys(told)) or parts[3]
