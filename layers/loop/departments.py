"""The departments that answer for what happens: those of the city, and their counterparts in counties and towns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast

from layers.codes.admin import Register, Unit, shipped_register
from layers.codes.tables import Line
from layers.errors import BadDeclaration, LayersError
from layers.loop.reading import path_of, rows_of
from layers.spec import Title

Level = Literal["city", "county", "town"]
LEVELS: Final[tuple[Level, ...]] = ("city", "county", "town")
CENTRE: Final = "zhzx"
"""The command centre: what nobody else answers for goes there."""
MOST_CODE: Final = 20
_FILE: Final = "departments.csv"
_COLUMNS: Final = ("code", "zh", "en", "level", "area", "phone", "counties", "towns")
_DIGITS: Final = {"city": 6, "county": 6, "town": 9}
# Nobody has these numbers: 0000 is no exchange.
_PHONE: Final = "0513-0000 {:04d}"


class UnknownDepartment(LayersError):
    """No department has this code."""

    def __init__(self, code: str) -> None:
        super().__init__(f"there is no department {code!r}")
        self.code = code


@dataclass(frozen=True)
class Department:
    """One department: `area` is the administrative code of where it answers, `phone` its duty desk's, never a person's.

    `city` is the code of the city's department that it is the counterpart of; of one of the city it is its own code.
    """

    code: str
    title: Title
    level: Level
    area: str
    phone: str
    city: str


@dataclass(frozen=True)
class Departments:
    """All departments by code, those of the city first, then those of the counties, then those of the towns."""

    by_code: Mapping[str, Department]

    def __contains__(self, code: object) -> bool:
        return code in self.by_code

    def find(self, code: str) -> Department:
        """The department of this code; UnknownDepartment when there is none."""
        try:
            return self.by_code[code]
        except KeyError:
            raise UnknownDepartment(code) from None

    def counterpart(self, code: str, area: str | None) -> Department | None:
        """The department of an area (county: 6 digits, town: 9) that does what this one of the city does there."""
        return None if area is None else self.by_code.get(f"{area}-{code}")

    def centre(self, area: str | None, *, register: Register | None = None) -> Department:
        """The command centre of the county in which an area lies; that of the city when the county has none."""
        county = None if area is None else county_of(area, register or shipped_register())
        return self.counterpart(CENTRE, county) or self.find(CENTRE)

    def of(self, *, level: Level | None = None, area: str | None = None) -> list[Department]:
        """Those of a level, and those whose area begins with these digits."""
        return [
            one
            for one in self.by_code.values()
            if (level is None or one.level == level) and (area is None or one.area.startswith(area))
        ]


def departments_in(data: Path | None = None, *, register: Register | None = None) -> Departments:
    """The departments of `departments.csv` with the counterparts that follow from it; BadDeclaration names the line.

    `counties` and `towns` of a line say how its counterparts there are called; a line of its own stands for a
    counterpart that is called otherwise.
    """
    path = path_of(_FILE, data)
    known = register or shipped_register()
    found: dict[str, Department] = {}
    stems: list[tuple[Department, str, str]] = []

    def add(line: Line) -> None:
        one = _department(line)
        if one.area not in known.units:
            raise line.error(f"area {one.area!r} is not in the register")
        if one.code in found:
            raise line.error(f"the code {one.code!r} is there already")
        found[one.code] = one
        if line["counties"] or line["towns"]:
            if one.level != "city":
                raise line.error("only a department of the city has counterparts")
            stems.append((one, line["counties"], line["towns"]))

    rows_of(path, _COLUMNS, add)
    if CENTRE not in found:
        raise BadDeclaration(path, None, f"the command centre ({CENTRE!r}) is missing")
    for one in _counterparts(stems, known):
        found.setdefault(one.code, one)
    order = sorted(found.values(), key=lambda one: LEVELS.index(one.level))
    return Departments({one.code: one for one in order})


@cache
def shipped_departments() -> Departments:
    """The departments that come with the program, read once."""
    return departments_in()


def county_of(area: str, register: Register) -> str | None:
    """The county of today in which an area (code of a county or town, or id of a grid) lies; None when there is none.

    A code that is not valid any more leads to its heir.
    """
    code = area[:6]
    return register.current(code) if register.is_county(code) else None


def town_of(area: str, register: Register) -> str | None:
    """The town of today in which an area (code of a town, or id of a grid) lies; None when it is larger."""
    unit = register.units.get(area[:9])
    return register.current(unit.code) if unit is not None and unit.level == "town" else None


def _department(line: Line) -> Department:
    level = cast(Level, line.one_of("level", LEVELS))
    code, area = line.required("code"), line.required("area")
    if len(code) > MOST_CODE or not code.replace("-", "").isalnum() or not code.isascii() or code != code.lower():
        raise line.error(f"code {code!r} is not at most {MOST_CODE} small letters, digits and '-'")
    if len(area) != _DIGITS[level] or not area.isdecimal():
        raise line.error(f"area {area!r} has not the {_DIGITS[level]} digits of a {level}")
    _, dash, city = code.partition("-")
    title = Title(line.required("zh"), line.required("en"))
    return Department(code, title, level, area, line["phone"], city if dash else code)


def _counterparts(stems: list[tuple[Department, str, str]], register: Register) -> list[Department]:
    counties = [unit for unit in register.units.values() if unit.level == "county" and not unit.retired]
    towns = [unit for unit in register.units.values() if unit.level == "town" and not unit.retired]
    of_counties = [(one, unit, zh) for unit in counties for one, zh, _ in stems if zh]
    of_towns = [(one, unit, zh) for unit in towns for one, _, zh in stems if zh]
    return [_counterpart(one, unit, zh, 2000 + number) for number, (one, unit, zh) in enumerate(of_counties + of_towns)]


def _counterpart(one: Department, unit: Unit, zh: str, number: int) -> Department:
    title = Title(f"{unit.name}{zh}", f"{one.title.en}, {unit.name_en}")
    level: Level = "county" if unit.level == "county" else "town"
    return Department(f"{unit.code}-{one.code}", title, level, unit.code, _PHONE.format(number), one.code)
