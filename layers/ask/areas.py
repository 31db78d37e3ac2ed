"""The names of the counties and towns of the city: to describe places, and to take them off the front of addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import sqlalchemy as sa

from layers.codes.admin import shipped_register
from layers.spec import Layer
from layers.terms import fold

Language = Literal["zh", "en"]

_PROVINCE: Final = re.compile(r"(?:中国|中华人民共和国)?(?:[^\d省]{2,3}省)?")
AREA_SUFFIXES: Final = ("街道", "市", "区", "县", "镇", "乡")
"""The ends of the names of counties and towns that people leave out."""


@dataclass(frozen=True)
class Area:
    """A county (6 digits) or a town (9 digits) as the city's layers name it."""

    code: str
    name: str
    name_en: str | None

    def title(self, lang: Language) -> str:
        """The name in a language, the Chinese one where there is no other."""
        return self.name_en or self.name if lang == "en" else self.name


class Areas:
    """The counties and towns that may be seen, found by code and by the names that addresses begin with."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._by_code = {area.code: area for area in areas}
        # Longer names first: 狼山镇街道 before 狼山镇.
        self._named = sorted(((fold(a.name), a) for a in self._by_code.values()), key=lambda p: (-len(p[0]), p[1].code))
        self._stems = sorted(
            ((stem, area) for name, area in self._named if (stem := _stem(name)) != name),
            key=lambda p: (-len(p[0]), p[1].code),
        )

    def __iter__(self) -> Iterator[Area]:
        return iter(self._by_code.values())

    def find(self, code: str | None) -> Area | None:
        """The area of a code; a longer code (a village, a grid) means its town, else its county."""
        for length in (9, 6):
            if code and len(code) >= length and code[:length] in self._by_code:
                return self._by_code[code[:length]]
        return None

    def describe(self, code: str | None, lang: Language) -> str:
        """The town and the county of a code, the larger first in Chinese and last in English; empty when unknown."""
        names = []
        for length in (6, 9):
            area = self._by_code.get(code[:length]) if code and len(code) >= length else None
            if area is not None:
                names.append(area.title(lang))
        return "".join(names) if lang == "zh" else ", ".join(reversed(names))

    def named(self, text: str) -> list[Area]:
        """The areas that a name means, with or without its 市/区/县/镇/街道 and the larger ones before it."""
        folded = fold(text)
        if not folded:
            return []
        exact = [area for name, area in self._named if folded in (name, fold(area.name_en or ""))]
        if exact:
            return exact
        if stems := [area for stem, area in self._stems if stem == folded]:
            return stems
        outer = self._without_outer(folded)
        code, rest = self._strip(outer, self._named)
        if code is None:
            code, rest = self._strip(outer, self._stems)
        if code is None:
            return []
        return [self._by_code[code]] if not rest else [a for a in self.named(rest) if a.code.startswith(code)]

    def split(self, folded: str) -> list[tuple[str | None, str]]:
        """How a folded address may be read: pairs of an area's code and the rest, the most trusted first.

        The text as it is comes first, since 海门路 is a road and not the road 路 of 海门; then without the full names
        in front; then without the names that lack their 市/区/县.
        """
        readings: list[tuple[str | None, str]] = [(None, folded)]
        rest = self._without_outer(folded)
        code, rest = self._strip(rest, self._named)
        if rest and rest != folded:
            readings.append((code, rest))
        if code is None:
            code, rest = self._strip(rest, self._stems)
            code, rest = self._strip(rest, self._named, within=code)
            if code and len(rest) >= 2:
                readings.append((code, rest))
        return readings

    def _without_outer(self, folded: str) -> str:
        province = _PROVINCE.match(folded)
        rest = folded[province.end() :] if province else folded
        for unit in shipped_register().units.values():
            if unit.level == "city" and len(rest) > len(unit.name):
                rest = rest.removeprefix(fold(unit.name))
        return rest

    def _strip(self, text: str, names: list[tuple[str, Area]], *, within: str | None = None) -> tuple[str | None, str]:
        """Take the names of a county and then of a town of it off the front."""
        code = within
        for _ in range(2):
            begun = [p for p in names if text.startswith(p[0]) and p[1].code != code]
            inside = [p for p in begun if p[1].code.startswith(code or "")]
            longest = [area.code for name, area in inside if len(name) == len(inside[0][0])]
            largest = [found for found in longest if len(found) == min(map(len, longest))]
            if len(largest) != 1:  # none, or towns of the same name in several counties
                break
            code, text = largest[0], text[len(inside[0][0]) :]
        return code, text


def areas_of(connection: sa.Connection, layers: Iterable[Layer]) -> Areas:
    """The counties and towns that these layers hold."""
    tables = [layer.table for layer in layers if layer.name in ("county", "town")]
    if not tables:
        return Areas([])
    parts = [sa.select(table.c.id, table.c.name, table.c.name_en) for table in tables]
    rows = connection.execute(sa.union_all(*parts).order_by("id"))
    return Areas(Area(row.id, row.name, row.name_en) for row in rows)


def current_code(text: str) -> str | None:
    """The administrative code of today that a text of 6, 9 or 12 digits means; None when it is not one.

    Retired codes lead to their heirs, a village to its town; a code that the register lacks stands for itself.
    """
    if not re.fullmatch(r"[0-9]{6}(?:[0-9]{3}){0,2}", text):
        return None
    units = shipped_register()
    if text[:9] in units.units:
        return units.current(text[:9])
    county = units.current(text[:6]) if text[:6] in units.units else text[:6]
    # What follows a retired county's code may mean another town in its heir.
    return text[:9] if county == text[:6] else county


def _stem(name: str) -> str:
    return next((name.removesuffix(s) for s in AREA_SUFFIXES if name.endswith(s) and len(name) - len(s) > 1), name)
