"""What lies in a folder, read again only when something in it changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")
_SETTLED_NS = 1_000_000_000


class Watched(Generic[T]):
    """The answer of `read`, kept for as long as the folder's own time stands still; safe in several threads."""

    def __init__(self, folder: Path, read: Callable[[Path], T]) -> None:
        self._folder, self._read = folder, read
        self._kept: tuple[int, T] | None = None

    def get(self) -> T:
        """What lies there now."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            changed = 0
        kept = self._kept
        if kept is not None and kept[0] == changed:
            return kept[1]
        found = self._read(self._folder)
        # Clocks of file systems tick: something else may still happen under the time that was just read.
        self._kept = (changed, found) if time.time_ns() - changed > _SETTLED_NS else None
        return found
