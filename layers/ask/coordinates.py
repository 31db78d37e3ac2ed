"""Coordinates as people type them, in any of the frames of the city, read as lon, lat."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from gis.cells import centre, from_hex, resolution
from gis.errors import BadCell, UnknownFrame
from gis.frames import SHIFTED, Frame, convert, parse_frame

Axis = Literal["lon", "lat"]

_NUMBER: Final = r"[+-]?\d{1,9}(?:\.\d{1,15})?"
_SIXTIETH: Final = r"\d{1,2}(?:\.\d{1,12})?"


def _value_pattern(n: int) -> str:
    """One number, with letters of its axis on either side; degrees may have minutes and seconds."""
    return (
        rf"(?P<before{n}>[NSEW]|北纬|南纬|东经|西经|经度|纬度|LON|LNG|LAT)?[:=]?\s*(?P<whole{n}>{_NUMBER})\s*"
        rf"(?:[°度]\s*(?:(?P<minutes{n}>{_SIXTIETH})\s*[′'’分]\s*"
        rf"(?:(?P<seconds{n}>{_SIXTIETH})\s*(?:[\"”秒]|[′'’]{{2}})\s*)?)?)?(?P<after{n}>[NSEW](?![A-Z]))?"
    )


_FRAME: Final = r"[^\d\s,;:()]+(?:[-: ]?\d{2,6})?|\d{4}"
_PAIR: Final = re.compile(
    rf"(?:(?P<frame>{_FRAME})\s*[: ]\s*)??\(?{_value_pattern(1)}\s*[,;/、\s]\s*{_value_pattern(2)}\)?"
    rf"(?:\s*\(?(?P<frame_after>{_FRAME})\)?)?"
)
_AXIS: Final[dict[str, tuple[Axis, int]]] = {
    **dict.fromkeys(("N", "北纬", "纬度", "LAT"), ("lat", 1)),
    **dict.fromkeys(("E", "东经", "经度", "LON", "LNG"), ("lon", 1)),
    "S": ("lat", -1), "南纬": ("lat", -1), "W": ("lon", -1), "西经": ("lon", -1),
}  # fmt: skip
# Half the width of an H3 cell, in classes of precision; a finer cell is as good as a place within 10 m.
_CELL_PRECISION: Final = ((13, "B"), (10, "C"), (8, "grid"), (6, "town"))


@dataclass(frozen=True)
class Spot:
    """A place that a text names by numbers: lon, lat in EPSG:4326, the frame it was given in, and how precisely."""

    lon: float
    lat: float
    frame: str
    precision: str


def read_coordinates(text: str) -> Spot | None:
    """The place that a pair of coordinates names; None when the text is something else.

    Takes lon, lat (lat, lon only where it cannot be the other way, or with letters), degrees with minutes and seconds,
    a frame before or behind ("gcj 120.89,31.98"), and metres of EPSG:4549, 4528, 4529 and 3857 in either order.
    """
    clean = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().upper()
    pair = _PAIR.fullmatch(clean) if len(clean) <= 100 else None
    if pair is None:
        return None
    values = [_value(pair, "1"), _value(pair, "2")]
    if values[0] is None or values[1] is None:
        return None
    given = pair["frame"] or pair["frame_after"]
    try:
        frame = parse_frame(given) if given else _guess_frame(values[0].number, values[1].number)
    except UnknownFrame:
        return None
    if frame is None or (pair["frame"] and pair["frame_after"]):
        return None
    return _spot(values[0], values[1], frame, sure=bool(given))


def read_cell(text: str) -> Spot | None:
    """The centre of the H3 cell whose hexadecimal name the text is; None when it is not one."""
    try:
        cell = from_hex(unicodedata.normalize("NFKC", text).strip())
    except BadCell:
        return None
    lon, lat = centre(cell)
    res = int(resolution(np.int64(cell)))
    precision = next((name for finest, name in _CELL_PRECISION if res >= finest), "county")
    return Spot(lon, lat, "EPSG:4326", precision)


@dataclass(frozen=True)
class _Value:
    number: float
    axis: Axis | None
    step: float  # what one unit of the last digit is worth, in the value's own unit


def _value(pair: re.Match[str], which: str) -> _Value | None:
    """One of the two numbers; None when its letters contradict each other."""
    words = [_AXIS[word] for word in (pair["before" + which], pair["after" + which]) if word]
    if len({axis for axis, _ in words}) > 1:
        return None
    number, step = float(pair["whole" + which]), _step(pair["whole" + which])
    for part, share in (("minutes", 60.0), ("seconds", 3600.0)):
        if digits := pair[part + which]:
            if float(digits) >= 60.0:
                return None
            number += float(digits) / share if number >= 0.0 else -float(digits) / share
            step = _step(digits) / share
    for _, sign in words:
        number *= sign
    return _Value(number, words[0][0] if words else None, step)


def _step(digits: str) -> float:
    return 10.0 ** -len(digits.partition(".")[2])


def _guess_frame(first: float, second: float) -> Frame | None:
    """The frame in which two bare numbers can be a place: degrees, or metres told apart by their size."""
    low, high = sorted((abs(first), abs(second)))
    if high <= 180.0:
        return "EPSG:4326"
    if not 2_000_000.0 < low < 6_000_000.0:
        return "EPSG:4549" if 100_000.0 < low < 900_000.0 and 2_000_000.0 < high < 6_000_000.0 else None
    for prefix, frame in ((40, "EPSG:4528"), (41, "EPSG:4529")):
        if prefix * 1e6 < high < (prefix + 1) * 1e6:
            return parse_frame(frame)
    return "EPSG:3857" if 8_000_000.0 < high < 15_100_000.0 else None


def _spot(first: _Value, second: _Value, frame: Frame, *, sure: bool) -> Spot | None:
    if first.axis is not None and first.axis == second.axis:
        return None
    degrees = frame in ("EPSG:4326", "EPSG:4490", "GCJ-02", "BD-09")
    x, y = _in_order(first, second, degrees=degrees, frame=frame)
    lon_, lat_ = convert(x, y, source=frame)
    lon, lat = float(lon_), float(lat_)
    if not (abs(lon) <= 180.0 and abs(lat) <= 90.0):  # NaN is not
        return None
    lettered = first.axis is not None or second.axis is not None
    whole = max(first.step, second.step) >= 1.0
    if degrees and whole and not (sure or lettered) and not _in_china(lon, lat):
        return None  # two small whole numbers are more likely to be something else
    step_m = max(first.step, second.step) * (111_195.0 if degrees else 1.0)
    if frame in ("GCJ-02", "BD-09"):
        step_m = max(step_m, 2.0)  # the public formulas stand 1-2 m off the true shift
    return Spot(lon, lat, frame, _precision(step_m))


def _in_order(first: _Value, second: _Value, *, degrees: bool, frame: Frame) -> tuple[float, float]:
    """The pair as lon, lat or easting, northing."""
    if first.axis == "lat" or second.axis == "lon":
        return second.number, first.number
    if first.axis == "lon" or second.axis == "lat":
        return first.number, second.number
    if degrees:
        turned = abs(first.number) <= 90.0 < abs(second.number)
    elif frame in ("EPSG:4549", "EPSG:4550"):
        turned = first.number > 1_000_000.0 > second.number
    else:  # the zone number and the meridian alike make the easting the larger one in China
        turned = first.number < second.number
    return (second.number, first.number) if turned else (first.number, second.number)


def _in_china(lon: float, lat: float) -> bool:
    return SHIFTED.west <= lon <= SHIFTED.east and SHIFTED.south <= lat <= SHIFTED.north


def _precision(step_m: float) -> str:
    classes = ((1.2, "A"), (12.0, "B"), (120.0, "C"), (1_200.0, "grid"), (12_000.0, "town"))
    return next((name for limit, name in classes if step_m <= limit), "county")
