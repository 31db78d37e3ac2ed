"""Values become pictures: colours along a ramp, hill shading, and PNG or WebP."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rio_tiler.utils import render

from gis.raster import Values
from gis.tilegrid import Tile, bounds_lonlat

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]
ImageKind = Literal["png", "webp"]

_EQUATOR_M = 2.0 * math.pi * 6378137.0
# Azimuth and weight of the lights: the cartographer's north-west, and weaker ones beside it, so that ridges that run
# towards the main light show, too.
_LIGHTS = ((315.0, 0.6), (270.0, 0.2), (0.0, 0.2))
_HEIGHT_OF_LIGHT = 45.0
_SKY = 0.3
_WEBP_QUALITY = 88


@dataclass(frozen=True)
class Paint:
    """Which value has which colour.

    Between two stops colours blend; with `steps` a stop is the lower end of a class of one colour. `shade` gives the
    surface light and shadow: the values are heights in metres.
    """

    stops: tuple[float, ...]
    colours: tuple[Colour, ...]
    steps: bool = False
    shade: bool = False


def painted(values: Values, paint: Paint) -> tuple[Picture, Picture]:
    """The colours (3, h, w) of values (h, w), and the mask (h, w) that is 0 where a value is NaN and 255 elsewhere."""
    known = np.isfinite(values)
    table = np.array(paint.colours, dtype=np.float64)
    if paint.steps:
        which = np.searchsorted(paint.stops, np.where(known, values, paint.stops[0]), side="right") - 1
        rgb = np.moveaxis(table[which.clip(0)], -1, 0)
    else:
        filled = np.where(known, values, paint.stops[0])
        rgb = np.stack([np.interp(filled, paint.stops, table[:, band]) for band in range(3)])
    return np.round(rgb).astype(np.uint8), np.where(known, 255, 0).astype(np.uint8)


def shaded(picture: Picture, heights: Values, *, pixel_m: float) -> Picture:
    """The picture (3, h, w) lit from the north-west; `heights` (h + 2, w + 2) in metres reach one pixel further."""
    light = hillshade(heights, pixel_m=pixel_m, exaggeration=_exaggeration(pixel_m))
    return np.round(np.clip(picture * light, 0.0, 255.0)).astype(np.uint8)


def hillshade(heights: Values, *, pixel_m: float, exaggeration: float = 1.0) -> Values:
    """How light each pixel but the outermost is, 1 on flat ground and where a neighbour is unknown (NaN).

    Lambert's cosine of the angle between the light and the surface's normal, which has the slopes that Zevenbergen and
    Thorne (1987) take from the four neighbours; the exaggeration is felt less where the ground is steep already.
    """
    east = (heights[1:-1, 2:] - heights[1:-1, :-2]) / (2.0 * pixel_m)
    north = (heights[:-2, 1:-1] - heights[2:, 1:-1]) / (2.0 * pixel_m)
    steeper = exaggeration / (1.0 + np.hypot(east, north) * (exaggeration - 1.0))
    east, north = east * steeper, north * steeper
    rise, run = math.sin(math.radians(_HEIGHT_OF_LIGHT)), math.cos(math.radians(_HEIGHT_OF_LIGHT))
    length = np.sqrt(east**2 + north**2 + 1.0)
    total = np.zeros_like(east)
    for azimuth, weight in _LIGHTS:
        way = math.radians(azimuth)
        facing = rise - run * (east * math.sin(way) + north * math.cos(way))
        total += weight * np.clip(facing / length, 0.0, None)
    # The sky lights what the sun does not: no shadow is black.
    return np.where(np.isfinite(total), _SKY + (1.0 - _SKY) * total / rise, 1.0)


def pixel_size_m(tile: Tile, *, side_px: int) -> float:
    """The side of a pixel in metres on the ground, in the middle of a tile."""
    box = bounds_lonlat(tile)
    return _EQUATOR_M / (side_px << tile.z) * math.cos(math.radians((box.south + box.north) / 2.0))


def encoded(picture: Picture, mask: Picture, *, kind: ImageKind, exact: bool) -> bytes:
    """The picture as PNG or WebP, transparent where the mask is 0; a WebP loses nothing where it must be `exact`."""
    options: dict[str, Any] = {}
    if kind == "webp":
        options = {"lossless": True} if exact else {"quality": _WEBP_QUALITY}
    return bytes(render(picture, mask=mask, img_format=kind, **options))


def _exaggeration(pixel_m: float) -> float:
    """Seen from afar, ground must be steeper than it is to show its form at all."""
    return min(24.0, max(1.5, pixel_m / 10.0))
