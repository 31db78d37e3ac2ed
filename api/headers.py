"""The headers that every answer carries, so that a page of ours can only do what it is meant to."""

from __future__ import annotations

from urllib.parse import urlsplit

from api.settings import Settings


def safe_headers(settings: Settings) -> list[tuple[bytes, bytes]]:
    """Raw headers, `nosniff` first; images come from us, and from the host of an online base map where one is set."""
    outside = ""
    if settings.basemap_url is not None:
        parts = urlsplit(settings.basemap_url)
        outside = f" {parts.scheme}://{parts.netloc}"
    # MapLibre makes its worker from the bundle and its sprites from blobs.
    policy = (
        f"default-src 'self'; img-src 'self' data: blob:{outside}; worker-src 'self' blob:; "
        f"style-src 'self' 'unsafe-inline'; connect-src 'self' blob: data:{outside}; frame-ancestors 'self'"
    )
    headers = {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "x-frame-options": "SAMEORIGIN",
        "content-security-policy": policy,
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]
