"""Who can serve a need, and why: a pure function of the need and the list of providers.

The phone does the same without a network (`webmap/src/grid/serving.ts`).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gis.frames import distance_m
from layers.loop.care.book import Kind
from layers.loop.care.opening import is_open
from layers.loop.care.providers import Provider
from layers.spec import Title

MOST: Final = 20
_UNKNOWN_HOURS: Final = Title("营业时间未登记，请先电话询问", "Hours not known: call first")
_OPEN_THEN: Final = Title("届时营业", "Open at that time")
_AREA: Final = Title("服务范围包括本辖区", "Serves this area")


@dataclass(frozen=True)
class Wanted:
    """What is needed, where (lon, lat and the codes of the place), and when; `at` None: whenever."""

    kind: Kind
    lon: float
    lat: float
    admin_code: str | None = None
    grid_id: str | None = None
    at: dt.datetime | None = None


@dataclass(frozen=True)
class Fit:
    """A provider that serves it: how far away, where it has a place, and the reasons."""

    provider: Provider
    distance_m: float | None
    why: tuple[Title, ...]


@dataclass(frozen=True)
class Suggested:
    """Those that serve it, the nearest first; `closed` would, but not at that time."""

    fits: tuple[Fit, ...]
    closed: int


def suggested(every: Iterable[Provider], wanted: Wanted, *, most: int = MOST) -> Suggested:
    """Who serves the kind there and is open then, the nearest first, and those without a place last."""
    fits: list[Fit] = []
    closed = 0
    for one in every:
        reasons = _reaches(one, wanted.lon, wanted.lat, (wanted.admin_code, wanted.grid_id))
        if wanted.kind.code not in one.kinds or reasons is None:
            continue
        opening = _opening(one, wanted.at)
        if opening is None:
            closed += 1
            continue
        does = Title(f"提供{wanted.kind.title.zh}", f"Does this: {wanted.kind.title.en}")
        fits.append(Fit(one, _away_m(one, wanted.lon, wanted.lat), (does, *reasons, *opening)))
    fits.sort(key=lambda fit: (_nearness(fit.distance_m), fit.provider.id))
    return Suggested(tuple(fits[:most]), closed)


def _opening(one: Provider, at: dt.datetime | None) -> tuple[Title, ...] | None:
    """What its hours tell of that time; None: it is closed then."""
    spans = one.spans
    if spans is None:
        return (_UNKNOWN_HOURS,)
    if at is None:
        return ()
    return (_OPEN_THEN,) if is_open(spans, at) else None


def around(
    every: Iterable[Provider], *, lon: float, lat: float, admin_code: str | None, grid_id: str | None, most: int
) -> list[Provider]:
    """Those that serve at a place, whatever they do and whenever, the nearest first."""
    found = [one for one in every if _reaches(one, lon, lat, (admin_code, grid_id)) is not None]
    return sorted(found, key=lambda one: (_nearness(_away_m(one, lon, lat)), one.id))[:most]


def _nearness(away_m: float | None) -> float:
    return math.inf if away_m is None else away_m


def _reaches(one: Provider, lon: float, lat: float, codes: tuple[str | None, ...]) -> tuple[Title, ...] | None:
    """Why it serves there; None when it does not."""
    away_m = _away_m(one, lon, lat)
    if one.reach_m is not None and away_m is not None and away_m <= one.reach_m:
        far = f"{away_m:.0f}"
        return (Title(f"相距 {far} 米，服务半径 {one.reach_m} 米", f"{far} m away, serves within {one.reach_m} m"),)
    known = [code for code in codes if code is not None]
    return (_AREA,) if any(code.startswith(area) for area in one.areas for code in known) else None


def _away_m(one: Provider, lon: float, lat: float) -> float | None:
    if one.lon is None or one.lat is None:
        return None
    return float(distance_m([one.lon], [one.lat], [lon], [lat])[0])
