"""What people build today: the same records as one GeoJSON in MapLibre, and as a folium page, behind a plain server."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import folium
import geopandas as gpd
import pandas as pd
import sqlalchemy as sa
from branca.element import Element

from layers.catalog import built_in
from layers.look import style_layers
from tests.bench.measure import ROOT
from webmap.leaflet import leaflet

# Those that our page opens with (SHOWN_FIRST of webmap/src/desk/main.ts).
LAYERS = ("county", "town", "road", "component", "place")
_MAPLIBRE = ROOT / "webmap" / "node_modules" / "maplibre-gl" / "dist"
_GROUND, _INK = "#0e1622", "#56b4e9"

_MAPLIBRE_PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/maplibre-gl.css">
<style>html,body,#map{margin:0;height:100%;background:#070b12}</style><div id="map"></div><script type="module">
import { MapLibreMap, setWorkerUrl } from "/maplibre-gl.mjs";
setWorkerUrl("/maplibre-gl-worker.mjs");
const map = new MapLibreMap({ container: "map", attributionControl: false, fadeDuration: 0, bounds: BOUNDS,
  style: { version: 8, sources: { city: { type: "geojson", data: "/city.geojson" } }, layers: LAYERS } });
window.peer = {
  go: (lon, lat, zoom) => new Promise((done) => {
    map.jumpTo({ center: [lon, lat], zoom });
    map.once("idle", () => done(null));
  }),
};
map.once("idle", () => { document.documentElement.dataset.ready = "true"; });
</script>"""

# Leaflet has drawn its canvas two frames after it was told to.
_FOLIUM_READY = """
window.peer = { go: (lon, lat, zoom) => new Promise((done) => {
  MAP.setView([lat, lon], zoom, { animate: false });
  requestAnimationFrame(() => requestAnimationFrame(() => done(null)));
}) };
requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.ready = "true"; }));
"""


@dataclass(frozen=True)
class Peers:
    """The address of the server of both pages; how many bytes their GeoJSON has, gzipped and as it is."""

    url: str
    packed_bytes: int
    plain_bytes: int

    @property
    def maplibre(self) -> str:
        """The page with one GeoJSON in MapLibre."""
        return f"{self.url}/maplibre.html"

    @property
    def folium(self) -> str:
        """The folium page, everything inside."""
        return f"{self.url}/folium.html"


def records(connection: sa.Connection, names: Sequence[str] = LAYERS) -> gpd.GeoDataFrame:
    """Every record of some layers, with the fields that its tile carries, in one table."""
    tables = []
    for name in names:
        layer = built_in()[name]
        columns = [layer.table.c[f.name] for f in layer.fields if f.tile]
        statement = sa.select(
            sa.literal(name).label("layer"), layer.table.c.id, *columns, sa.func.st_asbinary(layer.table.c.geom)
        )
        rows = connection.execute(statement).all()
        frame = pd.DataFrame([row[:-1] for row in rows], columns=["layer", "id", *(c.name for c in columns)])
        shapes = gpd.GeoSeries.from_wkb([bytes(row[-1]) for row in rows], crs=4326)
        tables.append(gpd.GeoDataFrame(frame, geometry=shapes))
    found = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=4326)
    # Six digits are a tenth of a metre: what a careful person would write.
    return found.set_geometry(found.geometry.set_precision(1e-6, mode="pointwise"))


def whole_city(connection: sa.Connection) -> list[int]:
    """The bytes of all that the map has to show as one GeoJSON: gzipped, and as it is."""
    text = collection(records(connection, [*built_in()])).encode()
    return [len(gzip.compress(text, 6)), len(text)]


def collection(table: gpd.GeoDataFrame) -> str:
    """The table as one GeoJSON, without properties that are not recorded."""
    given: dict[str, Any] = json.loads(table.to_json(drop_id=True, na="drop"))
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"))


def maplibre_page(table: gpd.GeoDataFrame) -> str:
    """The page of MapLibre with its own GeoJSON source, styled as ours."""
    layers: list[dict[str, Any]] = [
        {"id": "background", "type": "background", "paint": {"background-color": "#070b12"}}
    ]
    for name in LAYERS:
        layer = built_in()[name]
        for part in style_layers(name, layer.labels("zh"), layer.look, "dark", minzoom=0):
            if part["metadata"]["chengtu:part"] not in ("ground", "record"):
                continue
            own = ["==", ["get", "layer"], name]
            within = ["all", own, part["filter"]] if "filter" in part else own
            kept = {key: part[key] for key in ("id", "type", "paint", "layout") if key in part}
            layers.append({**kept, "source": "city", "filter": within})
    bounds = json.dumps([float(edge) for edge in table.total_bounds])
    return _MAPLIBRE_PAGE.replace("BOUNDS", bounds).replace("LAYERS", json.dumps(layers))


class _Offline(folium.Map):  # type: ignore[misc]
    default_js: list[tuple[str, str]] = []
    default_css: list[tuple[str, str]] = []


def folium_page(geojson: str, table: gpd.GeoDataFrame) -> str:
    """The page of folium on a canvas, with Leaflet inside, since there is no network."""
    west, south, east, north = (float(edge) for edge in table.total_bounds)
    page = _Offline(tiles=None, prefer_canvas=True)
    page.fit_bounds([[south, west], [north, east]])
    look = {"color": _INK, "weight": 1, "fillColor": _GROUND, "fillOpacity": 0.4}
    folium.GeoJson(
        json.loads(geojson),
        marker=folium.CircleMarker(radius=2, weight=0, fill=True, fill_color=_INK, fill_opacity=0.85),
        style_function=lambda _: look,
        zoom_on_click=False,
    ).add_to(page)
    built, root = leaflet(), page.get_root()
    root.header.add_child(Element(f"<style>{built.style}</style><script>{built.script}</script>"), index=0)
    root.html.add_child(Element("<style>html,body,.folium-map{margin:0;height:100%}</style>"))
    root.script.add_child(Element(_FOLIUM_READY.replace("MAP", page.get_name())))
    return str(root.render())


@contextmanager
def peer_pages(connection: sa.Connection) -> Iterator[Peers]:
    """Both pages at an address of this machine, compressed as a careful person would."""
    table = records(connection)
    geojson = collection(table)
    files = {name: (_MAPLIBRE / name).read_text() for name in ("maplibre-gl.mjs", "maplibre-gl-worker.mjs")}
    files |= {path.name: path.read_text() for path in _MAPLIBRE.glob("maplibre-gl-shared*.mjs")}
    files["maplibre-gl.css"] = (_MAPLIBRE / "maplibre-gl.css").read_text()
    files["city.geojson"] = geojson
    files["maplibre.html"] = maplibre_page(table)
    files["folium.html"] = folium_page(geojson, table)
    packed = {f"/{name}": gzip.compress(text.encode(), 6) for name, text in files.items()}
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(packed))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield Peers(url, len(packed["/city.geojson"]), len(geojson.encode()))
    finally:
        server.shutdown()
        thread.join()


_TYPES = {
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".geojson": "application/geo+json",
}


def _handler(packed: Mapping[str, bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = packed.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", _TYPES.get(Path(self.path).suffix, "text/plain"))
            if body is not None:
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    return Handler
