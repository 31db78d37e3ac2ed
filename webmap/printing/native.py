"""The program that draws one picture with MapLibre Native and ends: `python -m webmap.printing.native`.

It is a process of its own because native code may crash or hang, and what it is given comes from strangers. It opens no
connection: every tile is asked for on stdout and answered on stdin, in frames of a JSON head and a body.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import resource
import struct
import sys
import threading
from concurrent.futures import Future
from typing import Any, BinaryIO

SCHEME = "city"
HEAD = struct.Struct(">II")  # lengths of the JSON head and of the body
# Of what it writes to; an ordinary sheet takes 0.4 GiB. Addresses are no measure: the renderer reserves far more.
MOST_MEMORY = 3 * 1024**3 // 2
MOST_CPU_S = 60


def pack(head: dict[str, Any], body: bytes = b"") -> bytes:
    """One frame."""
    text = json.dumps(head).encode()
    return HEAD.pack(len(text), len(body)) + text + body


def read(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next frame; None at the end."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    text, body = HEAD.unpack(head)
    return json.loads(stream.read(text)), stream.read(body)


class Line:
    """The line to the server: many threads ask, one reads the answers."""

    def __init__(self, down: BinaryIO, up: BinaryIO) -> None:
        self._down, self._up = down, up
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[tuple[dict[str, Any], bytes]]] = {}

    def say(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send one frame."""
        with self._lock:
            self._up.write(pack(head, body))
            self._up.flush()

    def ask(self, url: str) -> tuple[dict[str, Any], bytes]:
        """What the server answers for a path."""
        answer: Future[tuple[dict[str, Any], bytes]] = Future()
        with self._lock:
            number = len(self._waiting)
            self._waiting[number] = answer
        self.say({"ask": number, "path": url.removeprefix(f"{SCHEME}://")})
        return answer.result()

    def listen(self) -> None:
        """Hand out answers until the server closes the line, which ends the program."""
        while (frame := read(self._down)) is not None:
            head, body = frame
            self._waiting[head["ask"]].set_result((head, body))
        os._exit(1)


def main() -> None:
    """Draw the one order that comes down the line."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
    # Native code writes what it likes to stdout: the line gets a descriptor of its own.
    up = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    line = Line(sys.stdin.buffer, up)
    first = read(sys.stdin.buffer)
    if first is None:
        return
    order, style = first
    threading.Thread(target=line.listen, daemon=True).start()
    try:
        picture = _drawn(line, order, style.decode())
    except MissingLibrary as error:
        line.say({"missing": str(error)})
    except RuntimeError as error:
        line.say({"failed": str(error)})
    else:
        line.say({"drawn": True}, picture)
    # Threads of the renderer may still be busy with what nobody wants any more.
    os._exit(0)


class MissingLibrary(RuntimeError):
    """A library of the system that drawing takes is not there."""


def _drawn(line: Line, order: dict[str, Any], style: str) -> bytes:
    # Without this Mesa looks for a display.
    os.environ["EGL_PLATFORM"] = "surfaceless"
    if ctypes.util.find_library("EGL") is None:
        raise MissingLibrary("libEGL")
    try:
        import mapli
    except ImportError as error:
        raise MissingLibrary(str(error)) from error

    def serve(request: mapli.ResourceRequest) -> mapli.Response:
        head, body = line.ask(request.url)
        if head.get("status") == 200:
            return mapli.Response(body)
        if head.get("status") == 204:
            return mapli.Response.no_content()
        return mapli.Response.error(mapli.ErrorReason.OTHER, "refused")

    mapli.register_scheme_handler(SCHEME, serve)
    try:
        pool = mapli.RenderPool(workers=1)
        pool.register_style("print", json=style)
        return pool.render("print", **order)
    except mapli.GraphicsUnavailableError as error:
        raise MissingLibrary(str(error)) from error
    except (mapli.MapliError, ValueError) as error:
        raise RuntimeError(str(error)) from error


if __name__ == "__main__":
    main()
