"""Other servers that give the same tiles, each at its best settings: nginx, Granian with constant bytes, tipg."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from layers.catalog import built_in
from layers.store.engine import session_options
from tests.bench.browsing import Asked
from tests.bench.cpus import SERVING
from tests.bench.measure import ROOT, Serving, free_port, started
from tests.bench.stage import Stage

_TIPG = ROOT / ".venv" / "bench" / "bin" / "granian"
_PATIENCE_S = 30.0
# Files are found once, kept open, and pressed beforehand; nothing is logged. Files of this size go out faster when they
# are read and sent with their header in one call than by `sendfile` (tried: 105,000 and 82,000 tiles a second).
_NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error; {user}
events {{ worker_connections 1024; multi_accept on; }}
http {{
  access_log off; server_tokens off; gzip off;
  sendfile off; output_buffers 1 512k; tcp_nodelay on;
  keepalive_timeout 1h; keepalive_requests 1000000000;
  open_file_cache max=200000 inactive=1h; open_file_cache_valid 1h; open_file_cache_errors on;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=1024; root {root};
    location /tiles/ {{ gzip_static always; default_type application/vnd.mapbox-vector-tile; }}
    location /archives/ {{ default_type application/octet-stream; }}
  }}
}}
"""


def has_nginx() -> bool:
    """Is nginx there?"""
    return _nginx() is not None


def has_tipg() -> bool:
    """Has `make bench` made tipg's environment?"""
    return _TIPG.exists()


@contextmanager
def nginx(root: Path, folder: Path) -> Iterator[Serving]:
    """One worker of nginx over the files of a folder."""
    program = _nginx()
    assert program is not None
    port, settings = free_port(), folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    settings.write_text(_NGINX.format(folder=folder, root=root, port=port, user=user))
    with started([program, "-c", str(settings)], port, environment={}, cpu=SERVING, ready=_await_listening) as server:
        yield server


@contextmanager
def constant(root: Path, *, headers: Sequence[tuple[str, str]] = ()) -> Iterator[Serving]:
    """Granian with a bare application that holds the files of a folder in memory and sends them with these headers."""
    port = free_port()
    told = {"BENCH_ROOT": str(root), "BENCH_HEADERS": "\n".join(f"{name}: {value}" for name, value in headers)}
    command = [sys.executable, "-m", "tests.bench.constant"]
    with started(command, port, environment=told, cpu=SERVING, ready=_await_listening) as server:
        yield server


@contextmanager
def tipg(stage: Stage, *, database: str = "city", pool: int = 8) -> Iterator[Serving]:
    """tipg on the tables of the same database, its pool warm, with our limits of reading, under Granian and uvloop."""
    port = free_port()
    command = [str(_TIPG), "--interface", "asgi", "--loop", "uvloop", "--no-ws", "--log-level", "warning"]
    command += ["--host", "127.0.0.1", "--port", str(port), "tipg.main:app"]
    told = {
        "DATABASE_URL": _asyncpg_url(stage.cluster.conninfo(database)),
        "DB_MIN_CONN_SIZE": str(pool),
        "DB_MAX_CONN_SIZE": str(pool),
        "TIPG_DB_SCHEMAS": '["city"]',
        "TIPG_MAX_FEATURES_PER_TILE": "20000",
        "TIPG_TILE_BUFFER": "64",
        "TIPG_CATALOG_TTL": "86400",
        "TIPG_ADD_TILES_VIEWER": "false",
    }
    with started(command, port, environment=told, cpu=SERVING, ready=_await_listening) as server:
        yield server


def tipg_path(asked: Asked) -> str:
    """The same tile at tipg: from the column that is in the tile's projection already, with the same fields."""
    fields = ",".join(["id", *(field.name for field in built_in()[asked.layer].fields if field.tile)])
    where = f"/collections/city.{asked.layer}/tiles/WebMercatorQuad/{asked.z}/{asked.x}/{asked.y}"
    return f"{where}?geom-column=geom3857&properties={quote(fields, safe='')}"


def _asyncpg_url(conninfo: str) -> str:
    known = conninfo_to_dict(conninfo)
    where = f"{known['user']}@{quote(str(known['host']), safe='')}:{known['port']}/{known['dbname']}"
    return f"postgresql://{where}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in _reader().items())


def _reader() -> Mapping[str, str]:
    settings = dict(part.split("=", 1) for part in session_options("reader").split() if part != "-c")
    # tipg makes functions of its own in a temporary schema.
    return {name: value for name, value in settings.items() if name != "default_transaction_read_only"}


def _nginx() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _await_listening(url: str, process: subprocess.Popen[bytes]) -> None:
    port = int(url.rpartition(":")[2])
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with status {process.returncode}"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")
