"""A reject says whether its row stayed out as a whole or only one value of it: shares of accepted rows follow."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table core.reject add column whole boolean not null default true")
    # What the loader has said until now where a record was loaded all the same.
    op.execute(
        "update core.reject set whole = false where reason like '%; the record is loaded %' "
        "or reason like '%; the record was geocoded instead'"
    )


def downgrade() -> None:
    op.execute("alter table core.reject drop column whole")
