"""Tables as they should be: roles and schemas, the core tables by migration, the tables of the layers by comparison.

A new layer and a new nullable column are applied at start-up; any other difference between a layer and its table is
refused with the migration that would have to be written.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from layers.errors import ClusterUnavailable, SchemaDrift
from layers.spec import Layer
from layers.store.definitions import save_definition, saved_layers
from layers.store.engine import driver_url
from layers.store.row_security import COLUMNS, EVERYWHERE, guard, guard_beside, guard_history, mark_leakproof

log = logging.getLogger("chengtu.store")

_LOCK = 8_470_113  # one program at a time prepares a database
_MIGRATIONS = Path(__file__).parent / "migrations"
ROLES = ("chengtu_owner", "chengtu_writer", "chengtu_reader")
_BESIDE_INCIDENTS = ("core.step", "core.photo")
EXTENSIONS = ("postgis", "pg_trgm", "fuzzystrmatch", "btree_gin")


def prepare(url: str, layers: Mapping[str, Layer]) -> dict[str, Layer]:
    """Bring a database to what this version needs; returns all layers, built-in and brought by users.

    Raises ClusterUnavailable when the login may not do that, SchemaDrift when a table no longer fits its layer.
    """
    engine = sa.create_engine(driver_url(url), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        set_up_roles(connection)
        mark_leakproof(connection)
        connection.execute(sa.text("set local role chengtu_owner"))
        connection.execute(sa.select(sa.func.set_config(EVERYWHERE, "on", True)))
        _migrate(connection)
        every = {**layers, **saved_layers(connection)}
        for layer in every.values():
            ensure_table(connection, layer)
        guard_history(connection, every.values())
        if "incident" in every:
            guard_beside(connection, _BESIDE_INCIDENTS, every["incident"], column="incident")
        _grant(connection)
    engine.dispose()
    return every


def set_up_roles(connection: sa.Connection) -> None:
    """Make the roles, extensions and schemas that are missing; ClusterUnavailable when the login may not."""
    known = set(connection.scalars(sa.text("select rolname from pg_roles where rolname like 'chengtu%'")))
    installed = set(connection.scalars(sa.text("select extname from pg_extension")))
    try:
        for role in ROLES:
            if role not in known:
                _create_role(connection, role)
        for extension in EXTENSIONS:
            if extension not in installed:
                connection.execute(sa.text(f"create extension if not exists {extension}"))
        for schema in ("core", "city", "jobs"):
            connection.execute(sa.text(f"create schema if not exists {schema} authorization chengtu_owner"))
        connection.execute(sa.text("grant usage on schema core, city to chengtu_writer, chengtu_reader"))
        connection.execute(sa.text("grant usage on schema jobs to chengtu_writer"))
    except sa.exc.ProgrammingError as error:
        raise ClusterUnavailable(
            "the database login may not set up Chengtu; let an administrator run once: create extension postgis; "
            "create extension pg_trgm; create extension fuzzystrmatch; create extension btree_gin; and give the login "
            f"CREATEROLE and CREATE on the database ({str(error.orig).splitlines()[0]})"
        ) from error


def _create_role(connection: sa.Connection, role: str) -> None:
    # Roles belong to the whole server: another database of it may be making the same one at this moment.
    with connection.begin_nested() as attempt:
        try:
            connection.execute(sa.text(f"create role {role} nologin"))
            connection.execute(sa.text(f"grant {role} to current_user"))
        except sa.exc.IntegrityError:
            attempt.rollback()


def known_revision(revision: str) -> bool:
    """Is this a state of the core tables that this version can bring forward?"""
    found = _MIGRATIONS.glob("versions/*.py")
    return revision in {path.name.partition("_")[0] for path in found}


def _migrate(connection: sa.Connection) -> None:
    from alembic import command  # alembic takes a third of a second to import
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def ensure_table(connection: sa.Connection, layer: Layer) -> None:
    """Make the layer's table, or add the nullable columns it lacks; SchemaDrift for any other difference."""
    inspector = sa.inspect(connection)
    if not inspector.has_table(layer.name, schema="city"):
        layer.table.create(connection)
        log.info("table of layer %s made", layer.name)
    else:
        _amend(connection, layer, inspector)
    _follow(connection, layer)
    guard(connection, layer)


def add_layer(connection: sa.Connection, layer: Layer) -> None:
    """Make a layer that a person brought: table, rights and definition, in the caller's transaction."""
    connection.execute(sa.text("set local role chengtu_owner"))
    ensure_table(connection, layer)
    connection.execute(sa.text(f"grant select on {layer.table.fullname} to chengtu_reader, chengtu_writer"))
    connection.execute(sa.text(f"grant insert, update, delete on {layer.table.fullname} to chengtu_writer"))
    connection.execute(sa.text("set local role chengtu_writer"))
    save_definition(connection, layer)


def _amend(connection: sa.Connection, layer: Layer, inspector: sa.Inspector) -> None:
    present = {column["name"]: column for column in inspector.get_columns(layer.name, schema="city")}
    wanted = layer.table.columns
    dialect = connection.dialect
    problems = []
    for column in wanted:
        declared = str(column.type.compile(dialect)).lower()
        if column.name not in present:
            if not column.nullable and column.server_default is None:
                problems.append(
                    f"alter table city.{layer.name} add column {column.name} {declared} not null; -- give it values"
                )
            else:
                ddl = sa.schema.CreateColumn(column).compile(dialect=dialect)
                connection.execute(sa.text(f"alter table {layer.table.fullname} add column {ddl}"))
                log.info("column %s.%s added", layer.name, column.name)
            continue
        found = present[column.name]
        if (kind := str(found["type"].compile(dialect)).lower()) != declared:
            problems.append(f"alter table city.{layer.name} alter column {column.name} type {declared}; -- is {kind}")
        elif bool(found["nullable"]) != bool(column.nullable):
            verb = "drop" if column.nullable else "set"
            problems.append(f"alter table city.{layer.name} alter column {column.name} {verb} not null;")
    problems += [
        f"alter table city.{layer.name} drop column {name}; -- no field of the layer any more"
        for name in present.keys() - set(wanted.keys())
    ]
    if problems:
        raise SchemaDrift(
            f"the table of layer {layer.name!r} differs from its declaration; write this migration:\n  "
            + "\n  ".join(problems)
        )
    have = {index["name"] for index in inspector.get_indexes(layer.name, schema="city")}
    for index in layer.table.indexes:
        if index.name not in have:
            index.create(connection)


def class_expression(layer: Layer) -> str:
    """SQL over a row of the layer's table that names its class for the cell counts; the empty text without classes."""
    if layer.classes is None:
        return "''::text"
    quoted = sa.sql.compiler.IdentifierPreparer(sa.dialects.postgresql.dialect()).quote(layer.classes)  # type: ignore[no-untyped-call]
    return f"coalesce({quoted}::text, '')"


def _follow(connection: sa.Connection, layer: Layer) -> None:
    arguments = ", ".join(_literal(text) for text in (layer.name, class_expression(layer), _scope_expression(layer)))
    transitions = {
        "insert": "referencing new table as nt",
        "update": "referencing old table as ot new table as nt",
        "delete": "referencing old table as ot",
    }
    table = layer.table.fullname
    statements = [
        f"create or replace trigger follow_{event} after {event} on {table} {tables} "
        f"for each statement execute function core.follow({arguments})"
        for event, tables in transitions.items()
    ]
    statements.append(
        f"create or replace trigger follow_truncate before truncate on {table} "
        f"for each statement execute function core.follow_truncate({arguments})"
    )
    recount = _counts_otherwise(connection, layer)
    statements.append(
        f"create or replace trigger stamp before update on {table} for each row execute function core.stamp()"
    )
    for statement in statements:
        connection.exec_driver_sql(statement.replace("%", "%%"))
    if recount:
        connection.execute(sa.select(sa.func.core.recount(layer.name, table, class_expression(layer))))
        log.info("layer %s counted anew by its classes", layer.name)


def _scope_expression(layer: Layer) -> str:
    """SQL over a row of the layer's table that tells who sees it; nothing where all see the same."""
    if not layer.scoped:
        return "null::jsonb"
    told = ", ".join(f"'{name}', {name}" for name in COLUMNS if name in layer.table.c)
    return f"jsonb_strip_nulls(jsonb_build_object({told}))"


def _counts_otherwise(connection: sa.Connection, layer: Layer) -> bool:
    """Do the table's triggers count its records by another column than the layer is classed by now?"""
    told = connection.scalar(
        sa.text("select tgargs from pg_trigger where tgrelid = cast(:table as regclass) and tgname = 'follow_insert'"),
        {"table": layer.table.fullname},
    )
    wanted = b"".join(text.encode() + b"\0" for text in (layer.name, class_expression(layer)))
    return told is not None and not bytes(told).startswith(wanted)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _grant(connection: sa.Connection) -> None:
    for statement in (
        "grant select on all tables in schema core, city to chengtu_reader, chengtu_writer",
        "revoke select on core.setting, core.idempotency from chengtu_reader",
        "grant insert, update, delete on core.kept_question, core.question_run to chengtu_writer",
        "grant insert, update, delete on all tables in schema city to chengtu_writer",
        "grant insert on core.delivery, core.reject, core.cell, core.term, core.gram, core.setting, core.idempotency, "
        "core.layer_definition to chengtu_writer",
        "grant update on core.delivery, core.gram, core.setting, core.layer_definition to chengtu_writer",
        "grant delete on core.term, core.gram, core.idempotency to chengtu_writer",
        "grant truncate on core.gram to chengtu_writer",
        "grant insert, update, delete on core.figure, core.figure_by, core.figure_layer, core.figure_day "
        "to chengtu_writer",
        "grant insert, update, delete on core.duty, core.stage_fact, core.stale_case to chengtu_writer",
        "grant insert, update on core.stage_clock, core.timer to chengtu_writer",
        "grant insert on core.notice to chengtu_writer",  # what was told stays told
        "grant insert on core.step, core.photo to chengtu_writer",  # what was done stays done
        "grant insert on core.elsewhere to chengtu_writer",  # what came stays what it was
        "revoke select on core.elsewhere from chengtu_reader",
        "grant insert, update on core.caller to chengtu_writer",
        "grant insert, update on core.case_number, core.stranger to chengtu_writer",
        "grant delete on core.stranger to chengtu_writer",
        "revoke select on core.stranger from chengtu_reader",
        "grant insert, update on core.exercise, core.rehearsed_number to chengtu_writer",
        "grant insert, update on core.account, core.api_key to chengtu_writer",
        "grant insert, update, delete on core.role, core.session, core.attempt to chengtu_writer",
        "grant insert, delete on core.recovery_code, core.oidc_visit to chengtu_writer",
        "grant insert on core.account_event to chengtu_writer",  # what was done stays done
        "revoke select on core.account, core.recovery_code, core.session, core.api_key, core.attempt, core.oidc_visit, "
        "core.account_event from chengtu_reader",
        "grant insert on core.sensitive_read to chengtu_writer",  # seals are the owner's: writers could forge them
        "revoke select on core.caller, core.sensitive_read from chengtu_reader",
        "grant insert on core.correction, core.contact to chengtu_writer",  # written once
        "grant insert, update, delete on core.answer to chengtu_writer",
        "grant insert, update on core.webhook, core.webhook_sending to chengtu_writer",
        "revoke select on core.correction, core.contact, core.webhook, core.webhook_sending from chengtu_reader",
        "grant insert, update on core.channel, core.notice_sending to chengtu_writer",
        "grant insert, delete on core.notice_read to chengtu_writer",
        "revoke select on core.channel, core.notice_sending from chengtu_reader",
        "grant insert, update, delete on core.provider to chengtu_writer",
        "grant insert, update on core.need to chengtu_writer",
        # What was done stays done; only its words go when a need is cleared, or a visit.
        "grant insert, update (note) on core.need_step to chengtu_writer",
        "grant insert, update (words, cleared_at) on core.visit to chengtu_writer",
        "revoke select on core.need, core.need_step, core.visit from chengtu_reader",
        "grant select, insert, update, delete on all tables in schema jobs to chengtu_writer",
        "grant usage on all sequences in schema core, jobs to chengtu_writer",
        "grant execute on all functions in schema core to chengtu_writer, chengtu_reader",
        "grant execute on all functions in schema jobs to chengtu_writer",
        # Making a trigger of these needs EXECUTE, firing one does not: nobody but the owner may attach them.
        "revoke execute on function core.follow(), core.follow_truncate(), core.ring() "
        "from public, chengtu_writer, chengtu_reader",
        "revoke execute on function core.fold_cell_counts() from public, chengtu_reader",
        "revoke execute on function core.recount(text, regclass, text) from public, chengtu_writer, chengtu_reader",
    ):
        connection.execute(sa.text(statement))
