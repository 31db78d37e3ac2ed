"""JSON answers that a client may keep: with their digest as ETag, and 304 to who has them already."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Annotated, Any

from fastapi import Header, Response

Match = Annotated[str | None, Header(alias="If-None-Match")]


def answered(body: dict[str, Any], if_none_match: str | None) -> Response:
    """The body, to be asked for again each time, or 304 to who has the same."""
    text = json.dumps(body, default=dt.datetime.isoformat, ensure_ascii=False, separators=(",", ":")).encode()
    etag = f'"{hashlib.blake2b(text, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Authorization, Cookie"}
    if if_none_match is not None and (if_none_match.strip() == "*" or etag in if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(text, headers=headers, media_type="application/json")
