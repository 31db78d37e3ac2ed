"""Time and peak memory of other processes, and servers to ask."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from tests.bench.cpus import pinned
from tests.conftest import await_ready

ROOT = Path(__file__).resolve().parents[2]
_CHILD = Path(__file__).with_name("child.py")
MEGABYTE = 1e6


@dataclass(frozen=True)
class Run:
    """A command that ended well: its time, its CPU time, its peak memory, and what it wrote to its output."""

    seconds: float
    peak_bytes: int
    output: str = ""
    cpu_seconds: float = 0.0

    @property
    def peak_mb(self) -> float:
        return self.peak_bytes / MEGABYTE


class Failed(Exception):
    """A command ended badly; the text is what it said."""


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end; Failed with what it said when its status is not 0."""
    with tempfile.TemporaryDirectory(prefix="chengtu-bench-") as folder:
        result = Path(folder, "result.json")
        done = subprocess.run(
            _launch(result, command), cwd=ROOT, env=_environment(environment), capture_output=True, text=True
        )
        if done.returncode:
            said = (done.stderr + done.stdout)[-2000:]
            raise Failed(f"{' '.join(command[:4])} … ended with {done.returncode}: {said}")
        told = json.loads(result.read_text())
        return Run(told["seconds"], told["peak_bytes"], done.stdout, told["cpu_seconds"])


def run_module(module: str, *words: str, environment: Mapping[str, str] | None = None) -> Run:
    """Run one of our own modules to its end."""
    return run([sys.executable, "-m", module, *words], environment=environment)


@dataclass
class Serving:
    """A server that answers at 127.0.0.1:port; `peak_bytes` is known once it has ended."""

    port: int
    peak_bytes: list[int] = field(default_factory=list)

    @property
    def peak_mb(self) -> float:
        """The peak memory of its biggest process."""
        return self.peak_bytes[0] / MEGABYTE


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    database_url: str, *, data: Path | None = None, cpu: int | None = None, **settings: str
) -> Iterator[Serving]:
    """Our server, with one worker, on a database; `settings` are CHENGTU_ variables in lower case."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="chengtu-bench-") as folder:
        chosen = {"database_url": database_url, "workers": "1", "data_dir": str(data or folder), **settings}
        named = {f"CHENGTU_{name.upper()}": value for name, value in chosen.items()}
        with started([sys.executable, "-m", "api.serve"], port, environment=named, cpu=cpu) as server:
            yield server


@contextmanager
def started(
    command: Sequence[str],
    port: int,
    *,
    environment: Mapping[str, str],
    cpu: int | None = None,
    ready: Callable[[str, subprocess.Popen[bytes]], None] = await_ready,
) -> Iterator[Serving]:
    """A server that a command starts, told its HOST and PORT, until the end of the block."""
    named = {**environment, "HOST": "127.0.0.1", "PORT": str(port)}
    server = Serving(port)
    with tempfile.TemporaryDirectory(prefix="chengtu-bench-") as folder:
        result = Path(folder, "result.json")
        launch = _launch(result, command if cpu is None else pinned(command, cpu))
        with subprocess.Popen(launch, cwd=ROOT, env=_environment(named)) as process:
            try:
                ready(f"http://127.0.0.1:{port}", process)
                yield server
            finally:
                process.terminate()
                process.wait(30)
        server.peak_bytes.append(json.loads(result.read_text())["peak_bytes"])


def percentile(values: Sequence[float], share: int) -> float:
    """The value that `share` percent of the values do not exceed."""
    return quantiles(values, n=100, method="inclusive")[share - 1] if len(values) > 1 else values[0]


def _launch(result: Path, command: Sequence[str]) -> list[str]:
    # Without site-packages the launcher stays at some ten megabytes.
    return [sys.executable, "-I", "-S", str(_CHILD), str(result), *command]


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, **(more or {})}
