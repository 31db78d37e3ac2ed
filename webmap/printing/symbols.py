"""The shapes of symbols as MapLibre Native takes them: one picture of signed distances, and where each lies in it."""

from __future__ import annotations

import json
import math
import re
from functools import cache
from io import BytesIO
from typing import Any, Final

import numpy as np
import shapely
from PIL import Image

from layers.shapes import OUTLINES, image, outline_px

SPRITE: Final = "/sprites/shapes"
_ASKED: Final = re.compile(re.escape(SPRITE) + r"(?:@[1-4]x)?\.(json|png)")
# The renderer reads distances over so many pixels, and has the edge at three quarters of what a pixel can hold.
_SPREAD_PX: Final = 8
_EDGE: Final = 0.75


def symbols(path: str) -> bytes | None:
    """The answer to what the renderer asks of the shapes; None for any other path."""
    found = _ASKED.fullmatch(path)
    return None if found is None else _sheet()[found[1] == "png"]


@cache
def _sheet() -> tuple[bytes, bytes]:
    """The table and the picture, the same for every density: distances are drawn sharp at any size."""
    pictures = {image(shape): _distances(outline_px(shape)) for shape in OUTLINES}
    height = max(len(each) for each in pictures.values())
    table, columns, x = {}, [], 0
    for name, each in pictures.items():
        side = len(each)
        table[name] = {"x": x, "y": 0, "width": side, "height": side, "pixelRatio": 1, "sdf": True}
        columns.append(np.pad(each, ((0, height - side), (0, 0))))
        x += side
    alpha = np.concatenate(columns, axis=1)
    pixels = np.dstack([np.zeros((*alpha.shape, 3), np.uint8), alpha])
    out = BytesIO()
    Image.fromarray(pixels, "RGBA").save(out, "PNG")
    return json.dumps(table).encode(), out.getvalue()


def _distances(outline: tuple[tuple[float, float], ...]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """How far inside the outline every pixel of a square around it lies."""
    half = math.ceil(max(abs(value) for corner in outline for value in corner) + _SPREAD_PX)
    middles = np.arange(-half, half) + 0.5
    spots = shapely.points(*np.meshgrid(middles, middles))
    shape = shapely.Polygon(outline)
    from_edge = shapely.distance(spots, shape.exterior)
    outside = np.where(shapely.contains(shape, spots), -from_edge, from_edge)
    values: np.ndarray[Any, np.dtype[np.uint8]] = np.clip(np.rint(255 * (_EDGE - outside / _SPREAD_PX)), 0, 255).astype(
        np.uint8
    )
    return values
