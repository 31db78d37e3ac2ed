"""Vector tiles as bytes: how many features they hold, without making anything of them.

https://github.com/mapbox/vector-tile-spec/tree/master/2.1
"""

from __future__ import annotations

from collections.abc import Iterator

_LAYER, _FEATURE = 3, 2  # fields of the messages tile and layer
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def count_features(tile: bytes) -> int:
    """The features in all layers of an uncompressed tile."""
    layers = (part for field, part in _parts(memoryview(tile)) if field == _LAYER)
    return sum(field == _FEATURE for layer in layers for field, _ in _parts(layer))


def _parts(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The fields of a protobuf message that hold bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        if key & 7 == _BYTES:
            length, at = _varint(message, at)
            yield key >> 3, message[at : at + length]
            at += length
        elif key & 7 == _VARINT:
            _, at = _varint(message, at)
        else:
            at += {_FIXED64: 8, _FIXED32: 4}[key & 7]


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
