"""`python -m tests.bench`: every benchmark, its peer and its aim."""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from rich.console import Console

from tests.bench.baking import baking
from tests.bench.bigger import bigger
from tests.bench.cached import cached
from tests.bench.cpus import APART
from tests.bench.demo import demo
from tests.bench.figures import figures
from tests.bench.firstview import first_view
from tests.bench.flood import flood
from tests.bench.frames import frames
from tests.bench.fresh import fresh
from tests.bench.load import load
from tests.bench.loop import loop
from tests.bench.polygons import polygons
from tests.bench.report import with_figures, write_figures
from tests.bench.rows import Row, table
from tests.bench.screens import screens
from tests.bench.search import search
from tests.bench.stage import QUICK, Sizes, Stage, staged
from tests.bench.uncached import uncached

BENCHES: dict[str, Callable[[Stage], list[Row]]] = {
    "frames": frames,
    "demo": demo,
    "search": search,
    "figures": figures,
    "bake": baking,
    "cached": cached,
    "uncached": uncached,
    "fresh": fresh,
    "firstview": first_view,
    "screens": screens,
    "polygons": polygons,
    "flood": flood,
    "load": load,
    "loop": loop,
    "scale": bigger,
}
# Building a city of ten times the size takes long.
_BY_NAME = ("scale",)


def main() -> None:
    """Run the benchmarks that were asked for, show their rows, and write them down where that was asked for."""
    given = _parser().parse_args()
    sizes = QUICK if given.quick else Sizes()
    chosen = {name: value for name in ("repeats", "rounds") if (value := getattr(given, name))}
    names = given.only or [name for name in BENCHES if given.all or name not in _BY_NAME]
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 180
    measured: dict[str, list[Row]] = {}
    with staged(replace(sizes, **chosen), keep=given.keep) as stage:
        machine = _machine(stage)
        console.print(machine)
        for name in names:
            started = time.monotonic()
            with console.status(f"{name} …"):
                measured[name] = BENCHES[name](stage)
            console.print(table(f"{name}, measured in {time.monotonic() - started:.0f} s", measured[name]))
        summary = _summary(stage, measured)
    console.print(summary)
    if given.write:
        command = shlex.join(["python", "-m", "tests.bench", *sys.argv[1:]])
        write_figures(given.write, measured, machine=machine, command=command, day=date.today(), summary=summary)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it runs, says nothing of speed")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only", action="append", choices=BENCHES, help="one benchmark (may be given several times)")
    which.add_argument("--all", action="store_true", help=f"also what takes very long: {', '.join(_BY_NAME)}")
    parser.add_argument("--repeats", type=int, help="how often each is measured (default 3; the median counts)")
    parser.add_argument("--rounds", type=int, help="how often ours and a peer take turns (default 7)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep cities and archives here for the next time")
    parser.add_argument("--write", type=with_figures, metavar="FILE", help="replace the figures in this Markdown file")
    return parser


def _machine(stage: Stage) -> str:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    with stage.connect("postgres") as connection:
        server = connection.info.server_version
    parts = [
        f"{_processor()}, {os.cpu_count()} cores, {memory_gb:.0f} GB, load {os.getloadavg()[0]:.1f} at the start",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        f"PostgreSQL {server // 10_000}.{server % 10_000}, {_gdal()}",
        "" if APART else "one CPU only: servers and those who ask share it",
        "quick sizes: the figures say nothing" if stage.sizes.scale < 1 else f"medians of {stage.sizes.repeats}",
    ]
    return "; ".join(part for part in parts if part)


def _processor() -> str:
    named = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return named[0].partition(": ")[2] if named else platform.machine()


def _gdal() -> str:
    if not shutil.which("ogr2ogr"):
        return "no ogr2ogr (Debian: gdal-bin), so no peer of the load"
    return subprocess.run(["ogr2ogr", "--version"], capture_output=True, text=True).stdout.split(",")[0]


def _summary(stage: Stage, measured: Mapping[str, Sequence[Row]]) -> str:
    judged = [(row, row.aim.met(row)) for rows in measured.values() for row in rows if row.aim is not None]
    missed = [row.name for row, met in judged if met is False]
    parts = [f"{sum(met is True for _, met in judged)} of {len(judged)} aims met"]
    parts += [f"missed: {', '.join(missed)}"] if missed else []
    parts += [f"left out, since not on this machine: {', '.join(stage.missing)}"] if stage.missing else []
    return "; ".join(parts)


if __name__ == "__main__":
    main()
