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

-- What was mailed to prove an address; one for each purpose, and only by a keyed digest.
create table one_time_code (
    tenant_id uuid not null,
    user_id uuid not null,
    purpose text not null check (purpose in ('confirm_email', 'reset_password')),
    digest bytea not null,
    attempts_left int not null check (attempts_left >= 0),
    expires_at timestamptz,
    created_at timestamptz not null,
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
create index on audit_entry (tenant_id, occurred_at, id);

-- Messages to people who sign in, who need not be anybody's account. A message about an address that
-- was given up goes to that address.
alter table notification_request
    alter column account_id drop not null,
    add column user_id uuid,
    add column to_address text,
    add foreign key (tenant_id, user_id) references app_user on delete cascade,
    add check (account_id is not null or user_id is not null);
create index on notification_request (tenant_id, user_id) where user_id is not null;

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
