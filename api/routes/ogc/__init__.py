"""OGC API – Features (Parts 1, 2, 3) and OGC API – Tiles under /ogc: the layers for programs of others."""

from __future__ import annotations

from fastapi import APIRouter

from api.routes.ogc import collections, items, landing, tiles
from api.routes.ogc.tiles import tile_path

__all__ = ["router", "tile_path"]

router = APIRouter()
for part in (landing, collections, items, tiles):
    router.include_router(part.router)
