"""One file per layer: drop one in and the whole system has it."""

from __future__ import annotations

import importlib
import pkgutil

from layers.spec import Layer, by_name


def built_in() -> dict[str, Layer]:
    """The layers that have a file here, by name, each drawn below the next."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    found = by_name(importlib.import_module(f"{__name__}.{name}").LAYER for name in sorted(names))
    return dict(sorted(found.items(), key=lambda pair: (_DRAWN.index(pair[1].geometry), pair[1].rank)))


_DRAWN = ("MultiPolygon", "MultiLineString", "Point")
