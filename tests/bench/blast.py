"""As many requests a second as a server can answer, asked by wrk over connections that are kept open."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.bench.cpus import ASKING, pinned
from tests.bench.measure import run

CONNECTIONS = 64
_LUA = Path(__file__).with_name("blast.lua")


class BadAnswer(Exception):
    """A server did not answer as it should."""


@dataclass(frozen=True)
class Blast:
    """What came of some seconds of asking; `busy` is the share of its CPU that the asking took."""

    rate: float
    p50_ms: float
    p99_ms: float
    bytes_per_request: float
    busy: float


def can_blast() -> bool:
    """Is wrk there?"""
    return shutil.which("wrk") is not None


def blast(port: int, asked: Path, *, seconds: float, connections: int = CONNECTIONS) -> Blast:
    """Ask for the lines of a file (see blast.lua) again and again; BadAnswer when one of the answers is an error."""
    command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{max(1, round(seconds))}s", "-s", str(_LUA)]
    done = run(pinned([*command, f"http://127.0.0.1:{port}", str(asked)], ASKING))
    told = json.loads(done.output.splitlines()[-1])
    if told["refused"] or told["broken"] or not told["requests"]:
        raise BadAnswer(f"port {port}, {asked.name}: {told}")
    return Blast(
        told["requests"] / told["seconds"],
        told["p50_ms"],
        told["p99_ms"],
        told["bytes"] / told["requests"],
        done.cpu_seconds / told["seconds"],
    )
