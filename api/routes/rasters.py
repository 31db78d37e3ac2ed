"""Rasters: which there are, their tiles as pictures, and the value at a place."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from api.deps import ActorDep, Lat, Lon, ServiceDep
from gis.errors import BadTile, UnusableRaster
from gis.painting import ImageKind, encoded, painted, pixel_size_m, shaded
from gis.raster import read_tile, value_at
from gis.tilegrid import Tile, check_tile
from layers.errors import UnknownRaster
from layers.palette import PaletteName
from layers.rasters import Stored, legend, paint

log = logging.getLogger("chengtu.rasters")
router = APIRouter(tags=["rasters"])

_MOST_ZOOM = 24
# Maps enlarge tiles of the last zoom by themselves, and blur what they enlarge: a cell should be some pixels by then.
_CLOSER = 2
# To be raised when the same values in the same colours are drawn in another way.
_DRAWING = 1


class Side(IntEnum):
    """The side of a tile in pixels."""

    NORMAL = 256
    SHARP = 512


def _raster(
    name: Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,40}$", description="name of a raster, see /rasters")],
    service: ServiceDep,
    actor: ActorDep,
) -> Stored:
    return service.rasters.find(name, actor)


RasterDep = Annotated[Stored, Depends(_raster)]
Palette = Annotated[PaletteName, Query(description="colours for a dark map, a light one, or print")]


@router.get("/rasters")
def rasters(service: ServiceDep, actor: ActorDep, palette: Palette = "dark") -> dict[str, Any]:
    """All rasters that the caller may see, with tiles and legend in the colours of a palette."""
    return {"rasters": [_described(stored, palette) for stored in service.rasters.visible(actor)]}


@router.get("/rasters/{name}/point")
def point(stored: RasterDep, lon: Lon, lat: Lat) -> dict[str, Any]:
    """The value of the raster at a place; null, with the reason, where it has none."""
    with _readable(stored):
        spot = value_at(stored.path, lon, lat)
    raster = stored.raster
    reason = None if spot.value is not None else "no_data" if spot.inside else "outside"
    return {
        "name": raster.name,
        "title": raster.title._asdict(),
        "value": None if spot.value is None else float(f"{spot.value:.7g}"),
        "unit": raster.unit,
        "reason": reason,
        "least": raster.least,
        "synthetic": raster.synthetic,
        "attribution": raster.attribution._asdict(),
    }


@router.get(
    "/rasters/{name}/{z}/{x}/{y}.{kind}",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}, "image/webp": {}}, "description": "the tile"},
        204: {"description": "the raster does not reach here"},
        304: {"description": "the tile that If-None-Match names is the current one"},
        503: {"description": "too many tiles are being drawn; Retry-After says when to ask again"},
    },
)
async def tile(
    stored: RasterDep,
    service: ServiceDep,
    z: int,
    x: int,
    y: int,
    kind: ImageKind,
    palette: Palette = "dark",
    size: Side = Side.NORMAL,
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """A tile of the raster as a picture, transparent where it has no values."""
    if z > _MOST_ZOOM:
        raise BadTile((z, x, y), _MOST_ZOOM)
    wanted = check_tile(z, x, y)
    key = _key(stored, wanted, palette, kind, size)
    public = stored.access.view == "public"
    headers = {
        "ETag": f'"{key}"',
        "Cache-Control": "no-cache" if public else "private, no-cache",
        "Vary": "Authorization, Cookie",
    }
    if headers["ETag"] in if_none_match:
        return Response(status_code=304, headers=headers)
    picture = await service.pictures.get(key, lambda: _drawn(stored, wanted, palette, kind, size))
    if not picture:
        return Response(status_code=204, headers=headers)
    return Response(picture, headers=headers, media_type=f"image/{kind}")


def _key(stored: Stored, tile: Tile, palette: PaletteName, kind: ImageKind, side_px: int) -> str:
    """What stands for the picture: the content of the raster, its colours, and which part of it."""
    # With the stamp, too: a file may be replaced between being looked up and being read.
    content = (_DRAWING, stored.raster.digest, stored.stamp, paint(stored.raster.look, palette))
    told = (*content, tuple(tile), kind, int(side_px))
    return hashlib.blake2b(repr(told).encode(), digest_size=12).hexdigest()


def _drawn(stored: Stored, tile: Tile, palette: PaletteName, kind: ImageKind, side_px: int) -> bytes:
    """The picture; no bytes where the raster does not reach."""
    paints = paint(stored.raster.look, palette)
    margin_px = 1 if paints.shade else 0
    with _readable(stored):
        values = read_tile(stored.path, tile, side_px=side_px, margin_px=margin_px, smooth=not paints.steps)
    if values is None:
        return b""
    inner = values[margin_px : margin_px + side_px, margin_px : margin_px + side_px]
    picture, mask = painted(inner, paints)
    if not mask.any():
        return b""
    if paints.shade:
        picture = shaded(picture, values, pixel_m=pixel_size_m(tile, side_px=side_px))
    return encoded(picture, mask, kind=kind, exact=paints.steps)


@contextmanager
def _readable(stored: Stored) -> Iterator[None]:
    """A file that was taken away a moment ago, or has been damaged, is a raster no more."""
    try:
        yield
    except UnusableRaster as error:
        log.warning("%s: %s", stored.path.name, error)
        raise UnknownRaster(stored.raster.name) from error


def _described(stored: Stored, palette: PaletteName) -> dict[str, Any]:
    raster, facts = stored.raster, stored.facts
    return {
        "name": raster.name,
        "title": raster.title._asdict(),
        "about": raster.about._asdict(),
        "unit": raster.unit,
        "tiles": f"/rasters/{raster.name}/{{z}}/{{x}}/{{y}}.webp?palette={palette}",
        "minzoom": 0,
        "maxzoom": min(_MOST_ZOOM, facts.maxzoom + _CLOSER),
        "bounds": facts.box,
        "legend": legend(raster.look, palette),
        "steps": raster.look.steps,
        "least": raster.least,
        "synthetic": raster.synthetic,
        "attribution": raster.attribution._asdict(),
        "access": {"view": raster.access.view},
    }
