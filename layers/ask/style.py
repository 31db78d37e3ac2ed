"""A MapLibre style and a TileJSON made from the layers: the map draws what the catalogue declares, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from layers.ask.tile import DEEPEST, MIN_ZOOM, label_columns
from layers.look import shapes_of, style_layers
from layers.palette import colours
from layers.spec import Layer

Bounds = tuple[float, float, float, float]
# The server joins no more than 20 layers in a tile; fewer keep a tile small.
_TOGETHER = 10


def tilejson(layers: Sequence[Layer], *, bounds: Bounds) -> dict[str, Any]:
    """TileJSON 3.0 of the composite tiles of these layers; the template is relative to the server's root."""
    return {
        "tilejson": "3.0.0",
        "name": ",".join(layer.name for layer in layers),
        "scheme": "xyz",
        "tiles": [tile_template(layers)],
        "minzoom": MIN_ZOOM,
        "maxzoom": DEEPEST,
        "bounds": list(bounds),
        "vector_layers": [entry for layer in layers for entry in _vector_layers(layer)],
    }


def tile_template(layers: Sequence[Layer]) -> str:
    """The URL template of the composite tiles of these layers."""
    return f"/tiles/{','.join(layer.name for layer in layers)}/{{z}}/{{x}}/{{y}}.mvt"


def _vector_layers(layer: Layer) -> list[dict[str, Any]]:
    fields = {"id": "String"} | {f.name: _TYPES.get(f.kind, "String") for f in layer.fields if f.tile}
    entries = [{"id": layer.name, "fields": fields, "minzoom": layer.minzoom, "maxzoom": DEEPEST}]
    entries.append({"id": f"{layer.name}_cut", "fields": {"n": "Number"}, "minzoom": layer.minzoom, "maxzoom": DEEPEST})
    if layer.minzoom > MIN_ZOOM:
        cells = {"id": "String", "n": "Number", "d": "Number"}
        below = layer.minzoom - 1
        entries.append({"id": f"{layer.name}_cells", "fields": cells, "minzoom": MIN_ZOOM, "maxzoom": below})
    if layer.geometry == "MultiPolygon" and layer.look.label_from is not None:
        kinds = {f.name: _TYPES.get(f.kind, "String") for f in layer.fields}
        names = {"id": "String"} | {name: kinds[name] for name in label_columns(layer)}
        entries.append({"id": f"{layer.name}_label", "fields": names, "minzoom": layer.minzoom, "maxzoom": DEEPEST})
    return entries


_TYPES = {"integer": "Number", "number": "Number", "boolean": "Boolean"}


def style(layers: Sequence[Layer], palette: str, *, lang: str, bounds: Bounds) -> dict[str, Any]:
    """A whole style: background and ground, cells and records of every layer from the bottom up, then all names."""
    roles = colours(palette)
    sources, drawn = {}, []
    for number, some in enumerate(_batches(layers), start=1):
        source = "city" if number == 1 else f"city-{number}"
        sources[source] = _source(some, bounds)
        for layer in some:
            parts = style_layers(layer.name, layer.labels(lang), layer.look, palette, minzoom=layer.minzoom)
            drawn += [{**part, "source": source} for part in parts]
    names = [part for part in drawn if part["metadata"]["chengtu:part"] == "label"]
    ground = [part for part in drawn if part["metadata"]["chengtu:part"] == "ground"]
    rest = [part for part in drawn if part["metadata"]["chengtu:part"] not in ("label", "ground")]
    return {
        "version": 8,
        "name": f"chengtu {palette}",
        "metadata": {
            "chengtu:palette": roles,
            "chengtu:lang": lang,
            "chengtu:shapes": shapes_of(layer.look for layer in layers),
        },
        "sources": sources,
        "layers": [
            {"id": "background", "type": "background", "paint": {"background-color": roles["background"]}},
            *ground,
            *rest,
            *names,
        ],
    }


def _batches(layers: Sequence[Layer]) -> Iterator[Sequence[Layer]]:
    return (layers[start : start + _TOGETHER] for start in range(0, len(layers), _TOGETHER))


def _source(layers: Sequence[Layer], bounds: Bounds) -> dict[str, Any]:
    return {
        "type": "vector",
        "tiles": [tile_template(layers)],
        "minzoom": MIN_ZOOM,
        "maxzoom": DEEPEST,
        "bounds": list(bounds),
        "promoteId": "id",
    }
