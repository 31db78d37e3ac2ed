"""How channels and webhooks stand: tried and taken last, since when they fail and why; a channel can be paused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_NAMES = ("tried_at", "sent_at", "failing_since")


def upgrade() -> None:
    for table in ("channel", "webhook"):
        for name in _NAMES:
            op.add_column(table, sa.Column(name, sa.DateTime(timezone=True)), schema="core")
        op.add_column(table, sa.Column("error", sa.Text), schema="core")
    op.add_column("channel", sa.Column("paused_at", sa.DateTime(timezone=True)), schema="core")
    # What was sent before tells when something was taken last.
    for table, sending in (("channel", "notice_sending"), ("webhook", "webhook_sending")):
        op.execute(
            f"update core.{table} t set tried_at = s.last, sent_at = s.last "
            f"from (select {table}, max(sent_at) as last from core.{sending} group by {table}) s where s.{table} = t.id"
        )


def downgrade() -> None:
    op.drop_column("channel", "paused_at", schema="core")
    for table in ("channel", "webhook"):
        for name in (*_NAMES, "error"):
            op.drop_column(table, name, schema="core")
