"""The change log says who sees what it tells of, where that depends on who asks."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("scope_before", "scope_after"):
        op.add_column("change", sa.Column(name, JSONB), schema="core")
    # Straight to the driver: `:=` and `%` mean nothing to it when there are no parameters.
    functions = (Path(__file__).parents[2] / "sql" / "core.sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(functions)


def downgrade() -> None:
    raise RuntimeError("to whom a change may be told cannot be known without these; restore a backup instead")
