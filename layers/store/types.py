"""Column types of PostgreSQL that SQLAlchemy does not bring."""

from __future__ import annotations

from typing import Any

from sqlalchemy.types import UserDefinedType


class XID8(UserDefinedType[str]):
    """A 64-bit transaction id, read as text."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in DDL."""
        return "xid8"
