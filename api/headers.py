"""The headers that every answer carries, so that a page of ours can only do what it is meant to."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from api.settings import Settings

# For the pages of other hosts, https://fetch.spec.whatwg.org/#http-cors-protocol. With `*` browsers send no cookies,
# and as Authorization is not among the headers, a page of another host cannot use a token, even if it has one.
FOR_OTHERS: Final = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Content-Crs, ETag, Link, Retry-After, X-Truncated"),
]
PREFLIGHT: Final = {
    **{name.decode(): value.decode() for name, value in FOR_OTHERS},
    "allow": "GET, HEAD, OPTIONS",
    "access-control-allow-methods": "GET, HEAD",
    "access-control-allow-headers": "Accept, Accept-Language, Content-Type, If-None-Match",
    "access-control-max-age": "86400",
}
_FOR_PROGRAMS: Final = ("/ogc/", "/tiles/")


def is_for_programs(path: str) -> bool:
    """Whether a path is among those made for the programs of others, which only read."""
    return path == "/ogc" or path.startswith(_FOR_PROGRAMS)


def is_for_others(scope: Any) -> bool:
    """Whether pages of other hosts may read the answer: what everyone may read, asked for without any token."""
    reads = scope["method"] in ("GET", "HEAD") and is_for_programs(scope["path"])
    return reads and not any(name == b"authorization" for name, _ in scope["headers"])


def is_known(scope: Any) -> bool:
    """Whether the request says who asks."""
    return any(name in (b"authorization", b"cookie") for name, _ in scope["headers"])


def for_one(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer to who said who they are: no cache that others share may keep what they see."""
    return [
        (name, b"private, " + value if name.lower() == b"cache-control" and not _WHOSE & _parts(value) else value)
        for name, value in headers
    ]


_WHOSE: Final = {b"public", b"private", b"no-store"}


def _parts(value: bytes) -> set[bytes]:
    return {part.strip() for part in value.split(b",")}


def safe_headers(settings: Settings) -> list[tuple[bytes, bytes]]:
    """Raw headers, `nosniff` first; beside us only the hosts that the operator named are asked, each for one kind.

    Images come from an online base map and from the video platform, streams (as media or as the platform's own player)
    from the video platform.
    """
    outside = _origin(settings.basemap_url)
    stream = _origin(settings.video_stream_url)
    images = "".join(dict.fromkeys((outside, _origin(settings.video_picture_url), stream)))
    played = f"media-src 'self' blob:{stream}; frame-src 'self'{stream}; " if stream else ""
    # MapLibre makes its worker from the bundle and its sprites from blobs.
    policy = (
        f"default-src 'self'; img-src 'self' data: blob:{images}; worker-src 'self' blob:; {played}"
        f"style-src 'self' 'unsafe-inline'; connect-src 'self' blob: data:{outside}; frame-ancestors 'self'"
    )
    headers = {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "x-frame-options": "SAMEORIGIN",
        "content-security-policy": policy,
    }
    if settings.secure or (settings.public_url or "").startswith(
        "https:"
    ):  # for a year; not for other names of the domain, which are not ours to decide about
        headers["strict-transport-security"] = "max-age=31536000"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _origin(template: str | None) -> str:
    """The other host that a template names, with a space before it; nothing for none and for our own."""
    if template is None:
        return ""
    parts = urlsplit(template)
    return f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
