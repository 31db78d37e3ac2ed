"""Folium without its two dangers: files fetched from elsewhere, and records that are run as templates."""

from __future__ import annotations

from typing import Any

import folium
from branca.element import Element, Figure, MacroElement


class _Text(Element):
    """Text that is written as it stands."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **_: Any) -> str:
        """The text."""
        return self.text


class _Once(MacroElement):
    """Renders its macros once.

    branca makes the result of every macro into a template again and renders that too: a record called `{{ 7*7 }}` would
    be computed, by an engine that reaches the whole of Python.
    """

    def render(self, **kwargs: Any) -> str:
        """Put the parts of the page into its figure; nothing is left to be written here."""
        figure = self.get_root()
        assert isinstance(figure, Figure)
        macros = vars(self._template.module)
        for part in ("header", "html", "script"):
            if (macro := macros.get(part)) is not None:
                getattr(figure, part).add_child(_Text(macro(self, kwargs)), name=self.get_name())
        for child in self._children.values():
            child.render(**kwargs)
        return ""


# Each asks its parents to render, in the order of their kinds: `_Once` answers before MacroElement would.
class Map(folium.Map, _Once):
    """A map that loads nothing: the page that holds it brings Leaflet."""

    default_js: list[tuple[str, str]] = []
    default_css: list[tuple[str, str]] = []


class Records(folium.GeoJson, _Once):
    """Features whose texts stay texts."""


class Switches(folium.LayerControl, _Once):
    """The switches of the layers; their names are markup, so escape them."""
