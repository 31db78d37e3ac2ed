"""Which counties and towns a caller's sentence names: a road of that name elsewhere is not the one that was meant."""

from __future__ import annotations

import re
from typing import Final

import sqlalchemy as sa

from layers.catalog import county, town
from layers.terms import fold

_KIND: Final = re.compile(r"(?:区|市|县)$")
# 海安路 runs in another city, and says nothing of 海安.
_OF_ROAD: Final = r"(?![东西南北中]?(?:路|街|大道|大街|公路|巷|桥|新村|小区))"
_LEAST: Final = 2


def areas_named(connection: sa.Connection, text: str) -> frozenset[str]:
    """The codes of the counties (6 digits) and towns (9) that a text names, counties also without their last word."""
    plain = fold(text)
    counties = connection.execute(sa.select(county.TABLE.c.id, county.TABLE.c.name)).all()
    within = sa.func.strpos(plain, sa.func.lower(town.TABLE.c.name)) > 0
    towns = connection.scalars(sa.select(town.TABLE.c.id).where(sa.func.length(town.TABLE.c.name) > _LEAST, within))
    return frozenset([*(row.id for row in counties if _says(plain, row.name)), *towns])


def strays(named: frozenset[str], *, county_code: str | None, town_code: str | None) -> int:
    """Of how many levels (county, town) a sentence names an area, and not the one where a place lies."""
    levels = ((6, county_code), (9, town_code))
    return sum(code not in named and any(len(one) == digits for one in named) for digits, code in levels)


def _says(plain: str, name: str) -> bool:
    whole = fold(name)
    short = _KIND.sub("", whole)
    return whole in plain or (len(short) >= _LEAST and re.search(re.escape(short) + _OF_ROAD, plain) is not None)
