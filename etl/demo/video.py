"""The video sites of the demo city: on poles at crossings, looking along the arms, and along the roads."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from etl.demo import names
from etl.demo.crossings import corners, crossings
from etl.demo.ground import Ground, layer_frame
from etl.demo.network import WIDTH_M
from etl.demo.plane import Array, Flags, Numbers, Texts
from etl.demo.shares import pick, serials, spread
from etl.demo.sites import beside_road, road_weights
from etl.demo.streets import PRIMARY, SECONDARY

SITES = 240_000
_AT_CROSSINGS = 0.45
_STATUSES = {"ON": 0.94, "OFF": 0.038, "DEFECT": 0.014, "VLOST": 0.008}
# position type: share, for the sites along the roads
_ALONG = {"9": 0.42, "8": 0.12, "6": 0.14, "10": 0.14, "4": 0.04, "3": 0.04, "2": 0.05, "5": 0.02, "7": 0.03}
# position type of the national book -> (industry 2 + type 3 + network 1, owner), of the 20-digit code
_USES: dict[str, tuple[tuple[str, str], ...]] = {
    "2": (("001320", "{c}公安局"), ("081326", "{c}机关事务管理中心")),
    "3": (("071326", "{c}交通运输局"), ("001320", "{c}公安局")),
    "4": (("081326", "{c}城市管理局"), ("001320", "{c}公安局")),
    "5": (("001320", "{c}公安局"), ("081326", "{c}文化广电和旅游局")),
    "6": (("001320", "{c}公安局"), ("081326", "{c}城市管理局"), ("451327", "{c}商务局")),
    "7": (("001320", "{c}公安局"),),
    "8": (("111326", "{c}教育体育局"), ("001320", "{c}公安局")),
    "9": (("011320", "{c}公安局"), ("001310", "{c}公安局"), ("081326", "{c}城市管理局"), ("031323", "{c}委政法委员会"),
          ("401326", "{c}农业农村局"), ("431322", "{c}水务集团")),
    "10": (("041322", "{c}公安局交通警察大队"), ("051210", "{c}公安局交通警察大队"), ("001320", "{c}公安局"),
           ("041312", "{c}交通运输局")),
}  # fmt: skip
# ptz type: share; then field of view (degrees) and range (metres), lowest and highest
_PTZ = {"3": 0.55, "1": 0.27, "4": 0.07, "2": 0.06, "6": 0.03, "5": 0.015, "7": 0.005}
_VIEW = {
    "1": (45.0, 65.0, 80.0, 200.0), "2": (80.0, 105.0, 15.0, 35.0), "3": (35.0, 90.0, 30.0, 90.0),
    "4": (30.0, 60.0, 80.0, 250.0), "5": (60.0, 100.0, 20.0, 50.0), "6": (180.0, 360.0, 25.0, 60.0),
    "7": (60.0, 90.0, 20.0, 50.0),
}  # fmt: skip


@dataclass(frozen=True)
class _Sites:
    """Cameras: position in the plane, where they look, what they are called and where they hang."""

    points: Array
    heading: Array
    names: Texts
    address: Texts
    position: Texts


def video_frame(ground: Ground, *, scale: float, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Exactly 240,000 × scale video sites with their 20-digit codes."""
    total = round(SITES * scale)
    crossing = round(total * _AT_CROSSINGS)
    parts = [_at_crossings(ground, crossing, rng), _along_roads(ground, total - crossing, rng)]
    points, grid = ground.stand(np.vstack([part.points for part in parts]))
    position = np.concatenate([part.position for part in parts])
    ids, owner = _codes(ground, grid, position, rng)
    ptz = pick(rng, _PTZ, total)
    low, high, near, far = (np.array([_VIEW[p][i] for p in ptz]) for i in range(4))
    surveyed = rng.random(total) < 0.7
    columns = {
        "id": ids, "name": np.concatenate([part.names for part in parts]), "status": pick(rng, _STATUSES, total),
        "heading_deg": np.concatenate([part.heading for part in parts]),
        "heading_source": np.where(surveyed, "survey", "estimated").astype(object),
        "hfov_deg": np.round(rng.uniform(low, high)), "range_m": np.round(rng.uniform(near, far)),
        "mount_height_m": np.round(rng.uniform(3.5, 8.0, total), 1), "ptz_type": ptz, "position_type": position,
        "owner": owner, "address": np.concatenate([part.address for part in parts]),
        "cameras": np.ones(total, dtype=np.int64),
    }  # fmt: skip
    return layer_frame(columns, points, grid_id=ground.grid_id[grid], admin_code=ground.town_code[grid])


def _at_crossings(ground: Ground, count: int, rng: np.random.Generator) -> _Sites:
    """All arms of the busiest crossings, one pole each; when no crossing is left, a second pole at another corner."""
    found = crossings(ground)
    rank = np.log(ground.density[found.grid] + 20.0) + rng.normal(0.0, 0.4, len(found.arms))
    rank += np.where(found.kind <= PRIMARY, 1.2, np.where(found.kind <= SECONDARY, 0.6, 0.0))
    order = np.argsort(-rank, kind="stable")
    rounds = -(-count // int(found.arms.sum()))
    which = np.tile(order, rounds)
    corner = np.repeat(np.arange(rounds), len(order))
    camera = np.repeat(np.arange(len(which)), found.arms[which])[:count]
    nth = serials(camera) - 1
    kerb = WIDTH_M[found.kind[which]] / 2.0 + rng.uniform(3.0, 5.0, len(which))
    poles = corners(found, which, corner, kerb)
    heading = np.round((found.heading[found.first[which[camera]] + nth] + rng.normal(0.0, 3.0, count)) % 360.0, 1) % 360
    crossing, pole = found.names[which[camera]], corner[camera]
    suffix = np.array([""] + [names.ordinal(k + 1) for k in range(1, rounds)], dtype=object)[pole]
    titles = [f"{c} {names.compass(h)}向{s}" for c, h, s in zip(crossing, heading.tolist(), suffix, strict=True)]
    position = np.where(rng.random(count) < 0.75, "10", "9").astype(object)
    return _Sites(poles[camera], heading, np.array(titles, dtype=object), crossing, position)


def _along_roads(ground: Ground, count: int, rng: np.random.Generator) -> _Sites:
    """Poles beside the roads, about half of them with two cameras that look both ways."""
    poles = -(-count * 2 // 3)
    piece, share = spread(road_weights(ground, "any"), poles, rng)
    spots = beside_road(ground, piece, share, rng.choice((-1.0, 1.0), poles), rng)
    backwards = rng.random(poles) < 0.5
    both = np.zeros(poles, dtype=bool)
    both[rng.permutation(poles)[: count - poles]] = True
    camera = np.repeat(np.arange(poles), np.where(both, 2, 1))
    second: Flags = serials(camera) == 2
    turned = np.where(backwards[camera] ^ second, 180.0, 0.0)
    heading = np.round((spots.heading[camera] + turned + rng.normal(0.0, 6.0, count)) % 360.0, 1) % 360
    address = spots.address[camera]
    titles = [f"{a} {names.compass(h)}向" for a, h in zip(address, heading.tolist(), strict=True)]
    position = pick(rng, _ALONG, poles)[camera]
    return _Sites(spots.points[camera], heading, np.array(titles, dtype=object), address, position)


def _codes(ground: Ground, grid: Numbers, position: Texts, rng: np.random.Generator) -> tuple[list[str], Texts]:
    """The 20-digit codes (county 8, industry 2, type 3, network 1, serial 6) and the owners."""
    county = np.array(ground.land.codes, dtype=object)[ground.county[grid]]
    lot = rng.integers(0, 12, len(grid))
    uses = [_USES[p][n % len(_USES[p])] for p, n in zip(position, lot.tolist(), strict=True)]
    keys = [f"{c}00{use[0]}" for c, use in zip(county, uses, strict=True)]
    ids = [f"{key}{n:06d}" for key, n in zip(keys, serials(np.array(keys)).tolist(), strict=True)]
    words = ground.county_words(grid)
    owner = [use[1].replace("{c}", c) for use, c in zip(uses, words, strict=True)]
    return ids, np.array(owner, dtype=object)
