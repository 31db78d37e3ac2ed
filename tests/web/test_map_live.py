"""An open map keeps itself fresh: edits made elsewhere appear on it, and nothing else is asked for again."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import mapbox_vector_tile
import psycopg
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Request, expect

from layers.store.cluster import Cluster
from layers.store.engine import begin
from tests.conftest import Server
from tests.web import pages
from tests.web.pages import IDLE, Visit, layer_box

browser, visit = pages.browser, pages.visit

# Settles when a rendered component has the name; also where no "idle" comes, since nothing else is loading.
NAMED = """(name) => new Promise((done, failed) => {
  const { map } = window.__chengtu;
  const started = performance.now();
  const look = () => {
    const names = map.queryRenderedFeatures({ layers: ["component-circle"] }).map((each) => each.properties.name);
    if (names.includes(name)) done(performance.now() - started);
    else if (performance.now() - started > 15000) failed(new Error(`no ${name} among ${names.length}`));
    else setTimeout(look, 20);
  };
  look();
})"""
MARGIN = 0.02  # tiles hold what lies a little outside them


@dataclass(frozen=True)
class Place:
    """A component that no other test edits, and where it is."""

    id: str
    lon: float
    lat: float

    def at(self, zoom: float) -> str:
        return f"#at={zoom}/{self.lat}/{self.lon}&layers=component"

    def tiles(self, z: int) -> set[str]:
        """The tiles of a zoom that hold it."""
        scale = 2**z
        x = (self.lon / 360 + 0.5) * scale
        y = (0.5 - math.asinh(math.tan(math.radians(self.lat))) / math.tau) * scale
        return {f"{z}/{int(x + dx)}/{int(y + dy)}" for dx in (-MARGIN, MARGIN) for dy in (-MARGIN, MARGIN)}


@pytest.fixture(scope="module")
def places(server: Server) -> Iterator[Place]:
    last = "select id, st_x(geom) as lon, st_y(geom) as lat from city.component order by id desc limit 40"
    with server.database.reader.connect() as connection:
        return iter([Place(*row) for row in connection.execute(sa.text(last))])


def rename(server: Server, place: Place, name: str) -> None:
    edit(server, place, {"name": name})


def edit(server: Server, place: Place, properties: dict[str, str]) -> None:
    url = f"{server.url}/items/component/{place.id}"
    tag = httpx.get(url).headers["etag"]
    answer = httpx.patch(url, json={"properties": properties}, headers={**server.admin, "If-Match": tag})
    assert answer.status_code == 200, answer.text


def await_live(page: Page) -> None:
    expect(page.locator(".live[data-state=live]")).to_have_text("实时")
    page.evaluate(IDLE)


def tiles_asked(page: Page) -> list[str]:
    """A list that grows with every tile that the page asks for from now on."""
    asked: list[str] = []

    def note(request: Request) -> None:
        found = re.search(r"/tiles/[^/]+/(\d+/\d+/\d+)\.mvt", request.url)
        if found:
            asked.append(found[1])

    page.on("request", note)
    return asked


def test_an_edit_appears_on_an_open_map_and_only_its_tiles_are_asked_for_again(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    place = next(places)
    page = visit(place.at(14.5))
    await_live(page)
    asked = tiles_asked(page)
    rename(server, place, "改名的井盖")
    page.evaluate(NAMED, "改名的井盖")
    page.evaluate(IDLE)
    assert asked
    assert set(asked) <= place.tiles(14)


@pytest.mark.parametrize("zoom", [15.5, 18])
def test_an_edit_appears_where_tiles_are_stretched(
    visit: Visit, server: Server, places: Iterator[Place], zoom: float
) -> None:
    place = next(places)
    page = visit(place.at(zoom))
    await_live(page)
    for name in ("第一次", "第二次"):
        rename(server, place, name)
        page.evaluate(NAMED, name)


def test_a_tile_that_the_map_kept_out_of_view_is_fresh_when_it_comes_back(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    place = next(places)
    page = visit(place.at(15))
    await_live(page)
    page.evaluate("([lon, lat]) => window.__chengtu.map.jumpTo({ center: [lon, lat] })", [place.lon + 0.2, place.lat])
    page.evaluate(IDLE)
    rename(server, place, "离开视野后改名")
    expect(page.locator(".live[data-state=live]")).to_be_visible()
    page.evaluate("([lon, lat]) => window.__chengtu.map.jumpTo({ center: [lon, lat] })", [place.lon, place.lat])
    page.evaluate(NAMED, "离开视野后改名")


def test_a_map_comes_to_rest_after_a_change_that_does_not_show(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    place = next(places)
    page = visit(place.at(15))
    await_live(page)
    page.evaluate("() => { window.rest = new Promise((done) => window.__chengtu.map.once('idle', () => done(1))); }")
    with page.expect_request(re.compile("/tiles/")):
        edit(server, place, {"note": "看不见的改动"})
    late = "new Promise((_, failed) => setTimeout(() => failed(new Error('it does not come to rest')), 10000))"
    page.evaluate(f"() => Promise.race([window.rest, {late}])")


def test_a_tile_that_could_not_be_refreshed_is_asked_for_again_by_itself(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    place = next(places)
    page = visit(place.at(15), errors_with="503")
    await_live(page)
    page.route("**/tiles/**", lambda route: route.fulfill(status=503), times=1)
    rename(server, place, "第二次才取到")
    page.evaluate(NAMED, "第二次才取到")


def test_an_open_card_reads_its_record_again(visit: Visit, server: Server, places: Iterator[Place]) -> None:
    place = next(places)
    page = visit(f"{place.at(16)}&open=component/{place.id}")
    await_live(page)
    expect(page.locator(".card")).to_contain_text(place.id)
    before = page.evaluate("() => window.__chengtu.map.getCenter().toArray()")
    rename(server, place, "卡片上的新名字")
    expect(page.locator(".card h2")).to_have_text("卡片上的新名字")
    assert page.evaluate("() => window.__chengtu.map.getCenter().toArray()") == before


def test_a_record_that_is_deleted_leaves_the_card_and_the_count(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    place = next(places)
    page = visit(f"{place.at(16)}&open=component/{place.id}", errors_with="404")
    await_live(page)
    count = page.locator(".layer", has=layer_box(page, "component")).locator(".count")
    shown = int(count.inner_text().replace(",", ""))
    with begin(server.database.engine, actor="test") as connection:
        connection.execute(sa.text("delete from city.component where id = :id"), {"id": place.id})
    expect(page.locator(".card")).to_contain_text("没有这条记录")
    expect(count).to_have_text(f"{shown - 1:,}")


def test_a_change_arrives_after_the_listener_of_the_server_was_lost(
    visit: Visit, server: Server, cluster: Cluster, places: Iterator[Place]
) -> None:
    place = next(places)
    page = visit(place.at(15))
    await_live(page)
    gone = """
        select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'chengtu follow' and datname = %s"""
    name = sa.make_url(server.database.url).database
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        assert connection.execute(gone, (name,)).fetchall() == [(True,)]
    rename(server, place, "监听断开后改名")
    page.evaluate(NAMED, "监听断开后改名")


def test_a_change_during_a_lost_connection_arrives_when_it_is_back(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    place = next(places)
    page = visit(place.at(15), errors_with="net::ERR_")
    await_live(page)
    page.context.set_offline(True)
    expect(page.locator(".live")).to_have_attribute("data-state", "waiting")
    expect(page.locator(".live")).to_contain_text(re.compile(r"重新连接中，画面截至 \d\d:\d\d:\d\d"))
    rename(server, place, "断线时改名")
    asked = tiles_asked(page)
    page.context.set_offline(False)
    page.evaluate(NAMED, "断线时改名")
    expect(page.locator(".live")).to_have_attribute("data-state", "live")
    assert set(asked) <= place.tiles(14)


def cut_tile(n: int) -> bytes:
    point = {"geometry": "POINT(2048 2048)", "properties": {"n": n}}
    told: bytes = mapbox_vector_tile.encode([{"name": "component_cut", "features": [point]}])
    return told


def test_what_tiles_leave_out_is_told_until_the_layer_is_switched_off(visit: Visit, server: Server) -> None:
    page = visit(ready=False)
    answer: dict[str, Any] = {"body": cut_tile(1200), "content_type": "application/vnd.mapbox-vector-tile"}
    page.route("**/tiles/**", lambda route: route.fulfill(**answer))
    page.goto(f"{server.url}/#at=13.5/32/120.9&layers=component")
    pages.await_map(page)
    notice = page.locator(".notices [aria-live=polite]")
    expect(notice).to_contain_text(re.compile(r"此处另有 [\d,]+ 个未显示，请放大"))
    layer_box(page, "component").uncheck()
    expect(notice).to_be_empty()
