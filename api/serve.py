"""The HTTP server alone, on the database that CHENGTU_DATABASE_URL names; `python -m api` starts and watches it."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

import psycopg
from granian import Granian
from granian.constants import Interfaces, Loops, SSLProtocols
from granian.log import LogLevels

import layers.importing
from api.follow import BYE, server_name
from api.live import MOST_STREAMS
from api.service import check
from api.settings import Settings
from api.tls import certificate_of
from layers.errors import LayersError
from layers.store.engine import libpq_url

_FAREWELL_S = 0.3  # for the bell to arrive and the streams to end


class Server(Granian):  # type: ignore[misc, valid-type]
    """Granian that says goodbye: with an open event stream it would never stop."""

    def shutdown(self, exit_code: int = 0) -> None:
        """Let every worker end its streams, then stop."""
        url = os.environ.get("CHENGTU_DATABASE_URL", "")
        with suppress(psycopg.Error), psycopg.connect(libpq_url(url), autocommit=True, connect_timeout=2) as connection:
            connection.execute("select pg_notify(%s, %s)", (BYE, server_name(os.getpid())))
            time.sleep(_FAREWELL_S)
        super().shutdown(exit_code)


def main() -> None:
    """Serve until SIGTERM; a declaration that cannot be used is told in one line and ends with status 1."""
    layers.importing.done()
    settings = Settings()
    try:
        check(settings)
        certificate_of(settings)
    except LayersError as error:
        sys.stderr.write(f"chengtu: {error}\n")
        sys.exit(1)
    Server(
        "api.app:from_environment",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.uvloop,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        backpressure=MOST_STREAMS + 1_000,  # each open stream is a request in progress
        log_level=LogLevels.warning,
        ssl_cert=settings.tls_certificate,
        ssl_key=settings.tls_key,
        ssl_protocol_min=SSLProtocols.tls12,
    ).serve()


if __name__ == "__main__":
    main()
