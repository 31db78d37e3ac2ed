"""The grid worker's phone: what is done without a network arrives once each and in order, and nothing is swallowed."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import shapely
import sqlalchemy as sa
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, Route, expect

from layers.catalog.incident import TABLE
from layers.loop.tables import PHOTO, STEP
from layers.people.access import Scope
from tests.api.people import PASSWORD, person, signed_in
from tests.conftest import ROOT, Server
from tests.web.pages import PATIENCE_MS, browser, visiting  # noqa: F401  (a fixture)

AXE = ROOT / "webmap" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": "light"}
# Chromium writes every request that finds no network into its console.
NO_NETWORK = "net::ERR_"
SMALL_TARGETS = """() => [...document.querySelectorAll(
  ".phone button, .phone a, .phone select, .phone textarea, .phone summary, .phone label.take, .phone label.check")]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest("p, .maplibregl-map"))
  .map((each) => [each.getBoundingClientRect(), each.textContent])
  .filter(([box]) => box.width > 0 && (box.height < 47.9 || box.width < 47.9))
  .map(([box, text]) => `${text} ${box.width}x${box.height}`)"""
# What will be sent, as base64.
PHOTOS = """async () => {
  const open = indexedDB.open("chengtu-grid");
  const database = await new Promise((done) => { open.onsuccess = () => done(open.result); });
  const asked = database.transaction("photos").objectStore("photos").getAll();
  const blobs = await new Promise((done) => { asked.onsuccess = () => done(asked.result); });
  const bytes = await Promise.all(blobs.map((blob) => blob.arrayBuffer()));
  return bytes.map((each) => btoa(Array.from(new Uint8Array(each), (b) => String.fromCharCode(b)).join("")));
}"""
LEFT = """async () => {
  const open = indexedDB.open("chengtu-grid");
  const database = await new Promise((done) => { open.onsuccess = () => done(open.result); });
  const counts = await Promise.all([...database.objectStoreNames].map((name) => new Promise((done) => {
    const asked = database.transaction(name).objectStore(name).count();
    asked.onsuccess = () => done(asked.result);
  })));
  const cache = await caches.open("chengtu-grid-area");
  return { counts, area: (await cache.keys()).map(({ url }) => new URL(url).pathname) };
}"""


@dataclass(frozen=True)
class Worker:
    """A grid worker, the grid, and a point in it."""

    login: str
    grid: str
    name: str
    lon: float
    lat: float


@pytest.fixture
def worker(server: Server) -> Worker:
    with server.database.reader.connect() as connection:
        grid, name, point = connection.execute(
            sa.text(
                "select g.id, g.name, st_asbinary(st_pointonsurface(g.geom)) from city.grid g"
                " join city.building b on b.grid_id = g.id group by g.id, g.name, g.geom order by count(*) desc limit 1"
            )
        ).one()
    at = shapely.from_wkb(bytes(point))
    login = person(server, "worker", scope=Scope(frozenset({grid}), frozenset()))
    return Worker(login, grid, name, at.x, at.y)


Open = Callable[..., Page]


@pytest.fixture
def phone(browser: Browser, server: Server, worker: Worker) -> Iterator[Open]:  # noqa: F811
    """Opens the page on a phone that is signed in as the worker."""
    with visiting(browser, server.url) as visit:

        def open_phone(*, errors_with: str = NO_NETWORK, **options: Any) -> Page:
            page = visit(ready=False, errors_with=errors_with, **{**PHONE, **options})
            sign_in(page.context, server, worker.login)
            page.context.grant_permissions(["geolocation"])
            page.context.set_geolocation({"longitude": worker.lon, "latitude": worker.lat, "accuracy": 8})
            come(page, server)
            return page

        yield open_phone


def sign_in(context: BrowserContext, server: Server, login: str) -> None:
    answer = context.request.post(
        f"{server.url}/session", data={"login": login, "password": PASSWORD}, headers={"Origin": server.url}
    )
    assert answer.ok, answer.text()


def come(page: Page, server: Server, *, where: str = "", until: str = "ready") -> None:
    page.goto(f"{server.url}/grid{where}")
    expect(page.locator(f"html[data-{until}=true]")).to_be_attached(timeout=PATIENCE_MS)


def photo_of_a_camera() -> bytes:
    """A large JPEG that tells where and with what it was taken."""
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (32.0, 5.0, 41.0), 3: "E", 4: (121.0, 3.0, 59.0)})
    written = io.BytesIO()
    Image.radial_gradient("L").resize((3000, 2000)).convert("RGB").save(written, "JPEG", exif=exif)
    return written.getvalue()


def report(page: Page, matter: str, text: str) -> None:
    """Report by hand, with a photo."""
    page.locator(".tabs a").nth(2).click()
    page.locator("#matter").fill(matter)
    page.locator(".chip[data-matter]").first.click()
    page.get_by_role("button", name="网格中心").click()
    page.locator("#what").fill(text)
    photo: FilePayload = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo_of_a_camera()}
    page.locator(".report input[type=file]").set_input_files(photo)
    expect(page.locator(".report .strip img")).to_have_count(1)
    page.locator("#file").click()
    expect(page.locator(".said")).to_contain_text("已记下")


def reported(server: Server, login: str) -> list[Any]:
    """What has arrived of somebody's reports, in the order in which it did."""
    found = sa.select(TABLE.c.id, TABLE.c.description, TABLE.c.grid_id).where(TABLE.c.reporter == login)
    with server.database.engine.connect() as connection:
        return list(connection.execute(found.order_by(TABLE.c.id)))


def test_reports_made_offline_outlive_the_page_and_arrive_once_each_in_order(
    phone: Open, server: Server, worker: Worker
) -> None:
    page = phone()
    expect(page.locator("html[data-offline=true]")).to_be_attached(timeout=PATIENCE_MS)
    context = page.context
    context.set_offline(True)
    report(page, "雨水井盖", "第一件：井盖翘起")
    report(page, "路灯", "第二件：路灯不亮")
    expect(page.locator(".act")).to_have_count(4)
    for kept in page.evaluate(PHOTOS):
        picture = base64.b64decode(kept)
        assert b"Camera" not in picture
        assert not Image.open(io.BytesIO(picture)).getexif()
    page.close(run_before_unload=False)
    page = context.new_page()
    come(page, server, where="#waiting")
    expect(page.locator(".strip-line")).to_contain_text("离线")
    assert [text.split("·")[0].strip() for text in page.locator(".act b").all_inner_texts()] == [
        *("上报", "照片", "上报", "照片")
    ]
    page.locator(".tabs a").nth(1).click()
    expect(page.locator("html[data-map=true]")).to_be_attached(timeout=PATIENCE_MS)
    drawn = "() => window.__chengtu.map.queryRenderedFeatures().map((each) => each.sourceLayer)"
    assert {"grid", "road"} <= set(page.evaluate(drawn))
    assert reported(server, worker.login) == []

    context.set_offline(False)
    page.locator(".tabs a").nth(3).click()
    expect(page.get_by_text("全部已发出")).to_be_visible(timeout=PATIENCE_MS)
    page.reload()
    expect(page.get_by_text("全部已发出")).to_be_visible(timeout=PATIENCE_MS)
    arrived = reported(server, worker.login)
    assert [row.description for row in arrived] == ["第一件：井盖翘起", "第二件：路灯不亮"]
    assert {row.grid_id for row in arrived} == {worker.grid}
    in_order = sa.select(STEP.c.incident, STEP.c.step, STEP.c.id).where(STEP.c.actor == worker.login)
    pictures = sa.select(PHOTO).where(PHOTO.c.actor == worker.login).order_by(PHOTO.c.at)
    with server.database.engine.connect() as connection:
        steps = list(connection.execute(in_order.order_by(STEP.c.id)))
        photos = list(connection.execute(pictures))
    assert [(step.incident, step.step) for step in steps] == [(row.id, "report") for row in arrived]
    assert [(photo.incident, photo.step) for photo in photos] == [(step.incident, step.id) for step in steps]
    assert [(photo.width, photo.height) for photo in photos] == [(1600, 1067)] * 2


def test_a_report_whose_answer_is_lost_is_sent_again_and_filed_once(
    phone: Open, server: Server, worker: Worker
) -> None:
    page = phone(errors_with="net::ERR_CONNECTION_RESET")
    keys: list[str] = []

    def lose_the_first(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            assert route.fetch().status == 201
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/incidents", lose_the_first)
    report(page, "雨水井盖", "只报一次")
    expect(page.get_by_text("全部已发出")).to_be_visible(timeout=PATIENCE_MS)
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert [row.description for row in reported(server, worker.login)] == ["只报一次"]


def assigned(server: Server, worker: Worker, dispatcher: httpx.Client, text: str) -> str:
    """A case at the worker's grid that the worker is to look at."""
    told = {
        "channel": "worker", "matter": "01003", "title": text, "description": text,
        "lon": worker.lon + 0.001, "lat": worker.lat,
    }  # fmt: skip
    with signed_in(server, person(server, "worker")) as other:
        case = other.post("/incidents", json=told).json()["receipt"]
    body = {"step": "assign", "assignee": worker.login, "expected": case["step"]}
    assert dispatcher.post(f"/incidents/{case['incident']}/steps", json=body).status_code == 200
    return str(case["incident"])


def test_a_task_that_went_on_meanwhile_is_shown_with_what_changed_and_can_be_dropped(
    phone: Open, server: Server, worker: Worker
) -> None:
    with signed_in(server, person(server, "dispatcher")) as dispatcher:
        id = assigned(server, worker, dispatcher, "井盖待核实")
        page = phone(errors_with="Failed to load resource")  # there is no network, then the step is refused
        # Out of reach once it keeps all that it needs: what is still on its way would be another failure.
        expect(page.locator("html[data-offline=true]")).to_be_attached(timeout=PATIENCE_MS)
        page.locator(".shift").click()
        expect(page.locator(".card .away")).to_have_text("东 94 m")
        page.locator(".card").click()
        page.context.set_offline(True)
        page.locator("button[data-step=verify]").click()
        page.locator("#finding").select_option("as_told")
        page.locator("#note").fill("现场属实")
        page.get_by_role("button", name="提交").click()
        expect(page.locator(".actions")).to_contain_text("1 项待发")
        seen = dispatcher.get(f"/incidents/{id}").json()["steps"][-1]["id"]
        body = {"step": "register", "expected": seen, "note": "直接立案"}
        assert dispatcher.post(f"/incidents/{id}/steps", json=body).status_code == 200
    page.context.set_offline(False)
    page.locator(".tabs a").nth(3).click()
    act = page.locator(".act.refused")
    expect(act).to_contain_text("立案：直接立案", timeout=PATIENCE_MS)
    act.get_by_role("button", name="放弃").click()
    page.locator("dialog .danger").click()
    expect(page.get_by_text("全部已发出")).to_be_visible()
    mine = sa.select(sa.func.count()).where(STEP.c.actor == worker.login)
    with server.database.engine.connect() as connection:
        assert connection.scalar(mine) == 0


def test_who_signs_out_leaves_nothing_on_the_phone(phone: Open) -> None:
    page = phone()
    expect(page.locator("html[data-offline=true]")).to_be_attached(timeout=PATIENCE_MS)
    kept = page.evaluate(LEFT)["area"]
    assert "/layers/incident" in kept
    assert [path for path in kept if path.endswith(".mvt")]
    page.get_by_role("button", name="账号与离线地图").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("button", name="登录")).to_be_visible(timeout=PATIENCE_MS)
    left = page.evaluate(LEFT)
    assert set(left["counts"]) == {0, 1}  # that nobody is signed in
    assert [path for path in left["area"] if path.endswith(".mvt") or path.startswith(("/photos/", "/layers/"))] == []


def test_what_was_done_before_a_session_ended_waits_for_its_owner(phone: Open, server: Server, worker: Worker) -> None:
    page = phone(errors_with="Failed to load resource")
    page.context.clear_cookies()
    report(page, "雨水井盖", "登录过期后")
    expect(page.locator(".strip-line")).to_contain_text("重新登录", timeout=PATIENCE_MS)
    expect(page.locator(".strip-line button")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="网格通")).to_be_visible(timeout=PATIENCE_MS)
    assert reported(server, worker.login) == []
    page.get_by_role("button", name="登录").click()
    page.get_by_label("登录名").fill(worker.login)
    page.get_by_label("密码").fill(PASSWORD)
    page.locator("dialog [type=submit]").click()
    expect(page.get_by_text("全部已发出")).to_be_visible(timeout=PATIENCE_MS)
    assert [row.description for row in reported(server, worker.login)] == ["登录过期后"]


def test_every_view_is_open_to_all_and_large_enough_for_a_thumb(phone: Open, server: Server, worker: Worker) -> None:
    with signed_in(server, person(server, "dispatcher")) as dispatcher:
        assigned(server, worker, dispatcher, "井盖待核实")
    page = phone()
    page.locator(".shift").click()
    expect(page.locator(".card .away")).to_be_visible()
    page.evaluate(Path(AXE).read_text(encoding="utf-8"))
    problems: dict[str, Any] = {}

    def look(view: str) -> None:
        found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
        problems[view] = [f"{each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]
        for width, height in ((390, 844), (320, 568)):
            page.set_viewport_size({"width": width, "height": height})
            problems[view] += page.evaluate(SMALL_TARGETS)
            problems[view] += ["too wide"] if page.evaluate("document.body.scrollWidth > innerWidth") else []

    look("tasks")
    page.locator(".card").click()
    look("task")
    page.locator("button[data-step=verify]").click()
    look("step")
    for number, view in ((1, "map"), (2, "report"), (3, "waiting"), (4, "needs"), (5, "visits")):
        page.locator(".tabs a").nth(number).click()
        look(view)
    page.get_by_role("button", name="账号与离线地图").click()
    look("menu")
    assert problems == dict.fromkeys(problems, [])


def test_the_page_can_be_installed(server: Server) -> None:
    manifest = httpx.get(f"{server.url}/grid.webmanifest")
    assert manifest.headers["content-type"].startswith("application/manifest+json")
    told = manifest.json()
    assert (told["start_url"], told["display"], told["lang"]) == ("/grid", "standalone", "zh-CN")
    for icon in told["icons"]:
        picture = httpx.get(f"{server.url}{icon['src']}")
        assert picture.headers["content-type"] == icon["type"]
        if icon["type"] == "image/png":
            side = int(icon["sizes"].split("x")[0])
            assert Image.open(io.BytesIO(picture.content)).size == (side, side)
    worker = httpx.get(f"{server.url}/grid-worker.js")
    assert worker.headers["cache-control"] == "no-cache"
