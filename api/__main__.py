"""`python -m api`: the whole of Chengtu — database, demo city, job worker, server — started, watched and stopped.

`python -m api new-kiosk-token` makes the token that walls start with, and prints the address to start them at;
`python -m api new-password LOGIN` opens an account with a one-time password, for whoever has lost every other way in;
`python -m api doctor [--json]` says what an installation lacks.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import http.client
import logging
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import sqlalchemy as sa
from pydantic import ValidationError

import layers.importing
from api.doctor import Finding, examine, status, tell
from api.service import check
from api.settings import ROOT, Settings, misspelt
from api.tls import certificate_of
from layers.catalog import built_in
from layers.errors import LayersError
from layers.people.access import first_admin_token, new_kiosk_token
from layers.people.accounts import first_accounts, reset_password, set_active
from layers.store.core import DELIVERY
from layers.store.engine import begin, engine_for
from layers.store.home import Home, database
from layers.store.schema import prepare

log = logging.getLogger("chengtu")
Process = subprocess.Popen[bytes]


_COMMANDS = {"new-kiosk-token": 0, "new-password": 1}
"""The commands, and how many words each takes beside its name."""


class Stopped(Exception):
    """SIGINT or SIGTERM arrived."""


def main() -> int:
    """Run until a signal, or do one command; returns the exit status."""
    layers.importing.done()
    commands = sys.argv[1:]
    if commands[:1] == ["doctor"] and commands[1:] in ([], ["--json"]):
        return _doctor(as_json=commands[1:] == ["--json"])
    if commands and _COMMANDS.get(commands[0]) != len(commands) - 1:
        sys.stderr.write("usage: python -m api [new-kiosk-token|new-password LOGIN|doctor [--json]]\n")
        return 2
    logging.basicConfig(level="INFO", format="%(asctime)s %(name)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("alembic").setLevel("WARNING")
    for number in (signal.SIGINT, signal.SIGTERM):  # explicitly: a shell's `&` starts us with SIGINT ignored
        signal.signal(number, _stop)
    try:
        settings = Settings()
        if names := misspelt(os.environ):
            sys.stderr.write(f"chengtu: there is no setting {', '.join(names)}\n")
            return 2
        if commands == ["new-kiosk-token"]:
            _new_kiosk_token(settings)
            return 0
        if commands:
            _new_password(settings, commands[1])
            return 0
        _run(settings)
    except Stopped:
        log.info("stopped")
        return 0
    except ValidationError as error:
        sys.stderr.write(
            f"chengtu: a setting cannot be used: {error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}\n"
        )
        return 2
    except LayersError as error:
        sys.stderr.write(f"chengtu: {error}\n")
        return 1
    return 1


def _stop(_: int, __: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C must not interrupt the clean-up.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


def _run(settings: Settings) -> None:
    with database(Home(settings.data_dir.resolve(), settings.database_url)) as running:
        prepare(running.url, built_in())
        _first_start(running.url, settings.one_time_hours)
        environment = {
            **os.environ,
            "CHENGTU_DATABASE_URL": running.url,
            "CHENGTU_DATA_DIR": str(settings.data_dir.resolve()),
            "PYTHONPATH": str(ROOT),
        }
        if settings.demo_scale and _empty(running.url):
            _wait(_start(["etl", "demo", "--scale", f"{settings.demo_scale:g}"], environment))
        # Here, where it can be told in one line: a server that cannot start would be started again and again.
        check(settings.model_copy(update={"database_url": running.url}))
        certificate_of(settings)
        wanted: dict[str, list[str]] = {"worker": ["etl", "worker"], "server": ["api.serve"]}
        children: dict[str, Process] = {}
        threading.Thread(target=_announce, args=(settings,), daemon=True).start()
        try:
            _watch(wanted, children, environment, running.keep_alive)
        finally:
            for child in children.values():
                _end(child)


def _new_kiosk_token(settings: Settings) -> None:
    with database(Home(settings.data_dir.resolve(), settings.database_url)) as running:
        engine = engine_for(running.url, "writer", pool_size=1)
        with begin(engine, actor="system") as connection:
            token = new_kiosk_token(connection)
        engine.dispose()
    sys.stdout.write(
        "Walls see every layer with this token and change nothing; it is shown only this once, and the one before it\n"
        f"is no longer valid.\n{_address(settings)}/wall?inches=55&far=6#token={token}\n"
    )


def _new_password(settings: Settings, login: str) -> None:
    with database(Home(settings.data_dir.resolve(), settings.database_url)) as running:
        engine = engine_for(running.url, "writer", pool_size=1)
        with begin(engine, actor="system") as connection:
            set_active(connection, login, active=True, actor="system")
            lasting = dt.timedelta(hours=settings.one_time_hours)
            password = reset_password(connection, login, actor="system", lasting=lasting)
        engine.dispose()
    sys.stdout.write(
        f"{login} signs in once within {settings.one_time_hours} hours with this password, which is shown only here,\n"
        f"and chooses another then:\n{password}\n"
    )


def _doctor(*, as_json: bool) -> int:
    try:
        settings = Settings()
        with database(Home(settings.data_dir.resolve(), settings.database_url)) as running:
            findings = examine(settings, running.url, now=dt.datetime.now(dt.UTC))
    except ValidationError as error:
        told = f"{error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}"
        findings = [Finding("settings", "must", f"a setting cannot be used: {told}", "set it right")]
    except LayersError as error:
        findings = [Finding("database", "must", str(error), "start Chengtu once")]
    findings += [
        Finding("settings", "must", f"there is no setting {name}", "see its spelling") for name in misspelt(os.environ)
    ]
    tell(findings, as_json=as_json)
    return status(findings)


def _first_start(url: str, hours: int) -> None:
    engine = engine_for(url, "writer", pool_size=1)
    with begin(engine, actor="system") as connection:
        token = first_admin_token(connection)
        passwords = first_accounts(connection, lasting=dt.timedelta(hours=hours))
    engine.dispose()
    if token is not None:
        log.info("administrator's token, shown only this once: %s", token)
    for login, password in passwords.items():
        log.info("first sign-in of %s, one-time password, shown only this once: %s", login, password)
    if passwords:
        log.info("they open for %d hours; later `python -m api new-password LOGIN` gives another", hours)


def _empty(url: str) -> bool:
    engine = engine_for(url, "reader", pool_size=1)
    with engine.connect() as connection:
        delivered = connection.scalar(sa.select(sa.exists().select_from(DELIVERY)))
    engine.dispose()
    return not delivered


def _start(module: list[str], environment: dict[str, str]) -> Process:
    # A session of its own: Ctrl-C reaches us alone, and we stop the children in order.
    return subprocess.Popen(
        [sys.executable, "-m", *module], cwd=ROOT, env=environment, start_new_session=True, preexec_fn=_die_with_us
    )


_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_us() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait(child: Process) -> None:
    try:
        status = child.wait()
    except Stopped:
        _end(child)
        raise
    if status:
        raise LayersError("the demo city could not be loaded; see the lines above")


def _watch(
    wanted: dict[str, list[str]],
    children: dict[str, Process],
    environment: dict[str, str],
    keep_alive: Callable[[], None],
) -> None:
    """Start what is not running, again and again, until a signal."""
    pause = threading.Event()
    delays = dict.fromkeys(wanted, 0.0)
    due = dict.fromkeys(wanted, 0.0)
    while True:
        keep_alive()
        now = time.monotonic()
        for name, module in wanted.items():
            child = children.get(name)
            if child is not None and child.poll() is None:
                continue
            if child is not None and due[name] == 0.0:
                # What cannot live must not keep a core busy being started: 1 s, 2 s, 4 s … up to a minute.
                delays[name] = min(60.0, max(1.0, delays[name] * 2))
                due[name] = now + delays[name]
                log.warning(
                    "%s ended with status %s; starting it again in %.0f s", name, child.returncode, delays[name]
                )
            if child is None or now >= due[name]:
                children[name] = _start(module, environment)
                due[name] = 0.0
        pause.wait(0.5)


def _end(child: Process) -> None:
    if child.poll() is not None:
        return
    child.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.wait(8)
        return
    child.kill()
    child.wait()


def _announce(settings: Settings) -> None:
    """Say where the city is once it answers."""
    pause = threading.Event()
    while True:
        connection = _to_ourselves(settings)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                sys.stdout.write(f"ready: {_address(settings)}\n")
                sys.stdout.flush()
                return
        pause.wait(0.2)


def _to_ourselves(settings: Settings) -> http.client.HTTPConnection:
    host = _reachable(settings.host)
    if not settings.secure:
        return http.client.HTTPConnection(host, settings.port, timeout=2)
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The certificate is made out to the name that others know this machine by; all that is asked is whether it answers.
    ours.check_hostname, ours.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(host, settings.port, timeout=2, context=ours)


def _address(settings: Settings) -> str:
    if settings.public_url is not None:
        return settings.public_url
    host = _reachable(settings.host)
    return f"{'https' if settings.secure else 'http'}://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _reachable(host: str) -> str:
    """An address to open, where the server listens on all of them."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


if __name__ == "__main__":
    sys.exit(main())
