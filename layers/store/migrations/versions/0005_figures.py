"""Figures: the sums that indicators are made of, and what the indicators were day by day."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
create table core.figure (
  measure text not null,
  admin_code text,
  grid_id text,
  n double precision not null
);
create index figure_place on core.figure (measure, grid_id);

create table core.figure_by (
  measure text not null,
  field text not null,
  admin_code text,
  value text,
  n double precision not null
);
create index figure_by_place on core.figure_by (measure, field, admin_code);

create table core.figure_layer (
  layer text primary key,
  plan text not null,
  position text not null,
  at timestamptz not null
);

create table core.figure_day (
  indicator text,
  by text,
  day date,
  at timestamptz not null,
  synthetic boolean not null,
  figures jsonb not null,
  primary key (indicator, by, day)
);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("drop table core.figure, core.figure_by, core.figure_layer, core.figure_day")
