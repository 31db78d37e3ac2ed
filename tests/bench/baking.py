"""All layers baked into archives: time, memory of the bake, and memory of the database meanwhile."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

from tests.bench.measure import MEGABYTE
from tests.bench.rows import Aim, Row
from tests.bench.stage import Stage

_EVERY_S = 0.25
_PARENT = re.compile(r"^PPid:\s+(\d+)", re.MULTILINE)
_SHARE = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def baking(stage: Stage) -> list[Row]:
    """`python -m etl bake` on all CPUs, each time from nothing."""
    _ = stage.city
    seconds, peaks, of_database = [], [], []
    for _ in range(stage.sizes.repeats):
        stage.settle()
        with _watched(stage.cluster.pid) as database:
            run = stage.bake()
        seconds.append(run.seconds)
        peaks.append(run.peak_mb)
        of_database.append(database[0] / MEGABYTE)
    name = f"bake of all layers, scale {stage.sizes.scale:g}"
    together = [one + other for one, other in zip(peaks, of_database, strict=True)]
    return [
        Row(f"{name}: time", median(seconds), "s", aim=Aim(most=45)),
        Row(f"{name}: peak memory of the bake", median(peaks), "MB"),
        Row(f"{name}: peak memory with PostgreSQL", median(together), "MB", aim=Aim(most=2_000)),
    ]


@contextmanager
def _watched(parent: int | None) -> Iterator[list[int]]:
    """The peak of the memory that a process and its children hold, shared pages counted once, in bytes."""
    peak, over = [0], threading.Event()

    def watch() -> None:
        while parent is not None and not over.wait(_EVERY_S):
            peak[0] = max(peak[0], sum(map(_share, _family(parent))))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _family(parent: int) -> list[Path]:
    found = [Path(f"/proc/{parent}")]
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            told = _PARENT.search((folder / "status").read_text())
            if told and int(told[1]) == parent:
                found.append(folder)
    return found


def _share(process: Path) -> int:
    with suppress(OSError):
        told = _SHARE.search((process / "smaps_rollup").read_text())
        return int(told[1]) * 1024 if told else 0
    return 0
