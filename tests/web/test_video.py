"""Cameras on the map in a real browser: who sees a point, their pictures, and a patrol."""

from __future__ import annotations

from typing import Any

import pyproj
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from tests.conftest import ROOT, Server
from tests.web import pages

browser, visit = pages.browser, pages.visit
GEOD = pyproj.Geod(ellps="WGS84")
NO_PICTURE = "404 (Not Found)"


def looking(server: Server) -> Any:
    """A camera that is on, and where it looks."""
    with server.database.reader.connect() as connection:
        return connection.execute(
            sa.text(
                "select id, name, heading_deg, grid_id, st_x(geom) as lon, st_y(geom) as lat from city.video "
                "where status = 'ON' and range_m > 60 order by id limit 1"
            )
        ).one()


def before(camera: Any, metres: float) -> tuple[float, float]:
    lon, lat, _ = GEOD.fwd(camera.lon, camera.lat, camera.heading_deg, metres)
    return lon, lat


def drawn(page: Page, part: str) -> int:
    """How many wedges of a layer of the map are on the screen."""
    return int(page.evaluate("layer => window.__chengtu.map.queryRenderedFeatures({ layers: [layer] }).length", part))


def test_a_click_asks_who_sees_a_point_and_a_camera_opens(visit: pages.Visit, server: Server) -> None:
    camera = looking(server)
    lon, lat = before(camera, 30)
    page = visit(f"#at=18/{lat:.6f}/{lon:.6f}&layers=road,video")
    page.get_by_role("button", name="视频", exact=True).click()
    expect(page.locator(".sight")).to_contain_text("单击地图上的一点")
    page.mouse.click(*pages.centre(page))
    line = page.locator(".camera-line", has_text=camera.name).first
    expect(line).to_contain_text("30 米")
    assert "sight=" in page.url
    page.evaluate(pages.IDLE)
    assert drawn(page, "tool-sight-fill") > 0
    line.get_by_role("button", name="加入巡查").click()
    assert f"picked={camera.id}" in page.url
    line.locator(".choice").click()
    dialog = page.get_by_role("dialog", name=camera.name)
    expect(dialog.locator(".picture[data-outcome=here]")).to_be_visible()
    expect(dialog).to_contain_text("不是真实视频")
    expect(dialog).to_contain_text("CHENGTU_VIDEO_STREAM_URL")
    page.keyboard.press("Escape")
    page.locator(".tool").get_by_role("button", name="关闭").click()
    assert "sight=" not in page.url
    assert page.evaluate("window.__chengtu.map.getSource('tool-sight') === undefined")


def test_a_patrol_goes_from_screen_to_screen_by_keys(visit: pages.Visit) -> None:
    where = '{"video":{"status":{"in":["ON","OFF"]},"admin_code":{"starts":"320612"}}}'
    page = visit(f"#layers=video&where={where}&patrol=1/600/listed", errors_with=NO_PICTURE)
    patrol = page.get_by_role("region", name="视频巡查")
    expect(patrol.locator(".picture[data-outcome=here], .picture[data-outcome=broken]")).to_have_count(1)
    count = patrol.locator("header .count")
    expect(count).to_contain_text("1–1 /")
    page.keyboard.press("ArrowRight")
    expect(count).to_contain_text("2–2 /")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(count).not_to_contain_text("1–1 /")
    patrol.get_by_label("每屏画面").select_option("4")
    assert "patrol=4/600/listed" in page.url
    expect(patrol.locator(".picture")).not_to_have_count(1)
    page.get_by_label("暂停").click()
    expect(page.get_by_label("继续")).to_be_focused()
    page.keyboard.press("Escape")
    expect(patrol).to_have_count(0)
    assert "patrol=" not in page.url


def test_a_patrol_steps_by_itself_and_what_is_off_is_marked_with_its_time(visit: pages.Visit, server: Server) -> None:
    with server.database.reader.connect() as connection:
        off = sa.text("select id from city.video where status = 'OFF' order by id limit 2")
        ids = list(connection.scalars(off))
    page = visit(f"#layers=video&picked={','.join(ids)}&patrol=1/1/picked", errors_with=NO_PICTURE)
    patrol = page.get_by_role("region", name="视频巡查")
    expect(patrol.locator(f".picture[data-site='{ids[1]}']")).to_be_visible()
    expect(patrol.locator(f".picture[data-site='{ids[0]}']")).to_be_visible()
    expect(patrol.locator(".picture[data-outcome=broken]")).to_contain_text("取不到画面")
    expect(patrol.locator(".broken")).to_have_text("1 路取不到画面")


def test_a_grid_is_patrolled_from_its_card_on_a_phone(visit: pages.Visit, server: Server) -> None:
    camera = looking(server)
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
    page = visit(f"#lang=en&layers=grid&open=grid/{camera.grid_id}", errors_with=NO_PICTURE, **phone)
    page.get_by_role("button", name="Patrol this area").click()
    patrol = page.get_by_role("region", name="Video patrol")
    expect(patrol.locator(".picture").first).to_be_visible()
    expect(patrol).to_contain_text("Synthetic picture")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert f"area:{camera.grid_id}" in page.url


def test_the_patrol_is_for_everyone(visit: pages.Visit, server: Server) -> None:
    camera = looking(server)
    page = visit(f"#layers=video&picked={camera.id}&patrol=4/600/picked")
    expect(page.locator(".picture[data-outcome=here]")).to_be_visible()
    page.evaluate((ROOT / "webmap/node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate(
        "axe.run('.patrol', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }).then(r => r.violations.map(v => v.id))"
    )
    assert found == []
