-- The core: tenants and who may act, accounts, the catalog, subscriptions, what is owed and billed,
-- payments, access decisions, messages, and the log of what happened.
--
-- Rules that every table follows (tools/schema_rules.py checks them):
-- the first key column is tenant_id; foreign keys and unique constraints include it; row-level
-- security hides other tenants' rows from the application role, which owns nothing; every foreign
-- key has an index; instants are timestamptz and come from the application, never from now().

do $$
begin
    create role billwright_app nologin nosuperuser nobypassrls;
exception
    when duplicate_object or unique_violation then null;  -- another database of this server made it
    when insufficient_privilege then null;  -- an administrator has made it, or the next step says so
end
$$;

do $$
begin
    grant billwright_app to current_user;
exception
    when insufficient_privilege then
        if not pg_has_role(current_user, 'billwright_app', 'member') then
            raise;
        end if;
end
$$;

create table tenant (
    tenant_id uuid primary key,
    code text not null unique check (code ~ '^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$'),
    name text not null,
    created_at timestamptz not null
);

create table tenant_counter (
    tenant_id uuid not null references tenant,
    name text not null,
    last_value bigint not null,
    primary key (tenant_id, name)
);

create table seller (
    tenant_id uuid not null references tenant,
    id uuid not null,
    party jsonb not null,
    currency text not null,
    locale text not null,
    zone text not null,
    payment_terms_days int not null check (payment_terms_days between 0 and 365),
    fiscal_year_start_month int not null check (fiscal_year_start_month between 1 and 12),
    tax_rates jsonb not null,
    small_business_exempt boolean not null,
    oss_registered_since date,
    created_at timestamptz not null,
    primary key (tenant_id, id)
);

create table test_clock (
    tenant_id uuid not null references tenant,
    id uuid not null,
    name text not null,
    now timestamptz not null,
    state text not null check (state in ('ready', 'advancing', 'failed')),
    target timestamptz,
    failure text,
    created_at timestamptz not null,
    primary key (tenant_id, id)
);

create table api_key (
    tenant_id uuid not null references tenant,
    id uuid not null,
    name text not null,
    digest bytea not null,
    hint text not null,
    scopes text[] not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, digest)
);

create table idempotency_key (
    tenant_id uuid not null references tenant,
    key text not null,
    request_digest bytea not null,
    operation text not null,
    response_status int,
    response_body bytea,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (tenant_id, key)
);
create index on idempotency_key (tenant_id, expires_at);

create table account (
    tenant_id uuid not null references tenant,
    id uuid not null,
    number bigint not null,
    external_id text,
    status text not null check (status in ('active', 'closed')),
    name text not null,
    email text,
    customer_type text not null check (customer_type in ('business', 'consumer')),
    tax_id text,
    reference text,
    address jsonb not null,
    currency text not null,
    locale text not null,
    zone text not null,
    payment_terms_days int check (payment_terms_days between 0 and 365),
    parked_reason text,
    test_clock_id uuid,
    metadata jsonb not null,
    version int not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, number),
    foreign key (tenant_id, test_clock_id) references test_clock
);
create unique index account_external_id on account (tenant_id, external_id)
    where external_id is not null;
create index on account (tenant_id, test_clock_id) where test_clock_id is not null;

-- What the register of VAT ids says. Its instants are the machine's, also for accounts on test clocks.
create table vat_id_check (
    tenant_id uuid not null,
    account_id uuid not null,
    tax_id text not null,
    vat_id text,
    status text not null check (status in ('unchecked', 'valid', 'invalid', 'unavailable')),
    source text,
    checked_at timestamptz,
    attempts int not null check (attempts >= 0),
    next_check_at timestamptz,
    primary key (tenant_id, account_id),
    foreign key (tenant_id, account_id) references account
);
create index on vat_id_check (tenant_id, next_check_at) where next_check_at is not null;

create table feature (
    tenant_id uuid not null references tenant,
    id uuid not null,
    code text not null,
    name text not null,
    kind text not null check (kind in ('boolean', 'static', 'metered')),
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, code)
);

create table plan (
    tenant_id uuid not null references tenant,
    id uuid not null,
    code text not null,
    name text not null,
    description text not null,
    status text not null check (status in ('active', 'archived')),
    metadata jsonb not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, code)
);

-- A version never changes once it exists: running subscriptions keep the terms that they were sold.
create table plan_version (
    tenant_id uuid not null,
    id uuid not null,
    plan_id uuid not null,
    number int not null check (number > 0),
    name text not null,
    interval_unit text not null check (interval_unit in ('hour', 'day', 'week', 'month', 'year')),
    interval_count int not null check (interval_count > 0),
    tax_category text not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, plan_id, number),
    foreign key (tenant_id, plan_id) references plan
);

create table plan_component (
    tenant_id uuid not null,
    id uuid not null,
    plan_version_id uuid not null,
    position int not null,
    code text not null,
    name text not null,
    kind text not null check (kind in ('recurring')),
    timing text not null check (timing in ('in_advance', 'in_arrears')),
    unit_name text not null,
    primary key (tenant_id, id),
    unique (tenant_id, plan_version_id, code),
    foreign key (tenant_id, plan_version_id) references plan_version
);

create table plan_price (
    tenant_id uuid not null,
    plan_component_id uuid not null,
    currency text not null,
    pricing jsonb not null,
    primary key (tenant_id, plan_component_id, currency),
    foreign key (tenant_id, plan_component_id) references plan_component
);

create table plan_feature (
    tenant_id uuid not null,
    plan_version_id uuid not null,
    feature_id uuid not null,
    value jsonb,  -- null: metered without a limit
    primary key (tenant_id, plan_version_id, feature_id),
    foreign key (tenant_id, plan_version_id) references plan_version,
    foreign key (tenant_id, feature_id) references feature
);
create index on plan_feature (tenant_id, feature_id);

create table subscription (
    tenant_id uuid not null,
    id uuid not null,
    number bigint not null,
    external_id text,
    account_id uuid not null,
    plan_version_id uuid not null,
    state text not null check (state in ('scheduled', 'incomplete', 'expired', 'trialing', 'active',
                                         'past_due', 'unpaid', 'paused', 'canceled')),
    currency text not null,
    zone text not null,
    anchor_local timestamp not null,
    interval_unit text not null,
    interval_count int not null,
    schedule_begins_at timestamptz,
    schedule_first_index int not null,
    schedule_day_of_month int,
    started_at timestamptz not null,
    period_index int not null check (period_index >= 0),
    period_start timestamptz not null,
    period_end timestamptz not null,
    next_action_at timestamptz,
    cancel_at timestamptz,
    canceled_at timestamptz,
    cancellation_reason text,
    cancellation_comment text,
    ended_at timestamptz,
    test_clock_id uuid,
    metadata jsonb not null,
    version int not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, number),
    unique (tenant_id, account_id, id),  -- for charges, which must name the subscription's own account
    foreign key (tenant_id, account_id) references account,
    foreign key (tenant_id, plan_version_id) references plan_version,
    foreign key (tenant_id, test_clock_id) references test_clock,
    check (period_start < period_end)
);
create index on subscription (tenant_id, plan_version_id);
create unique index subscription_external_id on subscription (tenant_id, external_id)
    where external_id is not null;
create index on subscription (tenant_id, test_clock_id, next_action_at)
    where test_clock_id is not null;
create index subscription_due on subscription (tenant_id, next_action_at) where test_clock_id is null;

create table subscription_item (
    tenant_id uuid not null,
    id uuid not null,
    subscription_id uuid not null,
    plan_component_id uuid not null,
    quantity numeric(20, 6) not null check (quantity >= 0),
    primary key (tenant_id, id),
    unique (tenant_id, subscription_id, plan_component_id),
    foreign key (tenant_id, subscription_id) references subscription,
    foreign key (tenant_id, plan_component_id) references plan_component
);
create index on subscription_item (tenant_id, plan_component_id);

create table invoice_series (
    tenant_id uuid not null,
    id uuid not null,
    seller_id uuid not null,
    code text not null,
    template text not null,
    primary key (tenant_id, id),
    unique (tenant_id, seller_id, code),
    foreign key (tenant_id, seller_id) references seller
);

-- The row that a finalizing transaction locks: the lock is what makes numbers gapless.
create table invoice_number (
    tenant_id uuid not null,
    series_id uuid not null,
    fiscal_year int not null,
    last_sequence bigint not null,
    primary key (tenant_id, series_id, fiscal_year),
    foreign key (tenant_id, series_id) references invoice_series
);

-- Sellers and buyers as they were when a document was finalized; the id is a digest of the data, so
-- that a thousand invoices to an unchanged party share one row. Rows are never deleted, and invoices
-- have no foreign key to them: the index it needs has so few distinct values that the planner takes it
-- for the checks of invoices themselves while the table is young.
create table party (
    tenant_id uuid not null,
    id uuid not null,
    data jsonb not null,
    primary key (tenant_id, id)
);

create table invoice (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    state text not null check (state in ('draft', 'finalizing', 'open', 'partially_paid', 'paid',
                                         'uncollectible', 'void')),
    series_id uuid not null,
    fiscal_year int,
    sequence bigint,
    number text,
    currency text not null,
    subtotal_minor bigint not null,
    tax_minor bigint not null,
    total_minor bigint not null,
    paid_minor bigint not null check (paid_minor >= 0),
    due_minor bigint not null generated always as (total_minor - paid_minor) stored,
    taxes jsonb not null,
    tax_treatment text not null check (tax_treatment in ('domestic', 'eu_b2c_oss', 'eu_b2c_domestic',
                                                         'eu_reverse_charge', 'small_business_exempt',
                                                         'export', 'outside_scope')),
    tax_country text not null,
    tax_note text,
    tax_code text not null check (tax_code in ('S', 'E', 'AE', 'G', 'O')),
    vat_id_status text check (vat_id_status in ('unchecked', 'valid', 'invalid', 'unavailable')),
    seller_party_id uuid not null,
    buyer_party_id uuid not null,
    locale text not null,
    zone text not null,
    reference text not null,
    line_count int not null check (line_count >= 0),
    period_start timestamptz,
    period_end timestamptz,
    finalized_at timestamptz,
    issued_on date,
    due_on date,
    paid_at timestamptz,
    version int not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, id, line_count),
    unique (tenant_id, series_id, fiscal_year, sequence),
    unique (tenant_id, number),
    foreign key (tenant_id, account_id) references account,
    foreign key (tenant_id, series_id) references invoice_series,
    check (total_minor = subtotal_minor + tax_minor),
    check ((state in ('draft', 'finalizing')) = (number is null)),
    check ((number is null) = (sequence is null) and (number is null) = (issued_on is null))
);
create index on invoice (tenant_id, account_id);

-- What is owed, once. (No foreign key to plan_component: a version's components never disappear, and
-- an index with few distinct values below a tenant misleads the planner of the other keys' checks.)
-- The unique key is the identity of a debt: a second run, a retry or a second
-- worker cannot bill it again, because the database refuses. A charge without an invoice is pending.
create table charge (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    subscription_id uuid not null,
    plan_component_id uuid not null,
    kind text not null check (kind in ('recurring')),
    period_start timestamptz not null,
    period_end timestamptz not null,
    description text not null,
    quantity numeric(20, 6) not null,
    unit_name text not null,
    unit_price numeric(24, 12),
    currency text not null,
    amount_minor bigint not null,
    tax_category text not null,
    tax_rate numeric(7, 6),
    tax_minor bigint,
    invoice_id uuid,
    position int,
    line_count int,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, subscription_id, plan_component_id, kind, period_start),
    foreign key (tenant_id, account_id, subscription_id)
        references subscription (tenant_id, account_id, id),
    -- Lines are written before their invoice, whose number needs a lock that everybody waits for.
    -- Line 2 of 3: an invoice says how many lines it has, each place is taken once, and so a
    -- finalized one has no room for more.
    foreign key (tenant_id, invoice_id, line_count) references invoice (tenant_id, id, line_count)
        on update cascade deferrable initially deferred,
    unique (tenant_id, invoice_id, position),
    check (period_start < period_end),
    check ((invoice_id is null) = (position is null) and (invoice_id is null) = (line_count is null)),
    check (position between 1 and line_count)
);
create index charge_pending on charge (tenant_id, account_id) where invoice_id is null;

create function refuse_change_of_finalized_invoice() returns trigger language plpgsql as $$
begin
    if old.state <> 'draft' and (
        tg_op = 'DELETE'
        or (old.account_id, old.series_id, old.fiscal_year, old.sequence, old.number, old.currency,
            old.subtotal_minor, old.tax_minor, old.total_minor, old.taxes, old.tax_treatment,
            old.tax_country, old.tax_note, old.tax_code, old.vat_id_status, old.seller_party_id,
            old.buyer_party_id, old.locale, old.zone, old.reference, old.line_count, old.issued_on, old.due_on, old.period_start,
            old.period_end, old.finalized_at)
           is distinct from
           (new.account_id, new.series_id, new.fiscal_year, new.sequence, new.number, new.currency,
            new.subtotal_minor, new.tax_minor, new.total_minor, new.taxes, new.tax_treatment,
            new.tax_country, new.tax_note, new.tax_code, new.vat_id_status, new.seller_party_id,
            new.buyer_party_id, new.locale, new.zone, new.reference, new.line_count, new.issued_on, new.due_on, new.period_start,
            new.period_end, new.finalized_at)
        or new.state = 'draft'
    ) then
        raise exception 'invoice % is finalized and cannot change', old.number
            using errcode = 'integrity_constraint_violation';
    end if;
    return coalesce(new, old);
end
$$;
create trigger finalized_invoice_is_immutable before update or delete on invoice
    for each row execute function refuse_change_of_finalized_invoice();

create function refuse_change_of_invoiced_charge() returns trigger language plpgsql as $$
begin
    if exists (select from invoice i where i.tenant_id = old.tenant_id and i.id = old.invoice_id
               and i.state <> 'draft') then
        raise exception 'charge % is on a finalized invoice and cannot change', old.id
            using errcode = 'integrity_constraint_violation';
    end if;
    return coalesce(new, old);
end
$$;
create trigger invoiced_charge_is_immutable before update or delete on charge
    for each row when (old.invoice_id is not null)
    execute function refuse_change_of_invoiced_charge();

create table entitlement_source (
    tenant_id uuid not null,
    subscription_id uuid not null,
    account_id uuid not null,
    plan_version_id uuid not null,
    period_start timestamptz not null,
    period_end timestamptz not null,
    primary key (tenant_id, subscription_id),
    foreign key (tenant_id, account_id) references account,
    foreign key (tenant_id, subscription_id) references subscription,
    foreign key (tenant_id, plan_version_id) references plan_version
);
create index on entitlement_source (tenant_id, account_id);
create index on entitlement_source (tenant_id, plan_version_id);

-- Every decision of an account in one row, by subscription. It is a cache: rebuilding it from the
-- sources gives the same answers.
create table entitlement_snapshot (
    tenant_id uuid not null,
    account_id uuid not null,
    version bigint not null,
    decisions jsonb not null,
    rebuilt_at timestamptz not null,
    primary key (tenant_id, account_id),
    foreign key (tenant_id, account_id) references account
);

create table payment (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    invoice_id uuid not null,
    provider text not null,
    method text not null,
    state text not null check (state in ('pending', 'succeeded', 'failed', 'canceled')),
    currency text not null,
    amount_minor bigint not null check (amount_minor > 0),
    reference text not null,
    received_on date,
    unapplied_minor bigint not null check (unapplied_minor between 0 and amount_minor),
    version int not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, account_id) references account,
    foreign key (tenant_id, invoice_id) references invoice
);
create index on payment (tenant_id, account_id);
create index on payment (tenant_id, invoice_id);

-- Its instants are the machine's, also for accounts on test clocks: providers live in real time.
create table payment_attempt (
    tenant_id uuid not null,
    id uuid not null,
    payment_id uuid not null,
    invoice_id uuid not null,
    state text not null check (state in ('created', 'submitted', 'requires_action', 'processing',
                                         'succeeded', 'declined', 'not_attempted', 'unknown')),
    provider text not null,
    provider_key text not null,
    provider_reference text,
    failure_code text,
    next_check_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, provider_key),
    foreign key (tenant_id, payment_id) references payment,
    foreign key (tenant_id, invoice_id) references invoice
);
create index on payment_attempt (tenant_id, payment_id);
create index on payment_attempt (tenant_id, invoice_id);
create index on payment_attempt (tenant_id, next_check_at) where next_check_at is not null;
-- One live attempt per invoice: the next one may start only when this one has ended for certain.
create unique index payment_attempt_one_live_per_invoice on payment_attempt (tenant_id, invoice_id)
    where state not in ('succeeded', 'declined', 'not_attempted');

create table notification_request (
    tenant_id uuid not null,
    id uuid not null,
    type text not null,
    version int not null,
    account_id uuid not null,
    recipient_role text not null,
    locale text not null,
    subject_type text not null,
    subject_id uuid not null,
    sequence bigint not null,
    data jsonb not null,
    dedup_key text not null,
    priority int not null,
    state text not null check (state in ('pending', 'delivered', 'expired', 'dead')),
    attempts int not null,
    next_attempt_at timestamptz,
    last_error text,
    occurred_at timestamptz not null,
    expires_at timestamptz not null,
    delivered_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, dedup_key),
    unique (tenant_id, subject_id, sequence),
    foreign key (tenant_id, account_id) references account
);
create index on notification_request (tenant_id, account_id);
create index on notification_request (tenant_id, next_attempt_at) where state = 'pending';

create table event (
    tenant_id uuid not null,
    id uuid not null,
    type text not null,
    version int not null,
    subject_type text not null,
    subject_id uuid not null,
    account_id uuid,
    actor_kind text not null,
    actor_name text not null,
    cause text not null,
    occurred_at timestamptz not null,
    data jsonb not null,
    primary key (tenant_id, id)
);
create index on event (tenant_id, subject_id, id);

-- Which reaction has handled which event: what makes at-least-once delivery take effect once.
create table handled_event (
    tenant_id uuid not null,
    reaction text not null,
    event_id uuid not null,
    primary key (tenant_id, reaction, event_id),
    foreign key (tenant_id, event_id) references event
);
create index on handled_event (tenant_id, event_id);

create table audit_entry (
    tenant_id uuid not null,
    id uuid not null,
    action text not null,
    subject_type text not null,
    subject_id uuid not null,
    actor_kind text not null,
    actor_name text not null,
    actor_id uuid,
    cause text not null,
    occurred_at timestamptz not null,
    details jsonb not null,
    primary key (tenant_id, id)
);
create index on audit_entry (tenant_id, subject_id, id);

do $$
declare
    name text;
begin
    for name in
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind = 'r' and c.relname <> 'alembic_version'
    loop
        execute format('alter table %I enable row level security', name);
        -- A missing or empty setting reads as null, and null hides every row.
        execute format(
            'create policy tenant_isolation on %I to billwright_app
                using (tenant_id = nullif(current_setting(''billwright.tenant_id'', true), '''')::uuid)
                with check (tenant_id = nullif(current_setting(''billwright.tenant_id'', true), '''')::uuid)',
            name);
        execute format('grant select, insert, update, delete on %I to billwright_app', name);
    end loop;
end
$$;

-- What has happened cannot be changed or forgotten by the application.
revoke update, delete on event, handled_event, audit_entry, party, plan_version, plan_component,
    plan_price, plan_feature from billwright_app;
revoke delete on invoice, payment, payment_attempt, subscription, account, tenant, seller, plan
    from billwright_app;

-- Before the tenant is known: guarded functions are the only way to look across tenants.
create function tenant_by_code(wanted text) returns uuid
    language sql stable security definer set search_path = public
    return (select t.tenant_id from tenant t where t.code = wanted);

create function all_tenants() returns table (tenant_id uuid, code text)
    language sql stable security definer set search_path = public
begin atomic
    select t.tenant_id, t.code from tenant t order by t.code;
end;

-- The hot path: many access questions, of any tenants, answered in one statement. Each row brings
-- its own tenant, taken from the authenticated caller and never from the request.
create function read_entitlements(tenants uuid[], subscriptions uuid[])
    returns table (tenant_id uuid, subscription_id uuid, account_id uuid, version bigint, features text)
    language sql stable security definer set search_path = public
begin atomic
    select k.tenant_id, k.subscription_id, k.account_id, s.version,
        (s.decisions -> k.subscription_id::text)::text
    from unnest(tenants, subscriptions) as asked (tenant_id, subscription_id)
    join entitlement_source k
        on k.tenant_id = asked.tenant_id and k.subscription_id = asked.subscription_id
    join entitlement_snapshot s on s.tenant_id = k.tenant_id and s.account_id = k.account_id;
end;

revoke execute on function tenant_by_code, all_tenants, read_entitlements from public;
grant execute on function tenant_by_code, all_tenants, read_entitlements to billwright_app;
