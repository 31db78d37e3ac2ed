"""The administrative units of the city: found by code or by name, with retired codes led to their successors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from layers.codes.errors import BadBook, UnknownUnit
from layers.codes.tables import DATA, Line, folded, read_table, within

_LEVELS: Final = ("city", "county", "town")
_DIGITS: Final = {"city": 6, "county": 6, "town": 9}
_HIERARCHIES: Final = ("administrative", "statistical")
_SUFFIXES: Final = ("街道", "市", "区", "县", "镇", "乡")


@dataclass(frozen=True)
class Unit:
    """One administrative (or only statistical) unit; `population` is of the 2020 census, None where it is not known."""

    code: str
    name: str
    name_en: str
    level: str
    parent: str | None
    kind: str
    hierarchy: str
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None
    population: int | None = None

    @property
    def retired(self) -> bool:
        """True for a unit whose code was replaced by that of another."""
        return self.successor is not None


@dataclass(frozen=True)
class Register:
    """All units of one folder of codes, in the order of its file."""

    units: Mapping[str, Unit]
    _by_name: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    _by_stem: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name: dict[str, tuple[str, ...]] = {}
        by_stem: dict[str, tuple[str, ...]] = {}
        for unit in self.units.values():
            for name in (unit.name, unit.name_en):
                by_name[folded(name)] = (*by_name.get(folded(name), ()), unit.code)
            for stem in (*_stems(unit.name), *_stems_en(unit.name_en)):
                by_stem[stem] = (*by_stem.get(stem, ()), unit.code)
        object.__setattr__(self, "_by_name", by_name)
        object.__setattr__(self, "_by_stem", by_stem)

    def unit(self, code: str) -> Unit:
        """The unit of a code, current or retired; UnknownUnit when there is none."""
        try:
            return self.units[code]
        except KeyError:
            raise UnknownUnit(code) from None

    def current(self, code: str, on: date | None = None) -> str:
        """The code that stands for this unit on that day (None: now): itself, or the successor of a retired code."""
        unit = self.unit(code)
        while unit.successor and not (on is not None and within(on, unit.valid_from, unit.valid_to)):
            unit = self.unit(unit.successor)
        return unit.code

    def counties(self) -> tuple[Unit, ...]:
        """The counties of today, which together are the city, without overlap."""
        return tuple(u for u in self._of("county") if not u.retired and u.hierarchy == "administrative")

    def towns(self, county: str) -> tuple[Unit, ...]:
        """The town-level units of a county, its statistical parts included; a retired code means its heir."""
        code = self.current(county)
        parts = {code} | {u.code for u in self._of("county") if u.parent == code}
        return tuple(u for u in self._of("town") if u.parent in parts)

    def is_county(self, code: str) -> bool:
        """True for every county code that an identifier may begin with: current, retired or only statistical."""
        return code in self.units and self.units[code].level == "county"

    def find(self, name: str) -> list[Unit]:
        """The units of today that a name means, larger ones first; empty when none does.

        Understands 崇川, 崇川区, Chongchuan, 港闸区 (retired: gives its heir) and 南通市海门区余东镇; an exact name
        wins over one that lacks its 市/区/县/镇/街道.
        """
        text = folded(name)
        codes = self._by_name.get(text) or self._by_stem.get(text) or self._by_stem.get(_shorter(text), ())
        if codes:
            return sorted({self.unit(self.current(code)) for code in codes}, key=self._rank)
        for outer in (*self._of("city"), *self._of("county")):
            _, found, rest = text.partition(folded(outer.name))
            if found and rest:
                inside = self.current(outer.code)
                return [u for u in self.find(rest) if self._lies_in(u, inside)]
        return []

    def _of(self, level: str) -> list[Unit]:
        return [unit for unit in self.units.values() if unit.level == level]

    def _rank(self, unit: Unit) -> tuple[int, str]:
        return _LEVELS.index(unit.level), unit.code

    def _lies_in(self, unit: Unit, code: str) -> bool:
        while unit.parent:
            if unit.parent == code:
                return True
            unit = self.unit(unit.parent)
        return False


@cache
def shipped_register() -> Register:
    """The register that comes with the program, read once."""
    return load_register(DATA)


def unit(code: str) -> Unit:
    """The unit of a code of the shipped register, current or retired; UnknownUnit when there is none."""
    return shipped_register().unit(code)


def current(code: str, on: date | None = None) -> str:
    """The code that stands for this unit on that day (None: now): itself, or the successor of a retired code."""
    return shipped_register().current(code, on)


def counties() -> tuple[Unit, ...]:
    """The counties of today, which together are the city, without overlap."""
    return shipped_register().counties()


def towns(county: str) -> tuple[Unit, ...]:
    """The town-level units of a county, those of its statistical parts included."""
    return shipped_register().towns(county)


def find(name: str) -> list[Unit]:
    """The units of today that a name means, with or without its 市/区/县/镇/街道, larger ones first."""
    return shipped_register().find(name)


def is_county(code: str) -> bool:
    """True for every county code that an identifier may begin with: current, retired or only statistical."""
    return shipped_register().is_county(code)


_COLUMNS: Final = (
    *("code", "name", "name_en", "level", "parent", "kind"),
    *("valid_from", "valid_to", "successor", "hierarchy", "population"),
)


def load_register(folder: Path) -> Register:
    """The register in a folder's admin.csv, checked; BadBook names the line that cannot be used."""
    path = folder / "admin.csv"
    lines: dict[str, Line] = {}
    units: dict[str, Unit] = {}
    for line in read_table(path, _COLUMNS):
        found = _unit(line)
        if found.code in lines:
            raise line.error(f"code {found.code} is already on line {lines[found.code].number}")
        lines[found.code], units[found.code] = line, found
    if not any(u.level == "county" for u in units.values()):
        raise BadBook(path, None, "there is no county")
    for code, found in units.items():
        _check_links(lines[code], found, units)
    return Register(units)


def _unit(line: Line) -> Unit:
    code, level = line.required("code"), line.one_of("level", _LEVELS)
    if len(code) != _DIGITS[level] or not code.isdecimal():
        raise line.error(f"code {code!r} has not the {_DIGITS[level]} digits of a {level}")
    population = line["population"]
    if population and not population.isdecimal():
        raise line.error(f"population {population!r} is not a whole number")
    start, end = line.period()
    return Unit(
        code=code,
        name=line.required("name"),
        name_en=line.required("name_en"),
        level=level,
        parent=line["parent"] or None,
        kind=line.required("kind"),
        hierarchy=line.one_of("hierarchy", _HIERARCHIES),
        valid_from=start,
        valid_to=end,
        successor=line["successor"] or None,
        population=int(population) if population else None,
    )


def _check_links(line: Line, found: Unit, units: Mapping[str, Unit]) -> None:
    for role, code in (("parent", found.parent), ("successor", found.successor)):
        if code is not None and code not in units:
            raise line.error(f"{role} {code!r} has no line")
        seen = {found.code}
        while code is not None:
            if code in seen:
                raise line.error(f"{role} {code!r} leads back to {found.code}")
            seen.add(code)
            code = getattr(units[code], role) if code in units else None
    if found.successor and found.valid_to is None:
        raise line.error("a unit with a successor needs the last day of its validity (valid_to)")


def _shorter(text: str) -> str:
    return next((text.removesuffix(s) for s in _SUFFIXES if text.endswith(s) and len(text) - len(s) > 1), text)


def _stems(name: str) -> list[str]:
    """Every shortened form of a name: people say 狼山镇 and 狼山 for 狼山镇街道."""
    text, bracket, _ = folded(name).partition("(")
    stems = [text] if bracket else []
    while (shorter := _shorter(text)) != text:
        stems.append(shorter)
        text = shorter
    return stems


def _stems_en(name: str) -> list[str]:
    text = folded(name)
    return [text.removesuffix(word) for word in (" subdistrict", " town", " county") if text.endswith(word)]
