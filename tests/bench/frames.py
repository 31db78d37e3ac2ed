"""Conversion between coordinate frames, beside pyproj's own speed."""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import pyproj

from gis.frames import convert
from tests.bench.measure import run_module
from tests.bench.rows import Aim, Row
from tests.bench.stage import Stage

FRAMES = ("EPSG:4326", "EPSG:4490", "EPSG:4549", "EPSG:4550", "GCJ-02", "BD-09")
# pyproj knows no GCJ-02 and no BD-09: beside them stands what it needs for a projection.
_USUAL = ("EPSG:4490", "EPSG:4549")
_AIM_S = 3.0


def frames(stage: Stage) -> list[Row]:
    """A million points between each two frames; the slower direction counts."""
    sizes = stage.sizes
    child = run_module("tests.bench.frames", f"--points={sizes.points}", f"--repeats={sizes.repeats}")
    rates = json.loads(child.output)
    aim = Aim(least=1e6 / _AIM_S)
    rows = [
        Row(f"frames: {pair}", rate["ours"], "points/s", limit=rate["pyproj"], aim=aim) for pair, rate in rates.items()
    ]
    return [*rows, Row("frames: peak memory", child.peak_mb, "MB")]


def main() -> None:
    """Measure in this process and print the rates as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    given = parser.parse_args()
    rng = np.random.default_rng(20261122)
    # From 120.0 to 121.5 degrees both zones, EPSG:4549 and 4550, can be used.
    lon, lat = rng.uniform(120.0, 121.5, given.points), rng.uniform(31.6, 32.7, given.points)
    points = {frame: convert(lon, lat, source="EPSG:4326", target=frame) for frame in FRAMES}
    usual = _rate(_pyproj(points, *_USUAL), given.points, given.repeats)
    rates: dict[str, dict[str, float]] = {}
    for one, other in itertools.combinations(FRAMES, 2):
        ours = min(_rate(_ours(points, *pair), given.points, given.repeats) for pair in ((one, other), (other, one)))
        known = one.startswith("EPSG") and other.startswith("EPSG")
        limit = _rate(_pyproj(points, one, other), given.points, given.repeats) if known else usual
        rates[f"{one} ↔ {other}"] = {"ours": ours, "pyproj": limit}
    print(json.dumps(rates))  # noqa: T201  (what the parent reads)


def _ours(points: dict[str, Any], source: str, target: str) -> Callable[[], object]:
    return lambda: convert(*points[source], source=source, target=target)


def _pyproj(points: dict[str, Any], source: str, target: str) -> Callable[[], object]:
    transformer = pyproj.Transformer.from_crs(source, target, always_xy=True)
    return lambda: transformer.transform(*points[source])


def _rate(work: Callable[[], object], points: int, repeats: int) -> float:
    work()  # the first call makes the projection
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return points / median(taken)


if __name__ == "__main__":
    main()
