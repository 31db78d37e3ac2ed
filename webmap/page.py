"""A stand-alone page with a map (folium) of an answer: one file that opens on a closed network."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any, Final

import folium
import geopandas as gpd
import shapely
from branca.element import Figure
from folium.utilities import JsCode
from jinja2 import Environment, FileSystemLoader

from layers.codes.books import Language
from layers.export.sheet import Sheet
from layers.export.values import SHANGHAI, heading
from layers.palette import colours
from webmap.classes import PALETTE, Class, Classes, classes
from webmap.drawn import Drawn, drawn, light
from webmap.leaflet import leaflet
from webmap.verbatim import Map, Records, Switches

_PAGES: Final = Path(__file__).parent / "pages"
_TEMPLATES: Final = Environment(loader=FileSystemLoader(_PAGES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
_CLOSEST: Final = 17


class _Page(Figure):
    """The whole document; `page` is what its template is filled with."""

    _template = _TEMPLATES.get_template("page.jinja")

    def __init__(self, page: dict[str, Any]) -> None:
        super().__init__()
        self.page = page


def write(sheet: Sheet, path: Path, *, context: gpd.GeoDataFrame | None = None, lang: Language = "zh") -> None:
    """One HTML file with Leaflet, styles and records inside; MapNotBuilt where the web map was not built.

    `context` (lon, lat, with a column `name`) is outlined beneath the records. At most 20,000 records are drawn, in
    outlines of about 500,000 vertices; the page says what it leaves out. An answer without places becomes a table.
    """
    found = drawn(sheet, lang=lang)
    areas = bool((shapely.get_dimensions(found.shapes) == 2).any())
    legend = classes(sheet, found.table, areas=areas, lang=lang) if sheet.spatial and found.shown else None
    page = _Page(
        {
            "lang": lang,
            "sheet": sheet,
            "drawn": found,
            "legend": legend,
            "made_at": sheet.made_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"),
            "titles": [heading(column, lang) for column in sheet.columns],
            "measures": [column.kind in ("integer", "number") for column in sheet.columns],
            "credit": _credit(sheet, lang),
            "leaflet": leaflet(),
            "style": (_PAGES / "page.css").read_text(encoding="utf-8"),
            "script": (_PAGES / "page.js").read_text(encoding="utf-8"),
        }
    )
    if legend is not None:
        _map(found, legend, context, credit=_credit(sheet, lang)).add_to(page)
    path.write_text(page.render(), encoding="utf-8")


def _credit(sheet: Sheet, lang: Language) -> str:
    if sheet.attribution is None:
        return "城图 Chengtu"
    return f"城图 Chengtu · {sheet.attribution.zh if lang == 'zh' else sheet.attribution.en}"


def _map(found: Drawn, legend: Classes, context: gpd.GeoDataFrame | None, *, credit: str) -> Map:
    """The map with its outlines, one layer for each class, and the switches of the layers."""
    page = Map(tiles=None, control_scale=True, prefer_canvas=True, zoom_snap=0.5)
    if context is not None and len(context):
        _outlines(context).add_to(page)
    for number, row in enumerate(legend.rows):
        _records(found, row, number, credit=credit).add_to(page)
    Switches(collapsed=False).add_to(page)
    west, south, east, north = shapely.total_bounds(found.shapes).tolist()
    page.fit_bounds([[south, west], [north, east]], padding=(32, 32), max_zoom=_CLOSEST)
    return page


def _outlines(context: gpd.GeoDataFrame) -> Records:
    shown = context[~(context.geometry.isna() | context.geometry.is_empty)]
    shapes, _ = light(shown.geometry.to_numpy())
    names = shown["name"] if "name" in shown else [None] * len(shown)
    features = [_feature(shape, {"name": name}) for shape, name in zip(shapes, names, strict=True)]
    roles = colours(PALETTE)
    style = {
        "color": roles["edge"], "weight": 1.2, "fillColor": roles["land"], "fillOpacity": 1, "interactive": False,
    }  # fmt: skip
    return Records(
        {"type": "FeatureCollection", "features": features},
        control=False,
        style_function=lambda _: style,
        on_each_feature=JsCode("bindName"),
    )


def _records(found: Drawn, row: Class, number: int, *, credit: str) -> Records:
    """The records of one class; the number keeps apart classes of the same name."""
    members = row.members.nonzero()[0]
    features = [_feature(found.shapes[i], {"cells": found.cells[i]}) for i in members]
    styles = _styles(row.colour)
    radius = 5 if found.shown < 2_000 else 3
    return Records(
        {"type": "FeatureCollection", "features": features},
        name=f'<i class="swatch" data-class="{number}" style="background:{row.colour}"></i>{escape(row.label)}'
        f'<span class="number">{len(features):,}</span>',
        style_function=lambda feature: styles[feature["geometry"]["type"].removeprefix("Multi")],
        highlight_function=lambda _: {"weight": 4},
        marker=folium.CircleMarker(radius=radius),
        on_each_feature=JsCode("bindCard"),
        attribution=escape(credit),
    )


def _styles(colour: str) -> dict[str, dict[str, Any]]:
    """How the kinds of geometry are drawn in a colour: areas step back behind their outlines."""
    filled = {"weight": 1, "fill": True, "fillColor": colour, "fillOpacity": 0.7}
    area = {**filled, "color": colours(PALETTE)["edge"]}
    return {
        "Point": {**filled, "color": colour},
        "LineString": {"color": colour, "weight": 3, "fill": False},
        "Polygon": area,
        "GeometryCollection": area,
    }


def _feature(shape: shapely.Geometry, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": shapely.geometry.mapping(shape), "properties": properties}
