"""Connections: one login, and what it may do is chosen by role.

`owner` makes tables, `writer` changes records, `reader` only asks and is stopped by a time limit. Of scoped layers a
reader sees what the settings of its transaction say (`layers.store.row_security`): nothing without any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import sqlalchemy as sa

from layers.store.row_security import ACTING, EVERYWHERE

Role = Literal["owner", "writer", "reader"]

READ_TIMEOUT_MS = 10_000
_ALONE = sa.text(
    "select set_config('chengtu.actor', :actor, true), pg_advisory_xact_lock(hashtextextended(:purpose, 0))"
)
_SETTINGS: dict[str, dict[str, str]] = {
    # Who writes acts for the program, which has asked before whether it may.
    "owner": {"role": "chengtu_owner", EVERYWHERE: "on"},
    "writer": {"role": "chengtu_writer", "lock_timeout": "20s", EVERYWHERE: "on"},
    # At low zooms JIT and starting parallel workers cost more than the query itself.
    "reader": {
        "role": "chengtu_reader",
        "statement_timeout": str(READ_TIMEOUT_MS),
        "jit": "off",
        "max_parallel_workers_per_gather": "0",
        "default_transaction_read_only": "on",
    },
}


def session_options(role: Role, *, everywhere: bool = False) -> str:
    """The libpq `options` that put a connection into a role with its limits; `everywhere` is for the program itself."""
    settings = {"timezone": "Asia/Shanghai", "search_path": "public", **_SETTINGS[role]}
    if everywhere:
        settings[EVERYWHERE] = "on"
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def driver_url(url: str) -> sa.URL:
    """A database URL as people write it (`postgres://`, `postgresql://`) for the one driver we use."""
    parsed = sa.make_url(url.replace("postgres://", "postgresql://", 1))
    return parsed.set(drivername="postgresql+psycopg")


def libpq_url(url: str) -> str:
    """The same for psycopg itself, where SQLAlchemy is not in between."""
    return driver_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def engine_for(url: str | sa.URL, role: Role, *, pool_size: int = 5, everywhere: bool = False) -> sa.Engine:
    """An engine whose every connection is in `role`; without a pool (`pool_size=0`) each is closed after use.

    A reader sees all of scoped layers only `everywhere`, which no answer to anybody may be made by.
    """
    pool: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": 5, "pool_pre_ping": True}
    options = session_options(role, everywhere=everywhere)
    engine = sa.create_engine(
        driver_url(url) if isinstance(url, str) else url,
        connect_args={"options": options, "application_name": f"chengtu {role}"},
        **(pool if pool_size else {"poolclass": sa.NullPool}),
    )
    sa.event.listen(engine, "begin", _act)
    return engine


def _act(connection: sa.Connection) -> None:
    """Say for whom a transaction asks; a later one of the same connection says it again."""
    settings: Mapping[str, str] | None = connection.get_execution_options().get(ACTING)
    if settings is not None:
        sql, values = acting_statement(settings)
        connection.exec_driver_sql(sql, values)


def acting_statement(settings: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The statement, with its values, by which a transaction asks for somebody, and no more for the program itself."""
    named = {EVERYWHERE: "off", **settings}
    parts = [f"set_config('{name}', %(v{i})s, true)" for i, name in enumerate(named)]
    return f"select {', '.join(parts)}", {f"v{i}": value for i, value in enumerate(named.values())}


@contextmanager
def begin(
    engine: sa.Engine, *, actor: str, scenario: str | None = None, alone: str | None = None
) -> Iterator[sa.Connection]:
    """A transaction in the name of `actor`, whom the change log and the history record, in reality or an exercise.

    Of those that are `alone` for the same purpose each waits for the end of the one before.
    It is the program that writes: whoever calls has asked whether the actor may.
    """
    with engine.begin() as connection:
        if alone is None:
            set_local(connection, "chengtu.actor", actor)
        else:
            connection.execute(_ALONE, {"actor": actor, "purpose": alone})
        if scenario is not None:
            set_local(connection, "chengtu.scenario", scenario)
        yield connection


def set_local(connection: sa.Connection, name: str, value: str) -> None:
    """Set a parameter until the end of the transaction."""
    connection.execute(sa.select(sa.func.set_config(name, value, True)))
