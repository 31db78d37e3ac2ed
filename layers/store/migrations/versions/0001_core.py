"""The core tables: change log, history, deliveries, cells, search terms, settings."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
create table core.change (
  seq bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  layer text not null,
  op text not null,
  id text,
  records bigint not null,
  before geometry(geometry, 4326),
  after geometry(geometry, 4326),
  delivery bigint,
  scenario text,
  digest text
);
create index change_xid on core.change (xid);
create index change_item on core.change (layer, id);

create table core.history (
  layer text not null,
  id text collate "C" not null,
  valid tstzrange not null,
  row jsonb not null,
  actor text not null,
  delivery bigint,
  ended_by bigint,
  scenario text
);
create index history_item on core.history (layer, id);
create index history_ended_by on core.history (ended_by);

create table core.delivery (
  id bigint generated always as identity primary key,
  layer text not null,
  source text not null,
  title text not null,
  digest text not null,
  actor text not null,
  at timestamptz not null default now(),
  inserted bigint not null default 0,
  updated bigint not null default 0,
  unchanged bigint not null default 0,
  retired bigint not null default 0,
  undone_at timestamptz
);
create index delivery_source on core.delivery (layer, source);

create table core.reject (
  delivery bigint not null references core.delivery (id),
  row bigint not null,
  field text,
  code text not null,
  reason text not null,
  raw text
);
create index reject_delivery on core.reject (delivery);

create table core.layer_definition (
  name text primary key,
  spec jsonb not null,
  at timestamptz not null default now()
);

create table core.cell (
  h3 bigint primary key,
  res smallint not null,
  area_km2 double precision not null,
  geom3857 geometry(polygon, 3857) not null
);
create index cell_geom3857 on core.cell using gist (geom3857);

create table core.cell_count (
  layer text not null,
  res smallint not null,
  cell bigint not null,
  class text not null,
  n bigint not null
);
create index cell_count_cell on core.cell_count (layer, res, cell);

create table core.term (
  layer text,
  field text,
  text text,
  folded text not null,
  grams text[] not null,
  pinyin text not null,
  initials text not null,
  primary key (layer, field, text)
);
create index term_grams on core.term using gin (grams) with (fastupdate = on);
create index term_folded on core.term (folded text_pattern_ops);
create index term_pinyin on core.term using gin (pinyin gin_trgm_ops);
create index term_initials on core.term (initials text_pattern_ops);
create index term_initials_trgm on core.term using gin (initials gin_trgm_ops);

create table core.gram (gram text primary key, n bigint not null);
create table core.setting (key text primary key, value jsonb not null);

create table core.idempotency (
  actor text,
  key text,
  digest text not null,
  answer jsonb not null,
  at timestamptz not null default now(),
  primary key (actor, key)
);
"""


def upgrade() -> None:
    op.execute(TABLES)
    # Straight to the driver: `:=` and `%` mean nothing to it when there are no parameters.
    functions = (Path(__file__).parents[2] / "sql" / "core.sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(functions)


def downgrade() -> None:
    raise RuntimeError("the first migration has nothing before it")
