"""The job queue's own tables, in the schema `jobs`."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # `%` is literal here: the driver is given no parameters.
    connection = op.get_bind()
    connection.exec_driver_sql("set local search_path = jobs, public")
    connection.connection.cursor().execute(SchemaManager.get_schema())
    connection.exec_driver_sql("set local search_path = public")


def downgrade() -> None:
    op.execute("drop schema jobs cascade; create schema jobs")
