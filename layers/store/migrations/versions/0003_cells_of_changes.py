"""The change log keeps the cells of what changed: below a layer's minzoom it is they that are drawn anew."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("cell_before", "cell_after"):
        op.add_column("change", sa.Column(name, sa.BigInteger), schema="core")
    # Straight to the driver: `:=` and `%` mean nothing to it when there are no parameters.
    functions = (Path(__file__).parents[2] / "sql" / "core.sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(functions)


def downgrade() -> None:
    raise RuntimeError("what was drawn where cannot be told without the cells; restore a backup instead")
