"""The rasters of the city: files in one folder, each of which says itself what it is and how it is drawn.

A raster is a cloud-optimised GeoTIFF `NAME.tif` whose tag `CHENGTU_RASTER` holds its `Raster` as JSON: to add one, put
it there (`python -m etl add-raster`); to take it away, remove the file. No list, no table, no second file to keep in
step.
"""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gis.errors import UnusableRaster
from gis.painting import Colour, Paint
from gis.raster import RasterFacts, make_cog, raster_facts
from layers.errors import UnknownRaster
from layers.palette import ROLES, colours
from layers.people.access import Actor, may
from layers.spec import Access, Title

log = logging.getLogger("chengtu.rasters")

Ramp = Literal["ramp", "relief"]
FOLDER = "rasters"  # below the data folder
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
MOST_RASTERS = 200
FRESH_S = 2.0
# Where people are counted: cells with fewer are not told, whoever asks (public), or told to the city's own staff only.
LEAST_PEOPLE = {"public": 10.0, "internal": 5.0}
_TAG = "CHENGTU_RASTER"


@dataclass(frozen=True)
class RasterLook:
    """Drawn in the colours of a ramp that stand at the `stops` (rising values).

    With `steps` the stops are the lower ends of classes, each in one colour; else colours blend between them. The ramp
    `relief` is also lit like a landscape.
    """

    ramp: Ramp
    stops: tuple[float, ...]
    steps: bool = False


@dataclass(frozen=True)
class Raster:
    """One raster: what its values are and how they are drawn.

    `least` says that cells count people and that smaller counts were left out. `digest` stands for the content.
    """

    name: str
    title: Title
    about: Title
    unit: str
    attribution: Title
    look: RasterLook
    digest: str
    synthetic: bool = False
    least: float | None = None
    access: Access = Access()


@dataclass(frozen=True)
class Stored:
    """A raster with its file, what the file says of itself, and which file it was (device facts that never recur)."""

    raster: Raster
    path: Path
    facts: RasterFacts
    stamp: tuple[int, ...]

    @property
    def access(self) -> Access:
        """Who may see it."""
        return self.raster.access


def tags_of(raster: Raster) -> dict[str, str]:
    """The tags of the raster's file; other programs show the description, which says when data are synthetic."""
    synthetic = "合成数据 synthetic data: " if raster.synthetic else ""
    described = f"{synthetic}{raster.title.zh} {raster.title.en}. {raster.about.en}"
    text = json.dumps(asdict(raster), ensure_ascii=False)
    return {_TAG: text, "TIFFTAG_IMAGEDESCRIPTION": described, "SYNTHETIC": "yes" if raster.synthetic else "no"}


def from_tags(tags: Mapping[str, str]) -> Raster:
    """The raster that a file's tags tell of; UnusableRaster where they do not."""
    try:
        told = json.loads(tags[_TAG])
        look = told.pop("look")
        titles: dict[str, Any] = {name: Title(*told.pop(name)) for name in ("title", "about", "attribution")}
        access = Access(**told.pop("access"))
        drawn = RasterLook(look["ramp"], tuple(map(float, look["stops"])), bool(look["steps"]))
        return Raster(look=checked(drawn), access=access, **titles, **told)
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableRaster("it was not made by `python -m etl add-raster`") from error


def keep(raster: Raster, plain: Path, folder: Path, *, continuous: bool) -> Path:
    """Make the raster's file of a clean copy and put it in the folder, all at once, in the place of one of its name."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{raster.name}.tif"
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as scratch:
        made = Path(scratch) / target.name
        make_cog(plain, made, tags=tags_of(raster), continuous=continuous)
        made.replace(target)
    return target


def checked(look: RasterLook) -> RasterLook:
    """The look, if it can be drawn; ValueError otherwise."""
    rising = len(look.stops) >= 2 and all(a < b for a, b in zip(look.stops, look.stops[1:], strict=False))
    if not rising or len(look.stops) > 20 or not np.isfinite(look.stops).all():
        raise ValueError("the stops of a ramp are 2 to 20 rising numbers")
    return look


def paint(look: RasterLook, palette: str) -> Paint:
    """The colours of a look in a palette: the ramp stretched over the stops."""
    roles = colours(palette)
    ramp = [roles[role] for role in ROLES if re.fullmatch(rf"{look.ramp}\d", role)]
    table = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in ramp], dtype=np.float64)
    at = np.linspace(0, len(ramp) - 1, len(look.stops))
    stretched = [np.interp(at, np.arange(len(ramp)), table[:, band]).round().astype(int).tolist() for band in range(3)]
    found: tuple[Colour, ...] = tuple(zip(*stretched, strict=True))
    return Paint(look.stops, found, steps=look.steps, shade=look.ramp == "relief")


def legend(look: RasterLook, palette: str) -> list[dict[str, Any]]:
    """The rows of the legend, smallest value first: where a colour stands, or from where to where it goes."""
    painted = paint(look, palette)
    ends: list[float | None] = [*look.stops[1:], None]
    rows = [
        {"value": value, "colour": "#{:02x}{:02x}{:02x}".format(*colour)}
        for value, colour in zip(painted.stops, painted.colours, strict=True)
    ]
    return [{**row, "to": end} for row, end in zip(rows, ends, strict=True)] if look.steps else rows


class Rasters:
    """The rasters of a folder by name, looked up again when that was more than two seconds ago."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._clock = folder, clock
        self._lock = threading.Lock()
        self._all: dict[str, Stored] = {}
        self._stamps: dict[str, tuple[int, ...]] = {}
        self._read_at = float("-inf")

    def visible(self, actor: Actor) -> list[Stored]:
        """The rasters that the actor may know of, by name."""
        return [stored for stored in self._current().values() if may(actor, "view", stored)]

    def find(self, name: str, actor: Actor) -> Stored:
        """The raster of this name; UnknownRaster when there is none or the actor may not know of it."""
        stored = self._current().get(name)
        if stored is None or not may(actor, "view", stored):
            raise UnknownRaster(name)
        return stored

    def _current(self) -> Mapping[str, Stored]:
        with self._lock:
            if self._clock() - self._read_at > FRESH_S:
                self._look_again()
                self._read_at = self._clock()
            return self._all

    def _look_again(self) -> None:
        files = sorted(self._folder.glob("*.tif"))[:MOST_RASTERS]
        stamps = {path.stem: _stamp(path) for path in files if NAME.fullmatch(path.stem)}
        kept = {name: stored for name, stored in self._all.items() if stamps.get(name) == self._stamps.get(name)}
        for name in stamps.keys() - kept.keys():
            # A file that cannot be read is told of once, not every two seconds.
            if stamps[name] != self._stamps.get(name) and (
                stored := _stored(self._folder / f"{name}.tif", stamps[name])
            ):
                kept[name] = stored
        self._all, self._stamps = dict(sorted(kept.items())), stamps


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except FileNotFoundError:  # replaced or removed since the folder was listed
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def _stored(path: Path, stamp: tuple[int, ...]) -> Stored | None:
    try:
        facts = raster_facts(path)
        raster = from_tags(facts.tags)
    except UnusableRaster as error:
        log.warning("%s is not served: %s", path.name, error)
        return None
    if raster.name != path.stem:
        log.warning("%s is not served: it is the raster %r", path.name, raster.name)
        return None
    return Stored(raster, path, facts, stamp)
