"""What the pages cost in a real browser, beside what people build today from the same records."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import sqlalchemy as sa
from playwright.sync_api import Browser, Page, Request, sync_playwright

from layers.store.engine import begin, engine_for
from tests.bench.measure import MEGABYTE, percentile, serving
from tests.bench.peer_pages import Peers, peer_pages, whole_city
from tests.bench.rows import Aim, Row, beside
from tests.bench.stage import Stage
from tests.web.pages import ARGUMENTS, PATIENCE_MS

_CHROMIUM = Path("/usr/bin/chromium")
_SCREEN = {"width": 1920, "height": 1080}
_PATIENT_MS = 5 * PATIENCE_MS
# From the whole city into a quarter of it and along its streets.
_WALK = (
    (120.86, 31.98, 11.0),
    (120.87, 31.99, 13.0),
    (120.88, 31.99, 13.0),
    (120.88, 31.985, 15.0),
    (120.86, 31.98, 12.0),
)
_GO = """([lon, lat, zoom]) => new Promise((done) => {
  const { map } = window.__chengtu;
  map.jumpTo({ center: [lon, lat], zoom });
  map.once("idle", () => done(null));
})"""
_PEER_GO = "([lon, lat, zoom]) => window.peer.go(lon, lat, zoom)"
# A message comes back at once while the main thread is free, and late by what it was blocked for.
_LAG = """() => {
  const channel = new MessageChannel();
  let last = performance.now();
  window.lags = [];
  channel.port1.onmessage = () => {
    const now = performance.now();
    window.lags.push(now - last);
    last = now;
    setTimeout(() => { last = performance.now(); channel.port2.postMessage(0); }, 4);
  };
  channel.port2.postMessage(0);
}"""
_EDITS_A_SECOND = 50
_IN_VIEW = sa.text(
    "select id from city.component where geom && st_makeenvelope(120.86, 31.97, 120.90, 32.0, 4326)"
    " order by id limit 500"
)
_EDIT = sa.text(
    "update city.component set state = case state when 'broken' then 'intact' else 'broken' end where id = :id"
)
_REST = """() => new Promise((done) => {
  const { map } = window.__chengtu;
  map.triggerRepaint();
  map.once("idle", () => done(null));
})"""


@dataclass(frozen=True)
class Opened:
    """A page that was opened: how long until its map was drawn, and the bytes that came, by kind."""

    seconds: float
    script_bytes: int
    font_bytes: int
    data_bytes: int
    all_bytes: int
    walk_ms: Sequence[float]


def screens(stage: Stage) -> list[Row]:
    """The map, the same records as one GeoJSON and as a folium page, in turns; then live updates and the wall."""
    if stage.lacks([] if shutil.which(str(_CHROMIUM)) else ["chromium"]):
        return []
    rounds = stage.sizes.repeats
    with (
        serving(stage.city, data=stage.archived) as server,
        stage.reader("city").connect() as connection,
        peer_pages(connection) as peers,
        _browser() as browser,
    ):
        url = f"http://127.0.0.1:{server.port}"
        turns = [_turn(browser, url, peers) for _ in range(rounds)]
        return [
            *_openings(turns),
            *_data(turns, peers, whole_city(connection)),
            *_live(stage, browser, url),
            *_wall(browser, url, stage.sizes.turns),
        ]


def _turn(browser: Browser, url: str, peers: Peers) -> tuple[Opened, Opened, Opened]:
    return (
        _opened(browser, f"{url}/", _GO),
        _opened(browser, peers.maplibre, _PEER_GO),
        _opened(browser, peers.folium, _PEER_GO),
    )


def _openings(turns: Sequence[tuple[Opened, Opened, Opened]]) -> list[Row]:
    ours, geojson, folium = zip(*turns, strict=True)

    def bytes_of(some: Sequence[Opened]) -> list[float]:
        return [(each.all_bytes - each.font_bytes) / MEGABYTE for each in some]

    def walk_of(some: Sequence[Opened]) -> list[float]:
        return [median(each.walk_ms) for each in some]

    seconds = [[each.seconds for each in some] for some in (ours, geojson, folium)]
    walks = [walk_of(some) for some in (ours, geojson, folium)]
    script = median([each.script_bytes for each in ours]) / MEGABYTE
    return [
        Row("scripts of the map, gzipped", script, "MB", aim=Aim(most=0.7)),
        Row("bytes to the first map, without fonts", median(bytes_of(ours)), "MB", aim=Aim(most=1.5)),
        beside("bytes to the first map; page with one GeoJSON, gzipped", bytes_of(ours), bytes_of(geojson), unit="MB"),
        beside("bytes to the first map; folium, gzipped", bytes_of(ours), bytes_of(folium), unit="MB"),
        beside("first map; one GeoJSON in MapLibre", *seconds[:2], unit="s", aim=Aim(most=0.5, of="ratio")),
        beside("first map; folium", seconds[0], seconds[2], unit="s"),
        beside("pan or zoom until idle; one GeoJSON in MapLibre", *walks[:2], unit="ms"),
        beside("pan or zoom until drawn; folium", walks[0], walks[2], unit="ms"),
    ]


def _data(turns: Sequence[tuple[Opened, Opened, Opened]], peers: Peers, city: Sequence[int]) -> list[Row]:
    """What comes for the data alone, beside one GeoJSON: of the layers shown, and of all that the map has to show."""
    ours = median([ours.data_bytes for ours, _, _ in turns]) / MEGABYTE
    whole_packed, whole_plain = (size / MEGABYTE for size in city)
    name, aim = "bytes of data to the first map", Aim(most=1 / 15, of="ratio")
    return [
        Row(f"{name}; the layers shown, gzipped", ours, "MB", peer=peers.packed_bytes / MEGABYTE, aim=aim),
        Row(f"{name}; the layers shown, as a file", ours, "MB", peer=peers.plain_bytes / MEGABYTE),
        Row(f"{name}; all layers of the city, gzipped", ours, "MB", peer=whole_packed),
        Row(f"{name}; all layers of the city, as a file", ours, "MB", peer=whole_plain),
    ]


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(_CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def _page(browser: Browser, url: str) -> Iterator[tuple[Page, list[Request]]]:
    """A page in a browser that has nothing in memory, once its map is drawn, and what it asked for."""
    context = browser.new_context(viewport=_SCREEN, locale="zh-CN", reduced_motion="reduce", color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(_PATIENT_MS)
    asked: list[Request] = []
    page.on("requestfinished", lambda request: asked.append(request))
    page.goto(url)
    page.locator("html[data-ready=true]").wait_for(state="attached")
    yield page, asked
    context.close()


def _opened(browser: Browser, url: str, go: str) -> Opened:
    started = time.monotonic()
    with _page(browser, url) as (page, asked):
        seconds = time.monotonic() - started
        sizes = [(_kind(request), _received(request)) for request in list(asked)]
        walk = []
        for place in _WALK:
            left = time.monotonic()
            page.evaluate(go, list(place))
            walk.append(1_000 * (time.monotonic() - left))
    return Opened(
        seconds=seconds,
        script_bytes=sum(size for kind, size in sizes if kind == "script"),
        font_bytes=sum(size for kind, size in sizes if kind == "font"),
        data_bytes=sum(size for kind, size in sizes if kind == "fetch"),
        all_bytes=sum(size for _, size in sizes),
        walk_ms=walk,
    )


def _kind(request: Request) -> str:
    # The fonts of labels are fetched by the map, not by a style sheet.
    return "font" if request.url.endswith(".woff2") else request.resource_type


def _received(request: Request) -> int:
    return 0 if request.resource_type == "eventsource" else request.sizes()["responseBodySize"]


def _live(stage: Stage, browser: Browser, url: str) -> list[Row]:
    """Components of the view are edited fifty times a second; how long the page's main thread is away meanwhile."""
    with _page(browser, f"{url}/#at=15/31.985/120.88") as (page, _):
        page.evaluate(_LAG)
        quiet = _lags(page, stage.sizes.live_s)
        with _edited(stage, stage.sizes.live_s):
            busy = _lags(page, stage.sizes.live_s)
    name = f"main thread blocked, {_EDITS_A_SECOND} edits a second"
    return [
        Row(f"{name}: p95", percentile(busy, 95), "ms", aim=Aim(most=16)),
        Row(f"{name}: p99", percentile(busy, 99), "ms"),
        Row("main thread blocked, nothing going on: p95", percentile(quiet, 95), "ms"),
    ]


def _lags(page: Page, seconds: float) -> list[float]:
    page.evaluate("() => { window.lags.length = 0; }")
    page.wait_for_timeout(1_000 * seconds)
    return [float(lag) for lag in page.evaluate("() => window.lags")]


@contextmanager
def _edited(stage: Stage, seconds: float) -> Iterator[None]:
    """Meanwhile another thread commits edits of components of the view, one after the other."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        editing = pool.submit(_edit, stage, stop, seconds)
        yield
        stop.set()
    stage.changed()
    editing.result()


def _edit(stage: Stage, stop: threading.Event, seconds: float) -> None:
    engine = engine_for(stage.city, "writer", pool_size=1)
    with engine.connect() as connection:
        ids = connection.execute(_IN_VIEW).scalars().all()
    started = time.monotonic()
    for number in range(int(seconds * _EDITS_A_SECOND)):
        if stop.wait(max(0.0, started + number / _EDITS_A_SECOND - time.monotonic())):
            break
        with begin(engine, actor="bench") as connection:
            connection.execute(_EDIT, {"id": ids[number % len(ids)]})
    engine.dispose()


def _wall(browser: Browser, url: str, turns: int) -> list[Row]:
    """As many turns of the carousel as an hour has, one as soon as the last is drawn; memory after collections."""
    with _page(browser, f"{url}/wall") as (page, _):
        devtools = page.context.new_cdp_session(page)

        def held_mb() -> float:
            devtools.send("HeapProfiler.collectGarbage")
            told = devtools.send("Runtime.getHeapUsage")
            return float(told["usedSize"]) / MEGABYTE

        def turn(times: int) -> None:
            for _ in range(times):
                page.keyboard.press("ArrowRight")
                page.evaluate(_REST)

        turn(turns // 10)
        early = held_mb()
        turn(turns)
        late = held_mb()
    name = f"wall, {turns} turns of the carousel: memory of the page"
    return [Row(name, late, "MB", peer=early, aim=Aim(most=1.1, least=0.9, of="ratio"))]
