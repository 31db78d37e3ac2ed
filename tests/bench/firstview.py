"""What the first view of the whole city costs: the map opened in a real browser, and the bytes of its tiles."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Response, sync_playwright

from tests.bench.fetch import BadAnswer
from tests.bench.measure import MEGABYTE, serving
from tests.bench.rows import Aim, Row
from tests.bench.stage import Stage
from tests.web.pages import ARGUMENTS, await_map

_CHROMIUM = Path("/usr/bin/chromium")
_SCREEN = (1920, 1080)


def first_view(stage: Stage) -> list[Row]:
    """Tiles as they come over the wire, at the opening zoom, with the layers that the map opens with."""
    if stage.lacks([] if shutil.which(str(_CHROMIUM)) else ["chromium"]):
        return []
    with serving(stage.city, data=stage.archived) as server:
        tiles = _opened(f"http://127.0.0.1:{server.port}/")
    zooms = sorted({path.split("/")[3] for path, _ in tiles})
    what = f"first view, {_SCREEN[0]}×{_SCREEN[1]}: {len(tiles)} tiles of z{'–'.join(zooms)}"
    return [Row(what, sum(size for _, size in tiles) / MEGABYTE, "MB", aim=Aim(most=0.8))]


def _opened(url: str) -> list[tuple[str, int]]:
    """Paths and transferred body bytes of the tiles that a map asks for until it is wholly drawn."""
    found: list[Response] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(_CHROMIUM), args=ARGUMENTS)
        width, height = _SCREEN
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", reduced_motion="reduce", color_scheme="dark"
        )
        page = context.new_page()
        page.on("response", lambda response: found.append(response) if ".mvt" in response.url else None)
        page.goto(url)
        await_map(page)
        if bad := [f"{each.url}: {each.status}" for each in found if each.status not in (200, 204)]:
            raise BadAnswer(bad[0])
        tiles = [(urlsplit(each.url).path, each.request.sizes()["responseBodySize"]) for each in found]
        browser.close()
    return tiles
