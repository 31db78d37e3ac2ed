"""`python -m api`, as `make run` starts it: from nothing to a city, and back to nothing."""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT, await_ready, in_memory

PATIENCE_S = 90


class Run:
    """One run of the whole program on a data folder."""

    def __init__(self, folder: Path, *, demo_scale: str = "0.01") -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CHENGTU_")}
        environment |= {
            "CHENGTU_DATA_DIR": str(folder), "CHENGTU_DEMO_SCALE": demo_scale, "HOST": "127.0.0.1", "PORT": str(port),
        }  # fmt: skip
        self.url = f"http://127.0.0.1:{port}"
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "api"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._queue.put(line)
        self._queue.put(None)

    def await_line(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            line = self._queue.get(timeout=max(0.1, deadline - time.monotonic()))
            assert line is not None, "the program ended:\n" + "".join(self.lines)
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


def processes_of(folder: Path) -> list[int]:
    """Every living process whose environment or command line names the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if str(folder).encode() in told and state != "Z":
            found.append(int(entry.name))
    return found


def await_none(folder: Path) -> None:
    gone = threading.Event()
    deadline = time.monotonic() + 30
    while left := processes_of(folder):
        assert time.monotonic() < deadline, f"still running: {left}"
        gone.wait(0.1)


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix=f"chengtu-test-{os.getpid()}-", dir=in_memory()))
    path.chmod(0o755)
    yield path
    for pid in processes_of(path):  # of a test that failed: it must not live on without its folder
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(path, ignore_errors=True)


def test_a_newcomer_gets_a_city_and_ctrl_c_leaves_nothing_behind(folder: Path) -> None:
    run = Run(folder)
    token = run.await_line(r"token, shown only this once: (\S+)")[1]
    first = r"first sign-in of (\S+), one-time password, shown only this once: (\S{16})$"
    login, password = run.await_line(first).groups()
    assert run.await_line(r"ready: (\S+)")[1] == run.url
    signed = httpx.post(f"{run.url}/session", json={"login": login, "password": password})
    assert (login, signed.status_code) == ("admin", 200)
    layers = httpx.get(f"{run.url}/layers").json()["layers"]
    assert {layer["name"] for layer in layers if layer["count"] == 0} == set()
    assert run.stop() == 0
    await_none(folder)

    again = Run(folder)
    again.await_line(r"ready: ")
    assert not any("shown only this once" in line for line in again.lines)
    assert not any("synthetic" in line for line in again.lines), "the city is loaded once"
    item = httpx.get(f"{again.url}/layers/component").json()
    assert item["count"] == next(layer["count"] for layer in layers if layer["name"] == "component")
    refused = httpx.get(f"{again.url}/layers", headers={"Authorization": "Bearer nonsense"})
    assert refused.status_code == 401
    assert httpx.get(f"{again.url}/layers", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert again.stop() == 0
    await_none(folder)


def test_it_survives_the_death_of_its_parts_and_they_do_not_survive_its_own(folder: Path) -> None:
    run = Run(folder)
    run.await_line(r"ready: ")
    postmaster = int((folder / "pg" / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
    os.kill(postmaster, signal.SIGKILL)
    run.await_line(r"the database was killed; starting it again")
    await_ready(run.url, run.process)  # type: ignore[arg-type]
    assert httpx.get(f"{run.url}/tiles/county/6/53/25.mvt").status_code == 200
    run.process.kill()
    run.process.wait(10)
    await_none(folder)


@pytest.mark.parametrize(("name", "value"), [("PORT", "99999"), ("CHENGTU_DEMO_SCALE", "50"), ("CHENGTU_DATADIR", "x")])
def test_a_setting_that_cannot_be_used_is_one_clear_line(name: str, value: str) -> None:
    environment = {**os.environ, name: value}
    ended = subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert len(ended.stderr.strip().splitlines()) == 1
    assert name.removeprefix("CHENGTU_").lower() in ended.stderr.lower()
