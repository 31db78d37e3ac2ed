"""Who serves residents: offices, canteens, clinics, repair shops and teams, kept as a CSV and read as a whole."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from layers.ask.catalogue import SYNTHETIC
from layers.codes.tables import Line
from layers.errors import BadDeclaration, BadField
from layers.loop.care.book import SORTS
from layers.loop.care.opening import Span, weekly
from layers.loop.care.tables import PROVIDER
from layers.loop.carried import text_of
from layers.loop.reading import rows_in
from layers.people.access import is_area

COLUMNS: Final = ("id", "name", "sort", "kinds", "lon", "lat", "reach_m", "areas", "hours", "phone", "source")
MOST_PROVIDERS: Final = 20_000
MOST_REACH_M: Final = 50_000
_MOST_AREAS: Final = 50
_AREA_DIGITS: Final = (4, 6, 9, 15)
# A little less than a degree of latitude has, and than one of longitude has at the equator: nobody in reach is missed.
_DEGREE_M: Final = 110_000
_LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
_DIALLED: Final = frozenset("0123456789 +-()/")


@dataclass(frozen=True)
class Provider:
    """One that serves: `kinds` of needs, within `reach_m` of its place, or in `areas` (beginnings of codes, grids).

    `phone` is the office's, which anybody may know; a provider is never a person.
    """

    id: str
    name: str
    sort: str
    kinds: tuple[str, ...]
    lon: float | None = None
    lat: float | None = None
    reach_m: int | None = None
    areas: tuple[str, ...] = ()
    hours: str = ""
    phone: str = ""
    source: str = ""

    @property
    def spans(self) -> tuple[Span, ...] | None:
        """When it is open in a week; None where that is not known."""
        return weekly(self.hours)

    @property
    def synthetic(self) -> bool:
        """Whether it was made up for a demo city."""
        return self.source == SYNTHETIC


def providers(connection: sa.Connection) -> list[Provider]:
    """All of them, by their ids."""
    return _found(connection, sa.true())


def providers_for(
    connection: sa.Connection, *, lon: float, lat: float, codes: Collection[str | None]
) -> list[Provider]:
    """Those that may serve at a place with these codes (of its town, of its grid), and some that are just too far."""
    north_m = sa.func.abs(PROVIDER.c.lat - lat) * _DEGREE_M
    east_m = sa.func.abs(PROVIDER.c.lon - lon) * _DEGREE_M * math.cos(math.radians(lat))
    near = sa.and_(north_m <= PROVIDER.c.reach_m, east_m <= PROVIDER.c.reach_m)
    begun = sorted({code[:digits] for code in codes if code is not None for digits in _AREA_DIGITS})
    here = PROVIDER.c.areas.op("&&", is_comparison=True)(sa.literal(begun, sa.ARRAY(sa.Text)))
    return _found(connection, sa.or_(near, here))


def replace_providers(connection: sa.Connection, text: str, kinds: Collection[str], *, actor: str) -> int:
    """All of them as a CSV says, as a whole; returns how many. BadField names the line that cannot be used."""
    try:
        found = read_providers(text, kinds)
    except BadDeclaration as error:
        refused = BadField({"csv": str(error)})
        raise refused.because("provider_line", line=error.line or 1, reason=error.reason) from error
    write_providers(connection, found, actor=actor)
    return len(found)


def write_providers(connection: sa.Connection, every: Iterable[Provider], *, actor: str) -> None:
    """Put these in the place of all that there were; whoever reads meanwhile reads the old ones."""
    connection.execute(sa.text("lock table core.provider in share row exclusive mode"))
    connection.execute(sa.delete(PROVIDER))
    rows = [{**_as_row(one), "actor": actor} for one in every]
    if rows:
        connection.execute(sa.insert(PROVIDER), rows)


def read_providers(text: str, kinds: Collection[str], *, name: str = "providers.csv") -> list[Provider]:
    """The lines of a CSV; several kinds and areas are parted by `/`. BadDeclaration names the one that is wrong."""
    seen: set[str] = set()

    def made(line: Line) -> Provider:
        one = _of_line(line, kinds)
        if one.id in seen:
            raise line.error(f"{one.id} is there already")
        if len(seen) >= MOST_PROVIDERS:
            raise line.error(f"there are more than {MOST_PROVIDERS:,} lines")
        seen.add(one.id)
        return one

    return rows_in(text, name, COLUMNS, made)


def written(every: Iterable[Provider]) -> str:
    """These as a CSV that `read_providers` reads."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in every:
        values: Mapping[str, Any] = {**vars(one), "kinds": "/".join(one.kinds), "areas": "/".join(one.areas)}
        writer.writerow(["" if values[name] is None else values[name] for name in COLUMNS])
    return file.getvalue()


def _found(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[Provider]:
    columns = [PROVIDER.c[name] for name in COLUMNS]
    wanted = sa.select(*columns).where(which).order_by(PROVIDER.c.id).limit(MOST_PROVIDERS)
    return [_of_row(dict(row)) for row in connection.execute(wanted).mappings()]


def _of_line(line: Line, kinds: Collection[str]) -> Provider:
    id, named = line.required("id"), tuple(part for part in line.required("kinds").split("/") if part)
    if len(id) > 40 or not _LETTERS.issuperset(id):
        raise line.error(f"id {id!r} is not 1 to 40 letters, digits, . _ -")
    if strange := [kind for kind in named if kind not in kinds]:
        raise line.error(f"there is no kind of need {strange[0]!r}")
    areas = tuple(part for part in line["areas"].split("/") if part)
    if len(areas) > _MOST_AREAS or not all(is_area(area) for area in areas):
        raise line.error(f"areas are at most {_MOST_AREAS} codes of 4, 6 or 9 digits, or grids")
    lon, lat, reach_m = _place(line)
    if reach_m is None and not areas:
        raise line.error("a reach (lon, lat, reach_m) or areas are needed")
    if len(line["phone"]) > 40 or not _DIALLED.issuperset(line["phone"]):
        raise line.error("phone is no number")
    try:
        weekly(line["hours"])
        texts = {
            "name": text_of("name", line.required("name"), most=80, lines=False),
            "source": line["source"] and text_of("source", line["source"], most=200, lines=False),
        }
    except (ValueError, BadField) as error:
        raise line.error(str(error)) from error
    sort = line.one_of("sort", tuple(SORTS))
    return Provider(id, texts["name"], sort, named, lon, lat, reach_m, areas, line["hours"], line["phone"],
                    texts["source"])  # fmt: skip


def _place(line: Line) -> tuple[float | None, float | None, int | None]:
    cells = [line["lon"], line["lat"], line["reach_m"]]
    if not any(cells):
        return None, None, None
    try:
        lon, lat = float(cells[0]), float(cells[1])
        reach_m = int(cells[2]) if cells[2] else None
    except ValueError:
        raise line.error("lon, lat and reach_m are numbers, or empty") from None
    if not (abs(lon) <= 180 and abs(lat) <= 85):
        raise line.error("lon and lat are no place")
    if reach_m is not None and not 0 < reach_m <= MOST_REACH_M:
        raise line.error(f"reach_m lies between 1 and {MOST_REACH_M:,}")
    return lon, lat, reach_m


def _as_row(one: Provider) -> dict[str, Any]:
    return {**vars(one), "kinds": list(one.kinds), "areas": list(one.areas)}


def _of_row(row: Mapping[str, Any]) -> Provider:
    return Provider(**{**row, "kinds": tuple(row["kinds"]), "areas": tuple(row["areas"])})
