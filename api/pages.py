"""The built pages and their files, compressed when they were built."""

from __future__ import annotations

import os
from typing import Any

from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from api.encoding import takes
from api.tiles import Scope

PACKED = ".gz"


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
