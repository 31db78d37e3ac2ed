"""Whole screens beside the pictures that somebody looked at: what moved, vanished or lost its colour is seen at once.

A difference is no crime: look at the new picture (pytest keeps it in its temporary folder), and if it is better make it
the one to compare with: `CHENGTU_PICTURES=keep pytest tests/web/test_pictures.py`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.conftest import Server
from tests.web import pages
from tests.web.pages import IDLE, Visit

browser = pages.browser

KEPT = Path(__file__).with_name("pictures")
# Means of blocks so large are blind to the drawing of single letters, to ages ("3 minutes ago") and to compression.
BLOCK_PX = 24
NOTICED = 12.0  # of 255, in the mean of one block
MOST_SHARE = 0.03  # of all blocks
MOST_TAKES = 8


@dataclass(frozen=True)
class Screen:
    """A page at a size: in CSS pixels, how many of the screen's make one, and how it is touched."""

    width: int
    height: int
    scale: float = 1
    phone: bool = False

    @property
    def options(self) -> dict[str, Any]:
        touch = {"has_touch": True, "is_mobile": True} if self.phone else {}
        return {
            "viewport": {"width": self.width, "height": self.height},
            "device_scale_factor": self.scale,
            **touch,
        }


DESK, WALL_4K, PHONE = Screen(1920, 1080), Screen(1920, 1080, scale=2), Screen(390, 844, phone=True)
SIZES = {"1920x1080": DESK, "3840x2160": WALL_4K, "390x844": PHONE}
VIEWS = {
    "city": "#topic=city-management",
    "emergency": "#topic=emergency",
    "everything": "",
    "plan": "plan",
    "data": "data",
    # One sheet for an hour: which of them the picture shows must not hang on how quick the machine is.
    "wall": "wall?topics=city-management&seconds=3600",
}
SHOWN = [
    *((f"city-{size}-{palette}") for size in SIZES for palette in ("dark", "light")),
    *(
        f"{view}-1920x1080-{palette}"
        for view in ("emergency", "everything", "plan", "data")
        for palette in ("dark", "light")
    ),
    "plan-390x844-light",
    "data-390x844-light",
    "wall-1920x1080-dark",
    "wall-3840x2160-dark",
]


@pytest.fixture
def visit(browser: Browser, own_server: Server) -> Iterator[Visit]:
    """Opens pages of a city that no other test edits: a digit that differs is seen on a wall."""
    with pages.visiting(browser, own_server.url) as open_page:
        yield open_page


@pytest.mark.parametrize("name", SHOWN)
def test_a_screen_looks_as_it_was_approved(visit: Visit, tmp_path: Path, name: str) -> None:
    view, size, palette = name.split("-")
    page = visit(VIEWS[view], color_scheme=palette, **SIZES[size].options)
    page.evaluate("() => document.fonts.ready.then(() => null)")
    kept = KEPT / f"{name}.webp"
    if os.environ.get("CHENGTU_PICTURES") == "keep":
        kept.parent.mkdir(exist_ok=True)
        at_rest(page).save(kept, quality=70, method=6)
    approved = Image.open(kept).convert("RGB")
    picture = at_rest(page, approved)
    picture.save(tmp_path / f"{name}.png")
    share = different(picture, approved)
    assert share <= MOST_SHARE, f"{share:.1%} of {name} looks otherwise: see {tmp_path}"


def at_rest(page: Page, approved: Image.Image | None = None) -> Image.Image:
    """The screen as soon as it looks as approved, else when figures and tiles have all come: two pictures alike."""
    last = taken(page)
    for _ in range(MOST_TAKES):
        if approved is not None and different(last, approved) <= MOST_SHARE:
            break
        now = taken(page)
        alike, last = different(now, last) == 0, now
        if alike and approved is None:
            break
    return last


def taken(page: Page) -> Image.Image:
    page.evaluate(IDLE)
    return Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide"))).convert("RGB")


def test_a_panel_that_is_gone_is_noticed() -> None:
    kept = Image.open(KEPT / "city-1920x1080-dark.webp").convert("RGB")
    without = kept.copy()
    without.paste((7, 11, 18), (1590, 20, 1900, 520))
    assert different(kept, kept) == 0
    assert different(without, kept) > MOST_SHARE


def different(one: Image.Image, other: Image.Image) -> float:
    """The share of blocks whose mean colour differs by what an eye would notice; all of them when sizes differ."""
    if one.size != other.size:
        return 1.0
    apart = np.abs(blocks(one) - blocks(other)).max(axis=2)
    return float((apart > NOTICED).mean())


def blocks(picture: Image.Image) -> np.ndarray[Any, np.dtype[np.float64]]:
    width, height = picture.width // BLOCK_PX * BLOCK_PX, picture.height // BLOCK_PX * BLOCK_PX
    pixels = np.asarray(picture, dtype=np.float64)[:height, :width]
    return pixels.reshape(height // BLOCK_PX, BLOCK_PX, width // BLOCK_PX, BLOCK_PX, 3).mean(axis=(1, 3))
