"""The HTTP server alone, on the database that CHENGTU_DATABASE_URL names; `python -m api` starts and watches it."""

from __future__ import annotations

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from api.settings import Settings


def main() -> None:
    """Serve until SIGTERM."""
    settings = Settings()
    Granian(
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
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    main()
