"""Time and peak memory of other processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import await_ready

ROOT = Path(__file__).resolve().parents[2]
_CHILD = Path(__file__).with_name("child.py")
MEGABYTE = 1e6


@dataclass(frozen=True)
class Run:
    """A command that ended well: its time, its peak memory, and what it wrote to its output."""

    seconds: float
    peak_bytes: int
    output: str = ""

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
        return Run(told["seconds"], told["peak_bytes"], done.stdout)


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


@contextmanager
def serving(database_url: str) -> Iterator[Serving]:
    """Our server, with one worker, on a database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    named = {"HOST": "127.0.0.1", "PORT": str(port), "CHENGTU_DATABASE_URL": database_url, "CHENGTU_WORKERS": "1"}
    with tempfile.TemporaryDirectory(prefix="chengtu-bench-") as folder:
        result = Path(folder, "result.json")
        command = _launch(result, [sys.executable, "-m", "api.serve"])
        server = Serving(port)
        with subprocess.Popen(command, cwd=ROOT, env=_environment(named)) as process:
            try:
                await_ready(f"http://127.0.0.1:{port}", process)
                yield server
            finally:
                process.terminate()
                process.wait(30)
        server.peak_bytes.append(json.loads(result.read_text())["peak_bytes"])


def _launch(result: Path, command: Sequence[str]) -> list[str]:
    # Without site-packages the launcher stays at some ten megabytes.
    return [sys.executable, "-I", "-S", str(_CHILD), str(result), *command]


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, **(more or {})}
