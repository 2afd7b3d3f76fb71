-- Payments without a person: saved methods, pages to pay on, callbacks, refunds, disputes, dunning, and
-- what only a person can decide.

-- When the money of an invoice is next asked for or, without a method, missed; none when nobody waits.
alter table invoice add column collect_at timestamptz;
create index invoice_to_collect on invoice (tenant_id, collect_at) where collect_at is not null;

create or replace function refuse_change_of_finalized_invoice() returns trigger language plpgsql as $$
declare
    kept invoice;
begin
    if tg_op = 'DELETE' then
        if old.number is not null then
            raise exception 'invoice % is finalized and cannot be deleted', old.number
                using errcode = 'integrity_constraint_violation';
        end if;
        return old;
    end if;
    if old.number is null then
        return new;
    end if;
    -- What may still happen to it: money, credit, and its end. All else is as it was.
    kept := new;
    kept.state := old.state;
    kept.paid_minor := old.paid_minor;
    kept.credit_applied_minor := old.credit_applied_minor;
    kept.credited_minor := old.credited_minor;
    kept.due_minor := old.due_minor;
    kept.collect_at := old.collect_at;
    kept.paid_at := old.paid_at;
    kept.voided_at := old.voided_at;
    kept.uncollectible_at := old.uncollectible_at;
    kept.version := old.version;
    kept.updated_at := old.updated_at;
    if new.state = 'void' then
        kept.reason := old.reason;
    end if;
    if kept is distinct from old or new.state in ('draft', 'finalizing') then
        raise exception 'invoice % is finalized and cannot change', old.number
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;

update invoice set collect_at = due_on::timestamp at time zone zone
    where kind = 'invoice' and state in ('open', 'partially_paid') and due_minor > 0;

-- What a payer has left with a provider. The provider's words for it are sealed; digests under the same
-- key find them again. Two accounts of one payer may have left the same one.
create table payment_method (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    provider text not null,
    kind text not null check (kind in ('card', 'sepa_debit', 'other')),
    label text not null,
    status text not null check (status in ('active', 'removed')),
    is_default boolean not null,
    is_chargeable boolean not null,
    expires_on date,
    expiry_announced_for date,
    reference_sealed text not null,
    reference_digest bytea not null,
    payer_reference_sealed text,
    fingerprint_digest bytea,
    consented_at timestamptz not null,
    consent text not null,
    version int not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, account_id, provider, reference_digest),
    foreign key (tenant_id, account_id) references account,
    check (status = 'active' or not is_default)
);
create index on payment_method (tenant_id, provider, reference_digest);
create unique index payment_method_one_default on payment_method (tenant_id, account_id)
    where is_default;
create index payment_method_expiring on payment_method (tenant_id, expires_on)
    where status = 'active' and expires_on is not null;

-- A page of a provider on which a payer leaves a method.
create table payment_method_setup (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    provider text not null,
    provider_key text not null,
    state text not null check (state in ('created', 'open', 'completed', 'expired')),
    provider_reference text,
    page_url_sealed text,
    expires_at timestamptz,
    payment_method_id uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, provider_key),
    foreign key (tenant_id, account_id) references account,
    foreign key (tenant_id, payment_method_id) references payment_method
);
create index on payment_method_setup (tenant_id, account_id);
create index on payment_method_setup (tenant_id, provider_reference)
    where provider_reference is not null;
create index on payment_method_setup (tenant_id, payment_method_id)
    where payment_method_id is not null;
create index payment_method_setup_left on payment_method_setup (tenant_id, expires_at)
    where state = 'open';

-- `captured_minor` is what has really come, `refunded_minor` what was given back of it or is on its way.
alter table payment
    add column origin text not null default 'requested'
        check (origin in ('requested', 'automatic', 'dunning', 'page')),
    add column payment_method_id uuid,
    add column captured_minor bigint not null default 0 check (captured_minor >= 0),
    add column refunded_minor bigint not null default 0,
    drop constraint payment_check,  -- unapplied_minor between 0 and amount_minor
    add foreign key (tenant_id, payment_method_id) references payment_method;
update payment set captured_minor = amount_minor where state = 'succeeded';
alter table payment
    add check (unapplied_minor between 0 and captured_minor),
    add check (refunded_minor between 0 and captured_minor);
create index on payment (tenant_id, payment_method_id) where payment_method_id is not null;

-- A page is an attempt whose payer chooses how to pay; until `page_expires_at` it waits for them.
alter table payment_attempt
    add column channel text not null default 'collect' check (channel in ('collect', 'page')),
    add column decline text check (decline in ('soft', 'hard')),
    add column page_reference text,
    add column page_url_sealed text,
    add column page_expires_at timestamptz,
    add column saves_method boolean not null default false;
create index on payment_attempt (tenant_id, provider_reference) where provider_reference is not null;
create index on payment_attempt (tenant_id, page_reference) where page_reference is not null;
create index payment_attempt_paid on payment_attempt (tenant_id, provider, created_at, id)
    where state = 'succeeded';
create index on payment_attempt (tenant_id, page_expires_at)
    where page_expires_at is not null and state not in ('succeeded', 'declined', 'not_attempted');

-- What a provider told of its own accord, once. The body is sealed, as it was signed.
create table provider_callback (
    tenant_id uuid not null,
    id uuid not null,
    provider text not null,
    event_id text not null,
    type text not null,
    kind text not null check (kind in ('payment', 'refund', 'dispute', 'method', 'other')),
    reference text,
    provider_key text,
    body_sealed text not null,
    state text not null check (state in ('received', 'waiting', 'handled', 'ignored', 'unmatched')),
    attempts int not null check (attempts >= 0),
    next_attempt_at timestamptz,
    last_error text,
    happened_at timestamptz not null,
    received_at timestamptz not null,
    handled_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, provider, event_id)
);
create index on provider_callback (tenant_id, next_attempt_at) where next_attempt_at is not null;
-- Of two events of one payment method, the one that happened later counts.
create index provider_callback_of_method on provider_callback
    (tenant_id, provider, reference, happened_at) where kind = 'method';

create table refund (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    payment_id uuid not null,
    credit_note_id uuid,
    origin text not null check (origin in ('requested', 'credit_note', 'provider')),
    provider text not null,
    provider_key text not null,
    provider_reference text,
    state text not null check (state in ('created', 'submitted', 'unknown', 'processing', 'succeeded',
                                         'failed')),
    currency text not null,
    amount_minor bigint not null check (amount_minor > 0),
    reason text not null,
    failure_code text,
    next_check_at timestamptz,
    version int not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, provider_key),
    foreign key (tenant_id, account_id) references account,
    foreign key (tenant_id, payment_id) references payment,
    foreign key (tenant_id, credit_note_id) references invoice
);
create index on refund (tenant_id, account_id);
create index on refund (tenant_id, payment_id);
create index on refund (tenant_id, credit_note_id) where credit_note_id is not null;
create index on refund (tenant_id, provider_reference) where provider_reference is not null;
create index on refund (tenant_id, next_check_at) where next_check_at is not null;

create table dispute (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    payment_id uuid not null,
    provider text not null,
    provider_reference text not null,
    state text not null check (state in ('open', 'won', 'lost')),
    currency text not null,
    amount_minor bigint not null check (amount_minor > 0),
    reason text not null,
    respond_by timestamptz,
    closed_at timestamptz,
    version int not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, provider, provider_reference),
    foreign key (tenant_id, account_id) references account,
    foreign key (tenant_id, payment_id) references payment
);
create index on dispute (tenant_id, account_id);
create index on dispute (tenant_id, payment_id);

-- What only a person can decide; the same finding is one task, however often it is found.
create table review_task (
    tenant_id uuid not null,
    id uuid not null,
    kind text not null,
    subject_type text not null,
    subject_id uuid,
    account_id uuid,
    details jsonb not null,
    dedup_key text not null,
    state text not null check (state in ('open', 'resolved')),
    resolution text,
    resolved_by text,
    resolved_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, dedup_key),
    foreign key (tenant_id, account_id) references account,
    check ((state = 'resolved') = (resolved_at is not null))
);
create index on review_task (tenant_id, account_id) where account_id is not null;
create index review_task_open on review_task (tenant_id, id) where state = 'open';

-- When a provider's books were last compared with ours, and what came of it.
create table reconciliation (
    tenant_id uuid not null,
    id uuid not null,
    provider text not null,
    since timestamptz not null,
    until timestamptz not null,
    compared int not null check (compared >= 0),
    mended int not null check (mended >= 0),
    differences int not null check (differences >= 0),
    foreign_payments int not null check (foreign_payments >= 0),
    finished_at timestamptz not null,
    primary key (tenant_id, id),
    check (since < until)
);
create index on reconciliation (tenant_id, provider, until);

-- The policy of a plan, or the tenant's own where no plan is named.
create table dunning_policy (
    tenant_id uuid not null references tenant,
    id uuid not null,
    plan_id uuid,
    definition jsonb not null,
    version int not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique nulls not distinct (tenant_id, plan_id),
    foreign key (tenant_id, plan_id) references plan
);

-- One unpaid invoice that is pursued, under the policy that held when that began. The step of the
-- schedule is a column of its own and no count of attempts. `due_at` is when time alone changes it.
create table dunning_case (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    invoice_id uuid not null,
    subscription_ids uuid[] not null,
    policy jsonb not null,
    state text not null check (state in ('open', 'recovered', 'exhausted', 'canceled', 'written_off')),
    step int not null check (step >= 0),
    attempts int not null check (attempts >= 0),
    opened_at timestamptz not null,
    past_due_at timestamptz not null,
    waiting_since timestamptz not null,
    next_step_at timestamptz,
    under_way text check (under_way in ('scheduled', 'new_method', 'manual', 'checkout')),
    is_chargeable boolean not null,
    has_fresh_method boolean not null,
    noticed text[] not null,
    entitlement_index int not null check (entitlement_index >= 0),
    paused_until timestamptz,
    ended_at timestamptz,
    due_at timestamptz,
    version int not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, account_id) references account,
    foreign key (tenant_id, invoice_id) references invoice,
    check ((state = 'open') = (ended_at is null)),
    check (state = 'open' or due_at is null)
);
create index on dunning_case (tenant_id, account_id);
create index on dunning_case (tenant_id, invoice_id);
create index dunning_case_due on dunning_case (tenant_id, due_at) where due_at is not null;
-- An exhausted case still waits for its money.
create unique index dunning_case_one_per_debt on dunning_case (tenant_id, invoice_id)
    where state in ('open', 'exhausted');

-- What an unpaid debt leaves of access: of one subscription or, without one, of all that the account
-- has. Of several the harshest counts.
create table entitlement_restriction (
    tenant_id uuid not null,
    id uuid not null,
    cause_id uuid not null,
    account_id uuid not null,
    subscription_id uuid,
    effect text not null check (effect in ('degrade', 'read_only', 'revoke')),
    features text[] not null,
    since timestamptz not null,
    primary key (tenant_id, id),
    unique nulls not distinct (tenant_id, cause_id, subscription_id),
    foreign key (tenant_id, account_id) references account,
    foreign key (tenant_id, subscription_id) references subscription
);
create index on entitlement_restriction (tenant_id, account_id);
create index on entitlement_restriction (tenant_id, subscription_id)
    where subscription_id is not null;

-- Snapshots say of each subscription how much access is left, beside the decisions; none was restricted
-- until now.
update entitlement_snapshot set decisions = (
    select coalesce(jsonb_object_agg(of_one.key, jsonb_build_object(
        'access', 'full',
        'features', (select coalesce(jsonb_agg(decision.value || '{"reason": null}' order by position), '[]')
                     from jsonb_array_elements(of_one.value) with ordinality
                         as decision (value, position)))), '{}')
    from jsonb_each(decisions) as of_one
);

drop function read_entitlements(uuid[], uuid[]);
create function read_entitlements(tenants uuid[], subscriptions uuid[])
    returns table (tenant_id uuid, subscription_id uuid, account_id uuid, version bigint, features text,
                   access text)
    language sql stable security definer set search_path = public
begin atomic
    select k.tenant_id, k.subscription_id, k.account_id, s.version,
        (s.decisions -> k.subscription_id::text -> 'features')::text,
        s.decisions -> k.subscription_id::text ->> 'access'
    from unnest(tenants, subscriptions) as asked (tenant_id, subscription_id)
    join entitlement_source k
        on k.tenant_id = asked.tenant_id and k.subscription_id = asked.subscription_id
    join entitlement_snapshot s on s.tenant_id = k.tenant_id and s.account_id = k.account_id;
end;

-- A change that is to be undone when its first collection fails: what the subscription was before it.
alter table subscription add column unpaid_change jsonb;
create index subscription_unpaid_change
    on subscription (tenant_id, ((unpaid_change ->> 'invoice_id')::uuid))
    where unpaid_change is not null;

-- A credit on an invoice that was voided together with what it was for was never given.
drop index charge_prorated_once;
create unique index charge_prorated_once on charge (tenant_id, corrects_charge_id)
    where kind = 'proration_credit' and reversed_from is distinct from period_start;

-- A provider's callback may not name its tenant; a reference that is known here does.
create function tenants_of_provider_reference(wanted_provider text, wanted text)
    returns table (tenant_id uuid)
    language sql stable security definer set search_path = public
begin atomic
    select t.tenant_id from tenant t where
        exists (select from payment_attempt a where a.tenant_id = t.tenant_id
                and a.provider_reference = wanted and a.provider = wanted_provider)
        or exists (select from payment_attempt a where a.tenant_id = t.tenant_id
                   and a.page_reference = wanted and a.provider = wanted_provider)
        or exists (select from refund r where r.tenant_id = t.tenant_id
                   and r.provider_reference = wanted and r.provider = wanted_provider)
        or exists (select from dispute d where d.tenant_id = t.tenant_id
                   and d.provider = wanted_provider and d.provider_reference = wanted)
        or exists (select from payment_method_setup s where s.tenant_id = t.tenant_id
                   and s.provider_reference = wanted and s.provider = wanted_provider);
end;

create function tenants_of_payment_method(wanted_provider text, wanted_digest bytea)
    returns table (tenant_id uuid)
    language sql stable security definer set search_path = public
begin atomic
    select t.tenant_id from tenant t where
        exists (select from payment_method m where m.tenant_id = t.tenant_id
                and m.provider = wanted_provider and m.reference_digest = wanted_digest);
end;

revoke all on function tenants_of_provider_reference(text, text),
    tenants_of_payment_method(text, bytea), read_entitlements(uuid[], uuid[]) from public;
grant execute on function tenants_of_provider_reference(text, text),
    tenants_of_payment_method(text, bytea), read_entitlements(uuid[], uuid[]) to billwright_app;

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

revoke update, delete on reconciliation from billwright_app;
revoke delete on payment_method, payment_method_setup, provider_callback, refund, dispute, review_task,
    dunning_case from billwright_app;
