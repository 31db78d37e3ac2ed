"""Which columns hold sealed values, each declared once: rotation and the tests walk this list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import sqlalchemy as sa


@dataclass(frozen=True)
class Sealed:
    """The sealed columns of a table of the core schema: what each is about, by its name."""

    table: str
    key: str
    about: Mapping[str, str]

    @property
    def rows(self) -> sa.TableClause:
        """The table, as far as it is sealed: the rooms that declare the whole of it lie above this one."""
        return sa.table(self.table, sa.column(self.key), *(sa.column(name) for name in self.about), schema="core")


CALLER: Final = Sealed(
    "caller", "id", MappingProxyType({"name": "caller.name", "phone": "caller.phone", "home": "caller.home"})
)
ACCOUNT: Final = Sealed("account", "login", MappingProxyType({"totp": "account.totp"}))
CHANNEL: Final = Sealed("channel", "id", MappingProxyType({"address": "channel.address", "secret": "channel.secret"}))
NEED: Final = Sealed("need", "id", MappingProxyType({"name": "need.name", "phone": "need.phone", "home": "need.home"}))
EVERY: Final = (CALLER, ACCOUNT, CHANNEL, NEED)
