"""What the routes share: settings, connections, layers, and the token's digest."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from api.settings import City, Settings
from layers.people.access import admin_digest
from layers.registry import Registry
from layers.store.engine import engine_for


@dataclass(frozen=True)
class Service:
    """Built once per process and handed to every route."""

    settings: Settings
    url: str
    reader: sa.Engine
    writer: sa.Engine
    registry: Registry
    city: City = field(default_factory=City)

    @classmethod
    def open(cls, settings: Settings, url: str) -> Service:
        """Connect to a prepared database."""
        reader = engine_for(url, "reader", pool_size=settings.pool_size)
        writer = engine_for(url, "writer", pool_size=2)
        return cls(settings, url, reader, writer, Registry(reader))

    def token_digest(self) -> str | None:
        """The digest of the administrator's token as it is now, so that a new token counts at once."""
        with self.writer.connect() as connection:
            return admin_digest(connection)

    def close(self) -> None:
        """Give the connections back."""
        self.reader.dispose()
        self.writer.dispose()
