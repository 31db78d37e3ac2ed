"""What a topic (专题) is: which layers the one map shows and how, and which panels stand beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

from layers.ask.clauses import Conditions, told
from layers.ask.indicator.indicator import AREAS
from layers.spec import Access, Layer, Title

LookName = Literal["symbol", "cells", "heat", "grid", "town", "county"]
LOOKS: tuple[LookName, ...] = get_args(LookName)
PanelKind = Literal["figures", "bars", "series", "table", "statuses", "legend"]
KINDS: tuple[PanelKind, ...] = get_args(PanelKind)


_CELLS_BELOW = 6  # layers with records from this zoom on are never counted in cells


def looks_of(layer: Layer) -> list[LookName]:
    """The looks that make sense, as the map offers them: no heat of lines and surfaces, no shares of areas in areas."""
    cells: list[LookName] = ["cells"] if layer.minzoom > _CELLS_BELOW else []
    heat: list[LookName] = ["heat"] if layer.geometry.endswith("Point") else []
    areas: list[LookName] = ["grid", "town", "county"]
    counted = layer.group != "area" and not layer.geometry.endswith("LineString")
    return ["symbol", *cells, *heat, *(areas if counted else [])]


class Figure(Protocol):
    """What topics need to know of an indicator."""

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that it counts or measures."""

    @property
    def by(self) -> tuple[str, ...]:
        """The areas and columns by which it can be told apart."""


@dataclass(frozen=True)
class Shown:
    """One layer of a topic: as it declares itself, or in another look, fainter, or only some of its records."""

    layer: str
    look: LookName | None = None
    opacity: float | None = None
    conditions: Conditions = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """Records that cannot wait: a wall goes to one of this layer that comes to meet the conditions."""

    layer: str
    conditions: Conditions


@dataclass(frozen=True)
class Panel:
    """One panel; which of the parts it has follows from its kind."""

    kind: PanelKind
    title: Title | None = None
    indicators: tuple[str, ...] = ()
    layer: str | None = None
    column: str | None = None
    by: str | None = None
    top: int | None = None
    days: int | None = None


@dataclass(frozen=True)
class View:
    """Where the map opens: lon, lat and zoom."""

    lon: float
    lat: float
    zoom: float


@dataclass(frozen=True)
class Topic:
    """An arrangement of the page; `layers` are in drawing order, bottom first, `panels` from the top."""

    name: str
    title: Title
    about: Title
    layers: tuple[Shown, ...]
    panels: tuple[Panel, ...] = ()
    rasters: tuple[str, ...] = ()
    density: str | None = None
    view: View | None = None
    refresh_s: int = 60
    wall_s: int | None = None
    events: tuple[Event, ...] = ()
    access: Access = Access()


@dataclass(frozen=True)
class There:
    """What there is for whoever asks: layers with data, rasters, indicators."""

    layers: Collection[str]
    rasters: Collection[str]
    indicators: Mapping[str, Figure]

    def figures(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the indicators that can be told."""
        return tuple(n for n in names if n in self.indicators and set(self.indicators[n].layers) <= set(self.layers))


def arranged(topic: Topic, there: There) -> dict[str, Any] | None:
    """The topic as JSON without what is not there; None when not one of its layers is."""
    layers = [shown for shown in topic.layers if shown.layer in there.layers]
    if not layers:
        return None
    panels = [told_panel for panel in topic.panels if (told_panel := _panel(panel, there)) is not None]
    view = topic.view
    return {
        "name": topic.name,
        "title": topic.title._asdict(),
        "about": topic.about._asdict(),
        "access": topic.access.view,
        "view": None if view is None else {"lon": view.lon, "lat": view.lat, "zoom": view.zoom},
        "refresh_s": topic.refresh_s,
        "layers": [_shown(shown) for shown in layers],
        "rasters": [name for name in topic.rasters if name in there.rasters],
        "density": topic.density if topic.density in {shown.layer for shown in layers} else None,
        "panels": panels,
        "events": [_event(event) for event in topic.events if event.layer in there.layers],
        "wall": None if topic.wall_s is None else {"seconds": topic.wall_s},
    }


def _event(event: Event) -> dict[str, Any]:
    return {"layer": event.layer, "conditions": told(event.conditions)}


def _shown(shown: Shown) -> dict[str, Any]:
    more = {"look": shown.look, "opacity": shown.opacity, "conditions": told(shown.conditions) or None}
    return {"layer": shown.layer, **{key: value for key, value in more.items() if value is not None}}


def _panel(panel: Panel, there: There) -> dict[str, Any] | None:
    indicators = there.figures(panel.indicators)
    if panel.indicators and not indicators or panel.layer is not None and panel.layer not in there.layers:
        return None
    if panel.by in AREAS and panel.by not in there.layers:
        return None
    several = panel.kind in ("figures", "table")
    said: dict[str, Any] = {
        "title": panel.title and panel.title._asdict(),
        "indicators": list(indicators) if several else None,
        "indicator": indicators[0] if indicators and not several else None,
        **{name: getattr(panel, name) for name in ("by", "top", "days", "layer", "column")},
    }
    return {"kind": panel.kind, **{key: value for key, value in said.items() if value is not None}}
