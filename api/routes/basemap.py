"""The base map under every layer: the city's own, or an online one that is only described."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response

from api.deps import ServiceDep
from api.encoding import codings
from api.settings import Settings
from api.watched import Watched
from gis.archive import Encoding
from gis.tilegrid import check_tile, tile_id
from layers.store.basemap import Basemap, decompressed

router = APIRouter(tags=["base map"])
TILE_ROUTE = "/basemap/{z}/{x}/{y}"
_ONLINE_SIZE = 256
_TYPES = {
    "mvt": "application/vnd.mapbox-vector-tile",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
}
# How HTTP calls a compression.
_CODINGS: dict[Encoding, str] = {"gzip": "gzip", "brotli": "br", "zstd": "zstd"}
_WARNING = {
    "zh": "底图采用 GCJ-02 坐标，与本图数据相差约 480 米，不可据此量测或定位",
    "en": "The base map is in GCJ-02 and lies some 480 m off the data: do not measure or locate by it",
}


async def _basemap(request: Request) -> Basemap | None:
    watched: Watched[Basemap | None] = request.app.state.basemap
    return watched.get()


BasemapDep = Annotated[Basemap | None, Depends(_basemap)]


@router.get("/basemap")
async def base_map(service: ServiceDep, basemap: BasemapDep, response: Response) -> dict[str, Any]:
    """What to draw under the layers, and what must be said with it; a map of the city's own comes before another's."""
    response.headers["Cache-Control"] = "no-cache"
    if basemap is not None:
        return {"base": _own(basemap)}
    return {"base": _online(service.settings)}


@router.get(TILE_ROUTE, response_class=Response)
async def base_tile(
    z: int,
    x: int,
    y: int,
    basemap: BasemapDep,
    accept_encoding: Annotated[str, Header()] = "",
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """One tile of the city's own base map; 204 where it has none."""
    tile = check_tile(z, x, y)
    data = None if basemap is None else basemap.archive.get(tile_id(*tile))
    if basemap is None or data is None:
        return Response(status_code=204, headers={"Cache-Control": "no-cache"})
    coding = _CODINGS.get(basemap.archive.compression)
    encoded = coding in codings(accept_encoding)
    etag = f'"{basemap.version}-{coding}"' if encoded else f'"{basemap.version}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if etag in if_none_match:
        return Response(status_code=304, headers=headers)
    if coding is not None and encoded:
        headers["Content-Encoding"] = coding
    else:
        data = decompressed(basemap.archive, data)
    return Response(data, headers=headers, media_type=_TYPES[basemap.archive.header.kind])


def _own(basemap: Basemap) -> dict[str, Any]:
    header = basemap.archive.header
    return {
        "type": "vector" if header.kind == "mvt" else "raster",
        "name": basemap.name,
        "tiles": [TILE_ROUTE],
        "minzoom": header.minzoom,
        "maxzoom": header.maxzoom,
        "bounds": list(header.bounds),
        "tileSize": basemap.tile_size,
        "vectorLayers": basemap.vector_layers,
        "attribution": basemap.attribution._asdict(),
        "approval": basemap.approval,
        "frame": "EPSG:3857",  # the grid of every archive of this kind
        "warning": None,
    }


def _online(settings: Settings) -> dict[str, Any] | None:
    if settings.basemap_url is None:
        return None
    return {
        "type": "raster",
        "name": settings.basemap_attribution_zh,
        "tiles": [settings.basemap_url],
        "minzoom": 0,
        "maxzoom": settings.basemap_maxzoom,
        "bounds": [-180.0, -85.0511, 180.0, 85.0511],
        "tileSize": _ONLINE_SIZE,
        "vectorLayers": [],
        "attribution": {"zh": settings.basemap_attribution_zh, "en": settings.basemap_attribution_en},
        "approval": settings.basemap_approval,
        "frame": settings.basemap_frame,
        "warning": _WARNING if settings.basemap_frame == "GCJ-02" else None,
    }
