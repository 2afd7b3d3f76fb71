-- Trials that are had once, reminders, and a history of cancellations.

alter table subscription
    add column trial_original_end timestamptz,
    add column trial_state text
        check (trial_state in ('scheduled', 'active', 'converted', 'ended', 'canceled')),
    add column cancellation_mode text check (cancellation_mode in ('now', 'period_end', 'at')),
    add column reminder_days int check (reminder_days between 0 and 90),  -- null: what is usual
    add column reminder_at timestamptz,  -- null: nobody is to be reminded
    add column reminded_of timestamptz;  -- the end of a trial or a period that was reminded of

-- What is known of trials that have been: where they ended, but not what they were to be.
update subscription set trial_original_end = trial_end, trial_state = case
        when state = 'scheduled' then 'scheduled'
        when state = 'trialing' then 'active'
        when state = 'paused' and period_start = trial_start and not keeps_period then 'ended'
        when state = 'canceled' and period_start = trial_start and ended_at <= period_end then
            case when cancellation_reason in ('trial_ended', 'not_renewed') then 'ended'
                 else 'canceled' end
        else 'converted' end
    where trial_end is not null;
update subscription
    set cancellation_mode = case
        when cancels_at_period_end then 'period_end' when cancel_at <= canceled_at then 'now' else 'at' end
    where canceled_at is not null and cancellation_reason not in ('trial_ended', 'not_renewed', 'timeout');
alter table subscription
    add constraint subscription_trial_is_known check (
        (trial_end is null) = (trial_state is null) and (trial_end is null) = (trial_original_end is null));

create index subscription_trial on subscription (tenant_id, trial_end, id) where trial_end is not null;
create index subscription_reminder on subscription (tenant_id, reminder_at) where reminder_at is not null;
create index subscription_renewal on subscription (tenant_id, period_end, id)
    where state in ('trialing', 'active', 'past_due');

-- Who has had a trial of which plan: an account, and whoever reads the same mail.
create table trial_redemption (
    tenant_id uuid not null,
    subscription_id uuid not null,
    plan_code text not null,
    account_id uuid not null,
    email_key text,  -- the address without what makes no difference; null: without one
    redeemed_at timestamptz not null,
    primary key (tenant_id, subscription_id, plan_code),
    unique (tenant_id, account_id, plan_code),
    unique (tenant_id, email_key, plan_code),
    foreign key (tenant_id, account_id) references account,
    -- It is noted before its subscription is stored.
    foreign key (tenant_id, subscription_id) references subscription deferrable initially deferred
);
insert into trial_redemption
    select s.tenant_id, s.id, v.plan_code, s.account_id, k.email_key, s.created_at
    from subscription s
    join (select v.tenant_id, v.id, p.code as plan_code from plan_version v
          join plan p on p.tenant_id = v.tenant_id and p.id = v.plan_id) v
        on v.tenant_id = s.tenant_id and v.id = s.plan_version_id
    join account a on a.tenant_id = s.tenant_id and a.id = s.account_id
    cross join lateral (
        select lower(btrim(a.email)) as address
    ) m
    cross join lateral (
        select coalesce(nullif(split_part(regexp_replace(m.address, '@[^@]*$', ''), '+', 1), ''),
                        regexp_replace(m.address, '@[^@]*$', '')) as name,
            substring(m.address from '@([^@]*)$') as host
    ) part
    cross join lateral (
        select case when part.host in ('gmail.com', 'googlemail.com')
                    then replace(part.name, '.', '') || '@gmail.com'
                    else part.name || '@' || part.host end as email_key
    ) k
    where s.trial_end is not null
    order by s.created_at, s.id
    on conflict do nothing;

-- Every cancellation that was asked for, and every end that came by itself.
create table cancellation (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    subscription_id uuid not null,
    plan_code text not null,
    state text not null check (state in ('pending', 'effective', 'undone')),
    mode text check (mode in ('now', 'period_end', 'at')),  -- null: it came by itself
    cancel_at timestamptz not null,
    reason text not null check (reason in ('requested', 'not_renewed', 'trial_ended', 'payment_failed',
                                           'timeout', 'withdrawal', 'admin')),
    feedback text,
    comment text,
    proration text check (proration in ('none', 'credit', 'refund')),
    bills_final_usage boolean not null,
    actor_kind text,  -- null: it was not recorded
    actor_name text,
    actor_id uuid,
    requested_at timestamptz not null,
    undone_at timestamptz,
    effective_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, account_id, subscription_id)
        references subscription (tenant_id, account_id, id),
    check ((state = 'undone') = (undone_at is not null)),
    check ((state = 'effective') = (effective_at is not null)),
    check ((actor_kind is null) = (actor_name is null))
);
create index on cancellation (tenant_id, account_id, subscription_id);
create index on cancellation (tenant_id, requested_at, id);
create unique index cancellation_pending on cancellation (tenant_id, subscription_id) where state = 'pending';
insert into cancellation
    select s.tenant_id, gen_random_uuid(), s.account_id, s.id, p.code,
        case when s.ended_at is null then 'pending' else 'effective' end,
        s.cancellation_mode, coalesce(s.cancel_at, s.ended_at), coalesce(s.cancellation_reason, 'requested'),
        s.cancellation_feedback, s.cancellation_comment, s.cancellation_proration, s.bills_final_usage,
        null, null, null, s.canceled_at, null, s.ended_at
    from subscription s
    join plan_version v on v.tenant_id = s.tenant_id and v.id = s.plan_version_id
    join plan p on p.tenant_id = v.tenant_id and p.id = v.plan_id
    where s.canceled_at is not null and coalesce(s.cancel_at, s.ended_at) is not null;

-- What is to be reminded of is worked out in days of 24 hours; a trial of up to three days, where clocks
-- may have changed, is reminded of one day before. The same is in subscriptions/rules/reminding.py.
update subscription set reminder_at = greatest(period_start, case
        when trial_end - trial_start >= interval '4 days' - interval '1 hour'
            then period_end - interval '3 days'
        else period_end - interval '1 day' end)
    where state = 'trialing' and trial_end - trial_start >= interval '23 hours'
        and (cancel_at is null or cancel_at > period_end);
update subscription set reminder_at = greatest(period_start, period_end - interval '7 days')
    where state in ('active', 'past_due') and renews and (cancel_at is null or cancel_at > period_end)
        and (interval_unit = 'year' or interval_unit = 'month' and interval_count >= 6
             or interval_unit = 'week' and interval_count >= 26
             or interval_unit = 'day' and interval_count >= 182
             or interval_unit = 'hour' and interval_count >= 4368);

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

revoke delete on cancellation from billwright_app;
