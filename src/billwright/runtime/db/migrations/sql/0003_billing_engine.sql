-- The billing engine: terms of plans, every command of a subscription, charges that can be taken back,
-- credit notes, account credit, promotions and usage.

alter table seller
    add column proration_granularity text not null default 'second'
        check (proration_granularity in ('second', 'day')),
    add column rounding text not null default 'half_up'
        check (rounding in ('half_up', 'half_even', 'half_down', 'up', 'down')),
    add column minimum_invoice jsonb not null default '{}',  -- minor units by currency
    add column tax_engine text not null default 'vat';

alter table account
    add column collection text not null default 'immediate'
        check (collection in ('immediate', 'billing_day')),
    add column billing_day int check (billing_day between 1 and 31),
    add column next_invoice_at timestamptz,
    add column has_payment_method boolean not null default false,
    add check ((collection = 'billing_day') = (billing_day is not null)
               and (collection = 'billing_day') = (next_invoice_at is not null));
create index on account (tenant_id, next_invoice_at) where next_invoice_at is not null;

alter table plan_version
    add column tax_inclusive boolean not null default false,
    add column alignment text not null default 'anniversary'
        check (alignment in ('anniversary', 'calendar')),
    add column calendar_day int check (calendar_day between 1 and 31),
    add column trial_days int not null default 0 check (trial_days between 0 and 730),
    add column trial_end_behavior text not null default 'create_invoice'
        check (trial_end_behavior in ('create_invoice', 'pause', 'cancel')),
    add column notice_days int not null default 0 check (notice_days between 0 and 3650),
    add column commitment_days int not null default 0 check (commitment_days between 0 and 3650),
    add column ends_at_period_end boolean not null default false,
    add check (calendar_day is null or alignment = 'calendar');

alter table plan_component
    drop constraint plan_component_kind_check,
    add check (kind in ('recurring', 'one_time', 'usage')),
    add column optional boolean not null default false,
    add column free_units numeric(20, 6) not null default 0 check (free_units >= 0),
    add column meter text,
    add check ((kind = 'usage') = (meter is not null));
alter table plan_price add column minimum_minor bigint check (minimum_minor > 0);

alter table subscription rename column cancellation_reason to cancellation_feedback;
alter table subscription
    add column cancellation_reason text
        check (cancellation_reason in ('requested', 'not_renewed', 'trial_ended', 'payment_failed',
                                       'timeout', 'withdrawal', 'admin')),
    add column cancellation_proration text
        check (cancellation_proration in ('none', 'credit', 'refund')),
    add column cancels_at_period_end boolean not null default false,
    add column bills_final_usage boolean not null default true,
    add column activation text not null default 'immediate'
        check (activation in ('immediate', 'on_first_payment')),
    add column activates_until timestamptz,
    add column trial_start timestamptz,
    add column trial_end timestamptz,
    add column trial_end_behavior text not null default 'create_invoice'
        check (trial_end_behavior in ('create_invoice', 'pause', 'cancel')),
    add column renews boolean not null default true,
    add column paused_at timestamptz,
    add column resumes_at timestamptz,
    add column keeps_period boolean not null default true,
    add column pending_change jsonb,
    add column collection_paused text
        check (collection_paused in ('keep_as_draft', 'mark_uncollectible', 'void')),
    add column collection_resumes_at timestamptz,
    add column past_due_at timestamptz,
    add check ((trial_start is null) = (trial_end is null) and trial_start <= trial_end),
    add check (collection_resumes_at is null or collection_paused is not null);
update subscription set cancellation_reason = 'requested' where canceled_at is not null;

alter table subscription_item
    add column pricing jsonb,  -- null: the price of the plan version
    add column accrues_from timestamptz;  -- null: since the period began

alter table invoice_series
    add column kind text not null default 'invoice' check (kind in ('invoice', 'credit_note')),
    add column restarts text not null default 'yearly' check (restarts in ('yearly', 'never'));

alter table invoice
    add column kind text not null default 'invoice' check (kind in ('invoice', 'credit_note')),
    add column corrects_invoice_id uuid,
    add column reason text not null default '',
    add column note text not null default '',
    add column credit_applied_minor bigint not null default 0 check (credit_applied_minor >= 0),
    add column credited_minor bigint not null default 0 check (credited_minor >= 0),
    add column to_balance_minor bigint not null default 0 check (to_balance_minor >= 0),
    add column to_refund_minor bigint not null default 0 check (to_refund_minor >= 0),
    add column voided_at timestamptz,
    add column uncollectible_at timestamptz,
    drop column due_minor,
    alter column series_id drop not null,
    alter column tax_treatment drop not null,
    alter column tax_country drop not null,
    alter column tax_code drop not null,
    alter column seller_party_id drop not null,
    alter column buyer_party_id drop not null,
    add foreign key (tenant_id, corrects_invoice_id) references invoice,
    add check (number is null or (series_id is not null and tax_treatment is not null
                                  and tax_country is not null and tax_code is not null
                                  and seller_party_id is not null and buyer_party_id is not null)),
    -- A credit note says how much is given back, so its amounts are negative.
    add check (number is null or (kind = 'invoice') = (total_minor >= 0)
               or (kind = 'credit_note' and total_minor = 0)),
    add check (kind = 'credit_note' or to_balance_minor + to_refund_minor = 0);
alter table invoice add column due_minor bigint not null generated always as (
    case when kind = 'credit_note' or state = 'void' then 0
         else total_minor - paid_minor - credit_applied_minor - credited_minor end) stored;
create index on invoice (tenant_id, corrects_invoice_id) where corrects_invoice_id is not null;

alter table charge
    drop constraint charge_tenant_id_subscription_id_plan_component_id_kind_per_key,
    drop constraint charge_kind_check,
    drop constraint charge_check,  -- period_start < period_end: one-time charges have no duration
    alter column subscription_id drop not null,
    alter column plan_component_id drop not null,
    add check (kind in ('recurring', 'one_time', 'usage', 'minimum', 'proration_credit', 'credit',
                        'manual')),
    add column discount_minor bigint not null default 0,
    add column tax_inclusive boolean not null default false,
    add column corrects_charge_id uuid,
    add column reversed_from timestamptz,
    add column credited_minor bigint not null default 0,
    add column basis jsonb,
    add column rule_version smallint not null default 1,
    add foreign key (tenant_id, corrects_charge_id) references charge,
    add check (period_start <= period_end),
    add check (kind = 'manual' or (subscription_id is not null and plan_component_id is not null)
               or corrects_charge_id is not null),
    add check ((kind in ('proration_credit', 'credit')) = (corrects_charge_id is not null)),
    -- What takes a charge back returns its discounts: below zero, as its amount is.
    add check (case when corrects_charge_id is null then discount_minor >= 0
               else discount_minor <= 0 end),
    add check (credited_minor between 0 and greatest(amount_minor, 0)),
    add check (reversed_from >= period_start);
-- The identity of a debt. A charge that was taken back from its first instant on, by a credit of the
-- whole or because its invoice was voided, is no longer owed, and the same may be owed again.
create unique index charge_identity
    on charge (tenant_id, subscription_id, plan_component_id, kind, period_start)
    where kind in ('recurring', 'one_time', 'usage', 'minimum')
        and reversed_from is distinct from period_start;
create unique index charge_prorated_once on charge (tenant_id, corrects_charge_id)
    where kind = 'proration_credit';
create index on charge (tenant_id, corrects_charge_id) where corrects_charge_id is not null;
create index charge_reversed on charge (tenant_id, subscription_id) where reversed_from is not null;

-- Money that an account has with the seller: what credit notes left there, less what invoices took.
create table credit_balance (
    tenant_id uuid not null,
    account_id uuid not null,
    currency text not null,
    balance_minor bigint not null check (balance_minor >= 0),
    updated_at timestamptz not null,
    primary key (tenant_id, account_id, currency),
    foreign key (tenant_id, account_id) references account
);

create table credit_entry (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    currency text not null,
    kind text not null check (kind in ('credit_note', 'applied', 'returned', 'granted', 'withdrawn',
                                       'overpayment')),
    amount_minor bigint not null check (amount_minor <> 0),
    balance_minor bigint not null check (balance_minor >= 0),
    invoice_id uuid,
    reason text not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, account_id, currency) references credit_balance,
    foreign key (tenant_id, invoice_id) references invoice
);
create index on credit_entry (tenant_id, account_id, currency, id);
create index on credit_entry (tenant_id, invoice_id) where invoice_id is not null;

create table promotion (
    tenant_id uuid not null references tenant,
    id uuid not null,
    code text not null,
    name text not null,
    status text not null check (status in ('active', 'archived')),
    kind text not null check (kind in ('percentage', 'fixed_amount', 'free_periods', 'free_days')),
    percent numeric(7, 4) check (percent > 0 and percent <= 100),
    amount_minor bigint check (amount_minor > 0),
    currency text,
    count int check (count > 0),
    duration text not null check (duration in ('once', 'periods', 'forever')),
    duration_periods int check (duration_periods > 0),
    plan_codes text[] not null,
    customers text not null check (customers in ('any', 'new', 'existing')),
    minimum_minor bigint check (minimum_minor > 0),
    maximum_redemptions int check (maximum_redemptions > 0),
    maximum_per_account int check (maximum_per_account > 0),
    combinable boolean not null,
    redeemable_from timestamptz,
    redeemable_until timestamptz,
    redemptions int not null check (redemptions >= 0),
    metadata jsonb not null,
    version int not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, code),
    check (redemptions <= maximum_redemptions),
    check ((kind = 'percentage') = (percent is not null)),
    check ((kind = 'fixed_amount') = (amount_minor is not null)),
    check ((kind in ('free_periods', 'free_days')) = (count is not null)),
    check ((amount_minor is not null or minimum_minor is not null) <= (currency is not null)),
    check ((duration = 'periods') = (duration_periods is not null))
);

create table redemption (
    tenant_id uuid not null,
    id uuid not null,
    promotion_id uuid not null,
    account_id uuid not null,
    subscription_id uuid not null,
    state text not null check (state in ('active', 'exhausted', 'ended')),
    remaining_minor bigint check (remaining_minor >= 0),
    remaining_periods int check (remaining_periods >= 0),
    remaining_seconds bigint check (remaining_seconds >= 0),
    last_period_start timestamptz,
    redeemed_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, promotion_id) references promotion,
    foreign key (tenant_id, account_id, subscription_id)
        references subscription (tenant_id, account_id, id)
);
create index on redemption (tenant_id, account_id, subscription_id);
create index on redemption (tenant_id, promotion_id, account_id);
create index on redemption (tenant_id, promotion_id, id);
-- Not unique: what a credit gives back may make a redemption active again beside a newer one.
create index redemption_active on redemption (tenant_id, subscription_id, promotion_id)
    where state = 'active';

-- Each use of a promotion: what it took off a charge, and negative what a credit gave back to it.
create table discount (
    tenant_id uuid not null,
    charge_id uuid not null,
    redemption_id uuid not null,
    amount_minor bigint not null,
    created_at timestamptz not null,
    primary key (tenant_id, charge_id, redemption_id),
    foreign key (tenant_id, charge_id) references charge,
    foreign key (tenant_id, redemption_id) references redemption
);
create index on discount (tenant_id, redemption_id);

create table usage_event (
    tenant_id uuid not null,
    id uuid not null,
    source text not null,
    event_id text not null,
    account_id uuid not null,
    subscription_id uuid not null,
    meter text not null,
    quantity numeric(20, 6) not null,
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, source, event_id),
    foreign key (tenant_id, account_id, subscription_id)
        references subscription (tenant_id, account_id, id)
);
create index on usage_event (tenant_id, subscription_id, meter, occurred_at);
create index on usage_event (tenant_id, account_id, subscription_id);

-- A charge of a subscription names that subscription's account by its foreign key. One without a
-- subscription has its account checked here, so that the bulk path does not pay for it.
create function require_account_of_charge() returns trigger language plpgsql as $$
begin
    if not exists (select from account a
                   where a.tenant_id = new.tenant_id and a.id = new.account_id) then
        raise exception 'charge % names an account that does not exist', new.id
            using errcode = 'foreign_key_violation';
    end if;
    return new;
end
$$;
create trigger charge_has_account before insert on charge
    for each row when (new.subscription_id is null) execute function require_account_of_charge();

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

create or replace function refuse_change_of_invoiced_charge() returns trigger language plpgsql as $$
declare
    kept charge;
begin
    if tg_op = 'UPDATE' then
        -- How much of it was taken back says nothing of what the document says.
        kept := new;
        kept.reversed_from := old.reversed_from;
        kept.credited_minor := old.credited_minor;
        if kept is not distinct from old then
            return new;
        end if;
    end if;
    if exists (select from invoice i where i.tenant_id = old.tenant_id and i.id = old.invoice_id
               and i.number is not null) then
        raise exception 'charge % is on a finalized invoice and cannot change', old.id
            using errcode = 'integrity_constraint_violation';
    end if;
    return coalesce(new, old);
end
$$;

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

revoke update, delete on credit_entry, discount, usage_event from billwright_app;
revoke delete on credit_balance, promotion, redemption from billwright_app;
-- Drafts may be thrown away; the trigger keeps what has a number.
grant delete on invoice to billwright_app;
