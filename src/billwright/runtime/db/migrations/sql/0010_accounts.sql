-- Who is written to for an account, revisions of what had none, and what lists are filtered by.

create table account_contact (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    name text not null,
    email text not null,
    role text not null check (role in ('billing', 'technical', 'owner')),
    locale text,  -- null: the account's
    version int not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, account_id) references account
);
create index on account_contact (tenant_id, account_id, id);
create unique index account_contact_once
    on account_contact (tenant_id, account_id, role, lower(email));

-- Whom a message is for: a contact or, without one, the account's own address. It may be gone since.
alter table notification_request add column contact_id uuid;

alter table plan add column revision int not null default 1;
alter table meter add column revision int not null default 1;
alter table invoice_series add column revision int not null default 1;

-- Metadata by what they say. Under row-level security no index on the documents themselves is used:
-- none of the operators that look into one is leakproof.
create table account_metadata (
    tenant_id uuid not null,
    key text not null,
    value text not null,
    account_id uuid not null,
    primary key (tenant_id, key, value, account_id),
    foreign key (tenant_id, account_id) references account on delete cascade
);
create index on account_metadata (tenant_id, account_id);
insert into account_metadata (tenant_id, key, value, account_id)
select a.tenant_id, m.key, m.value, a.id from account a cross join lateral jsonb_each_text(a.metadata) m;

create table plan_metadata (
    tenant_id uuid not null,
    key text not null,
    value text not null,
    plan_id uuid not null,
    primary key (tenant_id, key, value, plan_id),
    foreign key (tenant_id, plan_id) references plan on delete cascade
);
create index on plan_metadata (tenant_id, plan_id);
insert into plan_metadata (tenant_id, key, value, plan_id)
select p.tenant_id, m.key, m.value, p.id from plan p cross join lateral jsonb_each_text(p.metadata) m;

create table subscription_metadata (
    tenant_id uuid not null,
    key text not null,
    value text not null,
    subscription_id uuid not null,
    primary key (tenant_id, key, value, subscription_id),
    foreign key (tenant_id, subscription_id) references subscription on delete cascade
);
create index on subscription_metadata (tenant_id, subscription_id);
insert into subscription_metadata (tenant_id, key, value, subscription_id)
select s.tenant_id, m.key, m.value, s.id
from subscription s cross join lateral jsonb_each_text(s.metadata) m;

create index account_by_email on account (tenant_id, email) where email is not null;
create index account_by_creation on account (tenant_id, created_at);
create index account_closed on account (tenant_id, id) where status = 'closed';
create index account_parked on account (tenant_id, id) where parked_reason is not null;
create index subscription_by_creation on subscription (tenant_id, created_at);
create index invoice_by_creation on invoice (tenant_id, created_at);
create index invoice_by_issue on invoice (tenant_id, issued_on);
create index invoice_by_due_day on invoice (tenant_id, due_on);
create index payment_by_creation on payment (tenant_id, created_at);
create index refund_by_creation on refund (tenant_id, created_at);
-- States that few are in, so that those are found among very many that are in none of them.
create index invoice_unsettled on invoice (tenant_id, id)
    where state in ('draft', 'finalizing', 'open', 'partially_paid', 'uncollectible');
create index subscription_in_question on subscription (tenant_id, id)
    where state in ('scheduled', 'incomplete', 'trialing', 'past_due', 'unpaid', 'paused');

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
