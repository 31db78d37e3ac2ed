"""Runs one command and writes down its time and its peak memory: child.py RESULT COMMAND...

A process of its own, and a small one: Linux counts what a process held before `exec` into its peak, so a command that
is started from a big program seems to be as big as that program.
"""

import json
import os
import signal
import sys
import time


def main() -> int:
    result, *command = sys.argv[1:]
    started = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda given, _: os.kill(pid, given))
    # Linux gives kilobytes, and the biggest of the command and the children that it waited for.
    _, status, usage = os.wait4(pid, 0)
    seconds, code = time.monotonic() - started, os.waitstatus_to_exitcode(status)
    with open(result, "w") as file:
        json.dump(
            {
                "seconds": seconds,
                "peak_bytes": usage.ru_maxrss * 1024,
                "status": code,
                "cpu_seconds": usage.ru_utime + usage.ru_stime,
            },
            file,
        )
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
