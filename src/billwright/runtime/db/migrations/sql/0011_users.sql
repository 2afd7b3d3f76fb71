-- People who sign in, their tokens and codes, from where something was done, and how often something
-- is asked.

create table app_user (
    tenant_id uuid not null,
    id uuid not null,
    email text not null check (email = lower(email)),
    role text not null check (role in ('user', 'admin', 'controller')),
    locale text not null,
    password_hash text,  -- null: signs in elsewhere
    oidc_subject text,   -- by which an OpenID Connect server knows them
    email_confirmed_at timestamptz,
    locked_at timestamptz,
    token_version int not null default 0,  -- sessions of another version are over
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, email),
    unique (tenant_id, oidc_subject),
    foreign key (tenant_id) references tenant
);
create index on app_user (tenant_id, created_at, id);
create index on app_user (tenant_id, id) where role = 'admin';

-- What was mailed to prove an address; one for each purpose, and only by a keyed digest.
create table one_time_code (
    tenant_id uuid not null,
    user_id uuid not null,
    purpose text not null check (purpose in ('confirm_email', 'reset_password')),
    digest bytea not null,
    attempts_left int not null check (attempts_left >= 0),
    expires_at timestamptz,
    created_at timestamptz not null,
    renewed_at timestamptz,  -- when wrong attempts last made for another mail
    primary key (tenant_id, user_id, purpose),
    foreign key (tenant_id, user_id) references app_user on delete cascade
);

-- Sessions that were ended by themselves; kept until they would have ended anyway.
create table revoked_session (
    tenant_id uuid not null,
    jti uuid not null,
    expires_at timestamptz not null,
    primary key (tenant_id, jti)
);
create index on revoked_session (tenant_id, expires_at);

create table personal_access_token (
    tenant_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    name text not null,
    prefix text not null,
    digest bytea not null,
    scopes text[] not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, digest),
    foreign key (tenant_id, user_id) references app_user on delete cascade
);
create index on personal_access_token (tenant_id, user_id, id);

-- From where, and by which request, something was done.
alter table audit_entry add column address text, add column request_id text;
create index on audit_entry (tenant_id, action, id);
create index on audit_entry (tenant_id, actor_id, id);
create index on audit_entry (tenant_id, request_id, id) where request_id is not null;

-- Messages to people who sign in, who need not be anybody's account. A message about an address that
-- was given up goes to that address.
alter table notification_request
    alter column account_id drop not null,
    add column user_id uuid,
    add column to_address text,
    add foreign key (tenant_id, user_id) references app_user on delete cascade,
    add check (account_id is not null or user_id is not null);
create index on notification_request (tenant_id, user_id) where user_id is not null;

-- How often somebody asked lately. Lost with a crash, after which it is counted anew.
create unlogged table rate_limit_count (
    tenant_id uuid not null,
    key bytea not null,
    number int not null,
    expires_at timestamptz not null,
    primary key (tenant_id, key)
);
create index on rate_limit_count (tenant_id, expires_at);

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

-- Counts before anybody knows who asks, in one statement; without such a tenant there is no row.
create function count_once_more(tenant_code text, wanted bytea, instant timestamptz, ends timestamptz)
    returns table (number int, expires_at timestamptz)
    language sql volatile security definer set search_path = public
begin atomic
    insert into rate_limit_count as known (tenant_id, key, number, expires_at)
    select t.tenant_id, wanted, 1, ends from tenant t where t.code = tenant_code
    on conflict (tenant_id, key) do update set
        number = case when known.expires_at <= instant then 1 else known.number + 1 end,
        expires_at = case when known.expires_at <= instant then ends else known.expires_at end
    returning known.number, known.expires_at;
end;

revoke execute on function count_once_more from public;
grant execute on function count_once_more to billwright_app;

-- What operators watch, of as many tenants as are asked for. Accounts on test clocks are left out.
create function count_unpaid_invoices(most int, instant timestamptz)
    returns table (code text, unpaid bigint, overdue bigint)
    language sql stable security definer set search_path = public
begin atomic
    select t.code, c.unpaid, c.overdue
    from (select tenant_id, tenant.code from tenant order by tenant.code limit most) t
    cross join lateral (
        select count(*) as unpaid,
            count(*) filter (where i.due_on < (instant at time zone i.zone)::date) as overdue
        from invoice i join account a on a.tenant_id = i.tenant_id and a.id = i.account_id
        where i.tenant_id = t.tenant_id and i.state in ('open', 'partially_paid')
            and i.due_minor > 0 and a.test_clock_id is null) c
    order by t.code;
end;

create function count_active_subscriptions(most int) returns table (code text, active bigint)
    language sql stable security definer set search_path = public
begin atomic
    select t.code, c.active
    from (select tenant_id, tenant.code from tenant order by tenant.code limit most) t
    cross join lateral (
        select count(*) as active from subscription s
        where s.tenant_id = t.tenant_id and s.state = 'active' and s.test_clock_id is null) c
    order by t.code;
end;

revoke execute on function count_unpaid_invoices, count_active_subscriptions from public;
grant execute on function count_unpaid_invoices, count_active_subscriptions to billwright_app;
