"""Which CPU does what: servers and their database on one, those who ask on another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_ALL = sorted(os.sched_getaffinity(0))
SERVING, ASKING = _ALL[0], _ALL[-1]
APART = SERVING != ASKING


def pinned(command: Sequence[str], cpu: int) -> list[str]:
    """The command, kept to one CPU from its start with all that it starts."""
    return ["taskset", "-c", str(cpu), *command] if APART and shutil.which("taskset") else list(command)


@contextmanager
def kept_to(cpu: int, *processes: int) -> Iterator[None]:
    """Running processes (0 is this one) on one CPU; what a process starts meanwhile stays there, too."""
    before = {process: os.sched_getaffinity(process) for process in processes}
    for process in processes:
        os.sched_setaffinity(process, {cpu} if APART else before[process])
    try:
        yield
    finally:
        for process, cpus in before.items():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(process, cpus)


def seconds_used(process: int) -> float:
    """The CPU seconds that a process has used so far, without its children."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
