"""A city of two counties, small enough to know by heart, for the tests of search and geocoding."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import geopandas as gpd
import psycopg
import shapely
import sqlalchemy as sa
from shapely import LineString, MultiLineString, MultiPolygon, Point

from layers.catalog import built_in
from layers.store.cluster import Cluster
from layers.store.engine import begin, engine_for
from layers.store.writer import write_delivery
from layers.terms import refresh_grams

LAYERS = list(built_in().values())
CLASSES = {"路灯": "01037", "供水井盖": "01001", "停车场": "02001", "公共厕所": "03001"}
# Towns are 0.1 by 0.1 degrees: two of 崇川区 in the west, two of 海门区 in the east.
TOWNS = {
    "320613001": ("城东街道", "Chengdong Subdistrict", 120.8, 32.0),
    "320613002": ("和平桥街道", "Hepingqiao Subdistrict", 120.9, 32.0),
    "320614100": ("三星镇", "Sanxing Town", 121.0, 32.0),
    "320614101": ("常乐镇", "Changle Town", 121.1, 32.0),
}
COUNTIES = {"320613": ("崇川区", "Chongchuan", 120.8, 121.0), "320614": ("海门区", "Haimen", 121.0, 121.2)}


def box(west: float, south: float, east: float, north: float) -> MultiPolygon:
    # Rounded, so that neighbours share their border exactly.
    return MultiPolygon([shapely.box(*(round(side, 6) for side in (west, south, east, north)))])


def frame(rows: Sequence[dict[str, object]], shapes: Sequence[shapely.Geometry]) -> gpd.GeoDataFrame:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return gpd.GeoDataFrame(
        {name: [row.get(name) for row in rows] for name in columns}, geometry=list(shapes), crs="EPSG:4326"
    )


def areas() -> dict[str, gpd.GeoDataFrame]:
    """Counties, towns, two grids a town (west and east half) and one duty grid."""
    counties = [{"id": c, "admin_code": c, "name": v[0], "name_en": v[1]} for c, v in COUNTIES.items()]
    towns, grids, town_shapes, grid_shapes = [], [], [], []
    for code, (name, name_en, west, south) in TOWNS.items():
        kind = "subdistrict" if name.endswith("街道") else "town"
        towns.append(
            {"id": code, "admin_code": code, "name": name, "name_en": name_en, "kind": kind, "county_code": code[:6]}
        )
        town_shapes.append(box(west, south, west + 0.1, south + 0.1))
        for half in range(2):
            id = f"{code}001{half + 1:03d}"
            grids.append(
                {"id": id, "admin_code": code, "name": f"{name[:2]}社区第{half + 1}网格", "kind": "residential"}
            )
            grid_shapes.append(box(west + half * 0.05, south, west + half * 0.05 + 0.05, south + 0.1))
    return {
        "county": frame(counties, [box(v[2], 32.0, v[3], 32.1) for v in COUNTIES.values()]),
        "town": frame(towns, town_shapes),
        "grid": frame(grids, grid_shapes),
        "duty_grid": frame([{"id": "d1", "name": "城东第一责任区", "department": "城管局"}], [town_shapes[0]]),
    }


def roads() -> gpd.GeoDataFrame:
    """人民路 runs east through 城东 in three pieces and crosses 工农路; 三星镇 has a 人民路 of its own."""
    lines = [
        ("人民路", "320613001", (120.81, 32.05), (120.82, 32.05)),
        ("人民路", "320613001", (120.82, 32.05), (120.83, 32.05)),
        ("人民路", "320613001", (120.83, 32.05), (120.84, 32.05)),
        ("工农路", "320613001", (120.83, 32.03), (120.83, 32.07)),
        ("人民路", "320614100", (121.02, 32.05), (121.04, 32.05)),
        ("海门路", "320613002", (120.92, 32.02), (120.94, 32.02)),
    ]
    rows = [{"id": f"r{i}", "name": n, "kind": "tertiary", "admin_code": a} for i, (n, a, _, _) in enumerate(lines)]
    return frame(rows, [MultiLineString([LineString([start, end])]) for _, _, start, end in lines])


def components() -> gpd.GeoDataFrame:
    """Lamps along 人民路 with the house numbers 100 to 200 in steps of 20, then one of each other class."""
    rows: list[dict[str, object]] = []
    shapes = []
    for i, number in enumerate(range(100, 201, 20)):
        rows.append({"name": "路灯", "address": f"人民路{number}号", "admin_code": "320613001"})
        shapes.append(Point(120.81 + i * 0.002, 32.05004))
    for i, name in enumerate(("供水井盖", "停车场", "公共厕所")):
        rows.append({"name": name, "address": None, "admin_code": "320614100"})
        shapes.append(Point(121.03 + i * 0.001, 32.06))
    for i, row in enumerate(rows):
        code = CLASSES[str(row["name"])]
        row |= {"class_code": code, "id": f"{str(row['admin_code'])[:6]}{code}{i + 1:06d}", "state": "intact"}
        row |= {"standard": "GB/T 47678.5-2026"}
    return frame(rows, shapes)


def places() -> gpd.GeoDataFrame:
    named = [
        ("p1", "人民医院", "hospital", "320613001", 120.82, 32.06, 0.9),
        ("p2", "海门人民医院", "hospital", "320614100", 121.03, 32.07, 0.5),
        ("p3", "人民公园", "park", "320613001", 120.86, 32.06, 0.4),
        ("p4", "濠河风景名胜区", "scenic", "320613002", 120.95, 32.05, 0.8),
        ("p5", "常乐镇中心小学", "school", "320614101", 121.15, 32.05, 0.3),
        ("p6", "人民公园", "park", "320614101", 121.16, 32.06, 0.2),
        ("p7", "启秀中学（北校区）", "school", "320613002", 120.96, 32.06, 0.2),
    ]
    keys = ("id", "name", "kind", "admin_code")
    rows = [{**dict(zip(keys, row, strict=False)), "importance": row[6]} for row in named]
    return frame(rows, [Point(row[4], row[5]) for row in named])


def videos() -> gpd.GeoDataFrame:
    rows = [
        {
            "id": f"3206130000131100000{i}",
            "name": f"人民路与工农路路口 {d}向",
            "status": "ON",
            "admin_code": "320613001",
        }
        for i, d in enumerate("东南西北")
    ]
    return frame(rows, [Point(120.83, 32.05)] * 4)


def fill(engine: sa.Engine) -> None:
    """Write the whole city."""
    layers = built_in()
    frames = {**areas(), "road": roads(), "place": places(), "component": components(), "video": videos()}
    with begin(engine, actor="tester") as connection:
        for name, rows in frames.items():
            write_delivery(connection, layers[name], rows, source="small", actor="tester", digest=name, title=name)
        refresh_grams(connection)


@contextmanager
def reader(cluster: Cluster, template: str) -> Iterator[sa.Connection]:
    """A connection that reads a small city in a database of its own."""
    name = f"small_{uuid.uuid4().hex}"
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
    writer, asking = (engine_for(cluster.url(name), role) for role in ("writer", "reader"))
    fill(writer)
    with asking.connect() as connected:
        yield connected
    writer.dispose()
    asking.dispose()
