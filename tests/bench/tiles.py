"""Tiles that no cache holds: through the server, beside the same prepared statements run by pgbench."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from gis.tilegrid import tile_of
from layers.ask.tile import parameters, tile_query
from layers.catalog import built_in
from layers.store.cluster import find_programs
from layers.store.engine import session_options
from tests.bench.fetch import fetch
from tests.bench.measure import Run, run, serving
from tests.bench.rows import Row
from tests.bench.stage import Stage

_CENTRE = (120.894, 31.98)
_LAYERS = ("component", "video", "building", "road", "grid")
_ZOOMS = (10, 11, 12, 13, 14, 15, 16)
_CLIENTS = 8
_TPS = re.compile(r"tps = ([\d.]+)")


@dataclass(frozen=True)
class Window:
    """A square of `side` by `side` tiles of one layer at one zoom."""

    layer: str
    z: int
    x: int
    y: int
    side: int

    @property
    def size(self) -> int:
        return self.side**2

    def paths(self) -> list[str]:
        """The URL of each tile."""
        near = range(self.side)
        return [f"/tiles/{self.layer}/{self.z}/{self.x + i}/{self.y + j}.mvt" for j in near for i in near]


def tiles(stage: Stage) -> list[Row]:
    """Uncached tiles of five layers around the middle of the city, every tile asked for once a round."""
    url, windows = stage.city, windows_for(stage.sizes.tiles)
    paths = [path for window in windows for path in window.paths()]
    random.Random(1).shuffle(paths)
    program = _pgbench()
    script = stage.folder / "tiles.sql"
    script.write_text(pgbench_script(windows), encoding="utf-8")
    alone: list[Run] = []
    with serving(url) as server:
        fetch(server.port, paths, clients=_CLIENTS)  # both begin with warm buffers
        rounds = []
        for _ in range(stage.sizes.repeats):
            rounds.append(fetch(server.port, paths, clients=_CLIENTS))
            alone += [_run_pgbench(stage, program, script, len(paths))] if program else []
    limit = median(float(_TPS.findall(done.output)[-1]) for done in alone) if alone else None
    rate = median(len(paths) / done.seconds for done in rounds)
    slow = median(quantiles(done.each_ms, n=20, method="inclusive")[-1] for done in rounds)
    size = sum(rounds[0].sizes) / len(paths) / 1000
    return [
        Row(f"tiles: uncached, {len(paths):,} of {size:.0f} kB, {_CLIENTS} clients", rate, "tiles/s", limit=limit),
        Row(f"tiles: p95 with {_CLIENTS} clients", slow, "ms"),
        Row("tiles: peak memory", server.peak_mb, "MB"),
    ]


def windows_for(total: int) -> list[Window]:
    """Windows of equal size around the middle of the city that have about `total` tiles together."""
    side = max(1, round((total / (len(_LAYERS) * len(_ZOOMS))) ** 0.5))
    found = []
    for layer in _LAYERS:
        for z in _ZOOMS:
            _, x, y = tile_of(*_CENTRE, z)
            found.append(Window(layer, z, x - side // 2, y - side // 2, side))
    return found


def pgbench_script(windows: Sequence[Window]) -> str:
    """A transaction that makes the next tile: after as many as there are tiles, each came once, in mixed order."""
    layers = built_in()
    lines = ["\\set turn :turn + 1", "\\set i permute(:turn * :clients + :client_id, :tiles, 1)"]
    statements: list[str] = []
    start = 0
    for number, window in enumerate(windows):
        query = tile_query(layers[window.layer], window.z)
        # The very text that the server prepares, with the parameters written in pgbench's way.
        text = query.sql % {name: f":{name}" for name in ("z", "x", "y", "res")}
        if text not in statements:
            statements.append(text)
        bound = parameters(query, window.z, window.x, window.y)
        lines.append(f"\\{'el' if number else ''}if :i < {start + window.size}")
        lines += [f"\\set {name} {value}" for name, value in (bound | {"statement": statements.index(text)}).items()]
        lines += [f"\\set x :x + (:i - {start}) % {window.side}", f"\\set y :y + (:i - {start}) / {window.side}"]
        start += window.size
    lines.append("\\endif")
    for number, text in enumerate(statements):
        lines += [f"\\{'el' if number else ''}if :statement = {number}", " ".join(text.split()) + ";"]
    return "\n".join([*lines, "\\endif", ""])


def _pgbench() -> str | None:
    beside = find_programs() / "pgbench"
    return str(beside) if beside.exists() else shutil.which("pgbench")


def _run_pgbench(stage: Stage, program: str, script: Path, count: int) -> Run:
    defined = {"turn": -1, "clients": _CLIENTS, "tiles": count}
    command = [program, "-n", "-M", "prepared", "-c", str(_CLIENTS), "-j", "1", "-t", str(count // _CLIENTS)]
    command += [part for name, value in defined.items() for part in ("-D", f"{name}={value}")]
    command += ["-f", str(script), stage.cluster.conninfo("city")]
    return run(command, environment={"PGOPTIONS": session_options("reader")})
