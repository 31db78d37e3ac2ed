"""Real Chromium on a real server: what the tests of the map share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# Chromium goes by the last list of what is switched off, so Playwright's own is in it.
_OFF = (
    "HttpsUpgrades", "PaintHolding", "ThirdPartyStoragePartitioning", "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "AimEnabled",
    "OptimizationHints", "NetworkTimeServiceQuerying", "PreconnectToSearch", "AvoidCorsURLLoaderRestartOnRedirect",
    # Behind every window Chromium would load two pages for its address bar, which nobody sees: a third of all work.
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup",
)  # fmt: skip
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    # Panels and letters are painted with half the work where no processor plays the graphics card for them, too.
    "--disable-gpu-rasterization",
]  # fmt: skip
# Not for benchmarks, which measure the browser as people have it.
CHEAPER = [
    *ARGUMENTS,
    # Edges of the map would be drawn four times as fine, by the processor.
    "--webgl-antialiasing-mode=none",
    f"--disable-features={','.join(_OFF)}",
]
PATIENCE_MS = 60_000

IDLE = """() => new Promise((done, failed) => {
  const { map } = window.__chengtu;
  map.once("idle", () => done(null));
  map.triggerRepaint();
  setTimeout(() => failed(new Error("the map does not come to rest")), 20000);
})"""
VALUES = """([layer, name]) => {
  const features = window.__chengtu.map.queryRenderedFeatures({ layers: [layer] });
  return [...new Set(features.map((feature) => feature.properties[name]))].sort();
}"""
COLOURS = """(png) => new Promise((done) => {
  const image = new Image();
  image.onload = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    done(new Set(new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer)).size);
  };
  image.src = `data:image/png;base64,${png}`;
})"""

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Of one module only: while it runs, Playwright holds the thread's event loop.
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHEAPER)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, server_url: str) -> Iterator[Visit]:
    with visiting(browser, server_url) as open_page:
        yield open_page


@contextmanager
def visiting(browser: Browser, server_url: str) -> Iterator[Visit]:
    """Opens the map; at the end nothing may have been asked of another host, nor an unexpected error been logged."""
    contexts, strangers, errors = [], [], []
    expected: list[str] = []

    def watch(page: Page) -> None:
        def requested(url: str) -> None:
            if urlsplit(url).scheme not in ("data", "blob") and not url.startswith(server_url):
                strangers.append(url)

        page.on("request", lambda request: requested(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

    def open_page(fragment: str = "", *, errors_with: str | None = None, ready: bool = True, **options: Any) -> Page:
        if errors_with is not None:
            expected.append(errors_with)
        settings: dict[str, Any] = {
            "locale": "zh-CN", "timezone_id": "Asia/Shanghai", "color_scheme": "dark", "reduced_motion": "reduce",
            "viewport": {"width": 1280, "height": 720},
        }  # fmt: skip
        context = browser.new_context(**{**settings, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        watch(page)
        if ready:
            page.goto(f"{server_url}/{fragment}")
            await_map(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert strangers == []
    assert [text for text in errors if not any(known in text for known in expected)] == []


def await_map(page: Page) -> None:
    """Return when the first view is wholly drawn."""
    # `expect` would describe the whole page for every look that comes too early.
    page.wait_for_selector("html[data-ready=true]", state="attached", timeout=PATIENCE_MS)


def centre(page: Page) -> tuple[float, float]:
    """The middle of the map on the screen."""
    canvas = page.locator(".maplibregl-canvas").bounding_box()
    assert canvas
    return canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2


def layer_box(page: Page, name: str) -> Any:
    """The switch of a layer."""
    return page.locator(f"input[data-layer={name}]")
