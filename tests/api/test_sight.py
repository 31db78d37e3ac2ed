"""Cameras over HTTP: which of them see a point, what stands in between, and where their pictures are."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pyproj
import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from api.headers import safe_headers
from api.settings import Settings
from tests.conftest import Database, Server, serving

GEOD = pyproj.Geod(ellps="WGS84")
# Fields where nothing of the demo city looks or stands: each test takes another corner.
FIELD = (120.63, 32.48)


class Field:
    """Cameras and buildings of a test's own, set out in metres from a point that no other test uses."""

    def __init__(self, server: Server, at: int) -> None:
        self.server, self.at, self.made = server, at, 0
        self.lon, self.lat = FIELD[0] - at * 0.03, FIELD[1]

    def place(self, east_m: float, north_m: float) -> tuple[float, float]:
        lon, lat, _ = GEOD.fwd(self.lon, self.lat, 90, east_m)
        lon, lat, _ = GEOD.fwd(lon, lat, 0, north_m)
        return lon, lat

    def camera(self, name: str, east_m: float, north_m: float, **values: Any) -> str:
        lon, lat = self.place(east_m, north_m)
        facts = {"name": name, "status": "ON", **values}
        self.made += 1
        # Of 20 digits: of a county's police (GB/T 28181), with a serial number that no made-up camera has.
        id = f"32061300001310{9 - self.at}{self.made:05d}"
        return self._made("video", id, facts, {"type": "Point", "coordinates": [lon, lat]})

    def building(self, name: str, box_m: tuple[float, float, float, float], **values: Any) -> str:
        west, south, east, north = box_m
        corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
        ring = [list(self.place(*corner)) for corner in corners]
        return self._made(
            "building",
            f"sight{self.at}{name}",
            {"name": name, **values},
            {"type": "MultiPolygon", "coordinates": [[ring]]},
        )

    def _made(self, layer: str, id: str, properties: dict[str, Any], geometry: dict[str, Any]) -> str:
        body = {"id": id, "properties": properties, "geometry": geometry}
        answer = httpx.post(f"{self.server.url}/items/{layer}", json=body, headers=self.server.admin)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def seen(self, east_m: float = 0, north_m: float = 0, **asked: Any) -> dict[str, Any]:
        lon, lat = self.place(east_m, north_m)
        answer = httpx.get(f"{self.server.url}/sight", params={"lon": lon, "lat": lat, **asked})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


def names(cameras: list[dict[str, Any]]) -> list[str]:
    return [camera["name"] for camera in cameras]


def test_cameras_that_look_at_a_point_are_told_nearest_first(own_server: Server) -> None:
    field = Field(own_server, 0)
    looks = {"hfov_deg": 60, "range_m": 100}
    field.camera("far", -80, 0, heading_deg=90, **looks)
    field.camera("near", 0, -20, heading_deg=10, **looks)
    field.camera("away", 0, 30, heading_deg=0, **looks)
    field.camera("short", 50, 0, heading_deg=270, hfov_deg=60, range_m=40)
    field.camera("around", 0, 60, hfov_deg=360, range_m=70)
    told = field.seen()
    assert names(told["cameras"]) == ["near", "around", "far"]
    assert [round(camera["distance_m"]) for camera in told["cameras"]] == [20, 60, 80]
    assert [round(camera["bearing_deg"]) % 360 for camera in told["cameras"]] == [0, 180, 90]
    assert told["unknown"] == []
    assert not told["truncated"]


def test_cameras_that_do_not_say_where_they_look_stand_apart(own_server: Server) -> None:
    field = Field(own_server, 1)
    field.camera("blind", 0, 30, range_m=50)
    field.camera("nothing", 0, -80)
    field.camera("too far", 0, 150)
    told = field.seen()
    assert told["cameras"] == []
    assert names(told["unknown"]) == ["blind", "nothing"]
    assert "blocked" not in told["unknown"][0]


def test_a_building_in_between_blocks_by_its_height_or_by_its_footprint(own_server: Server) -> None:
    field = Field(own_server, 2)
    looks = {"hfov_deg": 60, "range_m": 100}
    field.camera("low", -80, 0, heading_deg=90, mount_height_m=6, **looks)
    field.camera("high", -81, 0, heading_deg=90, mount_height_m=60, **looks)
    field.camera("unsaid", -79, 0, heading_deg=90, **looks)
    field.camera("free", 0, -50, heading_deg=0, mount_height_m=6, **looks)
    field.building("house", (-50, -10, -40, 10), height_m=9)
    told = {camera["name"]: camera for camera in field.seen()["cameras"]}
    assert {name: camera["blocked"] for name, camera in told.items()} == {
        "low": True, "high": False, "unsaid": True, "free": False,
    }  # fmt: skip
    assert (told["low"]["obstacle"]["name"], told["low"]["obstacle"]["how"]) == ("house", "height")
    assert told["unsaid"]["obstacle"]["how"] == "plan"


def test_neither_the_wall_it_hangs_on_nor_the_house_that_is_looked_at_blocks(own_server: Server) -> None:
    field = Field(own_server, 3)
    field.camera("wall", -30, 0, heading_deg=90, hfov_deg=60, range_m=100, mount_height_m=4)
    field.building("own", (-40, -5, -30, 5), height_m=20)
    field.building("goal", (-5, -5, 5, 5), height_m=20)
    assert [camera["blocked"] for camera in field.seen()["cameras"]] == [False]


def test_what_is_cut_is_told(own_server: Server) -> None:
    field = Field(own_server, 4)
    for at in range(3):
        field.camera(f"c{at}", -10 - at, 0, heading_deg=90, hfov_deg=60, range_m=100)
    told = field.seen(limit=2)
    assert names(told["cameras"]) == ["c0", "c1"]
    assert told["truncated"]


def test_who_has_the_answer_is_not_sent_it_again(own_server: Server) -> None:
    for path in ("/sight?lon=120.88&lat=32.01", "/video"):
        first = httpx.get(own_server.url + path)
        assert first.headers["cache-control"] == "no-cache"
        again = httpx.get(own_server.url + path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("asked", ["lat=32", "lon=120&lat=nan", "lon=200&lat=32", "lon=120&lat=32&limit=0"])
def test_half_a_question_is_refused(server: Server, asked: str) -> None:
    answer = httpx.get(f"{server.url}/sight?{asked}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"


def test_made_up_cameras_have_pictures_that_say_so(server: Server) -> None:
    told = httpx.get(f"{server.url}/video").json()
    assert told == {"picture": {"template": "/demo/pictures/{id}.svg", "synthetic": True}, "stream": None}
    with server.database.reader.connect() as connection:
        looking = sa.text("select id, name from city.video where status = 'ON' order by id limit 1")
        id, name = connection.execute(looking).one()
        off = connection.scalar(sa.text("select id from city.video where status = 'OFF' order by id limit 1"))
    answer = httpx.get(f"{server.url}/demo/pictures/{id}.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["cache-control"] == "no-store"
    text = "".join(ElementTree.fromstring(answer.text).itertext())  # noqa: S314 - our own drawing
    assert "合成画面" in text
    assert name in text
    for gone in (off, "nobody"):
        assert httpx.get(f"{server.url}/demo/pictures/{gone}.svg").status_code == 404


def test_a_camera_that_someone_recorded_has_no_made_up_picture(own_server: Server) -> None:
    real = Field(own_server, 5).camera("real", 0, 0, heading_deg=0, hfov_deg=60, range_m=50)
    answer = httpx.get(f"{own_server.url}/demo/pictures/{real}.svg")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_picture")


def test_configured_links_are_told_and_only_their_hosts_are_let_in(city: Database, tmp_path: Path) -> None:
    links = {"video_picture_url": "https://v.example.cn/p/{id}.jpg", "video_stream_url": "https://s.example.cn/{id}"}
    with serving(city, tmp_path, **links) as linked:
        answer = httpx.get(f"{linked.url}/video")
    assert answer.json() == {
        "picture": {"template": "https://v.example.cn/p/{id}.jpg", "synthetic": False},
        "stream": {"template": "https://s.example.cn/{id}", "synthetic": False},
    }
    policy = answer.headers["content-security-policy"]
    assert "img-src 'self' data: blob: https://v.example.cn https://s.example.cn;" in policy
    assert "frame-src 'self' https://s.example.cn;" in policy
    assert "connect-src 'self' blob: data:;" in policy


def test_a_link_of_our_own_host_lets_nobody_else_in() -> None:
    settings = Settings(video_picture_url="/pictures/{id}.jpg", video_stream_url="/streams/{id}?at={lon},{lat}")
    policy = dict(safe_headers(settings))[b"content-security-policy"].decode()
    assert "http" not in policy


@pytest.mark.parametrize(
    "url",
    [
        "http://v.example.cn/{id}", "//v.example.cn/{id}", "https://v.example.cn/", "https://v.example.cn/{id}/{key}",
        "javascript:alert({id})", "https://a b/{id}", "https://v.cn;script-src/{id}", "{id}",
    ],
)  # fmt: skip
def test_a_link_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="link to video"):
        Settings(video_picture_url=url)
