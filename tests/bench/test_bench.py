"""The benchmarks run, and print every line that they promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from gis.new_archive import gzipped, write_archive
from gis.tilegrid import Box, tile_id
from tests.bench.browsing import Asked
from tests.bench.cached import places_in
from tests.bench.measure import ROOT, run
from tests.bench.pgbench import script_of
from tests.bench.report import with_figures, write_figures
from tests.bench.rows import Aim, Row, beside
from tests.conftest import in_memory

LINES = (
    "search: p50", "search: p95", "search: p95 of the first round", "search: slowest query", "search: peak memory",
    "uncached: browsing z8–16", "uncached: small z14", "uncached: peak memory",
    "edit to fresh tile, 2 processes", "edit to fresh tile, p99", "other tiles forgotten, in all",
    "flood of 160 clients on 8 connections", "cached tile meanwhile, p99", "client gone to statement cancelled",
)  # fmt: skip


def test_a_quick_run_prints_every_line() -> None:
    # What needs no other programs; the rest of `--quick` takes as long again.
    chosen = [word for name in ("search", "uncached", "fresh", "flood") for word in ("--only", name)]
    command = [sys.executable, "-m", "tests.bench", "--quick", *chosen]
    folder = {"TMPDIR": memory} if (memory := in_memory()) else {}
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **folder}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [line for line in LINES if line not in done.stdout] == []
    assert "aims met" in done.stdout


def test_a_missed_aim_is_called_so() -> None:
    slow = Row("load", 30.0, "s", peer=10.0, aim=Aim(most=2, of="ratio"))
    assert slow.cells() == ("load", "30.0 s", "10.0 s", "–", "3.00×", "–", "≤ 2×", "NO")
    assert Row("load", 15.0, "s", peer=10.0, aim=Aim(most=2, of="ratio")).cells()[-1] == "yes"


def test_an_aim_beside_a_peer_that_is_not_there_is_neither_met_nor_missed() -> None:
    assert Row("load", 30.0, "s", aim=Aim(most=2, of="ratio")).cells()[-4:] == ("–", "–", "≤ 2×", "–")


def test_what_is_to_stay_flat_may_neither_grow_nor_shrink() -> None:
    flat = Aim(most=1.1, least=0.9, of="ratio")
    cells = [Row("memory", ours, "MB", peer=10.0, aim=flat).cells()[-2:] for ours in (8.9, 9.5, 10.5, 11.5)]
    assert cells == [("0.9 … 1.1×", met) for met in ("NO", "yes", "yes", "NO")]


def test_rounds_in_turns_are_judged_by_the_median_of_their_ratios() -> None:
    row = beside("tiles", [90.0, 50.0, 99.0], [100.0, 100.0, 100.0], unit="tiles/s", aim=Aim(least=0.9, of="ratio"))
    assert row.cells()[4:] == ("0.90×", "0.50× … 0.99×", "≥ 0.9×", "yes")


def test_peak_memory_is_that_of_the_command_alone() -> None:
    ballast = bytearray(200_000_000)
    small = run([sys.executable, "-I", "-S", "-c", "pass"])
    big = run([sys.executable, "-I", "-S", "-c", "bytearray(b'x') * 100_000_000"])
    assert len(ballast) > 0
    assert small.peak_mb < 50
    assert 100 < big.peak_mb < 150


def test_the_script_of_pgbench_holds_every_tile_once_and_each_statement_once(tmp_path: Path) -> None:
    asked = [Asked("video", 14, 13_700 + i, 6_600 - i) for i in range(5)] + [Asked("video", 9, 428, 206)]
    text = script_of(asked, tmp_path / "tiles.sql").path.read_text()
    numbers = [int(number) for number in re.findall(r"(?:then|else) (\d+)", text)]
    mask = (1 << 21) - 1
    assert [(n >> 42 & 31, n >> 21 & mask, n & mask) for n in numbers] == [(one.z, one.x, one.y) for one in asked]
    assert text.count(";\n") == 2
    assert "%(" not in text


def test_the_ranges_of_an_archive_hold_its_tiles(tmp_path: Path) -> None:
    tiles = {tile_id(6, x, 25): gzipped(f"tile {x}".encode() * 40) for x in range(30, 50)}
    path = tmp_path / "town.pmtiles"
    write_archive(
        path,
        sorted(tiles.items()),
        kind="mvt",
        compression="gzip",
        zooms=(6, 6),
        bounds=Box(0, 0, 1, 1),
        metadata=dict,
    )
    data = path.read_bytes()
    places = places_in(path)
    assert {number: data[start : start + length] for number, (start, length) in places.items()} == tiles


def test_figures_replace_the_last_section_of_a_file_and_nothing_before_it(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"
    file.write_text("# Benchmarks\n\nHow.\n\n## Figures\n\nOld ones.\n")
    rows = {"load": [Row("load", 15.0, "s", aim=Aim(most=20))]}
    write_figures(file, rows, machine="two cores", command="make bench", day=date(2026, 11, 22), summary="1 of 1")
    text = file.read_text()
    assert text.startswith("# Benchmarks\n\nHow.\n\n## Figures\n\n2026-11-22. two cores.")
    assert "| load | 15.0 s | – | – | – | – | ≤ 20.0 s | yes |" in text
    assert "Old ones" not in text


def test_figures_go_into_no_file_without_a_place_for_them(tmp_path: Path) -> None:
    file = tmp_path / "other.md"
    file.write_text("# Other\n")
    with pytest.raises(ValueError, match="no single section"):
        with_figures(str(file))
