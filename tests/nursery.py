"""Servers for tests, forked from one process that has imported their two thousand modules already.

Beside the pages that one asks for, importing is most of what a test with a server of its own would do. The server that
comes of it is that of `python -m api.serve`; that it can be started so is tried elsewhere (`tests/api/test_run.py`).
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
_PR_SET_PDEATHSIG = 1


class Child:
    """A server that was forked; `pid` is gone once `wait` returned."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def poll(self) -> str | None:
        """None while it lives."""
        return "unknown" if select.select([self._handle], [], [], 0)[0] else None

    def terminate(self) -> None:
        """Ask it to stop; nothing happens to one that has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, signal.SIGTERM)

    def wait(self, patience_s: float) -> None:
        """Return when it has ended; TimeoutExpired, and its end by force, when that takes too long."""
        late = not select.select([self._handle], [], [], patience_s)[0]
        if late:
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        os.close(self._handle)
        if late:
            raise subprocess.TimeoutExpired("api.serve", patience_s)


class Nursery:
    """The process that forks; it ends with this one, and its children with it."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.nursery", str(theirs.fileno())]
        self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()])
        theirs.close()
        atexit.register(self.close)

    def serve(self, environment: Mapping[str, str]) -> Child:
        """A server with this environment and no other."""
        self._line.sendall(json.dumps(dict(environment)).encode())
        return Child(int(self._line.recv(100)))

    def close(self) -> None:
        """End it."""
        self._line.close()
        self._process.wait(20)


@functools.cache
def nursery() -> Nursery:
    """The one of this test process, which is started when it is first asked for."""
    return Nursery()


def main() -> None:
    """Fork a server for every environment that comes, until nobody is there to send one."""
    for name in ("api.serve", "api.app"):
        import_module(name)
    line = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for them
    while told := line.recv(200_000):
        if (pid := os.fork()) == 0:
            line.close()
            _serve(json.loads(told))
        line.sendall(str(pid).encode())


def _serve(environment: Mapping[str, str]) -> NoReturn:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["api.serve"]
    sys.exit(import_module("api.serve").main())


if __name__ == "__main__":
    main()
