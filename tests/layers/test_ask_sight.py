"""What cameras see, against geodesics of another library, and against the sectors that the map draws."""

from __future__ import annotations

import numpy as np
import pyproj
import sqlalchemy as sa

from layers.ask.sight import farthest_m, has_sight, may_be_seen, may_see, sees
from layers.catalog import built_in
from tests.conftest import Database

LAYERS = built_in()
VIDEO, PLACE = LAYERS["video"], LAYERS["place"]
GEOD = pyproj.Geod(ellps="WGS84")


def seen_by_geodesics(cameras: np.ndarray, lon: float, lat: float) -> set[str]:
    """Ids of cameras (id, lon, lat, heading, field of view, range) whose sector holds the point."""
    found = set()
    for id, x, y, heading, hfov, range_m in cameras:
        azimuth, _, away_m = GEOD.inv(x, y, lon, lat)
        turned = abs((azimuth - heading + 180) % 360 - 180)
        if away_m <= range_m and (turned <= hfov / 2 or away_m == 0):
            found.add(id)
    return found


def test_a_camera_sees_what_lies_in_its_sector(city: Database) -> None:
    table = VIDEO.table.c
    x, y = sa.func.st_x(table.geom), sa.func.st_y(table.geom)
    random = np.random.default_rng(7)
    with city.reader.connect() as connection:
        rows = connection.execute(
            sa.select(table.id, x, y, table.heading_deg, table.hfov_deg, table.range_m).order_by(table.id)
        ).all()
        cameras = np.array([tuple(row) for row in rows], dtype=object)
        total = 0
        for which in random.integers(0, len(rows), 25):
            _, near_lon, near_lat, *_ = rows[which]
            lon, lat = near_lon + random.normal(0, 0.0008), near_lat + random.normal(0, 0.0008)
            point = sa.func.st_setsrid(sa.func.st_makepoint(lon, lat), 4326)
            place = sa.func.st_transform(point, 3857)
            near = may_see(VIDEO.table, place, farthest_m=farthest_m(VIDEO))
            found = set(connection.scalars(sa.select(table.id).where(near, sees(VIDEO.table, point))))
            assert found == seen_by_geodesics(cameras, lon, lat)
            total += len(found)
        assert total > 5


def test_what_stands_at_its_foot_is_seen_and_a_camera_without_a_direction_sees_nothing(city: Database) -> None:
    table = VIDEO.table.c
    with city.owner.begin() as connection:
        first, second, third = connection.scalars(sa.select(table.id).order_by(table.id).limit(3)).all()
        connection.execute(sa.update(VIDEO.table).where(table.id == second).values(heading_deg=None))
        connection.execute(sa.update(VIDEO.table).where(table.id == third).values(heading_deg=None, hfov_deg=360))
    with city.reader.connect() as connection:
        own = sa.select(table.id).where(table.id.in_([first, second, third]), sees(VIDEO.table, table.geom))
        assert set(connection.scalars(own)) == {first, third}


def test_either_index_leaves_nothing_out(city: Database) -> None:
    # Without an index every pair is looked at, so the cameras are a few hundred.
    some = sa.select(VIDEO.table.c.id).order_by(sa.func.md5(VIDEO.table.c.id)).limit(400).scalar_subquery()
    pairs = sa.select(VIDEO.table.c.id, PLACE.table.c.id).where(
        VIDEO.table.c.id.in_(some), sees(VIDEO.table, PLACE.table.c.geom)
    )
    with city.reader.connect() as connection:
        every = set(map(tuple, connection.execute(pairs)))
        place = PLACE.table.c.geom3857
        by_camera = pairs.where(may_see(VIDEO.table, place, farthest_m=farthest_m(VIDEO)))
        by_place = pairs.where(may_be_seen(VIDEO.table, place))
        assert set(map(tuple, connection.execute(by_camera))) == every
        assert set(map(tuple, connection.execute(by_place))) == every
    assert every


def test_only_layers_whose_records_look_somewhere_have_sight() -> None:
    assert [name for name, layer in LAYERS.items() if has_sight(layer)] == ["video"]
