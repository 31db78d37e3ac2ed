"""Tiles that need no database, beside nginx with the same bytes as files, Granian's own ceiling, and tipg."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pmtiles.tile as pm
from pmtiles.reader import MmapSource

from gis.tilegrid import tile_id
from layers.ask.tile import DEEPEST
from tests.bench import peers
from tests.bench.blast import blast, can_blast
from tests.bench.browsing import Asked, browsing
from tests.bench.cpus import SERVING
from tests.bench.fetch import Answer, answers, fetch
from tests.bench.measure import Serving, serving
from tests.bench.rows import Aim, Row, beside
from tests.bench.stage import Stage

_PEER_CLIENTS = 8
_KEPT = ("content-type", "content-encoding")


@dataclass(frozen=True)
class Files:
    """What all of the servers send: bodies as files below `root`, the requests as a list, and our own headers."""

    root: Path
    asked: Path
    tiles: int
    bytes_per_tile: float
    headers: Mapping[str, str]


def cached(stage: Stage) -> list[Row]:
    """Tiles from memory and from archives: rounds of some seconds each, ours and the others taking turns."""
    if stage.lacks([name for name, there in (("wrk", can_blast()), ("nginx", peers.has_nginx())) if not there]):
        return []
    url, data = stage.city, stage.archived
    with stage.reader("city").connect() as connection:
        asked = browsing(connection, stage.sizes.tiles, zooms=range(8, DEEPEST + 1))
    with ExitStack() as block:
        block.enter_context(stage.apart())
        ours = block.enter_context(serving(url, data=data, cpu=SERVING))
        files = _files(stage, asked, answers(ours.port, [one.path for one in asked]))
        ranges = _ranges(files, data)
        servers = _servers(stage, files, block)
        shelf = block.enter_context(serving(url, data=data, cpu=SERVING, tile_cache_mb="0"))
        measures = _measures(stage, files, ranges, servers | {"ours": ours, "shelf": shelf})
        tipg = _tipg(stage, asked, block)
        rates = _rounds(stage.sizes.rounds, measures | tipg)
    return _rows(files, rates)


def _rows(files: Files, rates: Mapping[str, list[float]]) -> list[Row]:
    ours, shelf = rates["ours"], rates["shelf"]
    what = f"{files.tiles:,} of {files.bytes_per_tile / 1000:.1f} kB"

    def row(name: str, mine: list[float], other: str, least: float) -> Row:
        return beside(name, mine, rates.get(other, []), unit="tiles/s", aim=Aim(least=least, of="ratio"))

    return [
        row(f"cached tiles ({what}); Granian, constant bytes", ours, "constant", 0.9),
        beside("cached tiles; Granian, bytes and headers", ours, rates["headers"], unit="tiles/s"),
        row("cached tiles; nginx, the same files", ours, "nginx", 0.55),
        row("cached tiles; tipg", ours, "tipg", 90),
        row("archived tiles, no memory; Granian, constant bytes", shelf, "constant", 0.9),
        row("archived tiles, no memory; nginx, the same files", shelf, "nginx", 0.55),
        row("archived tiles, no memory; tipg", shelf, "tipg", 90),
        row("ranges of archives by nginx; nginx, files", rates["ranges"], "nginx", 0.9),
    ]


def _servers(stage: Stage, files: Files, block: ExitStack) -> dict[str, Serving]:
    few = [(name, value) for name, value in files.headers.items() if name in _KEPT]
    many = [(name, value) for name, value in files.headers.items() if name != "content-length"]
    return {
        "nginx": block.enter_context(peers.nginx(files.root, stage.folder)),
        "constant": block.enter_context(peers.constant(files.root, headers=few)),
        "headers": block.enter_context(peers.constant(files.root, headers=many)),
    }


def _measures(
    stage: Stage, files: Files, ranges: Path, servers: Mapping[str, Serving]
) -> dict[str, Callable[[], float]]:
    seconds = stage.sizes.blast_s

    def rate(server: Serving, asked: Path) -> Callable[[], float]:
        return lambda: blast(server.port, asked, seconds=seconds).rate

    found = {name: rate(server, files.asked) for name, server in servers.items()}
    return found | {"ranges": rate(servers["nginx"], ranges)}


def _tipg(stage: Stage, asked: Iterable[Asked], block: ExitStack) -> dict[str, Callable[[], float]]:
    """What tipg can make of the same tiles: those with records, since it makes no cells."""
    if stage.lacks([] if peers.has_tipg() else ["tipg"]):
        return {}
    server = block.enter_context(peers.tipg(stage))
    paths = [peers.tipg_path(one) for one in asked if one.of_records]
    fetch(server.port, paths[:100], clients=_PEER_CLIENTS)
    return {"tipg": lambda: len(paths) / fetch(server.port, paths, clients=_PEER_CLIENTS).seconds}


def _rounds(count: int, measures: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """The rates of each, measured in turns, after one turn that does not count."""
    for name, measure in measures.items():
        if name != "tipg":
            measure()
    turns = [{name: measure() for name, measure in measures.items()} for _ in range(count)]
    return {name: [turn[name] for turn in turns] for name in measures}


def _files(stage: Stage, asked: Iterable[Asked], told: Mapping[str, Answer]) -> Files:
    """Write what our server sends, as nginx likes it; tiles without anything in them are left out."""
    root = stage.folder / "files"
    shutil.rmtree(root, ignore_errors=True)
    full = {path: answer for path, answer in told.items() if answer.status == 200}
    for path, answer in full.items():
        file = root / f"{path[1:]}.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(answer.body)
    paths = [one.path for one in asked if one.path in full]
    listed = root / "asked.txt"
    listed.write_text("\n".join(paths) + "\n")
    sizes = [len(full[path].body) for path in paths]
    headers = next(answer.headers for answer in full.values() if "content-encoding" in answer.headers)
    return Files(root, listed, len(paths), sum(sizes) / len(sizes), headers)


def _ranges(files: Files, data: Path) -> Path:
    """The same requests as ranges of the archives, which a map reads once it knows their directories."""
    folder = files.root / "archives"
    folder.mkdir()
    newest = {path.name.split(".")[0]: path for path in sorted((data / "archives").glob("*.pmtiles"))}
    found = {name: places_in(path) for name, path in newest.items()}
    for name, path in newest.items():
        shutil.copyfile(path, folder / f"{name}.pmtiles")
    lines = []
    for asked in files.asked.read_text().split():
        layer, z, x, y = asked.removeprefix("/tiles/").removesuffix(".mvt").split("/")
        start, length = found[layer][tile_id(int(z), int(x), int(y))]
        lines.append(f"/archives/{layer}.pmtiles\tbytes={start}-{start + length - 1}\n")
    listed = files.root / "ranges.txt"
    listed.write_text("".join(lines))
    return listed


def places_in(path: Path) -> dict[int, tuple[int, int]]:
    """Where each tile of an archive lies in the file, and how long it is."""
    with path.open("rb") as file:
        read = MmapSource(file)  # type: ignore[no-untyped-call]
        header = pm.deserialize_header(read(0, 127))
        places: dict[int, tuple[int, int]] = {}
        directories = [(header["root_offset"], header["root_length"])]
        while directories:
            for entry in pm.deserialize_directory(read(*directories.pop())):
                if entry.run_length == 0:
                    directories.append((header["leaf_directory_offset"] + entry.offset, entry.length))
                for number in range(entry.tile_id, entry.tile_id + entry.run_length):
                    places[number] = (header["tile_data_offset"] + entry.offset, entry.length)
        return places
