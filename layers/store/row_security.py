"""The second wall around scoped layers: policies of the database, which no query of ours can forget.

A transaction sees what its settings say (`chengtu.areas`, `chengtu.departments`, `chengtu.actor`, `chengtu.scenario`),
and nothing when none are set. The program itself (owner and writer, `chengtu.everywhere`) sees everything: before it
writes for somebody it has asked whether they may. What the rule is stands in `layers.people.scope`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from layers.spec import Layer

log = logging.getLogger("chengtu.store")

ACTING: Final = "chengtu_acting"
"""The execution option of a connection that holds the settings for each of its transactions."""
EVERYWHERE: Final = "chengtu.everywhere"
COLUMNS: Final = ("admin_code", "grid_id", "lead", "co", "assignee", "scenario")
"""The columns that the rule asks for, where a layer has them."""
_POLICY: Final = "scope"
_OVERLAPS: Final = "geometry_overlaps(geometry, geometry)"


def guard(connection: sa.Connection, layer: Layer) -> None:
    """Force the policy on the table of a scoped layer; take it off any other."""
    table = layer.table.fullname
    if layer.scoped:
        _force(connection, table, _seen({name: name for name in COLUMNS if name in layer.table.c}))
    elif _forced(connection, table) is not None:
        for statement in ("no force row level security", "disable row level security"):
            connection.exec_driver_sql(f"alter table {table} {statement}")
        connection.exec_driver_sql(f"drop policy {_POLICY} on {table}")


def guard_history(connection: sa.Connection, layers: Iterable[Layer]) -> None:
    """Force the same on what records of scoped layers were."""
    scoped = [layer for layer in layers if layer.scoped]
    if not scoped:
        return
    names = ", ".join(_quoted(layer.name) for layer in scoped)
    open_to_all = f"layer <> all (array[{names}])"
    alike = [
        f"(layer = {_quoted(layer.name)} and ({_seen(_in_json(name for name in COLUMNS if name in layer.table.c))}))"
        for layer in scoped
    ]
    _force(connection, "core.history", " or ".join([open_to_all, *alike]))


def guard_beside(connection: sa.Connection, tables: Iterable[str], layer: Layer, *, column: str) -> None:
    """Force on tables of the core that tell of records of a scoped layer: what is told is seen with the record itself.

    `column` holds the record's id. The policy of the layer holds inside of theirs, too.
    """
    for table in tables:
        record = f"select from {layer.table.fullname} record where record.id = {table}.{column}"
        _force(connection, table, f"exists ({record})")


def leakproof(connection: sa.Connection) -> bool:
    """Does the spatial index serve scoped tables: is `&&` of PostGIS marked as telling nothing of what it compares?

    Otherwise PostgreSQL applies the policy to every record of a table before it looks where any of them lies.
    """
    found = connection.scalar(
        sa.text("select proleakproof from pg_proc where oid = to_regprocedure(:function)"), {"function": _OVERLAPS}
    )
    return bool(found)


def mark_leakproof(connection: sa.Connection) -> None:
    """Mark `&&` where the login may (only a superuser); boxes are compared without an error that could tell of one."""
    if leakproof(connection):
        return
    attempt = connection.begin_nested()
    try:
        connection.exec_driver_sql(f"alter function {_OVERLAPS} leakproof")
        attempt.commit()
    except sa.exc.ProgrammingError:
        attempt.rollback()
        log.warning("tiles of scoped layers are slow: let a superuser run once: alter function %s leakproof", _OVERLAPS)


def _force(connection: sa.Connection, table: str, rule: str) -> None:
    everything = f"(select core.setting('{EVERYWHERE.removeprefix('chengtu.')}')) = 'on'"
    using = f"{everything} or {rule}"
    digest = hashlib.blake2b(using.encode(), digest_size=12).hexdigest()
    if _forced(connection, table) == digest:
        return  # to make it anew would wait for everyone who reads
    for statement in (
        f"alter table {table} enable row level security",
        f"alter table {table} force row level security",
        f"drop policy if exists {_POLICY} on {table}",
        f"create policy {_POLICY} on {table} using ({using})",
        f"comment on policy {_POLICY} on {table} is '{digest}'",
    ):
        connection.exec_driver_sql(statement.replace("%", "%%"))


def _forced(connection: sa.Connection, table: str) -> str | None:
    """The digest of the policy that is forced on a table; None where there is none."""
    found = connection.scalar(
        sa.text(
            "select obj_description(p.oid, 'pg_policy') from pg_policy p join pg_class c on c.oid = p.polrelid "
            "where c.oid = cast(:table as regclass) and polname = :policy and relforcerowsecurity"
        ),
        {"table": table, "policy": _POLICY},
    )
    return None if found is None else str(found)


def _in_json(names: Iterable[str]) -> dict[str, str]:
    """The columns as they stand in a row of the history."""
    return {name: "(array(select jsonb_array_elements_text(row->'co')))" if name == "co" else f"(row->>'{name}')"
            for name in names}  # fmt: skip


def _seen(columns: Mapping[str, Any]) -> str:
    """The rule as SQL over these columns; each setting is read once for a statement, not for each record."""
    areas = "(select core.acting('areas'))::text[]"
    codes = "(select core.acting('departments'))::text[]"
    here = " or ".join(f"{columns[name]} like any ({areas})" for name in ("admin_code", "grid_id"))
    concerned = [f"{columns['lead']} = any ({codes})"] if "lead" in columns else []
    concerned += [f"{columns['co']} && {codes}"] if "co" in columns else []
    ours = " or ".join(["(select core.setting('departments')) = '*'", *concerned])
    seen = f"(((select core.setting('areas')) = '*' or {here}) and ({ours}))"
    if "assignee" in columns:
        seen = f"({seen} or {columns['assignee']} = (select core.setting('actor')))"
    if "scenario" in columns:
        seen = f"{columns['scenario']} is not distinct from (select core.setting('scenario')) and {seen}"
    return seen


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
