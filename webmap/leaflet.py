"""Leaflet as the build left it, to be written into pages that open on a closed network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layers.errors import LayersError

DIST: Final = Path(__file__).parent / "dist" / "leaflet"


class MapNotBuilt(LayersError):
    """The files that the build of the web map makes are not there."""


@dataclass(frozen=True)
class Leaflet:
    """Its program and its style sheet, pictures and all."""

    script: str
    style: str


def leaflet(dist: Path = DIST) -> Leaflet:
    """Read from the built web map; MapNotBuilt says how to make it."""
    try:
        script, style = ((dist / name).read_text(encoding="utf-8") for name in ("leaflet.js", "leaflet.css"))
    except FileNotFoundError as error:
        reason = "the web map is not built, and pages take Leaflet from it: run `npm ci && npm run build` in webmap/"
        raise MapNotBuilt(reason) from error
    return Leaflet(script, style)
