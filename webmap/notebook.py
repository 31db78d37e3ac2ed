"""Chengtu for notebooks: questions to a city's server come back as GeoDataFrames, and are shown with folium.

This one file is the whole client: it needs geopandas (and folium to show maps), imports nothing else of Chengtu, and
can be fetched for another machine from the server itself, at `/client/chengtu.py`:

    from chengtu import City
    city = City("http://127.0.0.1:8000")
    towns = city.query(ask="count", layer="component", by="town")
    city.show(towns, colour_by="n")
"""

from __future__ import annotations

import html
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import geopandas as gpd
import pandas as pd

if TYPE_CHECKING:
    import folium

Language = Literal["zh", "en"]
MOST_DRAWN: Final = 20_000
_PAGE: Final = 1_000
_ATTEMPTS: Final = 4
_LONGEST_PAUSE_S: Final = 10.0
_COLOURS: Final = ("#0072b2", "#9c6a00", "#007a5a", "#a8447f", "#c04f00", "#4b53b8", "#5f6f00", "#57636f")
_RAMP: Final = ("#deecf1", "#aed2dd", "#6fb3c4", "#2d85a0", "#0d4a6b")
_EDGE: Final = "#8797a8"
_STYLE: Final = """
body { display: flex; flex-direction: column; font: 14px/1.5 "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; }
body > .folium-map { flex: 1; min-height: 0; }
body > p { margin: 6px 12px; }
.leaflet-container { font: inherit; background: #e9eef1; }
"""


class CityError(Exception):
    """The server refuses or cannot be reached; `status` is the HTTP status, `problems` says what is wrong by name."""

    def __init__(self, reason: str, *, status: int | None = None, problems: Mapping[str, str] | None = None) -> None:
        more = "".join(f"\n  {name}: {text}" for name, text in (problems or {}).items())
        super().__init__(f"{reason}{more}")
        self.status, self.problems = status, dict(problems or {})


class Truncated(UserWarning):
    """There is more than what came."""


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would carry the token to whatever host is named."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class City:
    """One city's server: by default the one that CITY_URL names, with the token in CITY_TOKEN if there is one.

    `lang` chooses the language of titles and words. Every request gives up after `timeout_s` seconds.
    """

    def __init__(
        self, url: str | None = None, *, token: str | None = None, lang: Language = "zh", timeout_s: float = 60.0
    ) -> None:
        self.url = (url or os.environ.get("CITY_URL") or "http://127.0.0.1:8000").rstrip("/")
        if urllib.parse.urlsplit(self.url).scheme not in ("http", "https"):
            raise CityError(f"{self.url!r} is no address of a server: it begins with http:// or https://")
        self.lang: Language = lang
        self._token = token or os.environ.get("CITY_TOKEN")
        self._timeout_s = timeout_s
        self._open = urllib.request.build_opener(_StayHere).open
        self._described: dict[str, dict[str, Any]] = {}

    def __repr__(self) -> str:
        return f"City({self.url!r})"

    def layers(self) -> pd.DataFrame:
        """The layers that may be seen, by name: title, what they hold, kind of geometry, number of records."""
        layers = self._json("/layers")["layers"]
        rows = [{**layer, **{text: layer[text][self.lang] for text in ("title", "about")}} for layer in layers]
        columns = ["name", "title", "about", "geometry", "count", "synthetic"]
        return pd.DataFrame(rows, columns=columns).set_index("name")

    def fields(self, layer: str) -> pd.DataFrame:
        """The fields of a layer by name: title, kind, unit, and whether questions may filter by them."""
        rows = [{**field, "title": field["title"][self.lang]} for field in self._layer(layer)["fields"]]
        return pd.DataFrame(rows, columns=["name", "title", "kind", "unit", "filter"]).set_index("name")

    def words(self, layer: str, field: str) -> dict[str, str]:
        """The words of a coded field by code: `frame["state"].map(city.words("component", "state"))`."""
        described = self._layer(layer)
        book = next((f["book"] for f in described["fields"] if f["name"] == field), None)
        if book is None:
            raise CityError(f"layer {layer!r} has no coded field {field!r}")
        return {code: word[self.lang] for code, word in described["books"][book].items()}

    def items(
        self,
        layer: str,
        *,
        bbox: Sequence[float] | None = None,
        filter: str | None = None,
        sortby: str | None = None,
        limit: int = 10_000,
    ) -> gpd.GeoDataFrame:
        """Records of a layer, at most `limit`, fetched page by page.

        `bbox` is west, south, east, north in degrees; `filter` is CQL2 text, `state = 'broken' AND major = '01'` say;
        `sortby` names fields, with `-` before one for the largest first. Warns with Truncated where there are more.
        """
        asked = {"bbox": None if bbox is None else ",".join(map(str, bbox)), "filter": filter, "sortby": sortby}
        features: list[dict[str, Any]] = []
        more = False
        for page in self._pages(layer, {name: value for name, value in asked.items() if value is not None}, limit):
            features += page["features"][: limit - len(features)]
            more = _next(page) is not None or len(page["features"]) > limit
        described = self._layer(layer)
        columns = [{"name": "id", "kind": "text"}, *described["fields"]]
        records = [{"id": f["id"], **f["properties"]} for f in features]
        frame = _frame(columns, records, [f["geometry"] for f in features])
        if more:
            warnings.warn(f"{layer}: only the first {limit:,} records came, there are more", Truncated, stacklevel=2)
        title = described["title"][self.lang]
        told = {"layer": layer, "statement": title, "truncated": more, "synthetic": described["synthetic"]}
        frame.attrs = {**told, "titles": _titles(columns, self.lang)}
        return frame

    def _pages(self, layer: str, asked: dict[str, str], limit: int) -> Iterator[dict[str, Any]]:
        path = f"/ogc/collections/{urllib.parse.quote(layer, safe='')}/items"
        query: str | None = urllib.parse.urlencode({**asked, "limit": max(min(limit, _PAGE), 1)})
        left = limit
        while query is not None and left > 0:
            page = self._json(f"{path}?{query}")
            left -= len(page["features"])
            yield page
            query = _next(page)

    def query(self, question: Mapping[str, Any] | None = None, **asked: Any) -> gpd.GeoDataFrame | pd.DataFrame:
        """The whole answer to a question (see docs/questions.md), given as a mapping or by name.

        A GeoDataFrame in lon, lat; a plain table where the answer has no places. Its `attrs` hold the statement of what
        was asked, the id of the result, whether it was cut off (which warns, too) and whether its data is synthetic.
        """
        whole = {**(question or {}), **asked}
        answer = page = self._json("/query", body=whole)
        spatial = "features" in answer
        held = _held(page)
        while page["next"] is not None:
            page = self._json(page["next"])
            held += _held(page)
        records = [row["properties"] for row in held] if spatial else held
        frame = _frame(answer["columns"], records, [row["geometry"] for row in held] if spatial else None)
        if answer["truncated"]:
            warnings.warn(f"cut off: {answer['statement'][self.lang]}", Truncated, stacklevel=2)
        told = {name: answer[name] for name in ("id", "truncated", "synthetic", "madeAt", "exports")}
        titles = _titles(answer["columns"], self.lang)
        said = {"layer": whole.get("layer"), "statement": answer["statement"][self.lang], "titles": titles}
        frame.attrs = {**told, **said}
        return frame

    def save(self, answer: pd.DataFrame, path: str | Path) -> Path:
        """Fetch the answer to a query as a file, in the format that the name ends in; CityError when there is none.

        `.xlsx` has titles and words, `.html` is a map that opens without network; also .gpkg, .csv, .geojson, .parquet.
        """
        target = Path(path)
        exports: Mapping[str, str] = answer.attrs.get("exports", {})
        name = target.suffix.removeprefix(".").lower()
        if name not in exports:
            raise CityError(f"an answer to a query can be saved as {', '.join(exports) or 'nothing: this is none'}")
        partial = target.with_name(f"{target.name}.part")
        with self._answer(exports[name]) as source, partial.open("wb") as out:
            while chunk := source.read(1 << 20):
                out.write(chunk)
        partial.replace(target)
        return target

    def show(self, frame: gpd.GeoDataFrame, *, colour_by: str | None = None) -> folium.Map:
        """A folium map of the records, coloured by a column: numbers in five ranges, other values each for itself.

        The map holds all that it needs, so that it is also seen where there is no network. Draws at most 20,000.
        """
        placed = frame[frame.geometry.notna() & ~frame.geometry.is_empty].to_crs(4326)
        if len(placed) > MOST_DRAWN:
            warnings.warn(f"only the first {MOST_DRAWN:,} of {len(placed):,} are drawn", Truncated, stacklevel=2)
        return _map(self._worded(placed.head(MOST_DRAWN)), colour_by, frame.attrs, self._leaflet)

    def _worded(self, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """The frame with the words of its codes beside them."""
        layer = frame.attrs.get("layer")
        coded = [f["name"] for f in self._layer(layer)["fields"] if f["book"]] if layer else []
        worded = frame.copy()
        for name in (name for name in coded if name in frame):
            words = {code: f"{word} {code}" for code, word in self.words(layer, name).items()}
            worded[name] = frame[name].map(words).fillna(frame[name])
        return worded

    @cached_property
    def _leaflet(self) -> str:
        """Leaflet from the city's own server, as markup."""
        script, style = (self._answer(f"/leaflet/leaflet.{kind}").read().decode() for kind in ("js", "css"))
        # What stands in an Element of folium is a template.
        return f"{{% raw %}}<style>{style}{_STYLE}</style><script>{script}</script>{{% endraw %}}"

    def _layer(self, name: str) -> dict[str, Any]:
        if name not in self._described:
            self._described[name] = self._json(f"/layers/{urllib.parse.quote(name, safe='')}")
        return self._described[name]

    def _json(self, path: str, *, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        with self._answer(path, body=body) as answer:
            try:
                told: dict[str, Any] = json.load(answer)
            except ValueError as error:
                raise CityError(f"{self.url}{path} does not answer like a Chengtu server") from error
        return told

    def _answer(self, path: str, *, body: Mapping[str, Any] | None = None) -> http.client.HTTPResponse:
        """The open answer to a request; a busy server is asked again after the pause that it wants."""
        # Links may name the server as it calls itself; only their path and query count.
        parts = urllib.parse.urlsplit(path)
        url = self.url + urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))
        data = None if body is None else json.dumps(body, default=_geojson).encode()
        headers = {"Content-Type": "application/json"} if data else {}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer: http.client.HTTPResponse = self._open(
                    urllib.request.Request(url, data, headers), timeout=self._timeout_s
                )
                return answer
            except urllib.error.HTTPError as error:
                with error:
                    if error.code != 503 or attempt == _ATTEMPTS:
                        raise _refusal(error) from None
                    pause = error.headers.get("Retry-After", "2")
                time.sleep(min(float(pause) if pause.isdigit() else 2.0, _LONGEST_PAUSE_S))
            except (urllib.error.URLError, TimeoutError, OSError) as error:
                reason = getattr(error, "reason", error)
                raise CityError(f"{self.url} cannot be reached: {reason}") from error
        raise AssertionError("unreachable")


def _refusal(error: urllib.error.HTTPError) -> CityError:
    """The server's own words for why it did not do what was asked."""
    if 300 <= error.code < 400:
        return CityError(f"the server says that it moved to {error.headers.get('Location')}", status=error.code)
    try:
        told = json.load(error)
        return CityError(str(told["detail"]), status=error.code, problems=told.get("problems"))
    except (ValueError, TypeError, KeyError):
        return CityError(f"HTTP {error.code} {error.reason}", status=error.code)


def _held(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The features or the rows of one page of an answer."""
    held: list[dict[str, Any]] = page["features"]["features"] if "features" in page else page["rows"]
    return held


def _next(page: Mapping[str, Any]) -> str | None:
    """The query of the next page, if there is one."""
    href = next((link["href"] for link in page.get("links", ()) if link["rel"] == "next"), None)
    return None if href is None else urllib.parse.urlsplit(href).query


def _geojson(value: Any) -> Any:
    """A geometry of shapely in a question, as GeoJSON."""
    if hasattr(value, "__geo_interface__"):
        return value.__geo_interface__
    raise TypeError(f"{type(value).__name__} has no place in a question")


def _titles(columns: Sequence[Mapping[str, Any]], lang: Language) -> dict[str, str]:
    titles = {}
    for column in columns:
        title = column.get("title", {}).get(lang, column["name"])
        titles[column["name"]] = f"{title} ({column['unit']})" if column.get("unit") else title
    return titles


def _frame(
    columns: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]], geometries: Sequence[Any] | None
) -> Any:
    """Records as a frame whose columns have the types that the server declares for them."""
    typed = {c["name"]: _typed([record.get(c["name"]) for record in records], c["kind"]) for c in columns}
    if geometries is None:
        return pd.DataFrame(typed)
    features = [{"type": "Feature", "geometry": geometry, "properties": {}} for geometry in geometries]
    shapes = gpd.GeoDataFrame.from_features(features, columns=["geometry"], crs=4326).geometry if features else []
    return gpd.GeoDataFrame(typed, geometry=shapes, crs=4326)


def _typed(values: list[Any], kind: str) -> pd.Series[Any]:
    if kind == "time":
        return pd.to_datetime(pd.Series(values, dtype="str"), utc=True, format="ISO8601").dt.tz_convert("Asia/Shanghai")
    if kind == "date":
        return pd.to_datetime(pd.Series(values, dtype="str"), format="ISO8601")
    types = {"integer": "Int64", "number": "float64", "boolean": "boolean"}
    return pd.Series(values, dtype=types.get(kind, "str"))


def _text(value: Any) -> str:
    """Any value as markup that shows it: neither the browser nor folium's templates find orders in it."""
    return html.escape(str(value)).replace("{", "&#123;")


def _map(placed: gpd.GeoDataFrame, colour_by: str | None, said: Mapping[Any, Any], leaflet: str) -> folium.Map:
    import folium  # only those who look at maps need it
    from branca.element import Element

    page = folium.Map(tiles=None, control_scale=True, prefer_canvas=True)
    page.default_js, page.default_css = [], []  # they lie on servers of others
    root: Any = page.get_root()
    root.header.add_child(Element(leaflet), name="leaflet")
    if said.get("statement"):
        mark = "（合成演示数据 synthetic）" if said.get("synthetic") else ""
        root.html.add_child(Element(f"<p>{_text(said['statement'])}{mark}</p>"))
    titles = {name: said.get("titles", {}).get(name, name) for name in placed.columns if name != placed.geometry.name}
    for label, colour, members in _classes(placed, colour_by):
        _drawn(placed[members], label, colour, titles).add_to(page)
    if colour_by is not None:
        folium.LayerControl(collapsed=False).add_to(page)
    if len(placed):
        west, south, east, north = placed.total_bounds.tolist()
        page.fit_bounds([[south, west], [north, east]], max_zoom=17)
    return page


def _drawn(part: gpd.GeoDataFrame, label: str, colour: str, titles: Mapping[str, str]) -> folium.GeoJson:
    import folium

    areas = part.geometry.geom_type.str.endswith("Polygon").any()
    style = {"color": _EDGE if areas else colour, "weight": 1 if areas else 2, "fillColor": colour, "fillOpacity": 0.7}
    names = {f"c{index}": name for index, name in enumerate(titles)}
    texts = part.geometry.to_frame("geometry").assign(
        **{key: ["" if pd.isna(value) else _text(value) for value in part[name]] for key, name in names.items()}
    )
    fields, aliases = list(names), [_text(title) for title in titles.values()]
    return folium.GeoJson(
        json.loads(texts.to_json(drop_id=True)),
        name=f'<span style="color:{colour}">■</span> {_text(label)} ({len(part):,})',
        style_function=lambda _: style,
        marker=folium.CircleMarker(radius=4, fill=True),
        popup=folium.GeoJsonPopup(fields, aliases, max_width=360) if fields else None,
    )


def _classes(placed: gpd.GeoDataFrame, colour_by: str | None) -> Iterator[tuple[str, str, pd.Series[bool]]]:
    """Label, colour and members of each class that has any."""
    if colour_by is None:
        if len(placed):
            yield "", _COLOURS[0], pd.Series(True, index=placed.index)
        return
    column = placed[colour_by]
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) and column.nunique() > 1:
        ranks = pd.qcut(column.astype("float64"), len(_RAMP), labels=False, duplicates="drop")
        for rank in sorted(ranks.dropna().unique()):
            inside = ranks == rank
            ends = dict.fromkeys(_number(end) for end in (column[inside].min(), column[inside].max()))
            yield " – ".join(ends), _RAMP[int(rank)], inside
    else:
        frequent = list(column.value_counts().index[: len(_COLOURS) - 1])
        for value, colour in zip(frequent, _COLOURS, strict=False):
            yield str(value), colour, column == value
        if (others := column.notna() & ~column.isin(frequent)).any():
            yield "…", _COLOURS[-1], others
    if (nothing := column.isna()).any():
        yield "–", "#b0b8c0", nothing


def _number(number: float) -> str:
    return f"{number:,.3f}".rstrip("0").rstrip(".")
