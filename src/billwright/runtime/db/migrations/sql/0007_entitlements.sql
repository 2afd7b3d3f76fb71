-- Overrides, pools of metered features, grants, reservations, and running totals of usage.

-- What all plans share of a feature: the meter that counts it (null: the one that has its code), whether
-- what several sources give is one pool or each subscription's own, what a change within a window gives,
-- the values that a static one may take, and what an account has of it that nothing else gives.
alter table feature
    add column meter text,
    add column combination text not null default 'additive' check (combination in ('additive', 'parallel')),
    add column on_change text not null default 'prorate_grant'
        check (on_change in ('prorate_grant', 'grant_delta', 'grant_full')),
    add column options text[],
    add column default_definition jsonb,
    add column version int not null default 1,
    add column updated_at timestamptz;
update feature set updated_at = created_at;
alter table feature
    alter column version drop default,
    alter column combination drop default,
    alter column on_change drop default,
    alter column updated_at set not null,
    add check (meter is null or kind = 'metered'),
    add check (options is null or kind = 'static');
create index on feature (tenant_id, meter) where meter is not null;
create index feature_with_default on feature (tenant_id, code) where default_definition is not null;

-- A version gives a feature by itself, or with an add-on for each of its units.
alter table plan_feature
    add column id uuid not null default gen_random_uuid(),
    add column component_id uuid,
    add column terms jsonb not null default '{}',
    drop constraint plan_feature_pkey,
    add primary key (tenant_id, id),
    add unique nulls not distinct (tenant_id, plan_version_id, feature_id, component_id),
    add foreign key (tenant_id, component_id) references plan_component;
alter table plan_feature alter column id drop default, alter column terms drop default;
create index on plan_feature (tenant_id, component_id) where component_id is not null;

-- How many of which add-ons a subscription has.
alter table entitlement_source add column add_ons jsonb not null default '{}';
alter table entitlement_source alter column add_ons drop default;

-- What an account, or one subscription of it, has of a feature instead of what its plans say. It is never
-- rewritten: a later one ends it.
create table entitlement_override (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    subscription_id uuid,
    feature_id uuid not null,
    definition jsonb not null,
    reason text not null,
    effective_at timestamptz not null,
    expires_at timestamptz,  -- as it was asked for
    ends_at timestamptz,  -- as it is: when it expires, was superseded or removed
    superseded_by uuid,
    removed_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, account_id) references account,
    foreign key (tenant_id, account_id, subscription_id)
        references subscription (tenant_id, account_id, id),
    foreign key (tenant_id, feature_id) references feature,
    foreign key (tenant_id, superseded_by) references entitlement_override,
    check (effective_at < expires_at)
);
create index on entitlement_override (tenant_id, account_id, id);
create index on entitlement_override (tenant_id, account_id, subscription_id)
    where subscription_id is not null;
create index on entitlement_override (tenant_id, feature_id);
create index on entitlement_override (tenant_id, superseded_by) where superseded_by is not null;

-- How often something has changed that all of a tenant's accounts depend on.
create table entitlement_epoch (
    tenant_id uuid not null primary key references tenant,
    number bigint not null
);

-- A snapshot holds until an instant, and for the epoch that it was made in. They are made anew when they
-- are asked for.
delete from entitlement_snapshot;
alter table entitlement_snapshot
    add column epoch bigint not null,
    add column valid_until timestamptz,
    add column test_clock_id uuid;

-- What the usage of a metered feature is counted against: all that an account has of it or, where what
-- several sources give is not added up, what one subscription has. Usage up to `settled_at` has been taken
-- from the balances; from there on `available` is left until `valid_until`, when something begins, ends
-- or starts anew. `counted_…` remember what of the running totals has been counted, and may be lost.
create table entitlement_pool (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    subscription_id uuid,
    feature_code text not null,
    event_type text not null,
    counting text not null check (counting in ('quantity', 'events', 'recount')),
    definition jsonb not null,
    window_start timestamptz not null,
    window_end timestamptz,  -- null: it does not end, or nobody knows yet when
    carried numeric(26, 6) not null,  -- what was used beyond the limit of the window before, if it counts
    settled_at timestamptz not null,
    valid_until timestamptz,
    available numeric(26, 6),  -- null: no limit
    used_before numeric(26, 6) not null,  -- in this window, up to settled_at
    overage_before numeric(26, 6) not null,
    counted_quantity numeric(26, 6),
    counted_events bigint,
    counted_revision bigint,
    counted_used numeric(26, 6),
    limit_neared_at timestamptz,
    limit_reached_at timestamptz,
    closed_at timestamptz,
    version int not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique nulls not distinct (tenant_id, account_id, feature_code, subscription_id),
    foreign key (tenant_id, account_id) references account,
    foreign key (tenant_id, account_id, subscription_id)
        references subscription (tenant_id, account_id, id),
    foreign key (tenant_id, feature_code) references feature (tenant_id, code)
);
create index on entitlement_pool (tenant_id, account_id, subscription_id)
    where subscription_id is not null;
create index on entitlement_pool (tenant_id, feature_code);

-- What a pool holds: the allowance of each source in this window, and grants.
create table entitlement_allotment (
    tenant_id uuid not null,
    id uuid not null,
    pool_id uuid not null,
    account_id uuid not null,
    kind text not null check (kind in ('allowance', 'grant')),
    source text,  -- of an allowance: which source gives it
    amount numeric(20, 6),  -- null: no limit
    balance numeric(26, 6),
    effective_at timestamptz not null,
    expires_at timestamptz,
    priority int not null,
    rollover_min numeric(20, 6) not null,
    rollover_max numeric(20, 6) not null,
    recurrence_unit text,
    recurrence_count int,
    issued_index int not null,  -- how often it has been issued again
    steps jsonb not null,  -- what it had when the window began, and what was changed since
    reason text not null,
    metadata jsonb not null,
    voided_at timestamptz,
    version int not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, pool_id) references entitlement_pool,
    foreign key (tenant_id, account_id) references account,
    check ((kind = 'allowance') = (source is not null)),
    check ((amount is null) = (balance is null)),
    check (kind = 'allowance' or amount > 0),
    check ((recurrence_unit is null) = (recurrence_count is null)),
    check (rollover_min <= rollover_max)
);
create unique index entitlement_allotment_of_source on entitlement_allotment (tenant_id, pool_id, source)
    where source is not null;
create index on entitlement_allotment (tenant_id, pool_id, id);
create index on entitlement_allotment (tenant_id, account_id, id);

-- What somebody is about to use, so that nobody else is given it.
create table entitlement_reservation (
    tenant_id uuid not null,
    id uuid not null,
    client_id text not null,
    account_id uuid not null,
    subscription_id uuid not null,  -- whose usage it will be
    pool_id uuid not null,
    feature_code text not null,
    amount numeric(20, 6) not null check (amount > 0),
    committed_amount numeric(20, 6) check (committed_amount between 0 and amount),
    state text not null check (state in ('held', 'committed', 'released')),  -- held and past: expired
    expires_at timestamptz not null,
    created_at timestamptz not null,
    finished_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, account_id, client_id),
    foreign key (tenant_id, account_id) references account,
    foreign key (tenant_id, account_id, subscription_id)
        references subscription (tenant_id, account_id, id),
    foreign key (tenant_id, pool_id) references entitlement_pool,
    check ((state = 'committed') = (committed_amount is not null))
);
create index entitlement_reservation_held on entitlement_reservation (tenant_id, pool_id, expires_at)
    where state = 'held';
create index on entitlement_reservation (tenant_id, pool_id, id);
create index on entitlement_reservation (tenant_id, account_id, id);
create index on entitlement_reservation (tenant_id, subscription_id, id);

-- What was ever told of a subscription's usage of one type, kept by whoever records it. `revision` grows
-- with what the sums do not show: corrections, and events of the time before `frontier` or of the future.
-- `unseen` has been looked at by nobody since.
create table usage_total (
    tenant_id uuid not null,
    account_id uuid not null,
    event_type text not null,
    subscription_id uuid not null,
    quantity numeric(26, 6) not null,
    events bigint not null,
    revision bigint not null,
    frontier timestamptz not null,
    unseen boolean not null,
    primary key (tenant_id, account_id, event_type, subscription_id),
    foreign key (tenant_id, account_id, subscription_id)
        references subscription (tenant_id, account_id, id)
);
create index usage_total_unseen on usage_total (tenant_id, account_id) where unseen;
create index on usage_total (tenant_id, subscription_id);
insert into usage_total
    select tenant_id, account_id, meter, subscription_id, coalesce(sum(quantity), 0), count(*), 0,
        '-infinity', false
    from usage_event group by tenant_id, account_id, meter, subscription_id;

-- How pools of one feature stand, as the tail of a JSON list: policy and soft cap, what was left, used and
-- used too much when they were settled, what was used since (null where it has to be counted), what is
-- held, until when nothing begins or ends, and when the count starts anew. `places` has their
-- subscriptions, and null for the account's own.
create function pools_now(tenant uuid, account uuid, feature text, places jsonb, instant timestamptz)
    returns table (pools json)
    language sql stable
begin atomic
    select json_agg(json_build_array(p.feature_code, p.definition -> 'terms' -> 'limit_policy',
        p.definition -> 'terms' -> 'soft_cap', p.available, p.used_before, p.overage_before,
        case when p.valid_until <= instant or t.revision is distinct from p.counted_revision then null
            when p.counting = 'quantity' then t.quantity - p.counted_quantity
            when p.counting = 'events' then t.events - p.counted_events
            when t.events = p.counted_events then p.counted_used end,
        (select coalesce(sum(r.amount), 0) from entitlement_reservation r
            where r.tenant_id = tenant and r.pool_id = p.id and r.state = 'held'
                and r.expires_at > instant),
        p.valid_until, p.window_end))
    from entitlement_pool p
    cross join lateral (
        select coalesce(sum(u.quantity), 0) as quantity, coalesce(sum(u.events), 0) as events,
            coalesce(sum(u.revision), 0) as revision
        from usage_total u
        where u.tenant_id = tenant and u.account_id = account and u.event_type = p.event_type
            and (p.subscription_id is null or u.subscription_id = p.subscription_id)) t
    where p.tenant_id = tenant and p.account_id = account and p.feature_code = feature
        and p.closed_at is null
        and places @> coalesce(to_jsonb(p.subscription_id), 'null');
end;

-- What subscriptions give, with how the pools stand that it is counted against. Where the snapshot has to
-- be made anew, all but the account is null.
drop function read_entitlements;
create function read_entitlements(tenants uuid[], subscriptions uuid[], instant timestamptz)
    returns table (place bigint, account_id uuid, version bigint, account_now timestamptz, access text,
                   features text, pools text)
    language sql stable security definer set search_path = public
    set plan_cache_mode = force_generic_plan
begin atomic
    select asked.place, k.account_id, s.version, s.now, s.given ->> 'access', (s.given -> 'features')::text,
        (select json_agg(n.pools)
            from jsonb_array_elements(s.given -> 'features') as d (decision)
            cross join lateral pools_now(k.tenant_id, k.account_id, d.decision ->> 'feature',
                jsonb_build_array(d.decision -> 'pool' -> 'subscription_id'), s.now) as n
            where d.decision -> 'pool' <> 'null')::text
    from unnest(tenants, subscriptions) with ordinality as asked (tenant_id, subscription_id, place)
    join entitlement_source k
        on k.tenant_id = asked.tenant_id and k.subscription_id = asked.subscription_id
    left join lateral (
        select s.version, t.now, s.decisions -> 'subscriptions' -> k.subscription_id::text as given
        from entitlement_snapshot s
        cross join lateral (select coalesce((select c.now from test_clock c
            where c.tenant_id = s.tenant_id and c.id = s.test_clock_id), instant) as now offset 0) t
        where s.tenant_id = k.tenant_id and s.account_id = k.account_id
            and s.epoch = coalesce(
                (select e.number from entitlement_epoch e where e.tenant_id = s.tenant_id), 0)
            and (s.valid_until is null or s.valid_until > t.now)
        offset 0) s on true;
end;

-- What was decided of features for accounts, or for one subscription of each, with how the pools stand
-- that they are counted against: of each question the features from `first` to `last` of `codes`, or the
-- one at its own place. An account is named by its id or by the platform's. Without a version, the snapshot
-- has to be made anew.
-- To plan for each statement anew takes longer than to answer it.
create function check_entitlements(tenants uuid[], accounts uuid[], external_ids text[],
        subscriptions uuid[], firsts int[], lasts int[], codes text[], instant timestamptz)
    returns table (place bigint, account_id uuid, version bigint, valid_until timestamptz,
                   account_now timestamptz, decision text, pools text)
    language sql stable security definer set search_path = public
    set plan_cache_mode = force_generic_plan
begin atomic
    select asked.place, a.id, s.version, s.valid_until, s.now, d.decision::text, n.pools::text
    from unnest(tenants, accounts, external_ids, subscriptions, firsts, lasts) with ordinality
        as asked (tenant_id, account_id, external_id, subscription_id, first, last, place)
    cross join lateral (
        select coalesce(asked.account_id, (
            select o.id from account o
            where o.tenant_id = asked.tenant_id and o.external_id = asked.external_id)) as id
        offset 0) a
    left join lateral (
        select s.version, s.valid_until, t.now,
            case when asked.subscription_id is null then s.decisions -> 'features'
                else s.decisions -> 'subscriptions' -> asked.subscription_id::text -> 'features'
                end as features
        from entitlement_snapshot s
        cross join lateral (select coalesce((select c.now from test_clock c
            where c.tenant_id = s.tenant_id and c.id = s.test_clock_id), instant) as now offset 0) t
        where s.tenant_id = asked.tenant_id and s.account_id = a.id
            and s.epoch = coalesce(
                (select e.number from entitlement_epoch e where e.tenant_id = s.tenant_id), 0)
            and (s.valid_until is null or s.valid_until > t.now)
        offset 0) s on true
    cross join lateral unnest(codes[coalesce(asked.first, asked.place):coalesce(asked.last, asked.place)])
        with ordinality as q (code, position)
    cross join lateral (
        select case when asked.subscription_id is null then s.features -> q.code
            else (select one from jsonb_array_elements(s.features) as one
                  where one ->> 'feature' = q.code) end as decision
        offset 0) d
    left join lateral (
        select p.pools from pools_now(asked.tenant_id, a.id, q.code,
            coalesce(d.decision -> 'pools',
                     jsonb_build_array(d.decision -> 'pool' -> 'subscription_id')), s.now) p
        where d.decision ->> 'kind' = 'metered') n on true
    order by asked.place, q.position;
end;

revoke execute on function pools_now, read_entitlements, check_entitlements from public;
grant execute on function read_entitlements, check_entitlements to billwright_app;

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

revoke delete on entitlement_override, entitlement_reservation from billwright_app;
