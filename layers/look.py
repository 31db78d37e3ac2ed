"""How a layer is drawn: a look names roles, a palette gives colours, and style and legend come from the same value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from layers.palette import Role, colours
from layers.shapes import OUTLINES, RADIUS_PX, Outline, Shape, image, outline_px

Expression = list[Any]


@dataclass(frozen=True)
class Look:
    """Drawn as `circle`, `line`, `fill` or `outline`, in one colour or by the values of a column.

    `by` pairs values of the column `column` with roles, in the order of the legend; other values take `role`.
    `size` pairs zooms with pixels (radius or line width). `ground` fills an outline from below. Names are written from
    zoom `label_from` up to `label_to`, in `label_role` and, by zoom, `label_size` pixels; where they do not all fit,
    those with more in the column `label_first` win. A `shape` instead of the circle tells a layer of few records from
    its neighbours without colour; beyond some 20,000 in one view circles are drawn much faster.
    """

    kind: Literal["circle", "line", "fill", "outline"]
    role: Role = "series1"
    column: str | None = None
    by: tuple[tuple[str, Role], ...] = ()
    size: tuple[tuple[float, float], ...] = ((10, 2.0), (18, 7.0))
    opacity: float = 0.85
    ground: Role | None = None
    label_from: float | None = None
    label_to: float = 24.0
    label_role: Role = "quiet"
    label_size: tuple[tuple[float, float], ...] = ((8, 12.0), (16, 14.0))
    label_first: str | None = None
    heading: str | None = None
    shape: Shape | None = None

    def __post_init__(self) -> None:
        """Refuse a shape of what is no point."""
        if self.shape is not None and self.kind != "circle":
            raise ValueError(f"a look of kind {self.kind!r} has no shape")

    @property
    def mark(self) -> str:
        """What stands for a record in a legend: its shape, or else the kind of the look."""
        return self.shape or self.kind


def colour(look: Look, palette: str) -> str | Expression:
    """The colour of a look as a MapLibre expression."""
    roles = colours(palette)
    if not look.by or look.column is None:
        return roles[look.role]
    pairs: Expression = []
    for value, role in look.by:
        pairs += [value, roles[role]]
    return ["match", ["to-string", ["get", look.column]], *pairs, roles[look.role]]


def _by_zoom(stops: tuple[tuple[float, float], ...]) -> Expression:
    flat = [part for stop in stops for part in stop]
    return ["interpolate", ["exponential", 1.6], ["zoom"], *flat]


# Records per km², on a logarithmic scale: the same legend at every zoom, since a cell's area is known.
DENSITY_STOPS: tuple[float, ...] = (1, 10, 100, 1_000, 10_000)


def density_colour(palette: str) -> Expression:
    """Colour of an H3 cell by its `d`, records per km²."""
    roles = colours(palette)
    stops: Expression = []
    for exponent in range(len(DENSITY_STOPS)):
        stops += [exponent, roles[f"ramp{exponent + 1}"]]
    return ["interpolate", ["linear"], ["log10", ["max", ["get", "d"], 1]], *stops]


def _fainter_from_afar(look: Look) -> Expression:
    """Where circles crowd together they step back, so that a street reads as a street and not as a neon tube."""
    first = look.size[0][0]
    return ["interpolate", ["linear"], ["zoom"], first, look.opacity * 0.6, first + 3, look.opacity]


def _drawn(look: Look, palette: str) -> dict[str, Any]:
    roles = colours(palette)
    if look.shape is not None:
        return _shaped(look, look.shape, palette)
    if look.kind == "circle":
        return {
            "type": "circle",
            "paint": {
                "circle-color": colour(look, palette),
                "circle-radius": _by_zoom(look.size),
                "circle-opacity": _fainter_from_afar(look),
                "circle-stroke-color": roles["halo"],
                "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 13, 0, 16, 1],
            },
        }
    if look.kind == "fill":
        return {
            "type": "fill",
            "paint": {
                "fill-color": colour(look, palette),
                "fill-opacity": look.opacity,
                "fill-outline-color": roles["edge"],
            },
        }
    return {
        "type": "line",
        "layout": {"line-join": "round", "line-cap": "round"},
        "paint": {
            "line-color": colour(look, palette),
            "line-width": _by_zoom(look.size),
            "line-opacity": look.opacity,
        },
    }


def _shaped(look: Look, shape: Shape, palette: str) -> dict[str, Any]:
    """Every record is drawn, over whatever is there: a symbol that gives way to another would be a record denied."""
    return {
        "type": "symbol",
        "layout": {
            "icon-image": image(shape),
            "icon-size": _by_zoom(tuple((zoom, radius / RADIUS_PX) for zoom, radius in look.size)),
            "icon-allow-overlap": True,
            "icon-ignore-placement": True,
            "icon-padding": 0,
            # As the tile has them: sorting by height on the screen would cost at every move.
            "symbol-z-order": "source",
        },
        "paint": {
            "icon-color": colour(look, palette),
            "icon-opacity": look.opacity,
            "icon-halo-color": colours(palette)["halo"],
            "icon-halo-width": ["interpolate", ["linear"], ["zoom"], 8, 0.6, 16, 1.2],
        },
    }


def _labels(name: str, text: Expression, look: Look, palette: str) -> dict[str, Any]:
    roles = colours(palette)
    point_or_line = look.kind in ("circle", "line")
    assert look.label_from is not None
    # MapLibre places lower keys first.
    most_first: Expression = ["-", 0, ["coalesce", ["get", look.label_first], 0]]
    first = {} if look.label_first is None else {"symbol-sort-key": most_first}
    sizes = [part for stop in look.label_size for part in stop]
    return {
        "id": f"{name}-label",
        "type": "symbol",
        "source": "city",
        # Areas are named once, at a point inside them, not once a tile.
        "source-layer": name if point_or_line else f"{name}_label",
        "minzoom": look.label_from,
        "maxzoom": look.label_to,
        "layout": {
            "text-field": text,
            "text-font": ["City Sans"],
            "text-size": ["interpolate", ["linear"], ["zoom"], *sizes],
            "symbol-placement": "line" if look.kind == "line" else "point",
            "text-padding": ["interpolate", ["linear"], ["zoom"], *(part for stop in _ROOM_PX for part in stop)],
            **({"symbol-spacing": _ALONG_PX} if look.kind == "line" else {}),
            **_beside(look),
            **first,
        },
        "paint": {"text-color": roles[look.label_role], "text-halo-color": roles["halo"], "text-halo-width": 2.2},
        "metadata": {"chengtu:layer": name, "chengtu:part": "label"},
    }


# Room that a name keeps around itself: a few well-chosen ones from afar, more close up.
_ROOM_PX: tuple[tuple[float, float], ...] = ((9, 14), (12, 40), (14, 40), (16, 12))
# From one name of a line to its next: a street is named where one looks for it, not at every corner.
_ALONG_PX = 420
_GAP_PX = 4.0


def _beside(look: Look) -> dict[str, Any]:
    """A point's name stands beside its symbol, on whichever side is free; a line's and an area's in its middle."""
    if look.kind != "circle":
        return {}
    stops: Expression = []
    for zoom, room in _ROOM_PX:
        # MapLibre moves a name aside by the room around it, too: that is taken back, or it would stand far off.
        away = round((_at(look.size, zoom) + _GAP_PX - room) / _at(look.label_size, zoom), 2)
        sides = {"left": [away, 0], "right": [-away, 0], "top": [0, away], "bottom": [0, -away]}
        stops += [zoom, ["literal", [part for side in sides.items() for part in side]]]
    return {"text-variable-anchor-offset": ["interpolate", ["linear"], ["zoom"], *stops], "text-justify": "auto"}


def _at(stops: tuple[tuple[float, float], ...], zoom: float) -> float:
    """A value between its stops, near enough."""
    zooms, values = zip(*stops, strict=True)
    return float(np.interp(zoom, zooms, values))


def style_layers(name: str, labels: tuple[str, ...], look: Look, palette: str, *, minzoom: int) -> list[dict[str, Any]]:
    """The MapLibre layers of one city layer: H3 cells below `minzoom`, ground, records, and their names.

    A record is called by the first of the columns `labels` that it has.
    """
    parts: list[dict[str, Any]] = []
    if minzoom > 6:
        parts.append(
            {
                "id": f"{name}-cells",
                "type": "fill",
                "source": "city",
                "source-layer": f"{name}_cells",
                "maxzoom": minzoom,
                "paint": {"fill-color": density_colour(palette), "fill-opacity": 0.85, "fill-antialias": False},
                "metadata": {"chengtu:layer": name, "chengtu:part": "cells"},
            }
        )
    if look.ground is not None:
        parts.append(
            {
                "id": f"{name}-ground",
                "type": "fill",
                "source": "city",
                "source-layer": name,
                "minzoom": minzoom,
                "paint": {"fill-color": colours(palette)[look.ground], "fill-antialias": False},
                "metadata": {"chengtu:layer": name, "chengtu:part": "ground"},
            }
        )
    parts.append(
        {
            "id": f"{name}-{look.kind}",
            "source": "city",
            "source-layer": name,
            "minzoom": minzoom,
            **_drawn(look, palette),
            "metadata": {"chengtu:layer": name, "chengtu:part": "record"},
        }
    )
    if look.label_from is not None:
        parts.append(_labels(name, ["coalesce", *(["get", column] for column in labels)], look, palette))
    return parts


def shapes_of(looks: Iterable[Look]) -> dict[str, Outline]:
    """The outlines of the images that the styles of these looks name, in pixels at their natural size."""
    found = sorted({look.shape for look in looks if look.shape is not None})
    return {image(shape): outline_px(shape) for shape in found}


def legend(
    look: Look, words: dict[str, dict[str, str]], palette: str, *, complete: bool = False
) -> list[dict[str, Any]]:
    """The rows of the legend: value, colour, shape (with its outline) and words; `words` maps a value to its names.

    Where the look is `complete`, no record can have another value than those of its rows.
    """
    roles = colours(palette)
    outline = {} if look.shape is None else {"outline": OUTLINES[look.shape]}
    if not look.by:
        return [{"value": None, "colour": roles[look.role], "shape": look.mark, **outline}]
    rows: list[tuple[str | None, Role, dict[str, str]]] = [
        (value, role, words.get(value, {"zh": value, "en": value})) for value, role in look.by
    ]
    if not complete:
        rows.append((None, look.role, {"zh": "其他", "en": "other"}))
    return [
        {"value": value, "colour": roles[role], "shape": look.mark, "title": title, **outline}
        for value, role, title in rows
    ]
