"""A drawing in place of the picture of a made-up camera: horizon, bearings, buildings and names, and that it is one."""

from __future__ import annotations

import datetime as dt
from typing import Final
from xml.sax.saxutils import escape

from layers.ask.in_view import Block, Thing, View

WIDTH: Final = 960
HEIGHT: Final = 540
_HORIZON: Final = 270.0
_CAMERA_M: Final = 5.0  # where nobody recorded how high it hangs
_FLOOR_M: Final = 9.0  # the height drawn for a building whose own is not known
_CST: Final = dt.timezone(dt.timedelta(hours=8))
_POINTS: Final = ("北 N", "东北 NE", "东 E", "东南 SE", "南 S", "西南 SW", "西 W", "西北 NW")
_STEP_DEG: Final = 5
_LETTERS: Final = 14


def drawn(view: View, *, at: dt.datetime) -> str:
    """An SVG of what stands before the camera at a time, labelled as synthetic across its middle."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="City Sans, Noto Sans SC, Noto Sans CJK SC, sans-serif" font-size="18" fill="#d7dde5">',
        f"<title>{escape(f'合成画面 synthetic: {view.name or view.id}')}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#26303b"/>',
        f'<rect y="{_HORIZON}" width="{WIDTH}" height="{HEIGHT - _HORIZON}" fill="#1b222a"/>',
        *(_block(view, block) for block in view.blocks),
        f'<path d="M0 {_HORIZON}H{WIDTH}" stroke="#5b6875" stroke-dasharray="6 6"/>',
        *_names(view),
        *_bearings(view),
        _label(view, at),
        "</svg>",
    ]
    return "".join(parts)


def _x(view: View, turned_deg: float) -> float:
    return WIDTH * (0.5 + turned_deg / (view.hfov_deg or 90.0))


def _scale(view: View, distance_m: float) -> float:
    """Pixels for a metre, so far away, as of a lens of this width."""
    wide = min(view.hfov_deg or 90.0, 120.0)
    return WIDTH / (wide * 0.01745 * max(distance_m, 4.0))


def _block(view: View, block: Block) -> str:
    eye, pixels = view.mount_height_m or _CAMERA_M, _scale(view, block.distance_m)
    height = _FLOOR_M if block.height_m is None else block.height_m
    top = max(60.0, _HORIZON - (height - eye) * pixels)
    foot = min(HEIGHT - 70.0, _HORIZON + eye * pixels)
    left, right = _x(view, block.left_deg), _x(view, block.right_deg)
    shade = 62 + int(min(block.distance_m, 250.0) / 250.0 * 34)
    edge = ' stroke-dasharray="4 4"' if block.height_m is None else ""
    return (
        f'<rect x="{left:.1f}" y="{min(top, foot):.1f}" width="{max(2.0, right - left):.1f}" '
        f'height="{abs(foot - top):.1f}" fill="rgb({shade},{shade + 10},{shade + 22})" stroke="#8794a3"{edge}/>'
    )


def _names(view: View) -> list[str]:
    """Names at their direction, one below the other so that none covers another."""
    return [text for row, thing in enumerate(view.things) for text in _name(view, thing, row)]


def _name(view: View, thing: Thing, row: int) -> tuple[str, str]:
    x, y = _x(view, thing.turned_deg), 96 + row * 24
    name = thing.name if len(thing.name) <= _LETTERS else f"{thing.name[: _LETTERS - 1]}…"
    left = x > WIDTH * 0.6
    anchor, text_x = ("end", x - 6) if left else ("start", x + 6)
    return (
        f'<path d="M{x:.1f} {y - 12}V{_HORIZON}" stroke="#8794a3" stroke-width="1"/>',
        f'<text x="{text_x:.1f}" y="{y}" text-anchor="{anchor}">{escape(name)} {thing.distance_m:.0f} m</text>',
    )


def _bearings(view: View) -> list[str]:
    """The strip of directions along the upper edge; empty for a camera that does not tell where it looks."""
    if view.heading_deg is None or view.hfov_deg is None:
        return []
    half = view.hfov_deg / 2.0
    first = int(-(-(view.heading_deg - half) // _STEP_DEG)) * _STEP_DEG
    marks = []
    step = _STEP_DEG if view.hfov_deg <= 90.0 else 15
    for bearing in range(first, int(view.heading_deg + half) + 1, _STEP_DEG):
        if bearing % step:
            continue
        x, whole = _x(view, bearing - view.heading_deg), bearing % 360
        compass = _POINTS[whole // 45] if whole % 45 == 0 else f"{whole}°"
        marks.append(f'<path d="M{x:.1f} 0v10" stroke="#d7dde5"/>')
        if whole % 45 == 0 or whole % (2 * step) == 0:
            marks.append(f'<text x="{x:.1f}" y="30" text-anchor="middle" font-size="16">{compass}</text>')
    return marks


def _label(view: View, at: dt.datetime) -> str:
    seconds = at.astimezone(_CST).strftime("%Y-%m-%d %H:%M:%S")
    name = view.name or view.id
    return (
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 150}" text-anchor="middle" font-size="64" fill="#f2b84b" '
        'fill-opacity="0.9">合成画面 SYNTHETIC</text>'
        f'<rect y="{HEIGHT - 44}" width="{WIDTH}" height="44" fill="#11161b"/>'
        f'<text x="16" y="{HEIGHT - 15}" font-size="20">{escape(name[:40])}</text>'
        f'<text x="{WIDTH - 16}" y="{HEIGHT - 15}" text-anchor="end" font-size="20">{seconds} CST</text>'
    )
