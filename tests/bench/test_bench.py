"""The benchmarks run, and print every line that they promise."""

from __future__ import annotations

import subprocess
import sys

from tests.bench.frames import FRAMES
from tests.bench.measure import ROOT, run
from tests.bench.rows import Aim, Row
from tests.bench.tiles import windows_for

LINES = (
    "frames: EPSG:4326 ↔ BD-09", "frames: peak memory",
    "demo: scale 0.02, time", "demo: scale 0.02, peak memory",
    "search: p50", "search: p95", "search: p95 of the first round", "search: slowest query", "search: peak memory",
    "tiles: uncached", "tiles: p95", "tiles: peak memory",
    "load: 3,000 components", "load: rate", "load: peak memory",
)  # fmt: skip


def test_the_quick_run_prints_every_line() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.bench", "--quick"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [line for line in LINES if line not in done.stdout] == []
    assert (
        sum(line.startswith("│") and " ↔ " in line for line in done.stdout.splitlines())
        == len(FRAMES) * (len(FRAMES) - 1) // 2
    )
    assert "aims met" in done.stdout


def test_a_missed_aim_is_called_so() -> None:
    slow = Row("load", 30.0, "s", peer=10.0, aim=Aim(most=2, of="ratio"))
    assert slow.cells() == ("load", "30.0 s", "10.0 s", "–", "3.00×", "≤ 2×", "NO")
    assert Row("load", 15.0, "s", peer=10.0, aim=Aim(most=2, of="ratio")).cells()[-1] == "yes"


def test_an_aim_beside_a_peer_that_is_not_there_is_neither_met_nor_missed() -> None:
    assert Row("load", 30.0, "s", aim=Aim(most=2, of="ratio")).cells()[-3:] == ("–", "≤ 2×", "–")


def test_peak_memory_is_that_of_the_command_alone() -> None:
    ballast = bytearray(200_000_000)
    small = run([sys.executable, "-I", "-S", "-c", "pass"])
    big = run([sys.executable, "-I", "-S", "-c", "bytearray(b'x') * 100_000_000"])
    assert len(ballast) > 0
    assert small.peak_mb < 50
    assert 100 < big.peak_mb < 150


def test_the_windows_have_about_as_many_tiles_as_were_asked_for() -> None:
    assert 1_800 <= sum(window.size for window in windows_for(2_000)) <= 2_300
