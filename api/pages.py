"""The built pages and their files, compressed when they were built."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from api.encoding import takes
from api.tiles import Scope

PACKED = ".gz"


def release(dist: Path) -> Callable[[], str]:
    """A function that tells the digest of the pages as they lie there now: another one after every release.

    Each page names its scripts and styles by their digests, so that the pages alone stand for all of it.
    """
    kept: tuple[tuple[tuple[str, int], ...], str] = ((), "")

    def now() -> str:
        nonlocal kept
        pages = sorted(dist.glob("*.html"))
        stamps = tuple((page.name, page.stat().st_mtime_ns) for page in pages)
        if stamps != kept[0]:
            digest = hashlib.sha256(b"\0".join(page.read_bytes() for page in pages))
            kept = (stamps, digest.hexdigest()[:16])
        return kept[1]

    return now


class Pages(StaticFiles):
    """Pages are served without their suffix (`/wall`); files whose name carries a digest never change."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """The file of a path, with what the file system says of it."""
        found = super().lookup_path(path)
        return found if found[1] is not None or "." in path else super().lookup_path(f"{path}.html")

    async def get_response(self, path: str, scope: Scope) -> Any:
        """One file, with the caching that its name allows."""
        response = await super().get_response(path, scope)
        hashed = path.startswith("assets/")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Any:
        """The file, or its compressed twin for clients that take one."""
        twin = f"{os.fspath(full_path)}{PACKED}"
        if not os.path.exists(twin):
            return super().file_response(full_path, stat_result, scope, status_code)
        if "g" not in takes(dict(scope["headers"]).get(b"accept-encoding", b"")):
            response = super().file_response(full_path, stat_result, scope, status_code)
        else:
            response = super().file_response(twin, os.stat(twin), scope, status_code)
            if isinstance(response, FileResponse):  # a 304 has no body whose type could be told
                plain = FileResponse(full_path, status_code)
                response.headers["Content-Type"] = plain.headers["Content-Type"]
                response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        return response
