"""Connections: one login, and what it may do is chosen by role.

`owner` makes tables, `writer` changes records, `reader` only asks and is stopped by a time limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import sqlalchemy as sa

Role = Literal["owner", "writer", "reader"]

READ_TIMEOUT_MS = 10_000
_SETTINGS: dict[str, dict[str, str]] = {
    "owner": {"role": "chengtu_owner"},
    "writer": {"role": "chengtu_writer", "lock_timeout": "20s"},
    # At low zooms JIT and starting parallel workers cost more than the query itself.
    "reader": {
        "role": "chengtu_reader",
        "statement_timeout": str(READ_TIMEOUT_MS),
        "jit": "off",
        "max_parallel_workers_per_gather": "0",
        "default_transaction_read_only": "on",
    },
}


def session_options(role: Role) -> str:
    """The libpq `options` that put a connection into a role with its limits."""
    settings = {"timezone": "Asia/Shanghai", "search_path": "public", **_SETTINGS[role]}
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def driver_url(url: str) -> sa.URL:
    """A database URL as people write it (`postgres://`, `postgresql://`) for the one driver we use."""
    parsed = sa.make_url(url.replace("postgres://", "postgresql://", 1))
    return parsed.set(drivername="postgresql+psycopg")


def libpq_url(url: str) -> str:
    """The same for psycopg itself, where SQLAlchemy is not in between."""
    return driver_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def engine_for(url: str | sa.URL, role: Role, *, pool_size: int = 5) -> sa.Engine:
    """An engine whose every connection is in `role`; without a pool (`pool_size=0`) each is closed after use."""
    pool: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": 5, "pool_pre_ping": True}
    return sa.create_engine(
        driver_url(url) if isinstance(url, str) else url,
        connect_args={"options": session_options(role), "application_name": f"chengtu {role}"},
        **(pool if pool_size else {"poolclass": sa.NullPool}),
    )


@contextmanager
def begin(engine: sa.Engine, *, actor: str) -> Iterator[sa.Connection]:
    """A transaction in the name of `actor`, whom the change log and the history record."""
    with engine.begin() as connection:
        set_local(connection, "chengtu.actor", actor)
        yield connection


def set_local(connection: sa.Connection, name: str, value: str) -> None:
    """Set a parameter until the end of the transaction."""
    connection.execute(sa.select(sa.func.set_config(name, value, True)))
