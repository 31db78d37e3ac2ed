"""Content codings of tiles: what a client takes, and the bytes in the best of these."""

from __future__ import annotations

import threading
from functools import lru_cache

import cramjam
import zstandard

Takes = str  # of "z" (zstd), "g" (gzip), "zg", or ""
_SMALL = 200  # bytes that no coding makes shorter
_compressors = threading.local()


def codings(accept_encoding: str) -> set[str]:
    """The codings that an Accept-Encoding header allows, in small letters; one with the weight 0 is not allowed."""
    allowed = set()
    for part in accept_encoding.lower().split(","):
        coding, _, quality = part.partition(";")
        weight = quality.replace(" ", "").removeprefix("q=")
        if not weight or weight.strip("0.") != "":
            allowed.add(coding.strip())
    return allowed


@lru_cache(maxsize=1_000)
def takes(accept_encoding: bytes) -> Takes:
    """Which codings of ours an Accept-Encoding header allows."""
    allowed = codings(accept_encoding.decode("latin-1"))
    return ("z" if "zstd" in allowed else "") + ("g" if {"gzip", "*"} & allowed else "")


def encoded(data: bytes, accepted: Takes) -> tuple[bytes, str]:
    """The bytes and the name of their coding, `identity` for none: quick levels, since a map is waiting."""
    if len(data) <= _SMALL or not accepted:
        return data, "identity"
    if "z" in accepted:
        if not hasattr(_compressors, "zstd"):
            _compressors.zstd = zstandard.ZstdCompressor(level=3)  # may not be shared between threads
        return _compressors.zstd.compress(data), "zstd"
    return bytes(cramjam.gzip.compress(data, level=1)), "gzip"


def gunzipped(data: bytes) -> bytes:
    """The bytes of a gzip stream; none for none, which is how an archive says that nothing is there."""
    return bytes(cramjam.gzip.decompress(data)) if data else b""
