"""A topic's file, read and held against the layers, rasters and indicators that there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layers.ask.clauses import read_conditions
from layers.ask.filter import queryables
from layers.declared import Written, close_to, read_declaration
from layers.errors import BadDeclaration
from layers.spec import Access, Layer, Title
from layers.topics.topic import KINDS, LOOKS, Event, Figure, LookName, Panel, PanelKind, Shown, Topic, View, looks_of

NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,40}")
MOST_LAYERS, MOST_PANELS, _MOST_FIGURES, _MOST_EVENTS = 30, 12, 8, 12
_REQUIRED: Final = ("title", "about", "access", "layers")
_OPTIONAL: Final = ("panels", "rasters", "density", "view", "refresh_s", "wall", "events")
_VIEWS: Final = ("public", "internal")
_DEFAULT_TOP, _DEFAULT_DAYS = 8, 30
_WHEN_THERE: Final = "when_there"


@dataclass(frozen=True)
class Known:
    """What a topic may name."""

    layers: Mapping[str, Layer]
    rasters: Collection[str]
    indicators: Mapping[str, Figure]


def read_topic(path: Path, known: Known) -> Topic:
    """The topic of a file `NAME.yaml`; BadDeclaration names the line that cannot be used, and why."""
    if not NAME.fullmatch(path.stem):
        raise BadDeclaration(path, None, "a topic is named in lower-case letters, digits and -, 41 at most")
    given = read_declaration(path).section(required=_REQUIRED, optional=_OPTIONAL)
    layers = _layers(given["layers"], known)
    return Topic(
        name=path.stem,
        title=given["title"].title(),
        about=given["about"].title(),
        access=Access(view=given["access"].one_of(_VIEWS, "access"), edit="nobody"),
        layers=layers,
        panels=_panels(given["panels"], known) if "panels" in given else (),
        rasters=_rasters(given["rasters"], known) if "rasters" in given else (),
        density=_density(given["density"], layers) if "density" in given else None,
        view=_view(given["view"]) if "view" in given else None,
        refresh_s=given["refresh_s"].whole(5, 3600) if "refresh_s" in given else Topic.refresh_s,
        wall_s=_wall(given["wall"]) if "wall" in given else None,
        events=_events(given["events"], known) if "events" in given else (),
    )


def _layers(written: Written, known: Known) -> tuple[Shown, ...]:
    found: dict[str, Shown] = {}
    for entry in written.entries(most=MOST_LAYERS):
        shown = _shown(entry, known)
        if shown.layer in found:
            raise entry.error(f"the layer {shown.layer!r} is shown already")
        found[shown.layer] = shown
    return tuple(found.values())


def _shown(written: Written, known: Known) -> Shown:
    given = written.section(required=("layer",), optional=("look", "opacity", "conditions", _WHEN_THERE))
    name = _named(given["layer"], known.layers, "layer", later=_later(given))
    return Shown(
        layer=name,
        look=_look(given["look"], known.layers.get(name)) if "look" in given else None,
        opacity=given["opacity"].number(0.05, 1) if "opacity" in given else None,
        conditions=read_conditions(given["conditions"], known.layers.get(name)) if "conditions" in given else {},
    )


def _look(written: Written, layer: Layer | None) -> LookName:
    look = written.one_of(LOOKS, "look")
    if layer is not None and look not in (fit := looks_of(layer)):
        raise written.error(f"the layer {layer.name!r} cannot be looked at as {look!r}; there are: {', '.join(fit)}")
    return look


def _later(given: Mapping[str, Written]) -> bool:
    return _WHEN_THERE in given and given[_WHEN_THERE].flag()


def _named(written: Written, known: Collection[str], what: str, *, later: bool) -> str:
    """A name that is known, or may become known `later`."""
    name = written.text()
    if name not in known and not later:
        hint = f"say `{_WHEN_THERE}: true` if it comes later"
        raise written.error(f"there is no {what} {name!r}{close_to(name, known) or '; ' + hint}")
    return name


def _rasters(written: Written, known: Known) -> tuple[str, ...]:
    found = []
    for entry in written.entries():
        given = entry.section(required=("raster",), optional=(_WHEN_THERE,))
        found.append(_named(given["raster"], known.rasters, "raster", later=_later(given)))
    return tuple(dict.fromkeys(found))


def _density(written: Written, layers: tuple[Shown, ...]) -> str:
    return written.one_of([shown.layer for shown in layers], "layer of this topic")


def _view(written: Written) -> View:
    given = written.section(required=("lon", "lat", "zoom"))
    return View(given["lon"].number(-180, 180), given["lat"].number(-85, 85), given["zoom"].number(0, 24))


def _wall(written: Written) -> int:
    return written.section(required=("seconds",))["seconds"].whole(5, 3600)


def _events(written: Written, known: Known) -> tuple[Event, ...]:
    return tuple(_event(entry, known) for entry in written.entries(most=_MOST_EVENTS))


def _event(written: Written, known: Known) -> Event:
    given = written.section(required=("layer", "conditions"), optional=(_WHEN_THERE,))
    name = _named(given["layer"], known.layers, "layer", later=_later(given))
    return Event(name, read_conditions(given["conditions"], known.layers.get(name)))


def _panels(written: Written, known: Known) -> tuple[Panel, ...]:
    return tuple(_panel(entry, known) for entry in written.entries(most=MOST_PANELS))


def _panel(written: Written, known: Known) -> Panel:
    kinds = [value for key, value in written.pairs() if key.text() == "kind"]
    if not kinds:
        raise written.error("the key 'kind' is missing")
    kind = kinds[0].one_of(KINDS, "kind of panel")
    required, optional = _KEYS[kind]
    given = written.section(required=("kind", *required), optional=("title", _WHEN_THERE, *optional))
    return _READERS[kind](kind, given, known)


def _figures(kind: PanelKind, given: Mapping[str, Written], known: Known) -> Panel:
    entries = given["indicators"].entries(most=_MOST_FIGURES)
    names = tuple(_named(each, known.indicators, "indicator", later=_later(given)) for each in entries)
    by = None
    for each, name in zip(entries, names, strict=True):
        by = _by(given, known.indicators.get(name), each.text())
    return Panel(kind, _title(given), indicators=tuple(dict.fromkeys(names)), by=by)


def _ranked(kind: PanelKind, given: Mapping[str, Written], known: Known) -> Panel:
    name = _named(given["indicator"], known.indicators, "indicator", later=_later(given))
    by = _by(given, known.indicators.get(name), name)
    top = given["top"].whole(1, 50) if "top" in given else _DEFAULT_TOP
    days = given["days"].whole(2, 366) if "days" in given else _DEFAULT_DAYS
    bars = kind == "bars"
    return Panel(kind, _title(given), (name,), by=by, top=top if bars else None, days=None if bars else days)


def _statuses(kind: PanelKind, given: Mapping[str, Written], known: Known) -> Panel:
    name = _named(given["layer"], known.layers, "layer", later=_later(given))
    column = given["column"].text()
    layer = known.layers.get(name)
    if layer is not None:
        told = [q.name for q in queryables(layer).values() if q.book is not None or q.name == layer.classes]
        if column not in told:
            raise given["column"].error(f"layer {name!r} has no column {column!r} of states{close_to(column, told)}")
    return Panel(kind, _title(given), layer=name, column=column)


def _legend(kind: PanelKind, given: Mapping[str, Written], _: Known) -> Panel:
    return Panel(kind, _title(given))


def _title(given: Mapping[str, Written]) -> Title | None:
    return given["title"].title() if "title" in given else None


def _by(given: Mapping[str, Written], figure: Figure | None, name: str) -> str | None:
    if "by" not in given:
        return None
    by = given["by"].text()
    if figure is not None and by not in figure.by:
        raise given["by"].error(f"the indicator {name!r} is not told by {by!r}{close_to(by, figure.by)}")
    return by


# Of each kind of panel, the keys that it must have and those that it may have.
_KEYS: Final[dict[PanelKind, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "figures": (("indicators",), ()),
    "bars": (("indicator", "by"), ("top",)),
    "series": (("indicator",), ("days",)),
    "table": (("indicators", "by"), ()),
    "statuses": (("layer", "column"), ()),
    "legend": ((), ()),
}
_READERS: Final[dict[PanelKind, Callable[[PanelKind, Mapping[str, Written], Known], Panel]]] = {
    "figures": _figures,
    "bars": _ranked,
    "series": _ranked,
    "table": _figures,
    "statuses": _statuses,
    "legend": _legend,
}
