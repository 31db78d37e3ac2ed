"""Where a caller's sentence is: the address, the crossing, the place or the number in it, and the words that say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from gis.frames import distance_m
from layers.ask.gazetteer import records_named, records_named_within
from layers.ask.geocode import Kind, Placed, geocode_each
from layers.codes.books import book
from layers.spec import Layer
from layers.terms import fold

_MOST_CLAUSES: Final = 16
_LONGEST: Final = 60
_MOST_CANDIDATES: Final = 200
_BEFORE: Final = 16  # so many characters before the end of its name may a road, with its district, begin
_SAME_M: Final = 30.0

_CLAUSE: Final = re.compile(r"[^,。;!?\n]+")
_ROAD: Final = r"(?:大道|公路|大街|国道|省道|县道|路|街|巷|弄)"
_AT: Final = re.compile(
    rf"{_ROAD}(?:(?:与|和|、|/|跟|交)(?P<other>[\u4e00-\u9fff]{{1,8}}?{_ROAD})(?:交叉口|交汇处|路口|口)?|(?P<number>\d{{1,5}}(?:弄|号)?))?"
)
_COORDINATES: Final = re.compile(r"\d{2,3}\.\d{3,}[,/ ]\d{2,3}\.\d{3,}")
_NUMBERS: Final = re.compile(r"(?<![\d.])\d{15,20}(?![\d.])")


@dataclass(frozen=True)
class Said:
    """A place that words name: `words` are those of the sentence that gave it."""

    place: Placed
    words: str


def places_in(connection: sa.Connection, text: str, *, layers: Sequence[Layer], limit: int = 5) -> list[Said]:
    """The places that a sentence may mean, the most precise first; only `layers` are used."""
    plain = fold(text)
    clauses = [found[0][:_LONGEST] for found in _CLAUSE.finditer(plain)][:_MOST_CLAUSES]
    found = list(_by_number(connection, plain, layers))
    roads, rest = _by_road(connection, clauses, layers)
    found += [*roads, *_by_name(connection, rest, layers)]
    order = {code: number for number, code in enumerate(book("place_precision").codes)}
    return _distinct(sorted(found, key=lambda said: order.get(said.place.precision, len(order))))[:limit]


def _by_number(connection: sa.Connection, plain: str, layers: Sequence[Layer]) -> Iterator[Said]:
    kinds: tuple[tuple[Kind, re.Pattern[str]], ...] = (
        ("coordinate", _COORDINATES), ("grid", _NUMBERS), ("component", _NUMBERS)
    )  # fmt: skip
    for kind, pattern in kinds:
        texts = list(dict.fromkeys(pattern.findall(plain)))[:_MOST_CLAUSES]
        for words, places in geocode_each(connection, texts, kind=kind, layers=layers).items():
            yield from (Said(place, words) for place in places)


def _by_road(
    connection: sa.Connection, clauses: Sequence[str], layers: Sequence[Layer]
) -> tuple[list[Said], list[str]]:
    """By road and number or crossing; and the clauses without the words that this used."""
    spans = [(clause, [_candidates(clause, at) for at in _AT.finditer(clause)]) for clause in clauses]
    every = [text for _, roads in spans for texts in roads for text in texts][:_MOST_CANDIDATES]
    answers = geocode_each(connection, every, kind="address", layers=layers)
    found, rest = [], []
    for clause, roads in spans:
        for texts in roads:
            # The longest reading that is known: with its district, and with the number behind it.
            words = next((text for text in texts if text in answers), None)
            if words is not None:
                found += [Said(place, words) for place in answers[words]]
                clause = clause.replace(words, "", 1)
        rest.append(clause)
    return found, rest


def _candidates(clause: str, at: re.Match[str]) -> list[str]:
    """The texts that may be the address whose road name ends here, longest first."""
    ends = dict.fromkeys((at.end(), _name_end(clause, at)))
    first = max(0, at.start() - _BEFORE)
    return [clause[start:end] for end in ends for start in range(first, at.start()) if end - start >= 3]


def _name_end(clause: str, at: re.Match[str]) -> int:
    found = re.compile(_ROAD).match(clause, at.start())
    return at.end() if found is None else found.end()


def _by_name(connection: sa.Connection, clauses: Sequence[str], layers: Sequence[Layer]) -> list[Said]:
    """By the longest name of a place that stands in a clause, or that a clause is."""
    layer = next((one for one in layers if one.name == "place"), None)
    named = [clause for clause in clauses if len(clause) >= 3]
    if layer is None or not named:
        return []
    known = {**records_named_within(connection, layer, named), **records_named(connection, layer, named)}
    found = []
    for clause, places in geocode_each(connection, list(known), kind="place", layers=layers).items():
        words = max((fold(record.text or "") for record in known[clause]), key=len, default=clause)
        found += [Said(place, words if words in clause else clause) for place in places]
    return found


def _distinct(found: Sequence[Said]) -> list[Said]:
    """Without those that lie where a more precise one lies."""
    kept: list[Said] = []
    for said in found:
        place = said.place
        if all(float(distance_m(place.lon, place.lat, one.place.lon, one.place.lat)) > _SAME_M for one in kept):
            kept.append(said)
    return kept
