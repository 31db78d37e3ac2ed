"""Shapes of symbols: what tells layers apart without colour, as outlines that every drawer fills itself."""

from __future__ import annotations

import math
from typing import Final, Literal

Shape = Literal["square", "diamond", "triangle", "cross", "star"]
Outline = tuple[tuple[float, float], ...]

_SQUARE_OUT: Final = 1.27
_DIAMOND_HALF: Final = 1.25
_TRIANGLE_OUT: Final = 1.45
_CROSS_HALF, _CROSS_ARM = 1.2, 0.42
_STAR_OUT, _STAR_IN = 1.5, 0.72


def _around(*radii: float, corners: int, from_turn: float = 0.0) -> Outline:
    """Corners clockwise from the top, their radii taken in turn; `from_turn` is of a whole turn."""
    turns = [(radii[n % len(radii)], 2 * math.pi * (from_turn + n / corners)) for n in range(corners)]
    return tuple((round(r * math.sin(turn), 3), round(-r * math.cos(turn), 3)) for r, turn in turns)


def _cross() -> Outline:
    out, arm = _CROSS_HALF, _CROSS_ARM
    quarter = ((arm, -out), (arm, -arm), (out, -arm))
    turned = [
        (x, y)
        for cos, sin in ((1, 0), (0, 1), (-1, 0), (0, -1))
        for x, y in ((px * cos - py * sin, px * sin + py * cos) for px, py in quarter)
    ]
    return tuple(turned)


# Corners with x to the right and y downwards, in radii of the circle that a record would else be: about as much ink.
OUTLINES: Final[dict[Shape, Outline]] = {
    "square": _around(_SQUARE_OUT, corners=4, from_turn=1 / 8),
    "diamond": _around(_DIAMOND_HALF, corners=4),
    "triangle": _around(_TRIANGLE_OUT, corners=3),
    "cross": _cross(),
    "star": _around(_STAR_OUT, _STAR_IN, corners=10),
}
# An image of a symbol has as many pixels to the radius when it is drawn at its natural size.
RADIUS_PX: Final = 12


def image(shape: Shape) -> str:
    """The name of a shape's image in a style."""
    return f"shape-{shape}"


def outline_px(shape: Shape) -> Outline:
    """The corners of a shape's image at its natural size, from its middle."""
    return tuple((round(x * RADIUS_PX, 2), round(y * RADIUS_PX, 2)) for x, y in OUTLINES[shape])
