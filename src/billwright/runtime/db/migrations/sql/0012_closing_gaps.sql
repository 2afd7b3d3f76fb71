-- Who told of usage is said by each event; those of former versions do not know it.
alter table usage_event
    add column actor_kind text,
    add column actor_name text,
    add column actor_id uuid;

-- Which of a user's tokens did something is said by each entry; those of former versions do not know it.
alter table audit_entry
    add column token_id uuid,
    add column token_name text,
    add check ((token_id is null) = (token_name is null));

-- A trial is had once with a way to pay as well. What an account has ever left is known by digests that only
-- who holds the key can make; a way to pay with which one account has had a trial is not given another's.
alter table trial_redemption add column is_allowed boolean not null default false;  -- by a person, though had before
alter table seller add column repeated_trials text not null default 'report'
    check (repeated_trials in ('report', 'end'));

create table account_fingerprint (
    tenant_id uuid not null,
    account_id uuid not null,
    fingerprint_digest bytea not null,
    noted_at timestamptz not null,
    primary key (tenant_id, account_id, fingerprint_digest),
    foreign key (tenant_id, account_id) references account
);
create index on account_fingerprint (tenant_id, fingerprint_digest);
insert into account_fingerprint
    select tenant_id, account_id, fingerprint_digest, min(created_at) from payment_method
    where fingerprint_digest is not null
    group by tenant_id, account_id, fingerprint_digest;

create table trial_fingerprint (
    tenant_id uuid not null,
    fingerprint_digest bytea not null,
    plan_code text not null,
    subscription_id uuid not null,
    primary key (tenant_id, fingerprint_digest, plan_code),
    foreign key (tenant_id, subscription_id, plan_code) references trial_redemption on delete cascade
);
create index on trial_fingerprint (tenant_id, subscription_id, plan_code);
insert into trial_fingerprint
    select r.tenant_id, f.fingerprint_digest, r.plan_code, r.subscription_id
    from trial_redemption r
    join account_fingerprint f on f.tenant_id = r.tenant_id and f.account_id = r.account_id
    order by r.redeemed_at, r.subscription_id
    on conflict do nothing;

-- What is removed here is detached at its provider, too: `detach_at` is when that is tried next. Methods that
-- were removed by former versions stay where they are.
alter table payment_method
    add column removed_at timestamptz,
    add column detach_at timestamptz;
create index payment_method_to_detach on payment_method (tenant_id, detach_at)
    where detach_at is not null;

-- When its provider was last asked how an open dispute stands: few are asked about in one night.
alter table dispute
    add column asked_at timestamptz;
create index dispute_open on dispute (tenant_id, provider, asked_at nulls first, id)
    where state = 'open';

-- What a standstill took back of prices that hold until the renewal; its end brings it again. What stands
-- still now was stopped when nothing of it was kept.
alter table subscription add column taken_back uuid[];

update subscription s set taken_back = stopped.charges
from (
    select c.tenant_id, c.subscription_id, array_agg(c.id order by c.period_start, c.id) as charges
    from charge c
    join plan_component p on p.tenant_id = c.tenant_id and p.id = c.plan_component_id
    join subscription o on o.tenant_id = c.tenant_id and o.id = c.subscription_id
    where o.state = 'paused' and o.keeps_period and c.reversed_from = o.paused_at
        and c.kind = 'recurring' and p.timing = 'in_arrears' and c.period_end = o.period_end
    group by 1, 2) as stopped
where s.tenant_id = stopped.tenant_id and s.id = stopped.subscription_id;

-- Until when service was billed elsewhere; of what was created before, only that the first charges begin there.
alter table subscription add column bills_from timestamptz;

-- Late usage of a closed account is not billed: it waits, due at no time, until the account is open again.
alter table late_usage alter column due_at drop not null;

-- What a migration that creates tables ends with: each shows only the rows of the tenant that is set.
create function isolate_new_tables() returns void language plpgsql as $$
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
revoke execute on function isolate_new_tables from public;
select isolate_new_tables();
