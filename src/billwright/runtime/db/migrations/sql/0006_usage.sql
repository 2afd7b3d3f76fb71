-- Meters, corrections of usage, and what became known after it was billed.

create table meter (
    tenant_id uuid not null references tenant,
    id uuid not null,
    code text not null,
    name text not null,
    description text not null,
    status text not null check (status in ('active', 'archived')),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, code)
);

-- What a meter counts never changes: what was billed can be counted again. Of an archived meter too.
create table meter_version (
    tenant_id uuid not null,
    meter_id uuid not null,
    number int not null check (number > 0),
    event_type text not null,
    aggregation text not null check (aggregation in ('count', 'sum', 'max', 'min', 'avg', 'unique_count',
                                                     'latest', 'weighted_sum')),
    property text,  -- null: the quantity of the event
    filters jsonb not null,
    group_by text[] not null,
    rounding text check (rounding in ('round', 'ceil', 'floor')),
    carries_over boolean not null,
    created_at timestamptz not null,
    primary key (tenant_id, meter_id, number),
    foreign key (tenant_id, meter_id) references meter,
    check (aggregation <> 'unique_count' or property is not null),
    check (aggregation <> 'count' or property is null),
    check (not carries_over or aggregation in ('sum', 'max', 'min', 'latest', 'weighted_sum'))
);

-- An event is known by its source and id, and by nothing else: every index more is written for every
-- event. A correction names the event that does not count any more; without a quantity it only takes
-- that one away.
alter table usage_event
    drop constraint usage_event_tenant_id_source_event_id_key,
    drop constraint usage_event_pkey,
    drop constraint usage_event_tenant_id_account_id_subscription_id_fkey,
    drop column id,
    add primary key (tenant_id, source, event_id),
    alter column quantity drop not null,
    add column properties jsonb,
    add column corrects_source text,
    add column corrects_event_id text,
    add check ((corrects_source is null) = (corrects_event_id is null)),
    add check (quantity is not null or corrects_event_id is not null);
drop index usage_event_tenant_id_account_id_subscription_id_idx;
-- What foreign keys would say, asked once for a statement: for every event they cost a third of the time
-- of recording it, and they lock rows that others record usage of. Subscriptions and events are never
-- deleted.
create function require_subscription_of_usage() returns trigger language plpgsql as $$
begin
    if exists (
        select from (select distinct n.tenant_id, n.account_id, n.subscription_id from recorded n) r
        where not exists (select from subscription s where s.tenant_id = r.tenant_id
                          and s.id = r.subscription_id and s.account_id = r.account_id)
    ) or exists (
        select from recorded r where r.corrects_event_id is not null
            and not exists (select from usage_event e where e.tenant_id = r.tenant_id
                            and e.source = r.corrects_source and e.event_id = r.corrects_event_id)
    ) then
        raise exception 'usage names a subscription or an event that does not exist'
            using errcode = 'foreign_key_violation';
    end if;
    return null;
end
$$;
create trigger usage_has_subscription after insert on usage_event
    referencing new table as recorded
    for each statement execute function require_subscription_of_usage();
create unique index usage_event_corrected_once
    on usage_event (tenant_id, corrects_source, corrects_event_id)
    where corrects_event_id is not null;

-- Usage of windows that were closed: whose, of which time, and when they are to be looked at again.
create table late_usage (
    tenant_id uuid not null,
    account_id uuid not null,
    subscription_id uuid not null,
    occurred_from timestamptz not null,
    occurred_until timestamptz not null,
    due_at timestamptz not null,
    primary key (tenant_id, account_id, subscription_id),
    foreign key (tenant_id, account_id, subscription_id)
        references subscription (tenant_id, account_id, id),
    check (occurred_from <= occurred_until)
);
create index on late_usage (tenant_id, due_at);

-- What was billed for the usage of a component in a window, which may be nothing; `owed_minor` is what
-- it came to with its minimum and before discounts, `adjustments` how often that has changed since.
create table usage_window (
    tenant_id uuid not null,
    id uuid not null,
    subscription_id uuid not null,
    plan_component_id uuid not null,
    meter text not null,
    meter_version int check (meter_version >= 0),  -- 0: nobody has defined the meter; null: none was asked
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    cutoff timestamptz not null,
    quantity numeric(20, 6) not null,
    events bigint not null,
    digest text,  -- null: nothing was used
    owed_minor bigint not null,
    basis jsonb not null,
    adjustments int not null,
    primary key (tenant_id, id),
    unique (tenant_id, subscription_id, plan_component_id, starts_at),
    foreign key (tenant_id, subscription_id) references subscription,
    check (starts_at < ends_at)
);
create index on usage_window (tenant_id, subscription_id, ends_at, id);

alter table charge
    drop constraint charge_kind_check,
    add constraint charge_kind_check check (
        kind in ('recurring', 'one_time', 'usage', 'usage_adjustment', 'minimum', 'proration_credit',
                 'credit', 'manual'));
create unique index charge_adjusted_once
    on charge (tenant_id, subscription_id, plan_component_id, period_start, (basis #>> '{usage,cutoff}'))
    where kind = 'usage_adjustment';

-- A version keeps the name under which it gave a feature; the feature itself may get another one.
alter table plan_feature add column name text;
update plan_feature g set name = f.name from feature f where f.tenant_id = g.tenant_id and f.id = g.feature_id;
alter table plan_feature alter column name set not null;

do $$
declare
    name text;
begin
    for name in
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind = 'r' and c.relname <> 'alembic_version'
            and not c.relrowsecurity
    loop
        execute format('alter table %I enable row level security', name);
        execute format(
            'create policy tenant_isolation on %I to billwright_app
                using (tenant_id = nullif(current_setting(''billwright.tenant_id'', true), '''')::uuid)
                with check (tenant_id = nullif(current_setting(''billwright.tenant_id'', true), '''')::uuid)',
            name);
        execute format('grant select, insert, update, delete on %I to billwright_app', name);
    end loop;
end
$$;

revoke update, delete on meter_version from billwright_app;
revoke delete on meter from billwright_app;
