"""Counting by class inside a drawn polygon: by `POST /query`, by plain SQL, and by geopandas with its index ready."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
import sqlalchemy as sa

from layers.catalog import built_in
from tests.bench.cpus import SERVING
from tests.bench.fetch import post
from tests.bench.measure import percentile, serving
from tests.bench.rows import Aim, Row
from tests.bench.stage import Stage

_LAYER = "component"
_CLASSES = built_in()[_LAYER].classes
_LEAST_M, _MOST_M = 500.0, 10_000.0
_CORNERS = 40
_SEED = 20261122
_COUNT = sa.text(
    f"select {_CLASSES}, count(*) from city.{_LAYER} where st_within(geom, st_geomfromtext(:wkt, 4326)) group by 1"
)


def polygons(stage: Stage) -> list[Row]:
    """The same ragged polygons, half a kilometre to ten in radius, one at a time."""
    url = stage.crowd
    with stage.reader("crowd").connect() as connection:
        drawn = ragged(connection, stage.sizes.polygons)
        frame = _in_memory(connection)
        _by_sql(connection, drawn[0])
        plain = [_by_sql(connection, polygon) for polygon in drawn]
    known = [_by_geopandas(frame, polygon) for polygon in drawn]
    with stage.apart(), serving(url, cpu=SERVING) as server:
        ask(server.port, drawn[:3])
        ours = ask(server.port, drawn)
    what = f"count by class in a polygon, {len(frame):,} features"
    return [
        Row(f"{what}: p95 (limit: plain SQL)", percentile(ours, 95), "ms",
            limit=percentile(plain, 95), aim=Aim(most=100)),
        Row("count by class in a polygon: p50 (limit: plain SQL)", percentile(ours, 50), "ms",
            limit=percentile(plain, 50)),
        Row("count by class in a polygon: p95; geopandas", percentile(ours, 95), "ms", peer=percentile(known, 95)),
    ]  # fmt: skip


def ask(port: int, drawn: Sequence[shapely.Polygon]) -> Sequence[float]:
    """The milliseconds that the answer for each polygon takes."""
    return post(port, "/query", [_question(polygon) for polygon in drawn]).each_ms


def ragged(
    connection: sa.Connection, total: int, *, least_m: float = _LEAST_M, most_m: float = _MOST_M
) -> list[shapely.Polygon]:
    """Polygons as a hand draws them around components; small ones are as frequent as big ones."""
    rng = np.random.default_rng(_SEED)
    found = sa.text("select st_x(geom), st_y(geom) from city.component order by md5(id) limit :total")
    spots = connection.execute(found, {"total": total}).all()
    return [_polygon(lon, lat, radius_m=_between(rng, least_m, most_m), rng=rng) for lon, lat in spots]


def _between(rng: np.random.Generator, least: float, most: float) -> float:
    return float(least * (most / least) ** rng.uniform())


def _polygon(lon: float, lat: float, *, radius_m: float, rng: np.random.Generator) -> shapely.Polygon:
    turns = np.linspace(0, 2 * math.pi, _CORNERS, endpoint=False)
    reach = radius_m * rng.uniform(0.7, 1.3, _CORNERS) / 111_320
    lons = lon + reach * np.cos(turns) / math.cos(math.radians(lat))
    return shapely.Polygon(np.column_stack([lons, lat + reach * np.sin(turns)]).round(6))


def _question(polygon: shapely.Polygon) -> bytes:
    where: list[dict[str, Any]] = [{"relation": "within", "geometry": json.loads(shapely.to_geojson(polygon))}]
    return json.dumps({"ask": "count", "by": "class", "layer": _LAYER, "where": where}).encode()


def _by_sql(connection: sa.Connection, polygon: shapely.Polygon) -> float:
    started = time.perf_counter()
    connection.execute(_COUNT, {"wkt": polygon.wkt}).all()
    return (time.perf_counter() - started) * 1000


def _in_memory(connection: sa.Connection) -> gpd.GeoDataFrame:
    frame = gpd.read_postgis(sa.text(f"select {_CLASSES} as class, geom from city.{_LAYER}"), connection)
    assert frame.sindex is not None  # built now, and not when the clock runs
    return frame.assign(**{"class": frame["class"].astype("category")})


def _by_geopandas(frame: gpd.GeoDataFrame, polygon: shapely.Polygon) -> float:
    started = time.perf_counter()
    frame["class"].iloc[frame.sindex.query(polygon, predicate="contains")].value_counts()
    return (time.perf_counter() - started) * 1000
