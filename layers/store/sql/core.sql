-- Functions of the core schema. Applied by the migration that owns them; every statement can be repeated.

-- Bits 52-55 hold the resolution; the digit of resolution k sits at bit 45-3*(k-1); unused digits are 7.
-- Not STRICT and without CASE, or the planner would not inline it (seven times slower).
create or replace function core.h3_parent(cell bigint, res int) returns bigint
language sql immutable parallel safe as $$
  select (cell & ~((15::bigint << 52) | ((1::bigint << (45 - 3 * res)) - 1)))
       | (res::bigint << 52) | ((1::bigint << (45 - 3 * res)) - 1)
$$;

create or replace function core.actor() returns text
language sql stable parallel safe as $$
  select coalesce(nullif(current_setting('chengtu.actor', true), ''), session_user)
$$;

create or replace function core.setting(name text) returns text
language sql stable parallel safe as $$
  select nullif(current_setting('chengtu.' || name, true), '')
$$;

-- The codes of a setting that limits what a transaction sees (layers/people/scope.py), areas as patterns of LIKE.
-- None for no setting, and for "*", which the policies ask for themselves. Codes hold no wildcards.
create or replace function core.acting(name text) returns text[]
language sql stable parallel safe as $$
  select case name
    when 'areas' then array(select code || '%' from unnest(string_to_array(core.setting(name), ',')) code where code <> '*')
    else string_to_array(core.setting(name), ',') end
$$;

-- Tiles that a lon/lat box touches, with a margin in tiles (tile buffer 64 of 4096).
create or replace function core.tiles_of_box(
  west float8, south float8, east float8, north float8, zmin int, zmax int, margin float8 default 0.015625
) returns table (z smallint, x int, y int)
language sql immutable parallel safe as $$
  select z::smallint, tx, ty
  from generate_series(zmin, zmax) z,
    lateral (select (1 << z) n) k,
    lateral generate_series(
      greatest(0, floor((west + 180) / 360 * n - margin)::int),
      least(n - 1, floor((east + 180) / 360 * n + margin)::int)) tx,
    lateral generate_series(
      greatest(0, floor((1 - asinh(tand(least(north, 85.0511))) / pi()) / 2 * n - margin)::int),
      least(n - 1, floor((1 - asinh(tand(greatest(south, -85.0511))) / pi()) / 2 * n + margin)::int)) ty
$$;

-- A changed record is newer than the version it replaces, even when its transaction began before the other's commit.
create or replace function core.stamp() returns trigger
language plpgsql as $$
begin
  new.changed_at := greatest(now(), old.changed_at + interval '1 microsecond');
  new.changed_by := core.actor();
  return new;
end $$;

-- One row as history keeps it: exact geometry as EWKB, nothing that can be computed again.
create or replace function core.kept(version jsonb, geom geometry) returns jsonb
language sql immutable parallel safe as $$
  select version - 'geom3857' || jsonb_build_object('geom', geom::text)
$$;

-- Follows every statement on a layer's table: history, cell counts, change log, bell. Arguments: layer, class column,
-- and what tells who sees a row (of a scoped layer), without which a reader of the log could tell it to nobody.
create or replace function core.follow() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  followed constant text := tg_argv[0];
  class_of constant text := tg_argv[1];
  scope_of constant text := coalesce(tg_argv[2], 'null::jsonb');
  listed constant int := 2000;  -- above this the layer is marked whole
  moved bigint;
  gone constant text := case when tg_op = 'INSERT' then 'select null::bigint as cell, null::text as class, 0 as d where false'
    else format('select cell, %s as class, -1 as d from ot', class_of) end;
  come constant text := case when tg_op = 'DELETE' then 'select null::bigint as cell, null::text as class, 0 as d where false'
    else format('select cell, %s as class, 1 as d from nt', class_of) end;
begin
  if tg_op = 'INSERT' then
    select count(*) into moved from nt;
  else
    select count(*) into moved from ot;
  end if;
  if moved = 0 then
    return null;
  end if;

  if tg_op = 'UPDATE' then
    insert into core.history (layer, id, valid, row, actor, delivery, ended_by)
    select followed, ot.id, tstzrange(ot.changed_at, nt.changed_at), core.kept(to_jsonb(ot), ot.geom),
      ot.changed_by, ot.delivery, core.setting('delivery')::bigint
    from ot join nt using (id) where ot.changed_at < nt.changed_at
    union all
    -- A record that got another id is gone under the one that it had.
    select followed, ot.id, tstzrange(ot.changed_at, greatest(now(), ot.changed_at + interval '1 microsecond')),
      core.kept(to_jsonb(ot), ot.geom), ot.changed_by, ot.delivery, core.setting('delivery')::bigint
    from ot left join nt using (id) where nt.id is null;
  elsif tg_op = 'DELETE' then
    insert into core.history (layer, id, valid, row, actor, delivery, ended_by)
    select followed, id, tstzrange(changed_at, greatest(now(), changed_at + interval '1 microsecond')),
      core.kept(to_jsonb(ot), geom), changed_by, delivery, core.setting('delivery')::bigint
    from ot;
  end if;

  execute format($q$
    insert into core.cell_count (layer, res, cell, class, n)
    select %L, r, core.h3_parent(leaf.cell, r), leaf.class, sum(leaf.n)
    from (
      select core.h3_parent(cell, 9) as cell, class, sum(d) as n from (%s union all %s) u
      group by 1, 2 having sum(d) <> 0
    ) leaf, generate_series(5, 9) r
    group by 2, 3, 4 having sum(leaf.n) <> 0$q$, followed, gone, come);

  if moved > listed then
    insert into core.change (actor, layer, op, records, delivery, scenario, digest)
    values (core.actor(), followed, lower(tg_op), moved, core.setting('delivery')::bigint, core.setting('scenario'),
      core.setting('digest'));
  elsif tg_op = 'INSERT' then
    execute format($q$
      insert into core.change
        (actor, layer, op, id, records, after, cell_after, scope_after, delivery, scenario)
      select core.actor(), %L, 'insert', id, 1, geom, cell, %s, core.setting('delivery')::bigint, core.setting('scenario')
      from nt order by id$q$, followed, scope_of);
  elsif tg_op = 'DELETE' then
    execute format($q$
      insert into core.change
        (actor, layer, op, id, records, before, cell_before, scope_before, delivery, scenario)
      select core.actor(), %L, 'delete', id, 1, geom, cell, %s, core.setting('delivery')::bigint, core.setting('scenario')
      from ot order by id$q$, followed, scope_of);
  else
    -- The old cell is told where a count changed: what stays in its cell and class counts anew under a filter alone.
    execute format($q$
      insert into core.change
        (actor, layer, op, id, records, before, after, cell_before, cell_after, scope_before, scope_after, delivery,
        scenario)
      select core.actor(), %L, case when o.cell is null then 'insert' when n.cell is null then 'delete' else 'update' end,
        id, 1, o.geom, n.geom,
        case when (o.cell, o.class) is distinct from (n.cell, n.class) then o.cell end, n.cell, o.scope, n.scope,
        core.setting('delivery')::bigint, core.setting('scenario')
      from (select id, geom, cell, %s as class, %s as scope from ot) o
        full join (select id, geom, cell, %s as class, %s as scope from nt) n using (id)
      order by id$q$, followed, class_of, scope_of, class_of, scope_of);
  end if;
  perform pg_notify('change', followed);
  return null;
end $$;

-- TRUNCATE has no transition tables: what was is read before it goes.
-- It acts for the program: what is lost is what was there, whoever emptied the table.
create or replace function core.follow_truncate() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  followed constant text := tg_argv[0];
  moved bigint;
  everywhere constant text := core.setting('everywhere');
begin
  perform set_config('chengtu.everywhere', 'on', true);
  execute format($q$
    insert into core.history (layer, id, valid, row, actor, delivery, ended_by)
    select %L, t.id, tstzrange(t.changed_at, greatest(now(), t.changed_at + interval '1 microsecond')),
      core.kept(to_jsonb(t), t.geom), t.changed_by, t.delivery, core.setting('delivery')::bigint
    from %I.%I t$q$, followed, tg_table_schema, tg_table_name);
  get diagnostics moved = row_count;
  perform set_config('chengtu.everywhere', coalesce(everywhere, ''), true);
  -- A fold that is under way would write back counts which this statement could not see.
  lock table core.cell_count in share row exclusive mode;
  delete from core.cell_count where layer = followed;
  insert into core.change (actor, layer, op, records, scenario)
  values (core.actor(), followed, 'truncate', moved, core.setting('scenario'));
  perform pg_notify('change', followed);
  return null;
end $$;

-- Counts a layer anew when its records are classed by another column; its triggers must count by that column already.
create or replace function core.recount(followed text, kept regclass, class_of text) returns void
language plpgsql as $$
declare
  everywhere constant text := core.setting('everywhere');
begin
  perform set_config('chengtu.everywhere', 'on', true);
  -- A fold that is under way would write back counts which this statement could not see.
  lock table core.cell_count in share row exclusive mode;
  delete from core.cell_count where layer = followed;
  execute format($q$
    insert into core.cell_count (layer, res, cell, class, n)
    select %L, r, core.h3_parent(leaf.cell, r), leaf.class, sum(leaf.n)
    from (select core.h3_parent(cell, 9) as cell, %s as class, count(*) as n from %s group by 1, 2) leaf,
      generate_series(5, 9) r
    group by 2, 3, 4$q$, followed, class_of, kept);
  execute format($q$
    insert into core.change (actor, layer, op, records) select core.actor(), %L, 'update', count(*) from %s
  $q$, followed, kept);
  perform set_config('chengtu.everywhere', coalesce(everywhere, ''), true);
  perform pg_notify('change', followed);
end $$;

-- Folds the deltas of the cell counts. It only touches rows that it sees, so edits that run beside it lose nothing.
create or replace function core.fold_cell_counts() returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  folded bigint;
begin
  with
    many as (
      select layer, res, cell, class from core.cell_count group by 1, 2, 3, 4 having count(*) > 1 or sum(n) = 0
    ),
    gone as (
      delete from core.cell_count c using many m
      where (c.layer, c.res, c.cell, c.class) = (m.layer, m.res, m.cell, m.class)
      returning c.layer, c.res, c.cell, c.class, c.n
    )
  insert into core.cell_count (layer, res, cell, class, n)
  select layer, res, cell, class, sum(n) from gone group by 1, 2, 3, 4 having sum(n) <> 0;
  get diagnostics folded = row_count;
  return folded;
end $$;
