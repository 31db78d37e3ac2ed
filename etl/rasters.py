"""A person's raster into the city: cleaned, drawn in a way that fits its values, put where the server finds it."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etl.errors import BadOption, UnreadableFile
from gis.errors import UnusableRaster
from gis.raster import Cleaned, Values, clean_copy
from layers.rasters import LEAST_PEOPLE, NAME, Ramp, Raster, RasterLook, checked, keep
from layers.spec import Access, Title

_RAMP_COLOURS = 5
# Rare extremes must not leave all the others in one colour.
_LOW, _HIGH = 0.02, 0.98
_RELIEF_SHARES = (_LOW, 0.2, 0.4, 0.6, 0.8, _HIGH)


@dataclass(frozen=True)
class RasterOrder:
    """What a person wants: the file, how it is called and drawn, and who may see it.

    `breaks` are the lower ends of classes; `people` says that cells count people, so that small counts are left out.
    """

    path: Path
    name: str
    title: Title
    unit: str = ""
    attribution: Title = Title("", "")
    ramp: Ramp = "ramp"
    breaks: tuple[float, ...] = ()
    people: bool = False
    synthetic: bool = False
    public: bool = False


def add_raster(order: RasterOrder, folder: Path) -> tuple[Raster, Cleaned]:
    """Put a raster into the folder, in the place of one of the same name; returns it and what its values are.

    Raises BadOption or UnreadableFile, and then nothing was changed.
    """
    if NAME.fullmatch(order.name) is None:
        raise BadOption("--name", order.name, "use small letters, digits and _, a letter first, at most 41")
    breaks = _breaks(order)
    view = "public" if order.public else "internal"
    least = LEAST_PEOPLE[view] if order.people else None
    try:
        with tempfile.TemporaryDirectory() as scratch:
            plain = Path(scratch) / "plain.tif"
            found = clean_copy(order.path, plain, least=least)
            raster = Raster(
                name=order.name, title=order.title, about=Title("", ""), unit=order.unit, digest=found.digest,
                attribution=order.attribution, synthetic=order.synthetic, least=least,
                look=breaks or RasterLook(order.ramp, _stops(order.ramp, found.sample)),
                access=Access(view="public" if order.public else "internal", edit="nobody"),
            )  # fmt: skip
            keep(raster, plain, folder, continuous=order.ramp == "relief" or not found.whole)
    except UnusableRaster as error:
        raise UnreadableFile(order.path, error.reason) from error
    return raster, found


def numbers(option: str, text: str | None) -> tuple[float, ...]:
    """The numbers of a comma-separated list, none for no text; BadOption for anything else."""
    try:
        return tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise BadOption(option, str(text), "write numbers with commas between them") from None


def _breaks(order: RasterOrder) -> RasterLook | None:
    if not order.breaks:
        return None
    try:
        return checked(RasterLook(order.ramp, order.breaks, steps=True))
    except ValueError as error:
        raise BadOption("--breaks", ",".join(f"{value:g}" for value in order.breaks), str(error)) from error


def _stops(ramp: Ramp, sample: Values) -> tuple[float, ...]:
    """Values at which the colours stand: evenly from the low to the high ones, or, for heights, equally frequent."""
    if ramp == "relief":
        values = np.quantile(sample, _RELIEF_SHARES)
    else:
        low, high = np.quantile(sample, (_LOW, _HIGH)).tolist()
        values = np.linspace(low, high, _RAMP_COLOURS)
    span = float(values[-1] - values[0])
    if span <= 0.0:
        # Beside a number of more than 15 digits one more would be none.
        return (float(values[0]), float(values[0]) + max(1.0, abs(float(values[0]))))
    digits = 2 - math.floor(math.log10(span))
    rounded = sorted({round(value, digits) for value in values.tolist()})
    return tuple(rounded)
