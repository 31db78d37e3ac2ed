"""Facts of the loop say in one word what a counter tells apart, and indexes hold all that most figures ask for."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_COVERED = ["kind", "admin_code", "grid_id", "department"]
_AGAIN = (
    "delete from core.stage_fact",
    "insert into core.stale_case (incident) select distinct incident from core.step",
)


def upgrade() -> None:
    # Facts are made from the steps: they are made again.
    for statement in _AGAIN:
        op.execute(statement)
    op.add_column("stage_fact", sa.Column("kind", sa.Text, nullable=False), schema="core")
    for name in ("due", "begun", "done"):
        op.drop_index(f"stage_fact_{name}", schema="core")
        only = sa.text("stage = 'report'") if name == "begun" else None
        op.create_index(
            f"stage_fact_{name}",
            "stage_fact",
            [f"{name}_at"],
            schema="core",
            postgresql_include=_COVERED,
            postgresql_where=only,
        )


def downgrade() -> None:
    for name in ("due", "begun", "done"):
        op.drop_index(f"stage_fact_{name}", schema="core")
        op.create_index(f"stage_fact_{name}", "stage_fact", ["stage", f"{name}_at"], schema="core")
    op.drop_column("stage_fact", "kind", schema="core")
