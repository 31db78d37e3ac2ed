"""Alembic runs here with the connection that `layers.store.schema` hands over; there is no offline mode."""

from __future__ import annotations

from alembic import context

from layers.store.core import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    version_table="migration",
    version_table_schema="core",
    transaction_per_migration=False,
)
context.run_migrations()
