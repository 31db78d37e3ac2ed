"""Whole archives of tiles, to be read by range requests: by browsers, QGIS or a CDN, without us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from api.deps import ActorDep, LayerDep, ServiceDep
from api.errors import UnknownArchive
from api.service import Service
from api.watched import Watched
from layers.ask.tile import fingerprint
from layers.spec import Layer
from layers.store import archives, changes
from layers.store.archives import Held

router = APIRouter(tags=["archives"])
PMTILES = "application/vnd.pmtiles"
_CHUNK = 1 << 20
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Length, Content-Range, ETag",
}
_PREFLIGHT = {
    **_CORS,
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Authorization, If-None-Match, If-Range, Range",
    "Access-Control-Max-Age": "86400",
}
# One range; several at once, or what is no range at all, is answered with the whole file (RFC 9110, 14.2).
_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))")


class Archives:
    """The archives in the data folder that fit a layer; those that do not may hold what it shows no more."""

    def __init__(self, service: Service) -> None:
        self._engine = service.lookups
        self._held = Watched(service.settings.data_dir / archives.FOLDER, lambda folder: list(archives.held(folder)))
        self._database: str | None = None

    def of(self, layer: Layer) -> list[Held]:
        """Newest first; none of a scoped layer, whatever lies there of before it was one."""
        if layer.scoped:
            return []
        if self._database is None:
            with self._engine.connect() as connection:
                self._database = changes.identity(connection)
        statement = fingerprint(layer)
        return [h for h in self._held.get() if h.fits(layer.name, fingerprint=statement, database=self._database)]


def _archives(request: Request) -> Archives:
    found: Archives = request.app.state.archives
    return found


ArchivesDep = Annotated[Archives, Depends(_archives)]


@router.get("/archives")
def list_archives(service: ServiceDep, actor: ActorDep, baked: ArchivesDep, response: Response) -> dict[str, Any]:
    """The newest archive of each layer that the caller may see and that has one."""
    response.headers.update({**_CORS, "Cache-Control": "no-cache", "Vary": "Authorization, Cookie"})
    newest = [(layer, held[0]) for layer in service.registry.visible(actor) if (held := baked.of(layer))]
    return {"archives": [_described(layer, held) for layer, held in newest]}


@router.options("/archives/{file}", include_in_schema=False)
def preflight(file: str) -> Response:  # noqa: ARG001 - the same for every file
    """What pages of other origins may ask."""
    return Response(status_code=204, headers=_PREFLIGHT)


@router.get("/archives/{name}.{version}.pmtiles", response_class=Response)
def one_version(layer: LayerDep, version: str, baked: ArchivesDep, request: Request) -> Response:
    """An archive that never changes; 404 when it is gone, or made of what the layer no longer is."""
    for held in baked.of(layer):
        if archives.version(held.path) == version:
            return _answer(request, layer, held, caching="max-age=31536000, immutable")
    raise UnknownArchive(layer.name, version)


@router.get("/archives/{name}.pmtiles", response_class=Response)
def newest_version(layer: LayerDep, baked: ArchivesDep, request: Request) -> Response:
    """The layer's newest archive; what was changed since its bake is not in it."""
    held = next(iter(baked.of(layer)), None)
    if held is None:
        raise UnknownArchive(layer.name)
    return _answer(request, layer, held, caching="no-cache")


def _described(layer: Layer, held: Held) -> dict[str, Any]:
    version = archives.version(held.path)
    return {
        "name": layer.name,
        "title": layer.title._asdict(),
        "version": version,
        "bytes": held.bytes,
        "tiles": held.facts.tiles,
        "cut": held.facts.cut,
        "bakedAt": held.facts.baked_at,
        "url": f"/archives/{layer.name}.{version}.pmtiles",
    }


def _answer(request: Request, layer: Layer, held: Held, *, caching: str) -> Response:
    public = layer.access.view == "public"
    etag = f'"{archives.version(held.path)}"'
    headers = {
        **_CORS,
        "ETag": etag,
        "Cache-Control": f"{'public' if public else 'private'}, {caching}",
        "Vary": "Authorization, Cookie",
        "Accept-Ranges": "bytes",
    }
    asked = request.headers
    if _matches(asked.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    start, stop = 0, held.bytes
    # A part is only of use to who has the other parts of the same version.
    wanted = _range(asked.get("range"), held.bytes) if asked.get("if-range", etag) == etag else None
    if wanted is not None:
        start, stop = wanted
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{held.bytes}"
    headers["Content-Length"] = str(stop - start)
    try:
        file = held.path.open("rb")
    except FileNotFoundError:  # pruned a moment ago
        raise UnknownArchive(layer.name) from None
    return StreamingResponse(_read(file, start, stop), 206 if wanted else 200, headers, PMTILES)


def _matches(header: str | None, etag: str) -> bool:
    return header is not None and (header.strip() == "*" or etag in header)


def _range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None when there is no range to honour; 416 for one outside."""
    found = _RANGE.fullmatch((header or "").strip())
    if found is None:
        return None
    first, last, suffix = found.groups()
    start = max(0, size - int(suffix)) if first is None else int(first)
    stop = min(size, int(last) + 1) if last else size
    if last and int(last) < start:
        return None
    if start >= size:
        raise HTTPException(416, f"there are {size} bytes", {**_CORS, "Content-Range": f"bytes */{size}"})
    return start, stop


def _read(file: IO[bytes], start: int, stop: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while start < stop and (data := file.read(min(_CHUNK, stop - start))):
            start += len(data)
            yield data
